"""Integrals over the time to come, of what fades like a power of time: nodes close at first, then wide."""

from collections.abc import Iterator

import numpy as np
from scipy import special

_NODES, _WEIGHTS = special.roots_legendre(32)
#: Discounted to e^-40, nothing is left.
_ENDLESS = 40.0


def over_time(
    scale: np.ndarray, until: float, discount: float = 0.0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Moments from 0 to `until` and their weights, discounted: each a value a customer.

    `scale` is the time over which a customer's rate falls noticeably; `until` may be infinite where there
    is a discount.
    """
    end = min(until, _ENDLESS / discount) if discount > 0 else until
    reach = np.log1p(end / scale)
    for node, weight in zip((_NODES + 1) / 2, _WEIGHTS / 2, strict=True):
        moment = scale * np.expm1(node * reach)
        yield moment, weight * reach * (scale + moment) * np.exp(-discount * moment)
