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

from retention_kit import attrition, billing, intervals, lengths, periods, portions, tables
from retention_kit.lengths import Period
from retention_kit.phrases import Phrase
from retention_kit.sentences import phrase
from retention_kit.tables import Loaded

#: What stretches that are counted together have in common.
_KINDS = ("began", "last", "fresh", "left", "stops")

Denominator = Literal["start", "start_plus_new", "average", "exposure", "due_for_renewal"]


@dataclass(frozen=True)
class Counting:
    """One way: how it counts, and which interval is its own."""

    count: Callable[[Loaded, tuple[str, ...], Period, int], pd.DataFrame]
    interval: str = intervals.WILSON


def _stretches(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> pd.DataFrame:
    """Stretches of paying one amount, those alike counted together: what four of the five read.

    A column each: the periods a stretch `began` and ended (`last`, at most `end`) in; `fresh`, no earlier
    stretch of the customer reaches into the period it begins in; `left`, the customer does not pay just
    before the period after its last; `stops`, nothing is paid when it is over; `customers`, and in seconds
    the sums of when they `began_at` and were `over_at`. It is counted once a table.
    """
    asked = ("stretches", period, by, end)
    if asked not in loaded.kept:
        loaded.kept[asked] = portions.added(
            loaded, lambda part: _alike(_paid(part, by, period, end), by, end), (*by, *_KINDS)
        )
    return loaded.kept[asked]


def _paid(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> ir.Table:
    """One row a stretch of paying one amount: `since`, `until`, `began`, `last`."""
    steps = billing.levels(loaded, by)
    paid = steps.filter(steps.cents > 0)
    last = ibis.least(periods.index(paid.until, period).fill_null(end), end)
    began = periods.index(paid.since, period)
    return paid.select(*by, "customer_id", "since", "until", began=began, last=last)


def _alike(paid: ir.Table, by: tuple[str, ...], end: int) -> ir.Table:
    in_time = {"group_by": "customer_id", "order_by": "since"}
    before, after = paid.last.lag().over(**in_time), paid.since.lead().over(**in_time)
    # The next that lasts to the end of a period: in between the customer may pay, and not be seen.
    lasting = ibis.ifelse(paid.last > paid.began, paid.began, ibis.null("int64"))
    seen = lasting.min().over(ibis.window(rows=(1, None), **in_time))
    each = paid.mutate(
        fresh=before.isnull() | (before < paid.began),
        left=(paid.last < end) & (seen.isnull() | (seen > paid.last)),
        stops=paid.until.notnull() & (after.isnull() | (after > paid.until)),
    )
    seconds = {
        "began_at": each.since.epoch_seconds().sum(),
        "over_at": each.until.epoch_seconds().sum().fill_null(0),
    }
    return each.group_by(*by, *_KINDS).aggregate(
        customers=each.count(), **{name: total.cast("int64") for name, total in seconds.items()}
    )


def _at_start(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> pd.DataFrame:
    found = _stretches(loaded, by, period, end)
    return attrition.each_period(attrition.counted(found.assign(first=found["began"] + 1), by), by, end)


def _at_start_or_later(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> pd.DataFrame:
    """A stretch counts from the period it begins in, where no earlier one of the customer does already."""
    found = _stretches(loaded, by, period, end)
    first = found["began"] + (~found["fresh"]).astype("int64")
    return attrition.each_period(attrition.counted(found.assign(first=first), by), by, end)


def _on_average(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> pd.DataFrame:
    """Those at a period's end are those at the next one's start: each change counts half, twice."""
    found = _stretches(loaded, by, period, end)
    at_start = attrition.counted(found.assign(first=found["began"] + 1), by)
    at_end = at_start.assign(period_index=at_start["period_index"] - 1, churned=0)
    both = pd.concat([at_start, at_end]).groupby(["period_index", *by], dropna=False, as_index=False).sum()
    dense = attrition.each_period(both, by, end)
    return dense.assign(customers=dense["customers"] / 2)


def _by_exposure(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> pd.DataFrame:
    """Time at risk from its changes: each counts for the rest of its own period, then for whole ones."""
    found = _stretches(loaded, by, period, end)
    number = found["customers"]
    begun = found.assign(period_index=found["began"], change=number, seconds=found["began_at"], churned=0)
    over = found.assign(
        period_index=found["last"], change=-number, seconds=-found["over_at"], churned=number * found["stops"]
    )
    changes = pd.concat([begun, over])
    changes = changes[changes["period_index"] < end]
    sums = changes.groupby(["period_index", *by], dropna=False, as_index=False)
    dense = periods.each_period(sums[["change", "seconds", "churned"]].sum(), by, end)
    starts, ends = (_seconds(dense["period_index"] + step, period) for step in (0, 1))
    before = periods.running_total(dense, "change", by) - dense["change"]
    rest = (dense["change"] * ends - dense["seconds"]) / (ends - starts)
    return dense.assign(customers=before + rest)


def _seconds(numbers: pd.Series, period: Period) -> pd.Series:
    return periods.starts(numbers, period).astype("int64") // 1_000_000


def _when_due(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> pd.DataFrame:
    return portions.added(loaded, lambda part: _due(part, by, period, end), (*by, "period_index"))


def _due(loaded: Loaded, by: tuple[str, ...], period: Period, end: int) -> ir.Table:
    rows = billing.paying(loaded).table
    rows = rows.filter(rows.ended_at.notnull())
    rows = rows.mutate(period_index=periods.index(rows.ended_at, period))
    rows = rows.filter(rows.period_index < end)
    of_one = ["customer_id", "period_index"]
    dated = rows.mutate(_latest=rows.ended_at.max().over(group_by=of_one))
    last = dated.filter(dated.ended_at == dated["_latest"]).drop("_latest")
    due = last.group_by(*of_one).aggregate(**{column: last[column].min() for column in by})
    paid = _paid(loaded, (), period, end)
    nothing = {column: ibis.null(due[column].type()) for column in by}
    until = {"is_due": ibis.literal(False), "at": paid.began, "last": paid["last"]}
    asked = {"is_due": ibis.literal(True), "at": due.period_index, "last": ibis.null("int64")}
    both = paid.select("customer_id", **nothing, **until).union(due.select("customer_id", *by, **asked))
    # Whoever is due pays on where a stretch that began by then lasts beyond. (A join would say the same, and
    # PostgreSQL, which cannot foresee how few rows each side has for a customer, would try all pairs.)
    in_time = ibis.cumulative_window(group_by="customer_id", order_by=["at", "is_due"])
    after = both.mutate(_reached=both["last"].max().over(in_time))
    after = after.filter(after.is_due)
    goes_on = (after["_reached"] > after["at"]).fill_null(False)
    counts = {"customers": after.count(), "churned": (~goes_on).cast("int64").sum()}
    return after.group_by(*by, period_index=after["at"]).aggregate(**counts)


BY_NAME: dict[str, Counting] = {
    "start": Counting(_at_start),
    "start_plus_new": Counting(_at_start_or_later),
    "average": Counting(_on_average, intervals.POISSON),
    "exposure": Counting(_by_exposure, intervals.POISSON),
    "due_for_renewal": Counting(_when_due),
}


def definition(name: str, period: Period, by: tuple[str, ...]) -> Phrase:
    """What a way of that name divides by what, and at which moment the value of `by` is taken."""
    unit = lengths.unit(period)
    return phrase(f"definition.churn_rates.{name}", unit=unit, by=tables.by_words(name, by))
