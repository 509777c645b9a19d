"""Net Promoter Score: by hand, published intervals, and the garden store."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import datasets, nps, score_intervals, tables
from retention_kit.exceptions import DataError, ParamsError
from retention_kit.scales import Scale

AS_OF = datasets.TINY_AS_OF
BANDS = ["promoters", "passives", "detractors", "answers"]


def test_score_by_hand() -> None:
    # Answers before 1 May: 10 6 8 9 3, 9 7 0 10 8 10; two blanks are no answers, one comes at as_of.
    row = nps.nps(datasets.tiny_responses(), as_of=AS_OF).iloc[0]
    assert row[BANDS].tolist() == [5, 3, 3, 11]
    assert row["nps"] == 100 * 2 / 11
    assert (row["low"], row["high"]) == score_intervals.adjusted_wald(5, 3, 3)
    assert row["interval"] == "adjusted Wald 95 %"


def test_by_period_by_hand() -> None:
    waves = nps.nps(datasets.tiny_responses(), as_of=AS_OF, period="month")
    assert waves["period"].tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-04-01")]
    assert waves[BANDS].to_numpy().tolist() == [[2, 1, 2, 5], [3, 2, 1, 6]]
    assert waves["nps"].tolist() == [0, 100 * 2 / 6]


def test_a_period_that_is_not_over_has_no_row() -> None:
    waves = nps.nps(datasets.tiny_responses(), as_of="2024-04-20", period="month")
    assert waves["period"].dt.month.tolist() == [1]


def test_shape_of_the_frame() -> None:
    answers = datasets.tiny_responses().assign(channel="mail")
    columns = ["nps", "low", "high", "promoters", "passives", "detractors", "answers", "interval"]
    waves = nps.nps(answers, as_of=AS_OF, period="month")
    assert waves.columns.tolist() == ["period", *columns]
    assert set(waves[BANDS].dtypes) == {np.dtype("int64")}
    parts = nps.nps(answers, as_of=AS_OF, by=["channel", "customer_id"], period="month")
    assert parts.columns.tolist() == ["period", "channel", "customer_id", *columns, "caution"]
    assert parts["period"].dtype == "datetime64[us]"
    assert [str(kind) for kind in parts[BANDS].dtypes] == ["Int64"] * 3 + ["int64"]  # hidden ones have none
    assert parts.attrs == {
        "definition": "Share of promoters (9 and 10) less share of detractors (0 to 6) among all answers, in "
        "points, asked on a scale of 0 to 10.",
        "as_of": "2024-05-01",
        "rows_set_aside": {"no answer": 2, "at or after as_of": 1},
        "notes": [],
        "period": "month",
    }


def test_groups_are_sorted_keep_the_nameless_and_leave_out_who_gave_no_answer() -> None:
    parts = nps.nps(datasets.tiny_responses(), as_of=AS_OF, by="customer_id")
    assert parts["customer_id"].tolist()[:-1] == ["ana", "ben", "cleo", "dan", "eva", "finn"]
    assert pd.isna(parts["customer_id"].iloc[-1])
    assert parts["answers"].tolist() == [2, 2, 2, 1, 1, 1, 2]  # gus, ivo and hana: blank, blank, too late


def test_every_score_has_its_band() -> None:
    five = [score for score in range(11) for _ in range(5)]
    found = nps.nps(pd.DataFrame({"score": five, "of": five}), by="of").set_index("of")[BANDS[:3]]
    expected = ["detractors"] * 7 + ["passives"] * 2 + ["promoters"] * 2
    assert found.idxmax(axis="columns").tolist() == expected
    assert (found.max(axis="columns") == 5).all()


def test_a_scale_from_1_keeps_the_bands_and_says_so() -> None:
    found = nps.nps(pd.DataFrame({"score": [1, 6, 7, 9]}), scale="nps_1_10")
    assert found[BANDS].to_numpy().tolist() == [[1, 1, 2, 4]]
    assert found.attrs["definition"].endswith(
        "detractors (1 to 6) among all answers, in points, asked on a scale of 1 to 10."
    )
    assert found.attrs["as_of"] is None


def test_no_answers_is_an_empty_frame_with_all_columns() -> None:
    later = datasets.tiny_responses()
    found = nps.nps(later, as_of="2024-01-20", period="month")
    assert found.empty
    assert found.columns.tolist() == ["period", "nps", "low", "high", *BANDS, "interval"]


scores = st.lists(st.integers(0, 10), min_size=1, max_size=30)


@settings(max_examples=8)
@given(scores)
def test_score_is_that_of_a_plain_count_and_of_its_counts(given_scores: list[int]) -> None:
    row = nps.nps(pd.DataFrame({"score": given_scores})).iloc[0]
    up = sum(score >= 9 for score in given_scores)
    down = sum(score <= 6 for score in given_scores)
    assert row["nps"] == 100 * (up - down) / len(given_scores)
    assert row["low"] <= row["nps"] <= row["high"]
    counted = nps.nps_from_counts(
        promoters=row["promoters"], passives=row["passives"], detractors=row["detractors"]
    )
    assert counted.iloc[0].to_dict() == row.to_dict()


@settings(max_examples=8)
@given(scores, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(given_scores: list[int], random: Any) -> None:
    frame = pd.DataFrame({"score": given_scores, "of": [score % 3 for score in given_scores]})
    order = list(range(len(frame)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(nps.nps(frame.iloc[order], by="of"), nps.nps(frame, by="of"))


@settings(max_examples=8)
@given(scores)
def test_a_mirrored_scale_mirrors_the_score(given_scores: list[int]) -> None:
    # Bands as wide on either side: 0 to 3 and 7 to 10.
    even = Scale(0, 10, promoters_from=7, passives_from=4)
    ours, mirrored = (
        nps.nps(pd.DataFrame({"score": each}), scale=even).iloc[0]
        for each in (given_scores, [10 - score for score in given_scores])
    )
    assert mirrored["nps"] == -ours["nps"]
    assert (mirrored["low"], mirrored["high"]) == pytest.approx((-ours["high"], -ours["low"]))


@pytest.mark.parametrize("interval", score_intervals.METHODS)
def test_the_interval_is_the_one_asked_for(interval: str) -> None:
    method = score_intervals.METHODS[interval]
    row = nps.nps(datasets.tiny_responses(), as_of=AS_OF, interval=interval).iloc[0]
    assert (row["low"], row["high"]) == method.bounds(5, 3, 3)
    assert row["interval"] == method.label
    counted = nps.nps_from_counts(promoters=5, passives=3, detractors=3, interval=interval)
    assert counted.iloc[0].to_dict() == row.to_dict()


# -- small groups ---------------------------------------------------------------


def test_groups_of_fewer_than_five_are_hidden_and_of_fewer_than_thirty_flagged() -> None:
    sizes = {"four": 4, "five": 5, "many": 30, "some": 29}
    frame = pd.DataFrame({"team": [team for team, size in sizes.items() for _ in range(size)]})
    found = nps.nps(frame.assign(score=9, weight=1.0), by="team", weights="weight").set_index("team")
    assert found["answers"].to_dict() == sizes
    assert found["caution"].to_dict() == {
        "four": "hidden: fewer than 5 answers",
        "five": "fewer than 30 answers",
        "some": "fewer than 30 answers",
        "many": "",
    }
    told = ["nps", "low", "high", "promoters", "passives", "detractors", "interval", "effective_answers"]
    assert found.loc["four", told].isna().all()
    assert found.loc[["five", "some", "many"], told].notna().all(axis=None)
    assert found.loc["five", "promoters"] == 5


def test_a_whole_or_a_wave_of_few_is_shown() -> None:
    assert nps.nps(pd.DataFrame({"score": [9]}))["nps"].tolist() == [100]
    wave = pd.DataFrame({"score": [9], "responded_at": ["2024-01-05"]})
    assert nps.nps(wave, period="month", as_of="2024-02-01")["nps"].tolist() == [100]


# -- weights --------------------------------------------------------------------


def test_weights_by_hand() -> None:
    # Weights 2, 1, 1 on a promoter, a passive and a detractor: (2 - 1) / 4. What is left of each answer is
    # 3/4, -1/4 and -5/4, so the error is sqrt(4 * 9/16 + 1/16 + 25/16) / 4; equal answers of these shares
    # have a variance of 3/4 - 1/16.
    frame = pd.DataFrame({"score": [10, 8, 0], "worth": [2, 1, 1]})
    row = nps.nps(frame, weights="worth", interval="wald").iloc[0]
    assert row["nps"] == 25
    error = math.sqrt(36 / 16 + 1 / 16 + 25 / 16) / 4
    assert row["effective_answers"] == pytest.approx((3 / 4 - 1 / 16) / error**2)
    assert (row["low"], row["high"]) == pytest.approx(
        (max(25 - 195.996398 * error, -100), min(25 + 195.996398 * error, 100))
    )
    assert row[BANDS].tolist() == [1, 1, 1, 3]
    assert (
        "among all answers, each counting for its worth, in points"
        in (nps.nps(frame, weights="worth").attrs["definition"])
    )


def test_weights_that_vary_cost_answers_where_all_agree() -> None:
    # Kish: (1 + 1 + 4)² / (1 + 1 + 16) = 2.
    row = nps.nps(pd.DataFrame({"score": [9, 9, 9], "weight": [1, 1, 4]}), weights="weight").iloc[0]
    assert row["effective_answers"] == pytest.approx(2)
    assert (row["low"], row["high"]) == pytest.approx(score_intervals.adjusted_wald(2, 0, 0))


@settings(max_examples=8)
@given(scores, st.floats(0.01, 1_000), st.sampled_from(["adjusted_wald", "score", "wald"]))
def test_equal_weights_change_nothing(given_scores: list[int], weight: float, interval: str) -> None:
    frame = pd.DataFrame({"score": given_scores, "weight": weight})
    weighted = nps.nps(frame, weights="weight", interval=interval).iloc[0]
    plain = nps.nps(frame, interval=interval).iloc[0]
    names = ["nps", "low", "high"]
    assert weighted[names].tolist() == pytest.approx(plain[names].tolist(), abs=1e-6)
    assert weighted["effective_answers"] == pytest.approx(len(given_scores))
    assert weighted[BANDS].tolist() == plain[BANDS].tolist()


def test_weighted_bounds_hold_where_the_many_are_under_asked() -> None:
    # Two halves of the customers, one asked five times as often and of another mind.
    random, runs, answers = np.random.default_rng(4), 200, 400
    rare = random.random((runs, answers)) < 1 / 6
    score = np.where(rare, random.choice([10, 8, 3], rare.shape, p=[0.2, 0.3, 0.5]), 10)
    score = np.where(~rare & (random.random(rare.shape) < 0.3), 8, score)
    frame = pd.DataFrame({"score": score.ravel(), "weight": np.where(rare, 5.0, 1.0).ravel()})
    found = nps.nps(frame.assign(run=np.arange(runs).repeat(answers)), weights="weight", by="run")
    held = (found["low"] <= 20) & (found["high"] >= 20)  # half of them at -30, half at +70
    assert 0.91 < held.mean() < 0.99
    unweighted = nps.nps(frame).iloc[0]
    assert unweighted["low"] > 45


@pytest.mark.parametrize(
    ("weights", "how", "message"),
    [
        (
            [1.0, None, 0.0],
            {},
            "weights 'weight': 2 of 3 answers have none above 0. Give each answer its weight, or leave those "
            "rows out.",
        ),
        (
            [1.0, 2.0, 3.0],
            {"interval": "bootstrap"},
            "interval 'bootstrap' knows no weights. Choose one of ['adjusted_wald', 'score', 'wald'].",
        ),
    ],
)
def test_weights_that_are_none(weights: list, how: dict, message: str) -> None:
    with pytest.raises((DataError, ParamsError)) as error:
        nps.nps(pd.DataFrame({"score": [9, 8, 7], "weight": weights}), weights="weight", **how)
    assert str(error.value) == message


def test_weights_in_words() -> None:
    with pytest.raises(DataError) as error:
        nps.nps(pd.DataFrame({"score": [9], "worth": ["much"]}), weights="worth")
    assert str(error.value) == (
        "weights 'worth' holds string, and a number is needed. A column mapped as weight is read as one: "
        "columns={'weight': 'worth'}."
    )


# -- from counts --------------------------------------------------------------


def test_from_counts_published() -> None:
    found = nps.nps_from_counts(promoters=[3, 70, 10], passives=[2, 10, 0], detractors=[1, 20, 0])
    assert found.columns.tolist() == ["nps", "low", "high", *BANDS, "interval"]
    assert found["nps"].tolist() == [100 * 2 / 6, 50, 100]
    assert found["low"].tolist() == pytest.approx([-26.743, 32.941, 47.50], abs=0.005)
    assert found["high"].tolist() == pytest.approx([71.188, 64.146, 100], abs=0.005)
    assert set(found[BANDS].dtypes) == {np.dtype("int64")}


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (
            {"promoters": [1, 2], "passives": 1, "detractors": 1},
            "The counts differ in length: {'promoters': 2, 'passives': 1, 'detractors': 1}. "
            "Give one count of each for every row.",
        ),
        (
            {"promoters": -1, "passives": 1, "detractors": 1},
            "promoters must be whole numbers from 0 up, and it has [-1].",
        ),
        (
            {"promoters": 1, "passives": 1, "detractors": [0.2]},
            "detractors must be whole numbers from 0 up, and it has [0.2].",
        ),
        (
            {"promoters": [1, 0], "passives": [0, 0], "detractors": [0, 0]},
            "Row 1 has no answers, and nobody's score is no number. Leave it out.",
        ),
    ],
)
def test_counts_that_are_none(counts: dict, message: str) -> None:
    with pytest.raises(DataError) as error:
        nps.nps_from_counts(**counts)
    assert str(error.value) == message


# -- errors -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_scores", "scale", "message"),
    [
        (
            [11, 9, 10],
            "nps_0_10",
            "1 of 3 scores is no whole number from 0 to 10, such as 11. "
            "Correct those rows, or let the scale set them aside: out_of_range='set_aside'.",
        ),
        (
            [9.5, 11, -1, 12, 12, 3, None],
            "nps_0_10",
            "5 of 6 scores are no whole number from 0 to 10, such as -1, 9.5, 11. "
            "Correct those rows, or let the scale set them aside: out_of_range='set_aside'.",
        ),
        (
            [0, 0, 9],
            "nps_1_10",
            "2 of 3 scores are no whole number from 1 to 10, such as 0. "
            "If 0 could be given, type scale='nps_0_10'. Correct those rows, or let the scale set them "
            "aside: out_of_range='set_aside'.",
        ),
    ],
)
def test_scores_the_scale_does_not_have(given_scores: list, scale: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        nps.nps(pd.DataFrame({"score": given_scores}), scale=scale)
    assert str(error.value) == message


def test_periods_need_a_date() -> None:
    with pytest.raises(DataError) as error:
        nps.nps(pd.DataFrame({"score": [9]}), period="month", as_of=AS_OF)
    assert str(error.value) == (
        "responses is missing ['responded_at']. It has ['score']. "
        "Map your names onto ours with columns={'responded_at': 'your_name'}."
    )


# -- the garden store ---------------------------------------------------------


@pytest.mark.realdata
def test_garden_store(data_folder: Path) -> None:
    loaded = tables.load_responses(data_folder / "nps_garden_store" / "nps.csv.gz", columns={"score": "nps"})
    row = nps.nps(loaded, scale="nps_1_10").iloc[0]
    assert row[BANDS].tolist() == [8465, 3953, 1194, 13_612]
    assert row["nps"] == pytest.approx(53.416, abs=5e-4)
    assert (row["low"], row["high"]) == pytest.approx((52.310, 54.499), abs=5e-4)
    assert loaded.checks.set_index("rule").loc["no answer", "rows"] == 342


def test_a_wave_that_ended_long_before_as_of_was_still_observed() -> None:
    days = pd.date_range("2024-03-04", periods=15, freq="D")
    wave = pd.DataFrame({"score": [10] * 15, "responded_at": days})
    found = nps.nps(wave, as_of="2024-07-01", period="quarter")
    assert found["period"].tolist() == [pd.Timestamp("2024-01-01")]
    assert found["answers"].tolist() == [15]
