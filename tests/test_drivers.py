"""Key drivers: R's swiss, all subsets beside the closed form, what does not matter, what is flagged."""

from itertools import combinations
from math import factorial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_kit import drivers, intervals
from retention_kit.exceptions import DataError

NAMES = ["Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"]
PUBLISHED = {  # relaimpo and rwa on R's swiss
    "johnson": [0.0484169, 0.1547082, 0.2719641, 0.1146800, 0.1169657],
    "lmg": [0.0570912, 0.1711730, 0.2601347, 0.1055702, 0.1127659],
}


@pytest.fixture(scope="module")
def swiss() -> pd.DataFrame:
    rows = pd.read_csv(Path(__file__).parent / "swiss.csv", comment="#")
    return rows.rename(columns={"Fertility": "score"})


def r2(rows: pd.DataFrame, names: list[str]) -> float:
    x = np.column_stack([np.ones(len(rows)), rows[names]])
    y = rows["score"].to_numpy(dtype=float)
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return 1 - left @ left / ((y - y.mean()) @ (y - y.mean()))


def lmg(rows: pd.DataFrame, names: list[str]) -> list[float]:
    """What a driver adds to R², averaged over all orders in which the drivers can come in."""
    shares = []
    for name in names:
        others = [other for other in names if other != name]
        share = 0.0
        for size in range(len(names)):
            weight = factorial(size) * factorial(len(others) - size) / factorial(len(names))
            for first in combinations(others, size):
                share += weight * (r2(rows, [*first, name]) - r2(rows, [*first]))
        shares.append(share)
    return shares


def by_driver(found: pd.DataFrame) -> pd.DataFrame:
    return found.set_index("driver")


# -- published, and by hand -------------------------------------------------------


def test_swiss_has_its_published_weights(swiss: pd.DataFrame) -> None:
    found = by_driver(drivers.key_drivers(swiss, NAMES, draws=20)).loc[NAMES]
    assert found["importance"].tolist() == pytest.approx(PUBLISHED["johnson"], abs=5e-8)
    assert found["r2"].tolist() == pytest.approx([0.706735] * 5, abs=5e-7)
    assert found["r2_share"].sum() == pytest.approx(1)
    assert set(found["answers"]) == {47}


def test_all_subsets_tell_the_same_story(swiss: pd.DataFrame) -> None:
    shares = lmg(swiss, NAMES)
    assert shares == pytest.approx(PUBLISHED["lmg"], abs=5e-8)
    found = by_driver(drivers.key_drivers(swiss, NAMES, draws=20)).loc[NAMES]
    assert found["importance"].tolist() == pytest.approx(shares, abs=0.02)
    assert np.argsort(found["importance"]).tolist() == np.argsort(shares).tolist()


def test_coefficients_and_means_are_those_of_a_regression(swiss: pd.DataFrame) -> None:
    found = by_driver(drivers.key_drivers(swiss, NAMES, draws=20)).loc[NAMES]
    x = np.column_stack([np.ones(len(swiss)), swiss[NAMES]])
    fitted = np.linalg.lstsq(x, swiss["score"], rcond=None)[0]
    assert found["coefficient"].tolist() == pytest.approx(fitted[1:])
    assert found.loc["Education", "performance"] == pytest.approx(swiss["Education"].mean())
    low, high = intervals.mean(swiss["Education"].mean(), swiss["Education"].std(), 47)
    bounds = found.loc["Education", ["performance_low", "performance_high"]]
    assert bounds.tolist() == pytest.approx([low, high])
    others = [name for name in NAMES if name != "Education"]
    left = r2(swiss.drop(columns="score").rename(columns={"Education": "score"}), others)
    assert found.loc["Education", "vif"] == pytest.approx(1 / (1 - left))


def test_drivers_that_say_different_things_weigh_their_squared_correlations() -> None:
    # A square of four answers, twice over: price and speed go with nothing but the score.
    rows = pd.DataFrame({"price": [0, 0, 1, 1] * 2, "speed": [0, 1, 0, 1] * 2, "score": [1, 3, 4, 6] * 2})
    found = by_driver(drivers.key_drivers(rows, ["price", "speed"], draws=20))
    # The score is 1 + 3 price + 2 speed: variances 9 / 4 and 4 / 4 of 13 / 4.
    assert found["importance"].to_dict() == pytest.approx({"price": 9 / 13, "speed": 4 / 13})
    assert found["coefficient"].to_dict() == pytest.approx({"price": 3, "speed": 2})
    assert found["vif"].tolist() == pytest.approx([1, 1])


# -- invariants --------------------------------------------------------------------

numbers = st.integers(-5, 5)
many = st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=8, max_size=20)


@settings(max_examples=10)
@given(many, st.randoms(use_true_random=False))
def test_order_and_scale_of_answers_do_not_matter_and_weights_sum_to_r2(rows: list, random) -> None:
    frame = pd.DataFrame(rows, columns=["score", "a", "b", "c"])
    random.shuffle(rows)
    turned = pd.DataFrame(rows, columns=["score", "a", "b", "c"]).assign(a=lambda f: 3 * f["a"] + 7)
    both = pd.concat([frame.assign(survey=1), turned.assign(survey=2)])
    found = drivers.key_drivers(both, ["a", "b", "c"], by="survey", draws=10)
    weighed = by_driver(found[found["survey"] == 1]).sort_index()
    again = by_driver(found[found["survey"] == 2]).sort_index()
    same = ["importance", "low", "high", "r2", "vif", "within_chance", "suppressor", "collinear", "caution"]
    pd.testing.assert_frame_equal(again[same], weighed[same])
    weighed = weighed.dropna(subset=["importance"])
    if len(weighed):
        assert weighed["importance"].sum() == pytest.approx(r2(frame, list(weighed.index)), abs=1e-8)
        assert (weighed["low"] <= weighed["importance"]).all()
        assert (weighed["importance"] <= weighed["high"]).all()


def test_the_order_in_which_drivers_are_named_does_not_matter(swiss: pd.DataFrame) -> None:
    one, other = (drivers.key_drivers(swiss, names, draws=20) for names in (NAMES, NAMES[::-1]))
    pd.testing.assert_frame_equal(one, other)


def test_a_seed_draws_the_same_samples_and_another_does_not(swiss: pd.DataFrame) -> None:
    one, two = (drivers.key_drivers(swiss, NAMES, draws=30, seed=seed) for seed in (0, 0))
    pd.testing.assert_frame_equal(one, two)
    other = drivers.key_drivers(swiss, NAMES, draws=30, seed=1)
    assert (other["low"] != one["low"]).all()
    assert (other["importance"] == one["importance"]).all()
    assert (drivers.key_drivers(swiss, NAMES, draws=31)["high"] != one["high"]).any()


# -- what to beware of ---------------------------------------------------------------


def test_a_suppressor_is_flagged(swiss: pd.DataFrame) -> None:
    """Farming provinces have more children; of two alike in all else, the one that farms more has fewer."""
    found = by_driver(drivers.key_drivers(swiss, NAMES))
    assert swiss["Agriculture"].corr(swiss["score"]) > 0 > found.loc["Agriculture", "coefficient"]
    assert found.index[found["suppressor"]].tolist() == ["Agriculture"]


def correlated(answers: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    one, other = rng.normal(size=(2, answers))
    twin = one + 0.1 * rng.normal(size=answers)
    return pd.DataFrame({"one": one, "twin": twin, "other": other, "score": one + rng.normal(size=answers)})


def test_collinear_drivers_are_flagged_and_share_their_weight() -> None:
    found = by_driver(drivers.key_drivers(correlated(), ["one", "twin", "other"], draws=200))
    assert found["collinear"].to_dict() == {"one": True, "twin": True, "other": False}
    assert found.loc["one", "importance"] == pytest.approx(found.loc["twin", "importance"], rel=0.1)
    assert found["within_chance"].to_dict() == {"one": False, "twin": False, "other": True}


def test_a_driver_that_repeats_another_has_weight_and_no_coefficient() -> None:
    frame = correlated(40).assign(twin=lambda rows: 2 * rows["one"])
    found = by_driver(drivers.key_drivers(frame, ["one", "twin", "other"], draws=20))
    assert found.loc["one", "importance"] == pytest.approx(found.loc["twin", "importance"])
    assert found["vif"].isin([np.inf]).to_dict() == {"one": True, "twin": True, "other": False}
    assert found["coefficient"].isna().to_dict() == {"one": True, "twin": True, "other": False}


def test_what_chance_makes_important_is_told_so() -> None:
    """Of 40 surveys without any driver hardly one shows any, at 2.5 % and less for each of three."""
    rows = pd.DataFrame(np.random.default_rng(3).normal(size=(2400, 4)), columns=["score", "a", "b", "c"])
    rows["survey"] = np.arange(2400) % 40
    found = drivers.key_drivers(rows, ["a", "b", "c"], by="survey", draws=100)
    assert (found["low"] > 0).all()  # the bounds alone would claim every one of them
    assert (~found["within_chance"]).sum() <= 6


def test_blanks_are_left_out_and_counted_and_groups_stand_alone() -> None:
    frame = correlated(70).assign(shop=["north"] * 40 + ["south"] * 27 + ["west"] * 3)
    frame.loc[[0, 1], "one"], frame.loc[2, "score"] = np.nan, np.nan
    found = drivers.key_drivers(frame, ["one", "other"], by="shop", draws=20)
    assert found["shop"].tolist() == ["north"] * 2 + ["south"] * 2 + ["west"] * 2
    rows = found.groupby("shop")[["answers", "left_out"]].first()
    assert rows.to_numpy().tolist() == [[37, 2], [27, 0], [3, 0]]  # who gave no score is no answer at all
    assert found["caution"].tolist()[::2] == ["", "fewer than 30 answers", "hidden: fewer than 5 answers"]
    assert found.loc[found["shop"] == "west", ["importance", "performance"]].isna().all(axis=None)
    north = drivers.key_drivers(frame[frame["shop"] == "north"], ["one", "other"], draws=20)
    same = ["driver", "importance", "low", "high", "within_chance"]
    pd.testing.assert_frame_equal(found.loc[:1, same], north[same])
    assert found.attrs["definition"].endswith("together they are R²; within shop.")
    assert found.attrs["rows_set_aside"] == {"no answer": 1}


def test_a_rating_that_is_always_the_same_explains_nothing() -> None:
    frame = correlated(40).assign(other=4)
    found = by_driver(drivers.key_drivers(frame, ["one", "twin", "other"], draws=20))
    assert found["caution"].to_dict() == {"one": "", "twin": "", "other": "does not vary"}
    assert found["performance"].loc["other"] == 4
    assert found["importance"].isna().to_dict() == {"one": False, "twin": False, "other": True}
    flat = drivers.key_drivers(frame.assign(score=9), ["one", "twin"], draws=20)
    assert flat["caution"].tolist() == ["does not vary"] * 2
    few = drivers.key_drivers(correlated(5).assign(more=range(5)), ["one", "twin", "other", "more"])
    assert set(few["caution"]) == {"too few answers for so many drivers"}


def test_ratings_written_as_text_are_read_as_the_door_reads_numbers() -> None:
    frame = correlated(40).round(2)
    text = frame.assign(one=frame["one"].map(lambda number: f"{number:.2f}".replace(".", ",")))
    text.loc[3, "one"], frame.loc[3, "one"] = "N/A", np.nan
    read, plain = (drivers.key_drivers(each, ["one", "other"], draws=10) for each in (text, frame))
    pd.testing.assert_frame_equal(read, plain)


@pytest.mark.parametrize(
    ("columns", "change", "message"),
    [
        (
            ["one", "other"],
            {"one": "very good"},
            "one holds 'very good', which is no number, in 8 of 8 answers. "
            "Give ratings as numbers, or leave it out of drivers.",
        ),
        (
            ["one", "other"],
            {"one": pd.Timestamp("2024-01-01")},
            "one holds timestamp(6), and a number is needed. Map a column of numbers, or an expression.",
        ),
        (["one"], {}, "drivers weighs ratings against each other, and it has ['one']. Name two at least."),
        (["one", "other", "one"], {}, "drivers names 'one' twice. Name each once."),
        (["one", "score"], {}, "drivers holds the score itself. Leave it out."),
        (
            ["one", "other"],
            {"one": np.nan},
            "No answer has a score and all of ['one', 'other']. "
            "Leave out the drivers that were seldom asked.",
        ),
        (
            ["one", "service"],
            {},
            "responses is missing ['service']. It has ['one', 'twin', 'other', 'score']. "
            "Map your names onto ours with columns={'service': 'your_name'}.",
        ),
    ],
)
def test_what_cannot_be_weighed(columns: list, change: dict, message: str) -> None:
    with pytest.raises(DataError) as error:
        drivers.key_drivers(correlated(8).assign(**change), columns)
    assert str(error.value) == message
