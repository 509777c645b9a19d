"""Contracts: the published table of Fader and Hardie, cohorts of several ages, and what cannot be fitted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import coverage
from retention_kit import contractual
from retention_kit.exceptions import DataError

# Fader and Hardie (2007), How to project customer retention: customers left after each year, per cent.
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1, 46.8, 44.5, 42.7, 40.9, 39.4]
REGULAR = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1, 22.3, 20.7, 19.4, 18.3, 17.3]


def observed(survivors: list[float], years: int = 7) -> pd.DataFrame:
    return contractual.losses_of(np.array(survivors[: years + 1]) * 10)


@pytest.mark.parametrize(
    ("survivors", "params", "log_likelihood", "projected"),
    [
        (HIGH_END, [0.668, 3.806], -1611.158, [46.04, 43.58, 41.42, 39.51, 37.80]),
        # "0.688" in some copies is a misprint
        (REGULAR, [0.704, 1.182], -1680.265, [22.01, 20.44, 19.12, 17.99, 17.00]),
    ],
)
def test_published_sbg(survivors: list, params: list, log_likelihood: float, projected: list) -> None:
    fit = contractual.fit_sbg(observed(survivors))
    assert [round(value, 3) for value in fit.params.values()] == params
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-3)
    assert fit.customers == pytest.approx(1000)
    curve = contractual.survival(fit, 12)
    assert (100 * curve["survival"]).round(2).tolist()[8:] == projected
    assert ((curve["low"] <= curve["survival"]) & (curve["survival"] <= curve["high"])).all()


def test_published_bdw() -> None:
    # Fader, Hardie, Liu, Davin and Steenburgh (2018), the first four years of the high end.
    fit = contractual.fit_bdw(observed(HIGH_END, years=4))
    assert [round(value, 2) for value in fit.params.values()] == [0.26, 1.72, 1.58]


def test_published_residual_lifetime() -> None:
    fit = contractual.fit_sbg(observed(HIGH_END))
    found = contractual.residual_lifetime(fit, renewals=7, discount_rate=0.1)
    assert found["residual_lifetime"].item() == pytest.approx(7.5296, abs=5e-5)
    assert found["low"].item() < 7.5296 < found["high"].item()


def test_residual_lifetime_is_the_sum_of_payments() -> None:
    fit = contractual.fit_bdw(observed(REGULAR))
    curve = contractual.survival(fit, 3000, alive_after=2)["survival"].to_numpy()
    # Due now if the customer renews: survival to the next period over survival so far, and so on.
    by_hand = (curve[1:] / 1.2 ** np.arange(3000)).sum()
    found = contractual.residual_lifetime(fit, renewals=2, discount_rate=0.2)["residual_lifetime"].item()
    assert found == pytest.approx(by_hand, rel=1e-9)


def test_who_has_stayed_stays() -> None:
    fit = contractual.fit_sbg(observed(REGULAR))
    new, old = contractual.survival(fit, 1), contractual.survival(fit, 1, alive_after=5)
    assert old["survival"].iloc[1] > new["survival"].iloc[1]
    alpha, beta = fit.theta
    assert new["retention_rate"].iloc[1] == pytest.approx(beta / (alpha + beta))
    assert old["retention_rate"].iloc[1] == pytest.approx((beta + 5) / (alpha + beta + 5))
    assert old["period"].tolist() == [5, 6]


@given(st.floats(0.3, 3), st.floats(0.5, 6), st.floats(0.6, 1.8))
def test_gradient_of_bdw(alpha: float, beta: float, c: float) -> None:
    theta, t = np.array([alpha, beta, c]), np.arange(1, 9)
    _, slope = contractual._log_pmf("bdw", theta, t)
    for i in range(3):
        step = np.zeros(3)
        step[i] = 1e-6
        up, down = (contractual._log_pmf("bdw", theta + side * step, t)[0] for side in (1, -1))
        np.testing.assert_allclose(slope[i], (up - down) / 2e-6, rtol=1e-4, atol=1e-6)


def test_at_c_of_one_the_two_models_are_one() -> None:
    theta, t = np.array([0.7, 1.2]), np.arange(0, 9)
    np.testing.assert_allclose(
        contractual._log_survival("sbg", theta, t),
        contractual._log_survival("bdw", np.append(theta, 1.0), t),
    )


def test_known_parameters_are_found_again() -> None:
    # sBG below; here customers whose own chance to leave rises with time.
    losses = coverage.losses("bdw", 30_000, np.random.default_rng(5))
    rows = contractual.fit_bdw(losses).frame().set_index("parameter")
    for name, truth in coverage.TRUTHS["bdw"].items():
        error = rows.loc[name, "standard_error"] / rows.loc[name, "value"]
        assert abs(np.log(rows.loc[name, "value"] / truth)) < 3 * error, name
    assert rows.loc["c", "low"] > 1


def test_several_cohorts_find_the_truth_again() -> None:
    rng = np.random.default_rng(2)
    rows = []
    for years in (8, 5, 3):  # a young cohort has fewer rows
        chance = rng.beta(0.9, 2.7, 4000)
        leaves_in = rng.geometric(chance)
        for year in range(1, years + 1):
            rows.append((year, (leaves_in >= year).sum(), (leaves_in == year).sum()))
    losses = pd.DataFrame(rows, columns=["period", "customers", "churned"])
    fit = contractual.fit_sbg(losses, unit="year")
    assert fit.customers == 12_000
    for name, truth in (("alpha", 0.9), ("beta", 2.7)):
        assert abs(fit.params[name] - truth) < 3 * fit.standard_errors[name]
    curvature = contractual.fit_bdw(losses).frame().set_index("parameter").loc["c"]
    assert curvature["low"] < 1 < curvature["high"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [(1, 10, 0), (2, 10, 0)],
            "Everybody stayed, or nobody did, so no model of who leaves can be fitted. "
            "Show churn.churn_rates with its interval instead.",
        ),
        ([(1, 10, 11)], "churned is between 0 and customers in every period."),
        ([(0, 10, 1)], "period is a whole number from 1 on."),
        ([(1, 10, float("nan"))], "losses has missing values."),
        ([(1, 10, 2), (2, 9, 1)], "losses has more customers in period 2 than were left after period 1."),
    ],
)
def test_bad_losses(rows: list, message: str) -> None:
    with pytest.raises(DataError) as caught:
        contractual.fit_sbg(pd.DataFrame(rows, columns=["period", "customers", "churned"]))
    assert str(caught.value) == message


def test_other_bad_input() -> None:
    with pytest.raises(DataError) as caught:
        contractual.fit_sbg(pd.DataFrame({"period": [1]}))
    assert str(caught.value) == (
        "losses is missing ['customers', 'churned']. It has ['period']. "
        "Type contractual.losses_of([1000, 869, 743]) for customers left after each period."
    )
    fit = contractual.fit_sbg(observed(REGULAR))
    with pytest.raises(DataError) as caught:
        contractual.residual_lifetime(fit, discount_rate=0)
    assert str(caught.value) == (
        "discount_rate is 0: some customers stay for ever, so without a discount the sum has no end. "
        "Type discount_rate=0.1 for 10 % a period."
    )
    with pytest.raises(DataError, match="periods and alive_after count periods, from 0 on"):
        contractual.survival(fit, -1)
    with pytest.raises(DataError, match="survivors is a row of numbers, at least two"):
        contractual.losses_of([5])
