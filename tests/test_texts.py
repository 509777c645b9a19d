"""Text columns that a database reads itself: the answer of a file's, or none where its engine may differ."""

import ibis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import tables, texts
from retention_kit.exceptions import DataError

AS_OF = "2025-01-01"
DAYS = [
    *("2024-02-29", "2024-12-31 23:59:59", "2023-01-01T00:00", "2024-04-30 10:30:15.25", "20240630"),
    *("", " NA ", "  2024-03-04"),
]
NO_DAYS = [
    *("2023-02-29", "1900-02-29", "2024-04-31", "2024-13-01", "2024-1-5", "01.02.2024", "2024-01-01 24:00"),
    *("2024-01-01 10:60", "20240631", "2024-01-01Z", "2024-01-01 10:00+02:00", "0000-01-01", "then"),
]


def columns(moments: list[str], amounts: list[str]) -> ibis.Table:
    return ibis.memtable(pd.DataFrame({"ordered_at": moments, "amount": amounts}, dtype="str"))


def read(table: ibis.Table, decimal: str | None = None) -> texts.Plain | texts.Other:
    return texts.read(table, ["ordered_at"], ["amount"], decimal)


def test_plain_moments_and_numbers_are_read_as_those_of_a_file() -> None:
    amounts = ["1.50", "-2", "+0.125", "NA", "12", " 7.0", "1234.5678", "0"]
    written = columns(DAYS, amounts)
    found = read(written)
    assert isinstance(found, texts.Plain)
    assert [str(guess) for guess in found.guesses] == ["amount: decimal point"]
    here = written.mutate(**found.columns).execute()
    frame = pd.DataFrame({"customer_id": "ann", "ordered_at": DAYS, "amount": amounts})
    loaded = tables.load_orders(frame, as_of=AS_OF)
    kept = here.dropna()
    kept = kept[kept["amount"] >= 0].sort_values("ordered_at")
    door = loaded.table.select("ordered_at", "amount").order_by("ordered_at").execute()
    assert kept.to_numpy().tolist() == door.to_numpy().tolist()
    assert len(kept) == 4


@pytest.mark.parametrize("day", NO_DAYS)
def test_a_day_that_is_none_or_is_written_otherwise_is_named(day: str) -> None:
    assert read(columns(["2024-01-01", day], ["1", "2"])) == texts.Other("ordered_at", day)


@pytest.mark.parametrize("number", ["1,50", "1 000", "12-", "1e3", "x", "1.", ".5", "−3", "10 - likely"])
def test_a_number_that_is_none_or_is_written_otherwise_is_named(number: str) -> None:
    assert read(columns(["2024-01-01"] * 2, ["1.50", number])) == texts.Other("amount", number)


def test_a_dot_that_may_part_thousands_is_not_taken_for_the_decimals() -> None:
    days = ["2024-01-01"] * 2
    assert read(columns(days, ["1.234", "12"])) == texts.Other("amount", "1.234")
    assert isinstance(read(columns(days, ["1.234", "12"]), "."), texts.Plain)
    assert isinstance(read(columns(days, ["1.234", "1.5"])), texts.Plain)
    assert read(columns(days, ["1.234", "1.5"]), ",") == texts.Other("amount", "1.5")
    assert isinstance(read(columns(days, ["1234", "12"]), ","), texts.Plain)
    with pytest.raises(DataError, match=r"'1\.234' reads as 1\.234 or as 1234"):
        tables.load_orders(
            pd.DataFrame({"customer_id": "ann", "ordered_at": days, "amount": ["1.234", "12"]}), as_of=AS_OF
        )


def test_whole_numbers_are_days() -> None:
    days = ibis.memtable({"ordered_at": [20240229, 20240601]})
    found = texts.read(days, ["ordered_at"], [], None)
    assert days.select(**found.columns).ordered_at.execute().dt.strftime("%d.%m.%Y").tolist() == [
        "29.02.2024",
        "01.06.2024",
    ]
    assert texts.read(ibis.memtable({"ordered_at": [20240230]}), ["ordered_at"], [], None) == (
        texts.Other("ordered_at", "20240230")
    )


@given(st.dates(min_value=pd.Timestamp("1800-01-01").date(), max_value=pd.Timestamp("2500-01-01").date()))
def test_every_day_there_is_is_plain(day: object) -> None:
    found = read(columns([f"{day}", f"{day:%Y%m%d}"], ["1", "2"]))
    assert isinstance(found, texts.Plain)


@given(st.integers(1_000, 9_999), st.integers(0, 19), st.integers(0, 39))
def test_no_other_is(year: int, month: int, day: int) -> None:
    text = f"{year}-{month:02}-{day:02}"
    there = pd.to_datetime(pd.Series([text], dtype="str"), format="%Y-%m-%d", errors="coerce").notna().item()
    assert isinstance(read(columns([text], ["1"])), texts.Plain) == there
