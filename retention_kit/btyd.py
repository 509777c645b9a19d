"""Purchase models without a contract (buy till you die): fitted here, each on a summary of customers.

A fit takes a summary and returns a `Fit`; `predictions` are functions of the two. Nobody sees a customer
leave: the models tell a long silence from a slow rhythm by how everybody buys.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from retention_kit import fits, gamma_gamma, summaries, waiting
from retention_kit.bg_bb import BG_BB, BgBb
from retention_kit.bg_nbd import BG_NBD, MBG_NBD, BgNbd
from retention_kit.exceptions import DataError
from retention_kit.fits import Fit
from retention_kit.pareto_nbd import PARETO_NBD, ParetoNbd
from retention_kit.summaries import Cells

Model = BgNbd | ParetoNbd | BgBb

MODELS: Mapping[str, Model] = {model.name: model for model in (BG_NBD, MBG_NBD, PARETO_NBD, BG_BB)}


def fit_bg_nbd(summary: pd.DataFrame, *, unit: str | None = None) -> Fit:
    """How often do customers buy, and after which purchase do they stop (BG/NBD)?

    The quickest model, and the best known. It lets nobody leave before the second purchase, so it calls
    every one-time buyer alive: for P(alive) prefer `fit_mbg_nbd` or `fit_pareto_nbd`.

    Parameters
    ----------
    summary : DataFrame
        One row a customer, or a row for each that are alike: `frequency` (repeat purchases), `recency` and
        `T` (last purchase and end of observation, since the first purchase), optionally `weight`
        (customers in the row). `clv.summarize_customers` makes it.
    unit : {"day", "week", "month", "year"}, optional
        Of `recency` and `T`; a summary made by `clv.summarize_customers` says it itself.

    Returns
    -------
    Fit
        With `r` and `alpha` (purchase rates: mean r / alpha a unit of time), `a` and `b` (the chance to stop
        after a purchase: mean a / (a + b)).

    Raises
    ------
    DataError
        When a column is missing, a number is missing or impossible, the unit is unknown, or nobody came
        back.

    References
    ----------
    Fader, Hardie and Lee (2005), "Counting your customers" the easy way: an alternative to the
    Pareto/NBD model.

    Examples
    --------
    >>> from retention_kit import simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> fit = fit_bg_nbd(weeks)
    >>> fit.status, list(fit.params), fit.customers
    ('optimum', ['r', 'alpha', 'a', 'b'], 500.0)
    """
    return _fit(BG_NBD, summary, unit)


def fit_mbg_nbd(summary: pd.DataFrame, *, unit: str | None = None) -> Fit:
    """The same, where a customer may also stop after the very first purchase (MBG/NBD).

    Parameters, errors
        As in `fit_bg_nbd`.

    References
    ----------
    Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of models for customer
    base analysis.

    Examples
    --------
    >>> from retention_kit import simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> fit_mbg_nbd(weeks).status
    'optimum'
    """
    return _fit(MBG_NBD, summary, unit)


def fit_pareto_nbd(summary: pd.DataFrame, *, unit: str | None = None) -> Fit:
    """How often do customers buy, and when do they stop, at whatever moment (Pareto/NBD)?

    The model the others are measured against. It says something of a customer who has bought once only.

    Parameters, errors
        As in `fit_bg_nbd`; the result has `r`, `alpha` (purchase rates) and `s`, `beta` (rates of leaving:
        mean s / beta a unit of time).

    References
    ----------
    Schmittlein, Morrison and Colombo (1987), Counting your customers: who are they and what will they do
    next?

    Examples
    --------
    >>> from retention_kit import simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> list(fit_pareto_nbd(weeks).params)
    ['r', 'alpha', 's', 'beta']
    """
    return _fit(PARETO_NBD, summary, unit)


def fit_bg_bb(summary: pd.DataFrame, *, unit: str | None = None) -> Fit:
    """The same, where there are set occasions to buy, such as a yearly appeal or a weekly box (BG/BB).

    Parameters, errors
        As in `fit_bg_nbd`, with `recency` and `T` counting occasions; the result has `alpha`, `beta` (the
        chance to buy at an occasion) and `gamma`, `delta` (the chance to leave before it).

    References
    ----------
    Fader, Hardie and Shang (2010), Customer-base analysis in a discrete-time noncontractual setting.

    Examples
    --------
    >>> years = pd.DataFrame({
    ...     "frequency": [0, 1, 1, 3, 6], "recency": [0, 1, 5, 4, 6], "T": [6] * 5,
    ...     "weight": [35, 11, 2, 4, 12]})
    >>> list(fit_bg_bb(years, unit="year").params)
    ['alpha', 'beta', 'gamma', 'delta']
    """
    return _fit(BG_BB, summary, unit)


def fit_gamma_gamma(summary: pd.DataFrame) -> Fit:
    """What is a purchase worth, customer by customer, and how much do they differ (Gamma-Gamma)?

    It takes for granted that those who buy often do not spend more or less each time:
    `facts["correlation"]` says how true that is here. Customers who never came back say nothing, and a mean
    of zero has no logarithm: both are left out, counted in `left_out`.

    Parameters
    ----------
    summary : DataFrame
        With `frequency` and `monetary_value` (the mean of the repeat purchases, currency units), optionally
        `weight`.

    Returns
    -------
    Fit
        With `p`, `q` and `gamma` (currency units). With q up to 1 customers' means have no mean of their
        own, and `status` says so: nothing can be predicted from it.

    Raises
    ------
    DataError
        When a column is missing, a value is missing or negative, or nobody who came back spent anything.

    References
    ----------
    Fader and Hardie (2013), The Gamma-Gamma model of monetary value.

    Examples
    --------
    >>> spend = pd.DataFrame({"frequency": [2, 1, 4, 0, 3, 2], "monetary_value": [22., 12, 41, 0, 30, 18]})
    >>> fit = fit_gamma_gamma(spend)
    >>> dict(fit.left_out)
    {'never came back': 1, 'spent nothing': 0}
    """
    numbers = summaries.checked(summary, ("frequency", "monetary_value"))
    x, z = numbers["frequency"], numbers["monetary_value"]
    weight = summaries.weights(summary)
    back, paid = x > 0, z > 0
    if not (back & paid).any():
        raise DataError(
            "Nobody who came back spent anything, so spend cannot be fitted. "
            "Show clv.clv_historical, what customers have brought so far."
        )
    left_out = {
        "never came back": int(weight[~back].sum()),
        "spent nothing": int(weight[back & ~paid].sum()),
    }
    x, z, weight = (each[back & paid] for each in (x, z, weight))
    fit = fits.maximize(
        gamma_gamma.NAME,
        gamma_gamma.start(x, z, weight),
        _on_logs(lambda theta: gamma_gamma.log_likelihood(theta, x, z, weight)),
        customers=float(weight.sum()),
        unit="",
        data_hash=fits.digest(np.column_stack([x, z, weight])),
    )
    status = fit.status
    if fit.params["q"] <= 1:
        status = (
            f"no mean: q is {fit.params['q']:.3g}, and up to 1 the mean spend is endless. Show spend so far."
        )
    facts = {"correlation": _correlation(x, z, weight)}
    return replace(
        fit, status=status, converged=fit.converged and fit.params["q"] > 1, left_out=left_out, facts=facts
    )


def bootstrap(fit: Fit, summary: pd.DataFrame, *, draws: int = 200, seed: int = 0) -> Fit:
    """The same fit, with intervals from refitting it to customers drawn anew, instead of from the Hessian.

    Slower, and right where the likelihood is far from a hill with round contours.

    Parameters
    ----------
    fit : Fit
        Of a purchase model.
    summary : DataFrame
        What it was fitted on.
    draws : int
        Refits.
    seed : int
        The same seed draws the same customers.

    Raises
    ------
    DataError
        When the summary is not the one that was fitted, or the model did not converge.

    Examples
    --------
    >>> from retention_kit import simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> bootstrap(fit_bg_nbd(weeks), weeks, draws=3).interval
    'bootstrap 95 %'
    """
    model, cells = model_of(fit), summaries.cells(summary)
    if fits.digest(cells.table()) != fit.data_hash:
        raise DataError("The summary is not the one this model was fitted on. Give the same, or fit anew.")
    if not fit.converged:
        raise DataError(f"This {fit.model} cannot be drawn anew. {fit.status.capitalize()}")
    rng = np.random.default_rng(seed)
    customers = round(cells.customers)
    drawn = rng.multinomial(customers, cells.weight / cells.customers, size=draws)
    found = [
        fits.refitted(fit, _objective(model, cells.weighted(w.astype(float))))
        for w in waiting.counted(drawn, draws)
    ]
    return replace(fit, draws=tuple(map(tuple, np.array(found).tolist())))


def model_of(fit: Fit) -> Model:
    """The purchase model of a fit, or a clear error."""
    if fit.model not in MODELS:
        raise DataError(
            f"This is a fit of {fit.model}, not of purchases. Use one of fit_{', fit_'.join(MODELS)}."
        )
    return MODELS[fit.model]


def _fit(model: Model, summary: pd.DataFrame, unit: str | None) -> Fit:
    unit = summaries.unit_of(summary, unit)
    cells = summaries.cells(summary)
    if not cells.frequency.distinct.max() > 0:
        raise DataError(
            "Nobody came back, so no purchase model can be fitted. "
            "Show purchases.repeat_purchase_rate: it is 0, and its interval says how high it may be."
        )
    if len(cells.weight) < len(model.names):
        raise DataError(
            f"The summary has {len(cells.weight)} kinds of customers, and {model.name} needs "
            f"{len(model.names)} at least. Show what they have brought so far, clv.clv_historical."
        )
    return fits.maximize(
        model.name,
        model.start(cells),
        _objective(model, cells),
        customers=cells.customers,
        unit=unit,
        data_hash=fits.digest(cells.table()),
    )


def _objective(model: Model, cells: Cells) -> fits.Objective:
    return _on_logs(lambda theta: model.log_likelihood(theta, cells))


def _on_logs(likelihood: Any) -> fits.Objective:
    def objective(logs: np.ndarray) -> tuple[float, np.ndarray]:
        theta = np.exp(logs)
        value, slope = likelihood(theta)
        return value, slope * theta

    return objective


def _correlation(x: np.ndarray, z: np.ndarray, weight: np.ndarray) -> float:
    if len(x) < 2:
        return float("nan")
    covariance = np.cov(x, z, aweights=weight)
    spread = np.sqrt(covariance[0, 0] * covariance[1, 1])
    return float(covariance[0, 1] / spread) if spread > 0 else float("nan")
