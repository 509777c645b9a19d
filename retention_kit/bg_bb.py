"""BG/BB: purchases at set occasions (a yearly gift, a weekly box), until an unseen end.

Both chances, of buying at an occasion and of leaving before it, differ between customers by a beta
distribution. Numbers are for customers with x repeat purchases, the last at occasion t_x, of T occasions.

References
----------
Fader, Hardie and Shang (2010), Customer-base analysis in a discrete-time noncontractual setting.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from retention_kit.exceptions import DataError
from retention_kit.summaries import Cells


@dataclass(frozen=True)
class BgBb:
    """The likelihood and the predictions."""

    name: str = "bg_bb"
    names: tuple[str, ...] = ("alpha", "beta", "gamma", "delta")

    def start(self, cells: Cells) -> dict[str, float]:
        """Where a search begins: the shares as observed. Occasions are whole numbers here."""
        for column in (cells.recency, cells.T):
            if (column.distinct != np.floor(column.distinct)).any():
                raise DataError(
                    "BG/BB counts occasions, so recency and T are whole numbers of them. "
                    "For purchases at any time fit fit_mbg_nbd or fit_pareto_nbd."
                )
        if (cells.frequency.each > cells.recency.each).any():
            raise DataError("BG/BB: a customer has more repeat purchases than occasions up to the last one.")
        share = cells.weight @ cells.frequency.each / max(cells.weight @ cells.T.each, 1e-9)
        share = float(np.clip(share, 0.01, 0.99))
        return {"alpha": share, "beta": 1 - share, "gamma": 0.5, "delta": 2.5}

    def log_likelihood(self, theta: np.ndarray, cells: Cells) -> tuple[float, np.ndarray]:
        """Summed over customers, with its gradient by the parameters."""
        x, t_x, n = cells.frequency.each, cells.recency.each, cells.T.each
        both, slopes = _log_sum(theta, x, t_x, n)
        return float(cells.weight @ both), slopes @ cells.weight

    def identifiable(self, x: np.ndarray) -> np.ndarray:
        """Whose P(alive) the data speak of: everybody's."""
        return np.ones(len(x), bool)

    def p_alive(self, theta: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        both, _ = _log_sum(theta, x, t_x, T)
        return np.exp(_alive(theta, x, T) - both)

    def stays(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """P(alive at occasion T + t), of those alive at T."""
        _, _, gamma, delta = theta
        return np.exp(special.betaln(gamma, delta + T + t) - special.betaln(gamma, delta + T))

    def rate(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected purchases at occasion T + t, of those alive at T."""
        alpha, beta, _, _ = theta
        return (alpha + x) / (alpha + beta + T) * self.stays(theta, x, T, t)

    def purchases(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected purchases at the `t` occasions after T, of those alive at T."""
        return sum((self.rate(theta, x, T, j) for j in range(1, round(t) + 1)), np.zeros(len(x)))

    def p_purchases(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float, most: int) -> np.ndarray:
        """P(0, 1, ..., `most` purchases at the `t` occasions after T), of those alive at T."""
        alpha, beta, _, _ = theta
        n, t = np.arange(most + 1), round(t)
        a, b = alpha + x[:, None], (beta + T - x)[:, None]
        staying = [self.stays(theta, x, T, j)[:, None] for j in range(t + 1)]
        found = np.zeros((len(x), most + 1))
        for lasted in range(t + 1):  # how many of the occasions a customer is still there for
            chance = staying[lasted] - (staying[lasted + 1] if lasted < t else 0)
            missed = np.maximum(lasted - n, 0)
            log_binomial = special.gammaln(lasted + 1) - special.gammaln(n + 1) - special.gammaln(missed + 1)
            ways = np.exp(log_binomial + special.betaln(a + n, b + missed) - special.betaln(a, b))
            found += chance * np.where(n <= lasted, ways, 0)
        return found

    def discounted(
        self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, until: float, discount: float
    ) -> np.ndarray:
        """Expected purchases at the `until` occasions after T, each worth e^(-discount t) at the t-th."""
        last = round(min(until, 40 / discount if discount > 0 else until))
        found = np.zeros(len(x))
        for t in range(1, last + 1):
            found += self.rate(theta, x, T, t) * np.exp(-discount * t)
        return found

    def pairs(self, theta: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected N (N - 1) of the N purchases at the t occasions after T, of those alive at T."""
        alpha, beta, _, _ = theta
        both = (alpha + x) * (alpha + x + 1) / ((alpha + beta + T) * (alpha + beta + T + 1))
        staying = (2 * (j - 1) * self.stays(theta, x, T, j) for j in range(1, round(t) + 1))
        return both * sum(staying, np.zeros(len(x)))


def _alive(theta: np.ndarray, x: np.ndarray, n: np.ndarray) -> np.ndarray:
    alpha, beta, gamma, delta = theta
    return (
        special.betaln(alpha + x, beta + n - x) - special.betaln(alpha, beta)
        + special.betaln(gamma, delta + n) - special.betaln(gamma, delta)
    )  # fmt: skip


def _log_sum(
    theta: np.ndarray, x: np.ndarray, t_x: np.ndarray, n: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The log-likelihood of each customer, and its derivatives.

    A customer is alive at n, or left at one of the occasions after t_x: a sum with a term for each.
    """
    alpha, beta, gamma, delta = theta
    psi, base = special.digamma, special.betaln(alpha, beta) + special.betaln(gamma, delta)
    log_terms, slopes = [_alive(theta, x, n)], [_slopes(theta, x, n - x, n, alive=True)]
    for i in range(int((n - t_x).max(initial=0))):
        at = t_x + i
        term = special.betaln(alpha + x, beta + at - x) + special.betaln(gamma + 1, delta + at) - base
        log_terms.append(np.where(at < n, term, -np.inf))
        slopes.append(_slopes(theta, x, at - x, at, alive=False))
    stacked = np.array(log_terms)
    both = special.logsumexp(stacked, axis=0)
    shares = np.exp(stacked - both)
    slope = np.einsum("tn,tpn->pn", shares, np.array(slopes))
    ab, gd = psi(alpha + beta), psi(gamma + delta)
    constant = np.array([ab - psi(alpha), ab - psi(beta), gd - psi(gamma), gd - psi(delta)])
    return both, slope + constant[:, None]


def _slopes(
    theta: np.ndarray, x: np.ndarray, missed: np.ndarray, at: np.ndarray, *, alive: bool
) -> np.ndarray:
    alpha, beta, gamma, delta = theta
    psi, left = special.digamma, 0 if alive else 1
    all_bought, all_left = psi(alpha + beta + x + missed), psi(gamma + delta + at + left)
    return np.array(
        [
            psi(alpha + x) - all_bought,
            psi(beta + missed) - all_bought,
            psi(gamma + left) - all_left,
            psi(delta + at) - all_left,
        ]
    )


BG_BB = BgBb()
