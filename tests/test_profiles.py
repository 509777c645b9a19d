"""Each customer's whole history in one row, by hand on the tiny shop."""

import pandas as pd

from retention_kit import datasets, profiles, tables


def test_by_hand() -> None:
    orders = tables.load_orders(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF)
    found = profiles.profile(orders).to_pandas().set_index("customer_id").sort_index()
    assert found["orders"].to_dict() == {"ana": 4, "ben": 1, "cleo": 2, "dan": 1, "eva": 2, "finn": 1}
    assert found["revenue"].tolist() == [115, 15, 110, 10, 22.5, 25]
    assert found["first_amount"].tolist() == [20, 15, 50, 10, 0, 25]
    assert found["usual_days"].dropna().to_dict() == {"ana": 21}
    assert found.index[found["second_at"].isna()].tolist() == ["ben", "dan", "finn"]


def test_a_day_with_two_orders_is_one_order_day_and_even_numbers_of_gaps_have_a_middle() -> None:
    days = ["2024-01-01", "2024-01-01 12:00", "2024-01-03", "2024-01-10"]
    shop = pd.DataFrame({"customer_id": "a", "ordered_at": pd.to_datetime(days, format="mixed")})
    [row] = profiles.profile(tables.load_orders(shop, as_of="2024-02-01")).to_pandas().to_dict("records")
    assert (row["orders"], row["order_days"], row["usual_days"]) == (4, 3, (2 + 7) / 2)
    assert (row["first_at"], row["second_at"], row["last_at"]) == tuple(
        pd.Timestamp(day) for day in (days[0], days[1], days[3])
    )
    assert "revenue" not in row


def test_it_is_counted_once_a_table_and_not_at_all_of_a_plain_frame() -> None:
    orders = tables.load_orders(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF)
    assert profiles.profile(orders) is profiles.profile(orders)
    assert profiles.profile(tables.orders(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF)) is None
