"""Churn: who stops paying."""

from types import MappingProxyType
from typing import Any

import pandas as pd

from retention_kit import (
    attrition,
    churn_candidates,
    denominators,
    intervals,
    lengths,
    periods,
    policies,
    tables,
)
from retention_kit.denominators import Denominator
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.policies import Policy
from retention_kit.tables import Columns
from retention_kit.windows import check_option

#: The field's rule of thumb, a month: under `healthy` is fine, over `urgent` wants attention now. It is a
#: habit of e-commerce and software sellers, not a finding: a client file can set its own.
CHURN_THRESHOLDS = MappingProxyType({"healthy": 0.05, "urgent": 0.10})


def churn_rates(
    subscriptions: Any,
    *,
    as_of: Date | None = None,
    period: Period = "month",
    by: Columns = None,
    denominator: Denominator | None = None,
    policy: str | Policy = "house",
) -> pd.DataFrame:
    """Of the customers who could be lost in a period, how many no longer pay when it is over?

    Published rates divide by different things, and print different figures for the same losses. A
    customer on several subscriptions counts once, and one whose subscriptions are all free is not
    paying. Who leaves and is back before the period is over did not churn (but see `exposure`). Only
    periods that lie wholly before `as_of` have a row, and none with nobody to lose.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at` and `ended_at`; with `mrr`, those of 0 are free;
        without it, every subscription counts as paying.
    as_of : date or str
        The first moment not observed.
    period : {"day", "week", "month", "quarter", "year"}
        Weeks begin on Monday; `week_saturday` and `week_sunday` on the day they name.
    by : str or list of str, optional
        One row a value, as it stands at the period's start (in the subscription that began last; of
        several at one moment, the smallest value); how it stands for another denominator than `start`
        is in `attrs["definition"]`. Moving to another value is not churn.
    denominator : {"start", "start_plus_new", "average", "exposure", "due_for_renewal"}, optional
        What is divided by what; without it, what the policy says (the house's `start`):

        - `start`: those paying just before the period; of them, those not paying just before the next.
          Who joins during the period is in neither number.
        - `start_plus_new`: those paying just before the period and those who begin to pay in it, new or
          back; of them all, those not paying just before the next. Growth makes it look better.
        - `average`: the lost of `start`, over the mean of the numbers paying just before the period and
          just before the next. No share of anybody: it can pass 1.
        - `exposure`: every stop of paying inside the period, also of those who joined in it and of those
          who came back, over the customer-periods paid for in it. A rate of events in time, not a share.
          Who stops on a period's first moment has not paid in it; where nobody else did, it has no row.
        - `due_for_renewal`: those of whom a paid subscription ended inside the period; of them, those not
          paying just before the next. It needs a row a term: where a row runs until the customer leaves,
          nearly everyone due is lost. A change of plan ends a row too, and counts as a renewal.
    policy : str or Policy
        What counts as what, see `policies`: a name such as "stripe", to reconcile with a billing tool.

    Returns
    -------
    DataFrame
        One row a period (and value of `by`): `period`, `customers` (the denominator: a whole number, but
        of `average` and `exposure` a float), `churned`, `churn_rate` (churned / customers), `low`, `high`
        (95 %), `interval` (Wilson; of `average` and `exposure` exact Poisson).

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period or the denominator is not known.
    ParamsError
        When the policy is not known.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-02-10", "2024-01-15"]),
    ...     "ended_at": pd.to_datetime(["2024-02-10", None, "2024-02-20"]),
    ... })
    >>> february = churn_rates(fees, as_of="2024-03-01")
    >>> print(february[["period", "customers", "churned", "churn_rate"]].to_string(index=False))
        period  customers  churned  churn_rate
    2024-02-01          2        1         0.5
    """
    denominator = policies.named(policy).denominator if denominator is None else denominator
    check_option("denominator", denominator, tuple(denominators.BY_NAME))
    groups = tables.by_columns(by, taken=("customer_id", *attrition.COLUMNS))
    loaded = policies.applied(tables.subscriptions(subscriptions, as_of=as_of, columns=groups), policy)
    end = periods.first_incomplete(loaded, period)
    way = denominators.BY_NAME[denominator]
    frame = attrition.rates(way.count(loaded, groups, period, end), groups, period, way.interval)
    told = denominators.definition(denominator, period, groups)
    frame.attrs = periods.told(loaded, told, frame, period) | {"denominator": denominator}
    return frame


def average_churn(rates: pd.DataFrame, *, last: int | None = None, by: Columns = None) -> pd.DataFrame:
    """How many are lost in a typical period, over several periods together?

    A single period of a small company moves by chance alone; twelve together say more. A customer
    counts once for every period at risk, so the rate is per customer and period: all that were lost
    over all that could be, whatever the denominator.

    Parameters
    ----------
    rates : DataFrame
        From `churn_rates` or `inactivity_churn`.
    last : int, optional
        Only the last so many periods; without it, all.
    by : str or list of str, optional
        Columns of `rates` to keep apart.

    Returns
    -------
    DataFrame
        The `by` columns, `periods`, `customers` (customer-periods at risk), `churned`, `churn_rate`
        (churned / customers), `low`, `high` (95 %), `interval` (that of `rates`; Wilson where it has
        none). No row without a customer.

    Examples
    --------
    >>> months = pd.date_range("2024-01-01", periods=2, freq="MS")
    >>> rates = pd.DataFrame({"period": months, "customers": [100, 50], "churned": [10, 2]})
    >>> average_churn(rates)["churn_rate"].item()
    0.08
    """
    groups = list(tables.by_columns(by))
    missing = [name for name in groups if name not in rates.columns]
    if missing:
        raise DataError(f"rates is missing {missing}. Give churn_rates the same by={by!r}.")
    kept = rates[rates["period"].isin(rates["period"].drop_duplicates().nlargest(last))] if last else rates
    if "interval" not in kept:
        kept = kept.assign(interval=intervals.WILSON)
    sums = {
        "periods": ("period", "nunique"),
        "customers": ("customers", "sum"),
        "churned": ("churned", "sum"),
        "interval": ("interval", "first"),
    }
    frame = kept.assign(_all=0).groupby(groups or ["_all"], dropna=False).agg(**sums).reset_index()
    kinds = {"periods": "int64", "churned": "int64", "customers": rates["customers"].dtype, "interval": "str"}
    # Each customer and period is one yes or no, and a customer who has left is at risk no more.
    frame = attrition.with_bounds(frame[[*groups, *sums]].astype(kinds))
    frame.attrs = {**rates.attrs}
    return frame


def classify_churn(
    average: pd.DataFrame,
    *,
    period: Period = "month",
    healthy: float = CHURN_THRESHOLDS["healthy"],
    urgent: float = CHURN_THRESHOLDS["urgent"],
) -> pd.DataFrame:
    """Is churn healthy, or does it want attention now: what does the whole interval say?

    Read off the interval and not the point: what a few customers more or less would change is called
    unclear. The thresholds are the field's rule of thumb for shops and software, in a month; a business
    whose customers buy once in five years needs its own.

    Parameters
    ----------
    average : DataFrame
        From `average_churn`, or any frame of rates with `low` and `high`.
    period : {"day", "week", "month", "quarter", "year"}
        What those rates are per; the thresholds are converted to it, compounding.
    healthy, urgent : float
        The thresholds, a month.

    Returns
    -------
    DataFrame
        The rows of `average` with `healthy_below`, `urgent_above` (per `period`) and `verdict`: `healthy`
        (the interval lies below the first), `urgent` (above the second), `between` (between the two), else
        `unclear`.

    Raises
    ------
    ParamsError
        When a threshold is no share, they are not in order, or `average` is per another period.

    Examples
    --------
    >>> lost = pd.DataFrame({"low": [0.02, 0.04, 0.12], "high": [0.04, 0.06, 0.15]})
    >>> classify_churn(lost)["verdict"].tolist()
    ['healthy', 'unclear', 'urgent']
    """
    below = convert_churn(healthy, period="month", to=period)
    above = convert_churn(urgent, period="month", to=period)
    if healthy > urgent:
        raise ParamsError(f"healthy {healthy} is above urgent {urgent}. Give the smaller one as healthy.")
    made_per = average.attrs.get("period", period)
    if lengths.unit(made_per) != lengths.unit(period):
        raise ParamsError(f"average is per {made_per}, and period is {period!r}. Type period={made_per!r}.")
    low, high = average["low"], average["high"]
    verdicts = [
        (high < below, "healthy"),
        (low > above, "urgent"),
        ((low >= below) & (high <= above), "between"),
    ]
    frame = average.assign(healthy_below=below, urgent_above=above, verdict="unclear")
    for true, verdict in verdicts:
        frame["verdict"] = frame["verdict"].mask(true, verdict)
    return frame.astype({"verdict": "str"})


def convert_churn(rate: float, *, period: Period = "month", to: Period = "year") -> float:
    """What a churn rate per month (or day, week, quarter, year) comes to per another length of time.

    Rates compound: those who have left cannot leave again, so 5 % a month is 46 % a year and not 60 %.
    It takes the rate to stay the same all along; young customers usually leave faster. For shares of
    customers: an `exposure` rate is one of events in time, and only about the same where it is small.

    Parameters
    ----------
    rate : float
        Between 0 and 1.
    period, to : {"day", "week", "month", "quarter", "year"}
        What the rate is per, and what it shall be per; a year has 12 months, 365 days, 365 / 7 weeks.

    Returns
    -------
    float
        1 - (1 - rate) ** (to / period).

    Raises
    ------
    ParamsError
        When the rate is not between 0 and 1.
    DataError
        When a period is not known.

    Examples
    --------
    >>> round(convert_churn(0.05), 3), round(convert_churn(0.46, period="year", to="month"), 3)
    (0.46, 0.05)
    """
    return lengths.compounded(rate, period, to)


def annual_churn(rate: float, *, period: Period = "month") -> float:
    """What a churn rate a month (or day, week, quarter) comes to in a year: `convert_churn` by its usual use.

    >>> round(annual_churn(0.05), 3)
    0.46
    """
    return convert_churn(rate, period=period)


def explain_figure(
    subscriptions: Any, figure: float | str, *, month: Date, as_of: Date | None = None
) -> pd.DataFrame:
    """Somebody's churn of a month is not ours: by which definitions and policies does it come out?

    Tried are counts of customers, of subscriptions and of money over everything that they are divided by
    in the field, by each policy that changes anything here, and, as a last resort, in the months beside.
    A match shows how the figure may have been made, not that it was: ask for the two counts.

    Parameters
    ----------
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at` and `ended_at`; with `mrr`, money is tried too.
    figure : float or str
        As it was printed: 0.378, "37.8 %". Its digits say how exactly a definition must meet it.
    month : date or str
        "2019-12", or any day of it.
    as_of : date or str
        The first moment not observed.

    Returns
    -------
    DataFrame
        One row a definition tried, those that match first: `definition`, `group` ("definition", "policy",
        "other period"), `numerator`, `denominator` (customers, customer-months or currency units), `value`,
        `matches` (rounded to the figure's digits it is the figure), `ours`, `also` (definitions by the
        same counts). `attrs["sentence"]` says it in English, `explanations.sentence` in a report's language.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When the figure is none, or the month is none or not over.

    Examples
    --------
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "started_at": pd.to_datetime(["2024-01-01", "2024-02-10", "2024-01-15"]),
    ...     "ended_at": pd.to_datetime(["2024-02-10", None, "2024-02-20"]),
    ... })
    >>> explain_figure(fees, "67 %", month="2024-02", as_of="2024-03-01").loc[0, "definition"]
    'lost / average'
    """
    return churn_candidates.explained(tables.subscriptions(subscriptions, as_of=as_of), figure, month)
