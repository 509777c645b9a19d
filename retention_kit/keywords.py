"""Words that set those who would not recommend us apart from those who would."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from retention_kit import comments, intervals, masks, yamls
from retention_kit.exceptions import DataError
from retention_kit.moments import Date
from retention_kit.scales import Scale
from retention_kit.sentences import phrase

#: What a row's column `interval` says.
INTERVAL = "log-odds, Dirichlet prior 95 %"
#: The two sides, in the order in which results list them.
SIDES = ("detractors", "promoters")

_PRIOR = 0.1  # words read before, for each that the side with fewer of them wrote
_LEVEL = 0.05
_SHORT = 20  # signs of a quote that says more than the word itself
# don't is a word, and l'attente has one; a letter by itself is none.
_WORD = re.compile(
    rf"(?:{comments.LETTER}{{2,}}|{comments.LETTER}-)(?:-?{comments.LETTER}+)*"
    rf"(?:'{comments.LETTER}{{1,2}}(?!{comments.LETTER}))?"
)
_CLAUSES = re.compile(rf"[^\w\s'\-{comments.MARKS}]+|\s-+\s")
_COLUMNS = (
    *("words", "side", "z", "log_odds", "low", "high", "p_holm", "apart", "detractors", "promoters"),
    *("detractor_comments", "promoter_comments", "interval"),
)


def keywords(
    responses: Any,
    *,
    scale: str | Scale = "nps_0_10",
    least: int = 5,
    most: int = 20,
    quotes: bool = False,
    as_of: Date | None = None,
) -> pd.DataFrame:
    """Which words do detractors write that promoters do not, and the other way round?

    Single words and pairs of neighbours, each counted once a comment, however often it stands there. A word
    that both sides write alike is of neither. Words that only hold a sentence together (and, was, not;
    `function_words.yaml` has them by language) are counted and not listed. It says what they write about,
    not that it made them detractors; and it speaks for those who wrote.

    Parameters
    ----------
    responses : Loaded, frame or Ibis table
        Answers with `score` and `comment`, in any language that parts its words by blanks.
    scale : str or Scale
        What was asked, and so who is a detractor; see `scales.read`.
    least : int
        Words of fewer comments are left out: they tell little, and may tell who wrote them.
    most : int
        Rows of each side.
    quotes : bool
        With `example`: a part of a comment with the word in it, masked. It is still somebody's own words.
    as_of : date or str
        The first moment not observed; needed where there is a `responded_at`.

    Returns
    -------
    DataFrame
        `words`, `side` (whose they are), `z` (above 0 of detractors; the further, the surer), `log_odds`,
        `low`, `high` (95 %), `p_holm` (how likely chance alone puts some word as far, with so many looked
        at), `apart` (that is below 5 %), `detractors`, `promoters` (comments with the word),
        `detractor_comments`, `promoter_comments` (all of theirs), `interval`; with `quotes`, `example`.
        Detractors' first, the surest on top. A pair is listed where it tells more than either of its words.

    Raises
    ------
    DataError
        When a column or `as_of` is missing, or one side wrote no comment.

    Notes
    -----
    With y the comments of a side that hold the word, n the sum of y over all words, and a the prior (a
    tenth as many as the side with fewer words has, spread like the words of all comments, those of passives
    among them; A their sum), the log-odds are ln((y + a) / (n + A - y - a)) of detractors less those of
    promoters. Their variance is 1 / (y + a) of one side plus that of the other, and z the log-odds over its
    root. The prior holds rare words back, which would come out on top for being rare. A pair is weighed as
    if it were a word.

    References
    ----------
    Monroe, Colaresi and Quinn (2008), Fightin' words: lexical feature selection and evaluation for
    identifying the content of political conflict; Holm (1979).

    Examples
    --------
    >>> written = ["Late again", "Too late", "Good", "So good"]
    >>> said = pd.DataFrame({"score": [2, 3, 9, 10], "comment": written})
    >>> found = keywords(said, least=2)
    >>> print(found[["words", "side", "detractors", "promoters"]].to_string(index=False))
    words       side  detractors  promoters
     late detractors           2          0
     good  promoters           0          2
    """
    read = comments.read(responses, scale=scale, as_of=as_of)
    sides = {side: read.rows.loc[read.rows["band"] == side, "comment"] for side in SIDES}
    empty = [side for side, written in sides.items() if written.empty]
    if empty:
        raise DataError(
            f"No {empty[0][:-1]} wrote a comment, so nothing can be set apart. "
            f"The answers: {', '.join(f'{rows:,} {rule}' for rule, rows in read.counted.items())}."
        )
    others = read.rows.loc[~read.rows["band"].isin(SIDES), "comment"]
    frame = _listed(_weighed([_counted(written) for written in (*sides.values(), others)], least))
    frame = frame.assign(
        detractor_comments=len(sides["detractors"]),
        promoter_comments=len(sides["promoters"]),
        interval=INTERVAL,
    )
    frame = frame.groupby("side", sort=False).head(most).reset_index(drop=True)[list(_COLUMNS)]
    if quotes:
        frame["example"] = _examples(frame, sides)
    frame.attrs = read.loaded.told(phrase("definition.keywords")) | {"comments": read.counted}
    return frame


# ---------------------------------------------------------------------------------------------------


def _counted(written: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """In how many comments each word stands, and each pair of words with nothing but a blank between."""
    words: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for comment in written:
        clauses = [_WORD.findall(clause) for clause in _CLAUSES.split(comment.lower().replace("’", "'"))]
        words.update({word for clause in clauses for word in clause})
        pairs.update({f"{one} {next_one}" for clause in clauses for one, next_one in pairwise(clause)})
    return words, pairs


def _weighed(counted: Sequence[tuple[Counter[str], Counter[str]]], least: int) -> pd.DataFrame:
    """Log-odds of words and pairs that are no rarer, from counts of detractors, promoters and others."""
    ours, theirs, _ = counted
    words = sorted(
        word
        for one, other in zip(ours, theirs, strict=True)
        for word in one.keys() | other.keys()
        if one[word] + other[word] >= least
    )
    told = np.array([[side[" " in word][word] for word in words] for side in counted], dtype="float64")
    y, in_all = told[:2].reshape(2, -1), told.sum(axis=0)
    totals = np.array([sum(side.values()) for side, _ in counted], dtype="float64")
    prior = _PRIOR * totals[:2].min()
    with np.errstate(divide="ignore", invalid="ignore"):
        read = y + prior * in_all / totals.sum()
        odds = read / (totals[:2, None] + prior - read)
        log_odds, error = np.log(odds[0] / odds[1]), np.sqrt((1 / read).sum(axis=0))
    half = special.ndtri(1 - _LEVEL / 2) * error
    frame = pd.DataFrame(
        {"words": pd.Series(words, dtype="str"), "log_odds": log_odds, "z": log_odds / error}
    )
    return frame.assign(
        low=log_odds - half, high=log_odds + half, **dict(zip(SIDES, y.astype("int64"), strict=True))
    )


def _listed(frame: pd.DataFrame) -> pd.DataFrame:
    """Words and those pairs that tell more than their words, by side, the surest first.

    What only holds a sentence together is no word to tell by, alone or beside another.
    """
    surest = frame.set_index("words")["z"].abs()
    parts = frame["words"].str.split(" ", expand=True).reindex(columns=[0, 1])
    rivals = parts.apply(lambda part: part.map(surest)).max(axis="columns")
    tells = parts[1].isna() | (surest.to_numpy() > rivals)
    says = (parts.notna() & ~parts.isin(_function_words())).any(axis="columns")
    frame = frame[tells & says & np.isfinite(frame["z"]) & (frame["z"] != 0)]
    frame = frame.assign(_surest=lambda rows: -rows["z"].abs())
    frame["p_holm"] = intervals.holm(2 * special.ndtr(frame["_surest"]))
    frame["apart"] = frame["p_holm"] < _LEVEL
    frame["side"] = pd.Series(np.where(frame["z"] > 0, *SIDES), index=frame.index, dtype="str")
    return frame.sort_values(["side", "_surest", "words"], ignore_index=True)


def _examples(frame: pd.DataFrame, sides: dict[str, pd.Series]) -> pd.Series:
    """Of each word a short comment of its side that holds it, the same whichever way the rows came."""
    ordered = {side: sorted(set(written), key=_by_length) for side, written in sides.items()}
    found = []
    for words, side in zip(frame["words"], frame["side"], strict=True):
        holds = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")
        lines = (text for text in ordered[side] if holds.search(text.lower().replace("’", "'")))
        found.append(masks.quote(next(lines, ""), words))
    return pd.Series(found, index=frame.index, dtype="str")


@cache
def _function_words() -> frozenset[str]:
    path = Path(str(resources.files("retention_kit"))) / "function_words.yaml"
    return frozenset(word for words in yamls.load(path).values.values() for word in words.split())


def _by_length(text: str) -> tuple[bool, int, str]:
    return len(text) < _SHORT, len(text), text
