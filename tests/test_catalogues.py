"""Every language says everything, with the same values, and in all the plural forms it has."""

import re
from pathlib import Path

import pytest

import retention_kit
from retention_kit import catalogues
from retention_kit.exceptions import ReportError, RetentionKitError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: x\na: y", "made.yaml line 2: 'a' stands twice, first on line 1. Keep one."),
        ("a: {b: x}\na.b: y", "The catalogue has 'a.b' twice."),
        ("a: {plural: n, one: x}", "Catalogue entry 'a' has no form 'other'."),
        ("a: true", "Catalogue entry 'a' is True, not text. Put it in quotes."),
        ("a: '{b:month.in}'", "Catalogue entry 'a': there is no 'months.in' with twelve names."),
        ("a: '{b.__class__}'", "Catalogue entry 'a': {b.__class__} is not a plain name."),
    ],
)
def test_a_catalogue_is_checked_when_read(text, message, tmp_path):
    path = tmp_path / "made.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RetentionKitError) as error:
        catalogues.read(path)
    assert str(error.value) == message


def test_a_catalogue_with_an_unknown_unit_is_refused(tmp_path):
    path = tmp_path / "made.yaml"
    path.write_text("a: '{b:percent}'", encoding="utf-8")
    with pytest.raises(ReportError, match="There is no unit 'percent'"):
        catalogues.read(path)


def test_every_word_the_page_and_the_exhibits_say_is_in_every_catalogue():
    folder = Path(retention_kit.__file__).parent
    code = (folder / "exhibits.py").read_text("utf-8") + (folder / "pages.py").read_text("utf-8")
    keys = set(re.findall(r'say\("((?:exhibit|page)\.\w+)"', code))
    page = (folder / "templates" / "report" / "page.html.j2").read_text("utf-8")
    keys |= {f"page.{key}" for key in re.findall(r'say\("(\w+)"', page)}
    assert len(keys) > 20
    for language in catalogues.languages():
        assert keys <= catalogues.entries(language).keys()


def test_whatever_is_said_of_a_month_is_said_of_a_week_and_a_quarter():
    entries = catalogues.entries("en")
    of_months = [key for key in entries if re.match(r"churn\.month[._]", key)]
    assert len(of_months) > 15
    twins = [key.replace("month", unit, 1) for key in of_months for unit in ("week", "quarter")]
    assert [key for key in twins if key not in entries] == []
