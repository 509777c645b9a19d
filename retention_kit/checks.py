"""Every row read is kept or set aside by the first rule it fails; what cannot be used is refused."""

import datetime as dt
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import overlaps
from retention_kit.contracts import PAID_STRETCHES, Contract
from retention_kit.exceptions import DataError


def ruled(contract: Contract, table: ir.Table, end: dt.datetime | None) -> ir.Table:
    """Each row with the first rule that it fails, or `kept`."""
    has = set(table.columns)
    rules: list[tuple[ir.BooleanValue, str]] = [
        *([(table[overlaps.MARK].notnull(), "in an earlier file")] if overlaps.MARK in has else []),
        (table["_bad_date"].notnull(), "unreadable date"),
        (table["_bad_number"].notnull(), "unreadable number"),
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
    return table.mutate(_rule=ibis.cases(*rules, else_="kept"))


def accounted(ruled: ir.Table, value: str | None) -> pd.DataFrame:
    """Rows read = rows kept + rows set aside by the first rule each fails, with their amounts."""
    amount = ruled[value].sum() if value in ruled.columns and value != "score" else ibis.null("float64")
    example = ibis.coalesce(ruled["_bad_date"], ruled["_bad_number"]).min()
    counted = ruled.group_by("_rule").aggregate(rows=ruled.count(), amount=amount, example=example)
    found = {row["_rule"]: row for row in counted.to_pyarrow().to_pylist()}
    read = {
        "rows": sum(row["rows"] for row in found.values()),
        "amount": _total([row["amount"] for row in found.values()]),
        "example": None,
    }
    kept = found.pop("kept", {"rows": 0, "amount": None, "example": None})
    rows = [("read", read), *((rule, found[rule]) for rule in _RULE_ORDER if rule in found), ("kept", kept)]
    return pd.DataFrame(
        {
            "rule": [rule for rule, _ in rows],
            "rows": pd.Series([row["rows"] for _, row in rows], dtype="int64"),
            # To the cent: what floating sums leave beyond it differs from run to run.
            "amount": pd.Series([row["amount"] for _, row in rows], dtype="float64").round(2),
            "example": pd.Series([row["example"] for _, row in rows], dtype="str"),
        }
    )


_RULE_ORDER = (
    "in an earlier file",
    *("unreadable date", "unreadable number", "no customer", "no date", "no amount", "no mrr", "no answer"),
    *("filtered", "return", "no end of service", "ended before started", "negative mrr", "at or after as_of"),
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
