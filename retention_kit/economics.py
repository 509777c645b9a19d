"""What a customer is worth by a formula: constant margin, constant retention, and one point more."""

import math
from typing import Literal

import pandas as pd

from retention_kit.exceptions import ParamsError
from retention_kit.sentences import phrase

FirstMargin = Literal["end", "start"]


def clv_formula(
    *, margin: float, retention_rate: float, discount_rate: float, first_margin: FirstMargin = "end"
) -> float:
    """What is a customer worth who pays the same each period and stays with the same probability?

    A formula for a rough answer: real customers do not all stay with one probability, those who have
    stayed long stay longer, so it undervalues old customers and overvalues new ones. Margin, retention
    and discount are all per the same period.

    Parameters
    ----------
    margin : float
        Currency units a period (not a share).
    retention_rate : float
        The share who stay from one period to the next, 0 to 1.
    discount_rate : float
        What money loses in a period: 0.1 for 10 %.
    first_margin : {"end", "start"}
        When the first margin comes: at the end of the first period, if the customer stays, or now.

    Returns
    -------
    float
        margin * retention / (1 + discount - retention) for "end",
        margin * (1 + discount) / (1 + discount - retention) for "start"; currency units.

    Raises
    ------
    ParamsError
        When a rate is outside its range, or the value would be endless.

    References
    ----------
    Gupta and Lehmann (2003), Customers as assets.

    Examples
    --------
    >>> round(clv_formula(margin=1, retention_rate=0.8, discount_rate=0.1), 4)
    2.6667
    >>> round(clv_formula(margin=18.95, retention_rate=0.788, discount_rate=0.01), 3)
    67.264
    """
    if not 0 <= retention_rate <= 1:
        raise ParamsError(
            f"retention_rate is a share between 0 and 1, and it was {retention_rate}. Type 0.8 for 80 %."
        )
    if not 0 <= discount_rate <= 1:
        raise ParamsError(
            f"discount_rate is a share between 0 and 1, and it was {discount_rate}. Type 0.1 for 10 %."
        )
    if first_margin not in ("end", "start"):
        raise ParamsError(f"first_margin {first_margin!r} is not known. Choose one of ['end', 'start'].")
    fades = 1 + discount_rate - retention_rate
    if fades <= 0:
        raise ParamsError(
            "With retention_rate 1 and discount_rate 0 the value is endless. "
            "Give a retention_rate below 1, or a discount_rate above 0."
        )
    return float(margin * (retention_rate if first_margin == "end" else 1 + discount_rate) / fades)


def retention_uplift(
    *,
    margin: float,
    retention_rate: float,
    discount_rate: float,
    points: float = 0.01,
    first_margin: FirstMargin = "end",
) -> pd.DataFrame:
    """What is it worth to keep one customer more in a hundred?

    By `clv_formula`, so with its limits, and before the cost of getting there. The better retention
    already is, the more another point is worth.

    Parameters
    ----------
    margin, retention_rate, discount_rate, first_margin
        As in `clv_formula`.
    points : float
        How much retention rises, as a share: 0.01 is one point.

    Returns
    -------
    DataFrame
        One row: `retention_rate`, `retention_rate_raised`, `clv`, `clv_raised`, `gain` (currency units
        a customer), `uplift` (gain / clv, a share).

    Raises
    ------
    ParamsError
        When a rate, also the raised one, is outside its range, or nothing is kept to begin with.

    Examples
    --------
    >>> raised = retention_uplift(margin=100, retention_rate=0.6, discount_rate=0.1, points=0.05)
    >>> round(float(raised["uplift"].iloc[0]), 3)
    0.204
    """
    raised = retention_rate + points
    if not 0 <= raised <= 1:
        raise ParamsError(
            f"retention_rate {retention_rate} with points {points} comes to {raised:g}, and it is a share "
            "between 0 and 1. Type points=0.01 for one point."
        )
    given = {"margin": margin, "discount_rate": discount_rate, "first_margin": first_margin}
    before = clv_formula(retention_rate=retention_rate, **given)
    after = clv_formula(retention_rate=raised, **given)
    if before == 0:
        raise ParamsError(
            "The value is 0 to begin with, so no share can be gained. Give a margin and a retention_rate."
        )
    row = {
        "retention_rate": float(retention_rate),
        "retention_rate_raised": float(raised),
        "clv": before,
        "clv_raised": after,
        "gain": after - before,
        "uplift": after / before - 1,
    }
    frame = pd.DataFrame([row])
    told = {"margin": margin, "discount_rate": discount_rate, "points": points}
    frame.attrs = {
        "definition": phrase(f"definition.retention_uplift.{first_margin}", **told),
        "as_of": None,
    }
    return frame


def acquisition_return(
    *,
    margin: float,
    retention_rate: float,
    acquisition_cost: float,
    discount_rate: float = 0.0,
    first_margin: FirstMargin = "start",
) -> pd.DataFrame:
    """Does a customer pay for being won, how many times over, and how soon?

    Parameters
    ----------
    margin, retention_rate, discount_rate, first_margin
        As in `clv_formula`.
    acquisition_cost : float
        What it costs to win one customer (CAC), currency units.

    Returns
    -------
    DataFrame
        One row: `clv`, `acquisition_cost`, `ltv_to_cac` (clv / cost), `payback` (periods until the margins of
        a customer who stays add up to the cost: cost / margin), `payback_with_churn` (until those expected
        of a customer do, undiscounted; missing where they never do).

    Raises
    ------
    ParamsError
        When a rate is outside its range, the value would be endless, or the cost or margin is not above 0.

    Examples
    --------
    >>> found = acquisition_return(margin=500 * 0.75, retention_rate=0.975, acquisition_cost=6000)
    >>> found[["clv", "ltv_to_cac", "payback"]].round(1).values.tolist()
    [[15000.0, 2.5, 16.0]]
    """
    if not acquisition_cost > 0 or not margin > 0:
        raise ParamsError(
            f"acquisition_cost and margin are money above 0, and they were {acquisition_cost} and {margin}."
        )
    given = {"margin": margin, "retention_rate": retention_rate, "discount_rate": discount_rate}
    value = clv_formula(**given, first_margin=first_margin)
    row = {
        "clv": value,
        "acquisition_cost": float(acquisition_cost),
        "ltv_to_cac": value / acquisition_cost,
        "payback": acquisition_cost / margin,
        "payback_with_churn": _payback(margin, retention_rate, acquisition_cost),
    }
    frame = pd.DataFrame([row])
    told = phrase(f"definition.acquisition_return.{first_margin}", **given)
    frame.attrs = {"definition": told, "as_of": None}
    return frame


def _payback(margin: float, retention_rate: float, cost: float) -> float:
    """The n of margin (1 - r^n) / (1 - r) = cost."""
    left = 1 - cost * (1 - retention_rate) / margin
    if left <= 0 or retention_rate == 0:
        return float("nan")
    return cost / margin if retention_rate == 1 else math.log(left) / math.log(retention_rate)


def break_even_retention(
    *,
    margin: float,
    retention_rate: float,
    discount_rate: float,
    cost: float,
    first_margin: FirstMargin = "end",
) -> pd.DataFrame:
    """By how many points must retention rise for a programme to pay for what it costs each customer?

    Parameters
    ----------
    margin, retention_rate, discount_rate, first_margin
        As in `clv_formula`.
    cost : float
        Of the programme, once for each customer who is in it, currency units.

    Returns
    -------
    DataFrame
        One row: `retention_rate`, `break_even_rate`, `points` (their difference), `clv`, `cost`. The rate is
        missing where even keeping everybody would not pay.

    Raises
    ------
    ParamsError
        When a rate is outside its range, or margin or cost is not above 0.

    Examples
    --------
    >>> found = break_even_retention(margin=100, retention_rate=0.8, discount_rate=0.1, cost=20)
    >>> round(found["points"].item(), 4)
    0.0155
    """
    if not cost > 0 or not margin > 0:
        raise ParamsError(f"cost and margin are money above 0, and they were {cost} and {margin}.")
    given = {"margin": margin, "retention_rate": retention_rate, "discount_rate": discount_rate}
    before = clv_formula(**given, first_margin=first_margin)
    after, grown = before + cost, 1 + discount_rate
    # clv_formula solved for the rate
    rate = grown * after / (margin + after) if first_margin == "end" else grown - margin * grown / after
    rate = rate if rate <= 1 else float("nan")
    row = {"retention_rate": float(retention_rate), "break_even_rate": rate, "points": rate - retention_rate}
    frame = pd.DataFrame([row | {"clv": before, "cost": float(cost)}])
    told = {"margin": margin, "discount_rate": discount_rate}
    frame.attrs = {
        "definition": phrase(f"definition.break_even_retention.{first_margin}", **told),
        "as_of": None,
    }
    return frame
