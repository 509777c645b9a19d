"""Monthly recurring revenue: how it moved, and how much of it was kept.

Recurring revenue at a moment t is the monthly price of all subscriptions with `started_at <= t < ended_at`.
A yearly plan counts as a twelfth of its price (`invoices` spreads it), a free one as nothing.
"""

from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import billing, intervals, moments, periods, policies, portions, tables
from retention_kit.exceptions import ParamsError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.policies import Policy
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded

_MONEY = ["new", "reactivation", "expansion", "contraction", "churn"]
_PEOPLE = ["customers_new", "customers_reactivated", "customers_churned"]


def mrr_movements(
    subscriptions: Any,
    *,
    as_of: Date | None = None,
    period: Period = "month",
    by: Columns = None,
    policy: str | Policy = "house",
) -> pd.DataFrame:
    """Where did recurring revenue come from, and where did it go: the bridge of every period.

    Made from what happened, not from snapshots: who joins and leaves inside one month is in `new` and
    in `churn` of that month. begin + new + reactivation + expansion - contraction - churn = end, to
    the cent. A change on a period's first moment belongs to that period. Only periods that lie wholly
    before `as_of` have a row. Customers who paid before the data begins look new in its first period.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at`, `ended_at` and `mrr`.
    as_of : date or str
        The first moment not observed.
    period : {"day", "week", "month", "quarter", "year"}
    by : str or list of str, optional
        One bridge a value, as it stands in the customer's first paid subscription: customers stay in
        their group, so the groups add up to the whole. By `plan`, that is the plan they joined on.
    policy : str or Policy
        What counts as what, see `policies`: a name such as "stripe", to reconcile with a billing tool.

    Returns
    -------
    DataFrame
        One row a period (and value of `by`), in currency units a month: `period`, `begin`, `new`,
        `reactivation` (paying again after a gap), `expansion`, `contraction`, `churn` (the last two as
        positive amounts), `end`; and how many: `customers_begin`, `customers_new`,
        `customers_reactivated`, `customers_churned`, `customers_end`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is not known.
    ParamsError
        When the policy is not known.

    References
    ----------
    The five movements are those of ChartMogul and of dbt's mrr-playbook.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-02-10", "2024-01-15"]),
    ...     "ended_at": pd.to_datetime(["2024-02-10", None, "2024-02-20"]),
    ...     "mrr": [20, 50, 10],
    ... })
    >>> bridge = mrr_movements(fees, as_of="2024-03-01")
    >>> print(bridge[["begin", "new", "expansion", "churn", "end"]].to_string(index=False))
     begin  new  expansion  churn  end
       0.0 30.0        0.0    0.0 30.0
      30.0  0.0       30.0   10.0 50.0
    """
    groups = tables.by_columns(by, taken=("customer_id", "period", "begin", "end", *_MONEY, *_PEOPLE))
    loaded = tables.subscriptions(subscriptions, as_of=as_of, columns=("mrr", *groups))
    loaded = policies.applied(loaded, policy)
    end = periods.first_incomplete(loaded, period)
    counted = portions.added(
        loaded,
        lambda part: billing.by_period(
            billing.movements(part, groups), _MONEY + _PEOPLE, groups, period, end
        ),
        ("period_index", *groups),
    )
    return _bridge(periods.each_period(counted, groups, end), loaded, groups, period)


def revenue_retention(
    subscriptions: Any,
    *,
    start: Date,
    end: Date,
    as_of: Date | None = None,
    by: Columns = None,
    policy: str | Policy = "house",
) -> pd.DataFrame:
    """Of the revenue recurring at `start`, how much recurs at `end` from the same customers?

    Net counts what they pay more, gross does not; both are shares of the same base. Two moments are
    compared, so a customer who left and came back in between was kept. A state at a moment includes
    what begins at that moment, and not what ends at it. Customers who joined after `start` are in none.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at`, `ended_at` and `mrr`.
    start, end : date or str
        The two moments, both before `as_of`: `start="2018-12-01", end="2019-12-01"` is a year.
    as_of : date or str
        The first moment not observed.
    by : str or list of str, optional
        One row a value, as it stands at `start` (in the subscription that began last).
    policy : str or Policy
        What counts as what, see `policies`.

    Returns
    -------
    DataFrame
        `start`, `end`, [by], `customers` (paying at `start`), `base_mrr` (currency units a month),
        `net_revenue_retention` (now / base; can pass 1) with `net_low`, `net_high`,
        `gross_revenue_retention` (the smaller of now and base, / base) with `gross_low`, `gross_high`,
        `interval`, `customers_kept` (paying at `end`), `logo_retention` (kept / customers) with
        `logo_low`, `logo_high`, `logo_interval`. With a single customer the money bounds are NaN. No
        row where nobody paid at `start`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When `start` and `end` are no dates, not in order, or not before `as_of`; or the policy is not known.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-02-10", "2024-01-15"]),
    ...     "ended_at": pd.to_datetime(["2024-02-10", None, "2024-02-20"]),
    ...     "mrr": [20, 50, 10],
    ... })
    >>> kept = revenue_retention(fees, start="2024-02-01", end="2024-03-01", as_of="2024-04-01")
    >>> kept[["net_revenue_retention", "gross_revenue_retention", "logo_retention"]].iloc[0].round(3).tolist()
    [1.667, 0.667, 0.5]
    """
    groups = tables.by_columns(by, taken=("customer_id", "start", "end", "customers", "base_mrr"))
    loaded = tables.subscriptions(subscriptions, as_of=as_of, columns=("mrr", *groups))
    loaded = policies.applied(loaded, policy)
    first, last = _moments_before(loaded, start, end)
    summed = portions.added(loaded, lambda part: _kept(part, groups, first, last), groups)
    summed = summed[summed["customers"] > 0]
    summed = summed.sort_values(list(groups), ignore_index=True) if groups else summed
    return _retention_frame(summed, loaded, groups, first, last)


# ---------------------------------------------------------------------------------------------------


def _bridge(dense: pd.DataFrame, loaded: Loaded, by: tuple[str, ...], period: Period) -> pd.DataFrame:
    gained = dense["new"] + dense["reactivation"] + dense["expansion"]
    dense["change"] = gained - dense["contraction"] - dense["churn"]
    dense["people"] = dense["customers_new"] + dense["customers_reactivated"] - dense["customers_churned"]
    dense["end"] = periods.running_total(dense, "change", by)
    dense["customers_end"] = periods.running_total(dense, "people", by)
    dense["begin"] = dense["end"] - dense["change"]
    dense["customers_begin"] = dense["customers_end"] - dense["people"]
    dense["period"] = periods.starts(dense["period_index"], period)
    money = ["begin", *_MONEY, "end"]
    dense[money] = dense[money] / 100
    frame = dense[["period", *by, *money, "customers_begin", *_PEOPLE, "customers_end"]]
    told = phrase("definition.mrr_movements", by=tables.by_words("first_paid", by))
    frame.attrs = periods.told(loaded, told, frame, period)
    return frame


def _moments_before(loaded: Loaded, start: Date, end: Date) -> tuple[pd.Timestamp, pd.Timestamp]:
    first, last = moments.given("start", start), moments.given("end", end)
    if first >= last:
        raise ParamsError(
            f"start {moments.words(first)} is not before end {moments.words(last)}. "
            "Give the earlier moment as start."
        )
    if last >= loaded.as_of:
        raise ParamsError(
            f"end {moments.words(last)} is not before as_of {moments.words(loaded.as_of)}. What begins "
            "at as_of is not observed, so a change of plan then would look like a loss. Give an earlier end."
        )
    return first, last


def _paying_at(steps: ir.Table, moment: pd.Timestamp) -> ir.Table:
    at = ibis.timestamp(moment.to_pydatetime())
    return steps.filter(steps.cents > 0, steps.since <= at, steps.until.isnull() | (steps.until > at))


def _kept(loaded: Loaded, by: tuple[str, ...], first: pd.Timestamp, last: pd.Timestamp) -> ir.Table:
    """The sums over customers that both ratios and their intervals are made of."""
    steps = billing.levels(loaded, by)
    before, after = _paying_at(steps, first), _paying_at(steps, last)
    base = before.select("customer_id", *by, base=before.cents.cast("float64"))
    later = after.select("customer_id", later=after.cents.cast("float64"))
    both = base.left_join(later, "customer_id").drop("customer_id_right")
    both = both.mutate(now=both.later.fill_null(0.0))
    both = both.mutate(kept=ibis.least(both.now, both.base))
    sums = {
        "customers": both.count(),
        "customers_kept": (both.now > 0).cast("int64").sum(),
        "x": both.base.sum(),
        "xx": (both.base * both.base).sum(),
    }
    for name in ("now", "kept"):
        value = both[name]
        sums |= {
            name: value.sum(),
            f"{name}_xy": (value * both.base).sum(),
            f"{name}_yy": (value * value).sum(),
        }
    return both.group_by(*by).aggregate(**sums) if by else both.aggregate(**sums)


def _retention_frame(
    summed: pd.DataFrame, loaded: Loaded, by: tuple[str, ...], first: pd.Timestamp, last: pd.Timestamp
) -> pd.DataFrame:
    frame = summed[[*by, "customers"]].astype({"customers": "int64"})
    frame.insert(0, "start", pd.Series(first, index=frame.index, dtype="datetime64[us]"))
    frame.insert(1, "end", pd.Series(last, index=frame.index, dtype="datetime64[us]"))
    frame["base_mrr"] = summed["x"].astype("float64") / 100
    for name, sums, most in (("net", "now", None), ("gross", "kept", 1)):
        frame[f"{name}_revenue_retention"] = summed[sums].astype("float64") / summed["x"]
        low, high = intervals.ratio(
            summed[sums],
            summed["x"],
            summed[f"{sums}_yy"],
            summed[f"{sums}_xy"],
            summed["xx"],
            summed["customers"],
        )
        frame[f"{name}_low"], frame[f"{name}_high"] = low.clip(0, most), high.clip(0, most)
    frame["interval"] = pd.Series(intervals.RATIO, index=frame.index, dtype="str")
    frame["customers_kept"] = summed["customers_kept"].astype("int64")
    frame["logo_retention"] = frame["customers_kept"] / frame["customers"]
    frame["logo_low"], frame["logo_high"] = intervals.wilson(frame["customers_kept"], frame["customers"])
    frame["logo_interval"] = pd.Series(intervals.WILSON, index=frame.index, dtype="str")
    frame.attrs = loaded.told(phrase("definition.revenue_retention"))
    return frame
