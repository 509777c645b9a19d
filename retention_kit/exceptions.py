"""Every error a user can cause: what is wrong, what they have, what to type."""

import difflib
from collections.abc import Iterable


class RetentionKitError(Exception):
    """Base of all errors of this package: one clear line, no traceback needed."""


class DataError(RetentionKitError):
    """The data cannot be read as the table it is said to be."""


class ParamsError(RetentionKitError):
    """A client file, an option or an argument is not usable."""


class ReportError(RetentionKitError):
    """A report could not be made; the previous one is untouched."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint to append to a message: the nearest known word, or nothing.

    >>> did_you_mean("retension", ["retention", "churn"])
    " Did you mean 'retention'?"
    >>> did_you_mean("zebra", ["retention"])
    ''
    """
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
