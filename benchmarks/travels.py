"""What stays on Spark and what comes from it: the rows that each question fetches, counted on the way."""

import importlib.util
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from benchmarks.questions import AS_OF, frames
from retention_kit import (
    btyd,
    churn,
    clv,
    cohorts,
    lifecycle,
    mrr,
    nps,
    retention,
    rfm,
    rhythm,
    spark,
    tables,
)

HERE = "spark://local[2]"
Question = tuple[str, str, Callable[[Any], object]]
#: The name of a question, the table it reads, and how it is asked of it.
QUESTIONS: list[Question] = [
    ("load_orders", "orders", lambda _: tables.load_orders(HERE, table="orders", as_of=AS_OF)),
    ("retention_rates", "orders", lambda table: retention.retention_rates(table, as_of=AS_OF)),
    ("cohort_revenue", "orders", lambda table: cohorts.cohort_revenue(table, as_of=AS_OF)),
    ("lifecycle", "orders", lambda table: lifecycle.lifecycle(table, as_of=AS_OF)),
    ("rfm_segments", "orders", lambda table: rfm.rfm_segments(table, as_of=AS_OF)),
    ("churn_rates", "subscriptions", lambda table: churn.churn_rates(table, as_of=AS_OF)),
    ("mrr_movements", "subscriptions", lambda table: mrr.mrr_movements(table, as_of=AS_OF)),
    ("nps", "responses", lambda table: nps.nps(table, as_of=AS_OF, period="quarter")),
    (
        "fit_bg_nbd of customer_histogram",
        "orders",
        lambda table: btyd.fit_bg_nbd(clv.customer_histogram(table, as_of=AS_OF)),
    ),
    ("overdue_customers", "orders", lambda table: rhythm.overdue_customers(table, as_of=AS_OF)),
    ("summarize_customers", "orders", lambda table: clv.summarize_customers(table, as_of=AS_OF)),
]


def run(rows: int) -> None:
    """Print the table in Markdown, for the README."""
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        print("Spark is skipped: pyspark or Java is not installed (make .venv/spark)")
        return
    given = frames(rows)._asdict()
    backend = spark.connected(HERE)
    backend._session.conf.set("spark.sql.shuffle.partitions", "4")  # of the 200 of a cluster
    for name, frame in given.items():
        table = pa.Table.from_pandas(frame, preserve_index=False)
        backend._session.createDataFrame(table).createOrReplaceTempView(name)
    customers = given["orders"]["customer_id"].nunique()
    print(f"{rows:,} orders of {customers:,} customers, as many subscriptions and answers, on {HERE}\n")
    print("| question | rows that come from Spark |")
    print("|---|---:|")
    for name, table, ask in QUESTIONS:
        with fetched() as came:
            ask(backend.table(table))
        print(f"| `{name}` | {came.total():,} |", flush=True)
    backend.disconnect()


@contextmanager
def fetched() -> Iterator[Counter]:
    """Counts the rows that leave Spark while it is open; Ibis fetches them all in one way."""
    from pyspark.sql.classic.dataframe import DataFrame

    rows: Counter = Counter()
    own = DataFrame.toPandas

    def counted(frame: Any) -> Any:
        found = own(frame)
        rows["toPandas"] += len(found)
        return found

    DataFrame.toPandas = counted
    try:
        yield rows
    finally:
        DataFrame.toPandas = own
