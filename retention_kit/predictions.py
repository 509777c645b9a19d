"""What a fitted purchase model foretells of each customer, with bounds.

The bounds are of what is expected, for the uncertainty of the parameters alone: what one customer then does
scatters far more, and `purchase_probabilities` says how. For sums over many see `portfolios`.
"""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from retention_kit import btyd, fits, gamma_gamma, summaries
from retention_kit.btyd import Model
from retention_kit.exceptions import DataError
from retention_kit.fits import Fit
from retention_kit.summaries import Cells

#: Cells predicted at a time, so that a million customers need little memory.
_CHUNK = 50_000
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(day|week|month|year)s?\s*")

#: A time to come: a number of the fit's own units, or words such as "12 months".
Span = float | int | str


def new_customer(unit: str) -> pd.DataFrame:
    """The summary of somebody who buys for the first time right now, to predict what a new customer will do.

    Examples
    --------
    >>> new_customer("week").to_dict("records")
    [{'frequency': 0, 'recency': 0.0, 'T': 0.0}]
    """
    summary = pd.DataFrame({"frequency": [0], "recency": [0.0], "T": [0.0]})
    summary.attrs["unit"] = summaries.unit_of(summary, unit)
    return summary


def span(until: Span, unit: str) -> float:
    """A time to come in units: `span("12 months", "week")`.

    Examples
    --------
    >>> span(39, "week"), round(span("12 months", "week"), 2), span("inf", "week")
    (39.0, 52.18, inf)
    """
    match = _SPAN.fullmatch(until) if isinstance(until, str) else None
    try:
        length = float(match[1] if match else until)
    except (TypeError, ValueError):
        length = float("nan")
    if match:
        length *= summaries.UNITS[match[2]] / summaries.UNITS[unit]
    if not length > 0:
        raise DataError(f"{until!r} is no time to come. Type a number of {unit}s, or such as '12 months'.")
    return length


def p_alive(fit: Fit, summary: pd.DataFrame, *, after: Span | None = None) -> pd.DataFrame:
    """How likely is each customer still one, now or after a time to come?

    Under BG/NBD nobody can leave before the second purchase, so of one-time buyers the data say nothing:
    they have no value here, and `identifiable` is False. `fit_mbg_nbd` and `fit_pareto_nbd` speak of them.

    Parameters
    ----------
    fit : Fit
        Of a purchase model.
    summary : DataFrame
        Of the customers to speak of, in the fit's unit; they need not be those it was fitted on.
    after : number or str, optional
        How long from now: in the fit's units, or such as "3 months". None is now.

    Returns
    -------
    DataFrame
        The summary's columns and `p_alive` (0 to 1), `low`, `high`, `interval`, `identifiable`.

    Raises
    ------
    DataError
        When the summary is not one, or is in another unit.

    Examples
    --------
    >>> from retention_kit import simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> found = p_alive(btyd.fit_pareto_nbd(weeks), weeks)
    >>> bool(found["p_alive"].between(0, 1).all())
    True
    """
    model, cells = read(fit, summary)
    later = None if after is None else span(after, fit.unit)
    known = model.identifiable(cells.frequency.each)

    def predict(theta: np.ndarray, part: "Part") -> np.ndarray:
        alive = model.p_alive(theta, part.x, part.t_x, part.T)
        return alive if later is None else alive * part.of_pairs(model.stays, theta, later)

    found = _predicted(fit, cells, predict, scale="logit")
    found[~known] = np.nan
    frame = _framed(fit, summary, cells, "p_alive", found)
    frame["identifiable"] = known[cells.of_row]
    return frame


def expected_purchases(fit: Fit, summary: pd.DataFrame, until: Span) -> pd.DataFrame:
    """How many purchases are expected of each customer from now until then?

    Parameters
    ----------
    fit, summary
        As in `p_alive`.
    until : number or str
        How long from now: in the fit's units, or such as "12 months".

    Returns
    -------
    DataFrame
        The summary's columns and `expected_purchases`, `low`, `high`, `interval`.

    Raises
    ------
    DataError
        When the summary is not one, is in another unit, or the time is none.

    Examples
    --------
    >>> from retention_kit import simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> fit = btyd.fit_mbg_nbd(weeks)
    >>> frame = expected_purchases(fit, new_customer("week"), "12 months")
    >>> list(frame)
    ['frequency', 'recency', 'T', 'expected_purchases', 'low', 'high', 'interval']
    """
    model, cells = read(fit, summary)
    time = finite(until, fit.unit)

    def predict(theta: np.ndarray, part: "Part") -> np.ndarray:
        alive = model.p_alive(theta, part.x, part.t_x, part.T)
        return alive * part.of_pairs(model.purchases, theta, time)

    return _framed(fit, summary, cells, "expected_purchases", _predicted(fit, cells, predict, scale="log"))


def discounted_purchases(
    fit: Fit, summary: pd.DataFrame, *, discount_rate: float, until: Span | None = None
) -> pd.DataFrame:
    """The same with later purchases worth less, until a time or for ever (DERT).

    A purchase after t years counts (1 + discount_rate) to the power of -t, whenever in the year it comes.

    Parameters
    ----------
    fit, summary
        As in `p_alive`.
    discount_rate : float
        What money loses in a year: 0.1 for 10 %.
    until : number or str, optional
        As in `expected_purchases`; None is for ever, which needs a discount.

    Returns
    -------
    DataFrame
        The summary's columns and `discounted_purchases`, `low`, `high`, `interval`.

    Raises
    ------
    DataError
        As `expected_purchases`; for a discount below 0, or none where the time has no end.

    References
    ----------
    Fader, Hardie and Lee (2005), RFM and CLV: using iso-value curves for customer base analysis.

    Examples
    --------
    >>> from retention_kit import simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> fit = btyd.fit_mbg_nbd(weeks)
    >>> soon = discounted_purchases(fit, weeks, discount_rate=0.1, until=52)["discounted_purchases"]
    >>> ever = discounted_purchases(fit, weeks, discount_rate=0.1)["discounted_purchases"]
    >>> bool((soon < ever).all())
    True
    """
    model, cells = read(fit, summary)
    force = force_of(discount_rate, fit.unit)
    time = np.inf if until is None else span(until, fit.unit)
    if np.isinf(time) and force == 0:
        raise DataError("Without a discount and an end the sum is endless. Give until= or discount_rate=.")

    def predict(theta: np.ndarray, part: "Part") -> np.ndarray:
        alive = model.p_alive(theta, part.x, part.t_x, part.T)
        return alive * part.of_pairs(model.discounted, theta, time, force)

    return _framed(fit, summary, cells, "discounted_purchases", _predicted(fit, cells, predict, scale="log"))


def purchase_probabilities(fit: Fit, summary: pd.DataFrame, until: Span, *, most: int = 10) -> pd.DataFrame:
    """How likely are 0, 1, 2, ... purchases of each customer from now until then?

    This is how a single customer scatters around what is expected of them.

    Parameters
    ----------
    fit, summary, until
        As in `expected_purchases`.
    most : int
        The largest number asked for; what is missing to 1 is the chance of more.

    Returns
    -------
    DataFrame
        A row a customer and number: the summary's columns, `purchases`, `probability`, `low`, `high`,
        `interval`.

    Raises
    ------
    DataError
        As `expected_purchases`.

    Examples
    --------
    >>> from retention_kit import simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> fit = btyd.fit_mbg_nbd(weeks)
    >>> purchase_probabilities(fit, new_customer("week"), 12, most=2)["purchases"].tolist()
    [0, 1, 2]
    """
    model, cells = read(fit, summary)
    time = finite(until, fit.unit)

    def predict(theta: np.ndarray, part: "Part") -> np.ndarray:
        alive = model.p_alive(theta, part.x, part.t_x, part.T)[:, None]
        found = alive * part.of_pairs(model.p_purchases, theta, time, most)
        found[:, 0] += 1 - alive[:, 0]
        return found

    found = _predicted(fit, cells, predict, scale="logit")[cells.of_row]
    rows = summary.iloc[np.repeat(np.arange(len(summary)), most + 1)].reset_index(drop=True)
    rows["purchases"] = np.tile(np.arange(most + 1), len(summary))
    rows["probability"], rows["low"], rows["high"] = found.reshape(-1, 3).T
    rows["interval"] = fit.interval
    return rows


def expected_spend(spend: Fit, summary: pd.DataFrame) -> pd.DataFrame:
    """What is a purchase of each customer worth, on average over those to come?

    The mean of a customer's few purchases is drawn towards everybody's, the more the fewer they are.

    Parameters
    ----------
    spend : Fit
        From `btyd.fit_gamma_gamma`.
    summary : DataFrame
        With `frequency` and `monetary_value`. Who never came back, or spent nothing then, is given
        everybody's mean.

    Returns
    -------
    DataFrame
        The summary's columns and `expected_spend` (currency units), `low`, `high`, `interval`.

    Raises
    ------
    DataError
        When the fit is of something else or has no mean (q up to 1), or the summary is not one.

    Examples
    --------
    >>> spend = pd.DataFrame({"frequency": [2, 1, 4, 0, 3, 2], "monetary_value": [22., 12, 41, 0, 30, 18]})
    >>> means = expected_spend(btyd.fit_gamma_gamma(spend), spend)["expected_spend"]
    >>> bool(means.between(12, 41).all())
    True
    """
    x, z = spend_read(spend, summary)
    value, low, high = fits.banded(spend, lambda theta: gamma_gamma.expected(theta, x, z), scale="log")
    frame = summary.reset_index(drop=True)
    return frame.assign(expected_spend=value, low=low, high=high, interval=spend.interval)


# -- shared with portfolios ----------------------------------------------------


def force_of(discount_rate: float, unit: str) -> float:
    """The discount as a continuous rate in the fit's unit, from one a year."""
    if not 0 <= discount_rate < 10:
        raise DataError(
            f"discount_rate is what money loses in a year, from 0 on, and it was {discount_rate}. Type 0.1."
        )
    return float(np.log1p(discount_rate) * summaries.UNITS[unit] / summaries.UNITS["year"])


def spend_read(spend: Fit, summary: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Each customer's repeat purchases and their mean; none where they say nothing of spend."""
    if spend.model != gamma_gamma.NAME:
        raise DataError(f"This is a fit of {spend.model}, not of spend. Fit btyd.fit_gamma_gamma.")
    if spend.params["q"] <= 1:
        raise DataError(f"The spend model has {spend.status}")
    numbers = summaries.checked(summary, ("frequency", "monetary_value"))
    said = (numbers["frequency"] > 0) & (numbers["monetary_value"] > 0)
    return np.where(said, numbers["frequency"], 0.0), np.where(said, numbers["monetary_value"], 0.0)


class Part:
    """Some cells, and the pairs of x and T among them: what comes after T depends on no more."""

    def __init__(self, cells: Cells, rows: slice) -> None:
        self.x, self.t_x, self.T = (
            c.distinct[c.index[rows]] for c in (cells.frequency, cells.recency, cells.T)
        )
        self.rows = rows
        key = cells.frequency.index[rows] * len(cells.T.distinct) + cells.T.index[rows]
        self._pair, distinct = pd.factorize(key)
        self._x = cells.frequency.distinct[distinct // len(cells.T.distinct)]
        self._T = cells.T.distinct[distinct % len(cells.T.distinct)]

    def of_pairs(self, function: Callable, theta: np.ndarray, *arguments: float) -> np.ndarray:
        """A function of x and T for each cell, computed once for each pair."""
        return function(theta, self._x, self._T, *arguments)[self._pair]


def parts(cells: Cells) -> Iterator[Part]:
    """The cells, some at a time."""
    for start in range(0, len(cells.weight), _CHUNK):
        yield Part(cells, slice(start, start + _CHUNK))


def read(fit: Fit, summary: pd.DataFrame) -> tuple[Model, Cells]:
    """The fit's model and the summary's cells, refused where one does not suit the other."""
    model = btyd.model_of(fit)
    told = summary.attrs.get("unit", fit.unit) if isinstance(summary, pd.DataFrame) else fit.unit
    if told != fit.unit:
        raise DataError(
            f"The fit is in units of a {fit.unit}, and the summary in units of a {told}. Make both alike."
        )
    if not fit.converged:
        raise DataError(f"Nothing can be foretold from this {fit.model}. {fit.status.capitalize()}")
    return model, summaries.cells(summary)


def finite(until: Span, unit: str) -> float:
    """The same as `span`, refused where it has no end."""
    time = span(until, unit)
    if np.isinf(time):
        raise DataError("An endless time has endless purchases. Type such as until='12 months'.")
    return time


def _predicted(fit: Fit, cells: Cells, predict: Callable, *, scale: str) -> np.ndarray:
    """Value, low and high of each cell along the last axis."""
    found = []
    for part in parts(cells):
        at = lambda theta, part=part: predict(theta, part)  # noqa: E731
        found.append(np.stack(fits.banded(fit, at, scale=scale), axis=-1))
    return np.concatenate(found)


def _framed(fit: Fit, summary: pd.DataFrame, cells: Cells, name: str, found: np.ndarray) -> pd.DataFrame:
    frame = summary.reset_index(drop=True)
    frame[name], frame["low"], frame["high"] = found[cells.of_row].T
    frame["interval"] = fit.interval
    return frame
