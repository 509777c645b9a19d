"""What a run left behind, read again: its account (`run.json`) and its figures (`headlines.json`)."""

import contextlib
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from retention_kit.exceptions import ReportError
from retention_kit.headlines import Headline

RUN, HEADLINES, FAILED = "run.json", "headlines.json", "-failed"


def moment(as_of: str) -> dt.datetime:
    """An as-of date, with its time where it has one, to put reports in order."""
    return dt.datetime.fromisoformat(as_of)


def _is_date(value: Any) -> bool:
    try:
        return moment(value).tzinfo is None
    except (TypeError, ValueError):
        return False


def _is_mapping_of_mappings(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())


def _is_mapping_of_mappings_if_any(value: Any) -> bool:
    return value is None or _is_mapping_of_mappings(value)


#: What others are built on. What an older version did not write may be missing.
_FITS = {
    "client": lambda value: isinstance(value, str),
    "title": lambda value: isinstance(value, str),
    "as_of": _is_date,
    "status": lambda value: value in ("done", "failed"),
    "chapters": _is_mapping_of_mappings,
    "rows": _is_mapping_of_mappings_if_any,
    "amounts": _is_mapping_of_mappings_if_any,
    "reading": _is_mapping_of_mappings_if_any,
    "versions": lambda value: value is None or isinstance(value, dict),
}


@dataclass(frozen=True)
class Account:
    """One run of one client: the folder it wrote, and what `run.json` tells of it."""

    folder: Path
    told: Mapping[str, Any]

    @property
    def as_of(self) -> str:
        return self.told["as_of"]

    @property
    def moment(self) -> dt.datetime:
        """When the observation stopped."""
        return moment(self.as_of)

    @property
    def done(self) -> bool:
        return self.told["status"] == "done"

    @cached_property
    def figures(self) -> dict[str, list[Headline]]:
        """The figures of each chapter, in the report's order.

        Raises
        ------
        ReportError
            When there are none, or another version wrote them in a way that cannot be read.
        """
        chapters = _json(self.folder / HEADLINES)
        try:
            return {name: [Headline.from_json(one) for one in each] for name, each in chapters.items()}
        except (AttributeError, TypeError):
            raise ReportError(f"{self.folder.name}/{HEADLINES} does not hold chapters of figures.") from None


def read(folder: Path) -> Account:
    """The account of the run that wrote a folder.

    Raises
    ------
    ReportError
        In one line, when there is none or it is not one.
    """
    told = _json(folder / RUN)
    for key, fits in _FITS.items():
        if not fits(told.get(key)):
            raise ReportError(f"{folder.name}/{RUN}: {key} is {told.get(key)!r}.")
    return Account(folder, told)


def readable(home: Path) -> list[Account]:
    """The accounts of all runs in a client's folder; what cannot be read is passed over."""
    found = []
    for folder in folders(home) if home.is_dir() else ():
        with contextlib.suppress(ReportError):
            found.append(read(folder))
    return found


def folders(home: Path) -> Iterator[Path]:
    """The folders of a client's runs, whatever is in them; those still being written begin with a dot."""
    for path in sorted(home.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            yield path


def _json(path: Path) -> dict[str, Any]:
    name = f"{path.parent.name}/{path.name}"
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ReportError(f"{path.parent.name} has no {path.name}.") from None
    except (OSError, ValueError, RecursionError):
        raise ReportError(f"{name} cannot be read.") from None
    if not isinstance(content, dict):
        raise ReportError(f"{name} does not hold what a run writes.")
    return content
