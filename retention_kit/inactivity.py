"""Churn where nobody cancels: shops without contracts, by how long a customer has been silent.

A subscriber says when it is over; a shopper just stays away. So churn takes a window: who has not ordered
for so many days counts as lost. The window is a choice, and `inactivity_windows` shows what it costs.
"""

import datetime as dt
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import attrition, intervals, lengths, periods, sequences, tables
from retention_kit.exceptions import ParamsError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.sequences import Part, Sequences
from retention_kit.tables import Columns, Loaded

_MEASURED = ("days", "silences", "returned", "return_rate", "low", "high", "interval")


def inactivity_churn(
    orders: Any,
    *,
    window_days: int,
    as_of: Date | None = None,
    period: Period = "month",
    by: Columns = None,
) -> pd.DataFrame:
    """Of the customers active when the period began, how many have been silent too long when it is over?

    Active is who did something (ordered, or any event) in the last `window_days` days. That is a
    convention, not a fact: some of those called lost will come back, the more of them the shorter the
    window (`inactivity_windows` counts them), and a lost customer is noticed a window late. Rates of
    two windows are not comparable, nor is one of them with the churn of subscribers. Who goes silent
    and is back before the period is over did not churn.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders (`customer_id`, `ordered_at`) or events (`customer_id`, `occurred_at`).
    window_days : int
        After so many whole days without an order a customer is no longer active; one that falls on the
        window's last moment still counts as in time.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    period : {"month", "day", "week", "quarter", "year"}
        Weeks begin on Monday; `week_saturday` and `week_sunday` on the day they name.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order.

    Returns
    -------
    DataFrame
        One row a period (and value of `by`): `period`, `customers` (active just before its first moment),
        `churned` (of them, not active just before the next period's), `churn_rate` (churned / customers,
        0 to 1), `low`, `high` (Wilson 95 %), `interval`. Only periods that were observed to their end and
        before which a whole window was observed: earlier, old customers are active whom nobody has seen.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is not known.
    ParamsError
        When `window_days` is no whole number of days.

    Examples
    --------
    >>> days = ["2024-01-01", "2024-01-05", "2024-01-20", "2024-02-25"]
    >>> shop = pd.DataFrame({"customer_id": ["a", "a", "b", "b"], "ordered_at": days})
    >>> lost = inactivity_churn(shop, window_days=30, as_of="2024-03-01")
    >>> print(lost[["period", "customers", "churned", "churn_rate"]].to_string(index=False))
        period  customers  churned  churn_rate
    2024-02-01          2        1         0.5
    """
    _check_days("window_days", window_days)
    groups = tables.by_columns(by, taken=("customer_id", *attrition.COLUMNS))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=groups)
    end = periods.first_incomplete(loaded, period)
    alike = _alike(loaded, window_days, period, end, groups)
    dense = attrition.each_period(attrition.counted(alike, groups), groups, end)
    dense = dense[dense["period_index"] >= _first_known(loaded, window_days, period)]
    frame = attrition.rates(dense, groups, period, intervals.WILSON)
    told = phrase(
        f"definition.inactivity_churn.{loaded.kind}",
        window=window_days,
        unit=lengths.unit(period),
        by=tables.by_words(f"at_first_{loaded.kind}", groups),
    )
    frame.attrs = loaded.told(told) | {"period": period, "window_days": window_days}
    return frame


def inactivity_windows(
    orders: Any,
    *,
    as_of: Date | None = None,
    days: Sequence[int] = (30, 60, 90, 120, 180, 365),
    by: Columns = None,
) -> pd.DataFrame:
    """Had customers been given up after so many days of silence, how often would that have been wrong?

    A silence is the time from an order of a customer to the next, or to the end of the data. Late ones
    have had little time to end, so for a window of d days only those count that began 2 d days before
    the end of the data or earlier: each that reached d days was watched for d days more. Even so the
    rate is of those seen to return, and rises as time goes on. A frequent customer has many silences and
    counts with each.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders (`customer_id`, `ordered_at`) or events (`customer_id`, `occurred_at`).
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    days : sequence of int
        The windows to try.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order.

    Returns
    -------
    DataFrame
        The `by` columns, `days`, `silences` (that reached so many days), `returned` (of them, ended by
        another order), `return_rate` (returned / silences, 0 to 1), `low`, `high` (Wilson 95 %; they take
        each silence for a customer of its own, and are somewhat narrow for it), `interval`. No row for a
        window that no silence could be judged by: the history is too short for it.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When `days` holds something that is no whole number of days.

    Examples
    --------
    >>> moments = ["2024-01-01", "2024-02-15", "2024-01-01"]
    >>> shop = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": moments})
    >>> print(inactivity_windows(shop, as_of="2024-04-01", days=[30, 60]).iloc[:, :4].to_string(index=False))
     days  silences  returned  return_rate
       30         2         1          0.5
    """
    windows = sorted({_check_days("days", number) for number in _listed(days)})
    groups = tables.by_columns(by, taken=("customer_id", *_MEASURED))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=groups)
    periods.first_incomplete(loaded, "day")  # without as_of no silence has an end
    counted = _silences(loaded, windows, groups)
    frame = pd.concat([_one_window(counted, groups, number) for number in windows], ignore_index=True)
    frame = frame[frame["silences"] > 0].sort_values([*groups, "days"]).reset_index(drop=True)
    frame["return_rate"] = frame["returned"] / frame["silences"]
    frame["low"], frame["high"] = intervals.wilson(frame["returned"], frame["silences"])
    frame["interval"] = pd.Series(intervals.WILSON, index=frame.index, dtype="str")
    by_words = tables.by_words(f"at_first_{loaded.kind}", groups)
    frame.attrs = loaded.told(phrase(f"definition.inactivity_windows.{loaded.kind}", by=by_words))
    return frame


# ---------------------------------------------------------------------------------------------------


def _check_days(name: str, number: Any) -> int:
    if not isinstance(number, Integral) or isinstance(number, bool) or number < 1:
        example = "window_days=90" if name == "window_days" else "days=(30, 60, 90)"
        raise ParamsError(f"{name} is a whole number of days from 1, and it was {number!r}. Type {example}.")
    return int(number)


def _listed(days: Any) -> Sequence[Any]:
    listed = list(days) if isinstance(days, Sequence) and not isinstance(days, str) else [days]
    if not listed:
        raise ParamsError("days is empty. Type days=(30, 60, 90).")
    return listed


def _row(loaded: Loaded) -> str:
    return "order" if loaded.kind == "orders" else "event"


def _moments(loaded: Loaded) -> ir.Table:
    return loaded.table.select("customer_id", since=loaded.table[loaded.moment])


def _alike(loaded: Loaded, window_days: int, period: Period, end: int, by: tuple[str, ...]) -> pd.DataFrame:
    """The rows of `_active`, those alike counted together, with the `by` columns."""
    if loaded.in_order is not None and not by:
        return loaded.in_order.added(
            lambda part: _active_in_order(part, window_days, period, end), ("first", "last", "left")
        )
    active = _active(loaded, window_days, period, end)
    if by:
        active = active.join(periods.birth_values(loaded, by), "customer_id")
    alike = active.group_by("first", "last", "left", *by).aggregate(customers=active.count())
    return alike.to_pandas()


def _active_in_order(part: Part, window_days: int, period: Period, end: int) -> pd.DataFrame:
    """The same of rows that are laid out."""
    number, is_last = periods.of_days(part.days, period), np.append(part.is_first[1:], True)
    newest = np.flatnonzero(is_last | np.append(number[1:] != number[:-1], True))
    began, is_last = number[newest], is_last[newest]
    silent = periods.of_days(part.days[newest] + window_days, period)
    next_began, next_silent = np.roll(began, -1), np.roll(silent, -1)
    last = np.minimum(np.minimum(silent, np.where(is_last, end, next_began)), end)
    gone = is_last | (silent < next_began) | (next_silent == next_began)
    active = pd.DataFrame({"first": began + 1, "last": last, "left": gone & (last < end)})
    return active.groupby(["first", "last", "left"]).size().reset_index(name="customers")


def _active(loaded: Loaded, window_days: int, period: Period, end: int) -> ir.Table:
    """One row a customer and period with an order in it: from the `first` to the `last` period start that its
    last order speaks for, and whether the customer is gone (`left`) by the one after.

    They end with the start of the next such period, or where the window does. Each customer's last order
    of a period is all that matters, so the many orders are made few first.
    """
    rows = _moments(loaded)
    newest = rows.group_by("customer_id", began=periods.index(rows.since, period)).aggregate(
        since=rows.since.max()
    )
    orders = newest.mutate(silent=periods.index(newest.since + ibis.interval(days=window_days), period))
    later = ibis.window(group_by="customer_id", order_by="began")
    orders = orders.mutate(
        next_began=orders.began.lead().over(later), next_silent=orders.silent.lead().over(later)
    )
    last = ibis.least(orders.silent, orders.next_began.fill_null(end), end)
    # Gone when the window ends first, or when the next order's own ends inside the period it falls in.
    gone = (orders.silent < orders.next_began) | (orders.next_silent == orders.next_began)
    active = orders.select("customer_id", first=orders.began + 1, last=last, left=gone.fill_null(True))
    return active.mutate(left=active.left & (active.last < end))


def _first_known(loaded: Loaded, window_days: int, period: Period) -> int:
    """The first period before which a whole window was observed."""
    first = _moments(loaded).since.min().to_pyarrow().as_py()
    known = first.replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=window_days)
    number = periods.index_of(known, period)
    return number if periods.start_of(number, period) == known else number + 1


def _silences(loaded: Loaded, windows: Sequence[int], by: tuple[str, ...]) -> pd.DataFrame:
    """By group: for each window how many silences reached it, and how many of them another order ended."""
    if loaded.in_order is not None and not by:
        return _silences_in_order(loaded.in_order, loaded.observed_until, windows)
    rows = _moments(loaded)
    following = rows.since.lead().over(group_by="customer_id", order_by="since")
    silences = rows.mutate(following=following)
    if by:
        silences = silences.join(periods.birth_values(loaded, by), "customer_id")
    sums = {}
    for number in windows:
        length = ibis.interval(days=number)
        latest = ibis.timestamp(loaded.observed_until - dt.timedelta(days=2 * number))
        early = silences.since <= latest
        ended = silences.following > silences.since + length
        sums[f"returned_{number}"] = (early & ended.fill_null(False)).cast("int64").sum()
        sums[f"silences_{number}"] = (early & ended.fill_null(True)).cast("int64").sum()
    return (silences.group_by(*by) if by else silences).aggregate(**sums).to_pandas()


def _silences_in_order(in_order: Sequences, until: dt.datetime, windows: Sequence[int]) -> pd.DataFrame:
    """The same of rows that are laid out: an order's silence ends with the row after it."""

    def of_part(part: Part) -> dict[str, int]:
        is_last = np.append(part.is_first[1:], True)
        silent = np.diff(part.moments, append=part.moments[-1])
        counts = {}
        for number in windows:
            length = number * sequences.DAY
            early = part.moments <= sequences.microseconds(until) - 2 * length
            returned = np.count_nonzero(early & ~is_last & (silent > length))
            counts[f"returned_{number}"] = returned
            counts[f"silences_{number}"] = returned + np.count_nonzero(early & is_last)
        return counts

    return pd.DataFrame(in_order.of_parts(of_part)).sum().to_frame().T


def _one_window(counted: pd.DataFrame, by: tuple[str, ...], number: int) -> pd.DataFrame:
    frame = counted[[*by]].assign(days=number)
    for name in ("silences", "returned"):
        frame[name] = counted[f"{name}_{number}"]
    return frame.astype(dict.fromkeys(("days", "silences", "returned"), "int64"))
