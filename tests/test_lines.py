"""An export with a row for each thing bought becomes one row an order."""

import datetime as dt

import pandas as pd

from retention_kit import tables

END = "2024-08-01"


def rows(loaded: tables.Loaded) -> list[dict]:
    """The rows of a table, in one order, so that tables can be compared."""
    listed = loaded.table.to_pyarrow().to_pylist()
    return sorted(listed, key=lambda row: [str(row[column]) for column in sorted(row)])


def account(loaded: tables.Loaded) -> dict[str, int]:
    return dict(zip(loaded.checks["rule"], loaded.checks["rows"].tolist(), strict=True))


def loaded_lines(*written: tuple) -> tables.Loaded:
    frame = pd.DataFrame(written, columns=["order_id", "customer_id", "ordered_at", "amount", "product"])
    return tables.load_orders(frame, columns={"product": "product"}, as_of=END)


def test_lines_are_added_up_at_their_earliest_moment() -> None:
    loaded = loaded_lines(
        ("1", "a", "2024-05-01 10:05", 2.5, "tea"),
        ("1", "a", "2024-05-01 10:00", 7.5, "pot"),
        ("2", "a", "2024-06-01 09:00", 1.0, "tea"),
    )
    assert rows(loaded) == [
        {
            "order_id": "2",
            "customer_id": "a",
            "ordered_at": dt.datetime(2024, 6, 1, 9),
            "amount": 1.0,
            "product": "tea",
        },
        {
            "order_id": "1",
            "customer_id": "a",
            "ordered_at": dt.datetime(2024, 5, 1, 10),
            "amount": 2.5 + 7.5,
            "product": "pot",
        },
    ]
    assert account(loaded) == {"read": 3, "kept": 3}


def test_of_equally_large_lines_the_largest_value_names_the_order() -> None:
    day = "2024-05-01"
    loaded = loaded_lines(("1", "a", day, 5, "tea"), ("1", "a", day, 5, "zip"), ("1", "a", day, 1, "zoo"))
    assert rows(loaded)[0]["product"] == "zip"


def test_a_line_without_an_order_is_one() -> None:
    day = "2024-05-01"
    loaded = loaded_lines(
        (None, "a", day, 5, "x"), (None, "a", day, 5, "x"), ("", "a", day, 5, "x"), ("1", "a", day, 5, "x")
    )
    assert loaded.table.count().execute() == 4


def test_an_order_id_under_two_customers_is_two_orders() -> None:
    loaded = loaded_lines(("1", "a", "2024-05-01", 5, "x"), ("1", "b", "2024-05-01", 6, "x"))
    assert sorted((row["customer_id"], row["amount"]) for row in rows(loaded)) == [("a", 5), ("b", 6)]


def test_a_returned_line_is_set_aside_with_its_amount_and_the_order_stays() -> None:
    loaded = loaded_lines(("1", "a", "2024-05-01", 5, "x"), ("1", "a", "2024-05-02", -2, "x"))
    assert rows(loaded)[0]["amount"] == 5
    assert loaded.checks[["rule", "rows", "amount"]].to_numpy().tolist() == [
        ["read", 2, 3.0],
        ["return", 1, -2.0],
        ["kept", 1, 5.0],
    ]


def test_lines_without_amounts_take_the_largest_value() -> None:
    frame = pd.DataFrame(
        {"order_id": ["1", "1"], "customer_id": "a", "ordered_at": "2024-05-01", "shop": ["x", "y"]}
    )
    loaded = tables.load_orders(frame, columns={"shop": "shop"}, as_of=END)
    assert [row["shop"] for row in rows(loaded)] == ["y"]
