"""Words from a client's data as a report can show them: on one line, and harmless to what stands beside.

Data hold line breaks, control characters and signs that turn the direction of reading around.
"""

import re
import unicodedata

#: Signs of a name inside a sentence or a picture.
LONGEST = 60

# Signs that turn the direction of reading, until their own end or that of the paragraph.
_TURNS = re.compile("[\u202a-\u202e\u2066\u2067]")
_FIRST, _POP = "\u2068", "\u2069"  # what stands between them is read by itself
_SET_APART = re.compile("[\u2066-\u2069]")
_BREAKS = re.compile(r"[\s\u2028\u2029]+")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def shown(name: object, longest: int = LONGEST) -> str:
    """A name on one line, shortened where it would not end, read by itself whatever its direction.

    >>> shown("gold\\nplan"), shown("x" * 9_999)[-3:], len(shown("x" * 9_999))
    ('gold plan', 'xx…', 60)
    """
    text = _BREAKS.sub(" ", str(name)).strip()
    return isolated(text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…")


def drawn(name: object, longest: int = 40) -> str:
    """A name inside a picture: drawn from left to right whatever it is, so that no sign for it is left.

    >>> drawn("\u2067אb\u2069") == "אb"
    True
    """
    return shown(_SET_APART.sub("", str(name)), longest).strip(_FIRST + _POP)


def isolated(text: str) -> str:
    """A text that cannot turn what stands around it: without its turning signs, and set apart where it
    is written from right to left.

    >>> isolated("basic") == "basic", isolated("\\u202eabc") == "abc", len(isolated("\u05d0"))
    (True, True, 3)
    """
    if text.isascii() and text.isprintable():
        return text
    text = _balanced(_TURNS.sub("", visible(text)))
    turned = any(unicodedata.bidirectional(sign) in ("R", "AL", "AN") for sign in text)
    apart = text.startswith(_FIRST) and text.endswith(_POP)
    return f"{_FIRST}{text}{_POP}" if turned and not apart else text


def visible(text: str) -> str:
    """A text whose control characters can be seen, as a question mark in a box.

    >>> visible("a\\x00b\\n") == "a\\ufffdb\\n"
    True
    """
    return _UNSEEN.sub("\ufffd", text)


def _balanced(text: str) -> str:
    """Without an end of what was not begun, or a beginning that has no end."""
    if _FIRST not in text and _POP not in text:
        return text
    depth, kept = 0, []
    for sign in text:
        depth += (sign == _FIRST) - (sign == _POP)
        if depth < 0:
            depth = 0
        else:
            kept.append(sign)
    return "".join(kept) + depth * _POP
