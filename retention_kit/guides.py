"""One guess after another: the table of a client file as it takes shape, and the reason for each line."""

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from retention_kit import blanks, doubts, guesses, mappings, moments, presets, sources, tables, values
from retention_kit.contracts import BY_KIND
from retention_kit.exceptions import DataError, ParamsError, did_you_mean
from retention_kit.guesses import Column

#: Answers a question; given are the question, the option that says it, and what Enter means ("": nothing).
#: Raises a ParamsError that names the option where nobody can be asked.
Ask = Callable[[str, str, str], str]

#: Of each kind of table our columns, in the order in which they are guessed, and what is asked of each.
ASKED = {
    "orders": {
        "customer_id": "which column says who ordered",
        "ordered_at": "which column says when",
        "order_id": "which column ties the lines of an order together",
        "amount": "which column says how much was paid",
    },
    "events": {
        "customer_id": "which column says who did it",
        "occurred_at": "which column says when",
        "event": "which column says what was done",
    },
    "subscriptions": {
        "customer_id": "which column says who subscribed",
        "started_at": "which column says when it began",
        "ended_at": "which column says when it ended (empty: it runs)",
        "amount": "which column says what was paid for the whole stretch",
        "mrr": "which column says what is paid a month",
        "plan": "which column says which plan",
        "cancel_reason": "which column says why it ended",
    },
    "responses": {
        "score": "which column holds the score",
        "customer_id": "which column says who answered",
        "responded_at": "which column says when",
        "comment": "which column holds the comment",
    },
}
_MONEY = ("amount", "mrr")
# Without a name that is known for it no column is taken for these: any text could be one.
_BY_NAME_ALONE = {
    "order_id": "no known name, so each row is one order; are they lines? Say --order-id",
    **dict.fromkeys(("plan", "cancel_reason", "comment", "event"), "no known name"),
}
_CODE = re.compile(r"^[A-Z]{3}$")
_OFFSET = re.compile(
    r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?\s?(Z|GMT|UTC|(GMT|UTC)?[+-]\d{1,2}(:?\d{2})?)$"
)
_ONLY = {
    "customer_id": "the only column of ids that come back",
    **dict.fromkeys(("ordered_at", "occurred_at", "started_at", "responded_at"), "the only column of dates"),
    "ended_at": "the only other column of dates",
    **dict.fromkeys(("amount", "mrr"), "the only column of decimals"),
    "score": "the only column of whole numbers from 0 to 10",
}
FAR = "9998-01-01"  # after every row, where only the last one is sought
_LISTED = 6  # columns that a question names
_NONE = "none"  # what is typed for a column that the export does not have
_OPENING = ("sheet", "encoding", "delimiter", "quote", "table", "query")


class Guide:
    """The table of the client file as it takes shape, and the reason for each of its lines."""

    def __init__(self, kind: str, source: str, how: dict[str, Any], ask: Ask):
        self.kind = kind
        self.optional = [name for name in ASKED[kind] if name not in BY_KIND[kind].required]
        preset = how.pop("preset", None)
        self.table: dict[str, Any] = {"source": source, "columns": {}, **how}
        self.ask = ask
        opening = {key: how[key] for key in _OPENING if key in how}
        self.source = sources.open_source(source, **opening)
        self.columns = guesses.look(self.source)
        self.reasons = [f"{self.source.name}: {len(self.columns)} columns"]
        if any(column.said for column in self.columns.values()):
            self.reasons.append("  note: rows below the header say what columns hold; they are counted apart")
        self.preset = preset or presets.found(self.source.columns, kind) or ""
        self.is_told_which = "where" in how or bool(self.preset)
        self.known = self._by_preset(how, preset is not None) if self.preset else {}

    def _by_preset(self, how: Mapping[str, Any], said: bool) -> dict[str, str]:
        """What the preset says of the columns; its condition and the like go into the table."""
        if presets.kind(self.preset) != self.kind:
            raise ParamsError(
                f"{self.source.name}: preset {self.preset} is of {presets.kind(self.preset)}. "
                f"Say --{presets.kind(self.preset)}, and not --{self.kind}."
            )
        whole = presets.filled(self.preset, self.source.columns, how, self.source.name)
        self.table |= {key: whole[key] for key in ("where", "day_first") if key in whole}
        self._tell("preset", self.preset, "as you said" if said else "its columns")
        others = [name for name in presets.fitting(self.source.columns) if presets.kind(name) != self.kind]
        self.reasons += [
            f"  note: the same export is {presets.kind(other)} by preset {other}: say "
            f"--{presets.kind(other)}, and not --{self.kind}"
            for other in others
        ]
        return {name: text for name, text in whole["columns"].items() if name != "currency"}

    def map(self, name: str, said: str | None) -> None:
        """Map one of our columns: as it was said, as guessed, or as asked."""
        if said:
            text, reason = said, "as you said"
        elif name in self.known:
            text, reason = self.known[name], f"preset {self.preset}"
        elif self.kind == "subscriptions" and name == "amount":
            return  # never guessed: a price a month is the usual thing
        elif name == "mrr" and "amount" in self.table["columns"]:
            text, reason = _NONE, "it is the amount over the months"
        else:
            text, reason = self._guess(name)
        if name in self.optional and text.lower() == _NONE:
            self._tell(name, "none", reason)
            return
        if name == "customer_id" and text in self.columns:
            self.reasons += self._others_who(text)
        mapped = mappings.parse(name, text, self.source.columns, source=self.source.name, dialect="duckdb")
        self.table["columns"][name] = text
        self._tell(name, text, f"{reason}; such as {self._samples(mapped)}")

    def _others_who(self, chosen: str) -> list[str]:
        """Columns that say who as well, and not the same: a household beside a person."""
        mine = self.columns[chosen]
        others = [
            other
            for other in guesses.known("customer_id", self.columns.values())
            if other.name != chosen and not guesses.same("customer_id", mine, other)
        ]
        return [
            guesses.printable(
                f"  note: {other.name} says who too ({other.cells.nunique():,} ids beside "
                f"{mine.cells.nunique():,} in the rows looked at). A household or a person? "
                "Say --customer-id for the other."
            )
            for other in others
        ]

    def _tell(self, name: str, text: str, reason: str) -> None:
        self.reasons.append(guesses.printable(f"  {name:<12} {text}  ({reason})"))

    def _samples(self, mapped: mappings.Mapped) -> str:
        if mapped.is_column:
            return self.columns[mapped.reads[0]].samples
        return "; ".join(f"{name} {self.columns[name].samples}" for name in mapped.reads)

    def _guess(self, name: str) -> tuple[str, str]:
        free = self._free()
        found = guesses.named(name, free)
        product, why = guesses.product(free) if name == "amount" else ("", "")
        if product and found and self._is_repeated(found[0]):
            return product, f"{found[0].name} is the same on every line of an order: a total, written again"
        if len(found) == 1:
            return found[0].name, "a known name for it"
        if found and all(guesses.same(name, found[0], other) for other in found[1:]):
            return found[0].name, f"a known name for it; {found[1].name} says the same"
        if found:
            return self._asked(name, found)
        return (product, why) if product else self._guess_by_values(name)

    def _guess_by_values(self, name: str) -> tuple[str, str]:
        """Where no name is known: the only column whose values could be it, or a question."""
        if name in _BY_NAME_ALONE or (name == "customer_id" and name in self.optional):
            return _NONE, _BY_NAME_ALONE.get(name, "no known name")
        fitting = guesses.fitting(name, self._free())
        if name in self.optional and not fitting:
            return _NONE, f"no column of {'numbers' if name in _MONEY else 'that kind'} is left"
        likely = guesses.likely(name, self._free())
        if len(likely) == 1 and not guesses.named("unit_price", likely):
            return likely[0].name, _ONLY[name]
        return self._asked(name, likely or fitting)

    def _asked(self, name: str, candidates: Sequence[Column]) -> tuple[str, str]:
        listed = "; ".join(f"{column.name} ({column.samples})" for column in candidates[:_LISTED])
        listed += f"; and {len(candidates) - _LISTED} more" if len(candidates) > _LISTED else ""
        among = f": {listed}" if listed else f" of {list(self.source.columns)}"
        option = f"--{name.replace('_', '-')} COLUMN" + (" (or none)" if name in self.optional else "")
        question = guesses.printable(f"{self.source.name}: {ASKED[self.kind][name]}{among}?")
        return self.ask(question, option, _NONE if name in self.optional else ""), "as you said"

    def _free(self) -> list[Column]:
        taken = self.table["columns"].values()
        return [column for column in self.columns.values() if column.name not in taken]

    def _is_repeated(self, amount: Column) -> bool:
        order = self.columns.get(self.table["columns"].get("order_id", ""))
        return order is not None and guesses.is_repeated(order, amount)

    def settle_reading(self) -> None:
        """Ask for the zone, the order of day and month, and the decimal sign, where no value decides."""
        mapped = self.table["columns"]
        for name in BY_KIND[self.kind].dates:
            if mapped.get(name) in self.columns:
                self._settle_dates(self.columns[mapped[name]])
        for name in (name for name in _MONEY if name in mapped and "decimal" not in self.table):
            self._settle_decimals(name, mapped[name])

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

    def _settle_decimals(self, ours: str, text: str) -> None:
        mapped = mappings.parse(ours, text, self.source.columns, source=self.source.name, dialect="duckdb")
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
        if not set(_MONEY) & set(self.table["columns"]):
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
        counts = raw.group_by(value=blanks.filled(raw[column.name].cast("string"))).aggregate(
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
        moment = BY_KIND[self.kind].moment
        if moment not in self.table["columns"]:
            answer = self.ask(
                "No column says when. What is as_of, the first moment not observed?", "--as-of", ""
            )
            self._tell("as_of", answer, "as you said")
            return answer
        last = self._load(FAR).table[moment].max().execute()
        proposed = _following(last)
        question = (
            f"The last row is of {moments.words(last.to_pydatetime())}, so {proposed} keeps every row. "
            "What is as_of, the first moment not observed?"
        )
        answer = self.ask(question, f"--as-of {proposed}", proposed)
        self._tell("as_of", answer, f"as you said; the last row is of {moments.words(last.to_pydatetime())}")
        return answer

    def try_out(self, as_of: str, currency: str | None) -> None:
        """Load the export as the client file will, and tell what became of its rows."""
        loaded = self._load(as_of)
        rules = list(loaded.checks[["rule", "rows"]].itertuples(index=False, name=None))
        (_, read), *aside, (_, kept) = rules
        self.reasons += [f"  {note.text}  (guessed)" for note in loaded.notes if note.level == "guess"]
        self.reasons.append(
            f"Tried: {read:,} rows read, {kept:,} kept, {loaded.table.count().execute():,} {self.kind}"
        )
        self.reasons += [f"  set aside: {rows:,} {rule}" for rule, rows in aside]
        told = [note.text for note in loaded.notes if note.level == "warning"]
        doubted = doubts.of(loaded, self.table["columns"], self.columns, currency)
        self.reasons += [f"  warning: {text}" for text in (*doubted, *told)]
        if not self.is_told_which:
            self.reasons += doubts.rows_that_may_not_count(self.table["columns"], self.columns)

    def _load(self, as_of: str) -> tables.Loaded:
        loaders = {
            "orders": tables.load_orders,
            "events": tables.load_events,
            "subscriptions": tables.load_subscriptions,
            "responses": tables.load_responses,
        }
        return loaders[self.kind](**self.table, as_of=as_of)


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
