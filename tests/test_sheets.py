"""Tables leave a report typed for a spreadsheet, and as text that no spreadsheet runs."""

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from retention_kit import grids, names, sheets
from retention_kit.sentences import Voice

VOICE = Voice(language="en", currency="PLN")
HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@sum",
    "\t=1",
    "\r=1",
    " =1",
    "＝1+1",
    "https://far.example",
    "0123",
    "a\x00b",
]


def told(frame: pd.DataFrame, name: str = "plans", **formats: str) -> dict:
    return grids.table_data(frame, name, "Plans & prices", VOICE, formats)


@pytest.fixture
def frame() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "month": pd.to_datetime(["2024-01-01", "2024-02-01"]),
            "plan": ["basic", None],
            "churn_rate": [0.25, None],
            "revenue": [1234.5, 0.0],
            "customers": [4, 1200],
            "days": [1.5, 2.0],
        }
    )
    frame.attrs |= {"definition": "Those who left.", "as_of": "2024-03-01"}
    return frame


def written(folder: Path, *tables: tuple) -> openpyxl.Workbook:
    sheets.write_workbook(folder / "tables.xlsx", tables, voice=VOICE, title="Acme", as_of="2024-03-01")
    return openpyxl.load_workbook(folder / "tables.xlsx")


def test_names_of_ours_are_words_and_truths_stay_truths(tmp_path: Path) -> None:
    frame = pd.DataFrame({"order_type": ["first"], "held_out": [True], "plan": ["first"]})
    sheet = written(tmp_path, ("sheet", "Retention", told(frame)))["sheet"]
    assert [cell.value for cell in sheet[6]] == ["First orders", True, "first"]


def test_cells_have_types_and_formats(tmp_path: Path, frame: pd.DataFrame) -> None:
    sheet = written(tmp_path, ("churn_plans", "Churn", told(frame, days="days")))["churn_plans"]
    assert [cell.value for cell in sheet["A"][:4]] == [
        "Plans & prices", "Those who left.", "As of 1 March 2024", "Contents",
    ]  # fmt: skip
    assert [cell.value for cell in sheet[5]] == [
        "Month", "Plan", "Churn rate", "Revenue", "Customers", "Days",
    ]  # fmt: skip
    assert [cell.value for cell in sheet[6]] == [dt.datetime(2024, 1, 1), "basic", 0.25, 1234.5, 4, 1.5]
    assert [cell.number_format for cell in sheet[6]] == [
        "yyyy-mm", "General", "0.0%", "#,##0.00 [$PLN]", "#,##0", "#,##0.0",
    ]  # fmt: skip
    assert [cell.value for cell in sheet[7]] == [dt.datetime(2024, 2, 1), None, None, 0, 1200, 2]
    assert sheet.freeze_panes == "B6"


def test_the_first_sheet_lists_the_tables_with_what_they_mean(tmp_path: Path, frame: pd.DataFrame) -> None:
    book = written(tmp_path, ("churn_plans", "Churn", told(frame)), ("nps_plans", "NPS", told(frame[:1])))
    assert book.sheetnames == ["Contents", "churn_plans", "nps_plans"]
    rows = [[cell.value for cell in row] for row in book["Contents"]]
    assert rows == [
        ["Sheet", "Table", "Chapter", "Rows", "Definition"],
        ["churn_plans", "Plans & prices", "Churn", 2, "Those who left."],
        ["nps_plans", "Plans & prices", "NPS", 1, "Those who left."],
    ]
    assert book["Contents"]["A2"].hyperlink.location == "'churn_plans'!A1"
    assert book["churn_plans"]["A4"].hyperlink.location == "'Contents'!A1"


def test_a_workbook_is_dated_to_its_report_and_not_to_the_clock(tmp_path: Path, frame: pd.DataFrame) -> None:
    assert written(tmp_path, ("churn_plans", "Churn", told(frame))).properties.created == dt.datetime(
        2024, 3, 1
    )


def test_nothing_in_a_workbook_is_run(tmp_path: Path) -> None:
    frame = pd.DataFrame({"=plan": HOSTILE, "customers": 1})
    table = told(frame) | {"caption": "=1+1", "definition": "@sum"}
    book = written(tmp_path, ("churn_plans", "=Churn", table))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s", "n"}
    sheet = book["churn_plans"]
    assert [unescape(sheet.cell(row, 1).value) for row in range(6, 17)] == [
        names.visible(name) for name in HOSTILE
    ]
    assert [sheet.cell(row, 1).quotePrefix for row in range(6, 17)] == [True] * 8 + [False] * 3
    with zipfile.ZipFile(tmp_path / "tables.xlsx") as parts:
        inside = b"".join(parts.read(name) for name in parts.namelist())
    assert b"<f>" not in inside
    assert b"TargetMode" not in inside  # no address outside of the workbook


def test_names_of_sheets_are_short_and_each_its_own(tmp_path: Path, frame: pd.DataFrame) -> None:
    long = "retention_" + 30 * "x"
    book = written(tmp_path, *[(long, "Retention", told(frame))] * 3)
    assert book.sheetnames == ["Contents", long[:31], f"{long[:28]}_2", f"{long[:28]}_3"]
    assert book["Contents"]["A4"].hyperlink.location == f"'{long[:28]}_3'!A1"


def test_what_excel_cannot_hold_is_kept_as_far_as_it_can(tmp_path: Path) -> None:
    old = pd.DataFrame({"day": pd.to_datetime(["1899-12-31", "2024-01-05"]), "plan": ["x" * 40_000, True]})
    sheet = written(tmp_path, ("plans", "Churn", told(old)))["plans"]
    assert [sheet["A6"].value, sheet["A7"].value] == ["1899-12-31", dt.datetime(2024, 1, 5)]
    assert len(sheet["B6"].value) == 32_000
    assert sheet["B7"].value is True


def test_a_table_without_rows(tmp_path: Path, frame: pd.DataFrame) -> None:
    assert written(tmp_path, ("plans", "Churn", told(frame[:0])))["plans"].max_row == 5


@given(st.text())
def test_no_text_starts_like_a_formula(text: str) -> None:
    told = sheets.harmless(text)
    assert told in (names.visible(text), f"'{names.visible(text)}")
    assert not told.strip().startswith(("=", "+", "-", "@"))
