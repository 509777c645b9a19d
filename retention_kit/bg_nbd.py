"""BG/NBD and its modification MBG/NBD: a steady rate of purchases, and after each a coin whether to go on.

Purchase rates differ between customers by a gamma distribution, the coins by a beta distribution. In the
modified model the coin is tossed after the first purchase too, so that who never came back may be gone.
Numbers are for customers with x repeat purchases, the last at t_x, observed until T; array in, array out.

References
----------
Fader, Hardie and Lee (2005), "Counting your customers" the easy way; Batislam, Denizel and Filiztekin (2007),
Empirical validation and comparison of models for customer base analysis.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from retention_kit.quadrature import over_time
from retention_kit.summaries import Cells, total

_NEAR_ONE = 1e-5


@dataclass(frozen=True)
class BgNbd:
    """The likelihood and the predictions; `first_coin` is what makes the modified model."""

    name: str
    first_coin: bool
    names: tuple[str, ...] = ("r", "alpha", "a", "b")

    def start(self, cells: Cells) -> dict[str, float]:
        """Where a search begins: rates as observed, a coin that mostly says go on."""
        time = total(cells.weight, cells.T.each) / cells.customers
        rate = max(total(cells.weight, cells.frequency.each) / cells.customers / max(time, 1e-9), 1e-9)
        return {"r": 0.5, "alpha": 0.5 / rate, "a": 0.8, "b": 2.5}

    def log_likelihood(self, theta: np.ndarray, cells: Cells) -> tuple[float, np.ndarray]:
        """Summed over customers, with its gradient by the parameters."""
        r, alpha, a, b = theta
        xs, by_x, w = cells.frequency.distinct, cells.frequency.index, cells.weight
        kept = b + self.first_coin  # one toss more was survived than there are repeat purchases
        tosses = self._log_tosses(xs, b)
        longer = r + cells.frequency.each
        log_t = cells.T.mapped(lambda T: np.log(alpha + T))
        silence = log_t - cells.recency.mapped(lambda t_x: np.log(alpha + t_x))
        log_odds = (np.log(a) - tosses)[by_x] + longer * silence  # of being gone
        smaller = np.exp(-np.abs(log_odds))  # far cheaper than expit and logaddexp, and as exact
        gone = w * np.where(log_odds > 0, 1, smaller) / (1 + smaller)

        n, customers, gone_x = w.sum(), cells.by_frequency, np.bincount(by_x, gone, len(xs))
        all_in = special.digamma(a + kept + xs)
        each = (
            special.gammaln(r + xs) - special.gammaln(r) + r * np.log(alpha)
            + special.gammaln(a + b) - special.gammaln(b)
            + special.gammaln(kept + xs) - special.gammaln(a + kept + xs)
        )  # fmt: skip
        value = (
            customers @ each - total(w, longer, log_t) + total(w, np.maximum(log_odds, 0) + np.log1p(smaller))
        )
        one_t = cells.T.mapped(lambda T: 1 / (alpha + T))
        one_tx = cells.recency.mapped(lambda t_x: 1 / (alpha + t_x))
        slope = [
            customers @ special.digamma(r + xs) + n * (np.log(alpha) - special.digamma(r))
            - total(w, log_t) + total(gone, silence),
            n * r / alpha - total(longer, w * one_t + gone * (one_tx - one_t)),
            n * special.digamma(a + b) - customers @ all_in + gone_x.sum() / a,
            n * (special.digamma(a + b) - special.digamma(b))
            + customers @ (special.digamma(kept + xs) - all_in) - gone_x @ np.exp(-tosses),
        ]  # fmt: skip
        return float(value), np.array(slope)

    def _log_tosses(self, x: np.ndarray, b: float) -> np.ndarray:
        """The logarithm of what a customer gone after x purchases is divided by; without a first coin
        nobody can be gone after none, and the division is by infinity."""
        if self.first_coin:
            return np.log(b + x)
        with np.errstate(divide="ignore"):
            return np.where(x > 0, np.log(np.maximum(b + x - 1, 1e-300)), np.inf)

    def identifiable(self, x: np.ndarray) -> np.ndarray:
        """Whose P(alive) the data speak of: without a first coin it is 1 for every one-time buyer, by
        construction and whatever happened."""
        return np.ones(len(x), bool) if self.first_coin else x > 0

    def p_alive(self, theta: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        r, alpha, a, b = theta
        log_odds = np.log(a) - self._log_tosses(x, b) + (r + x) * (np.log(alpha + T) - np.log(alpha + t_x))
        return special.expit(-log_odds)

    def stays(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """P(alive at T + t), of those alive at T."""
        r, _, a, b, z = self._later(theta, T, t)
        return (1 - z) ** a * special.hyp2f1(a + b - r, a, a + b + x, z)

    def rate(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected purchases in a unit of time at T + t, of those alive at T."""
        r, alpha, a, b, z = self._later(theta, T, t)
        return (r + x) / (alpha + T) * (1 - z) ** a * special.hyp2f1(a + b - r - 1, a, a + b + x, z)

    def purchases(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected purchases in (T, T + t], of those alive at T.

        The published form has powers that overflow for frequent customers; Euler's transformation of the
        hypergeometric function takes them out.
        """
        if abs(theta[2] - 1) < _NEAR_ONE:  # the formula divides by a - 1, its limit is smooth
            near = [np.array([*theta[:2], 1 + 2 * side * _NEAR_ONE, theta[3]]) for side in (-1, 1)]
            return sum(self.purchases(each, x, T, t) for each in near) / 2
        r, _, a, b, z = self._later(theta, T, t)
        left = (1 - z) ** (a - 1) * special.hyp2f1(a + b - 1 - r, a - 1, a + b + x - 1, z)
        return (a + b + x - 1) / (a - 1) * (1 - left)

    def _fades_over(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """The time in which a customer's rate falls noticeably: sooner where the coin mostly says stop."""
        r, alpha, a, b = theta
        stops = a / (a + b + self.first_coin + x)
        return (alpha + T) / np.maximum(1, (r + x + 1) * stops)

    def _later(self, theta: np.ndarray, T: np.ndarray, t: float) -> tuple:
        """The parameters with the tosses of before in them, and how far t reaches."""
        r, alpha, a, b = theta
        return r, alpha, a, b + self.first_coin, t / (alpha + T + t)

    def p_purchases(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float, most: int) -> np.ndarray:
        """P(0, 1, ..., `most` purchases in (T, T + t]), of those alive at T: a row a customer."""
        r, alpha, a, b, z = self._later(theta, T, t)
        r, alpha, b = r + x, alpha + T, b + x
        n = np.arange(most + 1)
        shape, share = r[:, None] + n, np.log(z)[:, None]
        log_poisson = (
            special.gammaln(shape) - special.gammaln(r)[:, None] - special.gammaln(n + 1)
            + (r * np.log1p(-z))[:, None] + n * share
        )  # fmt: skip
        poisson = np.exp(log_poisson)
        goes_on = np.exp(_log_beta(a, b[:, None] + n) - special.betaln(a, b)[:, None])
        at_least = 1 - np.cumsum(poisson, axis=1) + poisson
        stops = np.exp(_log_beta(a + 1, b[:, None] + n - 1) - special.betaln(a, b)[:, None]) * at_least
        stops[:, 0] = 0
        return goes_on * poisson + stops

    def discounted(
        self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, until: float, discount: float
    ) -> np.ndarray:
        """Expected purchases in (T, T + until], each worth e^(-discount t) at T + t, of those alive at T."""
        nodes = over_time(self._fades_over(theta, x, T), until, discount)
        return sum(weight * self.rate(theta, x, T, t) for t, weight in nodes)

    def pairs(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected N (N - 1) of the N purchases in (T, T + t], of those alive at T, for their variance."""
        found = np.zeros(len(x))
        for v, weight in over_time(self._fades_over(theta, x, T), t):
            r, alpha, a, b, z = self._later(theta, T, v)
            both = (r + x) * (r + x + 1) / (alpha + T) ** 2 * (b + x) / (a + b + x)
            lasts = (1 - z) ** a * special.hyp2f1(a + b - r - 1, a, a + b + x + 1, z)
            found += weight * 2 * v * both * lasts
        return found


def _log_beta(a: float, b: np.ndarray) -> np.ndarray:
    return special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b)


BG_NBD = BgNbd("bg_nbd", first_coin=False)
MBG_NBD = BgNbd("mbg_nbd", first_coin=True)
