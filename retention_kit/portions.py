"""A large table's customers in portions that fit into memory, each asked alone and the counts added up.

What is told of each customer's subscriptions has to group and sort all of them by customer. Portions are the
partitions in which the table was written. Within a large table customers go by a number for each id, which
is compared faster than a text.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import ibis.expr.types as ir
import pandas as pd

from retention_kit import partitions, session
from retention_kit.tables import Loaded

#: Rows of a table whose customers go by their ids.
_FEW = 1_000_000


def of(loaded: Loaded) -> list[Loaded]:
    """The customers of a table in portions, together all of them; the table itself where it is not large.

    A server's table stays whole: it has ways of its own.
    """
    if "portions" not in loaded.kept:
        large = loaded.rows > _FEW and session.holds(loaded.table)
        written = partitions.of(loaded.table) if large else []
        parts = [replace(loaded, table=_numbered(part)) for part in written] or [loaded]
        for part in parts:
            part.kept["portions"], part.kept["beside"] = [part], len(parts)
        loaded.kept["portions"] = parts
    return loaded.kept["portions"]


def beside(loaded: Loaded) -> int:
    """How many portions there are of the table that this is one of."""
    return loaded.kept.get("beside", 1)


def added(loaded: Loaded, ask: Callable[[Loaded], ir.Table], keys: Sequence[str]) -> pd.DataFrame:
    """What is asked of each portion, the rows of one key added up: sums over customers, and nothing else.

    Parameters
    ----------
    ask : callable
        From a portion to a table of `keys`, and sums in all other columns.
    keys : list of str
        Without any there is one row.
    """
    frames = [ask(part).to_pandas() for part in of(loaded)]
    if len(frames) == 1:
        return frames[0]
    together = pd.concat(frames, ignore_index=True)
    grouped = together.assign(_all=0).groupby(list(keys) or "_all", dropna=False, sort=False)
    sums = [name for name in together.columns if name not in keys]
    # A sum of nothing but nulls stays one: no money is known, which is not none.
    return grouped[sums].sum(min_count=1).reset_index()[list(together.columns)]


def _numbered(table: ir.Table) -> ir.Table:
    """Customers by a number for each id; by the ids where two of them have one number."""
    ids = table.select("customer_id").distinct()
    counts = {"ids": ids.count(), "numbers": session.number_of(ids.customer_id).nunique()}
    [found] = ids.aggregate(**counts).to_pyarrow().to_pylist()
    if found["ids"] != found["numbers"]:
        return table
    return table.mutate(customer_id=session.number_of(table.customer_id))
