"""Who leaves, when in their life as a customer, and the reasons they gave."""

from collections.abc import Sequence
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import (
    billing,
    intervals,
    lengths,
    moments,
    periods,
    policies,
    portions,
    survival,
    tables,
    tenures,
)
from retention_kit.exceptions import ParamsError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.phrases import Phrase
from retention_kit.policies import Policy
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded
from retention_kit.windows import check_option

#: What stands for the reason of a customer who gave none.
NOT_STATED = "not stated"

_SHARES = ("churned", "churn_share", "low", "high", "mrr_lost", "mrr_share", "mrr_low", "mrr_high")
_HAZARD = ("tenure", "at_risk", "churned", "hazard", "low", "high", "interval")


def churn_reasons(
    subscriptions: Any,
    *,
    as_of: Date | None = None,
    start: Date | None = None,
    involuntary: Sequence[str] | None = None,
    per: Literal["reason", "kind"] = "reason",
    by: Columns = None,
    policy: str | Policy = "house",
) -> pd.DataFrame:
    """Why do customers leave, and what is lost with each reason?

    Counted are departures: a change of plan is none, a customer who leaves twice counts twice. The
    reason is what was put down at the end, often the first box of a list and seldom the whole truth;
    those who give none are no sample of the rest, so they have a row of their own. Who left because a
    payment failed did not choose to: which reasons are such, only the client can say.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at`, `ended_at`, `cancel_reason`; with `mrr`, what
        was lost too.
    as_of : date or str
        The first moment not observed.
    start : date or str, optional
        Only departures from this moment on; without it, all before `as_of`.
    involuntary : list of str, optional
        The reasons that nobody chose, such as `["payment failed"]`; capitals do not matter. Every other
        stated reason is then voluntary. Without it no kind is known.
    per : {"reason", "kind"}
        One row a reason, or one for all voluntary and one for all involuntary ones.
    by : str or list of str, optional
        Shares in each value, as in the subscription that the leaving customer began last.
    policy : str or Policy
        What counts as leaving: see `policies.Policy`.

    Returns
    -------
    DataFrame
        The `by` columns; `reason` (with `per="reason"`; "not stated" where there is none), `kind`
        (`voluntary`, `involuntary`, `unknown`); `churned` (departures), `churn_share` (of all
        departures, 0 to 1) with `low`, `high` (Wilson, 95 %); `mrr_lost` (what those customers paid
        just before, currency units a month), `mrr_share` with `mrr_low`, `mrr_high` (linearised by
        customer, 95 %; NaN where customers do not differ), `interval`. The most frequent first, not
        stated last. Without a column `mrr` the money is NaN.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or `per` is not known.
    ParamsError
        When `start` is no date before `as_of`, `involuntary` no list, or the policy is not known.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "cy", "cy"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-01", "2024-02-01"]),
    ...     "ended_at": pd.to_datetime(["2024-02-10", "2024-02-20", "2024-02-01", None]),
    ...     "mrr": [30, 10, 10, 20],
    ...     "cancel_reason": ["card expired", None, None, None],
    ... })
    >>> why = churn_reasons(fees, as_of="2024-03-01", involuntary=["card expired"])
    >>> print(why[["reason", "kind", "churned", "mrr_share"]].to_string(index=False))
          reason        kind  churned  mrr_share
    card expired involuntary        1       0.75
      not stated     unknown        1       0.25
    """
    check_option("per", per, ("reason", "kind"))
    unchosen = _unchosen(involuntary)
    groups = tables.by_columns(by, taken=("customer_id", "reason", "kind", *_SHARES, "interval"))
    loaded = tables.subscriptions(subscriptions, as_of=as_of, columns=("cancel_reason", *groups))
    loaded = policies.applied(loaded, policy)
    since = _moment_before(loaded, start)
    cells = ("reason", "kind") if per == "reason" else ("kind",)
    counted = portions.added(
        loaded,
        lambda part: _by_cell(_departures(part, groups, since), groups, cells, unchosen),
        (*groups, *cells),
    )
    frame = _shares(counted, groups, cells, "mrr" in loaded.table.columns)
    told = loaded.told(phrase("definition.churn_reasons", by=tables.by_words("within", groups)))
    frame.attrs = told | {"notes": [*told["notes"], *_never_given(loaded, unchosen)]}
    return frame


def churn_hazard(
    subscriptions: Any,
    *,
    as_of: Date | None = None,
    period: Period = "month",
    by: Columns = None,
    policy: str | Policy = "house",
) -> pd.DataFrame:
    """Of the customers who have stayed so long, how many leave before they have stayed one period more?

    It nearly always falls with tenure, and that does not say that customers grow more loyal: those
    likely to leave have left, and the others are who remains. Nor that keeping someone for a year
    would make them one of those who stay. Old tenures rest on early customers only, who may have been
    of another kind. Who paid before the data begins looks new.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at` and `ended_at`; with `mrr`, those of 0 are free.
    as_of : date or str
        The first moment not observed.
    period : {"month", "day", "week", "quarter", "year"}
        Tenure is counted from each customer's own first payment to the same day of a later month, or to
        its last day where it has no such day.
    by : str or list of str, optional
        One curve a value, as in the customer's first paid subscription.
    policy : str or Policy
        What counts as leaving: see `policies.Policy`.

    Returns
    -------
    DataFrame
        The `by` columns, `tenure` (whole periods since the first payment), `at_risk` (customers who
        stayed so long without a gap, and whose next period was over by `as_of`), `churned` (of them, gone
        before it was over; who leaves on the very day a period is full has that tenure), `hazard`
        (churned / at_risk, 0 to 1), `low`, `high` (Wilson, 95 %), `interval`. A customer's later, second
        life is not in it.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is not known.
    ParamsError
        When the policy is not known.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-01-15"]),
    ...     "ended_at": pd.to_datetime([None, "2024-02-20"]),
    ... })
    >>> print(churn_hazard(fees, as_of="2024-04-01")[["tenure", "at_risk", "churned"]].to_string(index=False))
     tenure  at_risk  churned
          0        2        0
          1        2        1
          2        1        0
    """
    groups = tables.by_columns(by, taken=("customer_id", *_HAZARD))
    loaded = tables.subscriptions(subscriptions, as_of=as_of, columns=groups)
    periods.check_period(period)
    loaded = policies.applied(loaded, policy)
    counted = portions.added(loaded, lambda part: tenures.at_risk(part, groups, period), (*groups, "tenure"))
    frame = tenures.each(counted, groups)
    frame["hazard"] = frame["churned"] / frame["at_risk"]
    frame["low"], frame["high"] = intervals.wilson(frame["churned"], frame["at_risk"])
    frame["interval"] = pd.Series(intervals.WILSON, index=frame.index, dtype="str")
    by_words = tables.by_words("first_subscription", groups)
    told = phrase("definition.churn_hazard", unit=lengths.unit(period), by=by_words)
    frame.attrs = loaded.told(told) | {"period": period}
    return frame


def tenure_survival(
    subscriptions: Any, *, as_of: Date | None = None, by: Columns = None, policy: str | Policy = "house"
) -> pd.DataFrame:
    """What share of the customers is still paying so many days after the first payment?

    After Kaplan and Meier: who is still paying at `as_of` counts for as long as was seen, neither left
    out nor taken for lost. It takes the customers of last month to be like those of years ago; and a
    group whose curve lies higher consists of other people, which is not to say that moving someone into
    it makes them stay. Far to the right the curve rests on few: read `at_risk`.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at` and `ended_at`; with `mrr`, those of 0 are free.
    as_of : date or str
        The first moment not observed.
    by : str or list of str, optional
        One curve a value, as in the customer's first paid subscription.
    policy : str or Policy
        What counts as leaving: see `policies.Policy`.

    Returns
    -------
    DataFrame
        One row a distinct duration (and value of `by`), the first 0, as of `survival.survival_curve`: the
        `by` columns, `duration` (whole days from the first payment to the first stop), `at_risk`,
        `events` (stopped), `censored` (still paying), `survival` (share who pay longer, 0 to 1), `low`,
        `high` (95 %), `interval`. A second life after a gap is not in it.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When the policy is not known.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-01-15"]),
    ...     "ended_at": pd.to_datetime([None, "2024-02-20"]),
    ... })
    >>> tenure_survival(fees, as_of="2024-04-01")[["duration", "survival"]].to_numpy().tolist()
    [[0.0, 1.0], [36.0, 0.5], [91.0, 0.5]]
    """
    groups = tables.by_columns(by, taken=("customer_id",))
    loaded = tables.subscriptions(subscriptions, as_of=as_of, columns=groups)
    loaded = policies.applied(loaded, policy)
    keys = (*groups, "duration", "event")
    lives = portions.added(loaded, lambda part: tenures.durations(part, groups), keys)
    curve = survival.survival_curve(lives, by=groups)
    by_words = tables.by_words("first_subscription", groups)
    curve.attrs = loaded.told(phrase("definition.tenure_survival", by=by_words))
    return curve


# -- reasons ----------------------------------------------------------------------------------------


def _unchosen(involuntary: Sequence[str] | None) -> list[str] | None:
    if isinstance(involuntary, str):
        raise ParamsError(f"involuntary is a list of reasons. Type involuntary=[{involuntary!r}].")
    return None if involuntary is None else [reason.strip().lower() for reason in involuntary]


def _moment_before(loaded: Loaded, start: Date | None) -> pd.Timestamp | None:
    if start is None:
        return None
    moment = moments.given("start", start)
    if moment >= loaded.as_of:
        raise ParamsError(
            f"start {moments.words(moment)} is not before as_of {moments.words(loaded.as_of)}, so nobody can "
            "have left in between. Give an earlier start."
        )
    return moment


def _departures(loaded: Loaded, by: tuple[str, ...], start: pd.Timestamp | None) -> ir.Table:
    """One row a departure: `customer_id`, `cents` paid until then, `reason` (null where none), by."""
    steps = billing.levels(loaded, by)
    until = ibis.timestamp(loaded.observed_until)
    gone = steps.filter((steps.cents == 0) & (steps.cents_before > 0), steps.since < until)
    if start is not None:
        gone = gone.filter(gone.since >= ibis.timestamp(start.to_pydatetime()))
    ended = billing.paying(loaded).table
    stated = ended.select("customer_id", over=ended.ended_at, reason=_stated(ended))
    stated = stated.filter(stated.reason.notnull())
    one_each = stated.group_by("customer_id", "over").aggregate(reason=stated.reason.min())
    joined = gone.left_join(one_each, [gone.customer_id == one_each.customer_id, gone.since == one_each.over])
    return joined.select(*by, "customer_id", "reason", cents=joined.cents_before.cast("float64"))


def _stated(table: ir.Table) -> ir.StringValue:
    """The reason without blanks around it; one that is all blanks was not given."""
    reason = table.cancel_reason.cast("string").strip()
    return reason.nullif("").nullif(NOT_STATED)


def _kind(reason: ir.StringValue, unchosen: list[str] | None) -> ir.StringValue:
    if unchosen is None:
        return ibis.literal("unknown")
    return ibis.cases(
        (reason.isnull(), "unknown"), (reason.lower().isin(unchosen), "involuntary"), else_="voluntary"
    )


def _never_given(loaded: Loaded, unchosen: list[str] | None) -> list[Phrase]:
    """A reason that is misspelt would turn all who gave it into volunteers."""
    reasons = _stated(loaded.table).lower()
    known = loaded.table.select(reason=reasons).filter(reasons.isin(unchosen or [])).distinct()
    given = set(known.to_pyarrow()["reason"].to_pylist()) if unchosen else set()
    missing = [reason for reason in unchosen or [] if reason not in given]
    return [phrase("note.reason_never_given", named=", ".join(missing))] if missing else []


def _by_cell(
    gone: ir.Table, by: tuple[str, ...], cells: Sequence[str], unchosen: list[str] | None
) -> ir.Table:
    """Departures, customers and money by cell, with the squares of what each customer's cells add up to."""
    gone = gone.mutate(kind=_kind(gone.reason, unchosen), reason=gone.reason.fill_null(NOT_STATED))
    keys = ["customer_id", *by]
    each = gone.group_by(*keys, *cells).aggregate(churned=gone.count(), y=gone.cents.sum())
    first = ibis.row_number().over(group_by=keys, order_by=list(cells)) == 0
    each = each.mutate(x=each.y.sum().over(group_by=keys), once=first.cast("int64"))
    sums = {"churned": each.churned.sum(), "y": each.y.sum(), "customers": each.once.sum()}
    sums |= {"yy": (each.y * each.y).sum(), "xy": (each.x * each.y).sum()}
    return each.group_by(*by, *cells).aggregate(**sums)


def _shares(s: pd.DataFrame, by: tuple[str, ...], cells: Sequence[str], priced: bool) -> pd.DataFrame:
    """Counts and money by cell, each as a share of its group, the customer being the unit of money."""
    money = ["y", "yy", "xy"]
    s[money] = s[money].astype("float64") if priced else float("nan")
    s = s.astype({"churned": "int64", "customers": "int64"})
    whole = s.assign(_all=0).groupby(list(by) or ["_all"], dropna=False)
    # A customer's cells add up to the customer: Σ over cells of x y is x².
    departures, customers, x, xx = (
        whole[name].transform("sum") for name in ("churned", "customers", "y", "xy")
    )
    frame = s[[*by, *cells, "churned"]].assign(churn_share=s["churned"] / departures)
    frame["low"], frame["high"] = intervals.wilson(s["churned"], departures)
    frame["mrr_lost"], frame["mrr_share"] = s["y"] / 100, s["y"] / x
    low, high = intervals.ratio(s["y"], x, s["yy"], s["xy"], xx, customers)
    frame["mrr_low"], frame["mrr_high"] = low.clip(0, 1), high.clip(0, 1)
    frame["interval"] = f"{intervals.WILSON}; mrr {intervals.RATIO}"
    unstated = frame[cells[0]].isin([NOT_STATED, "unknown"])
    order = [*by, "_unstated", "_fewest", *cells]
    frame = frame.assign(_unstated=unstated, _fewest=-frame["churned"]).sort_values(order)
    return frame.drop(columns=["_unstated", "_fewest"]).astype({"interval": "str"}).reset_index(drop=True)
