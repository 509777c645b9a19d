"""The chosen model: the one that foretold best, and a reason in words wherever there is none."""

from dataclasses import replace

import pandas as pd
import pytest

from retention_kit import btyd, choices, datasets, holdouts


def shop(customers: int, *days: str) -> pd.DataFrame:
    rows = [(f"c{i}", day, 10.0 + i % 7) for i in range(customers) for day in days]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"]))


def test_the_demo_is_the_model_it_was_drawn_from() -> None:
    choice = choices.choose_model(datasets.demo_orders(), as_of="2024-07-01")
    assert choice.purchases.model == choice.compared["model"].iloc[0] == "bg_nbd"
    assert choice.reason == ""
    assert choice.expected.attrs["holdout"] == 26
    truth = datasets.demo_truth()
    for fit, told in ((choice.purchases, truth.bg_nbd), (choice.spend, truth.gamma_gamma)):
        found = fit.frame().set_index("parameter")
        for name, value in told.items():  # the known truth lies inside the intervals
            assert found.loc[name, "low"] <= value <= found.loc[name, "high"], (name, value)


@pytest.mark.parametrize(
    ("orders", "reason"),
    [
        (
            shop(40, "2024-04-20", "2024-05-20", "2024-06-20"),
            "Nothing is foretold here: 72 days of history were observed, and a model needs 90 days. "
            "What customers have brought so far is shown above.",
        ),
        (
            shop(29, "2024-01-01", "2024-02-01"),
            "Nothing is foretold here: 29 customers had come back before the last quarter of the history, "
            "and a model needs 30. What customers have brought so far is shown above.",
        ),
        (
            shop(31, "2024-01-01", "2024-02-01"),
            "Nothing is foretold here: no purchase model fits these customers. "
            "What they have brought so far is shown above.",
        ),
    ],
)
def test_why_nothing_is_foretold(orders: pd.DataFrame, reason: str) -> None:
    choice = choices.choose_model(orders, as_of="2024-07-01")
    assert choice.purchases is None
    assert choice.reason == reason


def test_a_model_that_fits_the_holdout_and_not_all_data_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    fit_bg_nbd, summaries_seen = btyd.fit_bg_nbd, []

    def fit(summary: pd.DataFrame) -> btyd.Fit:
        summaries_seen.append(len(summary))
        found = fit_bg_nbd(summary)
        return found if len(summaries_seen) == 1 else replace(found, converged=False, status="no optimum")

    monkeypatch.setattr(btyd, "fit_bg_nbd", fit)
    choice = choices.choose_model(datasets.demo_orders(), as_of="2024-07-01")
    assert len(summaries_seen) == 2
    assert choice.compared["model"].iloc[0] == "bg_nbd"
    assert choice.purchases.model == "mbg_nbd"
    assert choice.left_out == {"bg_nbd": "no optimum"}


def test_a_model_without_a_number_for_somebody_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    fit_bg_nbd, summaries_seen = btyd.fit_bg_nbd, []

    def fit(summary: pd.DataFrame) -> btyd.Fit:
        summaries_seen.append(len(summary))
        found = fit_bg_nbd(summary)
        endless = {"r": 1.08, "alpha": 14.5, "a": 70_656.0, "b": 285_976.0}
        return found if len(summaries_seen) == 1 else replace(found, params=endless)

    monkeypatch.setattr(btyd, "fit_bg_nbd", fit)
    choice = choices.choose_model(datasets.demo_orders(), as_of="2024-07-01")
    assert choice.purchases.model == "mbg_nbd"
    assert choice.left_out["bg_nbd"].startswith("no number: ")


def test_where_no_model_is_left_nothing_is_foretold(monkeypatch: pytest.MonkeyPatch) -> None:
    fit_bg_nbd = btyd.fit_bg_nbd

    def fit(summary: pd.DataFrame) -> btyd.Fit:
        return replace(fit_bg_nbd(summary), converged=False, status="no optimum")

    for model in holdouts.MODELS:
        monkeypatch.setattr(btyd, f"fit_{model}", fit)
    choice = choices.choose_model(datasets.demo_orders(), as_of="2024-07-01")
    assert choice.compared is choice.purchases is None
    assert choice.reason.startswith("Nothing is foretold here: no purchase model fits")
    assert choice.left_out == dict.fromkeys(holdouts.MODELS, "no optimum")


def test_without_money_there_is_no_model_of_spend() -> None:
    orders = datasets.demo_orders().drop(columns="amount")
    assert choices.choose_model(orders, as_of="2024-07-01").spend is None
