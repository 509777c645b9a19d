"""One fit in a process of its own, by ours or by lifetimes: what it took, as one line of JSON.

A script and no part of the package: lifetimes needs an environment of its own, where ours is not installed.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

Fitter = Callable[[pd.DataFrame], dict[str, float]]


def ours(model: str) -> Fitter:
    """The histogram and the fit."""
    from retention_kit import btyd

    fit = getattr(btyd, f"fit_{model}")
    return lambda frame: dict(fit(frame, unit="day").params)


def bootstrapped(model: str) -> Fitter:
    """200 refits to customers drawn anew, after a fit."""
    from retention_kit import btyd

    fit = getattr(btyd, f"fit_{model}")

    def refits(frame: pd.DataFrame) -> dict[str, float]:
        drawn = btyd.bootstrap(fit(frame, unit="day"), frame, draws=200)
        return dict(zip(drawn.params, np.exp(np.mean(drawn.draws, axis=0)).tolist(), strict=True))

    return refits


def lifetimes(model: str) -> Fitter:
    """As its documentation says."""
    from lifetimes import BetaGeoFitter, ParetoNBDFitter

    fitter = {"bg_nbd": BetaGeoFitter, "pareto_nbd": ParetoNBDFitter}[model]

    def fit(frame: pd.DataFrame) -> dict[str, float]:
        found = fitter(penalizer_coef=0.0)
        found.fit(frame["frequency"], frame["recency"], frame["T"], weights=frame.get("weight"))
        return found.params_.to_dict()

    return fit


WAYS = {"ours": ours, "bootstrapped": bootstrapped, "lifetimes": lifetimes}


def measured(way: str, model: str, path: Path, repeats: int) -> dict[str, object]:
    """Seconds of the median fit, by the clock and of the processor, and memory in MB."""
    fit = WAYS[way](model)
    imported = peak()
    with np.load(path) as columns:
        frame = pd.DataFrame(dict(columns))
    wall, cpu, params = [], [], {}
    for _ in range(repeats):
        began, used = time.perf_counter(), time.process_time()
        params = fit(frame)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    return {
        "wall": float(np.median(wall)),
        "cpu": float(np.median(cpu)),
        "imported": imported,
        "peak": peak(),
        "params": params,
    }


def peak() -> float:
    """The most memory this process ever held, in MB; NaN where the system does not tell.

    What `resource` says of it begins with what the parent held.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), float("nan"))


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))))
