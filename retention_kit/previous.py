"""The client's report before this one: what has changed since then, and what would now come out otherwise."""

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from retention_kit import accounts, cards, intervals, phrases
from retention_kit.accounts import Account
from retention_kit.cards import Change
from retention_kit.exceptions import ReportError
from retention_kit.headlines import Headline
from retention_kit.sentences import Voice

#: Units whose differences the catalogue writes with their sign; the others get one here.
_SIGNED = {"share": "points", "points": "points", "nps": "nps"}
#: Values in a definition that are measured, and so move with each report, as dates do.
_MEASURED = frozenset(("fee",))
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


def forecasts(home: Path, as_of: str, *, currency: str) -> list[dict[str, Any]]:
    """What the client's earlier reports foretold, the oldest first, for a chapter to say how it came out.

    Parameters
    ----------
    home, as_of
        As in `find`.
    currency : str
        What was foretold in another currency is left out.
    """
    until, found = accounts.moment(as_of), []
    for account in sorted(accounts.readable(home), key=lambda one: one.moment):
        if account.done and account.moment < until and account.told.get("currency") == currency:
            with contextlib.suppress(ReportError):
                figures = chain.from_iterable(account.figures.values())
                found += [{"made": account.as_of} | _foretold(one) for one in figures if one.foretells]
    return found


def _foretold(figure: Headline) -> dict[str, Any]:
    since, until = figure.foretells
    told = {name: getattr(figure, name) for name in ("name", "value", "low", "high", "interval")}
    return {"since": since, "until": until} | told


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
    """Whether two definitions say one thing in any language; dates and fees in them move with each report."""
    return _undated(phrases.meaning(now)) == _undated(phrases.meaning(then)) or (
        _undated(str(now)) == _undated(str(then))
    )


def _undated(told: Any) -> Any:
    if isinstance(told, dict):
        return {name: _undated(value) for name, value in told.items() if name not in _MEASURED}
    return _DATES.sub("#", told) if isinstance(told, str) else told


def _signed(gap: float, unit: str, voice: Voice) -> str:
    if unit in _SIGNED:
        return voice.format(gap, _SIGNED[unit])
    return f"{'+' if gap > 0 else '−'}{_magnitude(gap, unit, voice)}"


def _magnitude(gap: float, unit: str, voice: Voice) -> str:
    return voice.format(abs(gap), _SIGNED.get(unit, unit))


# -- what would now come out otherwise ---------------------------------------------


@dataclass(frozen=True)
class Again:
    """The chapters of the previous report, run once more as of its date on today's data.

    `account` is what `run.json` would tell of that run, `kinds` the tables that each chapter read,
    `trouble` why it could not be done, for the run's account: a client is told that it could not.
    """

    figures: Mapping[str, Sequence[Headline]] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    trouble: str = ""

    def to_json(self) -> dict[str, Any]:
        """As it stands beside a report, so that its page can be made anew without running the chapters."""
        figures = {chapter: [one.to_json() for one in each] for chapter, each in self.figures.items()}
        return {"figures": figures, "account": self.account, "kinds": self.kinds}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Again":
        """What `to_json` wrote."""
        figures = {c: [Headline.from_json(one) for one in each] for c, each in told["figures"].items()}
        return cls(figures, told["account"], told["kinds"])


@dataclass(frozen=True)
class Correction:
    """A figure of the previous report that would now come out otherwise, as it was printed, and why."""

    label: str
    then: str
    now: str
    why: Sequence[str]


@dataclass(frozen=True)
class Restated:
    """What of the previous report would now come out otherwise; `told` says how many figures do."""

    told: str
    corrections: Sequence[Correction] = ()


def restated(before: Previous, again: Again, *, voice: Voice) -> Restated:
    """The figures of the previous report that would be printed otherwise today, and what is known of why.

    The reasons are read off the two runs' accounts: rows that count, what they add up to, definitions,
    options, how the client file reads the data, versions. Where nothing of that differs, that is said.
    """
    if again.trouble:
        return Restated(voice.say("restated.trouble", date=before.as_of))
    compared, corrections = 0, []
    for chapter, figures in again.figures.items():
        now = {figure.name: figure for figure in figures}
        why = _why(before.account.told, again.account, chapter, again.kinds.get(chapter, ()), voice)
        for then in before.account.figures.get(chapter, ()):
            compared += 1
            correction = _correction(then, now.get(then.name), before, why, voice)
            corrections += [correction] if correction else []
    key = "restated.some" if corrections else "restated.none"
    counted = {"n": len(corrections) or compared, "compared": compared, "date": before.as_of}
    return Restated(voice.say(key, **counted), tuple(corrections))


def _correction(
    then: Headline, now: Headline | None, before: Previous, why: Sequence[str], voice: Voice
) -> Correction | None:
    """The two as they are printed, or nothing where no reader could see a difference."""
    was = _printed(then, _as_then(before, voice))
    is_now = _printed(now, voice) if now else voice.say("restated.gone")
    if was == is_now:
        return None
    otherwise = now is not None and not _same(now.definition, then.definition)
    reasons = [voice.say("restated.why.definition")] if otherwise else []
    reasons = [*reasons, *why] or [voice.say("restated.why.unknown")]
    return Correction(voice.label(then.name), was, is_now, tuple(reasons))


def _printed(figure: Headline, voice: Voice) -> str:
    """Value, bounds and counts, as a card has them."""
    parts = [cards.bounds(figure, voice), cards.counted(figure, voice)]
    behind = "; ".join(part for part in parts if part)
    return f"{cards.value(figure, voice)} ({behind})" if behind else cards.value(figure, voice)


def _as_then(before: Previous, voice: Voice) -> Voice:
    """The voice with the currency of then, where it is known."""
    with contextlib.suppress(ReportError):
        return replace(voice, currency=str(before.account.told.get("currency")))
    return voice


def _why(
    then: Mapping[str, Any], now: Mapping[str, Any], chapter: str, kinds: Sequence[str], voice: Voice
) -> list[str]:
    """What differs between two runs' accounts that a chapter's figures can depend on."""
    reasons = [line for kind in kinds for line in _about(kind, then, now, voice)]
    options = _different(then, now, "chapters", chapter, "parameters")
    options |= {
        name: pair for name, pair in _different(then, now).items() if name == "period" and None not in pair
    }
    for key, differing in (("option", options), ("version", _different(then, now, "versions"))):
        reasons += [
            voice.say(f"restated.why.{key}", name=name, then=_said(was, voice), now=_said(is_now, voice))
            for name, (was, is_now) in differing.items()
            if name not in ("client", "as_of", "data_as_of")
        ]
    return reasons


def _about(kind: str, then: Mapping[str, Any], now: Mapping[str, Any], voice: Voice) -> list[str]:
    """How a table differs: read otherwise, other rows that count, the same number with another sum."""
    named, reasons = voice.word("kind", kind), []
    reading = _different(then, now, "reading", kind)
    if reading:
        reasons.append(voice.say("restated.why.reading", kind=named, keys=", ".join(reading)))
    # Rows set aside are no sign: of those that fail a rule, some are newer than the previous report.
    for key, unit in (("rows", "count"), ("amounts", "number.2")):
        kept = _different(then, now, key, kind).get("kept", ("", ""))
        was, is_now = (voice.format(value, unit) if value != "" else "" for value in kept)
        if was != is_now:
            return [*reasons, voice.say(f"restated.why.{key}", kind=named, then=was, now=is_now)]
    return reasons


def _different(then: Mapping[str, Any], now: Mapping[str, Any], *place: str) -> dict[str, tuple[Any, Any]]:
    """The names whose values differ at a place of two accounts; none where one tells nothing of it."""
    for step in place:
        then, now = then.get(step) or {}, now.get(step) or {}
    names = [*then, *(name for name in now if name not in then)] if then and now else []
    both = {name: (then.get(name), now.get(name)) for name in names}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}


def _said(value: Any, voice: Voice) -> str:
    return voice.say("restated.why.nothing") if value is None else str(value)
