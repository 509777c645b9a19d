"""Coverage of a score's intervals, counted out: the long run of `make soak`, made short."""

import numpy as np
import pytest

from benchmarks import score_coverage


def test_every_sample_is_counted_once() -> None:
    found = score_coverage.samples(10)
    assert len(found) == 11 * 12 / 2 == len({tuple(row) for row in found})
    assert (found.sum(axis=1) == 10).all()


def test_the_grid_lies_all_over_the_scale() -> None:
    shares = score_coverage.grid()
    assert shares.sum(axis=1) == pytest.approx(np.ones(171))
    assert shares.min() == pytest.approx(0.05)


def test_the_long_run_ends_badly_where_bounds_hold_too_seldom(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(score_coverage, "ANSWERS", (10,))
    score_coverage.main()
    assert "| wald | 88.0, 64.9 |" in capsys.readouterr().out
    monkeypatch.setattr(score_coverage, "LEAST", {"wald": {10: 0.9}})
    with pytest.raises(SystemExit) as ended:
        score_coverage.main()
    assert ended.value.code == 1
    assert capsys.readouterr().out.endswith("Too seldom: ['wald']\n")
