"""Customer summaries: what a purchase model knows of a customer, checked, and those who are alike counted.

`frequency`, `recency` and `T` in Fader and Hardie's sense: repeat purchases, the time of the last one and the
time observed, both since the first purchase and in one unit. Who is alike in all three is alike to a model,
so a fit costs the same for a million customers and for a billion who look like them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from retention_kit.exceptions import DataError

#: Days in each unit of time; a month is a twelfth of a year, and no calendar month is that long.
UNITS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}


@dataclass(frozen=True)
class Column:
    """The distinct values of a column, and which of them each cell has: logarithms are taken of these few."""

    distinct: np.ndarray
    index: np.ndarray

    @cached_property
    def each(self) -> np.ndarray:
        """A value a cell."""
        return self.distinct[self.index]

    def mapped(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """A function's value a cell, computed once for each distinct one."""
        return function(self.distinct)[self.index]


@dataclass(frozen=True)
class Cells:
    """Customers alike in all three numbers, counted: a row a cell."""

    frequency: Column
    recency: Column
    T: Column
    weight: np.ndarray
    #: The cell of each row of the summary, for predictions to find their way back.
    of_row: np.ndarray

    @property
    def customers(self) -> float:
        return float(self.weight.sum())

    @cached_property
    def by_frequency(self) -> np.ndarray:
        """Customers of each distinct frequency."""
        return np.bincount(self.frequency.index, self.weight, len(self.frequency.distinct))

    def weighted(self, weight: np.ndarray) -> "Cells":
        """The same cells with other weights, as a bootstrap draws them."""
        return Cells(self.frequency, self.recency, self.T, weight, self.of_row)

    def table(self) -> np.ndarray:
        """A row a cell: frequency, recency, T, weight."""
        return np.column_stack([self.frequency.each, self.recency.each, self.T.each, self.weight])


def cells(summary: pd.DataFrame) -> Cells:
    """The cells of a summary with `frequency`, `recency`, `T` and perhaps `weight`.

    Raises
    ------
    DataError
        When a column is missing, a value is missing or negative, `recency` is above `T`, or a customer
        who never came back has a `recency`.
    """
    numbers = checked(summary, ("frequency", "recency", "T"))
    frequency, recency, age = (numbers[name] for name in ("frequency", "recency", "T"))
    _refuse(summary, frequency != np.floor(frequency), "frequency is not a whole number")
    _refuse(summary, recency > age * (1 + 1e-12), "recency is above T: the last purchase lies after the end")
    _refuse(summary, (frequency == 0) & (recency > 0), "frequency is 0 and recency is above 0")
    _refuse(summary, (frequency > 0) & (recency == 0), "frequency is above 0 and recency is 0")
    return _counted([frequency, np.minimum(recency, age), age], weights(summary))


def total(*columns: np.ndarray) -> float:
    """The sum of the columns' products, without a BLAS: its threads cost more than the sum."""
    letters = ",".join("i" * len(columns))
    return float(np.einsum(f"{letters}->", *columns))


def checked(summary: pd.DataFrame, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The columns as numbers, none missing and none below zero."""
    if not isinstance(summary, pd.DataFrame):
        raise DataError(
            f"A summary is a DataFrame with one row a customer, and this is {type(summary).__name__}. "
            "Type clv.summarize_customers(orders, as_of=..., unit='week')."
        )
    missing = [name for name in names if name not in summary]
    if missing:
        raise DataError(
            f"The summary is missing {missing}. It has {[str(column) for column in summary.columns]}. "
            "Type clv.summarize_customers(orders, as_of=..., unit='week')."
        )
    if summary.empty:
        raise DataError("The summary has no rows, so there is nothing to fit or to predict.")
    numbers = {}
    for name in names:
        try:
            numbers[name] = summary[name].to_numpy(dtype="float64", na_value=np.nan)
        except (TypeError, ValueError):
            raise DataError(f"{name} holds something that is no number.") from None
        _refuse(summary, ~np.isfinite(numbers[name]), f"{name} is missing")
        _refuse(summary, numbers[name] < 0, f"{name} is negative")
    return numbers


def weights(summary: pd.DataFrame) -> np.ndarray:
    """How many customers each row of a summary stands for."""
    return checked(summary, ("weight",))["weight"] if "weight" in summary else np.ones(len(summary))


def unit_of(summary: pd.DataFrame, unit: str | None) -> str:
    """The summary's unit of time, from `unit` or from what made it; never a guess.

    Raises
    ------
    DataError
        When neither says it, they differ, or there is no such unit.
    """
    told = summary.attrs.get("unit")
    if unit is None and told is None:
        raise DataError(f"The unit of recency and T is not known. Say unit=, one of {list(UNITS)}.")
    if unit is not None and unit not in UNITS:
        raise DataError(f"There is no unit {unit!r}. Choose one of {list(UNITS)}.")
    if unit is not None and told is not None and unit != told:
        raise DataError(f"The summary is in units of a {told}, and unit={unit!r} was given. Leave unit out.")
    return unit or told


def _refuse(summary: pd.DataFrame, wrong: np.ndarray, what: str) -> None:
    if not wrong.any():
        return
    rows = np.flatnonzero(wrong)
    shown = {
        name: _plain(summary[name].iloc[rows[0]])
        for name in ("customer_id", "frequency", "recency", "T")
        if name in summary
    }
    raise DataError(f"{what} in {len(rows)} of {len(summary)} rows, first in row {rows[0]}: {shown}.")


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _counted(columns: list[np.ndarray], weight: np.ndarray) -> Cells:
    factors = [pd.factorize(column) for column in columns]
    key = np.zeros(len(weight), dtype="int64")
    for codes, distinct in factors:
        key = key * len(distinct) + codes
    of_row, keys = pd.factorize(key)
    first = np.empty(len(keys), dtype="int64")
    first[of_row[::-1]] = np.arange(len(of_row) - 1, -1, -1)
    frequency, recency, age = (Column(distinct, codes[first]) for codes, distinct in factors)
    return Cells(frequency, recency, age, np.bincount(of_row, weights=weight, minlength=len(keys)), of_row)
