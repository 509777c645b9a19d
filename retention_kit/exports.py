"""What is taken out of a report to be worked on elsewhere: its tables as CSV."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from retention_kit import pages
from retention_kit.pages import Chapter


def write_tables(chapters: Iterable[Chapter], folder: Path) -> None:
    """Every table of the chapters, and those behind their figures, as a CSV file each."""
    folder.mkdir()
    for chapter in chapters:
        for table in pages.tables(chapter.notebook):
            name = table.get("file") or f"{chapter.name}_{table['name']}"
            _write_csv(folder / f"{name}.csv", table)


def _write_csv(path: Path, table: Mapping[str, Any]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # the mark makes Excel read UTF-8
        writer = csv.writer(file)
        writer.writerow([_harmless(column) for column in table["columns"]])
        writer.writerows([_harmless(value) for value in row] for row in table["rows"])


def _harmless(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe, which makes it text."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
