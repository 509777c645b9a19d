"""Paid invoices as subscription periods: who paid how much a month, from when until when.

An invoice says how much was paid for which stretch of service; recurring revenue needs a price a month.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import moments, session, values
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.sources import open_source

_DATES = ("paid_at", "period_start", "period_end")
_NUMBERS = ("amount", "months")
_KEPT_APART = ("plan", "currency")
#: A stretch this close to a whole number of calendar months is that many months.
_NEARLY = pd.Timedelta(days=3)
#: Where it is not, a month is a twelfth of 365.25 days.
_DAYS_A_MONTH = 365.25 / 12


def subscriptions_from_invoices(
    invoices: Any, *, as_of: Date | None = None, grace_days: int = 0
) -> pd.DataFrame:
    """Which subscription periods lie behind a list of paid invoices?

    The price a month is the amount over the months of service: `months` where given, else counted from the
    calendar. A stretch within three days of a whole number of calendar months (31 January to 29 February,
    29 February to 28 February a year on, 30-day months, ends that name the last day included) is that many
    months; any other counts by days, 365.25 / 12 to the month. The price is rounded to cents, halves up, so
    twelve times a twelfth can miss a yearly amount by cents; `amount` keeps what was invoiced, to the cent.

    Consecutive invoices of one customer and plan at one price a month become one period. What is not paid
    on time is a loss and a return unless `grace_days` says otherwise; invoices of one plan that overlap
    count both, so give several subscriptions of a customer several names in `plan`.

    Parameters
    ----------
    invoices : frame, path, glob or Ibis table
        Paid invoices: `customer_id`, `amount`, `period_start` (where blank `paid_at`), `period_end`
        (exclusive) or `months` (whole, of service); `plan` and `currency` are kept apart where given.
    as_of : date or str, optional
        The first moment not observed. Invoices of service from then on are set aside, and a period paid
        until `as_of` or beyond has no end: nobody knows yet whether it is renewed. Without it every period
        ends when what was paid for ends, and the metrics' own `as_of` decides.
    grace_days : int
        A gap of at most so many days is no gap, nor is paying up to so many days early an overlap (the next
        invoice of the plan decides when the last one ends). Nor is a customer lost who has been owing for no
        longer than that at `as_of`.

    Returns
    -------
    DataFrame
        Ready for `tables.subscriptions`: `customer_id`, `started_at`, `ended_at` (exclusive; null: not over
        at `as_of`), `mrr` (currency units a month, whole cents), [`plan`], [`currency`], `amount` (invoiced
        for the period), `invoices` (how many). `attrs` counts the invoices set aside by the first rule each
        fails (`rows_set_aside`) with their amounts (`amount_set_aside`): refunds are one of the rules.

    Raises
    ------
    DataError
        When a column is missing, or a number or date can be read in two ways.
    ParamsError
        When `grace_days` is no whole number from 0.

    Examples
    --------
    >>> paid = pd.DataFrame({
    ...     "customer_id": ["ann", "ann", "bob"],
    ...     "period_start": pd.to_datetime(["2024-01-31", "2024-02-29", "2024-03-01"]),
    ...     "period_end": pd.to_datetime(["2024-02-29", "2024-03-31", "2025-03-01"]),
    ...     "amount": [20, 20, 100],
    ... })
    >>> print(subscriptions_from_invoices(paid)[["customer_id", "started_at", "ended_at", "mrr"]])
      customer_id started_at   ended_at    mrr
    0         ann 2024-01-31 2024-03-31  20.00
    1         bob 2024-03-01 2025-03-01   8.33
    """
    if isinstance(grace_days, bool) or not isinstance(grace_days, int) or grace_days < 0:
        raise ParamsError(
            f"grace_days is a whole number from 0, and it was {grace_days!r}. Type 7 for a week."
        )
    end = None if as_of is None else pd.Timestamp(moments.first_unobserved(as_of))
    grace = pd.Timedelta(days=grace_days)
    read = _with_ends(_read(invoices))
    rule = _ruled(read, end)
    apart = [name for name in _KEPT_APART if name in read.columns]
    frame = _open(_periods(read[rule == "kept"], apart, grace), end, grace)
    frame.attrs = _told(read, rule, end)
    return frame


def periods(paid: ir.Table, end: dt.datetime | None) -> pd.DataFrame:
    """Paid stretches that have passed the door as subscriptions; every further column is kept apart.

    `end` is the first moment not observed.
    """
    read = paid.to_pandas()
    dates = [name for name in ("started_at", "ended_at") if name in read.columns]
    read = read.astype(dict.fromkeys(dates, "datetime64[us]"))
    apart = [name for name in read.columns if name not in ("customer_id", "amount", *dates)]
    priced = read.assign(service=_months_between(read["started_at"], read["ended_at"]))
    moment = None if end is None else pd.Timestamp(end)
    merged = _open(_periods(priced, apart, pd.Timedelta(0)), moment, pd.Timedelta(0))
    return merged.drop(columns=["amount", "invoices"])


# ---------------------------------------------------------------------------------------------------


def _read(invoices: Any) -> pd.DataFrame:
    """The invoices' columns in our types, text read as the door reads it."""
    source = open_source(invoices)
    columns = [name for name in ("customer_id", *_DATES, *_NUMBERS, *_KEPT_APART) if name in source.columns]
    _require(source.columns)
    rows, why = source.table(columns), "subscriptions_from_invoices reads each invoice here"
    near = session.holds(rows)
    raw = session.stored(rows, "invoices") if near else session.brought(rows, "invoices", why)
    typed, *_ = values.typed(raw, _DATES, _NUMBERS, values.Hints())
    frame = typed.to_pandas()
    dates = [name for name in _DATES if name in columns]
    return frame.astype(dict.fromkeys(dates, "datetime64[us]"))


def _require(has: Sequence[str]) -> None:
    missing = [name for name in ("customer_id", "amount") if name not in has]
    for either in (("period_start", "paid_at"), ("period_end", "months")):
        if not set(either) & set(has):
            missing.append(" or ".join(either))
    if missing:
        raise DataError(f"invoices is missing {missing}. It has {list(has)}. Rename yours to ours.")


def _with_ends(read: pd.DataFrame) -> pd.DataFrame:
    """`started_at`, `ended_at` and `service` (in months), each null where the invoice does not tell."""
    blank = pd.Series(pd.NaT, index=read.index, dtype="datetime64[us]")
    start = read.get("period_start", blank).fillna(read.get("paid_at", blank))
    stated = read.get("months", pd.Series(np.nan, index=read.index))
    whole = stated.where((stated >= 1) & (stated % 1 == 0))
    end = read.get("period_end", blank).fillna(_plus_months(start, whole))
    service = whole.fillna(_months_between(start, end))
    return read.assign(started_at=start, ended_at=end, service=service)


def _plus_months(start: pd.Series, months: pd.Series) -> pd.Series:
    """The same day so many months on, or the last day of that month where it is shorter."""
    known = start.notna() & months.notna()
    moment, count = start[known], months[known].astype("int64")
    month = moment.to_numpy().astype("datetime64[M]") + count.to_numpy()
    longest = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype("int64")
    day = np.minimum(moment.dt.day.to_numpy(), longest) - 1
    clock = (moment - moment.dt.normalize()).to_numpy()
    later = (month.astype("datetime64[D]") + day).astype("datetime64[us]") + clock
    return pd.Series(later, index=moment.index, dtype="datetime64[us]").reindex(start.index)


def _months_between(start: pd.Series, end: pd.Series) -> pd.Series:
    apart = (end.dt.year - start.dt.year) * 12 + end.dt.month - start.dt.month
    months = (end - start) / pd.Timedelta(days=1) / _DAYS_A_MONTH
    nearest = pd.Series(_NEARLY, index=start.index)
    for about in (-1, 0, 1):
        whole = (apart + about).where(apart + about >= 1)
        off = (_plus_months(start, whole) - end).abs()
        months = months.mask(off <= nearest, whole)
        nearest = nearest.mask(off <= nearest, off)
    return months


def _ruled(read: pd.DataFrame, end: pd.Timestamp | None) -> pd.Series:
    """The first rule each invoice fails, in the door's order and words, or `kept`."""
    unread = {rule: read[name].notna() for name, rule in values.UNREADABLE.items() if name in read}
    rules = unread | {
        "no customer": read["customer_id"].isna(),
        "no date": read["started_at"].isna(),
        "no amount": read["amount"].isna(),
        "refund": read["amount"] < 0,
        "no end of service": read["ended_at"].isna() | read["service"].isna(),
        "ended before started": read["ended_at"] <= read["started_at"],
    }
    if end is not None:
        rules["at or after as_of"] = read["started_at"] >= end
    return pd.Series(np.select(list(rules.values()), list(rules), "kept"), index=read.index, dtype="str")


def _periods(kept: pd.DataFrame, apart: list[str], grace: pd.Timedelta) -> pd.DataFrame:
    stream = ["customer_id", *apart]
    rows = _priced(kept, apart).sort_values([*stream, "started_at", "ended_at"])
    rows = _without_lapses(_renewed(rows.reset_index(drop=True), stream, grace), grace)
    return _merged(rows, stream)


def _priced(kept: pd.DataFrame, apart: list[str]) -> pd.DataFrame:
    cents = (kept["amount"] * 100).round().astype("int64")
    a_month = np.floor(cents / kept["service"].astype("float64") + 0.5).astype("int64")
    return kept[["customer_id", "started_at", "ended_at", *apart]].assign(cents=cents, a_month=a_month)


def _renewed(rows: pd.DataFrame, stream: list[str], grace: pd.Timedelta) -> pd.DataFrame:
    """An invoice paid a little late or early takes over where the one before it in its stream ends."""
    following = rows.groupby(stream, dropna=False)[["started_at", "ended_at"]].shift(-1)
    gap = following["started_at"] - rows["ended_at"]
    late = (gap > pd.Timedelta(0)) & (gap <= grace)
    early = (gap < pd.Timedelta(0)) & (-gap <= grace)
    # An overlap of two subscriptions side by side is none of a renewal: another row ends where it begins.
    ends = pd.MultiIndex.from_frame(rows[[*stream, "ended_at"]])
    taken_over = pd.MultiIndex.from_frame(rows[stream].assign(ended_at=following["started_at"])).isin(ends)
    longer = (following["ended_at"] > rows["ended_at"]) & (following["started_at"] > rows["started_at"])
    meets = late | (early & longer & ~taken_over)
    return rows.assign(ended_at=rows["ended_at"].mask(meets, following["started_at"]))


def _without_lapses(rows: pd.DataFrame, grace: pd.Timedelta) -> pd.DataFrame:
    """Who pays nothing for no longer than the grace and then goes on, with any plan, never stopped."""
    ordered = rows.sort_values(["customer_id", "started_at"], kind="stable")
    until = ordered.groupby("customer_id")["ended_at"].cummax().groupby(ordered["customer_id"]).shift()
    gap = ordered["started_at"] - until
    lapses = ordered.assign(ended_at=until, _resumed=ordered["started_at"])
    lapses = lapses[(gap > pd.Timedelta(0)) & (gap <= grace)][["customer_id", "ended_at", "_resumed"]]
    found = rows.merge(lapses.drop_duplicates(), how="left", on=["customer_id", "ended_at"])
    return rows.assign(ended_at=found["_resumed"].fillna(found["ended_at"]).to_numpy())


def _merged(rows: pd.DataFrame, stream: list[str]) -> pd.DataFrame:
    """Consecutive rows of one stream at one price as one period."""
    alike = [*stream, "a_month"]
    rows = rows.sort_values([*alike, "started_at", "ended_at"]).reset_index(drop=True)
    before = rows.groupby(alike, dropna=False)["ended_at"].shift()
    rows["_run"] = (before != rows["started_at"]).cumsum()
    sums = {
        "started_at": ("started_at", "first"),
        "ended_at": ("ended_at", "last"),
        "cents": ("cents", "sum"),
        "invoices": ("cents", "size"),
    }
    frame = rows.groupby([*alike, "_run"], dropna=False, as_index=False).agg(**sums)
    frame = frame.assign(mrr=frame["a_month"] / 100, amount=frame["cents"] / 100)
    frame = frame.sort_values(["customer_id", "started_at", *stream[1:], "ended_at"]).reset_index(drop=True)
    return frame[["customer_id", "started_at", "ended_at", "mrr", *stream[1:], "amount", "invoices"]]


def _open(frame: pd.DataFrame, end: pd.Timestamp | None, grace: pd.Timedelta) -> pd.DataFrame:
    """Without an end what is paid until `as_of` or beyond, or may still be paid within the grace."""
    if end is None:
        return frame
    last = frame.groupby("customer_id")["ended_at"].transform("max")
    may_be_late = (frame["ended_at"] == last) & (frame["ended_at"] + grace >= end)
    still = (frame["ended_at"] >= end) | may_be_late
    return frame.assign(ended_at=frame["ended_at"].mask(still))


def _told(read: pd.DataFrame, rule: pd.Series, end: pd.Timestamp | None) -> dict[str, Any]:
    aside = read.assign(_rule=rule)[rule != "kept"].groupby("_rule", sort=True)["amount"]
    return {
        "definition": phrase("definition.invoices"),
        "as_of": None if end is None else moments.words(end.to_pydatetime()),
        "rows_set_aside": {name: int(rows) for name, rows in aside.size().items()},
        "amount_set_aside": {name: round(float(money), 2) for name, money in aside.sum().items()},
    }
