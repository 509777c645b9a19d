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
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

import pandas as pd
from babel import Locale, UnknownLocaleError, dates, numbers

from retention_kit import catalogues, names, numerals, phrases
from retention_kit.catalogues import Entries
from retention_kit.exceptions import ReportError, did_you_mean
from retention_kit.headlines import Headline
from retention_kit.numerals import rounded
from retention_kit.phrases import Phrase, Told, Words

MISSING = "–"
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

        Where the catalogue has a heading for it (`finding.<key>`), made from the same values, it is a
        `Told` that brings it along.

        Raises
        ------
        ReportError
            When the catalogue has no such key, or a value that the sentence needs is missing or NaN.
        """
        if key not in self._entries:
            hint = did_you_mean(key, self._entries)
            raise ReportError(f"The {self.language} catalogue has no sentence {key!r}.{hint}")
        heading = f"finding.{key}"
        text = self._filled(key, values)
        if heading not in self._entries:
            return text
        return Told(text, self._filled(heading, values), known=not key.endswith("unknown"))

    def _filled(self, key: str, values: Mapping[str, Any]) -> str:
        template = _form(self._entries[key], key, values, self._locale)
        return _Fill(self, key).vformat(template, (), values)

    def phrase(self, key: str, **values: Any) -> Phrase:
        """The sentence that `say` makes, which remembers its key and values for another language.

        A value may be a phrase itself; it is said in the same language as the whole.
        """
        told = phrases.words(key, **values)
        return Phrase(self.said(told), told)

    def said(self, told: str | Words) -> str:
        """A text in this language: a phrase or an entry not said yet in its words, any other text as it is.

        So is a phrase whose entry is not in the catalogue: one that another version of the package made.

        >>> Voice().said({"say": "unit.days", "number": 2}), Voice().said("retained / customers")
        ('2 days', 'retained / customers')
        """
        if isinstance(told, Phrase):
            known = told.words["say"] in self._entries
            return Phrase(self.said(told.words), told.words) if known else told
        if isinstance(told, str):
            return told
        values = {name: self._inner(each) for name, each in told.items()}
        return self.say(values.pop("say"), **values)

    def _inner(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._inner(each) for each in value]
        return self.said(value) if isinstance(value, dict) else value

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

    def tell(self, key: str, headline: Headline, *, against: float | None = None, **values: Any) -> str:
        """A sentence about one headline: `key.known` with its value, bounds and counts, or `key.unknown`.

        Of a ratio to what was before, `against` is that of no change: `key.unclear` where the interval
        holds it. The sentence may use `value`, `range` (the bounds in words, or that
        there are none), every count by its name, and all further values.
        """
        if headline.value is None:
            return self.say(f"{key}.unknown", **values)
        if headline.low is None:
            # Of several there is no interval where all are alike, too: 40 who pay the same are not too few.
            alone = headline.counts.get("customers") == 1
            bounds, unclear = self.say(f"exhibit.no_range.{'one' if alone else 'several'}"), False
        else:
            unclear = against is not None and headline.low <= against <= headline.high
            low, high = self.bounds(headline.low, headline.high, headline.unit)
            bounds = self.say("exhibit.range", low=low, high=high)
        way = "unclear" if unclear else "known"
        return self.say(f"{key}.{way}", value=headline.value, range=bounds, **headline.counts, **values)

    def tell_change(self, key: str, frame: pd.DataFrame, **values: Any) -> str:
        """`compare` for a result of one row with `difference`, `low`, `high`; `key.unknown` without a row."""
        if frame.empty:
            return self.say(f"{key}.unknown", **values)
        return self.compare(key, **{str(name): frame[name].iloc[0] for name in frame}, **values)

    def tell_extremes(self, key: str, frame: pd.DataFrame, *, group: str, value: str, **values: Any) -> str:
        """A sentence about the highest and lowest group: `key.apart` where their intervals do not meet,
        `key.unclear` where they do, `key.single` for one group or none.

        It may use `top`, `top_value`, `bottom`, `bottom_value`, `groups`, `only` (the one of `single`) and
        all further values.
        """
        known = frame.dropna(subset=[group, value]).sort_values(value)  # nobody can act on the nameless
        called = [names.shown(name) if isinstance(name, str) else name for name in known[group]]
        if len(known) < 2:
            return self.say(f"{key}.single", only=called[0] if called else None, **values)
        bottom, top = known.iloc[0], known.iloc[-1]
        way = "apart" if bottom["high"] < top["low"] else "unclear"
        told = {"top": called[-1], "bottom": called[0], "groups": len(known)}
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

    def words(self, section: str) -> dict[str, str]:
        """The words of a section by the name that they stand for."""
        start = f"{section}."
        found = {key.removeprefix(start): e for key, e in self._entries.items() if key.startswith(start)}
        return {name: entry for name, entry in found.items() if isinstance(entry, str)}

    @cached_property
    def columns(self) -> dict[str, str]:
        """Column name to words, and how numbers are marked: for `labels=` of every plot."""
        marks = {f"mark.{name}": word for name, word in self.words("mark").items()}
        marks["mark.point"] = numbers.get_decimal_symbol(self._locale)
        marks["mark.currency"] = numbers.get_currency_symbol(self.currency, locale=self._locale)
        return self.words("column") | marks | {"mark.locale": str(self._locale)}

    # -- values ------------------------------------------------------------

    def format(self, value: Any, unit: str) -> str:
        """A value in a unit, rounded once, as the language writes it; a missing one is a dash.

        Units: share (0.382 → 38.2%), growth (the same with its sign), points (a signed
        difference of shares, in percentage points), gap (the same without a sign), nps (signed
        integer), money, count, number,
        exact (as many digits as it has), ratio, days; date, moment (with its time, where there
        is one), day, week, month, quarter, year; unit (a name such as month); text (several
        with semicolons between; "text.24" has 24 signs at most), column (a name of ours inside
        a sentence, one or several), word (a name of ours by itself, from a section of the
        catalogue: "word.rule"). Digits after the point can be given: "share.0", "money.2". So
        can a form that the language has of a month, a unit, a number of days or of points: "month.in",
        "points.short".
        """
        kind, detail = catalogues.unit(unit)
        if _is_missing(value):
            return MISSING
        if kind == "text":
            said = "; ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            return names.shown(said, detail) if detail else names.isolated(said)
        if kind == "unit":
            return self.say(f"periods.{detail or 'one'}.{value}")
        if kind == "word":
            return self.word(detail, value)
        if kind == "column":
            return ", ".join(map(self._inside, value if isinstance(value, (list, tuple)) else [value]))
        if kind in ("date", "moment", "day", "week", *_SKELETONS):
            return self._moment(value, kind, detail)
        number = float(value)
        if math.isinf(number):
            return "∞" if number > 0 else "−∞"
        text = self._number(Decimal(str(number)), kind, detail).replace("-", "−")
        # A line may break between a minus and the sign of a currency, unless they are joined.
        return text if text[1:2].isdigit() else text.replace("−", "−\u2060", 1)

    def bounds(self, low: float, high: float, unit: str) -> tuple[str, str]:
        """Both bounds of an interval, a unit in words said once: 84 to 98 days, not 84 days to 98 days.

        >>> Voice().bounds(-0.006, 0.01, "points"), Voice().bounds(0.1, 0.2, "share")
        (('−0.6', '+1.0 percentage points'), ('10.0%', '20.0%'))
        """
        kind = catalogues.unit(unit)[0]
        first = f"{kind}.bare" if kind in ("points", "days") else unit
        return self.format(low, first), self.format(high, unit)

    def _number(self, number: Decimal, kind: str, digits: Any) -> str:
        if kind == "share":
            return self._percent(number, 1 if digits is None else digits)
        if kind == "growth":
            sign = "+" if number > 0 else ""
            return sign + self._percent(number, 1 if digits is None else digits)
        if kind == "money":
            return self._money(number, digits)
        if kind in ("points", "gap"):
            points = rounded(number * 100, digits if isinstance(digits, int) else 1)
            key = f"unit.points_{digits}" if isinstance(digits, str) else "unit.points"
            return self._phrase(key, points if kind == "points" else abs(points), kind == "points")
        if kind == "exact":
            return self._decimal(Decimal(f"{float(number):.6g}"))
        if kind == "nps":
            return self._decimal(rounded(number, digits or 0), signed=True)
        if kind == "days":
            places = digits if isinstance(digits, int) else int(abs(number) < 10 and number != int(number))
            return self._phrase(
                f"unit.days_{digits}" if isinstance(digits, str) else "unit.days",
                rounded(number, places),
            )
        places = {"count": 0, "ratio": 2}.get(kind) if digits is None else digits
        if places is None:  # a plain number: two places at most, none that says nothing
            places = 0 if abs(number) >= 1000 else max(0, -rounded(number, 2).normalize().as_tuple().exponent)
        return self._decimal(rounded(number, places))

    def _decimal(self, number: Decimal, signed: bool = False) -> str:
        text = numerals.decimal_text(self._locale, number, max(0, -number.as_tuple().exponent))
        return f"+{text}" if signed and number > 0 else text

    def _percent(self, number: Decimal, places: int) -> str:
        return numerals.percent_text(self._locale, rounded(number, places + 2), places)

    def _money(self, number: Decimal, digits: int | None) -> str:
        places = digits
        if places is None:
            places = 0 if abs(number) >= 1000 else numbers.get_currency_precision(self.currency)
        return numerals.money_text(self._locale, rounded(number, places), places, self.currency)

    def _phrase(self, key: str, number: Decimal, signed: bool = False) -> str:
        """A number with its unit in words, in the plural form that the printed digits ask for."""
        entry = self._entries[key]
        form = entry.get(self._locale.plural_form(abs(number)), entry["other"])
        return form.format(number=self._decimal(number, signed))

    def _moment(self, value: Any, kind: str, form: str | None) -> str:
        try:
            moment = dt.datetime.fromisoformat(str(value))
        except ValueError:
            raise ReportError(f"{value!r} is not a date like 2024-07-01.") from None
        if form:  # a language whose months bend has their names in the form that a sentence asks for
            name = self.say(f"months.{form}").split(", ")[moment.month - 1]
            return f"{name} {dates.format_skeleton('y', moment, locale=self._locale)}"
        if kind in _SKELETONS:
            return dates.format_skeleton(_SKELETONS[kind], moment, locale=self._locale)
        length = "long" if kind in ("date", "moment") else "medium"
        day = dates.format_date(moment, format=length, locale=self._locale)
        if kind != "moment" or moment.time() == dt.time():
            return day
        return f"{day}, {dates.format_time(moment, format='short', locale=self._locale)}"

    def _inside(self, name: Any) -> str:
        """A column inside a sentence: our word for it without its capital, a client's own name as it is."""
        entry = self._entries.get(f"column.{name}", str(name))
        text = entry if isinstance(entry, str) else str(name)
        return text if text[1:2].isupper() or text == str(name) else text[:1].lower() + text[1:]

    # -- the catalogue -----------------------------------------------------

    @cached_property
    def _entries(self) -> Entries:
        return catalogues.entries(self.language)

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


def _form(entry: str | dict[str, str], key: str, values: Mapping[str, Any], locale: Locale) -> str:
    """The entry's text, or the plural form that its counting value asks for."""
    if isinstance(entry, str):
        return entry
    name = entry["plural"]
    if _is_missing(values.get(name)):
        raise ReportError(f"Sentence {key!r} chooses its plural by {name!r}, which is missing.")
    number = abs(rounded(Decimal(str(float(values[name]))), 0))
    if not number and "zero" in entry:  # in any language, nothing may be worth words of its own
        return entry["zero"]
    return entry.get(locale.plural_form(number), entry["other"])


def phrase(key: str, **values: Any) -> Phrase:
    """A sentence of the catalogue in English, for who reads a result; a report says it in its own language.

    >>> phrase("unit.days", number=2)
    '2 days'
    """
    return _english().phrase(key, **values)


@lru_cache(maxsize=1)
def _english() -> Voice:
    return Voice()


def _is_missing(value: Any) -> bool:
    return value is None or (not isinstance(value, (str, list, tuple)) and bool(pd.isna(value)))
