"""What passes the door: a source's rows under our names, typed, each kept or set aside by a rule."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import (
    checks,
    identities,
    invoices,
    lines,
    mappings,
    moments,
    partitions,
    presets,
    sequences,
    session,
    texts,
    values,
)
from retention_kit import overlaps as doubles
from retention_kit.contracts import BEHAVIOUR, PAID_STRETCHES, SUBSCRIPTIONS, Contract
from retention_kit.dialects import complaint, reason
from retention_kit.exceptions import DataError
from retention_kit.moments import Date
from retention_kit.opened import Note, Source
from retention_kit.sentences import phrase
from retention_kit.sources import open_source

_OPENING = ("sheet", "encoding", "delimiter", "quote", "table", "query")
_HINTS = ("decimal", "day_first", "timezone")


class Admitted(NamedTuple):
    """A table that has passed; the fields are those of `tables.Loaded`, `kept` what was counted."""

    table: ir.Table
    as_of: dt.datetime | None
    observed_until: dt.datetime | None
    checks: pd.DataFrame
    notes: tuple[Note, ...]
    kept: dict[str, Any]


def load(contract: Contract, source: Any, **how: Any) -> Admitted:
    """A source opened and admitted; `how` is what a client file says of it, with `as_of`."""
    opening = {name: how.pop(name) for name in _OPENING if name in how}
    opened = open_source(source, **opening)
    if preset := how.pop("preset", None):
        how = presets.filled(preset, opened.columns, how, opened.name)
    hints = values.Hints(**{name: how.pop(name) for name in _HINTS if name in how})
    return admitted(contract, opened, hints=hints, warn=True, **how)


def admitted(contract: Contract, source: Source, **how: Any) -> Admitted:
    """The rows of an opened source, by the parameters of `tables.load_orders`.

    Raises
    ------
    DataError
        When they cannot be read as what the contract says, in one line.
    """
    try:
        return _checked(contract, source, **how)
    except duckdb.Error as error:
        raise DataError(complaint(source.name, error)) from None
    except Exception as error:
        if source.place in ("", "duckdb") or isinstance(error, DataError):
            raise
        # A database's driver has errors of its own, of no common class.
        raise DataError(f"{source.name} cannot be read: {reason(error)}.") from None


def _checked(
    contract: Contract,
    source: Source,
    *,
    columns: Mapping[str, Any] | None = None,
    where: str | None = None,
    as_of: Date | None = None,
    extra: Sequence[str] = (),
    hints: values.Hints | None = None,
    overlaps: Literal["drop", "keep"] = "drop",
    ids: identities.Ids = "exact",
    same_customer: Any = None,
    warn: bool,
) -> Admitted:
    hints = hints or values.Hints()
    if contract is SUBSCRIPTIONS and "amount" in (columns or {}) and "mrr" not in (columns or {}):
        contract = PAID_STRETCHES
    mapped = _mapped_columns(contract, source, columns or {}, extra)
    if where is not None:
        condition = mappings.parse("where", where, source.columns, source=source.name, dialect="duckdb")
        mapped.append(replace(condition, name="_where"))
    needed = list(dict.fromkeys(column for item in mapped for column in item.reads))
    raw = doubles.rows(source, contract, mapped, needed, overlaps)
    raw, plain, copied = _near(raw, source, mapped, hints)
    if source.is_text or not all(item.is_column for item in mapped):
        raw = session.stored(raw, contract.kind)  # guesses look at whole columns, and the file is read once
    ours, decimals = values.calculated(raw, mapped, hints, plain, dialect="duckdb")
    if where is not None and not ours["_where"].type().is_boolean():
        raise DataError(f"where: {where!r} is no condition. Write one such as country = 'PL'.")
    if source.place not in _AS_DUCKDB and not session.holds(ours):
        dates = values.texts_of(ours, contract.dates, moments=True)
        numbers = values.texts_of(ours, contract.numbers)
        ours, plain, read = _readable(ours, source, dates, numbers, hints)
        ours, copied = ours.mutate(**plain), (*copied, *read)
    written = identities.written(ours, often=warn)
    typed, guesses, as_it_is = values.typed(
        ours, contract.dates, contract.numbers, hints, filled=written.filled
    )
    who = identities.lost_digits(ours)
    typed, same = identities.settled(typed, ids=ids, same_customer=same_customer)
    # A metric asks a frame of orders once or twice, which costs less where they are than to copy them.
    if warn or source.place or not as_it_is or contract.kind not in BEHAVIOUR:
        # What is known of customers stands beside what they did, wherever that is.
        write = partitions.stored if contract.moment else session.stored
        typed = write(typed, contract.kind)
    shared = doubles.notes(typed, contract.moment)
    end = moments.resolve(as_of, typed, contract.moment, contract.kind)
    rules = checks.rules(contract, typed, end)
    accounts = checks.accounted(typed, rules, contract.value)
    kept = _kept(typed, rules, accounts)
    checks.refuse_nothing_kept(contract.kind, accounts)
    checks.refuse_two_currencies(contract.kind, kept)
    grouped: tuple[Note, ...] = ()
    if "order_id" in kept.columns and not lines.is_one_each(kept):
        kept = partitions.stored(lines.orders_of(kept), contract.kind)
        grouped = lines.note(kept, accounts)
    paid: tuple[Note, ...] = ()
    if contract is PAID_STRETCHES:
        stretches, kept = kept, session.stored(ibis.memtable(invoices.periods(kept, end)), contract.kind)
        told = {"rows": stretches.count().execute(), "periods": kept.count().execute()}
        paid = (Note("info", phrase("note.paid_stretches", **told)),)
    # Starts of subscriptions do not tell where data stop (a quiet month has none), nor do answers, which come
    # in waves: there `as_of` is believed.
    days = moments.active_days(kept, contract.moment) if contract.kind in BEHAVIOUR else None
    until, ending = (end, ()) if days is None else moments.observed_until(days, end)
    notes = (
        *source.notes,
        *copied,
        *(Note("guess", words) for words in (*decimals, *guesses)),
        *shared,
        *who,
        *same,
        *paid,
        *ending,
    )
    if not warn:
        return Admitted(kept, end, until, accounts, notes, {"days": days})
    named, in_order = kept, None
    if days is not None:
        in_order = sequences.laid_out(kept, contract)
        named = (
            sequences.each_customer(kept, contract.moment)
            if in_order is None
            else ibis.memtable(in_order.customers)
        )
        notes += moments.warnings(days, named)
    notes += grouped
    if not written.bare or same_customer is not None:
        notes += identities.notes(named)
    return Admitted(kept, end, until, accounts, notes, {"days": days, "in_order": in_order})


class _Readable(NamedTuple):
    """A table, those of its text columns that its database reads itself, and what to tell."""

    table: ir.Table
    plain: dict[str, ir.Value]
    notes: tuple[Note, ...]


def _near(raw: ir.Table, source: Source, mapped: Sequence[mappings.Mapped], hints: values.Hints) -> _Readable:
    """The rows where they are, or copied to the session's engine where the database cannot read them."""
    if source.place == "sqlite":  # a file, and without dates of its own
        copied = Note("info", phrase("note.copied_file", table=source.name))
        return _Readable(session.brought(raw, "sqlite", source.name), {}, (copied,))
    calculated = mappings.calculated_with(mapped, values.texts_of(raw, raw.columns))
    return _readable(raw, source, (), [] if source.place in _AS_DUCKDB else calculated, hints)


def _readable(
    table: ir.Table, source: Source, dates: Sequence[str], numbers: Sequence[str], hints: values.Hints
) -> _Readable:
    """Text columns as moments and numbers where they are, if they are plain there, else the rows copied.

    Raises
    ------
    DataError
        When they would be copied and are Spark's, or too many: what one machine cannot hold is not.
    """
    if not dates and not numbers:
        return _Readable(table, {}, ())
    found = texts.read(table, dates, numbers, hints.decimal)
    if isinstance(found, texts.Plain):
        return _Readable(table, found.columns, tuple(Note("guess", words) for words in found.guesses))
    why = f"{source.name}: {found.column} holds text such as {found.example!r}, which is read on this machine"
    rows = int(table.count().execute())
    if source.place == "pyspark" or rows > session.MOST:
        kind = "TIMESTAMP" if found.column in dates else "DOUBLE"
        raise DataError(
            f"{why}; {rows:,} rows of {session.server(table)} are not copied for it. "
            f"Make it a {kind} there, by query='SELECT ... AS {found.column}, ... FROM ...'."
        )
    told = phrase(
        "note.copied_text", table=source.name, rows=rows, column=found.column, example=found.example
    )
    return _Readable(session.brought(table, source.place, why), {}, (Note("info", told),))


# Places where text is read as numbers and moments by the functions that values uses.
_AS_DUCKDB = ("", "duckdb")


def _kept(typed: ir.Table, rules: Sequence[checks.Rule], accounts: pd.DataFrame) -> ir.Table:
    """The rows that fail no rule; only the rules that rows fail are asked again, by each question."""
    failed = set(accounts["rule"])
    passes = [~fails.fill_null(False) for fails, rule in rules if rule in failed]
    rows = typed.filter(*passes) if passes else typed
    return rows.drop([column for column in rows.columns if column.startswith("_")])


def _mapped_columns(
    contract: Contract, source: Source, columns: Mapping[str, Any], extra: Sequence[str]
) -> list[mappings.Mapped]:
    own = [name for name in (*contract.required, *contract.optional, *extra) if name in source.columns]
    entries = {name: name for name in own} | dict(columns)
    require(contract.kind, (*contract.required, *extra), list(entries), has=source.columns)
    return [
        mappings.parse(name, text, source.columns, source=source.name, dialect="duckdb")
        for name, text in entries.items()
    ]


def require(
    kind: str, needed: Sequence[str], present: Sequence[str], has: Sequence[str] | None = None
) -> None:
    """Refuse a table without the needed columns.

    Raises
    ------
    DataError
        When one is missing: which, what there is, and what to type.
    """
    missing = [name for name in dict.fromkeys(needed) if name not in present]
    if missing:
        raise DataError(
            f"{kind} is missing {missing}. It has {list(has if has is not None else present)}. "
            f"Map your names onto ours with columns={{{missing[0]!r}: 'your_name'}}."
        )
