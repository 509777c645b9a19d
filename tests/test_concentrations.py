"""How unevenly value is spread, by hand and by what must hold for any values."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_kit import concentrations
from retention_kit.exceptions import DataError, ParamsError

VALUES = pd.DataFrame({"worth": [60.0, 0.0, 10.0, 30.0]})


def test_a_curve_by_hand() -> None:
    curve = concentrations.lorenz_curve(VALUES, "worth").set_index("customer_share")["value_share"]
    assert len(curve) == 101
    assert curve[[0, 0.25, 0.5, 0.75, 1]].tolist() == pytest.approx([0, 0, 0.1, 0.4, 1])
    assert curve[0.6] == pytest.approx(0.1 + 0.4 * 0.3)  # a part of the third customer


def test_the_best_by_hand() -> None:
    best = concentrations.top_share(VALUES, "worth", top=0.25).iloc[0]
    assert best[["customers", "top_customers", "total_value", "top_value", "top_share"]].tolist() == [
        4, 1, 100, 60, 0.6,
    ]  # fmt: skip
    assert best["gini"] == pytest.approx(2 * (1 * 0 + 2 * 10 + 3 * 30 + 4 * 60) / (4 * 100) - 5 / 4)
    assert concentrations.top_share(VALUES, "worth", top=0.375)["top_share"].item() == pytest.approx(0.75)


@given(st.lists(st.floats(0.01, 1e6), min_size=2, max_size=30))
def test_what_holds_for_any_values(worth: list[float]) -> None:
    values = pd.DataFrame({"worth": worth})
    curve = concentrations.lorenz_curve(values, "worth")
    assert (curve["value_share"].diff().dropna() >= -1e-12).all()
    assert (curve["value_share"] <= curve["customer_share"] + 1e-9).all()
    best = concentrations.top_share(values, "worth", top=0.2).iloc[0]
    at = np.interp(0.8, curve["customer_share"], curve["value_share"])
    assert best["top_share"] == pytest.approx(1 - at, abs=0.011)  # between two of the curve's points
    assert 0.2 - 1e-9 <= best["top_share"] <= 1
    assert -1e-9 <= best["gini"] < 1


def test_the_interval_covers_the_share_of_those_the_customers_were_drawn_from() -> None:
    rng = np.random.default_rng(7)
    everybody = rng.lognormal(size=200_000)
    truth = np.sort(everybody)[-20_000:].sum() / everybody.sum()
    inside = 0
    for seed in range(30):
        drawn = pd.DataFrame({"worth": rng.choice(everybody, 400)})
        row = concentrations.top_share(drawn, "worth", seed=seed).iloc[0]
        inside += row["low"] <= truth <= row["high"]
    assert inside >= 24  # of 30; skewed values make a bootstrap a little short


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (VALUES.rename(columns={"worth": "w"}), "There is no column 'worth'. The frame has ['w']."),
        (
            VALUES.assign(worth=[1, 2, np.nan, 3]),
            "worth is missing or negative for some customers. Keep those whose value is known.",
        ),
        (VALUES.assign(worth=0), "worth adds up to nothing, so there is nothing to share."),
    ],
)
def test_what_cannot_be_shared(values: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError) as refused:
        concentrations.lorenz_curve(values, "worth")
    assert str(refused.value) == message


def test_a_share_of_customers_is_a_share() -> None:
    with pytest.raises(ParamsError) as refused:
        concentrations.top_share(VALUES, "worth", top=10)
    assert str(refused.value) == "top is a share between 0 and 1, and it was 10. Type 0.1 for the best tenth."
