"""Pareto/NBD: published predictions, the likelihood against an integral, the gradient."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special

from retention_kit import summaries
from retention_kit.pareto_nbd import PARETO_NBD

# The CDNOW sample in weeks; Fader and Hardie's notes print them to three digits.
PUBLISHED = np.array([0.553277, 10.577684, 0.606240, 11.668732])


def one(value: float) -> np.ndarray:
    return np.array([float(value)])


def by_hand(theta: np.ndarray, x: float, t_x: float, T: float) -> float:
    """The likelihood as an integral over the moment of leaving, scaled by its largest value."""
    r, alpha, s, beta = theta
    log_f = lambda y: -(r + x) * np.log(alpha + y) - (s + 1) * np.log(beta + y)  # noqa: E731
    top = log_f(t_x)
    near = [t_x + (T - t_x) * share for share in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)]
    gone = (
        integrate.quad(lambda y: np.exp(log_f(y) - top), t_x, T, points=near, limit=500)[0] if t_x < T else 0
    )
    alive = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
    both = np.logaddexp(alive, np.log(s * gone) + top) if gone else alive
    return special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta) + both


@pytest.mark.parametrize(
    "theta", [PUBLISHED, [0.05, 100, 0.1, 0.5], [3, 1, 5, 200], [0.5, 0.3, 0.02, 1000], [0.5, 10, 200, 3000]]
)
@pytest.mark.parametrize(
    ("x", "t_x", "T"),
    [(0, 0, 38), (2, 30.43, 38.86), (1000, 3600, 3650), (1000, 100, 3650), (5, 1, 3650), (3, 12, 12)],
)
def test_likelihood_is_the_integral(theta: list, x: float, t_x: float, T: float) -> None:
    theta = np.array(theta, dtype=float)
    frame = pd.DataFrame({"frequency": [x], "recency": [float(t_x)], "T": [float(T)]})
    found, _ = PARETO_NBD.log_likelihood(theta, summaries.cells(frame))
    assert found == pytest.approx(by_hand(theta, x, t_x, T), rel=1e-8, abs=1e-8)


def test_published_customer() -> None:
    x, t_x, T = one(2), one(30.43), one(38.86)
    alive = PARETO_NBD.p_alive(PUBLISHED, x, t_x, T)
    assert alive.item() == pytest.approx(0.86912, abs=5e-6)
    assert (alive * PARETO_NBD.purchases(PUBLISHED, x, T, 39)).item() == pytest.approx(1.45510, abs=5e-6)


@pytest.mark.parametrize("s", [0.606240, 1.0, 2.5])
def test_purchases_are_the_rate_added_up(s: float) -> None:
    theta = np.array([0.55, 10.6, s, 11.7])
    x, T = np.array([0.0, 2, 1000]), np.array([38.86, 12, 3650])
    for i in range(3):
        rate = lambda t, i=i: PARETO_NBD.rate(theta, x[i : i + 1], T[i : i + 1], t).item()  # noqa: E731
        exact = integrate.quad(rate, 0, 39)[0]
        assert PARETO_NBD.purchases(theta, x, T, 39.0)[i] == pytest.approx(exact, rel=1e-9)


def test_for_ever_it_is_the_published_form() -> None:
    # Fader, Hardie and Lee (2005), RFM and CLV, their equation for DERT, with Tricomi's function.
    r, alpha, s, beta = PUBLISHED
    x, T, d = np.array([0.0, 2, 7]), np.array([38.86, 38.86, 30]), np.log(1.15) / 52
    closed = (r + x) / (alpha + T) * (beta + T) ** s * d ** (s - 1) * special.hyperu(s, s, d * (beta + T))
    np.testing.assert_allclose(PARETO_NBD.discounted(PUBLISHED, x, T, np.inf, d), closed, rtol=1e-6)


def test_probabilities_agree_with_mean_and_variance() -> None:
    x, T, n = np.array([0.0, 2, 7]), np.array([38.86, 38.86, 30]), np.arange(801)
    p = PARETO_NBD.p_purchases(PUBLISHED, x, T, 39.0, 800)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-8)
    np.testing.assert_allclose(p @ n, PARETO_NBD.purchases(PUBLISHED, x, T, 39.0), rtol=1e-7)
    np.testing.assert_allclose(p @ (n * (n - 1)), PARETO_NBD.pairs(PUBLISHED, x, T, 39.0), rtol=1e-7)


histories = st.lists(
    st.tuples(st.integers(1, 40), st.floats(0.1, 50), st.floats(0, 40), st.integers(1, 9)), max_size=8
)


@given(histories, st.tuples(*[st.floats(0.1, 5)] * 4))
def test_gradient(drawn: list[tuple], theta: tuple) -> None:
    rows = [(0, 0.0, 20.0, 3), *((x, t_x, t_x + rest, w) for x, t_x, rest, w in drawn)]
    cells = summaries.cells(pd.DataFrame(rows, columns=["frequency", "recency", "T", "weight"]))
    theta = np.array(theta)
    _, slope = PARETO_NBD.log_likelihood(theta, cells)
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5
        up = PARETO_NBD.log_likelihood(theta + step, cells)[0]
        down = PARETO_NBD.log_likelihood(theta - step, cells)[0]
        assert slope[i] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-4)


def test_everybody_is_identifiable() -> None:
    assert PARETO_NBD.identifiable(np.array([0.0, 1.0])).all()
