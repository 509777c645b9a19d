"""The report before this one: found whatever lies about, and no change claimed but by the intervals."""

from dataclasses import replace

import pytest
from test_accounts import TOLD, written

from retention_kit import accounts, previous
from retention_kit.cards import Change
from retention_kit.headlines import Headline
from retention_kit.phrases import Phrase, words
from retention_kit.sentences import Voice, phrase

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


def test_what_earlier_reports_foretold_in_this_currency(tmp_path):
    def told(as_of, value, **changed):
        foretold = figure(
            value, 80, 120, name="clv.next_quarter", unit="money", foretells=(as_of, "2024-09-01"),
            interval="gamma", as_of=as_of,
        )  # fmt: skip
        plain = figure(0.3, name="churn.typical")
        account = TOLD | {"as_of": as_of, "currency": "EUR"} | changed
        figures = {"clv": [foretold.to_json()], "churn": [plain.to_json()]}
        written(tmp_path / as_of, account, figures)

    told("2024-06-01", 100.0)
    told("2024-03-01", 90.0)
    told("2024-05-01", 95.0, currency="PLN")
    told("2024-04-01", 93.0, status="failed")
    told("2024-07-01", 99.0)
    found = previous.forecasts(tmp_path, "2024-07-01", currency="EUR")
    assert [one["value"] for one in found] == [90.0, 100.0]
    assert found[1] == {
        "made": "2024-06-01", "since": "2024-06-01", "until": "2024-09-01", "name": "clv.next_quarter",
        "value": 100.0, "low": 80, "high": 120, "interval": "gamma",
    }  # fmt: skip
    assert previous.forecasts(tmp_path / "nobody", "2024-07-01", currency="EUR") == []


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


def test_a_definition_that_names_todays_fee_is_the_same_next_month():
    def worth(fee, rate=0.1):
        return phrase("definition.compare_contracts.fee", fee=fee, unit="month", discount_rate=rate)

    now = figure(374.0, 302.0, 465.0, unit="money", definition=worth(18.19))
    assert change(now, replace(now, value=360.0, definition=worth(17.5))).way == "up"
    assert change(now, replace(now, value=360.0, definition=worth(18.19, rate=0.2))).way == ""


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


# -- restated --------------------------------------------------------------------

RUN = TOLD | {
    "as_of": "2024-06-01",
    "currency": "EUR",
    "period": "month",
    "versions": {"retention-kit": "0.1.0", "numpy": "2.4.6"},
    "chapters": {"churn": {"parameters": {"client": "acme", "as_of": "2024-06-01", "by": "plan"}}},
    "rows": {"subscriptions": {"read": 20, "kept": 13, "at or after as_of": 7}},
    "amounts": {"subscriptions": {"kept": 100.0}},
    "reading": {"subscriptions": {"where": "paid", "columns": {}}},
}


def again(tmp_path, now, *, then=None, was=RUN, **account):
    """The previous report with one figure, and what its chapter says today."""
    then = then or figure(0.25, 0.2, 0.3)
    folder = written(tmp_path / "2024-06-01", was, {"churn": [then.to_json()]})
    found = previous.find(folder.parent, "2024-07-01")
    today = previous.Again({"churn": now}, RUN | account, {"churn": ["subscriptions"]})
    return previous.restated(found, today, voice=VOICE)


def test_figures_that_come_out_the_same_are_counted(tmp_path):
    # What a reader cannot see is no correction.
    found = again(tmp_path, [figure(0.25003, 0.2, 0.3), figure(name="churn.mrr", unit="money")])
    assert found == previous.Restated("The one figure of the report of 1 June 2024 comes out the same today.")


def test_a_figure_that_comes_out_otherwise_stands_as_it_was_and_as_it_is(tmp_path):
    found = again(tmp_path, [figure(0.24, 0.2, 0.3, counts={"churned": 31, "customers": 101})])
    assert found.told == (
        "One figure of the report of 1 June 2024 would come out otherwise today, of 1 compared."
    )
    [told] = found.corrections
    assert (told.label, told.then, told.now) == (
        "Customers lost in a typical period",
        "25.0% (between 20.0% and 30.0%; Lost\N{NO-BREAK SPACE}30 · Customers\N{NO-BREAK SPACE}100)",
        "24.0% (between 20.0% and 30.0%; Lost\N{NO-BREAK SPACE}31 · Customers\N{NO-BREAK SPACE}101)",
    )


UNKNOWN = VOICE.say("restated.why.unknown")


@pytest.mark.parametrize(
    ("account", "why"),
    [
        ({}, [UNKNOWN]),
        (
            {"rows": {"subscriptions": {"read": 30, "kept": 15, "at or after as_of": 15}}},
            ["Subscriptions: 13 rows counted then, 15 today."],
        ),
        # Rows set aside grow with every export: they are told of a month that the figure is not about.
        ({"rows": {"subscriptions": {"read": 30, "kept": 13, "no customer": 17}}}, [UNKNOWN]),
        (
            {"amounts": {"subscriptions": {"kept": 90.5}}},
            ["Subscriptions: the same number of rows, adding up to 100.00 then and to 90.50 today."],
        ),
        (
            {"reading": {"subscriptions": {"columns": {}}}},
            ["Subscriptions: the client file reads them otherwise (where)."],
        ),
        (
            {"chapters": {"churn": {"parameters": {"client": "acme", "as_of": "2024-06-01", "few": 3}}}},
            ["Option by: plan then, none now.", "Option few: none then, 3 now."],
        ),
        # Where today's data lie is no option that a reader knows of.
        (
            {"chapters": {"churn": {"parameters": {"by": "plan", "data_as_of": "2024-07-01"}}}},
            [UNKNOWN],
        ),
        ({"period": "week"}, ["Option period: month then, week now."]),
        (
            {"versions": {"retention-kit": "0.2.0", "numpy": "2.4.6"}},
            ["retention-kit: version 0.1.0 then, 0.2.0 now."],
        ),
    ],
)
def test_why_is_read_off_the_two_runs(tmp_path, account, why):
    [told] = again(tmp_path, [figure(0.24, 0.2, 0.3)], **account).corrections
    assert list(told.why) == why


def test_another_definition_is_why_and_a_figure_no_longer_told_is_said(tmp_path):
    [told] = again(tmp_path, [figure(0.24, 0.2, 0.3, definition="Lost / average.")]).corrections
    assert list(told.why) == ["It is defined otherwise now."]
    [told] = again(tmp_path, []).corrections
    assert (told.now, list(told.why)) == ("no longer told", [UNKNOWN])
    [told] = again(tmp_path, [figure(None, counts={})]).corrections
    assert told.now == "not known"


def test_money_stands_in_the_currency_it_was_printed_in(tmp_path):
    money = figure(90.0, name="churn.mrr", unit="money", counts={})
    [told] = again(tmp_path, [money], then=money, was=RUN | {"currency": "USD"}).corrections
    assert (told.then, told.now) == ("US$90.00", "€90.00")


def test_an_account_of_an_older_version_is_compared_as_far_as_it_goes(tmp_path):
    old = {key: RUN[key] for key in TOLD}
    [told] = again(tmp_path, [figure(0.24, 0.2, 0.3)], was=old | {"chapters": {"churn": {}}}).corrections
    assert list(told.why) == [UNKNOWN]


def test_what_could_not_be_run_again_is_said(tmp_path):
    written(tmp_path / "2024-06-01", RUN)
    found = previous.find(tmp_path, "2024-07-01")
    told = previous.restated(found, previous.Again(trouble="orders is empty."), voice=VOICE)
    assert told.told.endswith("is not known; it could not be run again.")
    assert told.corrections == ()
