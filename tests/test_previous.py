"""The report before this one: found whatever lies about, and no change claimed but by the intervals."""

from dataclasses import replace

import pytest
from test_accounts import TOLD, written

from retention_kit import accounts, previous
from retention_kit.cards import Change
from retention_kit.headlines import Headline
from retention_kit.phrases import Phrase, words
from retention_kit.sentences import Voice

VOICE = Voice(language="en", currency="EUR")
SINCE = "since 1 June 2024"


def figure(value=0.30, low=None, high=None, *, name="churn.typical", unit="share", good="down", **changed):
    told = {"counts": {"churned": 30, "customers": 100}, "definition": "Lost / start.", "as_of": "2024-07-01"}
    sure = {"low": low, "high": high, "interval": "Wilson 95 %"} if low is not None else {}
    return Headline(name, value, unit=unit, good=good, **(told | sure | changed))


def before(*figures, **told):
    account = accounts.Account("folder", TOLD | {"as_of": "2024-06-01", "currency": "EUR"} | told)
    return previous.Previous(account, {each.name: each for each in figures})


def change(now, then, **told):
    return previous.changes([now], before(*filter(None, [then]), **told), voice=VOICE)[now.name]


# -- found -----------------------------------------------------------------------


def test_the_newest_earlier_report_that_went_well(tmp_path):
    for as_of in ("2023-12-01", "2024-05-01", "2024-06-01", "2024-07-01", "2024-08-01"):
        written(tmp_path / as_of, TOLD | {"as_of": as_of})
    written(tmp_path / "2024-06-15-failed", TOLD | {"as_of": "2024-06-15", "status": "failed"})
    written(tmp_path / ".2024-06-20-ab12", TOLD | {"as_of": "2024-06-20"})
    (tmp_path / "2024-06-25").mkdir()
    written(tmp_path / "2024-06-26", TOLD | {"as_of": "2024-06-26"}, {"nps": 3})
    (tmp_path / "2024-06-27").write_text("no folder", encoding="utf-8")
    found = previous.find(tmp_path, "2024-07-01")
    assert (found.as_of, list(found.figures)) == ("2024-06-01", ["nps.nps"])
    assert previous.find(tmp_path, "2024-07-01T12:00").as_of == "2024-07-01"
    assert previous.find(tmp_path, "2023-12-01") is None
    assert previous.find(tmp_path / "nobody", "2024-07-01") is None


# -- changed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "then", "told"),
    [
        (
            figure(0.30, 0.29, 0.31),
            figure(0.25, 0.24, 0.26),
            Change(f"+5.0 percentage points {SINCE}: worse", "up", "worse"),
        ),
        (
            figure(0.25, 0.24, 0.26),
            figure(0.30, 0.29, 0.31),
            Change(f"−5.0 percentage points {SINCE}: better", "down", "better"),
        ),
        (
            figure(0.30, 0.29, 0.31, good="up"),
            figure(0.25, 0.24, 0.26, good="up"),
            Change(f"+5.0 percentage points {SINCE}: better", "up", "better"),
        ),
        (
            figure(0.30, 0.29, 0.31, good="neither"),
            figure(0.25, 0.24, 0.26, good="neither"),
            Change(f"+5.0 percentage points {SINCE}: higher", "up"),
        ),
        (
            figure(0.25, 0.24, 0.26, good="neither"),
            figure(0.30, 0.29, 0.31, good="neither"),
            Change(f"−5.0 percentage points {SINCE}: lower", "down"),
        ),
        (
            figure(0.30, 0.25, 0.35),
            figure(0.28, 0.23, 0.33),
            Change(f"+2.0 percentage points {SINCE}, within what chance explains", "up"),
        ),
        (figure(0.30), figure(0.25, 0.24, 0.26), Change(f"+5.0 percentage points {SINCE}", "up")),
        (figure(0.30, 0.29, 0.31), figure(0.25), Change(f"+5.0 percentage points {SINCE}", "up")),
        (figure(0.3, 0.2, 0.4), figure(0.30004, 0.2, 0.4), Change("As on 1 June 2024", "level")),
        (
            figure(12_000.0, unit="money"),
            figure(10_500.0, unit="money"),
            Change(f"+€1,500 {SINCE}", "up"),
        ),
        (figure(9.5, unit="money"), figure(10.0, unit="money"), Change(f"−€0.50 {SINCE}", "down")),
        (figure(-4.0, unit="nps"), figure(3.0, unit="nps"), Change(f"−7 {SINCE}", "down")),
        (figure(-0.2, unit="nps"), figure(0.2, unit="nps"), Change("As on 1 June 2024", "level")),
        (figure(2.5, unit="ratio"), figure(2.25, unit="ratio"), Change(f"+0.25 {SINCE}", "up")),
        (figure(31, unit="days"), figure(30, unit="days"), Change(f"+1 day {SINCE}", "up")),
        (
            figure(0.01, unit="points"),
            figure(0.03, unit="points"),
            Change(f"−2.0 percentage points {SINCE}", "down"),
        ),
        (figure(0.30), None, Change("Not in the report of 1 June 2024")),
        (
            figure(0.30),
            figure(None, counts={}),
            Change("Could not be told in the report of 1 June 2024"),
        ),
        (
            figure(0.30),
            figure(0.25, definition="Lost / average."),
            Change("The report of 1 June 2024 defined this figure otherwise, so no change is told"),
        ),
        (
            figure(0.30),
            figure(25.0, unit="nps"),
            Change("The report of 1 June 2024 defined this figure otherwise, so no change is told"),
        ),
    ],
)
def test_a_change_is_told_as_far_as_the_intervals_allow(now, then, told):
    assert change(now, then) == told


def test_money_of_another_currency_is_not_compared():
    money = figure(10.0, unit="money")
    assert change(money, replace(money, value=9.0), currency="USD") == Change(
        "The report of 1 June 2024 was in another currency, so no change is told"
    )
    assert change(figure(0.3), figure(0.25), currency="USD").way == "up"


def test_a_definition_that_names_its_date_is_the_same_next_month():
    now = figure(0.3, definition="Those who paid on 1 July 2024 (2024-07-01), a year later.")
    then = replace(now, value=0.2, definition="Those who paid on 1 June 2024 (2024-06-01), a year later.")
    assert change(now, then).way == "up"
    assert change(now, replace(then, definition=then.definition.replace("a year", "2 years"))).way == ""


def test_a_definition_is_the_same_in_another_language():
    def said(text, start, years=1):
        return Phrase(text, words("churn.kept", start=start, over=words("unit.years", number=years)))

    now = figure(0.3, definition=said("Those of 1 July, a year later.", "2024-07-01"))
    then = replace(now, value=0.2, definition=said("Ci z 1 czerwca, rok później.", "2024-06-01"))
    assert change(now, then).way == "up"
    assert change(now, replace(then, definition=said("Ci, dwa lata później.", "2024-06-01", 2))).way == ""


def test_what_is_not_known_now_has_not_changed():
    assert previous.changes([figure(None, counts={})], before(figure(0.3)), voice=VOICE) == {}


def test_the_chance_of_separate_groups_decides():
    # Each interval alone leaves the other's value out, and yet together they hold no change.
    now, then = figure(0.30, 0.27, 0.33), figure(0.265, 0.235, 0.295)
    assert change(now, then).text.endswith("within what chance explains")
    assert change(replace(now, low=0.29, high=0.31), replace(then, low=0.255, high=0.275)).tone == "worse"
