"""How a question of recommendation was asked: the scale, its bands, and what becomes of any other score."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import ibis
import ibis.expr.types as ir

from retention_kit.exceptions import ParamsError, did_you_mean
from retention_kit.phrases import Phrase
from retention_kit.sentences import phrase

OutOfRange = Literal["refuse", "set_aside"]

#: From best to worst, as results name them.
BANDS = ("promoters", "passives", "detractors")

_WHOLE = ("lowest", "highest", "promoters_from", "passives_from")
_ENTRY = re.compile(r"\s*([a-z_]+)\s*[:=\s]\s*(-?\d+)\s*")


@dataclass(frozen=True)
class Scale:
    """The lowest and highest score that could be given, and from which score on each band begins.

    Nothing of it is guessed: a scale from 1 to 5 has no promoters until somebody says who they are.

    Parameters
    ----------
    lowest, highest : int
        The ends of the scale.
    promoters_from, passives_from : int
        The lowest score of a promoter and of a passive; all below are detractors. The same number twice
        leaves no passives.
    out_of_range : {"refuse", "set_aside"}
        What becomes of a score that the scale does not have: an error that names some, or a row that
        is left out and counted among the checks.

    Raises
    ------
    ParamsError
        When an end or a band is no whole number, or they are out of order.

    Examples
    --------
    >>> Scale(lowest=1, highest=5, promoters_from=5, passives_from=4).usual
    False
    """

    lowest: int
    highest: int
    promoters_from: int
    passives_from: int
    out_of_range: OutOfRange = "refuse"

    def __post_init__(self) -> None:
        told = {name: getattr(self, name) for name in _WHOLE}
        for name, number in told.items():
            if isinstance(number, bool) or not isinstance(number, int):
                raise ParamsError(f"{name} of a scale is {number!r}, and it is a whole number. {_USAGE}")
        if not self.lowest < self.passives_from <= self.promoters_from <= self.highest:
            raise ParamsError(
                f"The scale {told} is out of order: lowest comes before passives_from, then "
                "promoters_from, then highest. The lowest score is always a detractor's."
            )
        if self.out_of_range not in get_args(OutOfRange):
            hint = did_you_mean(str(self.out_of_range), get_args(OutOfRange))
            raise ParamsError(
                f"out_of_range {self.out_of_range!r} is not known.{hint} "
                f"Choose one of {list(get_args(OutOfRange))}."
            )

    @property
    def usual(self) -> bool:
        """True for the bands of Net Promoter on 0 to 10, or on 1 to 10; no other scale compares with them."""
        bands = (self.highest, self.promoters_from, self.passives_from)
        return self.lowest in (0, 1) and bands == (10, 9, 7)

    def has(self, score: ir.NumericValue) -> ir.BooleanValue:
        """True where a score is a whole number of this scale."""
        return (score >= self.lowest) & (score <= self.highest) & (score == score.floor())

    def band(self, score: ir.NumericValue) -> ir.StringValue:
        """The band of each score, as an expression for any engine."""
        promoters, passives = score >= self.promoters_from, score >= self.passives_from
        return ibis.cases((promoters, BANDS[0]), (passives, BANDS[1]), else_=BANDS[2])

    @property
    def asked(self) -> Phrase:
        """How the question was asked, and who counts as what, in a sentence."""
        return self.phrase(f"nps.nps_{self.lowest}_10") if self.usual else self.phrase("nps.nps")

    def phrase(self, key: str, **values: Any) -> Phrase:
        """The catalogue's sentence of this scale: `key`, or for another than the usual ones `key_other`."""
        if self.usual:
            return phrase(key, lowest=self.lowest, **values)
        return phrase(f"{key}_other", **{name: getattr(self, name) for name in _WHOLE}, **values)


#: The scales that have a name; the bands are the same.
NAMED: Mapping[str, Scale] = {
    "nps_0_10": Scale(0, 10, promoters_from=9, passives_from=7),
    "nps_1_10": Scale(1, 10, promoters_from=9, passives_from=7),
}
_USAGE = "Write a scale as 'lowest 1, highest 5, promoters_from 5, passives_from 4'."


def read(scale: str | Scale, *, out_of_range: OutOfRange | None = None) -> Scale:
    """A scale by its name, by the four numbers written out, or as it is.

    A client file holds it as text: `scale: nps_1_10`, or
    `scale: lowest 1, highest 5, promoters_from 5, passives_from 4`.

    Parameters
    ----------
    scale : str or Scale
        What was asked.
    out_of_range : {"refuse", "set_aside"}, optional
        What becomes of other scores, where it is not to be as the scale says.

    Raises
    ------
    ParamsError
        When there is no scale of that name and the text does not state all four numbers, each once.

    Examples
    --------
    >>> read("lowest 1, highest 5, promoters_from 5, passives_from 4")
    Scale(lowest=1, highest=5, promoters_from=5, passives_from=4, out_of_range='refuse')
    >>> read("nps_0_10", out_of_range="set_aside").out_of_range
    'set_aside'
    """
    found = scale if isinstance(scale, Scale) else NAMED.get(str(scale)) or _written(str(scale))
    if out_of_range is None:
        return found
    return Scale(**{name: getattr(found, name) for name in _WHOLE}, out_of_range=out_of_range)


# ---------------------------------------------------------------------------------------------------


def _written(text: str) -> Scale:
    entries = [_ENTRY.fullmatch(part) for part in text.split(",")]
    if not all(entries):
        raise ParamsError(
            f"scale {text!r} is not known.{did_you_mean(text, NAMED)} "
            f"Choose one of {list(NAMED)}, or state another: {_USAGE[0].lower()}{_USAGE[1:]}"
        )
    told = [(entry[1], int(entry[2])) for entry in entries]
    if sorted(name for name, _ in told) != sorted(_WHOLE):
        raise ParamsError(
            f"scale {text!r} has {[name for name, _ in told]}, and needs each once: {list(_WHOLE)}. {_USAGE}"
        )
    return Scale(**dict(told))
