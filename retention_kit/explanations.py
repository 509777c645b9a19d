"""How was somebody else's figure made: every definition tried, those that print it, and the sentence.

Which definitions there are is the metrics' business (`churn.explain_figure` and its like); here is what
they share. A definition that was tried is a `Candidate`; words stay keys of the catalogue with their
values until a `Voice` says them, so that a report can say them in its own language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

import pandas as pd

from retention_kit import moments, periods
from retention_kit.exceptions import ParamsError
from retention_kit.figures import Printed
from retention_kit.lengths import Period
from retention_kit.phrases import Words
from retention_kit.sentences import Voice
from retention_kit.tables import Loaded

#: Groups of the last resort, named only where no definition of the whole prints the figure: single
#: cohorts, and the figure of another period.
COHORT, OTHER_PERIOD = "cohort", "other period"

_LAST = (COHORT, OTHER_PERIOD)
_NAMED = 4  # as many explanations as a sentence can hold
_DIGITS = 4  # as many as a percentage is shown with, however many were given
_KINDS = {"definition": "str", "group": "str", "numerator": "float64", "denominator": "float64"}
_KINDS |= {"value": "float64", "matches": "bool", "ours": "bool", "also": "str"}


@dataclass(frozen=True)
class Candidate:
    """One definition, tried: what it counts, and the words for it.

    Attributes
    ----------
    definition : str
        A short stable key, such as "lost / (start + new)".
    numerator, denominator : float
        The value is `scale` times the one over the other.
    phrase : Words
        What it counts, counts included.
    why : sequence of Words
        Sentences on how it differs from ours.
    ours : bool
        The definition that this package's own metric has.
    group : str
        What was changed: the "definition", a "policy"; or a last resort, `COHORT` or `OTHER_PERIOD`.
    unit : str
        What is counted. Two definitions by the same counts of the same unit are one.
    scale : int
        100 where values are points.
    period : str
        Which other period, of that group: its counts are never those of the period asked about.
    """

    definition: str
    numerator: float
    denominator: float
    phrase: Words
    why: Sequence[Words] = ()
    ours: bool = False
    group: str = "definition"
    unit: str = "customers"
    scale: int = 1
    period: str = ""

    @property
    def value(self) -> Decimal:
        with localcontext(prec=60):
            return self.scale * Decimal(str(self.numerator)) / Decimal(str(self.denominator))

    @property
    def counts(self) -> tuple:
        """What makes two definitions one."""
        return (self.period, self.unit, self.scale, float(self.numerator), float(self.denominator))


def explained(
    candidates: Sequence[Candidate],
    figure: Printed,
    *,
    asked: Words,
    nothing: Words,
    told: Mapping[str, Any],
) -> pd.DataFrame:
    """The frame of all that was tried: those that print the figure first.

    Parameters
    ----------
    candidates : sequence of Candidate
        The simplest first, ours before all. Those without a denominator are left out, and of several by
        the same counts the first stands for all (`also` names the rest).
    figure : Printed
    asked : Words
        What was asked; `figure` is filled in.
    nothing : Words
        What to say where nothing could be tried.
    told : mapping
        What the frame carries in `attrs`, from `Loaded.told`.

    Returns
    -------
    DataFrame
        One row a definition: `definition`, `group`, `numerator`, `denominator`, `value`, `matches`,
        `ours`, `also`. In `attrs`, besides `told`: `figure` and `sentence`, in English.
    """
    tried = _merged([each for each in candidates if each.denominator > 0])
    rows = [
        {
            "definition": first.definition,
            "group": first.group,
            "numerator": first.numerator,
            "denominator": first.denominator,
            "value": float(first.value),
            "matches": figure.is_print_of(first.value),
            "ours": first.ours,
            "also": "; ".join(each.definition for each in others if each.group == first.group),
        }
        for first, *others in tried
    ]
    frame = pd.DataFrame(rows, columns=list(_KINDS)).astype(_KINDS)
    frame = frame.sort_values("matches", ascending=False, kind="stable", ignore_index=True)
    known = {first.definition: {"phrase": first.phrase, "why": list(first.why)} for first, *_ in tried}
    say = {"asked": asked, "nothing": nothing, "definitions": known}
    say |= {"unit": figure.unit, "decimals": min(figure.decimals, _DIGITS)}
    frame.attrs = {**told, "figure": float(figure.value), "explained": say}
    frame.attrs["sentence"] = sentence(frame, Voice("en"))
    return frame


def month_over(month: Any, loaded: Loaded) -> int:
    """The index of the month a figure is said to be of.

    Raises
    ------
    ParamsError
        When it is no month, or not over by `as_of`.
    """
    number = period_given("month", month, "month")
    end = periods.first_incomplete(loaded, "month")
    if number >= end:
        until, last = moments.words(loaded.observed_until), periods.start_of(end - 1, "month")
        raise ParamsError(
            f"month {periods.start_of(number, 'month'):%Y-%m} was not observed to its end: the data go to "
            f"{until}. The last month that was is {last:%Y-%m}."
        )
    return number


def period_given(name: str, value: Any, period: Period) -> int:
    """The index of the period that a date given lies in.

    Raises
    ------
    ParamsError
        When it is no date.
    """
    try:
        moment = pd.Timestamp(value)
    except (ValueError, TypeError):
        moment = pd.NaT
    if pd.isna(moment) or moment.tzinfo is not None:
        raise ParamsError(f"{name} {value!r} is no date. Type one as {name}='2019-12'.")
    return periods.index_of(moment, period)


def sentence(frame: pd.DataFrame, voice: Voice) -> str:
    """What a frame of `explain_figure` says: which definitions print the figure, and what ours is.

    Parameters
    ----------
    frame : DataFrame
        From `churn.explain_figure`, `retention.explain_figure` or `nps.explain_figure`, with its attrs.
    voice : Voice

    Returns
    -------
    str
        With one explanation: what it is, ours, and why they differ. With several: all of them, and that
        the figure alone cannot decide. With none: that, and the nearest.
    """
    told = _Told.of(frame, voice)
    if not told.rows:
        return voice.said(told.say["nothing"])
    figure = voice.format(told.figure, f"{told.say['unit']}.{told.say['decimals']}")
    asked = voice.said({**told.say["asked"], "figure": figure})
    found = [row for row in told.rows if row["matches"]]
    here = [row for row in found if row["group"] not in _LAST]
    if len(here) == 1:
        return told.one(here[0], asked)
    if len(here) > 1:
        several = voice.say("explain.several", asked=asked, n=len(here), listed=told.listed(here))
        return several if any(row["ours"] for row in here) else f"{several} {told.ours()}"
    if found:
        return f"{voice.say('explain.elsewhere', asked=asked, listed=told.listed(found))} {told.ours()}"
    return f"{told.unexplained(asked)} {told.ours()}"


def as_text(frame: pd.DataFrame, voice: Voice) -> str:
    """For a terminal: the sentence, and below it a table of every definition that was tried.

    The first column marks those that print the figure.
    """
    told = _Told.of(frame, voice)
    if not told.rows:
        return sentence(frame, voice)
    rows = [
        (
            "=" if row["matches"] else "",
            f"{row['definition']} ({voice.say('explain.mark')})" if row["ours"] else row["definition"],
            voice.say("explain.counts", numerator=row["numerator"], denominator=row["denominator"]),
            told.value(row),
        )
        for row in told.rows
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        f"{mark:<{widths[0]}} {name:<{widths[1]}}  {counts:>{widths[2]}}  {value:>{widths[3]}}"
        for mark, name, counts, value in rows
    ]
    return "\n".join([sentence(frame, voice), "", *lines])


# ---------------------------------------------------------------------------------------------------


def _merged(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Those by the same counts together, the simplest first."""
    found: dict[tuple, list[Candidate]] = {}
    for each in candidates:
        found.setdefault(each.counts, []).append(each)
    return list(found.values())


@dataclass(frozen=True)
class _Told:
    """The rows of a frame and what its attrs say of them, apart: pandas copies attrs with every step."""

    rows: Sequence[Mapping[str, Any]]
    say: Words
    figure: float
    voice: Voice

    @classmethod
    def of(cls, frame: pd.DataFrame, voice: Voice) -> "_Told":
        # Not column by column: each would come with a deep copy of all attrs.
        rows = [dict(zip(frame.columns, row, strict=True)) for row in frame.to_numpy(dtype=object)]
        return cls(rows, frame.attrs["explained"], frame.attrs["figure"], voice)

    def one(self, row: Mapping[str, Any], asked: str) -> str:
        told = self.voice.say("explain.one", asked=asked, phrase=self.phrase(row))
        if row["ours"]:
            return f"{told} {self.voice.say('explain.agreed')}"
        why = self.say["definitions"][row["definition"]]["why"]
        return " ".join([told, self.ours(), *(self.voice.said(each) for each in why)])

    def unexplained(self, asked: str) -> str:
        """The nearest definition stands for all that were tried; it may be ours."""
        here = [row for row in self.rows if row["group"] not in _LAST]
        if not here:
            return self.voice.say("explain.none_here", asked=asked)
        nearest = min(here, key=lambda row: abs(row["value"] - self.figure))
        told = {"asked": asked, "tried": len(self.rows)}
        if nearest["ours"]:
            return self.voice.say("explain.none_nearer", **told)
        return self.voice.say("explain.none", **told, value=self.value(nearest), phrase=self.phrase(nearest))

    def ours(self) -> str:
        for row in self.rows:
            if row["ours"]:
                return self.voice.say("explain.ours", value=self.value(row), phrase=self.phrase(row))
        return self.voice.say("explain.ours_unknown")

    def listed(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """Explanations in one line; several are numbered, and the last few of many only counted."""
        if len(rows) == 1:
            return self.phrase(rows[0])
        said = []
        for number, row in enumerate(rows[:_NAMED], 1):
            key = "explain.item_ours" if row["ours"] else "explain.item"
            said.append(self.voice.say(key, number=number, phrase=self.phrase(row)))
        more = len(rows) - len(said)
        return "; ".join([*said, *([self.voice.say("explain.more", more=more)] if more else [])])

    def phrase(self, row: Mapping[str, Any]) -> str:
        return self.voice.said(self.say["definitions"][row["definition"]]["phrase"])

    def value(self, row: Mapping[str, Any]) -> str:
        """A tried value, to the digits of the figure, and one at least."""
        return self.voice.format(row["value"], f"{self.say['unit']}.{max(1, self.say['decimals'])}")
