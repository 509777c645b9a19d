"""Where activity comes from: customers new, returning, back again, gone quiet; how often they come."""

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import histories, intervals, lengths, periods, session, tables
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.sequences import Part
from retention_kit.tables import Columns, Loaded

_FLOW = (
    *("period", "active", "previous", "new", "returning", "resurrected", "dormant", "growth"),
    *("quick_ratio", "retained_share", "low", "high", "interval"),
)
_STICKY = (
    *("period", "days", "active", "active_days", "days_per_customer", "low", "high", "interval"),
    *("daily_active", "weekly_active", "stickiness", "stickiness_low", "stickiness_high"),
    "weekly_stickiness",
)
_WEEK = 7


def lifecycle(
    orders: Any, *, as_of: Date | None = None, period: Period = "month", by: Columns = None
) -> pd.DataFrame:
    """Of those active in a period, who is new, who stayed, who came back, and who has gone quiet?

    Growth is what is left when losses are taken off gains, so that a shop that buys new customers as
    fast as it loses old ones can be told from one that keeps them. Gone quiet is not lost: who orders
    twice a year is dormant in ten months of it, so take a period in which a customer should be seen.
    In a history that starts mid-life the first periods call old customers new.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders (`customer_id`, `ordered_at`) or events (`customer_id`, `occurred_at`).
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    period : {"month", "day", "week", "quarter", "year"}
        Calendar periods; weeks start on Monday, `week_sunday` and `week_saturday` on the day they name.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order or event.

    Returns
    -------
    DataFrame
        One row for every complete period since the first, empty ones too: `period`, the `by` columns;
        customers `active` in it, `previous` (active in the period before it), `new` (never seen before),
        `returning` (active in both), `resurrected` (seen before, not in the previous), `dormant` (active
        in the previous, not in it: counted once, in the first period without them); `growth`
        (new + resurrected - dormant, which is active - previous); `quick_ratio` ((new + resurrected) /
        dormant, empty where nobody went dormant); `retained_share` (returning / previous, 0 to 1,
        empty where previous is 0) with `low`, `high` (95 %), `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is unknown.

    References
    ----------
    Hsu (2015), Diligence at Social Capital, part 1: accounting for user growth, who writes churned for
    dormant and retained for returning.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> flow = lifecycle(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF)
    >>> flow[["active", "new", "returning", "resurrected", "dormant"]].to_numpy().tolist()
    [[2, 2, 0, 0, 0], [3, 2, 1, 0, 1], [1, 1, 0, 0, 3], [4, 1, 1, 2, 0]]
    """
    split = tables.by_columns(by, taken=("customer_id", "period_index", *_FLOW))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    end = periods.first_incomplete(loaded, period)
    frame = periods.each_period(_flows(loaded, period, split, end), split, end)
    frame["period"] = periods.starts(frame["period_index"], period)
    before = frame.groupby(list(split), dropna=False)["active"] if split else frame["active"]
    frame["previous"] = before.shift(fill_value=0)
    frame["resurrected"] = frame["active"] - frame["new"] - frame["returning"]
    frame["dormant"] = frame["previous"] - frame["returning"]
    gained = frame["new"] + frame["resurrected"]
    frame["growth"] = gained - frame["dormant"]
    frame["quick_ratio"] = (gained / frame["dormant"]).where(frame["dormant"] > 0)
    frame["retained_share"] = frame["returning"] / frame["previous"]
    frame["low"], frame["high"] = intervals.wilson(frame["returning"], frame["previous"])
    frame["interval"] = pd.Series(intervals.WILSON, index=frame.index, dtype="str")
    frame, unit = frame[["period", *split, *_FLOW[1:]]], lengths.unit(period)
    told = phrase(f"definition.lifecycle.{loaded.kind}", unit=unit)
    frame.attrs = periods.told(loaded, told, frame, period)
    return frame


def stickiness(
    orders: Any, *, as_of: Date | None = None, period: Period = "month", by: Columns = None
) -> pd.DataFrame:
    """On how many days is an active customer active, and what share of a period's customers comes each day?

    For something used daily, such as an app; customers of a shop rarely order on two days of a month.
    Whoever was active at all is in the denominator: a campaign that brings many people for one day
    lowers stickiness and harms nobody.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders (`customer_id`, `ordered_at`) or events (`customer_id`, `occurred_at`).
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    period : {"month", "day", "week", "quarter", "year"}
        Calendar periods; weeks start on Monday, `week_sunday` and `week_saturday` on the day they name.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order or event.

    Returns
    -------
    DataFrame
        One row for every complete period since the first: `period`, the `by` columns, `days` (of the
        calendar), `active` (customers active in it), `active_days` (days with activity, added up over
        customers), `days_per_customer` (active_days / active) with `low`, `high` (t over customers,
        95 %), `interval`; `daily_active` (customers active on a day, the mean over all days of the
        period), `weekly_active` (customers active in a day and the six before it, the mean over all days;
        empty where those reach back beyond the first row of the data); `stickiness` (daily_active /
        active: of a month, DAU / MAU) with `stickiness_low`, `stickiness_high`;
        `weekly_stickiness` (daily_active / weekly_active: DAU / WAU). Ratios are empty where nobody was
        active.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the period is unknown.

    Notes
    -----
    Stickiness is days_per_customer / days, so its bounds are those of the mean, divided alike.
    Elsewhere the denominator of a day is the 30 days that end with it; here it is the calendar period,
    the same for all its days, so that the customers behind the figure can be counted.

    Examples
    --------
    >>> days = ["2024-02-01", "2024-02-02", "2024-02-02", "2024-02-20"]
    >>> visits = pd.DataFrame({"customer_id": ["a", "a", "b", "b"], "occurred_at": days})
    >>> february = stickiness(visits, as_of="2024-03-01")
    >>> february[["days", "active", "active_days", "days_per_customer"]].iloc[0].tolist()
    [29.0, 2.0, 4.0, 2.0]
    >>> february["stickiness"].item() == 2 / 29
    True
    """
    split = tables.by_columns(by, taken=("customer_id", "period_index", *_STICKY))
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    end = periods.first_incomplete(loaded, period)
    active, lasting = _active_days(loaded, period, split, end)
    frame = periods.each_period(active, split, end)
    frame["period"] = periods.starts(frame["period_index"], period)
    frame["days"] = (periods.starts(frame["period_index"] + 1, period) - frame["period"]).dt.days
    frame["weekly_active"] = _weekly_active(lasting, frame, period, split, end)
    frame, unit = _with_ratios(frame)[["period", *split, *_STICKY[1:]]], lengths.unit(period)
    told = phrase(f"definition.stickiness.{loaded.kind}", unit=unit)
    frame.attrs = periods.told(loaded, told, frame, period)
    return frame


# ---------------------------------------------------------------------------------------------------


def _flows(loaded: Loaded, period: Period, by: Sequence[str], end: int) -> pd.DataFrame:
    """By period: customers active, new, and active in the period before as well."""
    found = histories.counted(loaded, period, by)
    return _flows_joined(loaded, period, by, end) if found is None else _flows_of(found, by, end)


def _flows_of(found: histories.Histories, by: Sequence[str], end: int) -> pd.DataFrame:
    """From the histogram of histories, period by period, keeping who was seen before."""
    groups = found.groups.drop_duplicates(ignore_index=True) if by else pd.DataFrame(index=[0])
    places = groups.assign(_place=groups.index)
    place = found.groups.merge(places, how="left", on=list(by))["_place"] if by else [0] * len(found.words)
    seen = before = np.zeros(len(found.customers), dtype=bool)
    rows = []
    for number, now in found.each():
        flows = {"active": now, "new": now & ~seen, "returning": now & before}
        counts = {name: found.total(place, there) for name, there in flows.items()}
        rows.append(groups.assign(period_index=number, **counts))
        seen, before = seen | now, now
    counted = pd.concat(rows, ignore_index=True)
    return counted[(counted["active"] > 0) & (counted["period_index"] < end)]


def _flows_joined(loaded: Loaded, period: Period, by: Sequence[str], end: int) -> pd.DataFrame:
    """The same on any engine, from distinct customer-periods, each beside its customer's one before."""
    active = periods.activity(loaded, period).select("customer_id", "period_index")
    seen = _with_birth(active, loaded, by).filter(active.period_index < end)
    last = seen.period_index.lag().over(group_by="customer_id", order_by="period_index")
    steps = seen.mutate(_since=seen.period_index - last)
    sums = {
        "active": steps.count(),
        "new": steps["_since"].isnull().sum(),
        "returning": (steps["_since"] == 1).sum().fill_null(0),
    }
    return (
        steps.group_by("period_index", *by).aggregate(**sums).to_pandas().astype(dict.fromkeys(sums, "int64"))
    )


def _with_birth(table: ir.Table, loaded: Loaded, by: Sequence[str]) -> ir.Table:
    return table.join(periods.birth_values(loaded, by), "customer_id") if by else table


def _active_days(
    loaded: Loaded, period: Period, by: Sequence[str], end: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What stickiness is made of, from the days on which each customer was active, in periods that are over.

    Returns
    -------
    DataFrame, DataFrame
        By period: customers, their active days, and the squares of these for the spread. By day, and by how
        many days a customer stays among the weekly ones (`_kept`): how many of them (`_change`).
    """
    if loaded.in_order is not None and not by:
        found = list(loaded.in_order.of_parts(lambda part: _active_days_in_order(part, period, end)))
        keys = (["period_index"], ["_day", "_kept"])
        active, lasting = (
            pd.concat(frames).groupby(key, as_index=False).sum()
            for frames, key in zip(zip(*found, strict=True), keys, strict=True)
        )
        return active, lasting
    days = _customer_days(loaded, period, by, end)
    each = days.group_by("customer_id", "period_index", *by).aggregate(_days=days.count())
    squares = (each._days * each._days).sum()
    sums = {"active": each.count(), "active_days": each._days.sum(), "_squares": squares}
    active = each.group_by("period_index", *by).aggregate(**sums).to_pandas()
    following = days._day.lead().over(group_by="customer_id", order_by="_day")
    lasting = days.mutate(_kept=ibis.least((following - days._day).fill_null(_WEEK), _WEEK))
    return active, lasting.group_by("_day", "_kept", *by).aggregate(_change=lasting.count()).to_pandas()


def _customer_days(loaded: Loaded, period: Period, by: Sequence[str], end: int) -> ir.Table:
    """One row a customer and day with activity, in periods that are over."""
    moment = loaded.table[loaded.moment]
    days = loaded.table.select(
        "customer_id", _day=periods.index(moment, "day"), period_index=periods.index(moment, period)
    )
    days = days.filter(days.period_index < end).distinct()
    return session.stored(_with_birth(days, loaded, by), "days")


def _active_days_in_order(part: Part, period: Period, end: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same of rows that are laid out: a day is new with a customer's first row, and where a gap ends."""
    number = periods.of_days(part.days, period)
    new = np.flatnonzero((part.is_first | (part.gaps > 0)) & (number < end))
    day, number, is_first = part.days[new], number[new], part.is_first[new]
    # The days of one customer and period stand together; of the last day nobody knows of a next one.
    starts = np.flatnonzero(is_first | (np.diff(number, prepend=number[:1]) != 0))
    days = np.diff(starts, append=len(new))
    sums = {"period_index": number[starts], "active": 1, "active_days": days, "_squares": days * days}
    active = pd.DataFrame(sums).groupby("period_index", as_index=False).sum()
    is_last = np.append(is_first[1:], True)[: len(new)]
    kept = np.where(is_last, _WEEK, np.minimum(np.diff(day, append=0), _WEEK))
    # A bin for each day and each number of days kept, 1 to a week.
    earliest = part.days.min()
    bins = np.bincount((day - earliest) * _WEEK + kept - 1)
    filled = np.flatnonzero(bins)
    after, less_one = np.divmod(filled, _WEEK)
    changes = {
        "_day": periods.of_days(after + earliest, "day"),
        "_kept": less_one + 1,
        "_change": bins[filled],
    }
    return active, pd.DataFrame(changes)


def _weekly_active(
    counts: pd.DataFrame, frame: pd.DataFrame, period: Period, by: Sequence[str], end: int
) -> pd.Series:
    """The mean over the days of each period of the customers active in a day and the six before it.

    A day keeps its customer among the weekly ones until the seventh day after it, or until the next
    active day takes over: so it is enough to count who begins and who ends on each day.
    """
    ended = counts.assign(_day=counts["_day"] + counts["_kept"], _change=-counts["_change"])
    changes = pd.concat([counts, ended]).rename(columns={"_day": "period_index"})
    changes = changes.groupby(["period_index", *by], dropna=False, as_index=False)["_change"].sum()
    last = periods.index_of(periods.start_of(end, period), "day")
    daily = periods.each_period(changes, by, last)
    daily["weekly_active"] = periods.running_total(daily, "_change", by)
    moments = periods.starts(daily["period_index"], "day")
    starts = {day: _period_of(day, period) for day in moments.unique()}
    daily["period"] = moments.map(starts).astype("datetime64[us]")
    sums = daily.groupby(["period", *by], dropna=False, as_index=False)["weekly_active"].sum()
    found = frame[["period", *by, "days"]].merge(sums, how="left", on=["period", *by])
    known = found["period"] >= moments.min() + pd.Timedelta(days=_WEEK - 1)
    return (found["weekly_active"] / found["days"]).where(known)


def _period_of(day: pd.Timestamp, period: Period) -> pd.Timestamp:
    return periods.start_of(periods.index_of(day, period), period)


def _with_ratios(frame: pd.DataFrame) -> pd.DataFrame:
    """Active days as a mean over customers and as a share of the period, with bounds."""
    n, total = frame["active"], frame["active_days"]
    frame["days_per_customer"] = total / n
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt((n * frame["_squares"] - total**2) / (n * (n - 1)))
    low, high = intervals.mean(frame["days_per_customer"], sd, n)
    # Everyone active was so on one day at least, and on all of them at most.
    frame["low"], frame["high"] = np.maximum(low, 1), np.minimum(high, frame["days"])
    frame["interval"] = pd.Series(intervals.MEAN, index=frame.index, dtype="str")
    frame["daily_active"] = total / frame["days"]
    frame["stickiness"] = frame["days_per_customer"] / frame["days"]
    frame["stickiness_low"] = frame["low"] / frame["days"]
    frame["stickiness_high"] = frame["high"] / frame["days"]
    frame["weekly_stickiness"] = frame["daily_active"] / frame["weekly_active"]
    return frame
