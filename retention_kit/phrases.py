"""Text that remembers which entry of the catalogue it is, and so can be said again in another language.

A metric's definition is read by people in English and printed by reports in theirs: a `Phrase` is the
sentence, with the key and the values it was made from beside it. `sentences.phrase` makes one in English,
`Voice.said` says it in the voice's language. A `Told` is a sentence that has a heading.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

#: An entry that is not said yet: `say` names it, the rest are its values, which may be such entries again.
Words = dict[str, Any]


class Phrase(str):
    """A text, and the entry of the catalogue that it was said from.

    It is a `str` wherever one is wanted; what is cut from it or added to it is an ordinary one.

    Parameters
    ----------
    text : str
        The sentence as it was said, in whichever language.
    say : Words
        Its entry and values, in plain JSON types.

    Examples
    --------
    >>> told = Phrase("2 days", words("unit.days", number=2))
    >>> told, told.words
    ('2 days', {'say': 'unit.days', 'number': 2})
    """

    words: Words

    def __new__(cls, text: str, say: Words) -> "Phrase":
        told = super().__new__(cls, text)
        told.words = say
        return told

    def __getnewargs__(self) -> tuple[str, Words]:
        return str(self), self.words


class Told(str):
    """A sentence that states a finding, and what it states in few words: the heading above it.

    Parameters
    ----------
    text : str
        The sentence, with its numbers and its interval.
    heading : str
        One clause that claims no more than the sentence does.
    known : bool
        Whether anything could be measured: a summary takes what is known before what is not.
    """

    heading: str
    known: bool

    def __new__(cls, text: str, heading: str, known: bool = True) -> "Told":
        told = super().__new__(cls, text)
        told.heading, told.known = heading, known
        return told

    def __getnewargs__(self) -> tuple[str, str, bool]:
        return str(self), self.heading, self.known


def words(key: str, **values: Any) -> Words:
    """A sentence of the catalogue that is not said yet; a value may be such a sentence again.

    >>> words("explain.ours", value="40.5%")
    {'say': 'explain.ours', 'value': '40.5%'}
    """
    return {"say": key} | {name: _plain(value) for name, value in values.items()}


def meaning(text: str) -> Words | str:
    """What a text says whatever language it is said in: its entry and values, or itself where it has none.

    Two definitions are the same where their meanings are.

    >>> two = words("unit.days", number=2)
    >>> meaning(Phrase("2 dni", two)) == meaning(Phrase("2 days", two))
    True
    """
    return text.words if isinstance(text, Phrase) else text


def _plain(value: Any) -> Any:
    """As JSON has it, for notebooks and files keep phrases too."""
    if isinstance(value, Phrase):
        return value.words
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value
