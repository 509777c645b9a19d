"""How ages are counted: lengths and edges by hand, and every combination against plain sets and loops."""

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterator

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import datasets, lengths, periods, retention, session, tables, windows
from retention_kit.exceptions import DataError
from retention_kit.windows import Windows

AS_OF = datasets.TINY_AS_OF
FIRST = dt.datetime(2023, 11, 20)


def believed(frame: pd.DataFrame, end: dt.datetime) -> tables.Loaded:
    """How far rows can be believed is tested with moments; here they are all believed up to `as_of`."""
    session.connection()
    seen = ibis.memtable(frame[frame["occurred_at"] < end].astype({"occurred_at": "datetime64[us]"}))
    return tables.Loaded("events", seen, end, end, pd.DataFrame({"rule": ["read", "kept"], "rows": 0}))


def rows_of(*rows: tuple, columns: str = "customer_id occurred_at") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


def asked(question) -> str:
    with pytest.raises(DataError) as error:
        question()
    return str(error.value)


def counted(frame: pd.DataFrame, as_of: str, **how) -> list[tuple]:
    """Day or month of the cohort, age, customers, retained."""
    rates = retention.retention_rates(frame, as_of=as_of, **how)
    unit = "month" if how.get("period", "month") == "month" else "day"
    return [(getattr(row.cohort, unit), row.age, row.customers, row.retained) for row in rates.itertuples()]


# -- windows of one length, by hand -------------------------------------------

tiny = datasets.tiny_orders


def test_windows_of_30_days_of_the_tiny_shop_by_hand() -> None:
    # January ends 90 days before as_of, February 61, March 30, April 0. ana comes back after 35 and 88 days,
    # cleo after 89.99, eva after 34.
    assert counted(tiny(), AS_OF, window="elapsed") == [
        *[(1, 0, 2, 2), (1, 1, 2, 1), (1, 2, 2, 1)],
        *[(2, 0, 2, 2), (2, 1, 2, 0)],
        (3, 0, 1, 1),
    ]


def test_only_the_eligible_of_the_tiny_shop_by_hand() -> None:
    # Of February cleo has been seen for 90 days, dan for 61; eva for 53 and finn for 15.
    assert counted(tiny(), AS_OF, window="elapsed", denominator="eligible") == [
        *[(1, 0, 2, 2), (1, 1, 2, 1), (1, 2, 2, 1)],
        *[(2, 0, 2, 2), (2, 1, 2, 0), (2, 2, 1, 1)],
        (3, 0, 1, 1),
    ]


def test_who_is_not_eligible_is_in_neither_count() -> None:
    # b comes back on day 31 and has been seen for 32 days only.
    rows = [("a", "2024-01-01"), ("b", "2024-01-30"), ("b", "2024-03-01"), ("c", "2024-03-02")]
    assert counted(rows_of(*rows), "2024-03-02T12:00", window="elapsed", denominator="eligible") == [
        *[(1, 0, 2, 2), (1, 1, 1, 0)],
    ]


@pytest.mark.parametrize(
    ("window", "returns", "age"),
    [
        ("elapsed", "2024-01-06 21:59:59.999999", 0),
        ("elapsed", "2024-01-06 22:00:00.000000", 0),
        ("elapsed", "2024-01-06 22:00:00.000001", 1),
        ("elapsed", "2024-01-07 22:00:00.000001", 2),
        ("elapsed_days", "2024-01-05 23:59:59", 0),
        ("elapsed_days", "2024-01-06 00:00:00", 1),
        ("elapsed_days", "2024-01-07 23:59:59", 2),
        ("calendar", "2024-01-06 00:00:00", 1),
    ],
)
def test_a_day_is_24_hours_to_the_microsecond_or_a_date(window: str, returns: str, age: int) -> None:
    rows = rows_of(("a", "2024-01-05 22:00:00.000001"), ("a", returns), ("b", "2024-01-09"))
    found = counted(rows, "2024-01-12", period="day", window=window, age_zero="return")
    assert [row[1] for row in found if row[0] == 5 and row[3]] == [age]


@pytest.mark.parametrize(
    ("period", "days"),
    [("day", 1), ("week", 7), ("week_sunday", 7), ("month", 30), ("quarter", 91), ("year", 365)],
)
@pytest.mark.parametrize("window", ["elapsed", "elapsed_days"])
def test_the_length_of_a_window(period: lengths.Period, days: int, window: str) -> None:
    born = dt.datetime(2020, 1, 1)
    for shift, age in ((-1, 0), (0, 1)):
        back = born + dt.timedelta(days=days + shift)
        frame = rows_of(("a", born), ("a", back), ("b", dt.datetime(2024, 6, 1)))
        rates = retention.retention_rates(frame, as_of="2024-07-01", period=period, window=window)
        oldest = rates[rates["cohort"] == rates["cohort"].min()]
        assert oldest.loc[oldest["retained"] > 0, "age"].max() == age


def test_a_window_is_over_when_it_is_for_the_last_customer_a_cohort_can_have() -> None:
    cohorts = pd.Series([periods.index_of(dt.date(2024, month, 1), "month") for month in (1, 2, 3, 4, 5)])
    frame = rows_of(("a", pd.Timestamp("2024-01-05")))

    def ended(as_of: str, window: str) -> list[int]:
        how = Windows("month", window=window)
        return windows.ended(cohorts, believed(frame, pd.Timestamp(as_of).to_pydatetime()), how).tolist()

    # The last customer of January is born just before 1 February, 90 days before 1 May; by dates, on 31
    # January, whose third window of 30 days is over a day sooner.
    assert ended("2024-05-01", "calendar") == [4, 3, 2, 1, 0]
    assert ended("2024-05-01", "elapsed") == [3, 2, 1, 0, -2]
    assert ended("2024-04-30T23:59", "elapsed") == [2, 2, 0, -1, -2]
    assert ended("2024-04-30T23:59", "elapsed_days") == [3, 2, 1, 0, -2]
    assert ended("2024-04-29T23:59", "elapsed_days") == [2, 2, 0, -1, -2]


def test_days_by_date_are_calendar_days() -> None:
    for denominator in ("cohort", "eligible"):
        how = {"as_of": AS_OF, "period": "day", "denominator": denominator}
        by_date = retention.retention_rates(tiny(), window="elapsed_days", **how)
        pd.testing.assert_frame_equal(by_date, retention.retention_rates(tiny(), **how))


def test_the_cohort_stays_a_calendar_period_and_a_group_that_of_the_first_row() -> None:
    # ana comes back from Germany, and stays an Austrian customer however ages are counted.
    for window, denominator in itertools.product(["elapsed", "elapsed_days"], ["cohort", "eligible"]):
        rates = retention.retention_rates(
            tiny(), as_of=AS_OF, window=window, denominator=denominator, by="country"
        )
        january = rates[rates["cohort"] == "2024-01-01"]
        assert january[["country", "age", "retained"]].to_numpy().tolist() == [
            *[["Austria", 0, 1], ["Austria", 1, 1], ["Austria", 2, 1]],
            *[["Germany", 0, 1], ["Germany", 1, 0], ["Germany", 2, 0]],
        ]


@pytest.mark.parametrize("column", ["times", "amount", "period_index", "cohort_index"])
def test_a_group_may_be_called_what_is_counted_on_the_way(column: str) -> None:
    codes = tiny()["country"].map({"Austria": 1.0, "Germany": 2.0, "Netherlands": 3.0})
    for window in ("calendar", "elapsed"):
        how = {"as_of": AS_OF, "window": window}
        found = retention.retention_rates(tiny().assign(**{column: codes}), by=column, **how)
        expected = retention.retention_rates(tiny().assign(code=codes), by="code", **how)
        pd.testing.assert_frame_equal(found, expected.rename(columns={"code": column}))


# -- a pair of events, by hand ------------------------------------------------

PLAYED = [
    ("a", "2024-01-05", "played"),  # before signing up: no return, and no birth
    ("a", "2024-01-10", "signed_up"),
    ("a", "2024-02-01", "played"),
    ("b", "2024-01-15", "signed_up"),
    ("b", "2024-01-15", "played"),  # at the moment of birth, which is at or after it
    ("b", "2024-03-15", "signed_up"),  # a second one makes no new customer
    ("c", "2024-02-10", "played"),  # never signed up: no customer
    ("d", "2024-02-20", "signed_up"),
    ("d", "2024-02-25", "closed"),
]
EVENTS = rows_of(*PLAYED, columns="customer_id occurred_at event")


def pairs(**how) -> list[tuple]:
    return counted(EVENTS, "2024-04-01", **how)


def test_one_event_makes_a_customer_and_another_is_a_return() -> None:
    january, february = [(1, 1, 2, 1), (1, 2, 2, 0)], [(2, 1, 1, 0)]
    born = [(1, 0, 2, 2), *january, (2, 0, 1, 1), *february]
    assert pairs(events=("signed_up", "played")) == born
    # At age 0 only b played.
    again = [(1, 0, 2, 1), *january, (2, 0, 1, 0), *february]
    assert pairs(events=("signed_up", "played"), age_zero="return") == again
    assert pairs(events=("signed_up", "played"), counting="on_or_after", age_zero="return") == [
        *[(1, 0, 2, 2), (1, 1, 2, 1), (1, 2, 2, 0)],
        *[(2, 0, 1, 0), (2, 1, 1, 0)],
    ]


def test_an_event_can_be_its_own_return() -> None:
    assert pairs(events=("signed_up", "signed_up")) == [
        *[(1, 0, 2, 2), (1, 1, 2, 0), (1, 2, 2, 1)],
        *[(2, 0, 1, 1), (2, 1, 1, 0)],
    ]
    assert pairs(events=("closed", "closed"), age_zero="return") == [(2, 0, 1, 0), (2, 1, 1, 0)]


def test_without_a_pair_every_event_is_activity() -> None:
    assert pairs() == [
        *[(1, 0, 2, 2), (1, 1, 2, 1), (1, 2, 2, 1)],
        *[(2, 0, 2, 2), (2, 1, 2, 0)],
    ]


def test_groups_of_a_pair_are_those_of_the_event_that_made_the_customer() -> None:
    place = ["AT", "PL", "AT", "CZ", "AA", "CZ", "DE", None, "DE"]
    rates = retention.retention_rates(
        EVENTS.assign(place=place), as_of="2024-04-01", by="place", events=("signed_up", "played")
    )
    sizes = rates[rates["age"] == 0]
    assert sizes["place"].tolist()[:2] == ["CZ", "PL"]
    assert sizes["place"].isna().tolist() == [False, False, True]
    assert sizes["customers"].tolist() == [1, 1, 1]
    assert rates.loc[rates["place"] == "PL", "retained"].tolist() == [1, 1, 0]


def test_a_pair_of_events_in_orders_and_numbers_for_events() -> None:
    orders = EVENTS.rename(columns={"occurred_at": "ordered_at"})
    numbers = EVENTS.assign(event=EVENTS["event"].map({"played": 2, "signed_up": 1, "closed": 3}))
    known = pairs(events=("signed_up", "played"))
    assert counted(orders, "2024-04-01", events=("signed_up", "played")) == known
    assert counted(numbers, "2024-04-01", events=(1, 2)) == known


# -- messages -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"counting": "on_and_after"},
            "counting 'on_and_after' is not known. Did you mean 'on_or_after'? Choose one of ['on', "
            "'on_or_after']. Or write brackets as pairs of whole ages from 0, first and last, such as "
            "[(1, 3), (4, 6)].",
        ),
        (
            {"window": "rolling"},
            "window 'rolling' is not known. Choose one of ['calendar', 'elapsed', 'elapsed_days'].",
        ),
        (
            {"denominator": "eligble"},
            "denominator 'eligble' is not known. Did you mean 'eligible'? "
            "Choose one of ['cohort', 'eligible'].",
        ),
        (
            {"age_zero": "returns"},
            "age_zero 'returns' is not known. Did you mean 'return'? Choose one of ['birth', 'return'].",
        ),
        (
            {"period": "months"},
            "period 'months' is not known. Did you mean 'month'? Choose one of ['day', 'week', "
            "'week_saturday', 'week_sunday', 'month', 'quarter', 'year'].",
        ),
        ({"counting": [(1, 3), (6, 4)]}, "counting has the bracket (6, 4), which ends before it begins."),
        (
            {"counting": [(3, 6), (1, 3)]},
            "counting has brackets that overlap: (1, 3) and (3, 6). Each age belongs to one at most.",
        ),
    ],
)
def test_an_unknown_option(how: dict, message: str) -> None:
    assert asked(lambda: retention.retention_rates(tiny(), as_of=AS_OF, **how)) == message


@pytest.mark.parametrize("brackets", [[], 3, None, [1, 3], [(1, 2, 3)], [(1.5, 3)], [(-1, 2)], [("1", "3")]])
def test_brackets_that_are_none(brackets: object) -> None:
    assert asked(lambda: Windows("month", counting=brackets)) == (
        f"counting {brackets!r} is not known: write brackets as pairs of whole ages from 0, first and last, "
        "such as [(1, 3), (4, 6)], or 'on', or 'on_or_after'."
    )


@pytest.mark.parametrize("events", ["signed_up", ("signed_up",), ("a", "b", "c"), 3])
def test_events_that_are_no_pair(events: object) -> None:
    assert asked(lambda: pairs(events=events)) == (
        f"events {events!r} is no pair. Name the event that makes a customer and the one that counts as a "
        "return, such as events=('signed_up', 'played')."
    )


def test_an_event_that_is_in_no_row() -> None:
    assert asked(lambda: pairs(events=("signed_up", "player"))) == (
        "event 'player' is in no row. Did you mean 'played'? There are ['closed', 'played', 'signed_up']."
    )
    many = EVENTS.assign(event=[f"e{n}" for n in range(9)])
    many = pd.concat([many, many.assign(event=[f"f{n}" for n in range(9)])])
    assert asked(lambda: counted(many, "2024-04-01", events=("zzz", "e1"))) == (
        "event 'zzz' is in no row. There are ['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8', 'f0', "
        "'f1', 'f2'] and 6 more."
    )


def test_a_pair_of_events_needs_the_column() -> None:
    message = asked(lambda: counted(EVENTS[["customer_id", "occurred_at"]], "2024-04-01", events=("a", "b")))
    assert message == (
        "events is missing ['event']. It has ['customer_id', 'occurred_at']. "
        "Map your names onto ours with columns={'event': 'your_name'}."
    )


# -- against sets and loops ---------------------------------------------------


def age_of(moment: dt.datetime, born: dt.datetime, how: Windows) -> int:
    length = dt.timedelta(days={"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}[unit_of(how)])
    if how.window == "calendar":
        return periods.index_of(moment, how.period) - periods.index_of(born, how.period)
    if how.window == "elapsed":
        return (moment - born) // length
    return dt.timedelta(days=(moment.date() - born.date()).days) // length


def unit_of(how: Windows) -> str:
    return "week" if how.period.startswith("week") else how.period


def is_over(age: int, born: dt.datetime, end: dt.datetime, how: Windows) -> bool:
    """Whether nothing that happens from `end` on could fall into that age of who was born then."""
    return age_of(end, born, how) > age


def looped(rows: list[tuple], end: dt.datetime, how: Windows, events: tuple | None) -> dict[tuple, tuple]:
    """(cohort, group, age, last age) -> (customers, retained), from nothing but loops."""
    of_customer = defaultdict(list)
    for who, moment, event, group in rows:
        if moment < end:
            of_customer[who].append((moment, event, group))
    cohorts = defaultdict(list)
    for history in of_customer.values():
        firsts = [row for row in history if events is None or row[1] == events[0]]
        if not firsts:
            continue
        born = min(moment for moment, *_ in firsts)
        groups = [group for moment, _, group in firsts if moment == born and group is not None]
        backs = [m for m, event, _ in history if m >= born and (events is None or event == events[1])]
        if events is None or events[0] == events[1]:
            backs.remove(born)
        ages = {age_of(moment, born, how) for moment in backs}
        ages |= {0} if how.age_zero == "birth" else set()
        key = (periods.index_of(born, how.period), min(groups, default=None))
        cohorts[key].append((born, ages))
    found = {}
    for (cohort, group), members in cohorts.items():
        last_born = periods.start_of(cohort + 1, how.period).to_pydatetime() - dt.timedelta(microseconds=1)
        for first, last in slots_of(how):
            judged = [
                ages
                for born, ages in members
                if is_over(last, born if how.denominator == "eligible" else last_born, end, how)
            ]
            if judged:
                back = sum(any(counts(age, first, last, how) for age in ages) for ages in judged)
                found[cohort, group, first, last] = (len(judged), back)
    return found


def counts(age: int, first: int, last: int, how: Windows) -> bool:
    return age >= first if how.counting == "on_or_after" else first <= age <= last


def slots_of(how: Windows) -> Iterator[tuple[int, int]]:
    return iter(how.brackets) if how.brackets else ((age, age) for age in range(140))


def tidy(rates: pd.DataFrame, period: lengths.Period) -> dict[tuple, tuple]:
    rates = rates if "last_age" in rates else rates.assign(last_age=rates["age"])
    groups = rates["group"].astype(object).where(rates["group"].notna(), None)
    return {
        (periods.index_of(row.cohort, period), group, row.age, row.last_age): (row.customers, row.retained)
        for row, group in zip(rates.itertuples(), groups, strict=True)
    }


moments = st.builds(
    lambda hours, later: FIRST + dt.timedelta(hours=hours, microseconds=later),
    st.integers(0, 24 * 80),
    st.sampled_from([0, 0, 1, 999_999, 1_000_000]),
)
row = st.tuples(st.sampled_from("abcd"), moments, st.sampled_from("xyz"), st.sampled_from(["g", "h", None]))
options = {
    "period": st.sampled_from(lengths.PERIODS),
    "window": st.sampled_from(["calendar", "elapsed", "elapsed_days"]),
    "denominator": st.sampled_from(["cohort", "eligible"]),
    "age_zero": st.sampled_from(["birth", "return"]),
}


@pytest.mark.parametrize(
    "counting", ["on", "on_or_after", ((0, 2),), ((0, 0), (1, 1), (2, 4)), ((1, 2), (5, 9))], ids=str
)
@settings(max_examples=20)
@given(
    rows=st.lists(row, min_size=5, max_size=25),
    end=st.integers(10, 75).map(lambda days: FIRST + dt.timedelta(days=days)),
    hours=st.sampled_from([0, 0, 5]),
    given_options=st.fixed_dictionaries(options),
    events=st.sampled_from([None, None, ("x", "y"), ("x", "x")]),
)
def test_every_combination_is_that_of_sets_and_loops(
    counting: windows.Counting,
    rows: list[tuple],
    end: dt.datetime,
    hours: int,
    given_options: dict,
    events: tuple,
) -> None:
    how = Windows(counting=counting, **given_options)
    end += dt.timedelta(hours=hours)
    rows = [("e", FIRST, "x", "g"), ("e", FIRST, "y", None), *rows]
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "event", "group"])
    rates = retention.retention_rates(
        believed(frame.astype({"group": "str"}), end),
        by="group",
        counting=counting,
        events=events,
        **given_options,
    )
    assert tidy(rates, how.period) == looped(rows, end, how, events)
    assert (rates["retained"] <= rates["customers"]).all()


@settings(max_examples=12)
@given(rows=st.lists(row, min_size=5, max_size=25), given_options=st.fixed_dictionaries(options))
def test_what_must_hold_between_the_ways_of_counting(rows: list[tuple], given_options: dict) -> None:
    frame = pd.DataFrame(rows, columns=["customer_id", "occurred_at", "event", "group"])
    loaded = believed(frame, FIRST + dt.timedelta(days=85))

    def rates(counting: windows.Counting, **other: str) -> pd.DataFrame:
        return retention.retention_rates(
            loaded, counting=counting, **given_options | {"period": "week"} | other
        )

    on, later = rates("on"), rates("on_or_after")
    one_each = rates([(age, age) for age in range(on["age"].max() + 1)])
    pd.testing.assert_frame_equal(one_each.drop(columns="last_age"), on)
    assert on[["cohort", "age", "customers"]].equals(later[["cohort", "age", "customers"]])
    assert (later["retained"] >= on["retained"]).all()
    if given_options["denominator"] == "cohort":
        assert (later.groupby("cohort")["retained"].diff().fillna(0) <= 0).all()
    if given_options["window"] == "calendar":
        assert rates("on", denominator="cohort").equals(rates("on", denominator="eligible"))
