"""Rows that stand in two files of one export: yearly files often share the days where they meet."""

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from retention_kit import mappings
from retention_kit.contracts import Contract
from retention_kit.opened import Note, Read, Source
from retention_kit.sentences import phrase

#: The column that holds which two files share a row, and that which holds the file it comes from.
MARK, FILE = "_repeats", "_file"


def several(name: str, whole: ir.Table, columns: Sequence[str], files: Sequence[str], **how: Any) -> Source:
    """A source of one file, or of several whose rows may stand in two; `whole` has `FILE`, its number."""
    mark = marked(whole, files) if len(files) > 1 else None
    return Source(name, tuple(columns), lambda needed: whole.select(*needed), marked=mark, **how)


def marked(whole: ir.Table, names: Sequence[str]) -> Read:
    """For `Source.marked`: rows with `MARK` filled where an earlier file has the same row, in every column.

    A file may hold a row twice in its own right, two alike things on one receipt; then the other file's
    first copy repeats the first and its second the second, and a third is new.

    Parameters
    ----------
    whole : Table
        All columns, and `FILE`: the number of the file in `names`.
    names : sequence of str
        What the files are called.
    """

    def table(needed: Sequence[str]) -> ir.Table:
        columns = [column for column in whole.columns if column != FILE]
        rows = whole.mutate(_row=ibis.struct({column: whole[column] for column in columns}).hash())
        per_row = rows.group_by("_row").aggregate(first=rows[FILE].min(), last=rows[FILE].max())
        if not per_row.filter(per_row.first < per_row.last).count().execute():
            return whole.select(*needed)
        copies = rows.mutate(_copy=ibis.row_number().over(group_by=["_row", FILE]))
        first = copies[FILE].min().over(group_by=["_row", "_copy"])
        called = ibis.array(list(names))
        words = called[first] + " and " + called[copies[FILE]]
        mark = (first < copies[FILE]).ifelse(words, ibis.null("string"))
        return copies.mutate(**{MARK: mark}).select(*needed, MARK)

    return table


def rows(
    source: Source,
    contract: Contract,
    mapped: Sequence[mappings.Mapped],
    needed: Sequence[str],
    overlaps: str,
) -> ir.Table:
    """The rows of a source, marked where it is several files and a row can be known again.

    It can where it says who and when. Answers of nobody, scores alone, are alike by chance.
    """
    names = {item.name for item in mapped}
    known_again = contract.moment in names and bool(names & {"customer_id", "order_id"})
    if source.marked is None or overlaps == "keep" or not known_again:
        return source.table(needed)
    return source.marked(needed)


def notes(typed: ir.Table, moment: str | None) -> tuple[Note, ...]:
    """Which files share how many rows, and of which days; they count once."""
    if MARK not in typed.columns or moment is None:
        return ()
    shared = typed.filter(typed[MARK].notnull())
    found = shared.group_by(MARK).aggregate(
        rows=shared.count(), first=shared[moment].min(), last=shared[moment].max()
    )
    shares = found.rename(files=MARK).order_by("files").to_pyarrow().to_pylist()
    return tuple(Note("warning", phrase("note.overlap", **share)) for share in shares)
