"""What a file is by its first bytes, and packed files that hold too much or are broken."""

import gzip
import zipfile
from pathlib import Path

import pytest

from retention_kit import archives
from retention_kit.exceptions import DataError


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "kind", "message"),
    [
        (
            "a.csv",
            b"PAR1....",
            "csv",
            "a.csv is a Parquet file by its content, not what its ending says. Rename",
        ),
        (
            "a.csv",
            b"SQLite format 3\0",
            "csv",
            "a.csv is an SQLite database by its content, not what its ending",
        ),
        ("a.xlsx", b" \n<!DOCTYPE html>", "excel", "a.xlsx is a web page by its content. Export it as CSV"),
        ("a.csv", b"\x1f\x8b....", "csv", "Rename it to a.csv.gz."),
    ],
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, name: str, content: bytes, kind: str, message: str
) -> None:
    with pytest.raises(DataError) as refused:
        archives.refuse_other_kinds([write(tmp_path / name, content)], kind)
    assert message in str(refused.value)


def test_a_file_that_is_what_it_says_passes(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a.csv.gz", gzip.compress(b"id\n1\n")), write(tmp_path / "b.csv", b"id\n1\n")]
    archives.refuse_other_kinds(paths, "csv")
    archives.refuse_other_kinds([write(tmp_path / "a.parquet", b"PAR1....")], "parquet")


def test_a_packed_file_reads_as_what_is_in_it_from_either_end(tmp_path: Path) -> None:
    text = b"id\n" + b"1\n" * 2_000_000 + b"last"
    plain, packed = write(tmp_path / "a.csv", text), write(tmp_path / "a.csv.gz", gzip.compress(text))
    for path in (plain, packed):
        start, last = archives.ends(path)
        assert start.startswith(b"id\n1\n")
        assert last.endswith(b"1\nlast")
    with archives.opened(packed) as file:
        file.seek(3)
        assert (file.read(2), file.tell()) == (b"1\n", 5)


def test_what_unpacks_to_too_much_is_refused_while_it_unpacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_ALWAYS_READ", 1 << 20)
    bomb = write(tmp_path / "a.csv.gz", gzip.compress(b"\0" * (4 << 20)))
    with (
        archives.opened(bomb) as file,
        pytest.raises(DataError, match=r"^a\.csv\.gz unpacks to more than 100 times"),
    ):
        file.read()
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sheet1.xml", b"\0" * (4 << 20))
    with pytest.raises(DataError, match=r"^a\.xlsx unpacks to more than 100 times"):
        archives.refuse_bombs(tmp_path / "a.xlsx")
    archives.refuse_bombs(write(tmp_path / "old.xls", b"\xd0\xcf\x11\xe0"))  # not packed


def test_a_broken_file_is_one_line(tmp_path: Path) -> None:
    cut = write(tmp_path / "a.csv.gz", gzip.compress(b"id\n" * 1000)[:-12])
    with pytest.raises(DataError) as refused:
        archives.ends(cut)
    assert str(refused.value).startswith("a.csv.gz cannot be read: Compressed file ended before")
    told = archives.broken(cut, ValueError("\n  odd header!\nat byte 7"), as_a="Excel")
    assert told == "a.csv.gz cannot be read as Excel: odd header. Export it again, or give another file."
    assert archives.broken(cut, ValueError()).startswith("a.csv.gz cannot be read: ValueError.")
