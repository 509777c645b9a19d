"""Every way a churn figure of a month may have been made: what is divided by what, by which policy.

Below `churn`, whose own figure is the first of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from retention_kit import billing, denominators, explanations, figures, periods, policies, session
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

    A policy that changes nothing here is not tried.
    """
    end = periods.first_incomplete(loaded, "month")
    house = _stored(policies.applied(loaded))
    ours = counted(house, end)
    found = [replace(each, ours=each.definition == DEFINITIONS[0].name) for each in _of(ours, month)]
    for name, policy, changed in _policies(loaded, house):
        found += [_by_policy(each, name, policy) for each in _of(counted(changed, end), month)]
    for other in (month - 1, month + 1):
        found += [_elsewhere(each, other) for each in _of(ours, other)]
    return found


def counted(loaded: Loaded, end: int) -> pd.DataFrame:
    """One row a complete month, by its index, and one column a count that a definition may need.

    Money is there where the subscriptions have `mrr`, in cents.
    """
    parts = [_rows(loaded, end)]
    for name, ours in _DENOMINATORS.items():
        counts = denominators.BY_NAME[name].count(loaded, (), "month", end).set_index("period_index")
        parts.append(counts[list(ours)].rename(columns=ours))
    if "mrr" in loaded.table.columns:
        parts.append(_money(loaded, end))
    months = pd.concat(parts, axis=1).sort_index().fillna(0)
    months = months.loc[:, ~months.columns.duplicated()]
    months["end"] = 2 * months["average"] - months["start"]
    months["new_customers"] = months["start_plus_new"] - months["start"]
    return months


# ---------------------------------------------------------------------------------------------------

_COLUMNS = ("customer_id", "started_at", "ended_at", "mrr")

#: What the frames of `denominators` count, by the names it has here: who was lost, and of whom.
_DENOMINATORS = {
    "start": {"churned": "lost", "customers": "start"},
    "start_plus_new": {"churned": "lost_or_new", "customers": "start_plus_new"},
    "average": {"churned": "lost", "customers": "average"},
    "exposure": {"churned": "stops", "customers": "exposure"},
    "due_for_renewal": {"churned": "lost_due", "customers": "due"},
}


def _stored(loaded: Loaded) -> Loaded:
    """With the columns that are counted, written down: seven questions follow, and a policy is many joins."""
    columns = [name for name in _COLUMNS if name in loaded.table.columns]
    return replace(loaded, table=session.stored(loaded.table.select(*columns), loaded.kind))


def _rows(loaded: Loaded, end: int) -> pd.DataFrame:
    """Subscriptions running when each month begins, and those that end in it."""
    rows = billing.paying(loaded).table
    first, last = (periods.index(moment, "month") for moment in (rows.started_at, rows.ended_at))
    found = rows.group_by(first=first, last=last.fill_null(end)).aggregate(rows=rows.count()).to_pandas()
    months = pd.RangeIndex(found["first"].min() if len(found) else end, end, name="period_index")
    began = found.groupby("first")["rows"].sum().reindex(months, fill_value=0)
    ended = found.groupby("last")["rows"].sum().reindex(months, fill_value=0)
    return pd.DataFrame({"rows_start": (began - ended).cumsum().shift(fill_value=0), "rows_ended": ended})


def _money(loaded: Loaded, end: int) -> pd.DataFrame:
    moves = billing.movements(loaded)
    moves = moves.mutate(period_index=periods.index(moves.since, "month"))
    moves = moves.filter(moves.period_index < end)
    sums = {name: moves[name].sum().cast("int64") for name in (*_GAINS, *_LOSSES)}
    summed = moves.group_by("period_index").aggregate(**sums).to_pandas()
    months = periods.each_period(summed, (), end).set_index("period_index")
    change = months[list(_GAINS)].sum(axis=1) - months[list(_LOSSES)].sum(axis=1)
    months["begin"] = change.cumsum().shift(fill_value=0)
    return months


def _of(months: pd.DataFrame, month: int) -> list[Candidate]:
    """Every definition of one month, those of money where there is any."""
    if month not in months.index:
        return []
    counts = {str(name): _plain(value) for name, value in months.loc[month].items()}
    known = [each for each in DEFINITIONS if each.unit != "money" or "begin" in counts]
    return [each.candidate(counts) for each in known]


def _plain(value: float) -> float:
    return int(value) if value == int(value) else float(value)


def _policies(loaded: Loaded, house: Loaded) -> Iterator[tuple[str, Words, Loaded]]:
    """Each policy that the data can tell from the house's: its name, its words, the subscriptions by it."""
    has = set(loaded.table.columns)
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
        changed = _stored(policies.applied(loaded, policy))
        if _differ(changed, house):
            yield name, words(key, **values), changed
    if "mrr" in has and house.table.filter(house.table.mrr == 0).count().execute():
        yield "free=counted", words("free"), replace(house, table=house.table.drop("mrr"))


def _differ(changed: Loaded, house: Loaded) -> bool:
    """Whether a policy, which drops rows and changes some, did either."""
    ours, theirs = house.table, changed.table.cast(house.table.schema())
    if ours.count().execute() != theirs.count().execute():
        return True
    return bool(theirs.difference(ours).count().execute())


def _by_policy(each: Candidate, name: str, policy: Words) -> Candidate:
    def said(block: str) -> Words:
        return {**policy, "say": f"explain.{block}.{policy['say']}"}

    phrase = words("explain.by_policy", phrase=each.phrase, policy=said("policy"))
    why = (*each.why, said("policy_why"))
    return replace(each, definition=f"{each.definition}, {name}", phrase=phrase, why=why, group="policy")


def _elsewhere(each: Candidate, month: int) -> Candidate:
    start = f"{periods.start_of(month, 'month'):%Y-%m-%d}"
    phrase = words("explain.of_month", phrase=each.phrase, month=start)
    name = f"{each.definition}, {start[:7]}"
    return replace(each, definition=name, phrase=phrase, why=(), group=OTHER_PERIOD, period=start)
