"""Exports as they come: what the columns of known tools are here, by `presets.yaml`."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from retention_kit import yamls
from retention_kit.contracts import BY_KIND
from retention_kit.exceptions import DataError, did_you_mean


def names() -> list[str]:
    """What presets there are.

    >>> names()[:3]
    ['shopify_orders', 'woocommerce_orders', 'stripe_subscriptions']
    """
    return list(_all())


def found(columns: Sequence[str], kind: str | None = None) -> str | None:
    """The preset that an export with these columns is for; None where it is for none, or for several.

    One export can be read as tables of several kinds: that of `kind` goes before the others.

    >>> found(["#", "How likely are you to recommend us?", "Submit Date (UTC)", "Network ID"])
    'typeform'
    >>> found(["Customer", "Date"]) is None
    True
    """
    fits = fitting(columns)
    of_kind = [name for name in fits if _all()[name]["kind"] == kind] or fits
    return of_kind[0] if len(of_kind) == 1 else None


def fitting(columns: Sequence[str]) -> list[str]:
    """All presets that an export with these columns could be read by."""
    return [name for name, preset in _all().items() if all(_first([c], columns) for c in preset["found_by"])]


def kind(name: str) -> str:
    """The kind of table that a preset is for: `orders`, `subscriptions` or `responses`."""
    return _named(name)["kind"]


def filled(name: str, columns: Sequence[str], how: Mapping[str, Any], source: str) -> dict[str, Any]:
    """What a client file says of a table, with what it does not say taken from a preset.

    Parameters
    ----------
    name : str
        The preset.
    columns : sequence of str
        Those of the export.
    how : mapping
        `columns`, `where` and the rest, as a client file has them.
    source : str
        What the export is called.

    Raises
    ------
    DataError
        When there is no such preset, or the export lacks a column that it needs.
    """
    preset = _named(name)
    ours = dict(how.get("columns") or {})
    for ourselves, candidates in preset["columns"].items():
        here = _first(candidates, columns)
        if here and ourselves not in ours:
            ours[ourselves] = here
    needed = [each for each in BY_KIND[preset["kind"]].required if each not in {*ours, *columns}]
    if needed:
        candidates = preset["columns"].get(needed[0], [needed[0]])
        sought = ", ".join(each["is"] if isinstance(each, dict) else each for each in candidates)
        raise DataError(
            f"{source} is no export as preset {name} knows it: nothing for {needed[0]} (sought: {sought}). "
            f"It has {list(columns)}. Say columns={{{needed[0]!r}: 'your_name'}}."
        )
    whole = {"day_first": preset["day_first"]} if "day_first" in preset else {}
    if conditions := [each["is"] for each in preset.get("where", []) if set(each["of"]) <= set(columns)]:
        whole["where"] = " AND ".join(conditions)
    return whole | {key: said for key, said in how.items() if said is not None} | {"columns": ours}


def _first(candidates: Sequence[Any], columns: Sequence[str]) -> str | None:
    """The first candidate that the export has: a column, a pattern of one, or an expression of several."""
    for candidate in candidates:
        if isinstance(candidate, dict):
            if set(candidate["of"]) <= set(columns):
                return candidate["is"]
        elif "*" in candidate:
            matching = [column for column in columns if fnmatchcase(column.casefold(), candidate.casefold())]
            if len(matching) == 1:
                return matching[0]
        elif candidate in columns:
            return candidate
    return None


def _named(name: str) -> dict[str, Any]:
    if name not in _all():
        raise DataError(f"There is no preset {name!r}.{did_you_mean(name, names())} There are {names()}.")
    return _all()[name]


@cache
def _all() -> dict[str, dict[str, Any]]:
    return yamls.load(Path(str(resources.files(__package__))) / "presets.yaml").values
