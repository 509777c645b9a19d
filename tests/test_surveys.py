"""The survey of the benchmark: what is timed is what a careful reader would compute by hand."""

import pandas as pd
import pytest

from benchmarks import surveys


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


def test_a_row_a_question_with_its_budget(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    asked = []
    question = surveys.Question(lambda frame: asked.append(len(frame)), 0.0)
    monkeypatch.setattr(surveys, "QUESTIONS", {"nothing": question})
    surveys.run(50)
    assert asked == [50, 50]
    assert capsys.readouterr().out.splitlines()[-1].endswith("| 0 s: NO |")
    monkeypatch.setattr(surveys, "QUESTIONS", {"a rival's": surveys.Question(len)})
    surveys.run(50)
    assert capsys.readouterr().out.splitlines()[-1].endswith(" |  |")


def test_words_are_those_of_the_recipe(frame: pd.DataFrame) -> None:
    found = surveys.words(frame)
    single = found[~found["words"].str.contains(" ")].set_index("words")
    usual = surveys.pandas_words(frame)
    assert set(single.index[:2]) == {"delivered", "late"}
    same = usual.loc[single.index]
    assert single[["detractors", "promoters"]].to_numpy().tolist() == (
        same[["detractors", "promoters"]].to_numpy().tolist()
    )
    assert single["z"].tolist() == pytest.approx(same["z"].tolist())
    assert surveys.topics(frame).set_index("theme").loc["Delivery", "verdict"] == "lower"
