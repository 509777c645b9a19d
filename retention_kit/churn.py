"""Churn: who stops paying."""

from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import billing, intervals, periods, tables
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.moments import Date
from retention_kit.periods import Period
from retention_kit.tables import Columns, Loaded

_PER_YEAR = {"day": 365, "week": 365 / 7, "month": 12, "quarter": 4, "year": 1}


def churn_rates(
    subscriptions: Any, *, as_of: Date | None = None, period: Period = "month", by: Columns = None
) -> pd.DataFrame:
    """Of the customers who paid when the period began, how many no longer pay when it is over?

    The denominator is those at the start: who joins during the period is in neither number, and who
    leaves and comes back before its end did not churn. Published rates divide by other things (the
    start and the new, the average): with the same losses they print other figures. A customer on
    several subscriptions counts once, and one whose subscriptions are all free is not paying. Only
    periods that lie wholly before `as_of` have a row, and none where nobody paid at the start.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at` and `ended_at`; with `mrr`, those of 0 are free;
        without it, every subscription counts as paying.
    as_of : date or str
        The first moment not observed.
    period : {"day", "week", "month", "quarter", "year"}
    by : str or list of str, optional
        One row a value, as it stands at the period's start (in the subscription that began last; of
        several at one moment, the smallest value). Moving to another value is not churn.

    Returns
    -------
    DataFrame
        One row a period (and value of `by`): `period`, `customers` (paying just before its first
        moment), `churned` (of them, not paying just before the next period's), `churn_rate`
        (churned / customers, 0 to 1), `low`, `high` (95 %), `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is not known.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-02-10", "2024-01-15"]),
    ...     "ended_at": pd.to_datetime(["2024-02-10", None, "2024-02-20"]),
    ... })
    >>> february = churn_rates(fees, as_of="2024-03-01")
    >>> print(february[["period", "customers", "churned", "churn_rate"]].to_string(index=False))
        period  customers  churned  churn_rate
    2024-02-01          2        1         0.5
    """
    groups = tables.by_columns(by, taken=("customer_id", "period", "customers", "churned"))
    loaded = tables.subscriptions(subscriptions, as_of=as_of, columns=groups)
    end = periods.first_incomplete(loaded, period)
    counted = _counted(_stretches(loaded, groups, period, end), groups)
    dense = billing.each_period(counted, groups, end)
    dense["customers"] = billing.running_total(dense, "change", groups)
    return _rates(dense[dense["customers"] > 0].reset_index(drop=True), loaded, groups, period)


def average_churn(rates: pd.DataFrame, *, last: int | None = None, by: Columns = None) -> pd.DataFrame:
    """How many are lost in a typical period, over several periods together?

    A single period of a small company moves by chance alone; twelve together say more. A customer
    counts once for every period at risk, so the rate is per customer and period.

    Parameters
    ----------
    rates : DataFrame
        From `churn_rates`.
    last : int, optional
        Only the last so many periods; without it, all.
    by : str or list of str, optional
        Columns of `rates` to keep apart.

    Returns
    -------
    DataFrame
        The `by` columns, `periods`, `customers` (customer-periods at risk), `churned`, `churn_rate`
        (churned / customers), `low`, `high` (Wilson, 95 %), `interval`. No row without a customer.

    Examples
    --------
    >>> months = pd.date_range("2024-01-01", periods=2, freq="MS")
    >>> rates = pd.DataFrame({"period": months, "customers": [100, 50], "churned": [10, 2]})
    >>> average_churn(rates)["churn_rate"].item()
    0.08
    """
    groups = list(tables.by_columns(by))
    missing = [name for name in groups if name not in rates.columns]
    if missing:
        raise DataError(f"rates is missing {missing}. Give churn_rates the same by={by!r}.")
    kept = rates[rates["period"].isin(rates["period"].drop_duplicates().nlargest(last))] if last else rates
    sums = {
        "periods": ("period", "nunique"),
        "customers": ("customers", "sum"),
        "churned": ("churned", "sum"),
    }
    frame = kept.assign(_all=0).groupby(groups or ["_all"], dropna=False).agg(**sums).reset_index()
    frame = frame[[*groups, *sums]].astype(dict.fromkeys(sums, "int64"))
    frame["churn_rate"] = frame["churned"] / frame["customers"]
    # Each customer and period is one yes or no, and a customer who has left is at risk no more.
    frame["low"], frame["high"] = intervals.wilson(frame["churned"], frame["customers"])
    frame["interval"] = pd.Series(intervals.WILSON, index=frame.index, dtype="str")
    frame.attrs = {**rates.attrs}
    return frame


def annual_churn(rate: float, *, period: Period = "month") -> float:
    """What a churn rate a month (or day, week, quarter) comes to in a year.

    Rates compound: those who have left cannot leave again, so 5 % a month is 46 % a year and not 60 %.
    It takes the rate to stay the same all year; young customers usually leave faster.

    Parameters
    ----------
    rate : float
        Between 0 and 1.
    period : {"day", "week", "month", "quarter", "year"}
        What the rate is per; a year has 12 months, 365 days, 365 / 7 weeks.

    Returns
    -------
    float
        1 - (1 - rate) ** (periods a year).

    Raises
    ------
    ParamsError
        When the rate is not between 0 and 1.
    DataError
        When the period is not known.

    Examples
    --------
    >>> round(annual_churn(0.05), 3)
    0.46
    """
    periods.check_period(period)
    if not 0 <= rate <= 1:
        raise ParamsError(f"rate is a share between 0 and 1, and it was {rate}. Type 0.05 for 5 %.")
    return float(1 - (1 - rate) ** _PER_YEAR[period])


# ---------------------------------------------------------------------------------------------------


def _stretches(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> ir.Table:
    """One row a customer and stretch of period starts that found them paying: the `first` and `last` of them.

    Just before a period's first moment is after every earlier change, so a change inside period p is
    first seen at the start of p + 1. What is paid between two starts alone was never seen by either.
    """
    steps = billing.levels(loaded, by)
    paid = steps.filter(steps.cents > 0)
    last = ibis.least(periods.index(paid.until, period).fill_null(end), end)
    seen = paid.select("customer_id", *by, first=periods.index(paid.since, period) + 1, last=last)
    seen = seen.filter(seen.last >= seen.first)
    following = seen.first.lead().over(group_by="customer_id", order_by="first")
    return seen.mutate(left=(seen.last < end) & (following.isnull() | (following > seen.last + 1)))


def _counted(seen: ir.Table, by: tuple[str, ...]) -> pd.DataFrame:
    """By period: how many more customers pay at its start than at the one before, and how many it lost."""
    alike = seen.group_by("first", "last", "left", *by).aggregate(customers=seen.count()).to_pandas()
    rows = [
        alike.assign(period_index=alike["first"], change=alike["customers"], churned=0),
        alike.assign(period_index=alike["last"] + 1, change=-alike["customers"], churned=0),
        alike.assign(period_index=alike["last"], change=0, churned=alike["customers"] * alike["left"]),
    ]
    keys = ["period_index", *by]
    return pd.concat(rows).groupby(keys, dropna=False, as_index=False)[["change", "churned"]].sum()


def _rates(dense: pd.DataFrame, loaded: Loaded, by: tuple[str, ...], period: Period) -> pd.DataFrame:
    frame = dense[[*by, "customers", "churned"]].copy()
    frame.insert(0, "period", periods.starts(dense["period_index"], period))
    frame["churn_rate"] = frame["churned"] / frame["customers"]
    frame["low"], frame["high"] = intervals.wilson(frame["churned"], frame["customers"])
    frame["interval"] = pd.Series(intervals.WILSON, index=frame.index, dtype="str")
    frame.attrs = loaded.told(
        f"Customers paying when the {period} began who no longer paid when it was over, as a "
        "share of those paying when it began" + (f"; {', '.join(by)} as at its beginning." if by else ".")
    )
    return frame
