"""Mappings: a name is a name, an expression computes from its row, and nothing else is let in."""

import ibis
import pytest

from retention_kit import mappings, session
from retention_kit.exceptions import DataError

SHOP = ["Quantity", "UnitPrice", "InvoiceNo", "order-date", "Unit price"]


def parse(text: object, name: str = "amount") -> mappings.Mapped:
    return mappings.parse(name, text, SHOP, source="shop.csv", dialect="duckdb")


@pytest.mark.parametrize("column", SHOP)
def test_a_name_that_exists_verbatim_is_that_column(column: str) -> None:
    assert parse(column).is_column
    assert parse(column).reads == (column,)


def test_a_subtraction_is_one_where_no_column_has_that_name() -> None:
    assert parse("Quantity-UnitPrice").reads == ("Quantity", "UnitPrice")


def test_names_in_expressions_are_found_in_any_case_and_in_quotes() -> None:
    mapped = parse('quantity * "Unit price"')
    assert mapped.reads == ("Quantity", "Unit price")
    assert mapped.expression.sql("duckdb") == '"Quantity" * "Unit price"'


def test_a_constant_reads_no_column() -> None:
    assert parse("'EUR'", "currency").reads == ()


NOT_ONE = (
    "must be one SQL expression over the columns of shop.csv, "
    "without a query, an aggregate or a command in it."
)


@pytest.mark.parametrize(
    "text",
    [
        *("(SELECT 1)", "SELECT Quantity", "Quantity IN (SELECT 1)", "EXISTS (SELECT 1)"),
        *("Quantity; DROP TABLE orders", "DROP TABLE orders", "ATTACH 'a.db'", "COPY t TO 'x'", "PRAGMA x"),
        *("sum(Quantity)", "count(*)", "COLUMNS(*)", "row_number() OVER ()", "*", "Quantity AS q", ""),
    ],
)
def test_anything_but_one_expression_is_refused(text: str) -> None:
    with pytest.raises(DataError) as refused:
        parse(text)
    assert str(refused.value) == f"amount: {text!r} {NOT_ONE}"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "amount",
            "UnitPrise",
            "columns maps amount to 'UnitPrise', which shop.csv does not have. Did you mean 'UnitPrice'? "
            "It has ['Quantity', 'UnitPrice', 'InvoiceNo', 'order-date', 'Unit price'].",
        ),
        (
            "amount",
            "Quantity * UnitPrise",
            "amount: 'Quantity * UnitPrise' uses 'UnitPrise', which shop.csv does not have. "
            "Did you mean 'UnitPrice'? It has ['Quantity', 'UnitPrice', 'InvoiceNo', 'order-date', "
            "'Unit price'].",
        ),
        (
            "where",
            "paid",
            "where: 'paid' uses 'paid', which shop.csv does not have. "
            "It has ['Quantity', 'UnitPrice', 'InvoiceNo', 'order-date', 'Unit price'].",
        ),
        (
            "amount",
            "Quantity *",
            "amount: 'Quantity *' is neither a column of shop.csv nor an SQL expression. "
            'Write a column\'s name, or an expression such as Quantity * "Unit price".',
        ),
    ],
)
def test_what_cannot_be_mapped_is_said(name: str, text: str, message: str) -> None:
    with pytest.raises(DataError) as refused:
        parse(text, name)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Quantity * UnitPrice", ["Quantity", "UnitPrice"]),
        ("-Quantity", ["Quantity"]),
        ("Quantity > 0 AND NOT starts_with(InvoiceNo, 'C')", ["Quantity"]),
        ("0 < (Quantity)", ["Quantity"]),
        ("Quantity > -1", ["Quantity"]),
        ("Quantity IN (1, 2)", ["Quantity"]),
        ("Quantity BETWEEN 1 AND 5", ["Quantity"]),
        ("coalesce(Quantity, 0)", ["Quantity"]),
        ("coalesce(Quantity, UnitPrice) * 2", ["Quantity", "UnitPrice"]),
        ("CASE WHEN InvoiceNo = 'C' THEN -Quantity ELSE Quantity END", ["Quantity", "Quantity"]),
        ("CASE WHEN InvoiceNo = 'C' THEN Quantity ELSE 0 END", ["Quantity"]),
        ("IF(InvoiceNo = 'C', Quantity, 0)", ["Quantity"]),
        ("Quantity = '5'", []),
        ("Quantity = UnitPrice", []),
        ("InvoiceNo IN ('a', 'b')", []),
        ("Quantity || UnitPrice", []),
        ("coalesce(InvoiceNo, 'none')", []),
        ("CASE InvoiceNo WHEN 'C' THEN 'return' ELSE Quantity END", []),
        ("strptime(InvoiceNo, '%d %b %Y') + INTERVAL 1 DAY", []),
        ("InvoiceNo + INTERVAL 1 DAY", []),
        ("CAST(Quantity AS INTEGER)", []),
    ],
)
def test_text_is_a_number_only_where_it_is_calculated_with(text: str, numbers: list[str]) -> None:
    uses = mappings.numeric_uses(parse(text), SHOP)
    assert sorted(use.name for use in uses) == sorted(numbers)


def test_a_number_column_stays_what_it_is() -> None:
    assert mappings.numeric_uses(parse("Quantity * UnitPrice"), ["InvoiceNo"]) == []
    assert mappings.numeric_uses(parse("Quantity"), SHOP) == []


def test_projection_computes_and_passes_through() -> None:
    frame = ibis.memtable({"Quantity": [2, 3], "UnitPrice": [1.5, 0.1], "row": [1, 2]})
    table = session.connection().create_table(session.new_name("shop"), frame)
    mapped = [parse("Quantity * UnitPrice"), parse("Quantity", "items")]
    projected = mappings.project(table, mapped, ["row"], "duckdb").order_by("row").to_pandas()
    assert projected.to_dict("list") == {"amount": [2 * 1.5, 3 * 0.1], "items": [2, 3], "row": [1, 2]}
