"""The one door for data: our names, one check, every row accounted for.

`load_orders` and its siblings map a client's export onto our columns. Metrics start with
`orders(data)`, which lets what came through the door pass and wraps a plain frame that has our names.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow.compute as pc

from retention_kit import admission, moments, session
from retention_kit.contracts import (
    BEHAVIOUR,
    BY_KIND,
    CUSTOMERS,
    EVENTS,
    INVITATIONS,
    ORDERS,
    RESPONSES,
    SUBSCRIPTIONS,
    Contract,
)
from retention_kit.exceptions import DataError
from retention_kit.moments import Date
from retention_kit.opened import Note, Source
from retention_kit.params import Client
from retention_kit.sentences import phrase
from retention_kit.sequences import Sequences
from retention_kit.sources import open_source

Columns = str | Sequence[str] | None


@dataclass(frozen=True)
class Loaded:
    """A table that has passed the door: `table` in our names, and how it came to be.

    `as_of` is the first moment not observed; `observed_until` is earlier where the data stops
    long before it. `checks` accounts for every row read; `notes` tells guesses and warnings.
    """

    kind: str
    table: ir.Table = field(repr=False)
    as_of: dt.datetime | None
    observed_until: dt.datetime | None
    checks: pd.DataFrame = field(repr=False)
    notes: tuple[Note, ...] = ()
    # Columns that `assign_customers` put beside each row: they are of the customer, and count once.
    of_customer: frozenset[str] = frozenset()
    # The choices by which subscriptions were read; those of `policies`, which lies above.
    policy: Any = None
    # What metrics have counted of this table already, for the next metric; a changed copy starts empty.
    kept: dict[Any, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def moment(self) -> str | None:
        """The column that says when: `ordered_at`, `started_at` or `responded_at`."""
        return BY_KIND[self.kind].moment

    @cached_property
    def observed_from(self) -> dt.datetime | None:
        """The moment of the first row; None for a table without moments."""
        if self.in_order is not None:
            return pc.min(self.in_order.customers["first"]).as_py()
        return self.table[self.moment].min().execute() if self.moment in self.table.columns else None

    @property
    def days(self) -> np.ndarray:
        """The days that have a row, in order."""
        if self.kept.get("days") is None:
            self.kept["days"] = moments.active_days(self.table, self.moment)
        return self.kept["days"]

    @property
    def rows(self) -> int:
        """How many rows the door has let through."""
        return int(self.checks["rows"].iloc[-1])

    @property
    def paid(self) -> bool:
        """Whether the amounts are known that were paid; a number that an event carries is no money."""
        return self.kind == ORDERS.kind and "amount" in self.table.columns

    @property
    def in_order(self) -> Sequences | None:
        """Each customer's rows in the order of time; None of a table that was not loaded by name."""
        return self.kept.get("in_order")

    @property
    def starts_mid_life(self) -> bool:
        """True where the first customers seen are far too many to be new: old ones who only look it."""
        return any(note.code == "mid_life" for note in self.notes)

    def told(self, definition: str) -> dict[str, Any]:
        """What a result made from this table carries in `attrs`: how to read it, and what it rests on."""
        aside = self.checks.iloc[1:-1]
        return {
            "definition": definition,
            "as_of": None if self.as_of is None else moments.words(self.as_of),
            "rows_set_aside": {
                rule: int(rows) for rule, rows in zip(aside["rule"], aside["rows"], strict=True)
            },
            "notes": [note.text for note in self.notes if note.level == "warning"],
        }


def load_orders(source: Any, **how: Any) -> Loaded:
    """Orders (or their lines, grouped by `order_id`) from any source, checked and counted.

    Parameters
    ----------
    source : path, glob, `package://` file, frame or Ibis table
    columns : mapping, optional
        Our name to a column of the source or an SQL expression over its columns. A column that
        exists verbatim always wins; our own names need no entry.
    where : str, optional
        An SQL condition; the rows that fail it are set aside and counted.
    as_of : date or str
        The first moment not observed.
    timezone : str, optional
        The zone whose calendar counts; needed when moments carry an offset.
    preset : str, optional
        The tool whose export it is, such as `shopify_orders`: the columns need no entry then.
    sheet, encoding, delimiter, quote, decimal, day_first : optional
        How a file is written, where the guess shown in `notes` is wrong.
    overlaps : "drop" or "keep"
        What becomes of rows that an earlier file of a pattern has too.

    Returns
    -------
    Loaded
        `customer_id` (text), `ordered_at`, and where mapped `order_id`, `amount` and any further
        column. Of lines, amounts are added up, the earliest moment counts, and another column
        takes its value from the line with the largest amount (of equal ones, the largest value).

    Raises
    ------
    DataError
        When a column is missing or cannot be read, two currencies would be added, or `as_of`
        leaves no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> shop = pd.DataFrame({"who": ["a", "b", None], "day": "2024-01-05", "paid": ["5.00", "x", "1.00"]})
    >>> ours = {"customer_id": "who", "ordered_at": "day", "amount": "paid"}
    >>> checks = load_orders(shop, columns=ours, as_of="2024-02-01").checks
    >>> dict(zip(checks["rule"], checks["rows"].tolist()))
    {'read': 3, 'unreadable number': 1, 'no customer': 1, 'kept': 1}
    """
    return _load(ORDERS, source, **how)


def load_events(source: Any, **how: Any) -> Loaded:
    """What customers did, from any source: `customer_id`, `occurred_at`, and where mapped `event`.

    Every behavioural metric reads events as it reads orders; one that needs to know what was done
    says so. The parameters are those of `load_orders`.
    """
    return _load(EVENTS, source, **how)


def load_subscriptions(source: Any, **how: Any) -> Loaded:
    """Subscription periods from any source: `customer_id`, `started_at`, `ended_at`, `mrr`, `plan`.

    `ended_at` is exclusive; null, or after `as_of`, is active. The parameters are those of `load_orders`.
    Where `columns` maps `amount` and no `mrr`, each row is a stretch and what was paid for it (an invoice, a
    renewal): the price a month is the amount over the months, and consecutive stretches at one price are one
    subscription, which has no end where it is paid until `as_of` or beyond.
    """
    return _load(SUBSCRIPTIONS, source, **how)


def load_responses(source: Any, **how: Any) -> Loaded:
    """Survey answers from any source: `score`, and where asked `customer_id`, `responded_at`, `comment`.

    A blank score is no answer: set aside and counted. The parameters are those of `load_orders`.
    """
    return _load(RESPONSES, source, **how)


def load_customers(source: Any, **how: Any) -> Loaded:
    """What is known of each customer (segment, margin, acquisition cost ...), one row a customer.

    The parameters are those of `load_orders`; any further mapped column is kept for `by=`.
    """
    loaded = _load(CUSTOMERS, source, **how)
    rows = loaded.rows
    if rows == loaded.table.customer_id.nunique().execute():
        return loaded
    table = loaded.table.distinct()
    counts = table.group_by("customer_id").aggregate(rows=table.count())
    repeated = counts.filter(counts.rows > 1).order_by("customer_id").limit(1).to_pyarrow().to_pylist()
    if repeated:
        raise DataError(
            f"customers has more than one row for customer {repeated[0]['customer_id']!r}. "
            "Keep one row a customer, or filter with where=."
        )
    again = Note("info", phrase("note.customers_repeated", rows=rows - int(table.count().execute())))
    return replace(loaded, table=table, notes=(*loaded.notes, again))


def load_invitations(source: Any, **how: Any) -> Loaded:
    """Who was asked, from any source: `customer_id`, and where known `invited_at`; see `load_orders`."""
    return _load(INVITATIONS, source, **how)


def load(client: Client, kind: str) -> Loaded:
    """A client's table of a kind as its client file describes it, what is known of customers beside it.

    Raises
    ------
    ParamsError
        When the client has no such table.
    DataError
        When it cannot be read; where the client file says where the data come from, so does the error.
    """
    described = client.table(kind)
    try:
        loaded = _load(BY_KIND[kind], **described.how(), as_of=client.as_of)
    except DataError as error:
        origin = (
            f" The data: {described.origin}" if described.origin and "no file" in str(error).lower() else ""
        )
        raise DataError(f"{error}{origin}") from None
    if client.has("customers") and "customer_id" in loaded.table.columns:
        if "customers" not in client.kept:  # they stand beside each of the client's tables, and are read once
            client.kept["customers"] = load_customers(**client.table("customers").how())
        return assign_customers(loaded, client.kept["customers"])
    return loaded


def orders(
    data: Any, *, as_of: Date | None = None, columns: Sequence[str] = (), optional: Sequence[str] = ()
) -> Loaded:
    """What every metric on orders starts with: a `Loaded` passes, a plain frame is wrapped and checked.

    Beside the moment and the customer a frame keeps `columns`, which must be there, and those of the
    `optional` ones that are.

    Raises
    ------
    DataError
        When a column is missing, or `as_of` is missing or differs from the one loaded with.
    """
    return _wrapped(ORDERS, data, as_of, columns, optional)


def orders_or_events(
    data: Any, *, as_of: Date | None = None, columns: Sequence[str] = (), optional: Sequence[str] = ()
) -> Loaded:
    """What every behavioural metric starts with: orders, or events where rows have `occurred_at` instead.

    Of a plain frame that has both moments, `ordered_at` decides.

    Raises
    ------
    DataError
        As `orders` does; also when the rows are neither.
    """
    if isinstance(data, Loaded):
        if data.kind not in BEHAVIOUR:
            raise DataError(f"This metric needs orders or events, and it was given {data.kind}.")
        return _wrapped(BY_KIND[data.kind], data, as_of, columns)
    source = open_source(data)
    events = EVENTS.moment in source.columns and ORDERS.moment not in source.columns
    return _framed(EVENTS if events else ORDERS, source, as_of, columns, optional)


def subscriptions(data: Any, *, as_of: Date | None = None, columns: Sequence[str] = ()) -> Loaded:
    """What every metric on subscriptions starts with; see `orders`."""
    return _wrapped(SUBSCRIPTIONS, data, as_of, columns)


def responses(data: Any, *, as_of: Date | None = None, columns: Sequence[str] = ()) -> Loaded:
    """What every metric on answers starts with; see `orders`."""
    return _wrapped(RESPONSES, data, as_of, columns)


def by_columns(by: Columns, *, taken: Sequence[str] = ()) -> tuple[str, ...]:
    """`by=` as a tuple: nothing, one name, or several; none of those the result has a use for.

    >>> by_columns("country"), by_columns(None), by_columns(["country", "channel"])
    (('country',), (), ('country', 'channel'))
    """
    names = () if by is None else (by,) if isinstance(by, str) else tuple(by)
    clash = [name for name in names if name in taken]
    if clash:
        raise DataError(
            f"by={clash[0]!r} is a column of the result already. "
            f"Give yours another name, such as {'by_' + clash[0]!r}."
        )
    return names


def by_words(moment: str, by: Sequence[str]) -> str:
    """The end of a definition: compared by which columns, and of which moment; nothing without any.

    >>> by_words("first_order", ("country",)), by_words("first_order", ())
    ('; country as in the first order', '')
    """
    return phrase(f"definition.by.{moment}", by=by) if by else ""


def assign_customers(loaded: Loaded, customers: Loaded) -> Loaded:
    """The columns of `customers` beside each row of orders, subscriptions or answers, for `by=`.

    A customer who is not in `customers` keeps nulls; a column that the rows already have is left alone.
    """
    known = set(loaded.table.columns)
    new = [column for column in customers.table.columns if column not in known]
    if "customer_id" not in known:
        raise DataError(f"{loaded.kind} has no customer_id, so nothing of customers can be joined to it.")
    if not new:
        return loaded
    beside = customers.table.select("customer_id", *new)
    beside = session.beside(beside, loaded.table, f"customers and {loaded.kind}")
    rows = loaded.table.left_join(beside, "customer_id").drop("customer_id_right")
    joined = replace(loaded, table=rows, of_customer=loaded.of_customer | frozenset(new))
    # The rows are the same.
    joined.kept.update({name: loaded.kept.get(name) for name in ("days", "in_order")})
    return joined


# ---------------------------------------------------------------------------------------------------


def _wrapped(
    contract: Contract,
    data: Any,
    as_of: Date | None,
    columns: Sequence[str],
    optional: Sequence[str] = (),
) -> Loaded:
    if not isinstance(data, Loaded):
        return _framed(contract, open_source(data), as_of, columns, optional)
    if data.kind != contract.kind:
        raise DataError(f"This metric needs {contract.kind}, and it was given {data.kind}.")
    if as_of is not None and moments.first_unobserved(as_of) != data.as_of:
        raise DataError(
            f"{data.kind} was loaded with as_of {moments.words(data.as_of)}, and the metric asks for "
            f"{moments.words(moments.first_unobserved(as_of))}. Load again with that as_of."
        )
    admission.require(contract.kind, columns, data.table.columns)
    return data


def _framed(
    contract: Contract, source: Source, as_of: Date | None, columns: Sequence[str], optional: Sequence[str]
) -> Loaded:
    extra = (*columns, *(name for name in optional if name in source.columns))
    return _passed(contract, admission.admitted(contract, source, as_of=as_of, extra=extra, warn=False))


def _load(contract: Contract, source: Any, **how: Any) -> Loaded:
    return _passed(contract, admission.load(contract, source, **how))


def _passed(contract: Contract, admitted: admission.Admitted) -> Loaded:
    *fields, kept = admitted
    loaded = Loaded(contract.kind, *fields)
    loaded.kept.update(kept)
    return loaded
