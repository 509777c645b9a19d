"""Sources: whatever a client sends opens as a table, or one line says why not."""

import datetime as dt
import gzip
from decimal import Decimal
from pathlib import Path

import ibis
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from retention_kit import params
from retention_kit.exceptions import DataError
from retention_kit.opened import Note
from retention_kit.sources import open_source

SHOP = pd.DataFrame(
    {"who": ["a", "b"], "day": pd.to_datetime(["2024-07-01", "2024-07-02"]), "paid": [1.5, 2.0]}
)


def cells(source: object, columns: list[str] | None = None, **how: str) -> dict[str, list]:
    """All rows of a source, sorted, as columns."""
    opened = open_source(source, **how)
    table = opened.table(columns or list(opened.columns))
    return table.order_by(table.columns).to_pyarrow().to_pydict()


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "source",
    [
        *(
            SHOP,
            ibis.memtable(SHOP),
            pa.Table.from_pandas(SHOP),
            pl.from_pandas(SHOP),
            pl.from_pandas(SHOP).lazy(),
        ),
        SHOP.astype({"who": "category"}),
        SHOP.astype(object),
        pl.from_pandas(SHOP).with_columns(pl.col("who").cast(pl.Categorical)),
    ],
    ids=["pandas", "ibis", "arrow", "polars", "lazy polars", "categories", "objects", "polars categories"],
)
def test_every_frame_is_the_same_table(source: object) -> None:
    assert cells(source) == {"who": ["a", "b"], "day": list(SHOP["day"]), "paid": [1.5, 2.0]}


def test_only_the_columns_that_are_needed_are_read() -> None:
    # Neither a Period, nor lists, nor a column named 7, nor one that stands twice is in the way.
    frame = SHOP.assign(month=pd.period_range("2024-07", periods=2, freq="M"), tags=[[1], [2]])
    frame[7] = ["x", "y"]
    frame = pd.concat([frame, frame[["tags"]]], axis=1)
    assert cells(frame, ["who", "7"]) == {"who": ["a", "b"], "7": ["x", "y"]}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([1042, "b"], ["1042", "b"]),
        ([1042.0, "b"], ["1042", "b"]),
        ([1042.5, "7"], ["1042.5", "7"]),
        ([1042.0, None], [1042.0, None]),
        ([Decimal("1.10"), Decimal("2.20")], [Decimal("1.10"), Decimal("2.20")]),
        ([dt.date(2024, 7, 1), None], [dt.datetime(2024, 7, 1), None]),
        ([dt.date(2024, 7, 1), "2024-07-02"], ["2024-07-01", "2024-07-02"]),
        ([True, None], [True, None]),
        ([None, None], [None, None]),
        (
            [pd.Timestamp("2024-07-01", tz="UTC"), pd.Timestamp("2024-07-01", tz="Asia/Tokyo")],
            ["2024-07-01 00:00:00+00:00", "2024-07-01 00:00:00+09:00"],
        ),
    ],
)
def test_cells_of_mixed_types_become_one_type(column: list, expected: list) -> None:
    opened = open_source(pd.DataFrame({"row": [0, 1], "x": pd.Series(column, dtype=object)}))
    rows = opened.table(["row", "x"]).order_by("row").to_pyarrow().to_pylist()
    assert [float(row["x"]) if isinstance(row["x"], Decimal) else row["x"] for row in rows] == [
        float(cell) if isinstance(cell, Decimal) else cell for cell in expected
    ]


def test_a_table_of_another_engine_stays_there() -> None:
    engine = ibis.duckdb.connect()
    opened = open_source(engine.create_table("orders", SHOP))
    assert opened.table(["who"])._find_backends()[0] == [engine]


def test_csv_shows_what_was_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "pl.csv", "klient;kwota\nŁucja;1 234,50\n", "cp1250")
    assert open_source(path).notes == (
        Note("guess", "pl.csv: 1 line is not UTF-8 and was read as cp1250"),
        Note("guess", "pl.csv: delimiter ';'"),
    )
    assert cells(path) == {"klient": ["Łucja"], "kwota": ["1 234,50"]}
    given = open_source(path, encoding="cp1250", delimiter=";").notes
    assert given == (Note("info", "pl.csv: 1 line is not UTF-8 and was read as cp1250"),)


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("a.csv", "id,day\na,1\n", "utf-8"),
        ("a.csv", "id,day\na,1\n", "utf-8-sig"),
        ("a.csv", "id;day\na;1\n", "utf-16"),
        ("a.csv", "sep=;\nid;day\na;1\n", "utf-8"),
        ("a.CSV", "id;day\r\na;1\r\n", "utf-8"),
        ("a.tsv", "id\tday\na\t1\n", "utf-8"),
        ("it's [1].txt", 'id|day\n"a"|1\n', "utf-8"),
    ],
)
def test_text_files_of_every_dialect(tmp_path: Path, name: str, text: str, encoding: str) -> None:
    assert cells(write(tmp_path / name, text, encoding)) == {"id": ["a"], "day": ["1"]}


def test_compressed_csv_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress("imię\nŻaneta\n".encode("cp1250")))
    assert cells(path) == {"imię": ["Żaneta"]}


def test_quotes_keep_delimiters_line_ends_and_quotes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'score,comment\n9,"a, ""b""\nc"\n10,\n')
    assert cells(path) == {"score": ["10", "9"], "comment": [None, 'a, "b"\nc']}


def test_a_glob_puts_columns_together_by_name(tmp_path: Path) -> None:
    write(tmp_path / "2024-06.csv", "id,paid\na,1\n")
    write(tmp_path / "2024-07.csv", "paid,id\n2,b\n")
    assert cells(tmp_path / "2024-*.csv") == {"id": ["a", "b"], "paid": ["1", "2"]}


def test_parquet_by_path_and_by_glob(tmp_path: Path) -> None:
    SHOP.to_parquet(tmp_path / "a.parquet")
    SHOP.assign(who=["c", "d"]).to_parquet(tmp_path / "b.parquet")
    assert cells(tmp_path / "a.parquet", ["who"]) == {"who": ["a", "b"]}
    assert cells(tmp_path / "*.parquet", ["who"]) == {"who": ["a", "b", "c", "d"]}


def test_a_file_written_anew_is_read_anew_however_soon(tmp_path: Path) -> None:
    path, contents = tmp_path / "a.parquet", []
    for rows in (25, 26):  # of one length in bytes, as the last row repeats
        frame = pd.DataFrame({"id": [f"c{min(number, 24):02}" for number in range(rows)]})
        frame.to_parquet(path)
        contents.append((rows, path.read_bytes()))
    assert len({len(content) for _, content in contents}) == 1
    for rows, content in contents * 10:
        path.write_bytes(content)
        assert open_source(path).table(["id"]).count().execute() == rows


@pytest.mark.parametrize("kind", params.KINDS)
def test_the_invented_company_has_each_kind_of_table(kind: str) -> None:
    opened = open_source(f"demo://{kind}")
    assert "customer_id" in opened.columns
    assert opened.table(["customer_id"]).count().execute() > 100


def test_a_file_inside_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop_data" / "data").mkdir(parents=True)
    write(tmp_path / "shop_data" / "__init__.py", "")
    write(tmp_path / "shop_data" / "data" / "a.csv", "id\n1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert cells("package://shop_data/data/a.csv") == {"id": ["1"]}


def refusal(source: object, **how: str) -> str:
    with pytest.raises(DataError) as refused:
        cells(source, **how)
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "a.csv is empty. Export it again, or give another file."),
        (
            "a.csv",
            "id,day\na,1\nb,2,3\n",
            "a.csv cannot be read as CSV at line 3: it has 3 columns and the header 2. "
            "Say delimiter= or encoding=, or mend that line.",
        ),
        (
            "a.csv",
            "id,day\na,1\nb\n",
            "a.csv cannot be read as CSV at line 3: it has 1 columns and the header 2. "
            "Say delimiter= or encoding=, or mend that line.",
        ),
        (
            "a.csv.gz",
            "id\n",
            "a.csv.gz cannot be read: Not a gzipped file (b'id'). Export it again, or give another file.",
        ),
        (
            "a.xlsx",
            "id\n",
            "a.xlsx cannot be read as Excel: Cannot detect file format. Export it again, or give "
            "another file.",
        ),
        (
            "a.xml",
            "{}",
            "a.xml has the ending ['.xml']. Give .csv, .csv.gz, .tsv, .txt, .jsonl, .json, .parquet, .xlsx, "
            ".xls or .ods, and files of one kind in one glob.",
        ),
    ],
    ids=["empty", "long line", "short line", "no gzip", "no Excel", "ending"],
)
def test_broken_files_are_refused_in_one_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = write(tmp_path / name, text)
    assert refusal(path) == message


def test_parquet_that_is_none(tmp_path: Path) -> None:
    message = refusal(write(tmp_path / "a.parquet", "id\n"))
    assert message.startswith("a.parquet cannot be read as Parquet: ")
    assert message.endswith(". Export it again, or give another file.")


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    write(tmp_path / "orders.csv", "id\n")
    assert refusal(tmp_path / "order.csv") == (
        f"There is no file {tmp_path}/order.csv. Did you mean 'orders.csv'? Check the path."
    )
    assert refusal(tmp_path / "none" / "x.csv") == f"There is no file {tmp_path}/none/x.csv. Check the path."
    assert (
        refusal(f"{tmp_path}/*.tsv")
        == f"No file matches '{tmp_path}/*.tsv'. Check the folder and the pattern."
    )
    assert refusal(tmp_path) == (
        f"{tmp_path} is a folder. Name a file in it, or a pattern such as {tmp_path.name}/*.csv."
    )


def test_files_of_one_glob_are_written_alike(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,day\na,1\n")
    write(tmp_path / "b.csv", "id;day\na;1\n")
    assert refusal(tmp_path / "*.csv") == (
        "a.csv is delimited by ',' and b.csv by ';'. Files of one glob are read alike: save them alike, "
        "or say delimiter=."
    )
    write(tmp_path / "c.parquet", "")
    assert refusal(tmp_path / "*.*") == (
        f"{tmp_path}/*.* (3 files) has the ending ['.csv', '.parquet']. Give .csv, .csv.gz, .tsv, "
        ".txt, .jsonl, .json, .parquet, "
        ".xlsx, .xls or .ods, and files of one kind in one glob."
    )


NOT_THERE = (
    "lies in the Python package no_such_package, which is not installed. Type: pip install no-such-package"
)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("package://no_such_package/a.csv", f"package://no_such_package/a.csv {NOT_THERE}"),
        ("package://retention_kit/a.csv", "The Python package retention_kit has no file a.csv."),
        (
            "demo://order",
            "'demo://order' is no table of the demo company. "
            "It has ['customers', 'events', 'invitations', 'orders', 'responses', 'subscriptions'].",
        ),
        (
            "https://user:secret@host/db",
            "An address (https://) is no source. Save it as a file, or name a database: postgres://, "
            "postgresql://, duckdb://, sqlite://, bigquery://, snowflake://, spark://.",
        ),
        (
            [1, 2],
            "A source cannot be a list. Give a path, a glob, a pandas, Polars or Arrow frame, or an "
            "Ibis table.",
        ),
        (
            SHOP.assign(day=pd.period_range("2024-07", periods=2, freq="M")),
            "day of the frame holds periods (period[M]), and a moment is needed. "
            "Convert it with frame['day'].dt.to_timestamp().",
        ),
        (
            pd.concat([SHOP, SHOP[["paid"]]], axis=1),
            "the frame has more than one column named 'paid'. Rename one of them.",
        ),
        (
            pa.table([pa.array(["a"]), pa.array(["b"])], names=["paid", "paid"]),
            "the frame has more than one column named 'paid'. Rename one of them.",
        ),
        (
            SHOP.assign(paid=pd.Series([10**30, 1], dtype=object)),
            "paid of the frame cannot be read: Python int too large to convert to C long.",
        ),
    ],
    ids=[
        "package",
        "file in package",
        "demo",
        "address",
        "list",
        "period",
        "twice",
        "twice in Arrow",
        "huge",
    ],
)
def test_what_is_no_source_is_refused(source: object, message: str) -> None:
    assert refusal(source) == message
