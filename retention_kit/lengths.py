"""How long a period is: its names, what it is a number of, and what a rate of one comes to in another."""

from collections.abc import Mapping
from typing import Literal

from retention_kit.exceptions import DataError, ParamsError, did_you_mean

Period = Literal["day", "week", "week_saturday", "week_sunday", "month", "quarter", "year"]
PERIODS = ("day", "week", "week_saturday", "week_sunday", "month", "quarter", "year")

_PER_YEAR = {"day": 365, "week": 365 / 7, "month": 12, "quarter": 4, "year": 1}


def check_period(period: str) -> None:
    """Refuse a period that is none.

    >>> check_period("month")
    """
    if period not in PERIODS:
        hint = did_you_mean(str(period), PERIODS)
        raise DataError(f"period {period!r} is not known.{hint} Choose one of {list(PERIODS)}.")


def unit(period: Period) -> str:
    """What a period is a number of: weeks are weeks, whichever day they start on.

    >>> unit("week_sunday"), unit("month")
    ('week', 'month')
    """
    check_period(period)
    return period.partition("_")[0]


def age_word(words: Mapping[str, str], period: str | None) -> str:
    """What an age in periods is called by the words of a report; "" where they, or the frame, do not say.

    >>> age_word({"mark.age_month": "Months since the first"}, "month"), age_word({}, "month")
    ('Months since the first', '')
    """
    return words.get(f"mark.age_{period}", "")


def compounded(rate: float, period: Period, to: Period) -> float:
    """What a rate at which somebody leaves comes to in another length of time: `churn.convert_churn`.

    >>> round(compounded(0.05, "month", "year"), 3)
    0.46
    """
    if not 0 <= rate <= 1:
        raise ParamsError(f"rate is a share between 0 and 1, and it was {rate}. Type 0.05 for 5 %.")
    lengths = _PER_YEAR[unit(period)] / _PER_YEAR[unit(to)]
    # 1 - (1 - 0.05) is not quite 0.05, and a threshold has to be what it was said to be.
    return float(rate if lengths == 1 else 1 - (1 - rate) ** lengths)
