"""Gamma-Gamma: what a purchase of a customer is worth on average, from the few that were seen.

A customer's purchases scatter by a gamma distribution around a mean of their own, and these means differ
between customers. A mean of few purchases is drawn towards everybody's, one of many is left as it is.
Numbers are for customers with x repeat purchases of mean value z; array in, array out.

References
----------
Fader and Hardie (2013), The Gamma-Gamma model of monetary value.
"""

import numpy as np
from scipy import special

NAME = "gamma_gamma"


def start(x: np.ndarray, z: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Where a search begins: a mean as observed."""
    mean = float((weight * x) @ z / (weight @ x))
    return {"p": 2.0, "q": 3.0, "gamma": max(mean, 1e-9)}


def log_likelihood(
    theta: np.ndarray, x: np.ndarray, z: np.ndarray, weight: np.ndarray
) -> tuple[float, np.ndarray]:
    """Summed over customers with x above 0, with its gradient by p, q and gamma."""
    p, q, gamma = theta
    n, px, total = weight.sum(), p * x, np.log(gamma + x * z)
    each = (
        special.gammaln(px + q)
        - special.gammaln(px)
        + (px - 1) * np.log(z)
        + px * np.log(x)
        - (px + q) * total
    )  # fmt: skip
    value = float(weight @ each + n * (q * np.log(gamma) - special.gammaln(q)))
    psi = special.digamma(px + q)
    slope = [
        weight @ (x * (psi - special.digamma(px) + np.log(z) + np.log(x) - total)),
        weight @ (psi - total) + n * (np.log(gamma) - special.digamma(q)),
        n * q / gamma - weight @ ((px + q) / (gamma + x * z)),
    ]
    return value, np.array(slope)


def expected(theta: np.ndarray, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The mean value of a customer's purchases to come; with x = 0, everybody's. Endless for q up to 1."""
    p, q, gamma = theta
    return p * (gamma + x * z) / (p * x + q - 1)


def variances(theta: np.ndarray, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of one purchase around a customer's own mean, and of that mean around what is expected of it.

    Endless where q + p x is up to 2.
    """
    p, q, gamma = theta
    shape, scale = q + p * x, gamma + x * z
    with np.errstate(divide="ignore"):
        both = np.where(shape > 2, scale**2 / ((shape - 1) * np.maximum(shape - 2, 0)), np.inf)
    return p * both, p**2 * both / (shape - 1)
