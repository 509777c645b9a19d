"""What the names and the values of an export's columns say of what they hold."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import pandas as pd

from retention_kit import blanks, synonyms
from retention_kit.dialects import complaint
from retention_kit.exceptions import DataError
from retention_kit.opened import Source
from retention_kit.signs import SIGN

_DATE = (
    r"^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|(?:19|20)\d{2}[01]\d[0-3]\d"
    r"|(?:[A-Z][a-z]+, )?(?:\d{1,2}[ -][A-Z][a-z]{2,8}[ -]\d{2,4}|[A-Z][a-z]{2,8} \d{1,2},? \d{4}))"
    r"(?:,?[ T]\d.*)?$"
)
_NUMBER = rf"^\(?[+-]?\s?{SIGN}?\s?[+-]?[\d.,'’\s]*\d[.,]?\s?{SIGN}?\)?$"
_DECIMALS = rf"[.,]\d{{1,2}}\s?{SIGN}?\)?$"
_DIGIT = r"\d"
_SCORE = r"^(?:\d{1,3}(?:\D*|[.,]\d+)|[^\W\d]\D*[-–—:=]\s*\d{1,3})$"  # 9, "9 - likely" or "Likely - 9"
_SCORES = [str(number) for number in range(11)]
_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_LONGEST = 40  # characters of a sample
_IDS = ("customer_id", "order_id")
_MONEY = ("amount", "mrr")
_STATES = {
    *(
        "status",
        "test",
        "sandbox",
        "trial",
        "cancelled",
        "canceled",
        "refund",
        "refunded",
        "voided",
        "deleted",
    ),
    *("spam", "finished", "anulowane", "zwrot", "storniert", "annule", "cancelado"),
}
_FEW_STATES = 6
_MANY = 20  # rows that have more than one customer
_PLAIN_COLUMNS = 3  # of dates or numbers, in which a row of words stands out
_SAMPLE = 5_000  # rows looked at
_MOST = 0.8  # of a column's filled values
_TELLING = 10  # lines of several units that can tell whose price it is
_SEVERAL = 3  # orders of several lines that can tell a total from a line's amount


@dataclass(frozen=True)
class Column:
    """What a sample says of one column of the export."""

    name: str
    cells: pd.Series = field(repr=False)  # as text, blanks dropped
    filled: float
    is_date: bool
    is_number: bool
    has_decimals: bool
    has_digits: bool
    said: str = ""  # of surveys the question, which stands below the header

    @property
    def samples(self) -> str:
        """Three of its values, as a terminal can show them."""
        return " | ".join(printable(cell)[:_LONGEST] for cell in self.cells.unique()[:3])


def printable(text: str) -> str:
    r"""Text from a file without the signs that steer a terminal.

    >>> printable("Ann\x1b[2J")
    'Ann?[2J'
    """
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def look(source: Source) -> dict[str, Column]:
    """What a sample of a source says of each of its columns.

    Raises
    ------
    DataError
        When it has no rows or cannot be read.
    """
    try:
        frame = source.table(list(source.columns)).limit(_SAMPLE).to_pandas()
    except duckdb.Error as error:
        raise DataError(complaint(source.name, error)) from None
    if frame.empty:
        raise DataError(f"{source.name} has no rows. Export it again, or give another file.")
    below = _rows_below_header(frame)
    said = frame.iloc[0] if below else pd.Series("", index=frame.columns)
    return {
        name: replace(_column(name, frame[name].iloc[below:]), said=_text(said[name]) if below else "")
        for name in source.columns
    }


def _rows_below_header(frame: pd.DataFrame) -> int:
    """How many rows at the top, two at most, say what the columns hold: questions, and ids of them.

    Such a row has words where nearly all others have dates or numbers.
    """
    for rows in range(min(2, len(frame) - 1), 0, -1):
        rest = {name: _column(name, frame[name].iloc[rows:]) for name in frame.columns}
        plain = [name for name, column in rest.items() if column.is_date or column.is_number]
        if len(plain) >= _PLAIN_COLUMNS and all(
            sum(map(_is_plain, frame[plain].iloc[row])) <= len(plain) / 10 for row in range(rows)
        ):
            return rows
    return 0


def _is_plain(cell: Any) -> bool:
    text = "" if pd.isna(cell) else _text(cell)
    return not text or bool(re.match(_NUMBER, text) or re.match(_DATE, text))


def states(columns: Iterable[Column]) -> list[Column]:
    """Columns that say which rows are tests, trials, cancelled, refunded or unfinished, by their names."""
    return [column for column in columns if column.filled > 0 and _says_state(column)]


def _says_state(column: Column) -> bool:
    """By a word of its name; `state` alone may also be a part of a country, of which there are many."""
    words = set(synonyms.words(column.name))
    return bool(_STATES & words) or (words == {"state"} and column.cells.nunique() <= _FEW_STATES)


def named(name: str, columns: Iterable[Column]) -> list[Column]:
    """The columns with the best of the names known for one of ours, whose values could be it."""
    ranked = [(_rank_of(name, column), column) for column in columns if _FITS[name](column)]
    best = min((rank for rank, _ in ranked if rank is not None), default=None)
    return [column for rank, column in ranked if rank is not None and rank == best]


def known(name: str, columns: Iterable[Column]) -> list[Column]:
    """All columns with a name that is known for one of ours, the best and the others."""
    return [column for column in columns if _FITS[name](column) and _rank_of(name, column) is not None]


def fitting(name: str, columns: Iterable[Column]) -> list[Column]:
    """The columns whose values could be one of ours, whatever their names."""
    return [column for column in columns if _FITS[name](column)]


def likely(name: str, columns: Iterable[Column]) -> list[Column]:
    """Of columns without a name known for one of ours, those whose values are most like it."""
    beside = {name, "unit_price"} if name in _MONEY else {name}
    others = [other for other in synonyms.NAMES if other not in beside]
    unnamed = [c for c in columns if not any(_rank_of(other, c) is not None for other in others)]
    return [column for column in unnamed if _FITS[name](column) and _LIKELY[name](column)]


def product(columns: Sequence[Column]) -> tuple[str, str]:
    """What a line costs by its quantity and its price, as an expression, and why; empty without one of each.

    A price that single units have only once it is divided by the quantity is that of all units already.
    """
    quantities, prices = named("quantity", columns), named("unit_price", columns)
    if len(quantities) != 1 or len(prices) != 1:
        return "", ""
    [quantity], [price] = quantities, prices
    if _is_of_all_units(quantity, price):
        return price.name, f"no total, but a price that holds all units: by {quantity.name} it is one unit's"
    return f"{quoted(quantity.name)} * {quoted(price.name)}", "no total, but a quantity and a price"


def _is_of_all_units(quantity: Column, price: Column) -> bool:
    lines = pd.DataFrame({"units": _numbers(quantity), "price": _numbers(price)}).dropna()
    singles, several = lines[lines["units"] == 1], lines[lines["units"] > 1]
    as_it_is = several["price"].isin(singles["price"]).mean()
    by_unit = (several["price"] / several["units"]).round(2).isin(singles["price"]).mean()
    return len(several) >= _TELLING and bool(by_unit >= _MOST and as_it_is < by_unit / 2)


def _numbers(column: Column) -> pd.Series:
    plain = column.cells.str.replace(",", ".").str.replace(r"[^\d.-]", "", regex=True)
    return pd.to_numeric(plain, errors="coerce")


def quoted(name: str) -> str:
    """A column's name as an SQL expression needs it.

    >>> quoted("UnitPrice"), quoted("Cena jednostkowa")
    ('UnitPrice', '"Cena jednostkowa"')
    """
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


def is_repeated(order: Column, amount: Column) -> bool:
    """Whether an amount looks like an order's total, written again on each of the order's lines."""
    lines = pd.DataFrame({"order": order.cells, "amount": amount.cells}).dropna()
    by_order = lines.groupby("order")["amount"].agg(["size", "nunique"])
    several = by_order[by_order["size"] > 1]
    return len(several) >= _SEVERAL and bool((several["nunique"] == 1).all())


def same(name: str, one: Column, other: Column) -> bool:
    """Whether two columns say the same: equal sums and moments, ids that go together one to one."""
    if name not in _IDS:
        return one.cells.equals(other.cells)
    if not one.cells.index.equals(other.cells.index):
        return False
    pairs = pd.DataFrame({"one": one.cells, "other": other.cells}).drop_duplicates()
    return len(pairs) == pairs["one"].nunique() == pairs["other"].nunique()


# -- values ----------------------------------------------------------------------


def _column(name: str, cells: pd.Series) -> Column:
    text = cells.dropna().map(_text).astype("str")
    text = text[~text.isin(blanks.WORDS)]
    is_number = _mostly(text, _NUMBER)
    return Column(
        name=name,
        cells=text,
        filled=len(text) / len(cells),
        is_date=_mostly(text, _DATE),
        is_number=is_number,
        has_decimals=is_number and bool(text.str.contains(_DECIMALS).any()),
        has_digits=_mostly(text, _DIGIT),
    )


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip().removesuffix(" 00:00:00")


def _mostly(text: pd.Series, pattern: str) -> bool:
    return len(text) > 0 and bool(text.str.contains(pattern).mean() >= _MOST)


def _could_be_id(column: Column) -> bool:
    return column.filled > 0 and not column.is_date and not column.has_decimals


def _says_several(column: Column) -> bool:
    """Of many rows: the shop's own address says who as well, and always the same."""
    return len(column.cells) < _MANY or column.cells.nunique() > 1


def _could_be_number(column: Column) -> bool:
    return column.is_number and not column.is_date


def _comes_back(column: Column) -> bool:
    return 0.02 < column.cells.nunique() / len(column.cells) < 0.95


# What the values of a column must be like to be ours, whatever its name.
_FITS: dict[str, Callable[[Column], bool]] = {
    "customer_id": lambda column: _could_be_id(column) and _says_several(column),
    "ordered_at": lambda column: column.is_date,
    "order_id": lambda column: _could_be_id(column) and column.has_digits and column.filled >= _MOST,
    **dict.fromkeys(("amount", "quantity", "unit_price", "mrr"), _could_be_number),
    **dict.fromkeys(("occurred_at", "started_at", "responded_at"), lambda column: column.is_date),
    # Where everybody is still there, nothing ended.
    "ended_at": lambda column: column.is_date or column.filled == 0,
    "score": lambda column: _mostly(column.cells, _SCORE),
    **dict.fromkeys(("plan", "cancel_reason", "event"), lambda column: not column.is_date),
    "comment": lambda column: not column.is_date and not column.is_number,
    "currency": lambda column: column.filled > 0 and not column.has_digits,
}
# What they must be like where no name is known.
_LIKELY: dict[str, Callable[[Column], bool]] = {
    "customer_id": lambda column: column.has_digits and _comes_back(column),
    **dict.fromkeys(("ordered_at", "occurred_at", "started_at", "responded_at"), lambda column: True),
    "ended_at": lambda column: 0 < column.filled < 1,
    **dict.fromkeys(("amount", "mrr"), lambda column: column.has_decimals),
    "score": lambda column: column.is_number and bool(column.cells.isin(_SCORES).all()),
}


def _rank_of(name: str, column: Column) -> int | None:
    """How good a column is by its name, or by the question below it."""
    ranks = [synonyms.rank(name, text) for text in (column.name, column.said) if text]
    return min((rank for rank in ranks if rank is not None), default=None)
