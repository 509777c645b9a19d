"""From measured values to words: the catalogue of a language, its numbers, dates and plurals.

Rounding happens here and nowhere else, so a figure on a card, in a sentence
and in a table is the same figure.
"""

import datetime as dt
import math
import re
import string
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
from babel import Locale, UnknownLocaleError, dates, numbers

from retention_kit import yamls
from retention_kit.exceptions import ReportError, did_you_mean
from retention_kit.headlines import Headline

MISSING = "–"
KINDS = (
    "share", "points", "gap", "nps", "money", "count", "number", "ratio", "days",
    "date", "day", "week", "month", "quarter", "year", "text",
)  # fmt: skip
_SKELETONS = {"month": "yMMMM", "quarter": "yQQQ", "year": "y"}


@dataclass(frozen=True)
class Voice:
    """How a report speaks: its language and its currency.

    Parameters
    ----------
    language : str
        A language with a catalogue, such as "en"; a territory changes only how
        numbers and dates look ("en_US").
    currency : str
        ISO code of the client's money.

    Raises
    ------
    ReportError
        When there is no catalogue for the language or no such currency.

    Examples
    --------
    >>> voice = Voice(language="en", currency="EUR")
    >>> voice.format(0.38213, "share"), voice.format(31.4, "nps"), voice.format(1234.5, "money")
    ('38.2%', '+31', '€1,234')
    >>> voice.format("2024-07-01", "month")
    'July 2024'
    """

    language: str = "en"
    currency: str = "EUR"

    def __post_init__(self) -> None:
        if self.currency not in self._locale.currencies:
            hint = did_you_mean(self.currency.upper(), self._locale.currencies)
            raise ReportError(f"There is no currency {self.currency!r}.{hint} Give an ISO code such as EUR.")

    # -- sentences ---------------------------------------------------------

    def say(self, key: str, **values: Any) -> str:
        """The sentence of the catalogue under `key`, with the values in the language's own format.

        Raises
        ------
        ReportError
            When the catalogue has no such key, or a value that the sentence needs is missing or NaN.
        """
        if key not in self._entries:
            hint = did_you_mean(key, self._entries)
            raise ReportError(f"The {self.language} catalogue has no sentence {key!r}.{hint}")
        template = _form(self._entries[key], key, values, self._locale)
        return _Fill(self, key).vformat(template, (), values)

    def compare(self, key: str, *, difference: float, low: float, high: float, **values: Any) -> str:
        """A sentence about a change: `key.up`, `key.down`, or `key.unclear` when the interval holds zero.

        The interval decides, not the difference: noise is never told as news.
        The sentence may use `difference`, `low`, `high`, `size` (the difference
        without its sign) and all further values.
        """
        bounds = {"difference": difference, "low": low, "high": high}
        for name, value in bounds.items():
            if _is_missing(value):
                raise ReportError(f"Sentence {key!r} compares, and {name} is missing.")
        if low > high:
            raise ReportError(f"Sentence {key!r}: low {low} is above high {high}.")
        way = "up" if low > 0 else "down" if high < 0 else "unclear"
        return self.say(f"{key}.{way}", **bounds, size=abs(difference), **values)

    def tell(self, key: str, headline: Headline, **values: Any) -> str:
        """A sentence about one headline: `key.known` with its value, bounds and counts, or `key.unknown`.

        The sentence may use `value`, `range` (the bounds in words, or that there are none), every
        count by its name, and all further values.
        """
        if headline.value is None:
            return self.say(f"{key}.unknown", **values)
        if headline.low is None:
            bounds = self.say("exhibit.no_range")
        else:
            low, high = (self.format(bound, headline.unit) for bound in (headline.low, headline.high))
            bounds = self.say("exhibit.range", low=low, high=high)
        return self.say(f"{key}.known", value=headline.value, range=bounds, **headline.counts, **values)

    def tell_change(self, key: str, frame: pd.DataFrame, **values: Any) -> str:
        """`compare` for a result of one row with `difference`, `low`, `high`; `key.unknown` without a row."""
        if frame.empty:
            return self.say(f"{key}.unknown", **values)
        return self.compare(key, **{str(name): frame[name].iloc[0] for name in frame}, **values)

    def tell_extremes(self, key: str, frame: pd.DataFrame, *, group: str, value: str, **values: Any) -> str:
        """A sentence about the highest and lowest group: `key.apart` where their intervals do not meet,
        `key.unclear` where they do, `key.single` for one group or none.

        It may use `top`, `top_value`, `bottom`, `bottom_value`, `groups` and all further values.
        """
        known = frame.dropna(subset=[group, value]).sort_values(value)  # nobody can act on the nameless
        if len(known) < 2:
            return self.say(f"{key}.single", **values)
        bottom, top = known.iloc[0], known.iloc[-1]
        way = "apart" if bottom["high"] < top["low"] else "unclear"
        told = {"top": top[group], "bottom": bottom[group], "groups": len(known)}
        return self.say(f"{key}.{way}", **told, top_value=top[value], bottom_value=bottom[value], **values)

    def label(self, name: str) -> str:
        """What a headline is called: the catalogue's `headline.<name>`."""
        return self.say(f"headline.{name}")

    def word(self, section: str, name: Hashable) -> str:
        """The catalogue's word for a column, rule or method, or the name itself, readable, when it has none.

        Names may come from the data (a client's own column), so a missing one is no error.
        """
        entry = self._entries.get(f"{section}.{name}")
        if isinstance(entry, str):
            return entry
        text = str(name)
        if re.fullmatch(r"[a-z][a-z0-9_ ]*", text):
            return text[0].upper() + text[1:].replace("_", " ")
        return text

    @cached_property
    def columns(self) -> dict[str, str]:
        """Column name to words: for `labels=` of every plot."""
        entries = {name: self._entries[f"column.{name}"] for name in self.names("column")}
        return {name: entry for name, entry in entries.items() if isinstance(entry, str)}

    def names(self, section: str) -> list[str]:
        """The names that the catalogue has words for: `names("headline")` are all figures there can be."""
        start = f"{section}."
        return [key.removeprefix(start) for key in self._entries if key.startswith(start)]

    # -- values ------------------------------------------------------------

    def format(self, value: Any, unit: str) -> str:
        """A value in a unit, rounded once, as the language writes it; a missing one is a dash.

        Units: share (0.382 → 38.2%), points (a signed difference of shares, in
        percentage points), gap (the same without a sign), nps (signed integer),
        money, count, number, ratio, days, date, day, week, month, quarter, year,
        text. Digits after the point can be given: "share.0", "money.2".
        """
        kind, digits = _kind(unit)
        if _is_missing(value):
            return MISSING
        if kind == "text":
            return str(value)
        if kind in ("date", "day", "week", *_SKELETONS):
            return self._moment(value, kind)
        number = float(value)
        if math.isinf(number):
            return "∞" if number > 0 else "−∞"
        text = self._number(Decimal(str(number)), kind, digits)
        return text.replace("-", "−")

    def _number(self, number: Decimal, kind: str, digits: int | None) -> str:
        if kind == "share":
            return self._percent(number, 1 if digits is None else digits)
        if kind == "money":
            return self._money(number, digits)
        if kind in ("points", "gap"):
            points = _rounded(number * 100, 1 if digits is None else digits)
            return self._phrase("unit.points", points if kind == "points" else abs(points), kind == "points")
        if kind == "nps":
            return self._decimal(_rounded(number, digits or 0), signed=True)
        if kind == "days":
            places = digits if digits is not None else int(abs(number) < 10 and number != int(number))
            return self._phrase("unit.days", _rounded(number, places))
        places = {"count": 0, "ratio": 2}.get(kind) if digits is None else digits
        if places is None:  # a plain number: two places at most, none that says nothing
            places = (
                0 if abs(number) >= 1000 else max(0, -_rounded(number, 2).normalize().as_tuple().exponent)
            )
        return self._decimal(_rounded(number, places))

    def _decimal(self, number: Decimal, signed: bool = False) -> str:
        places = max(0, -number.as_tuple().exponent)
        pattern = re.sub(
            r"0(\.[0#]+)?(?=;|$)", "0" + _places(places), self._locale.decimal_formats[None].pattern
        )
        text = numbers.format_decimal(number + 0, format=pattern, locale=self._locale)
        return f"+{text}" if signed and number > 0 else text

    def _percent(self, number: Decimal, places: int) -> str:
        pattern = self._locale.percent_formats[None].pattern.replace("##0", "##0" + _places(places))
        return numbers.format_percent(_rounded(number, places + 2) + 0, format=pattern, locale=self._locale)

    def _money(self, number: Decimal, digits: int | None) -> str:
        places = digits
        if places is None:
            places = 0 if abs(number) >= 1000 else numbers.get_currency_precision(self.currency)
        pattern = self._locale.currency_formats["standard"].pattern
        pattern = re.sub(r"0\.0+", "0" + _places(places), pattern)
        return numbers.format_currency(
            _rounded(number, places) + 0,
            self.currency,
            format=pattern,
            locale=self._locale,
            currency_digits=False,
        )

    def _phrase(self, key: str, number: Decimal, signed: bool = False) -> str:
        """A number with its unit in words, in the plural form that the printed digits ask for."""
        entry = self._entries[key]
        form = entry.get(self._locale.plural_form(abs(number)), entry["other"])
        return form.format(number=self._decimal(number, signed))

    def _moment(self, value: Any, kind: str) -> str:
        try:
            day = dt.date.fromisoformat(str(value)[:10])
        except ValueError:
            raise ReportError(f"{value!r} is not a date like 2024-07-01.") from None
        if kind in _SKELETONS:
            return dates.format_skeleton(_SKELETONS[kind], day, locale=self._locale)
        return dates.format_date(day, format="long" if kind == "date" else "medium", locale=self._locale)

    # -- the catalogue -----------------------------------------------------

    @cached_property
    def _entries(self) -> Mapping[str, str | dict[str, str]]:
        return _catalogue(self.language.replace("-", "_").split("_")[0])

    @cached_property
    def _locale(self) -> Locale:
        wanted = self.language.replace("-", "_")
        try:
            return Locale.parse(wanted if "_" in wanted else self._entries["locale"])
        except (UnknownLocaleError, ValueError):
            raise ReportError(
                f"There is no language {self.language!r}. Give one such as en or en_US."
            ) from None


class _Fill(string.Formatter):
    """`str.format` whose format words are units, and whose errors name the sentence."""

    def __init__(self, voice: Voice, key: str) -> None:
        self.voice, self.key = voice, key

    def get_value(self, key: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
        if key not in kwargs:
            hint = did_you_mean(str(key), kwargs)
            raise ReportError(f"Sentence {self.key!r} needs {key!r}; it was given {sorted(kwargs)}.{hint}")
        if _is_missing(kwargs[key]):
            raise ReportError(f"Sentence {self.key!r}: {key!r} is missing.")
        return kwargs[key]

    def format_field(self, value: Any, format_spec: str) -> str:
        return self.voice.format(value, format_spec or "text")


def languages() -> list[str]:
    """Languages that have a catalogue."""
    folder = resources.files(__package__) / "catalogue"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


@lru_cache(maxsize=8)
def _catalogue(language: str) -> Mapping[str, str | dict[str, str]]:
    if language not in languages():
        hint = did_you_mean(language, languages())
        raise ReportError(f"There is no catalogue for language {language!r}.{hint} There is {languages()}.")
    return read_catalogue(Path(str(resources.files(__package__))) / "catalogue" / f"{language}.yaml")


def read_catalogue(path: Path) -> dict[str, str | dict[str, str]]:
    """Entries by dotted key, checked: every field has a known unit, every plural an `other`, no key twice."""
    entries: dict[str, str | dict[str, str]] = {}
    _flatten("", yamls.load(path).values, entries)
    for key, entry in entries.items():
        for template in entry.values() if isinstance(entry, dict) else [entry]:
            _check_template(key, template)
    return entries


def _flatten(prefix: str, node: Any, entries: dict[str, Any]) -> None:
    if isinstance(node, dict) and "plural" not in node:
        for key, child in node.items():
            _flatten(f"{prefix}.{key}" if prefix else str(key), child, entries)
        return
    if prefix in entries:
        raise ReportError(f"The catalogue has {prefix!r} twice.")
    if isinstance(node, dict) and "other" not in node:
        raise ReportError(f"Catalogue entry {prefix!r} has no form 'other'.")
    if not isinstance(node, (dict, str)):
        raise ReportError(f"Catalogue entry {prefix!r} is {node!r}, not text. Put it in quotes.")
    entries[prefix] = node


def _check_template(key: str, template: str) -> None:
    try:
        for _, name, unit, _ in string.Formatter().parse(template):
            if name is not None and not name.isidentifier():
                raise ReportError(f"Catalogue entry {key!r}: {{{name}}} is not a plain name.")
            if unit:
                _kind(unit)
    except ValueError as error:
        raise ReportError(f"Catalogue entry {key!r}: {error}.") from None


def _form(entry: str | dict[str, str], key: str, values: Mapping[str, Any], locale: Locale) -> str:
    """The entry's text, or the plural form that its counting value asks for."""
    if isinstance(entry, str):
        return entry
    name = entry["plural"]
    if _is_missing(values.get(name)):
        raise ReportError(f"Sentence {key!r} chooses its plural by {name!r}, which is missing.")
    return entry.get(locale.plural_form(abs(_rounded(Decimal(str(float(values[name]))), 0))), entry["other"])


def _kind(unit: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"([a-z]+)(?:\.(\d))?", unit)
    if not match or match[1] not in KINDS:
        raise ReportError(f"There is no unit {unit!r}.{did_you_mean(unit, KINDS)} Units are {list(KINDS)}.")
    return match[1], None if match[2] is None else int(match[2])


def _places(places: int) -> str:
    return "." + "0" * places if places else ""


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def _is_missing(value: Any) -> bool:
    return value is None or (not isinstance(value, str) and bool(pd.isna(value)))
