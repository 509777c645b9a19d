"""Net Promoter Scores beside each other: two groups, many groups, the same people twice, wave after wave."""

from typing import Any

import ibis
import numpy as np
import pandas as pd
from scipy import special

from retention_kit import answers, intervals, lengths, moments, periods, scales, score_intervals, tables
from retention_kit.exceptions import DataError
from retention_kit.lengths import Period
from retention_kit.moments import Date
from retention_kit.scales import Scale
from retention_kit.sentences import phrase

#: What a difference's column `interval` says.
DIFFERENCE = "adjusted Wald, difference 95 %"

_LEVEL = 0.05
_LIMITS = 3  # standard errors: of waves that differ by chance alone, three in a thousand lie beyond
_BANDS = list(scales.BANDS)
_MEASURED = {"nps", "low", "high", *_BANDS, "answers", "interval", "caution"}


def nps_compare(a: Any, b: Any) -> pd.DataFrame:
    """Do two separate groups differ in whether they would recommend us: a less b, in points?

    Different people answered in each. Where the same people answered twice, their own change tells
    more: `nps_compare_paired`. Groups that differ in more than one thing differ for more than one reason.

    Parameters
    ----------
    a, b : DataFrame or Series
        One row each of a result of `nps.nps` or `nps.nps_from_counts`; `b` is the one to compare with.

    Returns
    -------
    DataFrame
        One row: `a`, `b` (scores), `a_answers`, `b_answers`, `difference` (a - b, -200 to 200), `low`,
        `high` (95 %), `interval`, `p_value`, `smallest_detectable` (the true difference that so many answers
        would show in four samples of five), `verdict` ("a is higher", "b is higher" or "cannot be told").

    Raises
    ------
    DataError
        When one is not one row, has no counts, or is weighted; or the two were defined otherwise.

    Notes
    -----
    To each group are added ¾ promoter, 1½ passive and ¾ detractor, as for a single score; the bounds are
    the difference of what that gives, plus and minus 1.96 errors.

    Examples
    --------
    >>> from retention_kit import nps
    >>> new, old = (nps.nps_from_counts(promoters=p, passives=100, detractors=300 - p) for p in (190, 160))
    >>> print(nps_compare(new, old)[["difference", "low", "high", "verdict"]].round(1).to_string(index=False))
     difference  low  high     verdict
           15.0  3.1  26.7 a is higher
    """
    rows = {name: _row(name, given) for name, given in (("a", a), ("b", b))}
    defined = [given.attrs.get("definition") for given in (a, b)]
    if None not in defined and defined[0] != defined[1]:
        raise DataError(
            f"a and b are defined differently. a: {defined[0]} b: {defined[1]} "
            "Make both with the same options."
        )
    found = _difference(rows["a"], rows["b"])
    names = {"nps": "a", "others": "b", "answers": "a_answers", "others_answers": "b_answers"}
    found = found.rename(columns=names)
    found["verdict"] = _verdicts(found, "p_value", "a is higher", "b is higher")
    found.attrs = {"definition": _defined("nps_compare", a), "as_of": a.attrs.get("as_of")}
    return found


def nps_compare_groups(scores: pd.DataFrame) -> pd.DataFrame:
    """Which groups stand out: each against all the others together?

    The more groups are looked at, the likelier one of them stands out by chance. So the verdict goes by
    `p_holm`, which allows for their number; `low` and `high` are those of each difference by itself. Groups
    too small to be shown are left out, of the others too.

    Parameters
    ----------
    scores : DataFrame
        A result of `nps.nps` with `by`; with `period` too, groups are compared inside each period.

    Returns
    -------
    DataFrame
        [`period`], the columns of `by`, `nps`, `others` (their score), `answers`, `others_answers`,
        `difference` (-200 to 200), `low`, `high` (95 %), `interval`, `p_value`, `smallest_detectable`,
        `p_holm`, `verdict` ("higher", "lower" or "cannot be told"). No row where there are no others.

    Raises
    ------
    DataError
        When the frame has no groups or no counts, or is weighted.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure.

    Examples
    --------
    >>> from retention_kit import nps
    >>> scores = nps.nps_from_counts(promoters=[60, 50, 20], passives=[30, 30, 30], detractors=[10, 20, 50])
    >>> scores.insert(0, "plan", ["family", "plus", "basic"])
    >>> found = nps_compare_groups(scores)
    >>> print(found[["plan", "difference", "p_holm", "verdict"]].round(3).to_string(index=False))
      plan  difference  p_holm verdict
    family        50.0   0.000  higher
      plus        20.0   0.046  higher
     basic       -70.0   0.000   lower
    """
    labels = _labels(scores, "scores")
    if not labels or labels == ["period"]:
        raise DataError(
            "scores has no groups to compare. Make it with by=, such as nps.nps(responses, by='plan')."
        )
    shown = scores.dropna(subset=["nps"]).astype(dict.fromkeys(_BANDS, "int64"))
    counts = shown[_BANDS]
    families = shown["period"] if "period" in labels else pd.Series(0, index=shown.index)
    others = counts.groupby(families).transform("sum") - counts
    alone = others.sum(axis="columns") == 0
    shown, families = shown[~alone], families[~alone].to_numpy()
    found = _difference(counts[~alone].to_numpy(), others[~alone].to_numpy())
    found["p_holm"] = found["p_value"].groupby(families).transform(intervals.holm)
    found["verdict"] = _verdicts(found, "p_holm", "higher", "lower")
    frame = pd.concat([shown[labels].reset_index(drop=True), found], axis="columns")
    frame.attrs = {"definition": _defined("nps_compare_groups", scores), "as_of": scores.attrs.get("as_of")}
    return frame


def nps_compare_paired(
    responses: Any,
    *,
    earlier: Date,
    later: Date,
    period: Period = "quarter",
    scale: str | Scale = "nps_0_10",
    as_of: Date | None = None,
) -> pd.DataFrame:
    """Did those who answered in two waves change their minds: each person's later band less the earlier one?

    Who answers both times is known to us and steady, so the change of all customers may be another. But
    people differ more from each other than from themselves, so of as many answers the bounds are narrower.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score`, `customer_id` and `responded_at`; of several in one wave the latest counts.
    earlier, later : date or str
        Any day of each wave.
    period : {"day", "week", "month", "quarter", "year"}
        How long a wave lasts.
    scale : str or Scale
        What was asked; see `scales.read`.
    as_of : date or str
        The first moment not observed.

    Returns
    -------
    DataFrame
        One row: `earlier`, `later` (the waves' first moments), `people` (who answered in both),
        `earlier_nps`, `later_nps` (theirs), `difference` (-200 to 200), `low`, `high` (95 %), `interval`,
        `p_value`, `better`, `worse`, `same` (people whose band rose, fell or stayed), `verdict` ("higher",
        "lower" or "cannot be told"). No row where nobody answered twice.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, a wave is not over, or the later one does not come later.
    ParamsError
        When the scale is not known.

    Examples
    --------
    >>> from retention_kit import datasets
    >>> found = nps_compare_paired(datasets.tiny_responses(), earlier="2024-01-01", later="2024-04-01",
    ...                            period="month", as_of="2024-05-01")
    >>> print(found[["people", "difference", "better", "worse", "verdict"]].to_string(index=False))
     people  difference  better  worse        verdict
          3         0.0       1      1 cannot be told
    """
    read = scales.read(scale)
    loaded = answers.select_answers(responses, scale=read, duplicates="latest", period=period, as_of=as_of)
    waves = [_wave(loaded, *given, period) for given in (("earlier", earlier), ("later", later))]
    if waves[0] >= waves[1]:
        raise DataError(
            f"later {later!r} is not in a {lengths.unit(period)} after that of earlier {earlier!r}."
        )
    counts = _pairs(loaded, read, waves, period)
    starts = [periods.start_of(wave, period) for wave in waves]
    frame = _paired(counts, starts)
    frame = frame[frame["people"] > 0]
    score = read.phrase("definition.nps", answers=answers.counted_words(loaded), weighted="")
    said = phrase("definition.nps_compare_paired", unit=lengths.unit(period), score=score)
    frame.attrs = loaded.told(said)
    return frame


def nps_limits(waves: pd.DataFrame) -> pd.DataFrame:
    """Which waves stand out, and which only wobble: each beside what chance would do to it.

    Were nothing to change from wave to wave, the scores would still move, the more the fewer answer. The
    limits are three errors around the score of all answers together, for as many as answered in each.
    Inside them a movement is no news. A slow drift stays inside for long: compare its ends.

    Parameters
    ----------
    waves : DataFrame
        A result of `nps.nps` with `period`; with `by` too, each group is held against its own score.

    Returns
    -------
    DataFrame
        `waves` with `pooled` (the score of all waves together), `limit_low`, `limit_high` (-100 to 100) and
        `signal`: "above", "below" or "" for inside.

    Raises
    ------
    DataError
        When the frame has no periods or no counts, or is weighted.

    References
    ----------
    Shewhart (1931), Economic Control of Quality of Manufactured Product.

    Examples
    --------
    >>> from retention_kit import nps
    >>> waves = nps.nps_from_counts(promoters=[50, 52, 80], passives=[30, 28, 10], detractors=[20, 20, 10])
    >>> waves.insert(0, "period", pd.date_range("2024-01-01", periods=3, freq="QS"))
    >>> held = nps_limits(waves)
    >>> print(held[["nps", "pooled", "limit_low", "limit_high"]].round(1).to_string(index=False))
     nps  pooled  limit_low  limit_high
    30.0    44.0       21.2        66.8
    32.0    44.0       21.2        66.8
    70.0    44.0       21.2        66.8
    >>> held["signal"].tolist()
    ['', '', 'above']
    """
    labels = _labels(waves, "waves")
    if "period" not in labels:
        raise DataError(
            "waves has no periods. Make it with period=, such as nps.nps(responses, period='quarter')."
        )
    groups = [name for name in labels if name != "period"]
    counts = waves[_BANDS].astype("Float64").astype("float64")
    same = [waves[name] for name in groups] or [pd.Series(0, index=waves.index)]
    together = counts.groupby(same, dropna=False).transform("sum")
    pooled, error = score_intervals.moments(*(together[band] for band in _BANDS))
    reach = _LIMITS * error * np.sqrt(together.sum(axis="columns") / waves["answers"])
    frame = waves.assign(
        pooled=100 * pooled,
        limit_low=100 * np.maximum(pooled - reach, -1),
        limit_high=100 * np.minimum(pooled + reach, 1),
    )
    beyond = np.select(
        [frame["nps"] > frame["limit_high"], frame["nps"] < frame["limit_low"]], ["above", "below"], ""
    )
    frame["signal"] = pd.Series(beyond, index=frame.index, dtype="str")
    frame.attrs = waves.attrs | {"definition": _defined("nps_limits", waves)}
    return frame


# ---------------------------------------------------------------------------------------------------


def _labels(scores: pd.DataFrame, name: str) -> list[str]:
    """The columns that say what a row is a row of; refuse a frame whose counts are not those of its score."""
    missing = [column for column in ("nps", *_BANDS, "answers") if column not in scores.columns]
    if missing:
        raise DataError(
            f"{name} is missing {missing}. It has {list(scores.columns)}. Make it with nps.nps or "
            "nps.nps_from_counts."
        )
    if "effective_answers" in scores.columns:
        raise DataError(
            f"{name} is weighted, so its counts are not those of its score. Take the bounds of each instead: "
            "intervals.difference_of_bounds."
        )
    return [column for column in scores.columns if column not in _MEASURED]


def _defined(key: str, scores: Any) -> str:
    """What was compared, and how each score came to be: its scale, and which answers."""
    score = scores.attrs.get("definition") or phrase("definition.nps_from_counts")
    return phrase(f"definition.{key}", score=score)


def _row(name: str, given: Any) -> np.ndarray:
    """The counts of one row, by band."""
    frame = given.to_frame().T if isinstance(given, pd.Series) else given
    if not isinstance(frame, pd.DataFrame) or len(frame) != 1:
        held = f"{len(frame)} rows" if isinstance(frame, pd.DataFrame) else f"a {type(given).__name__}"
        raise DataError(f"{name} is {held}, and one row is compared. Choose it, such as scores.iloc[[0]].")
    _labels(frame, name)
    if frame["nps"].isna().any():
        raise DataError(f"{name} is hidden: it has too few answers to be shown, and so to be compared.")
    return frame[_BANDS].to_numpy(dtype="int64")


def _difference(ours: np.ndarray, others: np.ndarray) -> pd.DataFrame:
    """Rows of counts less rows of counts: the difference, its bounds, and how likely chance makes one so."""
    scores = [100 * (counts[:, 0] - counts[:, 2]) / counts.sum(axis=1) for counts in (ours, others)]
    added = [score_intervals.moments(*(counts + score_intervals.ADDED).T) for counts in (ours, others)]
    centre, error = added[0][0] - added[1][0], np.hypot(added[0][1], added[1][1])
    gap, half = scores[0] - scores[1], 100 * special.ndtri(1 - _LEVEL / 2) * error
    return pd.DataFrame(
        {
            "nps": scores[0],
            "others": scores[1],
            "answers": ours.sum(axis=1),
            "others_answers": others.sum(axis=1),
            "difference": gap,
            "low": np.minimum(np.maximum(100 * centre - half, -200), gap),
            "high": np.maximum(np.minimum(100 * centre + half, 200), gap),
            "interval": pd.Series(DIFFERENCE, index=range(len(gap)), dtype="str"),
            "p_value": 2 * special.ndtr(-np.abs(centre) / error),
            "smallest_detectable": _detectable(ours, others),
        }
    )


def _detectable(ours: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What 80 % of samples of these sizes would show, were both groups as varied as they are together."""
    both = ours + others
    _, error = score_intervals.moments(*both.T)
    spread = error * np.sqrt(both.sum(axis=1))
    sizes = np.sqrt(1 / ours.sum(axis=1) + 1 / others.sum(axis=1))
    found = 100 * score_intervals.REACH_OF_POWER * spread * sizes
    return np.where((found > 0) & (found <= 200), found, np.nan)


def _verdicts(found: pd.DataFrame, p_value: str, higher: str, lower: str) -> pd.Series:
    told = found[p_value] < _LEVEL
    verdict = np.select(
        [told & (found["low"] > 0), told & (found["high"] < 0)], [higher, lower], "cannot be told"
    )
    return pd.Series(verdict, index=found.index, dtype="str")


def _wave(loaded: tables.Loaded, name: str, moment: Date, period: Period) -> int:
    """The number of the period of a day, which has to be over."""
    wave = periods.index_of(moments.given(name, moment), period)
    if wave >= periods.first_incomplete(loaded, period):
        unit, end = lengths.unit(period), moments.words(loaded.observed_until)
        raise DataError(
            f"The {unit} of {moment!r} is not over: answers are known before {end}. Choose an earlier one."
        )
    return wave


def _pairs(loaded: tables.Loaded, scale: Scale, waves: list[int], period: Period) -> pd.DataFrame:
    """How many moved from each band to each: `before` and `after` (1, 0 or -1), `people`."""
    table = loaded.table.filter(loaded.table.customer_id.notnull())
    band = scale.band(table.score)
    value = ibis.cases((band == "promoters", 1), (band == "detractors", -1), else_=0)
    valued = table.select("customer_id", wave=periods.index(table.responded_at, period), value=value)
    before, after = (valued.filter(valued.wave == wave) for wave in waves)
    both = before.select("customer_id", before=before.value).join(
        after.select("customer_id", after=after.value), "customer_id"
    )
    counted = both.group_by(["before", "after"]).aggregate(people=both.count()).order_by(["before", "after"])
    return counted.to_pandas().astype("int64")


def _paired(pairs: pd.DataFrame, starts: list[pd.Timestamp]) -> pd.DataFrame:
    """One row of the changes of all who answered twice: their mean, its bounds by Student's t."""
    weights, change = pairs["people"], pairs["after"] - pairs["before"]
    people = int(weights.sum())
    before, after, mean = (
        float((weights * each).sum()) / max(people, 1) for each in (pairs["before"], pairs["after"], change)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt((weights * (change - mean) ** 2).sum() / np.float64(people - 1))
        t = mean / (sd / np.sqrt(np.float64(people)))
    low, high = intervals.mean(100 * mean, 100 * sd, people)
    found = pd.DataFrame(
        {
            "earlier": [starts[0]],
            "later": [starts[1]],
            "people": [people],
            "earlier_nps": [100 * before],
            "later_nps": [100 * after],
            "difference": [100 * mean],
            "low": [np.maximum(low, -200)],
            "high": [np.minimum(high, 200)],
            "interval": pd.Series([intervals.MEAN], dtype="str"),
            "p_value": [2 * special.stdtr(people - 1, -abs(t)) if np.isfinite(t) else np.nan],
            "better": [int(weights[change > 0].sum())],
            "worse": [int(weights[change < 0].sum())],
            "same": [int(weights[change == 0].sum())],
        }
    )
    found["verdict"] = _verdicts(found, "p_value", "higher", "lower")
    return found.astype({"earlier": "datetime64[us]", "later": "datetime64[us]"})
