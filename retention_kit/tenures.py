"""How long subscribers stayed: first lives, in whole days or periods since the first payment."""

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import billing, lengths, periods
from retention_kit.lengths import Period
from retention_kit.tables import Loaded

_DAY = 86_400  # seconds
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def durations(loaded: Loaded, by: tuple[str, ...]) -> ir.Table:
    """By group and whole days from the first payment to the first stop, or until now: `customers`."""
    lives = _first_lives(loaded, by)
    until = lives.left.fill_null(ibis.timestamp(loaded.observed_until))
    counted = lives.group_by(*by, duration=_whole(lives.since, until, "day"), event=lives.left.notnull())
    return counted.aggregate(customers=lives.count())


def at_risk(loaded: Loaded, by: tuple[str, ...], period: Period) -> ir.Table:
    """By group and last `tenure` at risk: how many `customers`, and how many of them `churned` at it.

    A period of tenure counts only where it would have been over by `as_of`, left or not: else the young
    would add their losses and not those who stay.
    """
    lives = _first_lives(loaded, by)
    until = ibis.timestamp(loaded.observed_until)
    seen, left = _whole(lives.since, until, period), _whole(lives.since, lives.left, period)
    lives = lives.mutate(
        tenure=ibis.least(left.fill_null(seen), seen - 1), lost=(left < seen).fill_null(False)
    )
    judged = lives.filter(lives.tenure >= 0)
    sums = {"customers": judged.count(), "churned": judged.lost.cast("int64").sum()}
    return judged.group_by(*by, "tenure").aggregate(**sums)


def each(counted: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """Every tenure up to each group's oldest: who was at risk at it is who reached it."""
    keys = list(by) or ["_all"]
    given = counted.assign(_all=0)
    oldest = given.groupby(keys, dropna=False, as_index=False).agg(_oldest=("tenure", "max"))
    longest = given["tenure"].max() if len(given) else -1
    grid = oldest.merge(pd.DataFrame({"tenure": range(longest + 1)}, dtype="int64"), how="cross")
    grid = grid[grid["tenure"] <= grid["_oldest"]]
    dense = grid.merge(given, how="left", on=[*keys, "tenure"]).fillna({"customers": 0, "churned": 0})
    dense = dense.sort_values([*keys, "tenure"]).astype({"customers": "int64", "churned": "int64"})
    dense["at_risk"] = dense[::-1].groupby(keys, dropna=False)["customers"].cumsum()
    return dense[[*by, "tenure", "at_risk", "churned"]].reset_index(drop=True)


# ---------------------------------------------------------------------------------------------------


def _first_lives(loaded: Loaded, by: tuple[str, ...]) -> ir.Table:
    """One row a customer: `since` the first payment, `left` when it stopped (null: not yet), by."""
    steps = billing.levels(loaded)
    until = ibis.timestamp(loaded.observed_until)
    stops = (steps.cents == 0) & (steps.cents_before > 0) & (steps.since < until)
    lives = steps.group_by("customer_id").aggregate(
        since=steps.since.min(), left=steps.since.min(where=stops)
    )
    return lives.join(periods.birth_values(billing.paying(loaded), by), "customer_id") if by else lives


def _whole(since: ir.TimestampValue, until: ir.TimestampValue, period: Period) -> ir.IntegerValue:
    """How many whole periods lie between two moments, counted from the first of them."""
    unit = lengths.unit(period)
    if unit in _DAYS:
        seconds = until.epoch_seconds() - since.epoch_seconds()
        return (seconds / (_DAYS[unit] * _DAY)).floor().cast("int64")
    # A month is full on the day of the month it began on, or on its last day where that comes first.
    last_day = (until.truncate("M") + ibis.interval(months=1) - ibis.interval(days=1)).day()
    full = ibis.least(since.day(), last_day) * _DAY + since.epoch_seconds() % _DAY
    short = full > until.day() * _DAY + until.epoch_seconds() % _DAY
    months = periods.index(until, "month") - periods.index(since, "month") - short.cast("int64")
    return (months / _MONTHS[unit]).floor().cast("int64")
