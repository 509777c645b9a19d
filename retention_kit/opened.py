"""A source that is open: its columns are known, its rows are not read yet, and what to know of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import ibis.expr.types as ir

from retention_kit.exceptions import DataError

#: What a reader can do about a file that is not what it should be.
AGAIN = "Export it again, or give another file."


#: Gives the rows of a source with the columns that are needed of it.
Read = Callable[[Sequence[str]], ir.Table]


@dataclass(frozen=True)
class Note:
    """Something a reader of the numbers should know of the data: a guess, a warning, a fact.

    `text` is a phrase, so that a report can say it in its own language.
    """

    level: Literal["guess", "warning", "info"]
    text: str
    code: str = ""  # for what a sentence must know of: "mid_life"


@dataclass(frozen=True)
class Source:
    """A source whose columns are known and whose rows have not been read yet.

    `marked` is there where the source is several files or sheets: it gives the same rows with a column
    `overlaps.MARK`, filled where a row stands in an earlier one too.
    """

    name: str
    columns: tuple[str, ...]
    table: Read = field(repr=False)
    notes: tuple[Note, ...] = ()
    is_text: bool = False
    place: str = ""  # what Ibis calls the database that holds it: "postgres", "sqlite"
    marked: Read | None = field(default=None, repr=False)


def refuse_named_twice(name: str, needed: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a needed column whose name the source has twice: nobody can tell which is meant.

    Raises
    ------
    DataError
        When a needed name stands more than once among all names, in whatever case.
    """
    folded = [each.casefold() for each in names]
    for column in needed:
        if folded.count(column.casefold()) > 1:
            raise DataError(f"{name} has more than one column named {column!r}. Rename one of them.")
