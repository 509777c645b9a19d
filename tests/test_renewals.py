"""What subscribers are worth by who renews: published survivors, and the formula where nobody differs."""

import numpy as np
import pandas as pd
import pytest

from retention_kit import contractual, datasets, leaving, renewals, tables
from retention_kit.exceptions import DataError

# Fader and Hardie (2007), table 1, customers left of 1,000 after each year.
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]


def hazard(left: list[int], period: str = "year", shift: int = 1) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"tenure": np.arange(shift, len(left) - 1 + shift), "at_risk": left[:-1], "churned": -np.diff(left)}
    )
    frame.attrs = {"period": period, "as_of": "2024-07-01"}
    return frame


def test_losses_at_renewals_and_on_any_day() -> None:
    monthly = pd.DataFrame({"tenure": [0, 1, 2], "at_risk": [120, 100, 70], "churned": [3, 20, 7]})
    assert renewals.losses_by_renewal(monthly).to_dict("list") == {
        "period": [1, 2], "customers": [103, 70], "churned": [23, 7],
    }  # fmt: skip
    any_day = monthly.assign(churned=[15, 20, 7])
    assert renewals.losses_by_renewal(any_day).to_dict("list") == {
        "period": [1, 2, 3], "customers": [120, 100, 70], "churned": [15, 20, 7],
    }  # fmt: skip


def test_published_survivors_give_the_published_fits() -> None:
    compared = renewals.compare_contracts(hazard(HIGH_END), fee=100, discount_rate=0.1)
    fits = compared.attrs["fits"]
    assert list(fits["sbg"].params.values()) == pytest.approx([0.668, 3.806], abs=2e-3)
    assert compared["model"].iloc[0] == compared.set_index("model")["aic"].idxmin()
    sbg = compared.set_index("model").loc["sbg"]
    curve = contractual.survival(fits["sbg"], 400)["survival"].to_numpy()
    payments = float((curve / 1.1 ** np.arange(401)).sum())
    assert sbg["payments"] == pytest.approx(payments, rel=1e-3)
    assert sbg["value"] == pytest.approx(100 * payments, rel=1e-3)
    assert sbg["low"] < sbg["value"] < sbg["high"]
    half = renewals.compare_contracts(hazard(HIGH_END), fee=100, margin=0.5).set_index("model").loc["sbg"]
    assert half["value"] == pytest.approx(sbg["value"] / 2)


def test_a_yearly_discount_is_compounded_to_the_period() -> None:
    yearly = renewals.compare_contracts(hazard(HIGH_END), fee=1).set_index("model")
    monthly = renewals.compare_contracts(hazard(HIGH_END, "month"), fee=1).set_index("model")
    assert monthly["payments"]["sbg"] > yearly["payments"]["sbg"]
    same = renewals.compare_contracts(hazard(HIGH_END, "month"), fee=1, discount_rate=1.1**12 - 1)
    assert same.set_index("model")["payments"]["sbg"] == pytest.approx(yearly["payments"]["sbg"])


def test_curves_go_on_where_what_was_observed_ends() -> None:
    compared = renewals.compare_contracts(hazard(HIGH_END), fee=1)
    curves = renewals.contract_survival(hazard(HIGH_END), compared.attrs["fits"], periods=12)
    seen = curves[curves["curve"] == "observed"]
    assert seen["survival"].tolist() == pytest.approx([left / 1000 for left in HIGH_END])
    assert seen["period"].tolist() == list(range(8))
    sbg = curves[curves["curve"] == "sbg"].set_index("period")["survival"]
    assert sbg[12] == pytest.approx(0.3780, abs=5e-4)  # published projection
    assert set(curves["curve"]) == {"observed", "sbg", "bdw"}


def test_the_demo_company_by_its_constant_churn() -> None:
    subscriptions = tables.load_subscriptions(datasets.demo_subscriptions(), as_of="2024-07-01")
    found = leaving.churn_hazard(subscriptions)
    told = renewals.compare_contracts(found, fee=10).attrs
    # All leave at one of three rates: they differ so little that the BdW may have a ridge for an optimum.
    assert "sbg" in told["fits"]
    assert {*told["fits"], *told["left_out"]} == {"sbg", "bdw"}
    curves = renewals.contract_survival(found, told["fits"], periods=12)
    seen = curves[curves["curve"] == "observed"].set_index("period")
    fitted = curves[curves["curve"] == "sbg"].set_index("period")["survival"]
    assert fitted[6] == pytest.approx(seen["survival"][6], abs=0.03)


@pytest.mark.parametrize("left", [[100, 100, 100], [100, 0]])
def test_no_row_where_everybody_does_the_same(left: list[int]) -> None:
    compared = renewals.compare_contracts(hazard(left), fee=10)
    assert compared.empty
    assert compared.attrs["fits"] == {}


def test_several_groups_are_refused() -> None:
    two = pd.concat([hazard(HIGH_END), hazard(HIGH_END)])
    with pytest.raises(DataError) as refused:
        renewals.losses_by_renewal(two)
    assert str(refused.value) == "hazard is what leaving.churn_hazard returns, of one group, without by=."


def test_a_model_whose_parameters_cannot_be_told_apart_is_left_out_and_named() -> None:
    alike = hazard(
        [100_000, 90_000, 81_000, 72_900, 65_610, 59_049]
    )  # one in ten leaves each year, all alike
    told = renewals.compare_contracts(alike, fee=10).attrs
    assert "bdw" in told["left_out"]
    assert all(why.endswith("ry another model.") for why in told["left_out"].values())
