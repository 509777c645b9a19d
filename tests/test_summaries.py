"""Customer summaries: what is refused, and that counting alike customers changes nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import summaries
from retention_kit.exceptions import DataError


def summary(**columns: list) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [2], "recency": [3.0], "T": [5.0], **columns})


def test_alike_customers_are_one_cell_with_their_weight() -> None:
    frame = pd.DataFrame({"frequency": [1, 0, 1, 0], "recency": [2.0, 0, 2, 0], "T": [4.0, 4, 4, 5]})
    cells = summaries.cells(frame)
    assert cells.table().tolist() == [[1, 2, 4, 2], [0, 0, 4, 1], [0, 0, 5, 1]]
    assert cells.of_row.tolist() == [0, 1, 0, 2]
    assert cells.customers == 4
    assert dict(zip(cells.frequency.distinct, cells.by_frequency, strict=True)) == {1: 2, 0: 2}


rows = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 20), st.integers(0, 20), st.integers(1, 4)),
    min_size=1,
    max_size=40,
)


@given(rows)
def test_every_row_finds_its_cell_again(drawn: list[tuple]) -> None:
    frame = pd.DataFrame(
        [(x, t_x, t_x + rest, w) for x, t_x, rest, w in drawn],
        columns=["frequency", "recency", "T", "weight"],
    )
    cells = summaries.cells(frame)
    back = cells.table()[cells.of_row][:, :3]
    assert back.tolist() == frame[["frequency", "recency", "T"]].astype(float).to_numpy().tolist()
    assert cells.customers == frame["weight"].sum()
    assert len(cells.weight) == len(frame[["frequency", "recency", "T"]].drop_duplicates())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"recency": [6.0]},
            "recency is above T: the last purchase lies after the end in 1 of 1 rows, first in row 0: "
            "{'frequency': 2, 'recency': 6.0, 'T': 5.0}.",
        ),
        (
            {"frequency": [0]},
            "frequency is 0 and recency is above 0 in 1 of 1 rows, first in row 0: "
            "{'frequency': 0, 'recency': 3.0, 'T': 5.0}.",
        ),
        (
            {"recency": [0.0]},
            "frequency is above 0 and recency is 0 in 1 of 1 rows, first in row 0: "
            "{'frequency': 2, 'recency': 0.0, 'T': 5.0}.",
        ),
        (
            {"T": [float("nan")]},
            "T is missing in 1 of 1 rows, first in row 0: {'frequency': 2, 'recency': 3.0, 'T': nan}.",
        ),
        (
            {"frequency": [-1]},
            "frequency is negative in 1 of 1 rows, first in row 0: "
            "{'frequency': -1, 'recency': 3.0, 'T': 5.0}.",
        ),
        (
            {"frequency": [1.5]},
            "frequency is not a whole number in 1 of 1 rows, first in row 0: "
            "{'frequency': 1.5, 'recency': 3.0, 'T': 5.0}.",
        ),
        ({"frequency": ["two"]}, "frequency holds something that is no number."),
    ],
)
def test_impossible_customers_are_refused(columns: dict, message: str) -> None:
    with pytest.raises(DataError) as caught:
        summaries.cells(summary(**columns))
    assert str(caught.value) == message


def test_a_frame_of_orders_is_no_summary() -> None:
    with pytest.raises(DataError) as caught:
        summaries.cells(pd.DataFrame({"customer_id": ["a"]}))
    assert str(caught.value) == (
        "The summary is missing ['frequency', 'recency', 'T']. It has ['customer_id']. "
        "Type clv.summarize_customers(orders, as_of=..., unit='week')."
    )


def test_no_frame_and_no_rows() -> None:
    with pytest.raises(
        DataError, match=r"^A summary is a DataFrame with one row a customer, and this is list"
    ):
        summaries.cells([1, 2])  # type: ignore[arg-type]
    with pytest.raises(
        DataError, match=r"^The summary has no rows, so there is nothing to fit or to predict"
    ):
        summaries.cells(summary().iloc[:0])


def test_the_unit_is_never_guessed() -> None:
    plain, made = summary(), summary()
    made.attrs["unit"] = "week"
    assert summaries.unit_of(plain, "day") == "day"
    assert summaries.unit_of(made, None) == "week"
    assert summaries.unit_of(made, "week") == "week"
    with pytest.raises(DataError) as caught:
        summaries.unit_of(plain, None)
    assert str(caught.value) == (
        "The unit of recency and T is not known. Say unit=, one of ['day', 'week', 'month', 'year']."
    )
    with pytest.raises(DataError) as caught:
        summaries.unit_of(made, "day")
    assert str(caught.value) == (
        "The summary is in units of a week, and unit='day' was given. Leave unit out."
    )
    with pytest.raises(DataError, match="There is no unit 'fortnight'"):
        summaries.unit_of(plain, "fortnight")


def test_total_is_the_sum_of_products() -> None:
    assert summaries.total(np.array([1.0, 2, 3]), np.array([4.0, 5, 6])) == 4 + 10 + 18
