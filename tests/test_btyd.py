"""Fitting purchase models: published numbers, known parameters found again, and what cannot be fitted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retention_kit import btyd, clv, fits, simulations
from retention_kit.exceptions import DataError

# Fader, Hardie and Lee (2005); Fader and Hardie (2013); MBG/NBD and Pareto/NBD of the same data, recomputed.
PUBLISHED = {
    "bg_nbd": ([0.242595, 4.413602, 0.792922, 2.425906], -9582.4292),
    "mbg_nbd": ([0.524843, 6.183085, 0.891360, 1.614003], -9582.1357),
    "pareto_nbd": ([0.553277, 10.577684, 0.606240, 11.668732], -9594.9762),
}
TRUTHS = {
    "bg_nbd": {"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5},
    "mbg_nbd": {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7},
    "pareto_nbd": {"r": 0.55, "alpha": 10.0, "s": 0.6, "beta": 12.0},
    "bg_bb": {"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.8},
}


def fitter(model: str) -> Callable:
    return getattr(btyd, f"fit_{model}")


def drawn(model: str, customers: int = 3000, seed: int = 0, until: float = 0) -> pd.DataFrame:
    rng = np.random.default_rng(100 + seed)
    observed = rng.integers(4, 9, customers) if model == "bg_bb" else rng.integers(20, 80, customers)
    truth = TRUTHS[model]
    return simulations.simulated_customers(
        model, truth, customers=customers, T=observed, unit="week", seed=seed, until=until
    )


@pytest.fixture(scope="module")
def cdnow(data_folder: Path) -> pd.DataFrame:
    """The published calibration period: the tenth of customers, to the end of September 1997."""
    rows = pd.read_csv(
        data_folder / "cdnow" / "CDNOW_sample.txt.gz",
        sep=r"\s+",
        names=["master", "customer_id", "day", "cds", "amount"],
        dtype={"customer_id": str, "master": str, "day": str},
    )
    orders = rows.assign(ordered_at=pd.to_datetime(rows["day"], format="%Y%m%d"))
    return clv.summarize_customers(orders[["customer_id", "ordered_at", "amount"]], as_of="1997-10-01")


@pytest.mark.realdata
@pytest.mark.parametrize("model", PUBLISHED)
def test_published_fits(cdnow: pd.DataFrame, model: str) -> None:
    params, log_likelihood = PUBLISHED[model]
    fit = fitter(model)(cdnow)
    assert list(fit.params.values()) == pytest.approx(params, rel=2e-6)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=5e-5)
    assert (fit.customers, fit.unit, fit.status) == (2357, "week", "optimum")


@pytest.mark.realdata
def test_published_spend(cdnow: pd.DataFrame) -> None:
    fit = btyd.fit_gamma_gamma(cdnow)
    assert list(fit.params.values()) == pytest.approx([6.249575, 3.744224, 15.443512], rel=2e-6)
    assert fit.log_likelihood == pytest.approx(-4055.9177, abs=5e-5)
    assert dict(fit.left_out) == {"never came back": 2357 - 946, "spent nothing": 0}
    assert fit.facts["correlation"] == pytest.approx(0.1139, abs=5e-5)  # Fader and Hardie print 0.11


@pytest.mark.realdata
def test_a_day_more_is_another_model(data_folder: Path, cdnow: pd.DataFrame) -> None:
    later = cdnow.assign(T=cdnow["T"] + 1 / 7)
    later.attrs = cdnow.attrs
    assert btyd.fit_bg_nbd(later).log_likelihood == pytest.approx(-9589.89, abs=0.005)


@pytest.mark.parametrize("model", TRUTHS)
def test_known_parameters_are_found_again(model: str) -> None:
    fit = fitter(model)(drawn(model))
    rows = fit.frame().set_index("parameter")
    for name, truth in TRUTHS[model].items():
        # Three standard errors of the logarithm.
        error = rows.loc[name, "standard_error"] / rows.loc[name, "value"]
        assert abs(np.log(rows.loc[name, "value"] / truth)) < 3 * error, name


def test_weights_are_customers() -> None:
    frame = drawn("mbg_nbd", customers=200)
    twice = pd.concat([frame, frame])
    weighted = frame.assign(weight=2)
    for each in (twice, weighted):
        each.attrs = {"unit": "week"}
    one, other = btyd.fit_mbg_nbd(twice), btyd.fit_mbg_nbd(weighted)
    assert dict(one.params) == pytest.approx(dict(other.params), rel=1e-9)
    assert one.log_likelihood == pytest.approx(other.log_likelihood)
    assert one.data_hash == other.data_hash


def test_the_unit_scales_what_has_one_and_nothing_else() -> None:
    weeks = drawn("pareto_nbd", customers=400)
    days = weeks.assign(recency=weeks["recency"] * 7, T=weeks["T"] * 7)
    days.attrs = {"unit": "day"}
    one, other = btyd.fit_pareto_nbd(weeks).params, btyd.fit_pareto_nbd(days).params
    assert [other[name] / one[name] for name in ("r", "alpha", "s", "beta")] == pytest.approx(
        [1, 7, 1, 7], rel=1e-5
    )


def test_bootstrap_agrees_with_the_hessian_on_a_round_hill() -> None:
    frame = drawn("mbg_nbd", customers=2000)
    fit = btyd.fit_mbg_nbd(frame)
    again = btyd.bootstrap(fit, frame, draws=100, seed=1)
    assert again.interval == "bootstrap 95 %"
    assert again.params == fit.params
    ratio = np.std(np.array(again.draws), axis=0) / np.sqrt(np.diag(np.array(fit.covariance)))
    assert ((ratio > 0.75) & (ratio < 1.35)).all()
    assert btyd.bootstrap(fit, frame, draws=100, seed=1).draws == again.draws
    assert (
        btyd.bootstrap(fit, frame, draws=3, seed=1).draws != btyd.bootstrap(fit, frame, draws=3, seed=2).draws
    )


def test_bootstrap_of_other_customers_is_refused() -> None:
    frame = drawn("mbg_nbd", customers=300)
    fit = btyd.fit_mbg_nbd(frame)
    with pytest.raises(DataError) as caught:
        btyd.bootstrap(fit, frame.iloc[1:])
    assert str(caught.value) == (
        "The summary is not the one this model was fitted on. Give the same, or fit anew."
    )


def test_a_fit_comes_back_from_its_file(tmp_path: Path) -> None:
    fit = btyd.fit_mbg_nbd(drawn("mbg_nbd", customers=300))
    spend = btyd.fit_gamma_gamma(simulations.with_spend(drawn("mbg_nbd"), {"p": 6, "q": 4, "gamma": 15}))
    for each in (fit, spend):
        assert fits.load(fits.save(each, tmp_path / "fit.json")) == each


# -- spend ---------------------------------------------------------------------


def test_known_spend_is_found_again() -> None:
    truth = {"p": 6.0, "q": 4.0, "gamma": 15.0}
    fit = btyd.fit_gamma_gamma(simulations.with_spend(drawn("bg_nbd", customers=4000), truth))
    for name, value in truth.items():
        assert abs(fit.params[name] - value) < 3 * fit.standard_errors[name], name


def test_spend_without_a_mean_is_said() -> None:
    truth = {"p": 3.0, "q": 0.7, "gamma": 5.0}
    fit = btyd.fit_gamma_gamma(simulations.with_spend(drawn("bg_nbd", customers=2000), truth))
    assert not fit.converged
    assert fit.status.startswith("no mean: q is 0.")
    assert fit.status.endswith(", and up to 1 the mean spend is endless. Show spend so far.")


def test_who_says_nothing_of_spend_is_counted() -> None:
    frame = pd.DataFrame(
        {"frequency": [2, 1, 4, 0, 3, 2, 1], "monetary_value": [22.0, 12, 41, 0, 30, 18, 0], "weight": 2}
    )
    fit = btyd.fit_gamma_gamma(frame)
    assert dict(fit.left_out) == {"never came back": 2, "spent nothing": 2}
    assert fit.customers == 10


def test_refunds_larger_than_orders_are_refused() -> None:
    frame = pd.DataFrame({"frequency": [2, 1], "monetary_value": [22.0, -12]})
    with pytest.raises(DataError) as caught:
        btyd.fit_gamma_gamma(frame)
    assert str(caught.value) == "monetary_value is negative in 1 of 2 rows, first in row 1: {'frequency': 1}."


# -- what cannot be fitted -----------------------------------------------------


def test_nobody_came_back() -> None:
    frame = pd.DataFrame({"frequency": [0, 0], "recency": [0, 0], "T": [5, 6], "monetary_value": [0, 0]})
    with pytest.raises(DataError) as caught:
        btyd.fit_mbg_nbd(frame, unit="week")
    assert str(caught.value) == (
        "Nobody came back, so no purchase model can be fitted. "
        "Show purchases.repeat_purchase_rate: it is 0, and its interval says how high it may be."
    )
    with pytest.raises(DataError) as caught:
        btyd.fit_gamma_gamma(frame)
    assert str(caught.value) == (
        "Nobody who came back spent anything, so spend cannot be fitted. "
        "Show clv.clv_historical, what customers have brought so far."
    )


def test_one_customer() -> None:
    frame = pd.DataFrame({"frequency": [3], "recency": [4.0], "T": [6.0]})
    with pytest.raises(DataError) as caught:
        btyd.fit_bg_nbd(frame, unit="week")
    assert str(caught.value) == (
        "The summary has 1 kinds of customers, and bg_nbd needs 4 at least. "
        "Show what they have brought so far, clv.clv_historical."
    )


def test_where_nobody_leaves_the_model_says_so() -> None:
    rng = np.random.default_rng(1)
    x = rng.poisson(20, 400) + 1
    frame = pd.DataFrame({"frequency": x, "recency": 52.0, "T": 52.0})
    fit = btyd.fit_bg_nbd(frame, unit="week")
    assert not fit.converged
    assert fit.status.split(":")[0] in ("flat", "no optimum")


def test_a_fit_of_something_else_is_refused() -> None:
    spend = btyd.fit_gamma_gamma(pd.DataFrame({"frequency": [2, 1, 3], "monetary_value": [22.0, 12, 30]}))
    with pytest.raises(DataError) as caught:
        btyd.model_of(spend)
    assert str(caught.value) == (
        "This is a fit of gamma_gamma, not of purchases. "
        "Use one of fit_bg_nbd, fit_mbg_nbd, fit_pareto_nbd, fit_bg_bb."
    )
