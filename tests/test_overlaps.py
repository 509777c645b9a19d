"""Overlaps: a row that an earlier file has too is marked, as often as the earlier file has it."""

from pathlib import Path

import pandas as pd
import pytest

from retention_kit import overlaps, tables
from retention_kit.sources import open_source

HEAD = "customer_id,ordered_at,amount\n"
ROW = "a,2024-03-13,1.00\n"


def marks(folder: Path, *files: str) -> list[str | None]:
    for number, rows in enumerate(files):
        (folder / f"{number}.csv").write_text(HEAD + rows)
    opened = open_source(f"{folder}/*.csv")
    table = opened.marked(["customer_id"])
    if overlaps.MARK not in table.columns:
        return []
    return sorted(table[overlaps.MARK].execute().dropna())


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((ROW, ROW), ["0.csv and 1.csv"]),
        ((ROW * 2, ROW * 2), ["0.csv and 1.csv"] * 2),
        ((ROW * 2, ROW), ["0.csv and 1.csv"]),
        ((ROW, ROW * 3), ["0.csv and 1.csv"]),
        ((ROW, ROW, ROW), ["0.csv and 1.csv", "0.csv and 2.csv"]),
        ((ROW * 2, ROW.replace("1.00", "2.00")), []),
        ((ROW.replace("a,", ","), ROW.replace("a,", ",")), ["0.csv and 1.csv"]),
    ],
    ids=[
        "once",
        "twice each",
        "fewer later",
        "more later",
        "three files",
        "a cell differs",
        "blanks are alike",
    ],
)
def test_a_row_repeats_as_often_as_an_earlier_file_has_it(
    tmp_path: Path, files: tuple[str, ...], expected: list[str]
) -> None:
    assert marks(tmp_path, *files) == expected


def test_one_file_has_no_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD + ROW * 2)
    assert open_source(tmp_path / "a.csv").marked is None
    assert tables.load_orders(tmp_path / "a.csv", as_of="2025-01-01").checks["rows"].tolist() == [2, 2]


def test_sheets_of_two_books_are_called_by_book_and_sheet(tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer_id": ["a"], "ordered_at": [pd.Timestamp("2024-03-13")]})
    for book in ("x", "y"):
        with pd.ExcelWriter(tmp_path / f"{book}.xlsx", engine="xlsxwriter") as writer:
            for sheet in ("S 1", "S 2"):
                frame.to_excel(writer, sheet_name=sheet, index=False)
    loaded = tables.load_orders(f"{tmp_path}/*.xlsx", sheet="S *", as_of="2025-01-01")
    assert loaded.checks["rows"].tolist() == [4, 3, 1]
    told = [note.text for note in loaded.notes if note.level == "warning"]
    assert told[0] == "x.xlsx, S 1 and x.xlsx, S 2 share one row (13 March 2024); it counts once."
