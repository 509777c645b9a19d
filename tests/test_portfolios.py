"""Sums over customers: what was expected and what simulated customers then did."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retention_kit import btyd, portfolios, predictions, simulations
from retention_kit.exceptions import DataError
from tests.test_btyd import TRUTHS, drawn, fitter

SPEND = {"p": 6.0, "q": 6.0, "gamma": 25.0}


def spending(model: str = "mbg_nbd", customers: int = 600, seed: int = 0) -> pd.DataFrame:
    return simulations.with_spend(drawn(model, customers, seed, until=26), SPEND, seed=seed + 1)


def test_chance_is_the_variance_of_single_customers() -> None:
    # With the parameters known, what is left is chance: the variance of the numbers' distribution.
    frame = drawn("mbg_nbd", customers=50, until=26)
    fit = replace(
        fitter("mbg_nbd")(drawn("mbg_nbd")), params=TRUTHS["mbg_nbd"], covariance=(np.eye(4) * 1e-12).tolist()
    )
    each = predictions.purchase_probabilities(fit, frame, 26, most=400)
    mean = (each["purchases"] * each["probability"]).groupby(each["customer_id"]).sum()
    square = (each["purchases"] ** 2 * each["probability"]).groupby(each["customer_id"]).sum()
    total = portfolios.expected_totals(fit, frame, until=26).iloc[0]
    shape, scale = mean.sum() ** 2 / (square - mean**2).sum(), (square - mean**2).sum() / mean.sum()
    assert total["expected_purchases"] == pytest.approx(mean.sum(), rel=1e-6)
    assert total["low"] == pytest.approx(stats.gamma(shape, scale=scale).ppf(0.025), rel=1e-5)
    assert total["high"] == pytest.approx(stats.gamma(shape, scale=scale).ppf(0.975), rel=1e-5)


def test_segments_add_up_to_the_whole() -> None:
    frame = spending().assign(country=np.where(np.arange(600) % 3 == 0, "PL", "DE"))
    fit, spend = btyd.fit_mbg_nbd(frame), btyd.fit_gamma_gamma(frame)
    for whole, parts, name in (
        (
            portfolios.expected_totals(fit, frame, until=26),
            portfolios.expected_totals(fit, frame, until=26, by="country"),
            "expected_purchases",
        ),
        (
            portfolios.expected_revenue(fit, spend, frame, until=26),
            portfolios.expected_revenue(fit, spend, frame, until=26, by="country"),
            "expected_revenue",
        ),
    ):
        assert parts["country"].tolist() == ["DE", "PL"]
        assert parts["customers"].tolist() == [400, 200]
        assert parts[name].sum() == pytest.approx(whole[name].item())
        width = (whole["high"] - whole["low"]).item()
        assert (parts["high"] - parts["low"]).sum() > width > (parts["high"] - parts["low"]).max()


def test_weights_are_customers() -> None:
    frame = spending(customers=300)
    fit, spend = btyd.fit_mbg_nbd(frame), btyd.fit_gamma_gamma(frame)
    twice, weighted = pd.concat([frame, frame]), frame.assign(weight=2)
    pd.testing.assert_frame_equal(
        portfolios.expected_revenue(fit, spend, twice, until=26),
        portfolios.expected_revenue(fit, spend, weighted, until=26),
    )


def test_margin_scales_money() -> None:
    frame = spending()
    fit, spend = btyd.fit_mbg_nbd(frame), btyd.fit_gamma_gamma(frame)
    revenue = portfolios.expected_revenue(fit, spend, frame, until=26)
    third = portfolios.expected_revenue(fit, spend, frame, until=26, margin=0.3)
    for column in ("expected_revenue", "low", "high"):
        assert third[column].item() == pytest.approx(0.3 * revenue[column].item())


def test_values_are_purchases_times_spend() -> None:
    frame = spending()
    fit, spend = btyd.fit_mbg_nbd(frame), btyd.fit_gamma_gamma(frame)
    value = portfolios.customer_values(fit, spend, frame, until=26, margin=0.5)
    bought = predictions.expected_purchases(fit, frame, 26)
    mean = predictions.expected_spend(spend, frame)
    np.testing.assert_allclose(
        value["expected_value"], 0.5 * bought["expected_purchases"] * mean["expected_spend"]
    )
    # On the logarithms, the bounds' widths of the two add as squares.
    width = np.log(value["high"] / value["expected_value"]) ** 2
    apart = (
        np.log(bought["high"] / bought["expected_purchases"]) ** 2
        + np.log(mean["high"] / mean["expected_spend"]) ** 2
    )
    np.testing.assert_allclose(width, apart)
    ever = portfolios.customer_values(fit, spend, frame, until=None, discount_rate=0.1)
    year = portfolios.customer_values(fit, spend, frame, until="1 year", discount_rate=0.1)
    assert (ever["expected_value"] > year["expected_value"]).all()


def test_spend_that_scatters_endlessly_has_no_bounds() -> None:
    frame = simulations.with_spend(drawn("mbg_nbd", until=26), {"p": 3.0, "q": 1.5, "gamma": 5.0})
    found = portfolios.expected_revenue(btyd.fit_mbg_nbd(frame), btyd.fit_gamma_gamma(frame), frame, until=26)
    assert np.isfinite(found["expected_revenue"].item())
    assert found[["low", "high"]].isna().all(axis=None)


def test_bad_input() -> None:
    frame = spending()
    fit, spend = btyd.fit_mbg_nbd(frame), btyd.fit_gamma_gamma(frame)
    with pytest.raises(DataError) as caught:
        portfolios.expected_totals(fit, frame, until=26, by="plan")
    assert str(caught.value).startswith("The summary is missing ['plan']. It has ['customer_id', 'frequency'")
    with pytest.raises(DataError) as caught:
        portfolios.customer_values(fit, spend, frame, until=26, margin=30)
    assert str(caught.value) == (
        "margin is a share of revenue above 0 and up to 1, and it was 30. Type 0.3 for 30 %."
    )
