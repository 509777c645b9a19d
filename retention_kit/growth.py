"""Growth that customers earn: what the same ones bring, and those they refer; the rest is bought."""

from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import intervals, sequences, tables
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.sequences import Part
from retention_kit.tables import Loaded

_COLUMNS = [
    *("start", "end", "customers", "revenue_before", "same_revenue", "referred_revenue", "bought_revenue"),
    *("new_customers", "referred_customers", "net_revenue_retention", "low", "high", "interval"),
    *("earned_growth", "growth"),
]


def earned_growth(orders: Any, *, as_of: Date | None = None, months: int = 12) -> pd.DataFrame:
    """How much of this year's growth have customers earned for us, and how much was bought?

    What the customers of the year before bring now, and what new ones bring who were referred, is earned;
    what other new ones bring had to be bought. Sales can grow while what is earned shrinks.

    Parameters
    ----------
    orders : Loaded, frame or Ibis table
        Orders with `customer_id`, `ordered_at`, `amount` and `referred_by`, of orders or of customers: who or
        what referred them, as the first order has it; blank is nobody.
    as_of : date or str
        The first moment not observed; the year ends there.
    months : int
        The length of a year, to look at shorter ones.

    Returns
    -------
    DataFrame
        One row: `start`, `end` (of this year), `customers` (of the year before), `revenue_before` (theirs
        then), `same_revenue` (theirs now), `referred_revenue`, `bought_revenue` (of customers without an
        order in the year before, by whether they were referred), `new_customers`, `referred_customers`,
        `net_revenue_retention` (same / before) with `low`, `high` (95 %), `interval`, `earned_growth` (same
        and referred over before, less 1), `growth` (all of this year over all of the year before, less 1).
        The split is missing without `referred_by`, and where it is blank for everybody. No row where
        history begins later than in the first month of the year before.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.

    References
    ----------
    Reichheld, Darnell and Burns (2021), Net Promoter 3.0.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob", "cid"],
    ...     "ordered_at": pd.to_datetime(["2022-01-10", "2023-05-01", "2023-06-01", "2023-07-01"]),
    ...     "amount": [1000, 930, 120, 150], "referred_by": [None, None, "ann", None]})
    >>> row = earned_growth(orders, as_of="2024-01-01").iloc[0]
    >>> [round(float(row[name]), 2) for name in ("net_revenue_retention", "earned_growth", "growth")]
    [0.93, 0.05, 0.2]
    """
    loaded = tables.orders(orders, as_of=as_of, columns=("amount",), optional=("referred_by",))
    end = pd.Timestamp(loaded.observed_until).normalize()
    start, before = end - pd.DateOffset(months=months), end - pd.DateOffset(months=2 * months)
    observed = pd.Timestamp(loaded.observed_from) < before + pd.DateOffset(months=1)
    asked = "referred_by" in loaded.table.columns
    found = _sums(loaded, before, start, end, asked) if observed else None
    known = found is not None and found["marks"] > 0  # a column that is blank for everybody says nothing
    rows = [] if found is None or not found["revenue_before"] > 0 else [_row(found, start, end, known)]
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    told = {"start": start, "end": end, "months": months}
    frame.attrs = loaded.told(phrase(f"definition.earned_growth.{'known' if known else 'unknown'}", **told))
    return frame


def _sums(
    loaded: Loaded, before: pd.Timestamp, start: pd.Timestamp, end: pd.Timestamp, known: bool
) -> pd.Series:
    if loaded.in_order is not None and not known:
        edges = [sequences.microseconds(moment.to_pydatetime()) for moment in (before, start, end)]
        return pd.DataFrame(loaded.in_order.of_parts(lambda part: _sums_of(part, *edges))).sum()
    table = loaded.table
    paid = table.amount.cast("float64")
    then = _inside(table, before, start)
    now = _inside(table, start, end)
    sums = {
        "x": ibis.ifelse(then, paid, 0.0).sum(),
        "y": ibis.ifelse(now, paid, 0.0).sum(),
        "old": then.sum().fill_null(0) > 0,
        "new": now.sum().fill_null(0) > 0,
    }
    if known:
        mark = table.referred_by.cast("string").fill_null("").strip()
        sums["referred"] = mark.argmin(table.ordered_at) != ""
    each = table.group_by("customer_id").aggregate(**sums)
    if not known:
        each = each.mutate(referred=ibis.literal(False))
    old, fresh = each.old, each.new & ~each.old
    whole = {
        "customers": old.sum(), "revenue_before": each.x.sum(), "same_revenue": each.y.sum(where=old),
        "referred_revenue": each.y.sum(where=fresh & each.referred),
        "bought_revenue": each.y.sum(where=fresh & ~each.referred),
        "marks": each.referred.sum(), "new_customers": fresh.sum(),
        "referred_customers": (fresh & each.referred).sum(),
        "xx": (each.x * each.x).sum(where=old), "yy": (each.y * each.y).sum(where=old),
        "xy": (each.x * each.y).sum(where=old),
    }  # fmt: skip
    return each.aggregate(**whole).to_pandas().fillna(0).iloc[0]


def _sums_of(part: Part, before: int, start: int, end: int) -> dict[str, float]:
    """The same of rows that are laid out, where nobody is known to be referred."""
    then = (part.moments >= before) & (part.moments < start)
    now = (part.moments >= start) & (part.moments < end)
    x, y = (np.add.reduceat(np.where(inside, part.amounts, 0.0), part.starts) for inside in (then, now))
    old = np.logical_or.reduceat(then, part.starts)
    fresh = np.logical_or.reduceat(now, part.starts) & ~old
    nobody = dict.fromkeys(("referred_revenue", "marks", "referred_customers"), 0.0)
    return nobody | {
        "customers": old.sum(), "revenue_before": x.sum(), "same_revenue": y[old].sum(),
        "bought_revenue": y[fresh].sum(), "new_customers": fresh.sum(),
        "xx": (x * x)[old].sum(), "yy": (y * y)[old].sum(), "xy": (x * y)[old].sum(),
    }  # fmt: skip


def _inside(table: ir.Table, first: pd.Timestamp, end: pd.Timestamp) -> ir.BooleanValue:
    return (table.ordered_at >= first.to_pydatetime()) & (table.ordered_at < end.to_pydatetime())


def _row(found: pd.Series, start: pd.Timestamp, end: pd.Timestamp, known: bool) -> dict[str, Any]:
    before, same = found["revenue_before"], found["same_revenue"]
    new = found["referred_revenue"] + found["bought_revenue"]
    low, high = intervals.ratio(same, before, *found[["yy", "xy", "xx", "customers"]])
    nothing = float("nan")
    return {
        "start": start, "end": end, "customers": int(found["customers"]), "revenue_before": before,
        "same_revenue": same,
        "referred_revenue": found["referred_revenue"] if known else nothing,
        "bought_revenue": found["bought_revenue"] if known else nothing,
        "new_customers": int(found["new_customers"]),
        "referred_customers": int(found["referred_customers"]) if known else nothing,
        "net_revenue_retention": same / before, "low": float(low), "high": float(high),
        "interval": intervals.RATIO,
        "earned_growth": (same + found["referred_revenue"]) / before - 1 if known else nothing,
        "growth": (same + new) / before - 1,
    }  # fmt: skip
