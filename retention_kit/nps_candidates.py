"""Every way a Net Promoter Score may have been made: which bands, out of whom, which answers.

Below `nps`, whose own score is the first of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

import ibis.expr.types as ir
import pandas as pd

from retention_kit import answers, explanations, figures
from retention_kit.explanations import Candidate
from retention_kit.phrases import words
from retention_kit.scales import Scale
from retention_kit.sentences import phrase
from retention_kit.tables import Loaded

_BLANK = "no answer"  # the rule under which the door sets a blank score aside


@dataclass(frozen=True)
class _Scores:
    """How many gave each score, and how many gave none."""

    by_score: dict[int, int]
    blanks: int

    @property
    def answers(self) -> int:
        return sum(self.by_score.values())

    @property
    def total(self) -> int:
        return sum(score * times for score, times in self.by_score.items())

    def at_least(self, lowest: int) -> int:
        return sum(times for score, times in self.by_score.items() if score >= lowest)

    def at_most(self, highest: int) -> int:
        return self.answers - self.at_least(highest + 1)


def explained(loaded: Loaded, figure: float | str, scale: Scale) -> pd.DataFrame:
    """The frame of `nps.explain_figure`."""
    return explanations.explained(
        candidates(loaded, scale),
        figures.read(figure, "nps", name="nps"),
        asked=words("explain.asked.nps"),
        nothing=words("explain.nothing.nps"),
        told=loaded.told(phrase("definition.explain_nps")),
    )


def candidates(loaded: Loaded, scale: Scale) -> list[Candidate]:
    """All that is tried: of all answers, then of each customer's latest one where that can be told."""
    aside = dict(zip(loaded.checks["rule"], loaded.checks["rows"], strict=True))
    everybody = _Scores(_by_score(loaded.table), int(aside.get(_BLANK, 0)))
    first, *others = _of(everybody, scale)
    found = [replace(first, ours=True, why=()), *others]
    if {"customer_id", "responded_at"} <= set(loaded.table.columns):
        latest = answers.select_answers(loaded, scale=scale, duplicates="latest").table
        found += [_of_latest(each) for each in _of(_Scores(_by_score(latest), 0), scale)]
    return found


# ---------------------------------------------------------------------------------------------------


def _by_score(table: ir.Table) -> dict[int, int]:
    found = table.group_by("score").aggregate(times=table.count()).to_pandas()
    return {int(score): int(times) for score, times in zip(found["score"], found["times"], strict=True)}


def _of(scores: _Scores, scale: Scale) -> Iterator[Candidate]:
    ours = scale.promoters_from, scale.passives_from - 1
    for high, low in _bands(*ours, scale.lowest):
        yield from _less(scores, high, low, scale)
    n, promoters = scores.answers, scores.at_least(ours[0])
    share = {"promoters": promoters, "answers": n}
    why = (words("explain.nps_why.promoters"),)
    yield Candidate(
        "promoters / answers", promoters, n, words("explain.nps.promoters", **share), why, scale=100
    )
    if not scale.usual:
        return  # ten times the mean is a score of 0 to 10 that was taken for one of 100
    mean = words("explain.nps.mean", answers=n, mean=scores.total / n if n else 0.0)
    why = (words("explain.nps_why.mean"),)
    yield Candidate("mean score x 10", scores.total, n, mean, why, unit="scores", scale=10)


def _bands(high: int, low: int, lowest: int) -> list[tuple[int, int]]:
    """From which score on a promoter, up to which one a detractor: ours, then what is often taken for it."""
    often = ((high, low), (high - 1, low), (high, low - 1), (high - 1, low - 1))
    return [(up, down) for up, down in often if up > down >= lowest]


def _less(scores: _Scores, high: int, low: int, scale: Scale) -> Iterator[Candidate]:
    """Promoters less detractors by one pair of bands, out of three."""
    ours = {"high": scale.promoters_from, "low": scale.passives_from - 1}
    promoters, detractors, answers = scores.at_least(high), scores.at_most(low), scores.answers
    bands = {"promoters": promoters, "detractors": detractors, "high": high, "low": low}
    banded = () if {"high": high, "low": low} == ours else (words("explain.nps_why.bands", **ours),)
    span = f"{high}-{scale.highest} less {0 if scale.usual else scale.lowest}-{low}"
    for base, n in {
        "answers": answers,
        "no_passives": promoters + detractors,
        "blanks": answers + scores.blanks,
    }.items():
        based = () if base == "answers" else (words(f"explain.nps_why.{base}", blanks=scores.blanks),)
        said = words("explain.nps.less", **bands, base=words(f"explain.nps.base_{base}", n=n))
        name = f"{span} / {base.replace('_', ' ')}"
        yield Candidate(name, promoters - detractors, n, said, (*banded, *based), scale=100)
    yield from _rounded_first(bands, answers, banded, span)


def _rounded_first(bands: dict[str, int], answers: int, why: tuple, span: str) -> Iterator[Candidate]:
    """The difference of two shares that were rounded to whole percent, where that is not the same."""
    if not answers:
        return
    whole = Decimal(1)
    shares = [Decimal(100 * bands[name]) / answers for name in ("promoters", "detractors")]
    more, less = (int(share.quantize(whole, rounding=ROUND_HALF_UP)) for share in shares)
    if more - less == int((shares[0] - shares[1]).quantize(whole, rounding=ROUND_HALF_UP)):
        return
    said = words("explain.nps.rounded", **bands, more=more / 100, less=less / 100)
    name = f"{span} / answers, shares rounded first"
    because = (*why, words("explain.nps_why.rounded"))
    yield Candidate(name, more - less, 100, said, because, unit="percent", scale=100)


def _of_latest(each: Candidate) -> Candidate:
    phrase = words("explain.nps.latest", phrase=each.phrase)
    why = (*each.why, words("explain.nps_why.latest"))
    name = f"{each.definition}, latest a customer"
    return replace(each, definition=name, phrase=phrase, why=why, group="policy")
