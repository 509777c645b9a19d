"""All benchmarks, or those named: `python -m benchmarks cohorts fitting`; one table of what is known.

Each is kept in outputs/bench.json once it is done, so whoever was interrupted names those that are left.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks import (
    chapters,
    cohorts,
    customers,
    fitting,
    notebooks,
    questions,
    sizes,
    surveys,
    tables,
    travels,
)
from benchmarks.ways import Measured


def _sizes(name: str, usual: str) -> list[int]:
    return [int(size) for size in os.environ.get(name, usual).split(",")]


BENCHMARKS: dict[str, Callable[[], list[Measured]]] = {
    "customers": lambda: customers.run(*_sizes("BENCH_COHORT_ROWS", "10_000_000")),
    "cohorts": lambda: cohorts.run(*_sizes("BENCH_COHORT_ROWS", "10_000_000")),
    "chapters": lambda: chapters.run(*_sizes("BENCH_COHORT_ROWS", "10_000_000")),
    "fitting": lambda: fitting.run(*_sizes("BENCH_CUSTOMERS", "1_000_000")),
    "surveys": lambda: surveys.run(*_sizes("BENCH_ANSWERS", "100_000")),
    "questions": lambda: questions.run(*_sizes("BENCH_ROWS", "1_000_000")),
    "notebooks": notebooks.run,
    "sizes": lambda: sizes.run(*_sizes("BENCH_SIZES", "1_000_000,10_000_000")),
    "travels": lambda: travels.run(*_sizes("BENCH_SPARK_ROWS", "100_000")),
}


def main(names: Sequence[str]) -> int:
    """Measure, keep, and print the table."""
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"There is no benchmark {unknown}. Choose of {list(BENCHMARKS)}.", file=sys.stderr)
        return 1
    for name in names or BENCHMARKS:
        began = time.perf_counter()
        tables.keep(name, BENCHMARKS[name]())
        text = tables.write(list(BENCHMARKS))
        print(f"{name} took {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
