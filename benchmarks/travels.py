"""What stays on a server and what comes from it: the rows that each question fetches, counted on the way.

`python -m benchmarks.travels` asks files, PostgreSQL and Spark, both started here; `BENCH_POSTGRES_ROWS` and
`BENCH_SPARK_ROWS` say of how many orders.
"""

import contextlib
import importlib.util
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import ibis

from benchmarks import sizes
from benchmarks.questions import frames
from benchmarks.ways import AS_OF, Measured
from retention_kit import (
    btyd,
    churn,
    clv,
    cohorts,
    holdouts,
    lifecycle,
    mrr,
    nps,
    recurring,
    retention,
    rfm,
    rhythm,
    spark,
    tables,
)
from tests import servers

HERE = "spark://local[2]"
POSTGRES_ROWS = int(os.environ.get("BENCH_POSTGRES_ROWS", "100_000"))
LOADS = {
    "orders": tables.load_orders,
    "subscriptions": tables.load_subscriptions,
    "responses": tables.load_responses,
}


class Question(NamedTuple):
    """What is asked of which table, and what the rows are that come from a server."""

    name: str
    of: str
    ask: Callable[[Any], object]
    rows: str


_ANSWER, _EACH = "the answer", "the answer, a row a customer"
QUESTIONS = [
    Question("retention_rates", "orders", retention.retention_rates, "the cohort table"),
    Question("cohort_revenue", "orders", cohorts.cohort_revenue, "a row a cohort and age"),
    Question("lifecycle", "orders", lifecycle.lifecycle, _ANSWER),
    Question("rfm_segments", "orders", rfm.rfm_segments, "a row a segment, and its limits"),
    Question("churn_rates", "subscriptions", churn.churn_rates, "subscribers who are alike, counted"),
    Question("recurring_rates", "subscriptions", recurring.recurring_rates, _ANSWER),
    Question("mrr_movements", "subscriptions", mrr.mrr_movements, _ANSWER),
    Question("nps", "responses", lambda loaded: nps.nps(loaded, period="quarter"), _ANSWER),
    Question(
        "fit_bg_nbd of customer_histogram",
        "orders",
        lambda loaded: btyd.fit_bg_nbd(clv.customer_histogram(loaded)),
        "kinds of customers, counted; the fit is made here",
    ),
    Question("summarize_customers", "orders", clv.summarize_customers, _EACH),
    Question("overdue_customers", "orders", rhythm.overdue_customers, _EACH),
    Question(
        "calibration_holdout",
        "orders",
        lambda loaded: holdouts.calibration_holdout(loaded, calibration_end="2024-01-01"),
        "a summary of each customer, and what each bought before and after",
    ),
]


class Taken(NamedTuple):
    """What a question took: rows that came here, and seconds of the clock."""

    rows: int
    seconds: float


def run(spark_rows: int, postgres_rows: int = POSTGRES_ROWS) -> list[Measured]:
    """A row a question and place: how many rows came for its answer, and what they are."""
    found = []
    for place, rows, taken in asked(spark_rows, postgres_rows):
        task = f"What comes from {place} for {rows:,} orders"
        found += [
            Measured(task, f"`{name}`", rows, cold=took.seconds, note=f"{took.rows:,} rows: {_TOLD[name]}")
            for name, took in taken.items()
        ] or [Measured(task, place, rows, note=f"skipped: {place} is not there")]
    return found


def main(spark_rows: int, postgres_rows: int) -> None:
    """Print the places side by side in Markdown, for the README."""
    found = list(asked(spark_rows, postgres_rows))
    head = [f"{place}, {rows:,} orders: rows | seconds" for place, rows, _ in found]
    print(f"| question | {' | '.join(head)} | the rows are |")
    print(f"|---{'|---:|---:' * len(found)}|---|")
    for name, told in _TOLD.items():
        cells = [
            f"{taken[name].rows:,} | {taken[name].seconds:.1f}" if taken else " | " for *_, taken in found
        ]
        print(f"| `{name}` | {' | '.join(cells)} | {told} |")


def asked(spark_rows: int, postgres_rows: int) -> Iterator[tuple[str, int, dict[str, Taken]]]:
    """Each place, its orders, and what each question took there; nothing where the place is not installed."""
    for place, of, rows in (
        ("files", of_files, postgres_rows),
        ("PostgreSQL", of_postgres, postgres_rows),
        ("Spark", of_spark, spark_rows),
    ):
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), rows)
            yield place, rows, of(Path(folder))


_OPENING = "counts of the checks, and which days have rows"
_TOLD = {f"load_{kind}": _OPENING for kind in LOADS} | {each.name: each.rows for each in QUESTIONS}


def write(folder: Path, rows: int) -> None:
    """So many orders, a quarter as many subscriptions, a tenth as many answers, in Parquet."""
    sizes.write(folder, rows)
    frames(max(rows // 10, 100)).responses.to_parquet(folder / "responses.parquet")


def of_files(folder: Path) -> dict[str, Taken]:
    """What each question takes of Parquet files; nothing comes from a server."""
    return _asked(lambda name: {"source": folder / f"{name}.parquet"})


def of_postgres(folder: Path) -> dict[str, Taken]:
    """What each question takes of a PostgreSQL started for it; nothing where none is (apt: postgresql)."""
    if importlib.util.find_spec("psycopg") is None or servers.programs() is None:
        return {}
    with servers.postgres() as address:
        fill(address, folder)
        return _asked(lambda name: {"source": address, "table": name})


def fill(address: str, folder: Path) -> None:
    """The Parquet files of a folder as tables of a PostgreSQL, analysed as its housekeeping does."""
    backend = ibis.connect(address)
    for name in LOADS:
        file, text = folder / f"{name}.parquet", folder / f"{name}.csv"
        with duckdb.connect() as engine:
            engine.execute(f"COPY (FROM '{file}') TO '{text}' (FORMAT csv, HEADER false)")
        backend.create_table(name, schema=ibis.read_parquet(file).schema())
        with backend.con.cursor() as cursor:
            with text.open("rb") as rows, cursor.copy(f'COPY "{name}" FROM STDIN (FORMAT csv)') as copy:
                while part := rows.read(1 << 20):
                    copy.write(part)
            cursor.execute(f'ANALYZE "{name}"')
        backend.con.commit()
        text.unlink()
    backend.disconnect()


def of_spark(folder: Path) -> dict[str, Taken]:
    """What each question takes of a local Spark; nothing where it or Java is not (make .venv/spark)."""
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        return {}
    backend = spark.connected(HERE)
    backend._session.conf.set("spark.sql.shuffle.partitions", "4")  # of the 200 of a cluster
    for name in LOADS:
        backend._session.read.parquet(str(folder / f"{name}.parquet")).createOrReplaceTempView(name)
    taken = _asked(lambda name: {"source": HERE, "table": name})
    backend.disconnect()
    return taken


def _asked(place: Callable[[str], dict[str, Any]]) -> dict[str, Taken]:
    loaded: dict[str, tables.Loaded] = {}
    taken = {}

    def take(name: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        with fetched() as came:
            answer = call()
        taken[name] = Taken(came.total(), time.perf_counter() - start)
        return answer

    for name, load in LOADS.items():
        loaded[name] = take(f"load_{name}", lambda load=load, name=name: load(**place(name), as_of=AS_OF))
    for question in QUESTIONS:
        take(question.name, lambda question=question: question.ask(loaded[question.of]))
    return taken


@contextmanager
def fetched() -> Iterator[Counter]:
    """Counts the rows that leave PostgreSQL and Spark while it is open, by which of them."""
    rows: Counter = Counter()
    with contextlib.ExitStack() as undone:
        for place, owner, name in _fetches():
            own = getattr(owner, name)

            def counted(self: Any, *given: Any, own: Callable = own, place: str = place, **how: Any) -> Any:
                found = own(self, *given, **how)
                rows[place] += len(found) if hasattr(found, "__len__") else found is not None
                return found

            setattr(owner, name, counted)
            undone.callback(setattr, owner, name, own)
        yield rows


def _fetches() -> Iterator[tuple[str, type, str]]:
    """Where rows come in: of Spark in one way, of PostgreSQL by two kinds of cursors."""
    if importlib.util.find_spec("pyspark"):
        from pyspark.sql.classic.dataframe import DataFrame

        yield "spark", DataFrame, "toPandas"
    if importlib.util.find_spec("psycopg"):
        import psycopg

        for cursor in (psycopg.Cursor, psycopg.ServerCursor):
            for name in ("fetchmany", "fetchall"):
                yield "postgres", cursor, name


if __name__ == "__main__":
    main(int(os.environ.get("BENCH_SPARK_ROWS", "100_000")), POSTGRES_ROWS)
