"""Anything a client sends, opened as an Ibis table: CSV, JSON, Excel, Parquet, frames, Ibis tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from retention_kit import archives, databases, dialects, overlaps, places, records, session, spreadsheets
from retention_kit.exceptions import DataError
from retention_kit.opened import AGAIN, Source, refuse_named_twice


def open_source(
    source: Any,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    table: str | None = None,
    query: str | None = None,
) -> Source:
    """Open a path, glob, `package://` file, `demo://` table, database URL, frame or Ibis table.

    Raises
    ------
    DataError
        When there is nothing there, or it is none of these.
    """
    session.connection()  # the engine that frames in memory are computed on
    if isinstance(source, ir.Table):
        return databases.spelled(source)
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
    if places.is_database(text):
        return databases.opened(text, table=table, query=query)
    return _files(text, sheet, dialects.Hints(encoding, delimiter, quote))


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
        refuse_named_twice(name, needed, list(map(str, frame.columns)))
        arrays = [_array(frame[labels[column]], column, name) for column in needed]
        return _memtable(pa.Table.from_arrays(arrays, names=list(needed)))

    return Source(name, tuple(labels), table)


def _memtable(table: pa.Table) -> ir.Table:
    """In batches: the engine reads one batch with one core."""
    return ibis.memtable(pa.Table.from_batches(table.to_batches(max_chunksize=100_000), schema=table.schema))


def _array(values: pd.Series, column: str, name: str) -> pa.Array:
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
        refuse_named_twice(name, needed, table.column_names)
        return _memtable(table.select(list(needed)))

    return Source(name, tuple(table.column_names), needed_columns)


def _files(text: str, sheet: str | None, hints: dialects.Hints) -> Source:
    paths = places.files(text)
    name = paths[0].name if len(paths) == 1 else f"{text} ({len(paths)} files)"
    endings = {
        "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]).lower() for path in paths
    }
    kinds = {_KINDS.get(ending) for ending in endings}
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind is None:
        raise DataError(
            f"{name} has the ending {sorted(endings)}. Give .csv, .csv.gz, .tsv, .txt, .jsonl, .json, "
            ".parquet, .xlsx, .xls or .ods, and files of one kind in one glob."
        )
    archives.refuse_other_kinds(paths, kind)
    if kind == "parquet":
        return _parquet(paths, name)
    if kind == "excel":
        return spreadsheets.opened(paths, name, sheet, _frame)
    return records.opened(paths, name) if kind == "json" else dialects.opened(paths, name, hints)


_KINDS = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"), "csv"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz"), "json"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"), "excel"),
}


def _parquet(paths: list[Path], name: str) -> Source:
    files = [str(path.absolute()) for path in paths]
    try:
        table = session.connection().read_parquet(files, union_by_name=True, filename="_path")
    except duckdb.Error as error:
        raise DataError(f"{name} cannot be read as Parquet: {dialects.reason(error)}. {AGAIN}") from None
    columns = tuple(column for column in table.columns if column != "_path")
    numbered = table.mutate(**{overlaps.FILE: ibis.array(files).index(table["_path"])}).drop("_path")
    return overlaps.several(name, numbered, columns, [path.name for path in paths])
