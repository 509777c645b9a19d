"""The monthly cohort table of many orders: ours beside the usual pandas recipe, Polars and hand-written SQL.

All start from one Parquet file of orders with text ids. Loading is timed apart; every repeat of ours
starts from a table that was loaded anew and has not been asked anything yet.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

from benchmarks.questions import AS_OF, orders_file
from retention_kit import retention, tables

REPEATS = 3


def pandas_recipe(orders: pd.DataFrame) -> pd.DataFrame:
    """The cohort table as most pandas tutorials make it: no open periods, no intervals, no checks."""
    orders = orders[orders["ordered_at"] < AS_OF]
    month = orders["ordered_at"].dt.to_period("M")
    cohort = month.groupby(orders["customer_id"]).transform("min")
    age = (month.dt.year - cohort.dt.year) * 12 + month.dt.month - cohort.dt.month
    keyed = orders.assign(cohort=cohort, age=age)
    return keyed.groupby(["cohort", "age"])["customer_id"].nunique().unstack()


def polars_recipe(orders: pl.DataFrame) -> pl.DataFrame:
    """The same in Polars, distinct customer-months first."""
    month = pl.col("ordered_at").dt.year() * 12 + pl.col("ordered_at").dt.month() - 1
    kept = orders.lazy().filter(pl.col("ordered_at") < pl.lit(AS_OF).str.to_datetime())
    active = kept.select("customer_id", month=month).unique()
    aged = active.with_columns(cohort=pl.col("month").min().over("customer_id"))
    return aged.group_by("cohort", age=pl.col("month") - pl.col("cohort")).len().collect()


SQL = """
WITH active AS (
    SELECT DISTINCT customer_id, year(ordered_at) * 12 + month(ordered_at) - 1 AS month
    FROM orders
), first AS (
    SELECT customer_id, min(month) AS cohort FROM active GROUP BY customer_id
)
SELECT cohort, month - cohort AS age, count(*) AS retained
FROM active JOIN first USING (customer_id)
GROUP BY ALL
"""

DISTINCT = """
SELECT count(*) FROM (
    SELECT DISTINCT customer_id, year(ordered_at) * 12 + month(ordered_at) - 1 AS month FROM orders
)
"""


def run(rows: int) -> None:
    """Print the table in Markdown, for the README."""
    with tempfile.TemporaryDirectory() as folder:
        measured = _measured(orders_file(folder, rows), folder)
    usual = measured["the usual pandas recipe"][1]
    print(f"Monthly cohorts of {rows:,} orders with text ids, median of {REPEATS}, seconds of wall time\n")
    print("| way | load | answer | times faster than the recipe |")
    print("|---|---:|---:|---:|")
    for way, (load, answer) in measured.items():
        print(f"| {way} | {'' if load is None else f'{load:.1f}'} | {answer:.2f} | {usual / answer:.1f} |")


def _measured(path: Path, folder: str) -> dict[str, tuple[float | None, float]]:
    """By way: seconds to load (None where it is in the answer) and to answer."""
    return _of_pandas(path) | _of_polars(path) | _of_sql(path, folder) | _of_ours(path)


def _of_pandas(path: Path) -> dict[str, tuple[float | None, float]]:
    load, frame = _timed(lambda: pd.read_parquet(path))
    return {
        "the usual pandas recipe": (load, _median(lambda: pandas_recipe(frame))),
        "retention_rates of that frame, wrapping and checks included": (
            None,
            _median(lambda: retention.retention_rates(frame, as_of=AS_OF)),
        ),
    }


def _of_polars(path: Path) -> dict[str, tuple[float | None, float]]:
    load, frame = _timed(lambda: pl.read_parquet(path))
    return {"Polars": (load, _median(lambda: polars_recipe(frame)))}


def _of_sql(path: Path, folder: str) -> dict[str, tuple[float | None, float]]:
    select = f"CREATE TABLE orders AS SELECT * FROM '{path}' WHERE ordered_at < TIMESTAMP '{AS_OF}'"
    with duckdb.connect(f"{folder}/by_hand.duckdb") as connection:
        load, _ = _timed(lambda: connection.execute(select))
        return {
            "SQL by hand on DuckDB": (load, _median(lambda: connection.execute(SQL).fetchall())),
            "one pass of distinct customer-months": (
                None,
                _median(lambda: connection.execute(DISTINCT).fetchall()),
            ),
        }


def _of_ours(path: Path) -> dict[str, tuple[float | None, float]]:
    loads, answers = [], []
    for _ in range(REPEATS):
        load, loaded = _timed(lambda: tables.load_orders(path, as_of=AS_OF))
        loads.append(load)
        answers.append(_timed(lambda loaded=loaded: retention.retention_rates(loaded))[0])
    return {"retention_rates after load_orders": (statistics.median(loads), statistics.median(answers))}


def _timed(call: Callable[[], object]) -> tuple[float, object]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def _median(call: Callable[[], object]) -> float:
    return statistics.median(_timed(call)[0] for _ in range(REPEATS))
