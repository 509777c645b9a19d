"""All that a chapter asks of a table, beside one pass of distinct customer-periods over the same table.

Each repeat loads anew, so nothing has been counted of the table before: what questions share, the first
that needs it pays for. Loading is told apart. The time of the processor is told beside wall time, for on a
busy machine others disturb it least.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks.questions import orders_file
from benchmarks.ways import AS_OF, Measured, beside, child, peak
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


def run(rows: int) -> list[Measured]:
    """A row a question, held against the pass; all in one process, as a chapter is."""
    task = f"The retention chapter of {rows:,} orders, a question after the other"
    with tempfile.TemporaryDirectory() as folder:
        found = child(sys.executable, "chapters", str(orders_file(folder, rows)))
    asked = [
        Measured(task, name, rows, warm=wall, cpu=processor)
        for name, (processor, wall) in found["spent"].items()
    ]
    by_name = {one.way: one for one in beside(asked)}
    by_name[TOGETHER] = by_name[TOGETHER]._replace(peak=found["peak"])
    return list(by_name.values())


def main(path: Path) -> None:
    """Print what each question took, as a line of JSON."""
    repeats = [_repeat(path) for _ in range(REPEATS)]
    spent = {name: _median([repeat[name] for repeat in repeats]) for name in repeats[0]}
    print(json.dumps({"spent": spent, "peak": peak()}))


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


if __name__ == "__main__":
    main(Path(sys.argv[1]))
