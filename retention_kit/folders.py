"""Where a run is written: beside the last good report, which it replaces in one step or not at all."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from retention_kit.exceptions import ReportError


def report(out: Path, client: str, as_of: str) -> Path:
    """The folder of a client's report of one date; `as_of` may hold a time, and a name no colon.

    Raises
    ------
    ReportError
        When it would lie outside `out`.

    >>> report(Path("outputs"), "acme", "2024-07-01T12:30").as_posix()
    'outputs/acme/2024-07-01T1230'
    """
    home = out / client
    if not home.resolve().is_relative_to(out.resolve()):
        raise ReportError(f"{home} is not inside {out}.")
    return home / as_of.replace(":", "")


def failed(final: Path) -> Path:
    """The folder that tells why a run failed, beside the report it would have replaced."""
    return final.with_name(f"{final.name}-failed")


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
