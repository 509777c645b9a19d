"""Frames as HTML tables: plain and coloured, each value in its column's unit, and the same as JSON.

HTML is put together by `Markup.format` alone, which escapes whatever is not
markup already, so a customer named `<script>` is a customer.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from html.parser import HTMLParser
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from retention_kit import lengths, names
from retention_kit.colours import luminance
from retention_kit.exceptions import ReportError
from retention_kit.sentences import Voice

Made = TypeVar("Made")

# The heat table's ramp, one hue: light is little. Read by everyone, in print without colour too.
_RAMP = np.array([(242, 247, 252), (189, 215, 236), (107, 174, 214), (33, 113, 181)])
_STEPS = 24

# What a column holds when `formats` does not say; a `_rate` or `_share` is a share.
_COLUMN_UNITS = {
    "amount": "money",
    "revenue": "money",
    "clv_historical": "money",
    "average_order_value": "money",
    "spend_per_customer": "money",
    "mrr": "money",
    "base_mrr": "money",
    "value_at_risk": "money",
    "profit": "money",
    "profit_per_customer": "money",
    "acquisition_cost": "money",
    "cost_to_serve": "money",
    "revenue_before": "money",
    "same_revenue": "money",
    "known_revenue": "money",
    "new_revenue": "money",
    "total_value": "money",
    "top_value": "money",
    "expected_value": "money",
    "value_in_doubt": "money",
    "cumulative_revenue": "money",
    "cumulative_revenue_per_customer": "money",
    "revenue_per_customer": "money",
    "days_since_last_order": "count",
    "nps": "nps",
    "importance": "share",
    "side": "word.side",
    "theme": "word.theme",
    "nps_low": "nps",
    "nps_high": "nps",
    "nps_without": "nps",
    "r2": "share",
    "pooled": "nps",
    "others": "nps",
    "limit_low": "nps",
    "limit_high": "nps",
    "caution": "word.caution",
    "signal": "word.signal",
    "verdict": "word.verdict",
    "earlier_nps": "nps",
    "later_nps": "nps",
    "net_revenue_retention": "share",
    "gross_revenue_retention": "share",
    "survival": "share",
    "interval": "word.interval",
    "order_type": "word.order_type",
}
#: Units that a value with bounds can have; those of dates and words are none.
_MEASURED = ("share", "nps", "money", "count", "number", "exact", "ratio", "days")


# -- as pandas wrote it ----------------------------------------------------------


def bare(html: str) -> Markup:
    """A table that pandas wrote, of its cells alone: whatever else its HTML holds is left out.

    >>> print(bare('<style>x</style><table class="y"><tr><td onclick="z">a &lt; b</td></tr></table>'))
    <div class="bare"><table><tr><td>a &lt; b</td></tr></table></div>
    """
    reader = _Bare()
    reader.feed(html)
    reader.close()
    return Markup('<div class="bare">{}</div>').format(reader.written())


class _Bare(HTMLParser):
    """Keeps a table's tags with their spans, and the text of its cells."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Markup] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("table", "thead", "tbody", "tr", "th", "td"):
            spans = {name: value for name, value in attrs if name in ("colspan", "rowspan") and value}
            told = [Markup(' {}="{}"').format(name, value) for name, value in spans.items()]
            self.parts.append(Markup("<{}{}>").format(tag, Markup("").join(told)))
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.parts.append(Markup("</{}>").format(self.open.pop()))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("th", "td"):
            self.parts.append(escape(data))

    def written(self) -> Markup:
        """All that was kept, with what was left open closed."""
        closed = [Markup("</{}>").format(tag) for tag in reversed(self.open)]
        return Markup("").join([*self.parts, *closed])


# -- plain ---------------------------------------------------------------------


def plain(frame: pd.DataFrame, voice: Voice, formats: Mapping[str, str], caption: str | None) -> Markup:
    """A table with a heading a column, the first column heading its row."""
    units = {column: unit_of(frame, column, formats) for column in frame.columns}
    units = {column: _alike(frame[column]) if unit == "number" else unit for column, unit in units.items()}
    head = [
        Markup('<th scope="col"{}>{}</th>').format(_side(unit), fitted(voice.word("column", column)))
        for column, unit in units.items()
    ]
    # `%` escapes as `format` does, in a third of the time, and there are thousands of cells.
    cells = [Markup(f"<td{_side(unit)}>%s</td>") for unit in units.values()]
    cells[0] = Markup('<th scope="row">%s</th>')
    columns = [
        _each(column, lambda value, cell=cell, unit=unit: cell % fitted(voice.format(value, short(unit))))
        for (_, column), cell, unit in zip(frame.items(), cells, units.values(), strict=True)
    ]
    body = [Markup("<tr>%s</tr>") % join(row) for row in zip(*columns, strict=True)]
    title = Markup("<caption>{}</caption>").format(caption) if caption else ""
    # Of few columns a table is narrow: numbers are read across, so they stand near each other.
    return Markup('<table style="--columns:{}">{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table>').format(
        len(units), title, join(head), join(body)
    )


def _alike(numbers: pd.Series) -> str:
    """The unit of a column of plain numbers: as many places in each cell as the longest of them needs, two at
    most, so that they can be read down.
    """
    sizes = pd.to_numeric(numbers, errors="coerce").abs()
    near = sizes[sizes < 1000]
    places = next((places for places in (0, 1) if (near.round(2) == near.round(places)).all()), 2)
    return f"number.{places if len(near) else 0}"


def fitted(text: str, longest: int = 120) -> str:
    """A text that fits its place: of an endless one the beginning, with the whole to be seen in its title."""
    if len(text) <= longest:
        return text
    return Markup('<span title="{}">{}</span>').format(names.visible(text), names.shown(text, longest))


def short(unit: str) -> str:
    """The unit as a cell or a card has room for: "+1.2 pp", where a sentence says percentage points."""
    return "points.short" if unit == "points" else unit


def _side(unit: str) -> Markup:
    """Words stand left, numbers right."""
    return Markup(' class="t"') if unit == "text" or unit.startswith("word.") else Markup("")


def scroll(inner: Markup, label: str) -> Markup:
    """A box of its own to scroll in, reachable by keyboard, so that the page never scrolls sideways."""
    return Markup('<div class="scroll" role="group" aria-label="{}" tabindex="0">{}</div>').format(
        label, inner
    )


def join(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


# -- coloured ------------------------------------------------------------------


def heat(
    frame: pd.DataFrame,
    voice: Voice,
    caption: str,
    *,
    index: str,
    columns: str,
    values: str,
    size: str | None,
    counts: str | None,
    unit: str,
) -> Markup:
    """A long frame as a coloured triangle; see `exhibits.heat_table`."""
    if frame.duplicated([index, columns]).any():
        raise ReportError(
            f"{caption!r}: more than one row for a {index} and {columns}. Pick one group first."
        )
    wide = _without_certain_start(frame.pivot(index=index, columns=columns, values=values))
    part = frame.pivot(index=index, columns=columns, values=counts) if counts else None
    whole = frame.groupby(index)[size].max() if size else None
    top, bottom = max(wide.max().max(), 0), min(wide.min().min(), 0)
    span = (top - bottom) or 1

    index_unit, column_unit = unit_of(frame, index, {}), unit_of(frame, columns, {})
    sides = [Markup('<th scope="col" rowspan="2">{}</th>').format(voice.word("column", index))]
    if size:
        sides.append(
            Markup('<th scope="col" rowspan="2" class="size">{}</th>').format(voice.word("column", size))
        )
    over = Markup('<th scope="colgroup" colspan="{}" class="over">{}</th>').format(
        len(wide.columns), _counted_in(frame, columns, voice)
    )
    ages = join(
        Markup('<th scope="col">{}</th>').format(voice.format(each, column_unit)) for each in wide.columns
    )
    body = []
    for row in wide.index:
        cells = [
            Markup('<th scope="row">{}</th>').format(fitted(voice.format(row, index_unit), names.LONGEST))
        ]
        cells += (
            [Markup('<td class="size">{}</td>').format(voice.format(whole[row], "count"))] if size else []
        )
        for column in wide.columns:
            value = wide.at[row, column]
            said = _said_counts(part, whole, row, column, voice)
            cells.append(_cell(voice.format(value, unit), (value - bottom) / span, said))
        body.append(Markup("<tr>{}</tr>").format(join(cells)))
    head = Markup("<thead><tr>{}{}</tr><tr>{}</tr></thead>").format(join(sides), over, ages)
    return Markup(
        '<table class="heat" style="--columns:{}"><caption>{}</caption>{}<tbody>{}</tbody></table>'
    ).format(len(wide.columns), caption, head, join(body))


def _counted_in(frame: pd.DataFrame, column: str, voice: Voice) -> str:
    """A column's word; of an age, which periods it counts, where the frame tells."""
    counted = lengths.age_word(voice.columns, frame.attrs.get("period")) if column == "age" else ""
    return counted or voice.word("column", column)


def _without_certain_start(wide: pd.DataFrame) -> pd.DataFrame:
    """Without a first column that is 1 in every row: the cohort's size says it already."""
    first = wide.columns[0]
    if len(wide.columns) > 1 and (wide[first].dropna() == 1).all():
        return wide.drop(columns=first).dropna(how="all")
    return wide


def _cell(text: str, level: float, said: str) -> Markup:
    if pd.isna(level):
        return Markup('<td class="gap"></td>')
    back, ink = heat_colours(level)
    title = Markup(' title="{}"').format(said) if said else ""
    return Markup('<td style="background:{};color:{}"{}>{}</td>').format(back, ink, title, text)


def _said_counts(part: Any, whole: Any, row: Any, column: Any, voice: Voice) -> str:
    if part is None or whole is None or pd.isna(part.at[row, column]):
        return ""
    return voice.say("exhibit.part_of", part=part.at[row, column], whole=whole[row])


def heat_colours(level: float) -> tuple[str, str]:
    """Background and text colour for a level between 0 and 1; contrast is at least 4.5.

    >>> heat_colours(0.0), heat_colours(1.0)
    (('#f2f7fc', '#000'), ('#2171b5', '#fff'))
    """
    step = round(min(max(level, 0.0), 1.0) * _STEPS) / _STEPS
    stops = np.linspace(0, 1, len(_RAMP))
    rgb = [round(float(np.interp(step, stops, channel))) for channel in _RAMP.T]
    # Black on white is 21 to 1, so one of the two always reaches the root of 21, 4.58.
    ink = "#000" if (luminance(rgb) + 0.05) ** 2 >= 1.05 * 0.05 else "#fff"
    return "#{:02x}{:02x}{:02x}".format(*rgb), ink


# -- units ---------------------------------------------------------------------


def unit_of(frame: pd.DataFrame, column: Any, formats: Mapping[str, str]) -> str:
    """The unit a column is shown in: as said, else by its name, else by what it holds."""
    named = named_unit(column, formats)
    if named:
        return named
    if column in ("low", "high"):
        units = (named_unit(other, formats) for other in frame.columns)
        owners = [unit for unit in units if unit and unit.partition(".")[0] in _MEASURED]
        return "share" if "share" in owners else owners[0] if owners else "number"
    values = frame[column]
    if pd.api.types.is_datetime64_any_dtype(values):
        days = values.dropna()
        return "month" if ((days.dt.day == 1) & (days == days.dt.normalize())).all() else "day"
    if pd.api.types.is_bool_dtype(values):
        return "word.truth"
    if not pd.api.types.is_numeric_dtype(values):
        return "text"
    return "count" if pd.api.types.is_integer_dtype(values) else "number"


def named_unit(column: Any, formats: Mapping[str, str]) -> str | None:
    """The unit that `formats` or the column's own name gives, if any."""
    by_name = "share" if str(column).endswith(("_rate", "_share")) else _COLUMN_UNITS.get(str(column))
    return formats.get(column) or by_name


# -- data ----------------------------------------------------------------------


def table_data(
    frame: pd.DataFrame, name: str, caption: str, voice: Voice, formats: Mapping[str, str]
) -> dict[str, Any]:
    """A table as JSON, unrounded, with what it takes to read it: for files, workbooks and downloads.

    `units` has the unit of each column; `definition` and `as_of` are the frame's own, where it has them.
    """
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise ReportError(f"Name {name!r} becomes a file: use small letters, digits and _ only.")
    if not caption.strip():
        raise ReportError(f"{name!r}: the caption is blank.")
    return {
        "name": name,
        "caption": caption,
        "definition": str(voice.said(frame.attrs.get("definition") or "")),
        "as_of": frame.attrs.get("as_of"),
        "columns": [str(column) for column in frame.columns],
        "units": [unit_of(frame, column, formats) for column in frame.columns],
        "rows": json_rows(frame),
    }


def json_rows(frame: pd.DataFrame) -> list[list[Any]]:
    """A frame's rows as plain JSON values."""
    columns = [_json_values(column) for _, column in frame.items()]
    return [list(row) for row in zip(*columns, strict=True)]


def _json_values(column: pd.Series) -> list[Any]:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":  # most of what a report keeps
        known = zip(column.tolist(), np.isfinite(column.to_numpy()).tolist(), strict=True)
        return [number if finite else None for number, finite in known]
    return _each(column, json_value)


def _each(column: pd.Series, make: Callable[[Any], Made]) -> list[Made]:
    """What is made of each value; whole numbers, names and first days come again, and are made once.

    Not so with floats, which seldom come again, nor with objects, of which 1 and True are equal.
    """
    values = column.tolist()
    if column.dtype == object or pd.api.types.is_float_dtype(column.dtype):
        return [make(value) for value in values]
    made = {value: make(value) for value in set(values)}
    return [made[value] for value in values]


def json_value(value: Any) -> Any:
    """A value as JSON: dates in ISO form without an empty time, missing and infinite as null."""
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if isinstance(value, (dt.datetime, np.datetime64)):
        return pd.Timestamp(value).isoformat().removesuffix("T00:00:00")
    item = value.item() if isinstance(value, np.generic) else value
    if isinstance(item, float) and not np.isfinite(item):
        return None
    return item if isinstance(item, (bool, int, float, str)) else str(item)
