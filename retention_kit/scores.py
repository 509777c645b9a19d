"""Scores as people keep and edit them: the cut points between them, and the map from scores to segments."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from retention_kit.exceptions import ParamsError
from retention_kit.sentences import phrase

#: A segment's name to the cells it covers: a pattern such as "5[4-5]", or a list of them.
Segments = Mapping[str, str | Sequence[str]]

#: The measure of which few are best: its highest score holds the smallest values.
FEW_ARE_BEST = "days_since_last_order"

_COLUMNS = ["measure", "score", "above", "up_to"]
_RANGE = re.compile(r"\[\d-\d\]|\d")


def read_cuts(cuts: Any, needed: Sequence[str]) -> pd.DataFrame:
    """Cut points that were kept, perhaps edited: `measure`, `score`, `above`, `up_to`, read and checked.

    Raises
    ------
    ParamsError
        When they are not such a frame, lack a measure, or leave a value without a score.
    """
    if not isinstance(cuts, (pd.DataFrame, list)):
        raise _refused(f"cuts is a {type(cuts).__name__}")
    frame = pd.DataFrame(cuts)
    missing = [column for column in _COLUMNS if column not in frame.columns]
    if missing:
        raise _refused(f"cuts is missing {missing}. It has {list(frame.columns)}")
    numbers = frame[_COLUMNS[1:]].apply(pd.to_numeric, errors="coerce")
    frame = frame[_COLUMNS].assign(**numbers)
    known = frame["measure"].unique().tolist()
    without = [measure for measure in needed if measure not in known]
    if without:
        raise _refused(f"cuts has no rows for {without}. It has {known}")
    count = min(max(int((frame["measure"] == needed[0]).sum()), 2), 9)
    for measure, rows in frame.groupby("measure", sort=False):
        _check_one(measure, rows.sort_values("score"), count)
    return frame.astype({"score": "int64"})


def _check_one(measure: str, rows: pd.DataFrame, count: int) -> None:
    found = rows["score"].tolist()
    if found != list(range(1, count + 1)):
        words = ", ".join(f"{score:g}" for score in found)
        raise _refused(f"cuts has the scores {words} for {measure}, and needs 1 to {count}, each once")
    ends = inner_cuts(measure, rows)
    begins = _upward(measure, rows)["above"].to_numpy()[1:]
    if not (ends == begins).all() or (np.diff(ends) < 0).any():
        raise _refused(
            f"cuts for {measure} leave gaps or overlap: each score begins above the last one's up_to"
        )


def inner_cuts(measure: str, rows: pd.DataFrame) -> np.ndarray:
    """The values between a measure's scores, from the smallest; the outermost scores are open.

    >>> rows = pd.DataFrame({"score": [1, 2, 3], "up_to": [1, 4, None]})
    >>> inner_cuts("orders", rows).tolist()
    [1.0, 4.0]
    """
    return _upward(measure, rows)["up_to"].to_numpy(dtype="float64")[:-1]


def _upward(measure: str, rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("score", ascending=measure != FEW_ARE_BEST)


def _refused(what: str) -> ParamsError:
    return ParamsError(f"{what}. Give a frame such as rfm.cut_points returns; pandas.read_csv reads a file.")


def cells(segments: Segments, count: int) -> dict[tuple[int, int], str]:
    """The segment of each pair of scores, each from 1 to `count`.

    Raises
    ------
    ParamsError
        When a pattern cannot be read, or a cell is outside the grid, claimed twice or missing.

    Examples
    --------
    >>> cells({"here": "2[1-2]", "gone": ["11", "12"]}, 2)
    {(2, 1): 'here', (2, 2): 'here', (1, 1): 'gone', (1, 2): 'gone'}
    """
    named: dict[tuple[int, int], str] = {}
    for name, patterns in segments.items():
        for pattern in patterns if isinstance(patterns, (list, tuple)) else [patterns]:
            for r, f in _covered(name, str(pattern)):
                if not (1 <= r <= count and 1 <= f <= count):
                    raise ParamsError(
                        f"segments: {name!r} claims R {r} F {f}, and scores go from 1 to {count}. "
                        "Give a map of these scores, or cut points with as many."
                    )
                if (r, f) in named:
                    raise ParamsError(
                        f"segments: R {r} F {f} is claimed by {named[r, f]!r} and by {name!r}. "
                        "Leave it to one of them."
                    )
                named[r, f] = name
    missing = [cell for cell in itertools.product(range(1, count + 1), repeat=2) if cell not in named]
    if missing:
        r, f = missing[0]
        raise ParamsError(
            f"segments: R {r} F {f} is in no segment ({len(missing)} of {count**2} cells are in none). "
            f"Add the pattern '{r}{f}' to one."
        )
    return named


def _covered(name: str, pattern: str) -> list[tuple[int, int]]:
    ranges = _RANGE.findall(pattern)
    if len(ranges) != 2 or "".join(ranges) != pattern:
        raise ParamsError(
            f"segments: {name!r} has the pattern {pattern!r}. "
            "Type R scores, then F scores, such as '5[4-5]' for R 5 and F 4 to 5."
        )
    ends = [[int(digit) for digit in re.findall(r"\d", one)] for one in ranges]
    return list(itertools.product(*(range(one[0], one[-1] + 1) for one in ends)))


def skipped(cuts: pd.DataFrame, measure: str) -> str:
    """Which scores nobody can have, and the values that are too common; "" where there is none."""
    rows = cuts[(cuts["measure"] == measure) & (cuts["above"] == cuts["up_to"])]
    if rows.empty:
        return ""
    return phrase(
        "note.score_skipped",
        scores=", ".join(str(score) for score in rows["score"]),
        measure=measure,
        values=", ".join(f"{value:g}" for value in rows["up_to"].unique()),
    )
