"""Temporary folders: one a process and one a run, gone with it, and tidied up after one that was killed."""

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from retention_kit import environment, locks

#: The variable that says where temporary folders go.
SCRATCH = "RETENTION_KIT_SCRATCH"
_PREFIX, _LOCK = "retention_kit_", ".lock"


@contextmanager
def shared() -> Iterator[Path]:
    """Within it, the processes that are started keep their temporary folders in one, removed at its end.

    A kernel that is stopped at once cannot tidy up after itself, and what it leaves is a client's data.
    What runs that were killed have left is removed first.
    """
    _tidy()
    path, lock = _own_folder(None)
    try:
        with environment.telling(SCRATCH, str(path)):
            yield path
    finally:
        _remove(path, lock)


def aside() -> tempfile.TemporaryDirectory[str]:
    """A folder for what is made on the way: gone when it is left, or with `shared` when a run is killed."""
    return tempfile.TemporaryDirectory(
        prefix=_PREFIX, dir=os.environ.get(SCRATCH), ignore_cleanup_errors=True
    )


@functools.cache
def folder() -> Path:
    """The process's own temporary folder, removed when the process ends."""
    path, lock = _own_folder(os.environ.get(SCRATCH))
    atexit.register(_remove, path, lock)
    return path


def _own_folder(parent: str | None) -> tuple[Path, IO[str]]:
    """A new folder, and the lock in it, which says that its process lives."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        with suppress(FileNotFoundError):  # tidied away by another run just before it was locked
            lock = locks.take(path / _LOCK)
            if lock:
                return path, lock


def _remove(path: Path, lock: IO[str]) -> None:
    lock.close()
    shutil.rmtree(path, ignore_errors=True)


def _tidy() -> None:
    """Remove the folders of processes that were killed; those of living ones are locked."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if locks.is_left(path / _LOCK):
            shutil.rmtree(path, ignore_errors=True)
