"""What a subscriber is worth at today's fee and churn, with a point more, and over what winning one costs."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from retention_kit import economics, intervals
from retention_kit.sentences import phrase


def clv_of_subscribers(
    churn: pd.DataFrame, movements: pd.DataFrame, *, margin: float | None = None, discount_rate: float = 0.1
) -> pd.DataFrame:
    """What is a subscriber worth at today's fee and today's churn, and what is one more point of retention?

    By `economics.clv_formula`: fee, churn and discount stay as they are for ever, and new subscribers leave
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
        The rows of `economics.retention_uplift`, a row a rise, with `gain_low`, `gain_high` (95 %, of the
        churn alone) and `interval`.

    Examples
    --------
    >>> lost = {"customers": [1000], "churned": [50], "churn_rate": [0.05], "low": [0.04], "high": [0.06]}
    >>> fees = pd.DataFrame({"end": [2000.0], "customers_end": [100]})
    >>> worth = clv_of_subscribers(pd.DataFrame(lost), fees, discount_rate=0.1)
    >>> subscriber_uplift(worth, points=[0.01, 0.06])["gain"].round(1).tolist()
    [72.5]
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
    return economics.retention_uplift(**given, points=points, first_margin="start")


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
        The row of `economics.acquisition_return`, its `ltv_to_cac` with `low`, `high` (95 %, of the churn
        alone), `interval`, and `customers`, `churned` that the churn was counted from.

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
        economics.acquisition_return(**given, retention_rate=row[name], acquisition_cost=acquisition_cost)
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
            row[names[when]] = economics.clv_formula(retention_rate=kept, first_margin=when, **given)
        row[names["gain"]] = (
            economics.retention_uplift(retention_rate=kept, first_margin="start", **given)["gain"].item()
            if kept <= 0.99
            else float("nan")
        )
    return row
