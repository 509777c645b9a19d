"""Every way a retention figure at an age may have been made: who is counted, in which windows, averaged how.

Below `retention`, whose own average is the first of them.
"""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from retention_kit import explanations, figures, lengths, periods, windows
from retention_kit.exceptions import ParamsError
from retention_kit.explanations import COHORT, OTHER_PERIOD, Candidate
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.phrases import Words, words
from retention_kit.sentences import phrase
from retention_kit.sequences import Part
from retention_kit.tables import Loaded
from retention_kit.windows import Window, Windows

_WINDOWS: tuple[Window, ...] = ("calendar", "elapsed_days", "elapsed")
_MEASURES = ("on", "on_or_after")
_OURS = {"measure": "on", "window": "calendar", "cells": "complete", "average": "pooled"}
# How far a window has come: the customer's own (or the cohort's, by the calendar), and the whole cohort's.
_NOT_BEGUN, _RUNNING, _OVER = 0, 1, 2


def explained(
    loaded: Loaded, figure: float | str, *, age: int, cohort: Date | None, period: Period
) -> pd.DataFrame:
    """The frame of `retention.explain_figure`."""
    given = figures.read(figure, "share", name="retention")
    if isinstance(age, bool) or not isinstance(age, Integral) or age < 1:
        raise ParamsError(f"age {age!r} is no whole number from 1 on. Type age=1 for the first after.")
    of: Words = {"unit": lengths.unit(period), "age": int(age)}
    asked, number = words("explain.asked.retention", **of), None
    if cohort is not None:
        number = explanations.period_given("cohort", cohort, period)
        asked = words("explain.asked.cohort", **of, cohort=_day(number, period))
    told = loaded.told(phrase("definition.explain_retention"))
    return explanations.explained(
        candidates(loaded, int(age), period=period, cohort=number),
        given,
        asked=asked,
        nothing=words("explain.nothing.retention", **of),
        told={**told, "age": int(age), "period": period},
    )


def candidates(loaded: Loaded, age: int, *, period: Period, cohort: int | None = None) -> list[Candidate]:
    """All that is tried for an age: ours, the other definitions, single cohorts, and the ages beside it.

    With `cohort` (the index of its period), of that cohort alone.
    """
    found: list[Candidate] = []
    for window in _WINDOWS:
        how = Windows(period, window=window, denominator="eligible")
        counts = _counted(loaded, how, age)
        if cohort is not None:
            counts = counts[counts["cohort_index"] == cohort]
        found += _averages(counts, how, age)
        if window == "calendar":
            singles = [] if cohort is not None else list(_single_cohorts(counts, how, age))
            singles += _beside(counts, how, age)
    # The fewer departures from ours, the simpler, and the sort keeps the order otherwise.
    return [*sorted(found, key=lambda each: len(each.why)), *singles]


# ---------------------------------------------------------------------------------------------------


def _counted(loaded: Loaded, how: Windows, age: int) -> pd.DataFrame:
    """One row a cohort and state of the window at `age`: `customers`, and who was active when.

    `on`, `on_or_after` at that age; `earlier`, `later` at the ages beside it; `whole`, whether the window
    is over for every customer the cohort can have; `ended`, how many are.
    """
    counts = (
        _of_parts(loaded, how, age) if loaded.in_order is not None else _of_each_customer(loaded, how, age)
    )
    counts["ended"] = windows.ended(counts["cohort_index"], loaded, how)
    counts["whole"] = counts["ended"] > age
    over = counts["own_ended" if how.by_customer else "ended"]
    counts["state"] = (over > age).astype("int64") + (over >= age)
    if not how.by_customer:
        # A period that nothing has been seen of, not even a day, has not begun.
        begins = periods.starts(counts["cohort_index"] + age, how.period)
        counts.loc[begins >= loaded.observed_until, "state"] = _NOT_BEGUN
    return counts.sort_values("cohort_index", ignore_index=True)


def _of_each_customer(loaded: Loaded, how: Windows, age: int) -> pd.DataFrame:
    """By cohort (and how many of a customer's own windows are over): customers, and who was active when."""
    aged = windows.ages(loaded, how)
    own = {"own_ended": aged._ended} if how.by_customer else {}
    keys = {"cohort_index": aged._cohort, **own}
    once = {name: true.any() for name, true in _active(aged.age, age).items()}
    customers = aged.group_by("customer_id", **keys).aggregate(**once)
    sums = {name: customers[name].sum().cast("int64") for name in once}
    return customers.group_by(*keys).aggregate(customers=customers.count(), **sums).to_pandas()


def _of_parts(loaded: Loaded, how: Windows, age: int) -> pd.DataFrame:
    """The same of rows that are laid out: a customer's ages stand together, so nobody has to be found."""
    keys = ["cohort_index", *(["own_ended"] if how.by_customer else [])]

    def of_part(part: Part) -> pd.DataFrame:
        aged = windows.ages_in_order(part, how)
        active = {
            name: np.logical_or.reduceat(true, part.starts).astype("int64")
            for name, true in _active(aged, age).items()
        }
        frame = pd.DataFrame({"cohort_index": periods.of_days(part.days[part.starts], how.period)} | active)
        if how.by_customer:
            frame["own_ended"] = windows.ended_in_order(part, loaded.observed_until, how)
        return frame.assign(customers=1).groupby(keys, as_index=False).sum()

    return loaded.in_order.added(of_part, keys)


def _active(aged: Any, age: int) -> dict[str, Any]:
    """At which rows a customer counts as active, by what is meant; of a column or of an array of ages."""
    active = {"on": aged == age, "on_or_after": aged >= age}
    return active | {"earlier": aged == age - 1, "later": aged == age + 1}


def _averages(counts: pd.DataFrame, how: Windows, age: int) -> Iterator[Candidate]:
    kept = {
        "complete": counts["whole"],
        "eligible": counts["state"] == _OVER,
        "running": counts["state"] >= _RUNNING,
        "everyone": counts["state"] >= _NOT_BEGUN,
    }
    if not how.by_customer:
        kept.pop("eligible")  # by the calendar, that is the same
    for cells, rows in kept.items():
        for measure in _MEASURES:
            for average in ("pooled", "simple"):
                yield _average(counts[rows], how, age, (measure, how.window, cells, average))


def _average(rows: pd.DataFrame, how: Windows, age: int, kind: tuple[str, str, str, str]) -> Candidate:
    measure, window, cells, average = kind
    cohorts = rows.groupby("cohort_index")[["customers", measure]].sum()
    simple = average == "simple" and len(cohorts) > 1  # the mean of one cohort is that cohort
    if simple:
        numerator, denominator = float((cohorts[measure] / cohorts["customers"]).sum()), len(cohorts)
    else:
        numerator, denominator = int(cohorts[measure].sum()), int(cohorts["customers"].sum())
    at = _at(how, age)
    phrase = words(
        f"explain.retention.{'simple' if simple else 'pooled'}",
        numerator=numerator,
        denominator=denominator,
        measure=words(f"explain.measure.{measure}", **at),
        window=words(f"explain.window.{window}", **at),
        cells=words(f"explain.cells.{cells}", **at),
    )
    young = int(rows.loc[~rows["whole"], "customers"].sum())
    differs = [(name, chosen) for name, chosen in zip(_OURS, kind, strict=True) if chosen != _OURS[name]]
    why = [words(f"explain.{name}_why.{chosen}", **at, young=young) for name, chosen in differs]
    unit = "rates" if simple else "customers"
    return Candidate(", ".join(kind), numerator, denominator, phrase, why, ours=not differs, unit=unit)


def _single_cohorts(counts: pd.DataFrame, how: Windows, age: int) -> Iterator[Candidate]:
    for row in counts[counts["state"] >= _RUNNING].itertuples():
        start = _day(row.cohort_index, how.period)
        for measure in _MEASURES:
            retained = getattr(row, measure)
            said = words(f"explain.measure.{measure}", **_at(how, age))
            phrase = words(
                "explain.retention.cohort",
                numerator=retained,
                denominator=row.customers,
                measure=said,
                cohort=start,
            )
            name = f"{measure}, cohort {start}"
            yield Candidate(name, retained, row.customers, phrase, group=COHORT)


def _beside(counts: pd.DataFrame, how: Windows, age: int) -> Iterator[Candidate]:
    """Our own average at the ages before and after: some count the first period as number 1."""
    for other, active in ((age - 1, "earlier"), (age + 1, "later")):
        rows = counts[counts["ended"] > other]
        if other < 0:
            continue
        phrase = words(
            "explain.retention.pooled",
            numerator=(retained := int(rows[active].sum())),
            denominator=(customers := int(rows["customers"].sum())),
            measure=words("explain.measure.on", **_at(how, other)),
            window=words("explain.window.calendar"),
            cells=words("explain.cells.complete", **_at(how, other)),
        )
        name = f"age {other}"
        yield Candidate(name, retained, customers, phrase, group=OTHER_PERIOD, period=name)


def _day(number: int, period: Period) -> str:
    return f"{periods.start_of(number, period):%Y-%m-%d}"


def _at(how: Windows, age: int) -> Words:
    return {"unit": lengths.unit(how.period), "age": age, "days": how.days}
