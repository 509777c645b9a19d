"""Calendar arithmetic in whole numbers, what is complete by `as_of`, and the one reduction of activity.

A period is an integer (months since year 0, days since 1970, ...), so that the same expression
gives the same answer on every engine and differences of periods are ages.
"""

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import lengths
from retention_kit.exceptions import DataError
from retention_kit.lengths import Period, check_period
from retention_kit.sentences import phrase
from retention_kit.tables import Loaded

#: The first day of the week numbered 0: a `week` starts on Monday, the others on the day they name.
_DAY_ZERO = {
    "day": dt.date(1970, 1, 5),
    "week": dt.date(1970, 1, 5),
    "week_saturday": dt.date(1970, 1, 3),
    "week_sunday": dt.date(1970, 1, 4),
}


def index(moment: ir.TimestampValue, period: Period) -> ir.IntegerValue:
    """The number of the period a moment falls in, as an expression for any engine."""
    check_period(period)
    if period == "year":
        return moment.year().cast("int64")
    if period == "quarter":
        return (moment.year() * 4 + moment.quarter() - 1).cast("int64")
    if period == "month":
        return (moment.year() * 12 + moment.month() - 1).cast("int64")
    days = moment.date().delta(ibis.date(_DAY_ZERO[period]), unit="day")
    return days.cast("int64") if period == "day" else (days / 7).floor().cast("int64")


def index_of(moment: dt.datetime | dt.date, period: Period) -> int:
    """The number of the period one moment falls in.

    >>> index_of(dt.date(2024, 7, 1), "month") - index_of(dt.date(2023, 12, 31), "month")
    7
    """
    check_period(period)
    if period == "year":
        return moment.year
    if period == "quarter":
        return moment.year * 4 + (moment.month - 1) // 3
    if period == "month":
        return moment.year * 12 + moment.month - 1
    date = moment.date() if isinstance(moment, dt.datetime) else moment
    days = (date - _DAY_ZERO[period]).days
    return days if period == "day" else days // 7


def of_days(days: np.ndarray, period: Period) -> np.ndarray:
    """The numbers of the periods that days fall in, the days counted since 1970.

    >>> of_days(np.array([0, 30, 31]), "month") - 1970 * 12
    array([0, 0, 1])
    """
    check_period(period)
    if not len(days):
        return days
    first = int(days.min())
    return _numbers(first, int(days.max()), period)[days - first]


@functools.lru_cache(maxsize=64)
def _numbers(first: int, last: int, period: Period) -> np.ndarray:
    dates = np.arange(first, last + 1).astype("datetime64[D]").tolist()
    return np.array([index_of(date, period) for date in dates], dtype="int64")


def start_of(number: int, period: Period) -> pd.Timestamp:
    """The first moment of a period.

    >>> start_of(index_of(dt.date(2024, 7, 17), "quarter"), "quarter")
    Timestamp('2024-07-01 00:00:00')
    """
    check_period(period)
    number = int(number)
    if period == "year":
        return pd.Timestamp(number, 1, 1)
    if period == "quarter":
        return pd.Timestamp(number // 4, number % 4 * 3 + 1, 1)
    if period == "month":
        return pd.Timestamp(number // 12, number % 12 + 1, 1)
    return pd.Timestamp(_DAY_ZERO[period]) + pd.Timedelta(days=number if period == "day" else number * 7)


def starts(numbers: pd.Series, period: Period) -> pd.Series:
    """The first moments of many periods, as a column of a result frame."""
    moments = {number: start_of(number, period) for number in numbers.unique()}
    return numbers.map(moments).astype("datetime64[us]")


def first_incomplete(loaded: Loaded, period: Period) -> int:
    """The first period that was not observed to its end, by `as_of` or by the data's own end."""
    if loaded.observed_until is None:
        raise DataError(f"{loaded.kind} has no as_of, so no period can be complete. Type as_of='2024-07-01'.")
    return index_of(loaded.observed_until, period)


def activity(loaded: Loaded, period: Period, by: Sequence[str] = ()) -> ir.Table:
    """One row a customer and period with something done in it: the base of every behavioural metric.

    Returns
    -------
    Table
        `customer_id`, `period_index`, `times` (orders, or events) and, where there are amounts, `amount`;
        with `by`, those columns too, as they stood at the customer's first row.
    """
    table = loaded.table
    moment = table[loaded.moment]
    sums = {"times": table.count()}
    if "amount" in table.columns:
        sums["amount"] = table.amount.sum()
    active = table.group_by(table.customer_id, period_index=index(moment, period)).aggregate(**sums)
    if not by:
        return active
    return active.join(birth_values(loaded, by), "customer_id")


def birth_values(loaded: Loaded, by: Sequence[str]) -> ir.Table:
    """Each customer's values of `by` at the first row; of several at one moment, the smallest."""
    table = loaded.table
    moments = table.mutate(_moment=table[loaded.moment])
    first = moments.group_by("customer_id").aggregate(_first=moments._moment.min())
    births = moments.join(first, ["customer_id", (moments._moment, first._first)])
    return births.group_by("customer_id").aggregate(**{column: births[column].min() for column in by})


def cohorts(active: ir.Table) -> ir.Table:
    """Each customer's first period, from the rows of `activity`: `customer_id`, `cohort_index`."""
    return active.group_by("customer_id").aggregate(cohort_index=active.period_index.min())


def each_period(
    counted: pd.DataFrame, by: Sequence[str], end: int, *, floats: Sequence[str] = ()
) -> pd.DataFrame:
    """A row for every period before `end` since each group's first one; where nothing happened, zeros.

    Columns are whole numbers, but for those named in `floats` (sums of squares outgrow integers).
    """
    keys = list(by) or ["_all"]
    given = counted.assign(_all=0)
    first = given.groupby(keys, dropna=False, as_index=False).agg(_first=("period_index", "min"))
    start = given["period_index"].min() if len(given) else end
    calendar = pd.DataFrame({"period_index": pd.Series(range(start, end), dtype="int64")})
    grid = calendar.merge(first, how="cross")
    grid = grid[grid["period_index"] >= grid["_first"]].drop(columns="_first")
    dense = grid.merge(given, how="left", on=["period_index", *keys]).sort_values(["period_index", *keys])
    numbers = [column for column in counted.columns if column not in ("period_index", *by)]
    kinds = {column: "float64" if column in floats else "int64" for column in numbers}
    dense[numbers] = dense[numbers].fillna(0).astype(kinds)
    return dense[list(counted.columns)].reset_index(drop=True)


def told(loaded: Loaded, definition: str, frame: pd.DataFrame, period: Period) -> dict[str, Any]:
    """What a result by periods carries in `attrs`; where it has no row, the note that says why among it."""
    attrs = loaded.told(definition) | {"period": period}
    if frame.empty:
        attrs["notes"].append(phrase("note.no_row", unit=lengths.unit(period), until=loaded.observed_until))
    return attrs


def running_total(dense: pd.DataFrame, column: str, by: Sequence[str]) -> pd.Series:
    """The sum of a column up to and including each row, inside each group of `by`."""
    return dense.groupby(list(by), dropna=False)[column].cumsum() if by else dense[column].cumsum()
