"""All that a chapter asks of a table, beside one pass of distinct customer-periods over the same table.

Each repeat loads anew, so nothing has been counted of the table before: what questions share, the first
that needs it pays for. Loading is told apart. The time of the processor is told beside wall time, for on a
busy machine others disturb it least.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks.questions import AS_OF, orders_file
from retention_kit import (
    cohorts,
    inactivity,
    lifecycle,
    periods,
    purchases,
    retention,
    rfm,
    rhythm,
    spending,
    tables,
)
from retention_kit.tables import Loaded

REPEATS = 5
PERIOD = "month"
PASS, TOGETHER, LOAD = "one pass of distinct customer-months", "the chapter together", "load_orders, beside"

#: What notebooks/retention.ipynb asks of the orders of a report, in its order.
RETENTION: Mapping[str, Callable[[Loaded], pd.DataFrame]] = {
    "retention rates": partial(retention.retention_rates, period=PERIOD),
    "repeat purchase rate": purchases.repeat_purchase_rate,
    "lifecycle": partial(lifecycle.lifecycle, period=PERIOD),
    "time to the second order": purchases.time_to_second_order,
    "segments": rfm.rfm_segments,
    "first and returning": purchases.first_and_returning,
    "first and returning by month": partial(purchases.first_and_returning, period=PERIOD),
    "spend ratio": spending.spend_ratio,
    "cohort revenue": partial(cohorts.cohort_revenue, period=PERIOD),
    "overdue customers": rhythm.overdue_customers,
    "inactivity windows": inactivity.inactivity_windows,
}

Spent = tuple[float, float]  # processor and wall time


def run(rows: int) -> None:
    """Print the table in Markdown, for the README."""
    with tempfile.TemporaryDirectory() as folder:
        path = orders_file(folder, rows)
        repeats = [_repeat(path) for _ in range(REPEATS)]
    spent = {name: _median([repeat[name] for repeat in repeats]) for name in repeats[0]}
    print(f"The retention chapter, {rows:,} orders, median of {REPEATS}, each freshly loaded; seconds\n")
    print("| question, in the chapter's order | processor | wall | processor, times the pass | wall, times |")
    print("|---|---:|---:|---:|---:|")
    for name, (processor, wall) in spent.items():
        times = f"{processor / spent[PASS][0]:.2f} | {wall / spent[PASS][1]:.2f}"
        print(f"| {name} | {processor:.2f} | {wall:.2f} | {times} |")


def distinct(loaded: Loaded) -> int:
    """The pass: how many customer-periods there are."""
    table = loaded.table
    number = periods.index(table[loaded.moment], PERIOD)
    return table.select("customer_id", number=number).distinct().count().to_pyarrow().as_py()


def _repeat(path: Path) -> dict[str, Spent]:
    held: list[Loaded] = []
    load = _spent(lambda: held.append(tables.load_orders(path, as_of=AS_OF)))
    [loaded] = held
    spent = {PASS: _spent(lambda: distinct(loaded))}
    asked = {name: _spent(lambda ask=ask: ask(loaded)) for name, ask in RETENTION.items()}
    together = tuple(sum(each) for each in zip(*asked.values(), strict=True))
    return spent | asked | {TOGETHER: together, LOAD: load}


def _spent(call: Callable[[], object]) -> Spent:
    before, start = os.times(), time.perf_counter()
    call()
    after, wall = os.times(), time.perf_counter() - start
    return after.user + after.system - before.user - before.system, wall


def _median(spent: list[Spent]) -> Spent:
    return tuple(statistics.median(column) for column in zip(*spent, strict=True))
