"""Large tables in partitions: every row once, whole customers, files that go with their last use."""

import gc
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest

from retention_kit import partitions, scratch, session

_TYPES = """
    SELECT 'customer ' || range % 40 AS customer_id, range AS big, -range::INTEGER AS small,
        range / 7 AS float, 'text' || range AS "a ""text"" of", range % 2 = 0 AS truth,
        TIMESTAMP '2024-01-01 10:00:00.123456' + to_days(range::INTEGER) AS moment,
        DATE '2024-01-01' AS day, (range / 3)::DECIMAL(10, 2) AS money,
        100000000000000000000::HUGEINT + range AS huge, range::UTINYINT AS tiny
    FROM range(100)
    UNION ALL BY NAME SELECT NULL AS customer_id FROM range(3)
"""


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has room in memory, and a partition holds some ten rows."""
    monkeypatch.setattr(partitions, "_ALIKE", 10**15)
    monkeypatch.setattr(partitions, "_ROWS", 10)


def numbers(rows: int = 100) -> ir.Table:
    query = f"SELECT 'customer ' || range % 40 AS customer_id, range AS number FROM range({rows})"
    return session.connection().sql(query)


def ordered(table: ir.Table) -> pd.DataFrame:
    frame = table.to_pandas()
    return frame.sort_values(list(frame), ignore_index=True)


def folders() -> list[Path]:
    gc.collect()
    return list(scratch.folder().glob("numbers_*/*"))


def test_every_row_stands_there_as_it_was_and_in_one_partition(large: None) -> None:
    table = session.connection().sql(_TYPES)
    stored = partitions.stored(table, "types")
    parts = partitions.of(stored)
    assert len(parts) > 5
    assert stored.schema() == table.schema()
    pd.testing.assert_frame_equal(ordered(stored), ordered(table))
    pd.testing.assert_frame_equal(ordered(ibis.union(*parts)), ordered(table))


def test_a_partition_holds_whole_customers(large: None) -> None:
    parts = partitions.of(partitions.stored(numbers(), "numbers"))
    customers = [set(part.customer_id.to_pyarrow().to_pylist()) for part in parts]
    assert len(parts) > 5
    assert sum(map(len, customers)) == len(set().union(*customers)) == 40


def test_what_is_made_of_each_row_has_the_same_partitions(large: None) -> None:
    stored = partitions.stored(numbers(), "numbers")
    named = ibis.memtable({"customer_id": ["customer 1"], "segment": ["gold"]})
    made = stored.filter(stored.number < 50).mutate(twice=stored.number * 2).left_join(named, "customer_id")
    parts = partitions.of(made)
    assert len(parts) == len(partitions.of(stored))
    pd.testing.assert_frame_equal(ordered(ibis.union(*parts)), ordered(made))
    assert made.segment.count().execute() == 2


def test_two_tables_in_one_have_no_partitions_together(large: None) -> None:
    one, other = (partitions.stored(numbers(rows), "numbers") for rows in (100, 60))
    both = one.join(other, "number")
    assert partitions.of(both) == [both]


def test_small_tables_and_those_elsewhere_stay_whole() -> None:
    small = partitions.stored(numbers(), "numbers")
    assert partitions.of(small) == [small]
    elsewhere = ibis.duckdb.connect().create_table("elsewhere", numbers().to_pandas())
    assert partitions.stored(elsewhere, "numbers") is elsewhere
    assert partitions.of(elsewhere) == [elsewhere]


@pytest.mark.parametrize("query", ["SELECT 1 AS number", "SELECT 'a' AS customer_id, [1, 2] AS list"])
def test_what_parquet_may_change_or_has_no_customers_is_packed_whole(large: None, query: str) -> None:
    table = session.connection().sql(query)
    stored = partitions.stored(table, "numbers")
    assert partitions.of(stored) == [stored]
    assert stored.op().name in session.connection().list_tables(database=("session", "main"))
    pd.testing.assert_frame_equal(stored.to_pandas(), table.to_pandas())


def test_the_files_go_with_the_last_table_over_them(large: None) -> None:
    assert folders() == []
    stored = partitions.stored(numbers(), "numbers")
    parts = partitions.of(stored)
    assert len(folders()) == len(parts)
    first, name = parts[0], stored.op().name
    rows = len(first.to_pandas())
    del stored, parts
    assert len(folders()) == 1
    assert len(first.to_pandas()) == rows > 0
    assert name not in session.connection().list_tables()
    del first
    assert folders() == []


def test_a_folder_may_be_called_anything(
    large: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = tmp_path / "ann's [new] folder*"
    strange.mkdir()
    monkeypatch.setattr(scratch, "folder", lambda: strange)
    stored = partitions.stored(numbers(), "numbers")
    assert sorted(stored.number.to_pyarrow().to_pylist()) == list(range(100))
