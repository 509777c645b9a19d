"""The lesson's page and notebooks: everything a student needs, nothing that gives an answer away."""

import datetime as dt
import html
import re

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from retention_kit import editions, exercises, exhibits, wheels
from retention_kit.exceptions import ReportError
from retention_kit.pages import Chapter, Page

HOSTILE = "<script>alert(1)</script>"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==\n"


def cell(source, *tags, **output):
    """An executed code cell that showed one thing, or none."""
    shown = [new_output("execute_result", data=output["data"])] if output else []
    return new_code_cell(source, metadata={"tags": list(tags)}, outputs=shown, execution_count=1)


def prose(source, *tags):
    return new_markdown_cell(source, metadata={"tags": list(tags)})


def drawing():
    axes = new_output("execute_result", data={"text/plain": "<Axes: xlabel='age'>"})
    picture = new_output("display_data", data={"image/png": PIXEL, "text/plain": "<Figure>"})
    source, tagged = "plots.plot(frame)", {"tags": ["lesson"]}
    return new_code_cell(source, metadata=tagged, outputs=[axes, picture], execution_count=1)


def chapter(*cells):
    start = [prose("# Orders\n\nHow many?"), cell("client: str = 'demo'", "parameters")]
    injected = cell("client = '/home/somebody/params/demo.yaml'", "injected-parameters")
    return new_notebook(cells=[*start, injected, *cells, cell("'the end'", "sentinel")])


LESSON = (
    cell("import pandas as pd", "setup"),
    prose(f"## By hand\n\nThe share is $\\frac{{4}}{{7}}$, not $5 or $6. {HOSTILE}", "lesson"),
    cell("4 / 7  # of them", "lesson", data={"text/plain": f"0.57 {HOSTILE}"}),
    cell(
        "frame.head()",
        "lesson",
        data={"text/html": pd.DataFrame({"name": [HOSTILE]}).to_html(), "text/plain": "name"},
    ),
    drawing(),
    cell(
        "exhibits.finding(told)",
        "layout",
        data=exhibits.finding("Four of seven came back")._repr_mimebundle_(),
    ),
    prose("## Try it\n\nHow many did not?", "exercise"),
    cell("answer = None", "exercise"),
    cell(
        "right = 3 / 7\nexercises.check(answer, right=right)",
        "check",
        data={"text/plain": "not yet", exercises.CARRIED: {"right": 3 / 7}},
    ),
    cell("answer = 1 - 4 / 7", "solution", data={"text/plain": "0.43"}),
)


def rendered(*cells, edition="full"):
    """One chapter of each kind of cell, on one page; the full edition holds all that there is to show."""
    said = {"title": "Shop & Sons", "as_of": "2024-07-01", "language": "pl", "currency": "PLN"}
    page = Page(
        client="shop",
        **said,
        prepared_by="us",
        notes_markdown="",
        chapters=[Chapter("orders", "Zamówienia", chapter(*cells))],
        missing=[],
        versions={"Python": "3"},
        generated=dt.datetime(2024, 7, 2),
    )
    return editions.render(page, edition)


@pytest.fixture(scope="module")
def page():
    return rendered(*LESSON)


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_a_lesson_has_its_prose_its_code_and_what_the_code_showed(page):
    assert "<h2>Orders</h2>" in page
    assert "<h3>By hand</h3>" in page
    assert "<math><mfrac><mn>4</mn><mn>7</mn></mfrac></math>, not $5 or $6." in page
    assert "4 / 7 # of them" in words(page)
    assert "<pre>0.57 &lt;script&gt;" in page
    assert 'class="finding" id="orders-1">Four of seven came back</h3>' in page


def test_a_section_is_reached_from_the_contents(page):
    anchors = re.findall(r'<a href="#(orders-s\d)">([^<]+)</a>', page)
    assert anchors == [("orders-s1", "By hand"), ("orders-s2", "Try it")]
    assert all(f'id="{anchor}"' in page for anchor, _ in anchors)


def test_a_bare_frame_is_a_table_and_a_bare_picture_has_words(page):
    assert "<th>name</th>" in page
    picture = BeautifulSoup(page, "html.parser").select_one("figure.bare img")
    assert picture["src"] == f"data:image/png;base64,{PIXEL.strip()}"
    assert picture["alt"] == "A figure made by: plots.plot(frame)"
    assert "&lt;Figure&gt;" not in page
    assert "Axes" not in page


def test_what_would_stand_in_the_way_is_folded(page):
    folded = re.findall(r"<summary>([^<]+)</summary>", page)
    assert folded == [
        "Setup: what is imported and loaded",
        "Code that lays out what follows",
        "How the answer is checked",
    ]


def test_nothing_on_it_is_run_or_fetched_and_no_path_is_told(page):
    assert (
        "Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\""
        in page
    )
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 3
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    assert "somebody" not in page
    assert "the end" not in page


def test_a_formula_that_cannot_be_read_is_one_line():
    with pytest.raises(ReportError, match=r"^The formula .* Mend it in its notebook\.$"):
        rendered(prose("Here: $\\frac{4}{$.", "lesson"))


def test_a_student_reads_neither_the_solution_nor_the_answer_that_is_checked():
    teachers, students = rendered(*LESSON), rendered(*LESSON, edition="lesson")
    for telling in ("answer = 1 - 4 / 7", "right = 3 / 7"):
        assert telling in words(teachers)
        assert telling not in words(students)
    sealed = exercises.seal(3 / 7, "shop/orders/1")
    assert f'exercises.check(answer, right="{sealed}")' in html.unescape(words(students))
    assert exercises.check(0.4286, sealed).said == "right"


@pytest.mark.parametrize("source", ["display(exercises.check(answer, 1))", "exercises.check()", "x = 1", "x"])
def test_a_check_that_cannot_be_sealed_says_how_it_would_be(source):
    checked = cell(source, "check", data={"text/plain": "not yet", exercises.CARRIED: {"right": 1.0}})
    with pytest.raises(ReportError) as error:
        editions.sealed(chapter(checked), "shop/orders")
    assert str(error.value) == (
        f"The check {source!r} cannot be sealed for a handout. "
        "Let its last line be: exercises.check(answer, right=...)"
    )


def test_a_check_of_a_teachers_own_way_stays_as_it_is():
    own = cell("print(answer == 3)", "check", data={"text/plain": "False"})
    assert editions.sealed(chapter(own), "shop/orders") == ["print(answer == 3)"]


RETENTION = wheels.shipped("notebooks") / "retention.ipynb"


@pytest.mark.parametrize(("edition", "solved"), [("lesson", False), ("full", True)])
def test_the_notebook_to_work_in_has_no_output_and_its_solutions_only_for_the_teacher(edition, solved):
    notebook = editions.to_work_in(RETENTION, {}, edition)
    tagged = {tag for one in notebook.cells for tag in one.metadata.get("tags", [])}
    assert ("solution" in tagged) is solved
    assert {"lesson", "exercise", "check", "sentinel"} < tagged
    code = [one for one in notebook.cells if one.cell_type == "code"]
    assert all(one.outputs == [] and one.execution_count is None for one in code)
    hidden = [one for one in code if one.metadata.get("jupyter", {}).get("source_hidden")]
    assert {tuple(one.metadata["tags"]) for one in hidden} == {("layout",), ("check",)}
    nbformat.validate(notebook)


def test_the_parameters_are_filled_in_and_keep_their_comments():
    given = {"client": "acme", "by": "country", "inactive_after": 90}
    cells = editions.to_work_in(RETENTION, given).cells
    assert cells[1].source.splitlines()[:1] == ['client: str = "acme"  # id or path of a client file']
    assert 'by: str | None = "country"  # a column' in cells[1].source
    assert "inactive_after: int | None = 90  # days" in cells[1].source
    assert "as_of: str | None = None  # overrides" in cells[1].source


SOURCE = """\
name: str | None = "ä"; rest: int = 1  # żółw
margin: float | None = (
    None  # a share
)
flag: bool = False
"""


@given(
    st.text() | st.none() | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
)
def test_a_filled_cell_gives_the_values_back(value):
    values = {"name": value, "margin": value, "flag": value}
    names = {}
    exec(editions._filled(SOURCE, values), names)
    assert {name: names[name] for name in values} == values
    assert names["rest"] == 1
