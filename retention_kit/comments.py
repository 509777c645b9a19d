"""What customers wrote, made readable and harmless: one line, masked, without the empty phrases.

A comment is personal data. Nothing of it leaves here but masked, and who prints a quote has to ask for it.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from retention_kit import answers, blanks, masks, scales, session, yamls
from retention_kit.moments import Date
from retention_kit.scales import Scale
from retention_kit.sentences import phrase
from retention_kit.tables import Loaded

#: Why an answer has no comment to be read, in this order.
BLANK, NOTHING, WORDLESS = "no comment", "nothing to add", "no words in it"

#: Vowel signs and accents that stand on letters, in scripts that write them by themselves.
MARKS = "".join(chr(sign) for sign in range(0x300, 0x2000) if unicodedata.category(chr(sign)) in ("Mn", "Mc"))
#: A letter, or one of those.
LETTER = rf"(?:[^\W\d_]|[{MARKS}])"
_WORD = re.compile(rf"[\w{MARKS}]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_UNLIKE = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "’": "'"})
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>|<!--.{0,500}?-->", re.DOTALL)
# Signs without a shape: controls part words; soft hyphens, spaces of no width and what turns the direction of
# reading do not.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_UNSEEN = re.compile("[\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]")


class Comments(NamedTuple):
    """Comments that say something, and what became of the other answers."""

    loaded: Loaded
    rows: pd.DataFrame
    counted: dict[str, int]


def comment_checks(
    responses: Any, *, scale: str | Scale = "nps_0_10", as_of: Date | None = None
) -> pd.DataFrame:
    """How many of those who answered wrote something that says anything?

    Who writes is not like who does not: compare their scores before the comments speak for all.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score` and `comment`.
    scale : str or Scale
        What was asked; see `scales.read`.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.

    Returns
    -------
    DataFrame
        `rule` ("answers", "no comment", "nothing to add", "no words in it", "comments"), `rows`: the first
        less the next three are the last.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or a score is outside the scale.

    Examples
    --------
    >>> written = pd.DataFrame({"score": [9, 3, 10, 8], "comment": ["Good coffee!", "n/a", None, "👍"]})
    >>> checks = comment_checks(written)
    >>> dict(zip(checks["rule"], checks["rows"].tolist()))
    {'answers': 4, 'no comment': 1, 'nothing to add': 1, 'no words in it': 1, 'comments': 1}
    """
    found = read(responses, scale=scale, as_of=as_of)
    frame = pd.DataFrame({"rule": list(found.counted), "rows": list(found.counted.values())})
    frame = frame.astype({"rule": "str", "rows": "int64"})
    frame.attrs = found.loaded.told(phrase("definition.comment_checks"))
    return frame


def read(answered: Any, *, scale: str | Scale, by: Sequence[str] = (), as_of: Date | None = None) -> Comments:
    """The comments of the answers that count: the columns of `by`, `band`, `comment`, masked.

    Of a table that passed the door they are read once, for the next metric; nobody writes into the rows.
    """
    kept = answered.kept if isinstance(answered, Loaded) else {}
    key = ("comments", scales.read(scale), tuple(by), str(as_of))
    if key not in kept:
        kept[key] = _read(answered, scale, by, as_of)
    return kept[key]


def _read(answered: Any, scale: str | Scale, by: Sequence[str], as_of: Date | None) -> Comments:
    loaded = answers.select_answers(answered, scale=scale, as_of=as_of, columns=("comment", *by))
    band = scales.read(scale).band(loaded.table.score)
    written = loaded.table.comment.cast("string")
    given = session.fetched(loaded.table.select(*by, band=band, comment=written), "comments are read here")
    given = given.to_pandas()
    texts = given["comment"].replace(dict.fromkeys(blanks.WORDS, "")).fillna("").map(cleaned)
    lines = [folded(text) for text in texts]
    nothing = np.array([line in _nothing() for line in lines], dtype=bool)
    worded = np.array([any(sign.isalpha() for sign in line) for line in lines], dtype=bool)
    blank = (texts == "").to_numpy()
    why = np.select([blank, nothing, ~worded], [BLANK, NOTHING, WORDLESS], "comments")
    counted = {rule: int((why == rule).sum()) for rule in (BLANK, NOTHING, WORDLESS, "comments")}
    rows = given.assign(comment=texts.map(masks.masked))[why == "comments"].reset_index(drop=True)
    return Comments(loaded, rows, {"answers": len(given)} | counted)


def cleaned(comment: str) -> str:
    """A comment as it was meant, on one line: without tags, entities and signs that nobody sees.

    >>> cleaned("Price &gt; value,\\n the <b>box</b> was\u200b crushed ")
    'Price > value, the box was crushed'
    """
    text = html.unescape(comment) if "&" in comment else comment
    text = _TAG.sub(" ", text) if "<" in text else text
    if not text.isascii() or not text.isprintable():
        text = unicodedata.normalize("NFC", _UNSEEN.sub("", _CONTROLS.sub(" ", text)))
    return " ".join(text.split())


def folded(text: str) -> str:
    """The words of a text in small letters, without accents and punctuation, a blank between them.

    People leave accents out when they type, so both spellings are one.

    >>> folded("Przesyłka doszła – za późno!"), folded("PRZESYLKA")
    ('przesylka doszla za pozno', 'przesylka')
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).lower())
        text = _ACCENTS.sub("", text).translate(_UNLIKE)
    text = text.lower()
    return " ".join(_WORD.findall(text.replace("_", " ")))


@cache
def _nothing() -> frozenset[str]:
    path = Path(str(resources.files("retention_kit"))) / "nothing_to_say.yaml"
    said = yamls.load(path).values
    return frozenset(folded(phrase) for phrases in said.values() for phrase in phrases)
