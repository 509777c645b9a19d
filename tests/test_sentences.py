"""Values become words in the language's own way, once rounded; the interval decides what is claimed."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import catalogues
from retention_kit.exceptions import ReportError
from retention_kit.headlines import Headline
from retention_kit.phrases import Phrase, words
from retention_kit.sentences import MISSING, Voice, phrase


@pytest.fixture
def voice():
    return Voice(language="en", currency="EUR")


@pytest.fixture
def polish(monkeypatch, tmp_path):
    """A language with three plural forms and a decimal comma."""
    text = """
    locale: pl
    months:
      in: "w styczniu, w lutym, w marcu, w kwietniu, w maju, w czerwcu,
        w lipcu, w sierpniu, we wrześniu, w październiku, w listopadzie, w grudniu"
    unit:
      points: {plural: number, other: "{number} p.p."}
      days: {plural: number, one: "{number} dzień", other: "{number} dni"}
    klienci:
      {plural: n, one: "{n:count} klient", few: "{n:count} klienci", many: "{n:count} klientów", other: "?"}
    """
    path = tmp_path / "pl.yaml"
    path.write_text(text, encoding="utf-8")
    known = {"pl": catalogues.read(path), "en": catalogues.entries("en")}
    monkeypatch.setattr(catalogues, "entries", known.__getitem__)
    return Voice(language="pl", currency="PLN")


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.382134, "share", "38.2%"),
        (0.382134, "share.0", "38%"),
        (-0.0004, "share", "0.0%"),
        (1.05, "share", "105.0%"),
        (0.021, "points", "+2.1 percentage points"),
        (0.021, "points.short", "+2.1 pp"),
        (-0.021, "points", "−2.1 percentage points"),
        (-0.021, "gap", "2.1 percentage points"),
        (0.01, "gap.0", "1 percentage point"),
        (31.4, "nps", "+31"),
        (-31.4, "nps", "−31"),
        (-0.3, "nps", "0"),
        (4594146.32, "money", "€4,594,146"),
        (47.1, "money", "€47.10"),
        (-47.1, "money", "−\u2060€47.10"),
        (47.1, "money.0", "€47"),
        (18532, "count", "18,532"),
        (8 / 3, "ratio", "2.67"),
        (2.5, "number", "2.5"),
        (2.0, "number", "2"),
        (12345.678, "number", "12,346"),
        (1, "days", "1 day"),
        (1.5, "days", "1.5 days"),
        (45.2, "days", "45 days"),
        ("2024-07-01", "date", "1 July 2024"),
        (pd.Timestamp("2024-07-01"), "month", "July 2024"),
        ("2024-07-01", "quarter", "Q3 2024"),
        ("2024-07-01", "year", "2024"),
        ("2024-07-01", "week", "1 Jul 2024"),
        ("<b>", "text", "<b>"),
        (float("inf"), "ratio", "∞"),
        (float("nan"), "share", MISSING),
        (None, "money", MISSING),
        (pd.NaT, "month", MISSING),
        (pd.NA, "count", MISSING),
    ],
)
def test_format_in_british_english(voice, value, unit, shown):
    assert voice.format(value, unit) == shown


def test_a_territory_changes_only_the_looks():
    american = Voice(language="en_US", currency="USD")
    assert american.format("2024-07-01", "date") == "July 1, 2024"
    assert american.format(1234.5, "money") == "$1,234"
    assert american.say("page.summary") == Voice().say("page.summary")


def test_another_language_has_its_own_plurals_and_comma(polish):
    said = [polish.say("klienci", n=n) for n in (1, 2, 5, 22, 1500)]
    assert said == ["1 klient", "2 klienci", "5 klientów", "22 klienci", "1\xa0500 klientów"]
    assert polish.format(0.382, "share") == "38,2%"
    assert polish.format(-1234567.5, "money") == "−1\xa0234\xa0568\xa0zł"


@given(share=st.floats(0, 1), digits=st.integers(0, 3))
def test_a_share_is_rounded_once_from_the_exact_value(share, digits):
    shown = Voice().format(share, f"share.{digits}")
    assert abs(float(shown.rstrip("%")) / 100 - share) <= 0.5 * 10.0 ** -(digits + 2) + 1e-12


def test_say_fills_a_sentence(voice):
    said = voice.say("churn.yearly", yearly=1 - 0.95**12, low=0.4, high=0.52, rate=0.05)
    assert said.startswith(
        "At the rate of a typical period, 46.0% of today's customers would be gone in a year (40.0% to 52.0%)"
    )


COUNTS = {"retention_rate": 0.33, "retained": 33, "customers": 100}
COUNTS |= {"earlier_rate": 0.3, "earlier_retained": 60, "earlier_customers": 200}


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        (
            {"difference": 0.03, "low": 0.01, "high": 0.05},
            "The newest cohorts come back more than earlier ones: 33.0% after one month (33 of 100) against "
            "30.0% (60 of 200), a difference of +3.0 percentage points (+1.0 to "
            "+5.0 percentage points).",
        ),
        (
            {"difference": -0.03, "low": -0.05, "high": -0.01},
            "The newest cohorts come back less than earlier ones: 33.0% after one month (33 of 100) against "
            "30.0% (60 of 200), a difference of −3.0 percentage points (−5.0 to "
            "−1.0 percentage points).",
        ),
        (
            {"difference": 0.03, "low": -0.01, "high": 0.07},
            "Whether the newest cohorts come back more or less than earlier ones cannot be told: 33.0% after "
            "one month (33 of 100) against 30.0% (60 of 200), a difference between −1.0 "
            "and +7.0 percentage points.",
        ),
    ],
)
def test_compare_reads_the_interval_first(voice, bounds, said):
    assert voice.compare("retention.month_change", **bounds, **COUNTS) == said


@pytest.mark.parametrize(
    ("low", "high", "said", "heading"),
    [
        (
            0.66,
            0.76,
            "Of the revenue recurring on 1 June 2023, 71.0% recurred",
            "The same customers pay 71.0%",
        ),
        (
            1.02,
            1.20,
            "Of the revenue recurring on 1 June 2023, 71.0% recurred",
            "The same customers pay 71.0%",
        ),
        (0.27, 1.13, "Whether the same customers pay more or less", "No clear change in what the same"),
        (1.00, 1.20, "Whether the same customers pay more or less", "No clear change in what the same"),
        (
            None,
            None,
            "Of the revenue recurring on 1 June 2023, 71.0% recurred",
            "The same customers pay 71.0%",
        ),
    ],
)
def test_a_ratio_to_what_was_before_is_a_change_only_where_its_interval_is(voice, low, high, said, heading):
    method = None if low is None else "linearised by customer 95 %"
    kept = Headline(
        "churn.net_revenue_retention", 0.71, "share", "up", {"customers": 12}, "How.", "2024-07-01",
        low=low, high=high, interval=method,
    )  # fmt: skip
    told = voice.tell("churn.net", kept, against=1, start="2023-06-01")
    assert told.startswith(said)
    assert told.heading.startswith(heading)


def test_nothing_may_have_words_of_its_own(voice):
    rest = {"all_comments": 474, "comment_share": 0.0}
    assert voice.say("nps.uncoded", comments=0, **rest) == (
        "The codeframe finds a theme in each of the 474 comments."
    )
    assert voice.say("nps.uncoded", comments=2, **rest).startswith("In 2 of 474 comments")
    late = voice.say("retention.overdue", customers=0, left_out=3)
    assert late.heading == "No customer to call is late by their own rhythm"
    assert late == "No customer who may be contacted is late by their own rhythm (late without consent: 3)."


def test_compare_claims_nothing_when_the_interval_touches_zero(voice):
    said = voice.compare("retention.month_change", difference=0.02, low=0.0, high=0.04, **COUNTS)
    assert said.startswith("Whether")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda v: v.say("page.sumary"),
            "The en catalogue has no sentence 'page.sumary'. Did you mean 'page.summary'?",
        ),
        (
            lambda v: v.label("retention.month_2"),
            "The en catalogue has no sentence 'headline.retention.month_2'."
            " Did you mean 'headline.retention.month_6'?",
        ),
        (
            lambda v: v.say("exhibit.part_of", part=1, hole=2),
            "Sentence 'exhibit.part_of' needs 'whole'; it was given ['hole', 'part']. Did you mean 'hole'?",
        ),
        (
            lambda v: v.say("exhibit.part_of", part=1, whole=float("nan")),
            "Sentence 'exhibit.part_of': 'whole' is missing.",
        ),
        (
            lambda v: v.compare("retention.month_change", difference=0.1, low=None, high=0.2),
            "Sentence 'retention.month_change' compares, and low is missing.",
        ),
        (
            lambda v: v.compare("retention.month_change", difference=0.1, low=0.3, high=0.2),
            "Sentence 'retention.month_change': low 0.3 is above high 0.2.",
        ),
        (lambda v: v.format("soon", "date"), "'soon' is not a date like 2024-07-01."),
        (
            lambda v: Voice(currency="EURO"),
            "There is no currency 'EURO'. Did you mean 'EUR'? Give an ISO code such as EUR.",
        ),
        (
            lambda v: Voice(language="xx"),
            f"There is no catalogue for language 'xx'. There is {catalogues.languages()}.",
        ),
    ],
)
def test_errors_name_the_sentence(voice, call, message):
    with pytest.raises(ReportError) as error:
        call(voice)
    assert str(error.value) == message


def test_an_unknown_unit_is_refused(voice):
    with pytest.raises(ReportError, match=r"There is no unit 'shares'\. Did you mean 'share'\?"):
        voice.format(1, "shares")


def test_values_cannot_reach_into_the_sentence(voice):
    assert voice.say("page.used_in", chapters="{rate} {0.__class__}") == "Used in: {rate} {0.__class__}"


def test_names_from_data_need_no_entry(voice):
    assert voice.word("column", "retention_rate") == "Retention rate"
    assert voice.word("column", "home_country") == "Home country"
    assert voice.word("column", "ACME <b>") == "ACME <b>"


def test_columns_are_words_for_plots(voice):
    assert voice.columns["nps"] == "NPS"


def test_tell_names_the_bounds_or_says_that_there_are_none(voice):
    told = {"unit": "share", "good": "up", "definition": "kept / all", "as_of": "2024-07-01"}
    sure = Headline(
        "retention.month_1", 0.25, counts={"n": 4}, low=0.1, high=0.4, interval="Wilson 95 %", **told
    )
    bare, unknown = Headline("a.b", 0.25, counts={"n": 4}, **told), Headline("a.b", None, counts={}, **told)
    said = "25.0% of new customers came back in the month after their first order"
    assert voice.tell("retention.month_back", sure) == f"{said} (10.0% to 40.0%)."
    assert voice.tell("retention.month_back", bare) == f"{said} (no interval: too few, or all alike)."
    one = Headline("a.b", 0.25, counts={"customers": 1}, **told)
    assert voice.tell("retention.month_back", one) == f"{said} (too few to give an interval)."
    assert voice.tell("retention.month_back", unknown).endswith("cannot be told yet.")


@pytest.mark.parametrize(("low", "said"), [(0.3, "their intervals do not meet"), (0.1, "overlap")])
def test_extremes_are_told_apart_only_where_their_intervals_do_not_meet(voice, low, said):
    groups = pd.DataFrame({"plan": ["a", "b"], "rate": [0.1, 0.4], "low": [0.05, low], "high": [0.2, 0.5]})
    told = voice.tell_extremes("churn.month_groups", groups, group="plan", value="rate", by="plan")
    assert said in told
    assert "b loses most (40.0% a month) and a least" in told or "no group clearly loses more" in told


def test_one_group_is_not_compared_nor_with_the_nameless(voice):
    one = pd.DataFrame({"plan": ["a", None], "rate": [0.1, 0.9], "low": [0.05, 0.8], "high": [0.2, 1.0]})
    told = voice.tell_extremes("churn.month_groups", one, group="plan", value="rate", by="plan")
    assert told == "By plan there is only one group, so nothing can be compared."


def test_a_change_without_two_sides_is_unknown(voice):
    none = pd.DataFrame(columns=["difference", "low", "high"])
    told = voice.tell_change("retention.month_change", none)
    assert told == "There are too few cohorts to say whether retention has changed."


def test_a_phrase_is_english_and_can_be_said_again(polish):
    told = phrase("unit.days", number=2)
    assert told == "2 days"
    assert polish.said(told) == "2 dni"
    assert polish.said(told).words == told.words == {"say": "unit.days", "number": 2}
    assert type(polish.said("kept / customers")) is str


def test_what_stands_in_a_phrase_is_said_in_its_language():
    whole = phrase("exhibit.range", low=phrase("unit.days", number=1), high=phrase("unit.days", number=3))
    assert whole == "1 day to 3 days"
    assert whole.words["low"] == {"say": "unit.days", "number": 1}


def test_a_phrase_of_another_version_keeps_its_text(voice):
    old = Phrase("Powracający klienci.", words("definition.gone"))
    assert voice.said(old) is old
    with pytest.raises(ReportError, match=r"The en catalogue has no sentence 'definition\.gone'"):
        voice.said(words("definition.gone"))


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (["country", "home_country"], "column", "country, home_country"),
        ("nps", "column", "NPS"),
        ("retention_rate", "word.column", "Retention rate"),
        ("ACME <b>", "column", "ACME <b>"),
        ("no date", "word.rule", "No date"),
        ("Wilson 95 %", "word.interval", "Wilson, 95%"),
        ("month", "unit", "month"),
        ("month", "unit.many", "months"),
        (0.125, "exact", "0.125"),
        (["a", "b"], "text", "a; b"),
        ("2024-07-01", "moment", "1 July 2024"),
        (pd.Timestamp("2024-07-01 08:30"), "moment", "1 July 2024, 08:30"),
        (pd.Timestamp("2024-07-01 08:30"), "date", "1 July 2024"),
    ],
)
def test_names_of_ours_and_moments(voice, value, unit, shown):
    assert voice.format(value, unit) == shown


def test_months_bend_where_a_language_bends_them(polish):
    said = [polish.format(month, "month.in") for month in ("2024-01-01", "2024-09-01")]
    assert said == ["w styczniu 2024", "we wrześniu 2024"]
    assert polish.format("2024-01-01", "month") == "styczeń 2024"
