"""What a survey of 100,000 answers with comments takes, from a plain frame each time."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.questions import within
from benchmarks.ways import Measured, Way, apart, beside
from retention_kit import answers, keywords, nps, nps_comparisons, score_intervals, tables, themes

AS_OF = "2024-07-01"
_TEAMS = ["basic", "plus", "family", "office", "trial"]
_VOCABULARY, _LONGEST = 20_000, 35  # words there are, and words of a comment
_SHARES = [0.03, 0.02, 0.03, 0.03, 0.04, 0.06, 0.07, 0.12, 0.2, 0.22, 0.18]


def survey(rows: int, *, seed: int = 1) -> pd.DataFrame:
    """So many answers in eight quarters: a team, a weight, and a comment of 1 to 35 words."""
    random = np.random.default_rng(seed)
    days = random.integers(0, 731, rows)
    score = random.choice(11, rows, p=_SHARES)
    return pd.DataFrame(
        {
            "customer_id": pd.Series(random.integers(0, rows * 2 // 3, rows)).astype("str"),
            "responded_at": np.datetime64("2022-07-01T09:00:00", "us") + days.astype("timedelta64[D]"),
            "score": score,
            "team": random.choice(_TEAMS, rows),
            "weight": random.uniform(0.5, 2, rows),
            "comment": _comments(random, score),
        }
    )


def _comments(random: np.random.Generator, score: np.ndarray) -> list[str]:
    """Words as often as in a language (the nth a share of 1 / n), and one that detractors write more."""
    letters = np.array(list("abcdefghijklmnoprstuwyz"))
    words = ["".join(random.choice(letters, size)) for size in random.integers(2, 11, _VOCABULARY)]
    often = 1 / np.arange(1, _VOCABULARY + 1)
    sizes = random.integers(1, _LONGEST + 1, len(score))
    drawn = random.choice(words, sizes.sum(), p=often / often.sum())
    said = [" ".join(part) for part in np.split(drawn, sizes.cumsum()[:-1])]
    late = random.random(len(score)) < np.where(score <= 6, 0.2, 0.05)
    return [f"{text} delivered late" if is_late else text for text, is_late in zip(said, late, strict=True)]


def statistics(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every statistic of a score there is, the loading included."""
    kept = {name: name for name in ("team", "weight")}
    loaded = tables.load_responses(frame, columns=kept, as_of=AS_OF)
    found = {f"by {name}": nps.nps(loaded, interval=name) for name in score_intervals.METHODS}
    found["weighted"] = nps.nps(loaded, weights="weight")
    found["latest"] = nps.nps(answers.select_answers(loaded, duplicates="latest"))
    found["teams"] = nps.nps(loaded, by="team")
    found["teams apart"] = nps_comparisons.nps_compare_groups(found["teams"])
    found["waves"] = nps_comparisons.nps_limits(nps.nps(loaded, period="quarter"))
    found["last change"] = nps_comparisons.nps_compare(found["waves"].iloc[-1], found["waves"].iloc[-2])
    found["same people"] = nps_comparisons.nps_compare_paired(
        loaded, earlier="2024-01-01", later="2024-04-01"
    )
    return found


def words(frame: pd.DataFrame) -> pd.DataFrame:
    """Words and pairs that set detractors apart, the loading, cleaning and masking included."""
    return keywords.keywords(frame, as_of=AS_OF)


def topics(frame: pd.DataFrame) -> pd.DataFrame:
    """Themes by the English codeframe."""
    return themes.themes(frame, as_of=AS_OF)


BUDGETS = {
    "all NPS statistics": 2.0,
    "words and pairs that set detractors apart": 20.0,
    "themes by a codeframe": 20.0,
}
WAYS = {
    name: Way(pd.read_parquet, ask) for name, ask in zip(BUDGETS, (statistics, words, topics), strict=True)
}


def run(rows: int) -> list[Measured]:
    """A row a question, the loading of a plain frame included, and one of words alone by a pandas recipe."""
    task = f"A survey of {rows:,} answers with comments of up to {_LONGEST} words"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "survey.parquet"
        survey(rows).to_parquet(path)
        asked = [apart(task, name, "surveys", name, path, rows=rows)[0] for name in WAYS]
        usual, _ = apart(task, "the words alone, by a pandas recipe", "with_pandas", "words", path, rows=rows)
    usual = beside([asked[1], usual])[1]
    return [one._replace(note=within(one.warm, BUDGETS[one.way])) for one in asked] + [usual]
