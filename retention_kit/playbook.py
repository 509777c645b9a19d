"""From measured figures to what to do next: rules that read the interval, each with its reason.

A rule fires only where the whole interval of its figure lies past the limit. What was measured on
too few customers to say, advises nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from retention_kit import cards, lengths, yamls
from retention_kit.exceptions import ParamsError, ReportError, did_you_mean
from retention_kit.headlines import UNITS, Headline
from retention_kit.sentences import Voice
from retention_kit.thresholds import Thresholds

#: What a summary holds at most.
MOST = 5

_AIMS = ("mend", "build")
_SIDES = {"above", "below"}
_WORDS = ("title", "why", "measure", "caution")
_KEYS = ("headline", "unit", "above", "below", "aim", "watch", *_WORDS)
_THRESHOLDS = tuple(Thresholds.model_fields)
#: Revenue kept can pass 1; a limit beyond this is a percentage written without its sign.
_LARGEST_SHARE = 2
#: What a difference of two figures in a unit is said in.
_GAPS = {"share": "gap", "points": "gap", "nps": "number.0"}
#: Half an interval of 95 % is 1.96 standard errors. Half of the customers know a figure only √2 times as
#: well, and the difference of two halves √2 times less well again: it shows in four samples of five from
#: (1.96 + 0.84) × 2 standard errors on.
_DETECTABLE = 2 * (1.959964 + 0.841621) / 1.959964


@dataclass(frozen=True)
class Rule:
    """One entry of the playbook.

    `limit` is a number in the figure's unit, or the name of a threshold of the client file; `above` says
    on which side of it something is to be done. `own` limits are a consultant's; `words` are the rule's
    own, where it brings them.
    """

    name: str
    headline: str
    unit: str
    above: bool
    limit: float | str
    aim: str = "mend"
    watch: str | None = None
    own: bool = False
    words: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Action:
    """A rule that fired: its figure, the limit as read, and the figure that will say whether it helped.

    `whose` says whose limit it is: "ours", "usual" (a rule of thumb) or "own" (set for this client).
    `strength` is how far the interval's near bound lies past the limit, in half intervals.
    """

    rule: Rule
    headline: Headline
    limit: float
    whose: str
    strength: float
    watched: Headline | None = None


@dataclass(frozen=True)
class Plan:
    """What the playbook says of a report: actions, the strongest first, and the rules that only watch."""

    actions: Sequence[Action]
    quiet: Sequence[tuple[Rule, float]]
    unknown: Sequence[Rule]


@dataclass(frozen=True)
class Advice:
    """An action in words: what to do, by which figure, why, how to measure it, what it does not prove."""

    name: str
    title: str
    reason: str
    why: str
    measure: str
    caution: str


# -- rules ---------------------------------------------------------------------


def read(own: str | Path | None = None) -> list[Rule]:
    """The playbook's rules, with those of a consultant's own file merged over them.

    Parameters
    ----------
    own : str or Path, optional
        A YAML file of rules: keys of a rule of ours are replaced, a rule that is null is switched off,
        a new one needs `headline`, `unit`, `above` or `below`, and its words.

    Raises
    ------
    ParamsError
        With file and line: an unknown key, unit or figure, a limit that the unit cannot have, missing words.

    Examples
    --------
    >>> [rule.limit for rule in read() if rule.name == "payment_recovery"]
    [0.1]
    """
    if own is None:
        return list(_our_rules())
    ours = _ours()
    rules = dict(ours.values)
    path = Path(own)
    if not path.is_file():
        raise ParamsError(
            f"playbook: there is no file {path.name}. Give its path from the client file's folder."
        )
    theirs = yamls.load(path)
    for name, values in theirs.values.items():
        if values is None and name not in ours.values:
            raise ParamsError(f"{theirs.where((name,))}: no rule {name!r}.{did_you_mean(name, ours.values)}")
        rules[name] = _over(ours.values.get(name, {}), values)
    found = {name: theirs if name in theirs.values else ours for name in rules}
    return [
        replace(_rule(found[name], name, values), own=bool(_SIDES.intersection(theirs.values.get(name, {}))))
        for name, values in rules.items()
        if values is not None
    ]


def _over(under: Mapping[str, Any], values: Any) -> Any:
    """A rule with the given keys replaced; one limit takes the other's place."""
    if not isinstance(values, dict):
        return values
    kept = {key: value for key, value in under.items() if key not in _SIDES or not _SIDES & set(values)}
    return kept | values


@cache
def _our_rules() -> list[Rule]:
    return [_rule(_ours(), name, values) for name, values in _ours().values.items()]


@cache
def _ours() -> yamls.Document:
    return yamls.load(Path(str(resources.files("retention_kit"))) / "playbook.yaml")


def _rule(document: yamls.Document, name: str, values: Any) -> Rule:
    where = document.where((name,))
    if not isinstance(values, dict):
        raise ParamsError(f"{where}: rule {name!r} must be keys and values, or null to switch it off.")
    for key in values:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            known = ", ".join(_KEYS)
            raise ParamsError(
                f"{document.where((name, key))}: unknown key {key!r}.{hint} Known keys: {known}."
            )
    for key in ("headline", "unit"):
        if key not in values:
            raise ParamsError(f"{where}: rule {name!r} is missing {key}.")
    if ("above" in values) == ("below" in values):
        raise ParamsError(f"{where}: rule {name!r} needs above or below, one of them.")
    rule = Rule(
        name=name,
        headline=values["headline"],
        unit=values["unit"],
        above="above" in values,
        limit=values["above"] if "above" in values else values["below"],
        aim=values.get("aim", "mend"),
        watch=values.get("watch"),
        words={key: values[key] for key in _WORDS if key in values},
    )
    problem = _problem(rule)
    if problem:
        raise ParamsError(f"{where}: rule {name!r}: {problem}")
    return rule


def _problem(rule: Rule) -> str:
    """What is wrong with a rule's values, or nothing."""
    figures = list(Voice().words("headline"))
    for key, word, known in (
        ("headline", rule.headline, figures),
        ("watch", rule.watch, figures),
        ("unit", rule.unit, UNITS),
        ("aim", rule.aim, _AIMS),
    ):
        if word not in known and not (key == "watch" and word is None):
            hint = did_you_mean(str(word), known) or f" Known are {', '.join(known)}."
            return f"{key} {word!r} is not known.{hint}"
    if isinstance(rule.limit, str):
        if rule.limit in _THRESHOLDS and rule.unit == "share":
            return ""
        return f"the limit {rule.limit!r} is no number; thresholds of a share are {', '.join(_THRESHOLDS)}."
    if isinstance(rule.limit, bool) or not isinstance(rule.limit, (int, float)):
        return f"the limit {rule.limit!r} is no number."
    if rule.unit in ("share", "points") and abs(rule.limit) > _LARGEST_SHARE:
        return f"the limit of a share is a number such as 0.1 for 10 %, and it is {rule.limit:g}."
    if any(not isinstance(word, str) or not word.strip() for word in rule.words.values()):
        return "its words must be text; put them in quotes."
    missing = [word for word in _WORDS if word not in rule.words]
    if missing and rule.name not in _ours().values:
        return f"it needs words: {', '.join(missing)}."
    return ""


# -- what they say of a report ---------------------------------------------------


def plan(
    headlines: Iterable[Headline],
    rules: Iterable[Rule],
    *,
    thresholds: Thresholds | None = None,
    period: str = "month",
) -> Plan:
    """Which rules fire on the figures of a report, the strongest first; what is lost before what is strong.

    Parameters
    ----------
    headlines : iterable of Headline
        All figures of the report.
    rules : iterable of Rule
        From `read`.
    thresholds : thresholds.Thresholds, optional
        The client file's, a month.
    period : str
        The client's; thresholds are converted to it, compounding.

    Raises
    ------
    ReportError
        When a rule's unit is not that of its figure.
    """
    figures = {headline.name: headline for headline in headlines}
    fired, quiet, unknown = [], [], []
    for rule in rules:
        headline = figures.get(rule.headline)
        limit, whose = _limit(rule, thresholds or Thresholds(), period)
        if headline is not None and headline.unit != rule.unit:
            raise ReportError(
                f"Playbook rule {rule.name!r} reads {rule.headline} as {rule.unit}; it is {headline.unit}."
            )
        if headline is None or headline.value is None or headline.low is None:
            unknown.append(rule)
            continue
        strength = _strength(headline, rule.above, limit)
        if strength > 0:
            watched = figures.get(rule.watch or "")
            fired.append(Action(rule, headline, limit, whose, strength, watched))
        else:
            quiet.append((rule, limit))
    fired.sort(key=lambda action: (_AIMS.index(action.rule.aim), -action.strength))
    return Plan(fired, quiet, unknown)


def _limit(rule: Rule, thresholds: Thresholds, period: str) -> tuple[float, str]:
    """The limit as a number per period, and whose it is."""
    if not isinstance(rule.limit, str):
        return float(rule.limit), "own" if rule.own else "ours"
    monthly = getattr(thresholds, rule.limit)
    usual = monthly == Thresholds.model_fields[rule.limit].default
    return lengths.compounded(monthly, "month", period), "usual" if usual else "own"


def _strength(headline: Headline, above: bool, limit: float) -> float:
    """How far the near bound lies past the limit, in half intervals; none where it does not."""
    past = headline.low - limit if above else limit - headline.high
    half = (headline.high - headline.low) / 2
    return 0.0 if past <= 0 else past / half if half else float("inf")


# -- in words --------------------------------------------------------------------


def advice(action: Action, voice: Voice) -> Advice:
    """The action in the report's language, the rule's own words before the catalogue's."""
    told = {word: _word(action.rule, word, voice) for word in _WORDS}
    told["measure"] = " ".join([told["measure"], *_detectable(action.watched, voice)])
    return Advice(name=action.rule.name, reason=_reason(action, voice), **told)


def _word(rule: Rule, word: str, voice: Voice) -> str:
    return rule.words.get(word) or voice.say(f"playbook.{rule.name}.{word}")


def _reason(action: Action, voice: Voice) -> str:
    headline = action.headline
    counts = cards.counted(headline, voice)
    low, high = voice.bounds(headline.low, headline.high, headline.unit)
    return voice.say(
        f"playbook.reason.{_side(action.rule)}{'' if counts else '_uncounted'}",
        label=voice.label(headline.name),
        value=voice.format(headline.value, headline.unit),
        low=low,
        high=high,
        counts=counts,
        limit=voice.format(action.limit, headline.unit),
        whose=voice.say(f"playbook.reason.{action.whose}"),
    )


def _side(rule: Rule) -> str:
    return "above" if rule.above else "below"


def _detectable(watched: Headline | None, voice: Voice) -> list[str]:
    """What a comparison of two random halves could show, from the interval that all together have."""
    if watched is None or watched.value is None or watched.low is None:
        return []
    smallest = _DETECTABLE * (watched.high - watched.low) / 2
    unit = _GAPS.get(watched.unit, watched.unit)
    said = {"label": voice.label(watched.name), "smallest": voice.format(smallest, unit)}
    room = watched.value if watched.good == "down" else 1 - watched.value
    enough = watched.unit != "share" or smallest < room
    return [voice.say("playbook.detectable" if enough else "playbook.too_few", **said)]


def nothing(found: Plan, voice: Voice) -> str:
    """What to say where no rule fires: that nothing does, and what was watched."""
    if not found.quiet:
        return voice.say("playbook.nothing_to_judge")
    watched = [
        voice.say(
            f"playbook.watched.{_side(rule)}",
            label=voice.label(rule.headline),
            limit=voice.format(limit, rule.unit),
        )
        for rule, limit in found.quiet
    ]
    return voice.say("playbook.nothing", watched="; ".join(watched))


def rest(found: Plan, voice: Voice) -> str:
    """What fired beyond what a summary holds, by title; nothing where all of it stands there."""
    further = found.actions[MOST:]
    if not further:
        return ""
    titles = [_word(action.rule, "title", voice) for action in further]
    return voice.say("playbook.rest", n=len(further), titles="; ".join(titles))
