"""Medians: by hand, and the same where the engine knows none, as BigQuery does not."""

from collections.abc import Callable

import ibis
import pandas as pd
import pytest
import test_public_api as api
from hypothesis import given
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend as DuckDB
from ibis.backends.sql import SQLBackend
from ibis.backends.sql.compilers.bigquery import BigQueryCompiler
from ibis.backends.sql.compilers.snowflake import SnowflakeCompiler

from retention_kit import medians, rfm, rhythm


class BigQuery(SQLBackend):
    compiler = BigQueryCompiler()


class Snowflake(SQLBackend):
    compiler = SnowflakeCompiler()


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, DuckDB is taken for an engine that knows what BigQuery knows."""
    return lambda: monkeypatch.setattr(DuckDB, "has_operation", BigQuery.has_operation)


def of(frame: pd.DataFrame) -> dict[str, float]:
    table = ibis.duckdb.connect().create_table("given", frame, schema={"shop": "string", "days": "int64"})
    rows, median = medians.of(table, "days", ["shop"])
    found = rows.group_by("shop").aggregate(days=median, rows=rows.count()).order_by("shop").to_pandas()
    assert found["rows"].sum() == len(frame)
    return dict(zip(found["shop"], found["days"].astype("float64").round(9), strict=True))


def test_the_middle_one_or_the_mean_of_two_by_hand(without: Callable[[], None]) -> None:
    shops = {"odd": [9, 1, 2], "even": [8, 1, 4, 2], "ties": [3, 3, 3, 9], "one": [7], "holes": [None, 5, 1]}
    frame = pd.DataFrame([(shop, days) for shop, values in shops.items() for days in values])
    frame = frame.set_axis(["shop", "days"], axis=1).astype({"days": "Int64"})
    by_hand = {"even": (2 + 4) / 2, "holes": (1 + 5) / 2, "odd": 2, "one": 7, "ties": 3}
    assert of(frame) == by_hand
    without()
    assert of(frame) == by_hand


@given(st.lists(st.tuples(st.sampled_from("ab"), st.none() | st.integers(-3, 3)), min_size=1, max_size=12))
def test_counted_off_it_is_pandas_median(rows: list[tuple[str, int | None]]) -> None:
    frame = pd.DataFrame(rows, columns=["shop", "days"]).astype({"days": "Int64"})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DuckDB, "has_operation", BigQuery.has_operation)
        found = of(frame)
    expected = frame.groupby("shop")["days"].median().astype("float64")
    pd.testing.assert_series_equal(
        pd.Series(found, dtype="float64"), expected, check_names=False, check_index_type=False
    )


@pytest.mark.parametrize("noun", [rfm.rfm_segments, rhythm.overdue_customers, rhythm.reorder_dates])
def test_a_noun_answers_the_same_without_the_engines_median(
    noun: Callable, without: Callable[[], None]
) -> None:
    frame = api.many_orders()
    table = ibis.duckdb.connect().create_table("given", frame)
    answer = noun(table, as_of=api.AS_OF)
    without()
    pd.testing.assert_frame_equal(noun(table, as_of=api.AS_OF), answer)


def test_which_engines_know_one() -> None:
    """Where BigQuery learns it, the way around can go."""
    median = ibis.table({"days": "int64"}, name="given").days.median()
    assert BigQuery.has_operation(type(median.op())) is False
    assert Snowflake.has_operation(type(median.op())) is True
    assert "MEDIAN(" in ibis.to_sql(median, dialect="snowflake")
