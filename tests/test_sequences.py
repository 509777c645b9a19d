"""Rows laid out by the door: by hand, in parts, where numbers meet; every metric reads the same of them."""

from collections.abc import Callable, Iterator
from functools import partial

import ibis
import numpy as np
import pandas as pd
import pytest

from benchmarks import chapters, one_size
from benchmarks.questions import AS_OF
from benchmarks.questions import orders as many_orders
from retention_kit import clv, lifecycle, partitions, retention, sequences, session, tables

SHOP = pd.DataFrame(
    {
        "customer_id": ["b", "a", "b", "c", "a", "b"],
        "order_id": ["5", "1", "3", "9", "2", "4"],
        "ordered_at": pd.to_datetime(
            ["2024-01-05", "2024-03-01", "2024-01-05", "2024-02-01", "2024-02-01", "2024-01-02"]
        ),
        "amount": [1.0, 2.0, 8.0, 4.0, 5.0, 6.0],
    }
)  # fmt: skip


def loaded(frame: pd.DataFrame = SHOP) -> tables.Loaded:
    return tables.load_orders(frame, as_of=AS_OF)


def told(in_order: sequences.Sequences) -> dict[str, list[tuple[int, float]]]:
    """Each customer's days of January 2024 and amounts, as the parts have them."""
    found, names = {}, iter(in_order.customers["customer_id"].to_pylist())
    for part in in_order.of_parts(lambda part: part):
        ends = part.starts + part.sizes
        days = part.days - (pd.Timestamp("2023-12-31") - pd.Timestamp("1970-01-01")).days
        for start, end in zip(part.starts, ends, strict=True):
            found[next(names)] = list(
                zip(days[start:end].tolist(), part.amounts[start:end].tolist(), strict=True)
            )
    return found


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequences, "_ROWS", 2)


BY_HAND = {"a": [(32, 5.0), (61, 2.0)], "b": [(2, 6.0), (5, 8.0), (5, 1.0)], "c": [(32, 4.0)]}


def test_rows_of_a_customer_stand_in_the_order_of_time_and_of_ids_at_one_moment() -> None:
    assert told(loaded().in_order) == BY_HAND


def test_without_ids_the_smallest_amount_at_a_moment_goes_first() -> None:
    assert told(loaded(SHOP.drop(columns="order_id")).in_order)["b"] == [(2, 6.0), (5, 1.0), (5, 8.0)]


def test_parts_hold_whole_customers(small_parts: None) -> None:
    in_order = loaded().in_order
    assert len(list(in_order.of_parts(lambda part: part))) > 1
    assert told(in_order) == BY_HAND


def test_two_ids_with_one_number_stay_two_customers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "number_of", lambda _: ibis.literal(7, "uint64"))
    assert told(loaded().in_order) == BY_HAND


def test_first_rows_and_sizes() -> None:
    [part] = loaded().in_order.of_parts(lambda part: part)
    assert sorted(part.sizes.tolist()) == [1, 2, 3]
    assert np.flatnonzero(part.is_first).tolist() == part.starts.tolist()


def test_only_what_customers_do_is_laid_out_and_only_on_the_sessions_engine() -> None:
    plain = tables.orders(SHOP, as_of=AS_OF)
    assert plain.in_order is None
    assert tables.load_responses(pd.DataFrame({"score": [9]})).in_order is None
    elsewhere = ibis.duckdb.connect().create_table("elsewhere", SHOP)
    assert tables.load_orders(elsewhere, as_of=AS_OF).in_order is None


def test_customers_beside_rows_leave_them_in_order() -> None:
    orders = loaded()
    named = tables.load_customers(pd.DataFrame({"customer_id": ["a"], "segment": ["gold"]}))
    assert tables.assign_customers(orders, named).in_order is orders.in_order


def test_each_customer_has_the_rows_and_the_first_of_them() -> None:
    rows = sequences.each_customer(ibis.memtable(SHOP), "ordered_at").to_pandas().set_index("customer_id")
    assert rows["rows"].to_dict() == {"a": 2, "b": 3, "c": 1}
    first = {"a": "2024-02-01", "b": "2024-01-02", "c": "2024-02-01"}
    assert rows["first"].astype(str).to_dict() == first


# -- every metric of the chapter reads the same --------------------------------


def crowded() -> pd.DataFrame:
    """Moments are days, so that many customers have several orders at their first one; ids are unordered."""
    frame = many_orders(np.random.default_rng(3), 1_500)
    return frame.assign(ordered_at=frame["ordered_at"].dt.floor("D")).drop(columns="country")


ASKED = (
    chapters.RETENTION
    | {
        name: (one_size.AGGREGATES | one_size.WINDOWS)[name]
        for name in (
            "orders_per_customer",
            "clv_historical",
            "days_between_orders",
            "gap_distribution",
            "inactivity_churn",
            "stickiness",
            "explain_figure of retention",
        )
    }
    | {
        "clv_historical by cohort": partial(clv.clv_historical, period="quarter"),
        "histogram": clv.customer_histogram,
        "stickiness by week": partial(lifecycle.stickiness, period="week"),
        "explain_figure by week": partial(retention.explain_figure, figure="20 %", age=2, period="week"),
    }
)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[pd.DataFrame, tables.Loaded]]]:
    """With ids and without: the plain frame, and what the door makes of it, in several parts."""
    frames = {"ids": crowded(), "no ids": crowded().drop(columns="order_id")}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sequences, "_ROWS", 400)
        found = {name: (frame, loaded(frame)) for name, frame in frames.items()}
        patched.setattr(partitions, "_ROWS", 700)
        patched.setattr(partitions, "_ALIKE", 10**15)
        path = tmp_path_factory.mktemp("sequences") / "orders.parquet"
        frames["ids"].to_parquet(path)
        written = tables.load_orders(path, as_of=AS_OF)
        assert len(partitions.of(written.table)) > 1
        yield found | {"in partitions": (frames["ids"], written)}


@pytest.mark.parametrize("ids", ["ids", "no ids", "in partitions"])
@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_plain_frame_gives_the_same(both: dict, ids: str, ask: Callable) -> None:
    frame, orders = both[ids]
    assert len(list(orders.in_order.of_parts(lambda part: part))) > 1
    plain, ours = ask(tables.orders(frame, as_of=AS_OF, columns=("amount",))), ask(orders)
    assert len(ours)
    pd.testing.assert_frame_equal(ours, plain, rtol=1e-9)
