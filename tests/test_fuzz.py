"""Good files spoiled at random: rows read = rows kept + rows set aside, and no row vanishes on the way in.

The normal run opens 200 and loads a tenth of them whole, for that costs ten times as much; `make soak`
opens and loads 5,000.
"""

import gzip
import io
import os
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention_kit import tables
from retention_kit.exceptions import DataError
from retention_kit.sources import open_source

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
ROWS = [(f"{number % 11}", f"2024-03-{number + 1:02}", f"wörd{number}") for number in range(25)]
HEAD = ("score", "responded_at", "comment")


def text(delimiter: str, ending: str = "\n", quote: str = "") -> str:
    return "".join(delimiter.join(f"{quote}{cell}{quote}" for cell in row) + ending for row in (HEAD, *ROWS))


def binary(kind: str) -> bytes:
    buffer = io.BytesIO()
    frame = pd.DataFrame(ROWS, columns=list(HEAD))
    frame.to_parquet(buffer) if kind == "parquet" else frame.to_excel(
        buffer, engine="xlsxwriter", index=False
    )
    return buffer.getvalue()


GOOD: dict[str, bytes] = {
    "a.csv": text(",").encode(),
    "b.csv": text(";", "\r\n").encode("cp1252"),
    "c.tsv": text("\t").encode("utf-16"),
    "d.csv": text(",", quote='"').encode(),
    "e.jsonl": pd.DataFrame(ROWS, columns=list(HEAD)).to_json(orient="records", lines=True).encode(),
    "f.csv.gz": gzip.compress(text("|").encode(), mtime=0),
    "g.parquet": binary("parquet"),
    "h.xlsx": binary("excel"),
}
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


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, bytes]:
    """A good file with up to three places cut out and filled with something else, perhaps cut off."""
    name = draw(st.sampled_from(sorted(GOOD)))
    content = GOOD[name]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(PIECES) + content[at + draw(st.integers(0, 8)) :]
    if draw(st.booleans()):
        content = content[: draw(st.integers(0, len(content)))]
    return name, content


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


def refused(error: DataError) -> None:
    assert str(error)
    assert "\n" not in str(error)


@settings(max_examples=5_000 if SOAK else 200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoiled())
def test_no_row_of_a_spoiled_file_vanishes(folder: Path, file: tuple[str, bytes]) -> None:
    name, content = file
    (folder / name).write_bytes(content)
    try:
        opened = open_source(folder / name)
        rows = opened.table(list(opened.columns)[:1]).count().execute()
    except DataError as error:
        refused(error)
        return
    if is_plain(name, content):
        # In a file of one column an empty line is a row without a value.
        assert rows >= lines_of(content) if len(opened.columns) == 1 else rows == lines_of(content)


@settings(max_examples=5_000 if SOAK else 20)
@given(spoiled())
def test_rows_read_are_rows_kept_and_rows_set_aside(folder: Path, file: tuple[str, bytes]) -> None:
    name, content = file
    (folder / name).write_bytes(content)
    try:
        loaded = tables.load_responses(folder / name, as_of="2025-01-01")
    except DataError as error:
        refused(error)
        return
    rows = dict(zip(loaded.checks["rule"], loaded.checks["rows"].tolist(), strict=True))
    assert rows["kept"] == loaded.table.count().execute()
    assert rows.pop("read") == sum(rows.values())
    if is_plain(name, content):
        assert sum(rows.values()) >= lines_of(content)
