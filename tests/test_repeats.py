"""What a purchase model reads of each customer: one answer, whether rows were laid out or not."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retention_kit import clv, periods, profiles, repeats, tables


def many(seed: int, *, paid: bool = True) -> pd.DataFrame:
    """Orders of 40 days, several on one day for most customers, in no order."""
    random = np.random.default_rng(seed)
    minutes = random.integers(0, 40 * 24 * 60, 3_000)
    orders = pd.DataFrame(
        {
            "customer_id": pd.Series(random.integers(0, 200, 3_000)).map("customer-{}".format),
            "ordered_at": pd.Timestamp("2024-01-01") + pd.to_timedelta(minutes, unit="min"),
            "amount": random.integers(1, 9_000, 3_000) / 4,
        }
    )
    return orders if paid else orders.drop(columns="amount")


def by_hand(orders: pd.DataFrame, end: str) -> pd.DataFrame:
    """Days before `end`, which is over; times in days."""
    seen = orders[orders["ordered_at"] < end]
    day = seen["ordered_at"].dt.normalize()
    days = seen.groupby(["customer_id", day], as_index=False)["amount"].sum()
    first = days["ordered_at"] == days.groupby("customer_id")["ordered_at"].transform("min")
    each = days.groupby("customer_id")["ordered_at"].agg(["min", "max", "size"])
    later = days[~first].groupby("customer_id")["amount"].mean().reindex(each.index, fill_value=0.0)
    last = pd.Timestamp(end) - pd.Timedelta(days=1)
    return pd.DataFrame(
        {
            "customer_id": each.index,
            "frequency": each["size"].to_numpy() - 1,
            "recency": (each["max"] - each["min"]).dt.days.to_numpy("float64"),
            "T": (last - each["min"]).dt.days.to_numpy("float64"),
            "monetary_value": later.to_numpy(),
        }
    )


@pytest.mark.parametrize(("as_of", "end"), [("2024-02-01", "2024-02-01"), ("2024-01-20 15:00", "2024-01-20")])
def test_laid_out_or_not_it_is_what_pandas_counts(as_of: str, end: str) -> None:
    orders = many(1)
    expected = by_hand(orders, end)
    loaded = tables.load_orders(orders, as_of=as_of)
    assert profiles.profile(loaded) is not None
    for given in (orders, loaded):
        found = clv.summarize_customers(given, as_of=as_of, unit="day")
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    counted = clv.customer_histogram(loaded, unit="day")
    assert counted["weight"].sum() == len(expected)
    pd.testing.assert_frame_equal(counted, clv.customer_histogram(orders, as_of=as_of, unit="day"))


def test_what_is_laid_out_is_not_counted_by_days_again(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = tables.load_orders(many(2, paid=False), as_of="2024-02-01")
    expected = clv.summarize_customers(many(2, paid=False), as_of="2024-02-01")
    monkeypatch.delattr(periods, "activity")
    found = clv.summarize_customers(loaded)
    assert list(found) == ["customer_id", "frequency", "recency", "T"]
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 40, 200])
def test_texts_are_ordered_by_their_bytes(size: int) -> None:
    random = np.random.default_rng(size)
    letters = list("aAbż€😀0- ")
    texts = ["".join(random.choice(letters, random.integers(0, size + 1))) for _ in range(60)]
    for kind in (pa.string(), pa.large_string()):
        given = pa.chunked_array([texts[:20], [], texts[20:]], kind)
        found = given.take(repeats.in_order(given)).to_pylist()
        assert found == sorted(texts, key=lambda text: text.encode())
