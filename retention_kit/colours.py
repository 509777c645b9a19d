"""How bright a colour is, and whether text in it can be read."""

import colorsys
import re
from collections.abc import Sequence

#: What WCAG 2 asks of text: the contrast of its colour with the ground it stands on.
READABLE = 4.5

_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


def rgb(colour: str) -> tuple[int, int, int] | None:
    """Red, green and blue of `#0b3d5c` or `#03c`, 0 to 255; None for anything else.

    >>> rgb("#0072B2"), rgb("#03c"), rgb("teal")
    ((0, 114, 178), (0, 51, 204), None)
    """
    if not _HEX.fullmatch(colour):
        return None
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def luminance(channels: Sequence[int]) -> float:
    """Relative luminance as WCAG 2 defines it: 0 is black, 1 is white."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in channels)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def on_white(channels: Sequence[int]) -> float:
    """The contrast with white, 1 to 21.

    >>> round(on_white((118, 118, 118)), 2)
    4.54
    """
    return 1.05 / (luminance(channels) + 0.05)


def darkened(channels: Sequence[int]) -> str:
    """The brightest colour of the same hue that can be read on white.

    >>> darkened((255, 204, 0)), darkened((0, 114, 178))
    ('#8f7200', '#0072b2')
    """
    hue, light, saturation = colorsys.rgb_to_hls(*(value / 255 for value in channels))
    found = tuple(channels)
    while on_white(found) < READABLE:
        light -= 0.005
        found = tuple(round(255 * value) for value in colorsys.hls_to_rgb(hue, light, saturation))
    return "#{:02x}{:02x}{:02x}".format(*found)
