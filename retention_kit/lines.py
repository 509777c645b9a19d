"""Lines of orders: an export with a row for each thing bought, grouped into one row an order."""

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit.opened import Note
from retention_kit.sentences import phrase


def is_one_each(lines: ir.Table) -> bool:
    """Whether each row is an order already; telling costs less than grouping what need not be grouped."""
    counts = lines.aggregate(lines=lines.count(), orders=lines.order_id.nunique())
    found = counts.to_pyarrow().to_pylist()[0]
    return found["lines"] == found["orders"]


def orders_of(lines: ir.Table) -> ir.Table:
    """Lines grouped into orders: an order has one id and one customer; a line without an id is one order."""
    numbered = lines.mutate(
        _line=ibis.ifelse(lines.order_id.isnull(), ibis.row_number(), ibis.null("int64")),
    )
    measures: dict[str, ir.Value] = {"ordered_at": numbered.ordered_at.min()}
    if "amount" in lines.columns:
        measures["amount"] = numbered.amount.sum()
    for column in lines.columns:
        if column not in ("order_id", "customer_id", "ordered_at", "amount"):
            measures[column] = _of_main_line(numbered, column)
    return numbered.group_by("order_id", "customer_id", "_line").aggregate(**measures).drop("_line")


def note(kept: ir.Table, accounts: pd.DataFrame) -> tuple[Note, ...]:
    """How many orders the lines make, where fewer."""
    lines, orders = int(accounts["rows"].iloc[-1]), int(kept.count().execute())
    return (Note("info", phrase("note.lines", lines=lines, orders=orders)),) if lines > orders else ()


def _of_main_line(lines: ir.Table, column: str) -> ir.Value:
    if "amount" not in lines.columns:
        return lines[column].max()
    return lines[column].argmax(ibis.struct({"amount": lines.amount, "value": lines[column]}))
