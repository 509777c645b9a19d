"""Fits of purchase models: ours beside lifetimes 0.11.3, each in a process of its own.

lifetimes is installed into an environment of its own, and skipped by name where it cannot be. It is given
what its documentation gives it, and once more our histogram, which it can take as weights.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from retention_kit import btyd, simulations, summaries

ROOT = Path(__file__).parent.parent
PEER = "lifetimes 0.11.3"
LIMIT = 900.0  # seconds until a fit is stopped, and its time a lower bound
#: By model: CDNOW's parameters, with a day for a seventh of a week, and for how long customers were watched.
#: Watched for two years lifetimes' Pareto/NBD takes twenty times as long; CDNOW's nine months suit it.
_DAILY = {
    "bg_nbd": ({"r": 0.2426, "alpha": 30.9, "a": 0.793, "b": 2.426}, (30, 730)),
    "pareto_nbd": ({"r": 0.553, "alpha": 74.0, "s": 0.606, "beta": 81.7}, (180, 280)),
}


class Job(NamedTuple):
    """What is fitted, how often by ours, and whether lifetimes can do the same."""

    name: str
    model: str
    frame: pd.DataFrame
    way: str = "ours"
    repeats: int = 3
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


def run(customers: int) -> None:
    """Print the table in Markdown, for the README."""
    python = _peer()
    print(
        "Fits, each in its own process, seconds by the clock (of the processor), times faster by the latter\n"
    )
    print(f"| fit | ours | memory, above imports | {PEER} | memory, above imports | times faster | it lost |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for job in _jobs(customers):
            path = Path(folder) / "customers.npz"
            np.savez(path, **{name: job.frame[name].to_numpy() for name in job.frame})
            one = _measured(sys.executable, job.way, job, path, job.repeats)
            cells = [job.name, _seconds(one), _memory(one)]
            if python and job.peer:
                cells += _beside(job, one, _measured(python, "lifetimes", job, path, 1))
            print(f"| {' | '.join(cells)} |", flush=True)
    if python is None:
        print(f"\n{PEER} is skipped: its environment could not be made (benchmarks/lifetimes.txt)")


def _jobs(customers: int) -> list[Job]:
    many, fewer = daily("bg_nbd", customers), daily("pareto_nbd", customers // 10)
    counted = histogram(many)
    jobs = [
        Job(f"BG/NBD, {customers:,} customers by the day", "bg_nbd", many),
        Job(f"BG/NBD, their {len(counted):,} kinds with weights", "bg_nbd", counted),
        Job(f"Pareto/NBD, {customers // 10:,} customers by the day", "pareto_nbd", fewer),
    ]
    if not (data := os.environ.get("RETENTION_KIT_DATA")):
        print("CDNOW is skipped: RETENTION_KIT_DATA is not set\n")
        return jobs
    cdnow = pd.read_csv(Path(data) / "cdnow" / "cdnow_customers_summary.csv.gz")
    cdnow = cdnow[["frequency", "recency", "T"]].astype("float64")
    return [
        *jobs,
        Job("BG/NBD, CDNOW, the first fit after import", "bg_nbd", cdnow, repeats=1),
        Job("BG/NBD, CDNOW", "bg_nbd", cdnow, repeats=21),
        Job("Pareto/NBD, CDNOW", "pareto_nbd", cdnow, repeats=11),
        Job("200 bootstrap refits of CDNOW, BG/NBD", "bg_nbd", cdnow, way="bootstrapped", peer=False),
    ]


def _measured(python: str | Path, way: str, job: Job, path: Path, repeats: int) -> dict | None:
    """What `one_fit` measured, or None when it was stopped at the limit."""
    script = str(ROOT / "benchmarks" / "one_fit.py")
    command = [str(python), "-W", "ignore", script, way, job.model, str(path), str(repeats)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return None
    return json.loads(done.stdout.splitlines()[-1])


def _beside(job: Job, one: dict, other: dict | None) -> list[str]:
    """What lifetimes took, or at least took when it was stopped."""
    if other is None:
        return [f"stopped after {LIMIT:.0f}", "", f"over {LIMIT / one['wall']:.0f}", ""]
    lost = _likelihood(job, one["params"]) - _likelihood(job, other["params"])
    return [_seconds(other), _memory(other), f"{other['cpu'] / one['cpu']:.0f}", f"{lost:.3f}"]


def _seconds(found: dict) -> str:
    return f"{found['wall']:.3g} ({found['cpu']:.3g})"


def _memory(found: dict) -> str:
    return f"{found['peak']:.0f} MB, {found['peak'] - found['imported']:.0f}"


def _likelihood(job: Job, params: dict[str, float]) -> float:
    """By ours, at the parameters that were found."""
    model = btyd.MODELS[job.model]
    theta = np.array([params[name] for name in model.names])
    return model.log_likelihood(theta, summaries.cells(job.frame))[0]


def _peer() -> Path | None:
    """The Python of lifetimes' environment, made once; None where it cannot be."""
    wanted, home = ROOT / "benchmarks" / "lifetimes.txt", Path(sys.prefix) / "lifetimes"
    python, made = home / ("Scripts" if os.name == "nt" else "bin") / "python", home / "made.txt"
    if made.exists() and made.read_text() == wanted.read_text():
        return python
    uv = [str(Path(sys.prefix) / python.parent.name / "uv")]
    try:
        subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, str(home)], check=True)
        install = [
            "pip",
            "install",
            "-q",
            "--only-binary",
            ":all:",
            "--python",
            str(python),
            "-r",
            str(wanted),
        ]
        subprocess.run([*uv, *install], check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    made.write_text(wanted.read_text())
    return python
