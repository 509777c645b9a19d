"""Names are shown whole where they fit, and turn nothing around them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import names

RIGHT_TO_LEFT_OVERRIDE, HEBREW = "\u202e", "\u05d0\u05d1"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("gold plan", "gold plan"),
        (" gold \r\n\t plan\u2028x ", "gold plan x"),
        ("a\x00b\x1b[31m\ud800", "a\ufffdb\ufffd[31m\ufffd"),
        (f"gold{RIGHT_TO_LEFT_OVERRIDE}nalp", "goldnalp"),
        (HEBREW, f"\u2068{HEBREW}\u2069"),
        (f"{HEBREW}\u2069{HEBREW}", f"\u2068{HEBREW * 2}\u2069"),
        ("a\u2068b", "a\u2068b\u2069"),
        ("😀 café", "😀 café"),
        ("x" * 61, "x" * 59 + "…"),
        (7, "7"),
    ],
)
def test_how_a_name_is_shown(name: object, shown: str) -> None:
    assert names.shown(name) == shown


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_what_is_shown_is_short_seen_and_balanced(name: str) -> None:
    shown = names.shown(name)
    assert len(shown) <= names.LONGEST + 2 + shown.count("\u2069")
    assert names.isolated(shown).strip("\u2068\u2069") == shown.strip("\u2068\u2069")
    depth = 0
    for sign in shown:
        assert unicodedata.bidirectional(sign) not in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI")
        depth += (sign == "\u2068") - (sign == "\u2069")
        assert depth >= 0
    assert depth == 0
    shown.encode("utf-8")


def test_a_picture_has_no_signs_of_direction() -> None:
    assert names.drawn(f"\u2067{HEBREW} plan\u2069") == f"{HEBREW} plan"
    assert names.drawn("x" * 99) == "x" * 39 + "…"
