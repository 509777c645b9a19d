"""Customer lifetime value: what customers have brought so far, and what a model expects them to bring."""

from typing import Any

import ibis.expr.types as ir
import pandas as pd

from retention_kit import (
    btyd,
    gaps,
    intervals,
    lengths,
    periods,
    portfolios,
    predictions,
    profiles,
    repeats,
    summaries,
    tables,
)
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.predictions import Span
from retention_kit.sentences import phrase
from retention_kit.tables import Columns


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
    per_cohort = _by_cohort(loaded, groups, period)
    if period is not None:
        per_cohort = per_cohort.filter(per_cohort.cohort_index < periods.first_incomplete(loaded, period))
    keys = [*([] if period is None else ["cohort_index"]), *groups]
    found = per_cohort.to_pandas()
    found = found.sort_values(keys, ignore_index=True) if keys else found
    frame = _valued(found, groups, period, 1.0 if margin is None else float(margin))
    what = ("revenue" if margin is None else "margin") + ("_cohort" if period else "")
    told = {"as_of": loaded.as_of, "by": tables.by_words("first_order", groups)}
    told |= {"margin": margin} if margin is not None else {}
    told |= {"unit": lengths.unit(period)} if period else {}
    frame.attrs = loaded.told(phrase(f"definition.clv_historical.{what}", **told))
    return frame


def summarize_customers(
    orders: Any, *, as_of: Date | None = None, unit: str = "week", by: Columns = None
) -> pd.DataFrame:
    """How often, how recently and for how long has each customer bought: what a purchase model reads.

    Orders of one day are one purchase. The first purchase starts the clock and is not in `frequency` nor in
    `monetary_value`. One day more or less in `as_of` changes every T, and with it every model.

    Parameters
    ----------
    orders : Loaded, frame or Ibis table
        Orders with `customer_id`, `ordered_at` and, for `monetary_value`, `amount`.
    as_of : date or str
        The first moment not observed; T reaches to the last whole day before it, or before the end of data.
    unit : {"day", "week", "month", "year"}
        Of `recency` and `T`; a month is a twelfth of a year.
    by : str or list of str, optional
        Columns to keep, as they stand in the customer's first order.

    Returns
    -------
    DataFrame
        One row a customer: `customer_id`, the `by` columns, `frequency` (repeat purchase days), `recency`
        (first to last), `T` (first to the end), and where there are amounts `monetary_value` (mean of the
        repeat purchase days, currency units; 0 where there are none).

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the unit is not known.

    References
    ----------
    Fader, Hardie and Lee (2005), "Counting your customers" the easy way.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "ann", "ann"],
    ...     "ordered_at": pd.to_datetime(["2024-01-01", "2024-01-08", "2024-01-15", "2024-01-15"]),
    ...     "amount": [40.0, 10.0, 20.0, 5.0],
    ... })
    >>> print(summarize_customers(orders, as_of="2024-01-30", unit="week").to_string(index=False))
    customer_id  frequency  recency   T  monetary_value
            ann          1      2.0 4.0            25.0
            bob          0      0.0 3.0             0.0
    """
    groups = tables.by_columns(by, taken=("customer_id", "frequency", "recency", "T", "monetary_value"))
    loaded, customers = repeats.customers(orders, as_of, unit, groups)
    frame = repeats.ordered(customers)
    frame[["recency", "T"]] = frame[["recency", "T"]] / summaries.UNITS[unit]
    frame = frame[["customer_id", *groups, *(name for name in _SUMMARY if name in frame)]]
    frame.attrs = loaded.told(phrase("definition.customer_summary")) | {"unit": unit}
    return frame


def customer_histogram(orders: Any, *, as_of: Date | None = None, unit: str = "week") -> pd.DataFrame:
    """How many customers are alike in frequency, recency and T: all that a fit needs, counted by the engine.

    Of a million customers or a billion in a database, this is what comes back.

    Parameters
    ----------
    orders, as_of, unit
        As in `summarize_customers`.

    Returns
    -------
    DataFrame
        One row a kind of customer: `frequency`, `recency`, `T`, `weight` (how many).

    Raises
    ------
    DataError
        As `summarize_customers`.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "cid"], "ordered_at": pd.to_datetime(["2024-01-01"] * 3)})
    >>> customer_histogram(orders, as_of="2024-01-09", unit="day").to_dict("records")
    [{'frequency': 0, 'recency': 0.0, 'T': 7.0, 'weight': 3}]
    """
    loaded, customers = repeats.customers(orders, as_of, unit, ())
    counted = customers.group_by("frequency", "recency", "T").aggregate(weight=customers.count())
    frame = counted.to_pandas().sort_values(["frequency", "recency", "T"], ignore_index=True)
    frame[["recency", "T"]] = frame[["recency", "T"]] / summaries.UNITS[unit]
    frame.attrs = loaded.told(phrase("definition.customer_summary")) | {"unit": unit}
    return frame


_SUMMARY = ("frequency", "recency", "T", "monetary_value")


def customer_value(
    orders: Any,
    *,
    as_of: Date | None = None,
    horizon: Span = "12 months",
    margin: float | None = None,
    discount_rate: float = 0.10,
    model: str = "mbg_nbd",
) -> pd.DataFrame:
    """What will each customer bring from now on, and how sure is that?

    Fits how often they buy (`btyd`) and what they spend (Gamma-Gamma) and multiplies the two. Without
    `margin` it is revenue, which is not yet value. What they have brought so far is not in it.

    Parameters
    ----------
    orders : Loaded, frame or Ibis table
        Orders with `customer_id`, `ordered_at` and `amount`.
    as_of : date or str
        The first moment not observed.
    horizon : str or number
        How far to look, such as "12 months", or a number of weeks.
    margin : float, optional
        The share of revenue that is left after the cost of what was sold: 0.3 for 30 %.
    discount_rate : float
        What money loses in a year; a purchase after t years counts (1 + discount_rate) ** -t.
    model : {"mbg_nbd", "pareto_nbd", "bg_nbd"}
        Of purchases.

    Returns
    -------
    DataFrame
        One row a customer: `customer_id`, `frequency`, `recency`, `T` (weeks), `monetary_value`, `p_alive`,
        `expected_purchases`, `expected_spend`, `expected_value` (currency units, today's money), `low`,
        `high` (95 %, of what is expected of a customer, not of what one will do), `interval`. `attrs` hold
        both fits, `purchases` and `spend`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or a model cannot be fitted, with what to show instead.
    ParamsError
        When there is no such model.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> orders = datasets.demo_orders()
    >>> worth = customer_value(orders, as_of="2024-07-01", margin=0.3)
    >>> bool((worth["expected_value"] > 0).all()), worth.attrs["purchases"].model
    (True, 'mbg_nbd')
    """
    if model not in _MODELS:
        raise ParamsError(f"model {model!r} is not known. Choose one of {list(_MODELS)}.")
    loaded = tables.orders(orders, as_of=as_of, columns=("amount",))
    summary = summarize_customers(loaded, unit="week")
    purchases, spend = getattr(btyd, f"fit_{model}")(summary), btyd.fit_gamma_gamma(summary)
    frame = portfolios.customer_values(
        purchases,
        spend,
        summary,
        until=horizon,
        margin=1.0 if margin is None else margin,
        discount_rate=discount_rate,
    )
    what = "revenue" if margin is None else "margin"
    told = {
        "horizon": predictions.span(horizon, "day"),
        "discount_rate": discount_rate,
        "margin": margin or 1.0,
    }
    frame.attrs = summary.attrs | {
        "definition": phrase(f"definition.customer_value.{what}", **told),
        "purchases": purchases,
        "spend": spend,
    }
    return frame


_MODELS = ("mbg_nbd", "pareto_nbd", "bg_nbd")


def customers_at_risk(
    orders: Any, values: pd.DataFrame, *, as_of: Date | None = None, limit: int | None = None
) -> pd.DataFrame:
    """Whose value is most in doubt?

    A list for whoever calls or writes: much is expected of them, and they may be gone. Who is surely gone
    is not on top, for nothing is expected any more. Those who may not be contacted are left out, and those
    of whom the model cannot say whether they are there.

    Parameters
    ----------
    orders : Loaded, frame or Ibis table
        Orders with `customer_id`, `ordered_at` and `amount`, perhaps `contactable`.
    values : DataFrame
        From `customer_value` of the same orders.
    as_of : date or str
        The first moment not observed.
    limit : int, optional
        Only the first so many.

    Returns
    -------
    DataFrame
        One row a customer, the largest `value_in_doubt` first: `customer_id`, `last_order`,
        `days_since_last_order`, `order_days`, `revenue` (so far), `p_gone` (1 - `p_alive`),
        `expected_value` and `value_in_doubt` (the two multiplied). `attrs["left_out"]` counts who may not
        be contacted, `attrs["unknown"]` of whom nothing can be said.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or `values` are none.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> orders = tables.load_orders(datasets.demo_orders(), as_of="2024-07-01")
    >>> risks = customers_at_risk(orders, customer_value(orders), limit=3)
    >>> bool(risks["value_in_doubt"].is_monotonic_decreasing), len(risks)
    (True, 3)
    """
    missing = [name for name in ("customer_id", "p_alive", "expected_value") if name not in values]
    if missing:
        raise DataError(f"values is missing {missing}. Give what clv.customer_value returns.")
    loaded = tables.orders(orders, as_of=as_of, columns=("amount",), optional=("contactable",))
    said = "contactable" in loaded.table.columns
    days = periods.activity(loaded, "day")
    sums = {"order_days": days.count(), "_last": days.period_index.max(), "revenue": days.amount.sum()}
    people = days.group_by("customer_id").aggregate(**sums)
    people = people.join(gaps.consents(loaded), "customer_id") if said else people.mutate(_may_contact=True)
    found = people.to_pandas().astype({"revenue": "float64", "order_days": "int64"})
    found = found.merge(values[["customer_id", "p_alive", "expected_value"]], on="customer_id")
    frame = found[found["_may_contact"] & found["p_alive"].notna()].copy()
    frame["p_gone"] = 1 - frame["p_alive"]
    frame["value_in_doubt"] = frame["expected_value"] * frame["p_gone"]
    frame["last_order"] = periods.starts(frame["_last"], "day")
    frame["days_since_last_order"] = periods.first_incomplete(loaded, "day") - frame["_last"]
    frame = frame.sort_values(["value_in_doubt", "customer_id"], ascending=[False, True], ignore_index=True)
    frame = frame[_AT_RISK].head(limit or len(frame))
    frame.attrs = loaded.told(phrase("definition.customers_at_risk", as_of=loaded.as_of)) | {
        "left_out": int((~found["_may_contact"]).sum()) if said else None,
        "unknown": int(found["p_alive"].isna().sum()),
    }
    return frame


_AT_RISK = [
    *("customer_id", "last_order", "days_since_last_order", "order_days", "revenue"),
    *("p_gone", "expected_value", "value_in_doubt"),
]


# ---------------------------------------------------------------------------------------------------


def _by_cohort(loaded: tables.Loaded, by: tuple[str, ...], period: Period | None) -> ir.Table:
    profile, unit = profiles.profile(loaded), period or "year"
    if profile is None or by:
        active = periods.activity(loaded, unit, by)
        customers = active.group_by("customer_id", *by).aggregate(
            cohort_index=active.period_index.min(), revenue=active.amount.sum().cast("float64")
        )
    else:
        born = periods.index(profile.first_at, unit)
        customers = profile.select(cohort_index=born, revenue=profile.revenue.cast("float64"))
    keys = [*([] if period is None else ["cohort_index"]), *by]
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
