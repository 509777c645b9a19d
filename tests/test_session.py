"""The engine of the process: one connection, a file to spill to, nothing from the network."""

import sys

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from ibis.backends.duckdb import Backend

from retention_kit import scratch, session
from retention_kit.exceptions import DataError


def test_there_is_one_connection() -> None:
    assert session.connection() is session.connection()


def test_names_are_never_given_twice() -> None:
    names = [session.new_name("orders") for _ in range(100)]
    assert len(set(names)) == 100
    assert all(name.startswith("orders_") for name in names)


def test_the_engine_installs_nothing_and_has_no_zone_of_its_own() -> None:
    query = "SELECT current_setting('autoinstall_known_extensions'), current_setting('TimeZone')"
    assert session.connection().raw_sql(query).fetchone() == (False, "UTC")


def test_the_engine_spills_into_the_process_s_own_folder() -> None:
    spill = session.connection().raw_sql("SELECT current_setting('temp_directory')").fetchone()[0]
    assert spill == str(scratch.folder() / "spill")
    assert scratch.folder().is_dir()


def test_parts_set_aside_are_one_table_in_their_order_and_leave_no_file_behind() -> None:
    parts = (pa.table({"customer_id": [name], "orders": [number]}) for number, name in enumerate("cab"))
    table = session.set_aside(parts, "profile")
    assert table.to_pydict() == {"customer_id": ["c", "a", "b"], "orders": [0, 1, 2]}
    assert list(scratch.folder().glob("profile*")) == []


def test_columns_set_aside_are_whole_of_the_type_asked_for_and_leave_no_file_behind() -> None:
    days = [np.datetime64("2024-01-01"), np.datetime64("2024-01-02"), np.datetime64("2024-01-03")]
    parts = (
        pa.record_batch({"at": np.array([day], "datetime64[ms]"), "paid": [paid], "id": ["x"]})
        for day, paid in zip(days, (1, None, 3), strict=True)
    )
    found = session.columns_set_aside(parts, "in_order", {"at": "datetime64[us]", "paid": "float64"})
    assert {name: column.dtype for name, column in found.items()} == {"at": "<M8[us]", "paid": "float64"}
    np.testing.assert_array_equal(found["at"], np.array(days, "datetime64[us]"))
    np.testing.assert_array_equal(found["paid"], [1, np.nan, 3])
    assert list(scratch.folder().glob("in_order*")) == []


def test_the_engine_takes_no_more_memory_than_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(session.MEMORY, "512MiB")
    assert setting("memory_limit") == "512.0 MiB"
    monkeypatch.delenv(session.MEMORY)
    assert setting("memory_limit") != "512.0 MiB"
    monkeypatch.setenv(session.MEMORY, "4' apples")
    with pytest.raises(DataError) as refused:
        setting("memory_limit")
    assert str(refused.value) == (
        'RETENTION_KIT_MEMORY is "4\' apples", which is no amount of memory. Write it such as 4GB.'
    )


@pytest.mark.parametrize("somebody", [True, False])
def test_a_bar_is_drawn_where_somebody_waits_at_a_terminal(
    somebody: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: somebody)
    assert setting("enable_progress_bar") is somebody


def setting(name: str) -> object:
    """A setting of an engine that is opened anew."""
    engine = session._opened(":memory:")
    try:
        return engine.raw_sql(f"SELECT current_setting('{name}')").fetchone()[0]
    finally:
        engine.disconnect()


def test_what_would_fill_the_memory_is_packed_into_the_file_and_goes_with_its_last_use() -> None:
    engine = session.connection()
    before = engine.raw_sql("SELECT current_setting('memory_limit')").fetchone()[0]
    engine.raw_sql("SET memory_limit = '64MB'")
    try:
        few, many = (
            session.stored(engine.sql(f"SELECT range AS number FROM range({rows})"), "numbers")
            for rows in (1_000_000, 5_000_000)
        )
    finally:
        engine.raw_sql(f"SET memory_limit = '{before}'")
    in_memory = dict(engine.raw_sql("SELECT table_name, temporary FROM duckdb_tables()").fetchall())
    assert (in_memory[few.op().name], in_memory[many.op().name]) == (True, False)
    assert many.count().execute() == 5_000_000
    name = many.op().name
    assert name in engine.list_tables()
    del many
    assert name not in engine.list_tables()


def test_one_of_many_alike_is_packed_where_they_would_fill_the_memory() -> None:
    table = ibis.memtable({"x": [1, 2]})
    few, many = (session.stored(table, "alike", alike=number) for number in (1, 10**12))
    told = session.connection().raw_sql("SELECT table_name, temporary FROM duckdb_tables()").fetchall()
    in_memory = dict(told)
    assert [in_memory[each.op().name] for each in (few, many)] == [True, False]


_ROWS = """
    SELECT * FROM (VALUES
        (1::BIGINT, 2::INTEGER, 1.5::DOUBLE, 'a', true, TIMESTAMP '2024-01-01 10:00', DATE '2024-01-01',
         1.25::DECIMAL(10, 2), 7::HUGEINT, 1::UTINYINT, TIMESTAMP_S '2024-01-01 10:00:00', [1, 2]),
        ({0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}, {0}, {0})
    ) AS rows(big, small, float, text, truth, moment, day, money, huge, tiny, second, list)
"""


@pytest.mark.parametrize("rows", ["whole", "with holes", "none"])
def test_an_answer_is_what_ibis_makes_of_it(rows: str) -> None:
    engine = session.connection()
    table = engine.sql(_ROWS.format("NULL"))
    table = table if rows == "with holes" else table.filter(table.big.notnull())
    table = table.filter(False) if rows == "none" else table
    for name in table.columns:
        ours, theirs = engine.execute(table.select(name)), Backend.execute(engine, table.select(name))
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
        pd.testing.assert_series_equal(engine.execute(table[name]), theirs[name])
    top = table.big.max()
    ours, theirs = engine.execute(top), Backend.execute(engine, top)
    assert (type(ours), repr(ours)) == (type(theirs), repr(theirs))
