"""How many customers stay: cohorts, retention by age, averages that count only what was observed."""

from typing import Any, Literal

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import intervals, periods, retention_candidates, tables, windows
from retention_kit.exceptions import DataError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.tables import Columns
from retention_kit.windows import AgeZero, Counting, Denominator, Window, Windows

_RATE = ("customers", "retained", "retention_rate", "low", "high", "interval")


def assign_cohorts(orders: Any, *, as_of: Date | None = None, period: Period = "month") -> ir.Table:
    """Each customer's cohort: the period of the first order (of events, of the first event).

    A history that starts mid-life makes old customers look new; `load_orders` and `load_events` warn of it.

    Returns
    -------
    Table
        Lazy Ibis: `customer_id`, `cohort_index` (a whole number; `periods.start_of` dates it).

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is unknown.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> assign_cohorts(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF).columns
    ('customer_id', 'cohort_index')
    """
    loaded = tables.orders_or_events(orders, as_of=as_of)
    return periods.cohorts(periods.activity(loaded, period))


def retention_rates(
    orders: Any,
    *,
    as_of: Date | None = None,
    period: Period = "month",
    by: Columns = None,
    counting: Counting = "on",
    window: Window = "calendar",
    denominator: Denominator = "cohort",
    age_zero: AgeZero = "birth",
    events: tuple[str, str] | None = None,
) -> pd.DataFrame:
    """How many of each cohort came back, by age in periods?

    A cell is reported only when its whole period lies before `as_of` and before the end of the
    data, so a period still running, or a short export, is never read as customers lost. A cell
    that was observed and held nobody is a row with 0. The defaults are what most reports mean; the
    options are there to reconcile with one that means something else, and `attrs["definition"]` says
    in words what was asked. A history that starts mid-life makes old customers look new, so that the first
    cohorts return more than new ones would: `load_orders` and `load_events` look for it and the warning
    stands in `attrs["notes"]`; a plain frame is taken as it is.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders (`customer_id`, `ordered_at`; with `amount`, negative ones, returns, are set aside) or
        events (`customer_id`, `occurred_at`).
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    period : {"month", "day", "week", "quarter", "year"}
        Calendar periods; weeks start on Monday, `week_sunday` and `week_saturday` on the day they name.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order: a customer who moves keeps it.
    counting : {"on", "on_or_after"} or list of pairs
        `on`: active in that very period. `on_or_after`: in it or any later one, the open one included, so
        the young cohorts' rates still rise. Pairs such as [(1, 3), (4, 6)]: active at any age of the range,
        first to last; a range is complete when its last age is.
    window : {"calendar", "elapsed", "elapsed_days"}
        `elapsed`: ages are windows of one length from each customer's first moment, by the hour: a day is 24
        hours (day 1 is hours 24 to 48), a week 7 days, a month 30, a quarter 91, a year 365. `elapsed_days`:
        the same by dates, whatever the hour. The cohort stays the calendar period of the first order.
    denominator : {"cohort", "eligible"}
        `cohort`: all of it, once the last of its customers can be judged. `eligible`: only customers whose
        own window is over, in both counts; so elapsed windows have cells for part of a cohort already, and
        `customers` falls with age. In calendar periods both are the same.
    age_zero : {"birth", "return"}
        `birth`: the first order itself makes age 0, which is 1. `return`: at age 0 only customers with
        another row in it count (of several at the first moment, one is the birth).
    events : (str, str), optional
        The event that makes a customer and the one that counts as a return (needs `event`), such as
        ("signed_up", "played"). Returns before the first are none.

    Returns
    -------
    DataFrame
        One row per cohort and age: `cohort`, the `by` columns, `age` (of a range its first, and `last_age`),
        `customers` (of the cohort, or eligible), `retained`, `retention_rate` (retained / customers, 0 to 1),
        `low`, `high` (95 %), `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, an option or an event is not known, or ranges overlap.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> rates = retention_rates(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF)
    >>> bool((rates.loc[rates["age"] == 0, "retention_rate"] == 1).all())
    True
    >>> ever = retention_rates(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF, counting="on_or_after")
    >>> ever.loc[ever["age"] == 1, ["customers", "retained"]].to_numpy().tolist()
    [[2, 1], [2, 1], [1, 1]]
    """
    how = Windows(period, counting, window, denominator, age_zero)
    ages = ("age", "last_age") if how.brackets else ("age",)
    split = tables.by_columns(by, taken=("customer_id", "cohort", *ages, *_RATE))
    needed = split if events is None else (*split, "event")
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=needed)
    counted = loaded if events is None else windows.pair(loaded, events, split)
    grid = windows.cells(counted, how, split)
    grid["retention_rate"] = grid["retained"] / grid["customers"]
    grid["low"], grid["high"] = intervals.wilson(grid["retained"], grid["customers"])
    grid["interval"] = intervals.WILSON
    grid["cohort"] = periods.starts(grid["_cohort"], period)
    order = ["cohort", *split]
    rates = grid.sort_values([*order, "age"])[[*order, *ages, *_RATE]].reset_index(drop=True)
    rates.attrs = periods.told(loaded, windows.definition(loaded, how, split, events), rates, period)
    return rates


def average_retention(
    rates: pd.DataFrame, *, method: Literal["pooled", "simple"] = "pooled", by: Columns = None
) -> pd.DataFrame:
    """What is the retention of a typical customer at each age, over all cohorts observed that long?

    Each age has its own cohorts behind it (the young ones have not got there), so the curve is
    not that of one group of customers; `cohorts` and `customers` say who is behind each age.

    Parameters
    ----------
    rates : DataFrame
        From `retention_rates`.
    method : {"pooled", "simple"}
        `pooled`: customers retained over customers, large cohorts count for more.
        `simple`: the mean of the cohorts' rates, each cohort counts the same.
    by : str or list of str, optional
        Columns of `rates` to keep apart.

    Returns
    -------
    DataFrame
        The `by` columns, `age` (of ranges, `last_age` too), `cohorts`, `customers`, `retained`,
        `retention_rate`, `low`, `high` (95 %), `interval`:
        Wilson for `pooled`, t over the cohorts for `simple` (no bounds from one).

    Raises
    ------
    DataError
        When the method is unknown, or `rates` is not split by `by`.

    Examples
    --------
    >>> rates = pd.DataFrame({"age": [1, 1], "customers": [10, 100], "retained": [2, 0]})
    >>> rates["retention_rate"] = rates["retained"] / rates["customers"]
    >>> average_retention(rates)["retention_rate"].item() == 2 / 110
    True
    >>> average_retention(rates, method="simple")["retention_rate"].item()
    0.1
    """
    windows.check_option("method", method, ("pooled", "simple"))
    split = list(tables.by_columns(by))
    missing = [column for column in split if column not in rates]
    if missing:
        raise DataError(f"rates is missing {missing}. Give retention_rates the same by={by!r}.")
    ages = [column for column in ("age", "last_age") if column in rates]
    grouped = rates.groupby([*split, *ages], sort=True, dropna=False)
    average = grouped.agg(
        cohorts=("retained", "size"),
        customers=("customers", "sum"),
        retained=("retained", "sum"),
        retention_rate=("retention_rate", "mean"),
        spread=("retention_rate", "std"),
    ).reset_index()
    if method == "pooled":
        average["retention_rate"] = average["retained"] / average["customers"]
        average["low"], average["high"] = intervals.wilson(average["retained"], average["customers"])
        average["interval"] = intervals.WILSON
    else:
        low, high = intervals.mean(average["retention_rate"], average["spread"], average["cohorts"])
        average["low"], average["high"] = np.clip(low, 0, 1), np.clip(high, 0, 1)
        average["interval"] = intervals.MEAN
    average.attrs = {**rates.attrs, "method": method}
    columns = [*split, *ages, "cohorts", *_RATE]
    return average[columns].astype(dict.fromkeys(("cohorts", *ages), "int64"))


def retention_change(rates: pd.DataFrame, *, age: int = 1, recent: int = 3) -> pd.DataFrame:
    """Do the newest cohorts come back more, or less, than the ones before them?

    Compared at one age, so that young cohorts are not blamed for being young. A season can make
    the difference too: the newest three months are not the same months as all before them.

    Parameters
    ----------
    rates : DataFrame
        From `retention_rates`, without `by`.
    age : int
        The age that is compared, in periods.
    recent : int
        How many of the newest cohorts observed to that age make one group; all earlier ones the other.

    Returns
    -------
    DataFrame
        One row, or none when there are no cohorts on one side: `age`, `cohorts`, `customers`, `retained`,
        `retention_rate` of the newest; `earlier_cohorts`, `earlier_customers`, `earlier_retained`,
        `earlier_rate`; `difference` (share), `low`, `high` (Newcombe 95 %), `interval`.

    Examples
    --------
    >>> months = pd.date_range("2024-01-01", periods=4, freq="MS")
    >>> rates = pd.DataFrame({"cohort": months, "age": 1, "customers": 100, "retained": [20, 30, 30, 30]})
    >>> retention_change(rates)[["retention_rate", "earlier_rate"]].iloc[0].tolist()
    [0.3, 0.2]
    """
    reached = rates[rates["age"] == age].sort_values("cohort")
    newest, earlier = reached.iloc[-recent:], reached.iloc[:-recent]
    sides = {"": newest, "earlier_": earlier}
    row: dict[str, Any] = {"age": age}
    for side, cohorts in sides.items():
        row |= {
            f"{side}cohorts": len(cohorts),
            f"{side}customers": int(cohorts["customers"].sum()),
            f"{side}retained": int(cohorts["retained"].sum()),
        }
    frame = pd.DataFrame([row], dtype="int64")
    frame = frame[(frame["customers"] > 0) & (frame["earlier_customers"] > 0)].reset_index(drop=True)
    frame["retention_rate"] = frame["retained"] / frame["customers"]
    frame["earlier_rate"] = frame["earlier_retained"] / frame["earlier_customers"]
    frame["difference"] = frame["retention_rate"] - frame["earlier_rate"]
    frame["low"], frame["high"] = intervals.difference(
        frame["retained"], frame["customers"], frame["earlier_retained"], frame["earlier_customers"]
    )
    frame["interval"] = intervals.NEWCOMBE
    frame.attrs = {**rates.attrs}
    return frame


def period_retention(
    *, start: int, end: int, new: int, denominator: Literal["start", "average"] = "start"
) -> pd.DataFrame:
    """What share of the customers was kept over a period, from three counts?

    Parameters
    ----------
    start, end, new : int
        Customers at the start S, at the end E, and gained in between N, of any period.
    denominator : {"start", "average"}
        `start`: (E - N) / S, the customer retention rate; its complement is the churn rate.
        `average`: those active at the end over the average of start and end, E / ((S + E) / 2).
        It counts new customers, and passes 1 when the base grows.

    Returns
    -------
    DataFrame
        One row: `start`, `end`, `new`, `kept` (E - N), `retention_rate`, `low`, `high` (95 %), `interval`.
        Wilson over S for `start`; for `average` linearised over the S + N customers.

    Raises
    ------
    DataError
        When the counts cannot be: one is negative, more new than at the end, more kept than at the start.

    Examples
    --------
    >>> period_retention(start=1000, end=900, new=200)["retention_rate"].item()
    0.7
    """
    kept = end - new
    if min(start, end, new) < 0 or start == 0:
        raise DataError(f"start, end and new are counts, start at least 1: they are {start}, {end}, {new}.")
    if not 0 <= kept <= start:
        raise DataError(
            f"end - new = {kept} customers were kept of {start} at the start, which cannot be. "
            "Count as new only those who were not there at the start and are there at the end."
        )
    windows.check_option("denominator", denominator, ("start", "average"))
    if denominator == "start":
        rate, method = kept / start, intervals.WILSON
        low, high = intervals.wilson(kept, start)
    else:
        rate, method = end / ((start + end) / 2), intervals.RATIO
        # A customer adds to the end (y) and the average (x): kept 1 and 1, lost 0 and 1/2, new 1 and 1/2.
        low, high = intervals.ratio(
            sum_y=end, sum_x=(start + end) / 2, sum_yy=end, sum_xy=kept + new / 2,
            sum_xx=kept + (start - kept + new) / 4, n=start + new,
        )  # fmt: skip
    frame = pd.DataFrame(
        {"start": [start], "end": [end], "new": [new], "kept": [kept], "retention_rate": [float(rate)]}
    )
    frame = frame.assign(low=float(low), high=float(high), interval=method)
    frame.attrs = {"definition": phrase(f"definition.period_retention.{denominator}"), "as_of": None}
    return frame


def explain_figure(
    orders: Any,
    figure: float | str,
    *,
    age: int = 1,
    cohort: Date | None = None,
    as_of: Date | None = None,
    period: Period = "month",
) -> pd.DataFrame:
    """Somebody's retention at an age is not ours: who was counted, in which windows, averaged how?

    A match shows how the figure may have been made, not that it was: ask for the two counts.

    Parameters
    ----------
    orders, figure, as_of, period
        As for `retention_rates`; the figure as for `churn.explain_figure`.
    age : int
        How many periods after the first, from 1 on.
    cohort : date or str, optional
        Any day of the cohort's period, where the figure is of that cohort alone.

    Returns
    -------
    DataFrame
        As `churn.explain_figure`, with a `group` "cohort"; a plain mean is a sum of rates over cohorts.

    Raises
    ------
    DataError, ParamsError
        As `retention_rates` does; when the figure, the age or the cohort is none.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> explain_figure(datasets.tiny_orders(), "40 %", as_of=datasets.TINY_AS_OF).loc[0, "definition"]
    'on, calendar, complete, pooled'
    """
    loaded = tables.orders_or_events(orders, as_of=as_of)
    return retention_candidates.explained(loaded, figure, age=age, cohort=cohort, period=period)
