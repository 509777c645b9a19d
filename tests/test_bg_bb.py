"""BG/BB: the published donors, and the likelihood as a sum over what may have happened."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import special

from retention_kit import btyd, summaries
from retention_kit.bg_bb import BG_BB
from retention_kit.exceptions import DataError

# Fader, Hardie and Shang (2010), table 2: repeat gifts of 11,104 people in six years after a first in 1995.
DONORS = pd.DataFrame(
    [
        (0, 0, 3464), (1, 1, 1091), (1, 2, 277), (1, 3, 129), (1, 4, 78), (1, 5, 119), (1, 6, 129),
        (2, 2, 613), (2, 3, 255), (2, 4, 155), (2, 5, 173), (2, 6, 234), (3, 3, 322), (3, 4, 181),
        (3, 5, 225), (3, 6, 357), (4, 4, 240), (4, 5, 284), (4, 6, 512), (5, 5, 335),
        (5, 6, 728), (6, 6, 1203),
    ],
    columns=["frequency", "recency", "weight"],
).assign(T=6)  # fmt: skip


def test_published_fit() -> None:
    fit = btyd.fit_bg_bb(DONORS, unit="year")
    assert [round(value, 3) for value in fit.params.values()] == [1.204, 0.750, 0.657, 2.783]
    assert fit.log_likelihood == pytest.approx(-33225.6, abs=0.05)
    assert fit.customers == 11104


def test_published_forecast() -> None:
    # Expected gifts in the next five years, in their table: 3.75 for 6 of 6, 0.07 for none.
    fit = btyd.fit_bg_bb(DONORS, unit="year")
    x, t_x, T = np.array([6.0, 0]), np.array([6.0, 0]), np.array([6.0, 6])
    found = BG_BB.p_alive(fit.theta, x, t_x, T) * BG_BB.purchases(fit.theta, x, T, 5)
    assert found.round(2).tolist() == [3.75, 0.07]


def test_likelihoods_of_all_histories_add_up_to_one() -> None:
    theta = np.array([1.2, 0.75, 0.66, 2.8])
    histories = list(itertools.product([0, 1], repeat=5))
    frame = pd.DataFrame(
        {
            "frequency": [sum(history) for history in histories],
            "recency": [
                max((i + 1 for i, bought in enumerate(history) if bought), default=0) for history in histories
            ],
            "T": 5,
        }
    )
    chance = [
        np.exp(BG_BB.log_likelihood(theta, summaries.cells(frame.iloc[[i]]))[0]) for i in range(len(frame))
    ]
    assert sum(chance) == pytest.approx(1, rel=1e-12)


def test_likelihood_by_hand() -> None:
    # Bought at the first of two occasions: gone before the second, or there and not buying.
    a, b, g, d = theta = np.array([2.0, 3.0, 1.5, 4.0])
    buys = special.beta(a + 1, b) / special.beta(a, b)
    leaves_second = special.beta(g + 1, d + 1) / special.beta(g, d)
    stays_twice = special.beta(g, d + 2) / special.beta(g, d)
    buys_once_of_two = special.beta(a + 1, b + 1) / special.beta(a, b)
    frame = pd.DataFrame({"frequency": [1], "recency": [1], "T": [2]})
    value, _ = BG_BB.log_likelihood(theta, summaries.cells(frame))
    assert np.exp(value) == pytest.approx(buys * leaves_second + buys_once_of_two * stays_twice)


def test_gradient() -> None:
    cells, theta = summaries.cells(DONORS), np.array([1.1, 0.6, 0.9, 2.0])
    _, slope = BG_BB.log_likelihood(theta, cells)
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5
        up, down = BG_BB.log_likelihood(theta + step, cells)[0], BG_BB.log_likelihood(theta - step, cells)[0]
        assert slope[i] == pytest.approx((up - down) / 2e-5, rel=1e-6)


def test_probabilities_agree_with_mean_and_variance() -> None:
    theta, n = np.array([1.204, 0.750, 0.657, 2.783]), np.arange(6)
    x, T = np.array([6.0, 3, 0]), np.array([6.0, 6, 6])
    p = BG_BB.p_purchases(theta, x, T, 5, 5)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(p @ n, BG_BB.purchases(theta, x, T, 5))
    np.testing.assert_allclose(p @ (n * (n - 1)), BG_BB.pairs(theta, x, T, 5))
    np.testing.assert_allclose(BG_BB.discounted(theta, x, T, 5, 0.0), BG_BB.purchases(theta, x, T, 5))
    assert (BG_BB.discounted(theta, x, T, np.inf, 0.1) > BG_BB.discounted(theta, x, T, 5, 0.1)).all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"frequency": [1], "recency": [1.5], "T": [6]},
            "BG/BB counts occasions, so recency and T are whole numbers of them. "
            "For purchases at any time fit fit_mbg_nbd or fit_pareto_nbd.",
        ),
        (
            {"frequency": [3], "recency": [2], "T": [6]},
            "BG/BB: a customer has more repeat purchases than occasions up to the last one.",
        ),
    ],
)
def test_what_are_no_occasions_is_refused(row: dict, message: str) -> None:
    frame = pd.concat([DONORS, pd.DataFrame(row).assign(weight=1)])
    with pytest.raises(DataError) as caught:
        btyd.fit_bg_bb(frame, unit="year")
    assert str(caught.value) == message
