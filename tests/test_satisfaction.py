"""CSAT and CES: by hand, the published counts, any scale, and answers that are none of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import datasets, intervals, satisfaction, score_intervals, tables
from retention_kit.exceptions import DataError, ParamsError

ANSWERS = pd.DataFrame(
    {
        "customer_id": ["ann", "bob", "cid", "dan", "eve", "fay"],
        "responded_at": ["2024-01-05", "2024-01-31", "2024-02-01", "2024-02-02", "2024-02-29", "2024-03-01"],
        "score": [5, 4, 3, None, 1, 5],
        "plan": ["a", "a", "b", "b", None, "a"],
    }
)
AS_OF = "2024-03-01"
EFFORT = [80, 210, 140, 110, 160, 180, 120]  # answers of 1 to 7


def of_counts(counts: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"score": np.repeat(np.arange(1, len(counts) + 1), counts)})


def test_csat_by_hand() -> None:
    # Before 1 March: 5, 4, 3 and 1; dan's blank is no answer.
    found = satisfaction.csat(ANSWERS, as_of=AS_OF)
    row = found.iloc[0]
    assert found.columns.tolist() == ["csat", "low", "high", "satisfied", "answers", "interval"]
    assert (row["csat"], row["satisfied"], row["answers"]) == (2 / 4, 2, 4)
    assert (row["low"], row["high"]) == intervals.wilson(2, 4)
    assert row["interval"] == "Wilson 95 %"
    assert found.attrs["definition"] == (
        "Answers of 4 or more to score, asked on a scale from 1 to 5, as a share of all answers to it; "
        "blanks are no answers."
    )
    assert found.attrs["rows_set_aside"] == {"no answer": 1, "at or after as_of": 1}


@pytest.mark.parametrize(("top", "satisfied"), [(1, 1), (2, 2), (3, 3), (4, 3)])
def test_the_top_box_is_as_wide_as_it_is_said_to_be(top: int, satisfied: int) -> None:
    assert satisfaction.csat(ANSWERS, top=top, as_of=AS_OF)["satisfied"].item() == satisfied


def test_another_scale_has_another_top() -> None:
    answers = pd.DataFrame({"score": [10, 9, 8, 7, 1]})
    assert satisfaction.csat(answers, scale=(1, 10), top=3)["satisfied"].item() == 3
    assert satisfaction.csat(answers - 1, scale=(0, 10), top=2)["satisfied"].item() == 1


def test_by_group_and_period() -> None:
    parts = satisfaction.csat(ANSWERS, as_of=AS_OF, by="plan", period="month")
    assert parts[["satisfied", "answers"]].to_numpy().tolist() == [[2, 2], [0, 1], [0, 1]]
    assert parts["plan"].tolist()[:2] == ["a", "b"]
    assert pd.isna(parts["plan"].iloc[2])
    assert parts["period"].dt.month.tolist() == [1, 2, 2]
    assert parts["period"].dtype == "datetime64[us]"


def test_a_period_that_is_not_over_has_no_row() -> None:
    found = satisfaction.csat(ANSWERS, as_of="2024-02-15", period="month")
    assert found["period"].dt.month.tolist() == [1]


def test_nobody_answered_a_further_question() -> None:
    asked = ANSWERS.assign(ease=None)
    found = satisfaction.csat(asked, question="ease", as_of=AS_OF)
    assert found.empty
    assert found.columns.tolist() == ["csat", "low", "high", "satisfied", "answers", "interval"]


def test_a_further_question_in_text_as_files_have_it() -> None:
    asked = ANSWERS.assign(ease=["5", "4.0", " ", "3", "NA", "1"])
    found = satisfaction.csat(asked, question="ease", as_of=AS_OF)
    assert found[["satisfied", "answers"]].to_numpy().tolist() == [[2, 2]]


@pytest.mark.parametrize(
    ("method", "value", "easy", "method_of_bounds"),
    [
        ("mean", 4080 / 1000, 460, "t 95 %"),
        ("top", 460 / 1000, 460, "Wilson 95 %"),
        ("top_two", 300 / 1000, 300, "Wilson 95 %"),
        ("net", -13.0, 300, "adjusted Wald 95 %"),
    ],
)
def test_effort_of_published_counts(method: str, value: float, easy: int, method_of_bounds: str) -> None:
    row = satisfaction.ces(of_counts(EFFORT), method=method).iloc[0]
    assert row["ces"] == pytest.approx(value, abs=1e-12)
    assert (row["easy"], row["difficult"], row["answers"]) == (easy, 430, 1000)
    assert row["low"] < row["ces"] < row["high"]
    assert row["interval"] == method_of_bounds


def test_effort_has_the_bounds_of_its_method() -> None:
    scores = of_counts(EFFORT)["score"]
    by_method = {
        "mean": intervals.mean(scores.mean(), scores.std(), 1000),
        "top": intervals.wilson(460, 1000),
        "top_two": intervals.wilson(300, 1000),
        "net": score_intervals.adjusted_wald(300, 270, 430),
    }
    for method, (low, high) in by_method.items():
        row = satisfaction.ces(of_counts(EFFORT), method=method).iloc[0]
        assert (row["low"], row["high"]) == pytest.approx((float(low), float(high)), rel=1e-12)


counts = st.lists(st.integers(0, 12), min_size=7, max_size=7).filter(any)


@settings(max_examples=10, deadline=None)
@given(counts)
def test_mirrored_answers_mirror_the_net_score_and_the_mean(counts: list[int]) -> None:
    there, back = (
        satisfaction.ces(of_counts(each), method="mean")["ces"].item() for each in (counts, counts[::-1])
    )
    assert there + back == pytest.approx(8)
    tops = [satisfaction.ces(of_counts(each), method="top")["easy"].item() for each in (counts, counts[::-1])]
    assert tops[0] == sum(counts[4:])
    assert tops[1] == sum(counts[:3])


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=25), st.randoms())
def test_the_order_of_answers_does_not_matter(scores: list[int], random) -> None:
    once = satisfaction.csat(pd.DataFrame({"score": scores})).iloc[0]
    assert 0 <= once["low"] <= once["csat"] <= once["high"] <= 1
    random.shuffle(scores)
    assert satisfaction.csat(pd.DataFrame({"score": scores})).iloc[0].to_dict() == once.to_dict()


# -- errors -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (
            [5, 6, 4],
            "1 answer to 'score' is no whole number from 1 to 5, such as 6. "
            "Correct those rows, or leave them out with where=.",
        ),
        (
            [0, 2.5, 9, 4],
            "3 answers to 'score' are no whole number from 1 to 5, such as 0, 9. "
            "Correct those rows, or leave them out with where=.",
        ),
    ],
)
def test_answers_that_the_scale_does_not_have(scores: list, message: str) -> None:
    with pytest.raises(DataError) as error:
        satisfaction.csat(pd.DataFrame({"score": scores}))
    assert str(error.value) == message


def test_words_are_no_answers() -> None:
    with pytest.raises(DataError) as error:
        satisfaction.ces(pd.DataFrame({"score": [1], "ease": ["easy"]}), method="top", question="ease")
    assert str(error.value) == (
        "1 answer to 'ease' is no whole number from 1 to 7, such as easy. "
        "Correct those rows, or leave them out with where=."
    )


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"scale": (5, 1)}, "scale (5, 1) is no lowest and highest answer. Type one as scale=(1, 5)."),
        ({"scale": (1, 4.5)}, "scale (1, 4.5) is no lowest and highest answer. Type one as scale=(1, 5)."),
        ({"scale": (1, 2, 3)}, "scale (1, 2, 3) is no lowest and highest answer. Type one as scale=(1, 5)."),
        ({"top": 5}, "top 5 is no number of the highest answers of 5. Type top=2 for 4 and 5."),
        ({"top": 0}, "top 0 is no number of the highest answers of 5. Type top=2 for 4 and 5."),
        ({"top": (4, 5)}, "top (4, 5) is no number of the highest answers of 5. Type top=2 for 4 and 5."),
    ],
)
def test_a_scale_or_top_that_is_none(how: dict, message: str) -> None:
    with pytest.raises(ParamsError) as error:
        satisfaction.csat(ANSWERS, as_of=AS_OF, **how)
    assert str(error.value) == message


def test_the_method_of_effort_is_named() -> None:
    with pytest.raises(ParamsError) as error:
        satisfaction.ces(of_counts(EFFORT), method="nett")
    assert str(error.value) == (
        "method 'nett' is not known. Did you mean 'net'? Choose one of ['mean', 'top', 'top_two', 'net']."
    )


# -- data whose truth is known, and a real one --------------------------------


def test_the_invented_company_is_as_satisfied_as_its_truth() -> None:
    truth = datasets.demo_truth().rating_shares
    answers, as_of = datasets.demo_responses(), datasets.DEMO_AS_OF
    row = satisfaction.csat(answers, question="satisfaction", as_of=as_of).iloc[0]
    assert row["low"] < truth["satisfaction"][4] + truth["satisfaction"][5] < row["high"]
    row = satisfaction.ces(answers, question="effort", method="mean", as_of=as_of).iloc[0]
    assert row["low"] < sum(answer * share for answer, share in truth["effort"].items()) < row["high"]


@pytest.mark.realdata
def test_garden_store(data_folder: Path) -> None:
    path = data_folder / "nps_garden_store" / "nps.csv.gz"
    frame = pd.read_csv(path, encoding="latin-1")
    loaded = tables.load_responses(path, columns={"score": "satisfaction"})
    row = satisfaction.csat(loaded, scale=(1, 10), top=2).iloc[0]
    given = frame["satisfaction"].dropna()
    assert (row["satisfied"], row["answers"]) == ((given >= 9).sum(), 13_954 - 61)
