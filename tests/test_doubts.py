"""What the guide doubts of a first load, and what it does not."""

from pathlib import Path

import pandas as pd
import pytest

from retention_kit import doubts, guesses, sources, tables

ORDERS = {"customer_id": "who", "ordered_at": "day", "order_id": "nr", "amount": "total"}
PERIODS = {"customer_id": "who", "started_at": "begins", "ended_at": "ends", "mrr": "price"}


def doubted(
    folder: Path, frame: pd.DataFrame, kind: str, mapped: dict[str, str], currency: str | None = "EUR"
) -> list[str]:
    frame.to_csv(folder / "a.csv", index=False)
    loaded = getattr(tables, f"load_{kind}")(folder / "a.csv", columns=mapped, as_of="2026-01-01")
    columns = guesses.look(sources.open_source(folder / "a.csv"))
    return doubts.of(loaded, mapped, columns, currency)


def orders(guests: int) -> pd.DataFrame:
    """200 customers of two orders each, and one that has many."""
    who = [f"c{i % 200}" for i in range(400)] + ["0"] * guests
    days = pd.date_range("2024-01-01", periods=len(who), freq="12h")
    return pd.DataFrame({"who": who, "day": days, "nr": range(len(who)), "total": 10.5}).assign(
        total=lambda rows: rows["total"] + rows["nr"] / 100
    )


def test_many_orders_of_one_customer_may_be_guests(tmp_path: Path) -> None:
    assert doubted(tmp_path, orders(40), "orders", ORDERS) == [
        "9 % of orders are of one customer, '0': guests under one id? Then set them aside with --where."
    ]
    assert doubted(tmp_path, orders(6), "orders", ORDERS) == []


def test_a_total_on_every_line_may_be_added_up_twice(tmp_path: Path) -> None:
    lines = pd.concat([orders(0), orders(0)])
    [told] = doubted(tmp_path, lines, "orders", ORDERS)
    assert told.startswith(
        "total is the same on every line of an order: is it the order's total, written again?"
    )


def test_whole_sums_may_be_cents(tmp_path: Path) -> None:
    """Not where they are small, have decimals, or are of a currency that has none."""
    cents = orders(0).assign(total=[(0, 990, 1990, 4900)[i % 4] for i in range(400)])
    assert doubted(tmp_path, cents, "orders", ORDERS) == [
        "total has whole numbers alone, 1,990 in the middle: are they cents? Then say --amount 'total / 100'."
    ]
    assert doubted(tmp_path, cents, "orders", ORDERS, "JPY") == []
    assert doubted(tmp_path, cents.assign(total=cents["total"] // 100), "orders", ORDERS) == []
    assert doubted(tmp_path, cents.assign(total=cents["total"] + 0.5), "orders", ORDERS) == []


def renewals(price: float = 9.99) -> pd.DataFrame:
    starts = pd.date_range("2024-01-15", periods=12, freq="MS") + pd.Timedelta(days=14)
    rows = [(f"c{i}", starts[at], starts[at + 1], price) for i in range(10) for at in range(i % 8, 11)]
    return pd.DataFrame(rows, columns=["who", "begins", "ends", "price"])


def test_rows_that_follow_on_by_months_may_be_invoices(tmp_path: Path) -> None:
    [told] = doubted(tmp_path, renewals(), "subscriptions", PERIODS)
    assert told == (
        "71 of 81 rows begin where another of the same customer ends: are they invoices, each paid for its "
        "stretch? Then say --amount 'price', and no --mrr."
    )
    as_invoices = {**PERIODS, "amount": "price"}
    del as_invoices["mrr"]
    assert doubted(tmp_path, renewals(), "subscriptions", as_invoices) == []


def test_months_that_do_not_follow_on_are_no_invoices(tmp_path: Path) -> None:
    once = renewals().drop_duplicates("who").assign(who=[f"d{i}" for i in range(10)])
    assert doubted(tmp_path, once, "subscriptions", PERIODS) == []


@pytest.mark.realdata
def test_changes_of_plans_are_no_invoices(data_folder: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(data_folder / "saas_mrr_playbook" / "subscription_periods.csv")
    mapped = {"customer_id": "customer_id", "started_at": "start_date", "ended_at": "end_date"}
    assert doubted(tmp_path, frame, "subscriptions", mapped | {"mrr": "monthly_amount"}) == []


def test_rows_that_may_not_count_are_told_with_their_values(tmp_path: Path) -> None:
    frame = orders(0).assign(
        Status=["done", "cancelled"] * 200, is_test="false", refunded=[1.5, None, 0.0, None] * 100, voided=0
    )
    frame.to_csv(tmp_path / "a.csv", index=False)
    columns = guesses.look(sources.open_source(tmp_path / "a.csv"))
    assert doubts.rows_that_may_not_count(ORDERS, columns) == [
        "  note: Status has done (200), cancelled (200). All count; else say --where.",
        "  note: refunded has 1.5 (100). All count; else say --where.",
    ]
    assert doubts.rows_that_may_not_count({**ORDERS, "plan": "Status", "margin": "refunded"}, columns) == []
