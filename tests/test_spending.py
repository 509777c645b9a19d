"""Spending: by hand, against plain loops customer by customer, and by simulation."""

import datetime as dt
import math

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from retention_kit import datasets, intervals, purchases, spending, tables
from retention_kit.exceptions import DataError, ParamsError, RetentionKitError

AS_OF = datasets.TINY_AS_OF
SPENT = [
    *("customers", "orders", "revenue", "spend_per_customer", "spend_sd", "low", "high", "interval"),
]
COMPARED = [
    *("customers", "new_customers", "returning_customers", "returning_orders", "new_spend"),
    *("returning_spend", "spend_ratio", "low", "high"),
    *("returning_order_value", "order_value_ratio", "order_value_low", "order_value_high", "interval"),
]


def spend(**how) -> pd.DataFrame:
    return spending.spend_per_customer(datasets.tiny_orders(), as_of=AS_OF, **how)


def ratio(**how) -> pd.DataFrame:
    return spending.spend_ratio(datasets.tiny_orders(), as_of=AS_OF, **how)


def shop(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])


# -- spend per customer -------------------------------------------------------


def test_spend_by_hand() -> None:
    # ana 115, ben 15, cleo 110, dan 10, eva 22.50, finn 25.
    row = spend().iloc[0]
    assert row[["customers", "orders", "revenue"]].tolist() == [6, 11, 297.5]
    assert row["spend_per_customer"] == 297.5 / 6
    sd = np.std([115, 15, 110, 10, 22.5, 25], ddof=1)
    assert row["spend_sd"] == pytest.approx(sd)
    assert (row["low"], row["high"]) == pytest.approx(intervals.mean(297.5 / 6, sd, 6))
    assert row["interval"] == "t 95 %"


def test_spend_in_a_window_by_hand() -> None:
    # From April on ana spends 40, cleo 60, eva 22.50, finn 25; the others are no buyers of April.
    row = spend(start="2024-04-01").iloc[0]
    assert row[["customers", "orders", "revenue"]].tolist() == [4, 4, 147.5]
    assert spend(start="2024-04-01").attrs["definition"] == (
        "Revenue of orders from 1 April 2024 on, over the customers who placed them."
    )


def test_those_who_spent_nothing_count_where_customers_are_given() -> None:
    # The control group's two customers spent 40 and nothing; the test group's spent 60, 15 and 25.
    groups = pd.DataFrame(
        {
            "customer_id": ["ana", "gus", "cleo", "ben", "finn"],
            "group": ["control", "control", "test", "test", "test"],
        }
    )
    found = spend(start="2024-04-01", customers=groups, by="group")
    assert found[["group", "customers", "orders", "revenue"]].to_numpy().tolist() == [
        ["control", 2, 1, 40], ["test", 3, 2, 85],
    ]  # fmt: skip
    assert found["spend_per_customer"].tolist() == [40 / 2, 85 / 3]
    assert found["spend_sd"].tolist() == pytest.approx([np.std([40, 0], ddof=1), np.std([60, 0, 25], ddof=1)])
    assert found.attrs["definition"] == (
        "Revenue of orders from 1 April 2024 on, over all customers listed, with or without one."
    )
    # eva bought in April, and is on no list.
    assert found.attrs["notes"] == ["Customers with orders who are not among those listed are left out: 1."]


def test_customers_may_be_loaded_a_frame_or_on_another_engine() -> None:
    listed = datasets.tiny_customers()
    answer = spend(customers=listed, by="segment")
    loaded = tables.load_customers(listed)
    elsewhere = ibis.duckdb.connect().create_table("listed", listed)
    for given_as in (loaded, elsewhere, tables.load_customers(elsewhere)):
        pd.testing.assert_frame_equal(spend(customers=given_as, by="segment"), answer)
    assert answer["customers"].sum() == len(listed)
    assert answer["revenue"].sum() == 297.5


def test_a_group_that_customers_do_not_know_is_that_of_the_first_order() -> None:
    listed = pd.DataFrame({"customer_id": ["ana", "ben", "zoe"], "tier": ["x", "x", "y"]})
    found = spend(customers=listed, by=["tier", "country"])
    assert found[["tier", "country", "customers", "revenue"]].fillna("").to_numpy().tolist() == [
        ["x", "Austria", 1, 115], ["x", "Germany", 1, 15], ["y", "", 1, 0],
    ]  # fmt: skip


def test_numbers_as_ids_find_their_customers() -> None:
    orders = pd.DataFrame({"customer_id": [1, 2], "ordered_at": "2024-01-05", "amount": [3.0, 5.0]})
    listed = pd.DataFrame({"customer_id": [1, 2, 3]})
    found = spending.spend_per_customer(orders, as_of="2024-02-01", customers=listed)
    assert found[["customers", "orders", "revenue"]].to_numpy().tolist() == [[3, 2, 8]]
    assert found.attrs["notes"] == []


def test_shape_of_spend() -> None:
    found = spend(by=["country", "channel"])
    assert found.columns.tolist() == ["country", "channel", *SPENT]
    kinds = ["str", "str", "int64", "int64", *["float64"] * 5, "str"]
    assert found.dtypes.astype(str).tolist() == kinds
    keys = ["country", "channel"]
    assert found[keys].equals(found[keys].sort_values(keys))
    assert found.attrs["as_of"] == "2024-05-01"


def test_nobody_in_the_window_is_no_row() -> None:
    orders = shop(("a", "2024-01-05", 5.0), ("b", "2024-01-06", 5.0))
    for how in ({}, {"by": "customer_kind"}):
        table = orders.assign(customer_kind="x")
        found = spending.spend_per_customer(table, start="2024-01-20", as_of="2024-02-01", **how)
        assert found.empty
        full = spending.spend_per_customer(table, as_of="2024-02-01", **how)
        assert found.dtypes.to_dict() == full.dtypes.to_dict()


def test_one_customer_and_customers_alike_have_no_bounds() -> None:
    one = spending.spend_per_customer(shop(("a", "2024-01-05", 5.0)), as_of="2024-02-01").iloc[0]
    assert one["spend_per_customer"] == 5
    alike = shop(("a", "2024-01-05", 0.1), ("b", "2024-01-05", 0.1), ("c", "2024-01-05", 0.1))
    same = spending.spend_per_customer(alike, as_of="2024-02-01").iloc[0]
    for row in (one, same):
        assert row[["low", "high"]].isna().all()


# -- returning against new ----------------------------------------------------


def test_ratio_by_hand() -> None:
    # First orders 10, 30, 20 of three: 20 each. Later ones of a 20 and 10, of b 20: 25 each of two.
    orders = shop(
        ("a", "2024-01-01", 10), ("a", "2024-01-03", 20), ("a", "2024-01-04", 10),
        ("b", "2024-01-01", 30), ("b", "2024-01-02", 20), ("c", "2024-01-05", 20),
    )  # fmt: skip
    row = spending.spend_ratio(orders, as_of="2024-02-01").iloc[0]
    counts = row[["customers", "new_customers", "returning_customers", "returning_orders"]]
    assert counts.tolist() == [3, 3, 2, 3]
    assert row[["new_spend", "returning_spend", "returning_order_value"]].tolist() == [60 / 3, 50 / 2, 50 / 3]
    assert row["spend_ratio"] == pytest.approx(25 / 20)
    assert row["order_value_ratio"] == pytest.approx(50 / 3 / 20)
    # Each customer's part: returning money / 50 - 1 / 2 if returning - first money / 60 + 1 / 3.
    parts = [30 / 50 - 1 / 2 - 10 / 60 + 1 / 3, 20 / 50 - 1 / 2 - 30 / 60 + 1 / 3, -20 / 60 + 1 / 3]
    assert sum(parts) == pytest.approx(0)
    # Two customers returned: variance times 2 / (2 - 1), t with one degree of freedom.
    half = stats.t.ppf(0.975, 1) * math.sqrt(2 * sum(part**2 for part in parts))
    assert row[["low", "high"]].tolist() == pytest.approx([1.25 * math.exp(-half), 1.25 * math.exp(half)])
    assert row["interval"] == "linearised by customer 95 %, on logs"


def test_ratio_of_the_tiny_shop_by_hand() -> None:
    row = ratio().iloc[0]
    assert row["new_spend"] == 120 / 6
    assert row["returning_spend"] == 177.5 / 3
    assert row["spend_ratio"] == pytest.approx((177.5 / 3) / (120 / 6))
    assert row["order_value_ratio"] == pytest.approx((177.5 / 5) / (120 / 6))


def test_ratio_in_a_window_by_hand() -> None:
    # From April on finn is new (25); ana (40), cleo (60) and eva (22.50) had ordered before.
    row = ratio(start="2024-04-01").iloc[0]
    assert row[["customers", "new_customers", "returning_customers"]].tolist() == [4, 1, 3]
    assert row["spend_ratio"] == pytest.approx((122.5 / 3) / 25)
    assert row[["low", "high"]].isna().all()  # one new customer: nothing to judge from


def test_the_two_spends_are_those_of_first_and_returning() -> None:
    by = ["country", "channel"]
    found = ratio(by=by)
    mix = purchases.first_and_returning(datasets.tiny_orders(), as_of=AS_OF, by=by)
    first, returning = (
        mix[mix["order_type"] == kind].reset_index(drop=True) for kind in ("first", "returning")
    )
    assert found["new_spend"].equals(first["spend_per_customer"])
    assert found["returning_spend"].equals(returning["spend_per_customer"])
    assert found["returning_order_value"].equals(returning["average_order_value"])
    assert found["returning_customers"].equals(returning["customers"])


def test_shape_of_the_ratio() -> None:
    found = ratio(by="country")
    assert found.columns.tolist() == ["country", *COMPARED]
    kinds = ["str", *["int64"] * 4, *["float64"] * 9, "str"]
    assert found.dtypes.astype(str).tolist() == kinds
    assert found.attrs["definition"] == (
        "Spend of a returning customer over that of a new one, on orders in the history: later orders per "
        "customer who placed one, over first orders per customer who placed one."
    )


def test_nobody_returned_or_all_was_free() -> None:
    once = spending.spend_ratio(shop(("a", "2024-01-05", 5.0)), as_of="2024-02-01").iloc[0]
    assert once[["customers", "new_customers", "returning_customers"]].tolist() == [1, 1, 0]
    assert once[["spend_ratio", "low", "high", "order_value_ratio"]].isna().all()
    free = shop(
        ("a", "2024-01-05", 0), ("a", "2024-01-06", 5), ("b", "2024-01-05", 0), ("b", "2024-01-06", 5)
    )
    row = spending.spend_ratio(free, as_of="2024-02-01").iloc[0]
    assert row[["new_spend", "returning_spend"]].tolist() == [0, 5]
    assert row[["spend_ratio", "low", "high"]].isna().all()
    later_free = spending.spend_ratio(
        free.assign(amount=free["amount"].iloc[::-1].to_numpy()), as_of="2024-02-01"
    ).iloc[0]
    assert later_free["spend_ratio"] == 0
    assert later_free[["low", "high"]].isna().all()


def test_nobody_in_the_window_has_no_ratio() -> None:
    orders = shop(("a", "2024-01-05", 5.0)).assign(kind="x")
    for by in (None, "kind"):
        found = spending.spend_ratio(orders, start="2024-01-20", as_of="2024-02-01", by=by)
        assert found.empty
        full = spending.spend_ratio(orders, as_of="2024-02-01", by=by)
        assert found.dtypes.to_dict() == full.dtypes.to_dict()


@pytest.mark.parametrize(("first", "later"), [(1, 3), (0.1, 0.3), (7.3, 21.9), (1e6 / 3, 1e6)])
def test_customers_who_do_not_differ_have_no_bounds(first: float, later: float) -> None:
    rows = [
        (who, day, amount)
        for who in "abcdefg"
        for day, amount in (("2024-01-05", first), ("2024-01-06", later))
    ]
    row = spending.spend_ratio(shop(*rows), as_of="2024-02-01").iloc[0]
    assert row["spend_ratio"] == pytest.approx(3)
    assert row[["low", "high", "order_value_low", "order_value_high"]].isna().all()


# -- against plain loops ------------------------------------------------------

FIRST = dt.datetime(2024, 1, 1)
order = st.tuples(
    st.sampled_from("abcdef"), st.integers(0, 24 * 60), st.integers(0, 900), st.sampled_from(["x", "y", None])
)
orders = st.lists(order, min_size=1, max_size=25, unique_by=lambda row: row[:2])


def as_frame(rows: list[tuple]) -> pd.DataFrame:
    who, hours, cents, group = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "customer_id": who,
            "ordered_at": pd.Series([FIRST + dt.timedelta(hours=h) for h in hours], dtype="datetime64[us]"),
            "amount": [c / 100 for c in cents],
            "group": pd.Series(group, dtype="str"),
        }
    )


def in_groups(rows: list[tuple], start_hour: int, by: str | None) -> dict:
    """Of each group the customers of the window: their first order, if it lies there, and later ones."""
    people: dict = {}
    for who in {row[0] for row in rows}:
        own = sorted((row for row in rows if row[0] == who), key=lambda row: row[1])
        first, later = own[0], own[1:]
        new = [first[2] / 100] if first[1] >= start_hour else []
        again = [row[2] / 100 for row in later if row[1] >= start_hour]
        if new or again:
            people.setdefault(first[3] if by else None, []).append((new, again))
    return people


def named(frame: pd.DataFrame, by: str | None) -> list:
    return [None if pd.isna(name) else name for name in frame[by]] if by else [None]


@pytest.mark.parametrize("by", [None, "group"])
@settings(max_examples=15)
@given(rows=orders, start_hour=st.integers(0, 24 * 40))
def test_spend_is_that_of_loops(by: str | None, rows: list[tuple], start_hour: int) -> None:
    rows = [*rows, ("z", 24 * 50, 100, "x")]
    start = FIRST + dt.timedelta(hours=start_hour)
    found = spending.spend_per_customer(as_frame(rows), as_of="2024-03-05", start=start, by=by)
    expected = in_groups(rows, start_hour, by)
    assert set(named(found, by)) == set(expected)
    for name, row in zip(named(found, by), found.itertuples(), strict=True):
        sums = [sum(new) + sum(again) for new, again in expected[name]]
        assert (row.customers, row.orders) == (len(sums), sum(len(n) + len(a) for n, a in expected[name]))
        assert row.revenue == pytest.approx(sum(sums))
        assert row.spend_per_customer == pytest.approx(np.mean(sums))
        if len(sums) > 1:
            assert row.spend_sd == pytest.approx(np.std(sums, ddof=1), abs=1e-9)


@pytest.mark.parametrize("by", [None, "group"])
@settings(max_examples=15)
@given(rows=orders, start_hour=st.integers(0, 24 * 40))
def test_ratio_is_that_of_loops(by: str | None, rows: list[tuple], start_hour: int) -> None:
    rows = [*rows, ("z", 24 * 50, 100, "x")]
    start = FIRST + dt.timedelta(hours=start_hour)
    found = spending.spend_ratio(as_frame(rows), as_of="2024-03-05", start=start, by=by)
    expected = in_groups(rows, start_hour, by)
    assert set(named(found, by)) == set(expected)
    for name, row in zip(named(found, by), found.itertuples(), strict=True):
        people = expected[name]
        new, again = [n for n, _ in people if n], [a for _, a in people if a]
        counts = (row.customers, row.new_customers, row.returning_customers, row.returning_orders)
        assert counts == (len(people), len(new), len(again), sum(map(len, again)))
        spent_new, spent_again = sum(map(sum, new)), sum(map(sum, again))
        if not (spent_new and again):
            assert math.isnan(row.spend_ratio)
            continue
        quotient = (spent_again / len(again)) / (spent_new / len(new))
        assert row.spend_ratio == pytest.approx(quotient, abs=1e-9)
        if min(len(new), len(again)) < 2 or not spent_again:
            assert math.isnan(row.low)
            continue
        parts = [
            sum(a) / spent_again - bool(a) / len(again) - sum(n) / spent_new + bool(n) / len(new)
            for n, a in people
        ]
        fewest = min(len(new), len(again))
        error = math.sqrt(fewest / (fewest - 1) * sum(part**2 for part in parts))
        if error > 1e-5:
            half = stats.t.ppf(0.975, fewest - 1) * error
            assert row.low == pytest.approx(quotient * math.exp(-half), rel=1e-5)
            assert row.high == pytest.approx(quotient * math.exp(half), rel=1e-5)


def test_bounds_of_the_ratio_hold_the_truth_as_often_as_they_say() -> None:
    """150 customers, 40 % return; who spends much at first does so again. 95 % within simulation error."""
    random = np.random.default_rng(11)
    rounds, size = 400, 150
    taste = random.normal(0, 0.6, (rounds, size))
    first = np.exp(taste + random.normal(0, 0.4, (rounds, size)))
    again = 1.5 * np.exp(taste + random.normal(0, 0.4, (rounds, size)))
    returns = random.random((rounds, size)) < 0.4
    who, number = np.arange(rounds * size), np.repeat(np.arange(rounds), size)
    back = returns.ravel()
    frame = pd.DataFrame(
        {
            "customer_id": np.concatenate([who, who[back]]),
            "ordered_at": pd.to_datetime(
                np.where(np.arange(len(who) + back.sum()) < len(who), "2024-01-01", "2024-01-09")
            ),
            "amount": np.concatenate([first.ravel(), again.ravel()[back]]),
            "round": np.concatenate([number, number[back]]),
        }
    )
    found = spending.spend_ratio(frame, as_of="2024-02-01", by="round")
    held = (found["low"] <= 1.5) & (found["high"] >= 1.5)
    assert 0.92 < held.mean() < 0.98


# -- messages -----------------------------------------------------------------


def asked(question) -> str:
    with pytest.raises(RetentionKitError) as error:
        question()
    return str(error.value)


def test_a_missing_amount() -> None:
    table = datasets.tiny_orders()[["customer_id", "ordered_at"]]
    message = (
        "orders is missing ['amount']. It has ['customer_id', 'ordered_at']. "
        "Map your names onto ours with columns={'amount': 'your_name'}."
    )
    assert asked(lambda: spending.spend_per_customer(table, as_of=AS_OF)) == message
    assert asked(lambda: spending.spend_ratio(table, as_of=AS_OF)) == message


def test_a_start_that_is_none() -> None:
    late = "start 2024-05-01 is not before as_of 2024-05-01. Give an earlier start."
    assert asked(lambda: spend(start="2024-05-01")) == late
    assert asked(lambda: ratio(start="2024-05-01")) == late
    with pytest.raises(ParamsError):
        spend(start="soon")


def test_customers_that_are_none() -> None:
    twice = pd.DataFrame({"customer_id": ["a", "a"], "group": ["test", "control"]})
    assert asked(lambda: spend(customers=twice, by="group")) == (
        "customers has more than one row for customer 'a'. Keep one row a customer, or filter with where=."
    )
    loaded = tables.load_orders(datasets.tiny_orders(), as_of=AS_OF)
    assert asked(lambda: spend(customers=loaded)) == "customers= needs customers, and it was given orders."


def test_a_group_that_is_nowhere_or_named_like_a_result() -> None:
    with pytest.raises(DataError, match=r"orders is missing \['tier'\]"):
        spend(customers=pd.DataFrame({"customer_id": ["ana"]}), by="tier")
    message = (
        "by='new_spend' is a column of the result already. Give yours another name, such as 'by_new_spend'."
    )
    assert asked(lambda: ratio(by="new_spend")) == message
    table = datasets.tiny_orders().assign(returning="x")
    with pytest.raises(DataError, match="by='returning' is a column"):
        spending.spend_ratio(table, as_of=AS_OF, by="returning")
