"""Who answers a survey and who does not: rates, and how far those who answer can stand for the others."""

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import (
    answers,
    blanks,
    intervals,
    nps,
    nps_comparisons,
    periods,
    scales,
    session,
    tables,
)
from retention_kit.exceptions import DataError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.scales import Scale
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded

#: What a row over all questions together is called.
ALL = "all"

_RATES = ["invited", "answered", "response_rate", "low", "high", "interval"]
_BIAS = {
    "a": "with_comment",
    "b": "without_comment",
    "a_answers": "answers_with",
    "b_answers": "answers_without",
    **{name: name for name in ("difference", "low", "high", "interval", "smallest_detectable")},
}
_SHARES = [
    *("column", "value", "customers", "respondents", "share_of_customers", "share_of_respondents"),
    *("difference", "low", "high", "interval"),
]


def response_rates(
    responses: Any,
    *,
    invited: Any,
    by: Columns = None,
    period: Period | None = None,
    as_of: Date | None = None,
) -> pd.DataFrame:
    """Of those who were asked, how many answered?

    An answer belongs to the customer's last invitation before it. A reminder is no invitation: leave those
    out, or the one before counts as not answered. Those asked shortly before `as_of` may still answer.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score` and `customer_id`; with `responded_at` where there are several surveys.
    invited : Loaded, frame or Ibis table
        One row an invitation: `customer_id`, `invited_at`. Where either table has no moments, a customer was
        asked once, and any answer is the answer to it.
    by : str or list of str, optional
        Columns of `invited` to split by; no value is a group of its own.
    period : {"day", "week", "month", "quarter", "year"}, optional
        One row a period of `invited_at`, for periods that lie wholly before `as_of`.
    as_of : date or str
        The first moment not observed; needed where there are moments.

    Returns
    -------
    DataFrame
        [`period`], [by], `invited` (invitations), `answered`, `response_rate` (answered / invited, 0 to 1),
        `low`, `high` (Wilson 95 %), `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.

    Examples
    --------
    >>> asked = pd.DataFrame({"customer_id": ["ann", "bob", "cid", "dan"]})
    >>> answers = pd.DataFrame({"customer_id": ["bob", "dan"], "score": [9, None]})
    >>> response_rates(answers, invited=asked)["response_rate"].item()
    0.25
    """
    groups = tables.by_columns(by, taken=("period", "customer_id", *_RATES))
    loaded = tables.responses(responses, as_of=as_of, columns=("customer_id",))
    asked = invitations(invited, as_of=as_of, columns=groups)
    if period is not None and "invited_at" not in asked.table.columns:
        raise DataError("invitations is missing ['invited_at'], and period needs it. Leave period out.")
    rows = matched(loaded, asked, groups)
    keys = list(groups)
    if period is not None:
        rows = rows.mutate(period_index=periods.index(rows.invited_at, period))
        rows = rows.filter(rows.period_index < periods.first_incomplete(asked, period))
        keys = ["period_index", *groups]
    sums = {"invited": rows.count(), "answered": rows.answered.sum().fill_null(0)}
    frame = (rows.group_by(keys).aggregate(**sums) if keys else rows.aggregate(**sums)).to_pandas()
    if period is not None:
        frame.insert(0, "period", periods.starts(frame.pop("period_index"), period))
        keys[0] = "period"
    frame = frame[frame["invited"] > 0].astype({"invited": "int64", "answered": "int64"})
    frame = (frame.sort_values(keys) if keys else frame).reset_index(drop=True)
    frame = _with_share(frame, "answered", "invited", "response_rate")
    frame.attrs = asked.told(phrase("definition.response_rates"))
    return frame[[*keys, *_RATES]]


def completion_rates(
    responses: Any, *, questions: Sequence[str] = (), as_of: Date | None = None
) -> pd.DataFrame:
    """Of those who began the survey, how many gave a score, and how many answered each further question?

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score`, blank where the survey was begun and no score given, and the further questions.
    questions : sequence of str
        Their columns.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.

    Returns
    -------
    DataFrame
        One row a question, `score` first, and with `questions` a last one, "all": `question`, `begun` (all
        rows; of further questions those with a score), `answered`, `completion_rate` (answered / begun, 0 to
        1), `low`, `high` (Wilson 95 %), `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.

    Examples
    --------
    >>> answers = pd.DataFrame({"score": [9, 4, None], "price": [5, None, 3]})
    >>> completion_rates(answers, questions=["price"])[["question", "begun", "answered"]].to_numpy().tolist()
    [['score', 3, 2], ['price', 2, 1], ['all', 2, 1]]
    """
    names = list(dict.fromkeys(questions))
    loaded = tables.responses(responses, as_of=as_of, columns=names)
    table, aside = loaded.table, dict(zip(loaded.checks["rule"], loaded.checks["rows"], strict=True))
    there = {name: _answered(table[name]) for name in names}
    sums = {f"_{i}": there[name].sum() for i, name in enumerate(names)}
    if names:
        sums["_all"] = ibis.and_(*there.values()).sum()
    kept = table.aggregate(kept=table.count(), **sums).to_pandas().fillna(0).astype("int64").iloc[0]
    begun = int(kept["kept"]) + int(aside.get("no answer", 0))
    rows = [("score", begun, kept["kept"])]
    rows += [(name, kept["kept"], kept[f"_{i}"]) for i, name in enumerate(names)]
    rows += [(ALL, kept["kept"], kept["_all"])] if names else []
    frame = pd.DataFrame(rows, columns=["question", "begun", "answered"])
    frame = frame[frame["begun"] > 0].astype({"question": "str", "begun": "int64", "answered": "int64"})
    frame = _with_share(frame, "answered", "begun", "completion_rate")
    frame.attrs = loaded.told(phrase("definition.completion_rates"))
    return frame[["question", "begun", "answered", "completion_rate", "low", "high", "interval"]]


def comment_bias(
    responses: Any, *, scale: str | Scale = "nps_0_10", as_of: Date | None = None
) -> pd.DataFrame:
    """Do those who write a comment score otherwise than those who give a number alone?

    Comments are read, numbers are counted. Where the two groups differ, what is read is not what is meant by
    most.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score` and `comment`; a blank comment is none.
    scale : str or Scale
        What was asked; see `scales.read`.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.

    Returns
    -------
    DataFrame
        One row, or none where only one of the groups is there: `with_comment`, `without_comment` (scores,
        -100 to 100), `answers_with`, `answers_without`, `difference` (with less without, in points), `low`,
        `high` (95 %), `interval`, `smallest_detectable` (as of `nps_comparisons.nps_compare`).

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or a score is outside the scale.

    Examples
    --------
    >>> answers = pd.DataFrame({"score": [2, 9, 10, 10], "comment": ["Late!", "Late.", None, " "]})
    >>> bias = comment_bias(answers)
    >>> bias[["with_comment", "without_comment", "difference"]].to_numpy().tolist()
    [[0.0, 100.0, -100.0]]
    """
    how = scales.read(scale)
    loaded = answers.select_answers(responses, scale=how, as_of=as_of, columns=("comment",))
    table = loaded.table
    wrote = _answered(table.comment.cast("string")).ifelse("with", "without")
    rows = table.select(wrote=wrote, band=how.band(table.score))
    counted = rows.group_by("wrote", "band").aggregate(n=rows.count()).to_pandas()
    bands = counted.pivot(index="wrote", columns="band", values="n").reindex(columns=list(scales.BANDS))
    both = bands.fillna(0).astype("int64").sort_index().to_dict("records")  # with, then without
    scores = [nps.nps_from_counts(**each) for each in both]
    found = nps_comparisons.nps_compare(*scores) if len(scores) == 2 else pd.DataFrame(columns=list(_BIAS))
    frame = found[list(_BIAS)].rename(columns=_BIAS)
    frame.attrs = loaded.told(phrase("definition.comment_bias"))
    return frame


def respondent_bias(
    responses: Any, customers: Any, *, columns: Sequence[str], as_of: Date | None = None
) -> pd.DataFrame:
    """Are those who answered like all customers, or like all who were asked, in what is known of both?

    A group that is rarer among the answers than among customers speaks too softly in the score. Alike in
    these columns does not mean alike in what they think.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score` and `customer_id`.
    customers : Loaded, frame or Ibis table
        All to compare with, by `customer_id`: customers, or invitations with what is known of those asked.
        Answers of others are left out.
    columns : sequence of str
        Their columns to compare by, those with few values.
    as_of : date or str
        The first moment not observed; needed where there are moments.

    Returns
    -------
    DataFrame
        One row a column and value (text; none where not known): `column`, `value`, `customers`, `respondents`
        (counts of customers), `share_of_customers`, `share_of_respondents` (0 to 1), `difference` (of
        respondents less of customers) with `low`, `high` (95 %), `interval`.

    Raises
    ------
    DataError
        When a column or `as_of` is missing.

    Notes
    -----
    Respondents are among the customers. The share of all is that of the two parts weighted, so the difference
    is that between those who did and did not answer, times the part of the latter; so are Newcombe's bounds.

    Examples
    --------
    >>> customers = pd.DataFrame({"customer_id": ["ann", "bob", "cid", "dan"], "plan": ["a", "a", "b", "b"]})
    >>> answers = pd.DataFrame({"customer_id": ["ann", "bob"], "score": [9, 3]})
    >>> found = respondent_bias(answers, customers, columns=["plan"])
    >>> found[["value", "share_of_customers", "share_of_respondents", "difference"]].to_numpy().tolist()
    [['a', 0.5, 1.0, 0.5], ['b', 0.5, 0.0, -0.5]]
    """
    names = list(dict.fromkeys(tables.by_columns(columns, taken=("customer_id", "answered"))))
    loaded = tables.responses(responses, as_of=as_of, columns=("customer_id",))
    people = _everybody(customers, names, as_of)
    who = loaded.table.select("customer_id").distinct()
    answered = session.beside(who, people, "customers and answers").mutate(answered=True)
    people = people.left_join(answered, "customer_id").drop("customer_id_right")
    people = people.mutate(answered=people.answered.fill_null(False))
    parts = [_shares(people, name) for name in names]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_SHARES)
    frame.attrs = loaded.told(phrase("definition.respondent_bias"))
    return frame


# -- who was asked, and what they answered -----------------------------------------------------------


def invitations(invited: Any, *, as_of: Date | None = None, columns: Sequence[str] = ()) -> Loaded:
    """What every metric on who was asked starts with: a `Loaded` passes, a plain frame is read.

    Raises
    ------
    DataError
        When a column is missing, or it holds something else than invitations.
    """
    if not isinstance(invited, Loaded):
        return tables.load_invitations(invited, as_of=as_of, columns={name: name for name in columns})
    if invited.kind != "invitations":
        raise DataError(f"invited= needs invitations, and it was given {invited.kind}.")
    missing = [name for name in columns if name not in invited.table.columns]
    if missing:
        raise DataError(f"invitations is missing {missing}. It has {list(invited.table.columns)}.")
    return invited


_BOTH = "invitations and answers"


def matched(loaded: Loaded, asked: Loaded, keep: Sequence[str] = ()) -> ir.Table:
    """Each invitation, and whether the customer answered it before the next: `answered`, beside `keep`."""
    sent, given = asked.table, loaded.table
    if "invited_at" not in sent.columns or "responded_at" not in given.columns:
        each = sent.group_by("customer_id").aggregate(**{name: sent[name].min() for name in keep})
        gave = session.beside(given.select("customer_id").distinct(), each, _BOTH).mutate(_answered=1)
        rows = each.left_join(gave, "customer_id")
        return rows.select("customer_id", *keep, answered=rows["_answered"].fill_null(0))
    sent = sent.select("customer_id", "invited_at", *keep).distinct()
    order = ibis.window(group_by="customer_id", order_by="invited_at")
    sent = sent.mutate(_next=sent.invited_at.lead().over(order), _row=ibis.row_number())
    gave = session.beside(given.select(_who="customer_id", _when="responded_at"), sent, _BOTH)
    inside = [sent.customer_id == gave["_who"], gave["_when"] >= sent.invited_at]
    inside.append((gave["_when"] < sent["_next"]) | sent["_next"].isnull())
    hits = sent.join(gave, inside).select("_row").distinct().mutate(_answered=1)
    rows = sent.left_join(hits, "_row")
    return rows.select("customer_id", "invited_at", *keep, answered=rows["_answered"].fill_null(0))


# ---------------------------------------------------------------------------------------------------


def _answered(value: ir.Value) -> ir.BooleanValue:
    return (blanks.filled(value) if value.type().is_string() else value).notnull()


def _with_share(frame: pd.DataFrame, part: str, whole: str, name: str) -> pd.DataFrame:
    frame = frame.assign(**{name: frame[part] / frame[whole]})
    frame["low"], frame["high"] = intervals.wilson(frame[part], frame[whole])
    return frame.assign(interval=pd.Series(intervals.WILSON, index=frame.index, dtype="str"))


def _everybody(customers: Any, names: Sequence[str], as_of: Date | None) -> ir.Table:
    """One row a customer with the named columns as text."""
    loaded = customers
    if not isinstance(customers, Loaded):
        loaded = tables.load_customers(customers, columns={name: name for name in names})
    missing = [name for name in names if name not in loaded.table.columns]
    if missing:
        raise DataError(f"{loaded.kind} is missing {missing}. It has {list(loaded.table.columns)}.")
    table = loaded.table
    known = {name: table[name].cast("string").min() for name in names}
    return table.group_by("customer_id").aggregate(**known)


def _shares(people: ir.Table, name: str) -> pd.DataFrame:
    sums = {"customers": people.count(), "respondents": people.answered.sum().fill_null(0)}
    frame = people.group_by(value=people[name]).aggregate(**sums).to_pandas()
    frame = frame.sort_values("value", ignore_index=True).astype(
        {"customers": "int64", "respondents": "int64"}
    )
    everybody, spoke = frame["customers"].sum(), frame["respondents"].sum()
    frame["share_of_customers"] = frame["customers"] / everybody
    frame["share_of_respondents"] = frame["respondents"] / spoke if spoke else float("nan")
    frame["difference"] = frame["share_of_respondents"] - frame["share_of_customers"]
    silent = everybody - spoke
    low, high = intervals.difference(
        frame["respondents"], spoke, frame["customers"] - frame["respondents"], silent
    )
    frame["low"], frame["high"] = low * silent / everybody, high * silent / everybody
    frame["interval"] = pd.Series(intervals.NEWCOMBE, index=frame.index, dtype="str")
    frame.insert(0, "column", pd.Series(name, index=frame.index, dtype="str"))
    return frame[_SHARES]
