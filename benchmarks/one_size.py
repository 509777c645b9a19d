"""All questions of one size in a process of its own, under whatever limit it was given: as lines of JSON.

Seconds of the processor are told twice: those of the program alone, and with what the system spent for it.
"""

import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.ways import AS_OF, peak
from retention_kit import (
    btyd,
    churn,
    clv,
    cohorts,
    growth,
    inactivity,
    leaving,
    lifecycle,
    losses,
    mrr,
    purchases,
    recurring,
    retention,
    rfm,
    rhythm,
    scratch,
    spending,
    tables,
)

Asked = Callable[[tables.Loaded], object]

#: Seconds that are told of each question: of the processor in the program, in all, and by the clock.
KINDS = ("own", "cpu", "wall")

#: What is counted in sums over rows or customers, and what looks at the orders of a customer one by one.
AGGREGATES: dict[str, Asked] = {
    "retention_rates": retention.retention_rates,
    "repeat_purchase_rate": purchases.repeat_purchase_rate,
    "returning_customer_rate": purchases.returning_customer_rate,
    "first_and_returning": lambda orders: purchases.first_and_returning(orders, period="month"),
    "cohort_revenue": cohorts.cohort_revenue,
    "clv_historical": clv.clv_historical,
    "spend_per_customer": spending.spend_per_customer,
    "spend_ratio": spending.spend_ratio,
    "orders_per_customer": rhythm.orders_per_customer,
    "average_orders": rhythm.average_orders,
    "stickiness": lifecycle.stickiness,
    "rfm_segments": rfm.rfm_segments,
    "earned_growth": growth.earned_growth,
    "fit_bg_nbd of customer_histogram": lambda orders: btyd.fit_bg_nbd(clv.customer_histogram(orders)),
}
WINDOWS: dict[str, Asked] = {
    "lifecycle": lifecycle.lifecycle,
    "time_to_second_order": purchases.time_to_second_order,
    "repeat_within": purchases.repeat_within,
    "days_between_orders": rhythm.days_between_orders,
    "gap_distribution": rhythm.gap_distribution,
    "overdue_customers": lambda orders: rhythm.overdue_customers(orders, limit=50),
    "inactivity_churn": lambda orders: inactivity.inactivity_churn(orders, window_days=90),
    "inactivity_windows": inactivity.inactivity_windows,
    "explain_figure of retention": lambda orders: retention.explain_figure(orders, "20 %"),
}
#: Of subscriptions; what somebody pays is followed from one change to the next.
SUBSCRIBED: dict[str, Asked] = {
    "churn_rates": churn.churn_rates,
    "churn_reasons": leaving.churn_reasons,
    "churn_hazard": leaving.churn_hazard,
    "tenure_survival": leaving.tenure_survival,
    "mrr_movements": mrr.mrr_movements,
    "revenue_retention": partial(mrr.revenue_retention, start="2023-06-01", end="2024-06-01"),
    "recurring_rates": recurring.recurring_rates,
    "cohort_mrr": recurring.cohort_mrr,
    "save_rate": losses.save_rate,
}


def main(folder: Path) -> None:
    """Ask all of the two files in the folder, a line each: its name, and its seconds."""
    spilled = _Spilled()
    spilled.start()
    for kind, questions in (("orders", AGGREGATES | WINDOWS), ("subscriptions", SUBSCRIBED)):
        load, path = getattr(tables, f"load_{kind}"), folder / f"{kind}.parquet"
        loaded = _told(f"load_{kind}", partial(load, path, as_of=AS_OF))
        for name, ask in questions.items():
            _told(name, partial(ask, loaded))
    print(json.dumps({"peak": peak(), "spilled": spilled.most / 1024**2}), flush=True)


def _told(name: str, call: Callable[[], object]) -> object:
    before = _seconds()
    found = call()
    after = _seconds()
    print(json.dumps({"name": name} | {kind: after[kind] - before[kind] for kind in KINDS}), flush=True)
    return found


def _seconds() -> dict[str, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"own": used.ru_utime, "cpu": used.ru_utime + used.ru_stime, "wall": time.perf_counter()}


class _Spilled(threading.Thread):
    """The most bytes that the engine had in its folder for what memory does not hold."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._folder = scratch.folder() / "spill"

    def run(self) -> None:
        while True:
            sizes = [self._size(path) for path in self._folder.glob("*")]
            self.most = max(self.most, sum(sizes))
            time.sleep(0.05)

    @staticmethod
    def _size(path: Path) -> int:
        try:
            return path.stat().st_size
        except FileNotFoundError:  # used up meanwhile
            return 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
