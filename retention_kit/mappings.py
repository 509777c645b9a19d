"""`columns=` and `where=`: our names mapped onto a source's columns or SQL expressions over them."""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import sqlglot
import sqlglot.expressions as sge
from sqlglot.errors import SqlglotError

from retention_kit.exceptions import DataError, did_you_mean

# An expression computes from the row at hand. Anything else is a command; the forbidden would read
# other rows or other tables.
_VALUE = (sge.Condition, sge.AtTimeZone)
_FORBIDDEN = (
    *(sge.Query, sge.Table, sge.Command, sge.DDL, sge.DML),
    *(sge.AggFunc, sge.Window, sge.Alias, sge.Star),
)


@dataclass(frozen=True)
class Mapped:
    """One of our columns: its name, the expression, the source columns it reads."""

    name: str
    text: str
    expression: sge.Expression
    reads: tuple[str, ...]

    @property
    def is_column(self) -> bool:
        """True when it is a source's column as it stands, and no computation."""
        return isinstance(self.expression, sge.Column)


def parse(name: str, text: object, available: Sequence[str], *, source: str, dialect: str) -> Mapped:
    """Read one entry of `columns=` (or `where=`); a column that exists verbatim always wins.

    Raises
    ------
    DataError
        When it is no single expression, or uses a column the source does not have.

    Examples
    --------
    >>> where = {"source": "a.csv", "dialect": "duckdb"}
    >>> parse("amount", "Quantity * UnitPrice", ["Quantity", "UnitPrice"], **where).reads
    ('Quantity', 'UnitPrice')
    >>> parse("ordered_at", "order-date", ["order-date", "order", "date"], **where).reads
    ('order-date',)
    """
    text = str(text)
    if text in available:
        return Mapped(name, text, sge.column(text, quoted=True), (text,))
    expression = _expression(name, text, source, dialect)
    known = {column.lower(): column for column in available}
    columns = list(expression.find_all(sge.Column))
    for column in columns:
        if column.name not in available and column.name.lower() not in known:
            raise DataError(_unknown_column(name, text, column.name, available, source))
        exact = column.name if column.name in available else known[column.name.lower()]
        column.set("this", sge.to_identifier(exact, quoted=True))
        column.set("table", None)
    return Mapped(name, text, expression, tuple(dict.fromkeys(column.name for column in columns)))


def _expression(name: str, text: str, source: str, dialect: str) -> sge.Expression:
    try:
        parsed = sqlglot.parse(text, dialect=dialect)
    except SqlglotError:
        raise DataError(
            f"{name}: {text!r} is neither a column of {source} nor an SQL expression. "
            'Write a column\'s name, or an expression such as Quantity * "Unit price".'
        ) from None
    if len(parsed) != 1 or not isinstance(parsed[0], _VALUE) or any(parsed[0].find_all(*_FORBIDDEN)):
        raise DataError(
            f"{name}: {text!r} must be one SQL expression over the columns of {source}, "
            "without a query, an aggregate or a command in it."
        )
    return parsed[0]


def _unknown_column(name: str, text: str, column: str, available: Sequence[str], source: str) -> str:
    if text == column and name != "where":
        start = f"columns maps {name} to {text!r}, which {source} does not have."
    else:
        start = f"{name}: {text!r} uses {column!r}, which {source} does not have."
    return f"{start}{did_you_mean(column, available)} It has {list(available)}."


def quoted(name: str) -> sge.Identifier:
    """A column's name as an SQL identifier, exactly as spelled."""
    return sge.to_identifier(name, quoted=True)


def numeric_uses(item: Mapped, text_columns: Sequence[str]) -> list[sge.Column]:
    """Where an expression calculates with a text column: multiplies it, or compares it with a number.

    There, and only there, text is read as a number; `starts_with(InvoiceNo, 'C')` keeps it text.
    """
    if item.is_column:
        return []
    uses = item.expression.find_all(sge.Column)
    return [column for column in uses if column.name in text_columns and _is_calculated(column)]


def calculated_with(mapped: Sequence[Mapped], text_columns: Sequence[str]) -> list[str]:
    """The text columns that some expression calculates with."""
    uses = [use.name for item in mapped for use in numeric_uses(item, text_columns)]
    return list(dict.fromkeys(uses))


_ARITHMETIC = (sge.Add, sge.Sub, sge.Mul, sge.Div, sge.Mod, sge.Neg, sge.Abs, sge.Round, sge.Floor, sge.Ceil)
_COMPARISON = (sge.EQ, sge.NEQ, sge.GT, sge.GTE, sge.LT, sge.LTE, sge.Between, sge.In)
_CHOICE = (sge.Paren, sge.Coalesce, sge.Greatest, sge.Least, sge.If, sge.Case)


def _is_calculated(column: sge.Column) -> bool:
    node: sge.Expression = column
    while isinstance(node.parent, _CHOICE) and not _is_condition(node):
        node = node.parent
        if any(map(_is_number, _choices(node))):
            return True
    if isinstance(node.parent, _ARITHMETIC):
        return not any(isinstance(other, sge.Interval) for other in node.parent.iter_expressions())
    return isinstance(node.parent, _COMPARISON) and any(
        _is_number(other) for other in node.parent.iter_expressions() if other is not node
    )


def _is_condition(node: sge.Expression) -> bool:
    """What CASE or IF asks, and not one of the values that it gives."""
    return isinstance(node.parent, (sge.If, sge.Case)) and node.arg_key == "this"


def _choices(node: sge.Expression) -> list[sge.Expression]:
    """The values an expression chooses from: when one is a number, all are."""
    if isinstance(node, sge.Case):
        values = [branch.args.get("true") for branch in node.args["ifs"]] + [node.args.get("default")]
    elif isinstance(node, sge.If):
        values = [node.args.get("true"), node.args.get("false")]
    else:
        values = [] if isinstance(node, sge.Paren) else list(node.iter_expressions())
    return [value for value in values if value is not None]


def _is_number(node: sge.Expression) -> bool:
    bare = node.this if isinstance(node, sge.Paren) else node
    return isinstance(bare, _ARITHMETIC) or (isinstance(bare, sge.Literal) and not bare.is_string)


def project(table: ir.Table, mapped: Sequence[Mapped], keep: Sequence[str], dialect: str) -> ir.Table:
    """The mapped columns under our names, beside the columns `keep`, which pass through."""
    if all(item.is_column for item in mapped):
        return table.select(
            **{item.name: table[item.reads[0]] for item in mapped}, **{k: table[k] for k in keep}
        )
    selected = [item.expression.as_(item.name, quoted=True) for item in mapped]
    selected += [sge.column(name, quoted=True) for name in keep]
    query = sqlglot.select(*selected).from_(sge.to_identifier("source"))
    return table.alias("source").sql(query.sql(dialect), dialect=dialect)
