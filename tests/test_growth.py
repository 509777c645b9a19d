"""Earned growth by the published example, and where the split or the year before is not known."""

import pandas as pd
import pytest

from retention_kit import growth

# metrics.md, after Reichheld: last year 1,000; the same customers now 930; referred new 120; bought new 150.
ORDERS = pd.DataFrame(
    {
        "customer_id": ["ann", "bob", "ann", "bob", "cid", "dan", "dan"],
        "ordered_at": pd.to_datetime(
            ["2022-01-15", "2022-12-31", "2023-01-01", "2023-12-31", "2023-06-01", "2023-07-01", "2023-08-01"]
        ),
        "amount": [600.0, 400.0, 500.0, 430.0, 120.0, 100.0, 50.0],
        "referred_by": [None, " ", "", None, "ann", None, None],
    }
)


def test_the_published_example() -> None:
    row = growth.earned_growth(ORDERS, as_of="2024-01-01").iloc[0]
    assert (row["start"], row["end"]) == (pd.Timestamp("2023-01-01"), pd.Timestamp("2024-01-01"))
    assert row[["customers", "new_customers", "referred_customers"]].tolist() == [2, 2, 1]
    assert row[["revenue_before", "same_revenue", "referred_revenue", "bought_revenue"]].tolist() == [
        1000, 930, 120, 150,
    ]  # fmt: skip
    assert row["net_revenue_retention"] == pytest.approx(0.93)
    assert row["earned_growth"] == pytest.approx(0.05)
    assert row["growth"] == pytest.approx(0.20)
    assert row["low"] < 0.93 < row["high"]


def test_without_referrals_the_split_is_not_known() -> None:
    found = growth.earned_growth(ORDERS.drop(columns="referred_by"), as_of="2024-01-01")
    row = found.iloc[0]
    assert row[["referred_revenue", "bought_revenue", "earned_growth", "referred_customers"]].isna().all()
    assert row["growth"] == pytest.approx(0.20)
    assert found.attrs["definition"].endswith("The data do not say who was referred.")


def test_a_column_that_is_blank_for_everybody_says_nothing() -> None:
    for nothing in (None, "", " "):
        row = growth.earned_growth(ORDERS.assign(referred_by=nothing), as_of="2024-01-01").iloc[0]
        assert row[["referred_revenue", "earned_growth"]].isna().all()


def test_the_first_order_says_who_was_referred() -> None:
    late = ORDERS.assign(referred_by=[None, None, None, None, "ann", None, "ann"])  # dan's second order
    assert growth.earned_growth(late, as_of="2024-01-01")["referred_customers"].item() == 1


def test_no_row_where_the_year_before_was_not_seen() -> None:
    late = ORDERS[ORDERS["ordered_at"] >= "2022-02-01"]
    assert growth.earned_growth(late, as_of="2024-01-01").empty
    assert len(growth.earned_growth(late, as_of="2024-01-01", months=6)) == 1  # half years were


def test_shorter_years() -> None:
    row = growth.earned_growth(ORDERS, as_of="2024-01-01", months=6).iloc[0]
    assert row["start"] == pd.Timestamp("2023-07-01")
    assert row[["revenue_before", "same_revenue", "bought_revenue"]].tolist() == [620, 0, 580]
