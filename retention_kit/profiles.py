"""Each customer's whole history in one row, counted in one pass over rows that are laid out."""

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from retention_kit import session
from retention_kit.sequences import Part
from retention_kit.tables import Loaded

_GAP_BITS = 32  # days fit into half a whole number, and a customer's place in the part into the other


def profile(loaded: Loaded) -> ir.Table | None:
    """One row a customer of a table that the door has laid out; None of any other.

    It is counted once a table: the next metric finds it.

    Returns
    -------
    Table
        `customer_id`, `orders`, `first_at`, `order_days`, `second_at` (null: not yet), `last_at`,
        `usual_days` (the median gap between order days; null below two gaps) and, where there are amounts,
        `revenue`, `first_amount` (of several orders at the first moment, the smallest) and
        `first_day_revenue`.
    """
    if loaded.in_order is None:
        return None
    if "profile" not in loaded.kept:
        known = loaded.in_order.customers.rename_columns(["customer_id", "orders", "first_at"])
        counted = session.set_aside(loaded.in_order.of_parts(_counted), "profile")
        columns = {name: table[name] for table in (known, counted) for name in table.column_names}
        loaded.kept["profile"] = ibis.memtable(pa.table(columns))
    return loaded.kept["profile"]


def _counted(part: Part) -> pa.Table:
    """What the door has not counted of each customer of a part."""
    last = part.starts + part.sizes - 1
    again = part.sizes > 1
    second = part.moments[np.where(again, part.starts + 1, 0)]
    order_days, usual_days = _rhythm(part)
    columns = {
        "order_days": order_days,
        "second_at": pa.array(_moments(second), mask=~again),
        "last_at": _moments(part.moments[last]),
        "usual_days": pa.array(usual_days, mask=np.isnan(usual_days)),
    }
    if part.amounts is not None:
        columns["revenue"] = np.add.reduceat(part.amounts, part.starts)
        columns["first_amount"] = part.amounts[part.starts]
        of_first_day = part.days == np.repeat(part.days[part.starts], part.sizes)
        columns["first_day_revenue"] = np.add.reduceat(np.where(of_first_day, part.amounts, 0), part.starts)
    return pa.table(columns)


def _rhythm(part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Of each customer the days with an order, and the median gap between them; NaN below two gaps."""
    gap, ended = part.gaps, part.gaps > 0
    customer = np.repeat(np.arange(len(part.sizes)), part.sizes)[ended]
    gaps = np.bincount(customer, minlength=len(part.sizes))
    # One sort of whole numbers, the customer before the gap, puts each customer's gaps in order.
    in_size = np.sort(customer << _GAP_BITS | gap[ended]) & (2**_GAP_BITS - 1)
    starts = np.cumsum(gaps) - gaps
    enough = np.flatnonzero(gaps >= 2)
    below, above = (in_size[starts[enough] + place[enough]] for place in ((gaps - 1) // 2, gaps // 2))
    usual = np.full(len(part.sizes), np.nan)
    usual[enough] = (below + above) / 2
    return gaps + 1, usual


def _moments(microseconds: np.ndarray) -> np.ndarray:
    return microseconds.astype("datetime64[us]")
