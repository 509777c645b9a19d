"""Dialects: what is above the header, and files of one pattern that are not written alike."""

from pathlib import Path

import duckdb
import pytest

from retention_kit import dialects
from retention_kit.exceptions import DataError
from retention_kit.sources import open_source


def cells(source: Path | str, **how: str) -> dict[str, list]:
    opened = open_source(source, **how)
    table = opened.table(opened.columns)
    return table.order_by(table.columns[0]).to_pyarrow().to_pydict()


@pytest.mark.parametrize("above", ["", "\n", "\n\n", "sep=;\n", "\nsep=;\n", "\ufeff"])
def test_blank_lines_and_excels_own_line_are_above_the_header(tmp_path: Path, above: str) -> None:
    (tmp_path / "a.csv").write_text(f"{above}id;day\n1;x\n2;y\n")
    assert cells(tmp_path / "a.csv") == {"id": ["1", "2"], "day": ["x", "y"]}


def test_files_of_one_pattern_begin_alike(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,day\n1,x\n")
    (tmp_path / "b.csv").write_text("\n\nid,day\n1,x\n")
    with pytest.raises(DataError) as refused:
        cells(f"{tmp_path}/*.csv")
    assert str(refused.value) == (
        "a.csv has 0 lines above its header and b.csv 2. Files of one glob are read alike: save them alike."
    )


def test_a_backslash_escapes_where_the_file_says_so(tmp_path: Path) -> None:
    rows = "".join(f'{number},"say \\"hi\\", {number}"\n' for number in range(20))
    (tmp_path / "a.csv").write_text(f"id,text\n{rows}")
    assert cells(tmp_path / "a.csv")["text"][0] == 'say "hi", 0'


def test_a_name_that_stands_twice_is_refused_only_where_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,other,Other\n1,x,y\n")
    opened = open_source(tmp_path / "a.csv")
    assert opened.table(["id"]).to_pyarrow().to_pydict() == {"id": ["1"]}
    with pytest.raises(DataError, match="has more than one column named 'other'"):
        opened.table(["other"])


def test_columns_set_apart_by_blanks_as_in_print(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("  id     day  paid\n 00001  19970101   1.50\n 00002  19970118  12.00\n")
    assert cells(tmp_path / "a.txt") == {
        "id": ["00001", "00002"],
        "day": ["19970101", "19970118"],
        "paid": ["1.50", "12.00"],
    }
    assert [note.text for note in open_source(tmp_path / "a.txt").notes] == [
        "a.txt: columns are set apart by blanks"
    ]


def test_words_of_one_column_are_no_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("the comment\nvery  good\nso so\n")
    assert cells(tmp_path / "a.csv", delimiter=",") == {"the comment": ["so so", "very  good"]}
    (tmp_path / "b.csv").write_text("comment\nvery  good\nbad\n")
    assert cells(tmp_path / "b.csv") == {"comment": ["bad", "very  good"]}


def test_too_little_memory_is_no_fault_of_the_file() -> None:
    with duckdb.connect(config={"memory_limit": "1MB"}) as engine, pytest.raises(duckdb.Error) as refused:
        engine.execute("SELECT i, count(*) FROM range(1000000) AS counted(i) GROUP BY i").fetchall()
    why = str(refused.value).splitlines()[0].removeprefix("Out of Memory Error: ")
    assert dialects.complaint("a.csv", refused.value) == (
        f"a.csv does not fit into memory: {why}. RETENTION_KIT_MEMORY says how much the engine takes, else "
        "it is four fifths of the machine's; the rest goes to disk. Set it to less where so much is not "
        "free, such as 2GB, or to more where it says a few MB."
    )
