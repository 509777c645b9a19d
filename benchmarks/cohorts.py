"""The monthly cohort table of many orders: ours beside the usual pandas recipe, Polars and hand-written SQL.

All start from one Parquet file of orders with text ids. Every repeat of ours starts from a table that was
loaded anew and has not been asked anything yet.
"""

from benchmarks import races
from benchmarks.ways import Measured

RACE: races.Race = {
    "ours, after `load_orders`": ("with_ours", "cohorts"),
    "ours, of a plain frame": ("with_ours", "cohorts of a frame"),
    "the usual pandas recipe": ("with_pandas", "cohorts"),
    "Polars by hand": ("with_polars", "cohorts"),
    "DuckDB by hand": ("with_duckdb", "cohorts"),
    "one pass of distinct customer-months": ("with_duckdb", "one pass"),
}


def run(rows: int) -> list[Measured]:
    """A row a way."""
    return races.of_orders(f"Monthly cohorts of {rows:,} orders", RACE, rows)
