"""What customers have left after costs: of their orders, of serving them, and of having won them."""

from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import intervals, periods, tables
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.phrases import Phrase
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded

_MONEY = ("revenue", "margin", "cost_to_serve", "acquisition_cost", "profit")


def customer_profits(
    orders: Any, *, as_of: Date | None = None, by: Columns = None, margin: float | None = None
) -> pd.DataFrame:
    """What has each customer left after costs so far? Equal revenue can be a profit or a loss.

    Columns that come from a table of customers (`tables.assign_customers`) are of the customer and count
    once, however many orders there are. Those of the orders themselves are of each order and add up; of
    `acquisition_cost` the first order's counts.

    Parameters
    ----------
    orders : Loaded, frame or Ibis table
        Orders with `customer_id`, `ordered_at`, `amount` and, where known, `margin` (the share of the amount
        that is left after what was sold is paid for), `cost_to_serve` and `acquisition_cost` (money).
    as_of : date or str
        The first moment not observed.
    by : str or list of str, optional
        Columns to keep, as they stand in the customer's first order.
    margin : float, optional
        One share for all, where orders and customers have none; it goes before theirs.

    Returns
    -------
    DataFrame
        One row a customer, the largest loss first: `customer_id`, the `by` columns, `orders`, `revenue`,
        `margin` (money), `cost_to_serve`, `acquisition_cost`, `profit` (margin less both). What is not
        known of a customer, and so the profit, is missing; a cost that the data do not have at all is 0 and
        said in the definition.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, nobody's margin is known, a margin is above 1, or a cost is
        negative.
    ParamsError
        When the margin is no share.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"], "ordered_at": pd.to_datetime(["2024-01-03", "2024-01-20"]),
    ...     "amount": [100.0, 100.0], "margin": [0.3, 0.3], "cost_to_serve": [15.0, 45.0]})
    >>> customer_profits(orders, as_of="2024-03-01")[["customer_id", "profit"]].values.tolist()
    [['bob', -15.0], ['ann', 15.0]]
    """
    groups = tables.by_columns(by, taken=("customer_id", "orders", *_MONEY))
    loaded, each = _customers(orders, as_of, groups, margin)
    frame = each.to_pandas().sort_values(["profit", "customer_id"], ignore_index=True)
    frame = frame[["customer_id", *groups, "orders", *_MONEY]]
    frame[list(_MONEY)] = frame[list(_MONEY)].astype("float64")
    frame.attrs = loaded.told(_defined(loaded, margin))
    return frame


def profits_by(
    orders: Any,
    *,
    as_of: Date | None = None,
    period: Period | None = None,
    by: Columns = None,
    margin: float | None = None,
) -> pd.DataFrame:
    """Which cohorts and segments have paid for themselves, and how many of their customers are a loss?

    Parameters
    ----------
    orders, as_of, margin
        As in `customer_profits`.
    period : {"day", "week", "month", "quarter", "year"} or None
        One row a cohort of that length, by the first order; None takes all together.
    by : str or list of str, optional
        One row a value, as it stands in the customer's first order.

    Returns
    -------
    DataFrame
        [`cohort`], the `by` columns, `customers`, `known` (of whom the profit is), `revenue`, `margin`,
        `cost_to_serve`, `acquisition_cost`, `profit` (of the known, currency units), `profit_per_customer`
        with `low`, `high` (95 %; missing for a single customer), `interval`, `losses` (customers with a
        profit below 0), `loss_share` (of the known) with `loss_low`, `loss_high`, `loss_interval`. No row
        where nobody is known.

    Raises
    ------
    DataError, ParamsError
        As `customer_profits`.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"], "ordered_at": pd.to_datetime(["2024-01-03", "2024-01-20"]),
    ...     "amount": [100.0, 100.0], "margin": [0.3, 0.3], "cost_to_serve": [15.0, 45.0]})
    >>> profits_by(orders, as_of="2024-03-01")[["customers", "profit", "loss_share"]].values.tolist()
    [[2.0, 0.0, 0.5]]
    """
    groups = tables.by_columns(by, taken=("customer_id", "cohort", "customers", "orders", *_MONEY))
    loaded, each = _customers(orders, as_of, groups, margin)
    keys = [*([] if period is None else ["cohort_index"]), *groups]
    if period is not None:
        each = each.mutate(cohort_index=periods.index(each.first, period))
        each = each.filter(each.cohort_index < periods.first_incomplete(loaded, period))
    known = each.profit.notnull()
    sums = {name: each[name].sum(where=known).cast("float64") for name in _MONEY}
    sums |= {"customers": each.count(), "known": known.sum(), "losses": (each.profit < 0).sum().fill_null(0)}
    sums["spread"] = each.profit.std(how="sample")
    found = (each.group_by(*keys) if keys else each).aggregate(**sums).to_pandas()
    found = found[found["known"] > 0].sort_values(keys or ["known"], ignore_index=True)
    frame = found[[*groups, "customers", "known", *_MONEY]].astype({"customers": "int64", "known": "int64"})
    if period is not None:
        frame.insert(0, "cohort", periods.starts(found["cohort_index"], period))
    frame["profit_per_customer"] = frame["profit"] / frame["known"]
    spread = found["spread"].astype("float64")
    frame["low"], frame["high"] = intervals.mean(frame["profit_per_customer"], spread, frame["known"])
    frame["interval"] = pd.Series(intervals.MEAN, index=frame.index, dtype="str")
    frame["losses"] = found["losses"].astype("int64")
    frame["loss_share"] = frame["losses"] / frame["known"]
    frame["loss_low"], frame["loss_high"] = intervals.wilson(frame["losses"], frame["known"])
    frame["loss_interval"] = pd.Series(intervals.WILSON, index=frame.index, dtype="str")
    frame.attrs = loaded.told(_defined(loaded, margin))
    return frame


# ---------------------------------------------------------------------------------------------------


def _customers(
    orders: Any, as_of: Date | None, by: tuple[str, ...], margin: float | None
) -> tuple[Loaded, ir.Table]:
    """A row a customer with all sums of money, missing where they are not known, still in the engine."""
    if margin is not None and not 0 < margin <= 1:
        raise ParamsError(
            f"margin is a share of revenue above 0 and up to 1, and it was {margin}. Type 0.3 for 30 %."
        )
    costs = ("margin", "cost_to_serve", "acquisition_cost")
    loaded = tables.orders(orders, as_of=as_of, columns=("amount", *by), optional=costs)
    if margin is None and "margin" not in loaded.table.columns:
        raise DataError(
            f"Neither orders nor customers have a margin. They have {list(loaded.table.columns)}. Map one "
            "with columns={'margin': 'your_name'}, or type margin=0.3 for 30 %."
        )
    asked = ("profits", margin)
    if asked not in loaded.kept:
        loaded.kept[asked] = _counted(loaded, margin)
    each = loaded.kept[asked]
    return loaded, each.join(periods.birth_values(loaded, by), "customer_id") if by else each


def _counted(loaded: Loaded, margin: float | None) -> ir.Table:
    table = loaded.table
    _refuse_odd(table)
    paid = table.amount.cast("float64")
    kept = paid * margin if margin is not None else paid * table.margin.cast("float64")
    sums = {
        "first": table.ordered_at.min(),
        "orders": table.count(),
        "revenue": paid.sum(),
        "margin": ibis.ifelse(kept.isnull().sum() > 0, ibis.null("float64"), kept.sum()),
        "cost_to_serve": _cost(loaded, "cost_to_serve"),
        "acquisition_cost": _cost(loaded, "acquisition_cost"),
    }
    each = table.group_by("customer_id").aggregate(**sums)
    return each.mutate(profit=each.margin - each.cost_to_serve - each.acquisition_cost)


def _cost(loaded: Loaded, name: str) -> ir.Value:
    """A customer's cost: of the customer once, of orders added up, of being won that of the first order."""
    table = loaded.table
    if name not in table.columns:
        return ibis.literal(0.0)
    cost = table[name].cast("float64")
    if name in loaded.of_customer:
        return cost.max()
    if name == "acquisition_cost":
        return cost.argmin(table.ordered_at)
    return ibis.ifelse(cost.isnull().sum() > 0, ibis.null("float64"), cost.sum())


def _refuse_odd(table: ir.Table) -> None:
    names = [name for name in ("margin", "cost_to_serve", "acquisition_cost") if name in table.columns]
    if not names:
        return
    ends = {f"{name}_{end}": getattr(table[name], end)() for name in names for end in ("min", "max")}
    found = table.aggregate(**ends).to_pandas().iloc[0]
    if "margin" in names and found["margin_max"] is not None and found["margin_max"] > 1:
        raise DataError(
            f"margin is a share of the amount, and {float(found['margin_max']):g} is above 1. "
            "Write 0.3 for 30 %, or map an expression such as columns={'margin': 'margin / 100'}."
        )
    for name in names[1:] if "margin" in names else names:
        least = found[f"{name}_min"]
        if least is not None and not np.isnan(float(least)) and least < 0:
            raise DataError(f"{name} is a cost, and {float(least):g} is below 0. Write costs without a sign.")


def _defined(loaded: Loaded, margin: float | None) -> Phrase:
    """What was taken off, and what the data do not have."""
    absent = [name for name in ("cost_to_serve", "acquisition_cost") if name not in loaded.table.columns]
    which = "all" if not absent else "_".join(["without", *absent])
    share = "one_margin" if margin else "own"
    told = {"share": phrase(f"definition.profit.{share}", **({"margin": margin} if margin else {}))}
    return phrase(f"definition.profit.{which}", **told, as_of=loaded.as_of)
