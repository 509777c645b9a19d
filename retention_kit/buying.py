"""What metrics on buying share: the window they look at, each customer's first order, and the second."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import intervals, moments, periods, profiles, session
from retention_kit.exceptions import ParamsError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.phrases import Phrase
from retention_kit.sentences import phrase
from retention_kit.tables import Loaded

#: What is counted on the way has these names, so groups cannot.
COLUMNS = (
    *("first_at", "first_amount", "first_orders", "first_revenue", "first_customers", "second_at"),
    *("returning_orders", "returning_revenue", "returning_customers", "period_index"),
)

_DAY = 86_400_000_000  # microseconds


def since(loaded: Loaded, start: Date | None) -> ir.Table:
    """The rows of the window from `start` to `as_of`; without a start, all.

    Raises
    ------
    ParamsError
        When `start` is no date, or not before `as_of`.
    """
    if start is None:
        return loaded.table
    first = moments.given("start", start)
    if loaded.as_of is not None and first >= loaded.as_of:
        raise ParamsError(
            f"start {moments.words(first)} is not before as_of {moments.words(loaded.as_of)}. "
            "Give an earlier start."
        )
    return loaded.table.filter(loaded.table[loaded.moment] >= ibis.timestamp(first.to_pydatetime()))


def window(start: Date | None) -> Phrase:
    """The window in the words of a definition.

    >>> window(None), window("2024-02-01")
    ('in the history', 'from 1 February 2024 on')
    """
    if start is None:
        return phrase("definition.window.history")
    return phrase("definition.window.from", start=moments.given("start", start))


def customers(loaded: Loaded) -> ir.Table:
    """Each customer's whole history in one row; counted once a table, the next metric finds it.

    Of several orders at a customer's first moment, that with the smallest `order_id` is the first, or
    without ids the one with the smallest amount.

    Returns
    -------
    Table
        `customer_id`, `orders`, `first_at` and, where there are amounts, `revenue` and `first_amount`.
    """
    if "customers" not in loaded.kept:
        profile = profiles.profile(loaded)
        loaded.kept["customers"] = (
            session.stored(_each_customer(loaded), "customers")
            if profile is None
            else profile.drop("order_days", "second_at", "last_at", "usual_days")
        )
    return loaded.kept["customers"]


def _each_customer(loaded: Loaded) -> ir.Table:
    table = loaded.table
    sums = {"orders": table.count(), "first_at": table[loaded.moment].min()}
    if "amount" not in table.columns:
        return table.group_by("customer_id").aggregate(**sums)
    sums["revenue"] = table.amount.sum()
    ids = ["order_id"] if "order_id" in table.columns else []
    if session.holds(table):
        first = table.amount.first(order_by=[loaded.moment, *ids, "amount"])
        return table.group_by("customer_id").aggregate(**sums, first_amount=first)
    # Not every engine has a first in an order: there the first moment's orders are joined on.
    each = table.group_by("customer_id").aggregate(**sums)
    births = table.join(each, ["customer_id", (table[loaded.moment], each.first_at)])
    amount = births.amount.min()
    if ids:
        amount = births.amount.argmin(births.order_id, where=births.order_id.notnull()).fill_null(amount)
    return each.join(births.group_by("customer_id").aggregate(first_amount=amount), "customer_id")


def orders_by_customer(loaded: Loaded, start: Date | None = None) -> ir.Table:
    """`customer_id`, `orders` and, where there are amounts, `revenue`, of the customers of a window."""
    counted = customers(loaded) if start is None else _bought(loaded, start)
    return counted.select([name for name in ("customer_id", "orders", "revenue") if name in counted.columns])


def sums_by_customer(
    loaded: Loaded, by: Sequence[str] = (), *, start: Date | None = None, period: Period | None = None
) -> ir.Table:
    """What each customer bought in the window, or in each period: the first order apart from later ones.

    Returns
    -------
    Table
        `customer_id`, the `by` columns as at the first order, `period_index` with a period; `orders` and
        where there are amounts `revenue`, and both as `first_` (one order or none) and `returning_` ones.
    """
    t = customers(loaded)
    if by:
        t = t.join(periods.birth_values(loaded, by), "customer_id")
    is_first = ibis.literal(True)
    money = ["revenue"] if "revenue" in t.columns else []
    if start is not None or period:
        bought = _bought(loaded, start, period)
        t = bought.join(t.drop("orders", *money), "customer_id")
        if start is not None:
            is_first &= t.first_at >= ibis.timestamp(moments.given("start", start))
        if period:
            is_first &= t.period_index == periods.index(t.first_at, period)
    firsts = {"first_orders": is_first.cast("int64")}
    if money:
        firsts["first_revenue"] = is_first.ifelse(t.first_amount, 0.0)
    t = t.mutate(**firsts)
    returning = {f"returning_{name}": t[name] - t[f"first_{name}"] for name in ("orders", *money)}
    return t.drop("first_at", *(["first_amount"] if money else [])).mutate(**returning)


def sums_of_types(bought: ir.Table, groups: Sequence[str]) -> pd.DataFrame:
    """What shares of first and of returning orders are made of: sums over customers, and of products.

    The columns are those of `takings.takings`, those of money where there is any.
    """
    t = bought
    measures = {"_n": t.count(), "_both_orders": (t.first_orders * t.returning_orders).sum()}
    paid = "revenue" in t.columns
    if paid:
        measures |= {"revenue": t.revenue.sum(), "revenue_xx": (t.revenue * t.revenue).sum()}
    for kind in ("first", "returning"):
        orders = t[f"{kind}_orders"].cast("float64")
        measures |= {
            f"{kind}_customers": (orders > 0).sum(),
            f"{kind}_orders": orders.sum(),
            f"{kind}_value_xx": (orders * orders).sum(),
        }
        if paid:
            money = t[f"{kind}_revenue"]
            measures |= {
                f"{kind}_revenue": money.sum(),
                f"{kind}_yy": (money * money).sum(),
                f"{kind}_share_xy": (money * t.revenue).sum(),
                f"{kind}_value_xy": (money * orders).sum(),
            }
    return (t.group_by(*groups) if groups else t).aggregate(**measures).to_pandas()


def of_type(s: pd.DataFrame, groups: Sequence[str], kind: str) -> pd.DataFrame:
    """The rows of first (or returning) orders, with their intervals."""
    customers, orders = s[f"{kind}_customers"], s[f"{kind}_orders"]
    frame = s[list(groups)].assign(order_type=kind, customers=customers, orders=orders)
    frame = frame.astype({"customers": "int64", "orders": "int64"})
    every, own, both = s["first_orders"] + s["returning_orders"], s[f"{kind}_value_xx"], s["_both_orders"]
    frame["order_share"] = (orders / every).where(every > 0)
    # A customer's orders are the first and the returning ones: their squares and products follow.
    squares = s["first_value_xx"] + s["returning_value_xx"] + 2 * both
    low, high = intervals.ratio(orders, every, own, own + both, squares, s["_n"])
    frame["order_share_low"], frame["order_share_high"] = np.clip(low, 0, 1), np.clip(high, 0, 1)
    frame["interval"] = intervals.RATIO
    return _with_money(frame, s, kind) if "revenue" in s else frame


def _with_money(frame: pd.DataFrame, s: pd.DataFrame, kind: str) -> pd.DataFrame:
    customers, orders, revenue = (s[f"{kind}_{name}"] for name in ("customers", "orders", "revenue"))
    frame["revenue"] = revenue
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
    return frame.assign(interval=f"{intervals.RATIO}; spend {intervals.MEAN}")


def _bought(loaded: Loaded, start: Date | None, period: Period | None = None) -> ir.Table:
    table = since(loaded, start)
    keys = {"period_index": periods.index(table[loaded.moment], period)} if period else {}
    sums = {"orders": table.count()}
    if "amount" in table.columns:
        sums["revenue"] = table.amount.sum()
    return table.group_by(table.customer_id, **keys).aggregate(**sums)


def second_moments(loaded: Loaded) -> ir.Table:
    """When customers came first and when again: `customer_id`, `first_at`, `second_at` (null: not yet)."""
    profile = profiles.profile(loaded)
    if profile is not None:
        return profile.select("customer_id", "first_at", "second_at")
    rows = loaded.table.select("customer_id", first_at=loaded.table[loaded.moment])
    order = ibis.window(group_by="customer_id", order_by="first_at")
    ranked = rows.mutate(second_at=rows.first_at.lead().over(order), _rank=ibis.row_number().over(order))
    return ranked.filter(ranked["_rank"] == 0).drop("_rank")


def waits(loaded: Loaded, by: Sequence[str] = ()) -> pd.DataFrame:
    """The histogram of whole days to the second order: the `by` columns, `duration`, `event`, `customers`.

    Days are 24 hours and the running one counts: an order after 6 hours falls into day 1. A customer is
    followed for the whole days observed; a second order in a day that was observed in part is left out
    with that day, because those who had none in the rest of it are not known.
    """
    seconds = second_moments(loaded)
    if by:
        seconds = seconds.join(periods.birth_values(loaded, by), "customer_id")
    day = _whole_days(seconds.first_at, seconds.second_at) + 1
    observed = _whole_days(seconds.first_at, ibis.timestamp(loaded.observed_until))
    event = (day <= observed).fill_null(False)
    alike = seconds.group_by(*by, duration=event.ifelse(day, observed), event=event)
    return alike.aggregate(customers=seconds.count()).to_pandas()


def _whole_days(born: ir.TimestampValue, later: ir.TimestampValue) -> ir.IntegerValue:
    return (later.delta(born, unit="microsecond") / _DAY).floor().cast("int64")
