"""One self-contained page from notebooks: outputs only, nothing fetched, nothing said twice."""

import datetime as dt
import re
from dataclasses import replace
from itertools import chain
from types import SimpleNamespace
from urllib.parse import unquote_to_bytes

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from retention_kit import cards, catalogues, exhibits, pages, plots
from retention_kit.brands import Brand
from retention_kit.exceptions import ReportError
from retention_kit.headlines import Headline
from retention_kit.params import CHAPTERS
from retention_kit.phrases import Told
from retention_kit.playbook import Rule, plan
from retention_kit.previous import Correction, Restated
from retention_kit.sentences import Voice

VOICE = Voice(language="en", currency="EUR")
HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} $5"


def cell(*shown, tags=()):
    """A code cell as it looks after running, with the outputs of exhibits or given bundles."""
    made = new_code_cell("secret_code()", metadata={"tags": list(tags)}, execution_count=1)
    for one in shown:
        bundle = one if isinstance(one, dict) else one._repr_mimebundle_()
        made.outputs.append(new_output("display_data", data=bundle))
    return made


def headline(name, value=0.25, unit="share", good="up"):
    return Headline(
        name, value, unit=unit, good=good, counts={"customers": 8}, definition=f"How {name} is counted.",
        as_of="2024-07-01",
    )  # fmt: skip


def checks(kind="orders", rows=10):
    frame = pd.DataFrame({"rule": ["read", "kept"], "rows": [rows, rows], "amount": 5.0, "example": None})
    moment = pd.Timestamp("2024-07-01")
    seen = {"observed_from": pd.Timestamp("2023-03-04 10:00"), "observed_until": moment}
    loaded = SimpleNamespace(kind=kind, as_of=moment, checks=frame, notes=(), **seen)
    return cell(exhibits.data_checks(loaded, voice=VOICE), tags=["data-notes"])


def picture():
    rates = pd.DataFrame(
        {
            "period": pd.date_range("2024-01-01", periods=2, freq="MS"),
            "churn_rate": 0.1,
            "low": 0.0,
            "high": 0.2,
        }
    )
    ax = plots.plot_churn_rates(rates, ax=exhibits.axes())
    return exhibits.figure(ax, name="churn_rates", alt="A line.", caption="Churn", frame=rates, voice=VOICE)


def retention():
    cells = [
        new_markdown_cell("# Lesson text"),
        cell(exhibits.sentence("from parameters"), tags=["parameters"]),
        cell(exhibits.cards(headline("retention.month_6"), voice=VOICE), tags=["lesson"]),
        cell(exhibits.cards(headline("retention.month_1", 0.382), voice=VOICE)),
        cell(exhibits.finding("Four of ten came back."), exhibits.sentence(f"Said {HOSTILE}")),
        cell(picture()),
        cell(exhibits.finding("A second finding.")),
        cell(exhibits.sentence("solution"), tags=["solution"]),
        checks(),
        cell({"text/plain": "'reached'"}, tags=["sentinel"]),
    ]
    return pages.Chapter("retention", "Retention", new_notebook(cells=cells))


def nps():
    cells = [
        cell(exhibits.cards(headline("nps.nps", 31.0, "nps"), voice=VOICE)),
        cell(exhibits.finding("Most recommend.")),
        checks(),
        checks("responses", rows=7),
    ]
    return pages.Chapter("nps", "Net Promoter Score", new_notebook(cells=cells))


@pytest.fixture
def page():
    return pages.Page(
        client="acme",
        title="Acme & <Sons>",
        as_of="2024-07-01",
        language="en",
        currency="EUR",
        prepared_by="North Star",
        notes_markdown="Costs $40, **see** [here](javascript:alert(1)) <script>x</script> {{ 7 * 7 }}",
        chapters=(retention(), nps()),
        missing=(("clv", "No amounts in the orders."),),
        versions={"retention-kit": "0.1.0"},
        generated=dt.datetime(2024, 7, 2, 9, 30),
    )


@pytest.fixture
def html(page):
    return pages.render(page)


@pytest.fixture
def soup(html):
    return BeautifulSoup(html, "html.parser")


def test_the_page_stands_alone(html, soup):
    assert "://" not in html
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html)
    assert soup.find(["script", "link", "iframe", "object", "base"]) is None
    policy = soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert soup.html["lang"] == "en"
    assert soup.find("a", class_="skip")["href"] == f"#{soup.main['id']}"


def test_headings_form_one_outline(soup):
    assert [h.text for h in soup.find_all("h1")] == ["Acme & <Sons>"]
    parts = [
        "Summary",
        "Retention",
        "Net Promoter Score",
        "Data checks",
        "Definitions and method",
        "Glossary",
    ]
    assert [h.text for h in soup.find_all("h2")] == ["Contents", *parts]
    assert [a.text for a in soup.nav.find_all("a")] == parts
    assert [h.text for h in soup.find(id="retention").find_all("h3")] == [
        "Four of ten came back.",
        "A second finding.",
    ]
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    links = [a["href"][1:] for a in soup.find_all("a", download=False)]
    assert set(links) <= set(ids)


def test_the_cover_says_who_what_and_when(soup):
    assert soup.header.find(class_="kind").text == "Retention report"
    assert {dt.text: dt.find_next("dd").text for dt in soup.header.find_all("dt")} == {
        "Period": "4 March 2023 to 30 June 2024",
        "As of": "1 July 2024",
        "Prepared by": "North Star",
    }


def test_the_brand_is_on_the_cover_in_the_colours_and_below_each_printed_page(page):
    brand = Brand(name="Star & Co", colours=("#0b3d5c", "#ffee00"), confidentiality='For "Acme" </style>\n}')
    logo = "data:image/png;base64,AAAA"
    branded = replace(page, prepared_by="", brand=brand.model_copy(update={"logo": logo}))
    html = pages.render(branded)
    soup = BeautifulSoup(html, "html.parser")
    sender = soup.header.find(class_="sender")
    assert (sender.img["src"], sender.img["alt"]) == (logo, "Star & Co")
    assert sender.find(class_="confidential").text == brand.confidentiality
    assert brand.confidentiality in soup.footer.text
    assert [dd.text for dd in soup.header.find_all("dd")][-1] == "Star & Co"
    css = soup.style.text
    assert ":root{--accent:#0b3d5c}:root{--second:#ffee00}" in css
    inside = re.search(r'@bottom-left\{content:"([^"]*)"', css)[1]
    assert (
        "".join(chr(int(each, 16)) for each in re.findall(r"\\([0-9a-f]+) ", inside)) == brand.confidentiality
    )
    assert len(soup.find_all("style")) == 1
    # A brand without a logo is its name.
    plain = BeautifulSoup(pages.render(replace(page, brand=brand)), "html.parser")
    assert plain.header.find(class_="name").text == "Star & Co"
    assert [dd.text for dd in plain.header.find_all("dd")][-1] == "North Star"


def test_the_glossary_tells_the_words_of_these_chapters_by_the_alphabet(soup, page):
    terms = [dt.text for dt in soup.find(id="glossary").find_all("dt")]
    assert terms == sorted(terms, key=str.casefold)
    assert {"Cohort", "Net Promoter Score (NPS)", "As of"} < set(terms)
    assert "Churn rate" not in terms


def test_every_word_of_the_glossary_is_told_by_some_chapter():
    listed = sorted(chain.from_iterable(pages._GLOSSARY.values()))
    told = {key.split(".")[1] for key in catalogues.entries("en") if key.startswith("glossary.")}
    assert listed == sorted(told)
    assert set(pages._GLOSSARY) == {"", *CHAPTERS}


def test_tables_and_pictures_can_be_taken_along(soup):
    rows, drawn = soup.find(class_="downloads").find_all("a")
    assert (rows["download"], drawn["download"]) == (
        "acme_2024-07-01_retention_churn_rates.csv",
        "acme_2024-07-01_retention_churn_rates.png",
    )
    start = "data:text/csv;charset=utf-8,"
    assert rows["href"].startswith(start)
    text = unquote_to_bytes(rows["href"].removeprefix(start)).decode("utf-8-sig")
    assert text.splitlines()[:2] == ["period,churn_rate,low,high", "2024-01-01,0.1,0.0,0.2"]
    assert drawn["href"] == soup.find("figure").img["src"]


def test_a_list_of_customers_is_not_in_the_page(page):
    people = pd.DataFrame({"customer_id": ["c-1"], "orders": [3]})
    listed = exhibits.customer_table(people, name="at_risk", caption="Late", voice=VOICE, show=False)
    chapter = pages.Chapter("churn", "Churn", new_notebook(cells=[cell(listed)]))
    soup = BeautifulSoup(pages.render(replace(page, chapters=(chapter,))), "html.parser")
    assert soup.find(class_="downloads") is None
    assert "c-1" not in soup.text


def test_counts_keep_their_order_in_a_notebook_file(page):
    """A notebook file sorts keys, and a report made from one again must read the same."""
    voted = {"promoters": 5, "passives": 2, "detractors": 1}
    headline = Headline("nps.nps", 50.0, "nps", "up", voted, "How.", "2024-07-01")
    written = new_notebook(cells=[cell(exhibits.cards(headline, voice=VOICE))])
    read = nbformat.reads(nbformat.writes(written), as_version=4)
    chapters = [pages.Chapter("nps", "NPS", notebook) for notebook in (written, read)]
    first, again = (pages.render(replace(page, chapters=[chapter])) for chapter in chapters)
    assert again == first
    assert list(pages.headlines(read)[0].counts) == ["promoters", "passives", "detractors"]


def test_code_lessons_and_hidden_cells_are_absent(soup):
    for absent in ("secret_code", "Lesson text", "from parameters", "solution", "reached", "month_3", "In ["):
        assert absent not in soup.text


def test_the_summary_repeats_cards_findings_and_notes(soup):
    summary = soup.find(id="summary")
    assert [
        (li.a["href"], li.a.text, li.p.text) for li in summary.find(class_="findings").find_all("li")
    ] == [
        ("#retention-1", "Retention", "Four of ten came back."),
        ("#retention-2", "Retention", "A second finding."),
        ("#nps-1", "Net Promoter Score", "Most recommend."),
    ]
    assert [p.text for p in summary.find_all(class_="value")] == ["38.2%", "+31"]
    assert "Costs $40, see here <script>x</script> {{ 7 * 7 }}" in summary.find(class_="notes").text


def test_the_summary_takes_what_is_known_before_what_is_not(page):
    unknown = Told(
        "What they still bring cannot be told: two whole years were not observed.", "Not yet", False
    )
    cells = [cell(exhibits.finding(unknown)), *(cell(exhibits.finding(f"Number {n}.")) for n in range(1, 7))]
    chapter = pages.Chapter("clv", "Value", new_notebook(cells=cells))
    soup = BeautifulSoup(pages.render(replace(page, chapters=(chapter,))), "html.parser")
    told = soup.find(class_="findings").find_all("li")
    assert [(li.a["href"], li.p.text) for li in told][:2] == [
        ("#clv-2", "Number 1."),
        ("#clv-3", "Number 2."),
    ]
    assert "cannot be told" not in soup.find(class_="findings").text
    assert soup.find(id="clv-1").text == "Not yet"  # it keeps its place in the chapter


def test_the_summary_takes_from_each_chapter_in_turn():
    lists = [["a1", "a2", "a3", "a4"], ["b1"], [], ["c1", "c2"]]
    assert pages._in_turn(lists, 5) == ["a1", "a2", "b1", "c1", "c2"]
    assert pages._in_turn(lists, 2) == ["a1", "b1"]


def test_what_to_do_next_stands_between_the_findings_and_the_figures(page):
    own = {word: f"{word} {HOSTILE}" for word in ("title", "why", "measure", "caution")}
    rule = Rule("mine", "retention.month_1", "share", True, 0.3, words=own)
    sure = replace(headline("retention.month_1", 0.382), low=0.35, high=0.41, interval="Wilson 95 %")
    many = [replace(rule, name=f"mine{n}") for n in range(7)]
    soup = BeautifulSoup(pages.render(replace(page, plan=plan([sure], many))), "html.parser")
    shown = soup.find(id="summary").find(class_="plan")
    assert shown.find_previous_sibling()["class"] == ["findings"]
    assert shown.find_next_sibling()["class"] == ["cards"]
    assert shown.h3.text == "What to do next"
    assert [li.strong.text for li in shown.find_all("li")] == [f"title {HOSTILE}"] * 5
    first = shown.li.text
    for words in ("why", "measure", "caution"):
        assert f"{words} {HOSTILE}" in first
    assert "38.2%, between 35.0% and 41.0%" in shown.find(class_="reason").text
    assert shown.find(class_="rest").text.startswith("2 more rules fired: title <script>")


def test_where_nothing_is_advised_the_page_says_so_or_is_silent(page, soup):
    assert soup.find(class_="plan") is None
    quiet = BeautifulSoup(pages.render(replace(page, plan=plan([], []))), "html.parser").find(class_="plan")
    assert quiet.ol is None
    assert quiet.p.text.endswith("so nothing is advised here.")


def test_every_card_tells_the_change_since_the_report_before(page):
    changes = {
        "retention.month_1": cards.Change("+1 <since> June: better", "up", "better"),
        "nps.nps": cards.Change("Not in the report of June"),
    }
    soup = BeautifulSoup(pages.render(replace(page, changes=changes)), "html.parser")
    for place in ("summary", "retention"):
        change = soup.find(id=place).find(class_="change")
        assert change.text == "▲ +1 <since> June: better"
        assert change.span["aria-hidden"] == "true"
        assert change["class"] == ["change", "better"]
    assert soup.find(id="retention").find(class_="card").find("details")
    assert [p.text for p in soup.find(id="nps").find_all(class_="change")] == ["Not in the report of June"]


def test_what_would_come_out_otherwise_is_told_in_the_summary_and_in_the_data_notes(page):
    correction = Correction("Kept", "25% <then>", "24%", ("More rows.", "<b>Another version."))
    restated = Restated("One figure would come out otherwise.", (correction,))
    soup = BeautifulSoup(pages.render(replace(page, restated=restated)), "html.parser")
    line = soup.find(id="summary").find(class_="restated")
    assert line.text == "One figure would come out otherwise. See which, and why."
    assert line.a["href"] == f"#{soup.find(id='data-checks').find(id='restated')['id']}"
    cells = soup.find(id="restated").tbody.find_all(["th", "td"])
    assert [cell.text for cell in cells] == [
        "Kept", "25% <then>", "24%", "More rows. <b>Another version.",
    ]  # fmt: skip


def test_where_all_comes_out_the_same_the_data_notes_say_so_alone(page):
    bare = pages.Chapter("churn", "Churn", new_notebook(cells=[cell(exhibits.sentence("Only this."))]))
    page = replace(page, chapters=(bare,), restated=Restated("All 8 figures come out the same."))
    soup = BeautifulSoup(pages.render(page), "html.parser")
    assert soup.find(id="summary").find(class_="restated") is None
    assert "All 8 figures come out the same." in soup.find(id="restated").text
    assert soup.find(id="restated").find("table") is None


def test_hostile_words_are_text(soup):
    assert soup.title.text == "Acme & <Sons> · Retention report, 1 July 2024"
    assert f"Said {HOSTILE}" in soup.text


def test_html_that_no_exhibit_made_stands_as_its_text(page):
    styled = {"text/html": "<b onclick='x'>styled</b>", "text/plain": "<Styler>"}
    shown = cell(styled)
    shown.outputs.append(new_output("stream", name="stdout", text="printed <i>"))
    shown.outputs.append(new_output("stream", name="stderr", text="a warning"))
    chapter = pages.Chapter("churn", "Churn", new_notebook(cells=[shown]))
    soup = BeautifulSoup(pages.render(replace(page, chapters=(chapter,))), "html.parser")
    assert [pre.text for pre in soup.find_all("pre")] == ["<Styler>", "printed <i>"]
    assert soup.find(onclick=True) is None
    assert "a warning" not in soup.text


def test_data_checks_stand_at_the_end_and_once(soup):
    assert soup.find(class_="chapter").find(class_="checks") is None
    section = soup.find(id="data-checks")
    assert [h.text for h in section.find_all("h3")] == ["Orders", "Survey answers"]
    orders, answers = section.find_all(class_="checks")
    assert "Used in: Retention, Net Promoter Score" in orders.text
    assert "Used in: Net Promoter Score" in answers.text
    order = [s.get("id") for s in soup.main.find_all("section", recursive=False)]
    assert order == ["summary", "retention", "nps", "data-checks", "definitions", "glossary"]


def test_words_in_data_notes_stand_with_the_checks(page):
    noted = retention()
    noted.notebook.cells.append(cell(exhibits.sentence("Two days are empty."), tags=["data-notes"]))
    soup = BeautifulSoup(pages.render(replace(page, chapters=(noted,))), "html.parser")
    assert "Two days are empty." in soup.find(id="data-checks").text
    assert soup.find(id="data-checks").find_all("h3")[-1].text == "Further notes"
    assert "Two days are empty." not in soup.find(id="retention").text


def test_definitions_versions_missing_chapters_and_marks(page, soup):
    assert "How retention.month_1 is counted." in soup.find(id="definitions").text
    assert soup.find(class_="missing").li.text == "Customer lifetime value. No amounts in the orders."
    assert "retention-kit 0.1.0" in soup.footer.text
    assert "2 July 2024" in soup.footer.text
    assert "registered marks of Bain & Company" in soup.footer.text
    without = BeautifulSoup(pages.render(replace(page, chapters=(retention(),))), "html.parser")
    assert "registered marks" not in without.text


def test_figures_keep_their_words(soup):
    assert [img["alt"] for img in soup.find_all("img")] == ["A line."]


def test_headlines_and_tables_are_read_from_what_is_shown():
    notebook = nbformat.from_dict(nbformat.reads(nbformat.writes(retention().notebook), as_version=4))
    assert pages.headlines(notebook) == [headline("retention.month_1", 0.382)]
    (table,) = pages.tables(notebook)
    assert (table["name"], table["columns"]) == ("churn_rates", ["period", "churn_rate", "low", "high"])


def test_rendering_leaves_the_notebook_as_it_was(page):
    before = nbformat.writes(page.chapters[0].notebook)
    pages.render(page)
    assert nbformat.writes(page.chapters[0].notebook) == before


def test_a_page_without_notes_headlines_or_checks_has_no_empty_parts(page):
    bare = pages.Chapter("churn", "Churn", new_notebook(cells=[cell(exhibits.sentence("Only this."))]))
    page = replace(page, chapters=(bare,), missing=(), notes_markdown="", prepared_by="", versions={})
    soup = BeautifulSoup(pages.render(page), "html.parser")
    assert [h.text for h in soup.find_all("h2")] == ["Contents", "Summary", "Churn", "Glossary"]
    assert [dt.text for dt in soup.header.find_all("dt")] == ["As of"]
    assert soup.find(class_="sender") is None
    assert soup.find(class_="missing") is None


def test_an_error_or_a_name_used_twice_is_no_report(page):
    broken = retention()
    broken.notebook.cells[3].outputs = [new_output("error", ename="KeyError", evalue="'x'", traceback=[])]
    with pytest.raises(ReportError) as error:
        pages.render(replace(page, chapters=(broken,)))
    assert str(error.value) == "Chapter 'retention' ended in KeyError: 'x'"
    twice = retention()
    twice.notebook.cells.append(cell(picture()))
    with pytest.raises(ReportError) as error:
        pages.render(replace(page, chapters=(twice,)))
    assert str(error.value) == "Chapter 'retention' shows 'churn_rates' twice. Give each its own name."
