"""Signs of a currency around numbers, as tills and spreadsheets write them: $1,234.50, 12,50 €, ($3.00)."""

import ibis.expr.types as ir

#: What stands for a currency before or after a number, as an expression for the engine and for `re`.
SIGN = r"(?:[A-Z]{0,2}\$|[€£¥₽₴₹₺₩]|zł|Kč|kr|Ft|lei|CHF|EUR|USD|GBP|PLN|CZK|SEK|NOK|DKK|HUF|RON)"
_DIGITS = r"[\d.,]*\d[\d.,]*"


def of(table: ir.Table, bare: ir.StringValue) -> str:
    """The one sign that most numbers of a column carry; "" where there is none, or where they differ.

    `bare` are its texts without blanks. Numbers with different signs are of different currencies, and are
    not read, so that nobody adds them up.
    """
    counted = table.select(sign=_of_each(bare), filled=bare.notnull())
    signed = counted.sign.notnull()
    found = counted.aggregate(
        least=counted.sign.min(),
        most=counted.sign.max(),
        mostly=signed.sum().fill_null(0) * 2 > counted.filled.sum().fill_null(0),
    )
    [row] = found.to_pyarrow().to_pylist()
    return row["least"] if row["mostly"] and row["least"] == row["most"] else ""


def without(bare: ir.StringValue, sign: str) -> ir.StringValue:
    """The numbers without that sign; in brackets, as accountants write what is below zero, with a minus."""
    if not sign:
        return bare
    number = bare.replace(sign, "")
    number = number.re_search(r"^\(.*\)$").ifelse(number.re_replace(r"^\((.*)\)$", r"-\1"), number)
    return (_of_each(bare) == sign).ifelse(number, bare)


def _of_each(bare: ir.StringValue) -> ir.StringValue:
    before = bare.re_extract(rf"^\(?[+-]?({SIGN})[+-]?{_DIGITS}\)?$", 1)
    after = bare.re_extract(rf"^\(?[+-]?{_DIGITS}({SIGN})\)?$", 1)
    return (before + after).nullif("")
