"""What a customer is worth by a formula: published numbers, and what the formulas must obey."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import economics, intervals, subscribers
from retention_kit.exceptions import ParamsError

rates = st.floats(0, 0.99)


# -- by formula ---------------------------------------------------------------


def test_formula_published() -> None:
    assert economics.clv_formula(margin=1, retention_rate=0.8, discount_rate=0.1) == pytest.approx(8 / 3)
    example = economics.clv_formula(margin=18.95, retention_rate=0.788, discount_rate=0.01)
    assert example == pytest.approx(67.2639, abs=1e-4)


@given(rates, st.floats(0.01, 0.5))
def test_formula_is_the_sum_of_what_comes(retention: float, discount: float) -> None:
    years = np.arange(3_000)
    fades = (retention / (1 + discount)) ** years
    given = {"margin": 7, "retention_rate": retention, "discount_rate": discount}
    assert economics.clv_formula(**given, first_margin="start") == pytest.approx(7 * fades.sum())
    assert economics.clv_formula(**given, first_margin="end") == pytest.approx(7 * fades[1:].sum(), abs=1e-9)


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
        economics.clv_formula(margin=1, **given)
    assert str(error.value) == message


# -- one point more -----------------------------------------------------------


def test_uplift_published() -> None:
    low = economics.retention_uplift(margin=1, retention_rate=0.6, discount_rate=0.1, points=0.05).iloc[0]
    high = economics.retention_uplift(margin=1, retention_rate=0.9, discount_rate=0.1, points=0.05).iloc[0]
    assert low["uplift"] == pytest.approx((0.65 / 0.45) / (0.6 / 0.5) - 1)
    assert (round(low["uplift"], 3), round(high["uplift"], 3)) == (0.204, 0.407)


def test_uplift_frame() -> None:
    found = economics.retention_uplift(
        margin=100, retention_rate=0.8, discount_rate=0.1, first_margin="start"
    )
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
    here = economics.retention_uplift(retention_rate=retention, **given)["uplift"][0]
    better = economics.retention_uplift(retention_rate=retention + 0.05, **given)["uplift"][0]
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
        economics.retention_uplift(margin=1, discount_rate=0.1, **given)
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
    row = subscribers.clv_of_subscribers(lost(1000, 50), FEES, margin=0.5, discount_rate=0).iloc[0]
    assert row["margin"] == 2000 / 100 * 0.5
    assert row["clv_end"] == pytest.approx(10 * 0.95 / 0.05)
    assert row["clv_start"] == pytest.approx(10 / 0.05)
    assert row["gain_of_a_point"] == pytest.approx(10 / 0.04 - 10 / 0.05)
    assert row["start_low"] == pytest.approx(10 / float(intervals.wilson(50, 1000)[1]))
    assert row["start_low"] < row["clv_start"] < row["start_high"]


def test_a_yearly_discount_compounds_over_months() -> None:
    row = subscribers.clv_of_subscribers(lost(1000, 50), FEES, discount_rate=0.1).iloc[0]
    assert (1 + row["discount_rate"]) ** 12 == pytest.approx(1.1)


def test_few_subscribers_keep_their_bounds_among_shares() -> None:
    row = subscribers.clv_of_subscribers(lost(2, 1), FEES).iloc[0]
    assert 0 < row["retention_low"] < 0.5 < row["retention_high"] < 1


def test_a_point_that_would_pass_one_is_unknown() -> None:
    row = subscribers.clv_of_subscribers(lost(1000, 5), FEES).iloc[0]
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
    assert subscribers.clv_of_subscribers(churn, fees).empty


def test_what_winning_a_customer_returns() -> None:
    # metrics.md section 5: 500 a month at 75 %, 2.5 % churn, 6,000 to win one.
    row = economics.acquisition_return(margin=375, retention_rate=0.975, acquisition_cost=6000).iloc[0]
    assert row["clv"] == pytest.approx(15_000)
    assert row["ltv_to_cac"] == pytest.approx(2.5)
    assert row["payback"] == 16
    expected = sum(375 * 0.975**n for n in range(20)), sum(375 * 0.975**n for n in range(21))
    assert expected[0] < 6000 < expected[1]
    assert 20 < row["payback_with_churn"] < 21
    never = economics.acquisition_return(margin=10, retention_rate=0.5, acquisition_cost=20).iloc[0]
    assert np.isnan(never["payback_with_churn"])
    always = economics.acquisition_return(
        margin=10, retention_rate=1, acquisition_cost=20, discount_rate=0.1
    ).iloc[0]
    assert always["payback_with_churn"] == 2


@pytest.mark.parametrize("first_margin", ["end", "start"])
def test_a_programme_breaks_even_where_the_value_has_grown_by_its_cost(first_margin: str) -> None:
    given = {"margin": 100, "discount_rate": 0.1, "first_margin": first_margin}
    row = economics.break_even_retention(retention_rate=0.8, cost=20, **given).iloc[0]
    after = economics.clv_formula(retention_rate=row["break_even_rate"], **given)
    assert after - economics.clv_formula(retention_rate=0.8, **given) == pytest.approx(20)
    assert row["points"] == pytest.approx(row["break_even_rate"] - 0.8)
    never = economics.break_even_retention(retention_rate=0.99, cost=1e6, **given).iloc[0]
    assert np.isnan(never["points"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            lambda: economics.acquisition_return(margin=1, retention_rate=0.5, acquisition_cost=0),
            "acquisition_cost and margin are money above 0, and they were 0 and 1.",
        ),
        (
            lambda: economics.break_even_retention(margin=0, retention_rate=0.5, discount_rate=0.1, cost=1),
            "cost and margin are money above 0, and they were 1 and 0.",
        ),
    ],
)
def test_money_above_nothing(wrong, message: str) -> None:
    with pytest.raises(ParamsError) as refused:
        wrong()
    assert str(refused.value) == message


def test_a_subscribers_return_and_uplift_carry_the_bounds_of_churn() -> None:
    lost = pd.DataFrame(
        {"customers": [1000], "churned": [30], "churn_rate": [0.03], "low": [0.02], "high": [0.04]}
    )
    fees = pd.DataFrame({"end": [2000.0], "customers_end": [100]})
    worth = subscribers.clv_of_subscribers(lost, fees, margin=0.5, discount_rate=0)
    returned = subscribers.subscriber_return(worth, 50.0).iloc[0]
    assert returned[["ltv_to_cac", "low", "high"]].tolist() == pytest.approx(
        [10 / 0.03 / 50, 10 / 0.04 / 50, 10 / 0.02 / 50]
    )
    assert returned["payback"] == 5
    uplift = subscribers.subscriber_uplift(worth, points=(0.01, 0.025, 0.05))
    assert uplift["gain"].tolist() == pytest.approx([10 / 0.02 - 10 / 0.03, 10 / 0.005 - 10 / 0.03])
    assert uplift["gain_low"].tolist() == pytest.approx([10 / 0.03 - 10 / 0.04, 10 / 0.015 - 10 / 0.04])
    assert np.isnan(uplift["gain_high"].iloc[1])  # 2 points are left, and 2.5 were asked for
