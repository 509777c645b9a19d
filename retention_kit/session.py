"""One DuckDB per process, in a temporary file so that it spills to disk when memory runs short."""

import functools
import itertools
import json
import os
import re
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis.backends.duckdb import Backend

from retention_kit import cores, scratch, waiting
from retention_kit.exceptions import DataError

#: The variable that says how much memory the engine may take, such as 4GB; what is more goes to its folder.
MEMORY = "RETENTION_KIT_MEMORY"
#: Rows that are copied out of a server at most.
MOST = 1_000_000
_AMOUNT = re.compile(r"\d+(\.\d+)? ?[KMGT]i?B", re.IGNORECASE)
_TEXT, _VALUE = 24, 8  # about the bytes that a text takes, and anything else

#: Writes what has no room in memory: of a name, a query, its schema and about its rows, the table.
Packed = Callable[[str, str, ibis.Schema, int], ir.Table]


@functools.cache
def connection() -> Backend:
    """The process's engine: nothing is downloaded, every moment is naive local time."""
    connected = _opened(scratch.folder() / "session.duckdb")
    if ibis.options.default_backend is None:
        ibis.set_backend(connected)  # else frames in memory would be computed on a second engine, not so set
    return connected


class Engine(Backend):
    """DuckDB, quick to ask, with a bar for a query of some seconds where somebody waits at a terminal."""

    def compile(self, expr: ir.Expr, /, **how: Any) -> str:
        """Each step as a SELECT of its own: DuckDB makes one of them itself, and Ibis takes longer to."""
        before, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, False
        try:
            return super().compile(expr, **how)
        finally:
            ibis.options.sql.fuse_selects = before

    def raw_sql(self, query: Any, **how: Any) -> Any:
        with waiting.shown(self._share):
            return super().raw_sql(query, **how)

    def to_pyarrow(self, expr: ir.Expr, /, **how: Any) -> pa.Table:
        with waiting.shown(self._share):
            return super().to_pyarrow(expr, **how)

    def execute(self, expr: ir.Expr, /, **how: Any) -> Any:
        """As Ibis does it; what Arrow hands to pandas in the same types need not be looked through again."""
        with waiting.shown(self._share):
            if isinstance(expr, ir.Scalar) or not all(map(is_plain, expr.as_table().schema().types)):
                return super().execute(expr, **how)
            rows = super().to_pyarrow(expr.as_table(), **how)
            return expr.__pandas_result__(rows.to_pandas())

    def keep(self, name: str, table: ir.Table, alike: int, packed: Packed | None) -> ir.Table:
        """A table written under a name: in memory where as many alike have room, else packed.

        `create_table` would write the query a second time; that takes longer than to run it on few rows.
        """
        with waiting.shown(self._share):
            self._run_pre_execute_hooks(table)
            query, schema = self.compile(table), table.schema()
            rows = self._rows(query)
            temp = self._has_room(rows * alike, schema)
            if packed and not temp:
                return packed(name, query, schema, rows)
            typed = schema.to_sqlglot_column_defs(self.dialect)
            columns = ", ".join(column.sql(self.dialect) for column in typed)
            self.con.execute(f'CREATE {"TEMP " if temp else ""}TABLE "{name}" ({columns})')
            self.con.execute(f'INSERT INTO "{name}" {query}')
            kept = self.table(name, database=("temp", "main") if temp else None)
            at_last_use(kept, self.drop_table, name, force=True)
            return kept

    def _rows(self, query: str) -> int:
        """How many rows an answer will have, as far as can be told before."""
        [(_, plan)] = self.con.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()
        return _estimated(json.loads(plan)[0])

    def _has_room(self, rows: int, schema: ibis.Schema) -> bool:
        """Whether so many rows take less than half of the engine's memory."""
        width = sum(_TEXT if kind.is_string() else _VALUE for kind in schema.types)
        [memory] = self.con.execute(
            "SELECT parse_formatted_bytes(current_setting('memory_limit'))"
        ).fetchone()
        return rows * width < memory / 2

    def _share(self) -> float | None:
        percent = self.con.query_progress()  # below 0 while it is not known
        return percent / 100 if percent >= 0 else None


def _estimated(step: dict[str, Any]) -> int:
    """About the rows of a step of a plan; where it does not say, as of a union, those of its sources."""
    told = step["extra_info"].get("Estimated Cardinality")
    return sum(map(_estimated, step["children"])) if told is None else int(told)


def is_plain(kind: dt.DataType) -> bool:
    """Whether a column of it is the same in the engine, in Arrow, in pandas and in Parquet."""
    moment = kind.is_timestamp() and kind.scale in (None, 6)
    return moment or kind.is_numeric() or kind.is_string() or kind.is_boolean() or kind.is_date()


def _opened(path: Path | str) -> Engine:
    connected = Engine().connect(path, temp_directory=str(scratch.folder() / "spill"))
    connected.raw_sql("SET autoinstall_known_extensions = false")
    # Else a file that is written anew within a second, and as long, would still be read as it was before.
    connected.raw_sql("SET enable_external_file_cache = false")
    connected.raw_sql("SET TimeZone = 'UTC'")
    connected.raw_sql("SET force_compression = 'fsst'")  # of texts; to try every way takes half as long again
    if memory := os.environ.get(MEMORY):
        connected.raw_sql(f"SET memory_limit = '{_amount(memory)}'")
    if number := cores.told():
        connected.raw_sql(f"SET threads = {number}")
    with suppress(duckdb.InvalidInputException):  # a notebook without widgets has none
        # It tells how far a query is only where it may have a bar, and ours is the one that is drawn.
        connected.raw_sql(f"SET enable_progress_bar = {str(waiting.at_terminal()).lower()}")
        connected.raw_sql("SET enable_progress_bar_print = false")
    return connected


def _amount(memory: str) -> str:
    if not _AMOUNT.fullmatch(memory):
        raise DataError(f"{MEMORY} is {memory!r}, which is no amount of memory. Write it such as 4GB.")
    return memory


_numbers = itertools.count(1)


def new_name(stem: str) -> str:
    """A name no other table or file of this session has."""
    return f"{stem}_{next(_numbers)}"


def holds(table: ir.Table) -> bool:
    """Whether a table is computed on the session's own engine; frames in memory are."""
    backends, _ = table._find_backends()
    return not backends or backends[0] is connection()


def beside(table: ir.Table, other: ir.Table, what: str) -> ir.Table:
    """A small table on the engine of another one: two engines cannot join, so the small side travels."""
    # Frames in memory have no engine of their own, and are computed on the session's.
    one, another = (each._find_backends()[0] or [connection()] for each in (table, other))
    return table if one == another else ibis.memtable(fetched(table, f"{what} of two engines are joined"))


def fetched(table: ir.Table, why: str) -> pa.Table:
    """The rows of a table in memory; of a server's it is said first how many come, and why.

    Raises
    ------
    DataError
        When they are more than `MOST`: what one machine may not hold is not copied to it.
    """
    if place := server(table):
        rows = int(table.count().execute())
        if rows > MOST:
            raise DataError(
                f"{why}, and {rows:,} rows would come from {place}; {MOST:,} are the most that do. "
                "Ask of fewer with where= or query=, or load what .to_pyarrow() of that table gives."
            )
        warnings.warn(f"{why}: {rows:,} rows come from {place}.", stacklevel=2)
    return table.to_pyarrow()


def server(table: ir.Table) -> str:
    """What the database is called that holds a table's rows elsewhere; "" of rows on this machine."""
    backends, _ = table._find_backends()
    name = backends[0].name if backends else "duckdb"
    return "" if name in ("duckdb", "sqlite") else _SERVERS.get(name, name)


_SERVERS = {"postgres": "PostgreSQL", "pyspark": "Spark", "bigquery": "BigQuery", "snowflake": "Snowflake"}


def brought(table: ir.Table, kind: str, why: str) -> ir.Table:
    """A database's rows copied to the session's engine."""
    return stored(ibis.memtable(fetched(table, why)), kind)


@ibis.udf.scalar.builtin(name="hash")
def number_of(text: str) -> dt.uint64:
    """DuckDB's own: a number for a text, the same for the same text and nearly always another for another."""


def stored(table: ir.Table, kind: str, *, alike: int = 1, packed: Packed | None = None) -> ir.Table:
    """Written once to the session's engine, where reading again is cheap; a database's table stays there.

    It is dropped with the last expression over it, so that many questions do not fill the memory. What would
    leave little of the memory to work with is packed, into the session's file where nothing else is said:
    that takes longer once, and a quarter of the room each time that it is read. `alike` is how many such
    tables will be there at once.
    """
    return connection().keep(new_name(kind), table, alike, packed) if holds(table) else table


def at_last_use(table: ir.Table, tidy: Callable[..., object], *given: Any, **how: Any) -> None:
    """Call `tidy` once no expression over a table is left; a process that ends removes all anyway."""
    weakref.finalize(table.op(), tidy, *given, **how).atexit = False


def set_aside(parts: Iterable[pa.Table | pa.RecordBatch], kind: str) -> pa.Table:
    """A table written part by part to a file and read from there, so that it takes no memory of its own."""
    path, rest = _new_file(kind, "arrow"), iter(parts)
    first = next(rest)
    with pa.ipc.new_file(path, first.schema) as file:
        for part in itertools.chain([first], rest):
            file.write(part)
    with pa.memory_map(str(path)) as source:
        table = pa.ipc.open_file(source).read_all()
    _unnamed(path)
    return table


def columns_set_aside(
    parts: Iterable[pa.RecordBatch], kind: str, types: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """Columns written part by part, each to a file of its own and of one type, and read from there.

    A slice of one is no copy: of a table's parts it would be, where it reaches from one into the next.
    """
    paths = {name: _new_file(kind, "column") for name in types}
    with ExitStack() as stack:
        files = {name: stack.enter_context(path.open("wb")) for name, path in paths.items()}
        for part in parts:
            for name, file in files.items():
                file.write(np.ascontiguousarray(part[name].to_numpy(zero_copy_only=False), types[name]))
    columns = {name: np.asarray(np.memmap(path, types[name], "r")) for name, path in paths.items()}
    for path in paths.values():
        _unnamed(path)
    return columns


def _new_file(kind: str, suffix: str) -> Path:
    return scratch.folder() / f"{new_name(kind)}.{suffix}"


def _unnamed(path: Path) -> None:
    """What is mapped goes with its last reader; a system that keeps its name removes it with the folder."""
    with suppress(PermissionError):
        path.unlink()
