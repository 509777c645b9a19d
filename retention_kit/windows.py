"""How ages are counted: calendar periods or elapsed windows, who can be judged yet, and what counts as back.

Below the metrics, which name what they count; above `periods`, which knows the calendar.
"""

import datetime as dt
import itertools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import histories, lengths, periods, sequences, tables
from retention_kit.exceptions import DataError, did_you_mean
from retention_kit.lengths import Period
from retention_kit.phrases import Phrase
from retention_kit.sentences import phrase
from retention_kit.sequences import Part
from retention_kit.tables import Loaded

Counting = Literal["on", "on_or_after"] | Sequence[tuple[int, int]]
Window = Literal["calendar", "elapsed", "elapsed_days"]
Denominator = Literal["cohort", "eligible"]
AgeZero = Literal["birth", "return"]

#: Days of an elapsed window: the whole number nearest to the mean calendar period.
DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}

_BRACKETS = "write brackets as pairs of whole ages from 0, first and last, such as [(1, 3), (4, 6)]"


@dataclass(frozen=True)
class Windows:
    """What is asked of ages, checked: `brackets` are the ranges of ages, sorted, or None.

    >>> Windows("month", counting=[(4, 6), (1, 3)]).brackets
    ((1, 3), (4, 6))
    """

    period: Period
    counting: Counting = "on"
    window: Window = "calendar"
    denominator: Denominator = "cohort"
    age_zero: AgeZero = "birth"

    def __post_init__(self) -> None:
        periods.check_period(self.period)
        check_option("window", self.window, ("calendar", "elapsed", "elapsed_days"))
        check_option("denominator", self.denominator, ("cohort", "eligible"))
        check_option("age_zero", self.age_zero, ("birth", "return"))
        if isinstance(self.counting, str):
            check_option("counting", self.counting, ("on", "on_or_after"), f"Or {_BRACKETS}.")
        else:
            object.__setattr__(self, "counting", _checked_brackets(self.counting))

    @property
    def brackets(self) -> tuple[tuple[int, int], ...] | None:
        return None if isinstance(self.counting, str) else self.counting

    @property
    def days(self) -> int:
        """The length of an elapsed window."""
        return DAYS[lengths.unit(self.period)]

    @property
    def by_customer(self) -> bool:
        """Whether each customer's own windows decide what is over; calendar periods end for all at once."""
        return self.denominator == "eligible" and self.window != "calendar"


def check_option(name: str, value: Any, allowed: Sequence[str], otherwise: str = "") -> None:
    """Refuse the value of an option that is none of those allowed.

    >>> check_option("window", "elapsed", ("calendar", "elapsed"))
    """
    if value not in allowed:
        hint = did_you_mean(str(value), allowed)
        choices = f"Choose one of {list(allowed)}. {otherwise}".rstrip()
        raise DataError(f"{name} {value!r} is not known.{hint} {choices}")


def _checked_brackets(brackets: Any) -> tuple[tuple[int, int], ...]:
    try:
        pairs = sorted((operator.index(first), operator.index(last)) for first, last in brackets)
    except (TypeError, ValueError):
        pairs = []
    if not pairs or pairs[0][0] < 0:
        raise DataError(f"counting {brackets!r} is not known: {_BRACKETS}, or 'on', or 'on_or_after'.")
    for first, last in pairs:
        if last < first:
            raise DataError(f"counting has the bracket {(first, last)}, which ends before it begins.")
    for before, after in itertools.pairwise(pairs):
        if after[0] <= before[1]:
            raise DataError(
                f"counting has brackets that overlap: {before} and {after}. Each age belongs to one at most."
            )
    return tuple(pairs)


def pair(loaded: Loaded, events: Any, by: Sequence[str] = ()) -> Loaded:
    """The rows that count when one event makes a customer and another brings them back.

    One row for each customer's first such event, and every returning event at that moment or later. What a
    customer did before is no return, and who never had the first event is no customer. The columns of
    `by` stand in the first row, as they were there.

    Raises
    ------
    DataError
        When `events` is no pair, or names an event that no row has.
    """
    first, returning = _checked_events(loaded.table, events)
    table = loaded.table
    births = replace(loaded, table=table.filter(_name(table) == first))
    if first == returning:
        return births
    moments = births.table.select("customer_id", _moment=births.table[loaded.moment])
    born = moments.group_by("customer_id").aggregate(_born=moments._moment.min())
    firsts = born.join(periods.birth_values(births, by), "customer_id") if by else born
    firsts = firsts.select(*by, "customer_id", _moment=firsts._born)
    again = table.filter(_name(table) == returning).select("customer_id", _moment=table[loaded.moment])
    again = again.join(born, "customer_id").filter(lambda t: t._moment >= t._born)
    nothing = {column: ibis.null(table[column].type()) for column in by}
    again = again.select(**nothing, customer_id=again.customer_id, _moment=again._moment)
    return replace(loaded, table=ibis.union(firsts, again).rename({loaded.moment: "_moment"}))


def _name(table: ir.Table) -> ir.StringValue:
    return table.event.cast("string")


def _checked_events(table: ir.Table, events: Any) -> tuple[str, str]:
    if isinstance(events, str) or not isinstance(events, Iterable) or len(names := tuple(events)) != 2:
        raise DataError(
            f"events {events!r} is no pair. Name the event that makes a customer and the one that counts as "
            "a return, such as events=('signed_up', 'played')."
        )
    first, returning = (str(name) for name in names)
    distinct = table.select(event=_name(table)).distinct()
    found = distinct.filter(distinct.event.isin([first, returning])).to_pyarrow()["event"].to_pylist()
    for name in (first, returning):
        if name not in found:
            raise DataError(_unknown_event(name, distinct))
    return first, returning


def _unknown_event(name: str, distinct: ir.Table) -> str:
    there = sorted(distinct.filter(distinct.event.notnull()).to_pyarrow()["event"].to_pylist())
    more = f" and {len(there) - 12:,} more" if len(there) > 12 else ""
    return f"event {name!r} is in no row.{did_you_mean(name, there)} There are {there[:12]}{more}."


def ages(loaded: Loaded, how: Windows, by: Sequence[str] = ()) -> ir.Table:
    """One row a customer and age with something done; the birth makes age 0.

    Returns
    -------
    Table
        `customer_id`, `_cohort` (the calendar period of birth), the columns of `by` as at the first row,
        `age`, `_times` (rows in it), of calendar periods `_amount` where there are amounts, and where each
        customer's own windows decide, `_ended` (how many of them are over).
    """
    aged = _calendar_ages(loaded, how) if how.window == "calendar" else _elapsed_ages(loaded, how)
    return aged.join(periods.birth_values(loaded, by), "customer_id") if by else aged


def _calendar_ages(loaded: Loaded, how: Windows) -> ir.Table:
    """Distinct customer-periods first, each customer's first period joined on: one pass over the rows."""
    active = periods.activity(loaded, how.period)
    aged = active.join(periods.cohorts(active), "customer_id")
    columns = {"_cohort": aged.cohort_index, "age": aged.period_index - aged.cohort_index}
    money = {"_amount": aged.amount} if "amount" in active.columns else {}
    return aged.select("customer_id", **columns, _times=aged.times, **money)


def _elapsed_ages(loaded: Loaded, how: Windows) -> ir.Table:
    rows = loaded.table.select("customer_id", _moment=loaded.table[loaded.moment])
    births = rows.group_by("customer_id").aggregate(_born=rows._moment.min())
    since = rows.join(births, "customer_id")
    age = _elapsed(since._moment, since._born, how)
    aged = since.group_by("customer_id", "_born", age=age).aggregate(_times=since.count())
    until = ibis.timestamp(loaded.observed_until)
    own = {"_ended": _elapsed(until, aged._born, how)} if how.by_customer else {}
    return aged.mutate(_cohort=periods.index(aged._born, how.period), **own).drop("_born")


def _elapsed(later: ir.TimestampValue, born: ir.TimestampValue, how: Windows) -> ir.IntegerValue:
    """How many whole windows lie between two moments; by dates alone, the hour does not count."""
    if how.window == "elapsed_days":
        windows = later.date().delta(born.date(), unit="day") / how.days
    else:
        windows = later.delta(born, unit="microsecond") / (how.days * sequences.DAY)
    return windows.floor().cast("int64")


def ages_in_order(part: Part, how: Windows) -> np.ndarray:
    """The age of each row, of rows that are laid out."""
    if how.window == "calendar":
        number = periods.of_days(part.days, how.period)
        return number - np.repeat(number[part.starts], part.sizes)
    if how.window == "elapsed_days":
        return (part.days - np.repeat(part.days[part.starts], part.sizes)) // how.days
    return (part.moments - np.repeat(part.moments[part.starts], part.sizes)) // (how.days * sequences.DAY)


def ended_in_order(part: Part, until: dt.datetime, how: Windows) -> np.ndarray:
    """How many of each customer's own elapsed windows are over."""
    now = sequences.microseconds(until)
    if how.window == "elapsed_days":
        return (now // sequences.DAY - part.days[part.starts]) // how.days
    return (now - part.moments[part.starts]) // (how.days * sequences.DAY)


def ended(cohorts: pd.Series, loaded: Loaded, how: Windows) -> pd.Series:
    """How many windows are over for every customer a cohort can have, the last one born included."""
    incomplete = periods.first_incomplete(loaded, how.period)
    if how.window == "calendar":
        return incomplete - cohorts
    length, until = dt.timedelta(days=how.days), pd.Timestamp(loaded.observed_until)
    if how.window == "elapsed_days":
        # By dates, the last customer is born on the cohort's last day, and not just before the next cohort's.
        until = until.normalize() + dt.timedelta(days=1)
    ends = {number: periods.start_of(number + 1, how.period) for number in cohorts.unique()}
    return cohorts.map({number: (until - end) // length for number, end in ends.items()}).astype("int64")


def cells(loaded: Loaded, how: Windows, by: Sequence[str] = ()) -> pd.DataFrame:
    """Every cohort and age (or bracket of ages) that can be judged, with who could be back and who was.

    Returns
    -------
    DataFrame
        `_cohort`, the columns of `by`, `age`, `last_age` (the same, but of brackets), `customers`,
        `retained`. An observed nothing is a row with 0; what was not observed has no row.
    """
    keys = ["_cohort", *by, *(["_ended"] if how.by_customer else [])]
    sizes, back = _counted(loaded, how, by, keys)
    if not how.by_customer:
        sizes["_ended"] = ended(sizes["_cohort"], loaded, how)
        back["_ended"] = ended(back["_cohort"], loaded, how)
    grid = observed_grid(sizes, by, how.brackets)
    if how.counting == "on_or_after":
        # Who was back at the last age was so at every age before; only ages that are over can show it.
        back["last_age"] = back["age"] = np.minimum(back["age"], back["_ended"] - 1)
    back = back[back["last_age"] < back["_ended"]]
    slots = ["_cohort", *by, "age"]
    found = back.groupby(slots, dropna=False, as_index=False)["retained"].sum()
    dense = grid.merge(found, on=slots, how="left")
    dense["retained"] = dense["retained"].fillna(0).astype("int64")
    if how.counting == "on_or_after":
        backwards = dense.iloc[::-1].groupby(["_cohort", *by], dropna=False)["retained"]
        dense["retained"] = backwards.cumsum()
    return dense


def _counted(
    loaded: Loaded, how: Windows, by: Sequence[str], keys: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The usual question is read off histories where there are any; others ask for each customer's ages."""
    if (how.window, how.counting, how.age_zero) == ("calendar", "on", "birth"):
        found = histories.retained_by_age(loaded, how.period, by)
        if found is not None:
            births = found.loc[found["age"] == 0, [*keys, "retained"]]
            return births.rename(columns={"retained": "customers"}), found.assign(last_age=found["age"])
    return _COUNTS.get(how.counting, _in_brackets)(ages(loaded, how, by), how, keys)


def observed_grid(
    sizes: pd.DataFrame, by: Sequence[str], brackets: Sequence[tuple[int, int]] | None = None
) -> pd.DataFrame:
    """Every age (or bracket) of each cohort that is over for somebody, and for how many customers.

    `sizes` has `_cohort`, the columns of `by`, `customers` and `_ended`, the windows that are over.
    """
    oldest = max(sizes["_ended"].max(), 0)
    slots = [(age, age) for age in range(oldest)] if brackets is None else brackets
    grid = sizes.merge(pd.DataFrame(slots, columns=["age", "last_age"], dtype="int64"), how="cross")
    grid = grid[grid["last_age"] < grid["_ended"]]
    keys = ["_cohort", *by, "age", "last_age"]
    grid = grid.groupby(keys, dropna=False, as_index=False)["customers"].sum()
    return grid.astype({"customers": "int64"})


# -- in words ------------------------------------------------------------------------------------------------


def definition(loaded: Loaded, how: Windows, by: Sequence[str] = (), events: Any = None) -> Phrase:
    """What a retention rate so counted is, in words."""
    rows, named = (loaded.kind, {}) if events is None else ("named", {"birth": events[0], "back": events[1]})
    told_at_birth = how.age_zero == "return" or events is not None
    return phrase(
        f"definition.retention_rates.{rows}",
        **named,
        cohort=phrase(f"definition.cohort.{how.period}"),
        when=_when(how),
        over=_what_is_over(how),
        zero=phrase(f"definition.age_zero.{how.age_zero}") if told_at_birth else "",
        by=tables.by_words("sentence", by),
    )


def _when(how: Windows) -> Phrase:
    after = "_brackets" if how.brackets else "_or_after" if how.counting == "on_or_after" else ""
    if how.window == "calendar":
        return phrase(f"definition.when.calendar{after}", unit=lengths.unit(how.period))
    hours = how.window == "elapsed" and how.days == 1
    length = phrase("definition.length.day") if hours else phrase("definition.length.days", days=how.days)
    since = phrase(f"definition.since.{how.window}")
    return phrase(f"definition.when.window{after}", length=length, since=since)


def _what_is_over(how: Windows) -> Phrase:
    cells = "_brackets" if how.brackets else ""
    if how.by_customer:
        return phrase(f"definition.over.own{cells}")
    if how.window != "calendar":
        return phrase(f"definition.over.window{cells}")
    together = "_eligible" if how.denominator == "eligible" else ""
    return phrase(f"definition.over.calendar{cells}{together}", unit=lengths.unit(how.period))


# -- the three ways of counting: each one query, into sizes (`customers`) and who was back (`retained`) -----


def _is_back(aged: ir.Table, how: Windows) -> ir.BooleanValue:
    """Whether a customer-age counts: all do, or at age 0 only with another row than the birth itself."""
    return ibis.literal(True) if how.age_zero == "birth" else (aged.age > 0) | (aged._times > 1)


def _on(aged: ir.Table, how: Windows, keys: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    again = {} if how.age_zero == "birth" else {"retained": _is_back(aged, how).sum()}
    counted = aged.group_by(*keys, "age").aggregate(customers=aged.count(), **again).to_pandas()
    births = counted.loc[counted["age"] == 0, [*keys, "customers"]].reset_index(drop=True)
    back = counted if again else counted.assign(retained=counted["customers"])
    return births, back.assign(last_age=back["age"])[[*keys, "age", "last_age", "retained"]]


def _on_or_after(aged: ir.Table, how: Windows, keys: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    last = _is_back(aged, how).ifelse(aged.age, -1).max()
    customers = aged.group_by("customer_id", *keys).aggregate(age=last)
    counted = customers.group_by(*keys, "age").aggregate(retained=customers.count()).to_pandas()
    births = counted.groupby(list(keys), dropna=False, as_index=False).agg(customers=("retained", "sum"))
    return births, counted[counted["age"] >= 0].reset_index(drop=True)


def _in_brackets(aged: ir.Table, how: Windows, keys: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    back = _is_back(aged, how)
    once = {f"_{first}": (back & aged.age.between(first, last)).any() for first, last in how.brackets}
    customers = aged.group_by("customer_id", *keys).aggregate(**once)
    sums = {name: customers[name].sum() for name in once}
    counted = customers.group_by(*keys).aggregate(customers=customers.count(), **sums).to_pandas()
    found = [
        counted[keys].assign(age=first, last_age=last, retained=counted[f"_{first}"])
        for first, last in how.brackets
    ]
    return counted[[*keys, "customers"]].copy(), pd.concat(found, ignore_index=True)


_COUNTS = {"on": _on, "on_or_after": _on_or_after}
