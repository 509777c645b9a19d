"""Every way a churn figure of a month may have been made: what is divided by what, by which policy.

Below `churn`, whose own figure is the first of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import (
    billing,
    denominators,
    explanations,
    figures,
    periods,
    policies,
    portions,
    session,
)
from retention_kit.explanations import OTHER_PERIOD, Candidate
from retention_kit.moments import Date
from retention_kit.phrases import Words, words
from retention_kit.policies import Policy
from retention_kit.sentences import phrase
from retention_kit.tables import Loaded

_GAINS, _LOSSES = ("new", "reactivation", "expansion"), ("contraction", "churn")


@dataclass(frozen=True)
class Definition:
    """One count, or sum of counts, of a month over another; words are in the catalogue under their keys."""

    name: str
    key: str
    plus: tuple[str, ...]
    over: str
    minus: tuple[str, ...] = ()
    unit: str = "customers"
    why: tuple[str, ...] | None = None

    def candidate(self, counts: Mapping[str, float]) -> Candidate:
        unit = 100 if self.unit == "money" else 1  # cents add up exactly
        more, less = (sum(counts[name] for name in names) for names in (self.plus, self.minus))
        numerator, denominator = _plain((more - less) / unit), _plain(counts[self.over] / unit)
        said = words(f"explain.churn.{self.key}")
        phrase = words("explain.counted", numerator=numerator, denominator=denominator, definition=said)
        reasons = (self.key,) if self.why is None else self.why
        why = tuple(words(f"explain.churn_why.{key}", **counts) for key in reasons)
        return Candidate(self.name, numerator, denominator, phrase, why, unit=self.unit)


#: The simplest first, and ours before all. `lost` no longer pay when the month is over; `stops` are all ends
#: of paying inside it, also of those who joined in it and of those who came back.
DEFINITIONS = (
    Definition("lost / start", "start", ("lost",), "start", why=()),
    Definition("lost / (start + new)", "start_plus_new", ("lost_or_new",), "start_plus_new"),
    Definition("lost / average", "average", ("lost",), "average"),
    Definition("lost / end", "end", ("lost",), "end"),
    Definition("churned MRR / begin", "churned", ("churn",), "begin", unit="money"),
    Definition("(churned + contraction) / begin", "gross", _LOSSES, "begin", unit="money"),
    Definition(
        "(churned + contraction - expansion - reactivation) / begin",
        "net",
        _LOSSES,
        "begin",
        ("expansion", "reactivation"),
        "money",
    ),
    Definition(
        "(churned + contraction - expansion) / begin",
        "net_of_expansion",
        _LOSSES,
        "begin",
        ("expansion",),
        "money",
    ),
    Definition("stops / customer-months", "exposure", ("stops",), "exposure"),
    Definition("lost / due for renewal", "due_for_renewal", ("lost_due",), "due"),
    Definition("stops / start", "stops", ("stops",), "start"),
    Definition("stops / average", "stops_average", ("stops",), "average", why=("stops", "average")),
    Definition("stops / end", "stops_end", ("stops",), "end", why=("stops", "end")),
    Definition("subscriptions ended / at start", "rows", ("rows_ended",), "rows_start"),
)


def explained(loaded: Loaded, figure: float | str, month: Date) -> pd.DataFrame:
    """The frame of `churn.explain_figure`."""
    given = figures.read(figure, "share", name="churn")
    number = explanations.month_over(month, loaded)
    of = {"month": f"{periods.start_of(number, 'month'):%Y-%m-%d}"}
    told = loaded.told(phrase("definition.explain_churn"))
    return explanations.explained(
        candidates(loaded, number),
        given,
        asked=words("explain.asked.churn", **of),
        nothing=words("explain.nothing.churn", **of),
        told={**told, "month": of["month"][:7]},
    )


def candidates(loaded: Loaded, month: int) -> list[Candidate]:
    """All that is tried for a month (its index): the definitions, by other policies, of the months beside it.

    Every policy's reading of the subscriptions stands in one table, and all are counted together. One
    that changes no count of any month is not tried.
    """
    readings = list(_readings(loaded))
    months = counted(_together(loaded, readings), periods.first_incomplete(loaded, "month"), ("reading",))
    ours, *others = (_by_reading(months, reading) for reading in readings)
    found = [replace(each, ours=each.definition == DEFINITIONS[0].name) for each in _of(ours, month)]
    for reading, theirs in zip(readings[1:], others, strict=True):
        if not theirs.equals(ours[theirs.columns]):
            found += [_by_policy(each, reading) for each in _of(theirs, month)]
    for other in (month - 1, month + 1):
        found += [_elsewhere(each, other) for each in _of(ours, other)]
    return found


def counted(loaded: Loaded, end: int, by: tuple[str, ...] = ()) -> pd.DataFrame:
    """One row a complete month, by its index (and value of `by`), and one column a count of a definition.

    Money is there where the subscriptions have `mrr`, in cents.
    """
    keys = [*by, "period_index"]
    parts = [_rows(loaded, end, by).set_index(keys)]
    for name, ours in _DENOMINATORS.items():
        counts = denominators.BY_NAME[name].count(loaded, by, "month", end).set_index(keys)
        parts.append(counts[list(ours)].rename(columns=ours))
    if "mrr" in loaded.table.columns:
        parts.append(_money(loaded, end, by).set_index(keys))
    months = pd.concat(parts, axis=1).sort_index().fillna(0)
    months = months.loc[:, ~months.columns.duplicated()]
    months["end"] = 2 * months["average"] - months["start"]
    months["new_customers"] = months["start_plus_new"] - months["start"]
    return months


# ---------------------------------------------------------------------------------------------------

#: What the frames of `denominators` count, by the names it has here: who was lost, and of whom.
_DENOMINATORS = {
    "start": {"churned": "lost", "customers": "start"},
    "start_plus_new": {"churned": "lost_or_new", "customers": "start_plus_new"},
    "average": {"churned": "lost", "customers": "average"},
    "exposure": {"churned": "stops", "customers": "exposure"},
    "due_for_renewal": {"churned": "lost_due", "customers": "due"},
}


@dataclass(frozen=True)
class _Reading:
    """The subscriptions as one policy reads them; `priced`, whether it says what is paid."""

    name: str
    said: Words
    table: ir.Table
    priced: bool = True


def _readings(loaded: Loaded) -> Iterator[_Reading]:
    """The house's reading, and that of each policy that the columns can tell from it."""
    has = set(loaded.table.columns)
    house = policies.applied(loaded).table
    yield _Reading("", {}, house)
    tried = [("same_month=ignored", "same_month", Policy(same_month="ignored"), {})]
    for days in (30, 90):
        policy = Policy(reactivation_days=days)
        tried.append((f"reactivation_days={days}", "reactivation_days", policy, {"days": days}))
    if "cancelled_at" in has:
        tried.append(("churn_date=cancel", "churn_date", Policy(churn_date="cancel"), {}))
    if "paused" in has:
        tried.append(("pauses=kept", "pauses", Policy(pauses="kept"), {}))
    if {"mrr", "discount"} <= has:
        tried.append(("discounts=gross", "discounts", Policy(discounts="gross"), {}))
    for name, key, policy, values in tried:
        yield _Reading(name, words(key, **values), policies.applied(loaded, policy).table)
    if "mrr" in has:
        yield _Reading("free=counted", words("free"), house.mutate(mrr=ibis.literal(1.0)), priced=False)


def _together(loaded: Loaded, readings: Sequence[_Reading]) -> Loaded:
    """All readings in one table, each with customers of its own: it takes as many questions as one does."""
    house = readings[0].table
    columns = [name for name in ("started_at", "ended_at", "mrr") if name in house.columns]
    parts = [
        each.table.select(
            reading=ibis.literal(each.name),
            customer_id=ibis.literal(f"{each.name}:") + each.table.customer_id,
            **{name: each.table[name].cast(house[name].type()) for name in columns},
        )
        for each in readings
    ]
    return replace(loaded, table=session.stored(ibis.union(*parts), loaded.kind))


def _by_reading(months: pd.DataFrame, reading: _Reading) -> pd.DataFrame:
    known = reading.name in months.index.get_level_values("reading")
    found = months.xs(reading.name, level="reading") if known else months.iloc[:0].droplevel("reading")
    return found if reading.priced else found.drop(columns=[*_GAINS, *_LOSSES, "begin"])


def _rows(loaded: Loaded, end: int, by: tuple[str, ...]) -> pd.DataFrame:
    """Subscriptions running when each month begins, and those that end in it."""
    rows = billing.paying(loaded).table
    first, last = (periods.index(moment, "month") for moment in (rows.started_at, rows.ended_at))
    alike = rows.group_by(*by, first=first, last=last.fill_null(end)).aggregate(rows=rows.count())
    found = alike.to_pandas()
    changes = [
        found.assign(period_index=found["first"], change=found["rows"], rows_ended=0),
        found.assign(period_index=found["last"], change=-found["rows"], rows_ended=found["rows"]),
    ]
    summed = pd.concat(changes).groupby([*by, "period_index"], as_index=False)[["change", "rows_ended"]].sum()
    months = periods.each_period(summed, by, end)
    months["rows_start"] = periods.running_total(months, "change", by) - months["change"]
    return months.drop(columns="change")


def _money(loaded: Loaded, end: int, by: tuple[str, ...]) -> pd.DataFrame:
    def moved(part: Loaded) -> ir.Table:
        moves = billing.classified(billing.levels(part, by), by)
        return billing.by_period(moves, (*_GAINS, *_LOSSES), by, "month", end)

    months = periods.each_period(portions.added(loaded, moved, (*by, "period_index")), by, end)
    months["change"] = months[list(_GAINS)].sum(axis=1) - months[list(_LOSSES)].sum(axis=1)
    months["begin"] = periods.running_total(months, "change", by) - months["change"]
    return months.drop(columns="change")


def _of(months: pd.DataFrame, month: int) -> list[Candidate]:
    """Every definition of one month, those of money where there is any."""
    if month not in months.index:
        return []
    counts = {str(name): _plain(value) for name, value in months.loc[month].items()}
    known = [each for each in DEFINITIONS if each.unit != "money" or "begin" in counts]
    return [each.candidate(counts) for each in known]


def _plain(value: float) -> float:
    return int(value) if value == int(value) else float(value)


def _by_policy(each: Candidate, policy: _Reading) -> Candidate:
    def said(block: str) -> Words:
        return {**policy.said, "say": f"explain.{block}.{policy.said['say']}"}

    phrase = words("explain.by_policy", phrase=each.phrase, policy=said("policy"))
    why = (*each.why, said("policy_why"))
    name = f"{each.definition}, {policy.name}"
    return replace(each, definition=name, phrase=phrase, why=why, group="policy")


def _elsewhere(each: Candidate, month: int) -> Candidate:
    start = f"{periods.start_of(month, 'month'):%Y-%m-%d}"
    phrase = words("explain.of_month", phrase=each.phrase, month=start)
    name = f"{each.definition}, {start[:7]}"
    return replace(each, definition=name, phrase=phrase, why=(), group=OTHER_PERIOD, period=start)
