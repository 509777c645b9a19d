"""What customers said, and what they did afterwards.

Whoever is counted is followed from the moment of the answer, for one window of so many days: what came before
the answer is not counted as following from it.
"""

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
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
        One row a group with customers in it: `group` ("promoters", "passives", "detractors",
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
    >>> found[["group", "customers", "churned", "difference"]].to_numpy().tolist()
    [['promoters', 1, 0, nan], ['detractors', 2, 1, 0.5]]
    """
    asked = followups.follow_up(responses, invited, days, groups, scale, as_of)
    loaded = tables.subscriptions(subscriptions, as_of=as_of)
    people, left_out = followups.observed(asked, loaded)
    table = loaded.table
    paid = table.filter(table.mrr > 0) if "mrr" in table.columns else table
    rows = people.join(paid.select("customer_id", "started_at", "ended_at"), "customer_id")
    begins, ends = rows.moment, rows.moment + ibis.interval(days=days)
    each = rows.group_by("customer_id", "group").aggregate(
        there=_pays(rows, begins).max(), stays=_pays(rows, ends).max()
    )
    each = each.filter(each.there == 1)
    counted = each.group_by("group").aggregate(customers=each.count(), stays=each.stays.sum()).to_pandas()
    counted["churned"] = counted["customers"] - counted.pop("stays")
    return _shares(counted, asked, loaded, "churned", "churn_rate", left_out)


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

    An order at the moment of the answer, or on its day where answers have no time, is not after it.

    Parameters
    ----------
    responses, days, invited, groups, scale, as_of
        As of `churn_after`.
    orders : Loaded, frame or Ibis table
        Orders with `customer_id` and `ordered_at`.

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
    >>> found[["group", "customers", "retained"]].to_numpy().tolist()
    [['promoters', 1, 0], ['detractors', 2, 1]]
    """
    asked = followups.follow_up(responses, invited, days, groups, scale, as_of)
    loaded = tables.orders(orders, as_of=as_of)
    each, left_out = _bought(asked, loaded)
    came = (each.times > 0).cast("int64")
    counted = each.group_by("group").aggregate(customers=each.count(), retained=came.sum()).to_pandas()
    return _shares(counted, asked, loaded, "retained", "retention_rate", left_out)


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
    >>> found[["group", "spend_per_customer"]].to_numpy().tolist()
    [['promoters', 50.0], ['detractors', 0.0]]
    """
    asked = followups.follow_up(responses, invited, days, groups, scale, as_of)
    loaded = tables.orders(orders, as_of=as_of, columns=("amount",))
    each, left_out = _bought(asked, loaded)
    frame = _means(each, "revenue", "spend_per_customer", "spend_sd", asked)
    frame.insert(2, "revenue", frame["spend_per_customer"] * frame["customers"])
    return _told(frame, asked, loaded, "spend_per_customer", left_out)


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
    asked = followups.follow_up(responses, invited, None, groups, scale, as_of)
    source = open_source(customer_values)
    missing = [name for name in ("customer_id", value) if name not in source.columns]
    if missing:
        raise DataError(f"customer_values is missing {missing}. It has {list(source.columns)}.")
    worth = source.table(["customer_id", value])
    worth = worth.select(customer_id=worth.customer_id.cast("string"), worth=worth[value].cast("float64"))
    each = asked.people.join(session.beside(worth, asked.people), "customer_id")
    frame = _means(each, "worth", "clv_expected", "clv_sd", asked)
    return _told(frame, asked, asked.responses, "clv_expected", 0)


# ---------------------------------------------------------------------------------------------------


def _bought(asked: FollowUp, loaded: Loaded) -> tuple[ir.Table, int]:
    """Each one followed, with the orders inside the window and what they brought; 0 where there are none."""
    people, left_out = followups.observed(asked, loaded)
    rows = loaded.table.join(people, "customer_id")
    ends = rows.moment + ibis.interval(days=asked.days)
    rows = rows.filter((rows.ordered_at > rows.moment) & (rows.ordered_at < ends))
    sums = {"times": rows.count()}
    if "amount" in loaded.table.columns:
        sums["revenue"] = rows.amount.cast("float64").sum()
    each = people.left_join(rows.group_by("customer_id").aggregate(**sums), "customer_id")
    return each.select("customer_id", "group", **{name: each[name].fill_null(0) for name in sums}), left_out


def _pays(rows: ir.Table, moment: ir.TimestampValue) -> ir.IntegerValue:
    """1 for a subscription that runs at a moment; `ended_at` is the first moment it does not."""
    runs = (rows.started_at <= moment) & (rows.ended_at.isnull() | (rows.ended_at > moment))
    return runs.cast("int64")


def _shares(
    counted: pd.DataFrame, asked: FollowUp, loaded: Loaded, part: str, rate: str, left_out: int
) -> pd.DataFrame:
    frame = counted.astype("int64").sort_values("group", ignore_index=True)[["group", "customers", part]]
    frame[rate] = frame[part] / frame["customers"]
    frame["low"], frame["high"] = intervals.wilson(frame[part], frame["customers"])
    first = frame[frame["group"] == 0]
    k, n = (first[part].sum(), first["customers"].sum()) if len(first) else (float("nan"), float("nan"))
    low, high = intervals.difference(frame[part], frame["customers"], k, n)
    frame = _with_difference(frame, rate, low, high)
    method = f"{intervals.WILSON}; difference {intervals.NEWCOMBE}"
    frame["interval"] = pd.Series(method, index=frame.index, dtype="str")
    return _told(frame, asked, loaded, rate, left_out)


def _means(each: ir.Table, what: str, mean: str, sd: str, asked: FollowUp) -> pd.DataFrame:
    sums = {"customers": each.count(), mean: each[what].mean(), sd: each[what].std(how="sample")}
    counted = each.group_by("group").aggregate(**sums).to_pandas()
    frame = counted.sort_values("group", ignore_index=True)
    frame = frame.astype({"group": "int64", "customers": "int64", mean: "float64", sd: "float64"})
    frame["low"], frame["high"] = intervals.mean(frame[mean], frame[sd], frame["customers"])
    first = frame[frame["group"] == 0]
    theirs = first[[mean, sd, "customers"]].iloc[0] if len(first) else [float("nan")] * 3
    low, high = intervals.difference_of_means(frame[mean], frame[sd], frame["customers"], *theirs)
    frame = _with_difference(frame, mean, low, high)
    method = f"{intervals.MEAN}; difference {intervals.WELCH}"
    return frame.assign(interval=pd.Series(method, index=frame.index, dtype="str"))


def _with_difference(frame: pd.DataFrame, value: str, low: Sequence, high: Sequence) -> pd.DataFrame:
    """From the first group's; that has none from itself."""
    first = frame.loc[frame["group"] == 0, value]
    apart = frame["group"] != 0
    gap = frame[value] - (first.iloc[0] if len(first) else float("nan"))
    return frame.assign(
        difference=gap.where(apart),
        difference_low=pd.Series(low, index=frame.index).where(apart),
        difference_high=pd.Series(high, index=frame.index).where(apart),
    )


def _told(frame: pd.DataFrame, asked: FollowUp, loaded: Loaded, value: str, left_out: int) -> pd.DataFrame:
    """The groups by their names, and what to know of them."""
    called = "group" if asked.groups == "band" else "score"
    named = [asked.names[place] for place in frame["group"]]
    kind = "str" if asked.groups == "band" else "Int64"
    frame = frame.drop(columns="group")
    frame.insert(0, called, pd.Series(named, index=frame.index, dtype=kind))
    told = loaded.told(phrase(f"definition.{value}_after", days=asked.days))
    frame.attrs = told | {"caveat": phrase("caveat.feedback"), "not_observed": left_out, "days": asked.days}
    return frame
