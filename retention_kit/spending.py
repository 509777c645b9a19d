"""What customers spend: each of them on average, and returning ones against new ones."""

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import special

from retention_kit import buying, intervals, periods, session, sources, tables
from retention_kit.exceptions import DataError
from retention_kit.moments import Date
from retention_kit.phrases import Phrase
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded

_SPENT = ("orders", "revenue", "spend_per_customer", "spend_sd", "low", "high", "interval")
_COMPARED = (
    *("customers", "new_customers", "returning_customers", "returning_orders", "new_spend"),
    *("returning_spend", "spend_ratio", "low", "high"),
    *("returning_order_value", "order_value_ratio", "order_value_low", "order_value_high", "interval"),
)
#: Sums over customers that the two ratios are made of, by the names of what each customer has.
_PARTS = ("new", "new_revenue", "returning", "returning_orders", "returning_revenue")


def spend_per_customer(
    orders: Any,
    *,
    as_of: Date | None = None,
    start: Date | None = None,
    customers: Any = None,
    by: Columns = None,
) -> pd.DataFrame:
    """How much does a customer spend on average in the window?

    Of buyers only, unless `customers` says who could have bought: a campaign that brings no order is
    seen by those who stayed away, so a test group is compared with a control group over all in them.
    Spend is skewed: with few customers one large one carries the mean, and the interval is rough.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        `customer_id`, `ordered_at`, `amount`; with `order_id`, lines of one order count once.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    start : date or str, optional
        The window's first moment; without it, the whole history.
    customers : DataFrame, Ibis table or Loaded, optional
        All who could have spent, one row a customer (`customer_id`): those without an order in the window
        count with 0. Orders of customers who are not among them are left out, and a note says of how many.
    by : str or list of str, optional
        Columns to split by: those of `customers` where it has them, else each customer's value at the
        first order ever (nothing for who never ordered).

    Returns
    -------
    DataFrame
        The `by` columns, `customers`, `orders`, `revenue`, `spend_per_customer` (revenue / customers, in
        the currency of `amount`), `spend_sd` (standard deviation over customers, divisor n - 1), `low`,
        `high` (t, 95 %), `interval`. No row without a customer.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or `customers` has two rows of one customer.
    ParamsError
        When `start` is no date, or not before `as_of`.

    Examples
    --------
    >>> shop = pd.DataFrame({"customer_id": ["a", "a", "b"], "amount": [5, 10, 9]})
    >>> shop["ordered_at"] = "2024-01-09"
    >>> spend_per_customer(shop, as_of="2024-02-01")["spend_per_customer"].item()
    12.0
    >>> mailed = pd.DataFrame({"customer_id": ["a", "b", "c"]})
    >>> spend_per_customer(shop, as_of="2024-02-01", customers=mailed)["spend_per_customer"].item()
    8.0
    """
    split = tables.by_columns(by, taken=("customer_id", "customers", *_SPENT))
    listed = None if customers is None else _listed(customers, split)
    known = () if listed is None else [name for name in split if name in listed.columns]
    of_orders = [name for name in split if name not in known]
    loaded = tables.orders(orders, as_of=as_of, columns=("amount", *of_orders))
    spent = buying.orders_by_customer(loaded, start)
    people = spent if listed is None else _with_those_who_did_not(spent, listed)
    if of_orders:
        births = periods.birth_values(loaded, of_orders)
        people = people.left_join(births, "customer_id").drop("customer_id_right")
    frame = _averages(people, split)
    of_whom = "buyers" if listed is None else "listed"
    told = phrase(f"definition.spend_per_customer.{of_whom}", window=buying.window(start))
    frame.attrs = loaded.told(told)
    if listed is not None:
        frame.attrs["notes"] += _strangers(spent, listed)
    return frame


def spend_ratio(
    orders: Any, *, as_of: Date | None = None, start: Date | None = None, by: Columns = None
) -> pd.DataFrame:
    """How many times what a new customer spends does a returning one spend?

    Orders are classed as in `purchases.first_and_returning`: a customer who buys first and again in the
    window is in both groups, once with the first order and once with the later ones. That returning
    customers spend more does not mean that customers spend more by returning: those who liked the shop
    return. The spend of returning ones grows with the window, the value of an order does not.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        `customer_id`, `ordered_at`, `amount`; with `order_id`, lines of one order count once.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    start : date or str, optional
        The window's first moment; without it, the whole history. An order is a first one only where none
        came before, in the window or earlier.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order ever.

    Returns
    -------
    DataFrame
        The `by` columns, `customers` (who ordered in the window), `new_customers` (with a first order in
        it), `returning_customers` and `returning_orders` (later ones); `new_spend` (revenue of first orders
        / new customers), `returning_spend` (revenue of later orders / returning customers), `spend_ratio`
        (returning / new) with `low`, `high`; `returning_order_value` (revenue / later orders),
        `order_value_ratio` (that over `new_spend`, a first order's value) with `order_value_low`,
        `order_value_high`; `interval` (95 %). NaN where a group is empty or spent nothing. Money in the
        currency of `amount`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When `start` is no date, or not before `as_of`.

    References
    ----------
    Cochran (1977), Sampling Techniques, chapter 6: each customer's part in the logarithm of the ratio is
    linearised, so that one who is in both groups counts once. t, with one degree of freedom less than
    the smaller group has customers.

    Examples
    --------
    >>> days = ["2024-01-01", "2024-01-09", "2024-01-02"]
    >>> shop = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": days, "amount": [10, 30, 20]})
    >>> spend_ratio(shop, as_of="2024-02-01")["spend_ratio"].item()
    2.0
    """
    split = tables.by_columns(by, taken=("customer_id", *_COMPARED, *_PARTS, *buying.COLUMNS))
    loaded = tables.orders(orders, as_of=as_of, columns=("amount", *split))
    s = _products(buying.sums_by_customer(loaded, split, start=start), split)
    counts = {"customers": s["_n"], "new_customers": s["new"], "returning_customers": s["returning"]}
    frame = s[list(split)].assign(**counts, returning_orders=s["returning_orders"])
    frame = frame.astype(dict.fromkeys([*counts, "returning_orders"], "int64"))
    frame["new_spend"] = s["new_revenue"] / s["new"]
    for value, ratio, divisor, bounds in (
        ("returning_spend", "spend_ratio", "returning", ("low", "high")),
        (
            "returning_order_value",
            "order_value_ratio",
            "returning_orders",
            ("order_value_low", "order_value_high"),
        ),
    ):
        frame[value] = s["returning_revenue"] / s[divisor]
        frame[ratio] = (frame[value] / frame["new_spend"]).where(frame["new_spend"] > 0)
        frame[bounds[0]], frame[bounds[1]] = _log_bounds(frame[ratio], s, divisor)
    frame["interval"] = pd.Series(intervals.LOG_RATIO, index=frame.index, dtype="str")
    frame = frame[[*split, *_COMPARED]]
    frame.attrs = loaded.told(phrase("definition.spend_ratio", window=buying.window(start)))
    return frame


# ---------------------------------------------------------------------------------------------------


def _listed(customers: Any, by: Sequence[str]) -> ir.Table:
    """One row a customer of those who could have spent, with the columns of `by` that are known of them."""
    if not isinstance(customers, Loaded):
        there = sources.open_source(customers).columns
        customers = tables.load_customers(customers, columns={name: name for name in by if name in there})
    if customers.kind != "customers":
        raise DataError(f"customers= needs customers, and it was given {customers.kind}.")
    known = [name for name in by if name in customers.table.columns]
    return customers.table.select("customer_id", *known)


_BOTH = "customers and their orders"


def _with_those_who_did_not(spent: ir.Table, listed: ir.Table) -> ir.Table:
    joined = session.beside(listed, spent, _BOTH).left_join(spent, "customer_id").drop("customer_id_right")
    return joined.mutate(orders=joined.orders.fill_null(0), revenue=joined.revenue.fill_null(0.0))


def _strangers(spent: ir.Table, listed: ir.Table) -> list[Phrase]:
    others = spent.anti_join(session.beside(listed, spent, _BOTH), "customer_id").count().to_pyarrow().as_py()
    return [phrase("note.strangers", customers=others)] if others else []


def _averages(people: ir.Table, by: Sequence[str]) -> pd.DataFrame:
    measures = {
        "customers": people.count(),
        "orders": people.orders.sum(),
        "revenue": people.revenue.sum(),
        "spend_sd": people.revenue.std(how="sample"),
    }
    frame = (people.group_by(*by) if by else people).aggregate(**measures).to_pandas()
    frame = frame[frame["customers"] > 0]
    frame = (frame.sort_values(list(by)) if by else frame).reset_index(drop=True)
    whole, real = ("customers", "orders"), ("revenue", "spend_sd")
    frame = frame.astype(dict.fromkeys(whole, "int64") | dict.fromkeys(real, "float64"))
    frame["spend_per_customer"] = frame["revenue"] / frame["customers"]
    frame["low"], frame["high"] = intervals.mean(
        frame["spend_per_customer"], frame["spend_sd"], frame["customers"]
    )
    frame["interval"] = pd.Series(intervals.MEAN, index=frame.index, dtype="str")
    return frame[[*by, "customers", *_SPENT]]


def _products(bought: ir.Table, by: Sequence[str]) -> pd.DataFrame:
    """By group the sums over customers of `_PARTS`, and of each product of two of them (`a*b`)."""
    parts = {
        "new": bought.first_orders.cast("float64"),
        "new_revenue": bought.first_revenue,
        "returning": (bought.returning_orders > 0).cast("float64"),
        "returning_orders": bought.returning_orders.cast("float64"),
        "returning_revenue": bought.returning_revenue,
    }
    pairs = combinations_with_replacement(_PARTS, 2)
    measures = {name: part.sum() for name, part in parts.items()}
    measures |= {f"{a}*{b}": (parts[a] * parts[b]).sum() for a, b in pairs}
    sums = (bought.group_by(*by) if by else bought).aggregate(_n=bought.count(), **measures).to_pandas()
    sums = sums[sums["_n"] > 0]
    sums = (sums.sort_values(list(by)) if by else sums).reset_index(drop=True)
    return sums.astype(dict.fromkeys(measures, "float64"))


def _log_bounds(ratio: pd.Series, s: pd.DataFrame, divisor: str) -> tuple[pd.Series, pd.Series]:
    """Bounds of (returning revenue / divisor) / (new revenue / new customers).

    A customer's part in the logarithm is revenue / sum less number / sum, of the returning group less
    of the new one; the parts add to zero, so the sum of their squares is the variance's numerator.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        signs = {"returning_revenue": 1, divisor: -1, "new_revenue": -1, "new": 1}
        weights = {name: sign / s[name] for name, sign in signs.items()}
        terms = [
            (1 if a == b else 2) * weights[a] * weights[b] * s[f"{a}*{b}"]
            for a, b in combinations_with_replacement([name for name in _PARTS if name in weights], 2)
        ]
        squares = sum(terms)
        # What is left of terms that cancel is rounding: customers who do not differ.
        squares = squares.where(squares > 1e-12 * sum(abs(term) for term in terms))
        smaller = np.minimum(s["new"], s["returning"])
        error = np.sqrt(squares * smaller / (smaller - 1))
        half = special.stdtrit((smaller - 1).where(smaller > 1), 0.975) * error
    return ratio * np.exp(-half), ratio * np.exp(half)
