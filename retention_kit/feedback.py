"""What customers said, and what they did afterwards.

Whoever is counted is followed from the moment of the answer, for one window of so many days: what came before
the answer is not counted as following from it.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from retention_kit import followups, intervals, session, tables
from retention_kit.exceptions import DataError
from retention_kit.followups import FollowUp, Groups
from retention_kit.moments import Date
from retention_kit.scales import Scale
from retention_kit.sentences import phrase
from retention_kit.sources import open_source
from retention_kit.tables import Loaded


def churn_after(
    responses: Any,
    subscriptions: Any,
    *,
    days: int = 90,
    invited: Any = None,
    groups: Groups = "band",
    scale: str | Scale = "nps_0_10",
    as_of: Date | None = None,
) -> pd.DataFrame:
    """Of those who paid when they answered, how many no longer pay so many days later, by what they answered?

    A customer counts once, by the first answer, and only where the whole window was observed. Who did not
    answer is followed from the first invitation. It shows what goes together: who is about to leave scores
    low, so raising a score would not by itself keep anyone.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score`, `customer_id` and `responded_at`.
    subscriptions : Loaded, frame or Ibis table
        Subscriptions with `customer_id`, `started_at` and `ended_at`; with `mrr`, those of 0 are free.
    days : int
        The window after the answer.
    invited : Loaded, frame or Ibis table, optional
        Who was asked and when: `customer_id`, `invited_at`. Without it nobody is known to have kept silent.
    groups : {"band", "score"}
        Promoters, passives, detractors; or each score for itself, the highest first.
    scale : str or Scale
        What was asked; see `scales.read`.
    as_of : date or str
        The first moment not observed.

    Returns
    -------
    DataFrame
        One row a group with customers in it: `band` ("promoters", "passives", "detractors",
        "non_respondents") or `score` (none for those), `customers` (paying as their window begins), `churned`
        (not paying as it ends), `churn_rate` (churned / customers, 0 to 1), `low`, `high` (Wilson 95 %),
        `difference` (from the rate of promoters, or of the highest score) with `difference_low`,
        `difference_high`, `interval`. Its `attrs["caveat"]` is what to print beside it,
        `attrs["not_observed"]` how many were left out because their window is not over.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or a score is outside the scale.
    ParamsError
        When `days` is no number of days, or `groups` is not known.

    Examples
    --------
    >>> answers = pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "cid"], "score": [10, 3, 2], "responded_at": "2024-01-10"})
    >>> fees = pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "cid"], "started_at": pd.to_datetime(["2023-06-01"] * 3),
    ...     "ended_at": pd.to_datetime([None, "2024-02-01", None])})
    >>> found = churn_after(answers, fees, days=30, as_of="2024-03-01")
    >>> found[["band", "customers", "churned", "difference"]].to_numpy().tolist()
    [['promoters', 1, 0, nan], ['detractors', 2, 1, 0.5]]
    """
    loaded = tables.subscriptions(subscriptions, as_of=as_of)
    asked = followups.follow_up(responses, invited, scale, as_of)
    frame, left_out = followups.left(asked, loaded, days)
    return _shares(frame, groups, asked, loaded, "churned", "churn_rate", left_out, days)


def retention_after(
    responses: Any,
    orders: Any,
    *,
    days: int = 90,
    invited: Any = None,
    groups: Groups = "band",
    scale: str | Scale = "nps_0_10",
    as_of: Date | None = None,
) -> pd.DataFrame:
    """Of those who answered, how many bought again within so many days, by what they answered?

    An order at the moment of the answer, or on its day where answers have no time, is not after it. Of
    events: how many were active again.

    Parameters
    ----------
    responses, days, invited, groups, scale, as_of
        As of `churn_after`.
    orders : Loaded, frame or Ibis table
        Orders with `customer_id` and `ordered_at`, or events with `customer_id` and `occurred_at`.

    Returns
    -------
    DataFrame
        As of `churn_after`, with `customers` (whose window was observed), `retained` (with an order in it)
        and `retention_rate`.

    Raises
    ------
    DataError, ParamsError
        As `churn_after`.

    Examples
    --------
    >>> answers = pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "cid"], "score": [10, 3, 2], "responded_at": "2024-01-10"})
    >>> shop = pd.DataFrame({"customer_id": ["ann", "bob", "cid"],
    ...                      "ordered_at": pd.to_datetime(["2024-01-09", "2024-01-20", "2024-02-20"])})
    >>> found = retention_after(answers, shop, days=30, as_of="2024-03-01")
    >>> found[["band", "customers", "retained"]].to_numpy().tolist()
    [['promoters', 1, 0], ['detractors', 2, 1]]
    """
    loaded = tables.orders_or_events(orders, as_of=as_of)
    asked = followups.follow_up(responses, invited, scale, as_of)
    frame, left_out = followups.bought(asked, loaded, days)
    return _shares(frame, groups, asked, loaded, "retained", "retention_rate", left_out, days)


def spend_after(
    responses: Any,
    orders: Any,
    *,
    days: int = 90,
    invited: Any = None,
    groups: Groups = "band",
    scale: str | Scale = "nps_0_10",
    as_of: Date | None = None,
) -> pd.DataFrame:
    """What do those who answered spend within so many days, those who buy nothing included?

    Parameters
    ----------
    responses, days, invited, groups, scale, as_of
        As of `churn_after`.
    orders : Loaded, frame or Ibis table
        Orders with `customer_id`, `ordered_at` and `amount`.

    Returns
    -------
    DataFrame
        As of `churn_after`, with `customers`, `revenue`, `spend_per_customer` (revenue / customers, in the
        currency of `amount`), `spend_sd`, `low`, `high` (t, 95 %), and the difference by Welch.

    Raises
    ------
    DataError, ParamsError
        As `churn_after`.

    Examples
    --------
    >>> answers = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"], "score": [10, 3], "responded_at": "2024-01-10"})
    >>> shop = pd.DataFrame({"customer_id": ["ann", "ann"], "amount": [20.0, 30.0],
    ...                      "ordered_at": pd.to_datetime(["2024-01-12", "2024-01-20"])})
    >>> found = spend_after(answers, shop, days=30, as_of="2024-03-01")
    >>> found[["band", "spend_per_customer"]].to_numpy().tolist()
    [['promoters', 50.0], ['detractors', 0.0]]
    """
    loaded = tables.orders(orders, as_of=as_of, columns=("amount",))
    asked = followups.follow_up(responses, invited, scale, as_of)
    frame, left_out = followups.bought(asked, loaded, days)
    frame = _means(frame, groups, asked, "spend_per_customer", "spend_sd")
    frame.insert(2, "revenue", frame["spend_per_customer"] * frame["customers"])
    return _told(frame, loaded, "spend_per_customer", left_out, days)


def clv_after(
    responses: Any,
    customer_values: pd.DataFrame,
    *,
    value: str = "expected_value",
    invited: Any = None,
    groups: Groups = "band",
    scale: str | Scale = "nps_0_10",
    as_of: Date | None = None,
) -> pd.DataFrame:
    """What are those who answered expected to bring from now on, by what they answered?

    A model expects it from what they bought up to `as_of`, so it looks back at the time before and after the
    answer; it was not told the answer. The bounds hold the chance in who answered, not that in the model.

    Parameters
    ----------
    responses, invited, groups, scale, as_of
        As of `churn_after`.
    customer_values : DataFrame
        One row a customer, as from `clv.customer_value`: `customer_id` and `value`. Who is not in it never
        bought, and is left out.
    value : str
        Its column.

    Returns
    -------
    DataFrame
        As of `spend_after`, with `customers`, `clv_expected` (mean, in the unit of `value`) and `clv_sd`.

    Raises
    ------
    DataError
        As `churn_after`; also when `customer_values` lacks a column.

    Examples
    --------
    >>> answers = pd.DataFrame({
    ...     "customer_id": ["ann", "bob"], "score": [10, 3], "responded_at": "2024-01-10"})
    >>> worth = pd.DataFrame({"customer_id": ["ann", "bob"], "expected_value": [90.0, 40.0]})
    >>> clv_after(answers, worth, as_of="2024-03-01")["difference"].tolist()
    [nan, -50.0]
    """
    asked = followups.follow_up(responses, invited, scale, as_of)
    source = open_source(customer_values)
    missing = [name for name in ("customer_id", value) if name not in source.columns]
    if missing:
        raise DataError(f"customer_values is missing {missing}. It has {list(source.columns)}.")
    worth = source.table(["customer_id", value])
    worth = worth.select(customer_id=worth.customer_id.cast("string"), worth=worth[value].cast("float64"))
    each = session.beside(worth, asked.people, "values and answers").join(asked.people, "customer_id")
    frame = _means(followups.moments(each, each.worth), groups, asked, "clv_expected", "clv_sd")
    return _told(frame, asked.responses, "clv_expected", 0, None)


def against_promoters(after: pd.DataFrame, band: str = "detractors") -> pd.DataFrame:
    """One kind of answer beside promoters in one row, as a sentence about their difference reads it.

    Parameters
    ----------
    after : DataFrame
        From `churn_after` or its siblings, by band.
    band : {"detractors", "passives", "non_respondents"}
        Whom to set beside promoters.

    Returns
    -------
    DataFrame
        One row: the columns of `after`, those of promoters under the same names with `_promoters`, and
        `difference`, `low`, `high`, of which there is no row where the difference has no bounds.

    Raises
    ------
    DataError
        When `after` is not by band.

    Examples
    --------
    >>> answers = pd.DataFrame({
    ...     "customer_id": ["ann", "bob", "cid"], "score": [10, 3, 2], "responded_at": "2024-01-10"})
    >>> shop = pd.DataFrame({"customer_id": ["ann"], "ordered_at": ["2024-01-12"]})
    >>> row = against_promoters(retention_after(answers, shop, days=30, as_of="2024-03-01"))
    >>> row[["retained", "customers", "retained_promoters", "difference"]].to_numpy().tolist()
    [[0.0, 2.0, 1.0, -1.0]]
    """
    if "band" not in after.columns:
        raise DataError(
            f"after has no column band. It has {list(after.columns)}. Make it with groups='band'."
        )
    bounds = {"difference_low": "low", "difference_high": "high"}
    own = ["band", "low", "high", "interval", *bounds, "difference"]
    theirs = after[after["band"] == "promoters"].drop(columns=own).add_suffix("_promoters")
    ours = after[after["band"] == band].drop(columns=["low", "high"]).rename(columns=bounds)
    row = ours.merge(theirs, how="cross").dropna(subset=["difference", "low", "high"])
    row.attrs = {**after.attrs}
    return row


# ---------------------------------------------------------------------------------------------------


def _shares(
    frame: pd.DataFrame,
    groups: Groups,
    asked: FollowUp,
    loaded: Loaded,
    part: str,
    rate: str,
    left_out: int,
    days: int,
) -> pd.DataFrame:
    frame = followups.grouped(frame[["score", "customers", part]], asked, groups)
    frame = frame.groupby(groups, sort=False, dropna=False, as_index=False)[["customers", part]].sum()
    frame = frame.astype({"customers": "int64", part: "int64"})
    frame[rate] = frame[part] / frame["customers"]
    frame["low"], frame["high"] = intervals.wilson(frame[part], frame["customers"])
    k, n = _first(frame, groups, [part, "customers"])
    low, high = intervals.difference(frame[part], frame["customers"], k, n)
    frame = _with_difference(frame, groups, rate, low, high)
    method = f"{intervals.WILSON}; difference {intervals.NEWCOMBE}"
    frame["interval"] = pd.Series(method, index=frame.index, dtype="str")
    return _told(frame, loaded, rate, left_out, days)


def _means(frame: pd.DataFrame, groups: Groups, asked: FollowUp, mean: str, sd: str) -> pd.DataFrame:
    """Means and spreads of groups, each put together from those of its scores."""
    frame = followups.grouped(frame, asked, groups)
    frame["total"] = frame["mean"] * frame["customers"]
    frame["inside"] = frame["sd"].fillna(0.0) ** 2 * (frame["customers"] - 1)
    by = frame.groupby(groups, sort=False, dropna=False)
    centre = by["total"].transform("sum") / by["customers"].transform("sum")
    frame["inside"] += frame["customers"] * (frame["mean"] - centre) ** 2
    frame = by[["customers", "total", "inside"]].sum().reset_index()
    several = frame["customers"] > 1
    spread = (frame["inside"] / (frame["customers"] - 1).where(several)) ** 0.5
    frame = frame[[groups, "customers"]].assign(**{mean: frame["total"] / frame["customers"], sd: spread})
    frame = frame.astype({"customers": "int64", mean: "float64", sd: "float64"})
    frame["low"], frame["high"] = intervals.mean(frame[mean], frame[sd], frame["customers"])
    theirs = _first(frame, groups, [mean, sd, "customers"])
    low, high = intervals.difference_of_means(frame[mean], frame[sd], frame["customers"], *theirs)
    frame = _with_difference(frame, groups, mean, low, high)
    method = f"{intervals.MEAN}; difference {intervals.WELCH}"
    return frame.assign(interval=pd.Series(method, index=frame.index, dtype="str"))


def _is_first(frame: pd.DataFrame, groups: Groups) -> pd.Series:
    """The row that the others are compared with: promoters, or the highest score that anyone gave."""
    if groups == "band":
        return frame[groups] == followups.ORDER[0]
    return (frame[groups] == frame[groups].max()).fillna(False).astype(bool)


def _first(frame: pd.DataFrame, groups: Groups, columns: list[str]) -> list[float]:
    rows = frame.loc[_is_first(frame, groups), columns]
    return rows.iloc[0].tolist() if len(rows) else [float("nan")] * len(columns)


def _with_difference(
    frame: pd.DataFrame, groups: Groups, value: str, low: Sequence, high: Sequence
) -> pd.DataFrame:
    """From the first group's; that has none from itself."""
    apart = ~_is_first(frame, groups)
    [theirs] = _first(frame, groups, [value])
    return frame.assign(
        difference=(frame[value] - theirs).where(apart),
        difference_low=pd.Series(low, index=frame.index).where(apart),
        difference_high=pd.Series(high, index=frame.index).where(apart),
    )


def _told(frame: pd.DataFrame, loaded: Loaded, value: str, left_out: int, days: int | None) -> pd.DataFrame:
    key = f"{value}_after.{loaded.kind}" if value == "retention_rate" else f"{value}_after"
    told = loaded.told(phrase(f"definition.{key}", days=days))
    frame.attrs = told | {"caveat": phrase("caveat.feedback"), "not_observed": left_out, "days": days}
    return frame
