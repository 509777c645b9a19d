"""A table of a report as a spreadsheet reads it, with nothing in it that a spreadsheet would run."""

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from retention_kit import names, scratch
from retention_kit.sentences import Voice

# What starts a formula, in the wide forms too that an Asian keyboard types; and signs that an import eats.
_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_EATEN = ("\t", "\r", "\n")
_LONGEST = 32_000  # signs in a cell; Excel takes 32,767 and drops the whole of a longer one
_HEAD = 4  # the row of the headings: caption, definition, as-of date and the way back stand above

_MOMENTS = ("date", "moment", "day", "week", "month", "quarter", "year")
# How Excel shows the units that are not plain numbers; a quarter has no format there.
_FORMATS = {
    "share": "0.0%",
    "points": "+0.0%;-0.0%;0.0%",
    "gap": "0.0%",
    "nps": "+0.0;-0.0;0",
    "count": "#,##0",
    "ratio": "0.00",
    "days": "#,##0.0",
    **dict.fromkeys(_MOMENTS, "yyyy-mm-dd"),
    "month": "yyyy-mm",
    "year": "yyyy",
}


def csv_text(table: Mapping[str, Any]) -> str:
    """A table (`columns`, `rows`) as CSV, unrounded.

    >>> csv_text({"columns": ["plan", "customers"], "rows": [["=1+1", 4], ["basic", None]]}).split()
    ['plan,customers', "'=1+1,4", 'basic,']
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([harmless(column) for column in table["columns"]])
    writer.writerows([harmless(value) for value in row] for row in table["rows"])
    return file.getvalue()


def harmless(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe, which makes it text.

    >>> [harmless(value) for value in ("=1+1", "@SUM(A1)", " =1+1", "plus", -4)]
    ["'=1+1", "'@SUM(A1)", "' =1+1", 'plus', -4]
    """
    if not isinstance(value, str):
        return value
    text = names.visible(value)
    return f"'{text}" if text.startswith(_EATEN) or text.lstrip().startswith(_STARTS) else text


# -- a workbook ------------------------------------------------------------------

_LOOKS = {
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"},
    "title": {"bold": True, "font_size": 14},
    "soft": {"font_color": "#55616e"},
    "link": {"font_color": "#005a8f", "underline": 1},
    # The mark of quoting: text stays text even when somebody edits the cell.
    "quoted": {"quote_prefix": True},
}


def write_workbook(
    path: Path, tables: Sequence[tuple[str, str, Mapping[str, Any]]], *, voice: Voice, title: str, as_of: str
) -> None:
    """An Excel workbook: a sheet that lists the tables, then a sheet each.

    A share is a percentage, a moment a date, an amount money; text is text, whatever it starts with.

    Parameters
    ----------
    path : Path
        The file to write.
    tables : sequence
        The table's name, the chapter it is from, and the table as `grids.table_data` makes it.
    voice : Voice
        The language of headings and the currency of money.
    title : str
        What the file's properties call it.
    as_of : str
        The day the file's properties date it to, so that a report made anew has the same bytes.
    """
    # Without these the writer itself would take text for a formula, a link or a number.
    plain = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    # What the writer leaves behind on a full disk goes with the folder.
    with (
        scratch.aside() as folder,
        Workbook(str(path), plain | {"tmpdir": folder}) as file,
    ):
        file.set_properties({"title": title, "created": dt.datetime.fromisoformat(as_of)})
        book = _Book(file, voice)
        names = _sheet_names([name for name, _, _ in tables])
        book.list_tables([(name, *told) for name, (_, *told) in zip(names, tables, strict=True)])
        for name, (_, _, table) in zip(names, tables, strict=True):
            book.add_table(name, table)


def _sheet_names(names: Sequence[str]) -> list[str]:
    """Excel takes 31 signs, and two sheets of one name not at all."""
    taken: list[str] = []
    for name in names:
        short, number = name[:31], 2
        while short in taken:
            short, number = f"{name[:28]}_{number}", number + 1
        taken.append(short)
    return taken


class _Book:
    """A workbook being written: its language, and each look made once."""

    def __init__(self, file: Workbook, voice: Voice) -> None:
        self.file, self.voice = file, voice
        self.home = voice.say("workbook.contents")
        self.looks = {name: file.add_format(how) for name, how in _LOOKS.items()}
        formats = _FORMATS | {"money": f"#,##0.00 [${voice.currency}]"}
        self.formats = {unit: file.add_format({"num_format": how}) for unit, how in formats.items()}

    def list_tables(self, tables: Sequence[tuple[str, str, Mapping[str, Any]]]) -> None:
        sheet = self.file.add_worksheet(self.home)
        widths = {"sheet": 34, "table": 70, "chapter": 30, "rows": 8, "definition": 100}
        for column, (head, width) in enumerate(widths.items()):
            sheet.set_column(column, column, width)
            self.write(sheet, 0, column, self.voice.say(f"workbook.{head}"), look="head")
        for row, (name, chapter, table) in enumerate(tables, start=1):
            sheet.write_url(row, 0, f"internal:'{name}'!A1", self.looks["link"], name)
            for column, value in enumerate((table["caption"], chapter), start=1):
                self.write(sheet, row, column, value)
            sheet.write_number(row, 3, len(table["rows"]))
            self.write(sheet, row, 4, table["definition"])
        sheet.freeze_panes(1, 0)

    def add_table(self, name: str, table: Mapping[str, Any]) -> None:
        sheet = self.file.add_worksheet(name)
        as_of = self.voice.say("exhibit.as_of", as_of=table["as_of"]) if table["as_of"] else ""
        self.write(sheet, 0, 0, table["caption"], look="title")
        self.write(sheet, 1, 0, table["definition"], look="soft")
        self.write(sheet, 2, 0, as_of, look="soft")
        sheet.write_url(3, 0, f"internal:'{self.home}'!A1", self.looks["link"], self.home)
        for column, (head, unit) in enumerate(zip(table["columns"], table["units"], strict=True)):
            sheet.set_column(column, column, 28 if unit == "text" else 14)
            self.write(sheet, _HEAD, column, self.voice.word("column", head), look="head")
            for row, values in enumerate(table["rows"], start=_HEAD + 1):
                value = values[column]
                if unit.startswith("word.") and isinstance(value, str):
                    value = self.voice.format(value, unit)
                self.write(sheet, row, column, value, unit=unit.partition(".")[0])
        sheet.freeze_panes(_HEAD + 1, 1)
        sheet.autofilter(_HEAD, 0, _HEAD + len(table["rows"]), max(len(table["columns"]) - 1, 0))

    def write(
        self, sheet: Worksheet, row: int, column: int, value: Any, *, unit: str = "", look: str = ""
    ) -> None:
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif isinstance(value, (int, float)):
            sheet.write_number(row, column, value, self.formats.get(unit))
        elif isinstance(value, str) and unit in _MOMENTS and (moment := _moment(value)):
            sheet.write_datetime(row, column, moment, self.formats[unit])
        elif value is not None:
            text = names.visible(str(value))[:_LONGEST]
            look = look or ("quoted" if harmless(text) != text else "")
            sheet.write_string(row, column, text, self.looks.get(look))


def _moment(text: str) -> dt.datetime | None:
    """A moment that Excel can hold: its calendar begins in 1900."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.year >= 1900 else None
