"""JSON: one record a line, or a list of records; what is nested is reached as `customer.id`."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from retention_kit import archives, dialects, overlaps, session
from retention_kit.exceptions import DataError
from retention_kit.mappings import quoted
from retention_kit.opened import AGAIN, Source

_BLANK = b"\xef\xbb\xbf \r\n\t"
_DIGITS = "^-?[0-9]{16,}$"  # a whole number that a float cannot hold


def opened(paths: Sequence[Path], name: str) -> Source:
    """A source of one or more files of records.

    Raises
    ------
    DataError
        When a line is no record, with its number, or there is none.
    """
    tables = [_stored(path) for path in paths]
    union = " UNION ALL ".join(f"SELECT json, {i} AS _file FROM {table}" for i, table in enumerate(tables))
    kinds = dict(_leaves(_structure(union, name)))
    if not kinds:
        raise DataError(f'{name} holds no records, such as {{"customer_id": 1}}. {AGAIN}')
    columns = ", ".join(
        f"{_value(union, keys, kind)} AS {quoted('.'.join(keys)).sql('duckdb')}"
        for keys, kind in kinds.items()
    )
    engine, view = session.connection(), session.new_name("records")
    engine.con.execute(f"CREATE TEMP VIEW {view} AS SELECT {columns}, _file FROM ({union})")
    whole = engine.table(view)
    names = tuple(column for column in whole.columns if column != overlaps.FILE)
    return overlaps.several(name, whole, names, [path.name for path in paths], is_text=True)


def _stored(path: Path) -> str:
    """One row a record, each as JSON: a file that starts with a bracket is a list of them."""
    start, end = archives.ends(path)
    if not start.strip(_BLANK):
        raise DataError(f"{path.name} is empty. {AGAIN}")
    is_list = start.lstrip(_BLANK).startswith(b"[")
    if is_list and not end.rstrip(_BLANK).endswith(b"]"):
        raise DataError(f"{path.name} cannot be read as JSON: its list is not closed. {AGAIN}")
    reader = "read_json_objects" if is_list else "read_ndjson_objects"
    table = session.new_name("records")
    query = f"CREATE TEMP TABLE {table} AS SELECT json FROM {reader}(?)"
    try:
        session.connection().con.execute(query, [str(path)])
    except duckdb.Error as error:
        line = None if is_list else _broken_line(path)
        why = f"line {line} is no record" if line else dialects.reason(error)
        raise DataError(archives.broken(path, Exception(why), as_a="JSON")) from None
    return table


def _broken_line(path: Path) -> int | None:
    with archives.opened(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                json.loads(line) if line.strip() else None
            except ValueError:
                return number
    return None


def _structure(union: str, name: str) -> dict[str, Any]:
    query = f"SELECT json_group_structure(json) FROM ({union})"
    found = session.connection().con.execute(query).fetchone()
    structure = json.loads(found[0]) if found and found[0] else {}
    return structure if isinstance(structure, dict) else {}


def _leaves(structure: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every value of a record by the keys that lead to it; a list is one value, its JSON."""
    for key, kind in structure.items():
        if isinstance(kind, dict):
            yield from _leaves(kind, (*above, key))
        else:
            yield (*above, key), kind if isinstance(kind, str) else "JSON"


def _value(union: str, keys: tuple[str, ...], kind: str) -> str:
    """A value in SQL: a number with decimals as a number, for 1.234 has no second reading here; else text."""
    steps = "".join('."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in keys)
    text = "json ->> '$" + steps.replace("'", "''") + "'"
    if kind != "DOUBLE":
        return f"({text})"
    query = f"SELECT bool_or(regexp_matches({text}, '{_DIGITS}')) FROM ({union})"
    too_long = session.connection().con.execute(query).fetchone()
    return f"({text})" if too_long and too_long[0] else f"CAST({text} AS DOUBLE)"
