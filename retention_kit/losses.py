"""Losses that were averted, and losses that are none: who was saved, and who may go."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import billing, intervals, periods, policies, portions, tables
from retention_kit.exceptions import DataError, ParamsError, did_you_mean
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.policies import Policy
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded

Margin = Literal["share", "money"]

_SAVED = ["customers", "saved", "save_rate", "low", "high", "interval"]
_SPLIT = [
    *("margin", "customers", "churned", "churned_share", "low", "high", "interval"),
    *("churn", "churn_share", "churn_low", "churn_high", "churn_interval", "margin_lost"),
]
_SIGNS = ("negative", "not negative", "unknown")


def save_rate(
    subscriptions: Any,
    *,
    as_of: Date | None = None,
    months: int = 3,
    by: Columns = None,
    policy: str | Policy = "house",
) -> pd.DataFrame:
    """Of those who downgraded or paused, how many pay some months later?

    A smaller plan and a pause are offered instead of cancelling; this is how often the customer is still
    there. It does not say what they would have done without the offer: for that, offer it to a part of
    them, drawn by lot. Each customer counts once a kind, from the first time, and only where the moment
    `months` later lies before `as_of`.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at`, `ended_at` and `mrr`; pauses need `paused` (yes on
        rows during which nothing is paid).
    as_of : date or str
        The first moment not observed.
    months : int
        How many calendar months later; the state at that very moment counts, what begins then included.
    by : str or list of str, optional
        Columns to split by, as they stand in the customer's first paid subscription.
    policy : str or Policy
        What counts as what, see `policies`; only that here a paused subscription never pays.

    Returns
    -------
    DataFrame
        One row a kind (and value of `by`): `kind` ("downgrade": paying less from one moment on, and no pause
        begins; "pause": the first pause after the first payment), [by], `customers`, `saved` (paying anything
        `months` later), `save_rate` (saved / customers), `low`, `high` (95 %), `interval`. No row where there
        was nobody.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When `months` is no whole number from 1, or the policy is not known.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob", "bob"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-01-01", "2024-02-10"]),
    ...     "ended_at": pd.to_datetime(["2024-02-01", None, "2024-02-10", "2024-04-10"]),
    ...     "mrr": [20, 10, 50, 30],
    ... })
    >>> save_rate(fees, as_of="2024-06-01")[["kind", "customers", "saved"]].to_numpy().tolist()
    [['downgrade', 2, 1]]
    """
    if isinstance(months, bool) or not isinstance(months, int) or months < 1:
        raise ParamsError(f"months is a whole number from 1, and it was {months!r}. Type 3 for a quarter.")
    groups = tables.by_columns(by, taken=("customer_id", "kind", *_SAVED))
    read = tables.subscriptions(subscriptions, as_of=as_of, columns=("mrr", *groups))
    paused = replace(policies.named(policy), pauses="churn")
    loaded = policies.applied(read, paused)
    counted = portions.added(
        read, lambda part: _asked(part, policies.applied(part, paused), months, groups), ("kind", *groups)
    )
    frame = _saved(counted, groups)
    by_words = tables.by_words("first_paid", groups)
    frame.attrs = loaded.told(phrase("definition.save_rate", months=months, by=by_words))
    return frame


def churn_by_margin(
    subscriptions: Any,
    *,
    as_of: Date | None = None,
    period: Period = "month",
    by: Columns = None,
    policy: str | Policy = "house",
    margin: Margin = "share",
) -> pd.DataFrame:
    """How much of the churn is of customers who cost more than they bring: the acceptable part of it?

    Losing a customer with a negative margin raises profit. That holds for the margin as it was: a young
    customer can be dear to set up and pay later, and shared costs do not go away with a customer.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at`, `ended_at`, `mrr`, and `margin` or `cost_to_serve`
        (or both), of the subscription or of the customer (`tables.assign_customers`).
    as_of : date or str
        The first moment not observed.
    period : {"day", "week", "month", "quarter", "year"}
    by : str or list of str, optional
        One row a value, as it stood when the customer left (in the subscription that began last).
    policy : str or Policy
        What counts as what, see `policies`.
    margin : {"share", "money"}
        What `margin` holds: a share of `mrr` (0.3 for 30 %), or money a month. `cost_to_serve` is money a
        month and comes off; without `margin`, it comes off the whole `mrr`.

    Returns
    -------
    DataFrame
        Three rows a period (and value of `by`) in which somebody left, by `margin` ("negative",
        "not negative", "unknown"): `period`, [by], `margin`, `customers` (who left in the period; twice who
        left twice, as in the bridge), `churned` (of them, with such a margin), `churned_share` with `low`,
        `high`, `interval`; `churn` (their recurring revenue, currency units a month), `churn_share` (of all
        churn of the period) with `churn_low`, `churn_high`, `churn_interval`; `margin_lost` (what they
        brought a month after costs; NaN where unknown).

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is not known.
    ParamsError
        When the policy or what the margin holds is not known.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-01-15"]),
    ...     "ended_at": pd.to_datetime(["2024-02-10", "2024-02-20"]),
    ...     "mrr": [20, 10],
    ...     "margin": [0.5, 0.5],
    ...     "cost_to_serve": [4, 9],
    ... })
    >>> left = churn_by_margin(fees, as_of="2024-03-01")
    >>> left[["margin", "churned", "churn", "margin_lost"]].to_numpy().tolist()[:2]
    [['negative', 1, 10.0, -4.0], ['not negative', 1, 20.0, 6.0]]
    """
    if margin not in ("share", "money"):
        hint = did_you_mean(str(margin), ("share", "money"))
        raise ParamsError(f"margin {margin!r} is not known.{hint} Choose one of ['share', 'money'].")
    groups = tables.by_columns(by, taken=("customer_id", "period", "cost_to_serve", *_SPLIT))
    loaded = tables.subscriptions(subscriptions, as_of=as_of, columns=("mrr", *groups))
    told = _told_of_margins(loaded)
    loaded = policies.applied(loaded, policy)
    end = periods.first_incomplete(loaded, period)
    counted = portions.added(
        loaded,
        lambda part: _by_sign(
            _left(billing.levels(part, (*groups, *told)), told, margin), groups, period, end
        ),
        ("period_index", *groups, "sign"),
    )
    frame = _split(counted, groups, period)
    by_words = tables.by_words("at_leaving", groups)
    frame.attrs = loaded.told(phrase("definition.churn_by_margin", by=by_words)) | {"period": period}
    return frame


# --- saved -----------------------------------------------------------------------------------------


def _asked(read: Loaded, loaded: Loaded, months: int, by: Sequence[str]) -> ir.Table:
    """By kind and group: how many downgraded or paused, and how many of them pay `months` later."""
    moves = billing.movements(loaded, by)
    begun = _pauses(read)
    asked = ibis.union(_downgrades(moves, begun), _first_pauses(moves, begun))
    asked = asked.mutate(_at=asked.since + ibis.interval(months=months))
    asked = asked.filter(asked._at < ibis.timestamp(loaded.observed_until))
    if by:
        asked = asked.join(periods.birth_values(billing.paying(loaded), by), "customer_id")
    then = _paying_then(asked, billing.levels(loaded))
    counts = {"customers": then.count(), "saved": then.saved.sum().cast("int64")}
    return then.group_by("kind", *by).aggregate(**counts)


def _pauses(read: Loaded) -> ir.Table:
    """Each moment at which a customer's paused row begins."""
    table = read.table
    paused = policies.is_paused(table) if "paused" in table.columns else ibis.literal(False)
    return table.filter(paused).select("customer_id", _begun=table.started_at).distinct()


def _downgrades(moves: ir.Table, begun: ir.Table) -> ir.Table:
    """A customer's first step down that no pause explains."""
    down = moves.filter(moves.contraction > 0)
    down = down.left_join(begun, ["customer_id", down.since == begun._begun])
    down = down.filter(down._begun.isnull())
    first = down.group_by("customer_id").aggregate(since=down.since.min())
    return first.mutate(kind=ibis.literal("downgrade"))


def _first_pauses(moves: ir.Table, begun: ir.Table) -> ir.Table:
    first = moves.filter(moves.customers_new == 1).select("customer_id", _joined=moves.since)
    after = begun.join(first, "customer_id")
    after = after.filter(after._begun > after._joined)
    paused = after.group_by("customer_id").aggregate(since=after._begun.min())
    return paused.mutate(kind=ibis.literal("pause"))


def _paying_then(asked: ir.Table, steps: ir.Table) -> ir.Table:
    """Whether the customer pays at the moment `_at`; the levels share out time, so at most one holds it."""
    steps = steps.filter(steps.cents > 0)
    # Plain comparisons: an engine joins on `a > b` fast, and row by row on `a is null or a > b`.
    paid = steps.select("customer_id", _from=steps.since, _until=steps.until.fill_null(billing.NEVER))
    then = asked.left_join(paid, ["customer_id", paid._from <= asked._at, paid._until > asked._at])
    return then.mutate(saved=then._from.notnull().cast("int64"))


def _saved(counted: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    frame = counted.sort_values(["kind", *by]).reset_index(drop=True)
    frame = frame.astype({"kind": "str", "customers": "int64", "saved": "int64"})
    frame["save_rate"] = frame["saved"] / frame["customers"]
    frame["low"], frame["high"] = intervals.wilson(frame["saved"], frame["customers"])
    frame["interval"] = pd.Series(intervals.WILSON, index=frame.index, dtype="str")
    return frame[["kind", *by, *_SAVED]]


# --- by margin -------------------------------------------------------------------------------------


def _told_of_margins(loaded: Loaded) -> tuple[str, ...]:
    told = tuple(name for name in ("margin", "cost_to_serve") if name in loaded.table.columns)
    if not told:
        raise DataError(
            f"subscriptions has neither margin nor cost_to_serve. It has {list(loaded.table.columns)}. Map "
            "one with columns={'margin': 'your_name'}, or join customers that have it with "
            "tables.assign_customers."
        )
    return told


def _left(steps: ir.Table, told: tuple[str, ...], margin: Margin) -> ir.Table:
    """One row a customer and leaving: what was paid until then, and what of it was left after costs."""
    left = steps.filter((steps.cents == 0) & (steps.cents_before > 0))
    paid = left.cents_before / 100
    brought = paid
    if "margin" in told:
        brought = left.margin if margin == "money" else paid * left.margin
    if "cost_to_serve" in told:
        brought = brought - left.cost_to_serve
    signs = [(brought < 0, _SIGNS[0]), (brought >= 0, _SIGNS[1])]
    return left.mutate(paid=paid, brought=brought, sign=ibis.cases(*signs, else_=_SIGNS[2]))


def _by_sign(left: ir.Table, by: Sequence[str], period: Period, end: int) -> ir.Table:
    left = billing.in_periods(left, period, end)
    sums = {
        "churned": left.count(),
        "cents": left.cents_before.sum().cast("int64"),
        "squares": (left.paid * left.paid).sum(),
        "margin_lost": left.brought.sum(),
    }
    return left.group_by("period_index", *by, "sign").aggregate(**sums)


def _split(counted: pd.DataFrame, by: Sequence[str], period: Period) -> pd.DataFrame:
    """All three signs wherever somebody left, and each sign's part of the whole."""
    keys = ["period_index", *by]
    signs = pd.DataFrame({"sign": pd.Series(_SIGNS, dtype="str"), "_order": range(3)})
    whole = counted.groupby(keys, dropna=False, as_index=False)[["churned", "cents", "squares"]].sum()
    whole = whole.rename(columns={"churned": "customers", "cents": "all_cents", "squares": "all_squares"})
    frame = whole.merge(signs, how="cross").merge(counted, how="left", on=[*keys, "sign"])
    frame = frame.sort_values([*keys, "_order"]).reset_index(drop=True)
    frame["margin_lost"] = frame["margin_lost"].mask(frame["churned"].isna(), 0.0).astype("float64")
    counts = ["customers", "churned", "cents"]
    frame[counts] = frame[counts].fillna(0).astype("int64")
    frame["squares"] = frame["squares"].fillna(0.0)
    frame["churn"], all_churn = frame["cents"] / 100, frame["all_cents"] / 100
    frame["churned_share"] = frame["churned"] / frame["customers"]
    frame["low"], frame["high"] = intervals.wilson(frame["churned"], frame["customers"])
    frame["churn_share"] = frame["churn"] / all_churn
    squares = (frame["squares"], frame["squares"], frame["all_squares"])
    low, high = intervals.ratio(frame["churn"], all_churn, *squares, frame["customers"])
    frame["churn_low"], frame["churn_high"] = low.clip(0, 1), high.clip(0, 1)
    for name, method in (("interval", intervals.WILSON), ("churn_interval", intervals.RATIO)):
        frame[name] = pd.Series(method, index=frame.index, dtype="str")
    frame.insert(0, "period", periods.starts(frame["period_index"], period))
    frame = frame.rename(columns={"sign": "margin"})
    return frame[["period", *by, *_SPLIT]]
