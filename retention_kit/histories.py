"""In which periods each customer was there, as bits: the histogram all retention by calendar is made of.

A customer's history becomes a few whole numbers with one bit a period, and customers with the same history
are counted together. That takes one pass over the rows and no join, and what comes back is small: two
years of months leave some ten thousand histories, of a million customers or of a hundred million.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import periods, session
from retention_kit.lengths import Period
from retention_kit.sequences import Part, Sequences
from retention_kit.tables import Loaded

#: Bits a word holds: the sign stays out of it, and so do the highest, where engines differ.
_BITS = 62
#: Words a history may take; beyond (days over more than eight months) histories are nearly all different.
_WORDS = 4


@dataclass(frozen=True)
class Histories:
    """How many customers have each history: bit p is set where they were there in period `first + p`."""

    first: int
    length: int
    groups: pd.DataFrame  # the columns of `by`, a row a history
    customers: np.ndarray
    words: np.ndarray  # a row a history, a column a word

    def at(self, period: int) -> np.ndarray:
        """Whether each history was there in the period of that number; before and after the data, nowhere."""
        bit = period - self.first
        if not 0 <= bit < self.length:
            return np.zeros(len(self.customers), dtype=bool)
        return (self.words[:, bit // _BITS] >> (bit % _BITS)) & 1 == 1

    def each(self) -> Iterator[tuple[int, np.ndarray]]:
        """Every period's number, with who was there."""
        for period in range(self.first, self.first + self.length):
            yield period, self.at(period)

    def total(self, number: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Customers of the chosen histories, by the number of each history's group."""
        return np.bincount(number, weights=self.customers * chosen).astype("int64")

    @property
    def cohorts(self) -> np.ndarray:
        """The number of each history's first period."""
        found = np.full(len(self.customers), -1, dtype="int64")
        for period, there in self.each():
            found[there & (found < 0)] = period
        return found


def counted(loaded: Loaded, period: Period, by: Sequence[str] = ()) -> Histories | None:
    """The histories of a table's customers; None where another way is better.

    That is on other engines than the session's own (not all of them have the bits), and where there are
    too many periods. It is counted once a table: the next metric that asks finds it.
    """
    asked = ("histories", period, tuple(by))
    if asked not in loaded.kept:
        loaded.kept[asked] = _count(loaded, period, by) if session.holds(loaded.table) else None
    return loaded.kept[asked]


def retained_by_age(loaded: Loaded, period: Period, by: Sequence[str] = ()) -> pd.DataFrame | None:
    """How many of each cohort were there at each age: `_cohort`, the `by` columns, `age`, `retained`.

    Only ages at which somebody was there have a row; age 0 holds the whole cohort. None where there are
    no histories.
    """
    found = counted(loaded, period, by)
    if found is None:
        return None
    keys = found.groups.assign(_cohort=found.cohorts)
    number = keys.groupby(["_cohort", *by], dropna=False, sort=False).ngroup().to_numpy()
    named = keys.assign(_number=number).drop_duplicates("_number").sort_values("_number", ignore_index=True)
    per_age = [
        named.assign(age=period - named["_cohort"], retained=found.total(number, there))
        for period, there in found.each()
    ]
    long = pd.concat(per_age, ignore_index=True)
    return long.loc[long["retained"] > 0, ["_cohort", *by, "age", "retained"]].reset_index(drop=True)


def _count(loaded: Loaded, period: Period, by: Sequence[str]) -> Histories | None:
    if not len(loaded.days):
        return None
    first, last = (periods.index_of(day, period) for day in loaded.days[[0, -1]].tolist())
    length = last - first + 1
    if length > _BITS * _WORDS:
        return None
    names = [f"_word_{word}" for word in range(-(-length // _BITS))]
    if by or loaded.in_order is None:
        counted = _of_each_customer(loaded, period, by, names, first).to_pandas()
    else:
        counted = _in_order(loaded.in_order, period, names, first)
    return Histories(
        first,
        length,
        counted[list(by)],
        counted["_customers"].to_numpy("int64"),
        counted[names].to_numpy("int64"),
    )


def _in_order(in_order: Sequences, period: Period, names: list[str], first: int) -> pd.DataFrame:
    """Of rows that are laid out: no customer has to be found again."""

    def of_part(part: Part) -> pd.DataFrame:
        word, bit = np.divmod(periods.of_days(part.days, period) - first, _BITS)
        bits = np.left_shift(1, bit)
        words = [
            np.bitwise_or.reduceat(np.where(word == number, bits, 0), part.starts)
            for number in range(len(names))
        ]
        alike = pd.DataFrame(dict(zip(names, words, strict=True)))
        return alike.groupby(names, sort=False).size().reset_index(name="_customers")

    return in_order.added(of_part, names)


def _of_each_customer(
    loaded: Loaded, period: Period, by: Sequence[str], names: list[str], first: int
) -> ir.Table:
    table = loaded.table
    numbered = table.select("customer_id", _bit=periods.index(table[loaded.moment], period) - first)
    bit, one = numbered["_bit"], ibis.literal(1, "int64")
    words = {names[0]: (one << bit).bit_or()}
    if len(names) > 1:  # a shift is computed before its row is left out, so it must not leave the word
        words = {
            name: (one << (bit - low).clip(0, _BITS - 1))
            .bit_or(where=bit.between(low, low + _BITS - 1))
            .fill_null(0)
            for name, low in zip(names, range(0, len(names) * _BITS, _BITS), strict=True)
        }
    each = numbered.group_by("customer_id").aggregate(**words)
    if by:
        each = each.join(periods.birth_values(loaded, by), "customer_id")
    return each.group_by(*by, *names).aggregate(_customers=each.count())
