"""What many customers together will buy and bring: sums, with bounds for what will happen.

The bounds hold the uncertainty of the parameters and the chance in what customers do, so the next report can
ask whether what happened lay inside.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from retention_kit import fits, gamma_gamma, predictions, summaries, tables
from retention_kit.exceptions import DataError
from retention_kit.fits import Fit
from retention_kit.moments import Date
from retention_kit.predictions import Span
from retention_kit.sentences import phrase
from retention_kit.tables import Columns


def customer_values(
    fit: Fit,
    spend: Fit,
    summary: pd.DataFrame,
    *,
    until: Span | None,
    margin: float = 1.0,
    discount_rate: float = 0.0,
) -> pd.DataFrame:
    """What is expected to come from each customer from now until then, in today's money?

    What they have brought so far is not in it. It is expected purchases times expected spend: both models
    take for granted that rhythm and spend have nothing to do with each other.

    Parameters
    ----------
    fit : Fit
        Of purchases.
    spend : Fit
        From `btyd.fit_gamma_gamma`.
    summary : DataFrame
        With `frequency`, `recency`, `T` and `monetary_value`, in the fit's unit.
    until : number, str or None
        How long from now: in the fit's units, or such as "12 months"; None for ever, which needs a discount.
    margin : float
        The share of revenue that is left, above 0 and up to 1; 1 speaks of revenue.
    discount_rate : float
        What money loses in a year: 0.1 for 10 %.

    Returns
    -------
    DataFrame
        The summary's columns and `p_alive` (now; missing for one-time buyers under BG/NBD),
        `expected_purchases` (undiscounted; not where the time has no end), `expected_spend`,
        `expected_value` (currency units, today's money), `low`, `high` (95 %, of what is expected, not of
        what one customer will do), `interval`.

    Raises
    ------
    DataError
        As `predictions.discounted_purchases` and `predictions.expected_spend`; for a margin out of range.

    Examples
    --------
    >>> from retention_kit import btyd, simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> weeks = simulations.with_spend(weeks, {"p": 6.0, "q": 4.0, "gamma": 15.0})
    >>> rhythm, spend = btyd.fit_mbg_nbd(weeks), btyd.fit_gamma_gamma(weeks)
    >>> one = customer_values(rhythm, spend, weeks, until="12 months", margin=0.3, discount_rate=0.1)
    >>> bool((one["low"] <= one["expected_value"]).all())
    True
    """
    _check_margin(margin)
    told = {"p_alive": predictions.p_alive(fit, summary)["p_alive"]}
    if until is not None:
        bought, name = predictions.expected_purchases(fit, summary, until), "expected_purchases"
        told[name] = bought[name]
    if until is None or discount_rate > 0:
        bought = predictions.discounted_purchases(fit, summary, discount_rate=discount_rate, until=until)
        name = "discounted_purchases"
    each = predictions.expected_spend(spend, summary)
    value = margin * bought[name] * each["expected_spend"]
    # Two models fitted apart: their errors are independent, and on the logarithms they add as squares.
    below = _both(bought[name] / bought["low"], each["expected_spend"] / each["low"])
    above = _both(bought["high"] / bought[name], each["high"] / each["expected_spend"])
    told |= {"expected_spend": each["expected_spend"], "expected_value": value}
    frame = summary.reset_index(drop=True)
    return frame.assign(**told, low=value / below, high=value * above, interval=fit.interval)


def new_customer_value(
    fit: Fit,
    spend: Fit,
    *,
    as_of: Date | None = None,
    until: Span | None = "12 months",
    margin: float = 1.0,
    discount_rate: float = 0.0,
) -> pd.DataFrame:
    """What will somebody bring after the very first order, which has just come?

    The first order is not in it: hold what a new customer may cost against the two together.

    Parameters
    ----------
    fit, spend, until, margin, discount_rate
        As in `customer_values`.
    as_of : date or str, optional
        Which customers' models these are, for `attrs`.

    Returns
    -------
    DataFrame
        One row: `customers` (whose models these are), `expected_purchases`, `expected_spend`,
        `expected_value` (currency units, today's money), `low`, `high` (95 %, of what is expected),
        `interval`.

    Raises
    ------
    DataError
        As `customer_values`.

    Examples
    --------
    >>> from retention_kit import btyd, simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> weeks = simulations.with_spend(weeks, {"p": 6.0, "q": 4.0, "gamma": 15.0})
    >>> rhythm, means = btyd.fit_mbg_nbd(weeks), btyd.fit_gamma_gamma(weeks)
    >>> bool((new_customer_value(rhythm, means)["expected_value"] > 0).item())
    True
    """
    nobody = predictions.new_customer(fit.unit).assign(monetary_value=0.0)
    each = customer_values(fit, spend, nobody, until=until, margin=margin, discount_rate=discount_rate)
    names = ["expected_purchases", "expected_spend", "expected_value", "low", "high", "interval"]
    frame = each[[name for name in names if name in each]].assign(customers=round(fit.customers))
    what = ("revenue_" if margin == 1 else "") + ("ever" if until is None else "horizon")
    told = {} if until is None else {"horizon": predictions.span(until, "day")}
    told |= {"margin": margin, "discount_rate": discount_rate, "model": fit.model}
    frame.attrs = {"definition": phrase(f"definition.new_customer_value.{what}", **told), "as_of": as_of}
    return frame


def expected_totals(fit: Fit, summary: pd.DataFrame, *, until: Span, by: Columns = None) -> pd.DataFrame:
    """How many purchases will all customers together make from now until then, or those of each segment?

    Parameters
    ----------
    fit : Fit
        Of purchases.
    summary : DataFrame
        Of the customers to add up, in the fit's unit.
    until : number or str
        How long from now: in the fit's units, or such as "3 months".
    by : str or list of str, optional
        Columns of the summary to add up by.

    Returns
    -------
    DataFrame
        One row (a segment): the `by` columns, `customers`, `expected_purchases`, `low`, `high` (95 %, of
        what will happen), `interval`.

    Raises
    ------
    DataError
        As `predictions.expected_purchases`; when a column of `by` is missing.

    Examples
    --------
    >>> from retention_kit import btyd, simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> weeks = simulations.with_spend(weeks, {"p": 6.0, "q": 4.0, "gamma": 15.0})
    >>> total = expected_totals(btyd.fit_mbg_nbd(weeks), weeks, until=13)
    >>> total["customers"].item(), bool((total["low"] < total["high"]).item())
    (500, True)
    """
    sums = _Sums(fit, summary, until, by, np.ones(len(summary)))
    noise = _once(sums.alive, sums.mean, sums.squares)[sums.cells.of_row]
    return sums.frame("expected_purchases", sums.variance() + sums.added(noise))


def expected_revenue(
    fit: Fit,
    spend: Fit,
    summary: pd.DataFrame,
    *,
    until: Span,
    margin: float = 1.0,
    by: Columns = None,
) -> pd.DataFrame:
    """How much will all customers together bring from now until then, or those of each segment?

    Parameters
    ----------
    fit, summary, until, by
        As in `expected_totals`; the summary with `monetary_value`.
    spend : Fit
        From `btyd.fit_gamma_gamma`.
    margin : float
        As in `customer_values`.

    Returns
    -------
    DataFrame
        One row (a segment): the `by` columns, `customers`, `expected_revenue` (times margin, currency units),
        `low`, `high` (95 %, of what will happen; NaN where spend scatters endlessly, for q up to 2),
        `interval`.

    Raises
    ------
    DataError
        As `expected_totals` and `customer_values`.

    Examples
    --------
    >>> from retention_kit import btyd, simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> weeks = simulations.with_spend(weeks, {"p": 6.0, "q": 4.0, "gamma": 15.0})
    >>> rhythm, spend = btyd.fit_mbg_nbd(weeks), btyd.fit_gamma_gamma(weeks)
    >>> list(expected_revenue(rhythm, spend, weeks, until="3 months"))
    ['customers', 'expected_revenue', 'low', 'high', 'interval']
    """
    _check_margin(margin)
    x, z = predictions.spend_read(spend, summary)
    mean = margin * gamma_gamma.expected(spend.theta, x, z)
    one, between = (margin**2 * each for each in gamma_gamma.variances(spend.theta, x, z))
    sums = _Sums(fit, summary, until, by, mean)
    row = sums.cells.of_row
    alive, bought, squares = sums.alive[row], sums.mean[row], sums.squares[row]
    with np.errstate(invalid="ignore"):
        noise = alive * (bought * one + squares * (between + mean**2)) - (alive * bought * mean) ** 2
    expected = sums.weight * (sums.alive * sums.mean)[row]

    def spent(theta: np.ndarray) -> np.ndarray:
        return sums.by_segment(expected * margin * gamma_gamma.expected(theta, x, z))

    uncertain = sums.variance() + (fits.variance(spend, spent) if spend.covariance is not None else np.nan)
    return sums.frame("expected_revenue", uncertain + sums.added(noise))


def alive_by_pattern(fit: Fit, summary: pd.DataFrame, *, most: int = 12, steps: int = 13) -> pd.DataFrame:
    """How likely is somebody still a customer who bought so often, and so long ago?

    For customers observed as long as the longest of the summary: who has bought often and then falls silent
    is gone sooner than who buys rarely.

    Parameters
    ----------
    fit : Fit
        Of purchases.
    summary : DataFrame
        Whose longest time of observation counts.
    most : int
        Repeat purchases up to which to look.
    steps : int
        How many lengths of silence, evenly spaced from none to all the time.

    Returns
    -------
    DataFrame
        One row a frequency from 1 and silence: `frequency`, `silence` (since the last purchase, in the fit's
        unit), and what `predictions.p_alive` adds.

    Examples
    --------
    >>> from retention_kit import btyd, simulations
    >>> truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
    >>> weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
    >>> grid = alive_by_pattern(btyd.fit_mbg_nbd(weeks), weeks, most=2, steps=3)
    >>> grid[["frequency", "silence"]].values.tolist()
    [[1.0, 0.0], [1.0, 26.0], [2.0, 0.0], [2.0, 26.0]]
    """
    longest = float(summary["T"].max())
    silence = np.linspace(0, longest, steps)[:-1]
    frequency, silence = (
        each.ravel() for each in np.meshgrid(np.arange(1, most + 1), silence, indexing="ij")
    )
    grid = pd.DataFrame({"frequency": frequency, "recency": longest - silence, "T": longest})
    frame = predictions.p_alive(fit, grid)
    frame.insert(1, "silence", silence)
    frame.attrs = {
        "definition": phrase("definition.alive_by_pattern", model=fit.model, unit=fit.unit),
        "as_of": summary.attrs.get("as_of"),
    }
    return frame


class _Sums:
    """Customers of each segment, and what adds up over them: purchases times a value of each row."""

    def __init__(self, fit: Fit, summary: pd.DataFrame, until: Span, by: Columns, value: np.ndarray) -> None:
        self.fit, self.value = fit, value
        self.model, self.cells = predictions.read(fit, summary)
        self.time = predictions.finite(until, fit.unit)
        self.weight = summaries.weights(summary)
        self.groups, self._segment = _segments(summary, by)
        self.alive = self._of_cells(lambda part, theta: self.model.p_alive(theta, part.x, part.t_x, part.T))
        self.mean = self._of_cells(lambda part, theta: part.of_pairs(self.model.purchases, theta, self.time))
        self.squares = self.mean + self._of_cells(
            lambda part, theta: part.of_pairs(self.model.pairs, theta, self.time)
        )

    def by_segment(self, values: np.ndarray) -> np.ndarray:
        """The sum of a value a row over each segment."""
        return np.bincount(self._segment, values, len(self.groups))

    def added(self, values: np.ndarray) -> np.ndarray:
        """The same, a row counting for all its customers."""
        return self.by_segment(self.weight * values)

    def variance(self) -> np.ndarray:
        """Of each segment's expected sum, for the uncertainty of the purchase model's parameters."""
        if self.fit.covariance is None:
            return np.full(len(self.groups), np.nan)
        return fits.variance(self.fit, self._expected)

    def frame(self, name: str, variance: np.ndarray) -> pd.DataFrame:
        """The segments with their sums and bounds."""
        mean = self._expected(self.fit.theta)
        frame = self.groups.copy()
        frame["customers"] = np.round(self.by_segment(self.weight)).astype("int64")
        frame[name] = mean
        frame["low"], frame["high"] = fits.outcome_bounds(mean, variance)
        frame["interval"] = fits.OUTCOME
        return frame

    def _expected(self, theta: np.ndarray) -> np.ndarray:
        def each(part: "predictions.Part", theta: np.ndarray) -> np.ndarray:
            alive = self.model.p_alive(theta, part.x, part.t_x, part.T)
            return alive * part.of_pairs(self.model.purchases, theta, self.time)

        return self.added(self.value * self._of_cells(each, theta)[self.cells.of_row])

    def _of_cells(self, function: Callable, theta: np.ndarray | None = None) -> np.ndarray:
        theta = self.fit.theta if theta is None else theta
        return np.concatenate([function(part, theta) for part in predictions.parts(self.cells)])


def _once(alive: np.ndarray, mean: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """The variance of a customer's purchases, who may be gone already."""
    return alive * squares - (alive * mean) ** 2


def _segments(summary: pd.DataFrame, by: Columns) -> tuple[pd.DataFrame, np.ndarray]:
    columns = tables.by_columns(by, taken=("customers", "expected_purchases", "expected_revenue"))
    missing = [column for column in columns if column not in summary]
    if missing:
        raise DataError(
            f"The summary is missing {missing}. It has {[str(column) for column in summary.columns]}."
        )
    if not columns:
        return pd.DataFrame(index=pd.RangeIndex(1)), np.zeros(len(summary), dtype="int64")
    grouped = summary.groupby(list(columns), dropna=False, sort=True, observed=True)
    groups = grouped.size().reset_index()[list(columns)]
    return groups, grouped.ngroup().to_numpy()


def _both(one: pd.Series, other: pd.Series) -> np.ndarray:
    return np.exp(np.sqrt(np.log(one.to_numpy()) ** 2 + np.log(other.to_numpy()) ** 2))


def _check_margin(margin: float) -> None:
    if not 0 < margin <= 1:
        raise DataError(
            f"margin is a share of revenue above 0 and up to 1, and it was {margin}. Type 0.3 for 30 %."
        )
