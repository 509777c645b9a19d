"""What an export writes where there is nothing: blanks around a text, and words that stand for none."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from retention_kit import session

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


def clean(table: ir.Table, columns: Sequence[str], *, often: bool) -> set[str]:
    """Those text columns in which `filled` would change nothing.

    To look costs a third of rewriting them, so the session's own engine is asked, where rows are written
    anew. A database's rows stay as they are, and are filled as they are read: there it is worth a look where
    they are read `often`.
    """
    texts = [name for name in columns if table[name].type().is_string()]
    if not texts or not (often or session.holds(table)):
        return set()
    found = {name: ((table[name].isin(WORDS)) | _outer(table[name])).any() for name in texts}
    [dirty] = table.aggregate(**found).to_pyarrow().to_pylist()
    return {name for name in texts if dirty[name] is False}  # null: no row, or none with a text


def _outer(text: ir.StringValue) -> ir.BooleanValue:
    """Whether it may begin, or does end, with a blank; all blanks are of the first 32 signs."""
    return ibis.or_(text.ascii_str() <= ord(" "), *map(text.endswith, _SIGNS))
