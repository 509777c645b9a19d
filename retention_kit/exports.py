"""What is taken out of a report to be worked on elsewhere: its tables, as CSV and in one workbook."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from retention_kit import pages, sheets
from retention_kit.pages import Chapter
from retention_kit.sentences import Voice


def write_tables(chapters: Iterable[Chapter], folder: Path) -> None:
    """Every table of the chapters, and those behind their figures, as a CSV file each."""
    folder.mkdir()
    for name, _, table in _named(chapters):
        # The mark makes Excel read UTF-8.
        (folder / f"{name}.csv").write_text(sheets.csv_text(table), encoding="utf-8-sig", newline="")


def write_workbook(chapters: Sequence[Chapter], path: Path, *, voice: Voice, title: str, as_of: str) -> None:
    """The same tables as an Excel workbook, without the lists of customers: a workbook is passed on."""
    tables = [
        (name, chapter.title, table) for name, chapter, table in _named(chapters) if "file" not in table
    ]
    sheets.write_workbook(path, tables, voice=voice, title=title, as_of=as_of)


def _named(chapters: Iterable[Chapter]) -> Iterator[tuple[str, Chapter, dict[str, Any]]]:
    for chapter in chapters:
        for table in pages.tables(chapter.notebook):
            yield table.get("file") or f"{chapter.name}_{table['name']}", chapter, table
