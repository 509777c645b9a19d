"""Integrals over time to come, against their closed forms."""

import numpy as np
import pytest
from scipy import special

from retention_kit.quadrature import over_time


@pytest.mark.parametrize("power", [0.3, 1.5, 40.0])
@pytest.mark.parametrize("until", [0.1, 10.0, 3650.0])
def test_powers_of_time(power: float, until: float) -> None:
    scale = np.array([0.5, 12.0, 900.0])
    nodes = over_time(scale / max(1, power), until)
    found = sum(weight * (scale / (scale + t)) ** power for t, weight in nodes)
    exact = scale / (1 - power) * ((1 + until / scale) ** (1 - power) - 1)
    np.testing.assert_allclose(found, exact, rtol=1e-6)


def test_for_ever_with_a_discount() -> None:
    # The integral of e^(-d t) (c / (c + t))^s is c U(1, 2 - s, d c).
    scale, discount, power = np.array([5.0, 40.0]), 0.002, 0.6
    found = sum(weight * (scale / (scale + t)) ** power for t, weight in over_time(scale, np.inf, discount))
    np.testing.assert_allclose(found, scale * special.hyperu(1, 2 - power, discount * scale), rtol=1e-6)
