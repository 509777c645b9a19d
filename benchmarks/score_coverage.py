"""How often each interval of a Net Promoter Score holds the true one, counted out and not simulated.

A sample of n answers can come out in (n + 1)(n + 2) / 2 ways. Of each the chance is known and the bounds
are drawn, so the share of samples whose bounds hold the truth is exact. `python -m benchmarks.score_coverage`
asks it of true shares all over the scale.
"""

import sys
from collections.abc import Sequence

import numpy as np
from scipy import stats

from retention_kit import score_intervals

ANSWERS = (10, 30, 100)
#: The least that a method may hold anywhere on the grid, by answers; others are not relied on.
LEAST = {"adjusted_wald": {10: 0.92, 30: 0.93, 100: 0.94}, "score": {10: 0.93, 30: 0.93, 100: 0.94}}
_STEP = 0.05


def samples(answers: int) -> np.ndarray:
    """Every way in which so many answers can fall into promoters, passives and detractors, a row each."""
    up, down = np.meshgrid(np.arange(answers + 1), np.arange(answers + 1))
    up, down = up.ravel(), down.ravel()
    counts = np.column_stack([up, answers - up - down, down])
    return counts[counts[:, 1] >= 0]


def coverage(interval: str, shares: Sequence[Sequence[float]], answers: int) -> np.ndarray:
    """The share of samples of so many answers whose bounds hold the true score, for each row of true shares.

    >>> coverage("wald", [(0.9, 0.08, 0.02)], 10).round(3)
    array([0.649])
    """
    drawn = samples(answers)
    low, high = score_intervals.METHODS[interval].bounds(*drawn.T)
    held = []
    for true in np.asarray(shares, dtype="float64"):
        score = 100 * (true[0] - true[2])
        chance = stats.multinomial.pmf(drawn, answers, true / true.sum())
        held.append(chance[(low <= score + 1e-9) & (high >= score - 1e-9)].sum())
    return np.array(held)


def grid() -> np.ndarray:
    """True shares all over the scale: none below one in twenty."""
    steps = np.arange(_STEP, 1, _STEP)
    up, down = (each.ravel() for each in np.meshgrid(steps, steps))
    shares = np.column_stack([up, 1 - up - down, down])
    return shares[shares[:, 1] > _STEP - 1e-9]


def main() -> None:
    """Print the table in Markdown; end with code 1 where a method that is relied on holds too seldom."""
    shares = grid()
    print(f"{len(shares)} true scores, per cent of samples whose 95 % bounds hold: mean, least\n")
    head = " | ".join(f"{answers} answers" for answers in ANSWERS)
    print(f"| interval | {head} |\n|---|{'---:|' * len(ANSWERS)}")
    missed = []
    for name in score_intervals.METHODS:
        found = {answers: coverage(name, shares, answers) for answers in ANSWERS}
        cells = " | ".join(f"{100 * held.mean():.1f}, {100 * held.min():.1f}" for held in found.values())
        print(f"| {name} | {cells} |", flush=True)
        least = LEAST.get(name, {})
        missed += [name for answers, held in found.items() if held.min() < least.get(answers, 0)]
    if missed:
        print(f"\nToo seldom: {missed}")
        sys.exit(1)


if __name__ == "__main__":
    main()
