"""Intervals of a score: the published table, exact coverage, and what each of them cannot do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from benchmarks.score_coverage import coverage
from retention_kit import score_intervals
from retention_kit.exceptions import ParamsError

counts = st.integers(min_value=0, max_value=2_000)

# Promoters, passives, detractors: standard error in points, plain Wald, adjusted Wald, score.
PUBLISHED = {
    (3, 2, 1): (30.4290, (-26.306, 92.973), (-26.743, 71.188), (-31.107, 75.396)),
    (162, 108, 54): (4.1409, (25.217, 41.449), (24.945, 41.110), (24.954, 41.161)),
    (250, 675, 75): (1.7157, (14.137, 20.863), (14.086, 20.809), (14.140, 20.878)),
    (70, 10, 20): (8.0623, (34.198, 65.802), (32.941, 64.146), (32.626, 63.943)),
    (10, 0, 0): (0, (100, 100), (47.50, 100), (44.493, 100)),
}


@pytest.mark.parametrize("answers", PUBLISHED)
def test_the_published_table(answers: tuple[int, int, int]) -> None:
    error, wald, adjusted, score = PUBLISHED[answers]
    assert 100 * score_intervals.moments(*answers)[1] == pytest.approx(error, abs=5e-5)
    assert score_intervals.wald(*answers) == pytest.approx(wald, abs=1e-3)
    assert score_intervals.adjusted_wald(*answers) == pytest.approx(adjusted, abs=5e-3)
    assert score_intervals.score(*answers) == pytest.approx(score, abs=1e-3)


def test_the_garden_store() -> None:
    assert score_intervals.adjusted_wald(8465, 3953, 1194) == pytest.approx((52.310, 54.499), abs=5e-4)
    assert 100 * score_intervals.moments(8465, 3953, 1194)[1] == pytest.approx(0.558, abs=5e-4)


def test_the_score_interval_tests_with_the_likeliest_shares() -> None:
    # 7 promoters, 2 passives, 3 detractors: the likeliest detractors at the lower bound, by search.
    low, _ = score_intervals.score(7, 2, 3)
    truth = low / 100

    def unlikely(down: float) -> float:
        return -stats.multinomial.logpmf([7, 2, 3], 12, [down + truth, 1 - truth - 2 * down, down])

    room = (max(0, -truth) + 1e-9, (1 - truth) / 2 - 1e-9)
    down = optimize.minimize_scalar(unlikely, bounds=room, method="bounded", options={"xatol": 1e-12}).x
    error = np.sqrt((2 * down + truth - truth**2) / 12)
    assert (4 / 12 - truth) / error == pytest.approx(1.959964, rel=1e-4)


@pytest.mark.parametrize("name", score_intervals.METHODS)
@given(p=st.integers(0, 60), n=st.integers(0, 60), d=st.integers(0, 60))
def test_bounds_lie_inside_the_scale_and_hold_the_score_and_mirror(name: str, p: int, n: int, d: int) -> None:
    bounds = score_intervals.named(name).bounds
    low, high = bounds(p, n, d)
    if not p + n + d:
        assert np.isnan([low, high]).all()
        return
    score = 100 * (p - d) / (p + n + d)
    assert -100 <= low <= high <= 100
    assert low - 1e-9 <= score <= high + 1e-9
    if name != "bootstrap":  # whose draws are those of promoters first
        assert bounds(d, n, p) == pytest.approx((-high, -low), abs=1e-9)


def test_arrays_in_arrays_out() -> None:
    for method in score_intervals.METHODS.values():
        low, high = method.bounds([3, 162, 0], [2, 108, 0], [1, 54, 0])
        assert low.shape == high.shape == (3,)
        assert (low[:2] < high[:2]).all()
        assert np.isnan([low[2], high[2]]).all()
        single = method.bounds(162, 108, 54)
        assert (low[1], high[1]) == pytest.approx(single)


def test_a_lower_confidence_is_narrower() -> None:
    for method in score_intervals.METHODS.values():
        wide, narrow = method.bounds(20, 10, 10), method.bounds(20, 10, 10, confidence=0.8)
        assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_adjusted_wald_of_one_answer_reaches_its_score() -> None:
    # Of (1.75, 1.5, 0.75) the formula ends at 98.5, short of the score of 100.
    low, high = score_intervals.adjusted_wald([1, 0, 0], [0, 1, 0], [0, 0, 1])
    assert high[0] == 100
    assert low[2] == -100
    assert low[1] < 0 < high[1]


def test_the_bootstrap_draws_the_same_each_time_and_is_near_the_plain_one_for_many() -> None:
    again = [score_intervals.bootstrap(1620, 1080, 540) for _ in range(2)]
    assert again[0] == again[1]
    assert again[0] == pytest.approx(score_intervals.wald(1620, 1080, 540), abs=0.25)
    assert score_intervals.bootstrap(10, 0, 0) == (100, 100)  # nobody else is there to be drawn


def test_an_unknown_interval() -> None:
    with pytest.raises(ParamsError) as error:
        score_intervals.named("adjusted wald")
    assert str(error.value) == (
        "interval 'adjusted wald' is not known. Did you mean 'adjusted_wald'? "
        "Choose one of ['adjusted_wald', 'score', 'wald', 'bootstrap']."
    )


# -- coverage, counted out ----------------------------------------------------


def test_coverage_as_published() -> None:
    # Published from simulation: .655, .933 and .964; counted out they are a little less.
    held = {name: coverage(name, [(0.9, 0.08, 0.02)], 10)[0] for name in score_intervals.METHODS}
    published = {"wald": 0.655, "adjusted_wald": 0.933, "score": 0.964}
    assert {name: held[name] for name in published} == pytest.approx(published, abs=0.006)
    # Plain Wald misses where all ten are promoters, and in a few of the rest.
    assert held["wald"].round(3) == 0.649 <= 1 - 0.9**10
    assert held["bootstrap"] < 0.7  # it knows no more than the answers


SHARES = [(0.9, 0.08, 0.02), (0.5, 0.3, 0.2), (1 / 3, 1 / 3, 1 / 3), (0.1, 0.3, 0.6), (0.62, 0.29, 0.09)]


@pytest.mark.parametrize("answers", [10, 30, 100])
def test_the_bounds_that_are_relied_on_hold_at_any_size(answers: int) -> None:
    for name in ("adjusted_wald", "score"):
        held = coverage(name, SHARES, answers)
        assert ((held > 0.92) & (held < 0.98)).all(), (name, held)
    assert coverage("wald", SHARES, answers).min() < 0.94
