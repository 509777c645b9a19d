"""What customers bought in each period, by hand."""

import pandas as pd

from retention_kit import tables, takings

SHOP = pd.DataFrame(
    {
        "customer_id": ["a", "a", "a", "b"],
        "ordered_at": pd.to_datetime(["2024-01-03", "2024-01-20", "2024-03-05", "2024-01-09"]),
        "amount": [10.0, 5.0, 20.0, 7.0],
    }
)


def test_by_hand() -> None:
    found = takings.takings(tables.load_orders(SHOP, as_of="2024-04-01"), "month")
    january = 2024 * 12
    assert found[["cohort_index", "period_index"]].to_numpy().tolist() == [
        [january, january],
        [january, january + 2],
    ]
    assert found[["_n", "orders", "revenue"]].to_numpy().tolist() == [[2, 3, 22], [1, 1, 20]]
    assert found["revenue_xx"].tolist() == [15**2 + 7**2, 20**2]
    # In March what `a` has spent goes from 15 to 35.
    assert found["_squares"].tolist() == [15**2 + 7**2, 35**2 - 15**2]
    assert found[["first_customers", "first_revenue", "first_yy"]].to_numpy().tolist() == [
        [2, 17, 149],
        [0, 0, 0],
    ]
    assert found[["returning_customers", "returning_orders", "returning_revenue"]].to_numpy().tolist() == [
        [1, 1, 5], [1, 1, 20],
    ]  # fmt: skip
    assert found["_both_orders"].tolist() == [1 * 1 + 1 * 0, 0]
    assert found["first_share_xy"].tolist() == [10 * 15 + 7 * 7, 0]
    assert found["returning_share_xy"].tolist() == [5 * 15, 20 * 20]


def test_they_are_counted_once_a_table_and_period() -> None:
    orders = tables.load_orders(SHOP, as_of="2024-04-01")
    assert takings.takings(orders, "month") is takings.takings(orders, "month")
    assert len(takings.takings(orders, "quarter")) == 1


def test_there_are_none_without_amounts_nor_of_a_plain_frame() -> None:
    assert (
        takings.takings(tables.load_orders(SHOP.drop(columns="amount"), as_of="2024-04-01"), "month") is None
    )
    assert takings.takings(tables.orders(SHOP, as_of="2024-04-01", columns=["amount"]), "month") is None
