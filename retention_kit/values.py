"""Text to numbers and moments, as exports write them, on the engine and without losing a row.

A column of a CSV or Excel file is text. It is read as what our own column needs: the decimal
sign and the order of day and month are decided from the whole column, shown, and refused where
two readings are possible. What cannot be read becomes null, and the door counts it.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import available_timezones

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from retention_kit import blanks, mappings, signs, spelled, worded
from retention_kit.contracts import IDS
from retention_kit.exceptions import DataError, did_you_mean
from retention_kit.mappings import Mapped
from retention_kit.sentences import phrase
from retention_kit.spelled import TIMES, local_time, needs_zone, try_strptime

#: Where it is kept what could not be read, and the rule that sets such rows aside.
UNREADABLE = {"_bad_date": "unreadable date", "_bad_number": "unreadable number"}
_SPACES = r"[\s\x{00a0}\x{202f}]"
_POINT = r"^[+-]?(\d+|[1-9]\d{0,2}(,\d{3})+)?(\.\d*)?([eE][+-]?\d+)?$"
_COMMA = r"^[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+)?(,\d*)?([eE][+-]?\d+)?$"
_TIME = r"([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?)?"
_ZONED = r"^\d{4}-\d{1,2}-\d{1,2}[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[+-]\d{2}(:?\d{2})?)$"

# Each order of day, month and year: the shape of its texts and the formats that read them.
_ORDERS = {
    "year first": (r"^(\d{4}-\d{1,2}-\d{1,2}|\d{8})" + _TIME + "$", ("%Y-%m-%d", "%Y%m%d")),
    "day first": (r"^\d{1,2}-\d{1,2}-(\d{4}|\d{2})" + _TIME + "$", ("%d-%m-%Y", "%d-%m-%y")),
    "month first": (r"^\d{1,2}-\d{1,2}-(\d{4}|\d{2})" + _TIME + "$", ("%m-%d-%Y", "%m-%d-%y")),
}


@dataclass(frozen=True)
class Hints:
    """What a user says of how a source is written; None is to be guessed."""

    decimal: str | None = None
    day_first: bool | None = None
    timezone: str | None = None

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise DataError(f"decimal {self.decimal!r} is no decimal sign. Say decimal='.' or decimal=','.")
        if self.timezone is not None and self.timezone not in available_timezones():
            hint = did_you_mean(self.timezone, available_timezones())
            raise DataError(f"timezone {self.timezone!r} is not in the tz database.{hint}")


class Reading(NamedTuple):
    """How a text column is read: the expression, and what was guessed in words, none where it is evident."""

    read: Callable[[ir.Value], ir.Value]
    guesses: tuple[str, ...] = ()


def number_reading(table: ir.Table, column: str, decimal: str | None) -> Reading:
    """Decide the decimal sign of a text column from all its values.

    Raises
    ------
    DataError
        When a value such as `1,234` reads as two different numbers and none decides.
    """
    bare = _bare(table[column])
    counts = _read_either_way(table, bare)
    sign = signs.of(table, bare) if counts["neither"] else ""
    guesses = [phrase("note.money_sign", column=column, sign=sign)] if sign else []
    if decimal is None:
        if sign:
            counts = _read_either_way(table, signs.without(bare, sign))
        decimal, guess = _guess_decimal(column, counts)
        guesses += [guess] if guess else []
    pattern = _POINT if decimal == "." else _COMMA

    def read(text: ir.StringValue) -> ir.FloatingValue:
        bare = signs.without(_bare(text), sign)
        digits = bare.replace("," if decimal == "." else ".", "").replace(",", ".")
        readable = bare.re_search(pattern) & bare.re_search(r"\d")
        return _finite(readable.ifelse(digits, ibis.null("string")).try_cast("float64"))  # 1e400 is infinite

    return Reading(read, tuple(guesses))


def _bare(text: ir.StringValue) -> ir.StringValue:
    """A number without what only groups its digits, its minus sign the one of ASCII."""
    return blanks.filled(text).re_replace(_SPACES, "").re_replace("['’]", "").replace("−", "-")


def _read_either_way(table: ir.Table, bare: ir.StringValue) -> dict[str, Any]:
    """How many texts are numbers with a point alone, with a comma alone, with both or with neither."""
    point, comma = bare.re_search(_POINT), bare.re_search(_COMMA)
    both = point & comma & bare.re_search("[.,]")
    return (
        table.select(bare=bare, point=point, comma=comma, both=both)
        .aggregate(
            point=lambda t: (t.point & ~t.comma).sum().fill_null(0),
            comma=lambda t: (t.comma & ~t.point).sum().fill_null(0),
            both=lambda t: t.both.sum().fill_null(0),
            neither=lambda t: (~t.point & ~t.comma).sum().fill_null(0),
            example=lambda t: t.bare.min(where=t.both),
        )
        .to_pyarrow()
        .to_pylist()[0]
    )


def _guess_decimal(column: str, counts: Mapping[str, Any]) -> tuple[str, str]:
    if counts["both"] and counts["point"] == counts["comma"]:
        raise DataError(_ambiguous_number(column, counts["example"]))
    if counts["comma"] > counts["point"]:
        return ",", phrase("note.decimal_comma", column=column)
    return ".", phrase("note.decimal_point", column=column) if counts["point"] else ""


def _ambiguous_number(column: str, example: str) -> str:
    as_point = float(example.replace(",", ""))
    as_comma = float(example.replace(".", "").replace(",", "."))
    return (
        f"{column}: {example!r} reads as {as_point:g} or as {as_comma:g}, and no other value decides. "
        "Say which sign starts the decimals with decimal='.' or decimal=','."
    )


def moment_reading(table: ir.Table, column: str, day_first: bool | None, zone: str | None) -> Reading:
    """Decide the order of day, month and year of a text column from all its dates.

    Raises
    ------
    DataError
        When every date reads both day first and month first, or a zone is needed and not given.
    """
    dates = _distinct_dates(table, column)
    counts = _readable_dates(dates)
    if counts["zoned"] > counts["filled"] / 2:
        return Reading(_zoned(column, zone))
    if counts["worded"] > counts["filled"] / 2:
        return Reading(spelled.reading(table, column, zone))
    if counts["year first"] > counts["filled"] / 2:
        order, guess = "year first", ""
    elif day_first is not None:
        order, guess = ("day first" if day_first else "month first"), ""
    else:
        order = _day_or_month(column, counts)
        guess = phrase(f"note.{order.replace(' ', '_')}", column=column)
    return Reading(lambda text: _parsed(_dashed(text), order), (guess,) if guess else ())


def _distinct_dates(table: ir.Table, column: str) -> ir.Table:
    """The different texts of a column, times cut off where no zone follows: few, even in a long file."""
    text = blanks.filled(table[column])
    dashed = _dashed(table[column])
    return table.select(
        date=dashed.re_extract(r"^[^ T]+", 0),
        example=text.re_extract(r"^[^ T]+", 0),
        dotted=text.re_search(r"^\d{1,2}\."),
        zoned=text.re_search(_ZONED),
        worded=text.re_search(spelled.WORD),
    ).distinct()


def _readable_dates(dates: ir.Table) -> dict:
    read = {name: _parsed(dates.date, name) for name in _ORDERS}
    measures = {name: moment.count() for name, moment in read.items()}
    days, months = read["day first"].notnull(), read["month first"].notnull()
    return (
        dates.aggregate(
            filled=dates.date.count(),
            zoned=dates.zoned.sum().fill_null(0),
            worded=dates.worded.sum().fill_null(0),
            dotted=dates.dotted.sum().fill_null(0),
            both=dates.example.min(where=days & months),
            day=dates.example.min(where=days & ~months),
            month=dates.example.min(where=months & ~days),
            **measures,
        )
        .to_pyarrow()
        .to_pylist()[0]
    )


def _day_or_month(column: str, counts: dict) -> str:
    days, months = counts["day first"], counts["month first"]
    if days == months == 0:
        return "year first"  # nothing reads either way, and what does not read is counted
    if days == months and not counts["dotted"]:
        if counts["day"] is None:
            found = f"every date reads both day first and month first (such as {counts['both']!r})"
        else:
            found = f"{counts['day']!r} is day first and {counts['month']!r} month first, as many of each"
        raise DataError(f"{column}: {found}. Say which with day_first=True or day_first=False.")
    return "day first" if days >= months else "month first"  # at a tie, 03.04.2024 is day first


def _dashed(text: ir.StringValue) -> ir.StringValue:
    """One separator for all: 01.07.2024, 1/7/2024 and 2024/07/01 become dashes."""
    return blanks.filled(text).re_replace(r"^(\d+)[./-](\d+)[./-](\d+)", r"\1-\2-\3")


def _parsed(dashed: ir.StringValue, order: str) -> ir.TimestampValue:
    shape, dates = _ORDERS[order]
    spaced = dashed.re_replace("(\\d)T(\\d)", r"\1 \2").re_replace(r"(\d) ?([AaPp][Mm])$", r"\1 \2")
    # %Y would read the year 24 as Anno Domini 24, so two-digit years have formats of their own.
    long, short = dates
    is_short = spaced.re_search(r"^(\d{1,2}-\d{1,2}-\d{2}|\d{8})( |$)")
    read = is_short.ifelse(
        try_strptime(spaced, [short + time for time in TIMES]),
        try_strptime(spaced, [long + time for time in TIMES]),
    )
    return spaced.re_search(shape).ifelse(read, ibis.null("timestamp"))


def _zoned(column: str, zone: str | None) -> Callable[[ir.StringValue], ir.TimestampValue]:
    if zone is None:
        raise DataError(needs_zone(column))

    def read(text: ir.StringValue) -> ir.TimestampValue:
        moment = blanks.filled(text)
        # DuckDB reads 10:00:00+02:00 and not "10:00 +0200"; without an offset it would take UTC for it.
        spelled = moment.re_replace(r"\s(Z|[+-])", r"\1").re_replace(r"([+-]\d{2})(\d{2})$", r"\1:\2")
        spelled = spelled.re_replace(r"([ T]\d{1,2}:\d{2})(Z|[+-])", r"\1:00\2")
        zoned = moment.re_search(_ZONED).ifelse(spelled, ibis.null("string"))
        return local_time(ibis.literal(zone), zoned.try_cast(dt.Timestamp(timezone="UTC")))

    return read


# --- a source's columns made ours ------------------------------------------------------------------


def calculated(
    table: ir.Table, mapped: Sequence[Mapped], hints: Hints, plain: Mapping[str, ir.Value], dialect: str
) -> tuple[ir.Table, list[str]]:
    """The mapped columns under our names, text read as numbers where an expression calculates with it.

    `plain` holds those that `texts` has read.

    Returns
    -------
    table
        Our columns as the source has them, and where there may be one `_bad_number`: the first text that is
        no number.
    guesses
        The decimal signs that were guessed, in words.
    """
    text = [name for name, kind in table.schema().items() if kind.is_string()]
    read: dict[str, ir.Value] = {}
    guesses: list[str] = []
    for item in mapped:
        for use in mappings.numeric_uses(item, text):
            number = f"_number_{use.name}"
            if use.name in plain:
                read[number] = plain[use.name]
            elif number not in read:
                reading = number_reading(table, use.name, hints.decimal)
                read[number] = reading.read(table[use.name])
                guesses += reading.guesses
            use.set("this", mappings.quoted(number))
    sources = [name.removeprefix("_number_") for name in read]
    with_numbers = table.mutate(**read)
    bad = [_unread(with_numbers[name], with_numbers[f"_number_{name}"]) for name in sources]
    flagged = with_numbers.mutate(**_first("_bad_number", bad))
    beside = [name for name in flagged.columns if name in ("_bad_number", "_repeats")]
    return mappings.project(flagged, mapped, beside, dialect), guesses


def number_of(table: ir.Table, name: str) -> tuple[ir.FloatingValue, ir.StringValue]:
    """A column beyond our own as numbers, text read as the door reads it; and what could not be."""
    number = _numbers(table, name, Hints()).read(table[name])
    unread = _unread(table[name], number)
    return number, ibis.null("string") if unread is None else unread


def _first(name: str, bad: Sequence[ir.Value | None]) -> dict[str, ir.Value]:
    """The first of them that is there as a column; none where all can be read: to write nulls down costs."""
    found = [each for each in bad if each is not None]
    return {name: ibis.coalesce(*found)} if found else {}


def _unread(source: ir.Value, value: ir.Value) -> ir.StringValue | None:
    """What stands there where it could not be read, as text, else null; None where all can be read."""
    if not (source.type().is_string() or source.type().is_integer()):
        return None
    text = source.cast("string")
    return (blanks.filled(text).notnull() & value.isnull()).ifelse(text, ibis.null("string"))


def typed(
    table: ir.Table,
    dates: Sequence[str],
    numbers: Sequence[str],
    hints: Hints,
    *,
    filled: AbstractSet[str] = frozenset(),
) -> tuple[ir.Table, list[str], bool]:
    """Our columns in our types: ids text, moments naive and local, numbers float.

    Ids in columns of `filled` are known to be written as `blanks.filled` writes them.

    Returns
    -------
    table
        The typed columns, and where there may be one `_bad_date` and `_bad_number` (the first text of a row
        that cannot be read).
    guesses
        What was guessed, in words.
    as_it_is
        Whether each column is read as it stands, so that reading it again costs nothing.
    """
    bad_dates, guesses, columns = [], [], {}
    bad_numbers = [table["_bad_number"]] if "_bad_number" in table.columns else []
    for name in table.columns:
        if name in dates:
            reading = _moments(table, name, hints)
            bad = bad_dates
        elif name in numbers:
            reading = _numbers(table, name, hints)
            bad = bad_numbers
        else:
            kept = name.startswith("_") or name in filled
            columns[name] = table[name] if kept else _label(table[name], name)
            continue
        columns[name] = reading.read(table[name])
        guesses += reading.guesses
        bad.append(_unread(table[name], columns[name]))
    columns |= _first("_bad_date", bad_dates) | _first("_bad_number", bad_numbers)
    read = [*texts_of(table, dates, moments=True), *texts_of(table, numbers)]
    as_it_is = not read and filled >= columns.keys() & IDS
    return table.select(**columns), guesses, as_it_is


def texts_of(table: ir.Table, names: Sequence[str], *, moments: bool = False) -> list[str]:
    """Those columns that are text still; of moments also whole numbers (20240701)."""
    kinds = {name: table[name].type() for name in names if name in table.columns}
    return [name for name, kind in kinds.items() if kind.is_string() or (moments and kind.is_integer())]


def _moments(table: ir.Table, name: str, hints: Hints) -> Reading:
    kind = table[name].type()
    if kind.is_string():
        return moment_reading(table, name, hints.day_first, hints.timezone)
    if kind.is_integer():  # 20240701
        return Reading(lambda value: _parsed(value.cast("string"), "year first"))
    if kind.is_timestamp() and kind.timezone is not None:
        if hints.timezone is None:
            raise DataError(needs_zone(name))
        return Reading(lambda value: local_time(ibis.literal(hints.timezone), value))
    if kind.is_timestamp() or kind.is_date() or kind.is_null():
        return Reading(lambda value: value.cast("timestamp"))
    raise DataError(f"{name} holds {kind}, and a date is needed. Map a column of dates, or an expression.")


def _numbers(table: ir.Table, name: str, hints: Hints) -> Reading:
    kind = table[name].type()
    if kind.is_string() and name == "score":
        return _scores(table, name, hints)
    if kind.is_string():
        return number_reading(table, name, hints.decimal)
    if kind.is_numeric() or kind.is_boolean() or kind.is_null():
        return Reading(lambda value: _finite(value.cast("float64")))
    raise DataError(
        f"{name} holds {kind}, and a number is needed. Map a column of numbers, or an expression."
    )


def _scores(table: ir.Table, name: str, hints: Hints) -> Reading:
    """Scores, some of which surveys write with what they mean: `10 - extremely likely`, or after it."""
    if not table.filter(worded.found(table[name])).limit(1).count().execute():
        return number_reading(table, name, hints.decimal)
    reading = number_reading(table.mutate(**{name: worded.without(table[name])}), name, hints.decimal)
    said = phrase("note.score_words", column=name)
    return Reading(lambda text: reading.read(worded.without(text)), (said,))


def _finite(number: ir.FloatingValue) -> ir.FloatingValue:
    return (number.isnan() | number.isinf()).ifelse(ibis.null("float64"), number)


def _label(value: ir.Value, name: str) -> ir.Value:
    """Ids as text however the source keeps them (1042, 1042.0, ' 1042 '); other columns as they are."""
    kind = value.type()
    if name not in IDS:
        return value.nullif("") if kind.is_string() else value
    if kind.is_string():
        return blanks.filled(value)
    if kind.is_floating():
        whole = _finite(value.cast("float64"))
        return (whole == whole.floor()).ifelse(whole.cast("int64").cast("string"), whole.cast("string"))
    return value.cast("string")
