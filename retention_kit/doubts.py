"""What a careful reader doubts of a first load: guests under one id, totals twice, invoices, tests."""

from collections.abc import Mapping

import pandas as pd
from babel.numbers import get_currency_precision

from retention_kit import guesses, tables
from retention_kit.guesses import Column

_CROWDED = 0.2  # of all orders, more than one customer has in an ordinary shop
_FEW, _TIMES = 20, 3  # orders of one customer, and times as many as the next one has: no ordinary customer
# Days of stretches that are paid at once: a week, a month, a quarter, half a year, a year.
_STRETCHES = ((7, 7), (27, 32), (88, 94), (180, 186), (363, 368))
_ALIKE, _FOLLOW = 0.8, 0.3  # of the rows
_ZERO = r"[0.,]+"
_WHOLE = r"-?\d+"
_MANY, _LARGE = 20, 900  # sums, and the one in their middle, that may be cents
_VALUES = 8  # of a column that are counted one by one
_LISTED = 6  # columns that are told of


def of(
    loaded: tables.Loaded, mapped: Mapping[str, str], columns: Mapping[str, Column], currency: str | None
) -> list[str]:
    """What to doubt of a table as it was loaded with these columns, a sentence each."""
    cents = _whole_sums(mapped, columns, currency)
    if loaded.kind == "orders":
        return [*cents, *_repeated_total(mapped, columns), *_crowded_customer(loaded)]
    paid = _paid_stretches(loaded, mapped) if loaded.kind == "subscriptions" and "mrr" in mapped else []
    return [*cents, *paid]


def _whole_sums(mapped: Mapping[str, str], columns: Mapping[str, Column], currency: str | None) -> list[str]:
    """Sums without a decimal, and large: tools that bill may write them in cents."""
    name = next((each for each in ("mrr", "amount") if mapped.get(each) in columns), None)
    if name is None or currency is None or get_currency_precision(currency) == 0:
        return []
    column = columns[mapped[name]]
    filled = column.cells[~column.cells.str.fullmatch(_ZERO)]
    if len(filled) < _MANY or not filled.str.fullmatch(_WHOLE).all():
        return []
    middle = pd.to_numeric(filled).median()
    if middle < _LARGE:
        return []
    return [
        f"{column.name} has whole numbers alone, {middle:,.0f} in the middle: are they cents? Then say "
        f"--{name} '{guesses.quoted(column.name)} / 100'."
    ]


def rows_that_may_not_count(mapped: Mapping[str, str], columns: Mapping[str, Column]) -> list[str]:
    """What columns say of tests, trials, cancelled and refunded rows, where nobody said which count."""
    found = [each for each in guesses.states(columns.values()) if each.name not in mapped.values()]
    told = []
    for column in found[:_LISTED]:
        cells = column.cells[~column.cells.str.fullmatch(_ZERO)]  # nothing was refunded
        counts = cells.value_counts()
        listed = ", ".join(f"{value} ({rows:,})" for value, rows in counts.items())
        if len(counts) > _VALUES:
            listed = f"{len(cells):,} rows that have one, such as {cells.iloc[0]}"
        if len(counts) > 1 or (len(counts) == 1 and (column.filled < 1 or len(cells) < len(column.cells))):
            told.append(f"  note: {column.name} has {listed}. All count; else say --where.")
    return [guesses.printable(text) for text in told]


def _paid_stretches(loaded: tables.Loaded, mapped: Mapping[str, str]) -> list[str]:
    """Rows that follow on from one another, each of whole months at a price, are invoices."""
    rows = loaded.table.select("customer_id", "started_at", "ended_at").to_pandas().dropna()
    days = (rows["ended_at"] - rows["started_at"]).dt.days
    whole = pd.concat([days.between(*stretch) for stretch in _STRETCHES], axis=1).any(axis=1)
    starts, ends = (
        pd.MultiIndex.from_arrays([rows["customer_id"], rows[name].dt.normalize()])
        for name in ("started_at", "ended_at")
    )
    follow = int(starts.isin(ends).sum())
    if len(rows) == 0 or whole.mean() < _ALIKE or follow < _FOLLOW * len(rows):
        return []
    return [
        f"{follow:,} of {len(rows):,} rows begin where another of the same customer ends: are they invoices, "
        f"each paid for its stretch? Then say --amount {mapped['mrr']!r}, and no --mrr."
    ]


def _repeated_total(mapped: Mapping[str, str], columns: Mapping[str, Column]) -> list[str]:
    amount, order = (columns.get(mapped.get(name, "")) for name in ("amount", "order_id"))
    if amount is None or order is None or not guesses.is_repeated(order, amount):
        return []
    return [
        f"{amount.name} is the same on every line of an order: is it the order's total, written again? "
        "Then it is added up too often. Keep one line an order with --where."
    ]


def _crowded_customer(loaded: tables.Loaded) -> list[str]:
    """Shops write one id, often 0, for all who order as guests."""
    counts = loaded.table.group_by("customer_id").aggregate(orders=loaded.table.count())
    first = counts.order_by([counts.orders.desc(), counts.customer_id]).limit(2).to_pyarrow().to_pylist()
    found, next_one = first[0], first[-1]["orders"]
    share = found["orders"] / counts.orders.sum().execute()
    stands_out = share >= _CROWDED or (found["orders"] >= _FEW and found["orders"] > _TIMES * next_one)
    if not stands_out or counts.count().execute() < 5:
        return []
    return [
        f"{100 * share:.0f} % of orders are of one customer, {found['customer_id']!r}: guests under one id? "
        "Then set them aside with --where."
    ]
