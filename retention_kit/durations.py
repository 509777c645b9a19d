"""Durations, and whether they have ended, in whatever form they are given, as one histogram.

The forms are

- a frame with `duration`, `event` (true where it ended, false where it was still running) and, where a
  row stands for many, `customers`: that of a million customers is a few hundred rows;
- a curve from `survival.survival_curve`, which is such a histogram itself;
- plain columns: `durations`, `events` and, where each stands for many, `weights`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from retention_kit import tables
from retention_kit.exceptions import DataError

#: What a result of `survival` has columns for, and groups cannot be called.
TAKEN = (
    *("duration", "event", "customers", "at_risk", "events", "censored", "survival", "low", "high"),
    *("interval", "median", "restricted_mean", "mean_low", "mean_high", "horizon"),
)


def histogram(
    durations: Any, events: Any = None, weights: Any = None, by: Any = None
) -> tuple[pd.DataFrame, list[str]]:
    """One row a group and distinct duration, 0 always among them; and the groups' columns.

    Returns
    -------
    DataFrame, list of str
        The groups, `duration`, `events` (ended then), `censored` (still running when last seen, then);
        sorted. A group without a customer has no row.

    Raises
    ------
    DataError
        When a column is missing, a duration is negative or no number, an event is not yes or no, or a
        weight is no count.

    Examples
    --------
    >>> histogram([2, 5, 2], [1, 0, 1])[0].to_numpy().tolist()
    [[0, 0, 0], [2, 2, 0], [5, 0, 1]]
    """
    if not isinstance(durations, pd.DataFrame):
        rows, groups = _of_columns(durations, events, weights, by)
    elif events is None and weights is None:
        rows, groups = _of_frame(durations, by)
    else:
        raise DataError("events and weights go with plain durations. A frame has event and customers.")
    rows = rows.assign(
        duration=non_negative(rows["duration"]),
        event=_events(rows["event"]),
        customers=_counts(rows["customers"]),
    )
    rows = rows[rows["customers"] > 0]
    starts = rows.drop_duplicates(groups) if groups else rows.iloc[:1]
    rows = pd.concat([rows, starts.assign(duration=rows["duration"].dtype.type(0), customers=0)])
    rows = rows.assign(events=rows["customers"] * rows["event"])
    rows["censored"] = rows["customers"] - rows["events"]
    keys = [*groups, "duration"]
    return rows.groupby(keys, dropna=False)[["events", "censored"]].sum().reset_index(), groups


def _of_frame(frame: pd.DataFrame, by: Any) -> tuple[pd.DataFrame, list[str]]:
    groups = list(tables.by_columns(by, taken=TAKEN))
    is_curve = "event" not in frame and {"events", "censored"} <= set(frame)
    wanted = [*groups, "duration", *(() if is_curve else ("event",))]
    missing = [name for name in wanted if name not in frame]
    if missing:
        raise DataError(
            f"durations is missing {missing}. It has {list(frame.columns)}. "
            "A frame needs duration and event; customers where a row stands for many; and what by= names."
        )
    if is_curve:
        sides = {True: frame["events"], False: frame["censored"]}
        rows = [frame[wanted].assign(event=ended, customers=count) for ended, count in sides.items()]
        return pd.concat(rows, ignore_index=True), groups
    return frame[wanted].assign(customers=frame.get("customers", 1)), groups


def _of_columns(durations: Any, events: Any, weights: Any, by: Any) -> tuple[pd.DataFrame, list[str]]:
    if events is None:
        raise DataError("events is missing. Say of each duration whether it has ended: True or False.")
    if isinstance(by, str):
        raise DataError(f"by={by!r} names a column, and plain durations have none. Give the group of each.")
    group = tables.by_columns(getattr(by, "name", None) or "group", taken=TAKEN)[0]
    columns = {"duration": durations, "event": events, "customers": weights, group: by}
    given = {name: pd.Series(column).array for name, column in columns.items() if column is not None}
    lengths = {name: len(column) for name, column in given.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"Of each duration one value is needed, and there are {lengths}.")
    rows = pd.DataFrame(given)
    return (rows if "customers" in rows else rows.assign(customers=1)), [group] if by is not None else []


def non_negative(values: Any) -> np.ndarray:
    """The values as numbers, whole ones as int64.

    Raises
    ------
    DataError
        When one is no number, or negative.
    """
    return _checked("durations", values, lambda number: number >= 0, "Give numbers (of days, say) from 0 up.")


def _events(values: Any) -> np.ndarray:
    hint = "Give 1 (True) where it has ended and 0 (False) where it had not when last seen."
    return _checked("events", values, lambda number: number.isin([0, 1]), hint).astype("int64")


def _counts(values: Any) -> np.ndarray:
    hint = "Give counts of customers: whole, and not below 0."
    return _checked("customers", values, lambda number: (number >= 0) & (number % 1 == 0), hint).astype(
        "int64"
    )


def _checked(name: str, values: Any, valid: Callable[[pd.Series], pd.Series], hint: str) -> np.ndarray:
    given = pd.Series(values).reset_index(drop=True)
    is_time = given.dtype.kind in "mM"  # a span of time would turn into nanoseconds
    numbers = pd.Series(np.nan, given.index) if is_time else pd.to_numeric(given, errors="coerce")
    floats = pd.Series(numbers.to_numpy(dtype="float64", na_value=np.nan))
    bad = ~(np.isfinite(floats) & valid(floats))
    if bad.any():
        raise DataError(f"{name} holds {given[bad].iloc[0]} ({bad.sum()} of {len(bad)} values). {hint}")
    return numbers.to_numpy(dtype="int64" if numbers.dtype.kind in "iub" else "float64")
