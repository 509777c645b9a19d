"""Anything a client sends, opened as an Ibis table: CSV, Excel, Parquet, frames, Ibis tables."""

import csv
import glob
import gzip
import importlib.util
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from retention_kit import encodings, session
from retention_kit.exceptions import DataError, did_you_mean
from retention_kit.sentences import phrase


@dataclass(frozen=True)
class Note:
    """Something a reader of the numbers should know of the data: a guess, a warning, a fact.

    `text` is a phrase, so that a report can say it in its own language.
    """

    level: Literal["guess", "warning", "info"]
    text: str
    code: str = ""  # for what a sentence must know of: "mid_life"


@dataclass(frozen=True)
class Source:
    """A source whose columns are known and whose rows have not been read yet."""

    name: str
    columns: tuple[str, ...]
    table: Callable[[Sequence[str]], ir.Table] = field(repr=False)
    notes: tuple[Note, ...] = ()
    is_text: bool = False


def open_source(
    source: Any, *, sheet: str | None = None, encoding: str | None = None, delimiter: str | None = None
) -> Source:
    """Open a path, glob, `package://` file, `demo://` table, frame or Ibis table.

    Raises
    ------
    DataError
        When there is nothing there, or it is none of these.
    """
    session.connection()  # the engine that frames in memory are computed on
    if isinstance(source, ir.Table):
        return Source("the table", tuple(source.columns), lambda needed: source.select(*needed))
    if isinstance(source, pd.DataFrame):
        return _frame(source, "the frame")
    if isinstance(source, pa.Table):
        return _arrow(source, "the frame")
    if type(source).__module__.startswith("polars"):
        return _arrow(_polars_arrow(source), "the frame")
    if not isinstance(source, (str, Path)):
        raise DataError(
            f"A source cannot be a {type(source).__name__}. Give a path, a glob, a pandas, Polars or "
            "Arrow frame, or an Ibis table."
        )
    text = str(source)
    if text.startswith("demo://"):
        return _demo(text)
    scheme, separator, _ = text.partition("://")
    if separator and scheme != "package":
        # What follows the scheme may hold a password, so it is not repeated.
        raise DataError(f"An address ({scheme}://) is no source. Save it as a file, or pass an Ibis table.")
    return _files(text, sheet=sheet, encoding=encoding, delimiter=delimiter)


def files(source: str) -> list[Path]:
    """The files that a path, a pattern or a `package://` file stands for; none for a `demo://` table.

    Raises
    ------
    DataError
        When there is nothing there.
    """
    return [] if source.startswith("demo://") else list(_paths(source))


def _polars_arrow(frame: Any) -> pa.Table:
    collected = frame.collect() if hasattr(frame, "collect") else frame
    return collected.to_arrow()


def _demo(text: str) -> Source:
    from retention_kit import datasets  # made only when asked for

    makers = {
        "orders": datasets.demo_orders,
        "events": datasets.demo_events,
        "subscriptions": datasets.demo_subscriptions,
        "responses": datasets.demo_responses,
        "customers": datasets.demo_customers,
        "invitations": datasets.demo_invitations,
    }
    name = text.removeprefix("demo://")
    if name not in makers:
        raise DataError(f"{text!r} is no table of the demo company. It has {sorted(makers)}.")
    return _frame(makers[name](), f"the demo company's {name}")


def _frame(frame: pd.DataFrame, name: str) -> Source:
    # Column labels may be integers or anything else; they are reached by their text.
    labels = {str(label): label for label in frame.columns}

    def table(needed: Sequence[str]) -> ir.Table:
        arrays = [_array(frame[labels[column]], column, name) for column in needed]
        return _memtable(pa.Table.from_arrays(arrays, names=list(needed)))

    return Source(name, tuple(labels), table)


def _memtable(table: pa.Table) -> ir.Table:
    """In batches: the engine reads one batch with one core."""
    return ibis.memtable(pa.Table.from_batches(table.to_batches(max_chunksize=100_000), schema=table.schema))


def _array(values: pd.Series, column: str, name: str) -> pa.Array:
    if isinstance(values, pd.DataFrame):
        raise DataError(_named_twice(name, column))
    if isinstance(values.dtype, pd.PeriodDtype):
        raise DataError(
            f"{column} of {name} holds periods ({values.dtype}), and a moment is needed. "
            f"Convert it with frame[{column!r}].dt.to_timestamp()."
        )
    if values.dtype == object:
        values = _plain_cells(values)
    try:
        array = pa.Array.from_pandas(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        raise DataError(f"{column} of {name} cannot be read: {str(error).splitlines()[0]}.") from None
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array.dictionary_decode() if isinstance(array, pa.DictionaryArray) else array


def _plain_cells(cells: pd.Series) -> pd.Series:
    """Cells of mixed types as one type: all numbers or all moments as they are, else all as text."""
    inferred = pd.api.types.infer_dtype(cells, skipna=True)
    if inferred in ("empty", "string"):
        return cells.astype("str")
    if inferred in ("integer", "floating", "mixed-integer-float", "decimal"):
        return pd.to_numeric(cells)
    if inferred in ("datetime", "datetime64", "date") and not cells.map(_is_aware).any():
        return pd.to_datetime(cells)
    if inferred == "boolean":
        return cells.astype("boolean")
    return cells.map(_cell_text, na_action="ignore").astype("str")


def _is_aware(cell: Any) -> bool:
    return getattr(cell, "tzinfo", None) is not None


def _cell_text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # an id that a spreadsheet keeps as 1042.0
    return str(cell)


def _arrow(table: pa.Table, name: str) -> Source:
    def needed_columns(needed: Sequence[str]) -> ir.Table:
        twice = [column for column in needed if table.column_names.count(column) > 1]
        if twice:
            raise DataError(_named_twice(name, twice[0]))
        return _memtable(table.select(list(needed)))

    return Source(name, tuple(table.column_names), needed_columns)


def _named_twice(name: str, column: str) -> str:
    return f"{name} has more than one column named {column!r}. Rename one of them."


def _files(text: str, *, sheet: str | None, encoding: str | None, delimiter: str | None) -> Source:
    paths = list(_paths(text))
    name = paths[0].name if len(paths) == 1 else f"{text} ({len(paths)} files)"
    endings = {
        "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]).lower() for path in paths
    }
    kinds = {_KINDS.get(ending) for ending in endings}
    if kinds == {"parquet"}:
        return _parquet(paths, name)
    if kinds == {"excel"}:
        return _excel(paths, name, sheet)
    if kinds == {"csv"}:
        return _csv(paths, name, encoding, delimiter)
    raise DataError(
        f"{name} has the ending {sorted(endings)}. Give .csv, .csv.gz, .tsv, .txt, .parquet, .xlsx, .xls "
        "or .ods, and files of one kind in one glob."
    )


_KINDS = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"), "csv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"), "excel"),
}


def _paths(text: str) -> Iterator[Path]:
    if text.startswith("package://"):
        yield _package_file(text)
        return
    path = Path(text).expanduser()
    if path.is_file():
        yield path
    elif glob.has_magic(text):
        found = sorted(glob.glob(str(path), recursive=True))
        if not found:
            raise DataError(f"No file matches {text!r}. Check the folder and the pattern.")
        yield from map(Path, found)
    elif path.is_dir():
        raise DataError(f"{text} is a folder. Name a file in it, or a pattern such as {path.name}/*.csv.")
    else:
        siblings = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"There is no file {text}.{did_you_mean(path.name, siblings)} Check the path.")


def _package_file(text: str) -> Path:
    package, _, inside = text.removeprefix("package://").partition("/")
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        found = None
    if found is None or not found.submodule_search_locations:
        raise DataError(
            f"{text} lies in the Python package {package}, which is not installed. "
            f"Type: pip install {package.replace('_', '-')}"
        )
    path = Path(found.submodule_search_locations[0]) / inside
    if not path.is_file():
        raise DataError(f"The Python package {package} has no file {inside}.")
    return path


def _parquet(paths: list[Path], name: str) -> Source:
    try:
        table = session.connection().read_parquet([str(path) for path in paths], union_by_name=True)
    except duckdb.Error as error:
        raise DataError(f"{name} cannot be read as Parquet: {_reason(error)}. {_AGAIN}") from None
    return Source(name, tuple(table.columns), lambda needed: table.select(*needed))


def _excel(paths: list[Path], name: str, sheet: str | None) -> Source:
    frames = []
    for path in paths:
        try:
            book = pd.ExcelFile(path, engine="calamine")
        except Exception as error:  # calamine raises its own errors, of no common class
            raise DataError(f"{path.name} cannot be read as Excel: {_reason(error)}. {_AGAIN}") from None
        if sheet is not None and sheet not in book.sheet_names:
            hint = did_you_mean(sheet, map(str, book.sheet_names))
            raise DataError(f"{path.name} has no sheet {sheet!r}.{hint} It has {book.sheet_names}.")
        frames.append(book.parse(sheet if sheet is not None else 0, dtype=object))
    frame = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    if frame.empty:
        raise DataError(f"{name} holds no rows below its header. Name another sheet with sheet=.")
    return _frame(frame, name)


def _csv(paths: list[Path], name: str, encoding: str | None, delimiter: str | None) -> Source:
    readable, notes = [], []
    for path in paths:
        try:
            with _opened(path) as file:
                decoded = encodings.as_utf8(file, encoding, name=path.name, folder=session.folder())
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path.name} cannot be read: {_reason(error)}. {_AGAIN}") from None
        readable.append(str(decoded.path or path))
        if decoded.words:
            notes.append(Note("guess" if encoding is None else "info", decoded.words))
    if delimiter is None:
        delimiter = _common_delimiter(dict(zip((path.name for path in paths), readable, strict=True)))
        notes.append(Note("guess", phrase("note.delimiter", file=name, delimiter=repr(delimiter))))
    # How many lines to skip is said, or the engine takes short first lines for remarks and skips them.
    how = {"header": True, "skip": _told_delimiter(readable[0]) is not None, "delim": delimiter}
    try:
        table = session.connection().read_csv(
            readable, all_varchar=True, union_by_name=True, nullstr=[""], **how
        )
    except duckdb.Error as error:
        odd = next(filter(None, (_odd_line(Path(path), delimiter) for path in readable)), None)
        raise DataError(f"{name} {odd}" if odd else complaint(name, error)) from None
    return Source(
        name, tuple(table.columns), lambda needed: table.select(*needed), tuple(notes), is_text=True
    )


def _odd_line(path: Path, delimiter: str) -> str | None:
    """The first line that is longer or shorter than the header: in a short file the engine does not say."""
    if len(delimiter) != 1:
        return None
    with _opened(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        lines = csv.reader(text, delimiter=delimiter)
        if _told_delimiter(str(path)):
            next(lines)
        header = next(lines, [])
        for cells in lines:
            if cells and len(cells) != len(header):
                return (
                    f"cannot be read as CSV at line {lines.line_num}: it has {len(cells)} columns and the "
                    f"header {len(header)}. Say delimiter= or encoding=, or mend that line."
                )
    return None


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _common_delimiter(files: dict[str, str]) -> str:
    found = {name: _sniffed_delimiter(path, name) for name, path in files.items()}
    first, delimiter = next(iter(found.items()))
    for name, other in found.items():
        if other != delimiter:
            raise DataError(
                f"{first} is delimited by {delimiter!r} and {name} by {other!r}. "
                "Files of one glob are read alike: save them alike, or say delimiter=."
            )
    return delimiter


def _told_delimiter(path: str) -> str | None:
    """What Excel's own first line says, where there is one: `sep=;`."""
    told = re.fullmatch(r'"?sep=(.)"?', _first_line(path).strip("\ufeff\r\n"))
    return told[1] if told else None


def _first_line(path: str) -> str:
    with _opened(Path(path)) as file:
        return file.readline(_LONGEST_HEADER).decode("utf-8", errors="replace")


def _sniffed_delimiter(path: str, name: str) -> str:
    told = _told_delimiter(path)
    if told:
        return told
    query = "SELECT Delimiter FROM sniff_csv(?, all_varchar = true, header = true)"
    try:
        found = session.connection().con.execute(query, [path]).fetchone()
    except duckdb.Error as error:
        raise DataError(complaint(name, error)) from None
    header = _first_line(path)
    if found and found[0] and found[0] in header:
        return found[0]
    # One line too long or too short makes the engine believe in a single column; the header knows better.
    return max(",;\t|", key=header.count)


_LONGEST_HEADER = 1 << 16
_AGAIN = "Export it again, or give another file."


def complaint(name: str, error: Exception) -> str:
    """One line for what the engine says: of a broken line of a CSV file, or of an expression."""
    if "sniffing file" in str(error):
        return f"{name} is not read as CSV: it has no lines of alike columns. {_AGAIN}"
    line = _CSV_LINE.search(str(error))
    if line:
        reason = _reason(Exception(str(error)[line.end() :].strip()))
        return (
            f"{name} cannot be read as CSV at line {line[1]}: {reason}. "
            "Say delimiter= or encoding=, or mend that line."
        )
    hint = " Check the expressions in columns= and where=." if isinstance(error, _OF_EXPRESSIONS) else ""
    return f"{name} cannot be read: {_reason(error)}.{hint}"


_OF_EXPRESSIONS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException)
_CSV_LINE = re.compile(r"CSV Error on Line: (\d+)(\n *Original Line:.*)?")
_KIND_OF_ERROR = re.compile(r"^[A-Z][A-Za-z ]* Error: ")


def _reason(error: Exception) -> str:
    """The first line of what went wrong, without the engine's name for its kind."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return _KIND_OF_ERROR.sub("", first).rstrip(".!")
