"""What is left after costs, by hand: whose cost counts once, whose adds up, and what is not known."""

import math

import pandas as pd
import pytest

from retention_kit import datasets, params, profits, tables
from retention_kit.exceptions import DataError, ParamsError

ORDERS = pd.DataFrame(
    {
        "customer_id": ["ann", "ann", "bob", "cid"],
        "ordered_at": pd.to_datetime(["2024-01-03", "2024-02-03", "2024-01-20", "2024-02-01"]),
        "amount": [60.0, 40.0, 100.0, 10.0],
        "margin": [0.5, 0.25, 0.4, 0.4],
        "cost_to_serve": [5.0, 10.0, 45.0, 1.0],
        "acquisition_cost": [7.0, 99.0, 0.0, 6.0],
    }
)
AS_OF = "2024-03-01"


def test_equal_revenue_at_three_times_the_cost_to_serve_is_a_loss() -> None:
    found = profits.customer_profits(ORDERS, as_of=AS_OF).set_index("customer_id")
    assert found.loc["ann"].tolist() == [2, 100, 60 * 0.5 + 40 * 0.25, 15, 7, 40 - 15 - 7]
    assert found.loc["bob"].tolist() == [1, 100, 40, 45, 0, -5]
    assert found.index.tolist() == ["bob", "cid", "ann"]  # the largest loss first


def test_a_customers_cost_is_not_multiplied_by_orders() -> None:
    rows = ORDERS.drop(columns=["cost_to_serve", "acquisition_cost", "margin"])
    people = pd.DataFrame(
        {
            "customer_id": ["ann", "bob"],
            "margin": 0.5,
            "cost_to_serve": [15.0, 45.0],
            "acquisition_cost": [7, 8],
        }
    )
    orders = tables.assign_customers(
        tables.load_orders(rows, as_of=AS_OF), tables.load_customers(people, as_of=AS_OF)
    )
    found = profits.customer_profits(orders).set_index("customer_id")
    assert found.loc["ann"].tolist() == [2, 100, 50, 15, 7, 28]
    assert found.loc["cid", ["margin", "profit"]].isna().all()  # nobody knows, and nobody guesses
    total = profits.profits_by(orders).iloc[0]
    assert total[["customers", "known", "revenue", "profit"]].tolist() == [3, 2, 200, 28 - 3]


def test_cohorts_and_segments_by_hand() -> None:
    shop = ORDERS.assign(country=["PL", "DE", "PL", "DE"])
    found = profits.profits_by(shop, as_of=AS_OF, by="country").set_index("country")
    assert found["profit"].to_dict() == {"DE": -3, "PL": 13}  # ann counts where her first order was
    assert found["losses"].to_dict() == {"DE": 1, "PL": 1}
    assert math.isnan(found["low"]["DE"])
    poland = found.loc["PL"]
    assert poland["profit_per_customer"] == 6.5
    assert poland["high"] - 6.5 == pytest.approx(12.7062 * math.sqrt(264.5) / math.sqrt(2), rel=1e-4)
    monthly = profits.profits_by(ORDERS, as_of=AS_OF, period="month")
    assert monthly["cohort"].dt.month.tolist() == [1, 2]
    assert monthly["profit"].tolist() == [13, -3]
    early = profits.profits_by(ORDERS, as_of="2024-02-20", period="month")
    assert early["cohort"].dt.month.tolist() == [1]  # February was not over


def test_one_margin_for_all_goes_before_theirs() -> None:
    found = profits.profits_by(ORDERS, as_of=AS_OF, margin=0.1).iloc[0]
    assert found["margin"] == pytest.approx(21)
    assert found.name == 0
    assert profits.profits_by(ORDERS, as_of=AS_OF, margin=0.1).attrs["definition"] == (
        "Margin of all orders before 1 March 2024 (10.0% of revenue, for all alike), less the cost to "
        "serve and the cost of winning the customer."
    )
    bare = ORDERS[["customer_id", "ordered_at", "amount"]]
    assert (
        profits.profits_by(bare, as_of=AS_OF, margin=0.1)
        .attrs["definition"]
        .endswith("The data hold neither a cost to serve nor one of winning a customer.")
    )


def test_the_demo_company_loses_on_the_channels_it_pays_most_for() -> None:
    orders = tables.load(params.read("demo"), "orders")
    found = profits.profits_by(orders, by="channel").set_index("channel")
    truth = datasets.demo_truth()
    for channel, cost in truth.acquisition_costs.items():
        row = found.loc[channel]
        assert row["acquisition_cost"] / row["known"] == pytest.approx(cost, rel=0.06)
    assert found["loss_low"]["marketplace"] > found["loss_high"]["direct"]


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        (
            ORDERS.drop(columns="margin"),
            "Neither orders nor customers have a margin. They have ['customer_id', 'ordered_at', 'amount', "
            "'cost_to_serve', 'acquisition_cost']. Map one with columns={'margin': 'your_name'}, or type "
            "margin=0.3 for 30 %.",
        ),
        (
            ORDERS.assign(margin=30),
            "margin is a share of the amount, and 30 is above 1. Write 0.3 for 30 %, or map an expression "
            "such as columns={'margin': 'margin / 100'}.",
        ),
        (
            ORDERS.assign(cost_to_serve=-2.5),
            "cost_to_serve is a cost, and -2.5 is below 0. Write costs without a sign.",
        ),
    ],
)
def test_odd_margins_and_costs_are_refused(orders: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError) as refused:
        profits.customer_profits(orders, as_of=AS_OF)
    assert str(refused.value) == message


def test_a_margin_is_a_share() -> None:
    with pytest.raises(ParamsError) as refused:
        profits.profits_by(ORDERS, as_of=AS_OF, margin=30)
    assert str(refused.value) == (
        "margin is a share of revenue above 0 and up to 1, and it was 30. Type 0.3 for 30 %."
    )
