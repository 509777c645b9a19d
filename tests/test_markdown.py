"""The consultant's words: formatted, and nothing but words."""

from pathlib import Path

import nbformat
import pytest

from retention_kit.exceptions import ReportError
from retention_kit.markdown import formula_html, markdown_html, prose_html


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("a **b**", "<p>a <strong>b</strong></p>"),
        ("# Title", "<h3>Title</h3>"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"),
        ("[us](https://example.org)", "<p>us (https://example.org)</p>"),
        ("[us](javascript:x)", "<p>us</p>"),
        ("![a <b>](https://example.org/x.png)", "<p>a &lt;b&gt;</p>"),
        ("$5 and $9", "<p>$5 and $9</p>"),
    ],
)
def test_markdown_can_only_look_like_text(written: str, html: str) -> None:
    assert markdown_html(written).strip() == html


# -- formulas ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("$x$", "<p><math><mi>x</mi></math></p>"),
        (r"$\frac{4}{7}$ stay", "<p><math><mfrac><mn>4</mn><mn>7</mn></mfrac></math> stay</p>"),
        ("$5 and $9", "<p>$5 and $9</p>"),
        (r"\$5 a month, $r$", "<p>$5 a month, <math><mi>r</mi></math></p>"),
        ("`$x$`", "<p><code>$x$</code></p>"),
        (r"$\text{<script>}$", "<p><math><mtext>&lt;script&gt;</mtext></math></p>"),
        (r"$\href{javascript:x}{r}$", "<p><math><mi>r</mi></math></p>"),
        (r"$\style{x}{r}$", "<p><math><mi>r</mi></math></p>"),
    ],
)
def test_prose_has_formulas_and_prices(written: str, html: str) -> None:
    assert prose_html(written).strip() == html


def test_a_formula_of_its_own_stands_between_paragraphs() -> None:
    html = prose_html("Kaplan and Meier:\n\n$$\nS = \\prod_i (1 - d_i)\n$$\n\nand on.")
    assert [part for part in ('<math display="block">', "∏", "<p>and on.</p>") if part not in html] == []
    assert "$" not in html


def test_prose_has_tables() -> None:
    assert "<td>$5</td>" in prose_html("| plan | fee |\n|---|---|\n| a | $5 |")


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        ("", "The formula '' cannot be read: NoAvailableTokensError. Mend it in its notebook."),
        (r"\frac{a", r"The formula '\\frac{a' is unfinished. Mend it in its notebook."),
        (r"\retention x", r"The formula '\\retention x': \retention is not a command that a report knows."),
        ("a & b", "The formula 'a & b': & stands outside of a matrix or cases."),
    ],
)
def test_a_formula_that_would_print_nonsense_is_refused(latex: str, message: str) -> None:
    with pytest.raises(ReportError) as error:
        formula_html(latex)
    assert str(error.value) == message


def test_every_formula_of_the_notebooks_can_be_shown() -> None:
    folder = Path(__file__).parent.parent / "notebooks"
    cells = [cell for path in folder.glob("*.ipynb") for cell in nbformat.read(path, as_version=4).cells]
    shown = [prose_html(cell.source) for cell in cells if cell.cell_type == "markdown"]
    assert sum(html.count("<math") for html in shown) >= 2
