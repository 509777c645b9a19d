"""Moments with words in them: months and weekdays by name, zones as GMT+1; mails and surveys write so."""

from collections.abc import Callable

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from retention_kit import blanks
from retention_kit.exceptions import DataError

#: At least this many letters in a row: a name of a month, GMT, UTC; not T, AM or PM.
WORD = r"[A-Za-z]{3}"
_WEEKDAY = r"^(?:Mon|Tues?|Wed|Wednes|Thu|Thurs?|Fri|Sat|Satur|Sun)(?:day)?,? +"
_ZONE = r"(\d(?: ?[AaPp][Mm])?) ?(?:Z|(?:GMT|UTC)?([+-]\d{1,2}(?::?\d{2})?)|GMT|UTC)$"
_CLOCK = r"\d{1,2}:\d{2}"
# After every comma and dash between words has become a blank.
_DATES = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%Y-%m-%d")
_SHORT = ("%d %b %y",)
TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")


@ibis.udf.scalar.builtin
def try_strptime(text: str, formats: dt.Array[dt.string]) -> dt.timestamp:
    """DuckDB's own: the first format that reads the text, else null."""


@ibis.udf.scalar.builtin(name="timezone")
def local_time(zone: str, moment: dt.Timestamp(timezone="UTC")) -> dt.timestamp:
    """DuckDB's own: the wall clock of a zone at a moment."""


def reading(table: ir.Table, column: str, zone: str | None) -> Callable[[ir.StringValue], ir.TimestampValue]:
    """How a column of such moments is read; names of months are English.

    Raises
    ------
    DataError
        When most of them carry an offset from UTC, and no zone is given to read them in.
    """
    text = blanks.filled(table[column])
    counts = table.aggregate(filled=text.count(), zoned=_has_zone(text).sum().fill_null(0)).to_pyarrow()
    if 2 * counts["zoned"][0].as_py() <= counts["filled"][0].as_py():
        return lambda cell: _has_zone(blanks.filled(cell)).ifelse(ibis.null("timestamp"), _wall(cell))
    if zone is None:
        raise DataError(needs_zone(column))

    def read(cell: ir.StringValue) -> ir.TimestampValue:
        filled = blanks.filled(cell)
        moment = (_wall(cell) - _minutes(filled).as_interval("m")).cast(dt.Timestamp(timezone="UTC"))
        return _has_zone(filled).ifelse(local_time(ibis.literal(zone), moment), ibis.null("timestamp"))

    return read


def needs_zone(column: str) -> str:
    """The message for moments with an offset and no zone to read them in."""
    return (
        f"{column} has a time zone, and a month depends on whose clock is read. "
        "Say whose with timezone='Europe/Warsaw' (or another zone of the tz database)."
    )


def _has_zone(text: ir.StringValue) -> ir.BooleanValue:
    return text.re_search(_CLOCK) & text.re_search(_ZONE)


def _wall(text: ir.StringValue) -> ir.TimestampValue:
    """The clock as it is written, whatever zone stands behind it."""
    bare = blanks.filled(text).re_replace(_ZONE, r"\1").re_replace(_WEEKDAY, "")
    bare = bare.re_replace(r"^(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})", r"\1-\2-\3")
    bare = bare.re_replace(r"([A-Za-z0-9])(?:, *|-)([A-Za-z])", r"\1 \2").re_replace(
        r"([A-Za-z])-(\d)", r"\1 \2"
    )
    bare = bare.re_replace(r"(\d),? +(\d)", r"\1 \2").re_replace(r"(\d)([AaPp][Mm])$", r"\1 \2")
    is_short = bare.re_search(r"^\d{1,2} [A-Za-z]{3} \d{2}( |$)")
    long = [date + time for date in _DATES for time in TIMES]
    short = [date + time for date in _SHORT for time in TIMES]
    return is_short.ifelse(try_strptime(bare, short), try_strptime(bare, long))


def _minutes(text: ir.StringValue) -> ir.IntegerValue:
    """The offset from UTC in minutes; GMT alone is none."""
    offset = text.re_extract(_ZONE, 2)
    hours = offset.re_extract(r"^[+-](\d{1,2})", 1).try_cast("int64").fill_null(0)
    minutes = offset.re_extract(r"^[+-]\d{1,2}:?(\d{2})$", 1).try_cast("int64").fill_null(0)
    return (60 * hours + minutes) * offset.startswith("-").ifelse(-1, 1)
