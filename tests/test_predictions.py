"""What a fit foretells: against what simulated customers then did, and on the edges."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retention_kit import btyd, predictions, simulations
from retention_kit.exceptions import DataError
from retention_kit.fits import Fit
from tests.test_btyd import PUBLISHED, TRUTHS, drawn, fitter


def known(model: str, unit: str = "week") -> Fit:
    """A fit with the published parameters, and errors of a tenth."""
    names = btyd.MODELS[model].names
    return Fit(
        model=model,
        params=dict(zip(names, PUBLISHED[model][0], strict=True)),
        covariance=(np.eye(4) / 100).tolist(),
        log_likelihood=PUBLISHED[model][1],
        customers=2357,
        unit=unit,
        iterations=1,
        gradient_norm=0.0,
        converged=True,
        status="optimum",
        data_hash="",
    )


FIRST = pd.DataFrame({"customer_id": ["0001"], "frequency": [2], "recency": [30.43], "T": [38.86]})


@pytest.mark.parametrize(
    ("model", "alive", "bought"),
    [("bg_nbd", 0.72661, 1.2259), ("mbg_nbd", 0.706126, 1.26267), ("pareto_nbd", 0.86912, 1.45510)],
)
def test_published_customer(model: str, alive: float, bought: float) -> None:
    frame = predictions.p_alive(known(model), FIRST)
    assert frame["p_alive"].item() == pytest.approx(alive, rel=1e-5)
    assert frame["low"].item() < alive < frame["high"].item()
    frame = predictions.expected_purchases(known(model), FIRST, 39)
    assert frame["expected_purchases"].item() == pytest.approx(bought, rel=4e-5)
    assert frame["low"].item() < bought < frame["high"].item()
    assert frame["interval"].item() == "delta, Hessian 95 %"
    assert frame["customer_id"].item() == "0001"


@pytest.mark.parametrize("model", TRUTHS)
def test_what_was_expected_happens(model: str) -> None:
    later = 4 if model == "bg_bb" else 20
    frame = drawn(model, customers=20_000, seed=5, until=later)
    fit = replace(fitter(model)(frame), params=TRUTHS[model])
    bought = predictions.expected_purchases(fit, frame, later)
    alive = predictions.p_alive(fit, frame)["p_alive"].fillna(1)
    for told, happened in (
        (bought["expected_purchases"], frame["purchases_after"]),
        (alive, frame["alive"].astype(float)),
    ):
        error = (told - happened).groupby(frame["frequency"].clip(upper=4))
        deviation = error.mean() / (error.std() / np.sqrt(error.size()))
        if model == "bg_nbd" and told is alive:
            deviation = deviation.drop(0)  # one-time buyers under BG/NBD
        assert (deviation.abs() < 3.5).all(), deviation


def test_one_time_buyers_under_bg_nbd_have_no_p_alive() -> None:
    frame = predictions.p_alive(known("bg_nbd"), pd.concat([FIRST, predictions.new_customer("week")]))
    assert frame["identifiable"].tolist() == [True, False]
    assert frame.loc[1, ["p_alive", "low", "high"]].isna().all()
    assert predictions.p_alive(known("mbg_nbd"), FIRST)["identifiable"].all()


def test_known_to_be_gone_sooner_or_later() -> None:
    now = predictions.p_alive(known("pareto_nbd"), FIRST)["p_alive"].item()
    later = predictions.p_alive(known("pareto_nbd"), FIRST, after="12 months")["p_alive"].item()
    assert 0 < later < now


def test_probabilities_of_each_number() -> None:
    frame = predictions.purchase_probabilities(known("mbg_nbd"), FIRST, 39, most=60)
    assert frame["purchases"].tolist() == list(range(61))
    assert frame["probability"].sum() == pytest.approx(1, abs=1e-9)
    expected = predictions.expected_purchases(known("mbg_nbd"), FIRST, 39)["expected_purchases"].item()
    assert (frame["purchases"] * frame["probability"]).sum() == pytest.approx(expected, rel=1e-6)
    assert (frame["low"] <= frame["probability"]).all()
    two = predictions.purchase_probabilities(known("mbg_nbd"), pd.concat([FIRST] * 2), 39, most=1)
    assert two["purchases"].tolist() == [0, 1, 0, 1]


def test_a_discount_makes_later_purchases_worth_less() -> None:
    fit, columns = known("pareto_nbd"), {"until": 52}
    without = predictions.discounted_purchases(fit, FIRST, discount_rate=0, **columns)["discounted_purchases"]
    assert without.item() == pytest.approx(
        predictions.expected_purchases(fit, FIRST, 52)["expected_purchases"].item(), rel=1e-6
    )
    fifth = predictions.discounted_purchases(fit, FIRST, discount_rate=0.2, **columns)["discounted_purchases"]
    assert without.item() / 1.2 < fifth.item() < without.item()


def test_times_to_come() -> None:
    assert predictions.span(39, "week") == 39
    assert predictions.span("12 months", "month") == pytest.approx(12)
    assert predictions.span("1 year", "day") == 365.25
    assert predictions.span("2 weeks", "day") == 14
    for wrong in ("soon", 0, -3, None, "12 moons"):
        with pytest.raises(DataError) as caught:
            predictions.span(wrong, "week")
        assert str(caught.value) == (
            f"{wrong!r} is no time to come. Type a number of weeks, or such as '12 months'."
        )


def test_an_endless_time_needs_a_discount() -> None:
    with pytest.raises(DataError) as caught:
        predictions.discounted_purchases(known("mbg_nbd"), FIRST, discount_rate=0)
    assert str(caught.value) == (
        "Without a discount and an end the sum is endless. Give until= or discount_rate=."
    )
    with pytest.raises(DataError, match="An endless time has endless purchases"):
        predictions.expected_purchases(known("mbg_nbd"), FIRST, float("inf"))
    with pytest.raises(
        DataError, match=r"discount_rate is what money loses in a year, from 0 on, and it was -0\.1"
    ):
        predictions.discounted_purchases(known("mbg_nbd"), FIRST, discount_rate=-0.1)


def test_mixed_units_are_refused() -> None:
    days = FIRST.copy()
    days.attrs["unit"] = "day"
    with pytest.raises(DataError) as caught:
        predictions.p_alive(known("mbg_nbd"), days)
    assert str(caught.value) == (
        "The fit is in units of a week, and the summary in units of a day. Make both alike."
    )


def test_nothing_is_foretold_from_a_fit_that_is_none() -> None:
    broken = replace(known("mbg_nbd"), converged=False, status="flat: other parameters fit as well.")
    with pytest.raises(DataError) as caught:
        predictions.p_alive(broken, FIRST)
    assert (
        str(caught.value) == "Nothing can be foretold from this mbg_nbd. Flat: other parameters fit as well."
    )


def test_spend_of_who_never_came_back_is_everybodys() -> None:
    frame = simulations.with_spend(drawn("bg_nbd", customers=2000), {"p": 6.0, "q": 4.0, "gamma": 15.0})
    spend = btyd.fit_gamma_gamma(frame)
    found = predictions.expected_spend(spend, frame)
    p, q, gamma = spend.theta
    never = found[found["frequency"] == 0]
    assert never["expected_spend"].to_numpy() == pytest.approx(p * gamma / (q - 1))
    assert ((found["low"] < found["expected_spend"]) & (found["expected_spend"] < found["high"])).all()


def test_spend_without_a_mean_foretells_nothing() -> None:
    frame = simulations.with_spend(drawn("bg_nbd", customers=2000), {"p": 3.0, "q": 0.7, "gamma": 5.0})
    with pytest.raises(DataError, match=r"^The spend model has no mean: q is 0\."):
        predictions.expected_spend(btyd.fit_gamma_gamma(frame), frame)
    with pytest.raises(DataError) as caught:
        predictions.expected_spend(known("mbg_nbd"), frame)
    assert str(caught.value) == "This is a fit of mbg_nbd, not of spend. Fit btyd.fit_gamma_gamma."


def test_many_customers_are_predicted_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = drawn("mbg_nbd", customers=300)
    whole = predictions.expected_purchases(known("mbg_nbd"), frame, 20)
    monkeypatch.setattr(predictions, "_CHUNK", 7)
    pd.testing.assert_frame_equal(predictions.expected_purchases(known("mbg_nbd"), frame, 20), whole)
