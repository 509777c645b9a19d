"""The words of a report, one file a language: read, checked, and the units that their values come in."""

import re
import string
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator

from retention_kit import yamls
from retention_kit.exceptions import ReportError, did_you_mean

Entries = Mapping[str, str | dict[str, str]]

UNITS = (
    "share", "growth", "points", "gap", "nps", "money", "count", "number", "exact", "ratio", "days",
    "date", "moment", "day", "week", "month", "quarter", "year", "unit", "text", "column", "word",
)  # fmt: skip
#: Units with forms, and where in the catalogue a form's words are: those of `month.in` in `months.in`.
FORMS = {
    "month": "months.{}",
    "unit": "periods.{}",
    "days": "unit.days_{}",
    "points": "unit.points_{}",
    "word": "{}",
}
_UNIT = re.compile(r"([a-z]+)(?:\.(\d+|[a-z_]+))?")


def languages() -> list[str]:
    """Languages that have a catalogue.

    >>> "en" in languages()
    True
    """
    return sorted(path.stem for path in _folder().glob("*.yaml"))


@lru_cache(maxsize=8)
def entries(language: str) -> Entries:
    """The entries of a language's catalogue by dotted key; a territory (`en_US`) has no catalogue of its own.

    Raises
    ------
    ReportError
        When there is no catalogue for the language, or it does not say all that the English one says.
    """
    if not re.fullmatch(f"({'|'.join(languages())})([-_][A-Z]{{2}})?", language):
        hint = did_you_mean(language, languages())
        raise ReportError(f"There is no catalogue for language {language!r}.{hint} There is {languages()}.")
    bare = re.split("[-_]", language)[0]
    found = read(_folder() / f"{bare}.yaml")
    missing = [key for key in entries("en") if key not in found] if bare != "en" else []
    if missing:
        raise ReportError(
            f"The catalogue {bare}.yaml does not have {missing[:3]}, which en.yaml has; it lacks "
            f"{len(missing)} in all. Add them in its own words."
        )
    return found


def known(language: str) -> str:
    """The language, where it has a whole catalogue.

    Raises
    ------
    ValueError
        Where it has none.

    >>> known("en_US")
    'en_US'
    """
    try:
        entries(language)
    except ReportError as error:
        raise ValueError(str(error).removesuffix(".").replace("There", "there", 1)) from None
    return language


#: A language as a client file may name it.
Language = Annotated[str, AfterValidator(known)]


def read(path: Path) -> dict[str, str | dict[str, str]]:
    """Entries by dotted key, checked: every field has a known unit, every plural an `other`, no key twice."""
    found: dict[str, str | dict[str, str]] = {}
    _flatten("", yamls.load(path).values, found)
    for key, entry in found.items():
        for template in texts(entry):
            _check_template(key, template, found)
    return found


def texts(entry: str | dict[str, str]) -> list[str]:
    """An entry's text, or the text of each of its plural forms."""
    return [entry] if isinstance(entry, str) else [text for form, text in entry.items() if form != "plural"]


def fields(entry: str | dict[str, str]) -> set[str]:
    """The names of the values that an entry can use, the one that chooses its plural among them.

    >>> sorted(fields({"plural": "n", "one": "one of {all:count}", "other": "{n:count} of {all:count}"}))
    ['all', 'n']
    """
    named = {name for text in texts(entry) for _, name, _, _ in string.Formatter().parse(text) if name}
    return named | ({entry["plural"]} if isinstance(entry, dict) else set())


def unit(text: str) -> tuple[str, int | str | None]:
    """A unit, and what stands behind its point: digits, a length, the form of a word, or its section.

    >>> unit("share.0"), unit("date"), unit("month.in"), unit("word.rule")
    (('share', 0), ('date', None), ('month', 'in'), ('word', 'rule'))
    """
    match = _UNIT.fullmatch(text)
    known = match and match[1] in UNITS
    if not known or (match[2] and not match[2].isdigit() and match[1] not in FORMS):
        raise ReportError(f"There is no unit {text!r}.{did_you_mean(text, UNITS)} Units are {list(UNITS)}.")
    return match[1], int(match[2]) if (match[2] or "").isdigit() else match[2]


def _folder() -> Path:
    return Path(str(resources.files(__package__))) / "catalogue"


def _flatten(prefix: str, node: Any, found: dict[str, Any]) -> None:
    if isinstance(node, dict) and "plural" not in node:
        for key, child in node.items():
            _flatten(f"{prefix}.{key}" if prefix else str(key), child, found)
        return
    if prefix in found:
        raise ReportError(f"The catalogue has {prefix!r} twice.")
    if isinstance(node, dict) and "other" not in node:
        raise ReportError(f"Catalogue entry {prefix!r} has no form 'other'.")
    if not isinstance(node, (dict, str)):
        raise ReportError(f"Catalogue entry {prefix!r} is {node!r}, not text. Put it in quotes.")
    found[prefix] = node


def _check_template(key: str, template: str, found: Entries) -> None:
    try:
        for _, name, told, _ in string.Formatter().parse(template):
            if name is not None and not name.isidentifier():
                raise ReportError(f"Catalogue entry {key!r}: {{{name}}} is not a plain name.")
            kind, form = unit(told) if told else ("text", None)
            names = FORMS[kind].format(form) if isinstance(form, str) else ""
            if names and not any(f"{each}.".startswith(f"{names}.") for each in found):
                raise ReportError(f"Catalogue entry {key!r}: {told} needs {names!r}, the words in that form.")
    except ValueError as error:
        raise ReportError(f"Catalogue entry {key!r}: {error}.") from None
