"""What is true of the invented company behind `datasets.demo_*`, and what its days look like.

`Truth` holds what a lesson or a test compares an estimate with; the constants below it are scenery.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Truth:
    """The parameters the invented company is generated from; what a good estimate should come near.

    Rates are shares from 0 to 1, money is in euros, the clock of `bg_nbd` counts weeks.

    Attributes
    ----------
    name, seed, customers, start, as_of
        The company, the seed of its random numbers, its size, its first day, the first moment not observed.
    bg_nbd
        `r`, `alpha` (buying rate a week), `a`, `b` (chance to leave after a repeat purchase).
    gamma_gamma
        `p`, `q`, `gamma` of the spend an order, independent of how often a customer buys.
    fees
        Monthly fee by plan, the cheapest first.
    monthly_churn, monthly_upgrade, monthly_downgrade
        Chance at each monthly renewal to leave, to move one plan up, to move one plan down.
    return_rate, return_months
        Share of leavers who come back, each after 1 to `return_months` months.
    cancel_reasons, reason_unknown
        Shares of the reasons given; share of leavers who give none.
    score_shares
        By wave, then segment: shares of promoters, passives and detractors.
    waves, response_rate, blank_rate, comment_rates
        First day by wave; share of the invited who answer; share of the answers with no score; share with
        a comment, by band.
    liking
        What a score leans on, each between 0 and 1: the ranks of how fast a customer buys and how soon one
        drops out, leaving the membership within half a year, character, and chance. Scores follow what
        customers are and are about to do. Nothing follows from a score: raising one would keep nobody.
    loadings, rating_shares, rating_blank_rate
        By question, how strongly its answer goes with the score (correlation before both are cut into whole
        numbers; beyond the score the questions have nothing in common), and the shares of its answers, for
        both waves together; share of answers left blank.
    segments, margins, countries, channels, acquisition_costs, contactable
        Shares of customers by segment, country and first order's channel; margin by segment; mean cost of
        a new customer by channel; share who may be contacted.
    visits_after_order, visit_days
        Mean number of visits without an order that each order brings; the mean days until one.
    favourite_chance, favourite_days
        Chance of the `slowest` and the `keenest` buyer to save a favourite, and in between by the rank of
        the buying rate; within so many days of the first order. Saving one changes nothing that a
        customer does later: all the difference between who did and who did not is who they are.
    """

    name: str = "Larkmoor Coffee"
    seed: int = 20240701
    customers: int = 5000
    start: str = "2022-07-01"
    as_of: str = "2024-07-01"
    bg_nbd: Mapping[str, float] = field(default_factory=lambda: {"r": 0.65, "alpha": 7.0, "a": 0.7, "b": 3.2})
    gamma_gamma: Mapping[str, float] = field(default_factory=lambda: {"p": 5.0, "q": 4.5, "gamma": 28.0})
    fees: Mapping[str, float] = field(default_factory=lambda: {"basic": 9.0, "plus": 19.0, "family": 39.0})
    monthly_churn: Mapping[str, float] = field(
        default_factory=lambda: {"basic": 0.060, "plus": 0.040, "family": 0.028}
    )
    monthly_upgrade: Mapping[str, float] = field(
        default_factory=lambda: {"basic": 0.018, "plus": 0.010, "family": 0.0}
    )
    monthly_downgrade: Mapping[str, float] = field(
        default_factory=lambda: {"basic": 0.0, "plus": 0.010, "family": 0.014}
    )
    return_rate: float = 0.2
    return_months: int = 6
    cancel_reasons: Mapping[str, float] = field(
        default_factory=lambda: {
            "too expensive": 0.32,
            "not used enough": 0.26,
            "payment failed": 0.18,
            "delivery problems": 0.10,
            "went elsewhere": 0.09,
            "moved away": 0.05,
        }
    )
    reason_unknown: float = 0.15
    score_shares: Mapping[str, Mapping[str, Mapping[str, float]]] = field(
        default_factory=lambda: {
            "2023": {
                "household": {"promoters": 0.48, "passives": 0.29, "detractors": 0.23},
                "office": {"promoters": 0.50, "passives": 0.32, "detractors": 0.18},
                "café": {"promoters": 0.38, "passives": 0.32, "detractors": 0.30},
            },
            "2024": {
                "household": {"promoters": 0.55, "passives": 0.28, "detractors": 0.17},
                "office": {"promoters": 0.51, "passives": 0.32, "detractors": 0.17},
                "café": {"promoters": 0.40, "passives": 0.32, "detractors": 0.28},
            },
        }
    )
    waves: Mapping[str, str] = field(default_factory=lambda: {"2023": "2023-03-06", "2024": "2024-03-04"})
    response_rate: float = 0.38
    blank_rate: float = 0.015
    comment_rates: Mapping[str, float] = field(
        default_factory=lambda: {"promoters": 0.30, "passives": 0.22, "detractors": 0.50}
    )
    liking: Mapping[str, float] = field(
        default_factory=lambda: {
            "buying": 0.5,
            "leaving": -0.5,
            "leaves_soon": -0.35,
            "character": 0.8,
            "chance": 0.8,
        }
    )
    loadings: Mapping[str, float] = field(
        default_factory=lambda: {
            "quality": 0.70,
            "service": 0.55,
            "delivery": 0.40,
            "price": 0.20,
            "satisfaction": 0.75,
            "effort": 0.35,
        }
    )
    rating_shares: Mapping[str, Mapping[int, float]] = field(
        default_factory=lambda: {
            "quality": {1: 0.03, 2: 0.07, 3: 0.18, 4: 0.40, 5: 0.32},
            "service": {1: 0.05, 2: 0.10, 3: 0.23, 4: 0.36, 5: 0.26},
            "delivery": {1: 0.09, 2: 0.16, 3: 0.27, 4: 0.31, 5: 0.17},
            "price": {1: 0.10, 2: 0.21, 3: 0.33, 4: 0.26, 5: 0.10},
            "satisfaction": {1: 0.04, 2: 0.08, 3: 0.18, 4: 0.42, 5: 0.28},
            "effort": {1: 0.04, 2: 0.06, 3: 0.10, 4: 0.16, 5: 0.22, 6: 0.25, 7: 0.17},
        }
    )
    rating_blank_rate: float = 0.04
    segments: Mapping[str, float] = field(
        default_factory=lambda: {"household": 0.70, "office": 0.20, "café": 0.10}
    )
    margins: Mapping[str, float] = field(
        default_factory=lambda: {"household": 0.38, "office": 0.32, "café": 0.24}
    )
    countries: Mapping[str, float] = field(
        default_factory=lambda: {"Netherlands": 0.14, "Germany": 0.48, "Austria": 0.22, "Switzerland": 0.16}
    )
    channels: Mapping[str, float] = field(
        default_factory=lambda: {"marketplace": 0.22, "social": 0.26, "search": 0.34, "direct": 0.18}
    )
    acquisition_costs: Mapping[str, float] = field(
        default_factory=lambda: {"marketplace": 14.0, "social": 19.0, "search": 16.0, "direct": 4.0}
    )
    contactable: float = 0.84
    visits_after_order: float = 2.5
    visit_days: float = 12.0
    favourite_chance: Mapping[str, float] = field(default_factory=lambda: {"slowest": 0.10, "keenest": 0.60})
    favourite_days: int = 14

    @property
    def mean_order_value(self) -> float:
        """Mean spend an order over all customers, p gamma / (q - 1), in euros."""
        spend = self.gamma_gamma
        return spend["p"] * spend["gamma"] / (spend["q"] - 1)

    @property
    def favourite_rate(self) -> float:
        """Share of all customers who save a favourite within `favourite_days` of their first order."""
        return (self.favourite_chance["slowest"] + self.favourite_chance["keenest"]) / 2


# Orders by hour of the day, midnight first; and new customers by month, January first: both mild.
HOURS = np.array([2, 1, 1, 1, 1, 2, 6, 14, 22, 28, 30, 29, 30, 27, 25, 25, 27, 30, 34, 40, 42, 34, 18, 7])
SEASON = np.array([0.95, 0.95, 1.0, 1.0, 0.95, 0.9, 0.85, 0.85, 1.0, 1.05, 1.25, 1.25])
GROWTH = 0.4  # new customers a day rise by this share over the two years
PRODUCTS = {"beans": 0.38, "ground coffee": 0.22, "capsules": 0.18, "tea": 0.15, "equipment": 0.07}
JOINING_PLANS = (0.55, 0.30, 0.15)  # shares of the plans a membership begins on, the cheapest first
ANSWER_DAYS = 6.0  # mean wait between the invitation and the answer; nobody answers after four weeks
SURVEY_DAYS = 28
SCORES = {  # how an answer spreads inside its band, by score
    "promoters": {9: 0.45, 10: 0.55},
    "passives": {7: 0.40, 8: 0.60},
    "detractors": {0: 0.05, 1: 0.03, 2: 0.05, 3: 0.10, 4: 0.15, 5: 0.27, 6: 0.35},
}
COMMENTS = {  # two halves a comment: an opening and a detail
    "promoters": (
        [
            "Very happy.",
            "I tell all my friends.",
            "Always a pleasure.",
            "Best coffee I have had at home.",
            "Love it.",
        ],
        [
            "The beans arrive fresh.",
            "Delivery is quick and on the day promised.",
            "The staff answered my question within an hour.",
            "The membership pays for itself.",
            "The taste is as good as in my favourite café.",
            "Ordering takes me a minute.",
        ],
    ),
    "passives": (
        ["Good on the whole.", "It is fine.", "No complaints, but nothing special.", "Mostly satisfied."],
        [
            "The choice of teas could be wider.",
            "Delivery takes a day too long.",
            "A little expensive for every day.",
            "I would like smaller packs.",
            "The website is slow on my phone.",
        ],
    ),
    "detractors": (
        ["Disappointed.", "Not again.", "I expected more.", "It used to be better.", "Thinking of leaving."],
        [
            "The parcel came late and nobody told me.",
            "The beans tasted stale.",
            "The price went up and the pack did not.",
            "Nobody answered my e-mail for a week.",
            "Cancelling the membership was hard work.",
            "The box was damaged and half of it was missing.",
        ],
    ),
}
