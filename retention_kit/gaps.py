"""The days on which each customer ordered and the gaps between them: the reduction behind every rhythm.

Orders of one day are one visit to the shop in pieces, so days are counted, and a gap is a day at least.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import blanks, intervals, medians, periods, profiles
from retention_kit.exceptions import DataError
from retention_kit.sequences import Part
from retention_kit.tables import Loaded

#: A rhythm takes two gaps: a single one may be chance.
FEWEST_ORDER_DAYS = 3
PERCENTS = (10, 25, 50, 75, 80, 90, 95)

_YES, _NO = ("yes", "true", "1", "1.0"), ("no", "false", "0", "0.0")


def with_gaps(loaded: Loaded, by: Sequence[str] = ()) -> ir.Table:
    """Each order (or event), and the gap that it ended.

    Returns
    -------
    Table
        `customer_id`, `_day` (see `periods.index`), `_gap` (days since the customer's last day with an
        order; null on the first such day, and for all but one order of a day), `_is_first` (of the
        customer's gaps); with `by`, those columns as they stood at the customer's first row, without
        it and where there are amounts `amount` (a number an event carries is no money).
    """
    table = loaded.table
    moment = table[loaded.moment]
    money = ["amount"] if loaded.paid and not by else []
    dated = table.select("customer_id", *money, _moment=moment, _day=periods.index(moment, "day"))
    in_time = ibis.window(group_by="customer_id", order_by="_moment")
    before, first = dated["_day"].lag().over(in_time), dated["_day"].first().over(in_time)
    # Of the orders of one day the earliest follows another day; the others follow it, after no days.
    gap = (dated["_day"] - before).nullif(0)
    rows = dated.mutate(_gap=gap, _is_first=(before == first) & gap.notnull()).drop("_moment")
    return rows.join(periods.birth_values(loaded, by), "customer_id") if by else rows


def quantiles(loaded: Loaded, by: Sequence[str]) -> pd.DataFrame:
    """By group the gaps' quantiles: the days that at least so many percent of the gaps do not exceed."""
    found = _lengths(loaded, by)
    found = found.sort_values([*by, "days"]).astype({"gaps": "int64", "customers": "int64"})
    groups = found.assign(_all=0).groupby([*by, "_all"], dropna=False)
    reached = groups["gaps"].cumsum()
    found["gaps"], found["customers"] = groups["gaps"].transform("sum"), groups["customers"].transform("sum")
    frames = [
        found[reached * 100 >= found["gaps"] * percent]
        .drop_duplicates(list(by) or "gaps")
        .assign(quantile=percent / 100)
        for percent in PERCENTS
    ]
    frame = pd.concat(frames).sort_values([*by, "quantile"], ignore_index=True)
    return frame[[*by, "quantile", "days", "gaps", "customers"]].astype({"days": "int64"})


def _lengths(loaded: Loaded, by: Sequence[str]) -> pd.DataFrame:
    """By group and length in `days`: how many `gaps`, and of them how many are a customer's first."""
    if loaded.in_order is not None and not by:
        return loaded.in_order.added(_lengths_of, ["days"])
    rows = with_gaps(loaded, by)
    ended = rows.filter(rows["_gap"].notnull())
    # A customer's first gap stands for the customer, so that one pass counts both.
    sums = {"gaps": ended.count(), "customers": ended["_is_first"].sum()}
    return ended.group_by(*by, days=ended["_gap"]).aggregate(**sums).to_pandas()


def _lengths_of(part: Part) -> pd.DataFrame:
    ended = part.gaps > 0
    born = np.repeat(part.days[part.starts], part.sizes)
    counts = np.bincount(part.gaps[ended])
    firsts = np.bincount(part.gaps[ended & (part.days - part.gaps == born)], minlength=len(counts))
    days = np.flatnonzero(counts)
    return pd.DataFrame({"days": days, "gaps": counts[days], "customers": firsts[days]})


def classes(loaded: Loaded, ends: Sequence[int], by: Sequence[str]) -> pd.DataFrame:
    """By group how many gaps fall between the ends, and which share is longer than each."""
    sums = _sums(loaded, ends, by)
    longest = periods.index_of(loaded.observed_until, "day") - 1 - sums["_first"]
    frames = []
    for before, end in zip(["_all", *(f"_longer_{end}" for end in ends)], ends, strict=False):
        seen = sums[(sums["_all"] > 0) & (longest > end)]
        frame = seen[[*by]].assign(days=end, longer=seen[f"_longer_{end}"], customers=seen["_customers"])
        frame["gaps"] = seen[before] - frame["longer"]
        frame["longer_share"] = frame["longer"] / seen["_all"]
        low, high = intervals.ratio(
            sum_y=frame["longer"], sum_x=seen["_all"], sum_yy=seen[f"_yy_{end}"],
            sum_xy=seen[f"_xy_{end}"], sum_xx=seen["_xx"], n=seen["_customers"],
        )  # fmt: skip
        frames.append(frame.assign(low=low.clip(0, 1), high=high.clip(0, 1)))
    frame = pd.concat(frames).sort_values([*by, "days"], ignore_index=True)
    frame["interval"] = pd.Series(intervals.RATIO, index=frame.index, dtype="str")
    columns = ["days", "gaps", "longer", "longer_share", "low", "high", "customers", "interval"]
    return frame[[*by, *columns]].astype(dict.fromkeys(("days", "gaps", "longer", "customers"), "int64"))


def _sums(loaded: Loaded, ends: Sequence[int], by: Sequence[str]) -> pd.DataFrame:
    """Sums over customers of their gaps, of those longer than each end, and the products of both."""
    if loaded.in_order is not None and not by:
        found = pd.DataFrame(loaded.in_order.of_parts(lambda part: _sums_of(part, ends)))
        return found.sum().to_frame().T.assign(_first=found["_first"].min())
    rows = with_gaps(loaded, by)
    gap = rows["_gap"]
    longer = {f"_longer_{end}": (gap > end).sum().fill_null(0).cast("float64") for end in ends}
    each = rows.group_by("customer_id", *by).aggregate(
        _first=rows["_day"].min(), _gaps=gap.count().cast("float64"), **longer
    )
    x = each["_gaps"]
    sums = {
        "_first": each["_first"].min(),
        "_customers": (x > 0).sum(),
        "_all": x.sum(),
        "_xx": (x * x).sum(),
    }
    for end in ends:
        y = each[f"_longer_{end}"]
        sums |= {f"_longer_{end}": y.sum(), f"_yy_{end}": (y * y).sum(), f"_xy_{end}": (x * y).sum()}
    return (each.group_by(*by) if by else each).aggregate(**sums).to_pandas()


def _sums_of(part: Part, ends: Sequence[int]) -> dict[str, float]:
    def longer(end: int) -> np.ndarray:
        return np.add.reduceat((part.gaps > end).astype("float64"), part.starts)

    x, first = longer(0), periods.of_days(part.days[part.starts], "day").min()
    sums = {"_first": first, "_customers": np.count_nonzero(x), "_all": x.sum(), "_xx": (x * x).sum()}
    for end in ends:
        y = longer(end)
        sums |= {f"_longer_{end}": y.sum(), f"_yy_{end}": (y * y).sum(), f"_xy_{end}": (x * y).sum()}
    return sums


def rhythms(loaded: Loaded) -> ir.Table:
    """One row a customer with enough order days: what the own past lets one expect.

    Returns
    -------
    Table
        `customer_id`, `orders`, `order_days`, `usual_days` (the median gap), where there are amounts
        `revenue`; `_last` and `_due`, the days (see `periods.index`) of the last order and, the usual days
        later and rounded up, of the next; to the end of the data `days_since_last_order`, `days_overdue`
        (0 on the day due, negative before) and `_years` since the first order.
    """
    profile = profiles.profile(loaded)
    customers = _each_rhythm(loaded) if profile is None else _of_profile(profile)
    customers = customers.filter(customers.order_days >= FEWEST_ORDER_DAYS)
    if "revenue" in customers.columns:
        # Added in another order, the same amounts can differ in the last bit, and would sort otherwise.
        customers = customers.mutate(revenue=(customers.revenue * 10_000).round().cast("float64") / 10_000)
    today = periods.index_of(loaded.observed_until, "day")
    due = customers["_last"] + customers.usual_days.ceil().cast("int64")
    return customers.mutate(
        _due=due,
        days_since_last_order=today - customers["_last"],
        days_overdue=today - due,
        _years=(today - customers["_first"]).cast("float64") / 365,
    ).drop("_first")


def _of_profile(profile: ir.Table) -> ir.Table:
    days = {name: periods.index(profile[f"{name[1:]}_at"], "day") for name in ("_first", "_last")}
    money = ["revenue"] if "revenue" in profile.columns else []
    return profile.select("customer_id", "orders", "order_days", "usual_days", *money, **days)


def _each_rhythm(loaded: Loaded) -> ir.Table:
    rows, median = medians.of(with_gaps(loaded), "_gap", ["customer_id"])
    sums = {
        "orders": rows.count(),
        "order_days": rows["_gap"].count() + 1,
        "usual_days": median,
        "_first": rows["_day"].min(),
        "_last": rows["_day"].max(),
    }
    if "amount" in rows.columns:
        sums["revenue"] = rows.amount.sum().cast("float64")
    return rows.group_by("customer_id").aggregate(**sums)


def consents(loaded: Loaded) -> ir.Table:
    """Each customer and `_may_contact`: said yes in some row of `contactable`, and no in none.

    Raises
    ------
    DataError
        When the column holds something that is neither yes nor no.
    """
    stated = loaded.table.contactable
    text = blanks.filled(stated) if stated.type().is_string() else stated.cast("string")
    said = loaded.table.select("customer_id", word=text.lower())
    unknown = said.word.min(where=said.word.notin((*_YES, *_NO))).to_pyarrow().as_py()
    if unknown is not None:
        raise DataError(
            f"contactable holds {unknown!r}, which is neither yes nor no. "
            "Write yes and no, true and false, or 1 and 0."
        )
    yes = said.word.isin(_YES).cast("int64").sum().fill_null(0)
    no = said.word.isin(_NO).cast("int64").sum().fill_null(0)
    counted = said.group_by("customer_id").aggregate(yes=yes, no=no)
    return counted.select("customer_id", _may_contact=(counted.yes > 0) & (counted.no == 0))
