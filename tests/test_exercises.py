"""A check tells a student what kind of mistake it was, and keeps the answer to itself."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit.exercises import CARRIED, check, seal

SHARE = "not yet: a share is asked, 0.05 for 5 %."
SIZE = "not yet: the size is right. Which is taken from which?"


@pytest.mark.parametrize(
    ("answer", "right", "said"),
    [
        (3 / 7, 3 / 7, "right"),
        (0.429, 3 / 7, "right"),
        (np.float64(0.25), 0.25, "right"),
        (np.array([0.25]), 0.25, "right"),
        (pd.Series([0.25]), 0.25, "right"),
        (pd.DataFrame({"share": [0.25]}), 0.25, "right"),
        (0, 1e-17, "right"),
        (-1e-17, 0.0, "right"),
        (None, 0.25, "not yet"),
        (0.7, 0.25, "not yet"),
        (25, 0.25, SHARE),
        (-0.25, 0.25, SIZE),
        ("0.25", 0.25, "not yet: one number is asked, and this is of type str."),
        (True, 1.0, "not yet: one number is asked, and this is of type bool."),
        ([0.25], 0.25, "not yet: one number is asked, and this is of type list."),
        (np.array([0.25, 0.5]), 0.25, "not yet: one number is asked, and this is of type ndarray."),
        (pd.Series([0.25, 0.5]), 0.25, "not yet: one number is asked, and this is of type Series."),
        (float("nan"), 0.25, "not yet"),
        (float("inf"), 0.25, "not yet"),
    ],
)
@pytest.mark.parametrize("sealed", [False, True])
def test_what_is_said_of_an_answer(answer, right, said, sealed):
    assert check(answer, seal(right, "shop/churn") if sealed else right).said == said


@given(st.floats(0.001, 0.999), st.floats(-2, 2))
def test_a_sealed_answer_is_judged_as_the_open_one_is(right, answer):
    said = check(answer, right).said
    assert said in {"right", "not yet", SHARE, SIZE}
    assert said == check(answer, seal(right, "shop/churn")).said
    apart = abs(answer - right) / right
    if apart <= 5e-4:
        assert said == "right"
    if apart > 1.2e-2:  # the third digit of 1.00, and the thousandth beside
        assert said != "right"


def test_a_seal_does_not_show_the_answer_and_differs_by_its_salt():
    assert seal(0.25, "a").split(":")[1] != seal(0.25, "b").split(":")[1]
    assert "2.5" not in seal(0.25, "a")
    assert seal(0.2504, "a") == seal(0.25, "a") != seal(0.251, "a")


def test_the_right_answer_travels_beside_what_is_said_and_not_in_it():
    verdict = check(0.7, 0.25)
    assert repr(verdict) == verdict.said == "not yet"
    assert verdict._repr_mimebundle_() == {"text/plain": "not yet", CARRIED: {"right": 0.25}}
