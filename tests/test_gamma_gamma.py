"""Gamma-Gamma: means drawn towards everybody's, variances, the gradient."""

import numpy as np
import pytest
from scipy import integrate, stats

from retention_kit import gamma_gamma

# Fader and Hardie (2013), the CDNOW sample.
PUBLISHED = np.array([6.249575, 3.744224, 15.443512])


def test_expected_is_between_ones_own_mean_and_everybodys() -> None:
    p, q, gamma = PUBLISHED
    everybody = p * gamma / (q - 1)
    x, z = np.array([0.0, 1, 2, 50]), np.array([0.0, 11.77, 22.35, 22.35])
    found = gamma_gamma.expected(PUBLISHED, x, z)
    assert found[0] == pytest.approx(everybody)
    assert 11.77 < found[1] < everybody
    assert 22.35 < found[3] < found[2] < everybody
    # The weight of one's own mean is p x / (p x + q - 1).
    own = p * 2 / (p * 2 + q - 1)
    assert found[2] == pytest.approx(own * 22.35 + (1 - own) * everybody)


def test_variances_are_those_of_the_distributions() -> None:
    p, q, gamma = PUBLISHED
    x, z = 2.0, 22.35
    scatter = stats.gamma(q + p * x, scale=1 / (gamma + x * z))
    within = integrate.quad(lambda v: p / v**2 * scatter.pdf(v), 0, np.inf)[0]
    mean = integrate.quad(lambda v: p / v * scatter.pdf(v), 0, np.inf)[0]
    between = integrate.quad(lambda v: (p / v - mean) ** 2 * scatter.pdf(v), 0, np.inf)[0]
    found = gamma_gamma.variances(PUBLISHED, np.array([x]), np.array([z]))
    assert [each.item() for each in found] == pytest.approx([within, between], rel=1e-7)
    assert gamma_gamma.expected(PUBLISHED, np.array([x]), np.array([z])).item() == pytest.approx(mean)


def test_variance_without_end() -> None:
    found = gamma_gamma.variances(np.array([1.0, 1.5, 10.0]), np.array([0.0]), np.array([0.0]))
    assert np.isinf(found).all()


def test_gradient() -> None:
    x, z, w = np.array([1.0, 3, 9]), np.array([12.0, 40, 25]), np.array([2.0, 1, 5])
    theta = np.array([3.0, 2.5, 20.0])
    _, slope = gamma_gamma.log_likelihood(theta, x, z, w)
    for i in range(3):
        step = np.zeros(3)
        step[i] = 1e-6
        up = gamma_gamma.log_likelihood(theta + step, x, z, w)[0]
        down = gamma_gamma.log_likelihood(theta - step, x, z, w)[0]
        assert slope[i] == pytest.approx((up - down) / 2e-6, rel=1e-5)
