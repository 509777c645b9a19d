"""The summary that a purchase model reads, a row a customer: ours beside all who make one.

All count orders of one day as one purchase, and time in days to the end of the last whole day. Ours and the
peers' are given the same frame; what they answer is added up, and must agree.
"""

from benchmarks import races
from benchmarks.ways import Measured

RACE: races.Race = {
    "ours, of a plain frame": ("with_ours", "customers of a frame"),
    "ours, after `load_orders`": ("with_ours", "customers"),
    "lifetimes": ("with_lifetimes", "customers"),
    "pymc-marketing": ("with_pymc_marketing", "customers"),
    "the usual pandas recipe": ("with_pandas", "customers"),
    "Polars by hand": ("with_polars", "customers"),
    "DuckDB by hand": ("with_duckdb", "customers"),
}


def run(rows: int) -> list[Measured]:
    """A row a way."""
    return races.of_orders(f"Summary of the customers of {rows:,} orders", RACE, rows)
