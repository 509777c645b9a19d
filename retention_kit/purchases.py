"""Who buys again, and what first and returning orders bring in."""

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import intervals, periods, tables
from retention_kit.moments import Date
from retention_kit.periods import Period
from retention_kit.tables import Columns, Loaded

_MEASURED = (
    *("customers", "orders", "revenue", "revenue_share", "low", "high"),
    *("average_order_value", "order_value_low", "order_value_high"),
    *("spend_per_customer", "spend_low", "spend_high", "interval"),
)


def repeat_purchase_rate(orders: Any, *, as_of: Date | None = None, by: Columns = None) -> pd.DataFrame:
    """What share of the customers has bought more than once?

    Customers of last week have had little time to return, so the rate rises with the length of
    the history and is comparable only between windows of one length.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        `customer_id`, `ordered_at`; with `order_id`, lines of one order count once.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order.

    Returns
    -------
    DataFrame
        The `by` columns, `customers`, `repeat_customers` (two orders or more), `orders`,
        `repeat_purchase_rate` (0 to 1), `low`, `high` (Wilson 95 %), `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.

    Examples
    --------
    >>> days = ["2024-01-01", "2024-01-09", "2024-01-02"]
    >>> shop = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": days})
    >>> repeat_purchase_rate(shop, as_of="2024-02-01")["repeat_purchase_rate"].item()
    0.5
    """
    split = tables.by_columns(by, taken=("customer_id", "customers", "repeat_customers", "orders"))
    loaded = tables.orders(orders, as_of=as_of, columns=split)
    table = loaded.table
    customers = table.group_by("customer_id").aggregate(orders=table.count())
    if split:
        customers = customers.join(periods.birth_values(loaded, split), "customer_id")
    counted = customers.group_by(*split) if split else customers
    frame = counted.aggregate(
        customers=customers.count(),
        repeat_customers=(customers.orders >= 2).sum(),
        orders=customers.orders.sum(),
    ).to_pandas()
    frame = frame.astype({"customers": "int64", "repeat_customers": "int64", "orders": "int64"})
    frame["repeat_purchase_rate"] = frame["repeat_customers"] / frame["customers"]
    frame["low"], frame["high"] = intervals.wilson(frame["repeat_customers"], frame["customers"])
    frame["interval"] = intervals.WILSON
    frame = frame.sort_values(list(split)).reset_index(drop=True) if split else frame
    frame.attrs = loaded.told(
        "Customers with two orders or more in the history, over all customers with an order."
    )
    return frame


def first_and_returning(
    orders: Any, *, as_of: Date | None = None, period: Period | None = None, by: Columns = None
) -> pd.DataFrame:
    """How much revenue do first orders bring, and how much do returning ones?

    Each order is classed by its rank in the customer's history (the first, or a later one),
    never by what the customer became. Where history starts mid-life, first orders are too many.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        `customer_id`, `ordered_at`, `amount`; with `order_id`, lines of one order count once.
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
        order: `customers`, `orders`, `revenue`, `revenue_share` with `low`, `high` (linearised by
        customer, 95 %), `interval`; `average_order_value` with `order_value_low`, `order_value_high` (the
        same); `spend_per_customer` (revenue / customers) with `spend_low`, `spend_high` (t, 95 %). Money in
        the currency of `amount`.

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
    split = tables.by_columns(by, taken=("customer_id", "period", "order_type", *_MEASURED))
    loaded = tables.orders(orders, as_of=as_of, columns=("amount", *split))
    ranked = _ranked(loaded, period, split)
    groups = [*(("period_index",) if period else ()), *split]
    sums = _sums_by_customer(ranked, groups).to_pandas()
    if period:
        sums = _each_period(sums, split, periods.first_incomplete(loaded, period))
    frame = pd.concat([_one_type(sums, groups, kind) for kind in ("first", "returning")])
    if period:
        frame["period"] = periods.starts(frame["period_index"], period)
    keys = [*(("period",) if period else ()), *split]
    frame = frame.sort_values([*keys, "order_type"])[[*keys, "order_type", *_MEASURED]].reset_index(drop=True)
    frame.attrs = loaded.told(
        "Orders classed by their rank in the customer's history: the first, or a later (returning) one."
    )
    return frame


def _ranked(loaded: Loaded, period: Period | None, by: Sequence[str]) -> ir.Table:
    """Each order with `is_first`; of several at a customer's first moment, one is the first."""
    table = loaded.table
    keys = ["order_id"] if "order_id" in table.columns else ["amount"]
    window = ibis.window(group_by="customer_id", order_by=["ordered_at", *keys])
    ranked = table.select(
        "customer_id", "amount", is_first=ibis.row_number().over(window) == 0,
        **({"period_index": periods.index(table.ordered_at, period)} if period else {}),
    )  # fmt: skip
    return ranked.join(periods.birth_values(loaded, by), "customer_id") if by else ranked


def _sums_by_customer(ranked: ir.Table, groups: Sequence[str]) -> ir.Table:
    """What the intervals need: sums over customers of each customer's sums and their products."""
    first, later = ranked.is_first, ~ranked.is_first
    per_customer = ranked.group_by("customer_id", *groups).aggregate(
        revenue=ranked.amount.sum(),
        first_orders=first.sum(),
        first_revenue=ranked.amount.sum(where=first).fill_null(0.0),
        returning_orders=later.sum(),
        returning_revenue=ranked.amount.sum(where=later).fill_null(0.0),
    )
    t = per_customer
    measures = {"_n": t.count(), "revenue": t.revenue.sum(), "revenue_xx": (t.revenue * t.revenue).sum()}
    for kind in ("first", "returning"):
        orders, money = t[f"{kind}_orders"].cast("float64"), t[f"{kind}_revenue"]
        measures |= {
            f"{kind}_customers": (orders > 0).sum(),
            f"{kind}_orders": orders.sum(),
            f"{kind}_revenue": money.sum(),
            f"{kind}_yy": (money * money).sum(),
            f"{kind}_share_xy": (money * t.revenue).sum(),
            f"{kind}_value_xy": (money * orders).sum(),
            f"{kind}_value_xx": (orders * orders).sum(),
        }
    return (t.group_by(*groups) if groups else t).aggregate(**measures)


def _each_period(sums: pd.DataFrame, by: Sequence[str], incomplete: int) -> pd.DataFrame:
    """Every period that is over since a group's first order; zeros where it held none."""
    first = sums.groupby(list(by), dropna=False)["period_index"].min() if by else sums["period_index"].min()
    groups = first.rename("_first").reset_index() if by else pd.DataFrame({"_first": [first]})
    calendar = pd.DataFrame({"period_index": np.arange(sums["period_index"].min(), incomplete)})
    grid = groups.merge(calendar, how="cross")
    grid = grid[grid["period_index"] >= grid["_first"]].drop(columns="_first")
    dense = grid.merge(sums, how="left", on=[*by, "period_index"])
    numbers = sums.columns.drop([*by, "period_index"])
    return dense.assign(**dense[numbers].fillna(0))


def _one_type(s: pd.DataFrame, groups: Sequence[str], kind: str) -> pd.DataFrame:
    """The rows of first (or returning) orders, with their intervals."""
    customers, orders, revenue = s[f"{kind}_customers"], s[f"{kind}_orders"], s[f"{kind}_revenue"]
    frame = s[list(groups)].assign(order_type=kind, customers=customers, orders=orders, revenue=revenue)
    frame = frame.astype({"customers": "int64", "orders": "int64"})
    frame["revenue_share"] = (revenue / s["revenue"]).where(s["revenue"] > 0)
    frame["low"], frame["high"] = intervals.ratio(
        sum_y=revenue, sum_x=s["revenue"], sum_yy=s[f"{kind}_yy"],
        sum_xy=s[f"{kind}_share_xy"], sum_xx=s["revenue_xx"], n=s["_n"],
    )  # fmt: skip
    frame[["low", "high"]] = frame[["low", "high"]].clip(0, 1)
    frame["average_order_value"] = revenue / orders
    frame["order_value_low"], frame["order_value_high"] = intervals.ratio(
        sum_y=revenue, sum_x=orders, sum_yy=s[f"{kind}_yy"],
        sum_xy=s[f"{kind}_value_xy"], sum_xx=s[f"{kind}_value_xx"], n=customers,
    )  # fmt: skip
    frame["spend_per_customer"] = revenue / customers
    # A mean is a ratio to one each, and its linearised bounds are those of t.
    frame["spend_low"], frame["spend_high"] = intervals.ratio(
        sum_y=revenue, sum_x=customers, sum_yy=s[f"{kind}_yy"], sum_xy=revenue, sum_xx=customers, n=customers
    )
    frame["interval"] = f"{intervals.RATIO}; spend {intervals.MEAN}"
    return frame
