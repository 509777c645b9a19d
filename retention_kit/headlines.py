"""A measured figure with all that is needed to read it: unit, good direction, counts, definition."""

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import pandas as pd

from retention_kit.exceptions import ReportError, did_you_mean
from retention_kit.phrases import Phrase

UNITS = ("share", "points", "money", "count", "nps", "ratio", "days")
DIRECTIONS = ("up", "down", "neither")

_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


@dataclass(frozen=True)
class Headline:
    """One figure of a chapter, as it stands on a card, in `headlines.json` and in the summary.

    The label is not here: it is looked up by name in the catalogue of the
    report's language, as `headline.<name>`.

    Parameters
    ----------
    name : str
        Chapter and figure, such as `retention.month_1`.
    value : float or None
        Unrounded; a share is 0 to 1, never percent. None when it cannot be known, never NaN.
    unit : {"share", "points", "money", "count", "nps", "ratio", "days"}
        Points are the signed difference of two shares, −1 to 1.
    good : {"up", "down", "neither"}
        Which way is better for the client.
    counts : mapping or pairs
        The numbers it was made from, by name; a share without them is refused.
    definition : str
        What was divided by what, in words; of a metric, a phrase that can be said in another language.
    as_of : str
        ISO date of the first moment not observed. A date or datetime is turned into one.
    low, high : float, optional
        Bounds of the interval, together or not at all.
    interval : str, optional
        The interval's method and level, such as `Wilson 95 %`; needed with bounds.
    period : str, optional
        The period the figure is about, as text to print.
    foretells : pair of str, optional
        Of a forecast, ISO dates: the first day it is about and the first one after. A later report says
        whether it came true.

    Raises
    ------
    ReportError
        For an unknown unit or direction, a NaN, a share without counts, bounds without a method.

    Examples
    --------
    >>> one = Headline("retention.month_1", 324 / 885, unit="share", good="up",
    ...                counts={"retained": 324, "customers": 885},
    ...                definition="retained / customers", as_of="2011-12-10")
    >>> Headline.from_json(one.to_json()) == one
    True
    """

    name: str
    value: float | None
    unit: str
    good: str
    counts: Mapping[str, int | float] = field(hash=False)
    definition: str
    as_of: str
    low: float | None = None
    high: float | None = None
    interval: str | None = None
    period: str | None = None
    foretells: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            object.__setattr__(self, name, _plain(self.name, name, getattr(self, name)))
        counts = {str(key): _plain(self.name, key, value) for key, value in dict(self.counts).items()}
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "as_of", _iso(self.name, self.as_of))
        if self.foretells is not None:
            since, until = (_iso(self.name, moment) for moment in self.foretells)
            object.__setattr__(self, "foretells", (since, until))
        _check_words(self)
        _check_numbers(self)

    def to_json(self) -> dict[str, Any]:
        """A dict of plain JSON types, for a notebook's output and `headlines.json`.

        `definition` is in the language it was said in; `definition_key` is what it means in any.
        """
        key = self.definition.words if isinstance(self.definition, Phrase) else None
        return asdict(self) | {"definition": str(self.definition), "definition_key": key}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Headline":
        """The headline that `to_json` wrote."""
        known = [f.name for f in fields(cls)]
        values = {name: value for name, value in data.items() if name != "definition_key"}
        for key in values:
            if key not in known:
                raise ReportError(f"A headline has no {key!r}.{did_you_mean(key, known)} It has {known}.")
        if data.get("definition_key") and "definition" in values:
            values["definition"] = Phrase(values["definition"], data["definition_key"])
        try:
            return cls(**values)
        except TypeError:
            needed = [name for name in known[:7] if name not in data]
            raise ReportError(f"Headline {data.get('name')!r} is missing {needed}.") from None


def of(
    name: str,
    frame: pd.DataFrame,
    value: str,
    *,
    unit: str,
    good: str,
    counts: Sequence[str] = (),
    low: str = "low",
    high: str = "high",
    foretells: Sequence[str] = (),
) -> Headline:
    """The headline that one row of a result frame makes; a frame without a row makes one "not known".

    Parameters
    ----------
    frame : DataFrame
        A metric's result with one row left; its `attrs` hold `definition` and `as_of`.
    value, counts, low, high : str
        The columns that hold the figure, what it was counted from, and its bounds (left out where
        the frame has none).
    foretells : pair of str, optional
        Of a forecast, the columns of the first day it is about and of the first one after.

    Raises
    ------
    ReportError
        When more than one row is left.

    Examples
    --------
    >>> row = pd.DataFrame({"rate": [0.4], "kept": [2], "customers": [5]})
    >>> row.attrs = {"definition": "kept / customers", "as_of": "2024-07-01"}
    >>> of("retention.month_1", row, "rate", unit="share", good="up", counts=["kept", "customers"]).counts
    {'kept': 2, 'customers': 5}
    """
    if len(frame) > 1:
        raise ReportError(f"Headline {name!r} is one figure, and the frame has {len(frame)} rows. Filter it.")
    told = {"definition": frame.attrs["definition"], "as_of": frame.attrs["as_of"]}
    if frame.empty or pd.isna(frame[value].iloc[0]):
        return Headline(name, None, unit=unit, good=good, counts={}, **told)
    row = {
        column: frame[column].iloc[0] for column in frame
    }  # a row of its own would turn counts into floats
    bounded = low in row and high in row and pd.notna(row[low]) and pd.notna(row[high])
    sure = {"low": row[low], "high": row[high], "interval": row["interval"]} if bounded else {}
    if foretells:
        told["foretells"] = tuple(row[column] for column in foretells)
    return Headline(
        name, row[value], unit=unit, good=good, counts={each: row[each] for each in counts}, **told, **sure
    )


def _plain(headline: str, name: str, value: Any) -> int | float | None:
    """NumPy and pandas numbers as Python's, so that the headline can be written as JSON."""
    if value is None:
        return None
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise ReportError(f"Headline {headline!r}: {name} must be a number or None, not {value!r}.")
    if not math.isfinite(number):
        raise ReportError(f"Headline {headline!r}: {name} is {number}. Give None when it is not known.")
    return number


def _iso(headline: str, moment: Any) -> str:
    try:
        return dt.date.fromisoformat(str(moment)[:10]).isoformat()
    except ValueError:
        raise ReportError(f"Headline {headline!r}: as_of {moment!r} is not a date like 2024-07-01.") from None


def _check_words(headline: Headline) -> None:
    if not _NAME.fullmatch(headline.name):
        raise ReportError(f"Headline name {headline.name!r} must be like 'retention.month_1'.")
    for word, value, known in (("unit", headline.unit, UNITS), ("good", headline.good, DIRECTIONS)):
        if value not in known:
            raise ReportError(f"Headline {headline.name!r}: {word} {value!r} is not one of {list(known)}.")
    if not headline.definition.strip():
        raise ReportError(f"Headline {headline.name!r} has no definition.")


def _check_numbers(headline: Headline) -> None:
    if headline.unit == "share" and headline.value is not None and not headline.counts:
        raise ReportError(f"Headline {headline.name!r} is a share without counts. Give counts={{...}}.")
    if (headline.low is None) != (headline.high is None):
        raise ReportError(f"Headline {headline.name!r} needs both low and high, or neither.")
    if headline.low is None:
        return
    if headline.low > headline.high:
        raise ReportError(f"Headline {headline.name!r}: low {headline.low} is above high {headline.high}.")
    if not headline.interval:
        raise ReportError(f"Headline {headline.name!r} has bounds but no interval method.")
