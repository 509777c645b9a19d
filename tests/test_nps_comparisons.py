"""Scores beside each other: by hand, against simulation, and never more told than the bounds allow."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from retention_kit import datasets, intervals, nps, nps_comparisons, tables
from retention_kit.exceptions import DataError
from retention_kit.sentences import Voice

Z = 1.959963984540054
AS_OF = datasets.TINY_AS_OF
counts = st.integers(0, 400)


def row(promoters: int, passives: int, detractors: int) -> pd.DataFrame:
    return nps.nps_from_counts(promoters=promoters, passives=passives, detractors=detractors)


# -- two groups -----------------------------------------------------------------


def test_two_groups_by_hand() -> None:
    # With what is added: 70.75, 11.5, 20.75 of 103 and 40.75, 31.5, 30.75 of 103.
    found = nps_comparisons.nps_compare(row(70, 10, 20), row(40, 30, 30)).iloc[0]
    a, b = (70.75 - 20.75) / 103, (40.75 - 30.75) / 103
    error = math.sqrt((91.5 / 103 - a**2) / 103 + (71.5 / 103 - b**2) / 103)
    assert found[["a", "b", "difference"]].tolist() == [50, 10, 40]
    assert (found["low"], found["high"]) == pytest.approx(
        (100 * (a - b - Z * error), 100 * (a - b + Z * error))
    )
    assert found["p_value"] == pytest.approx(2 * stats.norm.sf((a - b) / error))
    # Together 110, 40, 50 of 200: an answer varies by 0.8 - 0.3² = 0.71.
    needed = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert found["smallest_detectable"] == pytest.approx(100 * needed * math.sqrt(0.71 * 2 / 100))
    assert found["verdict"] == "a is higher"
    assert found["interval"] == "adjusted Wald, difference 95 %"


@given(counts, counts, counts, counts, counts, counts)
def test_turned_round_the_difference_turns(a: int, b: int, c: int, d: int, e: int, f: int) -> None:
    ours, others = row(a + 1, b, c), row(d, e, f + 1)
    found = nps_comparisons.nps_compare(ours, others).iloc[0]
    turned = nps_comparisons.nps_compare(others, ours).iloc[0]
    assert (turned["difference"], turned["p_value"]) == pytest.approx(
        (-found["difference"], found["p_value"])
    )
    assert (turned["low"], turned["high"]) == pytest.approx((-found["high"], -found["low"]))
    assert -200 <= found["low"] <= found["difference"] <= found["high"] <= 200
    told = found["verdict"] != "cannot be told"
    assert told == (found["low"] > 0 or found["high"] < 0) == (found["p_value"] < 0.05)


def test_groups_that_do_not_differ_are_told_apart_in_one_of_twenty() -> None:
    draws = np.random.default_rng(5).multinomial(40, [0.5, 0.3, 0.2], size=(3_000, 2))
    found = nps_comparisons._difference(draws[:, 0], draws[:, 1])
    assert 0.035 < (found["p_value"] < 0.05).mean() < 0.06
    assert ((found["low"] <= 0) & (found["high"] >= 0)).mean() == 1 - (found["p_value"] < 0.05).mean()


def test_the_smallest_detectable_difference_is_seen_in_four_of_five() -> None:
    # Groups of 400; a third each, and another by just that difference.
    random, apart = np.random.default_rng(6), 0.1618
    ours = random.multinomial(400, [1 / 3 + apart / 2, 1 / 3, 1 / 3 - apart / 2], size=3_000)
    others = random.multinomial(400, [1 / 3] * 3, size=3_000)
    found = nps_comparisons._difference(ours, others)
    assert found["smallest_detectable"].mean() == pytest.approx(100 * apart, abs=0.3)
    assert (found["low"] > 0).mean() == pytest.approx(0.8, abs=0.02)


def test_rows_may_be_series_and_must_be_of_one_definition() -> None:
    waves = nps.nps(datasets.tiny_responses(), as_of=AS_OF, period="month")
    of_series = nps_comparisons.nps_compare(waves.iloc[1], waves.iloc[0])
    of_frames = nps_comparisons.nps_compare(waves.iloc[[1]], waves.iloc[[0]])
    pd.testing.assert_frame_equal(of_series, of_frames)
    assert of_series["difference"].tolist() == [100 * 2 / 6]
    assert of_series["verdict"].tolist() == ["cannot be told"]
    assert of_frames.attrs["as_of"] == "2024-05-01"


@pytest.mark.parametrize(
    ("a", "message"),
    [
        (
            lambda: nps.nps_from_counts(promoters=[1, 2], passives=[1, 2], detractors=[1, 2]),
            "a is 2 rows, and one row is compared. Choose it, such as scores.iloc[[0]].",
        ),
        (lambda: 31.0, "a is a float, and one row is compared. Choose it, such as scores.iloc[[0]]."),
        (
            lambda: row(1, 1, 1).drop(columns="passives"),
            "a is missing ['passives']. It has ['nps', 'low', 'high', 'promoters', 'detractors', 'answers', "
            "'interval']. Make it with nps.nps or nps.nps_from_counts.",
        ),
        (
            lambda: nps.nps(pd.DataFrame({"score": [9], "weight": [2.0]}), weights="weight"),
            "a is weighted, so its counts are not those of its score. Take the bounds of each instead: "
            "intervals.difference_of_bounds.",
        ),
        (
            lambda: nps.nps(pd.DataFrame({"score": [9], "team": ["x"]}), by="team"),
            "a is hidden: it has too few answers to be shown, and so to be compared.",
        ),
        (
            lambda: nps.nps(pd.DataFrame({"score": [9]})),
            "a and b are defined differently. a: Share of promoters (9 and 10) less share of detractors (0 "
            "to 6) among all answers, in points, asked on a scale of 0 to 10. b: Share of promoters less "
            "share of detractors among all answers, in points. Make both with the same options.",
        ),
    ],
)
def test_rows_that_cannot_be_compared(a, message: str) -> None:
    with pytest.raises(DataError) as error:
        nps_comparisons.nps_compare(a(), row(1, 1, 1))
    assert str(error.value) == message


# -- many groups ----------------------------------------------------------------


def groups(**bands: tuple[int, int, int]) -> pd.DataFrame:
    scores = [score for p, n, d in bands.values() for score in [10] * p + [8] * n + [0] * d]
    team = [name for name, each in bands.items() for _ in range(sum(each))]
    return nps.nps(pd.DataFrame({"score": scores, "team": team}), by="team")


def test_each_group_is_held_against_all_others_with_holm() -> None:
    scores = groups(a=(60, 30, 10), b=(50, 30, 20), c=(45, 30, 25), d=(20, 30, 50), tiny=(1, 1, 1))
    found = nps_comparisons.nps_compare_groups(scores)
    assert found["team"].tolist() == ["a", "b", "c", "d"]  # the hidden one is in none of the others either
    assert found["others_answers"].tolist() == [300] * 4
    alone = nps_comparisons.nps_compare(row(60, 30, 10), row(115, 90, 95)).iloc[0]
    first = found.iloc[0]
    assert first[["nps", "others", "difference", "low", "high", "p_value"]].tolist() == pytest.approx(
        alone[["a", "b", "difference", "low", "high", "p_value"]].tolist()
    )
    expected = multipletests(found["p_value"], method="holm")[1]
    assert found["p_holm"].tolist() == pytest.approx(expected)
    assert found["verdict"].tolist() == ["higher", "cannot be told", "cannot be told", "lower"]


def test_noise_in_many_groups_is_not_told_as_news() -> None:
    # Twenty alike groups, a thousand times: some group stands out by itself in most, after Holm in few.
    draws = np.random.default_rng(7).multinomial(60, [0.4, 0.4, 0.2], size=(300, 20))
    alone, holm = 0, 0
    for each in draws:
        whole = each.sum(axis=0)
        found = nps_comparisons._difference(each, whole - each)
        alone += (found["p_value"] < 0.05).any()
        holm += (intervals.holm(found["p_value"]) < 0.05).any()
    assert alone > 120
    assert holm < 27


def test_groups_are_compared_inside_their_period() -> None:
    days = ["2024-01-05"] * 12 + ["2024-02-05"] * 12
    frame = pd.DataFrame({"score": [10, 8, 0] * 8, "responded_at": days, "team": ["x", "x", "x", "y"] * 6})
    scores = nps.nps(frame, by="team", period="month", as_of="2024-03-01")
    scores.loc[:, ["nps", "promoters", "passives", "detractors"]] = [[0.0, 3, 3, 3]] * 4  # however small
    found = nps_comparisons.nps_compare_groups(scores)
    assert found[["period", "team"]].to_numpy().tolist() == scores[["period", "team"]].to_numpy().tolist()
    assert found["others_answers"].tolist() == [9] * 4


def test_one_group_has_no_others() -> None:
    assert nps_comparisons.nps_compare_groups(groups(a=(60, 30, 10))).empty


def test_groups_have_to_be_there() -> None:
    with pytest.raises(DataError) as error:
        nps_comparisons.nps_compare_groups(row(1, 1, 1))
    assert str(error.value) == (
        "scores has no groups to compare. Make it with by=, such as nps.nps(responses, by='plan')."
    )


# -- the same people twice ------------------------------------------------------


def paired(responses: object, **how: object) -> pd.DataFrame:
    waves = {"earlier": "2024-01-01", "later": "2024-04-30", "period": "month", "as_of": AS_OF}
    return nps_comparisons.nps_compare_paired(responses, **(waves | how))


def test_the_same_people_by_hand() -> None:
    # ana stays a promoter, ben goes from detractor to passive, cleo from passive to detractor.
    found = paired(datasets.tiny_responses()).iloc[0]
    assert found[["people", "better", "worse", "same"]].tolist() == [3, 1, 1, 1]
    assert found[["earlier_nps", "later_nps", "difference"]].tolist() == [0, 0, 0]
    # Changes of 0, 1 and -1 have a standard deviation of 1; Student's t with 2 degrees is 4.302653.
    half = 100 * 4.302652729911275 / math.sqrt(3)
    assert (found["low"], found["high"]) == pytest.approx((-200, 200) if half > 200 else (-half, half))
    assert found["p_value"] == 1
    assert (found["earlier"], found["later"]) == (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-04-01"))


def test_changes_against_a_t_test_of_scipy() -> None:
    random = np.random.default_rng(8)
    before = random.choice([10, 8, 3], 200, p=[0.4, 0.3, 0.3])
    after = np.where(random.random(200) < 0.25, 10, before)
    people = np.arange(200).astype(str)
    frame = pd.DataFrame(
        {
            "customer_id": [*people, *people, "new"],
            "score": [*before, *after, 0],
            "responded_at": ["2024-01-09"] * 200 + ["2024-04-02"] * 201,
        }
    )
    found = paired(frame).iloc[0]
    value = {10: 100, 8: 0, 3: -100}
    change = [value[b] - value[a] for a, b in zip(before, after, strict=True)]
    expected = stats.ttest_1samp(change, 0)
    assert found["difference"] == pytest.approx(np.mean(change))
    assert found["p_value"] == pytest.approx(expected.pvalue)
    assert (found["low"], found["high"]) == pytest.approx(tuple(expected.confidence_interval()))
    assert found["verdict"] == "higher"
    apart = nps_comparisons.nps_compare(
        *(nps.nps(frame[frame["responded_at"] == day], as_of=AS_OF) for day in ("2024-04-02", "2024-01-09"))
    ).iloc[0]
    assert found["high"] - found["low"] < apart["high"] - apart["low"]


def test_people_who_did_not_change_tell_nothing_of_chance() -> None:
    frame = datasets.tiny_responses()
    found = paired(frame[frame["customer_id"] == "ana"]).iloc[0]
    assert found[["people", "difference"]].tolist() == [1, 0]
    assert np.isnan([found["low"], found["p_value"]]).all()
    assert found["verdict"] == "cannot be told"
    nobody = paired(frame[frame["customer_id"].isin(["dan", "finn"])])
    assert nobody.empty
    assert "people" in nobody


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"later": "2024-01-31"}, "later '2024-01-31' is not in a month after that of earlier '2024-01-01'."),
        (
            {"later": "2024-05-01"},
            "The month of '2024-05-01' is not over: answers are known before 2024-05-01. "
            "Choose an earlier one.",
        ),
    ],
)
def test_waves_that_are_none(how: dict, message: str) -> None:
    with pytest.raises(DataError) as error:
        paired(datasets.tiny_responses(), **how)
    assert str(error.value) == message


# -- wave after wave --------------------------------------------------------------


def test_limits_by_hand() -> None:
    waves = nps.nps_from_counts(promoters=[50, 5], passives=[30, 3], detractors=[20, 2])
    waves.insert(0, "period", pd.to_datetime(["2024-01-01", "2024-04-01"]))
    found = nps_comparisons.nps_limits(waves)
    # All together 55, 33, 22 of 110: 30 points, and an answer varies by 0.7 - 0.09.
    reach = [300 * math.sqrt(0.61 / n) for n in (100, 10)]
    assert found["pooled"].tolist() == pytest.approx([30, 30])
    assert found["limit_low"].tolist() == pytest.approx([30 - reach[0], 30 - reach[1]])
    assert found["limit_high"].tolist() == pytest.approx([30 + reach[0], 100])
    assert found["signal"].tolist() == ["", ""]


def test_waves_that_only_wobble_are_not_news_and_a_jump_is() -> None:
    draws = np.random.default_rng(9).multinomial(150, [0.5, 0.3, 0.2], size=2_000)
    steady = nps.nps_from_counts(promoters=draws[:, 0], passives=draws[:, 1], detractors=draws[:, 2])
    steady.insert(0, "period", pd.date_range("2000-01-01", periods=len(steady), freq="D"))
    assert (nps_comparisons.nps_limits(steady)["signal"] != "").mean() < 0.006
    jump = steady.head(8).copy()
    jump.loc[7, ["nps", "promoters", "passives", "detractors"]] = [-20, 40, 40, 70]
    assert nps_comparisons.nps_limits(jump)["signal"].tolist() == [""] * 7 + ["below"]


def test_each_group_has_its_own_limits() -> None:
    days = pd.Series(["2024-01-05"] * 40 + ["2024-02-05"] * 40)
    frame = pd.DataFrame({"score": [10, 0] * 40, "team": ["x", "y"] * 40, "responded_at": days})
    found = nps_comparisons.nps_limits(nps.nps(frame, by="team", period="month", as_of="2024-03-01"))
    assert found["pooled"].tolist() == [100, -100, 100, -100]
    assert (found["signal"] == "").all()


def test_hidden_waves_have_no_part_in_the_limits() -> None:
    days = ["2024-01-05"] * 40 + ["2024-02-05"] * 3
    frame = pd.DataFrame({"score": [10, 8] * 20 + [0] * 3, "team": "x", "responded_at": days})
    found = nps_comparisons.nps_limits(nps.nps(frame, by="team", period="month", as_of="2024-03-01"))
    assert found["pooled"].tolist() == [50, 50]
    assert found["signal"].tolist() == ["", ""]


def test_limits_need_periods() -> None:
    with pytest.raises(DataError) as error:
        nps_comparisons.nps_limits(groups(a=(60, 30, 10)))
    assert str(error.value) == (
        "waves has no periods. Make it with period=, such as nps.nps(responses, period='quarter')."
    )


def test_what_is_compared_says_on_which_scale() -> None:
    frame = datasets.tiny_responses()
    own = "lowest 0, highest 10, promoters_from 8, passives_from 6"
    waves = nps.nps(frame, scale=own, period="month", as_of=AS_OF)
    teams = nps.nps(frame.assign(team=["x", "y"] * 7), scale=own, by="team", as_of=AS_OF)
    found = [
        nps_comparisons.nps_limits(waves),
        nps_comparisons.nps_compare(waves.iloc[1], waves.iloc[0]),
        nps_comparisons.nps_compare_groups(teams),
        paired(frame, scale=own),
    ]
    polish = Voice(language="pl", currency="PLN")
    for each in found:
        assert "(8 or more)" in each.attrs["definition"]
        assert "not comparable with a Net Promoter Score" in each.attrs["definition"]
        assert "(co najmniej 8)" in polish.said(each.attrs["definition"])
    assert "each customer's latest answer in a period" in found[3].attrs["definition"]


# -- the garden store -------------------------------------------------------------


@pytest.mark.realdata
def test_who_commented_is_less_content_than_the_silent(data_folder: Path) -> None:
    loaded = tables.load_responses(
        data_folder / "nps_garden_store" / "nps.csv.gz",
        columns={"score": "nps", "commented": "explication <> 'NA'"},
    )
    scores = nps.nps(loaded, scale="nps_1_10", by="commented")
    assert dict(zip(scores["commented"], scores["nps"].round(2), strict=True)) == {True: 39.22, False: 58.92}
    assert scores["answers"].tolist() == [9_810, 3_802]
    found = nps_comparisons.nps_compare(scores.iloc[[1]], scores.iloc[[0]]).iloc[0]
    assert found["difference"] == pytest.approx(-19.70, abs=0.01)
    assert found["verdict"] == "b is higher"
    assert found["high"] < -16
