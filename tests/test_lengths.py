"""How long periods are, and what a rate of one comes to in another."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import lengths
from retention_kit.exceptions import DataError, ParamsError

period = st.sampled_from(lengths.PERIODS)


def test_a_period_that_is_none() -> None:
    with pytest.raises(DataError) as refused:
        lengths.check_period("months")
    assert str(refused.value) == (
        "period 'months' is not known. Did you mean 'month'? "
        "Choose one of ['day', 'week', 'week_saturday', 'week_sunday', 'month', 'quarter', 'year']."
    )


def test_a_rate_compounds_as_fractions_do() -> None:
    assert lengths.compounded(0.5, "quarter", "year") == float(1 - Fraction(1, 2) ** 4)
    assert lengths.compounded(0.25, "month", "quarter") == float(1 - Fraction(3, 4) ** 3)
    assert lengths.compounded(0.05, "month", "month") == 0.05
    assert lengths.compounded(0.19, "year", "year") == 0.19


@given(st.floats(0, 0.99), period, period)
def test_there_and_back_is_the_rate_itself(rate: float, one: lengths.Period, other: lengths.Period) -> None:
    there = lengths.compounded(rate, one, other)
    assert 0 <= there <= 1
    if there < 0.999:
        assert lengths.compounded(there, other, one) == pytest.approx(rate, abs=1e-6)


def test_a_rate_in_percent_is_refused() -> None:
    with pytest.raises(ParamsError) as refused:
        lengths.compounded(5, "month", "year")
    assert str(refused.value) == "rate is a share between 0 and 1, and it was 5. Type 0.05 for 5 %."
