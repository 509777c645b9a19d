"""A fitted model: parameters by name with their errors, how sure the optimum is, saved as JSON.

Every model is fitted here, on the logarithms of its parameters: they are all positive, and what is a week to
one client is a day to another.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from retention_kit import waiting
from retention_kit.exceptions import DataError

#: What `interval` says, by where the errors come from.
HESSIAN, BOOTSTRAP, NO_INTERVAL = "delta, Hessian 95 %", "bootstrap 95 %", "none: the optimum is flat"
#: The same of what will happen: a gamma distribution with the mean and variance of a sum.
OUTCOME = "gamma, parameters and chance 95 %"

_Z = float(special.ndtri(0.975))
_LIMIT = 14.0  # a logarithm of a parameter beyond it is an endless parameter
_STEP = 1e-4
_ROUND = (
    10.0  # a first guess of the optimum's distance, over the slope a customer: saves a third of the steps
)
_FLAT = 1e-6  # gradient a customer below which a point is an optimum

#: The log-likelihood and its gradient at the logarithms of the parameters.
Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class Fit:
    """A model's parameters as the data gave them. Immutable; predictions are functions of it.

    Parameters
    ----------
    model : str
        Such as `bg_nbd`.
    params : mapping
        By name, in the unit of the summary.
    covariance : sequence of rows, or None
        Of the parameters' logarithms; None where the optimum is flat, so that they cannot be told.
    log_likelihood : float
        In the units of the summary, as publications print it.
    customers : float
    unit : str
        Of time: day, week, month or year; for spend, of nothing.
    iterations : int
    gradient_norm : float
        The largest slope left, for each customer.
    converged : bool
    status : str
        What the optimum is like, and where it is not one, what to do.
    data_hash : str
        Of the histogram that was fitted.
    draws : sequence of rows
        Logarithms of the parameters from a bootstrap; empty without one.
    left_out : mapping
        Customers that were not fitted, by rule.
    facts : mapping
        What else the model's assumptions ask to be looked at.
    """

    model: str
    params: Mapping[str, float]
    covariance: Sequence[Sequence[float]] | None
    log_likelihood: float
    customers: float
    unit: str
    iterations: int
    gradient_norm: float
    converged: bool
    status: str
    data_hash: str
    draws: Sequence[Sequence[float]] = field(default=(), repr=False)
    left_out: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("params", "left_out", "facts"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        object.__setattr__(self, "draws", tuple(map(tuple, self.draws)))
        if self.covariance is not None:
            object.__setattr__(self, "covariance", tuple(map(tuple, self.covariance)))

    def __deepcopy__(self, memo: Any) -> "Fit":
        return self  # nothing in it can change, and a frame's attrs are copied with every step

    @property
    def theta(self) -> np.ndarray:
        """The parameters in the model's order."""
        return np.array(list(self.params.values()))

    @property
    def interval(self) -> str:
        """The method of every interval that is made from this fit."""
        if self.draws:
            return BOOTSTRAP
        return HESSIAN if self.covariance is not None else NO_INTERVAL

    @property
    def standard_errors(self) -> Mapping[str, float]:
        """Of each parameter, in its own unit; NaN where the optimum is flat."""
        if self.covariance is None:
            return dict.fromkeys(self.params, float("nan"))
        spread = np.sqrt(np.diag(np.asarray(self.covariance)))
        return {name: float(value * s) for (name, value), s in zip(self.params.items(), spread, strict=True)}

    @property
    def aic(self) -> float:
        """Akaike's criterion: less is better, between models of the same data."""
        return 2 * len(self.params) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion: it charges more for a parameter the more customers there are."""
        return float(np.log(self.customers) * len(self.params) - 2 * self.log_likelihood)

    def frame(self) -> pd.DataFrame:
        """One row a parameter: `parameter`, `value`, `standard_error`, `low`, `high`, `interval`.

        Of 2,000 simulated customers, bounds from the Hessian hold the truth in 93 to 97 % of data sets,
        for every model; of 500 they are rougher, and hold it in 90 to 100 %.
        """
        value, low, high = banded(self, lambda theta: theta, scale="log")
        frame = pd.DataFrame({"parameter": list(self.params), "value": value})
        frame["standard_error"] = list(self.standard_errors.values())
        frame["low"], frame["high"], frame["interval"] = low, high, self.interval
        return frame


# -- fitting -------------------------------------------------------------------


def maximize(
    model: str,
    start: Mapping[str, float],
    objective: Objective,
    *,
    customers: float,
    unit: str,
    data_hash: str,
) -> Fit:
    """The parameters that make the data likeliest, from `start`.

    The quasi-Newton search may stop for reasons of its own at a perfectly good optimum: a few Newton steps
    end it, and the slope that is left judges it.
    """
    names, first = list(start), np.log(list(start.values()))
    with waiting.shown():
        best, iterations = _searched(objective, first, customers)
        best, hessian, slope, value = _polished(objective, best, customers)
    edge = np.abs(best) > _LIMIT - 0.01
    covariance = None if edge.any() else _inverted(hessian)
    converged = slope < _FLAT and covariance is not None
    return Fit(
        model=model,
        params=dict(zip(names, map(float, np.exp(best)), strict=True)),
        covariance=None if covariance is None else covariance.tolist(),
        log_likelihood=float(value),
        customers=customers,
        unit=unit,
        iterations=iterations,
        gradient_norm=slope,
        converged=converged,
        status=_status(names, edge, slope, covariance),
        data_hash=data_hash,
    )


def refitted(fit: Fit, objective: Objective) -> np.ndarray:
    """The logarithms of the parameters that fit other weights best.

    They are near, so the fit's own covariance leads there in a few steps; where it does not, a search does.
    """
    point, covariance = np.log(fit.theta), np.asarray(fit.covariance)
    for _ in range(30):
        _, slope = objective(point)
        if _steep(slope, fit.customers) < _FLAT:
            return point
        point = np.clip(point + covariance @ slope, -_LIMIT, _LIMIT)
    best, _ = _searched(objective, np.log(fit.theta), fit.customers)
    return best


def _searched(objective: Objective, start: np.ndarray, customers: float) -> tuple[np.ndarray, int]:
    def downhill(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = objective(point)
        return -value / customers, -slope / customers

    rough = {"gtol": 1e-5, "hess_inv0": _ROUND * np.eye(len(start))}
    with np.errstate(all="ignore"):  # it may look beyond the edge, and then is not heard
        found = optimize.minimize(downhill, start, jac=True, method="BFGS", options=rough)
    if _steep(found.jac, 1.0) < 1e-4 and np.abs(found.x).max() < _LIMIT:
        return found.x, int(found.nit)
    # A ridge, or a parameter that runs away. Only then: where another core is busy this one waits for the
    # threads of its linear algebra at every step, and takes twenty times as long.
    found = optimize.minimize(
        downhill, start, jac=True, method="L-BFGS-B", bounds=[(-_LIMIT, _LIMIT)] * len(start),
        options={"maxiter": 500, "ftol": 1e-11, "gtol": 1e-5},
    )  # fmt: skip
    return found.x, int(found.nit)


def _polished(
    objective: Objective, point: np.ndarray, customers: float
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Newton steps with the Hessian of where the search ended, each taken only where the slope falls; and the
    Hessian and slope that are left."""
    value, slope = objective(point)
    hessian = _hessian(objective, point)
    for _ in range(4):
        if _steep(slope, customers) < 1e-10 or _inverted(hessian) is None:
            break
        step = np.clip(point - np.linalg.solve(hessian, slope), -_LIMIT, _LIMIT)
        higher, flatter = objective(step)
        if not _steep(flatter, customers) < _steep(slope, customers):
            break
        point, value, slope = step, higher, flatter
    return point, hessian, _steep(slope, customers), value


def _steep(slope: np.ndarray, customers: float) -> float:
    """The largest slope a customer; what is no number is a cliff."""
    return float(np.nan_to_num(np.abs(slope), nan=np.inf).max() / customers)


def _hessian(objective: Objective, point: np.ndarray) -> np.ndarray:
    """Second derivatives of the log-likelihood, from the gradient's central differences."""
    rows = []
    for i in range(len(point)):
        step = np.zeros(len(point))
        step[i] = _STEP
        rows.append((objective(point + step)[1] - objective(point - step)[1]) / (2 * _STEP))
    rough = np.array(rows)
    return (rough + rough.T) / 2


def _inverted(hessian: np.ndarray) -> np.ndarray | None:
    """The covariance, or None where some direction is flat or uphill."""
    if not np.isfinite(hessian).all():
        return None
    curvature = np.linalg.eigvalsh(-hessian)
    if curvature.min() <= curvature.max() * 1e-10:
        return None
    return np.linalg.inv(-hessian)


def _status(names: Sequence[str], edge: np.ndarray, slope: float, covariance: np.ndarray | None) -> str:
    if edge.any():
        endless = ", ".join(name for name, is_at_edge in zip(names, edge, strict=True) if is_at_edge)
        return (
            f"no optimum: {endless} ran to the edge. The data do not tell its parts apart; try another model."
        )
    if covariance is None:
        return "flat: other parameters fit as well, so nothing has an interval. Try another model."
    if slope >= _FLAT:
        return f"not converged: a slope of {slope:.1e} a customer is left. Try another model."
    return "optimum"


def digest(numbers: np.ndarray) -> str:
    """A short hash of a table of numbers: the same rows give the same, in any order."""
    rows = np.zeros(len(numbers), dtype="uint64")
    for column in numbers.T:
        rows = rows * np.uint64(1_000_003) + (column + 0.0).view("uint64")  # no zero is below zero
    return f"{int(pd.util.hash_array(rows).sum(dtype='uint64')):016x}"


# -- intervals of what is predicted --------------------------------------------

Predictor = Callable[[np.ndarray], np.ndarray]
_SCALES: Mapping[str, tuple[Callable, Callable]] = {
    "log": (np.log, np.exp),
    "logit": (special.logit, special.expit),
    "plain": (lambda value: value, lambda value: value),
}


def banded(fit: Fit, predict: Predictor, *, scale: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `predict(parameters)` is, and its 95 % bounds, for the uncertainty of the parameters alone.

    `scale` is where the bounds are symmetric and which they cannot leave: `log` for what is above zero,
    `logit` for shares, `plain` for the rest.
    """
    centre = np.asarray(predict(fit.theta), dtype=float)
    if fit.draws:
        drawn = np.array([predict(np.exp(draw)) for draw in fit.draws])
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        return centre, low, high
    if fit.covariance is None:
        return centre, np.full(centre.shape, np.nan), np.full(centre.shape, np.nan)
    to, back = _SCALES[scale]
    spread = _Z * np.sqrt(variance(fit, predict))
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = to(centre)
        width = spread * _slope_of(scale, centre)
        low, high = back(middle - width), back(middle + width)
    # Where the centre is on the scale's edge nothing can be measured there: it is its own bound.
    known = np.isfinite(middle)
    return centre, np.where(known, low, centre), np.where(known, high, centre)


def variance(fit: Fit, predict: Predictor) -> np.ndarray:
    """The variance of `predict(parameters)` by the delta method, or over the bootstrap's draws."""
    if fit.draws:
        return np.var([predict(np.exp(draw)) for draw in fit.draws], axis=0, ddof=1)
    slopes = _slopes(predict, np.log(fit.theta))
    covariance = np.asarray(fit.covariance)
    return np.maximum(np.einsum("i...,ij,j...->...", slopes, covariance, slopes), 0)


def outcome_bounds(mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """95 % bounds of what will happen, of a sum with this mean and variance: a gamma distribution's."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shape, scale = mean**2 / variance, variance / mean
        low, high = (scale * special.gammaincinv(shape, tail) for tail in (0.025, 0.975))
    return low, high


def _slopes(predict: Predictor, point: np.ndarray) -> np.ndarray:
    rows = []
    for i in range(len(point)):
        step = np.zeros(len(point))
        step[i] = _STEP
        up, down = predict(np.exp(point + step)), predict(np.exp(point - step))
        rows.append((np.asarray(up) - np.asarray(down)) / (2 * _STEP))
    return np.array(rows)


def _slope_of(scale: str, centre: np.ndarray) -> np.ndarray:
    if scale == "log":
        return 1 / centre
    return 1 / (centre * (1 - centre)) if scale == "logit" else np.ones_like(centre)


# -- saved and loaded ----------------------------------------------------------

_FORMAT = 1


def save(fit: Fit, path: str | Path) -> Path:
    """Write a fit as JSON: parameters, unit, data hash, versions; nothing that could run."""
    path = Path(path)
    content = {"format": _FORMAT, **_plain(fit), "versions": _versions()}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def load(path: str | Path) -> Fit:
    """The fit that `save` wrote.

    Raises
    ------
    DataError
        When the file is not such a fit.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known = {each.name for each in fields(Fit)}
        if content["format"] != _FORMAT:
            raise DataError(f"{path.name} has format {content['format']}, and this version reads {_FORMAT}.")
        return Fit(**{name: value for name, value in content.items() if name in known})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path.name} is no saved fit ({type(error).__name__}). Fit anew and save it."
        ) from None


def _plain(fit: Fit) -> dict[str, Any]:
    """The fit as plain JSON types."""
    values = {each.name: getattr(fit, each.name) for each in fields(fit)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("retention-kit", "numpy", "scipy")}
