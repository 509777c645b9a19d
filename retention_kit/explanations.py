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
from retention_kit.periods import Period
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
    say = frame.attrs["explained"]
    figure = voice.format(frame.attrs["figure"], f"{say['unit']}.{say['decimals']}")
    asked = voice.said({**say["asked"], "figure": figure})
    if frame.empty:
        return voice.said(say["nothing"])
    found = frame[frame["matches"]]
    here = found[~found["group"].isin(_LAST)]
    if len(here) == 1:
        return _one(frame, here.iloc[0], asked, voice)
    if len(here) > 1:
        told = voice.say("explain.several", asked=asked, n=len(here), listed=_listed(frame, here, voice))
        return told if here["ours"].any() else f"{told} {_ours(frame, voice)}"
    if len(found):
        told = voice.say("explain.elsewhere", asked=asked, listed=_listed(frame, found, voice))
    else:
        told = _unexplained(frame, asked, voice)
    return f"{told} {_ours(frame, voice)}"


def as_text(frame: pd.DataFrame, voice: Voice) -> str:
    """For a terminal: the sentence, and below it a table of every definition that was tried.

    The first column marks those that print the figure.
    """
    if frame.empty:
        return sentence(frame, voice)
    rows = [
        (
            "=" if row.matches else "",
            f"{row.definition} ({voice.say('explain.mark')})" if row.ours else row.definition,
            voice.say("explain.counts", numerator=row.numerator, denominator=row.denominator),
            _value(frame, row.value, voice),
        )
        for row in frame.itertuples()
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


def _one(frame: pd.DataFrame, row: pd.Series, asked: str, voice: Voice) -> str:
    told = voice.say("explain.one", asked=asked, phrase=_phrase(frame, row, voice))
    if row["ours"]:
        return f"{told} {voice.say('explain.agreed')}"
    why = frame.attrs["explained"]["definitions"][row["definition"]]["why"]
    return " ".join([told, _ours(frame, voice), *(voice.said(each) for each in why)])


def _unexplained(frame: pd.DataFrame, asked: str, voice: Voice) -> str:
    """The nearest definition stands for all that were tried; it may be ours."""
    here = frame[~frame["group"].isin(_LAST)]
    apart = (here["value"] - frame.attrs["figure"]).abs()
    if here.empty:
        return voice.say("explain.none_here", asked=asked)
    nearest = here.loc[apart.idxmin()]
    told = {"asked": asked, "tried": len(frame), "value": _value(frame, nearest["value"], voice)}
    if nearest["ours"]:
        return voice.say("explain.none_nearer", asked=asked, tried=len(frame))
    return voice.say("explain.none", **told, phrase=_phrase(frame, nearest, voice))


def _ours(frame: pd.DataFrame, voice: Voice) -> str:
    ours = frame[frame["ours"]]
    if ours.empty:
        return voice.say("explain.ours_unknown")
    row = ours.iloc[0]
    value = _value(frame, row["value"], voice)
    return voice.say("explain.ours", value=value, phrase=_phrase(frame, row, voice))


def _listed(frame: pd.DataFrame, rows: pd.DataFrame, voice: Voice) -> str:
    """Explanations in one line; several are numbered, and the last few of many only counted."""
    if len(rows) == 1:
        return _phrase(frame, rows.iloc[0], voice)
    said = []
    for number, (_, row) in enumerate(rows.head(_NAMED).iterrows(), 1):
        key = "explain.item_ours" if row["ours"] else "explain.item"
        said.append(voice.say(key, number=number, phrase=_phrase(frame, row, voice)))
    more = len(rows) - len(said)
    return "; ".join([*said, *([voice.say("explain.more", more=more)] if more else [])])


def _phrase(frame: pd.DataFrame, row: pd.Series, voice: Voice) -> str:
    return voice.said(frame.attrs["explained"]["definitions"][row["definition"]]["phrase"])


def _value(frame: pd.DataFrame, value: float, voice: Voice) -> str:
    """A tried value, to the digits of the figure, and one at least."""
    say = frame.attrs["explained"]
    return voice.format(value, f"{say['unit']}.{max(1, say['decimals'])}")
