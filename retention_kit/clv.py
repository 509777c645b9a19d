"""Customer lifetime value: what a customer has brought so far, and what a constant retention would bring."""

from typing import Any, Literal

import ibis.expr.types as ir
import pandas as pd

from retention_kit import intervals, periods, tables
from retention_kit.exceptions import ParamsError
from retention_kit.moments import Date
from retention_kit.periods import Period
from retention_kit.sentences import phrase
from retention_kit.tables import Columns

FirstMargin = Literal["end", "start"]


def clv_historical(
    orders: Any,
    *,
    as_of: Date | None = None,
    period: Period | None = "month",
    by: Columns = None,
    margin: float | None = None,
) -> pd.DataFrame:
    """What has a customer of each cohort brought so far, from the first order up to `as_of`?

    It looks back only, and an older cohort has had more time: compare cohorts of one age. A cohort
    whose own period was not observed to its end has no row. Without `margin` it is revenue, which is
    not yet value.

    Parameters
    ----------
    orders : Loaded, frame or Ibis table
        Orders with `customer_id`, `ordered_at` and `amount`.
    as_of : date or str
        The first moment not observed.
    period : {"day", "week", "month", "quarter", "year"} or None
        The length of a cohort; None takes all customers together, old and new.
    by : str or list of str, optional
        One row a value, as it stands in the customer's first order.
    margin : float, optional
        The share of revenue that is left after the cost of what was sold: 0.3 for 30 %.

    Returns
    -------
    DataFrame
        One row a cohort (and value of `by`): `cohort` (the period of the first order), `customers`,
        `revenue` (of all their orders, currency units), `clv_historical` (revenue, times margin where
        given, / customers), `low`, `high` (95 %, NaN for a single customer), `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is not known.
    ParamsError
        When the margin is not a share above 0.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "ann"],
    ...     "ordered_at": pd.to_datetime(["2024-01-03", "2024-01-20", "2024-02-01"]),
    ...     "amount": [40.0, 10.0, 20.0],
    ... })
    >>> january = clv_historical(orders, as_of="2024-03-01", margin=0.5)
    >>> print(january[["cohort", "customers", "revenue", "clv_historical"]].to_string(index=False))
        cohort  customers  revenue  clv_historical
    2024-01-01          2     70.0            17.5
    """
    if margin is not None and not 0 < margin <= 1:
        raise ParamsError(
            f"margin is a share of revenue above 0 and up to 1, and it was {margin}. Type 0.3 for 30 %."
        )
    groups = tables.by_columns(
        by, taken=("customer_id", "cohort", "customers", "amount", "times", "revenue", "clv_historical")
    )
    loaded = tables.orders(orders, as_of=as_of, columns=("amount", *groups))
    per_cohort = _by_cohort(periods.activity(loaded, period or "year", groups), groups, pooled=period is None)
    if period is not None:
        per_cohort = per_cohort.filter(per_cohort.cohort_index < periods.first_incomplete(loaded, period))
    keys = [*([] if period is None else ["cohort_index"]), *groups]
    found = per_cohort.to_pandas()
    found = found.sort_values(keys, ignore_index=True) if keys else found
    frame = _valued(found, groups, period, 1.0 if margin is None else float(margin))
    what = ("revenue" if margin is None else "margin") + ("_cohort" if period else "")
    told = {"as_of": loaded.as_of, "by": tables.by_words("first_order", groups)}
    told |= {"margin": margin} if margin is not None else {}
    told |= {"unit": periods.unit(period)} if period else {}
    frame.attrs = loaded.told(phrase(f"definition.clv_historical.{what}", **told))
    return frame


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


# ---------------------------------------------------------------------------------------------------


def _by_cohort(active: ir.Table, by: tuple[str, ...], *, pooled: bool) -> ir.Table:
    customers = active.group_by("customer_id", *by).aggregate(
        cohort_index=active.period_index.min(), revenue=active.amount.sum().cast("float64")
    )
    keys = [*([] if pooled else ["cohort_index"]), *by]
    return (customers.group_by(*keys) if keys else customers).aggregate(
        customers=customers.count(), total=customers.revenue.sum(), spread=customers.revenue.std(how="sample")
    )


def _valued(found: pd.DataFrame, by: tuple[str, ...], period: Period | None, margin: float) -> pd.DataFrame:
    frame = found[[*by, "customers"]].astype({"customers": "int64"})
    if period is not None:
        frame.insert(0, "cohort", periods.starts(found["cohort_index"], period))
    frame["revenue"] = found["total"].astype("float64")
    frame["clv_historical"] = frame["revenue"] * margin / frame["customers"]
    spread = found["spread"].astype("float64") * margin
    frame["low"], frame["high"] = intervals.mean(frame["clv_historical"], spread, frame["customers"])
    frame["interval"] = pd.Series(intervals.MEAN, index=frame.index, dtype="str")
    return frame
