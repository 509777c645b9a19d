"""Purchases: by hand on the tiny shop, against pandas customer by customer, and on published data."""

import datetime as dt
import gzip
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from retention_kit import datasets, intervals, periods, purchases, survival, tables
from retention_kit.exceptions import RetentionKitError

AS_OF = datasets.TINY_AS_OF
MIX = [
    *("order_type", "customers", "orders", "order_share", "order_share_low", "order_share_high"),
    *("revenue", "revenue_share", "low", "high"),
    *("average_order_value", "order_value_low", "order_value_high"),
    *("spend_per_customer", "spend_low", "spend_high", "interval"),
]


def repeat(**how) -> pd.DataFrame:
    return purchases.repeat_purchase_rate(datasets.tiny_orders(), as_of=AS_OF, **how)


def returning(**how) -> pd.DataFrame:
    return purchases.returning_customer_rate(datasets.tiny_orders(), as_of=AS_OF, **how)


def within(**how) -> pd.DataFrame:
    return purchases.repeat_within(datasets.tiny_orders(), as_of=AS_OF, **how)


def second_order(**how) -> pd.DataFrame:
    return purchases.time_to_second_order(datasets.tiny_orders(), as_of=AS_OF, **how)


def mix(**how) -> pd.DataFrame:
    return purchases.first_and_returning(datasets.tiny_orders(), as_of=AS_OF, **how)


def shop(*rows: tuple, columns: str = "customer_id ordered_at amount") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=columns.split())


# -- who buys again -----------------------------------------------------------


def test_repeat_rate_by_hand() -> None:
    # ana, cleo and eva buy again; ben and finn never, dan only on the as_of midnight.
    row = repeat().iloc[0]
    assert row[["customers", "repeat_customers", "orders"]].tolist() == [6, 3, 11]
    assert row["repeat_purchase_rate"] == 3 / 6
    assert (row["low"], row["high"]) == intervals.wilson(3, 6)
    assert row["interval"] == "Wilson 95 %"


def test_repeat_rate_by_country_by_hand() -> None:
    # ana is Austrian for good: her first order was.
    found = repeat(by="country")[["country", "customers", "repeat_customers", "orders"]]
    assert found.to_numpy().tolist() == [["Austria", 3, 1, 6], ["Germany", 2, 1, 3], ["Netherlands", 1, 1, 2]]


def test_shape_of_the_repeat_frame() -> None:
    frame = repeat(by=["channel", "country"])
    counts = ["customers", "repeat_customers", "orders"]
    assert frame.columns.tolist() == [
        *("channel", "country", *counts, "repeat_purchase_rate", "low", "high", "interval")
    ]
    assert set(frame[counts].dtypes) == {np.dtype("int64")}
    assert set(frame[["repeat_purchase_rate", "low", "high"]].dtypes) == {np.dtype("float64")}
    assert frame["interval"].dtype == "str"
    assert frame.index.equals(pd.RangeIndex(len(frame)))
    assert frame[["channel", "country"]].equals(
        frame[["channel", "country"]].sort_values(["channel", "country"])
    )
    assert frame.attrs["definition"] == (
        "Customers with two orders or more in the history, over all customers with an order."
    )
    assert frame.attrs["as_of"] == "2024-05-01"


def test_lines_of_one_order_are_one_order() -> None:
    line = ("a", "2024-01-05", "o1")
    lines = shop(line, line, columns="customer_id ordered_at order_id")
    assert purchases.repeat_purchase_rate(lines, as_of="2024-02-01")["repeat_customers"].tolist() == [0]
    without_ids = lines.drop(columns="order_id")
    assert purchases.repeat_purchase_rate(without_ids, as_of="2024-02-01")["repeat_customers"].tolist() == [1]


def test_one_customer_with_one_order() -> None:
    row = purchases.repeat_purchase_rate(shop(("a", "2024-01-05", 1.0)), as_of="2024-02-01").iloc[0]
    assert row[["customers", "repeat_customers", "repeat_purchase_rate"]].tolist() == [1, 0, 0]
    assert (row["low"], row["high"]) == intervals.wilson(0, 1)


def test_repeat_rate_in_a_window_by_hand() -> None:
    # In January ana orders twice and ben once. From February on ana orders twice again, cleo and eva too.
    january = purchases.repeat_purchase_rate(
        datasets.tiny_orders(), start="2024-01-01", as_of="2024-02-01"
    ).iloc[0]
    assert january[["customers", "repeat_customers", "orders"]].tolist() == [2, 1, 3]
    later = repeat(start="2024-02-01").iloc[0]
    assert later[["customers", "repeat_customers", "orders"]].tolist() == [5, 3, 8]
    assert repeat(start="2024-02-01").attrs["definition"] == (
        "Customers with two orders or more from 1 February 2024 on, over all customers with an order."
    )


def test_returning_rate_by_hand() -> None:
    # From April on ana, cleo, eva and finn order; all but finn had ordered before.
    found = returning(start="2024-04-01")
    row = found.iloc[0]
    assert row[["customers", "returning_customers", "orders"]].tolist() == [4, 3, 4]
    assert row["returning_customer_rate"] == 3 / 4
    assert (row["low"], row["high"]) == intervals.wilson(3, 4)
    # The window alone knows none of them twice.
    assert repeat(start="2024-04-01")["repeat_customers"].tolist() == [0]
    assert found.attrs["definition"] == (
        "Customers with two orders or more before as_of, over all customers with an order "
        "from 1 April 2024 on."
    )


def test_returning_rate_by_country_is_that_of_the_first_order_ever() -> None:
    # In April ana orders from Germany; her first order was Austrian.
    found = returning(start="2024-04-01", by="country")
    assert found[["country", "customers", "returning_customers", "orders"]].to_numpy().tolist() == [
        ["Austria", 2, 1, 2], ["Germany", 1, 1, 1], ["Netherlands", 1, 1, 1],
    ]  # fmt: skip


def test_without_a_start_both_rates_are_one() -> None:
    assert returning()["returning_customer_rate"].equals(repeat()["repeat_purchase_rate"])


def test_who_returned_in_the_window_placed_a_returning_order_there() -> None:
    april = returning(start="2024-04-01")["returning_customers"].item()
    by_month = mix(period="month")
    last = by_month[(by_month["period"] == "2024-04-01") & (by_month["order_type"] == "returning")]
    assert last["customers"].tolist() == [april]


def test_a_window_without_an_order_is_no_row() -> None:
    table = shop(("a", "2024-01-05", 1.0)).assign(kind="x")
    for noun in (purchases.repeat_purchase_rate, purchases.returning_customer_rate):
        for by in (None, "kind"):
            found = noun(table, start="2024-01-20", as_of="2024-02-01", by=by)
            assert found.empty
            assert found.dtypes.to_dict() == noun(table, as_of="2024-02-01", by=by).dtypes.to_dict()


# -- within so many days ------------------------------------------------------


def test_repeat_within_by_hand() -> None:
    # January: ana is back after 15 days, ben never. February: cleo after 89 days and a bit; dan not yet.
    # March: eva after 34 days. February's last customer could have begun on 29 February.
    found = within(days=(10, 30))
    assert found["cohort"].dt.month.tolist() == [1, 1, 2, 2, 3, 3]
    assert found[["days", "customers", "repeat_customers"]].to_numpy().tolist() == [
        [10, 2, 0], [30, 2, 1], [10, 2, 0], [30, 2, 0], [10, 1, 0], [30, 1, 0],
    ]  # fmt: skip
    assert found["repeat_rate"].tolist() == [0, 1 / 2, 0, 0, 0, 0]
    low, high = intervals.wilson(found["repeat_customers"], found["customers"])
    assert (found["low"].tolist(), found["high"].tolist()) == (low.tolist(), high.tolist())


def test_a_length_is_shown_when_the_last_member_was_observed_for_it() -> None:
    # The last of January's customers could begin just before 1 February: 90 days later is 1 May, the as_of.
    assert within(days=90)["cohort"].dt.month.tolist() == [1]
    assert within(days=91).empty
    # The cohort of April runs on until as_of itself.
    assert within(days=[1])["cohort"].dt.month.tolist() == [1, 2, 3]


def test_within_n_days_is_less_than_n_times_24_hours() -> None:
    table = shop(
        ("a", "2024-01-01 10:00:00", 1), ("a", "2024-01-31 09:59:59", 1),
        ("b", "2024-01-01 10:00:00", 1), ("b", "2024-01-31 10:00:00", 1),
        ("c", "2024-01-01 10:00:00", 1), ("c", "2024-01-01 10:00:00", 1),
    )  # fmt: skip
    found = purchases.repeat_within(table, as_of="2024-06-01", days=(1, 30, 31))
    assert found["repeat_customers"].tolist() == [1, 2, 3]


def test_shape_of_repeat_within() -> None:
    found = within(period="quarter", by=["country", "channel"], days=(2, 1, 2))
    keys = ["cohort", "country", "channel", "days"]
    columns = [*keys, "customers", "repeat_customers", "repeat_rate", "low", "high", "interval"]
    assert found.columns.tolist() == columns
    kinds = ["datetime64[us]", "str", "str", *["int64"] * 3, *["float64"] * 3, "str"]
    assert found.dtypes.astype(str).tolist() == kinds
    assert found[keys].equals(found[keys].sort_values(keys))
    assert found["days"].unique().tolist() == [1, 2]
    assert found.attrs["period"] == "quarter"
    assert found.attrs["definition"] == (
        "Customers who ordered again within so many days of the first order, over all customers of the "
        "cohort (the quarter of the first order); cohorts observed for that long alone."
    )


def test_no_cohort_observed_for_long_enough_is_an_empty_frame_of_the_same_columns() -> None:
    for by in (None, "country"):
        found = within(days=[400], by=by)
        assert found.empty
        assert found.dtypes.to_dict() == within(by=by, days=[1]).dtypes.to_dict()


# -- time to the second order -------------------------------------------------


def test_time_to_second_order_by_hand() -> None:
    # ana on day 16, eva on day 35, cleo on day 90 of 90 observed; ben is followed for 106 whole days, dan
    # for 61, finn for 15.
    curve = second_order()
    assert curve[["duration", "at_risk", "events", "censored"]].to_numpy().tolist() == [
        [0, 6, 0, 0], [15, 6, 0, 1], [16, 5, 1, 0], [35, 4, 1, 0],
        [61, 3, 0, 1], [90, 2, 1, 0], [106, 1, 0, 1],
    ]  # fmt: skip
    expected = [1, 1, 4 / 5, 3 / 5, 3 / 5, 3 / 10, 3 / 10]
    assert curve["survival"].tolist() == pytest.approx(expected)
    (summary,) = curve.attrs["summary"]
    assert (summary["customers"], summary["events"], summary["median"]) == (6, 3, 90)
    assert curve.attrs["as_of"] == "2024-05-01"
    assert curve.attrs["definition"] == (
        "Share of customers without a second order so many days after the first, those not observed longer "
        "counted as long as they were (Kaplan and Meier)."
    )


def test_the_median_of_those_who_came_back_is_too_short() -> None:
    # For 60 days three customers begin a day: one comes back 4 days later, two come back 40 days later.
    begun = pd.date_range("2024-01-01", periods=60, freq="D")
    waits = {"quick": 4, "slow": 40, "as slow": 40}
    firsts = [(f"{kind} {day}", day) for day in begun for kind in waits]
    seconds = [(f"{kind} {day}", day + dt.timedelta(days)) for day in begun for kind, days in waits.items()]
    table = pd.DataFrame(firsts + seconds, columns=["customer_id", "ordered_at"])
    # On day 60 most of the slow ones are still away, so half of those seen to come back took 4 days ...
    seen = table[table["ordered_at"] < "2024-03-01"].groupby("customer_id")["ordered_at"]
    taken = (seen.max() - seen.min())[seen.count() > 1]
    assert taken.median() == dt.timedelta(4)
    # ... where two in three take 40: after 40 whole days, so on the 41st.
    curve = purchases.time_to_second_order(table, as_of="2024-03-01")
    assert curve.attrs["summary"][0]["median"] == 41


def test_shape_of_time_to_second_order() -> None:
    found = second_order(by=["country", "channel"])
    assert found.columns.tolist() == [
        *("country", "channel", "duration", "at_risk", "events", "censored"),
        *("survival", "low", "high", "interval"),
    ]
    assert [row["country"] for row in found.attrs["summary"]] == [
        "Austria",
        "Austria",
        "Germany",
        "Germany",
        "Netherlands",
    ]


def test_a_last_day_observed_in_part_is_left_out() -> None:
    # Observed for a day and a half: back after 30 hours is not told from those who come back after 40.
    table = shop(("a", "2024-01-01 12:00", 1), ("a", "2024-01-02 18:00", 1), ("b", "2024-01-01 12:00", 1))
    curve = purchases.time_to_second_order(table, as_of="2024-01-03")
    assert curve[["duration", "events", "censored"]].to_numpy().tolist() == [[0, 0, 0], [1, 0, 2]]


def test_where_the_data_stop_long_before_as_of_nobody_was_observed_longer() -> None:
    days = pd.date_range("2024-01-01", periods=20, freq="D")
    table = pd.DataFrame({"customer_id": range(20), "ordered_at": days})
    curve = purchases.time_to_second_order(table, as_of="2024-09-01")
    assert curve["duration"].max() == 20


def test_within_and_the_curve_agree_where_nobody_is_censored() -> None:
    loaded = tables.orders(datasets.demo_orders(), as_of=datasets.DEMO_AS_OF)
    shares = purchases.repeat_within(loaded, days=[30, 90], period="year")
    first = shares[shares["cohort"] == shares["cohort"].min()]
    births = periods.birth_values(loaded, ["ordered_at"])
    members = births.filter(births.ordered_at.year() == first["cohort"].iloc[0].year).customer_id
    of_cohort = replace(loaded, table=loaded.table.filter(loaded.table.customer_id.isin(members)))
    curve = purchases.time_to_second_order(of_cohort)
    found = survival.survival_at(curve, [30, 90])
    assert (1 - found["survival"]).tolist() == pytest.approx(first["repeat_rate"].tolist())


# -- events count as orders do ------------------------------------------------


@pytest.mark.parametrize(
    "noun",
    [
        purchases.repeat_purchase_rate,
        purchases.returning_customer_rate,
        purchases.repeat_within,
        purchases.time_to_second_order,
    ],
)
def test_events_count_as_orders_do(noun) -> None:
    orders = datasets.tiny_orders()[["customer_id", "ordered_at", "country"]]
    events = orders.rename(columns={"ordered_at": "occurred_at"})
    answer, found = noun(orders, as_of=AS_OF, by="country"), noun(events, as_of=AS_OF, by="country")
    pd.testing.assert_frame_equal(found, answer)
    told = found.attrs["definition"]
    assert "order" in answer.attrs["definition"]
    assert "event" in told
    assert "order" not in told


# -- first orders against returning ones --------------------------------------


def test_mix_by_hand() -> None:
    # First orders: 20 + 15 + 50 + 10 + 0 + 25. Returning: ana 30 + 25 + 40, cleo 60, eva 22.50.
    found = mix()
    assert found["order_type"].tolist() == ["first", "returning"]
    assert found["customers"].tolist() == [6, 3]
    assert found["orders"].tolist() == [6, 5]
    assert found["order_share"].tolist() == [6 / 11, 5 / 11]
    assert found["revenue"].tolist() == [120, 177.5]
    assert found["revenue_share"].tolist() == [120 / 297.5, 177.5 / 297.5]
    assert found["average_order_value"].tolist() == [120 / 6, 177.5 / 5]
    assert found["spend_per_customer"].tolist() == [120 / 6, 177.5 / 3]


@pytest.mark.parametrize("period", [None, "month"])
def test_without_amounts_orders_and_events_are_mixed_all_the_same(period: str | None) -> None:
    paid = datasets.tiny_orders()
    orders = paid.drop(columns="amount")
    events = orders.rename(columns={"ordered_at": "occurred_at"}).drop(columns="order_id")
    expected = mix(period=period, by="country").drop(columns=[*MIX[6:-1], "interval"])
    for table in (orders, events, tables.load_events(events, as_of=AS_OF, columns={"country": "country"})):
        found = purchases.first_and_returning(table, as_of=AS_OF, period=period, by="country")
        assert set(found.pop("interval")) == {"linearised by customer 95 %"}
        pd.testing.assert_frame_equal(found, expected)
        word = "Orders" if table is orders else "Events"
        assert found.attrs["definition"].startswith(f"{word} classed by their rank")
    for table in (orders, events):
        alone = purchases.first_and_returning(table, as_of=AS_OF, period=period)
        pd.testing.assert_frame_equal(alone[MIX[:6]], mix(period=period)[MIX[:6]])


def test_mix_by_month_by_hand() -> None:
    found = mix(period="month")
    january, february, march, april = (rows for _, rows in found.groupby("period"))
    counted = ["order_type", "customers", "orders", "revenue"]
    assert january[counted].to_numpy().tolist() == [["first", 2, 2, 35], ["returning", 1, 1, 30]]
    assert february[counted].to_numpy().tolist() == [["first", 2, 2, 60], ["returning", 1, 1, 25]]
    # In March eva's free order is all there is: no revenue to have a share of, and nobody returned.
    assert march[counted].to_numpy().tolist() == [["first", 1, 1, 0], ["returning", 0, 0, 0]]
    assert march["revenue_share"].isna().all()
    assert march["average_order_value"].fillna(-1).tolist() == [0, -1]
    assert april[counted].to_numpy().tolist() == [["first", 1, 1, 25], ["returning", 3, 3, 122.5]]


def test_shape_of_the_mix() -> None:
    found = mix(period="quarter", by=["country", "channel"])
    assert found.columns.tolist() == ["period", "country", "channel", *MIX]
    assert found["period"].dtype == "datetime64[us]"
    assert found[["order_type", "interval"]].dtypes.tolist() == ["str", "str"]
    assert set(found[["customers", "orders"]].dtypes) == {np.dtype("int64")}
    assert set(found[[*MIX[3:-1]]].dtypes) == {np.dtype("float64")}
    assert found.index.equals(pd.RangeIndex(len(found)))
    keys = ["period", "country", "channel", "order_type"]
    assert found[keys].equals(found[keys].sort_values(keys))
    assert set(found["interval"]) == {"linearised by customer 95 %; spend t 95 %"}
    assert found.attrs["definition"] == (
        "Orders classed by their rank in the customer's history: the first, or a later (returning) one."
    )
    assert found.attrs["as_of"] == "2024-05-01"


def test_a_month_without_an_order_is_a_row_of_nothing_and_one_still_running_is_none() -> None:
    table = shop(("a", "2024-01-05", 5.0), ("a", "2024-03-10", 7.0), ("b", "2024-04-02", 1.0))
    found = purchases.first_and_returning(table, as_of="2024-04-15", period="month")
    assert found["period"].dt.month.tolist() == [1, 1, 2, 2, 3, 3]
    assert found["revenue"].tolist() == [5, 0, 0, 0, 0, 7]
    assert found["revenue_share"].fillna(-1).tolist() == [1, 0, -1, -1, 0, 1]
    assert found["orders"].tolist() == [1, 0, 0, 0, 0, 1]


def test_no_complete_period_is_an_empty_frame_of_the_same_columns() -> None:
    for by in (None, "country"):
        orders = datasets.tiny_orders().iloc[:2]
        found = purchases.first_and_returning(orders, as_of="2024-01-25", period="month", by=by)
        assert found.empty
        assert found.dtypes.to_dict() == mix(period="month", by=by).dtypes.to_dict()


def test_nobody_returned_is_a_share_of_nothing() -> None:
    found = purchases.first_and_returning(shop(("a", "2024-01-05", 5.0)), as_of="2024-02-01")
    assert found[["customers", "orders", "revenue", "revenue_share"]].to_numpy().tolist() == [
        [1, 1, 5, 1],
        [0, 0, 0, 0],
    ]
    assert found[["low", "high", "spend_low", "spend_high"]].isna().all(axis=None)


def test_of_two_orders_at_one_moment_one_is_the_first() -> None:
    rows = [("a", "2024-01-05", 5.0, "o2"), ("a", "2024-01-05", 7.0, "o1")]
    for given_rows in (rows, rows[::-1]):
        table = shop(*given_rows, columns="customer_id ordered_at amount order_id")
        by_id = purchases.first_and_returning(table, as_of="2024-02-01")
        assert by_id["revenue"].tolist() == [7, 5]
        by_amount = purchases.first_and_returning(table.drop(columns="order_id"), as_of="2024-02-01")
        assert by_amount["revenue"].tolist() == [5, 7]


def test_customers_who_all_spend_the_same_have_no_bounds() -> None:
    table = pd.DataFrame({"customer_id": range(7), "ordered_at": "2024-01-05", "amount": 0.1})
    found = purchases.first_and_returning(table, as_of="2024-02-01").iloc[0]
    assert found["spend_per_customer"] == pytest.approx(0.1)
    bounds = ["low", "high", "order_value_low", "order_value_high", "spend_low", "spend_high"]
    assert found[bounds].isna().all()


def test_a_customer_without_a_value_is_a_group_of_its_own() -> None:
    orders = datasets.tiny_orders()
    orders.loc[orders["customer_id"] == "ana", "country"] = None
    last = repeat_of(orders)
    assert pd.isna(last["country"])
    assert last[["customers", "repeat_customers", "orders"]].tolist() == [1, 1, 4]
    found = purchases.first_and_returning(orders, as_of=AS_OF, by="country", period="month")
    nameless = found[found["country"].isna()]
    assert nameless["orders"].tolist() == [1, 1, 0, 1, 0, 0, 0, 1]  # first, returning of January to April


def repeat_of(orders: pd.DataFrame) -> pd.Series:
    return purchases.repeat_purchase_rate(orders, as_of=AS_OF, by="country").iloc[-1]


# -- against a plain count of customers ---------------------------------------

FIRST = dt.datetime(2023, 12, 20)
order = st.tuples(
    st.sampled_from("abcde"), st.integers(0, 24 * 90), st.integers(0, 900), st.sampled_from(["x", "y", None])
)
orders = st.lists(order, min_size=1, max_size=25, unique_by=lambda row: row[:2])


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


def of_customers(table: pd.DataFrame, kind: str) -> dict[str, float]:
    """The row of one group, from one pair of sums a customer."""
    all_of = table.groupby("customer_id")["amount"].sum()
    own = table[table["kind"] == kind].groupby("customer_id")["amount"].agg(["sum", "size"])
    money = own["sum"].reindex(all_of.index, fill_value=0)
    row = {"customers": len(own), "orders": own["size"].sum(), "revenue": own["sum"].sum()}
    low, high = linearised(money, all_of)
    row |= {"low": np.clip(low, 0, 1), "high": np.clip(high, 0, 1)}
    times = table.groupby("customer_id").size()
    low, high = linearised(own["size"].reindex(times.index, fill_value=0), times)
    row |= {"order_share": len(table[table["kind"] == kind]) / len(table) if len(table) else np.nan}
    row |= {"order_share_low": np.clip(low, 0, 1), "order_share_high": np.clip(high, 0, 1)}
    row["order_value_low"], row["order_value_high"] = linearised(own["sum"], own["size"])
    row["spend_low"], row["spend_high"] = linearised(own["sum"], own["size"] * 0 + 1)
    return row


def linearised(y: pd.Series, x: pd.Series) -> tuple[float, float]:
    """The ratio of two sums and its bounds, from each customer's residual."""
    if len(x) < 2 or x.sum() == 0:
        return np.nan, np.nan
    ratio = y.sum() / x.sum()
    residuals = y - ratio * x
    if np.allclose(residuals, 0, atol=1e-9):
        return np.nan, np.nan
    half = stats.t.ppf(0.975, len(x) - 1) * np.sqrt(len(x)) * residuals.std(ddof=1) / x.sum()
    return ratio - half, ratio + half


@pytest.mark.parametrize("period", [None, "week", "month"])
@pytest.mark.parametrize("by", [None, "group"])
@settings(max_examples=10)
@given(rows=orders, days=st.integers(1, 95))
def test_mix_is_that_of_a_count_by_customer(
    period: str | None, by: str | None, rows: list[tuple], days: int
) -> None:
    end = FIRST + dt.timedelta(days=days, hours=5)
    table = as_frame([("a", 0, 500, "x"), *[row for row in rows if row[:2] != ("a", 0)]])
    found = purchases.first_and_returning(believed(table, end), period=period, by=by)

    seen = table[table["ordered_at"] < end].sort_values("ordered_at")
    first = ~seen.duplicated("customer_id")
    seen = seen.assign(kind=np.where(first, "first", "returning"))
    seen["born"] = seen.groupby("customer_id")["group"].transform(lambda group: group.iloc[0])
    for row in found.itertuples():
        part = seen
        if period:
            numbers = part["ordered_at"].map(lambda moment: periods.index_of(moment, period))
            part = part[numbers == periods.index_of(row.period, period)]
        if by:
            part = part[part["born"].isna() if pd.isna(row.group) else part["born"] == row.group]
        for name, value in of_customers(part, row.order_type).items():
            np.testing.assert_allclose(getattr(row, name), value, rtol=1e-6, atol=1e-8, err_msg=name)
    assert_identities(found, seen, period, by, end)


def assert_identities(
    found: pd.DataFrame, seen: pd.DataFrame, period: str | None, by: str | None, end: dt.datetime
) -> None:
    """Shares add up to 1, money and orders to those of all periods that are over."""
    if period:
        numbers = seen["ordered_at"].map(lambda moment: periods.index_of(moment, period))
        seen = seen[numbers < periods.index_of(end, period)]
    assert found["orders"].sum() == len(seen)
    assert found["revenue"].sum() == pytest.approx(seen["amount"].sum())
    keys = [*(["period"] if period else []), *([by] if by else [])]
    groups = found.groupby(keys, dropna=False) if keys else [(None, found)]
    for _, group in groups:
        assert group["order_type"].tolist() == ["first", "returning"]
        if group["orders"].sum() > 0:
            assert group["order_share"].sum() == pytest.approx(1)
        if group["revenue"].sum() > 0:
            assert group["revenue_share"].sum() == pytest.approx(1)


@pytest.mark.parametrize("by", [None, "group"])
@settings(max_examples=15)
@given(rows=orders, days=st.integers(1, 95))
def test_repeat_rate_is_that_of_loops(by: str | None, rows: list[tuple], days: int) -> None:
    end = FIRST + dt.timedelta(days=days, hours=5)
    rows = [("a", 0, 500, "x"), *[row for row in rows if row[:2] != ("a", 0)]]
    frame = purchases.repeat_purchase_rate(believed(as_frame(rows), end), by=by)
    orders_of, group_of = defaultdict(int), {}
    for who, hours, _, group in sorted(rows, key=lambda row: row[1]):
        if FIRST + dt.timedelta(hours=hours) < end:
            orders_of[who] += 1
            group_of.setdefault(who, group if by else None)
    expected = defaultdict(lambda: [0, 0, 0])
    for who, count in orders_of.items():
        for position, number in enumerate((1, int(count >= 2), count)):
            expected[group_of[who]][position] += number
    names = frame["group"].astype(object).where(frame["group"].notna(), None) if by else [None]
    counts = frame[["customers", "repeat_customers", "orders"]].to_numpy().tolist()
    assert dict(zip(names, counts, strict=True)) == dict(expected)
    assert frame["repeat_purchase_rate"].equals(frame["repeat_customers"] / frame["customers"])


@pytest.mark.parametrize("by", [None, "group"])
@settings(max_examples=15)
@given(rows=orders, begins=st.integers(0, 60), lasts=st.integers(1, 40))
def test_both_rates_of_a_window_are_those_of_sets(
    by: str | None, rows: list[tuple], begins: int, lasts: int
) -> None:
    rows = [("a", 0, 500, "x"), *[row for row in rows if row[:2] != ("a", 0)]]
    start = FIRST + dt.timedelta(days=begins)
    end = start + dt.timedelta(days=lasts, hours=5)
    seen = [row for row in rows if FIRST + dt.timedelta(hours=row[1]) < end]
    in_window = [row for row in seen if FIRST + dt.timedelta(hours=row[1]) >= start]
    group_of = {who: group if by else None for who, _, _, group in sorted(seen, key=lambda row: -row[1])}
    buyers = {row[0] for row in in_window}
    twice = {who for who in buyers if sum(row[0] == who for row in in_window) >= 2}
    ever_twice = {who for who in buyers if sum(row[0] == who for row in seen) >= 2}

    loaded = believed(as_frame(rows), end)
    repeat_found = purchases.repeat_purchase_rate(loaded, start=start, by=by)
    returning_found = purchases.returning_customer_rate(loaded, start=start, by=by)
    for frame, chosen, column in (
        (repeat_found, twice, "repeat_customers"),
        (returning_found, ever_twice, "returning_customers"),
    ):
        expected = {
            group: [
                sum(group_of[who] == group for who in buyers),
                sum(group_of[who] == group for who in chosen),
                sum(group_of[row[0]] == group for row in in_window),
            ]
            for group in {group_of[who] for who in buyers}
        }
        names = [None if pd.isna(name) else name for name in frame[by]] if by else [None] * len(frame)
        counts = frame[["customers", column, "orders"]].to_numpy().tolist()
        assert dict(zip(names, counts, strict=True)) == expected
    assert (
        returning_found["returning_customer_rate"] >= repeat_found["repeat_purchase_rate"]
    ).all()  # by construction


def waits_of(rows: list[tuple], end: dt.datetime) -> dict[str, tuple]:
    """Of each customer seen: the first moment, and the second or None."""
    moments = defaultdict(list)
    for who, hours, _, _ in rows:
        if FIRST + dt.timedelta(hours=hours) < end:
            moments[who].append(FIRST + dt.timedelta(hours=hours))
    return {who: (*sorted(own)[:2], None)[:2] for who, own in moments.items()}


@pytest.mark.parametrize("period", ["week", "month"])
@settings(max_examples=15)
@given(rows=orders, days=st.integers(1, 95), lengths=st.sets(st.integers(1, 40), min_size=1, max_size=3))
def test_repeat_within_is_that_of_loops(period: str, rows: list[tuple], days: int, lengths: set[int]) -> None:
    end = FIRST + dt.timedelta(days=days, hours=5)
    rows = [("a", 0, 500, "x"), *[row for row in rows if row[:2] != ("a", 0)]]
    expected = {}
    for first, second in waits_of(rows, end).values():
        cohort = periods.index_of(first, period)
        over = periods.start_of(cohort + 1, period)
        for length in sorted(lengths):
            span = dt.timedelta(days=length)
            if over + span <= end:
                cell = expected.setdefault((periods.start_of(cohort, period), length), [0, 0])
                cell[0] += 1
                cell[1] += second is not None and second - first < span
    found = purchases.repeat_within(believed(as_frame(rows), end), days=list(lengths), period=period)
    counts = found[["customers", "repeat_customers"]].to_numpy().tolist()
    assert dict(zip(zip(found["cohort"], found["days"], strict=True), counts, strict=True)) == expected


@settings(max_examples=15)
@given(rows=orders, days=st.integers(1, 95))
def test_time_to_second_order_is_that_of_loops(rows: list[tuple], days: int) -> None:
    end = FIRST + dt.timedelta(days=days, hours=5)
    rows = [("a", 0, 500, "x"), *[row for row in rows if row[:2] != ("a", 0)]]
    people = []
    for first, second in waits_of(rows, end).values():
        observed = (end - first) // dt.timedelta(days=1)
        day = None if second is None else (second - first) // dt.timedelta(days=1) + 1
        people.append((day, True) if day is not None and day <= observed else (observed, False))
    share = 1.0
    expected = []
    for day in sorted({0, *(day for day, _ in people)}):
        at_risk = sum(other >= day for other, _ in people)
        back = sum(other == day and event for other, event in people)
        share *= 1 - back / at_risk
        expected.append([day, at_risk, back, share])
    curve = purchases.time_to_second_order(believed(as_frame(rows), end))
    found = curve[["duration", "at_risk", "events", "survival"]].to_numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)


# -- messages -----------------------------------------------------------------


def asked(question) -> str:
    with pytest.raises(RetentionKitError) as error:
        question()
    return str(error.value)


def test_a_missing_as_of() -> None:
    message = "orders needs as_of, the first moment not observed. Type as_of='2024-05-04' for all rows."
    assert asked(lambda: purchases.repeat_purchase_rate(datasets.tiny_orders())) == message
    assert asked(lambda: purchases.first_and_returning(datasets.tiny_orders())) == message


def test_an_unknown_period() -> None:
    assert asked(lambda: mix(period="fortnight")) == (
        "period 'fortnight' is not known. "
        "Choose one of ['day', 'week', 'week_saturday', 'week_sunday', 'month', 'quarter', 'year']."
    )


def test_a_start_that_is_none() -> None:
    for noun in (repeat, returning):
        assert asked(lambda noun=noun: noun(start="2024-05-01")) == (
            "start 2024-05-01 is not before as_of 2024-05-01. Give an earlier start."
        )
        assert asked(lambda noun=noun: noun(start="soon")) == (
            "start 'soon' is no date without a time zone. Type one as start='2024-01-01'."
        )


def test_lengths_that_are_none() -> None:
    hint = "Type days=(30, 60, 90)."
    assert asked(lambda: within(days=[30, 0])) == f"days holds 0, which is no whole number from 1. {hint}"
    assert asked(lambda: within(days=7.5)) == f"days holds 7.5, which is no whole number from 1. {hint}"
    assert asked(lambda: within(days="30")) == f"days holds '30', which is no whole number from 1. {hint}"
    assert asked(lambda: within(days=[])) == f"days is empty. {hint}"


def test_a_group_named_like_a_result() -> None:
    message = "by='orders' is a column of the result already. Give yours another name, such as 'by_orders'."
    table = datasets.tiny_orders().assign(orders="x")
    assert asked(lambda: purchases.repeat_purchase_rate(table, as_of=AS_OF, by="orders")) == message
    assert asked(lambda: purchases.first_and_returning(table, as_of=AS_OF, by="orders")) == message
    own = datasets.tiny_orders().assign(first_at="x")
    for noun in (purchases.repeat_within, purchases.time_to_second_order, purchases.returning_customer_rate):
        assert asked(lambda noun=noun: noun(own, as_of=AS_OF, by="first_at")).startswith("by='first_at' is")


# -- published data -----------------------------------------------------------


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
    row = purchases.repeat_purchase_rate(loaded).iloc[0]
    assert row[["customers", "repeat_customers", "orders"]].tolist() == [4338, 2845, 18532]
    assert round(row["repeat_purchase_rate"], 8) == 0.65583218
    found = purchases.first_and_returning(loaded)
    assert found["orders"].tolist() == [4338, 18532 - 4338]
    assert found["revenue"].sum() == pytest.approx(8911407.90)
    monthly = purchases.first_and_returning(loaded, period="month").groupby("period")
    assert monthly["revenue"].sum().round(2).tolist() == [
        572713.89, 569445.04, 447137.35, 595500.76, 469200.36, 678594.56,
        661213.69, 600091.01, 645343.90, 952838.38, 1039318.79, 1161817.38,
    ]  # fmt: skip
    assert monthly["orders"].sum().tolist() == [
        1400, 987, 997, 1321, 1149, 1555, 1393, 1331, 1280, 1755, 1929, 2657,
    ]  # fmt: skip


def cdnow_lines(data_folder: Path, name: str) -> list[str]:
    with gzip.open(data_folder / "cdnow" / f"CDNOW_{name}.txt.gz", "rt") as lines:
        return [line for line in lines if line.strip() and line.split()[-3].isdigit()]


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "part"), [("master", "master"), ("sample", "sample_1_in_10")])
def test_cdnow(data_folder: Path, name: str, part: str) -> None:
    facts = json.loads((data_folder / "cdnow" / "facts.json").read_text())[part]
    rows = [line.split() for line in cdnow_lines(data_folder, name)]
    frame = pd.DataFrame({"customer_id": [row[0] for row in rows], "ordered_at": [row[-3] for row in rows]})
    orders = frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"], format="%Y%m%d"))
    row = purchases.repeat_purchase_rate(orders, as_of="1998-07-01").iloc[0]
    assert row[["customers", "repeat_customers", "orders"]].tolist() == [
        facts["customers"], facts["repeat_customers"], facts["rows"],
    ]  # fmt: skip
    assert round(row["repeat_purchase_rate"], 8) == facts["repeat_rate"]
    # All began in the first quarter of 1997 and were watched for 15 months: nobody is censored before.
    curve = purchases.time_to_second_order(orders, as_of="1998-07-01")
    assert curve["events"].sum() == facts["repeat_customers"]
    assert curve.loc[curve["censored"] > 0, "duration"].min() >= 455
