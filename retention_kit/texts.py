"""Text columns of a database that it reads itself: moments as 2024-07-01 10:30, numbers as 12.50.

Exports write both in a hundred ways, and telling those apart is the work of the session's own engine, to
which the rows would have to travel. Databases that keep them as text mostly do so in the one plain way, which
every engine reads alike: there one look at all of them decides, and the rows stay.
"""

from collections.abc import Sequence
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from retention_kit import blanks
from retention_kit.sentences import phrase

_LEAP = r"([1-9]\d(0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)"
_TIME = r"([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?)?"
_NUMBER = r"^[+-]?\d{1,30}(\.\d{1,30})?$"
_GROUPED = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$"  # a dot that may part thousands


def _days(sign: str) -> str:
    """The days that there are, written year first with a sign between."""
    thirty_one = rf"(0[13578]|1[02]){sign}(0[1-9]|[12]\d|3[01])"
    thirty = rf"(0[469]|11){sign}(0[1-9]|[12]\d|30)"
    february = rf"02{sign}(0[1-9]|1\d|2[0-8])"
    return rf"([1-9]\d{{3}}{sign}({thirty_one}|{thirty}|{february})|{_LEAP}{sign}02{sign}29)"


_MOMENT = f"^({_days('-')}{_TIME}|{_days('')})$"


class Plain(NamedTuple):
    """Text columns read where they are, by name, and the guesses in words."""

    columns: dict[str, ir.Value]
    guesses: list[str]


class Other(NamedTuple):
    """A column that is written in another way, and a text of it."""

    column: str
    example: str


def read(
    table: ir.Table, moments: Sequence[str], numbers: Sequence[str], decimal: str | None
) -> Plain | Other:
    """The columns of text (of moments also whole numbers, 20240701) as moments and numbers.

    What stands for nothing is null. One text that is not plain, and all of it is `Other`.
    """
    texts = {name: _text(table[name]) for name in (*moments, *numbers)}
    found = {name: text.min(where=~_is_plain(text, name in moments)) for name, text in texts.items()}
    for name in numbers:
        grouped = texts[name].re_search(_GROUPED)
        found[f"{name}_grouped"] = texts[name].min(where=grouped)
        found[f"{name}_point"] = texts[name].min(where=texts[name].contains(".") & ~grouped)
    [seen] = table.aggregate(**found).to_pyarrow().to_pylist()
    for name in texts:
        example = seen[name]
        if example is None and name in numbers:
            example = _unlike(seen[f"{name}_point"], seen[f"{name}_grouped"], decimal)
        if example is not None:
            return Other(name, example)
    as_read = {name: texts[name].cast("float64") for name in numbers}
    as_read |= {name: _dashed(texts[name]).cast("timestamp") for name in moments}
    guessed = [name for name in numbers if decimal is None and seen[f"{name}_point"] is not None]
    return Plain(as_read, [phrase("note.decimal_point", column=name) for name in guessed])


def _is_plain(text: ir.StringValue, is_moment: bool) -> ir.BooleanValue:
    return text.re_search(_MOMENT if is_moment else _NUMBER)


def _unlike(point: str | None, grouped: str | None, decimal: str | None) -> str | None:
    """A text whose dot parts thousands, or may: 1.234, where no other one decides."""
    if decimal == ",":
        return point or grouped
    return grouped if decimal is None and point is None else None


def _text(value: ir.Value) -> ir.StringValue:
    return blanks.filled(value) if value.type().is_string() else value.cast("string")


def _dashed(text: ir.StringValue) -> ir.StringValue:
    parts = (text.substr(0, 4), text.substr(4, 2), text.substr(6, 2))
    return (text.length() == 8).ifelse(ibis.literal("-").join(parts), text)
