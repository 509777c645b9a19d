"""The survey of the benchmark: what is timed is what a careful reader would compute by hand."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks import surveys, with_pandas
from benchmarks.ways import Measured


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return surveys.survey(6_000)


def test_the_statistics_are_those_of_plain_pandas(frame: pd.DataFrame) -> None:
    found = surveys.statistics(frame)
    value = (frame["score"] >= 9).astype(int) - (frame["score"] <= 6)
    assert found["by adjusted_wald"]["nps"].tolist() == pytest.approx([100 * value.mean()])
    weighted = 100 * (value * frame["weight"]).sum() / frame["weight"].sum()
    assert found["weighted"]["nps"].tolist() == pytest.approx([weighted])
    assert found["weighted"]["effective_answers"].iloc[0] < len(frame)
    assert found["teams"]["nps"].tolist() == pytest.approx(
        (100 * value.groupby(frame["team"]).mean()).tolist()
    )
    assert found["latest"]["answers"].tolist() == [frame["customer_id"].nunique()]
    assert len(found["waves"]) == 8
    assert set(found["waves"]["signal"]) == {""}  # one truth in all quarters
    assert len({str(each["interval"].iloc[0]) for each in found.values()}) == 6


def test_a_row_a_question_with_its_budget_and_the_recipe_beside_the_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def apart(task: str, label: str, module: str, way: str, path: Path, *, rows: int) -> tuple:
        assert len(pd.read_parquet(path)) == rows
        return Measured(task, label, rows, warm={"with_pandas": 30.0}.get(module, 10.0)), None

    monkeypatch.setattr(surveys, "apart", apart)
    assert [(one.way, one.note, one.slower) for one in surveys.run(50)] == [
        ("all NPS statistics", "at most 2 s: NO", None),
        ("words and pairs that set detractors apart", "at most 20 s: yes", None),
        ("themes by a codeframe", "at most 20 s: yes", None),
        ("the words alone, by a pandas recipe", "", 3.0),
    ]


def test_words_are_those_of_the_recipe(frame: pd.DataFrame) -> None:
    found = surveys.words(frame)
    single = found[~found["words"].str.contains(" ")].set_index("words")
    usual = with_pandas.words(frame)
    assert set(single.index[:2]) == {"delivered", "late"}
    same = usual.loc[single.index]
    assert single[["detractors", "promoters"]].to_numpy().tolist() == (
        same[["detractors", "promoters"]].to_numpy().tolist()
    )
    assert single["z"].tolist() == pytest.approx(same["z"].tolist())
    assert surveys.topics(frame).set_index("theme").loc["Delivery", "verdict"] == "lower"
