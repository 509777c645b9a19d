"""Somebody else's figures: the digits that were printed decide what they may be rounded from."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import figures
from retention_kit.exceptions import ParamsError
from retention_kit.figures import Figure


@pytest.mark.parametrize(
    ("figure", "value", "decimals"),
    [
        (0.378, "0.378", 1),
        ("0.378", "0.378", 1),
        ("37.8%", "0.378", 1),
        (" 37,8 % ", "0.378", 1),
        ("38%", "0.38", 0),
        ("38.0 %", "0.380", 1),
        (0.4, "0.4", 0),
        ("0.40", "0.40", 0),
        (".378", "0.378", 1),
        ("170 %", "1.70", 0),
        ("−27.3 %", "-0.273", 1),
        (-0.273, "-0.273", 1),
        (1e-05, "0.00001", 3),
        (17 / 45, "0.37777777777777777", 15),
    ],
)
def test_a_share_keeps_the_digits_that_were_given(figure: float | str, value: str, decimals: int) -> None:
    found = figures.read(figure, "share")
    assert str(found.value.normalize()) == str(Decimal(value).normalize())
    assert found.value.as_tuple().exponent == Decimal(value).as_tuple().exponent
    assert found.decimals == decimals


@pytest.mark.parametrize(
    ("figure", "value", "decimals"),
    [(41, "41", 0), ("+41", "41", 0), ("-3.5", "-3.5", 1), (41.0, "41.0", 1), ("53 %", "53", 0)],
)
def test_a_score_is_in_points(figure: float | str, value: str, decimals: int) -> None:
    found = figures.read(figure, "nps")
    assert (str(found.value), found.decimals) == (value, decimals)


@pytest.mark.parametrize(
    ("figure", "exact", "same"),
    [
        ("37.8 %", "0.3784", True),
        ("37.8 %", "0.37850", True),  # half to even
        ("37.9 %", "0.37850", True),  # half up
        ("37.7 %", "0.37750", False),  # half-way is printed as 37.8 by either rounding
        ("37.8 %", "0.37750", True),
        ("37.8 %", "0.3786", False),
        ("38 %", "0.3750", True),
        ("38 %", "0.3851", False),
        ("-27.3 %", "-0.2727", True),
        ("27.3 %", "-0.2727", False),
        ("0 %", "0.0049", True),
        ("170 %", "1.7", True),
    ],
)
def test_rounding_half_up_and_half_to_even_are_both_accepted(figure: str, exact: str, same: bool) -> None:
    assert figures.read(figure, "share").is_print_of(Decimal(exact)) is same


@given(part=st.integers(0, 500), whole=st.integers(1, 500))
def test_what_was_rounded_from_a_number_is_a_print_of_it(part: int, whole: int) -> None:
    exact = Decimal(part) / whole
    for way in (ROUND_HALF_UP, ROUND_HALF_EVEN):
        for digits in (0, 1, 2):
            shown = (100 * exact).quantize(Decimal(1).scaleb(-digits), rounding=way)
            if shown < 10_000:
                assert figures.read(f"{shown} %", "share").is_print_of(exact)
    # A float is printed to its last digit, where the way it was calculated shows.
    if part < whole:
        assert figures.read(part / whole, "share").is_print_of(exact)


@pytest.mark.parametrize(
    ("figure", "unit", "message"),
    [
        ("a lot", "share", "churn 'a lot' is no number. Type one as 0.378 or '37.8 %'."),
        (None, "share", "churn None is no number. Type one as 0.378 or '37.8 %'."),
        (True, "share", "churn True is no number. Type one as 0.378 or '37.8 %'."),
        (float("nan"), "share", "churn nan is no number. Type one as 0.378 or '37.8 %'."),
        (37.8, "share", "churn 37.8 is no share such as 0.378. Type '37.8 %' if it is percent."),
        # One percent, or all?
        ("1", "share", "churn '1' is no share such as 0.378. Type '1 %' if it is percent."),
        (410, "nps", "churn 410 is no score: it lies between -100 and 100. Type one as 41 or 41.3."),
        ("4 1", "nps", "churn '4 1' is no number. Type one as 41 or 41.3."),
    ],
)
def test_what_is_no_figure(figure: object, unit: figures.Unit, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        figures.read(figure, unit, name="churn")
    assert str(error.value) == message


def test_what_is_asked_about() -> None:
    (churn,) = figures.asked(churn="37.8 %", month="2019-12", age=None)
    assert (churn.metric, churn.figure, churn.month) == ("churn", "37.8 %", "2019-12")
    (retention,) = figures.asked(retention=0.379, age=11)
    assert (retention.metric, retention.age) == ("retention", 11)
    assert figures.asked(nps=0)[0] == Figure(nps=0)
    assert figures.asked(churn=None, age=None) == ()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"churn": "0.378"}, "churn is of a month; add one such as month: 2019-12."),
        ({"churn": "x", "month": "2019-12"}, "churn 'x' is no number. Type one as 0.378 or '37.8 %'."),
        ({"churn": 0.3, "month": "2019-13"}, "month '2019-13' is no month; write it as 2019-12."),
        ({"churn": 0.3, "month": "2019-12", "age": 1}, "age belongs to retention, and this is churn."),
        ({"nps": 41, "month": "2019-12"}, "month belongs to churn or retention, and this is nps."),
        ({"retention": 0.3, "age": 0}, "age must be greater than or equal to 1."),
        (
            {"retention": 0.3, "nps": 41},
            "name one of churn, retention, nps, such as churn: 0.378; it has ['retention', 'nps'].",
        ),
        ({"age": 3}, "name one of churn, retention, nps, such as churn: 0.378; it has []."),
    ],
)
def test_what_cannot_be_asked(keys: dict, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        figures.asked(**keys)
    assert str(error.value) == message
