"""The benchmark of fits: what it fits, and what it says of lifetimes, there or not."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import fitting, races, with_ours
from benchmarks.ways import Measured
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

    def entered(task: str, label: str, module: str, way: str, path: Path, rows: int) -> tuple:
        ours = with_ours.WAYS[way]
        told = ours.told(ours.answer(ours.read(path)))
        if label == "ours":
            return Measured(task, label, rows, warm=2.0, cpu=1.0), told
        if "kinds" in task:
            return Measured(task, label, rows, note="skipped: no network"), None
        return Measured(task, label, rows, warm=4.0, cpu=7.0), told | {"r": 2 * told["r"]}

    monkeypatch.setattr(races, "entered", entered)
    monkeypatch.delenv(fitting.DATA, raising=False)


@pytest.mark.usefixtures("here")
def test_a_row_a_fit_and_by_how_much_the_other_is_less_likely() -> None:
    found = fitting.run(3000)
    kinds = len(fitting.histogram(fitting.daily("bg_nbd", 3000)))
    assert [(one.task, one.way, one.rows, one.slower, one.dearer) for one in found] == [
        ("BG/NBD of 3,000 customers by the day", "ours", 3000, 1.0, 1.0),
        ("BG/NBD of 3,000 customers by the day", "lifetimes", 3000, 2.0, 7.0),
        (f"BG/NBD of their {kinds:,} kinds with weights", "ours", kinds, 1.0, 1.0),
        (f"BG/NBD of their {kinds:,} kinds with weights", "lifetimes", kinds, None, None),
        ("Pareto/NBD of 300 customers by the day", "ours", 300, 1.0, 1.0),
        ("Pareto/NBD of 300 customers by the day", "lifetimes", 300, 2.0, 7.0),
        ("Fits of CDNOW", "ours", None, None, None),
    ]
    lost = [one.note.split()[1] for one in found if one.note.startswith("log-likelihood")]
    assert len(lost) == 2
    assert all(float(each) > 1 for each in lost)  # twice the r is less likely
    assert [one.note for one in found if one.note.startswith("skipped")] == [
        "skipped: no network",
        "skipped: RETENTION_KIT_DATA is not set",
    ]
