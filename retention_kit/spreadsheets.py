"""Excel and its kin: the sheet that is named, and the header where it stands, below a title if need be."""

import fnmatch
from collections.abc import Callable, Sequence
from pathlib import Path

import ibis.expr.types as ir
import pandas as pd

from retention_kit import archives, overlaps
from retention_kit.exceptions import DataError, did_you_mean
from retention_kit.opened import Note, Source
from retention_kit.sentences import phrase

_LOOKED_AT = 50  # rows among which the header is sought
_EXACT = 1 << 53  # up to here Excel keeps a whole number as it is
_WIDE = 0.6  # of the widest row, as many cells a header fills at least

#: Makes a source of a frame.
Framed = Callable[[pd.DataFrame, str], Source]


def opened(paths: Sequence[Path], name: str, sheet: str | None, framed: Framed) -> Source:
    """A source of one sheet, or of several with alike columns.

    Parameters
    ----------
    paths : sequence of Path
        Workbooks.
    name : str
        What the source is called.
    sheet : str, optional
        A sheet, or a pattern of sheets such as `Year *`; the first of each workbook if none is named.
    framed : callable
        Makes a source of a frame.

    Raises
    ------
    DataError
        When a workbook cannot be read, has no such sheet, or there are no rows below the header.
    """
    frames: dict[str, pd.DataFrame] = {}
    notes: list[Note] = []
    for path in paths:
        book = _book(path)
        chosen = _chosen(path, book, sheet)
        if sheet is None and len(book.sheet_names) > 1:
            told = {"sheet": chosen[0], "sheets": len(book.sheet_names)}
            notes.append(Note("guess", phrase("note.sheet", file=path.name, **told)))
        for each in chosen:
            grid = book.parse(each, header=None, dtype=object)
            above, frame = _headed(grid.map(_as_excel_keeps_it))
            if above:
                notes.append(Note("guess", phrase("note.above_header", file=path.name, lines=above)))
            called = path.name if len(chosen) == 1 else each if len(paths) == 1 else f"{path.name}, {each}"
            frames[called] = frame.assign(**{overlaps.FILE: len(frames)})
    whole = pd.concat(frames.values(), ignore_index=True) if len(frames) > 1 else next(iter(frames.values()))
    if whole.empty:
        raise DataError(f"{name} holds no rows below its header. Name another sheet with sheet=.")
    return _source(whole, name, list(frames), tuple(notes), framed)


def _source(
    whole: pd.DataFrame, name: str, files: list[str], notes: tuple[Note, ...], framed: Framed
) -> Source:
    made = framed(whole.drop(columns=overlaps.FILE), name)
    if len(files) == 1:
        return Source(name, made.columns, made.table, notes)
    everything = framed(whole, name)

    def marked(needed: Sequence[str]) -> ir.Table:
        # Of mixed types: as text all columns can be compared.
        return overlaps.marked(everything.table(everything.columns), files)(needed)

    return Source(name, made.columns, made.table, notes, marked=marked)


def _book(path: Path) -> pd.ExcelFile:
    archives.refuse_bombs(path)
    try:
        return pd.ExcelFile(path, engine="calamine")
    except Exception as error:  # calamine raises its own errors, of no common class
        raise DataError(archives.broken(path, error, as_a="Excel")) from None


def _chosen(path: Path, book: pd.ExcelFile, sheet: str | None) -> list[str]:
    names = [str(name) for name in book.sheet_names]
    if sheet is None:
        return names[:1]
    found = [sheet] if sheet in names else [name for name in names if fnmatch.fnmatchcase(name, sheet)]
    if not found:
        hint = did_you_mean(sheet, names)
        raise DataError(f"{path.name} has no sheet {sheet!r}.{hint} It has {names}.")
    return found


def _headed(grid: pd.DataFrame) -> tuple[int, pd.DataFrame]:
    """How many rows stand above the header, and the rows below it under its names; empty rows are none.

    The header is the first row of words that is nearly as wide as the widest: a title has a cell or two,
    and of a header of two rows the upper one has fewer, for its cells are merged.
    """
    grid = grid.dropna(how="all")
    if grid.empty:
        return 0, grid
    looked_at = grid.iloc[:_LOOKED_AT]
    filled = looked_at.notna().sum(axis=1)
    is_wide = (filled >= _WIDE * filled.max()).to_numpy()
    is_text = looked_at.map(lambda cell: isinstance(cell, str) or pd.isna(cell)).all(axis=1).to_numpy()
    top = int((is_wide & is_text if (is_wide & is_text).any() else is_wide).argmax())
    frame = grid.iloc[top + 1 :].reset_index(drop=True)
    group = grid.iloc[top - 1].ffill() if top else pd.Series(index=grid.columns, dtype=object)
    frame.columns = _names(grid.iloc[top], group)
    empty = [blank and bool(frame.iloc[:, i].isna().all()) for i, blank in enumerate(grid.iloc[top].isna())]
    return top, frame.loc[:, [not each for each in empty]]


def _names(header: pd.Series, group: pd.Series) -> list[str]:
    """The names of columns; those that stand twice take the merged cell above them along."""
    own = [f"column {i + 1}" if pd.isna(cell) else _text(cell) for i, cell in enumerate(header)]
    return [
        f"{_text(over)} {name}" if own.count(name) > 1 and not pd.isna(over) else name
        for name, over in zip(own, group, strict=True)
    ]


def _as_excel_keeps_it(cell: object) -> object:
    """A number too long for Excel as the float it was, so that nobody takes its last digits for true."""
    return float(cell) if isinstance(cell, int) and abs(cell) >= _EXACT else cell


def _text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
