"""Customer lifetime value: by hand, and what the formulas must obey."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import clv, datasets, intervals, tables
from retention_kit.exceptions import DataError, ParamsError

AS_OF = datasets.TINY_AS_OF


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
        "definition": "Revenue times a margin of 30.0% of all orders before 1 May 2024, by customer, of "
        "those who first ordered in the month; country as in the first order.",
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


# -- what models read ---------------------------------------------------------


def test_customers_by_hand() -> None:
    # Days since the first order, of tiny_orders before AS_OF: same-day orders are one purchase.
    found = clv.summarize_customers(datasets.tiny_orders(), as_of=AS_OF, unit="day").set_index("customer_id")
    orders = datasets.tiny_orders()
    orders = orders[orders["ordered_at"] < pd.Timestamp(AS_OF)]
    end = pd.Timestamp(AS_OF).normalize() - pd.Timedelta(days=1)
    for customer, rows in orders.groupby("customer_id"):
        days = rows.groupby(rows["ordered_at"].dt.normalize())["amount"].sum()
        later = days.iloc[1:]
        row = found.loc[customer]
        assert row["frequency"] == len(later)
        assert row["recency"] == (days.index[-1] - days.index[0]).days
        assert row["T"] == (end - days.index[0]).days
        assert row["monetary_value"] == (pytest.approx(later.mean()) if len(later) else 0)
    assert len(found) == orders["customer_id"].nunique()


def test_the_unit_divides_days() -> None:
    days, weeks = (
        clv.summarize_customers(datasets.tiny_orders(), as_of=AS_OF, unit=u) for u in ("day", "week")
    )
    np.testing.assert_allclose(weeks["T"] * 7, days["T"])
    np.testing.assert_allclose(weeks["recency"] * 7, days["recency"])
    assert weeks["monetary_value"].tolist() == days["monetary_value"].tolist()
    assert weeks.attrs["unit"] == "week"


def test_groups_are_kept_for_segments() -> None:
    orders = datasets.tiny_orders().assign(shop="x")
    found = clv.summarize_customers(orders, as_of=AS_OF, by="shop")
    assert found.columns.tolist() == ["customer_id", "shop", "frequency", "recency", "T", "monetary_value"]
    assert set(found["shop"]) == {"x"}


def test_the_histogram_is_the_summary_counted() -> None:
    each = clv.summarize_customers(datasets.tiny_orders(), as_of=AS_OF)
    counted = each.groupby(["frequency", "recency", "T"]).size().reset_index(name="weight")
    pd.testing.assert_frame_equal(
        clv.customer_histogram(datasets.tiny_orders(), as_of=AS_OF), counted, check_dtype=False
    )


def test_without_amounts_there_is_no_monetary_value() -> None:
    found = clv.summarize_customers(datasets.tiny_orders()[["customer_id", "ordered_at"]], as_of=AS_OF)
    assert found.columns.tolist() == ["customer_id", "frequency", "recency", "T"]


def test_an_unknown_unit() -> None:
    with pytest.raises(DataError) as error:
        clv.summarize_customers(datasets.tiny_orders(), as_of=AS_OF, unit="moon")
    assert str(error.value) == "There is no unit 'moon'. Choose one of ['day', 'week', 'month', 'year']."


# -- in one line --------------------------------------------------------------


@pytest.fixture(scope="module")
def worth() -> pd.DataFrame:
    return clv.customer_value(datasets.demo_orders(), as_of="2024-07-01", margin=0.3)


def test_value_is_purchases_times_spend_less_a_discount(worth: pd.DataFrame) -> None:
    undiscounted = 0.3 * worth["expected_purchases"] * worth["expected_spend"]
    ratio = worth["expected_value"] / undiscounted
    assert ((ratio > 1.1**-1) & (ratio < 1)).all()
    assert ((worth["low"] < worth["expected_value"]) & (worth["expected_value"] < worth["high"])).all()
    assert worth["p_alive"].between(0, 1).all()
    assert worth.attrs["spend"].facts["correlation"] < 1
    assert "within 365 days" in worth.attrs["definition"]


def test_each_option_moves_the_number(worth: pd.DataFrame) -> None:
    orders = tables.load_orders(datasets.demo_orders(), as_of="2024-07-01")
    total = worth["expected_value"].sum()
    assert clv.customer_value(orders)["expected_value"].sum() == pytest.approx(total / 0.3)
    for options in ({"horizon": "6 months"}, {"discount_rate": 0.2}):
        assert clv.customer_value(orders, margin=0.3, **options)["expected_value"].sum() < total
    other = clv.customer_value(orders, margin=0.3, model="bg_nbd")
    assert other["expected_value"].sum() != pytest.approx(total)
    assert other.attrs["purchases"].model == "bg_nbd"


def test_an_unknown_model() -> None:
    with pytest.raises(ParamsError) as error:
        clv.customer_value(datasets.tiny_orders(), as_of=AS_OF, model="bgnbd")
    assert str(error.value) == (
        "model 'bgnbd' is not known. Choose one of ['mbg_nbd', 'pareto_nbd', 'bg_nbd']."
    )
