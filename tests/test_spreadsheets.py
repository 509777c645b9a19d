"""Excel and its kin: the sheet that is named, and the header where it stands."""

import datetime as dt
from pathlib import Path

import pytest
from openpyxl import Workbook

from retention_kit.exceptions import DataError
from retention_kit.sources import open_source


def cells(path: Path | str, **how: str) -> dict[str, list]:
    """All rows of a workbook, sorted, as columns."""
    opened = open_source(path, **how)
    table = opened.table(list(opened.columns))
    return table.order_by(table.columns).to_pyarrow().to_pydict()


def refusal(path: Path, **how: str) -> str:
    with pytest.raises(DataError) as refused:
        open_source(path, **how)
    return str(refused.value)


def book(path: Path, **sheets: list[list]) -> Path:
    workbook = Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def test_excel_keeps_numbers_dates_and_sheets(tmp_path: Path) -> None:
    rows = [
        ["id", "day", "paid"],
        [1042, dt.datetime(2024, 7, 1, 10), 1.5],
        [7, dt.datetime(2024, 7, 2), None],
    ]
    path = book(tmp_path / "a.xlsx", Orders=rows, Other=[["x"], ["y"]])
    assert cells(path) == {
        "id": [7, 1042],
        "day": [dt.datetime(2024, 7, 2), dt.datetime(2024, 7, 1, 10)],
        "paid": [None, 1.5],
    }
    assert cells(path, sheet="Other") == {"x": ["y"]}


def test_excel_ids_of_mixed_types_are_text(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", S=[["id", "year"], [1042, 1], ["K-7", 2]])
    assert cells(path) == {"id": ["1042", "K-7"], "year": [1, 2]}


def test_an_excel_sheet_without_rows_and_one_that_is_not_there(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", Orders=[["id"]], Second=[["id"], ["a"]])
    assert refusal(path) == "a.xlsx holds no rows below its header. Name another sheet with sheet=."
    assert refusal(path, sheet="Secnd") == (
        "a.xlsx has no sheet 'Secnd'. Did you mean 'Second'? It has ['Orders', 'Second']."
    )


def test_the_header_is_the_first_row_of_words_nearly_as_wide_as_the_widest(tmp_path: Path) -> None:
    rows = [["Orders of Acme"], ["made", dt.datetime(2024, 4, 1)], [], ["id", "paid", None], [7, 1.5, None]]
    path = book(tmp_path / "a.xlsx", S=rows)
    assert cells(path) == {"id": [7], "paid": [1.5]}
    assert [note.text for note in open_source(path).notes] == ["a.xlsx: 2 rows above the header are left out"]


def test_names_that_stand_twice_take_the_merged_cell_above_along(tmp_path: Path) -> None:
    rows = [["Old", None, "New", None], ["id", "day", "id", "sum"], ["a", 1, "b", 2]]
    path = book(tmp_path / "a.xlsx", S=rows)
    assert cells(path) == {"Old id": ["a"], "day": [1], "New id": ["b"], "sum": [2]}


def test_a_column_of_values_without_a_name_is_named_by_its_place(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", S=[["id", None, "paid"], ["a", "x", 1], ["b", None, 2]])
    assert list(open_source(path).columns) == ["id", "column 2", "paid"]


def test_a_number_too_long_for_excel_is_not_taken_for_exact(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", S=[["id"], [9007199254740993], [9007199254740991]])
    assert [type(value) for value in cells(path)["id"]] == [float, float]
    path = book(tmp_path / "b.xlsx", S=[["id"], [9007199254740991]])
    assert cells(path) == {"id": [9007199254740991]}


def test_sheets_of_a_pattern_are_read_together_and_a_workbook_each(tmp_path: Path) -> None:
    first, second = [["id", "paid"], ["a", 1]], [["paid", "id"], [2, "b"]]
    path = book(tmp_path / "a.xlsx", **{"Year 1": first, "Notes": [["x"], ["y"]], "Year 2": second})
    assert cells(path, sheet="Year *") == {"id": ["a", "b"], "paid": [1, 2]}
    book(tmp_path / "b.xlsx", **{"Year 3": [["id", "paid"], ["c", 3]]})
    assert cells(f"{tmp_path}/*.xlsx", sheet="Year *") == {"id": ["a", "b", "c"], "paid": [1, 2, 3]}
