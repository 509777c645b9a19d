"""What this package does for each task, of a plain frame and of what came through the door."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import retention_kit as rk  # loads a module when it is asked for, so that a process holds only what it needs
from benchmarks.ways import AS_OF, Way
from benchmarks.with_pandas import columns, read, sums


def load(path: Path) -> "rk.tables.Loaded":
    """The orders of a file."""
    return rk.tables.load_orders(path, as_of=AS_OF)


def cohorts(orders: "pd.DataFrame | rk.tables.Loaded") -> pd.DataFrame:
    """Customers of each monthly cohort who came back, by age in months."""
    return rk.retention.retention_rates(orders, as_of=AS_OF)


def customers(orders: "pd.DataFrame | rk.tables.Loaded") -> pd.DataFrame:
    """What a purchase model reads of each customer."""
    return rk.clv.summarize_customers(orders, as_of=AS_OF, unit="day")


def fit(model: str, customers: pd.DataFrame) -> dict[str, float]:
    """The histogram and the fit."""
    return dict(getattr(rk.btyd, f"fit_{model}")(customers, unit="day").params)


def refits(customers: pd.DataFrame) -> dict[str, float]:
    """A fit, and 200 more to customers drawn anew."""
    drawn = rk.btyd.bootstrap(rk.btyd.fit_bg_nbd(customers, unit="day"), customers, draws=200)
    return dict(zip(drawn.params, np.exp(np.mean(drawn.draws, axis=0)).tolist(), strict=True))


def _retained(rates: pd.DataFrame) -> list[int]:
    return rates.loc[rates["retained"] > 0, "retained"].tolist()


WAYS = {
    "cohorts": Way(load, cohorts, _retained, fresh=True),
    "cohorts of a frame": Way(read, cohorts, _retained),
    "customers": Way(load, customers, sums, fresh=True),
    "customers of a frame": Way(read, customers, sums),
    "bg_nbd": Way(columns, partial(fit, "bg_nbd"), dict),
    "pareto_nbd": Way(columns, partial(fit, "pareto_nbd"), dict),
    "bootstrap": Way(columns, refits),
}
