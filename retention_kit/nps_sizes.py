"""How many answers a Net Promoter Score needs, and what so many could show: asked before the survey."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from retention_kit import score_intervals
from retention_kit.exceptions import DataError
from retention_kit.sentences import phrase

_THIRD = 1 / 3
_CONFIDENCE = 0.95


def nps_sample_size(
    margin: float | Sequence[float], *, promoters: float = _THIRD, detractors: float = _THIRD
) -> pd.DataFrame:
    """How many must answer for the score to be sure to so many points each way?

    Answers, not invitations: where one in ten answers, invite ten times as many. And those who answer are
    no random draw of all customers, which no number of them mends.

    Parameters
    ----------
    margin : float or sequence of float
        Half the width of the interval, in points: 5 for plus and minus 5.
    promoters, detractors : float
        Their shares as expected, say those of the last survey. A third each is cautious for most; half and
        half, with nobody between, is the worst there is.

    Returns
    -------
    DataFrame
        One row a margin: `margin` (points), `answers`, `promoter_share`, `detractor_share` (0 to 1).

    Raises
    ------
    DataError
        When a margin is not above 0, or the shares are none.

    Notes
    -----
    For the adjusted Wald interval of 95 %, which adds three answers: n + 3 = 1.96² V / margin² with
    V = p + d - (p - d)².

    Examples
    --------
    >>> print(nps_sample_size([10, 5])[["margin", "answers"]].to_string(index=False))
     margin  answers
       10.0      254
        5.0     1022
    """
    margins = np.atleast_1d(np.asarray(margin, dtype="float64"))
    wrong = margins[~((margins > 0) & (margins <= 100))]
    if len(wrong):
        raise DataError(
            f"margin is {wrong[0]:g}, and it lies above 0, at most at 100 points. Type one such as 5."
        )
    variance = _variance(promoters, detractors)
    z = special.ndtri((1 + _CONFIDENCE) / 2)
    needed = np.ceil(z**2 * variance / (margins / 100) ** 2 - sum(score_intervals.ADDED))
    frame = _planned(
        {"margin": margins, "answers": np.maximum(needed, 1).astype("int64")}, promoters, detractors
    )
    frame.attrs = {"definition": phrase("definition.nps_sample_size"), "as_of": None}
    return frame


def nps_smallest_change(
    answers: int | Sequence[int], *, promoters: float = _THIRD, detractors: float = _THIRD
) -> pd.DataFrame:
    """Which change between two waves of so many answers each would be seen in four of five such surveys?

    Smaller changes may be real, and this survey would mostly miss them: that nothing was found then says
    little.

    Parameters
    ----------
    answers : int or sequence of int
        How many answer in each of the two waves.
    promoters, detractors : float
        Their shares as expected; a third each is cautious for most.

    Returns
    -------
    DataFrame
        One row a size: `answers`, `smallest_detectable` (points; empty where even 200 would be missed),
        `promoter_share`, `detractor_share` (0 to 1).

    Raises
    ------
    DataError
        When a number of answers is not whole or not above 0, or the shares are none.

    Notes
    -----
    At 5 %, two-sided, with 80 % power: (z(.975) + z(.8)) sqrt(2 V / n) with V = p + d - (p - d)².

    Examples
    --------
    >>> found = nps_smallest_change([100, 1000])
    >>> print(found[["answers", "smallest_detectable"]].round(1).to_string(index=False))
     answers  smallest_detectable
         100                 32.3
        1000                 10.2
    """
    sizes = np.atleast_1d(np.asarray(answers, dtype="float64"))
    wrong = sizes[~((sizes > 0) & (sizes % 1 == 0))]
    if len(wrong):
        raise DataError(f"answers is {wrong[0]:g}, and it is a whole number above 0. Type one such as 400.")
    found = 100 * score_intervals.REACH_OF_POWER * np.sqrt(2 * _variance(promoters, detractors) / sizes)
    columns = {"answers": sizes.astype("int64"), "smallest_detectable": np.where(found <= 200, found, np.nan)}
    frame = _planned(columns, promoters, detractors)
    frame.attrs = {"definition": phrase("definition.nps_smallest_change"), "as_of": None}
    return frame


# ---------------------------------------------------------------------------------------------------


def _variance(promoters: float, detractors: float) -> float:
    """What one answer varies, on a scale from -1 to 1."""
    if not (promoters >= 0 and detractors >= 0 and 0 < promoters + detractors <= 1 + 1e-9):
        raise DataError(
            f"promoters {promoters:g} and detractors {detractors:g} are no shares of the answers: each lies "
            "between 0 and 1, and passives are the rest. Type shares such as 0.5 and 0.2."
        )
    return promoters + detractors - (promoters - detractors) ** 2


def _planned(columns: dict[str, np.ndarray], promoters: float, detractors: float) -> pd.DataFrame:
    return pd.DataFrame(columns).assign(promoter_share=float(promoters), detractor_share=float(detractors))
