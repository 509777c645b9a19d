"""A first client file, guessed from an export's columns: each guess shown, what cannot be told asked for."""

import datetime as dt
import os
import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from pydantic import ValidationError

from retention_kit import dialects, guesses, mappings, moments, params, sources, tables, values, yamls
from retention_kit.exceptions import DataError, ParamsError, did_you_mean
from retention_kit.guesses import Column

#: Answers a question; given are the question, the option that says it, and what Enter means ("": nothing).
#: Raises a ParamsError that names the option where nobody can be asked.
Ask = Callable[[str, str, str], str]

_ASKED = {
    "customer_id": "which column says who ordered",
    "ordered_at": "which column says when",
    "order_id": "which column ties the lines of an order together",
    "amount": "which column says how much was paid",
}
_CODE = re.compile(r"^[A-Z]{3}$")
_OFFSET = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[+-]\d{2}(:?\d{2})?)$")
_OPTIONAL = ("order_id", "amount")
_ONLY = {
    "customer_id": "the only column of ids that come back",
    "ordered_at": "the only column of dates",
    "amount": "the only column of decimals",
}
_FAR = "9998-01-01"  # after every row, where only the last one is sought
_CROWDED = 0.2  # of all orders, more than one customer has in an ordinary shop
_LISTED = 6  # columns that a question names
_NONE = "none"  # what is typed for a column that the export does not have


@dataclass(frozen=True)
class Draft:
    """A client file not yet written: its values, and for each the reason, a line each."""

    client: str
    values: dict[str, Any]
    reasons: tuple[str, ...]


def draft(
    client: str,
    orders: str | Path,
    *,
    given: Mapping[str, str | None],
    as_of: str | None = None,
    currency: str | None = None,
    folder: Path = Path("params"),
    how: Mapping[str, Any] | None = None,
    ask: Ask,
) -> Draft:
    """A client file for an export of orders, from its columns' names and values; then tried.

    Parameters
    ----------
    client : str
        Id of the client.
    orders : str or Path
        A file, a pattern of files or a `package://` file.
    given : mapping
        Columns or expressions that need no guess: `customer_id`, `ordered_at`, `order_id`, `amount`.
    as_of, currency : str, optional
        Never guessed from the last row or the shop's country: asked for where they are missing.
    folder : Path
        Where the client file will be; its source is written relative to it.
    how : mapping, optional
        Further keys of the table, such as `where`, `timezone`, `decimal`, `day_first`, `sheet`.
    ask : callable
        Answers a question, or raises a ParamsError that names the option.

    Raises
    ------
    ParamsError
        When the id is no folder name, the client file exists, or an answer is missing or unusable.
    DataError
        When the export cannot be read with the guesses.
    """
    currency = currency and currency.upper()
    _validated({"client": client, "currency": currency or "EUR", "as_of": as_of or _FAR, "data": "demo"})
    _refuse_existing(client, folder)
    guide = _Guide(str(orders), {key: said for key, said in (how or {}).items() if said is not None}, ask)
    try:
        for name in _ASKED:
            guide.map(name, given.get(name))
        guide.settle_reading()
        currency = guide.settle_currency(currency)
        as_of = guide.settle_as_of(as_of)
        content = {"client": client, "title": client.replace("_", " ").capitalize()}
        content |= {"currency": currency} if currency else {}
        content |= {"as_of": as_of, "data": {"orders": guide.table}}
        _validated(content)
        guide.try_out(as_of)
    except duckdb.Error as error:  # a broken line beyond those that were looked at
        raise DataError(dialects.complaint(guide.source.name, error)) from None
    content["data"] = {"orders": guide.table | {"source": _relative(str(orders), folder)}}
    return Draft(client, content, tuple(guide.reasons))


def write(drafted: Draft, folder: Path) -> Path:
    """Write a draft as `<folder>/<client>.yaml`; a file that exists is never overwritten."""
    _refuse_existing(drafted.client, folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{drafted.client}.yaml"
    head = (
        f"# Drafted by retention-kit new: read it once, then type: retention-kit check {path.as_posix()}\n"
        "# as_of is the first moment not observed. columns: our names, and what they are in the export.\n"
    )
    with path.open("x", encoding="utf-8") as file:
        file.write(head + yamls.dump(drafted.values))
    return path


def _refuse_existing(client: str, folder: Path) -> None:
    path = folder / f"{client}.yaml"
    if path.exists():
        raise ParamsError(f"{path} exists and is not overwritten. Give another id, or delete it first.")


def _validated(content: Mapping[str, Any]) -> None:
    try:
        params.Client.model_validate({"title": content["client"]} | dict(content))
    except ValidationError as error:
        first = error.errors()[0]
        if first["loc"] == ("currency",):
            raise ParamsError(
                f"currency: {first['input']!r} is no ISO code. Say three capitals, such as EUR."
            ) from None
        name = "" if first["type"] == "value_error" else f"{first['loc'][-1]}: "
        raise ParamsError(f"{name}{first['msg'].removeprefix('Value error, ')}.") from None


def _relative(source: str, folder: Path) -> str:
    """The source as the client file says it: relative to its folder, unless they share only the root."""
    if "://" in source:
        return source
    path, home = os.path.abspath(Path(source).expanduser()), os.path.abspath(folder)
    try:
        shared = os.path.commonpath([path, home])
    except ValueError:  # two drives of Windows
        return Path(path).as_posix()
    return Path(path if shared == Path(path).anchor else os.path.relpath(path, home)).as_posix()


# -- one guess after another -----------------------------------------------------


class _Guide:
    """The table of the client file as it takes shape, and the reason for each of its lines."""

    def __init__(self, source: str, how: dict[str, Any], ask: Ask):
        self.table: dict[str, Any] = {"source": source, "columns": {}, **how}
        self.ask = ask
        opening = {key: how[key] for key in ("sheet", "encoding", "delimiter") if key in how}
        self.source = sources.open_source(source, **opening)
        self.columns = guesses.look(self.source)
        self.reasons = [f"{self.source.name}: {len(self.columns)} columns"]

    def map(self, name: str, said: str | None) -> None:
        """Map one of our columns: as it was said, as guessed, or as asked."""
        if said:
            text, reason = said, "as you said"
        else:
            text, reason = self._guess(name)
        if name in _OPTIONAL and text.lower() == _NONE:
            self._tell(name, "none", reason)
            return
        mapped = mappings.parse(name, text, self.source.columns, source=self.source.name, dialect="duckdb")
        self.table["columns"][name] = text
        self._tell(name, text, f"{reason}; such as {self._samples(mapped)}")

    def _tell(self, name: str, text: str, reason: str) -> None:
        self.reasons.append(guesses.printable(f"  {name:<12} {text}  ({reason})"))

    def _samples(self, mapped: mappings.Mapped) -> str:
        if mapped.is_column:
            return self.columns[mapped.reads[0]].samples
        return "; ".join(f"{name} {self.columns[name].samples}" for name in mapped.reads)

    def _guess(self, name: str) -> tuple[str, str]:
        free = self._free()
        found = guesses.named(name, free)
        product = guesses.product(free) if name == "amount" else ""
        if product and found and self._is_repeated(found[0]):
            return product, f"{found[0].name} is the same on every line of an order: a total, written again"
        if len(found) == 1:
            return found[0].name, "a known name for it"
        if found and all(guesses.same(name, found[0], other) for other in found[1:]):
            return found[0].name, f"a known name for it; {found[1].name} says the same"
        if found:
            return self._asked(name, found)
        return (product, "no total, but a quantity and a price") if product else self._guess_by_values(name)

    def _guess_by_values(self, name: str) -> tuple[str, str]:
        """Where no name is known: the only column whose values could be it, or a question."""
        if name == "order_id":
            return _NONE, "no known name, so each row is one order; are they lines? Say --order-id"
        fitting = guesses.fitting(name, self._free())
        if name == "amount" and not fitting:
            return _NONE, "no column of numbers is left"
        likely = guesses.likely(name, self._free())
        if len(likely) == 1:
            return likely[0].name, _ONLY[name]
        return self._asked(name, likely or fitting)

    def _asked(self, name: str, candidates: Sequence[Column]) -> tuple[str, str]:
        listed = "; ".join(f"{column.name} ({column.samples})" for column in candidates[:_LISTED])
        listed += f"; and {len(candidates) - _LISTED} more" if len(candidates) > _LISTED else ""
        among = f": {listed}" if listed else f" of {list(self.source.columns)}"
        option = f"--{name.replace('_', '-')} COLUMN" + (" (or none)" if name in _OPTIONAL else "")
        question = guesses.printable(f"{self.source.name}: {_ASKED[name]}{among}?")
        return self.ask(question, option, _NONE if name in _OPTIONAL else ""), "as you said"

    def _free(self) -> list[Column]:
        taken = self.table["columns"].values()
        return [column for column in self.columns.values() if column.name not in taken]

    def _is_repeated(self, amount: Column) -> bool:
        order = self.columns.get(self.table["columns"].get("order_id", ""))
        return order is not None and guesses.is_repeated(order, amount)

    def settle_reading(self) -> None:
        """Ask for the zone, the order of day and month, and the decimal sign, where no value decides."""
        text = self.table["columns"]["ordered_at"]
        if text in self.columns:
            self._settle_dates(self.columns[text])
        if "amount" in self.table["columns"] and "decimal" not in self.table:
            self._settle_decimals(self.table["columns"]["amount"])

    def _settle_dates(self, column: Column) -> None:
        example = column.cells.iloc[0] if len(column.cells) else ""
        if _OFFSET.search(example) and "timezone" not in self.table:
            question = (
                f"{column.name} has offsets from UTC ({example}): whose clock begins the client's month?"
            )
            self.table["timezone"] = self.ask(question, "--timezone Europe/Warsaw (or another)", "")
        if zone := self.table.get("timezone"):
            _refuse_unknown_zone(zone)
        raw = self.source.table([column.name])
        if "day_first" in self.table or not raw[column.name].type().is_string():
            return
        try:
            values.moment_reading(raw, column.name, None, zone or "UTC")
        except DataError as error:
            question = f"{str(error).partition(' Say ')[0]} Is the day or the month first?"
            answer = self.ask(question, "--day-first or --month-first", "").strip().lower()
            if answer not in ("day", "month"):
                raise ParamsError(f"{answer!r} is neither day nor month.") from None
            self.table["day_first"] = answer == "day"

    def _settle_decimals(self, text: str) -> None:
        mapped = mappings.parse(
            "amount", text, self.source.columns, source=self.source.name, dialect="duckdb"
        )
        raw = self.source.table(list(mapped.reads))
        written = [name for name in mapped.reads if raw[name].type().is_string()]
        uses = written if mapped.is_column else {use.name for use in mappings.numeric_uses(mapped, written)}
        for name in uses:
            try:
                values.number_reading(raw, name, self.table.get("decimal"))
            except DataError as error:
                question = f"{str(error).partition(' Say ')[0]} Which sign starts the decimals, . or ,?"
                self.table["decimal"] = self.ask(question, "--decimal . or --decimal ,", "")
                if self.table["decimal"] not in (".", ","):
                    raise ParamsError(f"{self.table['decimal']!r} is neither . nor ,") from None

    def settle_currency(self, said: str | None) -> str | None:
        """The currency: as said, or the one value of a column of that name; else asked for.

        Several are not added up: one is kept. A column that has one for every row is mapped, so
        that a later export with another is refused.
        """
        if "amount" not in self.table["columns"]:
            return None
        named = guesses.named("currency", self._free())
        rows = self._rows_by_value(named[0]) if len(named) == 1 else {}
        codes = [code for code in rows if _CODE.match(code)]
        if said is None and len(codes) == 1 and rows.keys() <= {codes[0], ""}:
            said, reason = codes[0], f"the one value of {named[0].name}"
        else:
            said, reason = said or self._asked_currency(rows), "as you said"
        several = len(rows.keys() - {""}) > 1
        if several or (rows and "" not in rows):
            self.table["columns"]["currency"] = named[0].name
        self._tell("currency", said, reason)
        if several and said in codes:
            self._keep(f"{guesses.quoted(named[0].name)} = '{said}'")
        return said

    def _asked_currency(self, rows: Mapping[str, int]) -> str:
        question = "In which currency are the amounts?"
        if len(rows) > 1:
            listed = ", ".join(f"{code or 'blank'} ({count:,} rows)" for code, count in rows.items())
            question = f"The rows are in {listed}, which are not added up. Which currency is kept?"
        return self.ask(question, "--currency EUR (or another)", "").upper()

    def _rows_by_value(self, column: Column) -> dict[str, int]:
        raw = self.source.table([column.name])
        counts = raw.group_by(value=values.filled(raw[column.name].cast("string"))).aggregate(
            rows=raw.count()
        )
        found = counts.order_by("value").to_pyarrow().to_pylist()
        return {row["value"] or "": row["rows"] for row in found}

    def _keep(self, condition: str) -> None:
        before = self.table.get("where")
        self.table["where"] = f"({before}) AND {condition}" if before else condition
        self._tell("where", self.table["where"], "the others are set aside and counted")

    def settle_as_of(self, said: str | None) -> str:
        """The first moment not observed: as said, or the day after the last row, proposed and asked."""
        if said is not None:
            self._tell("as_of", said, "as you said")
            return said
        loaded = tables.load_orders(**self.table, as_of=_FAR)
        last = loaded.table.ordered_at.max().execute()
        proposed = _following(last)
        question = (
            f"The last row is of {moments.words(last.to_pydatetime())}, so {proposed} keeps every row. "
            "What is as_of, the first moment not observed?"
        )
        answer = self.ask(question, f"--as-of {proposed}", proposed)
        self._tell("as_of", answer, f"as you said; the last row is of {moments.words(last.to_pydatetime())}")
        return answer

    def try_out(self, as_of: str) -> None:
        """Load the export as the client file will, and tell what became of its rows."""
        loaded = tables.load_orders(**self.table, as_of=as_of)
        rules = list(loaded.checks[["rule", "rows"]].itertuples(index=False, name=None))
        (_, read), *aside, (_, kept) = rules
        self.reasons += [f"  {note.text}  (guessed)" for note in loaded.notes if note.level == "guess"]
        self.reasons.append(
            f"Tried: {read:,} rows read, {kept:,} kept, {loaded.table.count().execute():,} orders"
        )
        self.reasons += [f"  set aside: {rows:,} {rule}" for rule, rows in aside]
        told = [note.text for note in loaded.notes if note.level == "warning"]
        warnings = [*self._repeated_total(), *_crowded_customer(loaded), *told]
        self.reasons += [f"  warning: {text}" for text in warnings]

    def _repeated_total(self) -> list[str]:
        amount = self.columns.get(self.table["columns"].get("amount", ""))
        if amount is None or not self._is_repeated(amount):
            return []
        return [
            f"{amount.name} is the same on every line of an order: is it the order's total, written again? "
            "Then it is added up too often. Keep one line an order with --where."
        ]


def _crowded_customer(loaded: tables.Loaded) -> list[str]:
    """Shops write one id, often 0, for all who order as guests."""
    counts = loaded.table.group_by("customer_id").aggregate(orders=loaded.table.count())
    found = counts.order_by(counts.orders.desc()).limit(1).to_pyarrow().to_pylist()[0]
    share = found["orders"] / counts.orders.sum().execute()
    if share < _CROWDED or counts.count().execute() < 5:
        return []
    return [
        f"{100 * share:.0f} % of orders are of one customer, {found['customer_id']!r}: guests under one id? "
        "Then set them aside with --where."
    ]


def _following(last: pd.Timestamp) -> str:
    """The day after, or the first of a month where that day ends one: such an as_of is refused as a slip.

    >>> _following(pd.Timestamp("2024-06-28 14:33")), _following(pd.Timestamp("2024-06-29"))
    ('2024-06-29', '2024-07-01')
    """
    day = last.normalize() + dt.timedelta(days=1)
    return f"{day + dt.timedelta(days=int(day.is_month_end)):%Y-%m-%d}"


def _refuse_unknown_zone(zone: str) -> None:
    known = zoneinfo.available_timezones()
    if zone not in known:
        raise ParamsError(
            f"timezone: there is no {zone!r}.{did_you_mean(zone, known)} Say one such as Europe/Warsaw."
        )
