"""What a customer is worth by a formula: constant margin, constant retention, and one point more."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd

from retention_kit import intervals
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


def clv_of_subscribers(
    churn: pd.DataFrame, movements: pd.DataFrame, *, margin: float | None = None, discount_rate: float = 0.1
) -> pd.DataFrame:
    """What is a subscriber worth at today's fee and today's churn, and what is one more point of retention?

    By `clv_formula`: fee, churn and discount stay as they are for ever, and new subscribers leave
    like old ones. The bounds are those of the churn alone. Without `margin` it is revenue.

    Parameters
    ----------
    churn : DataFrame
        One row of `churn_rate` a month, `low`, `high`, `customers`, `churned`: `churn.average_churn`.
    movements : DataFrame
        From `mrr.mrr_movements`; the last row's `end` / `customers_end` is the fee.
    margin : float, optional
        The share of a fee that is left after the cost of what was sold.
    discount_rate : float
        A year; turned into a monthly rate by compounding.

    Returns
    -------
    DataFrame
        One row: `margin` (money a month), `retention_rate` (1 - churn) with `retention_low`,
        `retention_high`, `discount_rate` (a month), `clv_end` (first margin after a month) with `end_low`,
        `end_high`, `clv_start` (first margin now) with `start_low`, `start_high`, `gain_of_a_point` (of
        `clv_start`, for +0.01 of retention) with `gain_low`, `gain_high` (NaN where retention would
        pass 1), `customers` (customer-months), `churned`, `interval`. No row without churn or subscribers.

    Examples
    --------
    >>> lost = {"customers": [1000], "churned": [50], "churn_rate": [0.05], "low": [0.04], "high": [0.06]}
    >>> fees = pd.DataFrame({"end": [2000.0], "customers_end": [100]})
    >>> print(f"{clv_of_subscribers(pd.DataFrame(lost), fees, discount_rate=0)['clv_start'].item():.0f}")
    400
    """
    known = not churn.empty and not movements.empty and movements["customers_end"].iloc[-1] > 0
    rows = [_subscriber(churn, movements, margin, discount_rate)] if known else []
    frame = pd.DataFrame(rows, columns=_SUBSCRIBER)
    told = {"discount_rate": discount_rate} | ({} if margin is None else {"margin": margin})
    what = "fee" if margin is None else "margin"
    frame.attrs = {
        "definition": phrase(f"definition.clv_of_subscribers.{what}", **told),
        "as_of": churn.attrs.get("as_of"),
    }
    return frame


def subscriber_uplift(worth: pd.DataFrame, *, points: Sequence[float] = (0.01, 0.05)) -> pd.DataFrame:
    """What are one and five points more of retention worth, at this client's fee and churn?

    Parameters
    ----------
    worth : DataFrame
        From `clv_of_subscribers`.
    points : sequence of float
        How much retention rises, as shares; what would pass 1 has no row.

    Returns
    -------
    DataFrame
        The rows of `retention_uplift`, a row a rise, with `gain_low`, `gain_high` (95 %, of the churn
        alone) and `interval`.

    Examples
    --------
    >>> lost = {"customers": [1000], "churned": [50], "churn_rate": [0.05], "low": [0.04], "high": [0.06]}
    >>> fees = pd.DataFrame({"end": [2000.0], "customers_end": [100]})
    >>> worth = clv_of_subscribers(pd.DataFrame(lost), fees, discount_rate=0.1)
    >>> subscriber_uplift(worth, points=[0.01, 0.06])["gain"].round(1).tolist()
    [71.3]
    """
    row = worth.iloc[0]
    frames = []
    for rise in points:
        if row["retention_rate"] + rise > 1:
            continue
        found = _raised(row, "retention_rate", rise)
        # Where retention may be so high already that the rise would pass 1, the gain has no upper bound.
        gains = [
            _raised(row, name, rise)["gain"].item() if row[name] + rise <= 1 else float("nan")
            for name in ("retention_low", "retention_high")
        ]
        frames.append(found.assign(gain_low=gains[0], gain_high=gains[1], interval=row["interval"]))
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=_UPLIFT)
    frame.attrs = {"definition": worth.attrs["definition"], "as_of": worth.attrs["as_of"]}
    return frame


_UPLIFT = ["retention_rate", "retention_rate_raised", "clv", "clv_raised", "gain", "uplift"]
_UPLIFT += ["gain_low", "gain_high", "interval"]


def _raised(row: pd.Series, rate: str, points: float) -> pd.DataFrame:
    given = {"margin": row["margin"], "discount_rate": row["discount_rate"], "retention_rate": row[rate]}
    return retention_uplift(**given, points=points, first_margin="start")


def subscriber_return(worth: pd.DataFrame, acquisition_cost: float) -> pd.DataFrame:
    """Does a subscriber pay for being won, how many times over, and after how many months?

    Parameters
    ----------
    worth : DataFrame
        From `clv_of_subscribers`.
    acquisition_cost : float
        What it costs to win one, currency units.

    Returns
    -------
    DataFrame
        The row of `acquisition_return`, its `ltv_to_cac` with `low`, `high` (95 %, of the churn alone),
        `interval`, and `customers`, `churned` that the churn was counted from.

    Examples
    --------
    >>> lost = {"customers": [1000], "churned": [50], "churn_rate": [0.05], "low": [0.04], "high": [0.06]}
    >>> fees = pd.DataFrame({"end": [2000.0], "customers_end": [100]})
    >>> worth = clv_of_subscribers(pd.DataFrame(lost), fees, discount_rate=0)
    >>> subscriber_return(worth, 100.0)[["ltv_to_cac", "payback"]].round(1).values.tolist()
    [[4.0, 5.0]]
    """
    row = worth.iloc[0]
    given = {"margin": row["margin"], "discount_rate": row["discount_rate"]}
    frame, low, high = (
        acquisition_return(**given, retention_rate=row[name], acquisition_cost=acquisition_cost)
        for name in ("retention_rate", "retention_low", "retention_high")
    )
    told = {"interval": row["interval"], "customers": row["customers"], "churned": row["churned"]}
    frame = frame.assign(low=low["ltv_to_cac"], high=high["ltv_to_cac"], **told)
    frame.attrs["as_of"] = worth.attrs["as_of"]
    return frame


_SUBSCRIBER = [
    *("margin", "retention_rate", "retention_low", "retention_high", "discount_rate"),
    *("clv_end", "end_low", "end_high", "clv_start", "start_low", "start_high"),
    *("gain_of_a_point", "gain_low", "gain_high", "customers", "churned", "interval"),
]


def _subscriber(
    churn: pd.DataFrame, movements: pd.DataFrame, margin: float | None, discount_rate: float
) -> dict[str, Any]:
    lost, last = churn.iloc[0], movements.iloc[-1]
    fee = last["end"] / last["customers_end"] * (1.0 if margin is None else margin)
    monthly = (1 + discount_rate) ** (1 / 12) - 1
    row = {"margin": fee, "discount_rate": monthly, "interval": intervals.WILSON}
    row |= {"customers": int(lost["customers"]), "churned": int(lost["churned"])}
    for side, rate in (("low", lost["high"]), ("", lost["churn_rate"]), ("high", lost["low"])):
        kept = 1 - rate
        names = {
            "retention": f"retention_{side}" if side else "retention_rate",
            "end": f"end_{side}" if side else "clv_end",
            "start": f"start_{side}" if side else "clv_start",
            "gain": f"gain_{side}" if side else "gain_of_a_point",
        }
        given = {"margin": fee, "discount_rate": monthly}
        row[names["retention"]] = kept
        for when in ("end", "start"):
            row[names[when]] = clv_formula(retention_rate=kept, first_margin=when, **given)
        row[names["gain"]] = (
            retention_uplift(retention_rate=kept, first_margin="start", **given)["gain"].item()
            if kept <= 0.99
            else float("nan")
        )
    return row
