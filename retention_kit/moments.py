"""`as_of`, and how far a table was observed: what may be read from its dates, and what may not."""

import datetime as dt

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit.exceptions import DataError, ParamsError
from retention_kit.opened import Note
from retention_kit.sentences import phrase

Date = str | dt.date | dt.datetime | pd.Timestamp

#: A stretch without rows is unusual beyond this many times the 99th percentile of the days between rows.
_UNUSUAL = 1.5
#: On fewer active days than this nothing is usual yet.
_FEW_DAYS = 10
#: A start in mid-life: so many times more customers first seen in the first 30 days than in any later 30.
_MID_LIFE = 1.5


def words(moment: dt.datetime | None) -> str:
    """A moment as people write it: the date alone at midnight.

    >>> words(dt.datetime(2024, 7, 1)), words(dt.datetime(2024, 7, 1, 8, 30))
    ('2024-07-01', '2024-07-01 08:30')
    """
    if moment is None:
        return "none"
    return moment.date().isoformat() if moment.time() == dt.time() else f"{moment:%Y-%m-%d %H:%M}"


def first_unobserved(as_of: Date) -> dt.datetime:
    """`as_of` as a moment; a date is its local midnight.

    Raises
    ------
    DataError
        When it is no date in ISO form, has a time zone, or is the last day of a month, which nearly
        always means "to the end of that month".

    Examples
    --------
    >>> first_unobserved("2024-07-01")
    datetime.datetime(2024, 7, 1, 0, 0)
    """
    plain = _moment(as_of)
    if plain is None or plain.year == dt.MAXYEAR:
        raise DataError(f"as_of {as_of!r} is no date. Type one such as as_of='2024-07-01'.")
    if plain.tzinfo is not None:
        raise DataError(f"as_of {as_of} has a time zone. Type the local date: as_of='{plain:%Y-%m-%d}'.")
    timed = isinstance(as_of, str) and ":" in as_of
    following = plain + dt.timedelta(days=1)
    if following.day == 1 and plain.time() == dt.time() and not timed:
        raise DataError(
            f"as_of {words(plain)} is the last day of a month, and as_of is the first moment not observed: "
            "that day, and so the month, would be left out. "
            f"Type as_of='{words(following)}' for the whole month, "
            f"or as_of='{words(plain)}T00:00' to leave the day out."
        )
    return plain


def _moment(as_of: Date) -> dt.datetime | None:
    """ISO alone: 01/08/2024 is two dates, and today is another date tomorrow."""
    try:
        if isinstance(as_of, str):
            return dt.datetime.fromisoformat(as_of.strip())
        if isinstance(as_of, (dt.date, np.datetime64)) and not pd.isna(as_of):
            return pd.Timestamp(as_of).to_pydatetime(warn=False)
    except ValueError:
        pass
    return None


def given(name: str, value: Date) -> pd.Timestamp:
    """A parameter such as `start` as a moment; a date is its local midnight.

    Raises
    ------
    ParamsError
        When it is no date, or has a time zone.

    Examples
    --------
    >>> given("start", "2024-01-01")
    Timestamp('2024-01-01 00:00:00')
    """
    try:
        moment = pd.Timestamp(value)
    except (ValueError, TypeError):
        moment = pd.NaT
    if pd.isna(moment) or moment.tzinfo is not None:
        raise ParamsError(
            f"{name} {value!r} is no date without a time zone. Type one as {name}='2024-01-01'."
        )
    return moment


def resolve(as_of: Date | None, table: ir.Table, moment: str | None, kind: str) -> dt.datetime | None:
    """The moment a table is read as of; a table without dates needs none.

    Raises
    ------
    DataError
        When it is missing (the message gives the value to type) or leaves no row.
    """
    if moment is None or moment not in table.columns:
        return None if as_of is None else first_unobserved(as_of)
    span = table.aggregate(first=table[moment].min(), last=table[moment].max()).to_pyarrow().to_pylist()[0]
    first, last = span["first"], span["last"]
    if as_of is None and last is None:
        return None  # the checks say why there is no row with a date
    if as_of is None:
        raise DataError(
            f"{kind} needs as_of, the first moment not observed. Type as_of='{_after(last)}' for all rows."
        )
    end = first_unobserved(as_of)
    if first is not None and end <= first:
        raise DataError(
            f"as_of {words(end)} leaves no row: the first of {kind} is of {words(first)}. "
            f"Type as_of='{_after(last)}' for all rows."
        )
    return end


def _after(last: dt.datetime) -> str:
    following = last.date() + dt.timedelta(days=1)
    return following.isoformat() + ("T00:00" if pd.Timestamp(following).is_month_end else "")


def observed_until(days: np.ndarray, end: dt.datetime) -> tuple[dt.datetime, tuple[Note, ...]]:
    """How far the rows of these days can be trusted to be all: `as_of`, or the day after the last row.

    A file that stops weeks before `as_of` did not lose its customers; it stopped. Where no row falls
    between the last one and `as_of` for unusually long, what follows the last row was not observed.
    """
    if len(days) < _FEW_DAYS:
        return end, ()
    last = days[-1]
    empty = (np.datetime64(end.date()) - last).astype(int) - 1
    if empty < 1 or empty + 1 <= _longest_usual(days):
        return end, ()
    until = (last + 1).astype("datetime64[us]").item()
    told = {"last": str(last), "empty": empty, "as_of": end}
    return until, (Note("warning", phrase("note.stops_early", **told)),)


def active_days(table: ir.Table, moment: str) -> np.ndarray:
    """The days that have a row, in order."""
    days = (
        table.select(day=table[moment].date()).distinct().to_pyarrow()["day"].to_numpy(zero_copy_only=False)
    )
    return np.sort(days.astype("datetime64[D]"))


def _longest_usual(days: np.ndarray) -> float:
    gaps = np.diff(days).astype(int)
    return _UNUSUAL * float(np.quantile(gaps, 0.99))


def warnings(days: np.ndarray, customers: ir.Table) -> tuple[Note, ...]:
    """What a careful analyst would ask about what customers did before believing any number made from it."""
    counts = customers.aggregate(
        customers=customers.count(), once=(customers.rows == 1).sum(), start=customers["first"].min()
    )
    found = counts.to_pyarrow().to_pylist()[0]
    return (
        *_one_order_each(found),
        *_starts_mid_life(customers, found["start"]),
        *_holes(days),
    )


def _one_order_each(counts: dict) -> list[Note]:
    share = counts["once"] / counts["customers"]
    if counts["customers"] < 20 or share < 0.9:
        return []
    return [Note("warning", phrase("note.one_order_each", share=share, **counts))]


def _starts_mid_life(customers: ir.Table, start: dt.datetime) -> list[Note]:
    since = int(start.replace(tzinfo=dt.UTC).timestamp())
    windows = (customers["first"].epoch_seconds() - since).cast("float64") / (30 * 86_400)
    counted = customers.group_by(window=windows.floor().cast("int64")).aggregate(customers=customers.count())
    sizes = {row["window"]: row["customers"] for row in counted.to_pyarrow().to_pylist()}
    later = max((n for window, n in sizes.items() if window > 0), default=0)
    if not later:
        return [Note("warning", phrase("note.too_short"))]
    if sizes[0] < _MID_LIFE * later:
        return []
    told = phrase("note.mid_life", first=sizes[0], start=start, later=later)
    return [Note("warning", told, code="mid_life")]


def _holes(days: np.ndarray) -> list[Note]:
    if len(days) < _FEW_DAYS:
        return []
    gaps = np.diff(days).astype(int)
    longest = int(gaps.max())
    if longest < 7 or longest <= _longest_usual(days):
        return []
    where = int(gaps.argmax())
    told = {"days": longest - 1, "before": str(days[where]), "after": str(days[where + 1])}
    return [Note("warning", phrase("note.hole", **told))]
