"""How often bounds of 95 % hold what they are about, over many simulated data sets.

`python -m benchmarks.coverage` asks it of parameters, of one customer and of what comes of all customers
together, for every model. What is known here is what nobody knows of a client: the truth the customers were
drawn from, and what they did afterwards.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from retention_kit import btyd, contractual, portfolios, predictions, simulations
from retention_kit.fits import Fit

DATA_SETS = int(os.environ.get("BENCH_DATA_SETS", "1000"))
CUSTOMERS = int(os.environ.get("BENCH_COVERAGE_CUSTOMERS", "2000"))
LEAST, MOST = 0.92, 0.98

TRUTHS: Mapping[str, Mapping[str, float]] = {
    "bg_nbd": {"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5},
    "mbg_nbd": {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7},
    "pareto_nbd": {"r": 0.55, "alpha": 10.0, "s": 0.6, "beta": 12.0},
    "bg_bb": {"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.8},
    "gamma_gamma": {"p": 6.0, "q": 4.0, "gamma": 15.0},
    "sbg": {"alpha": 0.9, "beta": 2.7},
    "bdw": {"alpha": 0.5, "beta": 2.0, "c": 1.3},
}
#: By model: whether each bound held, or None where the fit gave none.
Held = Mapping[str, bool] | None


def summary(model: str, customers: int, seed: int) -> tuple[pd.DataFrame, int]:
    """Customers who came at different times, and for how long they were watched after the fit."""
    rng = np.random.default_rng(10_000 + seed)
    yearly = model == "bg_bb"
    observed = rng.integers(4, 9, customers) if yearly else rng.integers(20, 80, customers)
    unit, until = ("year", 3) if yearly else ("week", 26)
    frame = simulations.simulated_customers(
        model, TRUTHS[model], customers=customers, T=observed, unit=unit, until=until, seed=seed
    )
    return frame, until


def of_purchases(model: str, customers: int, seed: int) -> Held:
    """The parameters, all customers' purchases to come, and two numbers of a customer who came back twice."""
    frame, until = summary(model, customers, seed)
    fit = getattr(btyd, f"fit_{model}")(frame)
    if not fit.converged:
        return None
    total = portfolios.expected_totals(fit, frame, until=until).iloc[0]
    yearly = model == "bg_bb"
    one = pd.DataFrame({"frequency": [2], "recency": [4 if yearly else 30], "T": [6 if yearly else 45]})
    expects = lambda fit: predictions.expected_purchases(fit, one, until)  # noqa: E731
    return {
        **_parameters(fit),
        "P(alive) of one": _one(fit, lambda fit: predictions.p_alive(fit, one), "p_alive"),
        "expected of one": _one(fit, expects, "expected_purchases"),
        "what all did": total["low"] <= frame["purchases_after"].sum() <= total["high"],
    }


def of_spend(customers: int, seed: int) -> Held:
    """The parameters, all customers' revenue to come, and the mean of one who came back twice."""
    frame, until = summary("mbg_nbd", customers, seed)
    frame = simulations.with_spend(frame, TRUTHS["gamma_gamma"], seed=20_000 + seed)
    rhythm, fit = btyd.fit_mbg_nbd(frame), btyd.fit_gamma_gamma(frame)
    if not (rhythm.converged and fit.converged):
        return None
    total = portfolios.expected_revenue(rhythm, fit, frame, until=until).iloc[0]
    one = pd.DataFrame({"frequency": [2], "monetary_value": [45.0]})
    return {
        **_parameters(fit),
        "expected of one": _one(fit, lambda fit: predictions.expected_spend(fit, one), "expected_spend"),
        "what all did": total["low"] <= frame["spent_after"].sum() <= total["high"],
    }


def of_contracts(model: str, customers: int, seed: int) -> Held:
    """The parameters, the share left after twice the time seen, and the payments of who renewed twice."""
    fit = getattr(contractual, f"fit_{model}")(losses(model, customers, np.random.default_rng(seed)))
    if not fit.converged:
        return None
    left = lambda fit: contractual.survival(fit, 12).tail(1)  # noqa: E731
    payments = lambda fit: contractual.residual_lifetime(fit, renewals=2, discount_rate=0.1)  # noqa: E731
    return {
        **_parameters(fit),
        "left after 12": _one(fit, left, "survival"),
        "payments of one": _one(fit, payments, "residual_lifetime"),
    }


def losses(model: str, customers: int, rng: np.random.Generator) -> pd.DataFrame:
    """Three cohorts, watched for 6, 4 and 3 periods."""
    truth, rows = TRUTHS[model], []
    for periods in (6, 4, 3):
        chance = rng.beta(truth["alpha"], truth["beta"], customers // 3)
        # Who is still there after t^c periods has said yes so often, each time with a chance of 1 - chance.
        yes = rng.exponential(1 / -np.log1p(-chance))
        leaves_in = np.ceil(yes ** (1 / truth.get("c", 1.0)))
        for period in range(1, periods + 1):
            rows.append((period, (leaves_in >= period).sum(), (leaves_in == period).sum()))
    return pd.DataFrame(rows, columns=["period", "customers", "churned"])


def _parameters(fit: Fit) -> Mapping[str, bool]:
    truth = TRUTHS[fit.model]
    return {row.parameter: row.low <= truth[row.parameter] <= row.high for row in fit.frame().itertuples()}


def _one(fit: Fit, predict: Callable[[Fit], pd.DataFrame], name: str) -> bool:
    found, true = predict(fit).iloc[0], predict(replace(fit, params=TRUTHS[fit.model])).iloc[0][name]
    return found["low"] <= true <= found["high"]


MODELS: Mapping[str, Callable[[int, int], Held]] = {
    **{model: partial(of_purchases, model) for model in btyd.MODELS},
    "gamma_gamma": of_spend,
    **{model: partial(of_contracts, model) for model in ("sbg", "bdw")},
}


def coverage(model: str, *, customers: int, data_sets: int) -> pd.DataFrame:
    """One row a bound: `model`, `of`, `data_sets` (that gave it), `held`, `coverage`, `without` (any)."""
    found = [MODELS[model](customers, seed) for seed in range(data_sets)]
    held = pd.DataFrame([each for each in found if each is not None]).astype(bool)
    frame = pd.DataFrame({"of": list(held), "data_sets": len(held), "held": held.sum().to_numpy()})
    frame.insert(0, "model", model)
    return frame.assign(coverage=frame["held"] / len(held), without=data_sets - len(held))


def main() -> None:
    """Print the table in Markdown; end with code 1 where a bound holds too seldom or too often."""
    print(f"{DATA_SETS} data sets of {CUSTOMERS:,} customers, per cent of bounds that held\n")
    print("| model | bounds | no bounds |\n|---|---|---:|")
    outside = []
    for model in MODELS:
        found = coverage(model, customers=CUSTOMERS, data_sets=DATA_SETS)
        shares = ", ".join(f"{row.of} {100 * row.coverage:.1f}" for row in found.itertuples())
        print(f"| {model} | {shares} | {found['without'].iloc[0]} |", flush=True)
        outside.append(found[~found["coverage"].between(LEAST, MOST)])
    missed = pd.concat(outside)
    if len(missed):
        print(f"\nNot between {100 * LEAST:.0f} and {100 * MOST:.0f} %:\n{missed.to_string(index=False)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
