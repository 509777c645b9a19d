"""Net Promoter Score: who would recommend.

Net Promoter and NPS are registered marks of Bain & Company, NICE Satmetrix and Fred Reichheld.
"""

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_kit import answers, nps_candidates, periods, scales, score_intervals, tables
from retention_kit.answers import Duplicates
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.phrases import words
from retention_kit.scales import Scale
from retention_kit.sentences import phrase
from retention_kit.tables import Columns, Loaded

_BANDS = list(scales.BANDS)
_RESULT = ["nps", "low", "high", *_BANDS, "answers", "interval"]
_WEIGHTS = [f"{sum_of}_{band}" for sum_of in ("weight", "square") for band in _BANDS]


def nps(
    responses: Any,
    *,
    scale: str | Scale = "nps_0_10",
    by: Columns = None,
    period: Period | None = None,
    as_of: Date | None = None,
    interval: str = "adjusted_wald",
    weights: str | None = None,
    duplicates: Duplicates = "all",
) -> pd.DataFrame:
    """Would they recommend us: promoters less detractors, in points from -100 to 100.

    A score of 9 or 10 is a promoter, 7 or 8 passive, less a detractor. Passives count among the
    answers, blanks do not. It speaks for those who answered: who stays silent often thinks otherwise.
    The same wording asked on 1 to 10 is not comparable with 0 to 10, and no other scale with either.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score`; with `responded_at` where `period` is asked for.
    scale : str or Scale
        What was asked: "nps_0_10", "nps_1_10" (the same bands; a score of 0 is an error), or another that
        states its ends and bands: `scales.read`. There too is said that other scores are set aside.
    by : str or list of str, optional
        One row a value of these columns; no value is a group of its own. Groups of fewer than 5 answers
        are hidden. Whoever has the whole can still subtract the other groups from it: where that matters,
        leave the small group out of the whole too.
    period : {"day", "week", "month", "quarter", "year"}, optional
        One row a period of `responded_at`, for periods that lie wholly before `as_of`.
        `nps_comparisons.nps_limits` tells which of them stand out.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.
    interval : {"adjusted_wald", "score", "bootstrap", "wald"}
        How the bounds are drawn; see `score_intervals`. "wald" is for lessons: too narrow for few answers.
    weights : str, optional
        A column of what each answer counts for, above 0. The bounds take the linearised error: they are
        those of so many equal answers as the weighted ones are worth. Counts stay those of answers.
    duplicates : {"all", "latest", "first"}
        Which answer counts of a customer who gave several (with `period`, in one period); those left out are
        counted in `attrs`, and stand in the checks of `answers.select_answers`.

    Returns
    -------
    DataFrame
        [`period`], [by], `nps` (-100 to 100), `low`, `high` (95 %), `promoters`, `passives`,
        `detractors`, `answers`, `interval`; with `weights`, `effective_answers`; with `by`, `caution`: why a
        row is hidden, or that it has fewer than 30 answers. The bounds lean towards 0, the score does
        not. No row where nobody answered.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, a score is outside the scale or not whole, or a weight
        is missing or not above 0.
    ParamsError
        When the scale, the interval or the rule for duplicates is not known, or that interval knows no
        weights.

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
    read, method = scales.read(scale), _method(interval, weights)
    groups = tables.by_columns(by, taken=("period", *_RESULT, "effective_answers", "caution"))
    needed = [*groups, *(["responded_at"] if period else []), *([weights] if weights else [])]
    loaded = answers.select_answers(
        responses, scale=read, duplicates=duplicates, period=period, as_of=as_of, columns=needed
    )
    counted = _counted(loaded, read, groups, period, weights)
    frame = _scored(counted, method)
    if groups:
        frame = _with_cautions(frame)
    weighted = words("definition.weighted", column=weights) if weights else ""
    said = read.phrase("definition.nps", answers=answers.counted_words(loaded), weighted=weighted)
    frame.attrs = loaded.told(said) | ({"period": period} if period else {})
    return frame


def nps_from_counts(
    *,
    promoters: int | Sequence[int],
    passives: int | Sequence[int],
    detractors: int | Sequence[int],
    interval: str = "adjusted_wald",
) -> pd.DataFrame:
    """The score and its bounds where only the counts are known, say from a dashboard.

    Parameters
    ----------
    promoters, passives, detractors : int, or sequences of one length
        How many answered 9 or 10, 7 or 8, less.
    interval : {"adjusted_wald", "score", "bootstrap", "wald"}
        How the bounds are drawn; see `score_intervals`.

    Returns
    -------
    DataFrame
        One row for each position: `nps` (-100 to 100), `low`, `high` (95 %), `promoters`, `passives`,
        `detractors`, `answers`, `interval`.

    Raises
    ------
    DataError
        When a count is negative or not whole, the lengths differ, or a position has no answers.
    ParamsError
        When the interval is not known.

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
    method = score_intervals.named(interval)
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
    frame = _scored(counted, method)
    frame.attrs = {"definition": phrase("definition.nps_from_counts"), "as_of": None}
    return frame


def explain_figure(
    responses: Any, figure: float | str, *, scale: str | Scale = "nps_0_10", as_of: Date | None = None
) -> pd.DataFrame:
    """Somebody's score is not ours: by which bands, out of whom, does it come out?

    A score alone does not say how it was made. Tried are other bands, passives and blanks in the
    denominator or not, promoters alone, the mean score, shares that were rounded first, and each
    customer's latest answer alone; single candidates, not all their mixtures. A match shows how the
    figure may have been made, not that it was: ask for the counts.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score`; with `customer_id` and `responded_at`, the latest answers are tried too.
    figure : float or str
        The score as it was printed: 41, "+41.3". Its digits say how exactly a definition must meet it.
    scale : str or Scale
        What was asked; see `scales.read`.
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
        When the figure is no score, or the scale is not known.

    Examples
    --------
    >>> answers = pd.DataFrame({"score": [10, 9, 9, 8, 7, 3]})
    >>> tried = explain_figure(answers, 50)
    >>> tried.loc[tried["matches"], "definition"].tolist()
    ['9-10 less 0-6 / no passives', '8-10 less 0-6 / answers']
    """
    read = scales.read(scale)
    loaded = answers.select_answers(responses, scale=read, as_of=as_of)
    return nps_candidates.explained(loaded, figure, read)


# ---------------------------------------------------------------------------------------------------


def _method(interval: str, weights: str | None) -> score_intervals.Method:
    method = score_intervals.named(interval)
    if weights is not None and not method.weighted:
        known = [name for name, each in score_intervals.METHODS.items() if each.weighted]
        raise ParamsError(f"interval {interval!r} knows no weights. Choose one of {known}.")
    return method


def _counted(
    loaded: Loaded, scale: Scale, by: tuple[str, ...], period: Period | None, weights: str | None
) -> pd.DataFrame:
    """How many gave an answer of each band, a row a group and period with any; with weights, their sums."""
    table, keys = loaded.table, list(by)
    if period is not None:
        table = table.mutate(period_index=periods.index(table.responded_at, period))
        table = table.filter(table.period_index < periods.first_incomplete(loaded, period))
        keys = ["period_index", *by]
    band = scale.band(table.score)
    one = {"": ibis.literal(1)}
    if weights is not None:
        weight = _checked_weight(table, weights)
        one |= {"weight_": weight, "square_": weight * weight}
    sums = {f"{of}{name}": _sum_where(value, band == name) for of, value in one.items() for name in _BANDS}
    counted = (table.group_by(keys).aggregate(**sums) if keys else table.aggregate(**sums)).to_pandas()
    if period is not None:
        counted.insert(0, "period", periods.starts(counted.pop("period_index"), period))
    counted = counted[counted[_BANDS].sum(axis="columns") > 0]
    return counted.sort_values(["period"] * (period is not None) + list(by), ignore_index=True)


def _sum_where(value: ir.NumericValue, true: ir.BooleanValue) -> ir.NumericValue:
    kind = "int64" if value.type().is_integer() else "float64"
    return ibis.ifelse(true, value, 0).sum().fill_null(0).cast(kind)


def _checked_weight(table: ir.Table, name: str) -> ir.FloatingValue:
    kind = table[name].type()
    if not kind.is_numeric():
        raise DataError(
            f"weights {name!r} holds {kind}, and a number is needed. A column mapped as weight is read as "
            f"one: columns={{'weight': {name!r}}}."
        )
    weight = table[name].cast("float64")
    unusable = weight.isnull() | ~(weight > 0) | weight.isinf() | weight.isnan()
    rows = int(table.filter(unusable).count().execute())
    if rows:
        raise DataError(
            f"weights {name!r}: {rows:,} of {int(table.count().execute()):,} answers have none above 0. "
            "Give each answer its weight, or leave those rows out."
        )
    return weight


def _scored(counted: pd.DataFrame, method: score_intervals.Method) -> pd.DataFrame:
    frame = counted.copy()
    frame["answers"] = frame[_BANDS].sum(axis="columns")
    weighted = set(_WEIGHTS) <= set(frame.columns)
    worth = _worth(frame) if weighted else frame[_BANDS]
    total = worth.sum(axis="columns")
    frame["nps"] = 100 * (worth["promoters"] - worth["detractors"]) / total
    frame["low"], frame["high"] = method.bounds(*(worth[band] for band in _BANDS))
    frame["interval"] = pd.Series(method.label, index=frame.index, dtype="str")
    keys = counted.columns.drop([*_BANDS, *(_WEIGHTS if weighted else [])])
    if weighted:
        frame["effective_answers"] = total
    return frame[[*keys, *_RESULT, *(["effective_answers"] if weighted else [])]]


def _worth(sums: pd.DataFrame) -> pd.DataFrame:
    """How many equal answers of each band the weighted ones are worth, by the score's linearised error.

    Equal answers have the error sqrt(variance / answers); so many have the error that these have. Where
    all are alike there is no error to go by, and Kish's (sum of weights)² / sum of squares is taken.
    """
    weight = sums[_WEIGHTS[:3]].to_numpy(dtype="float64")
    square = sums[_WEIGHTS[3:]].to_numpy(dtype="float64")
    total = weight.sum(axis=1, keepdims=True)
    shares, value = weight / total, np.array([1.0, 0.0, -1.0])
    score = shares @ value
    away = (value - score[:, None]) ** 2
    variance, error = (shares * away).sum(axis=1), (square * away).sum(axis=1) / total[:, 0] ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        answers_worth = np.where(error > 0, variance / error, total[:, 0] ** 2 / square.sum(axis=1))
    return pd.DataFrame(shares * answers_worth[:, None], columns=_BANDS, index=sums.index)


def _with_cautions(frame: pd.DataFrame) -> pd.DataFrame:
    """Small groups without anything that could tell who answered what, the next ones with a word."""
    frame = frame.astype(dict.fromkeys(_BANDS, "Int64"))
    frame["caution"] = answers.cautions(frame["answers"])
    shown = [
        name for name in ("nps", "low", "high", *_BANDS, "interval", "effective_answers") if name in frame
    ]
    frame.loc[frame["caution"] == answers.HIDDEN, shown] = pd.NA
    return frame
