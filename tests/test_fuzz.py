"""Good files spoiled at random: rows read = rows kept + rows set aside, and no row vanishes on the way in.

The normal run spoils 200 and `make soak` 5,000. Each is opened once and loaded whole, which costs a fifth
of a second whatever the file holds, most of it in building seven questions to the engine.
"""

import csv
import gzip
import io
import os
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from retention_kit import admission
from retention_kit.contracts import RESPONSES
from retention_kit.exceptions import DataError
from retention_kit.sources import open_source

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
HEAD = ("score", "responded_at", "comment")
GOOD = [(f"{number % 11}", f"2024-03-{number + 1:02}", f"wörd{number}") for number in range(25)]
# What stands in cells of real exports where a score, a day or a comment should.
CELLS = st.sampled_from(
    """|0|-1|11|7.5|7,5|1.234|1e400|inf|nan|10 - extremely likely|9/10|8 or 9|ten|٣|NA|N/A|$null$|NULL|-|#N/A
    |2024-02-30|03/04/2024|13.3.2024|2024-03-13T10:00:00Z|2024-03-13 25:00|20240313|0000-00-00|1/2/24
    |yesterday|a,b|a;b|say "hi"|'quoted'|O'Neil|=1+1|Ł|\u00a0|\u202e|👍|score|2024-03-13""".replace(
        "\n    ", ""
    ).split("|")
) | st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r\n"), max_size=8)
PIECES = st.sampled_from(
    [
        b"",
        b"\0",
        b"\n",
        b"\r\n",
        b"\r",
        b",",
        b";",
        b'"',
        b"'",
        b"\t",
        b"\xff",
        b"\xc5",
        b"NA",
        b"a,b\n",
        b"{",
    ]
) | st.binary(max_size=6)


def text(rows: list[tuple], delimiter: str, ending: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=ending, quoting=quoting).writerows([HEAD, *rows])
    return buffer.getvalue()


def frame(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(HEAD))


def parquet(rows: list[tuple]) -> bytes:
    buffer = io.BytesIO()
    frame(rows).to_parquet(buffer)
    return buffer.getvalue()


def workbook(rows: list[tuple]) -> bytes:
    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with pd.ExcelWriter(buffer, engine="xlsxwriter", engine_kwargs={"options": options}) as book:
        frame(rows).to_excel(book, index=False)
    return buffer.getvalue()


WRITERS = {
    "a.csv": lambda rows: text(rows, ",").encode(),
    "b.csv": lambda rows: text(rows, ";", "\r\n").encode("cp1252", "replace"),
    "c.tsv": lambda rows: text(rows, "\t").encode("utf-16"),
    "d.csv": lambda rows: text(rows, ",", quoting=csv.QUOTE_ALL).encode(),
    "e.jsonl": lambda rows: frame(rows).to_json(orient="records", lines=True).encode(),
    "f.csv.gz": lambda rows: gzip.compress(text(rows, "|").encode(), mtime=0),
    "g.parquet": parquet,
    "h.xlsx": workbook,
}


FILES = {name: write(GOOD) for name, write in WRITERS.items()}  # written once: a workbook holds the time


@st.composite
def spoiled_rows(draw: st.DrawFn) -> list[tuple]:
    """Good rows of which some are missing, twice there, or have something else in a cell."""
    rows = list(GOOD)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(rows) - 1))
        change = draw(st.sampled_from(["cell", "cell", "cell", "missing", "twice"]))
        if change == "cell":
            cells = list(rows[at])
            cells[draw(st.integers(0, 2))] = draw(CELLS)
            rows[at] = tuple(cells)
        else:
            rows[at : at + 1] = [] if change == "missing" else [rows[at]] * 2
    return rows


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, bytes, int | None]:
    """A file of spoiled rows or of spoiled bytes, and how many rows it has where that is known."""
    name = draw(st.sampled_from(sorted(WRITERS)))
    if draw(st.integers(0, 2)):
        rows = draw(spoiled_rows())
        return name, WRITERS[name](rows), len(rows)
    content = FILES[name]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(PIECES) + content[at + draw(st.integers(0, 8)) :]
    if not draw(st.integers(0, 3)):
        content = content[: draw(st.integers(0, len(content)))]
    return name, content, None


def lines_of(content: bytes) -> int:
    """The rows of a plain text file, counted without the package: its filled lines below the first."""
    filled = [line for line in re.split(rb"\r\n|\r|\n", content.replace(b"\0", b"")) if line]
    return max(len(filled) - 1, 0)


def is_plain(name: str, content: bytes) -> bool:
    """Whether a line is a row: no quote can hold the end of one, and no letter takes two bytes."""
    return name in ("a.csv", "b.csv") and not set(content) & set(b"\"'") and b"\0" not in content[:4]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=5_000 if SOAK else 200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoiled())
def test_rows_read_are_rows_kept_and_rows_set_aside(
    folder: Path, file: tuple[str, bytes, int | None]
) -> None:
    name, content, known = file
    (folder / name).write_bytes(content)
    try:
        opened = open_source(folder / name)
        inside = opened.table(list(opened.columns)[:1]).count().execute()
    except DataError as error:
        told("cannot be opened", error)
        return
    assert known in (None, inside)
    if is_plain(name, content):
        # In a file of one column an empty line is a row without a value.
        lines = lines_of(content)
        assert inside >= lines if len(opened.columns) == 1 else inside == lines
    try:
        passed = admission.admitted(RESPONSES, opened, as_of="2025-01-01", warn=True)
    except DataError as error:
        told("opened, and refused", error)
        return
    rows = dict(zip(passed.checks["rule"], passed.checks["rows"].tolist(), strict=True))
    assert rows["kept"] == passed.table.count().execute()
    assert rows.pop("read") == inside == sum(rows.values())
    event("loaded whole")


def told(what: str, error: DataError) -> None:
    """A file that is refused says so in one line."""
    assert str(error)
    assert "\n" not in str(error)
    event(what)
