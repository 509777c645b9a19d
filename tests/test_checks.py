"""Checks: every row read is kept or set aside by the first rule that it fails."""

import datetime as dt

import ibis
import pandas as pd
import pytest

from retention_kit import checks
from retention_kit.contracts import ORDERS, RESPONSES, SUBSCRIPTIONS, Contract
from retention_kit.exceptions import DataError

END = dt.datetime(2024, 7, 1)
GOOD = {
    "customer_id": "a",
    "ordered_at": pd.Timestamp(2024, 6, 1),
    "amount": 5.0,
    "_bad_date": None,
    "_bad_number": None,
    "_where": True,
}
# Each rule with what makes a row fail it, in the order of the rules.
FAILURES = {
    "unreadable date": {"_bad_date": "soon", "ordered_at": pd.NaT},
    "unreadable number": {"_bad_number": "abc", "amount": None},
    "no customer": {"customer_id": None},
    "no date": {"ordered_at": pd.NaT},
    "no amount": {"amount": None},
    "filtered": {"_where": False},
    "return": {"amount": -1.0},
    "at or after as_of": {"ordered_at": pd.Timestamp(END)},
}
TYPES = {
    "customer_id": "str",
    "ordered_at": "datetime64[us]",
    "ended_at": "datetime64[us]",
    "amount": "float64",
    "mrr": "float64",
    "score": "float64",
    "_where": "boolean",
}


def accounted(rows: list[dict], contract: Contract = ORDERS) -> pd.DataFrame:
    frame = pd.DataFrame(rows or [GOOD])
    texts = dict.fromkeys(("_bad_date", "_bad_number"), "str")
    types = {name: kind for name, kind in {**TYPES, **texts}.items() if name in frame}
    table = ibis.memtable(frame.astype(types)).limit(len(rows))
    return checks.accounted(table, checks.rules(contract, table, END), contract.value)


def ruled(row: dict, contract: Contract = ORDERS) -> str:
    """The rule under which a row alone is accounted for."""
    _, rule = accounted([row], contract).loc[lambda account: account["rows"] > 0, "rule"]
    return rule


@pytest.mark.parametrize("rule", FAILURES)
def test_each_rule_by_hand(rule: str) -> None:
    assert ruled(GOOD | FAILURES[rule]) == rule


@pytest.mark.parametrize("first", range(len(FAILURES)))
def test_of_several_rules_the_first_counts(first: int) -> None:
    names = list(FAILURES)[first:]
    row = dict(GOOD)
    for name in reversed(names):  # the earlier one has the last word on a column
        row |= FAILURES[name]
    assert ruled(row) == names[0]


def test_a_condition_that_is_neither_true_nor_false_is_not_met() -> None:
    assert ruled(GOOD | {"_where": None}) == "filtered"


def test_the_account_adds_up_in_rows_and_amounts() -> None:
    rows = [GOOD, GOOD | {"amount": 0.0}, *(GOOD | failure for failure in FAILURES.values())]
    account = accounted(rows)
    assert account["rule"].tolist() == ["read", *FAILURES, "kept"]
    assert account["rows"].tolist() == [10, *[1] * 8, 2]
    assert account["amount"].iloc[0] == account["amount"].iloc[1:].sum() == 5 + 0 + 5 + 5 + 5 + 5 - 1 + 5
    assert account["example"].dropna().tolist() == ["soon", "abc"]
    assert {column: str(kind) for column, kind in account.dtypes.items()} == {
        "rule": "str",
        "rows": "int64",
        "amount": "float64",
        "example": "str",
    }


def test_the_rules_of_subscriptions() -> None:
    good = {
        "customer_id": "a",
        "started_at": pd.Timestamp(2024, 1, 1),
        "ended_at": pd.Timestamp(2024, 2, 1),
        "mrr": 5.0,
        "_bad_date": None,
        "_bad_number": None,
    }
    rows = [
        good,
        good | {"ended_at": pd.NaT},
        good | {"ended_at": good["started_at"]},
        good | {"ended_at": pd.Timestamp(2023, 12, 31)},
        good | {"mrr": -1.0},
        good | {"mrr": None},
        good | {"started_at": pd.Timestamp(END), "ended_at": pd.NaT},
    ]
    assert [ruled(row, SUBSCRIPTIONS) for row in rows] == [
        *("kept", "kept", "kept"),
        *("ended before started", "negative mrr", "no mrr", "at or after as_of"),
    ]


def test_a_blank_score_is_no_answer_and_scores_are_not_added_up() -> None:
    rows = [{"score": score, "_bad_date": None, "_bad_number": None} for score in (9.0, None)]
    account = accounted(rows, RESPONSES)
    assert account[["rule", "rows"]].to_numpy().tolist() == [["read", 2], ["no answer", 1], ["kept", 1]]
    assert account["amount"].isna().all()


def test_nothing_kept_says_why() -> None:
    rows = [GOOD | FAILURES["unreadable number"], *[GOOD | FAILURES["return"]] * 2]
    account = accounted(rows)
    with pytest.raises(DataError) as refused:
        checks.refuse_nothing_kept("orders", account)
    assert str(refused.value) == (
        "orders: none of 3 rows can be used: unreadable number 1 (such as 'abc'); return 2. "
        "Check columns= and where=."
    )


def test_nothing_read_says_so() -> None:
    account = accounted([])
    with pytest.raises(DataError) as refused:
        checks.refuse_nothing_kept("orders", account)
    assert str(refused.value) == "orders has no rows. Export it again, or give another source."


def test_two_currencies_are_not_added() -> None:
    checks.refuse_two_currencies("orders", ibis.memtable({"currency": ["EUR", "EUR"]}))
    checks.refuse_two_currencies("orders", ibis.memtable({"amount": [1.0]}))
    with pytest.raises(DataError) as refused:
        checks.refuse_two_currencies("orders", ibis.memtable({"currency": ["PLN", "EUR", None, "EUR"]}))
    assert str(refused.value) == (
        "orders holds 3 currencies: EUR (2 rows), PLN (1 rows), none named (1 rows). They are not added up. "
        "Keep one with where=\"currency = 'EUR'\", or convert amount in columns=."
    )
