"""A large table of what customers did, written once, in partitions that hold whole customers.

What groups or sorts customers does it in memory, a partition at a time; of all of them at once it would
happen on disk, and of texts that costs twice as much a row. Customers do not touch each other, so a
partition of them is a table like any other.
"""

import shutil
import weakref
from collections.abc import Sequence
from pathlib import Path

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot as sg
import sqlglot.expressions as sge

from retention_kit import scratch, session

#: About the rows of a partition.
_ROWS = 2_000_000
#: A table stays in memory where so many like it have room: the questions asked of it take theirs.
_ALIKE = 2

#: The partitions of each table that was written in some. A table holds on to them, and they to their files.
_parts: weakref.WeakKeyDictionary[ops.Node, list[ops.Node]] = weakref.WeakKeyDictionary()


def stored(table: ir.Table, kind: str) -> ir.Table:
    """As `session.stored` does, and in partitions by `customer_id` where there is no room in memory.

    They are Parquet files, in the session's folder, of columns that Parquet keeps as they are.
    """
    kept_as_it_is = all(map(session.is_plain, table.schema().types))
    fits = "customer_id" in table.columns and kept_as_it_is
    return session.stored(table, kind, alike=_ALIKE, packed=_written if fits else None)


def of(table: ir.Table) -> list[ir.Table]:
    """The partitions of a table that `stored` has written, or of what was made of each of its rows.

    Together they are the table. One that was not so written is its only partition; so is one that was made
    of two such tables, for a customer of one may be in another partition of the other.
    """
    written = table.op().find(lambda node: node in _parts) if len(_parts) else []
    if len(written) != 1:
        return [table]
    [whole] = written
    return [table.op().replace({whole: part}).to_expr() for part in _parts[whole]]


def _written(name: str, query: str, schema: ibis.Schema, rows: int) -> ir.Table:
    engine, folder = session.connection(), scratch.folder() / name
    columns = [_as_typed(column, engine.dialect) for column in schema.to_sqlglot_column_defs(engine.dialect)]
    number = f"(hash(customer_id) % {-(-rows // _ROWS)})::INTEGER AS _partition"
    engine.con.execute(
        f"COPY (SELECT {', '.join([*columns, number])} FROM ({query})) TO {_literal(folder)} "
        "(FORMAT parquet, COMPRESSION lz4_raw, PARTITION_BY (_partition))"
    )
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    parts = [_read(f"{name}_{i}", [path]) for i, path in enumerate(folders)]
    for part, path in zip(parts, folders, strict=True):
        session.at_last_use(part, shutil.rmtree, path, ignore_errors=True)
    whole = _read(name, folders)
    _parts[whole.op()] = [part.op() for part in parts]
    return whole


def _read(name: str, folders: Sequence[Path]) -> ir.Table:
    """A view of the files of some partitions, dropped with the last expression over it."""
    engine = session.connection()
    files = ", ".join(_literal(path) for folder in folders for path in sorted(folder.glob("*.parquet")))
    engine.con.execute(
        f'CREATE TEMP VIEW "{name}" AS SELECT * FROM read_parquet([{files}], hive_partitioning = false)'
    )
    table = engine.table(name)
    session.at_last_use(table, engine.drop_view, name, force=True)
    return table


def _as_typed(column: sge.ColumnDef, dialect: sg.Dialect) -> str:
    name = column.this.sql(dialect)
    return f"CAST({name} AS {column.kind.sql(dialect)}) AS {name}"


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
