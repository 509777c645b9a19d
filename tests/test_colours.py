"""Contrast as WCAG 2 counts it, and a darker shade where there is too little."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import colours

CHANNELS = st.tuples(*[st.integers(0, 255)] * 3)


@pytest.mark.parametrize(
    ("channels", "contrast"),
    [
        ((0, 0, 0), 21),
        ((255, 255, 255), 1),
        ((119, 119, 119), 4.48),
        ((118, 118, 118), 4.54),
        ((0, 114, 178), 5.19),
    ],
)
def test_contrast_with_white(channels: tuple, contrast: float) -> None:
    assert colours.on_white(channels) == pytest.approx(contrast, abs=0.005)


@given(CHANNELS)
def test_a_darkened_colour_can_be_read_and_one_that_could_stays(channels: tuple) -> None:
    darker = colours.rgb(colours.darkened(channels))
    assert colours.on_white(darker) >= colours.READABLE
    if colours.on_white(channels) >= colours.READABLE:
        assert darker == channels


@pytest.mark.parametrize("text", ["teal", "#12", "0b3d5c", "#0b3d5cff", "#ggg", "#000;}", " #000", "#000\n"])
def test_only_hex_is_a_colour(text: str) -> None:
    assert colours.rgb(text) is None
