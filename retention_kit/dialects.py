"""Text files of every dialect: delimiter, quote and header told from the whole file, or said."""

import csv
import io
import itertools
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir

from retention_kit import archives, encodings, overlaps, scratch, session
from retention_kit.exceptions import DataError
from retention_kit.opened import AGAIN, Note, Read, Source, refuse_named_twice
from retention_kit.sentences import phrase

_DELIMITERS = ",;\t|"
_ALIGNED = 50  # lines by which a file is taken for one of columns set apart by blanks
_LONGEST_HEADER = 1 << 16
_LOOKED_AT = 1 << 20  # bytes in which a quote is sought that the engine takes for no quote


@dataclass(frozen=True)
class Dialect:
    """How the cells of one text file are told apart; `quote` is "" where quotes are signs of the text."""

    delimiter: str
    quote: str
    escape: str
    skip: int = 0  # lines above the header: blank ones, and Excel's own `sep=;`


@dataclass(frozen=True)
class Hints:
    """What a user says of how a text file is written; None is to be guessed."""

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None


def opened(paths: Sequence[Path], name: str, hints: Hints) -> Source:
    """A source of one or more text files, all cells as text.

    Raises
    ------
    DataError
        When a file is empty or broken, with the line, or the files are not written alike.
    """
    readable, notes = _readable(paths, hints.encoding)
    names = [path.name for path in paths]
    aligned = [_unaligned(path) if hints.delimiter is None else None for path in readable]
    if all(aligned):
        readable, hints = [str(path) for path in aligned], replace(hints, delimiter="\t")
        notes.append(Note("guess", phrase("note.aligned", file=name)))
    found = {each: _dialect(path, each, hints) for each, path in zip(names, readable, strict=True)}
    dialect = _common(found)
    notes += _told(dialect, hints, name)
    headers = [_header(path, dialect) for path in readable]
    notes += _missing(dict(zip(names, headers, strict=True)))
    # How many lines to skip is said, or the engine takes short first lines for remarks and skips them.
    # No line is a comment: one that starts with #N/A or #1001 is a row like the others.
    how = {"header": True, "skip": dialect.skip, "delim": dialect.delimiter, "comment": ""}
    how |= {"quote": dialect.quote, "escape": dialect.escape}
    try:
        table = session.connection().read_csv(
            readable, all_varchar=True, union_by_name=True, nullstr=[""], filename="_path", **how
        )
    except duckdb.Error as error:
        odd = next(filter(None, (_odd_line(path, dialect) for path in readable)), None)
        raise DataError(f"{name} {odd}" if odd else complaint(name, error)) from None
    columns = tuple(column for column in table.columns if column != "_path")
    numbered = table.mutate(**{overlaps.FILE: ibis.array(readable).index(table["_path"])}).drop("_path")
    source = overlaps.several(name, numbered, columns, names, notes=tuple(notes), is_text=True)
    return _without_twins(source, headers)


def _readable(paths: Sequence[Path], encoding: str | None) -> tuple[list[str], list[Note]]:
    """The files in UTF-8, and what was done to have them so."""
    readable, notes = [], []
    for path in paths:
        try:
            with archives.opened(path) as file:
                decoded = encodings.as_utf8(file, encoding, name=path.name, folder=scratch.folder())
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(archives.broken(path, error)) from None
        readable.append(str((decoded.path or path).absolute()))
        if decoded.words:
            level = "warning" if decoded.is_mixed else "guess" if encoding is None else "info"
            notes.append(Note(level, decoded.words))
        if decoded.damage:
            notes.append(Note("warning", decoded.damage))
    return readable, notes


def _without_twins(source: Source, headers: Sequence[Sequence[str]]) -> Source:
    """The engine numbers names that stand twice; a needed one is refused: which is meant, nobody can tell."""

    def checked(read: Read) -> Read:
        def table(needed: Sequence[str]) -> ir.Table:
            for header in headers:
                refuse_named_twice(source.name, needed, header)
            return read(needed)

        return table

    marked = None if source.marked is None else checked(source.marked)
    return replace(source, table=checked(source.table), marked=marked)


def _told(dialect: Dialect, hints: Hints, name: str) -> list[Note]:
    notes = []
    if hints.delimiter is None:
        notes.append(Note("guess", phrase("note.delimiter", file=name, delimiter=repr(dialect.delimiter))))
    if hints.quote is None and dialect.quote != '"':
        level, key = ("guess", "note.quote") if dialect.quote else ("warning", "note.no_quote")
        notes.append(Note(level, phrase(key, file=name, quote=dialect.quote)))
    return notes


def _missing(headers: dict[str, list[str]]) -> list[Note]:
    """A warning for each file that lacks a column which others have: its rows have nothing there."""
    everywhere = list(dict.fromkeys(column for header in headers.values() for column in header if column))
    lacking = {name: [c for c in everywhere if c not in header] for name, header in headers.items()}
    return [
        Note("warning", phrase("note.lacks", file=name, columns=columns))
        for name, columns in lacking.items()
        if columns
    ]


# -- one file --------------------------------------------------------------------


def _dialect(path: str, name: str, hints: Hints) -> Dialect:
    _, header = _start(path)
    if not header:
        raise DataError(f"{name} is empty. {AGAIN}")
    told = hints.delimiter or _said_delimiter(path)
    query = "SELECT Delimiter, Quote, Escape FROM sniff_csv(?, all_varchar = true, header = true"
    query += ", comment = ''"
    query += f", delim = {_literal(told)})" if told else ")"
    try:
        found = session.connection().con.execute(query, [path]).fetchone()
    except duckdb.Error as error:
        if not told:
            raise DataError(complaint(name, error)) from None
        found = None  # a broken line: the reader says which
    delimiter, quote, escape = found or (told, "", "")
    if told:
        delimiter = told
    elif not delimiter or delimiter not in header:
        # One line too long or too short makes the engine believe in a single column; the header knows better.
        delimiter, quote = max(_DELIMITERS, key=header.count), ""
    if hints.quote is not None:
        quote = hints.quote
    elif quote not in ('"', "'"):
        quote = "" if found and _has_quote(path) else '"'
    return Dialect(delimiter, quote, escape if escape == "\\" and quote else quote, _above(path))


def _unaligned(path: str) -> Path | None:
    """A copy with tabs where columns are set apart by blanks, as in print; None where they are not."""
    with _text(path) as text:
        lines = [line for line in itertools.islice(text, _ALIGNED) if line.strip()]
    widths = {len(line.split()) for line in lines}
    is_aligned = any("  " in line.strip() or line.startswith(" ") for line in lines)
    if len(lines) < 2 or len(widths) != 1 or widths == {1} or not is_aligned:
        return None
    if any(sign in lines[0] for sign in _DELIMITERS):
        return None
    copy = scratch.folder() / session.new_name("unaligned.csv")
    with _text(path) as text, copy.open("w", encoding="utf-8", newline="") as file:
        file.writelines("\t".join(line.split()) + "\n" for line in text)
    return copy


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _has_quote(path: str) -> bool:
    with archives.opened(Path(path)) as file:
        return b'"' in file.read(_LOOKED_AT)


def _common(found: dict[str, Dialect]) -> Dialect:
    (first, dialect), *others = found.items()
    for name, other in others:
        if other.delimiter != dialect.delimiter:
            raise DataError(
                f"{first} is delimited by {dialect.delimiter!r} and {name} by {other.delimiter!r}. "
                "Files of one glob are read alike: save them alike, or say delimiter=."
            )
        if other.skip != dialect.skip:
            raise DataError(
                f"{first} has {dialect.skip} lines above its header and {name} {other.skip}. "
                "Files of one glob are read alike: save them alike."
            )
    quoted = [each for each in found.values() if each.quote]
    return quoted[0] if quoted else dialect


def _above(path: str) -> int:
    return _start(path)[0] + (_said_delimiter(path) is not None)


def _said_delimiter(path: str) -> str | None:
    """What Excel's own first line says, where there is one: `sep=;`."""
    told = re.fullmatch(r'"?sep=(.)"?', _start(path)[1])
    return told[1] if told else None


def _start(path: str) -> tuple[int, str]:
    """How many blank lines a file begins with, and the first that is not."""
    blank = 0
    with archives.opened(Path(path)) as file:
        while line := file.readline(_LONGEST_HEADER):
            first = line.decode("utf-8", errors="replace").strip("\ufeff\r\n")
            if first:
                return blank, first
            blank += 1
    return blank, ""


def _cells(text: io.TextIOBase, path: str, dialect: Dialect) -> Any:
    quoting = csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE
    lines = csv.reader(text, delimiter=dialect.delimiter, quotechar=dialect.quote or None, quoting=quoting)
    for _ in range(dialect.skip):
        next(lines, None)
    return lines


def _text(path: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(archives.opened(Path(path)), encoding="utf-8-sig", newline="")


def _header(path: str, dialect: Dialect) -> list[str]:
    if len(dialect.delimiter) != 1:
        return []
    with _text(path) as text:
        return next(_cells(text, path, dialect), [])


def _odd_line(path: str, dialect: Dialect) -> str | None:
    """The first line that is longer or shorter than the header: in a short file the engine does not say."""
    if len(dialect.delimiter) != 1:
        return None
    with _text(path) as text:
        lines = _cells(text, path, dialect)
        header = next(lines, [])
        for cells in lines:
            if cells and len(cells) != len(header):
                return (
                    f"cannot be read as CSV at line {lines.line_num}: it has {len(cells)} columns and the "
                    f"header {len(header)}. Say delimiter= or encoding=, or mend that line."
                )
    return None


def complaint(name: str, error: Exception) -> str:
    """One line for what the engine says: of memory, of a broken line of a CSV file, or of an expression."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"{name} does not fit into memory: {reason(error)}. {_MEMORY}"
    if "sniff" in str(error).lower():
        return f"{name} is not read as CSV: it has no lines of alike columns. {AGAIN}"
    line = _CSV_LINE.search(str(error))
    if line:
        rest = str(error)[line.end() :].strip()
        known = _CSV_REASON.search(rest)
        why = reason(Exception(known[0] if known else rest))
        return (
            f"{name} cannot be read as CSV at line {line[1]}: {why}. "
            "Say delimiter= or encoding=, or mend that line."
        )
    if isinstance(error, _OF_EXPRESSIONS):
        return f"{name} cannot be read: {reason(error)}. Check the expressions in columns= and where=."
    return f"{name} cannot be read: {reason(error)}. {AGAIN}"


_MEMORY = (
    f"{session.MEMORY} says how much the engine takes, else it is four fifths of the machine's; the rest "
    "goes to disk. Set it to less where so much is not free, such as 2GB, or to more where it says a few MB."
)
_OF_EXPRESSIONS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException)
_CSV_LINE = re.compile(r"CSV Error on Line: (\d+)(\n *Original Line:.*)?")
_CSV_REASON = re.compile(r"^(Value with|Expected Number|Maximum|Invalid|Error when) .*", re.MULTILINE)
_KIND_OF_ERROR = re.compile(r"^[A-Z][A-Za-z ]* Error: ")


def reason(error: Exception) -> str:
    """The first line of what went wrong, without the engine's name for its kind."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return _KIND_OF_ERROR.sub("", first).rstrip(".!: ")
