"""One DuckDB per process, in a temporary file so that it spills to disk when memory runs short."""

import atexit
import functools
import itertools
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

#: The variable that says where temporary folders go.
SCRATCH = "RETENTION_KIT_SCRATCH"


@contextmanager
def scratch() -> Iterator[None]:
    """Within it, the processes that are started keep their temporary folders in one, removed at its end.

    A kernel that is stopped at once cannot tidy up after itself, and what it leaves is a client's data.
    """
    with tempfile.TemporaryDirectory(prefix="retention_kit_", ignore_cleanup_errors=True) as path:
        before = os.environ.get(SCRATCH)
        os.environ[SCRATCH] = path
        try:
            yield
        finally:
            if before is None:
                del os.environ[SCRATCH]
            else:
                os.environ[SCRATCH] = before


@functools.cache
def folder() -> Path:
    """The process's own temporary folder, removed when the process ends."""
    path = Path(tempfile.mkdtemp(prefix="retention_kit_", dir=os.environ.get(SCRATCH)))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@functools.cache
def connection() -> Backend:
    """The process's engine: nothing is downloaded, every moment is naive local time."""
    connected = ibis.duckdb.connect(folder() / "session.duckdb", temp_directory=str(folder() / "spill"))
    connected.raw_sql("SET autoinstall_known_extensions = false")
    connected.raw_sql("SET TimeZone = 'UTC'")
    if ibis.options.default_backend is None:
        ibis.set_backend(connected)  # else frames in memory would be computed on a second engine, not so set
    return connected


_numbers = itertools.count(1)


def new_name(stem: str) -> str:
    """A name no other table or file of this session has."""
    return f"{stem}_{next(_numbers)}"


def holds(table: ir.Table) -> bool:
    """Whether a table is computed on the session's own engine; frames in memory are."""
    backends, _ = table._find_backends()
    return not backends or backends[0] is connection()


def stored(table: ir.Table, kind: str) -> ir.Table:
    """Written once to the session's engine, where reading again is cheap; a database's table stays there.

    It is dropped with the last expression over it, so that many questions do not fill the memory.
    """
    if not holds(table):
        return table
    engine = connection()
    name = new_name(kind)
    stored = engine.create_table(name, table, temp=True)
    weakref.finalize(stored.op(), engine.drop_table, name, force=True).atexit = False
    return stored
