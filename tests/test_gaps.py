"""Gaps between order days and who may be contacted: by hand."""

import pandas as pd
import pytest

from retention_kit import datasets, gaps, tables
from retention_kit.exceptions import DataError


def orders(*moments: str) -> tables.Loaded:
    frame = pd.DataFrame({"customer_id": "a", "ordered_at": moments, "amount": 1.0})
    return tables.orders(frame, as_of="2024-06-01")


def test_of_the_orders_of_one_day_one_ends_the_gap() -> None:
    loaded = orders("2024-01-09 08:00", "2024-01-01", "2024-01-09 20:00", "2024-01-01 00:01", "2024-01-10")
    rows = gaps.with_gaps(loaded).to_pandas()
    found = rows[rows["_gap"].notna()].sort_values("_gap")
    assert len(rows) == 5
    assert found["_gap"].tolist() == [1, 8]
    assert found["_is_first"].tolist() == [False, True]


def test_two_orders_at_one_moment_end_one_gap() -> None:
    rows = gaps.with_gaps(orders("2024-01-01", "2024-01-01", "2024-01-03", "2024-01-03")).to_pandas()
    assert rows["_gap"].dropna().tolist() == [2]
    assert rows["_is_first"].sum() == 1


def test_values_of_the_first_order_stand_beside_every_gap() -> None:
    loaded = tables.orders(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF, columns=["country"])
    rows = gaps.with_gaps(loaded, ["country"]).to_pandas()
    assert set(rows.loc[rows["customer_id"] == "ana", "country"]) == {"Austria"}
    assert len(rows) == 11


def test_a_rhythm_by_hand() -> None:
    # Gaps 8 and 1 of three days; the median of two is between them, and half a day is rounded up.
    row = gaps.rhythms(orders("2024-05-01", "2024-05-01", "2024-05-09", "2024-05-10")).to_pandas().iloc[0]
    assert row[["orders", "order_days", "usual_days", "revenue"]].tolist() == [4, 3, 4.5, 4]
    assert row[["days_since_last_order", "days_overdue"]].tolist() == [22, 22 - 5]
    assert row["_years"] == 31 / 365


def test_two_order_days_are_no_rhythm() -> None:
    assert gaps.rhythms(orders("2024-05-01", "2024-05-01", "2024-05-09")).to_pandas().empty


# -- who may be contacted -----------------------------------------------------


def may_contact(*stated: object, dtype: str | None = None) -> bool:
    frame = pd.DataFrame({"customer_id": "a", "ordered_at": "2024-01-01", "contactable": pd.Series(stated)})
    if dtype:
        frame["contactable"] = frame["contactable"].astype(dtype)
    loaded = tables.orders(frame, as_of="2024-06-01", columns=["contactable"])
    return gaps.consents(loaded).to_pandas()["_may_contact"].item()


@pytest.mark.parametrize("yes", [True, "yes", " YES ", "true", "True", "1", 1, 1.0])
def test_yes_in_any_writing(yes: object) -> None:
    assert may_contact(yes) is True
    assert may_contact(yes, None) is True


@pytest.mark.parametrize("no", [False, "no", "No ", "FALSE", "0", 0, 0.0, None, "", "NA"])
def test_no_and_nothing_stated(no: object) -> None:
    assert may_contact(no) is False


def test_a_no_outweighs_every_yes() -> None:
    assert may_contact("yes", "no", "yes") is False
    assert may_contact(True, False, dtype="boolean") is False


def test_neither_yes_nor_no() -> None:
    with pytest.raises(DataError) as error:
        may_contact("yes", "Maybe")
    assert str(error.value) == (
        "contactable holds 'maybe', which is neither yes nor no. "
        "Write yes and no, true and false, or 1 and 0."
    )


def test_a_number_that_is_neither() -> None:
    with pytest.raises(DataError) as error:
        may_contact(1, 2)
    assert str(error.value).startswith("contactable holds '2', which is neither yes nor no.")
