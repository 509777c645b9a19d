"""Who buys again, and what first and returning orders bring in."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import buying, durations, intervals, lengths, periods, survival, tables, takings
from retention_kit.exceptions import ParamsError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded

_WITHIN = ("days", "customers", "repeat_customers", "repeat_rate", "low", "high", "interval")
_COUNTED = ("customers", "orders", "order_share", "order_share_low", "order_share_high")
_MONEY = (
    *("revenue", "revenue_share", "low", "high"),
    *("average_order_value", "order_value_low", "order_value_high"),
    *("spend_per_customer", "spend_low", "spend_high"),
)
_MEASURED = (*_COUNTED, *_MONEY, "interval")


def repeat_purchase_rate(
    orders: Any, *, as_of: Date | None = None, start: Date | None = None, by: Columns = None
) -> pd.DataFrame:
    """What share of the customers has bought more than once in the window?

    Customers of last week have had little time to return, so the rate rises with the length of
    the window and is comparable only between windows of one length. Not to be mixed up with
    `returning_customer_rate`, which looks at all orders ever, nor with `repeat_within`.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders (`customer_id`, `ordered_at`; with `order_id`, lines of one order count once) or events
        (`customer_id`, `occurred_at`), which count like orders.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    start : date or str, optional
        The window's first moment; without it, the whole history. Orders before it do not count.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order ever.

    Returns
    -------
    DataFrame
        The `by` columns, `customers` (who ordered in the window), `repeat_customers` (two orders or more
        in it), `orders`, `repeat_purchase_rate` (0 to 1), `low`, `high` (Wilson 95 %), `interval`. No row
        without a customer.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When `start` is no date, or not before `as_of`.

    Examples
    --------
    >>> days = ["2024-01-01", "2024-01-09", "2024-01-02"]
    >>> shop = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": days})
    >>> repeat_purchase_rate(shop, as_of="2024-02-01")["repeat_purchase_rate"].item()
    0.5
    """
    split = tables.by_columns(by, taken=("customer_id", "customers", "repeat_customers", "orders"))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    customers = buying.orders_by_customer(loaded, start)
    frame = _shares(loaded, split, customers, "repeat_customers", "repeat_purchase_rate")
    frame.attrs = loaded.told(
        phrase(f"definition.repeat_purchase_rate.{loaded.kind}", window=buying.window(start))
    )
    return frame


def returning_customer_rate(
    orders: Any, *, as_of: Date | None = None, start: Date | None = None, by: Columns = None
) -> pd.DataFrame:
    """What share of the window's buyers is not new: has more than one order ever?

    Never below `repeat_purchase_rate` of the same window, because orders before the window count
    too; shop systems print either under either name. It rises as a shop gets older. Where history
    starts mid-life it is too low: what was bought before is not known.

    Parameters
    ----------
    orders, as_of, start, by
        As of `repeat_purchase_rate`. Orders up to `as_of` count, so that who bought again has done so in
        the window.

    Returns
    -------
    DataFrame
        The `by` columns, `customers` (who ordered in the window), `returning_customers` (of them, with two
        orders or more before `as_of`), `orders` (in the window), `returning_customer_rate` (0 to 1), `low`,
        `high` (Wilson 95 %), `interval`. No row without a customer.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When `start` is no date, or not before `as_of`.

    Examples
    --------
    >>> days = ["2024-01-01", "2024-02-09", "2024-02-02"]
    >>> shop = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": days})
    >>> found = returning_customer_rate(shop, start="2024-02-01", as_of="2024-03-01")
    >>> found["returning_customer_rate"].item()
    0.5
    """
    split = tables.by_columns(by, taken=("customer_id", "customers", "ever", "orders", *buying.COLUMNS))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    customers = buying.orders_by_customer(loaded, start)
    if start is None:  # the window is the history
        customers = customers.mutate(ever=customers.orders)
    else:
        ever = buying.customers(loaded).select("customer_id", ever="orders")
        customers = customers.join(ever, "customer_id")
    frame = _shares(loaded, split, customers, "returning_customers", "returning_customer_rate")
    frame.attrs = loaded.told(
        phrase(f"definition.returning_customer_rate.{loaded.kind}", window=buying.window(start))
    )
    return frame


def repeat_within(
    orders: Any,
    *,
    as_of: Date | None = None,
    days: Sequence[int] = (30, 60, 90),
    period: Period = "month",
    by: Columns = None,
) -> pd.DataFrame:
    """What share of each cohort has ordered again within so many days of the first order?

    Every customer has the same time, so cohorts can be compared; only those are shown whose last
    possible member was observed for that long. It says nothing of who comes back later.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders or events, as of `repeat_purchase_rate`.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    days : sequence of int
        The lengths, in whole days of 24 hours: within 30 days is less than 30 × 24 hours after the first
        order, another order at the very same moment included.
    period : {"month", "day", "week", "quarter", "year"}
        The calendar period of the first order, which makes the cohort.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order.

    Returns
    -------
    DataFrame
        One row a cohort, group and length: `cohort`, the `by` columns, `days`, `customers` (of the
        cohort), `repeat_customers`, `repeat_rate` (0 to 1), `low`, `high` (Wilson 95 %), `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is unknown.
    ParamsError
        When `days` holds something that is no whole number of days.

    Examples
    --------
    >>> moments = ["2024-01-01", "2024-02-09", "2024-01-31"]
    >>> shop = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": moments})
    >>> found = repeat_within(shop, as_of="2024-04-01", days=[30, 60])
    >>> found[["days", "customers", "repeat_customers"]].to_numpy().tolist()
    [[30, 2, 0], [60, 2, 1]]
    """
    within = _whole_days(days)
    split = tables.by_columns(by, taken=("customer_id", "cohort", *_WITHIN, *buying.COLUMNS))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    counted = _repeats(loaded, within, period, split)
    frame = pd.concat(
        [counted.assign(days=n, repeat_customers=counted[f"_{n}"]) for n in within], ignore_index=True
    )
    frame["cohort"] = periods.starts(frame["cohort_index"], period)
    after = periods.starts(frame["cohort_index"] + 1, period)
    frame = frame[after + pd.to_timedelta(frame["days"], unit="D") <= pd.Timestamp(loaded.observed_until)]
    frame = frame.astype({"days": "int64", "customers": "int64", "repeat_customers": "int64"})
    frame = _judged(frame, "repeat_customers", "repeat_rate")
    keys = ["cohort", *split, "days"]
    frame = frame.sort_values(keys)[["cohort", *split, *_WITHIN]].reset_index(drop=True)
    told = phrase(f"definition.repeat_within.{loaded.kind}", unit=lengths.unit(period))
    frame.attrs = loaded.told(told) | {"period": period}
    return frame


def time_to_second_order(orders: Any, *, as_of: Date | None = None, by: Columns = None) -> pd.DataFrame:
    """How many days until customers order again, counting those who have not done so yet?

    The median of those who came back is biased low: who takes long has often not come back yet, and is
    missing from it. Here each customer counts for as long as observed (Kaplan and Meier). Where many
    never return, there is no median: half do not come back.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders or events, as of `repeat_purchase_rate`.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own. Customers are observed until then, or
        until the data stop where that is long before (`observed_until`).
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order.

    Returns
    -------
    DataFrame
        A curve, as from `survival.survival_curve`: the `by` columns, `duration` (whole days of 24 hours
        since the first order, the running one counted: an order after 6 hours falls into day 1),
        `at_risk`, `events` (second orders), `censored`, `survival` (share without a second order so far),
        `low`, `high`, `interval`. In `attrs`, `summary` holds the rows of `survival.survival_summary`
        (median, restricted mean) as dicts. A last day that was observed in part is left out.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.

    Examples
    --------
    >>> moments = pd.to_datetime(["2024-01-01 00:00", "2024-01-03 08:00", "2024-01-01 00:00"])
    >>> shop = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": moments})
    >>> curve = time_to_second_order(shop, as_of="2024-01-11")
    >>> curve[["duration", "at_risk", "events", "survival"]].to_numpy().tolist()
    [[0.0, 2.0, 0.0, 1.0], [3.0, 2.0, 1.0, 0.5], [10.0, 1.0, 0.0, 0.5]]
    """
    split = tables.by_columns(by, taken=("customer_id", *durations.TAKEN, *buying.COLUMNS))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    curve = survival.survival_curve(buying.waits(loaded, split), by=split)
    summary = survival.survival_summary(curve, by=split)
    told = loaded.told(phrase(f"definition.time_to_second_order.{loaded.kind}"))
    curve.attrs = told | {"summary": summary.to_dict("records")}
    return curve


def first_and_returning(
    orders: Any, *, as_of: Date | None = None, period: Period | None = None, by: Columns = None
) -> pd.DataFrame:
    """How many orders are first ones and how many returning, and how much revenue does either bring?

    Each order is classed by its rank in the customer's history (the first, or a later one),
    never by what the customer became. Where history starts mid-life, first orders are too many.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders (`customer_id`, `ordered_at`; with `order_id`, lines of one order count once) or events
        (`customer_id`, `occurred_at`), counted alike. Without `amount`, as of events, nothing of money is
        told.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    period : {"month", "day", "week", "quarter", "year"}, optional
        Split by calendar period (complete ones only); without it, the whole history.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order.

    Returns
    -------
    DataFrame
        Two rows (`order_type` `first` and `returning`) per `period` and `by`, also where there was no such
        order: `customers`, `orders`, `order_share` with `order_share_low`, `order_share_high` (linearised
        by customer, 95 %), `interval`; with `amount` before the last `revenue`, `revenue_share` with `low`,
        `high` (the same), `average_order_value` with `order_value_low`, `order_value_high` (the same),
        `spend_per_customer` (revenue / customers) with `spend_low`, `spend_high` (t, 95 %). Money in the
        currency of `amount`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is unknown.

    Examples
    --------
    >>> days = ["2024-01-01", "2024-01-09"]
    >>> shop = pd.DataFrame({"customer_id": ["a", "a"], "ordered_at": days, "amount": [10, 30]})
    >>> first_and_returning(shop, as_of="2024-02-01")[["order_type", "revenue_share"]].to_dict("list")
    {'order_type': ['first', 'returning'], 'revenue_share': [0.25, 0.75]}
    """
    split = tables.by_columns(by, taken=("customer_id", "period", "order_type", *_MEASURED, *buying.COLUMNS))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    groups = [*(("period_index",) if period else ()), *split]
    found = takings.takings(loaded, period) if period and not split else None
    if found is None:
        sums = buying.sums_of_types(buying.sums_by_customer(loaded, split, period=period), groups)
    else:
        sums = found.groupby("period_index", as_index=False).sum()
    if period:
        end = periods.first_incomplete(loaded, period)
        sums = periods.each_period(sums, split, end, floats=list(sums.columns))
    frame = pd.concat([buying.of_type(sums, groups, kind) for kind in ("first", "returning")])
    if period:
        frame["period"] = periods.starts(frame["period_index"], period)
    keys = [*(("period",) if period else ()), *split]
    measured = [name for name in _MEASURED if name in frame.columns]
    frame = frame.sort_values([*keys, "order_type"])[[*keys, "order_type", *measured]].reset_index(drop=True)
    frame.attrs = loaded.told(phrase(f"definition.first_and_returning.{loaded.kind}"))
    return frame


def _shares(loaded: Loaded, by: Sequence[str], customers: ir.Table, repeats: str, rate: str) -> pd.DataFrame:
    """Of customers with their number of `orders` (and `ever`), how many have two or more."""
    if by:
        customers = customers.join(periods.birth_values(loaded, by), "customer_id")
    number = customers.ever if "ever" in customers.columns else customers.orders
    measures = {
        "customers": customers.count(),
        repeats: (number >= 2).sum(),
        "orders": customers.orders.sum(),
    }
    frame = (customers.group_by(*by) if by else customers).aggregate(**measures).to_pandas()
    frame = frame[frame["customers"] > 0].astype(dict.fromkeys(measures, "int64"))
    frame = _judged(frame, repeats, rate)
    return (frame.sort_values(list(by)) if by else frame).reset_index(drop=True)


def _judged(frame: pd.DataFrame, repeats: str, rate: str) -> pd.DataFrame:
    low, high = intervals.wilson(frame[repeats], frame["customers"])
    method = pd.Series(intervals.WILSON, index=frame.index, dtype="str")
    return frame.assign(**{rate: frame[repeats] / frame["customers"]}, low=low, high=high, interval=method)


def _whole_days(days: Any) -> list[int]:
    listed = list(days) if isinstance(days, Sequence) and not isinstance(days, str) else [days]
    for number in listed:
        if not isinstance(number, Integral) or isinstance(number, bool) or number < 1:
            raise ParamsError(
                f"days holds {number!r}, which is no whole number from 1. Type days=(30, 60, 90)."
            )
    if not listed:
        raise ParamsError("days is empty. Type days=(30, 60, 90).")
    return sorted({int(number) for number in listed})


def _repeats(loaded: Loaded, within: Sequence[int], period: Period, by: Sequence[str]) -> pd.DataFrame:
    """By cohort and group: the customers, and how many were back within each length."""
    seconds = buying.second_moments(loaded)
    if by:
        seconds = seconds.join(periods.birth_values(loaded, by), "customer_id")
    back = {
        f"_{n}": (seconds.second_at < seconds.first_at + ibis.interval(days=n)).fill_null(False).sum()
        for n in within
    }
    cohort = periods.index(seconds.first_at, period)
    grouped = seconds.group_by(*by, cohort_index=cohort)
    return grouped.aggregate(customers=seconds.count(), **back).to_pandas()
