"""Hostile files: each is one clear line, or rows that are counted; none a traceback, none a silent loss."""

# ruff: noqa: E501 (a file and its answer read best in one line each)

import datetime as dt
import gzip
import io
import resource
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from retention_kit import scratch, tables
from retention_kit.exceptions import DataError

HEAD = "customer_id,ordered_at,amount\n"
GOOD = "a,2024-03-13,1.50\nb,2024-03-14,2.50\n"
H, D = ["customer_id", "ordered_at", "amount"], dt.datetime(2024, 3, 13)


def parquet() -> bytes:
    buffer = io.BytesIO()
    days = pd.to_datetime(["2024-03-13", "2024-03-14"])
    pd.DataFrame({"customer_id": ["a", "b"], "ordered_at": days, "amount": [1.5, 2.5]}).to_parquet(buffer)
    return buffer.getvalue()


def xlsx(**sheets: list[list]) -> bytes:
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="xlsxwriter") as book:
        for name, cells in sheets.items():
            pd.DataFrame(cells).to_excel(book, sheet_name=name, header=False, index=False)
    return buffer.getvalue()


def zipped(name: str, content: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def spoiled(content: bytes, at: int, length: int) -> bytes:
    return content[:at] + b"\xff" * length + content[at + length :]


# A file's name and its content, or what makes it.
FILES: dict[str, tuple[str, Any]] = {
    "empty": ("a.csv", b""),
    "only blanks": ("a.csv", b"   \n\n  \n"),
    "only a header": ("a.csv", HEAD.encode()),
    "no header": ("a.csv", GOOD.encode()),
    "truncated Parquet": ("a.parquet", lambda: parquet()[:-40]),
    "Parquet cut to its first bytes": ("a.parquet", b"PAR1"),
    "Parquet with a broken page": ("a.parquet", lambda: spoiled(parquet(), 10, 40)),
    "a quote never closed": ("a.csv", (HEAD + '"a,2024-03-13,1.50\nb,2024-03-14,2.50\n').encode()),
    "a quote never closed among quotes": (
        "a.csv",
        (
            b'customer_id,ordered_at,amount,note\na,2024-03-13,1.50,"x, y"\nb,2024-03-14,2.50,"z\nc,2024-03-14,2.50,"u, v"\n'
        ),
    ),
    "a quote never closed far down": (
        "a.csv",
        (
            "customer_id,ordered_at,amount,note\n"
            + 'a,2024-03-13,1.50,"x, y"\n' * 30000
            + 'b,2024-03-14,2.50,"z\n'
            + "c,2024-03-14,2.50,u\n" * 10
        ).encode(),
    ),
    "NUL bytes": ("a.csv", (HEAD + "a\0,2024-03-13,1.50\nb,2024-03-14,2.50\n").encode()),
    "NUL bytes alone": ("a.csv", b"\0" * 1000),
    "NUL in the header": ("a.csv", ("customer_id\0,ordered_at,amount\n" + GOOD).encode()),
    "a workbook called csv": ("a.csv", lambda: xlsx(S=[H, ["a", D, 1.5]])),
    "csv called xlsx": ("a.xlsx", (HEAD + GOOD).encode()),
    "csv called parquet": ("a.parquet", (HEAD + GOOD).encode()),
    "csv called gz": ("a.csv.gz", (HEAD + GOOD).encode()),
    "gz called csv": ("a.csv", lambda: gzip.compress((HEAD + GOOD).encode())),
    "Parquet called csv": ("a.csv", parquet),
    "a web page called xls": ("a.xls", b"<html><table><tr><td>customer_id</td></tr></table></html>"),
    "a web page called csv": ("a.csv", b"<!DOCTYPE html><html><body>Please log in</body></html>"),
    "a PDF called csv": ("a.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"),
    "a zip that is no workbook": ("a.xlsx", lambda: zipped("orders.csv", HEAD + GOOD)),
    "a gz that unpacks to 2 GB": ("a.csv.gz", lambda: gzip.compress(b"\0" * (16 << 20)) * 128),
    "a workbook that unpacks to 300 MB": (
        "a.xlsx",
        lambda: zipped("xl/worksheets/sheet1.xml", b"\0" * (300 << 20)),
    ),
    "a truncated gz": ("a.csv.gz", lambda: gzip.compress((HEAD + GOOD * 1000).encode())[:-20]),
    "a gz with a broken middle": (
        "a.csv.gz",
        lambda: spoiled(gzip.compress((HEAD + GOOD * 1000).encode()), 30, 10),
    ),
    "an empty sheet": ("a.xlsx", lambda: xlsx(S=[])),
    "a sheet with a header alone": ("a.xlsx", lambda: xlsx(S=[H])),
    "merged headers": (
        "a.xlsx",
        lambda: xlsx(
            S=[
                ["Customer", None, "Order", None],
                ["customer_id", "name", "ordered_at", "amount"],
                ["a", "x", D, 1.5],
            ]
        ),
    ),
    "merged headers with names twice": (
        "a.xlsx",
        lambda: xlsx(
            S=[
                ["Old", None, "New", None],
                ["customer_id", "ordered_at", "customer_id", "ordered_at"],
                ["a", D, "b", D],
            ]
        ),
    ),
    "a total below the rows": ("a.xlsx", lambda: xlsx(S=[H, ["a", D, 1.5], ["Total", None, 1.5]])),
    "errors of formulas": (
        "a.xlsx",
        lambda: xlsx(S=[H, ["a", D, "#DIV/0!"], ["b", D, "#N/A"], ["c", D, 2.5]]),
    ),
    "three tables in one file": (
        "a.csv",
        (HEAD + GOOD + "\nplan,price\nbasic,5\n\nregion,manager,phone,fax\nN,x,1,2\n").encode(),
    ),
    "three tables as wide as each other": (
        "a.csv",
        (HEAD + GOOD + "\nplan,price,since\nbasic,5,2020-01-01\n" + "region,manager,phone\nN,x,1\n").encode(),
    ),
    "a title above the header": ("a.csv", ("Orders of March\n\n" + HEAD + GOOD).encode()),
    "a line too long": ("a.csv", (HEAD + GOOD + "c,2024-03-15,3.50,x\n").encode()),
    "a line too short": ("a.csv", (HEAD + GOOD + "c,2024-03-15\n").encode()),
    "a name that stands twice": ("a.csv", (b"customer_id,ordered_at,amount,amount\na,2024-03-13,1.50,9\n")),
    "columns without names": ("a.csv", (b"customer_id,ordered_at,amount,,\na,2024-03-13,1.50,x,y\n")),
    "line ends of all kinds": (
        "a.csv",
        b"customer_id,ordered_at,amount\r\na,2024-03-13,1.50\nb,2024-03-14,2.50\r\nc,2024-03-14,2.50\r",
    ),
    "line ends of an old Mac": (
        "a.csv",
        b"customer_id,ordered_at,amount\ra,2024-03-13,1.50\rb,2024-03-14,2.50\r",
    ),
    "a mark of UTF-8 twice": ("a.csv", b"\xef\xbb\xbf\xef\xbb\xbf" + (HEAD + GOOD).encode()),
    "UTF-16 cut in a letter": ("a.csv", (HEAD + GOOD).encode("utf-16")[:-1]),
    "words for nothing": (
        "a.csv",
        (
            HEAD
            + "$null$,2024-03-13,1.50\nb,NA,2.50\nc,2024-03-14,N/A\nNULL,2024-03-14,1\nnan,2024-03-13,1\nd,2024-03-14,2.50\n"
        ).encode(),
    ),
    "money with its sign": ("a.csv", (HEAD + "a,2024-03-13,€1.50\nb,2024-03-14,2.50\n").encode()),
    "infinite and huge": (
        "a.csv",
        (HEAD + "a,2024-03-13,inf\nb,2024-03-14,1e400\nc,2024-03-14,2.50\n").encode(),
    ),
    "days that are none": (
        "a.csv",
        (HEAD + "a,2024-02-30,1.50\nb,0000-00-00,2.50\nc,2024-03-14,2.50\nd,yesterday,1\n").encode(),
    ),
    "years that are none": (
        "a.csv",
        (HEAD + "a,0001-01-01,1.50\nb,9999-12-31,2.50\nc,2024-03-14,2.50\n").encode(),
    ),
    "a field of three million letters": ("a.csv", (HEAD + "a" * 3_000_000 + ",2024-03-13,1.50\n").encode()),
    "three hundred columns": (
        "a.csv",
        (
            ",".join(["customer_id", "ordered_at", "amount", *(f"c{i}" for i in range(300))])
            + "\na,2024-03-13,1.50"
            + ",x" * 300
            + "\n"
        ).encode(),
    ),
    "a row that looks like a comment": (
        "a.csv",
        (
            HEAD
            + "#N/A,2024-03-02,1.50\n"
            + "".join(f"{i % 11},2024-03-{i + 3:02},{i}.50\n" for i in range(24))
        ).encode(),
    ),
    "a header again among the rows": ("a.csv", (HEAD + GOOD + HEAD + GOOD).encode()),
    "two files glued, each with its mark": ("a.csv", (b"\xef\xbb\xbf" + (HEAD + GOOD).encode()) * 2),
    "a delimiter too many in each row": ("a.csv", (HEAD + GOOD.replace("\n", ",\n")).encode()),
    "a byte that ended files once": ("a.csv", (HEAD + GOOD).encode() + b"\x1a"),
    "dates as seconds": ("a.csv", (HEAD + "a,1710324000,1.50\n").encode()),
    "formulas": ("a.csv", (HEAD + "=1+1,2024-03-13,1.50\n@x,2024-03-13,1.50\n").encode()),
    "JSON with a broken line": (
        "a.jsonl",
        b'{"customer_id":"a","ordered_at":"2024-03-13"}\n{"customer_id":\n',
    ),
    "JSON cut off": ("a.json", b'[{"customer_id":"a","ordered_at":"2024-03-13"},'),
    "JSON of numbers": ("a.jsonl", b"1\n2\n"),
    "JSON empty": ("a.jsonl", b""),
    "random bytes": ("a.csv", lambda: bytes((i * 7919 + i * i) % 256 for i in range(4000))),
    "random bytes called xlsx": ("a.xlsx", lambda: bytes((i * 7919 + i * i) % 256 for i in range(4000))),
}

# What each answers: an error, or the rows by rule.
ANSWERS: dict[str, str | dict[str, int]] = {
    "empty": "a.csv is empty. Export it again, or give another file.",
    "only blanks": "orders is missing ['customer_id', 'ordered_at']. It has ['column0']. Map your names onto ours with columns={'customer_id': 'your_name'}.",
    "only a header": "orders has no rows. Export it again, or give another source.",
    "no header": "orders is missing ['customer_id', 'ordered_at']. It has ['a', '2024-03-13', '1.50']. Map your names onto ours with columns={'customer_id': 'your_name'}.",
    "truncated Parquet": "a.parquet cannot be read as Parquet: No magic bytes found at end of file '{folder}/a.parquet'. Export it again, or give another file.",
    "Parquet cut to its first bytes": "a.parquet cannot be read as Parquet: File '{folder}/a.parquet' too small to be a Parquet file. Export it again, or give another file.",
    "Parquet with a broken page": "a.parquet cannot be read: don't know what type: \x0f. Export it again, or give another file.",
    "a quote never closed": {"read": 2, "kept": 2},
    "a quote never closed among quotes": "a.csv cannot be read as CSV at line 2: it has 5 columns and the header 4. Say delimiter= or encoding=, or mend that line.",
    "a quote never closed far down": "a.csv cannot be read as CSV at line 30002: Value with unterminated quote found. Say delimiter= or encoding=, or mend that line.",
    "NUL bytes": {"read": 2, "kept": 2},
    "NUL bytes alone": "a.csv is empty. Export it again, or give another file.",
    "NUL in the header": {"read": 2, "kept": 2},
    "a workbook called csv": "a.csv is an Excel workbook or another zip file by its content, not what its ending says. Rename it to a.xlsx.",
    "csv called xlsx": "a.xlsx cannot be read as Excel: Cannot detect file format. Export it again, or give another file.",
    "csv called parquet": "a.parquet cannot be read as Parquet: No magic bytes found at end of file '{folder}/a.parquet'. Export it again, or give another file.",
    "csv called gz": "a.csv.gz cannot be read: Not a gzipped file (b'cu'). Export it again, or give another file.",
    "gz called csv": "a.csv is a gzip file by its content, not what its ending says. Rename it to a.csv.gz.",
    "Parquet called csv": "a.csv is a Parquet file by its content, not what its ending says. Rename it to a.parquet.",
    "a web page called xls": "a.xls is a web page by its content. Export it as CSV, Excel or Parquet.",
    "a web page called csv": "a.csv is a web page by its content. Export it as CSV, Excel or Parquet.",
    "a PDF called csv": "a.csv is a PDF by its content, not what its ending says. Export it as CSV, Excel or Parquet.",
    "a zip that is no workbook": "a.xlsx cannot be read as Excel: Cannot detect file format. Export it again, or give another file.",
    "a gz that unpacks to 2 GB": "a.csv.gz unpacks to more than 100 times its size, which no export does. It was not read. Give the file unpacked.",
    "a workbook that unpacks to 300 MB": "a.xlsx unpacks to more than 100 times its size, which no export does. It was not read. Give the file unpacked.",
    "a truncated gz": "a.csv.gz cannot be read: Compressed file ended before the end-of-stream marker was reached. Export it again, or give another file.",
    "a gz with a broken middle": "a.csv.gz cannot be read: Error -3 while decompressing data: invalid bit length repeat. Export it again, or give another file.",
    "an empty sheet": "a.xlsx holds no rows below its header. Name another sheet with sheet=.",
    "a sheet with a header alone": "a.xlsx holds no rows below its header. Name another sheet with sheet=.",
    "merged headers": {"read": 1, "kept": 1},
    "merged headers with names twice": "orders is missing ['customer_id', 'ordered_at']. It has ['Old customer_id', 'Old ordered_at', 'New customer_id', 'New ordered_at']. Map your names onto ours with columns={'customer_id': 'your_name'}.",
    "a total below the rows": {"read": 2, "no date": 1, "kept": 1},
    "errors of formulas": {"read": 3, "unreadable number": 1, "no amount": 1, "kept": 1},
    "three tables in one file": "a.csv cannot be read as CSV at line 5: it has 2 columns and the header 3. Say delimiter= or encoding=, or mend that line.",
    "three tables as wide as each other": {"read": 6, "unreadable date": 4, "kept": 2},
    "a title above the header": "a.csv cannot be read as CSV at line 3: it has 3 columns and the header 1. Say delimiter= or encoding=, or mend that line.",
    "a line too long": "a.csv cannot be read as CSV at line 4: it has 4 columns and the header 3. Say delimiter= or encoding=, or mend that line.",
    "a line too short": "a.csv cannot be read as CSV at line 4: it has 2 columns and the header 3. Say delimiter= or encoding=, or mend that line.",
    "a name that stands twice": "a.csv has more than one column named 'amount'. Rename one of them.",
    "columns without names": {"read": 1, "kept": 1},
    "line ends of all kinds": {"read": 3, "kept": 3},
    "line ends of an old Mac": {"read": 2, "kept": 2},
    "a mark of UTF-8 twice": "orders is missing ['customer_id']. It has ['\\ufeffcustomer_id', 'ordered_at', 'amount']. Map your names onto ours with columns={'customer_id': 'your_name'}.",
    "UTF-16 cut in a letter": "a.csv is not utf-16 throughout, or is cut off. Export it again, or say encoding=.",
    "words for nothing": {"read": 6, "no customer": 3, "no date": 1, "no amount": 1, "kept": 1},
    "money with its sign": {"read": 2, "unreadable number": 1, "kept": 1},
    "infinite and huge": {"read": 3, "unreadable number": 2, "kept": 1},
    "days that are none": {"read": 4, "unreadable date": 3, "kept": 1},
    "years that are none": {"read": 3, "at or after as_of": 1, "kept": 2},
    "a field of three million letters": "a.csv cannot be read as CSV at line 1: Maximum line size of 2000000 bytes exceeded. Actual Size:3000017 bytes. Say delimiter= or encoding=, or mend that line.",
    "three hundred columns": {"read": 1, "kept": 1},
    "a row that looks like a comment": {"read": 25, "no customer": 1, "kept": 24},
    "a header again among the rows": {"read": 5, "unreadable date": 1, "kept": 4},
    "two files glued, each with its mark": {"read": 5, "unreadable date": 1, "kept": 4},
    "a delimiter too many in each row": {"read": 2, "kept": 2},
    "a byte that ended files once": "a.csv cannot be read as CSV at line 4: it has 1 columns and the header 3. Say delimiter= or encoding=, or mend that line.",
    "dates as seconds": "orders: none of 1 rows can be used: unreadable date 1 (such as '1710324000'). Check columns= and where=.",
    "formulas": {"read": 2, "kept": 2},
    "JSON with a broken line": "a.jsonl cannot be read as JSON: line 2 is no record. Export it again, or give another file.",
    "JSON cut off": "a.json cannot be read as JSON: its list is not closed. Export it again, or give another file.",
    "JSON of numbers": 'a.jsonl holds no records, such as {"customer_id": 1}. Export it again, or give another file.',
    "JSON empty": "a.jsonl is empty. Export it again, or give another file.",
    "random bytes": "a.csv is not utf-16-be throughout, or is cut off. Export it again, or say encoding=.",
    "random bytes called xlsx": "a.xlsx cannot be read as Excel: Cannot detect file format. Export it again, or give another file.",
}


def test_every_hostile_file_has_its_answer() -> None:
    assert FILES.keys() == ANSWERS.keys()
    assert len(FILES) >= 40


@pytest.mark.parametrize("label", FILES)
def test_a_hostile_file_is_one_line_or_counted_rows(label: str, tmp_path: Path) -> None:
    name, content = FILES[label]
    path = tmp_path / name
    path.write_bytes(content() if callable(content) else content)
    try:
        checks = tables.load_orders(path, as_of="2025-01-01").checks
    except DataError as error:
        assert "\n" not in str(error)
        assert str(error).replace(str(tmp_path), "{folder}") == ANSWERS[label]
        return
    rows = dict(zip(checks["rule"], checks["rows"].tolist(), strict=True))
    assert rows == ANSWERS[label]
    assert rows["read"] == sum(count for rule, count in rows.items() if rule != "read")


def test_a_file_that_unpacks_to_too_much_fills_neither_memory_nor_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"\0" * (16 << 20)) * 128)
    assert path.stat().st_size < 3 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match="unpacks to more than 100 times its size"):
        tables.load_orders(path, as_of="2025-01-01")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # kilobytes
    assert sum(each.stat().st_size for each in scratch.folder().glob("decoded*")) < 1 << 20
