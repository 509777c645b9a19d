"""What each customer pays at every moment: the one reduction of subscriptions.

Customers hold subscriptions, several at once and one after the other; businesses lose customers.
`levels` turns the first into the second, so that neither churn nor recurring revenue takes a change of
plan for a loss; `movements` names each change.
"""

from collections.abc import Sequence
from dataclasses import replace

import ibis
import ibis.expr.types as ir

from retention_kit import periods, portions, session
from retention_kit.lengths import Period
from retention_kit.tables import Loaded

#: Later than any data: the end of what has none, where two ends are compared.
NEVER = ibis.timestamp("9999-12-31")


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
    another is a step up or down. Nearly every question on subscriptions starts here, so it is counted
    once a table and written down.

    Returns
    -------
    Table
        `customer_id`; `since` and `until` (exclusive, null for the last change); `cents_before` and
        `cents`, the customer's monthly payment over all subscriptions (without `mrr`, the number of
        subscriptions); `is_first`, the customer's first payment ever; with `by`, those columns as
        they stand in the subscription that began last (of several at one moment, the smallest value).
    """
    asked = ("levels", tuple(by))
    if asked not in loaded.kept:
        levels = _levels(paying(loaded).table, by)
        loaded.kept[asked] = session.stored(levels, "levels", alike=portions.beside(loaded))
    return loaded.kept[asked]


def movements(loaded: Loaded, by: Sequence[str] = ()) -> ir.Table:
    """One row a customer and change of what they pay, as one of the five movements: see `classified`.

    With `by`, those columns too, as they stand in the customer's first paid subscription.
    """
    moves = classified(levels(loaded))
    return moves.join(periods.birth_values(paying(loaded), by), "customer_id") if by else moves


def in_periods(steps: ir.Table, period: Period, end: int) -> ir.Table:
    """Rows of `levels` or of `movements` in periods before `end`, with the `period_index` of each."""
    dated = steps.mutate(period_index=periods.index(steps.since, period))
    return dated.filter(dated.period_index < end)


def by_period(moves: ir.Table, sums: Sequence[str], by: Sequence[str], period: Period, end: int) -> ir.Table:
    """Sums over all customers of columns of `classified`, by period before `end` and group."""
    dated = in_periods(moves, period, end)
    whole = {name: dated[name].sum().cast("int64") for name in sums}
    return dated.group_by("period_index", *by).aggregate(**whole)


def classified(steps: ir.Table, by: Sequence[str] = ()) -> ir.Table:
    """The rows of `levels`, each change by its name.

    Returns
    -------
    Table
        The `by` columns, `customer_id`, `since`; `new`, `reactivation` (paying again after a gap),
        `expansion`, `contraction`, `churn` in cents, at most one of them not 0; `customers_new`,
        `customers_reactivated`, `customers_churned`, 1 where the change is that; `cents_before` and
        `cents`, what was paid until then and is from then on.
    """
    change = steps.cents - steps.cents_before
    joins = (steps.cents_before == 0) & (steps.cents > 0)
    leaves = (steps.cents_before > 0) & (steps.cents == 0)
    stays = (steps.cents_before > 0) & (steps.cents > 0)
    moves = {
        "new": (joins & steps.is_first, change),
        "reactivation": (joins & ~steps.is_first, change),
        "expansion": (stays & (change > 0), change),
        "contraction": (stays & (change < 0), -change),
        "churn": (leaves, -change),
    }
    people = {
        "customers_new": moves["new"][0],
        "customers_reactivated": moves["reactivation"][0],
        "customers_churned": leaves,
    }
    return steps.select(
        *by,
        "customer_id",
        "since",
        **{name: ibis.ifelse(true, amount, 0) for name, (true, amount) in moves.items()},
        **{name: true.cast("int64") for name, true in people.items()},
        cents_before=steps.cents_before,
        cents=steps.cents,
    )


# ---------------------------------------------------------------------------------------------------


def _levels(table: ir.Table, by: Sequence[str]) -> ir.Table:
    changes = _changes(table, by)
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
