"""Lifecycle, stickiness, activation: by hand, against sets and loops, and on published data."""

import datetime as dt
import math
from collections import defaultdict
from pathlib import Path
from statistics import stdev

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from retention_kit import activation, datasets, exhibits, histories, intervals, lifecycle, periods, tables
from retention_kit.exceptions import DataError
from retention_kit.plots import lifecycle as plots

AS_OF = datasets.TINY_AS_OF
FLOW = ["active", "previous", "new", "returning", "resurrected", "dormant"]
BOUNDS = ["low", "high"]


def flow(**how) -> pd.DataFrame:
    return lifecycle.lifecycle(datasets.tiny_orders(), as_of=AS_OF, **how)


def sticky(**how) -> pd.DataFrame:
    return lifecycle.stickiness(datasets.tiny_events(), as_of=AS_OF, **how)


def saved(**how) -> pd.DataFrame:
    given_too = {"event": "saved_favourite", "within_days": 7, "as_of": AS_OF} | how
    return activation.activation(datasets.tiny_events(), **given_too)


def asked(question) -> str:
    with pytest.raises(DataError) as error:
        question()
    return str(error.value)


def visits(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "occurred_at"])


# -- lifecycle by hand --------------------------------------------------------


def test_the_flow_of_the_tiny_shop() -> None:
    # February: ana returns, ben is gone. March: eva alone, new. April: eva returns, ana and cleo are back.
    found = flow()
    assert found["period"].dt.month.tolist() == [1, 2, 3, 4]
    assert found[FLOW].to_numpy().tolist() == [
        [2, 0, 2, 0, 0, 0],
        [3, 2, 2, 1, 0, 1],
        [1, 3, 1, 0, 0, 3],
        [4, 1, 1, 1, 2, 0],
    ]
    assert found["growth"].tolist() == [2, 1, -2, 3]
    assert found["quick_ratio"].fillna(-1).tolist() == [-1, 2 / 1, 1 / 3, -1]
    assert found["retained_share"].fillna(-1).tolist() == [-1, 1 / 2, 0 / 3, 1 / 1]
    low, high = intervals.wilson([1, 0, 1], [2, 3, 1])
    assert found["low"].tolist()[1:] == low.tolist()
    assert found["high"].tolist()[1:] == high.tolist()
    assert found.loc[0, BOUNDS].isna().all()


def test_events_flow_as_orders_do() -> None:
    events = lifecycle.lifecycle(datasets.tiny_events(), as_of=AS_OF)
    pd.testing.assert_frame_equal(events, flow())
    assert events.attrs["definition"].startswith("Customers with an event in the month: new when it is their")


def test_one_customer_day_by_day() -> None:
    """A gap of a day is dormancy once, and the day after it a resurrection."""
    days = [9, 11, 12, 13, 15, 17, 18, 19]
    table = visits(*[("a", f"2024-01-{day:02}") for day in days])
    found = lifecycle.lifecycle(table, as_of="2024-01-20", period="day")
    assert found["period"].dt.day.tolist() == list(range(9, 20))

    def days_of(column: str) -> set[int]:
        return set(found.loc[found[column] == 1, "period"].dt.day)

    assert days_of("new") == {9}
    assert days_of("returning") == {12, 13, 18, 19}
    assert days_of("resurrected") == {11, 15, 17}
    assert days_of("dormant") == {10, 14, 16}
    assert days_of("active") == set(days)


def test_a_month_without_anybody_is_a_row_and_one_still_running_is_none() -> None:
    table = visits(("a", "2024-01-05"), ("a", "2024-03-10"), ("b", "2024-04-02"))
    found = lifecycle.lifecycle(table, as_of="2024-04-15")
    assert found[["active", "resurrected", "dormant"]].to_numpy().tolist() == [
        [1, 0, 0],
        [0, 0, 1],
        [1, 1, 0],
    ]
    assert found["quick_ratio"].fillna(-1).tolist() == [-1, 0, -1]


def test_flow_by_country_starts_with_each_countrys_first_customer() -> None:
    found = flow(by="country")
    netherlands = found[found["country"] == "Netherlands"]
    assert netherlands["period"].dt.month.tolist() == [3, 4]
    assert netherlands[FLOW].to_numpy().tolist() == [[1, 0, 1, 0, 0, 0], [1, 1, 0, 1, 0, 0]]
    austria = found[found["country"] == "Austria"]  # ana, dan, finn; ana's order from Germany too
    assert austria[FLOW].to_numpy().tolist() == [
        [1, 0, 1, 0, 0, 0],
        [2, 1, 1, 1, 0, 0],
        [0, 2, 0, 0, 0, 2],
        [2, 0, 1, 0, 1, 0],
    ]
    together = found.groupby("period")[FLOW].sum()
    assert together["active"].tolist() == flow()["active"].tolist()


def test_shape_of_the_flow() -> None:
    found = flow(by=["country", "channel"])
    counts = [*FLOW, "growth"]
    rates = ["quick_ratio", "retained_share", "low", "high"]
    assert found.columns.tolist() == ["period", "country", "channel", *counts, *rates, "interval"]
    assert found["period"].dtype == "datetime64[us]"
    assert set(found[counts].dtypes) == {np.dtype("int64")}
    assert set(found[rates].dtypes) == {np.dtype("float64")}
    assert set(found["interval"]) == {"Wilson 95 %"}
    keys = ["period", "country", "channel"]
    assert found[keys].equals(found[keys].sort_values(keys, ignore_index=True))
    assert found.attrs["as_of"] == "2024-05-01"
    assert found.attrs["period"] == "month"
    assert found.attrs["definition"] == (
        "Customers with an order in the month: new when it is their first, returning when they had one in "
        "the month before, resurrected when their last was earlier still; dormant are those of the month "
        "before who had none."
    )


# -- stickiness by hand -------------------------------------------------------


def test_stickiness_of_the_tiny_events() -> None:
    # January: ana on the 5th (twice) and 9th, ben on the 15th.
    found = sticky()
    assert found["days"].tolist() == [31, 29, 31, 30]
    assert found["active"].tolist() == [2, 3, 1, 4]
    assert found["active_days"].tolist() == [3, 3, 2, 4]
    assert found["days_per_customer"].tolist() == [3 / 2, 1, 2, 1]
    assert found["daily_active"].tolist() == [3 / 31, 3 / 29, 2 / 31, 4 / 30]
    assert found["stickiness"].tolist() == pytest.approx([3 / 62, 1 / 29, 2 / 31, 1 / 30])
    # Weekly, days with the customer in sight. February: cleo 1-7, ana 10-16, dan the 29th alone.
    # March: dan's last six days, eva 8-14 and, seen again on the 15th, 15-21. April: ana 2-8, eva 11-17,
    # finn 15-21, cleo the 30th alone.
    weekly = [(7 + 7 + 1) / 29, (6 + 7 + 7) / 31, (7 + 7 + 7 + 1) / 30]
    assert found["weekly_active"].tolist()[1:] == pytest.approx(weekly)
    assert found["weekly_stickiness"].tolist()[1:] == pytest.approx([3 / 15, 2 / 20, 4 / 22])
    # The first days of January look back on days of which nobody knows.
    assert found.loc[0, ["weekly_active", "weekly_stickiness"]].isna().all()


def test_bounds_of_stickiness_are_those_of_the_mean_days() -> None:
    low, high = intervals.mean(3 / 2, stdev([2, 1]), 2)
    january = sticky().iloc[0]
    assert (january["low"], january["high"]) == (1, pytest.approx(high))  # nobody active was so on 0.x days
    assert low < 1
    assert january["stickiness_low"] == 1 / 31
    assert january["stickiness_high"] == pytest.approx(high / 31)
    # In April everyone came once: customers who do not differ say nothing of how they would.
    assert sticky().iloc[3][["low", "high", "stickiness_low", "stickiness_high"]].isna().all()


def test_weekly_is_known_from_the_seventh_day_on() -> None:
    table = visits(("a", "2024-01-01 09:00"), ("a", "2024-01-08"), ("b", "2024-01-09"))
    found = lifecycle.stickiness(table, as_of="2024-01-11", period="day")
    # a is among the weekly ones on 1 to 7 and from 8 on; b from 9 on. The 7th looks back on the 1st.
    assert found["weekly_active"].fillna(-1).tolist() == [-1] * 6 + [1, 1, 2, 2]
    assert found["daily_active"].tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 1, 0]
    assert found["stickiness"].fillna(-1).tolist() == [1] + [-1] * 6 + [1, 1, -1]
    assert found["weekly_stickiness"].fillna(-1).tolist() == [-1] * 6 + [0, 1, 1 / 2, 0]


def test_shape_of_stickiness() -> None:
    found = sticky(by="country", period="quarter")
    assert found.columns.tolist() == [
        *("period", "country", "days", "active", "active_days", "days_per_customer", "low", "high"),
        *("interval", "daily_active", "weekly_active", "stickiness", "stickiness_low", "stickiness_high"),
        "weekly_stickiness",
    ]
    assert found["period"].dtype == "datetime64[us]"
    assert set(found[["days", "active", "active_days"]].dtypes) == {np.dtype("int64")}
    numbers = found.columns.drop(["period", "country", "days", "active", "active_days", "interval"])
    assert set(found[numbers].dtypes) == {np.dtype("float64")}
    assert set(found["interval"]) == {"t 95 %"}
    assert set(found["days"]) == {91}  # January to March of a leap year
    assert found.attrs["period"] == "quarter"
    assert found.attrs["definition"] == (
        "Mean number of customers with an event on a day of the quarter, as a share of those with one in "
        "the quarter; weekly: as a share of the mean number with one in a day and the six before."
    )


# -- activation by hand -------------------------------------------------------


def test_activation_of_the_tiny_events() -> None:
    # Followed for 7 + 30 days by 1 May: ana, ben, cleo, dan, eva; finn is too young.
    # Saved in the first 7 days: ana, dan (at once). eva did on the first moment after them: too late.
    # Back in the 30 days after: ana on 10 February; eva from 15 March on. dan comes back in May, unseen.
    found = saved()
    assert found["activation"].tolist() == ["activated", "not_activated"]
    assert found[["customers", "observed", "retained"]].to_numpy().tolist() == [[2, 5, 1], [3, 5, 1]]
    assert found["share"].tolist() == [2 / 5, 3 / 5]
    assert found["retention_rate"].tolist() == [1 / 2, 1 / 3]
    assert found["difference"].tolist() == [1 / 2 - 1 / 3, 1 / 3 - 1 / 2]
    low, high = intervals.difference(1, 2, 1, 3)
    assert found["difference_low"].tolist() == pytest.approx([low, -high])
    assert found["difference_high"].tolist() == pytest.approx([high, -low])
    assert found["low"].tolist() == intervals.wilson([1, 1], [2, 3])[0].tolist()
    assert found["share_high"].tolist() == intervals.wilson([2, 3], 5)[1].tolist()


def test_the_first_days_end_before_their_last_moment() -> None:
    # Of eight days eva's favourite on the eighth is part, and what was her return is her activation.
    found = saved(within_days=8)
    assert found[["customers", "retained"]].to_numpy().tolist() == [[3, 2], [2, 0]]


def test_the_compared_period_begins_where_the_first_days_end() -> None:
    # eva is back in its first moment, and at no other time of that week.
    found = saved(period="week")
    assert found[["customers", "retained"]].to_numpy().tolist() == [[3, 0], [3, 1]]  # finn is old enough


def test_a_later_age_and_another_length() -> None:
    # Second week after the first seven days: 14 to 21 days after the first event. Nobody was seen then.
    found = saved(period="week", age=2)
    assert found[["customers", "retained"]].to_numpy().tolist() == [[2, 0], [3, 0]]
    # The fifth: 35 to 42 days after it. ana is seen on day 35; eva's window, from 12 April, opens too late.
    found = saved(period="week", age=5)
    assert found[["customers", "retained"]].to_numpy().tolist() == [[2, 1], [3, 0]]
    assert saved(period="week_sunday", age=5)["retained"].tolist() == [1, 0]


def test_activation_is_of_those_observed_to_the_end() -> None:
    # finn, first seen on 15 April 07:40, is followed for 7 + 1 days on 23 April 07:40.
    for as_of, observed in (("2024-04-23 07:39", 5), ("2024-04-23 07:40", 6)):
        assert saved(as_of=as_of, period="day")["observed"].tolist() == [observed] * 2


def test_activation_by_country() -> None:
    found = saved(by="country")
    counts = ["country", "activation", "customers", "observed", "retained"]
    assert found[counts].to_numpy().tolist() == [
        ["Austria", "activated", 2, 2, 1],
        ["Germany", "not_activated", 2, 2, 0],
        ["Netherlands", "not_activated", 1, 1, 1],
    ]
    assert found[["difference", "difference_low", "difference_high"]].isna().all(axis=None)


def test_shape_of_activation() -> None:
    found = saved(by="country")
    measured = [
        *("customers", "observed", "share", "share_low", "share_high", "retained", "retention_rate"),
        *("low", "high", "difference", "difference_low", "difference_high"),
    ]
    assert found.columns.tolist() == ["country", "activation", *measured, "interval"]
    counts = ["customers", "observed", "retained"]
    assert set(found[counts].dtypes) == {np.dtype("int64")}
    assert set(found[measured].drop(columns=counts).dtypes) == {np.dtype("float64")}
    assert found["activation"].dtype == found["interval"].dtype == "str"
    assert set(found["interval"]) == {"Wilson 95 %; difference Newcombe 95 %"}
    assert found.attrs["definition"] == (
        "Customers with 'saved_favourite' within 7 days of their first event, and those without; retained "
        "are those with any event in the month of 30 days that is number 1 after those 7 days. Only "
        "customers observed to its end."
    )
    assert found.attrs["caveat"] == (
        "Who did it chose to do it: keen customers do more of everything, and would have stayed more "
        "without it. The difference is not what would change if the others were brought to do it."
    )


def test_the_demo_companys_favourite() -> None:
    """Keen buyers save one, so savers come back more; where saving hangs on nothing they do not."""
    truth = datasets.demo_truth()
    how = {"event": "saved_favourite", "within_days": truth.favourite_days}
    found = activation.activation(datasets.demo_events(), as_of=truth.as_of, **how)
    assert found["share_low"].iloc[0] < truth.favourite_rate < found["share_high"].iloc[0]
    assert found["difference_low"].iloc[0] > 0
    level = {"slowest": truth.favourite_rate, "keenest": truth.favourite_rate}
    events = datasets.company.Company(type(truth)(favourite_chance=level))["events"]
    by_chance = activation.activation(events, as_of=truth.as_of, **how)
    assert by_chance["difference_low"].iloc[0] < 0 < by_chance["difference_high"].iloc[0]


# -- edges --------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, "country"])
def test_no_complete_period_is_an_empty_frame_of_the_same_columns(by: str | None) -> None:
    first = datasets.tiny_events().iloc[:3]
    for noun, whole in ((lifecycle.lifecycle, flow(by=by)), (lifecycle.stickiness, sticky(by=by))):
        found = noun(first, as_of="2024-01-25", by=by)
        assert found.empty
        assert found.dtypes.to_dict() == whole.dtypes.to_dict()
    nobody = activation.activation(first, event="ordered", within_days=7, as_of="2024-01-25", by=by)
    assert nobody.empty
    assert nobody.dtypes.to_dict() == saved(by=by).dtypes.to_dict()


def test_one_customer_with_one_order() -> None:
    table = pd.DataFrame({"customer_id": ["a"], "ordered_at": ["2024-01-05"]})
    row = lifecycle.lifecycle(table, as_of="2024-02-01").iloc[0]
    assert row[[*FLOW, "growth"]].tolist() == [1, 0, 1, 0, 0, 0, 1]
    row = lifecycle.stickiness(table, as_of="2024-02-01").iloc[0]
    assert row[["active", "active_days", "days_per_customer", "daily_active"]].tolist() == [1, 1, 1, 1 / 31]
    assert row[["low", "high", "weekly_active"]].isna().all()


def test_all_orders_on_one_day() -> None:
    table = pd.DataFrame({"customer_id": list("aabc"), "ordered_at": "2024-01-05"})
    assert lifecycle.lifecycle(table, as_of="2024-02-01")[["active", "new"]].to_numpy().tolist() == [[3, 3]]
    assert lifecycle.stickiness(table, as_of="2024-02-01")["active_days"].tolist() == [3]


def test_nobody_did_it_in_time_though_it_is_done_at_times() -> None:
    # ordered is what ana did; a year of first days leaves nobody, a first day of the others none who did.
    found = activation.activation(
        datasets.tiny_events().iloc[5:], event="saved_favourite", within_days=1, as_of=AS_OF, period="day"
    )
    assert found["activation"].tolist() == ["activated", "not_activated"]
    late = datasets.tiny_events().query("customer_id in ['ben', 'cleo']")
    found = activation.activation(late, event="saved_favourite", within_days=1, as_of=AS_OF, period="day")
    assert found[["activation", "customers", "observed", "share"]].to_numpy().tolist() == [
        ["not_activated", 2, 2, 1]
    ]
    assert found["difference"].isna().all()


def test_an_event_without_a_name_is_an_event() -> None:
    events = datasets.tiny_events()
    events["event"] = events["event"].mask(events["event"] == "visited")
    found = activation.activation(events, event="saved_favourite", within_days=7, as_of=AS_OF)
    pd.testing.assert_frame_equal(found, saved())


def test_events_may_be_numbers() -> None:
    events = datasets.tiny_events()
    events["event"] = events["event"].map({"visited": 1, "ordered": 2, "saved_favourite": 3})
    for name in (3, "3"):
        found = activation.activation(events, event=name, within_days=7, as_of=AS_OF)
        pd.testing.assert_frame_equal(found, saved())


def test_a_group_may_be_called_what_only_the_inside_uses() -> None:
    for name in ("times", "amount", "day", "squares"):
        orders = datasets.tiny_orders().drop(columns="amount").assign(**{name: [1.0] * 13})
        found = lifecycle.lifecycle(orders, as_of=AS_OF, by=name)
        pd.testing.assert_frame_equal(found.drop(columns=name), flow())
        days = lifecycle.stickiness(orders, as_of=AS_OF)
        found = lifecycle.stickiness(orders, as_of=AS_OF, by=name)
        pd.testing.assert_frame_equal(found.drop(columns=name), days)


def test_a_group_may_have_no_name() -> None:
    events = datasets.tiny_events()
    events["country"] = events["country"].mask(events["country"] == "Netherlands")
    for noun, known in ((lifecycle.lifecycle, flow), (lifecycle.stickiness, sticky)):
        found = noun(events, as_of=AS_OF, by="country")
        nameless = found[found["country"].isna()].drop(columns="country").reset_index(drop=True)
        named = known(by="country").query("country == 'Netherlands'")
        pd.testing.assert_frame_equal(nameless, named.drop(columns="country").reset_index(drop=True))
    found = activation.activation(events, event="saved_favourite", within_days=8, as_of=AS_OF, by="country")
    assert found.iloc[-1][["customers", "retained", "observed"]].tolist() == [1, 1, 1]


@pytest.mark.parametrize("by", [None, "country"])
def test_one_answer_of_a_frame_of_what_was_loaded_and_of_another_engine(by: str | None) -> None:
    events = datasets.tiny_events()
    loaded = tables.load_events(events, as_of=AS_OF, columns={"country": "country"})
    elsewhere = ibis.duckdb.connect().create_table("events", events)
    nouns = (
        lifecycle.lifecycle,
        lifecycle.stickiness,
        lambda data, **how: activation.activation(data, event="saved_favourite", within_days=7, **how),
    )
    for noun in nouns:
        answer = noun(events, as_of=AS_OF, by=by)
        pd.testing.assert_frame_equal(noun(loaded, by=by), answer)
        pd.testing.assert_frame_equal(noun(elsewhere, as_of=AS_OF, by=by), answer)


# -- against sets and loops ---------------------------------------------------

FIRST = dt.datetime(2023, 12, 20)
event = st.tuples(
    st.sampled_from("abcde"),
    st.integers(0, 24 * 90),
    st.sampled_from(["x", "y", None]),
    st.sampled_from(["look", "save", None]),
)
events = st.lists(event, min_size=1, max_size=40, unique_by=lambda row: row[:2])
spans = st.integers(1, 95)
groups = st.sampled_from([None, "group"])


def as_frame(rows: list[tuple]) -> pd.DataFrame:
    who, hours, groups, names = zip(*rows, strict=True)
    moments = pd.Series([FIRST + dt.timedelta(hours=h) for h in hours], dtype="datetime64[us]")
    return pd.DataFrame(
        {
            "customer_id": who,
            "occurred_at": moments,
            "group": pd.Series(groups, dtype="str"),
            "event": pd.Series(names, dtype="str"),
        }
    )


def with_a_first(rows: list[tuple]) -> list[tuple]:
    return [("a", 0, "x", "look"), *[row for row in rows if row[:2] != ("a", 0)]]


def believed(rows: list[tuple], end: dt.datetime) -> tables.Loaded:
    """Observed up to `end`: how far rows can be believed is tested with moments."""
    loaded = tables.orders_or_events(as_frame(rows), as_of=end, columns=["group"])
    return tables.Loaded(loaded.kind, loaded.table, end, end, loaded.checks)


def lives_of(rows: list[tuple], end: dt.datetime, by: str | None) -> dict:
    """By group, each customer's moments and names in order of time."""
    group_of, found = {}, defaultdict(lambda: defaultdict(list))
    for who, hours, group, name in sorted(rows, key=lambda row: row[1]):
        moment = FIRST + dt.timedelta(hours=hours)
        if moment < end:
            group_of.setdefault(who, group if by else None)
            found[group_of[who]][who].append((moment, name))
    return found


def rows_of(frame: pd.DataFrame, by: str | None) -> dict:
    """Rows by group and period."""
    names = [None if by is None or pd.isna(row) else row for row in frame[by]] if by else [None] * len(frame)
    return {(name, row["period"]): row for name, (_, row) in zip(names, frame.iterrows(), strict=True)}


@pytest.mark.parametrize("engine", ["its own", "another"])
@settings(max_examples=20)
@given(
    rows=events,
    days=spans,
    by=groups,
    period=st.sampled_from(["day", "week", "week_saturday", "month", "quarter"]),
)
def test_the_flow_is_that_of_sets(
    engine: str, rows: list[tuple], days: int, by: str | None, period: str
) -> None:
    rows, end = with_a_first(rows), FIRST + dt.timedelta(days=days, hours=5)
    with pytest.MonkeyPatch.context() as patch:
        if engine == "another":  # one that has no bits to count histories with
            patch.setattr(histories, "counted", lambda *_: None)
        frame = lifecycle.lifecycle(believed(rows, end), period=period, by=by)
    expected = {}
    for group, lives in lives_of(rows, end, by).items():
        active = defaultdict(set)
        for who, moments in lives.items():
            for moment, _ in moments:
                active[periods.index_of(moment, period)].add(who)
        known: set[str] = set()
        for number in range(min(active), periods.index_of(end, period)):
            now, before = active[number], active[number - 1]
            sets = [now, before, now - known, now & before, (now & known) - before, before - now]
            expected[group, periods.start_of(number, period)] = [len(members) for members in sets]
            known |= now
    found = rows_of(frame, by)
    assert {key: row[FLOW].tolist() for key, row in found.items()} == expected
    for column in ("growth", "active"):
        assert frame["growth"].dtype == frame[column].dtype
    assert (frame["growth"] == frame["active"] - frame["previous"]).all()
    assert (frame["growth"] == frame["new"] + frame["resurrected"] - frame["dormant"]).all()
    assert (frame["active"] == frame["new"] + frame["returning"] + frame["resurrected"]).all()


@settings(max_examples=20)
@given(rows=events, days=spans, by=groups, period=st.sampled_from(["day", "week_sunday", "month"]))
def test_stickiness_is_that_of_loops(rows: list[tuple], days: int, by: str | None, period: str) -> None:
    rows, end = with_a_first(rows), FIRST + dt.timedelta(days=days, hours=5)
    frame = lifecycle.stickiness(believed(rows, end), period=period, by=by)
    lives = lives_of(rows, end, by)
    expected_keys = set()
    for group, members in lives.items():
        days_of = {who: {moment.date() for moment, _ in moments} for who, moments in members.items()}
        first = min(min(days) for days in days_of.values())
        for number in range(periods.index_of(first, period), periods.index_of(end, period)):
            expected_keys.add((group, periods.start_of(number, period)))
    found = rows_of(frame, by)
    assert set(found) == expected_keys
    for (group, start), row in found.items():
        assert_sticky(row, lives[group], start, period)


def assert_sticky(row: pd.Series, members: dict, start: pd.Timestamp, period: str) -> None:
    stop = periods.start_of(periods.index_of(start, period) + 1, period)
    calendar = [day.date() for day in pd.date_range(start, stop, inclusive="left")]
    days_of = {who: {moment.date() for moment, _ in moments} for who, moments in members.items()}
    counts = [len(days & set(calendar)) for days in days_of.values()]
    counts = [count for count in counts if count]
    assert row[["days", "active", "active_days"]].tolist() == [len(calendar), len(counts), sum(counts)]
    daily = sum(day in days for day in calendar for days in days_of.values()) / len(calendar)
    assert row["daily_active"] == pytest.approx(daily)
    weeks = [{day - dt.timedelta(days=back) for back in range(7)} for day in calendar]
    weekly = sum(bool(week & days) for week in weeks for days in days_of.values()) / len(calendar)
    if start.date() >= FIRST.date() + dt.timedelta(days=6):
        assert row["weekly_active"] == pytest.approx(weekly)
        assert row["weekly_stickiness"] == pytest.approx(daily / weekly if weekly else math.nan, nan_ok=True)
    else:
        assert math.isnan(row["weekly_active"])
    mean = sum(counts) / len(counts) if counts else math.nan
    assert row["days_per_customer"] == pytest.approx(mean, nan_ok=True)
    assert row["stickiness"] == pytest.approx(daily / len(counts) if counts else math.nan, nan_ok=True)
    if len(set(counts)) > 1:
        half = stats.t.ppf(0.975, len(counts) - 1) * stdev(counts) / math.sqrt(len(counts))
        bounds = [max(mean - half, 1), min(mean + half, len(calendar))]
        assert row[BOUNDS].tolist() == pytest.approx(bounds)
        scaled = [bound / len(calendar) for bound in bounds]
        assert row[["stickiness_low", "stickiness_high"]].tolist() == pytest.approx(scaled)
    else:
        assert row[BOUNDS].isna().all()


@settings(max_examples=30)
@given(
    rows=events,
    days=spans,
    by=groups,
    period=st.sampled_from(["day", "week", "month"]),
    within=st.integers(1, 10),
    age=st.integers(1, 3),
)
def test_activation_is_that_of_loops(
    rows: list[tuple], days: int, by: str | None, period: str, within: int, age: int
) -> None:
    length = {"day": 1, "week": 7, "month": 30}[period]
    # Someone saves at once, so that the event is known whatever is drawn.
    rows, end = [*with_a_first(rows), ("z", 0, "x", "save")], FIRST + dt.timedelta(days=days, hours=5)
    frame = activation.activation(
        believed(rows, end), event="save", within_days=within, period=period, age=age, by=by
    )
    expected = defaultdict(lambda: [0, 0])
    for group, members in lives_of(rows, end, by).items():
        for moments in members.values():
            birth = moments[0][0]
            opens = birth + dt.timedelta(days=within)
            begins = opens + dt.timedelta(days=(age - 1) * length)
            ends = begins + dt.timedelta(days=length)
            if ends > end:
                continue
            did = any(name == "save" and moment < opens for moment, name in moments)
            back = any(begins <= moment < ends for moment, _ in moments)
            expected[group, "activated" if did else "not_activated"][0] += 1
            expected[group, "activated" if did else "not_activated"][1] += back
    names = [None if by is None or pd.isna(row[by]) else row[by] for _, row in frame.iterrows()]
    found = dict(
        zip(
            zip(names, frame["activation"], strict=True),
            frame[["customers", "retained"]].to_numpy().tolist(),
            strict=True,
        )
    )
    assert found == dict(expected)


# -- published data -----------------------------------------------------------


def assert_flow(found: pd.DataFrame, facts: dict[str, dict[str, int]], *, until: str) -> None:
    known = {month: row for month, row in facts.items() if month < until}
    assert len(known) > 11
    ours = ["active", "new", "returning", "resurrected", "dormant"]
    theirs = ["active", "new", "retained", "reactivated", "lost"]
    assert found["period"].dt.strftime("%Y-%m").tolist() == list(known)
    assert found[ours].to_numpy().tolist() == [[row[name] for name in theirs] for row in known.values()]


@pytest.mark.realdata
def test_online_retail(data_folder: Path) -> None:
    loaded = tables.load_orders(
        data_folder / "online_retail" / "online_retail.parquet",
        columns={
            "customer_id": "CustomerID",
            "ordered_at": "InvoiceDate",
            "order_id": "InvoiceNo",
            "amount": "Quantity * UnitPrice",
        },
        where="Quantity > 0 AND UnitPrice > 0 AND NOT starts_with(InvoiceNo, 'C')",
        as_of="2011-12-10",
    )
    facts = pd.read_json(data_folder / "online_retail" / "facts.json", typ="series")["A_sales"]["flow"]
    assert_flow(lifecycle.lifecycle(loaded), facts, until="2011-12")


@pytest.mark.realdata
def test_cdnow(data_folder: Path) -> None:
    table = pd.read_csv(
        data_folder / "cdnow" / "CDNOW_master.txt.gz",
        sep=r"\s+",
        skiprows=1,
        names=["customer_id", "date", "cds", "amount"],
        dtype={"customer_id": "str", "date": "str"},
    )
    table["ordered_at"] = pd.to_datetime(table["date"])
    facts = pd.read_json(data_folder / "cdnow" / "facts.json", typ="series")["master"]["flow"]
    assert_flow(lifecycle.lifecycle(table, as_of="1998-07-01"), facts, until="1998-07")


# -- messages -----------------------------------------------------------------


def test_activation_of_orders() -> None:
    message = (
        "activation needs events, what customers did and when, and it was given orders. "
        "Load them with tables.load_events: customer_id, occurred_at, event."
    )
    orders = datasets.tiny_orders()
    loaded = tables.load_orders(orders, as_of=AS_OF)
    how = {"event": "x", "within_days": 7}
    assert asked(lambda: activation.activation(orders, as_of=AS_OF, **how)) == message
    assert asked(lambda: activation.activation(loaded, **how)) == message


def test_activation_without_names_of_events() -> None:
    events = datasets.tiny_events()[["customer_id", "occurred_at"]]
    assert asked(lambda: activation.activation(events, event="x", within_days=7, as_of=AS_OF)) == (
        "activation needs to know what was done, and events has no column event. It has "
        "['customer_id', 'occurred_at']. Map yours onto it with columns={'event': 'your_name'}."
    )


def test_an_event_that_nobody_ever_did() -> None:
    assert asked(lambda: saved(event="saved_favorite")) == (
        "event 'saved_favorite' is not known. Did you mean 'saved_favourite'? "
        "Choose one of ['ordered', 'saved_favourite', 'visited']."
    )


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0"), (-3, "-3"), (1.5, "1.5"), (True, "True"), ("7", "'7'")]
)
def test_numbers_that_are_none(value, words: str) -> None:
    for name in ("within_days", "age"):
        assert asked(lambda name=name: saved(**{name: value})) == (
            f"{name} is a whole number from 1, and it was {words}. Type {name}=1, or more."
        )


def test_unknown_periods() -> None:
    message = (
        "period 'monthly' is not known. Did you mean 'month'? Choose one of "
        "['day', 'week', 'week_saturday', 'week_sunday', 'month', 'quarter', 'year']."
    )
    for noun in (flow, sticky, saved):
        assert asked(lambda noun=noun: noun(period="monthly")) == message


def test_a_missing_as_of() -> None:
    events = datasets.tiny_events()
    message = "events needs as_of, the first moment not observed. Type as_of='2024-05-04' for all rows."
    assert asked(lambda: lifecycle.lifecycle(events)) == message
    assert asked(lambda: lifecycle.stickiness(events)) == message
    assert asked(lambda: activation.activation(events, event="visited", within_days=7)) == message


def test_groups_named_like_a_result() -> None:
    for noun, name in ((flow, "dormant"), (sticky, "active_days"), (saved, "retained"), (saved, "activated")):
        assert asked(lambda noun=noun, name=name: noun(by=name)) == (
            f"by='{name}' is a column of the result already. Give yours another name, such as 'by_{name}'."
        )


# -- plots --------------------------------------------------------------------


@pytest.fixture
def ax():
    return exhibits.axes()


def test_the_flow_goes_up_and_down(ax) -> None:
    plots.plot_lifecycle(flow().iloc[::-1], ax=ax, labels={"dormant": "still", "customers": "Kunden"})
    bars = {c.get_label(): [(bar.get_y(), bar.get_height()) for bar in c] for c in ax.containers}
    assert bars["returning"] == [(0, 0), (0, 1), (0, 0), (0, 1)]
    assert bars["resurrected"] == [(0, 0), (1, 0), (0, 0), (1, 2)]
    assert bars["new"] == [(0, 2), (1, 2), (0, 1), (3, 1)]
    assert bars["still"] == [(0, 0), (0, -1), (0, -3), (0, 0)]
    assert ax.get_ylabel() == "Kunden"
    assert len(ax.get_legend().get_texts()) == 4


def test_two_groups_are_two_dots_with_their_intervals(ax) -> None:
    groups = saved()
    plots.plot_activation(groups, ax=ax, labels={"not_activated": "ohne"})
    assert list(ax.containers[0].lines[0].get_ydata()) == [1 / 2, 1 / 3]
    reach = ax.containers[0].lines[2][0].get_segments()
    expected = groups[BOUNDS].to_numpy().ravel()
    assert np.array([segment[:, 1] for segment in reach]).ravel() == pytest.approx(expected)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["activated", "ohne"]
    assert ax.get_ylim()[0] == 0


def test_nothing_to_draw_is_an_empty_picture(ax) -> None:
    plots.plot_lifecycle(flow().iloc[:0], ax=ax)
    plots.plot_activation(saved().iloc[:0], ax=exhibits.axes())
    assert not ax.patches
