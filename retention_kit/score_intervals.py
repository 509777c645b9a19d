"""Every interval of a Net Promoter Score: how far it could move if other customers had answered.

- `adjusted_wald` is the one to use: three answers more before the bounds are drawn, near 95 % at any size.
- `score` asks which true scores the answers do not contradict; a little wide for few answers.
- `bootstrap` draws the answers again and again; as blind as the next one where few answered.
- `wald` is what most tools print: the score plus and minus two errors. For few or one-sided answers it is
  far too narrow, and of answers that are all alike it is sure. It is here to be compared with.

All take counts, numbers or arrays, and return `(low, high)` in points from -100 to 100; NaN where
nobody answered. Counts need not be whole: weighted answers are worth so many.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from retention_kit.exceptions import ParamsError, did_you_mean
from retention_kit.intervals import Bounds

#: What is added before the bounds are drawn: promoters, passives, detractors.
ADDED = (0.75, 1.5, 0.75)
#: Standard errors between no difference and one that four samples of five tell from it: z(.975) + z(.8).
REACH_OF_POWER = float(special.ndtri(0.975) + special.ndtri(0.8))
_DRAWS, _SEED = 2_000, 1
_HALVINGS = 60  # of an interval of two: the bound is met to the last digit


@dataclass(frozen=True)
class Method:
    """One interval: what a result's column `interval` says of it, and how it is drawn."""

    label: str
    bounds: Callable[..., Bounds]
    weighted: bool = True


def named(interval: str) -> Method:
    """The method of a name.

    Raises
    ------
    ParamsError
        When there is none of that name.

    Examples
    --------
    >>> named("adjusted_wald").label
    'adjusted Wald 95 %'
    """
    if interval not in METHODS:
        hint = did_you_mean(str(interval), METHODS)
        raise ParamsError(f"interval {interval!r} is not known.{hint} Choose one of {list(METHODS)}.")
    return METHODS[interval]


def adjusted_wald(
    promoters: ArrayLike, passives: ArrayLike, detractors: ArrayLike, *, confidence: float = 0.95
) -> Bounds:
    """How sure is a Net Promoter Score: adjusted Wald bounds.

    Three answers are added before the bounds are drawn (¾ promoter, 1½ passive, ¾ detractor), which
    keeps them honest for few or one-sided answers. The score itself stays what the counts say, so
    it does not sit in the middle: the bounds lean towards zero. (Those of a single answer would leave
    its score out; they are stretched to reach it.)

    Parameters
    ----------
    promoters, passives, detractors : array-like
        Counts of answers.
    confidence : float
        0.95 for 95 %.

    Returns
    -------
    low, high : ndarray
        Points from -100 to 100; NaN where there are no answers.

    References
    ----------
    Rocks (2016), Interval estimation for the "Net Promoter Score".

    Examples
    --------
    >>> low, high = adjusted_wald(3, 2, 1)
    >>> print(f"{low:.3f} to {high:.3f}")
    -26.743 to 71.188
    """
    raw = _floats(promoters, passives, detractors)
    centre, error = moments(*(count + more for count, more in zip(raw, ADDED, strict=True)))
    return _around(moments(*raw)[0], centre, _normal(confidence) * error)


def wald(
    promoters: ArrayLike, passives: ArrayLike, detractors: ArrayLike, *, confidence: float = 0.95
) -> Bounds:
    """The textbook's bounds, to compare with: the score plus and minus its error times 1.96.

    Of ten answers with true shares of 90, 8 and 2 % they hold the true score in 65 samples of 100, not
    in 95, and ten promoters and nobody else have bounds without any width.

    Parameters
    ----------
    promoters, passives, detractors : array-like
        Counts of answers.
    confidence : float
        0.95 for 95 %.

    Returns
    -------
    low, high : ndarray
        Points from -100 to 100; NaN where there are no answers.

    Examples
    --------
    >>> low, high = wald(3, 2, 1)
    >>> print(f"{low:.3f} to {high:.3f}")
    -26.306 to 92.973
    """
    centre, error = moments(*_floats(promoters, passives, detractors))
    return _around(centre, centre, _normal(confidence) * error)


def score(
    promoters: ArrayLike, passives: ArrayLike, detractors: ArrayLike, *, confidence: float = 0.95
) -> Bounds:
    """The true scores that the answers do not contradict: the inverted score test.

    Each candidate is tested with the error that it would have itself. The share of detractors is the
    likeliest one where the score is that candidate.

    Parameters
    ----------
    promoters, passives, detractors : array-like
        Counts of answers.
    confidence : float
        0.95 for 95 %.

    Returns
    -------
    low, high : ndarray
        Points from -100 to 100; NaN where there are no answers.

    References
    ----------
    Tango (1998), Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design: promoters and detractors are its two kinds of discordant pairs.

    Examples
    --------
    >>> low, high = score(3, 2, 1)
    >>> print(f"{low:.3f} to {high:.3f}")
    -31.107 to 75.396
    """
    up, middle, down = np.broadcast_arrays(*_floats(promoters, passives, detractors))
    answers, z = up + middle + down, _normal(confidence)

    def refuted(truth: np.ndarray) -> np.ndarray:
        gap = np.abs(up - down - answers * truth)
        return gap > z * np.sqrt(answers * _variance_at(truth, up, down, answers))

    found = moments(up, middle, down)[0]
    bounds = []
    for end in (-1.0, 1.0):
        inside, outside = found.copy(), np.full_like(found, end)
        for _ in range(_HALVINGS):
            between = (inside + outside) / 2
            out = refuted(between)
            inside, outside = np.where(out, inside, between), np.where(out, between, outside)
        bounds.append(100 * np.where(answers > 0, (inside + outside) / 2, np.nan))
    return bounds[0], bounds[1]


def bootstrap(
    promoters: ArrayLike, passives: ArrayLike, detractors: ArrayLike, *, confidence: float = 0.95
) -> Bounds:
    """The middle 95 % of the scores of 2,000 samples drawn from the answers, the same draws each time.

    It sees what was answered and nothing else: where no detractor answered, none is ever drawn.

    Parameters
    ----------
    promoters, passives, detractors : array-like
        Whole counts of answers.
    confidence : float
        0.95 for 95 %.

    Returns
    -------
    low, high : ndarray
        Points from -100 to 100; NaN where there are no answers.

    References
    ----------
    Efron (1979), Bootstrap methods: another look at the jackknife; percentile bounds.

    Examples
    --------
    >>> low, high = bootstrap(162, 108, 54)
    >>> print(f"{low:.1f} to {high:.1f}")
    25.6 to 41.0
    """
    counts = np.stack(np.broadcast_arrays(*_floats(promoters, passives, detractors)), axis=-1)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    bounds = np.full((2, *counts.shape[:-1]), np.nan)
    for place in np.ndindex(counts.shape[:-1]):
        answers = int(counts[place].sum())
        if answers:
            shares = counts[place] / answers
            drawn = np.random.default_rng(_SEED).multinomial(answers, shares, size=_DRAWS)
            bounds[:, *place] = np.quantile(drawn[:, 0] - drawn[:, 2], tails) / answers
    return 100 * bounds[0], 100 * bounds[1]


def moments(
    promoters: ArrayLike, passives: ArrayLike, detractors: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """The score as a share from -1 to 1, and its standard error; NaN where there are no answers.

    >>> centre, error = moments(70, 10, 20)
    >>> print(f"{centre:.2f} {error:.6f}")
    0.50 0.080623
    """
    up, middle, down = _floats(promoters, passives, detractors)
    answers = up + middle + down
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (up - down) / answers
        # Rounding can leave less than nothing where all answers are alike.
        error = np.sqrt(np.maximum((up + down) / answers - centre**2, 0) / answers)
    return centre, error


METHODS = {
    "adjusted_wald": Method("adjusted Wald 95 %", adjusted_wald),
    "score": Method("score 95 %", score),
    "wald": Method("Wald 95 %", wald),
    "bootstrap": Method("bootstrap 95 %", bootstrap, weighted=False),
}


# ---------------------------------------------------------------------------------------------------


def _around(found: np.ndarray, centre: np.ndarray, half: np.ndarray) -> Bounds:
    """Bounds in points, inside the scale and never without the score itself."""
    low = np.minimum(np.maximum(centre - half, -1), found)
    high = np.maximum(np.minimum(centre + half, 1), found)
    return 100 * low, 100 * high


def _variance_at(truth: np.ndarray, up: np.ndarray, down: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """What one answer varies where the true score is `truth`, with the likeliest detractors then."""
    b = (2 * answers - up + down) * truth - up - down
    c = -down * truth * (1 - truth)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (np.sqrt(np.maximum(b**2 - 8 * answers * c, 0)) - b) / (4 * answers)
    return np.maximum(2 * share + truth * (1 - truth), 0)


def _floats(*values: ArrayLike) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(value, dtype="float64") for value in values)


def _normal(confidence: float) -> float:
    return float(special.ndtri((1 + confidence) / 2))
