"""A codeframe: themes that comments may be about, and the words by which each is known; to be edited."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pandas as pd

from retention_kit import comments, session, yamls
from retention_kit.exceptions import ParamsError, did_you_mean
from retention_kit.params import Client

#: What the comments are about that have no theme.
UNCODED = "uncoded"

_KEYS = ("title", "patterns")
_LONGEST = 200  # signs of a pattern
_OWN = re.compile(r"/(.+)/")


@dataclass(frozen=True)
class Theme:
    """A theme: its name in the file, what a report calls it, and one expression for all its patterns."""

    name: str
    title: str
    expression: str


@dataclass(frozen=True)
class Codeframe:
    """The themes of a file."""

    name: str
    themes: tuple[Theme, ...]

    def coded(self, written: pd.Series) -> np.ndarray:
        """Which comments (rows) have which themes (columns).

        The expressions are the engine's (RE2), which takes time by a comment's length and never more,
        whatever the pattern.

        >>> read("en").coded(pd.Series(["Late parcel, too dear", "Love it"])).any(axis=1).tolist()
        [True, False]
        """
        lines = written.map(comments.folded)
        different = pd.DataFrame({"line": lines.unique()})
        table = ibis.memtable(different)
        padded = ibis.literal(" ") + table.line + " "
        found = {f"theme_{i}": padded.re_search(theme.expression) for i, theme in enumerate(self.themes)}
        matches = session.connection().to_pandas(table.select("line", **found)).set_index("line")
        return matches.loc[lines, list(found)].to_numpy(dtype=bool)


def starters() -> list[str]:
    """Languages that come with a codeframe to begin with.

    >>> starters()
    ['en', 'pl']
    """
    return sorted(path.stem for path in folder().glob("*.yaml"))


def folder() -> Path:
    """Where those are."""
    return Path(str(resources.files("retention_kit"))) / "codeframes"


def read(source: str | Path = "en", *, language: str = "en") -> Codeframe:
    """A codeframe by the language of a starter, or from a file of one's own.

    Parameters
    ----------
    source : str or Path
        "en", "pl", or the path of a YAML file. The format stands in those two, which are there to copy.
    language : str
        Of the titles, where the file has several.

    Raises
    ------
    ParamsError
        With file and line: no such file, an unknown key, a theme without patterns, a pattern that is empty,
        too long or no regular expression.

    Examples
    --------
    >>> [theme.title for theme in read("pl", language="pl").themes][:3]
    ['Dostawa', 'Opakowanie', 'Jakość produktu']
    """
    path = folder() / f"{source}.yaml" if str(source) in starters() else Path(source)
    if not path.is_file():
        raise ParamsError(
            f"codeframe: there is no file {path.name}. Give its path from the client file's folder, "
            f"or one of {starters()}."
        )
    document = yamls.load(path)
    themes = [_theme(document, name, told, language) for name, told in document.values.items()]
    if not themes:
        raise ParamsError(f"{path.name} has no themes. Copy one of ours: {', '.join(starters())}.")
    return Codeframe(path.stem, tuple(themes))


def of(client: Client) -> Codeframe:
    """The codeframe that a client file names, else ours in the report's language, else the English one."""
    bare = re.split("[-_]", client.language)[0]
    return read(client.codeframe or (bare if bare in starters() else "en"), language=client.language)


# ---------------------------------------------------------------------------------------------------


def _theme(document: yamls.Document, name: str, told: Any, language: str) -> Theme:
    where = document.where((name,))
    if not isinstance(told, dict) or "patterns" not in told:
        raise ParamsError(f"{where}: theme {name!r} needs patterns, such as patterns: [deliver, parcel].")
    if name == UNCODED:
        raise ParamsError(f"{where}: {UNCODED!r} is the rest that has no theme. Give it another name.")
    for key in told:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            raise ParamsError(
                f"{document.where((name, key))}: unknown key {key!r}.{hint} Known keys: {', '.join(_KEYS)}."
            )
    places = list(_patterns(told["patterns"]))
    if not places or any(not isinstance(pattern, str) for _, pattern in places):
        raise ParamsError(
            f"{document.where((name, 'patterns'))}: patterns of theme {name!r} are no list of texts. "
            "Write patterns: [deliver, parcel], or a list for each language; put numbers in quotes."
        )
    parts = [
        _expression(pattern, document.where((name, "patterns", *place)), name) for place, pattern in places
    ]
    return Theme(name, _title(told.get("title"), name, language), "|".join(dict.fromkeys(parts)))


def _patterns(told: Any) -> list[tuple[tuple, Any]]:
    """The patterns of all languages, each with its place in the file."""
    if isinstance(told, Mapping):
        lists = [((language,), each) for language, each in told.items()]
    else:
        lists = [((), told)]
    if any(not isinstance(each, list) for _, each in lists):
        return []
    return [((*place, i), pattern) for place, each in lists for i, pattern in enumerate(each)]


def _title(told: Any, name: str, language: str) -> str:
    bare = re.split("[-_]", language)[0]
    found = told.get(bare, next(iter(told.values()), None)) if isinstance(told, Mapping) else told
    return found if isinstance(found, str) and found.strip() else name


@functools.lru_cache(maxsize=1024)
def _expression(pattern: str, where: str, theme: str) -> str:
    """One pattern as an expression over a folded comment with a blank at each end."""
    start = f"{where}: pattern {pattern!r} of theme {theme!r}"
    if len(pattern) > _LONGEST:
        raise ParamsError(f"{start} is longer than {_LONGEST} signs. Write several.")
    own = _OWN.fullmatch(pattern)
    if own:
        try:
            session.connection().to_pandas(ibis.literal(" ").re_search(own[1]))
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].partition(":")[2].strip()
            raise ParamsError(f"{start} is no regular expression: {reason}.") from None
        return f"(?:{own[1]})"
    words = [(word.startswith("="), comments.folded(word)) for word in pattern.split()]
    if not words or any(not word for _, word in words):
        raise ParamsError(f"{start} has no letter to be found by. Write the beginning of a word, or =word.")
    return " " + " ".join(f"{word}{'' if exact else '[^ ]*'}" for exact, word in words) + " "
