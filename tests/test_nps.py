"""Net Promoter Score: by hand, published intervals, and the garden store."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import datasets, intervals, nps, tables
from retention_kit.exceptions import DataError, ParamsError

AS_OF = datasets.TINY_AS_OF
BANDS = ["promoters", "passives", "detractors", "answers"]


def test_score_by_hand() -> None:
    # Answers before 1 May: 10 6 8 9 3, 9 7 0 10 8 10; two blanks are no answers, one comes at as_of.
    row = nps.nps(datasets.tiny_responses(), as_of=AS_OF).iloc[0]
    assert row[BANDS].tolist() == [5, 3, 3, 11]
    assert row["nps"] == 100 * 2 / 11
    assert (row["low"], row["high"]) == intervals.adjusted_wald(5, 3, 3)
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
    parts = nps.nps(answers, as_of=AS_OF, by=["channel", "customer_id"], period="month")
    assert parts.columns.tolist() == [
        *("period", "channel", "customer_id", "nps", "low", "high"),
        *("promoters", "passives", "detractors", "answers", "interval"),
    ]
    assert set(parts[BANDS].dtypes) == {np.dtype("int64")}
    assert parts["period"].dtype == "datetime64[us]"
    assert parts.attrs == {
        "definition": "Share of promoters (9 and 10) less share of detractors (0 to 6) among all answers, in "
        "points, asked on a scale of 0 to 10.",
        "as_of": "2024-05-01",
        "rows_set_aside": {"no answer": 2, "at or after as_of": 1},
        "notes": [],
    }


def test_groups_are_sorted_keep_the_nameless_and_leave_out_who_gave_no_answer() -> None:
    parts = nps.nps(datasets.tiny_responses(), as_of=AS_OF, by="customer_id")
    assert parts["customer_id"].tolist()[:-1] == ["ana", "ben", "cleo", "dan", "eva", "finn"]
    assert pd.isna(parts["customer_id"].iloc[-1])
    assert parts["answers"].tolist() == [2, 2, 2, 1, 1, 1, 2]  # gus, ivo and hana: blank, blank, too late


def test_every_score_has_its_band() -> None:
    bands = {}
    for score in range(11):
        row = nps.nps(pd.DataFrame({"score": [score]})).iloc[0]
        bands[score] = next(band for band in BANDS[:3] if row[band] == 1)
    expected = ["detractors"] * 7 + ["passives"] * 2 + ["promoters"] * 2
    assert list(bands.values()) == expected


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


@settings(max_examples=25, deadline=None)
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
            "Correct those rows or leave them out.",
        ),
        (
            [9.5, 11, -1, 12, 12, 3, None],
            "nps_0_10",
            "5 of 6 scores are no whole number from 0 to 10, such as -1, 9.5, 11. "
            "Correct those rows or leave them out.",
        ),
        (
            [0, 0, 9],
            "nps_1_10",
            "2 of 3 scores are no whole number from 1 to 10, such as 0. "
            "If 0 could be given, type scale='nps_0_10'. Correct those rows or leave them out.",
        ),
    ],
)
def test_scores_the_scale_does_not_have(given_scores: list, scale: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        nps.nps(pd.DataFrame({"score": given_scores}), scale=scale)
    assert str(error.value) == message


def test_an_unknown_scale() -> None:
    with pytest.raises(ParamsError) as error:
        nps.nps(datasets.tiny_responses(), scale="nps_0_11", as_of=AS_OF)
    assert str(error.value) == (
        "scale 'nps_0_11' is not known. Did you mean 'nps_0_10'? Choose one of ['nps_0_10', 'nps_1_10']."
    )


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
