"""Rates of recurring revenue: how fast it leaks, and what each cohort still pays.

Both come from the changes of what each customer pays (`billing.movements`), so they agree with the bridge
of `mrr.mrr_movements` to the cent.
"""

from collections.abc import Sequence
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import billing, intervals, lengths, periods, policies, portions, tables
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.policies import Policy
from retention_kit.sentences import phrase
from retention_kit.tables import Columns

_MONEY = ["new", "reactivation", "expansion", "contraction", "churn"]
#: Sums over customers of squares and products, in currency units: what the intervals are made of.
_SQUARES = ["squares", "gross_yy", "gross_xy", "net_yy", "net_xy", "quick_yy", "quick_xy"]
_GROSS = ["gross_churn_rate", "gross_low", "gross_high"]
_NET = ["net_churn_rate", "net_low", "net_high", "interval"]
_QUICK = ["quick_ratio", "quick_low", "quick_high"]
_LOGO = ["customers_churned", "logo_churn", "logo_low", "logo_high", "logo_interval"]
_ARPA = ["customers_end", "arpa", "arpa_low", "arpa_high", "arpa_interval"]
_COHORT = [
    *("customers", "first_mrr", "retained", "mrr", "mrr_per_customer"),
    *("mrr_retention", "low", "high", "interval"),
]


def recurring_rates(
    subscriptions: Any,
    *,
    as_of: Date | None = None,
    period: Period = "month",
    by: Columns = None,
    policy: str | Policy = "house",
) -> pd.DataFrame:
    """How fast does recurring revenue leak, do gains make up for it, and how many customers go?

    One large customer can carry a whole month, so the intervals take the customer as the unit. Net churn
    below 0 means that those who stayed added more than the others took away; it hides how many left.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at`, `ended_at` and `mrr`.
    as_of : date or str
        The first moment not observed.
    period : {"day", "week", "month", "quarter", "year"}
    by : str or list of str, optional
        One row a value, as it stands in the customer's first paid subscription (as in the bridge).
    policy : str or Policy
        What counts as what, see `policies`.

    Returns
    -------
    DataFrame
        One row a period (and value of `by`) that began with somebody paying:

        - `period`, [by], `customers_begin`, the bridge `begin`, `new`, `reactivation`, `expansion`,
          `contraction`, `churn`, `end` (currency units a month);
        - `gross_churn_rate` ((churn + contraction) / begin) with `gross_low`, `gross_high`, and
          `net_churn_rate` ((churn + contraction - expansion - reactivation) / begin; can be negative) with
          `net_low`, `net_high`, `interval`;
        - `quick_ratio` ((new + expansion + reactivation) / (churn + contraction); NaN with no losses) with
          `quick_low`, `quick_high` of the same method;
        - `customers_churned` (of those paying at the beginning, not paying at the end; who joins and leaves
          in between is not among them), `logo_churn` (of `customers_begin`), `logo_low`, `logo_high`,
          `logo_interval`;
        - `customers_end`, `arpa` (end / customers_end; NaN with nobody left), `arpa_low`, `arpa_high`,
          `arpa_interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is not known.
    ParamsError
        When the policy is not known.

    References
    ----------
    The two churn rates are those of ChartMogul's documentation.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-02-10", "2024-01-15"]),
    ...     "ended_at": pd.to_datetime(["2024-02-10", None, "2024-02-20"]),
    ...     "mrr": [20, 50, 10],
    ... })
    >>> february = recurring_rates(fees, as_of="2024-03-01")
    >>> february[["begin", "gross_churn_rate", "net_churn_rate", "logo_churn"]].iloc[0].round(3).tolist()
    [30.0, 0.333, -0.667, 0.5]
    """
    taken = ("customer_id", "period", "begin", "end", "customers_begin", *_MONEY, *_SQUARES)
    groups = tables.by_columns(by, taken=(*taken, *_GROSS, *_NET, *_QUICK, *_LOGO, *_ARPA))
    loaded = tables.subscriptions(subscriptions, as_of=as_of, columns=("mrr", *groups))
    loaded = policies.applied(loaded, policy)
    end = periods.first_incomplete(loaded, period)
    counted = portions.added(
        loaded,
        lambda part: _by_period(_by_customer(billing.movements(part, groups), groups, period, end), groups),
        ("period_index", *groups),
    )
    frame = _rated(_levelled(periods.each_period(counted, groups, end, floats=_SQUARES), groups))
    frame.insert(0, "period", periods.starts(frame["period_index"], period))
    bridge = ["customers_begin", "begin", *_MONEY, "end"]
    frame = frame[["period", *groups, *bridge, *_GROSS, *_NET, *_QUICK, *_LOGO, *_ARPA]]
    told = phrase("definition.recurring_rates", by=tables.by_words("first_paid", groups))
    frame.attrs = periods.told(loaded, told, frame, period)
    return frame


def cohort_mrr(
    subscriptions: Any,
    *,
    as_of: Date | None = None,
    period: Period = "month",
    by: Columns = None,
    policy: str | Policy = "house",
) -> pd.DataFrame:
    """What does each cohort of customers still pay, by age in periods?

    A cohort are the customers whose first payment fell in one period. Each cell is the state at the end of
    the period of that age, just before the next one begins: at age 0 of the first period itself, so who
    joined and left inside it is in `customers` and no longer in `retained`. Only periods that lie wholly
    before `as_of` have a row. Customers who paid before the data begins look new in its first period.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at`, `ended_at` and `mrr`.
    as_of : date or str
        The first moment not observed.
    period : {"day", "week", "month", "quarter", "year"}
    by : str or list of str, optional
        Columns to split by, as they stand in the customer's first paid subscription.
    policy : str or Policy
        What counts as what, see `policies`.

    Returns
    -------
    DataFrame
        One row a cohort (and value of `by`) and age: `cohort`, [by], `age`, `customers` (who joined),
        `first_mrr` (what they paid from their first moment; currency units a month, as all money here),
        `retained` (paying), `mrr`, `mrr_per_customer` (mrr / customers), `mrr_retention` (mrr / first_mrr;
        can pass 1) with `low`, `high` and `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is not known.
    ParamsError
        When the policy is not known.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-02-10", "2024-01-15"]),
    ...     "ended_at": pd.to_datetime(["2024-02-10", None, "2024-02-20"]),
    ...     "mrr": [20, 50, 10],
    ... })
    >>> january = cohort_mrr(fees, as_of="2024-03-01")
    >>> january[["age", "retained", "mrr"]].to_numpy().tolist()
    [[0.0, 2.0, 30.0], [1.0, 1.0, 50.0]]
    """
    groups = tables.by_columns(by, taken=("customer_id", "cohort", "age", *_COHORT))
    loaded = tables.subscriptions(subscriptions, as_of=as_of, columns=("mrr", *groups))
    loaded = policies.applied(loaded, policy)
    end = periods.first_incomplete(loaded, period)
    changed = portions.added(
        loaded,
        lambda part: _cohort_changes(billing.movements(part, groups), groups, period, end),
        ("cohort_index", *groups, "period_index"),
    )
    grid = _triangle(changed, groups, end)
    grid.insert(0, "cohort", periods.starts(grid["cohort_index"], period))
    frame = _kept(grid)[["cohort", *groups, "age", *_COHORT]]
    by_words = tables.by_words("first_paid", groups)
    told = phrase("definition.cohort_mrr", unit=lengths.unit(period), by=by_words)
    frame.attrs = periods.told(loaded, told, frame, period)
    return frame


# --- rates -----------------------------------------------------------------------------------------


def _by_customer(moves: ir.Table, by: Sequence[str], period: Period, end: int) -> ir.Table:
    """One row a customer and period with a change: what was paid before it, and what became of it."""
    moves = billing.in_periods(moves, period, end)
    sums = {name: moves[name].sum().cast("int64") for name in _MONEY}
    sums["before"] = moves.cents_before.argmin(moves.since)
    change = (moves.cents - moves.cents_before).sum().cast("int64")
    own = moves.group_by("customer_id", "period_index", *by).aggregate(**sums, change=change)
    return own.mutate(
        after=own.before + own.change,
        lost=own.churn + own.contraction,
        kept_on=own.expansion + own.reactivation,
    )


def _by_period(own: ir.Table, by: Sequence[str]) -> ir.Table:
    """Sums over customers. Who was not paying before has nothing to lose and still moves the numerators."""
    before, after = own.before / 100, own.after / 100
    lost, net, grown = own.lost / 100, (own.lost - own.kept_on) / 100, (own.new + own.kept_on) / 100
    squares = {
        "squares": after * after - before * before,
        "gross_yy": lost * lost,
        "gross_xy": lost * before,
        "net_yy": net * net,
        "net_xy": net * before,
        "quick_yy": grown * grown,
        "quick_xy": grown * lost,
    }
    counts = {
        "people": (own.after > 0).cast("int64") - (own.before > 0).cast("int64"),
        "customers_churned": ((own.before > 0) & (own.after == 0)).cast("int64"),
        "besides": ((own.before == 0) & (own.lost + own.kept_on > 0)).cast("int64"),
        "movers": (own.lost + own.kept_on + own.new > 0).cast("int64"),
    }
    sums = {name: own[name].sum().cast("int64") for name in _MONEY}
    sums |= {name: count.sum().cast("int64") for name, count in counts.items()}
    sums |= {name: square.sum().cast("float64") for name, square in squares.items()}
    return own.group_by("period_index", *by).aggregate(**sums)


def _levelled(dense: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The changes of each period as levels before and after it, where anybody was paying before it."""
    change = dense["new"] + dense["reactivation"] + dense["expansion"]
    dense["change"] = change - dense["contraction"] - dense["churn"]
    for level, step in (("end", "change"), ("customers_end", "people"), ("squares_end", "squares")):
        dense[level] = periods.running_total(dense, step, by)
    dense["begin"] = dense["end"] - dense["change"]
    dense["customers_begin"] = dense["customers_end"] - dense["people"]
    dense["squares_begin"] = dense["squares_end"] - dense["squares"]
    money = ["begin", *_MONEY, "end"]
    dense[money] = dense[money] / 100
    return dense[dense["customers_begin"] > 0].reset_index(drop=True)


def _rated(frame: pd.DataFrame) -> pd.DataFrame:
    lost = frame["churn"] + frame["contraction"]
    net = lost - frame["expansion"] - frame["reactivation"]
    units = frame["customers_begin"] + frame["besides"]
    for name, sums in (("gross", lost), ("net", net)):
        frame[f"{name}_churn_rate"] = sums / frame["begin"]
        squares = (frame[f"{name}_yy"], frame[f"{name}_xy"], frame["squares_begin"])
        low, high = intervals.ratio(sums, frame["begin"], *squares, units)
        frame[f"{name}_low"], frame[f"{name}_high"] = low, high
    frame["gross_low"] = frame["gross_low"].clip(0)
    frame["gross_high"] = frame["gross_high"].clip(upper=frame["gross_churn_rate"].clip(1))
    frame["interval"] = pd.Series(intervals.RATIO, index=frame.index, dtype="str")
    _quick(frame, lost)
    _logos(frame)
    return frame


def _quick(frame: pd.DataFrame, lost: pd.Series) -> None:
    grown = frame["new"] + frame["expansion"] + frame["reactivation"]
    losses = lost.where(lost > 0)
    frame["quick_ratio"] = grown / losses
    low, high = intervals.ratio(
        grown, losses, frame["quick_yy"], frame["quick_xy"], frame["gross_yy"], frame["movers"]
    )
    frame["quick_low"], frame["quick_high"] = np.clip(low, 0, None), high


def _logos(frame: pd.DataFrame) -> None:
    churned, customers = frame["customers_churned"], frame["customers_begin"]
    frame["logo_churn"] = churned / customers
    frame["logo_low"], frame["logo_high"] = intervals.wilson(churned, customers)
    frame["logo_interval"] = pd.Series(intervals.WILSON, index=frame.index, dtype="str")
    left = frame["customers_end"].where(frame["customers_end"] > 0)
    frame["arpa"] = frame["end"] / left
    spread = (frame["squares_end"] - left * frame["arpa"] ** 2).clip(0) / (left - 1).where(left > 1)
    frame["arpa_low"], frame["arpa_high"] = intervals.mean(frame["arpa"], np.sqrt(spread), left)
    frame["arpa_interval"] = pd.Series(intervals.MEAN, index=frame.index, dtype="str")


# --- cohorts ---------------------------------------------------------------------------------------


def _cohort_changes(moves: ir.Table, by: Sequence[str], period: Period, end: int) -> ir.Table:
    """By cohort and period: how much more is paid, by how many more, and the sums of squares with it.

    A level is the sum of its changes, so no customer has to be looked at in a period without one.
    """
    moves = moves.mutate(period_index=periods.index(moves.since, period))
    first = moves.filter(moves.customers_new == 1)
    first = first.select("customer_id", cohort_index=first.period_index, first=first.new / 100)
    changed = moves.filter(moves.period_index < end).join(first, "customer_id")
    now, before = changed.cents / 100, changed.cents_before / 100
    sums = {
        "customers": changed.customers_new.sum().cast("int64"),
        "first_cents": changed.new.sum().cast("int64"),
        "retained": ((changed.cents > 0).cast("int64") - (changed.cents_before > 0).cast("int64")).sum(),
        "cents": (changed.cents - changed.cents_before).sum().cast("int64"),
        "xx": (changed.customers_new * changed["first"] * changed["first"]).sum(),
        "yy": (now * now - before * before).sum(),
        "xy": (changed["first"] * (now - before)).sum(),
    }
    return changed.group_by("cohort_index", *by, "period_index").aggregate(**sums)


def _triangle(changed: pd.DataFrame, by: Sequence[str], end: int) -> pd.DataFrame:
    """Every cohort at every age before `end`, the changes summed up to it."""
    keys = ["cohort_index", *by]
    cohorts = changed[keys].drop_duplicates()
    start = changed["cohort_index"].min() if len(changed) else end
    calendar = pd.DataFrame({"period_index": pd.Series(range(start, end), dtype="int64")})
    grid = cohorts.merge(calendar, how="cross")
    grid = grid[grid["period_index"] >= grid["cohort_index"]].merge(changed, how="left")
    grid = grid.sort_values([*keys, "period_index"]).reset_index(drop=True)
    sums = ["customers", "first_cents", "retained", "cents", "xx", "yy", "xy"]
    grid[sums] = grid[sums].fillna(0).astype(dict.fromkeys(sums[:4], "int64"))
    grid[sums] = grid.groupby(keys, dropna=False, sort=False)[sums].cumsum()
    grid["age"] = grid["period_index"] - grid["cohort_index"]
    return grid


def _kept(grid: pd.DataFrame) -> pd.DataFrame:
    grid["first_mrr"], grid["mrr"] = grid["first_cents"] / 100, grid["cents"] / 100
    grid["mrr_per_customer"] = grid["mrr"] / grid["customers"]
    grid["mrr_retention"] = grid["mrr"] / grid["first_mrr"]
    low, high = intervals.ratio(
        grid["mrr"], grid["first_mrr"], grid["yy"], grid["xy"], grid["xx"], grid["customers"]
    )
    grid["low"], grid["high"] = np.clip(low, 0, None), high
    grid["interval"] = pd.Series(intervals.RATIO, index=grid.index, dtype="str")
    return grid
