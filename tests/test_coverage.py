"""Bounds of 95 % hold what they are about, for every model: the short version of `make soak`'s long run."""

import pandas as pd
import pytest
from scipy import stats

from benchmarks import coverage

DATA_SETS = 20


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    return pd.concat(
        coverage.coverage(model, customers=1000, data_sets=DATA_SETS) for model in coverage.MODELS
    )


def test_no_bound_fails_too_often(found: pd.DataFrame) -> None:
    # Where 92 % hold, fewer of 20 than this hold once in two thousand.
    least = stats.binom(DATA_SETS, coverage.LEAST).ppf(0.0005)
    assert found.loc[found["held"] + found["without"] < least].empty
    assert (found["without"] <= 2).all()


def test_bounds_are_no_wider_than_they_say(found: pd.DataFrame) -> None:
    # 42 bounds of 20 data sets each, which go together: as good as 150 of them, give or take 2 %.
    assert 0.89 < found["held"].sum() / found["data_sets"].sum() < 0.98


def test_all_that_has_bounds_is_asked(found: pd.DataFrame) -> None:
    asked = found.groupby("model")["of"].agg(list)
    for model in ("bg_nbd", "mbg_nbd", "pareto_nbd", "bg_bb"):
        assert asked[model][-3:] == ["P(alive) of one", "expected of one", "what all did"]
    assert asked["gamma_gamma"] == ["p", "q", "gamma", "expected of one", "what all did"]
    assert asked["bdw"] == ["alpha", "beta", "c", "left after 12", "payments of one"]


def test_the_long_run_ends_badly_where_bounds_are_too_narrow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    for name, value in (("DATA_SETS", 30), ("CUSTOMERS", 600), ("MOST", 1.0)):
        monkeypatch.setattr(coverage, name, value)
    monkeypatch.setattr(coverage, "MODELS", {"sbg": coverage.MODELS["sbg"]})
    coverage.main()
    assert "| sbg | alpha" in capsys.readouterr().out
    monkeypatch.setattr("retention_kit.fits._Z", 1.0)
    with pytest.raises(SystemExit) as ended:
        coverage.main()
    assert ended.value.code == 1
    assert "Not between 92 and 100 %:" in capsys.readouterr().out
