"""The quarter to come: what known customers are expected to bring, and how earlier forecasts came out."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd
from scipy import special

from retention_kit import moments, portfolios, tables
from retention_kit.exceptions import DataError
from retention_kit.fits import Fit
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.tables import Loaded

MONTHS = 3
#: What `interval` says of the two parts of a quarter together.
PARTS = "delta, both parts 95 %"
_Z = float(special.ndtri(0.975))


def next_quarter(
    orders: Any, fit: Fit, spend: Fit, summary: pd.DataFrame, *, as_of: Date | None = None
) -> pd.DataFrame:
    """What will the next three months bring, and how much of it comes from customers already known?

    Known customers are foretold by the models. For those who are still to come it takes the last three
    months: as many new ones, who spend as those did in their first weeks.

    Parameters
    ----------
    orders : Loaded, frame or Ibis table
        Orders with `customer_id`, `ordered_at` and `amount`.
    fit, spend : Fit
        Of purchases and of spend.
    summary : DataFrame
        From `clv.summarize_customers`, of all customers.
    as_of : date or str
        The first moment not observed.

    Returns
    -------
    DataFrame
        One row: `since`, `until` (the first day foretold and the first one after), `customers`,
        `known_revenue`, `low`, `high` (95 %, of what will happen), `interval`, `new_customers` (who came in
        the last three months), `new_revenue` (theirs), `new_low`, `new_high`, `new_interval`, `known_share`
        (of both), `share_low`, `share_high`, `share_interval`. `new_*` and `known_share` are missing where
        history is shorter than three months, and where nobody new came.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or a model cannot foretell.

    Examples
    --------
    >>> from retention_kit import btyd, clv, datasets
    >>> orders = tables.load_orders(datasets.demo_orders(), as_of="2024-07-01")
    >>> customers = clv.summarize_customers(orders)
    >>> rhythm, spend = btyd.fit_bg_nbd(customers), btyd.fit_gamma_gamma(customers)
    >>> found = next_quarter(orders, rhythm, spend, customers)
    >>> found["until"].item(), bool(found["known_share"].between(0.5, 1).item())
    (Timestamp('2024-10-01 00:00:00'), True)
    """
    loaded = tables.orders(orders, as_of=as_of, columns=("amount",))
    since = _day(loaded)
    until, before = since + pd.DateOffset(months=MONTHS), since - pd.DateOffset(months=MONTHS)
    days = f"{(until - since).days} days"
    known = portfolios.expected_revenue(fit, spend, summary, until=days)
    frame = known.rename(columns={"expected_revenue": "known_revenue"})
    frame.insert(0, "since", pd.Series([since], dtype="datetime64[us]"))
    frame.insert(1, "until", pd.Series([until], dtype="datetime64[us]"))
    frame = frame.assign(**_new(loaded, before, since))
    frame = frame.assign(**_share(frame.iloc[0]))
    told = {"since": since, "until": until, "model": fit.model}
    frame.attrs = loaded.told(phrase("definition.next_quarter", **told))
    return frame


def score_forecasts(
    orders: Any, forecasts: Sequence[Mapping[str, Any]], *, as_of: Date | None = None
) -> pd.DataFrame:
    """What did earlier reports expect of the customers they knew, and what did these bring?

    Only forecasts whose time is over are scored. The orders are today's: what was booked late counts.

    Parameters
    ----------
    orders : Loaded, frame or Ibis table
        Orders with `customer_id`, `ordered_at` and `amount`.
    forecasts : sequence of mappings
        Each with `since`, `until` (dates), `value`, `low`, `high`; a run hands a chapter those of the
        client's earlier reports.
    as_of : date or str
        The first moment not observed.

    Returns
    -------
    DataFrame
        One row a forecast, the latest first: `since`, `until`, `customers` (known then), `expected`, `low`,
        `high`, `interval`, `actual` (revenue of those customers from `since` to before `until`), `error`
        (expected / actual - 1), `inside` (whether `actual` lies between). No row where none is over.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or a forecast is none.

    Examples
    --------
    >>> orders = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "ordered_at": pd.to_datetime(["2024-01-03", "2024-04-20", "2024-05-01"]),
    ...     "amount": [40.0, 10.0, 20.0],
    ... })
    >>> made = {"since": "2024-04-01", "until": "2024-07-01", "value": 12.0, "low": 5.0, "high": 30.0}
    >>> score_forecasts(orders, [made], as_of="2024-07-01")[["expected", "actual", "inside"]].values.tolist()
    [[12.0, 10.0, True]]
    """
    loaded = tables.orders(orders, as_of=as_of, columns=("amount",))
    end = _day(loaded)
    rows = [_scored(loaded, *_read(one), one) for one in forecasts if _read(one)[1] <= end]
    frame = pd.DataFrame(rows, columns=_SCORED).sort_values("since", ascending=False, ignore_index=True)
    frame = frame.astype(_SCORED)
    frame.attrs = loaded.told(phrase("definition.score_forecasts"))
    return frame


_SCORED = {
    **dict.fromkeys(("since", "until"), "datetime64[us]"),
    "customers": "int64",
    **dict.fromkeys(("expected", "low", "high"), "float64"),
    "interval": "str",
    **dict.fromkeys(("actual", "error"), "float64"),
    "inside": "bool",
}


def _day(loaded: Loaded) -> pd.Timestamp:
    """The first day that was not observed to its end."""
    if loaded.observed_until is None:
        raise DataError("orders has no as_of, so nothing can be foretold. Type as_of='2024-07-01'.")
    return pd.Timestamp(loaded.observed_until).normalize()


def _read(forecast: Mapping[str, Any]) -> tuple[pd.Timestamp, pd.Timestamp]:
    missing = [name for name in ("since", "until", "value", "low", "high") if name not in forecast]
    if missing:
        raise DataError(f"A forecast is missing {missing}. It has {list(forecast)}.")
    return moments.given("since", forecast["since"]), moments.given("until", forecast["until"])


def _scored(
    loaded: Loaded, since: pd.Timestamp, until: pd.Timestamp, forecast: Mapping[str, Any]
) -> dict[str, Any]:
    brought = _revenue(loaded, since, until)
    old = brought.filter(brought.first < _plain(since))
    found = old.aggregate(customers=old.count(), actual=old.revenue.sum()).to_pandas().iloc[0]
    actual = float(found["actual"] or 0)
    value, low, high = (float(forecast[name]) for name in ("value", "low", "high"))
    return {
        "since": since, "until": until, "customers": int(found["customers"]),
        "expected": value, "low": low, "high": high, "interval": forecast.get("interval", ""),
        "actual": actual, "error": value / actual - 1 if actual else np.nan,
        "inside": low <= actual <= high,
    }  # fmt: skip


def _revenue(loaded: Loaded, since: pd.Timestamp, until: pd.Timestamp) -> Any:
    """A row a customer: the first order's moment and the revenue of a time."""
    table = loaded.table
    inside = (table.ordered_at >= _plain(since)) & (table.ordered_at < _plain(until))
    paid = ibis.ifelse(inside, table.amount.cast("float64"), 0.0)
    return table.group_by("customer_id").aggregate(first=table.ordered_at.min(), revenue=paid.sum())


def _new(loaded: Loaded, before: pd.Timestamp, since: pd.Timestamp) -> dict[str, Any]:
    """Customers who first came in a time and what they brought in it; how many come and what each spends are
    chance alike, so the variance of the sum is the sum of squares."""
    none = {"new_customers": 0, "new_revenue": np.nan, "new_low": np.nan, "new_high": np.nan}
    told = {"new_interval": "compound Poisson 95 %"}
    if pd.Timestamp(loaded.observed_from) > before:
        return none | told
    brought = _revenue(loaded, before, since)
    new = brought.filter((brought.first >= _plain(before)) & (brought.first < _plain(since)))
    squares = (new.revenue * new.revenue).sum()
    found = new.aggregate(n=new.count(), total=new.revenue.sum(), squares=squares).to_pandas().iloc[0]
    if not found["n"] or not found["total"] > 0:
        return none | {"new_customers": int(found["n"])} | told
    spread = np.exp(_Z * np.sqrt(found["squares"]) / found["total"])
    low, high = found["total"] / spread, found["total"] * spread
    return {
        "new_customers": int(found["n"]),
        "new_revenue": found["total"],
        "new_low": low,
        "new_high": high,
    } | told


def _share(row: pd.Series) -> dict[str, Any]:
    """The known part of both, by the odds of the two, whose errors on the logarithm add as squares."""
    widths = [np.log(row[high] / row[low]) for low, high in (("low", "high"), ("new_low", "new_high"))]
    odds, half = np.log(row["known_revenue"] / row["new_revenue"]), np.hypot(*widths) / 2
    share, low, high = special.expit([odds, odds - half, odds + half])
    return {"known_share": share, "share_low": low, "share_high": high, "share_interval": PARTS}


def _plain(moment: pd.Timestamp) -> dt.datetime:
    return moment.to_pydatetime()
