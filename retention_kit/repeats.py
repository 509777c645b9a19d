"""How often, how recently and for how long each customer has bought, in the engine: a row a customer."""

from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from retention_kit import periods, profiles, summaries, tables
from retention_kit.exceptions import DataError
from retention_kit.moments import Date

_BYTES, _SHORT = 8, 64  # of a whole number, and of a text that is sorted as some of them


def customers(
    orders: Any, as_of: Date | None, unit: str, by: tuple[str, ...]
) -> tuple[tables.Loaded, ir.Table]:
    """A row a customer with `frequency`, and `recency` and `T` in days, still in the engine.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or the unit is not known.
    """
    if unit not in summaries.UNITS:
        raise DataError(f"There is no unit {unit!r}. Choose one of {list(summaries.UNITS)}.")
    loaded = tables.orders(orders, as_of=as_of, columns=by)
    end = periods.first_incomplete(loaded, "day") - 1
    profile = profiles.profile(loaded)
    if profile is None or periods.index_of(loaded.days[-1].item(), "day") > end:
        customers = _of_days(loaded, end)
    else:
        customers = _of_profile(profile, end)
    return loaded, customers.join(periods.birth_values(loaded, by), "customer_id") if by else customers


def ordered(customers: ir.Table) -> pd.DataFrame:
    """As a frame, in the order of `customer_id`."""
    found = customers.to_pyarrow()
    return found.take(in_order(found["customer_id"])).to_pandas()


def in_order(texts: pa.ChunkedArray) -> np.ndarray:
    """The places of texts in their order, by their bytes: short ones as whole numbers, in half of the time.

    >>> texts = pa.chunked_array([["b", "customer-10"], ["customer-1", "a"]])
    >>> texts.take(in_order(texts)).to_pylist()
    ['a', 'b', 'customer-1', 'customer-10']
    """
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    if not 0 < longest <= _SHORT:
        return pc.sort_indices(texts).to_numpy()
    width = -(-longest // _BYTES) * _BYTES
    padded = pc.ascii_rpad(texts, width, padding="\0").combine_chunks()
    numbers = np.frombuffer(padded.buffers()[-1], ">u8", len(padded) * width // _BYTES, padded.offset * width)
    return np.lexsort(numbers.reshape(len(padded), -1).T[::-1].astype("u8"))


def _of_days(loaded: tables.Loaded, end: int) -> ir.Table:
    """By days, where no rows are laid out, or where some are of a day that is not over and do not count."""
    days = periods.activity(loaded, "day")
    days = days.filter(days.period_index <= end)
    first, last = days.period_index.min(), days.period_index.max()
    paid = "amount" in days.columns
    later = days.amount.sum() - days.amount.argmin(days.period_index) if paid else None
    return days.group_by("customer_id").aggregate(**_summary(days.count(), first, last, end, later))


def _of_profile(profile: ir.Table, end: int) -> ir.Table:
    first, last = (periods.index(profile[name], "day") for name in ("first_at", "last_at"))
    paid = "revenue" in profile.columns
    later = profile.revenue - profile.first_day_revenue if paid else None
    return profile.select("customer_id", **_summary(profile.order_days, first, last, end, later))


def _summary(
    days: ir.Value, first: ir.Value, last: ir.Value, end: int, later: ir.Value | None
) -> dict[str, ir.Value]:
    """From the days with an order, the first and the last of them, and the money of all but the first."""
    repeats = days - 1
    found = {"frequency": repeats, "recency": (last - first).cast("float64")}
    found["T"] = (end - first).cast("float64")
    if later is not None:
        found["monetary_value"] = ibis.ifelse(repeats > 0, later.cast("float64") / repeats, 0.0)
    return found
