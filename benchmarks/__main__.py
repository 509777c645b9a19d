"""Ask ten questions of a million rows each, beside the usual pandas recipe; a survey; fits; reports.

Each question starts from a plain DataFrame every time: wrapping, checking and counting are in the figure.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

from benchmarks import chapters, cohorts, fitting, notebooks, sizes, surveys, travels
from benchmarks.questions import QUESTIONS, frames

ROWS = int(os.environ.get("BENCH_ROWS", "1_000_000"))
COHORT_ROWS = int(os.environ.get("BENCH_COHORT_ROWS", "10_000_000"))
ANSWERS = int(os.environ.get("BENCH_ANSWERS", "100_000"))
CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1_000_000"))
SIZES = [int(rows) for rows in os.environ.get("BENCH_SIZES", "1_000_000,10_000_000").split(",")]
SPARK_ROWS = int(os.environ.get("BENCH_SPARK_ROWS", "100_000"))
REPEATS = 3
BUDGET = 2.0  # seconds a question may take on a million rows


def seconds(call: Callable[[], object]) -> float:
    """Median wall time after one run to warm up."""
    call()
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Print the tables in Markdown, for the README."""
    import resource  # not on Windows, where the questions can still be tested

    _questions()
    print()
    cohorts.run(COHORT_ROWS)
    print()
    chapters.run(COHORT_ROWS)
    print()
    surveys.run(ANSWERS)
    print()
    fitting.run(CUSTOMERS)
    print()
    notebooks.run()
    print()
    sizes.run(*SIZES)
    print()
    travels.run(SPARK_ROWS)
    packages = ("pandas", "polars", "duckdb", "ibis-framework")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"\n{os.cpu_count()} cores, Python {platform.python_version()}, {versions}; peak memory {peak:.1f} GB"
    )


def _questions() -> None:
    given = frames(ROWS)
    usual = seconds(lambda: cohorts.pandas_recipe(given.orders))
    print(f"{ROWS:,} rows each, median of {REPEATS} after a warm-up, seconds of wall time\n")
    print("| question | seconds | within 2 s | times the pandas recipe |")
    print("|---|---:|---|---:|")
    for name, ask in QUESTIONS.items():
        taken = seconds(lambda ask=ask: ask(given))
        ratio = f"{taken / usual:.2f}" if name == "the triangle" else ""
        print(f"| {name} | {taken:.2f} | {'yes' if taken <= BUDGET else 'NO'} | {ratio} |")
    print(f"| the triangle, by the usual pandas recipe | {usual:.2f} | | 1 |")


if __name__ == "__main__":
    main()
