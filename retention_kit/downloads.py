"""Public data sets, got by address into `$RETENTION_KIT_DATA`, each file checked by its sha256."""

import hashlib
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from retention_kit import yamls
from retention_kit.exceptions import DataError, ParamsError, did_you_mean

#: The variable that says where public data are kept.
FOLDER = "RETENTION_KIT_DATA"
_CHUNK = 1 << 16
_PATIENCE = 30  # seconds without an answer


def names() -> list[str]:
    """The sets that can be fetched.

    >>> names()
    ['saas_mrr_playbook', 'cdnow', 'online_retail']
    """
    return [name for name, told in _all().items() if told["files"]]


def fetch(name: str, *, folder: str | Path | None = None, mirror: str | None = None) -> list[Path]:
    """Get a public data set; files that are there and right are left alone.

    Parameters
    ----------
    name : str
        One of `names()`.
    folder : str or Path, optional
        Where to; `$RETENTION_KIT_DATA` if none is given.
    mirror : str, optional
        An address or a folder that has the files under the same places; their own addresses if none is given.

    Returns
    -------
    list of Path
        The files, each with the sha256 that is known of it, or made from one that has it.

    Raises
    ------
    ParamsError
        When there is no such set, or no folder is said.
    DataError
        When a file cannot be had, or is not the one that is known: nothing is kept of it. When a set has
        no sum to be checked by: it says what to type instead.
    """
    if name not in _all():
        raise ParamsError(
            f"There is no public data set {name!r}.{did_you_mean(name, _all())} There are {names()}."
        )
    if not _all()[name]["files"]:
        raise DataError(f"{name}: its sha256 is not known, so it is not fetched. {_all()[name]['by_hand']}")
    home = folder or os.environ.get(FOLDER)
    if not home:
        raise ParamsError(f"Where to? Type: export {FOLDER}=data, or say --folder data.")
    return [_placed(file, Path(home), mirror) for file in _all()[name]["files"]]


def _placed(file: dict[str, Any], home: Path, mirror: str | None) -> Path:
    path = _fetched(file, home, mirror)
    return _in_parquet(path, home / file["becomes"]) if "becomes" in file else path


def _fetched(file: dict[str, Any], home: Path, mirror: str | None) -> Path:
    path = home / file["place"]
    if path.is_file() and _digest(path) == file["sha256"]:
        return path
    address = file["address"] if mirror is None else _mirrored(mirror, file["place"])
    path.parent.mkdir(parents=True, exist_ok=True)
    with _arriving(path) as arriving:
        _receive(address, arriving, file["bytes"])
        found = _digest(arriving)
        if found != file["sha256"]:
            raise DataError(
                f"{address} is not the file that is known: its sha256 is {found[:12]}..., and it should be "
                f"{file['sha256'][:12]}... Nothing was kept."
            )
    return path


def _in_parquet(path: Path, made: Path) -> Path:
    """The one table of an R data file; what is there already is left alone."""
    if made.is_file():
        return made
    try:
        import pyreadr  # made for this, and needed for nothing else
    except ImportError:
        raise DataError(
            f"{path.name} is an R data file. To read it type: pip install 'retention-kit[examples]'"
        ) from None
    with _arriving(made) as arriving:
        [table] = pyreadr.read_r(path).values()
        table.to_parquet(arriving, index=False)
    return made


@contextmanager
def _arriving(path: Path) -> Iterator[Path]:
    """A name beside a file's own for what is on its way: the file is there whole or not at all."""
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _mirrored(mirror: str, place: str) -> str:
    base = mirror if "://" in mirror else Path(mirror).expanduser().absolute().as_uri()
    return f"{base.rstrip('/')}/{place}"


def _receive(address: str, path: Path, length: int) -> None:
    """The bytes at an address, and no more than there should be."""
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE) as answer, path.open("wb") as file:
            got = 0
            while chunk := answer.read(_CHUNK):
                got += len(chunk)
                if got > length:
                    raise DataError(f"{address} is longer than the {length:,} bytes that are known of it.")
                file.write(chunk)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = str(getattr(error, "reason", error)) or type(error).__name__
        raise DataError(f"{address} cannot be had: {reason.rstrip('.')}.") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _all() -> dict[str, dict[str, Any]]:
    return yamls.load(Path(str(resources.files(__package__))) / "downloads.yaml").values
