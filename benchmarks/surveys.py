"""What a survey of 100,000 answers with comments takes, from a plain frame each time."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from retention_kit import answers, nps, nps_comparisons, score_intervals, tables

AS_OF = "2024-07-01"
_TEAMS = ["basic", "plus", "family", "office", "trial"]
_SAID = (
    "delivery was late again and nobody answered",
    "great coffee, always fresh",
    "too expensive since the new prices",
    "the box was crushed, support was friendly though",
    "easy to order, quick, would buy again",
)
_SHARES = [0.03, 0.02, 0.03, 0.03, 0.04, 0.06, 0.07, 0.12, 0.2, 0.22, 0.18]


def survey(rows: int, *, seed: int = 1) -> pd.DataFrame:
    """So many answers in eight quarters: a team, a weight, a comment of a few words from every third."""
    random = np.random.default_rng(seed)
    days = random.integers(0, 731, rows)
    said = pd.Series(random.choice(_SAID, rows), dtype="str") + " " + pd.Series(random.choice(_SAID, rows))
    return pd.DataFrame(
        {
            "customer_id": pd.Series(random.integers(0, rows * 2 // 3, rows)).astype("str"),
            "responded_at": np.datetime64("2022-07-01T09:00:00", "us") + days.astype("timedelta64[D]"),
            "score": random.choice(11, rows, p=_SHARES),
            "team": random.choice(_TEAMS, rows),
            "weight": random.uniform(0.5, 2, rows),
            "comment": said.mask(random.random(rows) > 1 / 3),
        }
    )


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


class Question(NamedTuple):
    """What is asked of the survey, and the seconds it may take."""

    ask: Callable[[pd.DataFrame], Any]
    budget: float


QUESTIONS = {"all NPS statistics": Question(statistics, 2.0)}


def run(rows: int) -> None:
    """Print a row a question, in Markdown: the second run of two, so that imports do not count."""
    frame = survey(rows)
    print(f"{rows:,} answers with comments, seconds after a warm-up\n")
    print("| question | seconds | of the processor | within |\n|---|---:|---:|---|")
    for name, question in QUESTIONS.items():
        question.ask(frame)
        wall, cpu = time.perf_counter(), time.process_time()
        question.ask(frame)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        within = "yes" if wall <= question.budget else "NO"
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {question.budget:g} s: {within} |")
