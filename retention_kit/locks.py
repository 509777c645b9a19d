"""A file that one process holds at a time, until it lets go or ends, however it ends."""

import contextlib
import os
from pathlib import Path
from typing import IO

if os.name == "nt":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(1 << 30)  # far behind the text, which others may read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def take(path: Path, says: str = "") -> IO[str] | None:
    """Hold a file, made if it is not there; None while another holds it. What it `says`, all can read.

    The system lets go of it when its process ends, so one that was killed leaves no lock behind. A
    second taker in the same process is refused too.
    """
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):
            file.close()
            return None
        if _is_there(path, file):
            break
        file.close()  # its holder took it away between our opening and our locking
    file.truncate(0)
    file.write(says)
    file.flush()
    return file


def release(path: Path, held: IO[str]) -> None:
    """Let go of a file and take it away."""
    with contextlib.suppress(OSError):  # Windows keeps a file that is open
        path.unlink()
    held.close()


def is_left(path: Path) -> bool:
    """Whether the file is there and nobody holds it: its process was killed."""
    try:
        with path.open("r+", encoding="utf-8") as file:
            _lock(file)
    except OSError:
        return False
    return True


def _is_there(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
