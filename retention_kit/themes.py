"""What comments are about, by a codeframe: how often each theme comes up, and how those with it score."""

from typing import Any

import numpy as np
import pandas as pd

from retention_kit import (
    answers,
    codeframes,
    comments,
    intervals,
    masks,
    nps,
    nps_comparisons,
    scales,
    tables,
)
from retention_kit.codeframes import UNCODED, Codeframe
from retention_kit.moments import Date
from retention_kit.scales import Scale
from retention_kit.sentences import phrase
from retention_kit.tables import Columns

#: What a row's column `interval` says: of the share, of the scores, of their difference.
INTERVAL = f"{intervals.WILSON}; NPS adjusted Wald 95 %"

_LEVEL = 0.05
_SHORT = 20  # signs of a quote that says more than its theme
_BANDS = list(scales.BANDS)
_COUNTS = ("comments", "all_comments", *_BANDS)
_SCORES = (
    *("nps", "nps_low", "nps_high", "nps_without", "difference", "difference_low", "difference_high"),
    "p_holm",
)
_RESULT = (
    *("theme", "comments", "all_comments", "comment_share", "low", "high", *_SCORES, "verdict"),
    *(*_BANDS, "interval", "caution"),
)


def themes(
    responses: Any,
    codeframe: Codeframe | None = None,
    *,
    scale: str | Scale = "nps_0_10",
    by: Columns = None,
    quotes: bool = False,
    as_of: Date | None = None,
) -> pd.DataFrame:
    """What do they write about, and is the score lower where they write about it?

    A comment may have several themes, so shares add up to more than 1. What no pattern finds is the row
    "uncoded": read some of it before the rest is believed. A theme goes with a low score; that mending it
    would raise the score is not said. And who writes is not like who is silent.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score` and `comment`.
    codeframe : Codeframe, optional
        From `codeframes.read`; the English starter, where none is given.
    scale : str or Scale
        What was asked; see `scales.read`.
    by : str or list of str, optional
        Themes of each group by itself.
    quotes : bool
        With `example`: a part of a comment, masked, of a detractor where there is one. It is still somebody's
        own words.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.

    Returns
    -------
    DataFrame
        [by], `theme` (its title, or "uncoded"), `comments` (with the theme), `all_comments`,
        `comment_share` (0 to 1), `low`, `high` (95 %), `nps`, `nps_low`, `nps_high` (of those with it),
        `nps_without` (of the other comments), `difference` (with less without), `difference_low`,
        `difference_high` (95 %), `p_holm` (allows for the number of themes), `verdict` ("higher", "lower"
        or "cannot be told"), `promoters`, `passives`, `detractors`, `interval`, `caution`; with `quotes`,
        `example`. The commonest first, the uncoded last. No scores for a theme of fewer than 5 comments.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or a score is outside the scale.

    Notes
    -----
    No topics are found by a model: what such models find does not match what people read in the same
    comments. A codeframe is right where you have read and mended it.

    Examples
    --------
    >>> written = ["Late parcel", "Late again", "Never on time", "The courier was late", "Too late"]
    >>> said = pd.DataFrame({"score": [2, 3, 9, 1, 6], "comment": written})
    >>> found = themes(pd.concat([said, pd.DataFrame({"score": [10] * 5, "comment": ["Love it"] * 5})]))
    >>> print(found.loc[[0, 12], ["theme", "comments", "nps", "nps_without"]].to_string(index=False))
       theme  comments   nps  nps_without
    Delivery         5 -60.0        100.0
     uncoded         5 100.0        -60.0
    """
    frame_of_codes = codeframe or codeframes.read()
    groups = tables.by_columns(by, taken=(*_RESULT, "example", "band", "comment"))
    read = comments.read(responses, scale=scale, by=groups, as_of=as_of)
    coded = frame_of_codes.coded(read.rows["comment"])
    coded = np.column_stack([coded, ~coded.any(axis=1)])
    titles = [*(theme.title for theme in frame_of_codes.themes), UNCODED]
    parts = []
    for keys, rows in read.rows.groupby(list(groups), dropna=False) if groups else [((), read.rows)]:
        part = _of_group(rows, coded[rows.index], titles, quotes)
        parts.append(part.assign(**dict(zip(groups, keys, strict=True))))
    frame = pd.concat(parts, ignore_index=True) if parts else _of_group(read.rows, coded, titles, quotes)
    frame["_last"], frame["_often"] = frame["theme"] == UNCODED, -frame["comments"]
    frame = frame.sort_values([*groups, "_last", "_often", "theme"], ignore_index=True)
    frame = frame[[*groups, *_RESULT, *(["example"] if quotes else [])]]
    said = phrase("definition.themes", by=tables.by_words("within", groups))
    frame.attrs = read.loaded.told(said) | {"comments": read.counted, "codeframe": frame_of_codes.name}
    return frame


# ---------------------------------------------------------------------------------------------------


def _of_group(rows: pd.DataFrame, coded: np.ndarray, titles: list[str], quotes: bool) -> pd.DataFrame:
    bands = (rows["band"].to_numpy()[:, None] == np.array(_BANDS)).astype("int64")
    inside = coded.T.astype("int64") @ bands
    frame = pd.DataFrame(inside, columns=_BANDS)
    frame.insert(0, "theme", pd.Series(titles, dtype="str"))
    frame["comments"], frame["all_comments"] = inside.sum(axis=1), len(rows)
    frame["comment_share"] = frame["comments"] / max(len(rows), 1)
    frame["low"], frame["high"] = intervals.wilson(frame["comments"], frame["all_comments"])
    frame["interval"], few = INTERVAL, answers.cautions(frame["comments"])
    frame["caution"] = few.where(frame["comments"] > 0, "")  # nobody is hidden among none
    frame = _with_scores(frame, bands.sum(axis=0) - inside)
    if quotes:
        told = [_example(rows[has]) for has in coded.T]
        frame["example"] = pd.Series(told, dtype="str").mask(frame["caution"] == answers.HIDDEN, "")
    return frame.astype({"interval": "str"})


def _with_scores(frame: pd.DataFrame, outside: np.ndarray) -> pd.DataFrame:
    """The scores of comments with and without each theme, where both are enough to be shown."""
    frame = frame.assign(**dict.fromkeys(_SCORES, np.nan), verdict="cannot be told")
    shown = frame.index[frame["comments"] >= answers.HIDDEN_UNDER]
    if len(shown):
        with_it = _scored(frame.loc[shown, _BANDS].to_numpy())
        frame.loc[shown, ["nps", "nps_low", "nps_high"]] = with_it[["nps", "low", "high"]].to_numpy()
    both = [i for i in shown if outside[i].sum() >= answers.HIDDEN_UNDER]
    if both:
        pair = _scored(frame.loc[both, _BANDS].to_numpy()), _scored(outside[both])
        found = [nps_comparisons.nps_compare(*(each.iloc[[i]] for each in pair)) for i in range(len(both))]
        apart = pd.concat(found, ignore_index=True)
        p_holm = intervals.holm(apart["p_value"])
        frame.loc[both, "nps_without"] = pair[1]["nps"].to_numpy()
        told = {"difference": "difference", "low": "difference_low", "high": "difference_high"}
        frame.loc[both, list(told.values())] = apart[list(told)].to_numpy()
        frame.loc[both, "p_holm"] = p_holm
        verdict = np.where(apart["difference"] > 0, "higher", "lower")
        frame.loc[both, "verdict"] = np.where(p_holm < _LEVEL, verdict, "cannot be told")
    hidden = frame["caution"] == answers.HIDDEN
    frame = frame.astype(dict.fromkeys(_BANDS, "Int64"))
    frame.loc[hidden, _BANDS] = pd.NA
    return frame.astype({"verdict": "str"})


def _scored(counts: np.ndarray) -> pd.DataFrame:
    return nps.nps_from_counts(**dict(zip(_BANDS, counts.T, strict=True)))


def _example(rows: pd.DataFrame) -> str:
    """A short comment, of a detractor where there is one, the same whichever way the rows came."""
    order = {band: place for place, band in enumerate(reversed(_BANDS))}
    ranked = sorted(
        zip(rows["band"].map(order), rows["comment"], strict=True),
        key=lambda each: (each[0], len(each[1]) < _SHORT, len(each[1]), each[1]),
    )
    return masks.quote(ranked[0][1]) if ranked else ""
