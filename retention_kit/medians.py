"""The exact median, also of engines that know none: BigQuery's own is an approximation."""

from collections.abc import Sequence

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir


def of(rows: ir.Table, column: str, by: Sequence[str]) -> tuple[ir.Table, ir.Value]:
    """The rows to aggregate by these columns, and the median of one of theirs as an aggregate over them.

    Where the engine knows a median it is that one; else rows are counted off in the order of the column,
    and the one in the middle counts, or the mean of the two. Nulls are not counted.

    >>> rows = ibis.memtable({"shop": ["a", "a", "a", "b"], "days": [1, 2, 9, 4]})
    >>> rows, median = of(rows, "days", ["shop"])
    >>> rows.group_by("shop").aggregate(days=median).order_by("shop").to_pandas().days.tolist()
    [2.0, 4.0]
    """
    if all(backend.has_operation(ops.Median) for backend in rows._find_backends()[0]):
        return rows, rows[column].median()
    alike = ibis.window(group_by=[*(rows[name] for name in by), rows[column].notnull()])
    before, known = ibis.row_number().over(alike.order_by(rows[column])), rows[column].count().over(alike)
    counted = rows.mutate(_middle=(2 * before).between(known - 2, known))
    return counted, counted[column].mean(where=counted["_middle"])
