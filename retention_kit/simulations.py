"""Customers drawn from a purchase model of known parameters: to see what a fit finds again, and to teach.

Each customer's purchases are drawn one after another as the model tells the story, with no formula of it, so
what is simulated can prove the formulas.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retention_kit import summaries
from retention_kit.btyd import MODELS
from retention_kit.exceptions import DataError, did_you_mean


def simulated_customers(
    model: str,
    params: Mapping[str, float],
    *,
    customers: int,
    T: ArrayLike,
    unit: str,
    until: float = 0.0,
    seed: int = 0,
) -> pd.DataFrame:
    """What would customers do who are as the model says?

    Parameters
    ----------
    model : {"bg_nbd", "mbg_nbd", "pareto_nbd", "bg_bb"}
    params : mapping
        The model's parameters by name, in the unit.
    customers : int
    T : float, or one for each customer
        How long they are observed, in the unit.
    unit : {"day", "week", "month", "year"}
    until : float
        How much longer to go on after T, to have what a prediction is about.
    seed : int
        The same seed draws the same customers.

    Returns
    -------
    DataFrame
        One row a customer: `customer_id`, `frequency`, `recency`, `T`, `purchases_after` (in the time of
        `until`), `alive` (at T).

    Raises
    ------
    DataError
        When there is no such model or unit, or a parameter is missing or not above 0.

    Examples
    --------
    >>> truth = {"r": 0.5, "alpha": 8.0, "s": 0.6, "beta": 12.0}
    >>> weeks = simulated_customers("pareto_nbd", truth, customers=3, T=52, unit="week", seed=1)
    >>> weeks["T"].tolist(), weeks.attrs["unit"]
    ([52.0, 52.0, 52.0], 'week')
    """
    theta = _checked(model, params)
    if unit not in summaries.UNITS:
        raise DataError(f"There is no unit {unit!r}. Choose one of {list(summaries.UNITS)}.")
    rng = np.random.default_rng(seed)
    observed = np.broadcast_to(np.asarray(T, dtype="float64"), (customers,)).copy()
    story = _by_occasions if model == "bg_bb" else _by_moments
    frame = story(model, theta, observed, until, rng)
    frame.insert(0, "customer_id", np.arange(1, customers + 1))
    frame.attrs["unit"] = unit
    return frame


def with_spend(summary: pd.DataFrame, params: Mapping[str, float], *, seed: int = 0) -> pd.DataFrame:
    """The same customers, who spend as the Gamma-Gamma model says.

    Parameters
    ----------
    summary : DataFrame
        From `simulated_customers`.
    params : mapping
        `p`, `q` and `gamma` (currency units).
    seed : int
        The same seed draws the same money.

    Returns
    -------
    DataFrame
        The summary with `monetary_value`, the mean of the repeat purchases (0 where there are none), and
        `spent_after`, what the purchases after T bring.

    Examples
    --------
    >>> truth = {"r": 0.5, "alpha": 8.0, "s": 0.6, "beta": 12.0}
    >>> weeks = simulated_customers("pareto_nbd", truth, customers=3, T=52, unit="week", seed=1)
    >>> spent = with_spend(weeks, {"p": 6.0, "q": 4.0, "gamma": 15.0})
    >>> bool(((spent["monetary_value"] > 0) == (spent["frequency"] > 0)).all())
    True
    """
    rng = np.random.default_rng(seed)
    scatter = rng.gamma(params["q"], 1 / params["gamma"], len(summary))
    repeats, after = summary["frequency"].to_numpy(), summary["purchases_after"].to_numpy()
    spent = rng.gamma(params["p"] * repeats) / scatter
    mean = np.divide(spent, repeats, out=np.zeros(len(summary)), where=repeats > 0)
    return summary.assign(monetary_value=mean, spent_after=rng.gamma(params["p"] * after) / scatter)


def _checked(model: str, params: Mapping[str, float]) -> list[float]:
    if model not in MODELS:
        raise DataError(
            f"There is no model {model!r}.{did_you_mean(model, MODELS)} Choose one of {list(MODELS)}."
        )
    names = MODELS[model].names
    if sorted(params) != sorted(names) or not all(params[name] > 0 for name in names):
        raise DataError(
            f"{model} has the parameters {list(names)}, each above 0, and was given {dict(params)}."
        )
    return [float(params[name]) for name in names]


def _by_moments(
    model: str, theta: list[float], T: np.ndarray, until: float, rng: np.random.Generator
) -> pd.DataFrame:
    n = len(T)
    r, alpha, one, other = theta
    rate = rng.gamma(r, 1 / alpha, n)
    coin, life = np.zeros(n), np.full(n, np.inf)
    if model == "pareto_nbd":
        life = rng.exponential(1 / np.maximum(rng.gamma(one, 1 / other, n), 1e-300))
    else:
        coin = rng.beta(one, other, n)
    gone = rng.random(n) < coin if model == "mbg_nbd" else np.zeros(n, dtype=bool)
    left_at = np.where(gone, 0.0, life)
    frequency, recency, after = np.zeros(n, dtype="int64"), np.zeros(n), np.zeros(n, dtype="int64")
    now, buying = np.zeros(n), ~gone
    while buying.any():
        here = np.flatnonzero(buying)
        now[here] += rng.exponential(1 / np.maximum(rate[here], 1e-300))
        here = here[(now[here] <= T[here] + until) & (now[here] <= life[here])]
        before = here[now[here] <= T[here]]
        frequency[before] += 1
        recency[before] = now[before]
        after[here[now[here] > T[here]]] += 1
        stops = here[rng.random(len(here)) < coin[here]]
        left_at[stops] = now[stops]
        buying[:] = False
        buying[here] = True
        buying[stops] = False
    return _frame(frequency, recency, T, after, left_at > T)


def _by_occasions(
    model: str, theta: list[float], T: np.ndarray, until: float, rng: np.random.Generator
) -> pd.DataFrame:
    n, (alpha, beta, gamma, delta) = len(T), theta
    buys, leaves = rng.beta(alpha, beta, n), rng.beta(gamma, delta, n)
    frequency, recency, after = np.zeros(n, dtype="int64"), np.zeros(n), np.zeros(n, dtype="int64")
    alive, alive_at_T = np.ones(n, dtype=bool), np.ones(n, dtype=bool)
    for occasion in range(1, int(T.max() + until) + 1):
        alive &= rng.random(n) >= leaves
        alive_at_T = np.where(occasion <= T, alive, alive_at_T)
        bought = alive & (rng.random(n) < buys)
        observed = bought & (occasion <= T)
        frequency += observed
        recency[observed] = occasion
        after += bought & (occasion > T) & (occasion <= T + until)
    return _frame(frequency, recency, T, after, alive_at_T)


def _frame(
    frequency: np.ndarray, recency: np.ndarray, T: np.ndarray, after: np.ndarray, alive: np.ndarray
) -> pd.DataFrame:
    columns = {"frequency": frequency, "recency": recency, "T": T, "purchases_after": after, "alive": alive}
    return pd.DataFrame(columns)
