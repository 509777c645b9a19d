"""Every language says everything, with the same values, and in all the plural forms it has."""

import functools
import re
from pathlib import Path

import pandas as pd
import pytest
from babel import Locale

import retention_kit
from retention_kit import catalogues
from retention_kit.exceptions import ReportError, RetentionKitError
from retention_kit.headlines import Headline
from retention_kit.sentences import Voice


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: x\na: y", "made.yaml line 2: 'a' stands twice, first on line 1. Keep one."),
        ("a: {b: x}\na.b: y", "The catalogue has 'a.b' twice."),
        ("a: {plural: n, one: x}", "Catalogue entry 'a' has no form 'other'."),
        ("a: true", "Catalogue entry 'a' is True, not text. Put it in quotes."),
        ("a: '{b:month.in}'", "Catalogue entry 'a': month.in needs 'months.in', the words in that form."),
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


def test_a_catalogue_that_does_not_say_all_is_refused(tmp_path, monkeypatch):
    for language, text in {"en": "a: one\nb: two", "pl": "a: jeden", "sk": "a: jeden\nb: dva"}.items():
        (tmp_path / f"{language}.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(catalogues, "_folder", lambda: tmp_path)
    monkeypatch.setattr(catalogues, "entries", functools.lru_cache(catalogues.entries.__wrapped__))
    assert catalogues.known("sk_SK") == "sk_SK"
    with pytest.raises(ReportError) as error:
        catalogues.entries("pl")
    assert str(error.value) == (
        "The catalogue pl.yaml does not have ['b'], which en.yaml has; it lacks 1 in all. "
        "Add them in its own words."
    )
    with pytest.raises(ValueError, match=r"no catalogue for language 'skk'\. Did you mean 'sk'"):
        catalogues.known("skk")


# -- every language alike ------------------------------------------------------------

OTHERS = [language for language in catalogues.languages() if language != "en"]


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_says_all_that_english_says(language: str) -> None:
    english, other = catalogues.entries("en"), catalogues.entries(language)
    missing = [key for key in english if key not in other]
    assert missing == [], f"add {missing} to {language}.yaml, in its own words"
    own = re.compile("|".join(re.escape(form).replace(r"\{\}", "[a-z_]+") for form in FORMED))
    extra = [key for key in other if key not in english and not own.match(key)]
    assert extra == [], f"take {extra} out of {language}.yaml, or add it to en.yaml"


#: What a language may have beyond the English entries: forms of months, of units and of numbers of days.
FORMED = [catalogues.FORMS[unit] for unit in ("month", "unit", "days")]


@pytest.mark.parametrize("language", OTHERS)
def test_a_sentence_is_given_the_same_values_in_each_language(language: str) -> None:
    english, other = catalogues.entries("en"), catalogues.entries(language)
    given = {key: catalogues.fields(entry) for key, entry in english.items() if key in other}
    used = {key: catalogues.fields(other[key]) for key in given}
    found = [f"{key}: {sorted(given[key] ^ used[key])}" for key in given if given[key] != used[key]]
    assert found == [], f"give these the values of en.yaml in {language}.yaml"


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_plural_has_the_forms_of_its_language(language: str) -> None:
    entries = catalogues.entries(language)
    forms = {*Locale.parse(entries["locale"]).plural_form.tags, "other", "plural"}
    counted = {key: set(entry) for key, entry in entries.items() if isinstance(entry, dict)}
    wrong = [key for key, given in counted.items() if given - {"zero"} != forms - {"zero"}]
    assert wrong == [], f"give these in {language}.yaml the forms {sorted(forms)}"


@pytest.mark.parametrize("language", catalogues.languages())
def test_every_entry_says_something_of_its_own(language: str) -> None:
    """A sentence copied from English is no translation; names and bare values may be alike."""
    texts = {key: catalogues.texts(entry) for key, entry in catalogues.entries(language).items()}
    assert [key for key, said in texts.items() if not all(text.strip() for text in said)] == []
    if language != "en":
        english = catalogues.entries("en")
        words = re.compile(r"(\b[a-z]{3,}\b[^{}]*){3,}")
        alike = [key for key, said in texts.items() if english.get(key) == said[0] and words.search(said[0])]
        assert alike == [], f"say these in {language}.yaml in its own words"


@pytest.mark.parametrize("language", catalogues.languages())
def test_months_bend_twelvefold(language: str) -> None:
    bent = {key: text for key, text in catalogues.entries(language).items() if key.startswith("months.")}
    assert [key for key, text in bent.items() if len(text.split(", ")) != 12] == []


# -- headings ------------------------------------------------------------------------

#: Values about as long as they come; names are the client's own, and cut past 24 signs.
USUAL = {
    "value": 1234.5, "active": 12345, "top": "household", "bottom": "marketplace", "only": "too expensive",
    "by": "channel", "period": "2024-09-01", "cohort": "2024-09-01", "model": "pareto_nbd", "a": 41.2,
    "column": "channel", "theme": "Quality of the product", "customers": 12345,
}  # fmt: skip
LONGEST = 75


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_heading_is_one_short_clause(language: str) -> None:
    voice = Voice(language=language, currency="EUR")
    entries = catalogues.entries(language)
    keys = [key for key in entries if key.startswith("finding.")]
    assert len(keys) > 100
    for key in keys:
        quarters = {"top": "2024-09-01", "bottom": "2023-12-01"} if "waves" in key else {}
        share = {"value": 0.2345} if "value:share" in str(entries[key]) else {}
        days = {"value": 123} if "value:days" in str(entries[key]) else {}
        score = {"value": 41.2} if "value:nps" in str(entries[key]) else {}
        name = {"value": "marketplace"} if "value:text" in str(entries[key]) else {}
        said = voice.say(key, **USUAL | quarters | share | days | score | name)
        assert len(said) <= LONGEST, f"{key} has {len(said)} signs: {said}"
        assert not said.endswith("."), key


@pytest.mark.parametrize("language", catalogues.languages())
def test_a_heading_uses_values_that_its_sentence_has(language: str) -> None:
    entries = catalogues.entries(language)
    for key in entries:
        if key.startswith("finding."):
            sentence = entries[key.removeprefix("finding.")]  # each belongs to one
            extremes = {"top", "bottom", "only"} if catalogues.fields(sentence) & {"top", "only"} else set()
            assert catalogues.fields(entries[key]) <= catalogues.fields(sentence) | extremes, key


def test_a_heading_says_no_more_than_the_interval_lets_it() -> None:
    voice = Voice(language="en", currency="EUR")
    change = {"retention_rate": 0.3, "retained": 30, "customers": 100, "earlier_rate": 0.25,
              "earlier_retained": 25, "earlier_customers": 100, "difference": 0.05}  # fmt: skip
    unclear = voice.compare("retention.month_change", low=-0.07, high=0.17, **change)
    clear = voice.compare("retention.month_change", low=0.01, high=0.09, **change)
    assert unclear.heading == "No clear change between the newest and earlier cohorts"
    assert clear.heading == "The newest cohorts come back more than earlier ones"


def test_a_heading_names_the_cohort_whose_figure_it_tells() -> None:
    bounds = {"low": 110.0, "high": 120.0, "interval": "Student 95 %"}
    about = {"good": "up", "counts": {"customers": 9}, "definition": "revenue / customers"}
    worth = Headline("retention.worth_month_6", 115.0, "money", as_of="2024-07-01", **about, **bounds)
    told = Voice(language="en", currency="EUR").tell("retention.month_worth", worth, cohort="2023-12-01")
    assert told.heading == "Customers of December 2023: €115.00 each by month 6"


def test_a_long_name_is_cut_in_a_heading_and_whole_in_its_sentence() -> None:
    voice = Voice(language="en", currency="EUR")
    name = "a plan that has a rather long name"
    scores = pd.DataFrame({"plan": [name, "basic"], "nps": [50, 10], "low": [40, 5], "high": [60, 15]})
    told = voice.tell_extremes("nps.groups", scores, group="plan", value="nps", by="plan")
    assert told.heading == "By plan: a plan that has a rathe… recommends most, basic least"
    assert name in told
