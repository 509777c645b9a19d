"""Customer lifetime value: by hand, and what the formulas must obey."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import clv, datasets, intervals
from retention_kit.exceptions import DataError, ParamsError

AS_OF = datasets.TINY_AS_OF
rates = st.floats(0, 0.99)


# -- so far -------------------------------------------------------------------


def test_value_so_far_by_hand() -> None:
    # January: ana 20 + 30 + 25 + 40, ben 15. February: cleo 50 + 60, dan 10 (35 is at as_of). March: eva
    # 0 + 22.50. April: finn 25.
    found = clv.clv_historical(datasets.tiny_orders(), as_of=AS_OF)
    assert found["cohort"].dt.month.tolist() == [1, 2, 3, 4]
    assert found["customers"].tolist() == [2, 2, 1, 1]
    assert found["revenue"].tolist() == [130, 120, 22.5, 25]
    assert found["clv_historical"].tolist() == [130 / 2, 120 / 2, 22.5, 25]
    # 115 and 15 lie 50 from their mean, so sd = 50 sqrt(2).
    assert (found["low"][0], found["high"][0]) == pytest.approx(intervals.mean(65, 50 * math.sqrt(2), 2))
    assert found[["low", "high"]].isna().all(axis=1).tolist() == [False, False, True, True]
    assert set(found["interval"]) == {"t 95 %"}


def test_margin_scales_value_and_bounds_and_not_revenue() -> None:
    revenue = clv.clv_historical(datasets.tiny_orders(), as_of=AS_OF)
    value = clv.clv_historical(datasets.tiny_orders(), as_of=AS_OF, margin=0.25)
    assert value["revenue"].tolist() == revenue["revenue"].tolist()
    for column in ("clv_historical", "low", "high"):
        np.testing.assert_allclose(value[column], revenue[column] / 4)


def test_shape_of_the_frame() -> None:
    found = clv.clv_historical(datasets.tiny_orders(), as_of=AS_OF, by="country", margin=0.3)
    assert found.columns.tolist() == [
        *("cohort", "country", "customers", "revenue", "clv_historical", "low", "high", "interval")
    ]
    assert found["cohort"].dtype == "datetime64[us]"
    assert found["customers"].dtype == "int64"
    assert found.attrs == {
        "definition": "Revenue times a margin of 0.3 of all orders before 1 May 2024, by customer, of those "
        "who first ordered in the month; country as in the first order.",
        "as_of": "2024-05-01",
        "rows_set_aside": {"at or after as_of": 2},
        "notes": [],
    }
    assert clv.clv_historical(datasets.tiny_orders(), as_of=AS_OF).attrs["definition"] == (
        "Revenue of all orders before 1 May 2024, by customer, of those who first ordered in the month."
    )


def test_groups_are_those_of_the_first_order() -> None:
    found = clv.clv_historical(datasets.tiny_orders(), as_of=AS_OF, by="country")
    # ana moved from Austria to Germany: all her 115 stay with Austria.
    assert found[["country", "revenue"]].to_numpy().tolist()[:2] == [["Austria", 115], ["Germany", 15]]


def test_a_cohort_still_filling_has_no_row_and_late_orders_of_others_count() -> None:
    found = clv.clv_historical(datasets.tiny_orders(), as_of="2024-04-20")
    assert found["cohort"].dt.month.tolist() == [1, 2, 3]
    assert found["revenue"].tolist() == [130, 60, 22.5]  # cleo's 60 of 30 April is not seen


purchase = st.tuples(st.sampled_from("abcde"), st.integers(0, 90), st.integers(0, 10_000))


@settings(max_examples=25, deadline=None)
@given(st.lists(purchase, min_size=1, max_size=20))
def test_cohorts_add_up_to_the_whole(rows: list[tuple]) -> None:
    # z comes every day, so that the data does not stop before as_of.
    daily = [("z", day, 0) for day in range(91)]
    orders = pd.DataFrame(rows + daily, columns=["customer_id", "day", "cents"])
    orders["ordered_at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(orders["day"], unit="D")
    orders["amount"] = orders["cents"] / 100
    found = clv.clv_historical(orders, as_of="2024-04-01")
    whole = orders.groupby("customer_id")["amount"].sum()
    assert found["customers"].sum() == len(whole)
    assert found["revenue"].sum() == pytest.approx(whole.sum())


def test_missing_amount() -> None:
    with pytest.raises(DataError) as error:
        clv.clv_historical(datasets.tiny_orders()[["customer_id", "ordered_at"]], as_of=AS_OF)
    assert str(error.value) == (
        "orders is missing ['amount']. It has ['customer_id', 'ordered_at']. "
        "Map your names onto ours with columns={'amount': 'your_name'}."
    )


@pytest.mark.parametrize("margin", [30, 0, -0.1, float("nan")])
def test_a_margin_in_percent_is_refused(margin: float) -> None:
    with pytest.raises(ParamsError) as error:
        clv.clv_historical(datasets.tiny_orders(), as_of=AS_OF, margin=margin)
    assert str(error.value) == (
        f"margin is a share of revenue above 0 and up to 1, and it was {margin}. Type 0.3 for 30 %."
    )


# -- by formula ---------------------------------------------------------------


def test_formula_published() -> None:
    assert clv.clv_formula(margin=1, retention_rate=0.8, discount_rate=0.1) == pytest.approx(8 / 3)
    example = clv.clv_formula(margin=18.95, retention_rate=0.788, discount_rate=0.01)
    assert example == pytest.approx(67.2639, abs=1e-4)


@given(rates, st.floats(0.01, 0.5))
def test_formula_is_the_sum_of_what_comes(retention: float, discount: float) -> None:
    years = np.arange(3_000)
    fades = (retention / (1 + discount)) ** years
    given = {"margin": 7, "retention_rate": retention, "discount_rate": discount}
    assert clv.clv_formula(**given, first_margin="start") == pytest.approx(7 * fades.sum())
    assert clv.clv_formula(**given, first_margin="end") == pytest.approx(7 * fades[1:].sum(), abs=1e-9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"retention_rate": 80, "discount_rate": 0.1},
            "retention_rate is a share between 0 and 1, and it was 80. Type 0.8 for 80 %.",
        ),
        (
            {"retention_rate": 0.8, "discount_rate": -0.1},
            "discount_rate is a share between 0 and 1, and it was -0.1. Type 0.1 for 10 %.",
        ),
        (
            {"retention_rate": 1, "discount_rate": 0},
            "With retention_rate 1 and discount_rate 0 the value is endless. "
            "Give a retention_rate below 1, or a discount_rate above 0.",
        ),
        (
            {"retention_rate": 0.8, "discount_rate": 0.1, "first_margin": "now"},
            "first_margin 'now' is not known. Choose one of ['end', 'start'].",
        ),
    ],
)
def test_formula_refuses(given: dict, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        clv.clv_formula(margin=1, **given)
    assert str(error.value) == message


# -- one point more -----------------------------------------------------------


def test_uplift_published() -> None:
    low = clv.retention_uplift(margin=1, retention_rate=0.6, discount_rate=0.1, points=0.05).iloc[0]
    high = clv.retention_uplift(margin=1, retention_rate=0.9, discount_rate=0.1, points=0.05).iloc[0]
    assert low["uplift"] == pytest.approx((0.65 / 0.45) / (0.6 / 0.5) - 1)
    assert (round(low["uplift"], 3), round(high["uplift"], 3)) == (0.204, 0.407)


def test_uplift_frame() -> None:
    found = clv.retention_uplift(margin=100, retention_rate=0.8, discount_rate=0.1, first_margin="start")
    assert found.columns.tolist() == [
        *("retention_rate", "retention_rate_raised", "clv", "clv_raised", "gain", "uplift")
    ]
    row = found.iloc[0]
    assert row["clv"] == pytest.approx(100 * 1.1 / 0.3)
    assert row["clv_raised"] == pytest.approx(100 * 1.1 / 0.29)
    assert row["gain"] == row["clv_raised"] - row["clv"]
    assert found.attrs == {
        "definition": "Value of a customer at a constant margin of 100 a period and a discount rate of 0.1, "
        "the first margin at once, before and after retention rises by 0.01.",
        "as_of": None,
    }


@given(st.floats(0.05, 0.9), st.floats(0, 0.5))
def test_another_point_is_worth_more_the_better_retention_is(retention: float, discount: float) -> None:
    given = {"margin": 10, "discount_rate": discount, "first_margin": "start"}
    here = clv.retention_uplift(retention_rate=retention, **given)["uplift"][0]
    better = clv.retention_uplift(retention_rate=retention + 0.05, **given)["uplift"][0]
    assert 0 < here < better


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"retention_rate": 0.9, "points": 5},
            "retention_rate 0.9 with points 5 comes to 5.9, and it is a share between 0 and 1. "
            "Type points=0.01 for one point.",
        ),
        (
            {"retention_rate": 0.0},
            "The value is 0 to begin with, so no share can be gained. Give a margin and a retention_rate.",
        ),
    ],
)
def test_uplift_refuses(given: dict, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        clv.retention_uplift(margin=1, discount_rate=0.1, **given)
    assert str(error.value) == message


# -- subscribers --------------------------------------------------------------


def lost(customers: int, churned: int) -> pd.DataFrame:
    low, high = intervals.wilson(churned, customers)
    frame = pd.DataFrame(
        {"customers": [customers], "churned": [churned], "churn_rate": [churned / customers]}
    )
    return frame.assign(low=float(low), high=float(high))


FEES = pd.DataFrame({"end": [900.0, 2000.0], "customers_end": [50, 100]})


def test_a_subscriber_by_hand() -> None:
    row = clv.clv_of_subscribers(lost(1000, 50), FEES, margin=0.5, discount_rate=0).iloc[0]
    assert row["margin"] == 2000 / 100 * 0.5
    assert row["clv_end"] == pytest.approx(10 * 0.95 / 0.05)
    assert row["clv_start"] == pytest.approx(10 / 0.05)
    assert row["gain_of_a_point"] == pytest.approx(10 / 0.04 - 10 / 0.05)
    assert row["start_low"] == pytest.approx(10 / float(intervals.wilson(50, 1000)[1]))
    assert row["start_low"] < row["clv_start"] < row["start_high"]


def test_a_yearly_discount_compounds_over_months() -> None:
    row = clv.clv_of_subscribers(lost(1000, 50), FEES, discount_rate=0.1).iloc[0]
    assert (1 + row["discount_rate"]) ** 12 == pytest.approx(1.1)


def test_few_subscribers_keep_their_bounds_among_shares() -> None:
    row = clv.clv_of_subscribers(lost(2, 1), FEES).iloc[0]
    assert 0 < row["retention_low"] < 0.5 < row["retention_high"] < 1


def test_a_point_that_would_pass_one_is_unknown() -> None:
    row = clv.clv_of_subscribers(lost(1000, 5), FEES).iloc[0]
    assert np.isnan(row["gain_of_a_point"])


@pytest.mark.parametrize(
    ("churn", "fees"),
    [
        (lost(10, 1).iloc[:0], FEES),
        (lost(10, 1), FEES.iloc[:0]),
        (lost(10, 1), pd.DataFrame({"end": [0.0], "customers_end": [0]})),
    ],
)
def test_without_churn_or_subscribers_there_is_no_value(churn: pd.DataFrame, fees: pd.DataFrame) -> None:
    assert clv.clv_of_subscribers(churn, fees).empty


def test_all_customers_together_are_one_row_without_a_cohort() -> None:
    orders = pd.DataFrame(
        {
            "customer_id": ["ann", "bob", "ann", "cas"],
            "ordered_at": pd.to_datetime(["2024-01-03", "2024-01-20", "2024-02-01", "2024-03-09"]),
            "amount": [40.0, 10.0, 20.0, 2.0],
        }
    )
    found = clv.clv_historical(orders, as_of="2024-03-10", period=None)
    assert found.columns.tolist() == ["customers", "revenue", "clv_historical", "low", "high", "interval"]
    assert (found["customers"].item(), found["clv_historical"].item()) == (3, 72 / 3)
