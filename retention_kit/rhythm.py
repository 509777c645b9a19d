"""The rhythm of ordering: how often, how many days apart, when again, and who is late by their own."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import gaps, intervals, periods, profiles, tables
from retention_kit.exceptions import ParamsError
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded

_RHYTHM = ["orders", "order_days", "last_order", "usual_days", "reorder_date", "days_overdue"]
_LATE = [
    *("orders", "order_days", "last_order", "days_since_last_order", "usual_days", "reorder_date"),
    *("days_overdue", "times_overdue"),
]
#: What is lost with a customer, and what the call list goes by: money, or where there is none the orders.
_WORTH = ("average_order_value", "revenue", "value_at_risk")
_TIMES = "orders_at_risk"


def orders_per_customer(
    orders: Any, *, as_of: Date | None = None, last: int = 10, by: Columns = None
) -> pd.DataFrame:
    """How many customers have ordered once, twice, three times ...?

    Customers of last week have had little time for a second order, so the shares shift with the length
    of the history and with growth.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders (`customer_id`, `ordered_at`), or events (`customer_id`, `occurred_at`), counted alike.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    last : int
        The last row, which is open: 10 holds the customers with ten orders or more.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order.

    Returns
    -------
    DataFrame
        The `by` columns and one row a number from 1 to `last`: `orders`, `or_more` (true in the open row),
        `customers`, `customer_share` (of all, or of the group's), `low`, `high` (Wilson 95 %), `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When `last` is no whole number from 1.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> counted = orders_per_customer(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF, last=3)
    >>> print(counted[["orders", "or_more", "customers"]].to_string(index=False))
     orders  or_more  customers
          1    False          3
          2    False          2
          3     True          1
    """
    _check_whole(last, f"last is a whole number of orders from 1, and it was {last!r}. Type last=10.")
    split = tables.by_columns(by, taken=("customer_id", "orders", "or_more", "customers", "customer_share"))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    each = _orders_of(loaded, split)
    counted = each.group_by(*split, orders=ibis.least(each.orders, last)).aggregate(customers=each.count())
    frame = _each_number(counted.to_pandas(), last, split)
    frame["customer_share"] = frame["customers"] / frame["_all"]
    frame["low"], frame["high"] = intervals.wilson(frame["customers"], frame.pop("_all"))
    frame["interval"] = intervals.WILSON
    frame.attrs = loaded.told(phrase(f"definition.orders_per_customer.{loaded.kind}"))
    return frame


def average_orders(orders: Any, *, as_of: Date | None = None, by: Columns = None) -> pd.DataFrame:
    """How many orders has a customer made on average?

    A few customers with many orders lift it far above what most do (see `orders_per_customer`), and it
    grows with the length of the history: compare windows of one length.

    Parameters
    ----------
    orders, as_of, by
        As in `orders_per_customer`.

    Returns
    -------
    DataFrame
        The `by` columns, `customers`, `orders`, `average_orders` (orders / customers), `low`, `high`
        (t, 95 %), `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> found = average_orders(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF)
    >>> round(found["average_orders"].item(), 4)
    1.8333
    """
    split = tables.by_columns(by, taken=("customer_id", "customers", "orders", "average_orders"))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    each = _orders_of(loaded, split)
    number = each.orders.cast("float64")
    summed = (each.group_by(*split) if split else each).aggregate(
        customers=each.count(), orders=each.orders.sum(), _squares=(number * number).sum()
    )
    frame = summed.to_pandas().astype({"customers": "int64", "orders": "int64"})
    frame = frame.sort_values(list(split), ignore_index=True) if split else frame
    n, total, squares = frame["customers"], frame["orders"], frame.pop("_squares")
    frame["average_orders"] = total / n
    # A mean is a ratio to one each, and its linearised bounds are those of t.
    frame["low"], frame["high"] = intervals.ratio(total, n, squares, total, n, n)
    frame["interval"] = intervals.MEAN
    frame.attrs = loaded.told(phrase(f"definition.average_orders.{loaded.kind}"))
    return frame


def days_between_orders(orders: Any, *, as_of: Date | None = None, by: Columns = None) -> pd.DataFrame:
    """How many days pass between one order of a customer and the next?

    Only gaps that have ended are seen: who stays away for good leaves none, and long gaps have had less
    time to end, so true ones are longer (`survival` counts those still away too). Orders of one day are
    one. A customer with many orders has many gaps, and counts with each.

    Parameters
    ----------
    orders, as_of, by
        As in `orders_per_customer`.

    Returns
    -------
    DataFrame
        The `by` columns and one row a quantile (0.1, 0.25, 0.5, 0.75, 0.8, 0.9, 0.95): `quantile`, `days`
        (at least this share of the gaps is no longer), `gaps`, `customers` (with a gap). No row where
        there is no gap.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> found = days_between_orders(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF)
    >>> dict(zip(found["quantile"], found["days"].tolist()))
    {0.1: 15, 0.25: 21, 0.5: 34, 0.75: 52, 0.8: 52, 0.9: 89, 0.95: 89}
    """
    split = tables.by_columns(by, taken=("customer_id", "quantile", "days", "gaps", "customers"))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    frame = gaps.quantiles(loaded, split)
    frame.attrs = loaded.told(phrase(f"definition.days_between_orders.{loaded.kind}"))
    return frame


def gap_distribution(
    orders: Any,
    *,
    as_of: Date | None = None,
    days: Sequence[int] = (7, 14, 30, 60, 90, 120, 180, 365),
    by: Columns = None,
) -> pd.DataFrame:
    """How many of the gaps between orders turned out longer than so many days?

    To give up a customer after so many days would have been wrong each of those times. Only gaps that have
    ended are seen (see `days_between_orders`), so this tells which window is too short, not how many of
    the silent come back: that is `inactivity.inactivity_windows`.

    Parameters
    ----------
    orders, as_of, by
        As in `orders_per_customer`.
    days : sequence of int
        Where the classes of gaps end.

    Returns
    -------
    DataFrame
        The `by` columns and one row a class: `days` (its end), `gaps` (up to so many days, and longer than
        the class before), `longer` (gaps of more days), `longer_share` (of all gaps, 0 to 1), `low`, `high`
        (linearised by customer, 95 %), `customers` (with a gap), `interval`. No row where there is no
        gap, nor for days that the history is too short to see exceeded.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When `days` holds something that is no whole number of days.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> found = gap_distribution(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF, days=(30, 60))
    >>> print(found[["days", "gaps", "longer", "longer_share"]].to_string(index=False))
     days  gaps  longer  longer_share
       30     2       3           0.6
       60     2       1           0.2
    """
    given = list(days) if isinstance(days, Sequence) and len(days) else [days]
    for end in given:
        _check_whole(end, f"days is a whole number of days from 1, and it was {end!r}. Type days=(30, 60).")
    split = tables.by_columns(
        by, taken=("customer_id", "days", "gaps", "longer", "longer_share", "customers")
    )
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    frame = gaps.classes(loaded, sorted(set(given)), split)
    frame.attrs = loaded.told(phrase(f"definition.gap_distribution.{loaded.kind}"))
    return frame


def reorder_dates(orders: Any, *, as_of: Date | None = None, by: Columns = None) -> pd.DataFrame:
    """When would each customer order again, going on as before?

    The day of the last order and the customer's own median gap: half of the gaps were longer, so a date
    just passed is no alarm. Fewer than three order days make no rhythm, and have no row. Nor have those
    who may not be contacted: where there is a column `contactable`, the others must have said yes.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders (`customer_id`, `ordered_at`) or events (`customer_id`, `occurred_at`), counted alike; and
        where known `contactable`: yes and no, true and false, or 1 and 0. A no in any row of a customer
        outweighs every yes.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    by : str or list of str, optional
        Columns to show beside each customer, with the value at the first order.

    Returns
    -------
    DataFrame
        One row a customer, the earliest date first: `customer_id`, the `by` columns, `orders`, `order_days`
        (orders of one day are one), `last_order`, `usual_days` (the median gap), `reorder_date` (rounded
        up to whole days), `days_overdue` (since then up to `as_of`, or to where the data stop long before;
        negative ahead of it). `attrs["left_out"]` counts those who may not be contacted; None where
        the orders do not say.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or `contactable` holds anything else.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> found = reorder_dates(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF)
    >>> print(found[["customer_id", "usual_days", "reorder_date", "days_overdue"]].to_string(index=False))
    customer_id  usual_days reorder_date  days_overdue
            ana        21.0   2024-04-23             8
    """
    split, loaded = _with_consent(orders, as_of, by)
    found, _, attrs = _listed(gaps.rhythms(loaded), loaded, split, "_due")
    frame = found[["customer_id", *split, *_RHYTHM]]
    frame.attrs = attrs
    return frame


def overdue_customers(
    orders: Any, *, as_of: Date | None = None, limit: int | None = None, by: Columns = None
) -> pd.DataFrame:
    """Whom to call first: who is late by their own rhythm, and what did they bring a year?

    The rules are those of `reorder_dates`. To be a little late is normal, and to be very late often means
    gone: keep the rows whose `times_overdue` suits, say 1.5 to 5, before taking the first fifty. A list
    of people is no part of a report.

    Parameters
    ----------
    orders
        As in `reorder_dates`. Where there is no `amount`, as of events, nobody's value is known: the list
        goes by how often they came.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    limit : int, optional
        Only the first so many.
    by : str or list of str, optional
        Columns to show beside each customer, with the value at the first order.

    Returns
    -------
    DataFrame
        One row a customer past the `reorder_date`, the largest `value_at_risk` first. What `reorder_dates`
        has, and `days_since_last_order`, `times_overdue` (those days / `usual_days`), `average_order_value`
        (revenue / orders), `revenue` and `value_at_risk`: revenue a year since the first order, and of
        those who first ordered less than a year ago the revenue so far, for three orders in one week
        do not make fifty a year. Without `amount` instead of these three `orders_at_risk`, the largest
        first: orders (or events) counted in the same way. `attrs["overdue"]` counts all of them,
        `attrs["left_out"]` as there.

    Raises
    ------
    DataError
        As `reorder_dates` does.
    ParamsError
        When `limit` is no whole number from 1.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> found = overdue_customers(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF)
    >>> print(found[["customer_id", "days_overdue", "value_at_risk"]].to_string(index=False))
    customer_id  days_overdue  value_at_risk
            ana             8          115.0
    """
    if limit is not None:
        _check_whole(
            limit, f"limit is a whole number of customers from 1, and it was {limit!r}. Type limit=50."
        )
    split, loaded = _with_consent(orders, as_of, by)
    customers = gaps.rhythms(loaded)
    late = customers.filter(customers.days_overdue > 0)
    late = late.mutate(times_overdue=late.days_since_last_order / late.usual_days)
    years = ibis.greatest(late["_years"], 1.0)
    if "revenue" in late.columns:
        worth, goes_by = _WORTH, _WORTH[-1]
        late = late.mutate(average_order_value=late.revenue / late.orders, value_at_risk=late.revenue / years)
    else:
        worth, goes_by = (_TIMES,), _TIMES
        late = late.mutate(orders_at_risk=late.orders / years)
    found, overdue, attrs = _listed(late, loaded, split, ibis.desc(goes_by), limit)
    frame = found[["customer_id", *split, *_LATE, *worth]]
    frame.attrs = attrs | {"overdue": overdue}
    return frame


# ---------------------------------------------------------------------------------------------------


def _check_whole(number: Any, message: str) -> None:
    if not isinstance(number, Integral) or isinstance(number, bool) or number < 1:
        raise ParamsError(message)


def _orders_of(loaded: Loaded, by: Sequence[str]) -> ir.Table:
    """One row a customer: `orders`, and the values of `by` at the first."""
    table, profile = loaded.table, profiles.profile(loaded)
    counted = table.group_by("customer_id").aggregate(orders=table.count()) if profile is None else profile
    each = counted.select("customer_id", "orders")
    return each.join(periods.birth_values(loaded, by), "customer_id") if by else each


def _each_number(found: pd.DataFrame, last: int, by: Sequence[str]) -> pd.DataFrame:
    """Every number of orders in every group, zeros where nobody has so many; `_all` of the group."""
    groups = found.assign(_all=found["customers"])
    groups = groups.groupby(list(by) or (lambda _: 0), dropna=False)["_all"].sum().reset_index()
    grid = groups.merge(pd.DataFrame({"orders": np.arange(1, last + 1)}), how="cross")
    frame = grid.merge(found, how="left", on=[*by, "orders"])
    frame["customers"] = frame["customers"].fillna(0).astype("int64")
    frame["or_more"] = frame["orders"] == last
    return frame[[*by, "orders", "or_more", "customers", "_all"]]


def _with_consent(orders: Any, as_of: Date | None, by: Columns) -> tuple[tuple[str, ...], Loaded]:
    """The orders with all that a list of customers takes, `contactable` where they have it."""
    split = tables.by_columns(by, taken=("customer_id", *_LATE, *_WORTH, _TIMES))
    return split, tables.orders_or_events(orders, as_of=as_of, columns=split, optional=("contactable",))


def _listed(
    customers: ir.Table, loaded: Loaded, by: Sequence[str], first: str | ir.Value, limit: int | None = None
) -> tuple[pd.DataFrame, int, dict[str, Any]]:
    """The first of those who may be contacted, with dates; how many those are; what is told of the others."""
    if by:
        customers = customers.join(periods.birth_values(loaded, by), "customer_id")
    said = "contactable" in loaded.table.columns
    if said:
        customers = customers.join(gaps.consents(loaded), "customer_id")
    may = customers["_may_contact"] if said else ibis.literal(True)
    kept = customers.filter(may).order_by(first, "customer_id").limit(limit).to_pyarrow().to_pandas()
    counts = {"everybody": customers.count(), "listed": customers.count(where=may)}
    if said or limit is not None:  # of 100 million orders the late ones are too many to be fetched all
        [found] = customers.aggregate(**counts).to_pyarrow().to_pylist()
    else:
        found = dict.fromkeys(counts, len(kept))
    kept = kept.astype({"orders": "int64", "order_days": "int64", "usual_days": "float64"})
    kept["last_order"] = periods.starts(kept["_last"], "day")
    kept["reorder_date"] = periods.starts(kept["_due"], "day")
    told = {"fewest": gaps.FEWEST_ORDER_DAYS, "until": loaded.observed_until}
    attrs = loaded.told(phrase(f"definition.rhythm.{loaded.kind}", **told))
    left_out = found["everybody"] - found["listed"] if said else None
    if not said:
        attrs["notes"].append(phrase(f"note.not_asked.{loaded.kind}"))
    elif left_out:
        attrs["notes"].append(phrase("note.no_consent", customers=left_out))
    return kept, found["listed"], attrs | {"left_out": left_out}
