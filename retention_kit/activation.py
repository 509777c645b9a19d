"""Who does something in their first days, and who of them is still there later."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import ibis
import numpy as np
import pandas as pd

from retention_kit import intervals, lengths, periods, tables
from retention_kit.exceptions import DataError, did_you_mean
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded
from retention_kit.windows import DAYS

_ACTIVATION = (
    *("activation", "customers", "observed", "share", "share_low", "share_high"),
    *("retained", "retention_rate", "low", "high"),
    *("difference", "difference_low", "difference_high", "interval"),
)


def activation(
    events: Any,
    *,
    event: str,
    within_days: int,
    as_of: Date | None = None,
    period: Period = "month",
    age: int = 1,
    by: Columns = None,
) -> pd.DataFrame:
    """Do customers who did something in their first days come back more than those who did not?

    It says who comes back, not why: customers chose to do it, and those who choose to are keener to
    begin with. Whether bringing others to do it would keep them, only a test with groups drawn at
    random can tell (`comparisons.compare` with `chosen="assigned"`).

    Both groups are followed from one moment, the end of their first days, so nothing counts twice and
    nobody is helped by having stayed long enough to do it. Only customers observed from their first
    event to the end of the compared period count.

    Parameters
    ----------
    events : DataFrame, Ibis table or Loaded
        `customer_id`, `occurred_at`, `event`.
    event : str
        What counts as activated.
    within_days : int
        The first days: so many times 24 hours from a customer's first event of any kind.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    period : {"month", "day", "week", "quarter", "year"}
        The length of the period compared, elapsed and not of the calendar: 30, 1, 7, 91 or 365 days.
    age : int
        Which period after the first days; 1 begins as they end.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first event.

    Returns
    -------
    DataFrame
        One row a group with customers in it: the `by` columns, `activation` (`activated` or
        `not_activated`), `customers`, `observed` (of both groups), `share` (customers / observed) with
        `share_low`, `share_high`; `retained` (with an event of any kind in the compared period),
        `retention_rate` (retained / customers) with `low`, `high`; `difference` (from the other group's
        rate) with `difference_low`, `difference_high`, empty without another group; `interval` (95 %).
        Its `attrs["caveat"]` is what to print beside it.

    Raises
    ------
    DataError
        When it is given orders, a column or `as_of` is missing, nobody ever did `event`, or a number or
        the period cannot be.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> saved = activation(
    ...     datasets.tiny_events(), event="saved_favourite", within_days=7, as_of=datasets.TINY_AS_OF
    ... )
    >>> saved[["activation", "customers", "retained"]].to_numpy().tolist()
    [['activated', 2, 1], ['not_activated', 3, 1]]
    """
    split = tables.by_columns(by, taken=("customer_id", "activated", *_ACTIVATION))
    _check_number("within_days", within_days)
    _check_number("age", age)
    length = DAYS[lengths.unit(period)]
    loaded = _events(events, as_of, split)
    counted = _activated(loaded, event, within_days, length, age, split)
    if not counted["activated"].any():
        _check_event(loaded, event)
    frame = _with_difference(counted, split)
    told = {"event": event, "within": within_days, "length": length, "age": age}
    told = loaded.told(phrase("definition.activation", unit=lengths.unit(period), **told))
    frame.attrs = told | {"caveat": phrase("caveat.activation")}
    return frame


# ---------------------------------------------------------------------------------------------------


def _check_number(name: str, value: Any) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise DataError(f"{name} is a whole number from 1, and it was {value!r}. Type {name}=1, or more.")


def _events(events: Any, as_of: Date | None, by: Sequence[str]) -> Loaded:
    loaded = tables.orders_or_events(events, as_of=as_of, columns=by)
    if loaded.kind != "events":
        raise DataError(
            "activation needs events, what customers did and when, and it was given orders. "
            "Load them with tables.load_events: customer_id, occurred_at, event."
        )
    if "event" not in loaded.table.columns:
        raise DataError(
            f"activation needs to know what was done, and events has no column event. It has "
            f"{list(loaded.table.columns)}. Map yours onto it with columns={{'event': 'your_name'}}."
        )
    return loaded


def _activated(
    loaded: Loaded, event: str, within_days: int, length: int, age: int, by: Sequence[str]
) -> pd.DataFrame:
    """Customers who did and who did not do `event` in their first days, and how many were seen later."""
    table = loaded.table
    first = table.group_by("customer_id").aggregate(_birth=table.occurred_at.min())
    until = loaded.observed_until - pd.Timedelta(days=within_days + age * length)
    rows = table.select(
        "customer_id", "occurred_at", done=(table.event.cast("string") == str(event)).fill_null(False)
    ).join(first.filter(first._birth <= until), "customer_id")
    opens, begins, ends = (
        rows._birth + ibis.interval(days=days)
        for days in (within_days, within_days + (age - 1) * length, within_days + age * length)
    )
    people = rows.group_by("customer_id").aggregate(
        activated=(rows.done & (rows.occurred_at < opens)).any(),
        retained=((rows.occurred_at >= begins) & (rows.occurred_at < ends)).any(),
    )
    people = people.join(periods.birth_values(loaded, by), "customer_id") if by else people
    counted = people.group_by("activated", *by).aggregate(
        customers=people.count(), retained=people.retained.sum()
    )
    return counted.to_pandas().astype({"activated": "bool", "customers": "int64", "retained": "int64"})


def _check_event(loaded: Loaded, event: str) -> None:
    """Nobody did it in time: because nobody ever did, or because it is called something else?"""
    names = loaded.table.select(event=loaded.table.event.cast("string")).distinct().to_pandas()["event"]
    known = sorted(names.dropna())
    if str(event) not in known:
        hint = did_you_mean(str(event), known)
        raise DataError(f"event {event!r} is not known.{hint} Choose one of {known[:20]}.")


def _with_difference(counted: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Each group's share and rate, beside those of the other group."""
    names = {"customers": "_customers", "retained": "_retained"}
    other = counted.assign(activated=~counted["activated"]).rename(columns=names)
    frame = counted.merge(other, how="left", on=[*by, "activated"])
    customers, retained = frame["customers"], frame["retained"]
    words = np.where(frame["activated"], "activated", "not_activated")
    frame["activation"] = pd.Series(words, dtype="str")
    frame["observed"] = customers + frame["_customers"].fillna(0).astype("int64")
    frame["share"] = customers / frame["observed"]
    frame["share_low"], frame["share_high"] = intervals.wilson(customers, frame["observed"])
    frame["retention_rate"] = retained / customers
    frame["low"], frame["high"] = intervals.wilson(retained, customers)
    frame["difference"] = frame["retention_rate"] - frame["_retained"] / frame["_customers"]
    frame["difference_low"], frame["difference_high"] = intervals.difference(
        retained, customers, frame["_retained"], frame["_customers"]
    )
    methods = f"{intervals.WILSON}; difference {intervals.NEWCOMBE}"
    frame["interval"] = pd.Series(methods, index=frame.index, dtype="str")
    return frame.sort_values([*by, "activation"])[[*by, *_ACTIVATION]].reset_index(drop=True)
