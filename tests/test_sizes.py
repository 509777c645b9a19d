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
    slower = iter([2, 2, 1, 3, 3, 1, 1])  # small and large take turns, then the large one with less memory

    def asked(folder: Path, memory: str) -> dict:
        rows, times = len(pd.read_parquet(folder / "orders.parquet")), next(slower)
        cpu = {100: 1.0, 1_000: 12.0}[rows] * (1 if memory == "3GB" else 2) * times
        return {
            "lifecycle": {"own": cpu * (0.5 if rows == 100 else 0.25), "cpu": cpu, "wall": cpu / 2},
            "nps": {"own": 0.0, "cpu": 0.05, "wall": 0.1},
            "all of these": {"own": cpu, "cpu": cpu, "wall": cpu},
            "peak": 300.0 * times,
            "spilled": 0.0 if memory == "3GB" else 40.0,
        }

    monkeypatch.setattr(sizes, "asked", asked)
    found = sizes.run(100, 1_000)
    window, cost = "`lifecycle`, over a customer's orders", "a row costs {} times one of 100"
    once = f"{cost.format('1.20')} ({{}} of the program alone)"
    assert [(one.way, one.rows, one.warm, one.cpu, one.peak, one.note) for one in found] == [
        (window, 1_000, 6.0, 12.0, None, once.format("0.60")),
        ("`nps`", 1_000, 0.1, 0.05, None, cost.format("0.10")),
        ("all of these", 1_000, 12.0, 12.0, 900.0, f"{once.format('1.20')}; spilled to disk at most 0 MB"),
        (window, 1_000, 12.0, 24.0, None, ""),
        ("`nps`", 1_000, 0.1, 0.05, None, ""),
        ("all of these", 1_000, 24.0, 24.0, 300.0, "spilled to disk at most 40 MB"),
    ]
    assert [one.task.partition("told ")[2][:3] for one in found] == ["3GB"] * 3 + ["1GB"] * 3


def test_all_questions_added_up_come_after_them() -> None:
    taken = {name: dict.fromkeys(one_size.KINDS, seconds) for name, seconds in (("nps", 1), ("lifecycle", 2))}
    found = sizes._added_up(taken)
    assert list(found) == ["nps", "lifecycle", "all of these"]
    assert found["all of these"] == dict.fromkeys(one_size.KINDS, 3)


def test_a_process_that_may_not_have_the_memory_fails_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "OWN", 64 * 1024**2)
    with pytest.raises(RuntimeError, match="under 1GB it failed: "):
        sizes.asked(tmp_path, "1GB")
