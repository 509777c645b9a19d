"""What stays on Spark and what comes from it: the rows that each question fetches, counted on the way."""

import importlib.util
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from benchmarks.questions import frames
from benchmarks.ways import AS_OF, Measured
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


def run(rows: int) -> list[Measured]:
    """A row a question: how many rows came from Spark for its answer."""
    task = f"What comes from {HERE} for {rows:,} orders, as many subscriptions and answers"
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        return [
            Measured(task, "Spark", rows, note="skipped: pyspark or Java is not there (make .venv/spark)")
        ]
    given = frames(rows)._asdict()
    backend = spark.connected(HERE)
    backend._session.conf.set("spark.sql.shuffle.partitions", "4")  # of the 200 of a cluster
    for name, frame in given.items():
        table = pa.Table.from_pandas(frame, preserve_index=False)
        backend._session.createDataFrame(table).createOrReplaceTempView(name)
    found = []
    for name, table, ask in QUESTIONS:
        began = time.perf_counter()
        with fetched() as came:
            ask(backend.table(table))
        taken = time.perf_counter() - began
        found.append(Measured(task, f"`{name}`", rows, cold=taken, note=f"{came.total():,} rows"))
    backend.disconnect()
    return found


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
