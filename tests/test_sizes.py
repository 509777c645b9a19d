"""The benchmark of sizes: what it writes, what it asks, and what it makes of that."""

import json
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import one_size, sizes


def test_four_orders_a_customer_the_same_each_time(tmp_path: Path) -> None:
    frames = []
    for _ in range(2):
        sizes.write(tmp_path, 8_000)
        frames.append(pd.read_parquet(tmp_path / "orders.parquet"))
    orders, again = (frame.sort_values(list(frame), ignore_index=True) for frame in frames)
    pd.testing.assert_frame_equal(orders, again)
    assert len(orders) == 8_000
    assert orders["customer_id"].nunique() == pytest.approx(2_000, rel=0.05)
    assert len(pd.read_parquet(tmp_path / "subscriptions.parquet")) == 2_000


def test_every_question_is_asked_and_told(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    sizes.write(tmp_path, 4_000)
    one_size.main(tmp_path)
    *told, last = map(json.loads, capsys.readouterr().out.splitlines())
    questions = [*one_size.AGGREGATES, *one_size.WINDOWS, *one_size.SUBSCRIBED]
    assert [each["name"] for each in told if not each["name"].startswith("load_")] == questions
    assert all(each["wall"] > 0 for each in told)
    assert last["peak"] > 50


def test_a_row_a_question_and_what_a_row_of_the_data_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(folder: Path, memory: str) -> dict:
        rows = len(pd.read_parquet(folder / "orders.parquet"))
        cpu = {100: 1.0, 1_000: 12.0}[rows] * (1 if memory == "3GB" else 2)
        told = {"cpu": cpu, "wall": cpu / 2}
        return {
            "lifecycle": told,
            "nps": {"cpu": 1.0, "wall": 1.0},
            "peak": 300.0,
            "spilled": 0.0 if memory == "3GB" else 40.0,
        }

    monkeypatch.setattr(sizes, "asked", asked)
    found = sizes.run(100, 1_000)
    window, cost = "`lifecycle`, over a customer's orders", "a row costs {} times one of 100"
    assert [(one.way, one.rows, one.warm, one.cpu, one.peak, one.note) for one in found] == [
        (window, 1_000, 6.0, 12.0, None, cost.format("1.20")),
        ("`nps`", 1_000, 1.0, 1.0, None, cost.format("0.10")),
        ("all of these", 1_000, 7.0, 13.0, 300.0, f"{cost.format('0.65')}; spilled to disk at most 0 MB"),
        (window, 1_000, 12.0, 24.0, None, ""),
        ("`nps`", 1_000, 1.0, 1.0, None, ""),
        ("all of these", 1_000, 13.0, 25.0, 300.0, "spilled to disk at most 40 MB"),
    ]
    assert [one.task.partition("told ")[2][:3] for one in found] == ["3GB"] * 3 + ["1GB"] * 3


def test_a_process_that_may_not_have_the_memory_fails_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "OWN", 64 * 1024**2)
    with pytest.raises(RuntimeError, match="under 1GB it failed: "):
        sizes.asked(tmp_path, "1GB")
