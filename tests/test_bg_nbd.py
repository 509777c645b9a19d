"""BG/NBD and MBG/NBD: published predictions, exactness where the published forms overflow, the gradient."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special

from retention_kit import summaries
from retention_kit.bg_nbd import BG_NBD, MBG_NBD, BgNbd

# Fader, Hardie and Lee (2005), the CDNOW sample in weeks; MBG/NBD of the same data.
PUBLISHED = np.array([0.242595, 4.413602, 0.792922, 2.425906])
PUBLISHED_MBG = np.array([0.524843, 6.183085, 0.891360, 1.614003])

both = pytest.mark.parametrize("model", [BG_NBD, MBG_NBD], ids=lambda model: model.name)


def one(value: float) -> np.ndarray:
    return np.array([float(value)])


def expected_by_hand(model: BgNbd, theta: np.ndarray, x: float, T: float, t: float) -> float:
    """The same expectation as an integral over the coin, which no formula of ours has a part in."""
    r, alpha, a, b = theta
    b = b + model.first_coin + x

    def each(p: float) -> float:
        bought = -np.expm1(-(r + x) * np.log1p(p * t / (alpha + T))) / p
        return bought * np.exp((a - 1) * np.log(p) + (b - 1) * np.log1p(-p) - special.betaln(a, b))

    return integrate.quad(each, 0, 1, limit=500, points=[1e-6, 1e-4, 1e-2])[0]


def test_published_customer() -> None:
    # Customer 1 of CDNOW: x 2, t_x 30.43, T 38.86; metrics.md and the authors' worked spreadsheet.
    x, t_x, T = one(2), one(30.43), one(38.86)
    alive = BG_NBD.p_alive(PUBLISHED, x, t_x, T)
    assert alive.item() == pytest.approx(0.72661, abs=5e-6)
    assert (alive * BG_NBD.purchases(PUBLISHED, x, T, 39)).item() == pytest.approx(1.2259, abs=5e-5)
    alive = MBG_NBD.p_alive(PUBLISHED_MBG, x, t_x, T)
    assert alive.item() == pytest.approx(0.706126, abs=1e-6)
    assert (alive * MBG_NBD.purchases(PUBLISHED_MBG, x, T, 39)).item() == pytest.approx(1.26267, abs=5e-6)
    assert MBG_NBD.p_alive(PUBLISHED_MBG, one(0), one(0), T).item() == pytest.approx(0.389715, abs=1e-6)


def test_without_a_first_coin_one_time_buyers_say_nothing() -> None:
    assert BG_NBD.identifiable(np.array([0.0, 1.0])).tolist() == [False, True]
    assert MBG_NBD.identifiable(np.array([0.0, 1.0])).tolist() == [True, True]


@both
@pytest.mark.parametrize("x", [0, 1, 7, 60, 1000])
@pytest.mark.parametrize("a", [0.4, 1.0, 3.0])
def test_purchases_are_the_integral_over_coins(model: BgNbd, x: int, a: float) -> None:
    theta = np.array([0.5, 6.0, a, 2.5])
    T = 30.0 + 3.6 * x
    found = model.purchases(theta, one(x), one(T), 39.0).item()
    assert found == pytest.approx(expected_by_hand(model, theta, x, T, 39.0), rel=1e-6)


@both
def test_staying_and_rate_are_what_purchases_grow_by(model: BgNbd) -> None:
    x, T = np.array([0.0, 3, 200]), np.array([38.0, 12, 500])
    step = 1e-4
    grown = (model.purchases(PUBLISHED, x, T, 20 + step) - model.purchases(PUBLISHED, x, T, 20 - step)) / (
        2 * step
    )
    np.testing.assert_allclose(model.rate(PUBLISHED, x, T, 20.0), grown, rtol=1e-6)
    np.testing.assert_allclose(model.stays(PUBLISHED, x, T, 0.0), 1)
    assert (model.stays(PUBLISHED, x, T, 20.0) < 1).all()


@both
def test_discounted_purchases(model: BgNbd) -> None:
    x, T = np.array([0.0, 2, 600]), np.array([38.0, 12, 3600])
    nothing = model.discounted(PUBLISHED, x, T, 39.0, 0.0)
    np.testing.assert_allclose(nothing, model.purchases(PUBLISHED, x, T, 39.0), rtol=1e-8)
    for i in range(3):
        rate = lambda t, i=i: model.rate(PUBLISHED, x[i : i + 1], T[i : i + 1], t).item() * np.exp(-0.01 * t)  # noqa: E731
        exact = integrate.quad(rate, 0, 4000, limit=300, points=[1, 10, 100, 1000])[0]
        assert model.discounted(PUBLISHED, x, T, np.inf, 0.01)[i] == pytest.approx(exact, rel=1e-6)


@both
def test_probabilities_agree_with_mean_and_variance(model: BgNbd) -> None:
    x, T = np.array([0.0, 2, 7]), np.array([38.86, 38.86, 30])
    n = np.arange(2001)
    p = model.p_purchases(PUBLISHED, x, T, 39.0, 2000)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-8)
    np.testing.assert_allclose(p @ n, model.purchases(PUBLISHED, x, T, 39.0), rtol=1e-7)
    np.testing.assert_allclose(p @ (n * (n - 1)), model.pairs(PUBLISHED, x, T, 39.0), rtol=1e-7)


histories = st.lists(
    st.tuples(st.integers(1, 40), st.floats(0.1, 50), st.floats(0, 40), st.integers(1, 9)), max_size=8
)


@both
@given(histories, st.tuples(*[st.floats(0.1, 5)] * 4))
def test_gradient(model: BgNbd, drawn: list[tuple], theta: tuple) -> None:
    rows = [(0, 0.0, 20.0, 3), *((x, t_x, t_x + rest, w) for x, t_x, rest, w in drawn)]
    frame = pd.DataFrame(rows, columns=["frequency", "recency", "T", "weight"])
    cells, theta = summaries.cells(frame), np.array(theta)
    _, slope = model.log_likelihood(theta, cells)
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5
        up, down = model.log_likelihood(theta + step, cells)[0], model.log_likelihood(theta - step, cells)[0]
        assert slope[i] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-4)


@both
def test_finite_for_a_thousand_purchases_and_ten_years_of_days(model: BgNbd) -> None:
    frame = pd.DataFrame(
        {"frequency": [0, 1, 1000, 1000], "recency": [0.0, 3650, 3650, 10], "T": [3650.0] * 4}
    )
    value, slope = model.log_likelihood(np.array([0.2, 30.0, 0.5, 4.0]), summaries.cells(frame))
    assert np.isfinite([value, *slope]).all()
    x, t_x, T = (frame[name].to_numpy(dtype=float) for name in ("frequency", "recency", "T"))
    theta = np.array([0.2, 30.0, 0.5, 4.0])
    alive, bought = model.p_alive(theta, x, t_x, T), model.purchases(theta, x, T, 3650.0)
    assert ((alive >= 0) & (alive <= 1)).all()
    assert (np.isfinite(bought) & (bought > 0)).all()
