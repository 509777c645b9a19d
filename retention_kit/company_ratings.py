"""What the invented company's customers answer beside the score: how they liked this and that."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from retention_kit.company_truth import Truth


def draw_ratings(rng: np.random.Generator, truth: Truth, score: pd.Series) -> dict[str, pd.Series]:
    """An answer to each further question, some blank, by question.

    Each goes with the score as strongly as its loading says, and with the other questions only through the
    score: so it is known which of them matter for it, and how much.
    """
    known = score.notna().to_numpy()
    standing = np.zeros(score.size)
    place = score[known].rank().to_numpy() - 0.5  # of equal scores all stand in the middle
    standing[known] = ndtri(place / max(known.sum(), 1))
    answers = {}
    for question, loading in truth.loadings.items():
        chance = rng.standard_normal(score.size)
        leaning = loading * standing + np.sqrt(1 - loading**2) * chance
        place = np.argsort(np.argsort(leaning)) / max(score.size, 1)
        shares = truth.rating_shares[question]
        steps = np.searchsorted(np.cumsum(list(shares.values()))[:-1], place, side="right")
        rating = pd.Series(np.array(list(shares))[steps], index=score.index, dtype="Int64")
        answers[question] = rating.mask(rng.random(score.size) < truth.rating_blank_rate)
    return answers
