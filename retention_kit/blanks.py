"""What an export writes where there is nothing: blanks around a text, and words that stand for none."""

import ibis
import ibis.expr.types as ir

#: What exports write for "nothing here" in a column of numbers, moments or ids.
WORDS = ("", "NA", "N/A", "#N/A", "NULL", "null", "NaN", "nan", "None", "$null$")

_LONGEST = max(map(len, WORDS))
_SIGNS = " \t\n\r\v\f"  # what strip() takes away


def filled(text: ir.StringValue) -> ir.StringValue:
    """The text without outer blanks; null where an export means "nothing".

    Nearly every text needs neither, and telling that costs a fraction of rewriting it: only those texts are
    rewritten that are as short as a word for nothing, or begin or end with a blank.
    """
    stripped = text.strip()
    cleaned = ibis.array(list(WORDS)).contains(stripped).ifelse(ibis.null("string"), stripped)
    return ((text.length() <= _LONGEST) | _outer(text)).ifelse(cleaned, text)


def unfilled(text: ir.StringValue) -> ir.BooleanValue:
    """Whether `filled` may change it: to look costs a third of rewriting it."""
    return text.isin(WORDS) | _outer(text)


def _outer(text: ir.StringValue) -> ir.BooleanValue:
    """Whether it may begin, or does end, with a blank; all blanks are of the first 32 signs."""
    return ibis.or_(text.ascii_str() <= ord(" "), *map(text.endswith, _SIGNS))
