"""How long customers with a contract stay: each renews with a chance of their own, which nobody sees.

As time goes by, those with small chances are gone and those who are left renew more often, though nobody has
changed. Both models project a survival curve beyond what was observed; a curve drawn through the first years'
retention rates does not.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from retention_kit import fits
from retention_kit.exceptions import DataError
from retention_kit.fits import Fit

_START = {"alpha": 1.0, "beta": 1.0}
#: Payments worth less than e^-40 of one today are left out of a sum.
_NOTHING = 40.0


def fit_sbg(losses: pd.DataFrame, *, unit: str = "year") -> Fit:
    """Which spread of renewal chances explains how customers left: shifted-beta-geometric.

    Everybody renews with a constant chance of their own, spread by a beta distribution.

    Parameters
    ----------
    losses : DataFrame
        One row a period (and cohort): `period` (1 for the first), `customers` at its start, `churned` in
        it. `losses_of` makes it of a survival curve. Several cohorts of one kind stand one below another,
        told apart by nothing: a young one has fewer rows.
    unit : {"day", "week", "month", "year"}
        The length of a period.

    Returns
    -------
    Fit
        With `alpha` and `beta`; alpha / (alpha + beta) is the chance of leaving at the first renewal.

    Raises
    ------
    DataError
        When a column is missing, a period is no whole number from 1, more left than there were, or nobody
        left or nobody stayed.

    References
    ----------
    Fader and Hardie (2007), How to project customer retention.

    Examples
    --------
    >>> fit = fit_sbg(losses_of([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1]), unit="year")
    >>> [round(value, 2) for value in fit.params.values()]
    [0.7, 1.18]
    """
    return _fit("sbg", losses, dict(_START), unit)


def fit_bdw(losses: pd.DataFrame, *, unit: str = "year") -> Fit:
    """The same, where a single customer's chance to leave may rise or fall with time: beta-discrete-Weibull.

    With `c` above 1 customers grow more likely to leave the longer they stay, below 1 less; at 1 it is the
    shifted-beta-geometric model, so where the bounds of `c` hold 1 the simpler model does.

    Parameters
    ----------
    losses, unit
        As in `fit_sbg`.

    Returns
    -------
    Fit
        With `alpha`, `beta` and `c`.

    Raises
    ------
    DataError
        As `fit_sbg`.

    References
    ----------
    Fader, Hardie, Liu, Davin and Steenburgh (2018), "How to project customer retention" revisited.

    Examples
    --------
    >>> fit = fit_bdw(losses_of([100, 86.9, 74.3, 65.3, 59.3]), unit="year")
    >>> [round(value, 2) for value in fit.params.values()]
    [0.26, 1.72, 1.58]
    """
    return _fit("bdw", losses, {**_START, "c": 1.0}, unit)


def losses_of(survivors: Any) -> pd.DataFrame:
    """Customers left at the end of each period, first all of them, as the losses that a fit takes.

    Examples
    --------
    >>> losses_of([1000, 869, 743])["churned"].tolist()
    [131.0, 126.0]
    """
    left = np.asarray(survivors, dtype="float64")
    if left.ndim != 1 or len(left) < 2:
        raise DataError("survivors is a row of numbers, at least two: at the start, and after each period.")
    return pd.DataFrame(
        {"period": np.arange(1, len(left)), "customers": left[:-1], "churned": -np.diff(left)}
    )


# -- what a fit foretells ------------------------------------------------------


def survival(fit: Fit, periods: int, *, alive_after: int = 0) -> pd.DataFrame:
    """What share is still there after 1, 2, ... periods, and how many renew at each?

    Parameters
    ----------
    fit : Fit
        From `fit_sbg` or `fit_bdw`.
    periods : int
        How far to look.
    alive_after : int
        For customers who are known to have stayed so many periods: what is ahead of them, not of everybody.

    Returns
    -------
    DataFrame
        One row a period ahead, from 0: `period` (since the start), `survival` (of those there at the start
        of the look), `low`, `high`, `retention_rate` (who renew, of those up for it; NaN in the first row),
        `interval`. The bounds are of the curve, from the parameters alone.

    Examples
    --------
    >>> fit = fit_sbg(losses_of([100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1]), unit="year")
    >>> survival(fit, 12)["survival"].round(4).tail(2).tolist()
    [0.3951, 0.378]
    """
    _known(fit)
    if periods < 0 or alive_after < 0:
        raise DataError("periods and alive_after count periods, from 0 on.")
    at = alive_after + np.arange(periods + 1)

    def curve(theta: np.ndarray) -> np.ndarray:
        return np.exp(_log_survival(fit.model, theta, at) - _log_survival(fit.model, theta, at[:1]))

    share, low, high = fits.banded(fit, curve, scale="logit")
    frame = pd.DataFrame({"period": at, "survival": share, "low": low, "high": high})
    frame["retention_rate"] = np.concatenate([[np.nan], share[1:] / share[:-1]])
    frame["interval"] = fit.interval
    return frame


def residual_lifetime(fit: Fit, *, renewals: int = 0, discount_rate: float = 0.0) -> pd.DataFrame:
    """How many payments are still to come from a customer who has renewed so often, in today's value?

    The next payment comes one renewal from now and is not discounted if it is due at once: it counts as
    due now, right before the customer decides. Without a discount the sum may be endless.

    Parameters
    ----------
    fit : Fit
        From `fit_sbg` or `fit_bdw`.
    renewals : int
        How often the customer has renewed already.
    discount_rate : float
        What money loses in a period: 0.1 for 10 %. Above 0.

    Returns
    -------
    DataFrame
        One row: `renewals`, `residual_lifetime` (payments, discounted), `low`, `high`, `discount_rate`,
        `interval`.

    Raises
    ------
    DataError
        When the discount rate is not above 0: a few customers never leave, and the sum may have no end.

    References
    ----------
    Fader and Hardie (2010), Customer-base valuation in a contractual setting: the perils of ignoring
    heterogeneity.

    Examples
    --------
    >>> fit = fit_sbg(losses_of([100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1]), unit="year")
    >>> residual_lifetime(fit, renewals=7, discount_rate=0.1)["residual_lifetime"].round(2).item()
    7.53
    """
    _known(fit)
    if not discount_rate > 0:
        raise DataError(
            f"discount_rate is {discount_rate}: some customers stay for ever, so without a discount the "
            "sum has no end. Type discount_rate=0.1 for 10 % a period."
        )
    ahead = np.arange(int(_NOTHING / np.log1p(discount_rate)) + 1)
    t, worth = renewals + 1 + ahead, -np.log1p(discount_rate) * ahead

    def payments(theta: np.ndarray) -> np.ndarray:
        chance = _log_survival(fit.model, theta, t) - _log_survival(fit.model, theta, t[:1] - 1)
        return np.atleast_1d(np.exp(special.logsumexp(chance + worth)))

    value, low, high = fits.banded(fit, payments, scale="log")
    return pd.DataFrame(
        {
            "renewals": [renewals], "residual_lifetime": value, "low": low, "high": high,
            "discount_rate": [discount_rate], "interval": [fit.interval],
        }
    )  # fmt: skip


# -- the likelihood ------------------------------------------------------------


def _fit(model: str, losses: pd.DataFrame, start: dict[str, float], unit: str) -> Fit:
    period, customers, churned = _checked(losses)
    stayed_last, last = _censored(period, customers, churned)

    def objective(logs: np.ndarray) -> tuple[float, np.ndarray]:
        theta = np.exp(logs)
        left, left_slope = _log_pmf(model, theta, period)
        stay, stay_slope = _log_survival(model, theta, last), _survival_slope(model, theta, last)
        value = churned @ left + stayed_last @ stay
        slope = left_slope @ churned + stay_slope @ stayed_last
        return float(value), slope * theta

    entered = float(churned.sum() + stayed_last.sum())
    digest = fits.digest(np.column_stack([period, customers, churned]))
    return fits.maximize(model, start, objective, customers=entered, unit=unit, data_hash=digest)


def _checked(losses: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    missing = [name for name in ("period", "customers", "churned") if name not in losses]
    if missing:
        raise DataError(
            f"losses is missing {missing}. It has {[str(column) for column in losses.columns]}. "
            "Type contractual.losses_of([1000, 869, 743]) for customers left after each period."
        )
    period, customers, churned = (
        losses[name].to_numpy(dtype="float64") for name in ("period", "customers", "churned")
    )
    if not (np.isfinite(period) & np.isfinite(customers) & np.isfinite(churned)).all():
        raise DataError("losses has missing values.")
    if (period < 1).any() or (period != np.floor(period)).any():
        raise DataError("period is a whole number from 1 on.")
    if (churned < 0).any() or (churned > customers * (1 + 1e-12)).any():
        raise DataError("churned is between 0 and customers in every period.")
    if churned.sum() == 0 or (churned >= customers).all():
        raise DataError(
            "Everybody stayed, or nobody did, so no model of who leaves can be fitted. "
            "Show churn.churn_rates with its interval instead."
        )
    return period, customers, churned


def _censored(
    period: np.ndarray, customers: np.ndarray, churned: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How many were still there when last seen, and after which period: those not followed into the next one.

    Rows of one period are summed over cohorts, so what is missing in the next period was censored.
    """
    last = int(period.max())
    here = np.bincount(period.astype(int), weights=customers, minlength=last + 2)
    kept = np.bincount(period.astype(int), weights=customers - churned, minlength=last + 2)
    stayed = kept[1 : last + 1] - here[2 : last + 2]
    if (stayed < -1e-9 * here.max()).any():
        first = int(np.flatnonzero(stayed < -1e-9 * here.max())[0]) + 1
        raise DataError(
            f"losses has more customers in period {first + 1} than were left after period {first}."
        )
    return np.maximum(stayed, 0), np.arange(1, last + 1)


def _reach(model: str, theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    return t ** theta[2] if model == "bdw" else t.astype("float64")


def _log_survival(model: str, theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The logarithm of the share still there after t periods: B(alpha, beta + t^c) / B(alpha, beta)."""
    alpha, beta = theta[:2]
    return special.betaln(alpha, beta + _reach(model, theta, t)) - special.betaln(alpha, beta)


def _survival_slope(model: str, theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    alpha, beta = theta[:2]
    reach, psi = _reach(model, theta, t), special.digamma
    all_in = psi(alpha + beta + reach)
    slopes = [
        psi(alpha + beta) - all_in,
        psi(beta + reach) - all_in - psi(beta) + psi(alpha + beta),
    ]
    if model == "bdw":
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes.append((psi(beta + reach) - all_in) * np.where(t > 0, reach * np.log(t), 0.0))
    return np.array(slopes)


def _log_pmf(model: str, theta: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logarithm of leaving in period t, S(t - 1) - S(t), and its derivatives."""
    before, after = _log_survival(model, theta, t - 1), _log_survival(model, theta, t)
    gap = np.minimum(after - before, -1e-300)
    share = np.exp(gap)
    slope_before, slope_after = _survival_slope(model, theta, t - 1), _survival_slope(model, theta, t)
    left = -np.expm1(gap)
    return before + np.log(left), (slope_before - share * slope_after) / left


def _known(fit: Fit) -> None:
    if fit.model not in ("sbg", "bdw"):
        raise DataError(f"This is a fit of {fit.model}, not of contracts. Fit fit_sbg or fit_bdw.")
