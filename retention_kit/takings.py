"""What customers bought in each period, by the period of their first order: sums over rows that are laid out.

A customer counts once in each period with an order, with all that was bought in it.
"""

import numpy as np
import pandas as pd

from retention_kit import periods, sequences
from retention_kit.lengths import Period
from retention_kit.sequences import Part
from retention_kit.tables import Loaded


def takings(loaded: Loaded, period: Period) -> pd.DataFrame | None:
    """The sums that money metrics and their intervals are made of; None of a table that is not laid out.

    They are counted once a table and period: the next metric finds them.

    Returns
    -------
    DataFrame
        One row a `cohort_index` and `period_index` with an order: `_n` customers, `orders`, `revenue`;
        `revenue_xx`, squares of each customer's revenue; `_squares`, by how much the squares of what each
        has spent so far rise; `_both_orders`, products of first orders with returning ones; of first orders
        and of returning ones `_customers`, `_orders`, `_revenue`,
        and the products `_yy` (revenue and itself), `_share_xy` (with all revenue), `_value_xy` and
        `_value_xx` (of orders with revenue, and with themselves).
    """
    if loaded.in_order is None or "amount" not in loaded.table.columns:
        return None
    asked = ("takings", period)
    if asked not in loaded.kept:
        keys = ("cohort_index", "period_index")
        loaded.kept[asked] = loaded.in_order.added(lambda part: _of_part(part, period), keys)
    return loaded.kept[asked]


def _of_part(part: Part, period: Period) -> pd.DataFrame:
    number = periods.of_days(part.days, period)
    begins = part.is_first.copy()
    begins[1:] |= number[1:] != number[:-1]
    at = np.flatnonzero(begins)  # where each customer's orders of one period begin
    orders, revenue = np.diff(at, append=len(number)), np.add.reduceat(part.amounts, at)
    born, number = part.is_first[at], number[at]
    births = np.flatnonzero(born)
    cohort = np.repeat(number[births], np.diff(births, append=len(at)))
    spent = sequences.running_total(revenue, births)
    first = part.amounts[part.starts]
    later_orders, later = orders - born, revenue.copy()
    later[births] -= first

    earliest, span = number.min(), np.ptp(number) + 1
    cell, cells = pd.factorize((cohort - earliest) * span + number - earliest)
    sums = {
        "_n": None,
        "orders": orders,
        "revenue": revenue,
        "revenue_xx": revenue * revenue,
        # A square rises only where a customer orders, from (c - a)² to c².
        "_squares": revenue * (2 * spent - revenue),
        "returning_customers": later_orders > 0,
        "returning_orders": later_orders,
        "returning_revenue": later,
        "returning_yy": later * later,
        "returning_share_xy": later * revenue,
        "returning_value_xy": later * later_orders,
        "returning_value_xx": later_orders * later_orders,
    }
    found = {name: np.bincount(cell, values) for name, values in sums.items()}
    at_birth = cell[births]
    sums = {
        "first_customers": None,
        "first_revenue": first,
        "first_yy": first * first,
        "first_share_xy": first * revenue[births],
        "_both_orders": later_orders[births],
    }
    found |= {name: np.bincount(at_birth, values, len(cells)) for name, values in sums.items()}
    one_each = dict.fromkeys(("first_orders", "first_value_xx"), found["first_customers"])
    found |= one_each | {"first_value_xy": found["first_revenue"]}
    keys = {"cohort_index": cells // span + earliest, "period_index": cells % span + earliest}
    return pd.DataFrame(keys | found)
