"""How satisfied customers are (CSAT), and how easy it was made for them (CES)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_kit import blanks, intervals, periods, score_intervals, tables
from retention_kit.exceptions import DataError, ParamsError, did_you_mean
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded

Method = Literal["mean", "top", "top_two", "net"]

_CSAT = ["csat", "low", "high", "satisfied", "answers", "interval"]
_CES = ["ces", "low", "high", "easy", "difficult", "answers", "interval"]
#: The scale that effort is asked on, the lowest answer each method calls easy, the highest difficult one.
_EFFORT = (1, 7)
_EASY_FROM = {"mean": 5, "top": 5, "top_two": 6, "net": 6}
_DIFFICULT_TO = 3


@dataclass(frozen=True)
class _Asked:
    """Answers to one question, and what could be answered."""

    loaded: Loaded
    question: str
    scale: tuple[int, int]


def csat(
    responses: Any,
    *,
    top: int = 2,
    scale: tuple[int, int] = (1, 5),
    question: str = "score",
    by: Columns = None,
    period: Period | None = None,
    as_of: Date | None = None,
) -> pd.DataFrame:
    """How many of those who answered are satisfied: the share of the highest answers.

    Two shares compare only where scale and top are the same: the two highest of five and the three highest
    of ten are other questions. It speaks of those who answered; blanks are no answers.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score`; with `responded_at` where `period` is asked for.
    top : int
        How many of the highest answers count as satisfied.
    scale : pair of int
        The lowest and the highest answer that could be given; any other is an error.
    question : str
        The column of the answer. Rows without a `score` have been set aside by the door: to read a question
        that some answered alone, map it onto `score`.
    by : str or list of str, optional
        One row a value of these columns; no value is a group of its own.
    period : {"day", "week", "month", "quarter", "year"}, optional
        One row a period of `responded_at`, for periods that lie wholly before `as_of`.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.

    Returns
    -------
    DataFrame
        [`period`], [by], `csat` (satisfied / answers, 0 to 1), `low`, `high` (Wilson 95 %), `satisfied`,
        `answers`, `interval`. No row where nobody answered.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or an answer is not one of the scale.
    ParamsError
        When `scale` is no two whole numbers in order, or `top` is none of its answers or all.

    Examples
    --------
    >>> answers = pd.DataFrame({"score": [5, 4, 4, 3, 1, None]})
    >>> print(csat(answers)[["csat", "satisfied", "answers"]].to_string(index=False))
     csat  satisfied  answers
      0.6          3        5
    """
    _check_scale(scale, top)
    lowest_top = scale[1] - top + 1
    groups = tables.by_columns(by, taken=("period", *_CSAT))
    asked = _asked(responses, question, scale, groups, period, as_of)
    counted = _counted(asked, groups, period, satisfied=asked.loaded.table["_given"] >= lowest_top)
    frame = counted.assign(csat=counted["satisfied"] / counted["answers"])
    frame["low"], frame["high"] = intervals.wilson(frame["satisfied"], frame["answers"])
    told = {"question": question, "lowest": scale[0], "highest": scale[1], "top": lowest_top}
    return _finished(frame, _CSAT, intervals.WILSON, asked.loaded.told(phrase("definition.csat", **told)))


def ces(
    responses: Any,
    *,
    method: Method,
    question: str = "score",
    by: Columns = None,
    period: Period | None = None,
    as_of: Date | None = None,
) -> pd.DataFrame:
    """How easy was it, on a scale from 1 (not at all) to 7: the customer effort score by a method named.

    Four formulas go by this name, and the same answers make 4.08, 46 %, 30 % or -13 by them. So there is
    no default: say which, and compare only with the same.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score`, where 7 agrees most that it was easy.
    method : {"mean", "top", "top_two", "net"}
        The mean answer; the share of 5 to 7; the share of 6 and 7; the share of 6 and 7 less the share of 1
        to 3, in points.
    question : str
        The column of the answer; see `csat`.
    by : str or list of str, optional
        One row a value of these columns; no value is a group of its own.
    period : {"day", "week", "month", "quarter", "year"}, optional
        One row a period of `responded_at`, for periods that lie wholly before `as_of`.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.

    Returns
    -------
    DataFrame
        [`period`], [by], `ces` (1 to 7, a share from 0 to 1, or points from -100 to 100), `low`, `high` (95
        %), `easy` (answers that the method calls so; of the mean those of 5 to 7), `difficult` (1 to 3),
        `answers`, `interval` (t, Wilson or adjusted Wald). No row where nobody answered.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or an answer is no whole number from 1 to 7.
    ParamsError
        When the method is not known.

    References
    ----------
    Dixon, Freeman and Toman (2010), Stop trying to delight your customers.

    Examples
    --------
    >>> answers = pd.DataFrame({"score": [7, 6, 5, 4, 2]})
    >>> [round(ces(answers, method=name)["ces"].item(), 1) for name in ("mean", "top", "net")]
    [4.8, 0.6, 20.0]
    """
    if method not in get_args(Method):
        hint = did_you_mean(str(method), get_args(Method))
        raise ParamsError(f"method {method!r} is not known.{hint} Choose one of {list(get_args(Method))}.")
    groups = tables.by_columns(by, taken=("period", *_CES))
    asked = _asked(responses, question, _EFFORT, groups, period, as_of)
    given = asked.loaded.table["_given"]
    marks = {"easy": given >= _EASY_FROM[method], "difficult": given <= _DIFFICULT_TO}
    frame = _counted(asked, groups, period, **marks)
    frame["ces"], (frame["low"], frame["high"]), label = _effort(frame, method)
    told = asked.loaded.told(phrase(f"definition.ces.{method}", question=question))
    return _finished(frame, _CES, label, told)


# ---------------------------------------------------------------------------------------------------


def _check_scale(scale: tuple[int, int], top: int) -> None:
    whole = [number for number in scale if isinstance(number, int) and not isinstance(number, bool)]
    if len(scale) != 2 or len(whole) != 2 or not scale[0] < scale[1]:
        raise ParamsError(f"scale {scale!r} is no lowest and highest answer. Type one as scale=(1, 5).")
    answers = scale[1] - scale[0] + 1
    if isinstance(top, bool) or not isinstance(top, int) or not 0 < top < answers:
        raise ParamsError(
            f"top {top!r} is no number of the highest answers of {answers}. Type top=2 for "
            f"{scale[1] - 1} and {scale[1]}."
        )


def _asked(
    responses: Any,
    question: str,
    scale: tuple[int, int],
    by: Sequence[str],
    period: Period | None,
    as_of: Date | None,
) -> _Asked:
    """The answers to a question as `_given`, beside the columns of `by`."""
    needed = [question, *by, *(["responded_at"] if period else [])]
    loaded = tables.responses(responses, as_of=as_of, columns=needed)
    return _Asked(replace(loaded, table=_given(loaded.table, question, scale)), question, scale)


def _given(table: ir.Table, question: str, scale: tuple[int, int]) -> ir.Table:
    """The rows with an answer: a number in `_given`, as it came in `_text`, `_wrong` where out of scale."""
    answer = table[question]
    if answer.type().is_string():
        table = table.mutate(_text=blanks.filled(answer))
        table = table.mutate(_given=table["_text"].try_cast("float64"))
    else:
        table = table.mutate(_text=answer, _given=answer.cast("float64"))
    number = table["_given"]
    fits = (number >= scale[0]) & (number <= scale[1]) & (number == number.floor())
    return table.filter(table["_text"].notnull()).mutate(_wrong=~fits.fill_null(False))


def _refuse(table: ir.Table, question: str, scale: tuple[int, int]) -> None:
    wrong = table.filter(table["_wrong"])
    found = wrong.aggregate(rows=wrong.count(), first=wrong["_text"].min(), last=wrong["_text"].max())
    rows, *ends = found.to_pandas().astype({"rows": object}).iloc[0]
    numbers = pd.to_numeric(pd.Series(ends), errors="coerce")
    shown = [end if pd.isna(n) else f"{n:g}" for end, n in zip(ends, numbers, strict=True)]
    answers, are = ("answer", "is") if rows == 1 else ("answers", "are")
    raise DataError(
        f"{rows:,} {answers} to {question!r} {are} no whole number from {scale[0]} to {scale[1]}, such "
        f"as {', '.join(dict.fromkeys(shown))}. Correct those rows, or leave them out with where=."
    )


def _counted(
    asked: _Asked, by: Sequence[str], period: Period | None, **marks: ir.BooleanValue
) -> pd.DataFrame:
    """By group how many answered, how many fall under each mark, and the answers' mean and spread."""
    loaded, table, keys = asked.loaded, asked.loaded.table, list(by)
    sums = {name: ibis.ifelse(true, 1, 0).sum().fill_null(0) for name, true in marks.items()}
    if period is not None:
        index = periods.index(table.responded_at, period)
        table = table.mutate(period_index=index)
        table = table.filter(index < periods.first_incomplete(loaded, period))
        keys = ["period_index", *by]
    answer = table["_given"]
    sums |= {"answers": table.count(), "_wrong": table["_wrong"].sum().fill_null(0)}
    sums |= {"_mean": answer.mean(), "_sd": answer.std(how="sample")}
    counted = (table.group_by(keys).aggregate(**sums) if keys else table.aggregate(**sums)).to_pandas()
    if counted.pop("_wrong").any():
        _refuse(table, asked.question, asked.scale)
    counted = counted[counted["answers"] > 0]
    if period is not None:
        counted.insert(0, "period", periods.starts(counted.pop("period_index"), period))
        keys[0] = "period"
    counted = counted.sort_values(keys) if keys else counted
    whole = dict.fromkeys([*marks, "answers"], "int64")
    return counted.astype(whole | {"_mean": "float64", "_sd": "float64"}).reset_index(drop=True)


def _effort(frame: pd.DataFrame, method: Method) -> tuple[pd.Series, intervals.Bounds, str]:
    """The score of each row by one method, with its bounds and what they are called."""
    easy, difficult, answers = frame["easy"], frame["difficult"], frame["answers"]
    if method == "mean":
        return frame["_mean"], intervals.mean(frame["_mean"], frame["_sd"], answers), intervals.MEAN
    if method == "net":
        method = score_intervals.named("adjusted_wald")
        bounds = method.bounds(easy, answers - easy - difficult, difficult)
        return 100 * (easy - difficult) / answers, bounds, method.label
    return easy / answers, intervals.wilson(easy, answers), intervals.WILSON


def _finished(frame: pd.DataFrame, result: list[str], interval: str, attrs: dict[str, Any]) -> pd.DataFrame:
    groups = [name for name in frame.columns if name not in (*result, "_mean", "_sd")]
    frame["interval"] = pd.Series(interval, index=frame.index, dtype="str")
    frame = frame[[*groups, *result]]
    frame.attrs = attrs
    return frame
