"""What metrics on buying share, by hand on the tiny shop; their own tests count it customer by customer."""

from dataclasses import replace

import ibis
import pandas as pd
import pytest

from retention_kit import buying, datasets, tables
from retention_kit.exceptions import ParamsError

COUNTED = ["orders", "revenue", "first_orders", "first_revenue", "returning_orders", "returning_revenue"]


@pytest.fixture
def loaded() -> tables.Loaded:
    return tables.orders(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF, columns=["amount", "country"])


def rows(table, *columns: str) -> list[list]:
    return table.order_by("customer_id").to_pandas()[list(columns)].to_numpy().tolist()


def elsewhere(frame: pd.DataFrame, *columns: str) -> tables.Loaded:
    """The same on an engine that is not the session's."""
    table = ibis.duckdb.connect().create_table("elsewhere", frame)
    return tables.orders(table, as_of=datasets.TINY_AS_OF, columns=columns)


def test_customers_by_hand(loaded: tables.Loaded) -> None:
    for orders in (loaded, elsewhere(datasets.tiny_orders(), "amount")):
        found = rows(buying.customers(orders), "customer_id", "orders", "revenue", "first_amount")
        assert found == [
            ["ana", 4, 115, 20], ["ben", 1, 15, 15], ["cleo", 2, 110, 50],
            ["dan", 1, 10, 10], ["eva", 2, 22.5, 0], ["finn", 1, 25, 25],
        ]  # fmt: skip


def test_customers_are_counted_once_a_table(loaded: tables.Loaded) -> None:
    assert buying.customers(loaded) is buying.customers(loaded)
    january = replace(loaded, table=loaded.table.filter(loaded.table.ordered_at < pd.Timestamp("2024-02-01")))
    assert buying.customers(january).count().execute() == 2


def test_of_orders_at_one_moment_the_smallest_id_is_the_first() -> None:
    moment = pd.Timestamp("2024-01-05")
    lines = [
        *[("a", moment, "o2", 5.0), ("a", moment, "o1", 7.0)],
        *[("b", moment, None, 3.0), ("b", moment, None, 2.0)],
        *[("c", moment, None, 3.0), ("c", moment, "o9", 4.0)],
    ]
    table = pd.DataFrame(lines, columns=["customer_id", "ordered_at", "order_id", "amount"])
    for frame in (table, table.iloc[::-1]):
        here = tables.orders(frame, as_of=datasets.TINY_AS_OF, columns=["amount"])
        for orders in (here, elsewhere(frame, "amount")):
            # Without ids it is the smallest amount, and one with an id goes before one without.
            firsts = rows(buying.customers(orders), "customer_id", "first_amount")
            assert firsts == [["a", 7], ["b", 2], ["c", 4]]
        nameless = tables.orders(
            frame.drop(columns="order_id"), as_of=datasets.TINY_AS_OF, columns=["amount"]
        )
        assert rows(buying.customers(nameless), "first_amount") == [[5], [2], [3]]


def test_sums_by_hand(loaded: tables.Loaded) -> None:
    found = rows(buying.sums_by_customer(loaded), *COUNTED)
    assert found[0] == [4, 115, 1, 20, 3, 95]  # ana
    assert found[4] == [2, 22.5, 1, 0, 1, 22.5]  # eva
    april = rows(buying.sums_by_customer(loaded, start="2024-04-01"), "customer_id", *COUNTED)
    assert april == [
        ["ana", 1, 40, 0, 0, 1, 40], ["cleo", 1, 60, 0, 0, 1, 60],
        ["eva", 1, 22.5, 0, 0, 1, 22.5], ["finn", 1, 25, 1, 25, 0, 0],
    ]  # fmt: skip
    of_ana = buying.sums_by_customer(loaded, period="month").filter(lambda t: t.customer_id == "ana")
    assert sorted(rows(of_ana, *COUNTED)) == [
        [1, 25, 0, 0, 1, 25], [1, 40, 0, 0, 1, 40], [2, 50, 1, 20, 1, 30],
    ]  # fmt: skip


def test_the_window_begins_with_its_first_moment(loaded: tables.Loaded) -> None:
    # cleo's first order is of the first moment of February.
    assert buying.since(loaded, "2024-02-01").count().execute() == 8
    assert buying.since(loaded, "2024-02-01 00:00:01").count().execute() == 7
    assert buying.since(loaded, None) is loaded.table
    cleo = buying.sums_by_customer(loaded, start="2024-02-01").filter(lambda t: t.customer_id == "cleo")
    assert rows(cleo, "first_orders", "returning_orders") == [[1, 1]]


def test_second_moments_by_hand(loaded: tables.Loaded) -> None:
    found = buying.second_moments(loaded).order_by("customer_id").to_pandas()
    assert found["second_at"].dt.strftime("%m-%d").fillna("").tolist() == [
        "01-20", "", "04-30", "", "04-11", "",
    ]  # fmt: skip


def test_waits_by_hand(loaded: tables.Loaded) -> None:
    found = buying.waits(loaded).sort_values("duration")
    assert found.to_numpy().tolist() == [
        [15, False, 1], [16, True, 1], [35, True, 1], [61, False, 1], [90, True, 1], [106, False, 1],
    ]  # fmt: skip


def test_starts_that_are_none(loaded: tables.Loaded) -> None:
    for start, message in (
        ("2024-05-02", "start 2024-05-02 is not before as_of 2024-05-01. Give an earlier start."),
        ("soon", "start 'soon' is no date without a time zone. Type one as start='2024-01-01'."),
    ):
        with pytest.raises(ParamsError) as error:
            buying.since(loaded, start)
        assert str(error.value) == message
