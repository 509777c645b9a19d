"""The rhythm of ordering: by hand on the tiny shop, against plain loops, and on published data."""

import dataclasses
import datetime as dt
import itertools
import json
import math
import statistics
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import datasets, intervals, rhythm, tables
from retention_kit.exceptions import DataError, ParamsError

AS_OF = datasets.TINY_AS_OF
NUMBERS = ["orders", "or_more", "customers", "customer_share", "low", "high", "interval"]
AVERAGE = ["customers", "orders", "average_orders", "low", "high", "interval"]
QUANTILES = ["quantile", "days", "gaps", "customers"]
CLASSES = ["days", "gaps", "longer", "longer_share", "low", "high", "customers", "interval"]
DATES = ["orders", "order_days", "last_order", "usual_days", "reorder_date", "days_overdue"]
CALLS = [
    *("orders", "order_days", "last_order", "days_since_last_order", "usual_days", "reorder_date"),
    *("days_overdue", "times_overdue", "average_order_value", "revenue", "value_at_risk"),
]


def tiny(noun: str, **how) -> pd.DataFrame:
    return getattr(rhythm, noun)(datasets.tiny_orders(), **{"as_of": AS_OF} | how)


def shop(days_of: dict[str, list[int]], amount: float = 10.0, **columns: dict) -> pd.DataFrame:
    """An order of each customer on each day of 2024, counted from 0; further columns by customer."""
    rows = [
        (who, pd.Timestamp(2024, 1, 1) + pd.Timedelta(days=day), amount)
        for who in days_of
        for day in days_of[who]
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return frame.assign(**{name: frame["customer_id"].map(values) for name, values in columns.items()})


# -- orders per customer ------------------------------------------------------


def test_orders_per_customer_by_hand() -> None:
    # ana 4; cleo and eva 2; ben, dan and finn 1.
    found = tiny("orders_per_customer", last=5)
    assert found["orders"].tolist() == [1, 2, 3, 4, 5]
    assert found["customers"].tolist() == [3, 2, 0, 1, 0]
    assert found["customer_share"].tolist() == [3 / 6, 2 / 6, 0, 1 / 6, 0]
    assert found["or_more"].tolist() == [False] * 4 + [True]
    assert tiny("orders_per_customer", last=2)["customers"].tolist() == [3, 3]
    assert tiny("orders_per_customer", last=1)["customers"].tolist() == [6]
    low, high = intervals.wilson([3, 2, 0, 1, 0], 6)
    assert found["low"].tolist() == low.tolist()
    assert found["high"].tolist() == high.tolist()


def test_average_orders_by_hand() -> None:
    row = tiny("average_orders").iloc[0]
    assert row[["customers", "orders", "average_orders"]].tolist() == [6, 11, 11 / 6]
    counts = [4, 1, 2, 1, 2, 1]
    low, high = intervals.mean(11 / 6, statistics.stdev(counts), 6)
    assert (row["low"], row["high"]) == pytest.approx((low, high))
    assert row["interval"] == "t 95 %"


def test_one_customer_is_an_average_without_bounds() -> None:
    row = rhythm.average_orders(shop({"a": [1, 2]}), as_of="2024-02-01").iloc[0]
    assert row["average_orders"] == 2
    assert row[["low", "high"]].isna().all()


def test_events_are_counted_as_orders_are() -> None:
    orders = datasets.tiny_orders()
    events = orders.rename(columns={"ordered_at": "occurred_at"}).drop(columns=["order_id", "amount"])
    for noun in ("orders_per_customer", "average_orders", "days_between_orders", "gap_distribution"):
        found = getattr(rhythm, noun)(events, as_of=AS_OF, by="country")
        pd.testing.assert_frame_equal(found, tiny(noun, by="country"))
    assert rhythm.average_orders(events, as_of=AS_OF).attrs["definition"] == (
        "All events over all customers who have one."
    )


def test_lines_of_one_order_are_one_order() -> None:
    lines = shop({"a": [1, 1, 3]}).assign(order_id=["x", "x", "y"])
    assert rhythm.average_orders(lines, as_of="2024-02-01")["orders"].item() == 2


# -- days between orders ------------------------------------------------------


def test_days_between_orders_by_hand() -> None:
    # ana 15, 21 and 52 days; cleo 89; eva 34. Sorted 15 21 34 52 89: a fifth of them is one gap.
    found = tiny("days_between_orders")
    assert found["quantile"].tolist() == [0.10, 0.25, 0.50, 0.75, 0.80, 0.90, 0.95]
    assert found["days"].tolist() == [15, 21, 34, 52, 52, 89, 89]
    assert set(found["gaps"]) == {5}
    assert set(found["customers"]) == {3}


def test_orders_of_one_day_leave_no_gap() -> None:
    orders = shop({"a": [0, 0, 5, 5, 5], "b": [3, 3]})
    found = rhythm.days_between_orders(orders, as_of="2024-02-01")
    assert found["days"].tolist() == [5] * 7
    assert found[["gaps", "customers"]].drop_duplicates().to_numpy().tolist() == [[1, 1]]


def test_gap_distribution_by_hand() -> None:
    # 15 21 | 34 52 | 89; the history of 121 days (to the end of April) shows gaps of up to 116.
    found = tiny("gap_distribution", days=(30, 60, 90, 115, 116, 365))
    assert found["days"].tolist() == [30, 60, 90, 115]
    assert found["gaps"].tolist() == [2, 2, 1, 0]
    assert found["longer"].tolist() == [3, 1, 0, 0]
    assert found["longer_share"].tolist() == [3 / 5, 1 / 5, 0, 0]
    assert set(found["customers"]) == {3}
    # By customer: ana 1 of 3, cleo 1 of 1, eva 1 of 1.
    low, high = intervals.ratio(3, 5, 1 + 1 + 1, 3 + 1 + 1, 9 + 1 + 1, 3)
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx([max(low, 0), min(high, 1)])


def test_a_group_sees_no_longer_gap_than_its_own_history() -> None:
    orders = shop({"old": [0, 10, 90], "new": [80, 85, 95]}, of={"old": "x", "new": "y"})
    found = rhythm.gap_distribution(orders, as_of="2024-04-11", days=(7, 15, 30), by="of")
    assert found[["of", "days"]].to_numpy().tolist() == [["x", 7], ["x", 15], ["x", 30], ["y", 7], ["y", 15]]


def test_nobody_came_back() -> None:
    orders = shop({"a": [0], "b": [3]}, of={"a": "x", "b": "y"})
    for by in (None, "of"):
        for noun in ("days_between_orders", "gap_distribution"):
            empty = getattr(rhythm, noun)(orders, as_of="2024-03-01", by=by)
            assert empty.empty
            full = tiny(noun, by="country" if by else None).rename(columns={"country": "of"})
            assert empty.dtypes.to_dict() == full.dtypes.to_dict()


@pytest.mark.parametrize(
    ("noun", "columns"),
    [
        ("orders_per_customer", NUMBERS),
        ("average_orders", AVERAGE),
        ("days_between_orders", QUANTILES),
        ("gap_distribution", CLASSES),
    ],
)
def test_shape(noun: str, columns: list[str]) -> None:
    found = tiny(noun, by=["channel", "country"])
    keys = ["channel", "country", *(columns[:1] if noun != "average_orders" else [])]
    assert found.columns.tolist() == ["channel", "country", *columns]
    assert found[keys].equals(found[keys].sort_values(keys))
    assert not found.duplicated(keys).any()
    assert found.index.equals(pd.RangeIndex(len(found)))
    counts = [name for name in columns if name in ("orders", "customers", "gaps", "longer", "days")]
    assert set(found[counts].dtypes) == {np.dtype("int64")}
    shares = [name for name in columns if name.endswith("share") or name in ("low", "high", "average_orders")]
    assert set(found[shares].dtypes) <= {np.dtype("float64")}
    assert found.attrs["definition"]
    assert found.attrs["as_of"] == AS_OF


# -- when again, and who is late ----------------------------------------------


def test_reorder_dates_by_hand() -> None:
    # ana alone has three order days or more. Gaps 21, 15 and 52: usually 21 days after 2 April.
    found = tiny("reorder_dates")
    assert found.columns.tolist() == ["customer_id", *DATES]
    assert found.iloc[0].tolist() == [
        "ana", 4, 4, pd.Timestamp(2024, 4, 2), 21, pd.Timestamp(2024, 4, 23), 8,
    ]  # fmt: skip
    assert found.dtypes.astype(str).tolist() == [
        "str", "int64", "int64", "datetime64[us]", "float64", "datetime64[us]", "int64",
    ]  # fmt: skip


def test_dates_ahead_are_listed_and_not_overdue() -> None:
    orders = shop({"late": [0, 10, 20], "due": [6, 16, 26], "ahead": [0, 10, 25]})
    dates = rhythm.reorder_dates(orders, as_of="2024-02-06")
    assert dates["customer_id"].tolist() == ["late", "due", "ahead"]
    assert dates["days_overdue"].tolist() == [6, 0, -2]  # 12.5 days after the 26th of January is 13
    assert dates.loc[2, "reorder_date"] == pd.Timestamp(2024, 2, 8)
    assert rhythm.overdue_customers(orders, as_of="2024-02-06")["customer_id"].tolist() == ["late"]


def test_the_call_list_by_hand() -> None:
    found = tiny("overdue_customers")
    assert found.columns.tolist() == ["customer_id", *CALLS]
    row = found.iloc[0]
    assert row[["customer_id", "days_since_last_order", "days_overdue"]].tolist() == ["ana", 29, 8]
    assert row["times_overdue"] == 29 / 21
    assert row["average_order_value"] == 115 / 4
    assert row["value_at_risk"] == 115
    assert len(found) == 1
    assert found.attrs["overdue"] == 1
    assert found.attrs["definition"] == (
        "Customers with 3 order days or more, by the median of their own gaps; counted to 1 May 2024."
    )


def test_three_orders_in_a_week_are_not_fifty_a_year() -> None:
    # Both have spent 30; by the week alone the hurried one would be worth hundreds a year.
    orders = shop({"hurried": [700, 702, 704], "steady": [0, 350, 600]})
    orders.loc[orders["customer_id"] == "steady", "amount"] = 30.0
    found = rhythm.overdue_customers(orders, as_of="2027-01-01")
    assert found["customer_id"].tolist() == ["steady", "hurried"]
    assert found["value_at_risk"].tolist() == [90 / (1096 / 365), 30 / (396 / 365)]
    young = rhythm.overdue_customers(shop({"hurried": [0, 2, 4]}), as_of="2024-02-01")
    assert young["value_at_risk"].tolist() == [30]


UNPAID = [*CALLS[:-3], "orders_at_risk"]


def test_without_amounts_who_came_most_often_is_called_first() -> None:
    # Orders a year since the first, and of less than a year all so far.
    days = {"often": [0, 10, 20, 30, 40, 50], "lately": [700, 702, 704, 706]}
    orders = shop(days).drop(columns="amount")
    found = rhythm.overdue_customers(orders, as_of="2026-01-01")
    assert found.columns.tolist() == ["customer_id", *UNPAID]
    assert found["customer_id"].tolist() == ["lately", "often"]
    assert found["orders_at_risk"].tolist() == [4, 6 / (731 / 365)]
    soon = rhythm.overdue_customers(orders, as_of="2024-03-05")
    assert soon[["customer_id", "orders_at_risk"]].to_numpy().tolist() == [["often", 6]]


def test_events_have_a_call_list_and_dates_as_orders_have() -> None:
    orders = datasets.tiny_orders()
    named = {"ordered_at": "occurred_at"}
    events = orders.rename(columns=named).drop(columns="order_id")  # an amount an event has is no money
    dates = rhythm.reorder_dates(events, as_of=AS_OF, by="country")
    pd.testing.assert_frame_equal(dates, tiny("reorder_dates", by="country"))
    found = rhythm.overdue_customers(events, as_of=AS_OF)
    assert found.columns.tolist() == ["customer_id", *UNPAID]
    assert found[["customer_id", "days_overdue", "orders_at_risk"]].to_numpy().tolist() == [["ana", 8, 4]]
    assert found.attrs["notes"] == ["The events have no column contactable, so everybody is listed."]
    for frame in (dates, found):
        assert frame.attrs["definition"] == (
            "Customers with events on 3 days or more, by the median of their own gaps; counted to 1 May "
            "2024. An event counts as an order without money."
        )
    priced = tables.load_events(events, as_of=AS_OF, columns={"amount": "amount"})
    for loaded in (priced, dataclasses.replace(priced)):  # laid out, and as a copy that is not
        pd.testing.assert_frame_equal(rhythm.overdue_customers(loaded), found)


def test_consent_counts_of_events_too() -> None:
    days = {who: [0, 10, 20] for who in ("yes", "no")}
    events = shop(days, contactable={"yes": "yes", "no": "no"}).rename(columns={"ordered_at": "occurred_at"})
    for noun in ("reorder_dates", "overdue_customers"):
        found = getattr(rhythm, noun)(events, as_of="2024-03-01")
        assert found["customer_id"].tolist() == ["yes"]
        assert found.attrs["left_out"] == 1


def test_ties_go_by_name_and_a_limit_takes_the_first() -> None:
    orders = shop({who: [0, 10, 20] for who in "cab"})
    found = rhythm.overdue_customers(orders, as_of="2024-03-01", limit=2)
    assert found["customer_id"].tolist() == ["a", "b"]
    assert found.attrs["overdue"] == 3


def test_silence_counts_only_as_far_as_it_was_observed() -> None:
    # Daily orders of others until the 30th of January, and nothing after: the file stopped there.
    orders = shop({"a": [5, 10, 15], "b": list(range(30))})
    found = rhythm.overdue_customers(orders, as_of="2024-06-01")
    assert found[["customer_id", "days_since_last_order", "days_overdue"]].to_numpy().tolist() == [
        ["a", 15, 10]
    ]
    assert found.attrs["definition"].endswith("counted to 31 January 2024.")


def test_columns_stand_beside_the_customer() -> None:
    found = tiny("overdue_customers", by=["country", "channel"])
    assert found.columns.tolist() == ["customer_id", "country", "channel", *CALLS]
    assert found.loc[0, ["country", "channel"]].tolist() == ["Austria", "search"]
    dates = tiny("reorder_dates", by="country")
    assert dates.columns.tolist() == ["customer_id", "country", *DATES]


def test_nobody_has_a_rhythm() -> None:
    orders = shop({"a": [0, 5], "b": [3]}, contactable={"a": True, "b": False})
    for noun in ("reorder_dates", "overdue_customers"):
        empty = getattr(rhythm, noun)(orders, as_of="2024-03-01")
        assert empty.empty
        assert empty.dtypes.to_dict() == tiny(noun).dtypes.to_dict()
        assert empty.attrs["left_out"] == 0


# -- consent ------------------------------------------------------------------


def test_only_who_said_yes_is_listed() -> None:
    days = {who: [0, 10, 20] for who in ("yes", "no", "unknown")}
    orders = shop(days, contactable={"yes": "yes", "no": "no", "unknown": None})
    for noun in ("reorder_dates", "overdue_customers"):
        found = getattr(rhythm, noun)(orders, as_of="2024-03-01")
        assert found["customer_id"].tolist() == ["yes"]
        assert found.attrs["left_out"] == 2
        assert found.attrs["notes"] == ["2 customers are left out: they have not agreed to be contacted."]
    assert found.attrs["overdue"] == 1


def test_consent_joined_from_the_customers() -> None:
    orders = shop({"ana": [0, 10, 20], "ben": [0, 10, 20], "ivo": [0, 10, 20]})
    loaded = tables.load_orders(orders, as_of="2024-03-01")
    known = tables.assign_customers(loaded, tables.load_customers(datasets.tiny_customers()))
    found = rhythm.overdue_customers(known)
    # ben said no, and of ivo nothing is known.
    assert found["customer_id"].tolist() == ["ana"]
    assert found.attrs["left_out"] == 2


def test_orders_that_do_not_say_list_everybody_and_tell() -> None:
    found = tiny("overdue_customers")
    assert found.attrs["left_out"] is None
    assert found.attrs["notes"] == ["The orders have no column contactable, so everybody is listed."]


# -- against loops ------------------------------------------------------------

FIRST = dt.datetime(2023, 12, 28)
order = st.tuples(
    st.sampled_from("abcdef"), st.integers(0, 24 * 60), st.integers(0, 900), st.sampled_from(["x", "y", None])
)
some_orders = st.lists(order, min_size=1, max_size=40, unique_by=lambda row: row[:2])


def as_frame(rows: list[tuple]) -> pd.DataFrame:
    who, hours, cents, group = zip(*rows, strict=True)
    moments = pd.Series([FIRST + dt.timedelta(hours=h) for h in hours], dtype="datetime64[us]")
    amounts = [c / 100 for c in cents]
    names = pd.Series(group, dtype="str")
    return pd.DataFrame({"customer_id": who, "ordered_at": moments, "amount": amounts, "group": names})


def believed(frame: pd.DataFrame, end: dt.datetime) -> tables.Loaded:
    """Observed up to `end`: how far rows can be believed is tested with moments."""
    loaded = tables.orders(frame, as_of=end, columns=["amount", "group"])
    return tables.Loaded(loaded.kind, loaded.table, end, end, loaded.checks)


def seen_by(rows: list[tuple], days: int) -> tuple[list[tuple], dt.datetime]:
    """At least one order, and an end on which all before it is seen."""
    rows = [("a", 0, 500, "x"), *[row for row in rows if row[:2] != ("a", 0)]]
    return rows, FIRST + dt.timedelta(days=days, hours=5)


def histories(
    rows: list[tuple], end: dt.datetime, by: bool
) -> dict[str | None, dict[str, list[dt.datetime]]]:
    """By group of the first order, each customer's moments in order."""
    moments, group = defaultdict(list), {}
    for who, hours, _, name in sorted(rows, key=lambda row: row[1]):
        moment = FIRST + dt.timedelta(hours=hours)
        if moment < end:
            moments[who].append(moment)
            group.setdefault(who, name if by else None)
    grouped = defaultdict(dict)
    for who, history in moments.items():
        grouped[group[who]][who] = history
    return grouped


def gaps_of(history: list[dt.datetime]) -> list[int]:
    days = sorted({moment.date() for moment in history})
    return [(later - earlier).days for earlier, later in itertools.pairwise(days)]


def by_group(found: pd.DataFrame, by: bool) -> dict[str | None, pd.DataFrame]:
    if not by:
        return {None: found} if len(found) else {}
    names = found["group"].astype(object).where(found["group"].notna(), None)
    return {name: found[[one == name for one in names]] for name in dict.fromkeys(names)}


@pytest.mark.parametrize("by", [None, "group"])
@settings(max_examples=10)
@given(rows=some_orders, days=st.integers(1, 65), last=st.integers(1, 6))
def test_numbers_of_orders_are_those_of_loops(
    by: str | None, rows: list[tuple], days: int, last: int
) -> None:
    rows, end = seen_by(rows, days)
    loaded, expected = believed(as_frame(rows), end), histories(rows, end, bool(by))
    numbers = by_group(rhythm.orders_per_customer(loaded, last=last, by=by), bool(by))
    averages = by_group(rhythm.average_orders(loaded, by=by), bool(by))
    assert set(numbers) == set(averages) == set(expected)
    for name, customers in expected.items():
        counts = [len(history) for history in customers.values()]
        found = numbers[name]
        clipped = Counter(min(count, last) for count in counts)
        assert found["customers"].tolist() == [clipped[number] for number in range(1, last + 1)]
        assert found["customer_share"].sum() == pytest.approx(1)
        row = averages[name].iloc[0]
        assert row[["customers", "orders", "average_orders"]].tolist() == [
            len(counts), sum(counts), sum(counts) / len(counts),
        ]  # fmt: skip
        if len(set(counts)) > 1:
            bounds = intervals.mean(statistics.mean(counts), statistics.stdev(counts), len(counts))
            assert (row["low"], row["high"]) == pytest.approx(bounds)
        else:
            assert row[["low", "high"]].isna().all()


@pytest.mark.parametrize("by", [None, "group"])
@settings(max_examples=10)
@given(rows=some_orders, days=st.integers(1, 65))
def test_gaps_are_those_of_loops(by: str | None, rows: list[tuple], days: int) -> None:
    rows, end = seen_by(rows, days)
    loaded, expected = believed(as_frame(rows), end), histories(rows, end, bool(by))
    quantiles = by_group(rhythm.days_between_orders(loaded, by=by), bool(by))
    classes = by_group(rhythm.gap_distribution(loaded, days=(2, 9, 30), by=by), bool(by))
    for name, customers in expected.items():
        each = [gaps for history in customers.values() if (gaps := gaps_of(history))]
        pooled = sorted(gap for gaps in each for gap in gaps)
        if not pooled:
            assert name not in quantiles
            assert name not in classes
            continue
        found = quantiles[name]
        assert set(found["gaps"]) == {len(pooled)}
        assert set(found["customers"]) == {len(each)}
        for percent, day in zip((10, 25, 50, 75, 80, 90, 95), found["days"], strict=True):
            assert day == pooled[math.ceil(percent * len(pooled) / 100) - 1]
        born = min(min(history) for history in customers.values()).date()
        seeable = [end_of for end_of in (2, 9, 30) if (end.date() - born).days - 1 > end_of]
        if not seeable:
            assert name not in classes
            continue
        assert classes[name]["days"].tolist() == seeable
        before = 0
        for row in classes[name].itertuples():
            longer = [sum(gap > row.days for gap in gaps) for gaps in each]
            assert row.longer == sum(longer)
            assert row.gaps == sum(before < gap <= row.days for gap in pooled)
            assert row.longer_share == sum(longer) / len(pooled)
            assert row.customers == len(each)
            y, x = np.array(longer, dtype=float), np.array([len(gaps) for gaps in each], dtype=float)
            low, high = intervals.ratio(y.sum(), x.sum(), (y * y).sum(), (x * y).sum(), (x * x).sum(), len(x))
            np.testing.assert_allclose((row.low, row.high), (np.clip(low, 0, 1), np.clip(high, 0, 1)))
            before = row.days


@settings(max_examples=12)
@given(rows=some_orders, days=st.integers(10, 90), seed=st.randoms())
def test_the_call_list_is_that_of_loops(rows: list[tuple], days: int, seed) -> None:
    rows, end = seen_by(rows, days)
    money = defaultdict(int)
    for who, hours, cents, _ in rows:
        if FIRST + dt.timedelta(hours=hours) < end:
            money[who] += cents
    expected = {}
    for who, history in histories(rows, end, False)[None].items():
        gaps = gaps_of(history)
        if len(gaps) < 2:
            continue
        usual, last = statistics.median(gaps), max(history).date()
        due = last + dt.timedelta(days=math.ceil(usual))
        silent, years = (end.date() - last).days, (end.date() - min(history).date()).days / 365
        expected[who] = {
            "orders": len(history), "order_days": len(gaps) + 1, "last_order": pd.Timestamp(last),
            "days_since_last_order": silent, "usual_days": usual, "reorder_date": pd.Timestamp(due),
            "days_overdue": (end.date() - due).days, "times_overdue": silent / usual,
            "average_order_value": money[who] / 100 / len(history), "revenue": money[who] / 100,
            "value_at_risk": money[who] / 100 / max(years, 1),
        }  # fmt: skip
    dates = rhythm.reorder_dates(believed(as_frame(rows), end))
    assert dates["customer_id"].tolist() == sorted(
        expected, key=lambda who: (expected[who]["reorder_date"], who)
    )
    calls = rhythm.overdue_customers(believed(as_frame(rows), end))
    late = [who for who in expected if expected[who]["days_overdue"] > 0]
    assert calls["customer_id"].tolist() == sorted(
        late, key=lambda who: (-expected[who]["value_at_risk"], who)
    )
    for frame in (dates, calls):
        for row in frame.to_dict("records"):
            assert row == {name: expected[row["customer_id"]].get(name, row["customer_id"]) for name in row}
    seed.shuffle(rows)
    pd.testing.assert_frame_equal(rhythm.overdue_customers(believed(as_frame(rows), end)), calls)


# -- messages -----------------------------------------------------------------


def asked(question) -> str:
    with pytest.raises((DataError, ParamsError)) as error:
        question()
    return str(error.value)


@pytest.mark.parametrize("last", [0, 2.5, "10", True])
def test_a_last_row_that_is_no_number(last: object) -> None:
    assert asked(lambda: tiny("orders_per_customer", last=last)) == (
        f"last is a whole number of orders from 1, and it was {last!r}. Type last=10."
    )


@pytest.mark.parametrize(("days", "shown"), [([30, 0], "0"), (["30"], "'30'"), (30.5, "30.5"), ((), "()")])
def test_days_that_are_no_number(days: object, shown: str) -> None:
    assert asked(lambda: tiny("gap_distribution", days=days)) == (
        f"days is a whole number of days from 1, and it was {shown}. Type days=(30, 60)."
    )


def test_a_single_number_of_days() -> None:
    assert tiny("gap_distribution", days=30)["days"].tolist() == [30]


def test_a_limit_that_is_no_number() -> None:
    assert asked(lambda: tiny("overdue_customers", limit=0)) == (
        "limit is a whole number of customers from 1, and it was 0. Type limit=50."
    )


def test_a_column_named_like_a_result() -> None:
    table = datasets.tiny_orders().assign(gaps="x", revenue="x")
    message = "by={0!r} is a column of the result already. Give yours another name, such as 'by_{0}'."
    assert asked(lambda: rhythm.days_between_orders(table, as_of=AS_OF, by="gaps")) == message.format("gaps")
    assert asked(lambda: rhythm.reorder_dates(table, as_of=AS_OF, by="revenue")) == message.format("revenue")


def test_groups_may_be_called_what_is_calculated_on_the_way() -> None:
    names = ["day", "first", "last", "due", "years", "moment"]
    orders = datasets.tiny_orders()
    orders = orders.assign(**dict.fromkeys(names, orders["country"]))
    for noun in ("days_between_orders", "gap_distribution", "reorder_dates", "average_orders"):
        found = getattr(rhythm, noun)(orders, as_of=AS_OF, by=names)
        assert (found[names].nunique(axis=1) == 1).all()
        found = found.drop(columns=names[1:]).rename(columns={"day": "country"})
        pd.testing.assert_frame_equal(found, tiny(noun, by="country"))
    by_amount = tiny("days_between_orders", by="amount")
    assert by_amount["amount"].unique().tolist() == [0, 20, 50]  # of eva's, ana's and cleo's first orders


# -- published data -----------------------------------------------------------


@pytest.fixture(scope="module")
def online_retail(data_folder: Path) -> tables.Loaded:
    return tables.load_orders(
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


@pytest.mark.realdata
def test_orders_per_customer_of_online_retail(online_retail: tables.Loaded, data_folder: Path) -> None:
    facts = json.loads((data_folder / "online_retail" / "facts.json").read_text())["A_sales"]
    found = rhythm.orders_per_customer(online_retail)
    told = {str(row.orders): row.customers for row in found.itertuples()}
    assert told == facts["orders_per_customer_hist"]
    average = rhythm.average_orders(online_retail).iloc[0]
    assert round(average["average_orders"], 6) == facts["rfm"]["frequency"]["mean"]
    assert average["orders"] == facts["rfm"]["frequency"]["sum"]


@pytest.mark.realdata
def test_orders_per_customer_of_cdnow(data_folder: Path) -> None:
    facts = json.loads((data_folder / "cdnow" / "facts.json").read_text())
    path = data_folder / "cdnow" / "CDNOW_master.txt.gz"
    rows = pd.read_csv(path, sep=r"\s+", header=0, names=["who", "day", "cds", "paid"], dtype=str)
    orders = pd.DataFrame(
        {"customer_id": rows["who"], "ordered_at": pd.to_datetime(rows["day"], format="%Y%m%d")}
    )
    found = rhythm.orders_per_customer(orders, as_of="1998-07-01")
    told = {str(row.orders): row.customers for row in found.itertuples()}
    assert told == facts["master"]["orders_per_customer_hist"]
    # As many gaps as the purchase days beyond each customer's first, from the repeaters.
    gaps = rhythm.days_between_orders(orders, as_of="1998-07-01").iloc[0]
    days = facts["master"]["btyd_full_days"]
    assert gaps["gaps"] == days["sum_frequency"]
    assert gaps["customers"] == days["customers"] - days["zero_repeaters"]


@pytest.mark.realdata
def test_gaps_of_online_retail(online_retail: tables.Loaded, data_folder: Path) -> None:
    days = json.loads((data_folder / "online_retail" / "facts.json").read_text())["A_sales"]["btyd_days"]
    found = rhythm.days_between_orders(online_retail)
    assert set(found["gaps"]) == {days["sum_frequency"]}
    assert set(found["customers"]) == {days["customers"] - days["zero_repeaters"]}
    frame = online_retail.table.to_pandas()
    gaps = [gap for _, own in frame.groupby("customer_id")["ordered_at"] for gap in gaps_of(list(own))]
    assert sum(gaps) == days["sum_recency_days"]
    quantiles = np.quantile(gaps, found["quantile"], method="inverted_cdf")
    assert found["days"].tolist() == quantiles.tolist()
    classes = rhythm.gap_distribution(online_retail)
    assert classes["longer"].tolist() == [sum(gap > end for gap in gaps) for end in classes["days"]]
    assert classes["gaps"].sum() + classes["longer"].iloc[-1] == len(gaps)


def test_who_brings_the_same_stands_by_id_and_larger_values_first() -> None:
    ids = [f"c{number:02d}" for number in range(20)]
    frame = shop({name: [0, 10, 20] for name in reversed(ids)})
    frame["amount"] = frame["customer_id"].map(lambda name: 20.0 if name in ("c07", "c03") else 10.0)
    found = rhythm.overdue_customers(frame, as_of="2025-01-01")["customer_id"].tolist()
    assert found == ["c03", "c07", *(name for name in ids if name not in ("c03", "c07"))]
    assert rhythm.overdue_customers(frame, as_of="2025-01-01", limit=3)["customer_id"].tolist() == found[:3]


@pytest.mark.realdata
def test_the_call_list_of_online_retail(online_retail: tables.Loaded) -> None:
    found = rhythm.overdue_customers(online_retail)
    assert len(found) == found.attrs["overdue"] == 505
    assert len(rhythm.reorder_dates(online_retail)) == 1916
    # 17509 ordered on three days of one week for 6,115.14: at that pace 248,000 a year, and no first call.
    assert found["customer_id"].tolist()[:3] == ["14156", "16029", "16422"]
    hurried = found.set_index("customer_id").loc["17509"]
    assert hurried[["order_days", "usual_days", "days_since_last_order"]].tolist() == [3, 3, 58]
    assert round(hurried["value_at_risk"], 2) == round(hurried["revenue"], 2) == 6115.14
