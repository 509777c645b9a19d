"""The benchmark of fits: what it fits, what it prints, and what it says where lifetimes is missing."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import fitting, one_fit
from retention_kit import btyd


@pytest.mark.parametrize("model", ["bg_nbd", "pareto_nbd"])
def test_customers_are_counted_by_the_day_and_alike_in_one_row(model: str) -> None:
    frame = fitting.daily(model, 3000)
    assert frame.equals(fitting.daily(model, 3000))
    assert (frame == np.floor(frame)).all(axis=None)
    counted = fitting.histogram(frame)
    assert len(counted) < len(frame) == counted["weight"].sum()
    one, other = (getattr(btyd, f"fit_{model}")(each, unit="day") for each in (frame, counted))
    assert dict(one.params) == pytest.approx(dict(other.params), rel=1e-9)
    truth = fitting._DAILY[model][0]
    assert one.params["alpha"] / one.params["r"] == pytest.approx(truth["alpha"] / truth["r"], rel=0.25)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours measured in this process; the other, who is not installed here, is us with a worse answer."""

    def measured(python: str, way: str, job: fitting.Job, path: Path, repeats: int) -> dict | None:
        found = one_fit.measured("ours", job.model, path, 1) | {"wall": 2.0, "cpu": 1.0}
        if way == "lifetimes":
            found |= {"cpu": 7.0, "params": {**found["params"], "r": 2 * found["params"]["r"]}}
        return None if way == "lifetimes" and "weights" in job.name else found

    monkeypatch.setattr(fitting, "_measured", measured)
    monkeypatch.delenv("RETENTION_KIT_DATA", raising=False)


@pytest.mark.usefixtures("here")
def test_the_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(fitting, "_peer", lambda: Path("python"))
    fitting.run(3000)
    printed = capsys.readouterr().out
    assert "CDNOW is skipped: RETENTION_KIT_DATA is not set" in printed
    rows = [line.split(" | ") for line in printed.splitlines() if line.startswith(("| BG", "| Pareto"))]
    assert [row[0] for row in rows] == [
        "| BG/NBD, 3,000 customers by the day",
        f"| BG/NBD, their {len(fitting.histogram(fitting.daily('bg_nbd', 3000))):,} kinds with weights",
        "| Pareto/NBD, 300 customers by the day",
    ]
    assert rows[0][1] == "2 (1)"
    assert (rows[0][3], rows[0][5]) == ("2 (7)", "7")
    assert float(rows[0][6].rstrip(" |")) > 1  # twice the r is less likely
    assert rows[1][3:6] == ["stopped after 900", "", "over 450"]


@pytest.mark.usefixtures("here")
def test_without_lifetimes_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(fitting, "_peer", lambda: None)
    fitting.run(1000)
    assert capsys.readouterr().out.endswith(
        "lifetimes 0.11.3 is skipped: its environment could not be made (benchmarks/lifetimes.txt)\n"
    )


def test_an_environment_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fitting.sys, "prefix", str(tmp_path))  # no uv there
    assert fitting._peer() is None
