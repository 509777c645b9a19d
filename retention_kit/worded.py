"""Scores that surveys write with what they mean: `10 - extremely likely`, or the words before it."""

import ibis.expr.types as ir

# A score, then a sign or a blank, then words without another number: 9/10 and "8 or 9" are no scores.
_AFTER = r"^\s*(\d{1,3})\s*[-\x{2013}\x{2014}:=.)(]?\s*\pL[^\d]*$"
_BEFORE = r"^\s*\pL[^\d]*[-\x{2013}\x{2014}:=]\s*(\d{1,3})\s*$"  # Extremely likely - 10


def found(text: ir.StringValue) -> ir.BooleanValue:
    """Whether a text is a score with words."""
    return text.re_search(_AFTER) | text.re_search(_BEFORE)


def without(text: ir.StringValue) -> ir.StringValue:
    """The score alone; any other text as it is."""
    return text.re_replace(_AFTER, r"\1").re_replace(_BEFORE, r"\1")
