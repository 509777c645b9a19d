"""Models held against what they did not see: by hand, on published data, and where the truth is known."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retention_kit import btyd, datasets, holdouts, predictions, tables
from retention_kit.exceptions import DataError, ParamsError

HALF = "2024-01-01"


@pytest.fixture(scope="module")
def orders() -> tables.Loaded:
    return tables.load_orders(datasets.demo_orders(), as_of="2024-07-01")


@pytest.fixture(scope="module")
def expected(orders: tables.Loaded) -> pd.DataFrame:
    return holdouts.foretold(holdouts.calibration_holdout(orders, calibration_end=HALF))


def by_hand() -> pd.DataFrame:
    """Four customers around a split on the 20th, with twelve days held out and as many before it."""
    rows = [
        ("ann", "2024-01-01", 10), ("ann", "2024-01-08", 20), ("ann", "2024-01-19", 30),
        ("ann", "2024-01-20", 40), ("ann", "2024-01-31", 50), ("ann", "2024-01-31", 60),
        ("bob", "2024-01-07", 5), ("bob", "2024-02-01", 7),
        ("cid", "2024-01-19T23:59", 8),
        ("dan", "2024-01-25", 9),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"], format="ISO8601"))


def split_by_hand() -> pd.DataFrame:
    return holdouts.calibration_holdout(
        by_hand(), calibration_end="2024-01-20", as_of="2024-02-01", unit="day"
    )


def test_a_split_by_hand() -> None:
    split = holdouts.calibration_holdout(
        by_hand(), calibration_end="2024-01-20", as_of="2024-02-01", unit="day"
    )
    assert split.drop(columns="monetary_value").to_dict("records") == [
        {
            "customer_id": "ann", "frequency": 2, "recency": 18.0, "T": 18.0,
            "purchases_before": 2, "spent_before": 50.0, "purchases_after": 2, "spent_after": 150.0,
        },
        {
            "customer_id": "bob", "frequency": 0, "recency": 0.0, "T": 12.0,
            "purchases_before": 0, "spent_before": 0.0, "purchases_after": 0, "spent_after": 0.0,
        },
        {
            "customer_id": "cid", "frequency": 0, "recency": 0.0, "T": 0.0,
            "purchases_before": 1, "spent_before": 8.0, "purchases_after": 0, "spent_after": 0.0,
        },
    ]  # fmt: skip
    assert split.attrs["holdout"] == 12
    assert split.attrs["as_of"] == "2024-02-01"


def test_the_rules_without_a_model_by_hand() -> None:
    split = holdouts.calibration_holdout(
        by_hand(), calibration_end="2024-01-20", as_of="2024-02-01", unit="day"
    )
    rules = holdouts.foretold(split, models=[])
    assert rules["historical_mean"].tolist() == [2 / 18 * 12, 0, 0]
    assert rules["last_period"].tolist() == [2, 0, 1]
    compared = holdouts.compare_models(rules).set_index("model")
    assert compared["expected"].tolist() == [4 / 3, 3]
    assert compared["error"].tolist() == pytest.approx([4 / 3 / 2 - 1, 3 / 2 - 1])
    assert compared["rmse"].tolist() == pytest.approx([math.sqrt((2 / 3) ** 2 / 3), math.sqrt(1 / 3)])
    assert compared["gini"].tolist() == pytest.approx([1, 1])


@pytest.mark.realdata
def test_cdnow_by_frequency_as_published(data_folder: Path) -> None:
    # metrics.md section 5; Fader, Hardie and Lee (2005), figure 5: 39 weeks held out.
    sample = pd.read_csv(
        data_folder / "cdnow" / "CDNOW_sample.txt.gz",
        sep=r"\s+",
        names=["master", "customer_id", "ordered_at", "cds", "amount"],
        dtype={"customer_id": "str", "ordered_at": "str"},
    ).assign(ordered_at=lambda frame: pd.to_datetime(frame["ordered_at"], format="%Y%m%d"))
    split = holdouts.calibration_holdout(sample, calibration_end="1997-10-01", as_of="1998-07-01")
    assert split.attrs["holdout"] == 39
    found = holdouts.expected_and_actual(holdouts.foretold(split, models=["bg_nbd"]), names=["bg_nbd"])
    assert found["group"].tolist() == ["0", "1", "2", "3", "4", "5", "6", "7+"]
    assert found["actual"].tolist() == pytest.approx(
        [0.2367, 0.6970, 1.3925, 1.5600, 2.5323, 2.9474, 3.8621, 6.3594], abs=5e-5
    )
    assert found["bg_nbd"].tolist() == pytest.approx(
        [0.2251, 0.5231, 1.0441, 1.5203, 2.1638, 2.6538, 3.5040, 6.1570], abs=2e-4
    )


def test_the_model_the_data_come_from_is_preferred(expected: pd.DataFrame) -> None:
    compared = holdouts.compare_models(expected)
    assert compared["model"].tolist() == ["bg_nbd", "mbg_nbd", "pareto_nbd", *holdouts.BASELINES]
    assert compared["inside"].tolist()[0] is True
    assert compared["lead"].iloc[0] == 0
    assert (compared["lead_low"].iloc[1:3] > 0).all()
    assert (compared["rmse"].iloc[0] < compared["rmse"].iloc[1:]).all()
    assert (compared["gini"].iloc[0] > compared["gini"].iloc[1:]).all()


def test_the_score_is_the_probability_of_what_was_done(expected: pd.DataFrame) -> None:
    few = expected.head(40).copy()
    few.attrs = expected.attrs
    for name, fit in few.attrs["fits"].items():
        each = predictions.purchase_probabilities(
            fit, few[["customer_id", "frequency", "recency", "T"]], 26, most=30
        )
        done = each.merge(few[["customer_id", "purchases_after"]], on="customer_id")
        done = done[done["purchases"] == done["purchases_after"]]
        compared = holdouts.compare_models(few).set_index("model")
        assert compared["log_score"][name] == pytest.approx(np.log(done["probability"]).mean(), rel=1e-9)


def test_a_group_has_the_mean_of_its_customers_and_student_bounds(expected: pd.DataFrame) -> None:
    found = holdouts.expected_and_actual(expected, by="bg_nbd", groups=10)
    assert found["customers"].sum() == len(expected)
    assert found["customers"].between(0.09 * len(expected), 0.11 * len(expected)).all()
    assert (found["from"].iloc[1:].to_numpy() > found["to"].iloc[:-1].to_numpy()).all()
    top = expected[expected["bg_nbd"] >= found["from"].iloc[-1]]["purchases_after"]
    half = stats.t.ppf(0.975, len(top) - 1) * top.std() / math.sqrt(len(top))
    assert found["actual"].iloc[-1] == pytest.approx(top.mean())
    assert found["high"].iloc[-1] - found["actual"].iloc[-1] == pytest.approx(half)
    weighted = (found["customers"] * found["bg_nbd"]).sum()
    assert weighted == pytest.approx(expected["bg_nbd"].sum())


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (
            lambda orders: holdouts.calibration_holdout(orders, calibration_end="2024-07-01"),
            DataError,
            "calibration_end 2024-07-01 leaves no whole day to hold out before 2024-07-01. "
            "Type an earlier day.",
        ),
        (
            lambda orders: holdouts.calibration_holdout(orders, calibration_end="2020-01-01"),
            DataError,
            "Nobody ordered before 2020-01-01. Type a later calibration_end.",
        ),
        (
            lambda orders: holdouts.calibration_holdout(orders, calibration_end="soon"),
            ParamsError,
            "calibration_end 'soon' is no date without a time zone. "
            "Type one as calibration_end='2024-01-01'.",
        ),
        (
            lambda _: holdouts.foretold(pd.DataFrame({"frequency": [1]})),
            DataError,
            "This frame is no split: it has ['frequency']. "
            "Type holdouts.calibration_holdout(orders, calibration_end=...).",
        ),
    ],
)
def test_what_cannot_be_split(orders: tables.Loaded, wrong, error: type, message: str) -> None:
    with pytest.raises(error) as refused:
        wrong(orders)
    assert str(refused.value) == message


def test_an_unknown_model_and_a_frame_without_forecasts(expected: pd.DataFrame) -> None:
    with pytest.raises(DataError) as refused:
        holdouts.foretold(expected, models=["bgnbd"])
    assert str(refused.value) == (
        "There is no model 'bgnbd'. Did you mean 'bg_nbd'? Choose of ['bg_nbd', 'mbg_nbd', 'pareto_nbd']."
    )
    bare = expected.copy()
    bare.attrs = {name: told for name, told in expected.attrs.items() if name != "fits"}
    with pytest.raises(DataError) as refused:
        holdouts.compare_models(bare)
    assert str(refused.value) == "Nothing is foretold in this frame. Type holdouts.foretold(split)."


def test_a_model_without_a_number_for_somebody_is_left_out(
    expected: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found on 62 customers of one rhythm: MBG/NBD took all rates for equal, and its formula gave NaN."""
    fit_mbg_nbd = btyd.fit_mbg_nbd
    endless = {"r": 152_730.0, "alpha": 1_163_417.0, "a": 1.61, "b": 2.62}

    def fit(summary: pd.DataFrame) -> btyd.Fit:
        return replace(fit_mbg_nbd(summary), params=endless)

    monkeypatch.setattr(btyd, "fit_mbg_nbd", fit)
    found = holdouts.foretold(expected, models=["bg_nbd", "mbg_nbd"])
    assert list(found.attrs["fits"]) == ["bg_nbd"]
    assert found.attrs["left_out"] == {
        "mbg_nbd": "no number: its parameters are too large to foretell with. Try another model."
    }
    compared = holdouts.compare_models(found)
    assert compared["model"].tolist() == ["bg_nbd", "historical_mean", "last_period"]
    assert compared[["low", "high"]].iloc[0].notna().all()


def test_bg_nbd_is_fitted_on_what_lay_before_alone(expected: pd.DataFrame) -> None:
    alone = btyd.fit_bg_nbd(expected[["frequency", "recency", "T"]].assign(weight=1), unit="week")
    assert expected.attrs["fits"]["bg_nbd"].params == pytest.approx(alone.params)
