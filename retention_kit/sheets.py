"""A table of a report as a spreadsheet reads it, with nothing in it that a spreadsheet would run."""

import csv
import io
from collections.abc import Mapping
from typing import Any

# What starts a formula, in the wide forms too that an Asian keyboard types; and signs that an import eats.
_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_EATEN = ("\t", "\r", "\n")


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
    if isinstance(value, str) and (value.startswith(_EATEN) or value.lstrip().startswith(_STARTS)):
        return f"'{value}"
    return value
