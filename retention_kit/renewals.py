"""What subscribers are worth: two models of who renews, side by side, on what has been observed."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from retention_kit import contractual, survival
from retention_kit.exceptions import DataError
from retention_kit.fits import Fit
from retention_kit.phrases import Phrase
from retention_kit.sentences import phrase

_FITTERS = {"sbg": contractual.fit_sbg, "bdw": contractual.fit_bdw}
_A_YEAR = {"day": 365.25, "week": 365.25 / 7, "month": 12, "quarter": 4, "year": 1}
_COLUMNS = [
    *("model", "customers", "payments", "payments_low", "payments_high", "value", "low", "high", "interval"),
    *("log_likelihood", "aic"),
]


def losses_by_renewal(hazard: pd.DataFrame) -> pd.DataFrame:
    """Of the customers who came to their first, second, ... renewal, how many left?

    Parameters
    ----------
    hazard : DataFrame
        From `leaving.churn_hazard`, of one group.

    Returns
    -------
    DataFrame
        One row a renewal: `period` from 1, `customers`, `churned`, as `contractual.fit_sbg` takes them. Where
        customers leave when a period is full, the tenure counts the renewals, and the few who left earlier
        count with the first. Where they leave on any day, a period is what begins with the tenure.

    Examples
    --------
    >>> hazard = pd.DataFrame({"tenure": [0, 1, 2], "at_risk": [100, 99, 80], "churned": [1, 15, 8]})
    >>> losses_by_renewal(hazard).to_dict("list")
    {'period': [1, 2], 'customers': [100, 80], 'churned': [16, 8]}
    """
    missing = [name for name in ("tenure", "at_risk", "churned") if name not in hazard]
    if missing or hazard["tenure"].duplicated().any():
        raise DataError("hazard is what leaving.churn_hazard returns, of one group, without by=.")
    rate = (hazard["churned"] / hazard["at_risk"]).set_axis(hazard["tenure"])
    any_day = rate.get(0, 0.0) > rate.get(1, 0.0) / 2
    losses = hazard[["tenure", "at_risk", "churned"]].set_axis(
        ["period", "customers", "churned"], axis="columns"
    )
    if any_day:
        return losses.assign(period=losses["period"] + 1).reset_index(drop=True)
    early = losses["period"] == 0
    kept = losses[~early].reset_index(drop=True)
    if len(kept) and early.any():
        kept.loc[kept["period"] == 1, ["customers", "churned"]] += int(losses["churned"][early].sum())
    return kept


def compare_contracts(
    hazard: pd.DataFrame, *, fee: float, margin: float | None = None, discount_rate: float = 0.1
) -> pd.DataFrame:
    """What is a new subscriber worth when those likely to leave leave first?

    The shifted beta-geometric (sBG) gives each customer a churn of their own, the beta-discrete-Weibull (BdW)
    lets it also change with tenure. The formula with one constant churn stands beside them in
    `economics.clv_of_subscribers`.

    Parameters
    ----------
    hazard : DataFrame
        From `leaving.churn_hazard`, of one group.
    fee : float
        Currency units a period.
    margin : float, optional
        The share of a fee that is left after the cost of what was sold; without it the value is revenue.
    discount_rate : float
        What money loses in a year: 0.1 for 10 %. Above 0.

    Returns
    -------
    DataFrame
        One row a model that came to an optimum, the one with the smaller AIC first: `model`, `customers`,
        `payments` (discounted, the first due now), `payments_low`, `payments_high`, `value` (currency units),
        `low`, `high` (95 %, from the parameters), `interval`, `log_likelihood`, `aic`. `attrs["fits"]` holds
        them, `attrs["left_out"]` those without an optimum, and why: where subscribers hardly differ, nothing
        tells the parameters apart. No row where nobody left, or nobody stayed.

    References
    ----------
    Fader and Hardie (2007), How to project customer retention. Fader, Hardie, Liu, Davin and Steenburgh
    (2018), "How to project customer retention" revisited.

    Examples
    --------
    >>> hazard = pd.DataFrame({"tenure": [1, 2, 3, 4], "at_risk": [1000, 869, 743, 653],
    ...                        "churned": [131, 126, 90, 60]})
    >>> hazard.attrs = {"period": "year", "as_of": "2024-07-01"}
    >>> compared = compare_contracts(hazard, fee=100.0)
    >>> sorted(compared["model"]), bool((compared["value"] > 300).all())
    (['bdw', 'sbg'], True)
    """
    period = hazard.attrs.get("period", "month").partition("_")[0]
    a_period = (1 + discount_rate) ** (1 / _A_YEAR[period]) - 1
    losses, found = losses_by_renewal(hazard), {}
    if len(losses) and losses["churned"].sum() > 0 and not (losses["churned"] >= losses["customers"]).all():
        unit = "month" if period == "quarter" else period
        found = {name: fitter(losses, unit=unit) for name, fitter in _FITTERS.items()}
    rows = [_row(fit, fee * (margin or 1.0), a_period) for fit in found.values() if fit.converged]
    frame = pd.DataFrame(rows, columns=_COLUMNS).sort_values("aic", ignore_index=True)
    frame.attrs = {
        "definition": _defined(fee, margin, discount_rate, period),
        "as_of": hazard.attrs.get("as_of"),
        "fits": {name: fit for name, fit in found.items() if fit.converged},
        "left_out": {name: fit.status for name, fit in found.items() if not fit.converged},
    }
    return frame


def contract_survival(hazard: pd.DataFrame, fits: Mapping[str, Fit], *, periods: int = 24) -> pd.DataFrame:
    """How many are still there after so many renewals: as observed, and as each model goes on?

    Parameters
    ----------
    hazard : DataFrame
        From `leaving.churn_hazard`, of one group.
    fits : mapping
        Of `compare_contracts`, by name.
    periods : int
        How far to look.

    Returns
    -------
    DataFrame
        A row a curve and period: `curve` (`observed`, `sbg`, `bdw`), `period` from 0, `survival`, `low`,
        `high` (95 %, as in `survival.survival_curve` and `contractual.survival`), `interval`.

    Examples
    --------
    >>> hazard = pd.DataFrame({"tenure": [1, 2], "at_risk": [100, 80], "churned": [20, 8]})
    >>> contract_survival(hazard, {})["survival"].round(3).tolist()
    [1.0, 0.8, 0.72]
    """
    curves = [_observed(losses_by_renewal(hazard))]
    curves += [
        contractual.survival(fit, periods).drop(columns="retention_rate").assign(curve=name)
        for name, fit in fits.items()
    ]
    frame = pd.concat(curves, ignore_index=True)
    frame = frame[["curve", "period", "survival", "low", "high", "interval"]]
    told = phrase("definition.contract_survival")
    frame.attrs = {"definition": told, "as_of": hazard.attrs.get("as_of")}
    return frame


def _row(fit: Fit, fee: float, discount: float) -> dict:
    """A customer's value: the first fee now, and each later one if the customer is still there."""
    ahead = contractual.residual_lifetime(fit, discount_rate=discount).iloc[0]
    payments, low, high = (1 + ahead[name] / (1 + discount) for name in ("residual_lifetime", "low", "high"))
    return {
        "model": fit.model, "customers": round(fit.customers),
        "payments": payments, "payments_low": low, "payments_high": high,
        "value": fee * payments, "low": fee * low, "high": fee * high, "interval": ahead["interval"],
        "log_likelihood": fit.log_likelihood, "aic": fit.aic,
    }  # fmt: skip


def _defined(fee: float, margin: float | None, discount_rate: float, period: str) -> Phrase:
    told = {"fee": fee, "discount_rate": discount_rate, "unit": period}
    if margin is None:
        return phrase("definition.compare_contracts.fee", **told)
    return phrase("definition.compare_contracts.margin", margin=margin, **told)


def _observed(losses: pd.DataFrame) -> pd.DataFrame:
    """Kaplan and Meier's curve of what was counted by renewal."""
    stayed = losses["customers"] - losses["churned"]
    censored = stayed - losses["customers"].shift(-1, fill_value=0)
    curve = survival.survival_curve(
        np.tile(losses["period"], 2),
        np.repeat([1, 0], len(losses)),
        weights=np.concatenate([losses["churned"], censored]),
    )
    kept = curve[["duration", "survival", "low", "high", "interval"]].rename(columns={"duration": "period"})
    return kept.astype({"period": "int64"}).assign(curve="observed")
