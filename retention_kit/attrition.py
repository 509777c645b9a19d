"""Who was there when each period began, and who of them had gone by the next.

Being there is being a customer: paying for something, or having bought lately. Churn of either kind is
counted here, from runs of period starts. Just before a period's first moment is after every earlier
change, so what begins inside period p is first seen at the start of p + 1.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from retention_kit import intervals, periods
from retention_kit.lengths import Period

#: What a frame of rates is called by, next to the columns of `by`.
COLUMNS = ("period", "customers", "churned", "churn_rate", "low", "high", "interval")


def counted(alike: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """By period: how many more customers are there than in the one before, and how many of them go.

    Parameters
    ----------
    alike : DataFrame
        Runs of periods, those alike counted together: `first` and `last`, the periods at whose start (of
        the first that is not complete, too) it counts, `left`, whether the customer is gone after its last,
        `customers` and the columns of `by`. Of one customer, no two runs may count in one period; one
        whose last period lies before its first counts in none.
    """
    alike = alike[alike["last"] >= alike["first"]]
    ways = [
        alike.assign(period_index=alike["first"], change=alike["customers"], churned=0),
        alike.assign(period_index=alike["last"] + 1, change=-alike["customers"], churned=0),
        alike.assign(period_index=alike["last"], change=0, churned=alike["customers"] * alike["left"]),
    ]
    keys = ["period_index", *by]
    return pd.concat(ways).groupby(keys, dropna=False, as_index=False)[["change", "churned"]].sum()


def each_period(counted: pd.DataFrame, by: Sequence[str], end: int) -> pd.DataFrame:
    """Every complete period with `customers` and `churned`, from the changes of `counted`."""
    dense = periods.each_period(counted, by, end)
    dense["customers"] = periods.running_total(dense, "change", by)
    return dense


def rates(dense: pd.DataFrame, by: Sequence[str], period: Period, method: str) -> pd.DataFrame:
    """The frame that people see: `period`, `by`, `customers`, `churned`, `churn_rate` and its bounds.

    No row where there is no customer to lose.
    """
    rows = dense[dense["customers"] > 0].sort_values(["period_index", *by]).reset_index(drop=True)
    frame = rows[[*by, "customers", "churned"]].astype({"churned": "int64"})
    frame.insert(0, "period", periods.starts(rows["period_index"], period))
    frame["interval"] = pd.Series(method, index=frame.index, dtype="str")
    return with_bounds(frame)


def with_bounds(frame: pd.DataFrame) -> pd.DataFrame:
    """`churn_rate`, `low` and `high` from `churned` and `customers`, by the method that `interval` names."""
    churned, customers = frame["churned"], frame["customers"]
    exact = frame["interval"] == intervals.POISSON
    shares, events = intervals.wilson(churned, customers), intervals.poisson(churned, customers)
    low, high = (np.where(exact, event, share) for event, share in zip(events, shares, strict=True))
    named = frame.drop(columns="interval").assign(churn_rate=churned / customers, low=low, high=high)
    return named.assign(interval=frame["interval"])
