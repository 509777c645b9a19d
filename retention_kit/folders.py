"""Where a run is written: beside the last good report, which it replaces in one step or not at all."""

import contextlib
import datetime as dt
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from retention_kit import locks
from retention_kit.exceptions import ReportError

_LOCK = ".lock"
_IN_USE = (5, 32)  # what Windows says of a folder with a file in it that a program has open
# What a run writes to before it is whole, and what it sets aside while it takes the old one's place.
_STAGING = re.compile(r"\.(?P<final>.+)-[0-9a-f]{8}(?P<old>-old)?")


def report(out: Path, client: str, as_of: str, edition: str = "report") -> Path:
    """The folder of a client's report of one date; `as_of` may hold a time, and a name no colon.

    Other editions have folders of their own.

    Raises
    ------
    ReportError
        When it would lie outside `out`.

    >>> report(Path("outputs"), "acme", "2024-07-01T12:30").as_posix()
    'outputs/acme/2024-07-01T1230'
    >>> report(Path("outputs"), "acme", "2024-07-01", "lesson").as_posix()
    'outputs/acme/2024-07-01-lesson'
    """
    home = out / client
    if not home.resolve().is_relative_to(out.resolve()):
        raise ReportError(f"{home} is not inside {out}.")
    return home / (as_of.replace(":", "") + ("" if edition == "report" else f"-{edition}"))


def failed(final: Path) -> Path:
    """The folder that tells why a run failed, beside the report it would have replaced."""
    return final.with_name(f"{final.name}-failed")


def unread(out: Path, name: str) -> Path:
    """The folder that tells why a client file could not be read; whose it is, its name alone says."""
    return out / name / "unread-failed"


def twins(wanted: Iterable[tuple[str, str, Path]]) -> list[str]:
    """Of clients that are made together, why one cannot be: two would overwrite each other's report.

    Parameters
    ----------
    wanted : iterable of (client, as_of, path of its client file)

    Returns
    -------
    list of str
        A line for each; "" for the first of a name and date, whose report it is.

    >>> twins([("a", "2024-07-01", Path("one.yaml")), ("a", "2024-07-01", Path("two.yaml"))])
    ['', "two.yaml and one.yaml are both client 'a'. Give one another id."]
    """
    seen: dict[tuple[str, str], Path] = {}
    told = []
    for client, as_of, path in wanted:
        first = seen.get((client, as_of))
        if first is None:
            seen[client, as_of] = path
            told.append("")
        elif first == path:
            told.append(f"{path.name} is named twice. Name it once.")
        else:
            told.append(f"{path.name} and {first.name} are both client {client!r}. Give one another id.")
    return told


@contextlib.contextmanager
def held(home: Path) -> Iterator[None]:
    """A client's folder, for one run alone; what a run that was killed left in it is put right first.

    Raises
    ------
    ReportError
        While another run has it, or when nothing can be written there.
    """
    path = home / _LOCK
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = locks.take(path, f"process {os.getpid()} since {dt.datetime.now():%Y-%m-%d %H:%M}")
    except OSError as error:
        raise ReportError(not_written(home, error)) from None
    if lock is None:
        raise ReportError(_held_by(path))
    try:
        _tidy(home)
        yield
    finally:
        locks.release(path, lock)
        with contextlib.suppress(OSError):  # only a folder in which nothing was written goes
            home.rmdir()


def not_written(folder: Path, error: OSError) -> str:
    """Why a folder could not be written to, in one line, and what to do.

    >>> not_written(Path("outputs/acme"), OSError(errno.ENOSPC, "No space left on device"))
    'outputs/acme: no space left on device. Free some, or name another folder with --out.'
    """
    why = (error.strerror or str(error) or type(error).__name__).lower()
    do = "Free some, or name" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "Name"
    if getattr(error, "winerror", None) in _IN_USE:
        do = "Close what of it is open, such as its workbook, and run again, or name"
    return f"{folder}: {why}. {do} another folder with --out."


def _held_by(path: Path) -> str:
    try:
        holder = path.read_text("utf-8")
    except OSError:  # it has let go by now
        holder = ""
    by = holder or "another run"
    return f"A report of {path.parent.name} is being made by {by}. Wait until it is done."


def _tidy(home: Path) -> None:
    """The last good report back in its place, and what was half-written away."""
    for path in sorted(home.iterdir(), reverse=True):  # what is set aside before what was to replace it
        found = _STAGING.fullmatch(path.name)
        if not found:
            continue
        final = home / found["final"]
        if found["old"] and not final.exists():
            os.rename(path, final)
        else:
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def replacing(final: Path) -> Iterator[Path]:
    """An empty folder to write to, which takes the place of `final` when all went well."""
    staging = final.parent / f".{final.name}-{secrets.token_hex(4)}"
    try:
        staging.mkdir(parents=True)
        yield staging
        _swap(staging, final)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _swap(staging: Path, final: Path) -> None:
    if not final.exists():
        os.rename(staging, final)
        return
    old = staging.with_name(f"{staging.name}-old")
    os.rename(final, old)
    try:
        os.rename(staging, final)
    except OSError:
        os.rename(old, final)
        raise
    shutil.rmtree(old, ignore_errors=True)
