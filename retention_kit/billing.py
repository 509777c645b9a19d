"""What each customer pays at every moment: the one reduction of subscriptions.

Customers hold subscriptions, several at once and one after the other; businesses lose customers.
`levels` turns the first into the second, so that neither churn nor recurring revenue takes a change of
plan for a loss.
"""

from collections.abc import Sequence
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit.tables import Loaded


def paying(loaded: Loaded) -> Loaded:
    """The subscriptions that are paid for: not free, not a trial, and not over at once.

    Without a column `mrr` nothing says which are free, so every subscription counts as paid.
    """
    table = loaded.table
    lasting = table.filter(table.ended_at.isnull() | (table.ended_at > table.started_at))
    if "mrr" in table.columns:
        lasting = lasting.filter(_cents(lasting) > 0)
    return replace(loaded, table=lasting)


def levels(loaded: Loaded, by: Sequence[str] = ()) -> ir.Table:
    """One row a customer and change: what was paid before it, and from then on until the next.

    All that begins and ends for a customer at one moment is one change, so a plan swapped for
    another is a step up or down.

    Returns
    -------
    Table
        `customer_id`; `since` and `until` (exclusive, null for the last change); `cents_before` and
        `cents`, the customer's monthly payment over all subscriptions (without `mrr`, the number of
        subscriptions); `is_first`, the customer's first payment ever; with `by`, those columns as
        they stand in the subscription that began last (of several at one moment, the smallest value).
    """
    changes = _changes(paying(loaded).table, by)
    in_time = ibis.window(group_by="customer_id", order_by="since")
    stepped = changes.mutate(
        cents=changes.change.sum().over(_so_far()).cast("int64"),
        until=changes.since.lead().over(in_time),
        is_first=changes.since.lag().over(in_time).isnull(),
        **({"_begun": changes.begins.sum().over(_so_far())} if by else {}),
    )
    # Each stretch between two beginnings holds one row that knows the values: the beginning itself.
    carried = {column: stepped[column].max().over(group_by=["customer_id", "_begun"]) for column in by}
    return stepped.select(
        "customer_id",
        "since",
        "until",
        "cents",
        "is_first",
        cents_before=(stepped.cents - stepped.change).cast("int64"),
        **carried,
    )


def each_period(counted: pd.DataFrame, by: Sequence[str], end: int) -> pd.DataFrame:
    """A row for every period before `end` since each group's first one; where nothing happened, zeros."""
    keys = list(by) or ["_all"]
    given = counted.assign(_all=0)
    first = given.groupby(keys, dropna=False, as_index=False).agg(_first=("period_index", "min"))
    start = given["period_index"].min() if len(given) else end
    calendar = pd.DataFrame({"period_index": pd.Series(range(start, end), dtype="int64")})
    grid = calendar.merge(first, how="cross")
    grid = grid[grid["period_index"] >= grid["_first"]].drop(columns="_first")
    dense = grid.merge(given, how="left", on=["period_index", *keys]).sort_values(["period_index", *keys])
    numbers = [column for column in counted.columns if column not in ("period_index", *by)]
    dense[numbers] = dense[numbers].fillna(0).astype("int64")
    return dense[list(counted.columns)].reset_index(drop=True)


def running_total(dense: pd.DataFrame, column: str, by: Sequence[str]) -> pd.Series:
    """The sum of a column up to and including each row, inside each group of `by`."""
    return dense.groupby(list(by), dropna=False)[column].cumsum() if by else dense[column].cumsum()


# ---------------------------------------------------------------------------------------------------


def _cents(table: ir.Table) -> ir.IntegerValue:
    """Whole cents, so that a bridge adds up exactly."""
    return (table.mrr.cast("float64") * 100).round().cast("int64")


def _changes(table: ir.Table, by: Sequence[str]) -> ir.Table:
    """One row a customer and moment: by how much what they pay changes, and how many things begin."""
    cents = _cents(table) if "mrr" in table.columns else ibis.literal(1, "int64")
    begins = table.select(
        *by, "customer_id", since=table.started_at, change=cents, begins=ibis.literal(1, "int64")
    )
    over = table.filter(table.ended_at.notnull())
    nothing = {column: ibis.null(table[column].type()) for column in by}
    ends = over.select(
        **nothing,
        customer_id=over.customer_id,
        since=over.ended_at,
        change=-(_cents(over) if "mrr" in table.columns else ibis.literal(1, "int64")),
        begins=ibis.literal(0, "int64"),
    )
    events = ibis.union(begins, ends)
    values = {column: events[column].min() for column in by}
    return events.group_by("customer_id", "since").aggregate(
        change=events.change.sum(), begins=events.begins.max(), **values
    )


def _so_far() -> ibis.expr.builders.WindowBuilder:
    return ibis.cumulative_window(group_by="customer_id", order_by="since")
