"""Signs of a currency: left out where one column has one of them, never where it has two."""

from pathlib import Path

import pytest

from retention_kit import tables

TILL = (  # a till's export: every sum with its sign, what was returned below zero
    'Date,Customer ID,Net Sales,Transaction ID\n03/13/24,a,"$1,234.50",1\n03/14/24,b,$2.50,2\n'
    "03/15/24,a,-$2.00,3\n03/16/24,b,($0.50),4\n03/17/24,b,0.25,5\n"
)


def read(folder: Path, cells: list[str], decimal: str | None = None) -> tuple[list[float], int, list[str]]:
    rows = "".join(f'c{row},2024-03-13,"{cell}"\n' for row, cell in enumerate(cells))
    (folder / "a.csv").write_text("customer_id,ordered_at,amount\n" + rows, encoding="utf-8")
    loaded = tables.load_orders(folder / "a.csv", as_of="2024-04-01", decimal=decimal)
    checks = loaded.checks.set_index("rule")["rows"]
    notes = [str(note.text) for note in loaded.notes if "amount" in str(note.text)]
    return sorted(loaded.table.amount.execute().tolist()), int(checks.get("unreadable number", 0)), notes


@pytest.mark.parametrize(
    ("cells", "sign", "point"),
    [
        (["$1,234.50", "$0.75", "$ 3.25"], "$", "point"),
        (["1.234,50 €", "0,75 €", "3,25€"], "€", "comma"),
        (["1 234,50 zł", "0,75 zł", "3,25 zł"], "zł", "comma"),
        (["USD 1,234.50", "USD 0.75", "3.25 USD"], "USD", "point"),
        (["A$1,234.50", "A$0.75", "3.25"], "A$", "point"),  # a plain one among them is of the same currency
    ],
)
def test_numbers_with_one_sign_are_read_without_it(
    cells: list[str], sign: str, point: str, tmp_path: Path
) -> None:
    assert read(tmp_path, cells) == (
        [0.75, 3.25, 1234.5],
        0,
        [f"amount: numbers read without their {sign}", f"amount: decimal {point}"],
    )


def test_a_decimal_sign_that_is_said_holds_for_them_too(tmp_path: Path) -> None:
    assert read(tmp_path, ["$1,234", "$2,345"], ",")[0] == [1.234, 2.345]
    assert read(tmp_path, ["$1,234", "$2,345"], ".")[0] == [1234, 2345]


@pytest.mark.parametrize(
    "cells", [["$1.50", "€2.50", "3.25"], ["€1.50", "2.50", "3.50"], ["$1.50", "A$2.50", "3"]]
)
def test_two_signs_or_a_rare_one_are_not_read(cells: list[str], tmp_path: Path) -> None:
    """Two are two currencies, and nobody knows what a single one among plain numbers means."""
    amounts, unread, notes = read(tmp_path, cells)
    assert unread == sum(not cell.replace(".", "").isdigit() for cell in cells)
    assert len(amounts) == len(cells) - unread
    assert not any("without their" in note for note in notes)


def test_brackets_and_minus_are_below_zero_and_other_text_is_no_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TILL)
    names = {"customer_id": "Customer ID", "ordered_at": "Date", "order_id": "Transaction ID"}
    loaded = tables.load_orders(
        tmp_path / "a.csv", columns=names | {"amount": '"Net Sales" * 2'}, as_of="2024-04-01"
    )
    kept, returned = 1234.5 + 2.5 + 0.25, -2 - 0.5
    assert dict(zip(loaded.checks["rule"], loaded.checks["amount"], strict=True)) == {
        "read": 2 * (kept + returned),
        "return": 2 * returned,
        "kept": 2 * kept,
    }
    others = ["$-", "$1.50 each", "($-1)", "$$1", "5$5"]
    assert read(tmp_path, ["$1.50", "$2.50", "$3.50", "$4.50", "$5.50", *others])[:2] == (
        [1.5, 2.5, 3.5, 4.5, 5.5],
        len(others),
    )
