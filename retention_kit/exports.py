"""What is taken out of a report to be worked on elsewhere: its tables as CSV."""

from collections.abc import Iterable
from pathlib import Path

from retention_kit import pages, sheets
from retention_kit.pages import Chapter


def write_tables(chapters: Iterable[Chapter], folder: Path) -> None:
    """Every table of the chapters, and those behind their figures, as a CSV file each."""
    folder.mkdir()
    for chapter in chapters:
        for table in pages.tables(chapter.notebook):
            name = table.get("file") or f"{chapter.name}_{table['name']}"
            # The mark makes Excel read UTF-8.
            (folder / f"{name}.csv").write_text(sheets.csv_text(table), encoding="utf-8-sig", newline="")
