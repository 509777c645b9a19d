"""The same in SQL by hand on DuckDB, over a table in a file, as ours has it."""

import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.ways import AS_OF, Way

COHORTS = """
WITH active AS (
    SELECT DISTINCT customer_id, year(ordered_at) * 12 + month(ordered_at) - 1 AS month
    FROM orders
), first AS (
    SELECT customer_id, min(month) AS cohort FROM active GROUP BY customer_id
)
SELECT cohort, month - cohort AS age, count(*) AS retained
FROM active JOIN first USING (customer_id)
GROUP BY ALL
ORDER BY ALL
"""
DISTINCT = """
SELECT count(*) FROM (
    SELECT DISTINCT customer_id, year(ordered_at) * 12 + month(ordered_at) - 1 AS month FROM orders
)
"""
CUSTOMERS = f"""
WITH days AS (
    SELECT customer_id, ordered_at::DATE AS day, sum(amount) AS amount FROM orders GROUP BY ALL
)
SELECT customer_id, count(*) - 1 AS frequency, max(day) - min(day) AS recency,
    DATE '{AS_OF}' - 1 - min(day) AS T,
    if(count(*) > 1, (sum(amount) - arg_min(amount, day)) / (count(*) - 1), 0) AS monetary_value
FROM days
GROUP BY customer_id
"""


def loaded(path: Path) -> duckdb.DuckDBPyConnection:
    """The orders before `AS_OF`, in a table of a new file."""
    folder = tempfile.TemporaryDirectory()
    connection = duckdb.connect(f"{folder.name}/by_hand.duckdb")
    connection.execute(
        f"CREATE TABLE orders AS SELECT * FROM '{path}' WHERE ordered_at < TIMESTAMP '{AS_OF}'"
    )
    _FOLDERS.append(folder)
    return connection


_FOLDERS: list[tempfile.TemporaryDirectory] = []  # kept until the process ends


def cohorts(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    """Customers of each monthly cohort who came back, by age in months."""
    return connection.execute(COHORTS).fetchall()


def distinct(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    """One pass of distinct customer-months, which any cohort table needs."""
    return connection.execute(DISTINCT).fetchall()


def customers(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """What a purchase model reads of each customer."""
    return connection.execute(CUSTOMERS).to_arrow_table()


def _retained(cells: list[tuple]) -> list[int]:
    return [retained for *_, retained in cells]


def _sums(customers: pa.Table) -> list[float]:
    over = "count(*), sum(frequency), sum(recency), sum(T), sum(monetary_value)"
    over += ", sum(frequency * T + monetary_value * recency)"
    with duckdb.connect() as engine:
        return [float(each) for each in engine.execute(f"SELECT {over} FROM customers").fetchone()]


WAYS = {
    "cohorts": Way(loaded, cohorts, _retained),
    "one pass": Way(loaded, distinct),
    "customers": Way(loaded, customers, _sums),
}
