"""What cohorts bring in: money and orders by age, and what an acquired customer has brought so far."""

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import intervals, lengths, periods, tables, takings, windows
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded
from retention_kit.windows import Windows

_COUNTS = ("retained", "orders")
_SUMS = ("revenue", "_squares")
_MEASURED = (
    *("customers", "retained", "orders", "revenue", "revenue_per_customer"),
    *("cumulative_revenue", "cumulative_revenue_per_customer", "low", "high", "interval"),
)


def cohort_revenue(
    orders: Any, *, as_of: Date | None = None, period: Period = "month", by: Columns = None
) -> pd.DataFrame:
    """What has each cohort brought in, period by period, and for each customer it began with?

    Spread over all customers of the cohort, those who never came back too, so that it can stand
    against what it cost to acquire one. Compare cohorts at one age: an older cohort has had more time. It
    is revenue, not profit, and says nothing of later ages. A cell is reported only when its whole period
    lies before `as_of` and before the end of the data; one that was observed and brought nothing is a
    row with 0. Where history starts mid-life, old customers look new and the first cohorts bring too much.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        `customer_id`, `ordered_at`, `amount`; negative amounts (returns) are set aside. With
        `order_id`, lines of one order count once.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    period : {"month", "day", "week", "quarter", "year"}
        Calendar periods, of cohorts and of ages.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order.

    Returns
    -------
    DataFrame
        One row per cohort and age: `cohort`, the `by` columns, `age`, `customers` (of the cohort),
        `retained` (who ordered at that age), `orders` and `revenue` of that age,
        `revenue_per_customer` (revenue / customers), `cumulative_revenue` (of all ages up to it),
        `cumulative_revenue_per_customer` with `low`, `high` (t over the cohort's customers, 95 %; NaN
        for a single one), `interval`. Money in the currency of `amount`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is unknown.

    Examples
    --------
    >>> days = ["2024-01-01", "2024-01-09", "2024-02-02"]
    >>> shop = pd.DataFrame({"customer_id": ["a", "b", "a"], "ordered_at": days, "amount": [10, 30, 20]})
    >>> money = cohort_revenue(shop, as_of="2024-03-01")
    >>> money[["age", "revenue", "cumulative_revenue_per_customer"]].to_numpy().tolist()
    [[0.0, 40.0, 20.0], [1.0, 20.0, 30.0]]
    """
    how = Windows(period)
    split = tables.by_columns(by, taken=("customer_id", "cohort", "age", *_MEASURED))
    loaded = tables.orders(orders, as_of=as_of, columns=("amount", *split))
    sums = _sums_by_age(loaded, how, split)
    sums["_ended"] = windows.ended(sums["_cohort"], loaded, how)
    frame = _per_customer(_running(_each_age(sums, split), split))
    frame["cohort"] = periods.starts(frame["_cohort"], period)
    keys = ["cohort", *split, "age"]
    frame = frame.sort_values(keys)[[*keys, *_MEASURED]].reset_index(drop=True)
    by_words = tables.by_words("sentence_order", split)
    told = phrase("definition.cohort_revenue", unit=lengths.unit(period), by=by_words)
    frame.attrs = periods.told(loaded, told, frame, period)
    return frame


def _sums_by_age(loaded: Loaded, how: Windows, by: Sequence[str]) -> pd.DataFrame:
    """Sums over customers, and by how much the squares of what each has spent so far rise at an age."""
    found = None if by else takings.takings(loaded, how.period)
    if found is None:
        return _sums_of_ages(windows.ages(loaded, how, by), by).to_pandas()
    age = found["period_index"] - found["cohort_index"]
    return found.rename(columns={"cohort_index": "_cohort", "_n": "retained"}).assign(age=age)


def _sums_of_ages(aged: ir.Table, by: Sequence[str]) -> ir.Table:
    """The same on any engine.

    A square rises only where a customer orders, from (c - a)² to c², so no customer is needed at every age.
    """
    so_far = ibis.cumulative_window(group_by="customer_id", order_by="age")
    amount = aged._amount.cast("float64")
    spent = aged.mutate(_amount=amount, _spent=amount.sum().over(so_far))
    return spent.group_by("_cohort", *by, "age").aggregate(
        retained=spent.count(),
        orders=spent._times.sum(),
        revenue=spent._amount.sum(),
        _squares=(spent._amount * (2 * spent._spent - spent._amount)).sum(),
    )


def _each_age(sums: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Every cohort and age whose period is over; zeros where nobody ordered."""
    keys = ["_cohort", *by]
    sizes = sums.loc[sums["age"] == 0, [*keys, "_ended", "retained"]].rename(
        columns={"retained": "customers"}
    )
    grid = windows.observed_grid(sizes, by)
    dense = grid.merge(sums[[*keys, "age", *_COUNTS, *_SUMS]], on=[*keys, "age"], how="left")
    filled = dense[[*_COUNTS, *_SUMS]].fillna(0)
    return dense.assign(**filled.astype(dict.fromkeys(_COUNTS, "int64") | dict.fromkeys(_SUMS, "float64")))


def _running(dense: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """What has come in up to each age, and the squares of what each customer has spent up to it."""
    totals = dense.sort_values("age").groupby(["_cohort", *by], dropna=False)[list(_SUMS)].cumsum()
    return dense.assign(cumulative_revenue=totals["revenue"], _squares=totals["_squares"])


def _per_customer(frame: pd.DataFrame) -> pd.DataFrame:
    customers, spent = frame["customers"], frame["cumulative_revenue"]
    # A mean is a ratio to one each, and its linearised bounds are those of t.
    low, high = intervals.ratio(
        sum_y=spent, sum_x=customers, sum_yy=frame["_squares"], sum_xy=spent, sum_xx=customers, n=customers
    )
    return frame.assign(
        revenue_per_customer=frame["revenue"] / customers,
        cumulative_revenue_per_customer=spent / customers,
        low=low,
        high=high,
        interval=pd.Series(intervals.MEAN, index=frame.index, dtype="str"),
    )
