"""Fitting: what a result holds, how sure it is of itself, and that it comes back from its file."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest

from retention_kit import fits
from retention_kit.exceptions import DataError
from retention_kit.fits import Fit

HOW = {"customers": 10.0, "unit": "week", "data_hash": "00"}


def poisson(counts: list[int]) -> fits.Objective:
    """The log-likelihood of a Poisson mean, less its constant: the textbook's estimate is the average."""

    def objective(logs: np.ndarray) -> tuple[float, np.ndarray]:
        mean = np.exp(logs)
        n, total = len(counts), sum(counts)
        return float(total * logs[0] - n * mean[0]), np.array([total - n * mean[0]])

    return objective


def test_a_poisson_mean_with_its_textbook_error() -> None:
    counts = [3, 5, 4, 8, 0, 2, 6, 7, 1, 4]
    fit = fits.maximize("poisson", {"mean": 1.0}, poisson(counts), **HOW)
    assert fit.params["mean"] == pytest.approx(40 / 10)
    assert fit.standard_errors["mean"] == pytest.approx((4 / 10) ** 0.5, rel=1e-6)
    assert fit.converged
    assert fit.status == "optimum"
    assert fit.gradient_norm < 1e-9
    assert fit.aic == pytest.approx(2 - 2 * fit.log_likelihood)
    assert fit.bic == pytest.approx(np.log(10) - 2 * fit.log_likelihood)


def test_bounds_are_symmetric_on_their_scale() -> None:
    fit = fits.maximize("poisson", {"mean": 1.0}, poisson([4] * 10), **HOW)
    half = fits._Z * (1 / 40) ** 0.5  # the error of the mean's logarithm is one over the root of the events
    for scale, predict, low, high in (
        ("log", lambda theta: theta, 4 * np.exp(-half), 4 * np.exp(half)),
        ("plain", lambda theta: theta, 4 - 4 * half, 4 + 4 * half),
    ):
        found = fits.banded(fit, predict, scale=scale)
        assert [each.item() for each in found] == pytest.approx([4, low, high], rel=1e-6)
    share = fits.banded(fit, lambda theta: theta / (1 + theta), scale="logit")
    odds = [(each / (1 - each)).item() for each in share]
    assert odds == pytest.approx([4, 4 * np.exp(-half), 4 * np.exp(half)], rel=1e-6)


def test_draws_take_the_place_of_the_hessian() -> None:
    fit = fits.maximize("poisson", {"mean": 1.0}, poisson([4] * 10), **HOW)
    drawn = copy.copy(fit)
    object.__setattr__(drawn, "draws", tuple((float(np.log(mean)),) for mean in range(1, 102)))
    value, low, high = fits.banded(drawn, lambda theta: theta, scale="log")
    assert (value.item(), low.item(), high.item()) == pytest.approx((4, 3.5, 98.5))
    assert (fit.interval, drawn.interval) == ("delta, Hessian 95 %", "bootstrap 95 %")


def test_a_flat_direction_is_said_and_has_no_interval() -> None:
    def ridge(logs: np.ndarray) -> tuple[float, np.ndarray]:
        total = logs.sum()
        return float(-((total - 1) ** 2)), np.full(2, -2 * (total - 1))

    fit = fits.maximize("ridge", {"a": 1.0, "b": 1.0}, ridge, **HOW)
    assert not fit.converged
    assert fit.status == (
        "flat: other parameters fit as well, so nothing has an interval. Try another model."
    )
    assert fit.interval == "none: the optimum is flat"
    assert np.isnan(list(fit.standard_errors.values())).all()
    assert fit.frame()[["low", "high"]].isna().all(axis=None)


def test_a_parameter_that_runs_away_is_named() -> None:
    def endless(logs: np.ndarray) -> tuple[float, np.ndarray]:
        return float(logs[0] - (logs[1] - 1) ** 2), np.array([1.0, -2 * (logs[1] - 1)])

    fit = fits.maximize("endless", {"a": 1.0, "b": 1.0}, endless, **HOW)
    assert fit.status == (
        "no optimum: a ran to the edge. The data do not tell its parts apart; try another model."
    )
    assert not fit.converged


@pytest.mark.parametrize(("ends", "searches"), [(True, ["BFGS"]), (False, ["BFGS", "L-BFGS-B"])])
def test_the_search_that_waits_for_threads_runs_only_where_parameters_run_away(
    monkeypatch: pytest.MonkeyPatch, ends: bool, searches: list
) -> None:
    def objective(logs: np.ndarray) -> tuple[float, np.ndarray]:
        return poisson([4] * 10)(logs) if ends else (float(logs[0]), np.ones(1))

    asked, minimize = [], fits.optimize.minimize

    def watched(*given: object, method: str, **options: object) -> object:
        asked.append(method)
        return minimize(*given, method=method, **options)

    monkeypatch.setattr(fits.optimize, "minimize", watched)
    fits.maximize("one", {"mean": 1.0}, objective, **HOW)
    assert asked == searches


def test_nothing_in_a_fit_can_be_changed() -> None:
    fit = fits.maximize("poisson", {"mean": 1.0}, poisson([1, 2]), **HOW)
    with pytest.raises(TypeError):
        fit.params["mean"] = 3.0  # type: ignore[index]
    assert copy.deepcopy(fit) is fit


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    fit = fits.maximize("poisson", {"mean": 1.0}, poisson([1, 2, 3]), **HOW)
    path = fits.save(fit, tmp_path / "fit.json")
    assert fits.load(path) == fit
    content = json.loads(path.read_text())
    assert content["unit"] == "week"
    assert sorted(content["versions"]) == ["numpy", "retention-kit", "scipy"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "fit.json is no saved fit (JSONDecodeError). Fit anew and save it."),
        ("[]", "fit.json is no saved fit (TypeError). Fit anew and save it."),
        ('{"format": 9}', "fit.json has format 9, and this version reads 1."),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "fit.json").write_text(content)
    with pytest.raises(DataError) as caught:
        fits.load(tmp_path / "fit.json")
    assert str(caught.value) == message


def test_a_digest_knows_rows_and_not_their_order() -> None:
    rows = np.array([[1.0, 2], [3, 4], [1, 2]])
    assert fits.digest(rows) == fits.digest(rows[[2, 1, 0]])
    assert fits.digest(rows) != fits.digest(rows[:2])
    assert fits.digest(rows) != fits.digest(rows[:, ::-1])


def test_frame_has_a_row_a_parameter() -> None:
    fit = fits.maximize("poisson", {"mean": 1.0}, poisson([4] * 10), **HOW)
    row = fit.frame().iloc[0]
    assert row["parameter"] == "mean"
    assert row["low"] < row["value"] < row["high"]
    assert isinstance(fit, Fit)
