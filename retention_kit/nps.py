"""Net Promoter Score: who would recommend.

Net Promoter and NPS are registered marks of Bain & Company, NICE Satmetrix and Fred Reichheld.
"""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import ibis
import numpy as np
import pandas as pd

from retention_kit import intervals, nps_candidates, periods, tables
from retention_kit.exceptions import DataError, ParamsError, did_you_mean
from retention_kit.moments import Date
from retention_kit.periods import Period
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded

Scale = Literal["nps_0_10", "nps_1_10"]
_LOWEST = {"nps_0_10": 0, "nps_1_10": 1}
_BANDS = ["promoters", "passives", "detractors"]
_RESULT = ["nps", "low", "high", *_BANDS, "answers", "interval"]


def nps(
    responses: Any,
    *,
    scale: Scale = "nps_0_10",
    by: Columns = None,
    period: Period | None = None,
    as_of: Date | None = None,
) -> pd.DataFrame:
    """Would they recommend us: promoters less detractors, in points from -100 to 100.

    A score of 9 or 10 is a promoter, 7 or 8 passive, less a detractor. Passives count among the
    answers, blanks do not. It speaks for those who answered: who stays silent often thinks otherwise.
    The same wording asked on 1 to 10 is not comparable with 0 to 10.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score`; with `responded_at` where `period` is asked for.
    scale : {"nps_0_10", "nps_1_10"}
        What was asked. The bands are the same; on "nps_1_10" a score of 0 is an error.
    by : str or list of str, optional
        One row a value of these columns; no value is a group of its own.
    period : {"day", "week", "month", "quarter", "year"}, optional
        One row a period of `responded_at`, for periods that lie wholly before `as_of`.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.

    Returns
    -------
    DataFrame
        [`period`], [by], `nps` (-100 to 100), `low`, `high` (95 %), `promoters`, `passives`,
        `detractors`, `answers`, `interval`. The bounds lean towards 0, the score does not. No row
        where nobody answered.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or a score is outside the scale or not whole.
    ParamsError
        When the scale is not known.

    References
    ----------
    Reichheld (2003), The one number you need to grow; bounds by Rocks (2016).

    Examples
    --------
    >>> answers = pd.DataFrame({"score": [10, 9, 9, 8, 7, 3, None]})
    >>> print(nps(answers).drop(columns="interval").round(1).to_string(index=False))
     nps   low  high  promoters  passives  detractors  answers
    33.3 -26.7  71.2          3         2           1        6
    """
    if scale not in _LOWEST:
        raise ParamsError(
            f"scale {scale!r} is not known.{did_you_mean(str(scale), _LOWEST)} "
            f"Choose one of {list(get_args(Scale))}."
        )
    groups = tables.by_columns(by, taken=("period", "nps", "promoters", "passives", "detractors", "answers"))
    needed = groups if period is None else ("responded_at", *groups)
    loaded = tables.responses(responses, as_of=as_of, columns=needed)
    _check_scores(loaded, scale)
    counted = _counted(loaded, groups, period)
    frame = _scored(counted).sort_values(list(counted.columns.drop(_BANDS)), ignore_index=True)
    frame.attrs = loaded.told(phrase("definition.nps", lowest=_LOWEST[scale]))
    return frame


def nps_from_counts(
    *, promoters: int | Sequence[int], passives: int | Sequence[int], detractors: int | Sequence[int]
) -> pd.DataFrame:
    """The score and its bounds where only the counts are known, say from a dashboard.

    Parameters
    ----------
    promoters, passives, detractors : int, or sequences of one length
        How many answered 9 or 10, 7 or 8, less.

    Returns
    -------
    DataFrame
        One row for each position: `nps` (-100 to 100), `low`, `high` (95 %), `promoters`, `passives`,
        `detractors`, `answers`, `interval`.

    Raises
    ------
    DataError
        When a count is negative or not whole, the lengths differ, or a position has no answers.

    References
    ----------
    Rocks (2016), Interval estimation for the "Net Promoter Score".

    Examples
    --------
    >>> score = nps_from_counts(promoters=70, passives=10, detractors=20)
    >>> print(score[["nps", "low", "high"]].round(1).to_string(index=False))
     nps  low  high
    50.0 32.9  64.1
    """
    given = dict(zip(_BANDS, (promoters, passives, detractors), strict=True))
    columns = {name: np.atleast_1d(np.asarray(counts)) for name, counts in given.items()}
    lengths = {name: len(counts) for name, counts in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"The counts differ in length: {lengths}. Give one count of each for every row.")
    for name, counts in columns.items():
        numbers = pd.to_numeric(pd.Series(counts), errors="coerce")
        wrong = counts[~((numbers >= 0) & (numbers % 1 == 0)).to_numpy()]
        if len(wrong):
            raise DataError(f"{name} must be whole numbers from 0 up, and it has {wrong.tolist()[:3]}.")
    counted = pd.DataFrame(columns).astype("int64")
    empty = counted.index[counted.sum(axis="columns") == 0]
    if len(empty):
        raise DataError(f"Row {empty[0]} has no answers, and nobody's score is no number. Leave it out.")
    frame = _scored(counted)
    frame.attrs = {"definition": phrase("definition.nps_from_counts"), "as_of": None}
    return frame


def explain_figure(responses: Any, figure: float | str, *, as_of: Date | None = None) -> pd.DataFrame:
    """Somebody's score is not ours: by which bands, out of whom, does it come out?

    A score alone does not say how it was made. Tried are other bands, passives and blanks in the
    denominator or not, promoters alone, the mean score, shares that were rounded first, and each
    customer's latest answer alone; single candidates, not all their mixtures. A match shows how the
    figure may have been made, not that it was: ask for the counts.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score` from 0 (or 1) to 10; with `customer_id` and `responded_at`, the latest answers
        are tried too.
    figure : float or str
        The score as it was printed: 41, "+41.3". Its digits say how exactly a definition must meet it.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.

    Returns
    -------
    DataFrame
        One row a definition tried, those that match first: `definition`, `group`, `numerator`,
        `denominator`, `value` (-100 to 100), `matches` (rounded to the figure's digits it is the figure),
        `ours`, `also` (other definitions by the same counts). `attrs["sentence"]` says it in English,
        `explanations.sentence` in a report's language.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or a score is outside the scale or not whole.
    ParamsError
        When the figure is no score.

    Examples
    --------
    >>> answers = pd.DataFrame({"score": [10, 9, 9, 8, 7, 3]})
    >>> tried = explain_figure(answers, 50)
    >>> tried.loc[tried["matches"], "definition"].tolist()
    ['9-10 less 0-6 / no passives', '8-10 less 0-6 / answers']
    """
    loaded = tables.responses(responses, as_of=as_of)
    _check_scores(loaded, "nps_0_10")
    return nps_candidates.explained(loaded, figure)


# ---------------------------------------------------------------------------------------------------


def _check_scores(loaded: Loaded, scale: Scale) -> None:
    """Refuse a score that the scale does not have: it would be counted as something it is not."""
    score, lowest = loaded.table.score, _LOWEST[scale]
    wrong = loaded.table.filter((score < lowest) | (score > 10) | (score != score.floor()))
    found = wrong.group_by("score").aggregate(rows=wrong.count()).order_by("score").to_pandas()
    if found.empty:
        return
    rows, examples = int(found["rows"].sum()), ", ".join(f"{value:g}" for value in found["score"].head(3))
    asked_from_0 = scale == "nps_1_10" and (found["score"] == 0).any()
    hint = " If 0 could be given, type scale='nps_0_10'." if asked_from_0 else ""
    given, are = int(loaded.checks["rows"].iloc[-1]), "is" if rows == 1 else "are"
    raise DataError(
        f"{rows:,} of {given:,} scores {are} no whole number from {lowest} to 10, such as "
        f"{examples}.{hint} Correct those rows or leave them out."
    )


def _counted(loaded: Loaded, by: tuple[str, ...], period: Period | None) -> pd.DataFrame:
    table = loaded.table
    keys = list(by)
    if period is not None:
        table = table.mutate(period_index=periods.index(table.responded_at, period))
        table = table.filter(table.period_index < periods.first_incomplete(loaded, period))
        keys = ["period_index", *by]
    is_promoter, is_detractor = table.score >= 9, table.score <= 6
    bands = {"promoters": is_promoter, "passives": ~is_promoter & ~is_detractor, "detractors": is_detractor}
    sums = {name: ibis.ifelse(true, 1, 0).sum().fill_null(0).cast("int64") for name, true in bands.items()}
    counted = (table.group_by(keys).aggregate(**sums) if keys else table.aggregate(**sums)).to_pandas()
    if period is not None:
        counted.insert(0, "period", periods.starts(counted.pop("period_index"), period))
    return counted[counted[_BANDS].sum(axis="columns") > 0]


def _scored(counted: pd.DataFrame) -> pd.DataFrame:
    frame = counted.copy()
    frame["answers"] = frame[_BANDS].sum(axis="columns")
    frame["nps"] = 100 * (frame["promoters"] - frame["detractors"]) / frame["answers"]
    frame["low"], frame["high"] = intervals.adjusted_wald(*(frame[band] for band in _BANDS))
    frame["interval"] = pd.Series(intervals.ADJUSTED_WALD, index=frame.index, dtype="str")
    return frame[[*counted.columns.drop(_BANDS), *_RESULT]]
