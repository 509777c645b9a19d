"""Every row read is kept or set aside by the first rule it fails; what cannot be used is refused."""

import datetime as dt
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import overlaps, values
from retention_kit.contracts import PAID_STRETCHES, Contract
from retention_kit.exceptions import DataError

#: What sets a row aside, and the rule's name.
Rule = tuple[ir.BooleanValue, str]


def rules(contract: Contract, table: ir.Table, end: dt.datetime | None) -> list[Rule]:
    """The rules for a table of this kind; of several that a row fails the first counts."""
    has = set(table.columns)
    rules: list[Rule] = [
        *([(table[overlaps.MARK].notnull(), "in an earlier file")] if overlaps.MARK in has else []),
        *((table[name].notnull(), rule) for name, rule in values.UNREADABLE.items() if name in has),
    ]
    if contract.needs_customer:
        rules.append((table.customer_id.isnull(), "no customer"))
    if contract.moment in has:
        rules.append((table[contract.moment].isnull(), "no date"))
    if contract.value in has:
        rules.append((table[contract.value].isnull(), contract.value_missing))
    if "_where" in has:
        rules.append((~table["_where"].fill_null(False), "filtered"))
    if contract.value == "amount" and "amount" in has:
        rules.append((table.amount < 0, "return"))
    if contract is PAID_STRETCHES:
        rules.append((table.ended_at.isnull(), "no end of service"))
        rules.append((table.ended_at == table.started_at, "ended before started"))
    if contract.kind == "subscriptions":
        rules.append((table.ended_at < table.started_at, "ended before started"))
        if "mrr" in has:
            rules.append((table.mrr < 0, "negative mrr"))
    if end is not None and contract.moment in has:
        rules.append((table[contract.moment] >= ibis.timestamp(end), "at or after as_of"))
    return rules


def accounted(table: ir.Table, rules: Sequence[Rule], value: str | None) -> pd.DataFrame:
    """Rows read = rows kept + rows set aside by the first rule each fails, with their amounts."""
    names = list(dict.fromkeys([*(rule for _, rule in rules), "kept"]))
    # Rows are grouped by the number of a rule: ten million names would take longer to tell apart.
    numbered = [(fails, names.index(rule)) for fails, rule in rules]
    failed = ibis.cases(*numbered, else_=names.index("kept"))
    amount = table[value].sum() if value in table.columns and value != "score" else ibis.null("float64")
    unread = [table[name] for name in values.UNREADABLE if name in table.columns]
    example = ibis.coalesce(*unread).min() if unread else ibis.null("string")
    counted = table.group_by(rule=failed).aggregate(rows=table.count(), amount=amount, example=example)
    found = {names[row["rule"]]: row for row in counted.to_pyarrow().to_pylist()}
    read = {
        "rows": sum(row["rows"] for row in found.values()),
        "amount": _total([row["amount"] for row in found.values()]),
        "example": None,
    }
    kept = found.pop("kept", {"rows": 0, "amount": None, "example": None})
    rows = [("read", read), *((rule, found[rule]) for rule in names if rule in found), ("kept", kept)]
    return pd.DataFrame(
        {
            "rule": [rule for rule, _ in rows],
            "rows": pd.Series([row["rows"] for _, row in rows], dtype="int64"),
            # To the cent: what floating sums leave beyond it differs from run to run.
            "amount": pd.Series([row["amount"] for _, row in rows], dtype="float64").round(2),
            "example": pd.Series([row["example"] for _, row in rows], dtype="str"),
        }
    )


def _total(amounts: Sequence[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def refuse_nothing_kept(kind: str, checks: pd.DataFrame) -> None:
    if checks["rows"].iloc[-1] > 0:
        return
    read = checks["rows"].iloc[0]
    if read == 0:
        raise DataError(f"{kind} has no rows. Export it again, or give another source.")
    reasons = [
        f"{row.rule} {row.rows:,}" + (f" (such as {row.example!r})" if isinstance(row.example, str) else "")
        for row in checks.iloc[1:-1].itertuples()
    ]
    raise DataError(
        f"{kind}: none of {read:,} rows can be used: {'; '.join(reasons)}. Check columns= and where=."
    )


def refuse_two_currencies(kind: str, kept: ir.Table) -> None:
    if "currency" not in kept.columns:
        return
    counts = kept.group_by("currency").aggregate(rows=kept.count()).order_by("currency")
    found = counts.to_pyarrow().to_pylist()
    if len(found) > 1:
        listed = ", ".join(f"{row['currency'] or 'none named'} ({row['rows']:,} rows)" for row in found)
        raise DataError(
            f"{kind} holds {len(found)} currencies: {listed}. They are not added up. "
            f"Keep one with where=\"currency = '{found[0]['currency']}'\", or convert amount in columns=."
        )
