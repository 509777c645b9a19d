"""A first client file, guessed from an export's columns: each guess shown, what cannot be told asked for."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
from pydantic import ValidationError

from retention_kit import dialects, environment, guides, params, yamls
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.guides import Ask, Guide


@dataclass(frozen=True)
class Draft:
    """A client file not yet written: its values, and for each the reason, a line each."""

    client: str
    values: dict[str, Any]
    reasons: tuple[str, ...]


def draft(
    client: str,
    source: str | Path,
    *,
    kind: str = "orders",
    given: Mapping[str, str | None],
    as_of: str | None = None,
    currency: str | None = None,
    folder: Path = Path("params"),
    how: Mapping[str, Any] | None = None,
    ask: Ask,
) -> Draft:
    """A client file for an export, from its columns' names and values; then tried.

    Parameters
    ----------
    client : str
        Id of the client.
    source : str or Path
        A file, a pattern of files, a `package://` file or a database's address.
    kind : str
        `orders`, `events`, `subscriptions` or `responses`.
    given : mapping
        Columns or expressions that need no guess, by our names, such as `customer_id`.
    as_of, currency : str, optional
        Never guessed from the last row or the shop's country: asked for where they are missing.
    folder : Path
        Where the client file will be; its source is written relative to it.
    how : mapping, optional
        Further keys of the table, such as `where`, `timezone`, `decimal`, `sheet`, `preset`.
    ask : callable
        Answers a question, or raises a ParamsError that names the option.

    Raises
    ------
    ParamsError
        When the id is no folder name, the client file exists, or an answer is missing or unusable.
    DataError
        When the export cannot be read with the guesses.
    """
    currency = currency and currency.upper()
    _validated(
        {"client": client, "currency": currency or "EUR", "as_of": as_of or guides.FAR, "data": "demo"}
    )
    _refuse_existing(client, folder)
    _refuse_others(kind, given)
    guide = Guide(
        kind,
        _resolved(str(source)),
        {key: said for key, said in (how or {}).items() if said is not None},
        ask,
    )
    try:
        for name in guides.ASKED[kind]:
            guide.map(name, given.get(name))
        guide.settle_reading()
        currency = guide.settle_currency(currency)
        as_of = guide.settle_as_of(as_of)
        content = {"client": client, "title": client.replace("_", " ").capitalize()}
        content |= {"currency": currency} if currency else {}
        content |= {"as_of": as_of, "data": {kind: guide.table}}
        _validated(content)
        guide.try_out(as_of, currency)
    except duckdb.Error as error:  # a broken line beyond those that were looked at
        raise DataError(dialects.complaint(guide.source.name, error)) from None
    content["data"] = {kind: guide.table | {"source": _relative(str(source), folder)}}
    return Draft(client, content, tuple(guide.reasons))


def write(drafted: Draft, folder: Path) -> Path:
    """Write a draft as `<folder>/<client>.yaml`; a file that exists is never overwritten."""
    _refuse_existing(drafted.client, folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{drafted.client}.yaml"
    head = (
        f"# Drafted by retention-kit new: read it once, then type: retention-kit check {path.as_posix()}\n"
        "# as_of is the first moment not observed. columns: our names, and what they are in the export.\n"
    )
    with path.open("x", encoding="utf-8") as file:
        file.write(head + yamls.dump(drafted.values))
    return path


def _refuse_existing(client: str, folder: Path) -> None:
    path = folder / f"{client}.yaml"
    if path.exists():
        raise ParamsError(f"{path} exists and is not overwritten. Give another id, or delete it first.")


def _resolved(source: str) -> str:
    """The source with the environment's values in it; the client file keeps their names.

    Raises
    ------
    ParamsError
        When a variable is not set, or the source holds a password, which would be written.
    """
    password = urlsplit(source).password if "://" in source else None
    if password and not password.startswith("${"):
        raise ParamsError(
            "The address holds a password, and client files are passed on. "
            "Type: export NAME=..., and ${NAME} in its place, in single quotes."
        )
    return environment.filled(source, environment.values(source, place="the source"))


def _refuse_others(kind: str, given: Mapping[str, str | None]) -> None:
    """An option that maps a column which this kind of table does not have is a slip."""
    for name, said in given.items():
        if said and name not in guides.ASKED[kind]:
            raise ParamsError(f"--{name.replace('_', '-')} is no column of {kind}. Leave it out.")


def _validated(content: Mapping[str, Any]) -> None:
    try:
        params.Client.model_validate({"title": content["client"]} | dict(content))
    except ValidationError as error:
        first = error.errors()[0]
        if first["loc"] == ("currency",):
            raise ParamsError(
                f"currency: {first['input']!r} is no ISO code. Say three capitals, such as EUR."
            ) from None
        name = "" if first["type"] == "value_error" else f"{first['loc'][-1]}: "
        raise ParamsError(f"{name}{first['msg'].removeprefix('Value error, ')}.") from None


def _relative(source: str, folder: Path) -> str:
    """The source as the client file says it: relative to its folder, unless they share only the root."""
    if source.startswith("${"):
        return source
    start, separator, path = source.rpartition("://")
    if separator and start not in ("duckdb", "sqlite"):
        return source
    if separator:
        return f"{start}://{_relative(path, folder)}"
    path, home = os.path.abspath(Path(source).expanduser()), os.path.abspath(folder)
    try:
        shared = os.path.commonpath([path, home])
    except ValueError:  # two drives of Windows
        return Path(path).as_posix()
    return Path(path if shared == Path(path).anchor else os.path.relpath(path, home)).as_posix()
