"""Paid invoices as subscription periods."""

from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import invoices, mrr, tables
from retention_kit.exceptions import DataError, ParamsError

PERIODS = ["customer_id", "started_at", "ended_at", "mrr"]


def paid(*rows: tuple, **columns: list) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "period_start", "period_end", "amount"])
    dates = {name: pd.to_datetime(frame[name]) for name in ("period_start", "period_end")}
    return frame.assign(**dates, **columns)


def periods_of(table: pd.DataFrame, **how: object) -> list[tuple]:
    """Customer, first day, end and price of each period, dates as text."""
    frame = invoices.subscriptions_from_invoices(table, **how)
    ends = frame["ended_at"].dt.strftime("%Y-%m-%d").fillna("open")
    starts = frame["started_at"].dt.strftime("%Y-%m-%d")
    return list(zip(frame["customer_id"], starts, ends, frame["mrr"], strict=True))


# -- what a month is ----------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2024-01-01", "2024-02-01", 1),
        ("2024-01-31", "2024-02-29", 1),  # the last day of a shorter month
        ("2024-02-29", "2024-03-31", 1),  # billed on last days: two days more than a month
        ("2023-02-28", "2023-03-31", 1),  # three days more
        ("2024-01-01", "2024-01-31", 1),  # 30 days; or the last day, included
        ("2024-01-15", "2024-04-15", 3),
        ("2024-02-29", "2025-02-28", 12),  # a leap year's day, a year on
        ("2023-03-01", "2024-03-01", 12),  # 366 days
        ("2024-01-01", "2024-12-31", 12),
        ("2024-01-01", "2026-01-01", 24),
        ("2024-01-01", "2024-01-11", 10 / (365.25 / 12)),  # a part of a month counts by days
        ("2024-01-01", "2024-02-16", 46 / (365.25 / 12)),
        ("2024-01-01", "2024-01-02", 1 / (365.25 / 12)),
    ],
)
def test_months_of_service(start: str, end: str, months: float) -> None:
    frame = invoices.subscriptions_from_invoices(paid(("a", start, end, 120.0)))
    assert frame["mrr"].tolist() == [np.floor(12000 / months + 0.5) / 100]


def test_months_given_decide_and_make_the_end() -> None:
    table = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d"],
            "paid_at": pd.to_datetime(
                ["2024-01-31 08:30", "2024-02-29", "2024-03-01", "2024-03-05"], format="ISO8601"
            ),
            "amount": [20.0, 120.0, 90.0, 5.0],
            "months": [1, 12, 3, 0.5],  # half a month is no whole number of months
        }
    )
    frame = invoices.subscriptions_from_invoices(table)
    assert frame["ended_at"].astype(str).tolist() == [
        *("2024-02-29 08:30:00", "2025-02-28 00:00:00", "2024-06-01 00:00:00")
    ]
    assert frame["mrr"].tolist() == [20, 10, 30]
    assert frame.attrs["rows_set_aside"] == {"no end of service": 1}


def test_a_period_given_beside_the_months_ends_as_given() -> None:
    table = paid(("a", "2024-01-01", "2024-02-10", 30.0), ("a", "2024-02-10", None, 30.0), months=[1, 1])
    assert periods_of(table) == [("a", "2024-01-01", "2024-03-10", 30)]


def test_where_the_period_has_no_start_the_day_of_paying_is_it() -> None:
    table = paid(
        *[("a", "2024-01-01", "2024-02-01", 10.0), ("a", None, "2024-03-01", 10.0)],
        paid_at=pd.to_datetime(["2023-12-20", "2024-02-01"]),
    )
    assert periods_of(table) == [("a", "2024-01-01", "2024-03-01", 10)]


# -- periods ------------------------------------------------------------------


def test_consecutive_invoices_at_one_price_are_one_period() -> None:
    table = paid(
        *[("a", "2024-01-01", "2024-02-01", 10.0), ("a", "2024-02-01", "2024-03-01", 10.0)],
        *[("a", "2024-03-01", "2024-04-01", 15.0), ("a", "2024-05-01", "2024-06-01", 15.0)],
        *[("b", "2024-02-01", "2025-02-01", 100.0)],
    ).sample(frac=1, random_state=1)
    assert periods_of(table) == [
        ("a", "2024-01-01", "2024-03-01", 10),
        ("a", "2024-03-01", "2024-04-01", 15),
        ("a", "2024-05-01", "2024-06-01", 15),
        ("b", "2024-02-01", "2025-02-01", 8.33),
    ]
    frame = invoices.subscriptions_from_invoices(table)
    assert frame.columns.tolist() == [*PERIODS, "amount", "invoices"]
    assert frame["amount"].tolist() == [20, 15, 15, 100]  # 12 × 8.33 is 99.96: what was invoiced is kept
    assert frame["invoices"].tolist() == [2, 1, 1, 1]
    assert frame[["started_at", "ended_at"]].dtypes.tolist() == ["datetime64[us]"] * 2


def test_plans_and_currencies_are_kept_apart() -> None:
    table = paid(
        *[("a", "2024-01-01", "2024-02-01", 10.0), ("a", "2024-01-01", "2024-02-01", 10.0)],
        *[("a", "2024-02-01", "2024-03-01", 10.0), ("a", "2024-02-01", "2024-03-01", 10.0)],
        plan=["basic", None, None, "basic"],
        currency=["EUR"] * 4,
    )
    frame = invoices.subscriptions_from_invoices(table)
    assert frame.columns.tolist() == [*PERIODS, "plan", "currency", "amount", "invoices"]
    assert frame["invoices"].tolist() == [2, 2]
    assert frame["plan"].fillna("none").tolist() == ["basic", "none"]


def test_a_free_invoice_is_a_free_period() -> None:
    assert periods_of(paid(("a", "2024-01-01", "2024-02-01", 0.0))) == [("a", "2024-01-01", "2024-02-01", 0)]


def test_half_a_cent_is_rounded_up() -> None:
    assert periods_of(paid(("a", "2024-01-01", "2024-03-01", 0.01))) == [
        ("a", "2024-01-01", "2024-03-01", 0.01)
    ]


def test_refunds_and_what_cannot_be_used_are_set_aside_by_name() -> None:
    table = paid(
        *[("a", "2024-01-01", "2024-02-01", 10.0), ("a", "2024-01-01", "2024-02-01", -4.0)],
        *[("b", "2024-01-01", "2024-02-01", -6.0), (None, "2024-01-01", "2024-02-01", 1.0)],
        *[
            ("c", None, "2024-02-01", 2.0),
            ("c", "2024-01-01", None, 3.0),
            ("c", "2024-02-01", "2024-02-01", 7.0),
        ],
        *[("c", "2024-01-01", "2024-02-01", None), ("d", "2024-06-01", "2024-07-01", 8.0)],
    )
    frame = invoices.subscriptions_from_invoices(table, as_of="2024-06-01")
    assert frame["customer_id"].tolist() == ["a"]
    assert frame.attrs["rows_set_aside"] == {
        "at or after as_of": 1,
        "ended before started": 1,
        "no amount": 1,
        "no customer": 1,
        "no date": 1,
        "no end of service": 1,
        "refund": 2,
    }
    assert frame.attrs["amount_set_aside"]["refund"] == -10
    assert frame.attrs["as_of"] == "2024-06-01"


def test_a_file_is_read_as_the_door_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "paid.csv"
    path.write_text(
        "customer_id;period_start;period_end;amount;note\n"
        "1042;31.01.2024;29.02.2024;1.020,50;x\n1042;29.02.2024;31.03.2024;1.020,50;\n7;soon;1.3.2024;5,00;\n",
        encoding="utf-8",
    )
    frame = invoices.subscriptions_from_invoices(path)
    assert frame[PERIODS].to_numpy().tolist() == [
        ["1042", pd.Timestamp("2024-01-31"), pd.Timestamp("2024-03-31"), 1020.5]
    ]
    assert frame.attrs["rows_set_aside"] == {"unreadable date": 1}


def test_frames_of_every_kind_give_one_answer() -> None:
    table = paid(("a", "2024-01-01", "2024-02-01", 10.0), ("b", "2024-01-01", "2025-01-01", 100.0))
    expected = invoices.subscriptions_from_invoices(table)
    elsewhere = ibis.duckdb.connect().create_table("paid", table)
    for other in (pl.from_pandas(table), elsewhere):
        pd.testing.assert_frame_equal(invoices.subscriptions_from_invoices(other), expected)


# -- grace --------------------------------------------------------------------


def test_a_gap_within_the_grace_is_none() -> None:
    table = paid(("a", "2024-01-01", "2024-02-01", 10.0), ("a", "2024-02-06", "2024-03-06", 10.0))
    two = [("a", "2024-01-01", "2024-02-01", 10), ("a", "2024-02-06", "2024-03-06", 10)]
    assert periods_of(table) == periods_of(table, grace_days=4) == two
    assert periods_of(table, grace_days=5) == [("a", "2024-01-01", "2024-03-06", 10)]


def test_a_gap_within_the_grace_is_none_across_plans_and_prices() -> None:
    table = paid(
        *[("a", "2024-01-01", "2024-02-01", 10.0), ("a", "2024-02-03", "2024-03-03", 25.0)],
        plan=["basic", "plus"],
    )
    assert periods_of(table, grace_days=2) == [
        ("a", "2024-01-01", "2024-02-03", 10),
        ("a", "2024-02-03", "2024-03-03", 25),
    ]


def test_paying_early_is_no_overlap() -> None:
    table = pd.DataFrame(
        {
            "customer_id": "a",
            "paid_at": pd.to_datetime(["2024-01-05", "2024-02-03", "2024-03-04"]),
            "amount": 10.0,
            "months": 1,
        }
    )
    assert periods_of(table, grace_days=3) == [("a", "2024-01-05", "2024-04-04", 10)]
    assert len(periods_of(table)) == 3


def test_two_subscriptions_of_one_plan_side_by_side_both_count() -> None:
    table = paid(
        *[("a", "2024-01-01", "2024-02-01", 10.0), ("a", "2024-01-03", "2024-02-03", 10.0)],
        *[("a", "2024-02-01", "2024-03-01", 10.0), ("a", "2024-02-03", "2024-03-03", 10.0)],
    )
    frame = invoices.subscriptions_from_invoices(table, grace_days=5)
    moves = mrr.mrr_movements(frame, as_of="2024-03-01")
    assert moves["end"].tolist() == [20, 20]
    assert moves["contraction"].tolist() == [0, 0]


# -- as_of --------------------------------------------------------------------


def test_what_is_paid_until_as_of_or_beyond_has_no_end() -> None:
    table = paid(
        *[("on", "2024-02-10", "2024-03-10", 10.0), ("due", "2024-02-05", "2024-03-05", 10.0)],
        *[("out", "2024-02-04", "2024-03-04", 10.0)],
    )
    open_ended = {who: end for who, _, end, _ in periods_of(table, as_of="2024-03-05")}
    assert open_ended == {"on": "open", "due": "open", "out": "2024-03-04"}
    assert {end for _, _, end, _ in periods_of(table)} == {"2024-03-10", "2024-03-05", "2024-03-04"}
    late = {who: end for who, _, end, _ in periods_of(table, as_of="2024-03-10", grace_days=5)}
    assert late == {"on": "open", "due": "open", "out": "2024-03-04"}


def test_a_change_of_price_within_the_grace_ends_the_old_price() -> None:
    table = paid(("a", "2024-01-01", "2024-03-01", 20.0), ("a", "2024-03-01", "2024-04-01", 15.0))
    assert periods_of(table, as_of="2024-03-05", grace_days=7) == [
        ("a", "2024-01-01", "2024-03-01", 10),
        ("a", "2024-03-01", "open", 15),
    ]


def test_what_is_paid_after_as_of_is_not_known() -> None:
    table = paid(("a", "2024-01-01", "2024-02-01", 10.0), ("a", "2024-02-04", "2024-03-04", 10.0))
    assert periods_of(table, as_of="2024-02-03") == [("a", "2024-01-01", "2024-02-01", 10)]


# -- ready for the metrics ----------------------------------------------------


def test_periods_pass_the_door() -> None:
    table = paid(("a", "2024-01-01", "2024-02-01", 10.0), ("b", "2024-01-15", "2025-01-15", 120.0))
    frame = invoices.subscriptions_from_invoices(table, as_of="2024-03-01")
    bridge = mrr.mrr_movements(tables.subscriptions(frame, as_of="2024-03-01"))
    assert bridge[["new", "churn", "end"]].to_numpy().tolist() == [[20, 0, 20], [0, 10, 10]]


def test_nothing_usable_is_an_empty_frame_with_all_columns() -> None:
    frame = invoices.subscriptions_from_invoices(paid(("a", "2024-01-01", "2024-02-01", -1.0)))
    assert frame.empty
    assert frame.columns.tolist() == [*PERIODS, "amount", "invoices"]
    assert frame["started_at"].dtype == "datetime64[us]"


invoice = st.tuples(
    st.sampled_from("ab"),
    st.integers(0, 200),
    st.integers(1, 70),
    st.integers(0, 5000),
    st.sampled_from(["basic", "plus", None]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(invoice, min_size=1, max_size=10), st.integers(0, 9))
def test_every_paid_day_stays_paid_and_every_cent_stays(rows: list[tuple], grace: int) -> None:
    day = [pd.Timestamp("2024-01-01") + pd.Timedelta(days=n) for n in range(300)]
    table = paid(
        *((who, day[start], day[start + length], cents / 100) for who, start, length, cents, _ in rows),
        plan=[row[4] for row in rows],
    )
    frame = invoices.subscriptions_from_invoices(table, grace_days=grace)
    assert round(frame["amount"].sum() * 100) == sum(cents for *_, cents, _ in rows)
    assert frame["invoices"].sum() == len(rows)
    assert (frame["ended_at"] > frame["started_at"]).all()
    for who in {row[0] for row in rows}:
        served = {n for name, start, length, *_ in rows if name == who for n in range(start, start + length)}
        gaps = [n for n in range(min(served), max(served)) if n not in served]
        expected = set(served)
        while gaps:
            run = [gaps.pop(0)]
            while gaps and gaps[0] == run[-1] + 1:
                run.append(gaps.pop(0))
            expected |= set(run) if len(run) <= grace else set()
        own = frame[frame["customer_id"] == who]
        found = {
            n
            for row in own.itertuples()
            for n in range((row.started_at - day[0]).days, (row.ended_at - day[0]).days)
        }
        assert found == expected


# -- errors -------------------------------------------------------------------


def test_missing_columns() -> None:
    table = paid(("a", "2024-01-01", "2024-02-01", 1.0)).drop(columns=["period_end", "customer_id"])
    with pytest.raises(DataError) as error:
        invoices.subscriptions_from_invoices(table)
    assert str(error.value) == (
        "invoices is missing ['customer_id', 'period_end or months']. It has ['period_start', 'amount']. "
        "Rename yours to ours."
    )


@pytest.mark.parametrize("days", [-1, 1.5, True])
def test_grace_that_is_none(days: object) -> None:
    with pytest.raises(ParamsError) as error:
        invoices.subscriptions_from_invoices(paid(("a", "2024-01-01", "2024-02-01", 1.0)), grace_days=days)
    assert str(error.value) == (
        f"grace_days is a whole number from 0, and it was {days!r}. Type 7 for a week."
    )


# -- through the door --------------------------------------------------------------------------------

RENEWALS = """user,begins,ends,paid,product
ann,2024-01-31,2024-02-29,20.00,pro
ann,2024-02-29,2024-03-31,20.00,pro
ann,2024-03-31,2024-03-31,20.00,pro
bob,2024-03-01,2025-03-01,100.00,pro
bob,2023-03-01,2024-03-01,-100.00,pro
cid,2024-01-15,,199.00,life
"""
OURS = {
    "customer_id": "user",
    "started_at": "begins",
    "ended_at": "ends",
    "amount": "paid",
    "plan": "product",
}


def test_subscriptions_with_an_amount_and_no_mrr_are_paid_stretches(tmp_path: Path) -> None:
    (tmp_path / "renewals.csv").write_text(RENEWALS)
    loaded = tables.load_subscriptions(tmp_path / "renewals.csv", columns=OURS, as_of="2024-06-01")
    assert dict(zip(loaded.checks["rule"], loaded.checks["rows"].tolist(), strict=True)) == {
        "read": 6,
        "return": 1,
        "no end of service": 1,
        "ended before started": 1,
        "kept": 3,
    }
    frame = loaded.table.order_by("customer_id").execute()
    assert frame[["customer_id", "plan", "mrr"]].values.tolist() == [["ann", "pro", 20], ["bob", "pro", 8.33]]
    # What is paid beyond as_of is not over: nobody knows whether it is renewed.
    assert frame["ended_at"].dt.strftime("%Y-%m-%d").fillna("").tolist() == ["2024-03-31", ""]
    assert [note.text for note in loaded.notes if "stretches" in note.text] == [
        "Paid stretches: 3. Subscription periods made of them: 2. A price a month is the amount over the "
        "months; consecutive stretches at one price are one period."
    ]


def test_columns_beside_keep_stretches_apart_and_may_be_empty(tmp_path: Path) -> None:
    rows = "user,begins,ends,paid,land,why\na,2024-01-01,2024-02-01,9,PL,\na,2024-02-01,2024-03-01,9,PL,\n"
    (tmp_path / "a.csv").write_text(rows + "a,2024-03-01,2024-04-01,9,DE,\n")
    ours = {name: text for name, text in OURS.items() if name != "plan"}
    ours |= {"country": "land", "cancel_reason": "why"}
    loaded = tables.load_subscriptions(tmp_path / "a.csv", columns=ours, as_of="2024-06-01")
    frame = loaded.table.order_by("started_at").execute()
    assert frame["country"].tolist() == ["PL", "DE"]
    assert frame["cancel_reason"].isna().all()


def test_an_mrr_that_is_mapped_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "renewals.csv").write_text(RENEWALS)
    ours = {**OURS, "mrr": "paid"}
    loaded = tables.load_subscriptions(tmp_path / "renewals.csv", columns=ours, as_of="2024-06-01")
    assert loaded.table.count().execute() == 5
    assert loaded.table.filter(loaded.table.customer_id == "bob").mrr.execute().tolist() == [100.0]
