"""Intervals: against hand formulas, statsmodels, published numbers and simulated coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from retention_kit import intervals

Z = 1.959963984540054
counts = st.integers(min_value=0, max_value=2_000)


def test_wilson_by_hand() -> None:
    # 5 of 10: the centre is 1/2 by symmetry, the half-width z sqrt(1/40 + z²/400) / (1 + z²/10).
    half = Z * math.sqrt(1 / 40 + Z**2 / 400) / (1 + Z**2 / 10)
    low, high = intervals.wilson(5, 10)
    assert (low, high) == pytest.approx((1 / 2 - half, 1 / 2 + half), rel=1e-12)


@given(counts, counts, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_that_of_statsmodels(hits: int, misses: int, confidence: float) -> None:
    n = hits + misses + 1
    bounds = intervals.wilson(hits, n, confidence=confidence)
    expected = proportion_confint(hits, n, alpha=1 - confidence, method="wilson")
    assert bounds == pytest.approx(expected, abs=1e-12)
    assert 0 <= bounds[0] <= hits / n <= bounds[1] <= 1


def test_wilson_at_nothing_and_at_all_touches_the_end_exactly() -> None:
    low, high = intervals.wilson([0, 7], [7, 7])
    assert low[0] == 0
    assert high[1] == 1
    # At 0 of n the upper bound is z² / (n + z²), and at n of n the mirror image.
    assert high[0] == pytest.approx(Z**2 / (7 + Z**2))
    assert low[1] == pytest.approx(7 / (7 + Z**2))


def test_wilson_of_nobody_is_unknown() -> None:
    assert np.isnan(intervals.wilson(0, 0)).all()


def test_poisson_by_hand() -> None:
    # No event: the upper bound u solves exp(-u) = 0.025. The lower bound is 0.
    assert intervals.poisson(0, 1) == pytest.approx((0, -math.log(0.025)))
    # One event: the lower bound solves 1 - exp(-l) = 0.025.
    assert intervals.poisson(1, 4)[0] == pytest.approx(-math.log(0.975) / 4)


def test_poisson_published() -> None:
    # The usual table of exact limits: 10 events, 4.795 to 18.390.
    assert intervals.poisson(10, 1) == pytest.approx((4.795, 18.390), abs=5e-4)


@given(counts, st.floats(min_value=0.1, max_value=1e6))
def test_poisson_leaves_half_of_the_error_in_each_tail(events: int, exposure: float) -> None:
    low, high = intervals.poisson(events, exposure)
    assert low <= events / exposure <= high
    assert stats.poisson.cdf(events, float(high) * exposure) == pytest.approx(0.025, rel=1e-6)
    if events:
        assert stats.poisson.sf(events - 1, float(low) * exposure) == pytest.approx(0.025, rel=1e-6)


def test_poisson_without_exposure_is_unknown() -> None:
    assert np.isnan(intervals.poisson([0, 3], [0, 0])).all()


def test_mean_by_hand() -> None:
    # 1, 2, 6: mean 3, sd sqrt(7); Student's t with 2 degrees of freedom at 0.975 is 4.302653.
    half = 4.302652729911275 * math.sqrt(7) / math.sqrt(3)
    assert intervals.mean(3, math.sqrt(7), 3) == pytest.approx((3 - half, 3 + half))


@given(
    st.lists(st.integers(-1_000, 1_000), min_size=2, max_size=30, unique=True), st.sampled_from([0.8, 0.95])
)
def test_mean_is_that_of_scipy(values: list[int], confidence: float) -> None:
    bounds = intervals.mean(np.mean(values), np.std(values, ddof=1), len(values), confidence=confidence)
    expected = stats.t.interval(confidence, len(values) - 1, np.mean(values), stats.sem(values))
    assert bounds == pytest.approx(expected)


def test_mean_of_one_customer_is_unknown() -> None:
    assert np.isnan(intervals.mean(10, np.nan, 1)).all()


def ratio_of(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sums = [(a * b).sum(axis=-1) for a, b in [(y, 1), (x, 1), (y, y), (x, y), (x, x)]]
    return intervals.ratio(*sums, y.shape[-1])


def test_ratio_by_hand() -> None:
    # y = 1, 1 and x = 2, 1: ratio 2/3, residuals -1/3 and 1/3, error sqrt(2/1 * 2/9) / 3 = 2/9.
    low, high = ratio_of(np.array([1, 1]), np.array([2, 1]))
    half = 12.706204736174694 * 2 / 9
    assert (low, high) == pytest.approx((2 / 3 - half, 2 / 3 + half))


@given(st.lists(st.integers(0, 1_000), min_size=2, max_size=40))
def test_ratio_over_customers_of_size_one_is_the_mean(values: list[int]) -> None:
    y = np.array(values)
    bounds = ratio_of(y, np.ones_like(y))
    expected = intervals.mean(y.mean(), y.std(ddof=1), len(y))
    np.testing.assert_allclose(bounds, expected, rtol=1e-8, atol=1e-8)


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 100)), min_size=2, max_size=40),
    st.floats(0.01, 100),
)
def test_ratio_does_not_depend_on_the_currency(pairs: list[tuple[int, int]], rate: float) -> None:
    y, x = np.array(pairs).T
    bounds, exchanged = ratio_of(y, x), ratio_of(y * rate, x * rate)
    np.testing.assert_allclose(exchanged, bounds, rtol=1e-6, atol=1e-6)
    if not np.isnan(bounds).any():
        assert bounds[0] <= y.sum() / x.sum() <= bounds[1]


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_customers_who_do_not_differ_tell_nothing_of_how_they_could(share: float) -> None:
    x = np.array([1.1, 2.0, 3.7])
    assert np.isnan(ratio_of(share * x, x)).all()
    assert np.isnan(intervals.mean(share, 0, 3)).all()


def test_ratio_of_one_customer_or_of_no_money_is_unknown() -> None:
    assert np.isnan(intervals.ratio([2, 0], [3, 0], [4, 0], [6, 0], [9, 0], [1, 5])).all()


def test_ratio_covers_what_it_says() -> None:
    # Subscriptions of unequal size, of which two in three are kept: the truth is E[y] / E[x] = 2/3.
    random = np.random.default_rng(1)
    x = random.lognormal(3, 0.8, size=(4_000, 60))
    kept = random.random(x.shape) < 2 / 3
    low, high = ratio_of(x * kept, x)
    assert np.mean((low <= 2 / 3) & (high >= 2 / 3)) == pytest.approx(0.95, abs=0.025)


def test_arrays_in_arrays_out() -> None:
    low, high = intervals.wilson([1, 2], [10, 10])
    assert low.shape == high.shape == (2,)
    assert low[1] > low[0]


def test_difference_published() -> None:
    # Newcombe (1998), table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/10.
    low, high = intervals.difference([56, 9, 10], [70, 10, 10], [48, 3, 0], [80, 10, 10])
    assert low.round(4).tolist() == [0.0524, 0.1705, 0.6075]
    assert high.round(4).tolist() == [0.3339, 0.8090, 1.0000]


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 30), st.integers(1, 30))
def test_difference_turns_round_with_its_groups(k: int, rest: int, other_k: int, other_rest: int) -> None:
    first, second = (k, k + rest), (other_k, other_k + other_rest)
    low, high = intervals.difference(*first, *second)
    turned_low, turned_high = intervals.difference(*second, *first)
    assert low == pytest.approx(-turned_high)
    assert high == pytest.approx(-turned_low)


def test_the_difference_of_bounds_by_hand() -> None:
    # 10 (8 to 13) less 7 (6 to 9): each side adds the two distances that push the gap that way, squared.
    low, high = intervals.difference_of_bounds(10, 8, 13, 7, 6, 9)
    assert (low, high) == pytest.approx((3 - math.hypot(2, 2), 3 + math.hypot(3, 1)))
    assert np.isnan(intervals.difference_of_bounds(10, 8, 13, 7, np.nan, np.nan)).all()


def test_difference_with_nobody_is_unknown() -> None:
    assert np.isnan(intervals.difference(1, 2, 0, 0)).all()


def test_difference_of_means_is_welchs() -> None:
    """The sleep of Cushny and Peebles (1905), used by Student and by R's t.test: -3.3654832 to 0.2054832."""
    one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    two = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    each = [(np.mean(hours), np.std(hours, ddof=1), len(hours)) for hours in (one, two)]
    low, high = intervals.difference_of_means(*each[0], *each[1])
    assert (round(float(low), 7), round(float(high), 7)) == (-3.3654832, 0.2054832)
    _, freedom = intervals.error_of_difference(*each[0][1:], *each[1][1:])
    assert round(float(freedom), 3) == 17.776


@pytest.mark.parametrize(
    "groups", [(5, 1, 1, 4, 1, 9), (5, 1, 9, 4, 1, 1), (5, 0, 9, 4, 0, 9), (1e9, 1e-5, 9, 1, 1e-5, 9)]
)
def test_means_of_one_or_of_customers_who_do_not_differ_tell_nothing(groups: tuple) -> None:
    assert np.isnan(intervals.difference_of_means(*groups)).all()


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_holm_is_that_of_statsmodels(size: int) -> None:
    for p_values in np.random.default_rng(size).random((10, size)) ** 3:
        expected = multipletests(p_values, method="holm")[1]
        assert intervals.holm(p_values).tolist() == pytest.approx(expected.tolist())
