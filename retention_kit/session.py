"""One DuckDB per process, in a temporary file so that it spills to disk when memory runs short."""

import atexit
import functools
import itertools
import shutil
import tempfile
from pathlib import Path

import ibis
from ibis.backends.duckdb import Backend


@functools.cache
def folder() -> Path:
    """The process's own temporary folder, removed when the process ends."""
    path = Path(tempfile.mkdtemp(prefix="retention_kit_"))
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
