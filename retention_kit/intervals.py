"""Every interval method: how far a number could move if the same business had met other customers.

Which method belongs to which number:

- a share of a subset (retained of a cohort): `wilson`
- the difference of two such shares: `difference`; of two figures with bounds: `difference_of_bounds`
- a ratio of sums over customers (money kept of money begun with, an average order): `ratio`
- events over exposure (cancellations per customer-month): `poisson`
- a mean over customers: `mean`; the difference of two: `difference_of_means`
- a Net Promoter Score: those of `score_intervals`

All of them take numbers or arrays and return `(low, high)` arrays. Where there is nothing to
judge from (no trials, no exposure, a single customer, customers who do not differ) both bounds are
NaN, never an error: a width of zero would claim a certainty that nobody has.

An interval covers chance alone. It knows nothing of customers who did not answer, of data that is
missing, or of next year being unlike this one.
"""

import numpy as np
import scipy  # its parts load at first use, and a page that subtracts two bounds needs none
from numpy.typing import ArrayLike

Bounds = tuple[np.ndarray, np.ndarray]

# What a result's column `interval` says: every noun reports 95 %.
WILSON = "Wilson 95 %"
RATIO = "linearised by customer 95 %"
NEWCOMBE = "Newcombe 95 %"
POISSON = "exact Poisson 95 %"
MEAN = "t 95 %"
WELCH = "Welch 95 %"
LOG_LOG, GREENWOOD = "log-log Greenwood 95 %", "normal Greenwood 95 %"  # a survival curve, its mean
LOG_RATIO = f"{RATIO}, on logs"  # a ratio of two averages

# A spread this small beside its values is rounding: the customers do not differ.
_ALIKE = 1e-12


def wilson(successes: ArrayLike, trials: ArrayLike, *, confidence: float = 0.95) -> Bounds:
    """How sure is a share: the score interval for `successes` of `trials`.

    Right for shares of a subset (each customer counts once, as yes or no), also at 0 %, at 100 %
    and for few customers, where the textbook formula gives a width of zero. Not for a ratio of
    two sums such as revenue kept: that is `ratio`.

    Parameters
    ----------
    successes, trials : array-like
        Counts; `successes` is at most `trials`.
    confidence : float
        0.95 for 95 %.

    Returns
    -------
    low, high : ndarray
        Shares between 0 and 1; NaN where `trials` is 0.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.

    Examples
    --------
    >>> low, high = wilson(7, 12)
    >>> print(f"{low:.4f} to {high:.4f}")
    0.3195 to 0.8067
    """
    k, n = _floats(successes, trials)
    z = _normal(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = k / n
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    # At 0 and at n the bound is 0 and 1 exactly; floating point would leave 1e-17 there.
    low = np.where((k == 0) & (n > 0), 0.0, np.clip(centre - half, 0, 1))
    high = np.where((k == n) & (n > 0), 1.0, np.clip(centre + half, 0, 1))
    return low, high


def difference(
    successes: ArrayLike,
    trials: ArrayLike,
    other_successes: ArrayLike,
    other_trials: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Bounds:
    """How sure is the difference of two shares from two separate groups: share - other share.

    Only where the bounds leave out zero did anything change. For the same customers asked twice
    the groups are not separate, and this is not it.

    Parameters
    ----------
    successes, trials, other_successes, other_trials : array-like
        Counts of the two groups.
    confidence : float
        0.95 for 95 %.

    Returns
    -------
    low, high : ndarray
        Shares between -1 and 1; NaN where a group is empty.

    References
    ----------
    Newcombe (1998), Interval estimation for the difference between independent proportions, method 10.

    Examples
    --------
    >>> low, high = difference(56, 70, 48, 80)
    >>> print(f"{low:.4f} to {high:.4f}")
    0.0524 to 0.3339
    """
    k, n, other_k, other_n = _floats(successes, trials, other_successes, other_trials)
    with np.errstate(divide="ignore", invalid="ignore"):
        share, other = k / n, other_k / other_n
    ours, others = wilson(k, n, confidence=confidence), wilson(other_k, other_n, confidence=confidence)
    return difference_of_bounds(share, *ours, other, *others)


def difference_of_bounds(
    value: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    other: ArrayLike,
    other_low: ArrayLike,
    other_high: ArrayLike,
) -> Bounds:
    """How sure is the difference of two figures that have bounds of their own: value - other?

    For figures of any kind, each with whichever interval suits it, of separate customers. Where both
    were measured in part on the same customers, the true bounds are narrower: these claim too little,
    never too much.

    Parameters
    ----------
    value, low, high, other, other_low, other_high : array-like
        Two figures and their bounds, of one confidence.

    Returns
    -------
    low, high : ndarray
        In the unit of the figures; NaN where a bound is missing.

    References
    ----------
    Zou and Donner (2008), Construction of confidence limits about effect measures: of two Wilson
    intervals it makes Newcombe's.

    Examples
    --------
    >>> low, high = difference_of_bounds(0.8, 0.7, 0.9, 0.6, 0.5, 0.7)
    >>> print(f"{low:.3f} to {high:.3f}")
    0.059 to 0.341
    """
    ours, theirs = _floats(value, low, high), _floats(other, other_low, other_high)
    gap = ours[0] - theirs[0]
    return (
        gap - np.hypot(ours[0] - ours[1], theirs[2] - theirs[0]),
        gap + np.hypot(ours[2] - ours[0], theirs[0] - theirs[1]),
    )


def poisson(events: ArrayLike, exposure: ArrayLike, *, confidence: float = 0.95) -> Bounds:
    """How sure is a rate of events over exposure: exact Poisson bounds.

    For counts that have no "out of": cancellations per customer-month, orders per customer-year.
    It assumes that events come one by one; customers who bunch many together make the true
    interval wider.

    Parameters
    ----------
    events : array-like
        Counts.
    exposure : array-like
        What they were observed over, in any unit (customer-months, say).
    confidence : float
        0.95 for 95 %.

    Returns
    -------
    low, high : ndarray
        Events per unit of exposure; NaN where `exposure` is 0.

    References
    ----------
    Garwood (1936), Fiducial limits for the Poisson distribution.

    Examples
    --------
    >>> low, high = poisson(10, 100)
    >>> print(f"{low:.5f} to {high:.5f}")
    0.04795 to 0.18390
    """
    k, over = _floats(events, exposure)
    tail = (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(k > 0, scipy.special.gammaincinv(np.maximum(k, 1), tail), 0.0) / over
        high = scipy.special.gammaincinv(k + 1, 1 - tail) / over
    return np.where(over > 0, low, np.nan), np.where(over > 0, high, np.nan)


def mean(average: ArrayLike, sd: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> Bounds:
    """How sure is a mean over customers: Student's t.

    Money per customer is skewed: a few customers can carry most of it. With fewer than some
    thirty customers read the bounds as a rough guide; the lower one can even fall below zero.

    Parameters
    ----------
    average, sd : array-like
        The mean and the sample standard deviation (divisor n - 1).
    n : array-like
        How many were averaged.
    confidence : float
        0.95 for 95 %.

    Returns
    -------
    low, high : ndarray
        In the unit of `average`; NaN where `n` is below 2 or `sd` is 0.

    Examples
    --------
    >>> low, high = mean(10, 3, 9)
    >>> print(f"{low:.4f} to {high:.4f}")
    7.6940 to 12.3060
    """
    centre, spread, count = _floats(average, sd, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = _student(confidence, count - 1) * spread / np.sqrt(count)
    half = np.where(spread > _ALIKE * np.abs(centre), half, np.nan)
    return centre - half, centre + half


def difference_of_means(
    average: ArrayLike,
    sd: ArrayLike,
    n: ArrayLike,
    other_average: ArrayLike,
    other_sd: ArrayLike,
    other_n: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Bounds:
    """How sure is the difference of two means from two separate groups: mean - other mean.

    The groups may spread differently: each brings its own error.

    Parameters
    ----------
    average, sd, n, other_average, other_sd, other_n : array-like
        Of each group the mean, the sample standard deviation (divisor n - 1) and how many were averaged.
    confidence : float
        0.95 for 95 %.

    Returns
    -------
    low, high : ndarray
        In the unit of `average`; NaN where a group has fewer than two, or nobody in either differs.

    References
    ----------
    Welch (1947), The generalization of Student's problem, with Satterthwaite's degrees of freedom.

    Examples
    --------
    >>> low, high = difference_of_means(0.75, 1.789, 10, 2.33, 2.002, 10)
    >>> print(f"{low:.2f} to {high:.2f}")
    -3.37 to 0.21
    """
    centre, other = _floats(average, other_average)
    error, freedom = error_of_difference(sd, n, other_sd, other_n)
    largest = np.maximum(np.abs(centre), np.abs(other))
    half = np.where(error > _ALIKE * largest, _student(confidence, freedom) * error, np.nan)
    return centre - other - half, centre - other + half


def error_of_difference(
    sd: ArrayLike, n: ArrayLike, other_sd: ArrayLike, other_n: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Welch's standard error of a difference of means, and its degrees of freedom; NaN with a group of one.

    >>> error, freedom = error_of_difference(3, 9, 4, 16)
    >>> print(f"{error:.4f} {freedom:.2f}")
    1.4142 20.87
    """
    spread, count, other_spread, other_count = _floats(sd, n, other_sd, other_n)
    with np.errstate(divide="ignore", invalid="ignore"):
        own, other = spread**2 / count, other_spread**2 / other_count
        freedom = (own + other) ** 2 / (own**2 / (count - 1) + other**2 / (other_count - 1))
    known = np.minimum(count, other_count) >= 2
    return np.where(known, np.sqrt(own + other), np.nan), np.where(known, freedom, np.nan)


def ratio(
    sum_y: ArrayLike,
    sum_x: ArrayLike,
    sum_yy: ArrayLike,
    sum_xy: ArrayLike,
    sum_xx: ArrayLike,
    n: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Bounds:
    """How sure is a ratio of two sums over customers: the linearised interval.

    Revenue kept / revenue begun with, spend / orders: numerator and denominator both vary from
    customer to customer, and one large customer moves both. The customer is the unit, so give
    sums over customers of one y and one x each. It needs some twenty of them before it can be taken
    at its word.

    Parameters
    ----------
    sum_y, sum_x : array-like
        Σ y and Σ x over customers; the ratio is their quotient.
    sum_yy, sum_xy, sum_xx : array-like
        Σ y², Σ x y and Σ x².
    n : array-like
        How many customers.
    confidence : float
        0.95 for 95 %.

    Returns
    -------
    low, high : ndarray
        In the unit of the ratio, not clipped; NaN where `n` is below 2, `sum_x` is 0 or y / x is the
        same for every customer.

    References
    ----------
    Cochran (1977), Sampling Techniques, chapter 6; t with n - 1 degrees of freedom.

    Examples
    --------
    Two customers paid 2 and 1, and now pay 1 and 1: two thirds is kept.

    >>> low, high = ratio(2, 3, 2, 3, 5, 2)
    >>> print(f"{low:.3f} to {high:.3f}")
    -2.157 to 3.490
    """
    y, x, yy, xy, xx, count = _floats(sum_y, sum_x, sum_yy, sum_xy, sum_xx, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = y / x
        # Residuals y - share * x add to zero, so their sum of squares is their variance's numerator.
        squares = yy - 2 * share * xy + share**2 * xx
        squares = np.where(squares > _ALIKE * (yy + share**2 * xx), squares, np.nan)
        half = _student(confidence, count - 1) * np.sqrt(count / (count - 1) * squares) / np.abs(x)
    return share - half, share + half


def holm(p_values: ArrayLike) -> np.ndarray:
    """How surely is one of many differences none of chance: p-values that allow for their number.

    Of twenty differences that are none, one passes 5 % by chance. Holm's procedure reads the smallest of so
    many p-values as that many times as large, the next as one time less, and so on.

    Parameters
    ----------
    p_values : array-like
        One for each difference that was looked at.

    Returns
    -------
    ndarray
        In the same order, at most 1.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure.

    Examples
    --------
    >>> holm([0.04, 0.01, 0.03]).tolist()
    [0.06, 0.03, 0.06]
    """
    given = np.asarray(p_values, dtype=float)
    order = np.argsort(given, kind="stable")
    read = np.empty_like(given)
    times = np.arange(len(given), 0, -1)
    read[order] = np.minimum(np.maximum.accumulate(given[order] * times), 1)
    return read


def _floats(*values: ArrayLike) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(value, dtype="float64") for value in values)


def _normal(confidence: float) -> float:
    return float(scipy.special.ndtri((1 + confidence) / 2))


def _student(confidence: float, freedom: np.ndarray) -> np.ndarray:
    """The quantile of Student's t; none without a degree of freedom."""
    return scipy.special.stdtrit(np.where(freedom > 0, freedom, np.nan), (1 + confidence) / 2)
