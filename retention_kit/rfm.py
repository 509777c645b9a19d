"""RFM: customers by how recently, how often and for how much they ordered, in segments that one can act on.

Equal customers always get equal scores: a score is where a value lies between cut points, never a
customer's place in a sorted list, which for ties is the order of the rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import intervals, medians, periods, profiles, scores, session, tables
from retention_kit.exceptions import ParamsError
from retention_kit.moments import Date
from retention_kit.scores import Segments
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded

#: The R × F grid of five scores each, best first: for each segment its R scores, then its F scores.
SEGMENTS: dict[str, str] = {
    "champions": "5[4-5]",
    "loyal": "[3-4][4-5]",
    "potential loyalists": "[4-5][2-3]",
    "new": "51",
    "promising": "41",
    "need attention": "33",
    "about to sleep": "3[1-2]",
    "at risk": "[1-2][3-4]",
    "can't lose": "[1-2]5",
    "hibernating": "[1-2][1-2]",
}

# What is measured, and the letter of its score.
_LETTERS = {"days_since_last_order": "r", "orders": "f", "revenue": "m"}
_NEEDED = ("days_since_last_order", "orders")
_COUNTED = ("segment", "customers", "customer_share", "low", "high", "orders")
_MONEY = (
    *("revenue", "revenue_share", "revenue_low", "revenue_high"),
    *("average_order_value", "order_value_low", "order_value_high"),
)


def cut_points(orders: Any, *, as_of: Date | None = None, bins: int = 5) -> pd.DataFrame:
    """Where do the scores begin and end, so that each holds about as many customers?

    They describe these customers at this moment: to see change, keep them (as a CSV file, say) and give
    the same ones as `cuts` next time. Equal customers are never split, so where 70 % have ordered once,
    scores 2 and 3 for orders hold nobody: their `above` and `up_to` are equal.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders (`customer_id`, `ordered_at`; with `amount`, revenue is scored too) or events
        (`customer_id`, `occurred_at`), whose number stands under `orders`.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    bins : int
        How many scores, 2 to 9.

    Returns
    -------
    DataFrame
        One row a measure and score: `measure` (`days_since_last_order`, `orders`, `revenue`), `score` (1
        to `bins`, the highest is best), `above` (exclusive) and `up_to` (inclusive) in the measure's
        unit, empty where there is no end, and `customers` with that score.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When `bins` is not a whole number from 2 to 9.

    Examples
    --------
    >>> days = ["2024-01-01", "2024-01-09", "2024-01-02"]
    >>> shop = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": days})
    >>> print(cut_points(shop, as_of="2024-02-01", bins=2).to_string(index=False))
                  measure  score  above  up_to  customers
    days_since_last_order      1   23.0    NaN          1
    days_since_last_order      2    NaN   23.0          1
                   orders      1    NaN    1.0          1
                   orders      2    1.0    NaN          1
    """
    if not isinstance(bins, int) or not 2 <= bins <= 9:
        raise ParamsError(f"bins is a whole number of scores from 2 to 9, and it was {bins!r}. Type bins=5.")
    loaded = tables.orders_or_events(orders, as_of=as_of)
    frame = _cuts(_measured(loaded), bins)
    frame.attrs = loaded.told(phrase(f"definition.cut_points.{loaded.kind}", until=loaded.observed_until))
    return frame


def classify_customers(
    orders: Any, *, as_of: Date | None = None, cuts: Any = None, segments: Segments = SEGMENTS
) -> ir.Table:
    """Each customer's recency, frequency and revenue, the scores from them, and the segment.

    Scores compare customers with each other, not with what is good for a business: where everybody is
    late, a fifth still scores 5. Where many customers share one value, scores are skipped (see
    `cut_points`). Days count from the last order to `as_of`, or to where the data stops long before.

    Parameters
    ----------
    orders : DataFrame, Ibis table or Loaded
        Orders (`customer_id`, `ordered_at`; with `amount`, revenue is scored too) or events
        (`customer_id`, `occurred_at`), whose number stands under `orders`.
    as_of : date or str
        The first moment not observed; a `Loaded` carries its own.
    cuts : DataFrame, optional
        From `cut_points`, perhaps of last year; without it, those of these customers.
    segments : mapping, optional
        Segment to the cells it covers, R scores then F scores: "5[4-5]", or a list of such patterns.
        Each cell belongs to one segment.

    Returns
    -------
    Table
        Lazy Ibis, one row a customer: `customer_id`, `days_since_last_order` (whole days), `orders`,
        `revenue` (with `amount`; currency units, to a ten-thousandth), `r`, `f`, and `m` where revenue
        is scored (1 to 5, 5 is best), `segment`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.
    ParamsError
        When `cuts` are not such a frame, or a cell of `segments` is missing or claimed twice.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> scored = classify_customers(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF).to_pandas()
    >>> print(scored.loc[scored["customer_id"] == "ana", ["r", "f", "m", "segment"]].to_string(index=False))
     r  f  m segment
     3  5  5   loyal
    """
    return _classified(tables.orders_or_events(orders, as_of=as_of), cuts, segments)[0]


def rfm_segments(
    orders: Any,
    *,
    as_of: Date | None = None,
    cuts: Any = None,
    segments: Segments = SEGMENTS,
    by: Columns = None,
) -> pd.DataFrame:
    """How many customers are in each segment, and what do they bring?

    Scores are relative, so the shares of customers alone say little: by its own cut points every shop has
    its fifth of late ones. What tells is the share of revenue beside them, and change since last time by
    the same `cuts`.

    Parameters
    ----------
    orders, as_of, cuts, segments
        As in `classify_customers`.
    by : str or list of str, optional
        Columns to split by, with each customer's value at the first order. The cut points are those of
        all customers, so that groups compare.

    Returns
    -------
    DataFrame
        The `by` columns and one row a segment, in the order of `segments`, also where it is empty:
        `segment`, `customers`, `customer_share` (of all customers, or of the group's) with `low`, `high`
        (Wilson 95 %), `orders`, `days_since_last_order` (median); with `amount` before the last
        also `revenue`, `revenue_share` with `revenue_low`, `revenue_high`, `average_order_value` with
        `order_value_low`, `order_value_high` (linearised by customer, 95 %); `interval`. The cut points
        are in `attrs["cuts"]`, as records that `cuts` takes.

    Raises
    ------
    DataError, ParamsError
        As `classify_customers` does.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> found = rfm_segments(datasets.tiny_orders(), as_of=datasets.TINY_AS_OF)
    >>> found = found[found["customers"] > 0]
    >>> dict(zip(found["segment"], found["customers"].tolist()))
    {'loyal': 1, 'potential loyalists': 2, 'new': 1, 'hibernating': 2}
    """
    taken = ("customer_id", *_LETTERS, *_LETTERS.values(), *_COUNTED, *_MONEY, "interval")
    split = tables.by_columns(by, taken=taken)
    loaded = tables.orders_or_events(orders, as_of=as_of, columns=split)
    customers, scored_by = _classified(loaded, cuts, segments)
    if split:
        customers = customers.join(periods.birth_values(loaded, split), "customer_id")
    sums = _each_segment(_sums(customers, split).to_pandas(), split, list(segments))
    frame = _segment_frame(sums, split)
    told = {"highest": scored_by["score"].max(), "until": loaded.observed_until}
    told = phrase(f"definition.rfm_segments.{loaded.kind}.{'own' if cuts is None else 'given'}", **told)
    frame.attrs = loaded.told(told)
    frame.attrs["notes"] += [note for measure in _NEEDED if (note := scores.skipped(scored_by, measure))]
    frame.attrs["cuts"] = scored_by.astype(object).where(scored_by.notna(), None).to_dict("records")
    return frame


# -- measures and scores ------------------------------------------------------


def _measured(loaded: Loaded) -> ir.Table:
    """Each customer's days since the last order, orders and revenue; kept, for they are read twice."""
    profile = profiles.profile(loaded)
    counted = session.stored(_each_customer(loaded), "rfm") if profile is None else profile
    today = periods.index_of(loaded.observed_until, "day")
    measures = {
        "days_since_last_order": today - periods.index(counted.last_at, "day"),
        "orders": counted.orders,
    }
    if "revenue" in counted.columns:
        # Added in another order, the same amounts can differ in the last bit, and would be no tie.
        measures["revenue"] = (counted.revenue.cast("float64") * 10_000).round().cast("float64") / 10_000
    return counted.select("customer_id", **measures)


def _each_customer(loaded: Loaded) -> ir.Table:
    table = loaded.table
    sums = {"orders": table.count(), "last_at": table[loaded.moment].max()}
    if "amount" in table.columns:
        sums["revenue"] = table.amount.sum()
    return table.group_by("customer_id").aggregate(**sums)


def _cuts(customers: ir.Table, bins: int) -> pd.DataFrame:
    """For each measure the values at or below which k of `bins` customers lie."""
    measures = [measure for measure in _LETTERS if measure in customers.columns]
    found = ibis.union(*(_quantiles(customers, measure, bins) for measure in measures)).to_pandas()
    frame = pd.concat([_between(row, bins) for row in found.to_dict("records")])
    frame["measure"] = pd.Categorical(frame["measure"], measures)
    return frame.sort_values(["measure", "score"], ignore_index=True).astype({"measure": "str"})


def _quantiles(customers: ir.Table, measure: str, bins: int) -> ir.Table:
    """One row: the smallest values that k of `bins` customers do not exceed, and how many those are."""
    counted = customers.group_by(value=customers[measure].cast("float64")).aggregate(n=customers.count())
    up_to = ibis.cumulative_window(order_by="value")
    summed = counted.mutate(reached=counted.n.sum().over(up_to), total=counted.n.sum().over(ibis.window()))
    enough = {k: summed.reached * bins >= summed.total * k for k in range(1, bins + 1)}
    quantiles = summed.aggregate(
        **{f"value_{k}": summed.value.min(where=enough[k]) for k in enough},
        **{f"reached_{k}": summed.reached.min(where=enough[k]) for k in enough},
    )
    return quantiles.mutate(measure=ibis.literal(measure))


def _between(row: Mapping[str, Any], bins: int) -> pd.DataFrame:
    """The scores of one measure, from the smallest values to the largest."""
    inner = [float(row[f"value_{k}"]) for k in range(1, bins)]
    reached = [0, *(int(row[f"reached_{k}"]) for k in range(1, bins + 1))]
    named = np.arange(1, bins + 1)
    if row["measure"] == scores.FEW_ARE_BEST:
        named = named[::-1]
    edges = {"above": [np.nan, *inner], "up_to": [*inner, np.nan]}
    return pd.DataFrame({"measure": row["measure"], "score": named, **edges, "customers": np.diff(reached)})


def _classified(loaded: Loaded, cuts: Any, segments: Segments) -> tuple[ir.Table, pd.DataFrame]:
    """The customers with scores and segment, and the cut points they were scored by."""
    customers = _measured(loaded)
    scored_by = _cuts(customers, 5) if cuts is None else scores.read_cuts(cuts, _NEEDED)
    best = int(scored_by["score"].max())
    cells = scores.cells(segments, best)
    for measure, letter in _LETTERS.items():
        rows = scored_by[scored_by["measure"] == measure]
        if len(rows) and measure in customers.columns:
            inner = scores.inner_cuts(measure, rows)
            number = customers[measure].cast("float64")
            passed = sum((number > float(value)).cast("int64") for value in inner)
            score = best - passed if measure == scores.FEW_ARE_BEST else passed + 1
            customers = customers.mutate(**{letter: score.cast("int64")})
    cell = customers.r * 10 + customers.f
    named = cell.cases(*((10 * r + f, name) for (r, f), name in cells.items()))
    return customers.mutate(segment=named), scored_by


# -- segments -----------------------------------------------------------------


def _sums(customers: ir.Table, by: Sequence[str]) -> ir.Table:
    """What the segments' frame and its intervals need: sums over customers."""
    customers, median = medians.of(customers, "days_since_last_order", [*by, "segment"])
    sums = {
        "customers": customers.count(),
        "orders": customers.orders.sum(),
        "days_since_last_order": median,
    }
    if "revenue" in customers.columns:
        money, orders = customers.revenue, customers.orders.cast("float64")
        sums |= {
            "revenue": money.sum(),
            "_yy": (money * money).sum(),
            "_xy": (money * orders).sum(),
            "_xx": (orders * orders).sum(),
        }
    return customers.group_by(*by, "segment").aggregate(**sums)


def _each_segment(sums: pd.DataFrame, by: Sequence[str], segments: Sequence[str]) -> pd.DataFrame:
    """Every segment of every group, in the order of the map; zeros where nobody is in it."""
    groups = sums[list(by)].drop_duplicates().sort_values(list(by)) if by else pd.DataFrame(index=[0])
    grid = groups.merge(pd.DataFrame({"segment": pd.Series(segments, dtype="str")}), how="cross")
    dense = grid.merge(sums, how="left", on=[*by, "segment"])
    numbers = sums.columns.drop([*by, "segment", "days_since_last_order"])
    return dense.assign(**dense[numbers].fillna(0)).astype({"customers": "int64", "orders": "int64"})


def _segment_frame(s: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Shares of the group's customers and revenue, and order values, with their intervals."""
    groups = s.groupby(list(by), dropna=False) if by else s.groupby(np.zeros(len(s)))
    whole = groups["customers"].transform("sum")
    frame = s[[*by, "segment", "customers"]].assign(customer_share=s["customers"] / whole)
    frame["low"], frame["high"] = intervals.wilson(s["customers"], whole)
    frame["orders"], frame["interval"] = s["orders"], intervals.WILSON
    if "revenue" in s:
        revenue, every = s["revenue"], groups["revenue"].transform("sum")
        frame["revenue"], frame["revenue_share"] = revenue, (revenue / every).where(every > 0)
        low, high = intervals.ratio(
            sum_y=revenue, sum_x=every, sum_yy=s["_yy"], sum_xy=s["_yy"],
            sum_xx=groups["_yy"].transform("sum"), n=whole,
        )  # fmt: skip
        frame["revenue_low"], frame["revenue_high"] = low.clip(0, 1), high.clip(0, 1)
        frame["average_order_value"] = revenue / s["orders"]
        frame["order_value_low"], frame["order_value_high"] = intervals.ratio(
            sum_y=revenue, sum_x=s["orders"], sum_yy=s["_yy"],
            sum_xy=s["_xy"], sum_xx=s["_xx"], n=s["customers"],
        )  # fmt: skip
        frame["interval"] = f"{intervals.WILSON}; money {intervals.RATIO}"
    frame["days_since_last_order"] = s["days_since_last_order"].astype("float64")
    money = _MONEY if "revenue" in s else ()
    return frame[[*by, *_COUNTED, *money, "days_since_last_order", "interval"]]
