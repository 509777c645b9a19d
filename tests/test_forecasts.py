"""The quarter to come: its parts by hand, and forecasts held against what was kept from the model."""

import math

import pandas as pd
import pytest

from retention_kit import btyd, clv, datasets, forecasts, portfolios, tables
from retention_kit.exceptions import DataError


def made(as_of: str) -> tuple[tables.Loaded, pd.DataFrame]:
    orders = tables.load_orders(datasets.demo_orders(), as_of=as_of)
    summary = clv.summarize_customers(orders)
    rhythm, spend = btyd.fit_bg_nbd(summary), btyd.fit_gamma_gamma(summary)
    return orders, forecasts.next_quarter(orders, rhythm, spend, summary)


@pytest.fixture(scope="module")
def april() -> tuple[tables.Loaded, pd.DataFrame]:
    return made("2024-04-01")


def test_known_customers_are_foretold_for_the_days_of_the_quarter(april) -> None:
    orders, found = april
    row, summary = found.iloc[0], clv.summarize_customers(orders)
    assert (row["since"], row["until"]) == (pd.Timestamp("2024-04-01"), pd.Timestamp("2024-07-01"))
    days = portfolios.expected_revenue(
        btyd.fit_bg_nbd(summary), btyd.fit_gamma_gamma(summary), summary, until="91 days"
    ).iloc[0]
    assert row["known_revenue"] == pytest.approx(days["expected_revenue"])
    assert (row["low"], row["high"]) == pytest.approx((days["low"], days["high"]))


def test_new_customers_are_those_of_the_quarter_before(april) -> None:
    orders, found = april
    row, rows = found.iloc[0], orders.table.to_pandas()
    first = rows.groupby("customer_id")["ordered_at"].transform("min")
    new = rows[first >= "2024-01-01"].groupby("customer_id")["amount"].sum().astype(float)
    assert row["new_customers"] == len(new)
    assert row["new_revenue"] == pytest.approx(new.sum())
    spread = math.exp(1.959964 * math.sqrt((new**2).sum()) / new.sum())
    assert (row["new_low"], row["new_high"]) == pytest.approx(
        (new.sum() / spread, new.sum() * spread), rel=1e-6
    )
    assert row["known_share"] == pytest.approx(row["known_revenue"] / (row["known_revenue"] + new.sum()))
    assert row["share_low"] < row["known_share"] < row["share_high"]


def test_the_truth_of_the_next_three_months_lies_inside(april) -> None:
    _, found = april
    now = tables.load_orders(datasets.demo_orders(), as_of="2024-07-01")
    row = found.iloc[0]
    forecast = {"value": row["known_revenue"], **row[["since", "until", "low", "high", "interval"]]}
    scored = forecasts.score_forecasts(now, [forecast]).iloc[0]
    rows = now.table.to_pandas()
    first = rows.groupby("customer_id")["ordered_at"].transform("min")
    late = rows[(first < "2024-04-01") & (rows["ordered_at"] >= "2024-04-01")]
    assert scored["actual"] == pytest.approx(float(late["amount"].sum()))
    assert scored["customers"] == rows[first < "2024-04-01"]["customer_id"].nunique()
    assert scored["inside"]
    assert scored["error"] == pytest.approx(row["known_revenue"] / scored["actual"] - 1)


def test_without_three_months_of_history_nothing_is_said_of_new_customers() -> None:
    _, found = made("2022-09-20")
    row = found.iloc[0]
    assert row["new_customers"] == 0
    assert row[["new_revenue", "known_share", "share_low"]].isna().all()
    assert row["known_revenue"] > 0


ORDERS = pd.DataFrame(
    {
        "customer_id": ["ann", "ann", "ann", "bob", "cid"],
        "ordered_at": pd.to_datetime(
            ["2024-01-03", "2024-04-01", "2024-06-30T23:59", "2024-05-01", "2024-02-01"], format="ISO8601"
        ),
        "amount": [40.0, 10.0, 1.0, 20.0, 5.0],
    }
)
FORECAST = {"since": "2024-04-01", "until": "2024-07-01", "value": 12.0, "low": 5.0, "high": 30.0}


def test_scores_by_hand() -> None:
    late = FORECAST | {"until": "2024-07-02"}
    small = FORECAST | {"since": "2024-02-01", "until": "2024-05-01", "low": 1.0, "high": 2.0}
    scored = forecasts.score_forecasts(ORDERS, [small, FORECAST, late], as_of="2024-07-01")
    assert scored["since"].dt.strftime("%m-%d").tolist() == ["04-01", "02-01"]  # the third is not over
    assert scored["customers"].tolist() == [2, 1]  # cid came on the very day that was foretold from
    assert scored["actual"].tolist() == [11, 10]
    assert scored["inside"].tolist() == [True, False]
    assert scored["error"].tolist() == pytest.approx([12 / 11 - 1, 12 / 10 - 1])


def test_nothing_to_score_is_no_row() -> None:
    empty = forecasts.score_forecasts(ORDERS, [], as_of="2024-07-01")
    assert empty.empty
    assert empty["inside"].dtype == bool


def test_what_is_no_forecast() -> None:
    with pytest.raises(DataError) as refused:
        forecasts.score_forecasts(ORDERS, [{"since": "2024-04-01", "value": 1}], as_of="2024-07-01")
    assert str(refused.value) == (
        "A forecast is missing ['until', 'low', 'high']. It has ['since', 'value']."
    )
