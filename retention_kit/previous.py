"""The client's report before this one: what has changed since then, and what would now come out otherwise."""

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention_kit import accounts, intervals, phrases
from retention_kit.accounts import Account
from retention_kit.cards import Change
from retention_kit.exceptions import ReportError
from retention_kit.headlines import Headline
from retention_kit.sentences import Voice

#: Units whose differences the catalogue writes with their sign; the others get one here.
_SIGNED = {"share": "points", "points": "points", "nps": "nps"}
_DATES = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}\.? \w+ \d{4}|\w+ \d{1,2}, \d{4}")


@dataclass(frozen=True)
class Previous:
    """The newest report of the client that is older than the one being made."""

    account: Account
    figures: Mapping[str, Headline]

    @property
    def as_of(self) -> str:
        return self.account.as_of


def find(home: Path, as_of: str) -> Previous | None:
    """The newest earlier report in a client's folder that went well and can be read; None without one.

    Parameters
    ----------
    home : Path
        `outputs/<client>`.
    as_of : str
        That of the report being made.
    """
    until = accounts.moment(as_of)
    earlier = [one for one in accounts.readable(home) if one.done and one.moment < until]
    for account in sorted(earlier, key=lambda one: one.moment, reverse=True):
        with contextlib.suppress(ReportError):  # the figures of another version: the report before will do
            return Previous(account, {one.name: one for each in account.figures.values() for one in each})
    return None


# -- what has changed ------------------------------------------------------------


def changes(
    figures: Iterable[Headline], before: Previous, *, voice: Voice, words: str = "change"
) -> dict[str, Change]:
    """Of each figure, by name, how it changed since the previous report, in words.

    "Better" and "worse" are claimed only where the two intervals allow it; without intervals the change
    stands there alone. No change is told of figures that were defined or counted in another way.

    Parameters
    ----------
    words : str
        The section of the catalogue: "change" names the previous report's date, "change.short" does not.
    """
    known = [figure for figure in figures if figure.value is not None]
    return {figure.name: _change(figure, before, voice, words) for figure in known}


def _change(now: Headline, before: Previous, voice: Voice, words: str) -> Change:
    then = before.figures.get(now.name)
    unlike = _unlike(now, then, before, voice)
    if unlike:
        return Change(voice.say(f"{words}.{unlike}", date=before.as_of))
    gap = now.value - then.value
    if _magnitude(gap, now.unit, voice) == _magnitude(0, now.unit, voice):
        return Change(voice.say(f"{words}.same", date=before.as_of), way="level")
    way = "up" if gap > 0 else "down"
    verdict = _verdict(now, then, way)
    told = voice.say(f"{words}.{verdict}", difference=_signed(gap, now.unit, voice), date=before.as_of)
    return Change(told, way=way, tone=verdict if verdict in ("better", "worse") else "")


def _unlike(now: Headline, then: Headline | None, before: Previous, voice: Voice) -> str:
    """Why the two figures cannot be compared, or nothing."""
    if then is None:
        return "new"
    if then.value is None:
        return "unknown"
    if now.unit != then.unit or not _same(now.definition, then.definition):
        return "redefined"
    if now.unit == "money" and before.account.told.get("currency", voice.currency) != voice.currency:
        return "other_currency"
    return ""


def _verdict(now: Headline, then: Headline, way: str) -> str:
    """What the intervals let be said of a change; nothing is said of one without them."""
    if now.low is None or then.low is None:
        return "bare"
    low, high = intervals.difference_of_bounds(now.value, now.low, now.high, then.value, then.low, then.high)
    if low <= 0 <= high:
        return "chance"
    if now.good == "neither":
        return "higher" if way == "up" else "lower"
    return "better" if way == now.good else "worse"


def _same(now: str, then: str) -> bool:
    """Whether two definitions say one thing in any language; the dates in them move with each report."""
    return _undated(phrases.meaning(now)) == _undated(phrases.meaning(then)) or (
        _undated(str(now)) == _undated(str(then))
    )


def _undated(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _undated(value) for name, value in told.items()}
    return _DATES.sub("#", told) if isinstance(told, str) else told


def _signed(gap: float, unit: str, voice: Voice) -> str:
    if unit in _SIGNED:
        return voice.format(gap, _SIGNED[unit])
    return f"{'+' if gap > 0 else '−'}{_magnitude(gap, unit, voice)}"


def _magnitude(gap: float, unit: str, voice: Voice) -> str:
    return voice.format(abs(gap), _SIGNED.get(unit, unit))
