"""Simulated customers: their means are the models' means, and bad parameters are refused."""

import numpy as np
import pytest

from retention_kit import simulations
from retention_kit.exceptions import DataError


def test_without_leaving_purchases_are_poisson() -> None:
    # Nearly equal rates of one a week, and coins that never say stop.
    truth = {"r": 1e6, "alpha": 1e6, "a": 1e-9, "b": 1.0}
    frame = simulations.simulated_customers("bg_nbd", truth, customers=4000, T=9, unit="week", until=4)
    assert frame["frequency"].mean() == pytest.approx(9, abs=4 * 3 / 4000**0.5)
    assert frame["frequency"].var() == pytest.approx(9, rel=0.1)
    assert frame["purchases_after"].mean() == pytest.approx(4, abs=4 * 2 / 4000**0.5)
    assert frame["alive"].all()
    assert (frame["recency"] <= frame["T"]).all()
    assert ((frame["frequency"] == 0) == (frame["recency"] == 0)).all()


def test_coins_that_always_say_stop() -> None:
    truth = {"r": 1e6, "alpha": 1e6, "a": 1.0, "b": 1e-9}
    frame = simulations.simulated_customers("bg_nbd", truth, customers=500, T=50, unit="week")
    assert set(frame["frequency"]) == {1}
    assert not frame["alive"].any()
    first = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=50, unit="week")
    assert set(first["frequency"]) == {0}


def test_lives_are_pareto() -> None:
    truth = {"r": 1.0, "alpha": 10.0, "s": 2.0, "beta": 30.0}
    frame = simulations.simulated_customers("pareto_nbd", truth, customers=8000, T=30, unit="week")
    assert frame["alive"].mean() == pytest.approx((30 / 60) ** 2, abs=4 * (0.25 * 0.75 / 8000) ** 0.5)


def test_occasions() -> None:
    truth = {"alpha": 3.0, "beta": 1.0, "gamma": 1e-9, "delta": 1.0}
    frame = simulations.simulated_customers("bg_bb", truth, customers=4000, T=8, unit="year", until=2)
    assert frame["frequency"].mean() == pytest.approx(8 * 3 / 4, abs=0.15)
    assert frame["purchases_after"].max() == 2
    assert (frame["recency"] == np.floor(frame["recency"])).all()


def test_seeds() -> None:
    truth = {"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5}
    one, same, other = (
        simulations.simulated_customers("bg_nbd", truth, customers=50, T=30, unit="week", seed=seed)
        for seed in (1, 1, 2)
    )
    assert one.equals(same)
    assert not one.equals(other)


def test_spend_follows_purchases() -> None:
    truth = {"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5}
    frame = simulations.simulated_customers("bg_nbd", truth, customers=9000, T=30, unit="week", until=9)
    spent = simulations.with_spend(frame, {"p": 6.0, "q": 5.0, "gamma": 20.0})
    mean = 6 * 20 / 4
    assert spent["spent_after"].sum() / spent["purchases_after"].sum() == pytest.approx(mean, rel=0.05)
    assert (spent.loc[spent["frequency"] == 0, "monetary_value"] == 0).all()


@pytest.mark.parametrize(
    ("model", "params", "message"),
    [
        (
            "bg_nbdd",
            {},
            "There is no model 'bg_nbdd'. Did you mean 'bg_nbd'? "
            "Choose one of ['bg_nbd', 'mbg_nbd', 'pareto_nbd', 'bg_bb'].",
        ),
        (
            "bg_nbd",
            {"r": 1.0, "alpha": 0.0, "a": 1.0, "b": 1.0},
            "bg_nbd has the parameters ['r', 'alpha', 'a', 'b'], each above 0, and was given "
            "{'r': 1.0, 'alpha': 0.0, 'a': 1.0, 'b': 1.0}.",
        ),
    ],
)
def test_bad_parameters(model: str, params: dict, message: str) -> None:
    with pytest.raises(DataError) as caught:
        simulations.simulated_customers(model, params, customers=5, T=5, unit="week")
    assert str(caught.value) == message


def test_bad_unit() -> None:
    truth = {"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5}
    with pytest.raises(DataError, match="There is no unit 'moon'"):
        simulations.simulated_customers("bg_nbd", truth, customers=5, T=5, unit="moon")
