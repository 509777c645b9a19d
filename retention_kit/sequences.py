"""Each customer's rows in the order of time, read in parts that hold whole customers.

What follows what (a second order, a gap, what was spent so far) would cost a sort of texts for each
question. Here rows are laid out once, by a number for each id and by time, and every question reads them
as plain columns, in parts, however many rows there are. Rows stay rows: nothing is counted yet.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain, pairwise
from typing import TypeVar

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from retention_kit import partitions, session, waiting
from retention_kit.contracts import Contract

#: Rows of a part: few enough for the processor's caches, many enough that a query costs nothing beside them.
_ROWS = 250_000
#: What is kept of each row, and as what.
_TYPES = {"_moment": "datetime64[us]", "_amount": "float64"}
#: A day in microseconds, in which moments are counted.
DAY = 86_400_000_000

Counted = TypeVar("Counted")
Number = Callable[[ir.StringValue], ir.Value]


@dataclass(frozen=True)
class Part:
    """Some customers with all their rows: those of one customer together, in the order of time."""

    sizes: np.ndarray  # how many rows each customer has
    moments: np.ndarray  # of each row, microseconds since 1970
    amounts: np.ndarray | None  # of each row

    @cached_property
    def starts(self) -> np.ndarray:
        """Where the rows of each customer begin."""
        return np.cumsum(self.sizes) - self.sizes

    @cached_property
    def days(self) -> np.ndarray:
        """The day of each row, counted since 1970."""
        return self.moments // DAY

    @cached_property
    def gaps(self) -> np.ndarray:
        """Days from the customer's row before to each row; 0 of the first."""
        gap = np.diff(self.days, prepend=self.days[0])
        gap[self.starts] = 0
        return gap

    @cached_property
    def is_first(self) -> np.ndarray:
        """Whether each row is its customer's first."""
        first = np.zeros(len(self.moments), dtype=bool)
        first[self.starts] = True
        return first


@dataclass(frozen=True)
class Sequences:
    """A table's customers with `customer_id`, `rows` and the moment of the `first` of these.

    `columns` are of their rows in the same order: `_moment`, and `_amount` where there are amounts.
    """

    customers: pa.Table
    columns: dict[str, np.ndarray]

    def of_parts(self, count: Callable[[Part], Counted]) -> Iterator[Counted]:
        """What is counted of each part, in their order; as many at a time as there are processors."""
        with ThreadPoolExecutor(os.cpu_count()) as workers:
            counted = workers.map(lambda pair: count(self._part(*pair)), pairwise(self._cuts))
            yield from waiting.counted(counted, len(self._cuts) - 1)

    def added(self, count: Callable[[Part], pd.DataFrame], keys: Sequence[str]) -> pd.DataFrame:
        """What is counted of each part, the rows of one key added up, in the order of the keys."""
        return pd.concat(self.of_parts(count)).groupby(list(keys), as_index=False).sum()

    @cached_property
    def _cuts(self) -> list[tuple[int, int]]:
        """How many customers and rows lie before each part, and in all: a part holds whole customers."""
        cuts, customers, rows = [(0, 0)], 0, 0
        for chunk in filter(len, self.customers["rows"].chunks):
            ends = rows + np.cumsum(chunk.to_numpy())
            last = np.flatnonzero(np.diff(ends // _ROWS, prepend=rows // _ROWS))
            cuts += [(customers + i + 1, int(ends[i])) for i in last.tolist()]
            customers, rows = customers + len(ends), int(ends[-1])
        return cuts if cuts[-1] == (customers, rows) else [*cuts, (customers, rows)]

    def _part(self, start: tuple[int, int], end: tuple[int, int]) -> Part:
        (low, first), (high, last) = start, end
        sizes = self.customers["rows"].slice(low, high - low).to_numpy()
        rows = {name: column[first:last] for name, column in self.columns.items()}
        return Part(sizes, rows["_moment"].view("int64"), rows.get("_amount"))


def laid_out(table: ir.Table, contract: Contract) -> Sequences | None:
    """The sequences of a table's rows, on the session's own engine; None of one elsewhere: it stays there."""
    if not session.holds(table):
        return None
    parts = partitions.of(table)
    number, customers = session.number_of, _customers(parts, contract, session.number_of)
    if _meet(customers["_number"]):
        # Two ids with one number, which a shop will hardly ever see: then by the ids, which are slower.
        number, customers = _itself, _customers(parts, contract, _itself)
    types = {name: _TYPES[name] for name in _wanted(table, contract) if name in _TYPES}
    rows = (_in_order(part, contract, number).select(*types) for part in parts)
    batches = waiting.counted(_batches(rows), -(-pc.sum(customers["rows"]).as_py() // _ROWS))
    columns = session.columns_set_aside(batches, "in_order", types)
    return Sequences(customers.drop_columns("_number"), columns)


def each_customer(table: ir.Table, moment: str) -> ir.Table:
    """One row a customer: `customer_id`, `rows`, and the moment of the `first` of them."""
    return table.group_by("customer_id").aggregate(rows=table.count(), first=table[moment].min())


def running_total(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """What has been added up to each value, anew from each start: all second values, then all third ones.

    One running sum less what it was at the start would leave a little of everybody's rounding in each.

    >>> running_total(np.array([1.0, 2.0, 3.0, 10.0, 20.0]), np.array([0, 3])).tolist()
    [1.0, 3.0, 6.0, 10.0, 30.0]
    """
    total, left = values.copy(), np.diff(starts, append=len(values)) - 1
    at = starts[left > 0] + 1
    left = left[left > 0]
    while len(at):
        total[at] += total[at - 1]
        at, left = at[left > 1] + 1, left[left > 1] - 1
    return total


def microseconds(moment: datetime) -> int:
    """A moment as `Part.moments` count it.

    >>> microseconds(datetime(1970, 1, 2)) == DAY
    True
    """
    return (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)


def _itself(text: ir.StringValue) -> ir.StringValue:
    return text


def _customers(parts: Sequence[ir.Table], contract: Contract, number: Number) -> pa.Table:
    """One row a customer; those of a partition in the order of their numbers."""
    each = (each_customer(part, contract.moment) for part in parts)
    numbered = (one.mutate(_number=number(one.customer_id)).order_by("_number") for one in each)
    return session.set_aside(waiting.counted(_batches(numbered), None), "customers")


def _in_order(table: ir.Table, contract: Contract, number: Number) -> ir.Table:
    rows = table.select(_number=number(table.customer_id), **_wanted(table, contract))
    return rows.order_by(*rows.columns)


def _batches(tables: Iterable[ir.Table]) -> Iterator[pa.RecordBatch]:
    """Tables one after the other, a little at a time, so that they take no memory."""
    return chain.from_iterable(table.to_pyarrow_batches(chunk_size=_ROWS) for table in tables)


def _meet(numbers: pa.ChunkedArray) -> bool:
    """Whether one of the numbers, which are in order, is there twice."""
    ordered = numbers.to_numpy()
    return bool((ordered[1:] == ordered[:-1]).any())


def _wanted(table: ir.Table, contract: Contract) -> dict[str, ir.Value]:
    """What rows are ordered by: at one moment the smallest id goes first, without ids the smallest amount."""
    wanted = {"_moment": contract.moment}
    if contract.value in table.columns:
        wanted |= {"_id": "order_id"} if "order_id" in table.columns else {}
        wanted |= {"_amount": contract.value}
    return {name: table[column] for name, column in wanted.items()}
