"""What a customer is worth by a formula: constant margin, constant retention, and one point more."""

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
