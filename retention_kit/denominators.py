"""What churn is divided by: five ways to count who could be lost, and who was.

Each takes subscriptions to one row a complete period (and value of `by`): `period_index`, `customers` (who
could be lost) and `churned`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import attrition, billing, intervals, periods, tables
from retention_kit.periods import Period
from retention_kit.phrases import Phrase
from retention_kit.sentences import phrase
from retention_kit.tables import Loaded

Denominator = Literal["start", "start_plus_new", "average", "exposure", "due_for_renewal"]


@dataclass(frozen=True)
class Counting:
    """One way: how it counts, and which interval is its own."""

    count: Callable[[Loaded, tuple[str, ...], Period, int], pd.DataFrame]
    interval: str = intervals.WILSON


def _paid(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> ir.Table:
    """One row a stretch on one payment: the periods it `began` and ended (`last`, at most `end`) in."""
    steps = billing.levels(loaded, by)
    paid = steps.filter(steps.cents > 0)
    last = ibis.least(periods.index(paid.until, period).fill_null(end), end)
    return paid.select("customer_id", "since", *by, began=periods.index(paid.since, period), last=last)


def _at_start(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> pd.DataFrame:
    paid = _paid(loaded, by, period, end)
    seen = attrition.runs(paid.mutate(first=paid.began + 1), end)
    return attrition.each_period(attrition.counted(seen, by), by, end)


def _at_start_or_later(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> pd.DataFrame:
    """A stretch counts from the period it begins in, where no earlier one of the customer does already."""
    paid = _paid(loaded, by, period, end)
    taken = paid.last.lag().over(group_by="customer_id", order_by="since")
    touched = paid.mutate(first=ibis.greatest(paid.began, (taken + 1).fill_null(paid.began)))
    return attrition.each_period(attrition.counted(attrition.runs(touched, end), by), by, end)


def _on_average(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> pd.DataFrame:
    """Those at a period's end are those at the next one's start: each change counts half, twice."""
    paid = _paid(loaded, by, period, end)
    at_start = attrition.counted(attrition.runs(paid.mutate(first=paid.began + 1), end), by)
    at_end = at_start.assign(period_index=at_start["period_index"] - 1, churned=0)
    both = pd.concat([at_start, at_end]).groupby(["period_index", *by], dropna=False, as_index=False).sum()
    dense = attrition.each_period(both, by, end)
    return dense.assign(customers=dense["customers"] / 2)


def _by_exposure(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> pd.DataFrame:
    """Time at risk from its changes: each counts for the rest of its own period, then for whole ones."""
    steps = billing.levels(loaded, by)
    paid, over = steps.filter(steps.cents > 0), steps.filter((steps.cents == 0) & (steps.cents_before > 0))
    stopped = paid.filter(paid.until.notnull())
    one, nothing = ibis.literal(1, "int64"), ibis.literal(0, "int64")
    changes = ibis.union(
        paid.select(*by, at=paid.since, change=one, churned=nothing),
        stopped.select(*by, at=stopped.until, change=-one, churned=nothing),
        over.select(*by, at=over.since, change=nothing, churned=one),
    )
    sums = {
        "change": changes.change.sum().cast("int64"),
        "seconds": (changes.change * changes["at"].epoch_seconds()).sum().cast("int64"),
        "churned": changes.churned.sum().cast("int64"),
    }
    index = periods.index(changes["at"], period)
    dense = periods.each_period(
        changes.group_by(*by, period_index=index).aggregate(**sums).to_pandas(), by, end
    )
    starts, ends = (_seconds(dense["period_index"] + step, period) for step in (0, 1))
    before = periods.running_total(dense, "change", by) - dense["change"]
    rest = (dense["change"] * ends - dense["seconds"]) / (ends - starts)
    return dense.assign(customers=before + rest)


def _seconds(numbers: pd.Series, period: Period) -> pd.Series:
    return periods.starts(numbers, period).astype("int64") // 1_000_000


def _when_due(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> pd.DataFrame:
    rows = billing.paying(loaded).table
    rows = rows.filter(rows.ended_at.notnull())
    rows = rows.mutate(period_index=periods.index(rows.ended_at, period))
    rows = rows.filter(rows.period_index < end)
    of_one = ["customer_id", "period_index"]
    last = rows.filter(rows.ended_at == rows.ended_at.max().over(group_by=of_one))
    due = last.group_by(*of_one).aggregate(**{column: last[column].min() for column in by})
    paid = _paid(loaded, (), period, end)
    paid = paid.select("customer_id", "began", "last")
    # A customer pays just before the next period in one stretch at most.
    at_end = (
        due.customer_id == paid.customer_id,
        paid.began <= due.period_index,
        paid.last > due.period_index,
    )
    after = due.left_join(paid, at_end)
    counts = {"customers": after.count(), "churned": after.began.isnull().cast("int64").sum()}
    return after.group_by("period_index", *by).aggregate(**counts).to_pandas()


BY_NAME: dict[str, Counting] = {
    "start": Counting(_at_start),
    "start_plus_new": Counting(_at_start_or_later),
    "average": Counting(_on_average, intervals.POISSON),
    "exposure": Counting(_by_exposure, intervals.POISSON),
    "due_for_renewal": Counting(_when_due),
}


def definition(name: str, period: Period, by: tuple[str, ...]) -> Phrase:
    """What a way of that name divides by what, and at which moment the value of `by` is taken."""
    unit = periods.unit(period)
    return phrase(f"definition.churn_rates.{name}", unit=unit, by=tables.by_words(name, by))
