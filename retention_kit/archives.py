"""What a file is by its first bytes, whatever its name says, and packed files that hold too much."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from retention_kit.exceptions import DataError
from retention_kit.opened import AGAIN

# An export packs to a tenth or a fortieth. What unpacks to a hundred times its size is no export.
_MOST_TIMES = 100
_ALWAYS_READ = 200 << 20

# How files of each kind begin, what to call them, and the ending they should have.
_SIGNS = (
    (b"PK\x03\x04", "excel", "an Excel workbook or another zip file", ".xlsx"),
    (b"\xd0\xcf\x11\xe0", "excel", "an old Excel workbook", ".xls"),
    (b"PAR1", "parquet", "a Parquet file", ".parquet"),
    (b"\x1f\x8b", "gzip", "a gzip file", ".csv.gz"),
    (b"%PDF", "", "a PDF", ""),
    (b"SQLite format 3\0", "", "an SQLite database", ""),
)


def refuse_other_kinds(paths: Sequence[Path], kind: str) -> None:
    """Refuse a file whose content is of another kind than its ending says.

    Raises
    ------
    DataError
        When it is: what it is by its content, and what to do.
    """
    for path in paths:
        with path.open("rb") as file:
            start = file.read(512)
        for sign, found, words, ending in _SIGNS:
            if start.startswith(sign) and found != kind and not (found == "gzip" and path.suffix == ".gz"):
                do = f"Rename it to {path.stem}{ending}." if ending else "Export it as CSV, Excel or Parquet."
                raise DataError(f"{path.name} is {words} by its content, not what its ending says. {do}")
        if start.lstrip().lower().startswith((b"<html", b"<!doctype html", b"<table")):
            raise DataError(f"{path.name} is a web page by its content. Export it as CSV, Excel or Parquet.")


def opened(path: Path) -> IO[bytes]:
    """A file, unpacked where it is packed."""
    return io.BufferedReader(_Unpacked(path)) if path.suffix == ".gz" else path.open("rb")


def ends(path: Path) -> tuple[bytes, bytes]:
    """The first and the last bytes of a file, unpacked; one that holds too much is refused before more.

    Raises
    ------
    DataError
        When it does, or is broken.
    """
    try:
        with opened(path) as file:
            start = last = file.read(1 << 20)
            while chunk := file.read(1 << 20):
                last = last[-1024:] + chunk
            return start, last
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(broken(path, error)) from None


def broken(path: Path, error: Exception, as_a: str = "") -> str:
    """One line for a file that cannot be read or unpacked."""
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    how = f" as {as_a}" if as_a else ""
    return f"{path.name} cannot be read{how}: {reason.rstrip('.!')}. {AGAIN}"


def refuse_bombs(path: Path) -> None:
    """Refuse a workbook that unpacks to far more than any workbook does.

    Raises
    ------
    DataError
        When it would.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError):
        return  # an older format that is not packed, or what the reader will name
    if size > _most(path):
        raise DataError(_too_much(path))


def _most(path: Path) -> int:
    return max(_ALWAYS_READ, _MOST_TIMES * path.stat().st_size)


def _too_much(path: Path) -> str:
    return (
        f"{path.name} unpacks to more than {_MOST_TIMES} times its size, which no export does. "
        "It was not read. Give the file unpacked."
    )


class _Unpacked(io.RawIOBase):
    """A gzip file that is refused once it gave too much: neither memory nor disk is filled."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path, self._most = path, _most(path)
        self._file = gzip.GzipFile(path, "rb")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        if self._file.tell() > self._most:
            raise DataError(_too_much(self._path))
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()
