"""Any export a client sends: a test for each promise, named by it; files, presets, the guide, ids, odd files.

What each does besides is in test_presets, test_guides, test_doubts, test_identities, test_hostile,
test_fuzz and test_downloads.
"""

import datetime as dt
import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from retention_kit import params, presets, tables
from retention_kit.cli import app
from retention_kit.contracts import BY_KIND
from retention_kit.exceptions import DataError

HEAD = ("Kunde", "Datum", "Betrag")
OURS = {"customer_id": "Kunde", "ordered_at": "Datum", "amount": "Betrag"}
AS_OF = "2025-01-01"


def csv(rows: Iterable[Iterable[str]], delimiter: str = ";", quote: str = "") -> str:
    return "".join(delimiter.join(f"{quote}{cell}{quote}" for cell in row) + "\n" for row in (HEAD, *rows))


def load(path: Path | str, **how: Any) -> tables.Loaded:
    return tables.load_orders(path, **({"columns": OURS, "as_of": AS_OF} | how))


def rows(loaded: tables.Loaded) -> list[tuple]:
    frame = loaded.table.order_by(["ordered_at", "customer_id"]).execute()
    return [
        (row.customer_id, row.ordered_at.strftime("%Y-%m-%d"), row.amount)
        for row in frame[["customer_id", "ordered_at", "amount"]].itertuples()
    ]


def told(loaded: tables.Loaded, level: str = "warning") -> list[str]:
    return [note.text for note in loaded.notes if note.level == level]


def accounted(loaded: tables.Loaded) -> dict[str, int]:
    return dict(zip(loaded.checks["rule"], loaded.checks["rows"].tolist(), strict=True))


# -- CSV of any dialect --------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_delimiter_and_quote(tmp_path: Path, delimiter: str, quote: str) -> None:
    text = csv([("a", "2024-03-13", "5.50"), ("b", "2024-03-14", "7.00")], delimiter, quote)
    (tmp_path / "a.csv").write_text(text)
    loaded = load(tmp_path / "a.csv")
    assert rows(loaded) == [("a", "2024-03-13", 5.5), ("b", "2024-03-14", 7.0)]
    assert f"a.csv: delimiter {delimiter!r}" in told(loaded, "guess")
    assert ("a.csv: quote '" in told(loaded, "guess")) == (quote == "'")


def test_a_quote_that_comes_late_in_a_long_file_is_a_quote(tmp_path: Path) -> None:
    plain = [(f"c{i}", "2024-03-13", "1.00") for i in range(60_000)]
    (tmp_path / "a.csv").write_text(csv([*plain, ('"late"', "2024-03-14", '"2.00"')], ","))
    assert rows(load(tmp_path / "a.csv"))[-1] == ("late", "2024-03-14", 2.0)


def test_a_quote_that_is_said_wins(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv([("'a'", "2024-03-13", "1.00"), ("'b'", "2024-03-13", "2.00")], ","))
    assert rows(load(tmp_path / "a.csv", quote=""))[0][0] == "'a'"
    assert rows(load(tmp_path / "a.csv", quote="'"))[0][0] == "a"


def test_decimal_comma_and_thousands_blank(tmp_path: Path) -> None:
    cells = [("a", "13.03.2024", "1 234,50"), ("b", "14.03.2024", "1\u00a0000\u202f000,00")]
    (tmp_path / "a.csv").write_text(csv(cells), encoding="utf-8")
    assert [amount for _, _, amount in rows(load(tmp_path / "a.csv"))] == [1234.5, 1_000_000]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (("03/04/2024", "13/04/2024"), ["2024-04-03", "2024-04-13"]),
        (("03/04/2024", "04/13/2024"), ["2024-03-04", "2024-04-13"]),
    ],
)
def test_day_or_month_first_is_decided_from_the_whole_column(
    tmp_path: Path, dates: tuple, expected: list
) -> None:
    (tmp_path / "a.csv").write_text(csv(("a", date, "1.00") for date in dates))
    assert [day for _, day, _ in rows(load(tmp_path / "a.csv"))] == expected


def test_dates_that_read_both_ways_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv([("a", "03/04/2024", "1.00"), ("b", "05/06/2024", "1.00")]))
    with pytest.raises(DataError) as refused:
        load(tmp_path / "a.csv")
    assert str(refused.value) == (
        "ordered_at: every date reads both day first and month first (such as '03/04/2024'). "
        "Say which with day_first=True or day_first=False."
    )


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        *(("utf-8", "Łucja"), ("utf-8-sig", "Łucja"), ("utf-16", "Łucja"), ("utf-16-le", "Łucja")),
        *(("cp1250", "Łucja Żak"), ("cp1251", "Иван"), ("cp1252", "Hélène")),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, name: str) -> None:
    (tmp_path / "a.csv").write_bytes(csv([(name, "2024-03-13", "1.00")]).encode(encoding))
    assert rows(load(tmp_path / "a.csv")) == [(name, "2024-03-13", 1.0)]


def test_a_mixture_of_encodings_is_read_right_and_its_rows_are_named(tmp_path: Path) -> None:
    names = {
        2: ("Zoë", "utf-8"),
        3: ("Łukasz Żółć", "cp1250"),
        4: ("plain", "utf-8"),
        5: ("Иван Петров", "cp1251"),
    }
    names |= dict.fromkeys(range(6, 12), ("Jiří Dvořák", "cp1250"))
    lines = [csv([]).encode()]
    lines += [f"{name};2024-03-13;1.00\n".encode(encoding) for name, encoding in names.values()]
    (tmp_path / "a.csv").write_bytes(b"".join(lines))
    loaded = load(tmp_path / "a.csv")
    assert sorted(name for name, _, _ in rows(loaded)) == sorted(name for name, _ in names.values())
    assert told(loaded)[0] == (
        "a.csv mixes encodings: lines read as cp1250: 3, 6, 7, 8, 9 and 2 more; lines read as cp1251: 5."
    )


# -- other files ---------------------------------------------------------------


def test_compressed_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(csv([("a", "2024-03-13", "1.00")]).encode()))
    assert rows(load(tmp_path / "a.csv.gz")) == [("a", "2024-03-13", 1.0)]


def test_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame([("a", pd.Timestamp("2024-03-13"), 1.0)], columns=list(HEAD))
    frame.to_parquet(tmp_path / "a.parquet")
    assert rows(load(tmp_path / "a.parquet")) == [("a", "2024-03-13", 1.0)]


def workbook(path: Path, sheets: dict[str, list[list]]) -> Path:
    with pd.ExcelWriter(path, engine="xlsxwriter") as book:
        for name, cells in sheets.items():
            pd.DataFrame(cells).to_excel(book, sheet_name=name, header=False, index=False)
    return path


def test_excel_by_a_named_sheet(tmp_path: Path) -> None:
    sheets = {"Notes": [["x"], ["y"]], "Orders": [list(HEAD), ["a", dt.datetime(2024, 3, 13), 1.0]]}
    path = workbook(tmp_path / "a.xlsx", sheets)
    assert rows(load(path, sheet="Orders")) == [("a", "2024-03-13", 1.0)]
    with pytest.raises(DataError, match="does not have"):
        load(path)


def test_excel_says_which_of_several_sheets_was_read(tmp_path: Path) -> None:
    sheets = {"Orders": [list(HEAD), ["a", dt.datetime(2024, 3, 13), 1.0]], "Notes": [["x"], ["y"]]}
    assert "a.xlsx: sheet Orders, one of 2" in told(load(workbook(tmp_path / "a.xlsx", sheets)), "guess")


def test_excel_with_its_header_below_a_title_block(tmp_path: Path) -> None:
    cells = [["Orders of Acme"], ["made", dt.datetime(2024, 4, 1)], [None], list(HEAD)]
    cells += [
        [1042, dt.datetime(2024, 3, 13), 1.0],
        [None, None, None],
        [1043, dt.datetime(2024, 3, 14), 2.0],
    ]
    loaded = load(workbook(tmp_path / "a.xlsx", {"S": cells}))
    assert rows(loaded) == [("1042", "2024-03-13", 1.0), ("1043", "2024-03-14", 2.0)]
    assert "a.xlsx: 2 rows above the header are left out" in told(loaded, "guess")


def test_json_lines(tmp_path: Path) -> None:
    records = [
        {"Kunde": 9007199254740993, "order": {"at": "2024-03-13", "total": 1.234}},
        {"Kunde": 9007199254740992, "order": {"at": "2024-03-14", "total": 2}},
    ]
    ours = {"customer_id": "Kunde", "ordered_at": "order.at", "amount": "order.total"}
    expected = [("9007199254740993", "2024-03-13", 1.234), ("9007199254740992", "2024-03-14", 2.0)]
    text = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / "a.jsonl").write_text(text)
    (tmp_path / "b.json").write_text(json.dumps(records, indent=2))
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("a.jsonl", "b.json", "c.jsonl.gz"):
        assert rows(load(tmp_path / name, columns=ours)) == expected


# -- many files ----------------------------------------------------------------


def test_a_glob_over_files_with_differing_column_orders(tmp_path: Path) -> None:
    (tmp_path / "2024-01.csv").write_text("Kunde;Datum;Betrag\na;2024-01-13;1.00\n")
    (tmp_path / "2024-02.csv").write_text("Betrag;Kunde;Datum;Notiz\n2.00;b;2024-02-13;x\n")
    loaded = load(f"{tmp_path}/2024-*.csv")
    assert rows(loaded) == [("a", "2024-01-13", 1.0), ("b", "2024-02-13", 2.0)]
    assert told(loaded)[0] == (
        "2024-01.csv lacks columns that other files have: Notiz. Its rows have nothing there."
    )


def yearly() -> dict[str, list[tuple]]:
    """Two yearly sheets of one shop, which share nine days: 40 lines a day, one of them bought twice."""
    days = pd.date_range("2010-11-22", "2010-12-20")
    lines = [
        (f"c{i % 7}", day, f"{day:%m%d}-{i // 2}", 1.0 + (i if i != 3 else 2))
        for day in days
        for i in range(40)
    ]
    shared = pd.Timestamp("2010-12-10")
    return {
        "Year 2009-2010": [line for line in lines if line[1] < shared],
        "Year 2010-2011": [line for line in lines if line[1] >= pd.Timestamp("2010-12-01")],
    }


COLUMNS = ["Customer ID", "InvoiceDate", "Invoice", "Price"]
MAPPED = {"customer_id": "Customer ID", "ordered_at": "InvoiceDate", "order_id": "Invoice", "amount": "Price"}


@pytest.mark.parametrize("kind", ["xlsx", "csv", "parquet", "jsonl"])
def test_duplicate_rows_of_overlapping_files_are_found_and_named(tmp_path: Path, kind: str) -> None:
    frames = {name: pd.DataFrame(lines, columns=COLUMNS) for name, lines in yearly().items()}
    how: dict[str, Any] = {"columns": MAPPED, "as_of": "2011-01-01"}
    source, ending = f"{tmp_path}/*.{kind}", f".{kind}"
    if kind == "xlsx":
        source, ending = (
            workbook(tmp_path / "a.xlsx", {n: [COLUMNS, *f.values.tolist()] for n, f in frames.items()}),
            "",
        )
        how["sheet"] = "Year *"
    for name, frame in frames.items():
        if kind == "csv":
            frame.to_csv(tmp_path / f"{name}.csv", index=False)
        elif kind == "parquet":
            frame.to_parquet(tmp_path / f"{name}.parquet")
        elif kind == "jsonl":
            frame.to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True, date_format="iso")
            how["timezone"] = "UTC"
    loaded = tables.load_orders(source, **how)
    lines = 29 * 40
    assert accounted(loaded) == {"read": lines + 360, "in an earlier file": 360, "kept": lines}
    assert told(loaded)[0] == (
        f"Year 2009-2010{ending} and Year 2010-2011{ending} share 360 rows "
        "(1 December 2010 to 9 December 2010); they count once."
    )
    kept = tables.load_orders(source, **how, overlaps="keep")
    assert accounted(kept) == {"read": lines + 360, "kept": lines + 360}


def test_answers_of_nobody_are_alike_by_chance_and_all_count(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("score,day\n10,2024-01-13\n9,2024-01-13\n")
    (tmp_path / "b.csv").write_text("score,day\n10,2024-01-13\n")
    loaded = tables.load_responses(f"{tmp_path}/*.csv", columns={"responded_at": "day"}, as_of=AS_OF)
    assert accounted(loaded) == {"read": 3, "kept": 3}


# -- exports as they come ------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("orders", "Name,Email,Financial Status,Created at,Total,Lineitem quantity"),
        ("orders", "order_id,order_date,status,order_total,order_currency,customer_email"),
        (
            "subscriptions",
            "id,Customer ID,Status,Start Date (UTC),Canceled At (UTC),Ended At (UTC),Plan,Amount",
        ),
        ("orders", "id,Customer,Number,Date (UTC),Amount Paid,Currency,Subscription,Status"),
        ("responses", "Timestamp,How likely are you to recommend us?"),
        ("responses", "#,How likely are you to recommend us?,Submit Date (UTC),Network ID"),
    ],
)
def test_a_known_tools_export_needs_no_columns(kind: str, head: str) -> None:
    names = head.split(",")
    name = presets.found(names, kind)
    assert name
    assert presets.kind(name) == kind
    assert set(BY_KIND[kind].required) <= presets.filled(name, names, {}, "a.csv")["columns"].keys()


# -- the guide -----------------------------------------------------------------


def test_the_guide_says_why_shows_three_values_tries_the_load_and_writes_what_loads_alike(
    tmp_path: Path,
) -> None:
    lines = [(f"K{i % 9:03}", f"{i % 28 + 1:02}.{i % 6 + 1:02}.2024", f"{i},50") for i in range(60)]
    (tmp_path / "a.csv").write_text(csv(lines))
    said = ["new", "acme", "--orders", str(tmp_path / "a.csv"), "--as-of", "2024-07-01", "--currency", "EUR"]
    result = CliRunner().invoke(app, [*said, "--folder", str(tmp_path / "params")])
    told = result.output.splitlines()
    assert "  customer_id  Kunde  (a known name for it; such as K000 | K001 | K002)" in told
    assert "  amount       Betrag  (a known name for it; such as 0,50 | 1,50 | 2,50)" in told
    assert "Tried: 60 rows read, 60 kept, 60 orders" in told
    assert told[-1] == str(tmp_path / "params" / "acme.yaml")
    loaded = tables.load(params.read(tmp_path / "params" / "acme.yaml"), "orders")
    assert accounted(loaded) == {"read": 60, "kept": 60}
    assert loaded.table.amount.sum().execute() == sum(range(60)) + 30


# -- who it was ----------------------------------------------------------------


def test_ids_are_what_is_written_however_long_and_with_their_zeros(tmp_path: Path) -> None:
    ids = ["9007199254740992", "9007199254740993", "007", "7", "A7", "a7"]
    (tmp_path / "a.csv").write_text(csv((f" {name} ", "2024-03-13", "1.00") for name in ids))
    assert {name for name, _, _ in rows(load(tmp_path / "a.csv"))} == set(ids)
    assert {name for name, _, _ in rows(load(tmp_path / "a.csv", ids="alike"))} == {*ids[:2], "7", "a7"}
    (tmp_path / "people.csv").write_text("other_id,customer_id\nA7,ann\na7,ann\n")
    mapped = load(tmp_path / "a.csv", same_customer=str(tmp_path / "people.csv"))
    assert [name for name, _, _ in rows(mapped)].count("ann") == 2


def test_one_id_an_order_is_told(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=60).strftime("%Y-%m-%d")
    (tmp_path / "a.csv").write_text(csv((f"order{i}", day, "1.00") for i, day in enumerate(days)))
    told_of = " ".join(told(load(tmp_path / "a.csv")))
    assert (
        "100% of customers have one order (60 of 60): is customer_id given anew with each order?" in told_of
    )
