"""Week by week: repeat purchases as they came, beside those that a model of before foretold."""

from typing import Any

import numpy as np
import pandas as pd

from retention_kit import btyd, fits, periods, summaries, tables
from retention_kit.fits import Fit
from retention_kit.moments import Date, given
from retention_kit.sentences import phrase


def tracking(orders: Any, fit: Fit, *, calibration_end: Date, as_of: Date | None = None) -> pd.DataFrame:
    """Week by week, have repeat purchases come as the model of before the split says they would?

    Parameters
    ----------
    orders, calibration_end, as_of
        As in `holdouts.calibration_holdout`.
    fit : Fit
        Of a model in continuous time, fitted on what lay before `calibration_end`.

    Returns
    -------
    DataFrame
        One row a week, counted back from the split and on from it: `week` (its first day), `held_out`,
        `actual` (repeat purchases so far of customers who had come before the split), `expected`, `low`,
        `high` (95 %, of what will happen by then), `interval`.

    Examples
    --------
    >>> from retention_kit import btyd, datasets, holdouts
    >>> orders = datasets.demo_orders()
    >>> split = holdouts.calibration_holdout(orders, calibration_end="2024-01-01", as_of="2024-07-01")
    >>> weeks = tracking(orders, btyd.fit_bg_nbd(split), calibration_end="2024-01-01", as_of="2024-07-01")
    >>> int(weeks["held_out"].sum())
    26
    """
    loaded = tables.orders(orders, as_of=as_of)
    split = periods.index_of(given("calibration_end", calibration_end), "day")
    end = periods.first_incomplete(loaded, "day")
    active = periods.activity(loaded, "day")
    births = active.group_by("customer_id").aggregate(born=active.period_index.min())
    births = births.filter(births.born < split)
    days = active.join(births, "customer_id").filter(lambda t: t.period_index < end)
    bought = _by_week(days.filter(days.period_index > days.born).period_index, split)
    born = _by_week(births.born, split)
    weeks = range(min(born), (end - split) // 7)
    actual = np.cumsum([bought.get(week, 0) for week in weeks])
    new = np.array([born.get(week, 0) for week in weeks], dtype="float64")
    # Who came in the course of a week has had half of it on average.
    ages = (np.arange(len(weeks)) + 0.5) * 7 / summaries.UNITS[fit.unit]
    expected, low, high = _so_far(fit, ages, new)
    starts = [periods.start_of(split + 7 * week, "day") for week in weeks]
    frame = pd.DataFrame({"week": pd.Series(starts, dtype="datetime64[us]")})
    frame["held_out"] = [week >= 0 for week in weeks]
    frame = frame.assign(actual=actual, expected=expected, low=low, high=high, interval=fits.OUTCOME)
    told = {"split": given("calibration_end", calibration_end), "model": fit.model}
    frame.attrs = loaded.told(phrase("definition.tracking", **told))
    return frame


# ---------------------------------------------------------------------------------------------------


def _by_week(day: Any, split: int) -> dict[int, int]:
    """How many fall in each week, counted from the split."""
    week = ((day - split) / 7).floor().cast("int64").name("week")
    counted = day.as_table().select(week=week).group_by("week").aggregate(n=lambda t: t.count()).to_pandas()
    return dict(zip(counted["week"].tolist(), counted["n"].tolist(), strict=True))


def _so_far(fit: Fit, ages: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Purchases so far, week by week, of customers who came in those weeks, with bounds."""
    model, nobody = btyd.model_of(fit), np.zeros(len(ages))

    def added(of_one: np.ndarray) -> np.ndarray:
        return np.convolve(new, of_one)[: len(ages)]

    def mean(theta: np.ndarray) -> np.ndarray:
        return model.p_alive(theta, nobody, nobody, nobody) * model.purchases(theta, nobody, nobody, ages)

    alive, once = model.p_alive(fit.theta, nobody, nobody, nobody), mean(fit.theta)
    squares = once + alive * model.pairs(fit.theta, nobody, nobody, ages)
    variance = fits.variance(fit, lambda theta: added(mean(theta))) + added(squares - once**2)
    expected = added(once)
    low, high = fits.outcome_bounds(expected, variance)
    return expected, low, high
