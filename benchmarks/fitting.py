"""Fits of purchase models: ours beside lifetimes, each in a process of its own.

lifetimes is given what its documentation gives it, and once more our histogram, which it can take as
weights.
"""

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks import races
from benchmarks.ways import Measured, beside
from retention_kit import btyd, simulations, summaries

DATA = "RETENTION_KIT_DATA"  # the folder of public data sets
#: By model: CDNOW's parameters, with a day for a seventh of a week, and for how long customers were watched.
#: Watched for two years lifetimes' Pareto/NBD takes twenty times as long; CDNOW's nine months suit it.
_DAILY = {
    "bg_nbd": ({"r": 0.2426, "alpha": 30.9, "a": 0.793, "b": 2.426}, (30, 730)),
    "pareto_nbd": ({"r": 0.553, "alpha": 74.0, "s": 0.606, "beta": 81.7}, (180, 280)),
}


class Job(NamedTuple):
    """What is fitted by whom."""

    name: str
    model: str
    frame: pd.DataFrame
    peer: bool = True


def daily(model: str, customers: int, *, seed: int = 1) -> pd.DataFrame:
    """Customers who came one by one, counted by the day, several purchases of one day as one."""
    truth, (least, most) = _DAILY[model]
    observed = np.random.default_rng(seed).integers(least, most, customers, endpoint=True)
    frame = simulations.simulated_customers(
        model, truth, customers=customers, T=observed, unit="day", seed=seed
    )
    recency = np.minimum(np.ceil(frame["recency"]), observed)
    frequency = np.minimum(frame["frequency"], recency)
    return pd.DataFrame({"frequency": frequency, "recency": recency, "T": frame["T"]})


def histogram(frame: pd.DataFrame) -> pd.DataFrame:
    """The same customers, those who are alike in one row with their number as `weight`."""
    names = ["frequency", "recency", "T", "weight"]
    return pd.DataFrame(summaries.cells(frame).table(), columns=names)


def run(customers: int) -> list[Measured]:
    """A row a fit and who made it, and by how much the peer's is less likely than ours."""
    found = [row for job in _jobs(customers) for row in _fitted(job)]
    if DATA not in os.environ:
        found.append(Measured("Fits of CDNOW", "ours", note=f"skipped: {DATA} is not set"))
    return found


def _jobs(customers: int) -> list[Job]:
    many, fewer = daily("bg_nbd", customers), daily("pareto_nbd", customers // 10)
    counted = histogram(many)
    jobs = [
        Job(f"BG/NBD of {customers:,} customers by the day", "bg_nbd", many),
        Job(f"BG/NBD of their {len(counted):,} kinds with weights", "bg_nbd", counted),
        Job(f"Pareto/NBD of {customers // 10:,} customers by the day", "pareto_nbd", fewer),
    ]
    if DATA not in os.environ:
        return jobs
    cdnow = pd.read_csv(Path(os.environ[DATA]) / "cdnow" / "cdnow_customers_summary.csv.gz")
    cdnow = cdnow[["frequency", "recency", "T"]].astype("float64")
    return [
        *jobs,
        Job("BG/NBD of CDNOW", "bg_nbd", cdnow),
        Job("Pareto/NBD of CDNOW", "pareto_nbd", cdnow),
        Job("A BG/NBD fit of CDNOW and 200 bootstrap refits", "bootstrap", cdnow, peer=False),
    ]


def _fitted(job: Job) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.npz"
        np.savez(path, **{name: job.frame[name].to_numpy() for name in job.frame})
        asked = {"ours": "with_ours"} | ({"lifetimes": "with_lifetimes"} if job.peer else {})
        found = [
            races.entered(job.name, label, module, job.model, path, len(job.frame))
            for label, module in asked.items()
        ]
    rows = beside([one for one, _ in found])
    if not job.peer or (other := found[1][1]) is None:
        return rows
    lost = _likelihood(job, found[0][1]) - _likelihood(job, other)
    note = f"log-likelihood {round(lost, 3) + 0.0:.3f} below ours"  # and no minus before a zero
    return [rows[0], rows[1]._replace(note=note)]


def _likelihood(job: Job, params: dict[str, float]) -> float:
    """By ours, at the parameters that were found."""
    model = btyd.MODELS[job.model]
    theta = np.array([params[name] for name in model.names])
    return model.log_likelihood(theta, summaries.cells(job.frame))[0]
