"""What a lesson's check cell says of an answer: right, or in which way it is not, and never the answer.

A handout holds the right answer sealed: enough to recognise it, not to read it.
"""

import hashlib
import math
from dataclasses import dataclass
from numbers import Number
from typing import Any

from retention_kit.exhibits import MIME

CARRIED = MIME.format("exercise")
_SAME = 1e-3  # of the value: an answer that was rounded on the way, to three digits or more


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer; the right one travels beside it, to be sealed for a handout."""

    said: str
    right: float | str

    def __repr__(self) -> str:
        return self.said

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": self.said, CARRIED: {"right": self.right}}


def check(answer: Any, right: float | str) -> Verdict:
    """Say whether an answer is right; if it is not, say what it looks like, and not what it should be.

    Parameters
    ----------
    answer : number
        What the student put there; a frame or column of one value is that value, None is no answer yet.
    right : float or str
        What it should be to three digits, worked out from the data or sealed.

    Returns
    -------
    Verdict
        "right", "not yet", or "not yet: " with a hint.

    >>> check(0.25, 0.25), check(25, 0.25), check(0.25, seal(0.25, "shop/churn")), check(None, 0.25)
    (right, not yet: a share is asked, 0.05 for 5 %., right, not yet)
    """
    right = right if isinstance(right, str) else float(right)
    return Verdict(_said(answer, right if isinstance(right, str) else seal(right, "")), right)


def seal(right: float, salt: str) -> str:
    """The right answer as a handout has it: a digest of its first three digits.

    It keeps the answer from being read, not from being tried out: whoever writes a loop over all
    numbers finds it, and has learned something else. The salt makes equal answers look different.

    >>> seal(0.25, "shop/churn")
    'shop/churn:a4b1af4dc233'
    """
    return f"{salt}:{_digest(_digits(right), salt)}"


def _said(answer: Any, sealed: str) -> str:
    if answer is None:
        return "not yet"
    given = _number(answer)
    if given is None:
        return f"not yet: one number is asked, and this is of type {type(answer).__name__}."
    for found, words in (
        (given, "right"),
        (given / 100, "not yet: a share is asked, 0.05 for 5 %."),
        (-given, "not yet: the size is right. Which is taken from which?"),
    ):
        if _opens(found, sealed):
            return words
    return "not yet"


def _opens(value: float, sealed: str) -> bool:
    """Whether a value, or one a thousandth beside it, is what was sealed: its last digit may be rounded."""
    salt, _, digest = sealed.rpartition(":")
    beside = (value, value * (1 - _SAME), value * (1 + _SAME))
    return math.isfinite(value) and any(_digest(_digits(one), salt) == digest for one in beside)


def _digits(value: float) -> str:
    return f"{round(float(value), 9) + 0.0:.2e}"  # no -0, and no dust of a sum that comes to nothing


def _digest(digits: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}:{digits}".encode()).hexdigest()[:12]


def _number(answer: Any) -> float | None:
    """The answer as a number, of one value wherever it stands; None where there is no one number."""
    try:
        one = answer.to_numpy().item() if hasattr(answer, "to_numpy") else answer
    except ValueError:  # more than one value, or none
        return None
    one = one.item() if hasattr(one, "item") and getattr(one, "size", 1) == 1 else one
    return float(one) if isinstance(one, Number) and not isinstance(one, (bool, complex)) else None
