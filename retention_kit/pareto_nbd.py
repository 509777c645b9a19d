"""Pareto/NBD: purchases at a steady rate until an unseen end, which may come at any moment.

Purchase rates differ between customers by a gamma distribution, and so do the rates of leaving. Numbers are
for customers with x repeat purchases, the last at t_x, observed until T; array in, array out.

References
----------
Schmittlein, Morrison and Colombo (1987), Counting your customers: who are they and what will they do next?;
Fader and Hardie (2005), A note on deriving the Pareto/NBD model and related expressions.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from retention_kit.quadrature import over_time
from retention_kit.summaries import Cells, total

#: Nodes of Gauss and Legendre for the time between the last purchase and the end of observation.
_NODES, _WEIGHTS = special.roots_legendre(24)
_SHARES, _SHARE_WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
_CHUNK = 4_000
#: What has fallen by e^-45 adds nothing.
_NOTHING = 45.0


@dataclass(frozen=True)
class ParetoNbd:
    """The likelihood and the predictions."""

    name: str = "pareto_nbd"
    names: tuple[str, ...] = ("r", "alpha", "s", "beta")

    def start(self, cells: Cells) -> dict[str, float]:
        """Where a search begins: rates as observed, and a life about as long as the observation."""
        time = max(total(cells.weight, cells.T.each) / cells.customers, 1e-9)
        rate = max(total(cells.weight, cells.frequency.each) / cells.customers / time, 1e-9)
        return {"r": 0.5, "alpha": 0.5 / rate, "s": 0.5, "beta": 0.5 * time}

    def log_likelihood(self, theta: np.ndarray, cells: Cells) -> tuple[float, np.ndarray]:
        """Summed over customers, with its gradient by the parameters."""
        value, slope = 0.0, np.zeros(4)
        x, t_x, T = cells.frequency.each, cells.recency.each, cells.T.each
        for part in range(0, len(x), _CHUNK):
            rows = slice(part, part + _CHUNK)
            each, slopes = _each(theta, x[rows], t_x[rows], T[rows])
            value += total(cells.weight[rows], each)
            slope += [total(cells.weight[rows], by_one) for by_one in slopes]
        return value, slope

    def identifiable(self, x: np.ndarray) -> np.ndarray:
        """Whose P(alive) the data speak of: everybody's."""
        return np.ones(len(x), bool)

    def p_alive(self, theta: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        parts = [slice(part, part + _CHUNK) for part in range(0, len(x), _CHUNK)]
        found = [_alive_and_gone(theta, x[rows], t_x[rows], T[rows])[:2] for rows in parts]
        return np.concatenate([special.expit(alive - gone) for alive, gone in found])

    def stays(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """P(alive at T + t), of those alive at T."""
        _, _, s, beta = theta
        return ((beta + T) / (beta + T + t)) ** s

    def rate(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected purchases in a unit of time at T + t, of those alive at T."""
        r, alpha, _, _ = theta
        return (r + x) / (alpha + T) * self.stays(theta, x, T, t)

    def purchases(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected purchases in (T, T + t], of those alive at T."""
        r, alpha, s, beta = theta
        shrinks = -np.log1p(t / (beta + T))
        # (1 - q^(s - 1)) / (s - 1), which has a limit at s = 1
        time = -shrinks * special.exprel((s - 1) * shrinks)
        return (r + x) * (beta + T) / (alpha + T) * time

    def p_purchases(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float, most: int) -> np.ndarray:
        """P(0, 1, ..., `most` purchases in (T, T + t]), of those alive at T: a row a customer."""
        r, alpha, s, beta = theta
        n = np.arange(most + 1)
        found = self.stays(theta, x, T, t)[:, None] * _negative_binomial(r + x, alpha + T, t, n)
        # Who leaves at T + y has bought for a time of y; shares of leaving are evenly spread in 1 - stays.
        left_by_t = 1 - self.stays(theta, x, T, t)
        for share, weight in zip(_SHARES, _SHARE_WEIGHTS, strict=True):
            y = (beta + T) * np.expm1(-np.log1p(-share * left_by_t) / s)
            found += (weight * left_by_t)[:, None] * _negative_binomial(r + x, alpha + T, y, n)
        return found

    def discounted(
        self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, until: float, discount: float
    ) -> np.ndarray:
        """Expected purchases in (T, T + until], each worth e^(-discount t) at T + t, of those alive at T."""
        _, _, s, beta = theta
        nodes = over_time((beta + T) / max(1, s), until, discount)
        return sum(weight * self.rate(theta, x, T, t) for t, weight in nodes)

    def pairs(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected N (N - 1) of the N purchases in (T, T + t], of those alive at T, for their variance."""
        r, alpha, s, beta = theta
        nodes = over_time((beta + T) / max(1, s), t)
        squared = sum(weight * 2 * v * self.stays(theta, x, T, v) for v, weight in nodes)
        return (r + x) * (r + x + 1) / (alpha + T) ** 2 * squared


def _each(theta: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The log-likelihood of each customer and its derivatives by the four parameters."""
    r, alpha, s, beta = theta
    alive, gone, means = _alive_and_gone(theta, x, t_x, T)
    both = np.logaddexp(alive, gone)
    p_alive, p_gone = np.exp(alive - both), np.exp(gone - both)
    value = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta) + both
    log_a, log_b, one_a, one_b = means  # means over when those who are gone have gone
    slopes = [
        special.digamma(r + x)
        - special.digamma(r)
        + np.log(alpha)
        - p_alive * np.log(alpha + T)
        - p_gone * log_a,
        r / alpha - (r + x) * (p_alive / (alpha + T) + p_gone * one_a),
        np.log(beta) - p_alive * np.log(beta + T) + p_gone * (1 / s - log_b),
        s / beta - p_alive * s / (beta + T) - p_gone * (s + 1) * one_b,
    ]
    return value, np.array(slopes)


def _alive_and_gone(
    theta: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple]:
    """The logarithms of being alive at T and of having gone between t_x and T, up to a common factor; and,
    of those who have gone, four means over the moment they left.

    Gone is an integral over that moment, y, of (alpha + y)^-(r + x) (beta + y)^-(s + 1). It is taken over
    the logarithm of the time since t_x, in units of what the integrand falls by at first: there it is smooth
    for any number of purchases. The published form is a difference of two hypergeometric functions, which
    cancel.
    """
    r, alpha, s, beta = theta
    alive = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
    unit = 1 / ((r + x) / (alpha + t_x) + (s + 1) / (beta + t_x))
    vanishes = (alpha + t_x) * np.expm1(np.minimum(_NOTHING / (r + x), 500.0))
    reach = np.log1p(np.minimum(T - t_x, vanishes) / unit)
    u = reach[:, None] * _SHARES
    y = t_x[:, None] + unit[:, None] * np.expm1(u)
    log_a, log_b = np.log(alpha + y), np.log(beta + y)
    log_f = u - (r + x)[:, None] * log_a - (s + 1) * log_b
    top = log_f.max(axis=1)
    weights = np.exp(log_f - top[:, None]) * _SHARE_WEIGHTS
    mass = weights.sum(axis=1)
    with np.errstate(divide="ignore"):
        gone = np.log(s) + top + np.log(mass * reach * unit)
    each = (log_a, log_b, 1 / (alpha + y), 1 / (beta + y))
    means = (np.einsum("ij,ij->i", weights, one) / mass for one in each)
    return alive, gone, tuple(means)


def _negative_binomial(r: np.ndarray, alpha: np.ndarray, t: float | np.ndarray, n: np.ndarray) -> np.ndarray:
    """P(n purchases in a time of t), at rates of a gamma distribution."""
    t = np.broadcast_to(t, r.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.log(t / (alpha + t))[:, None]
        counted = np.where(n == 0, 0.0, n * share)
    return np.exp(
        special.gammaln(r[:, None] + n) - special.gammaln(r)[:, None] - special.gammaln(n + 1)
        + (r * (np.log(alpha) - np.log(alpha + t)))[:, None] + counted
    )  # fmt: skip


PARETO_NBD = ParetoNbd()
