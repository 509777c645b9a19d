"""What is measured of a way, the peers that cannot be installed, and the one table of all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import environments, races, tables, ways
from benchmarks.questions import orders_file
from benchmarks.ways import Measured, Way


def test_cold_has_the_start_and_the_reading_in_it_and_warm_has_not() -> None:
    read = []
    fresh = ways.measured(
        Way(lambda path: read.append(path), lambda _: 7, lambda found: found, fresh=True), "x"
    )
    assert fresh["told"] == 7
    assert len(read) == 1 + ways.MOST  # what is fast is repeated
    read.clear()
    once = ways.measured(Way(lambda path: read.append(path), lambda _: 7, repeats=2), "x")
    assert read == ["x"]
    assert once["told"] is None
    assert once["peak"] > 10


def test_a_way_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = orders_file(str(tmp_path), 500)
    one, told = ways.apart("cohorts", "by hand", "with_duckdb", "cohorts", path, rows=500)
    assert sum(told) > 250
    assert (one.task, one.way, one.rows) == ("cohorts", "by hand", 500)
    assert one.cold > one.warm > 0
    assert 20 < one.peak < 1_000
    with pytest.raises(RuntimeError, match=r"^ways with_duckdb cohorts nowhere failed: .*nowhere"):
        ways.apart("cohorts", "by hand", "with_duckdb", "cohorts", Path("nowhere"), rows=500)


def test_a_way_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "LIMIT", 0.01)
    found = ways.apart("cohorts", "by hand", "with_duckdb", "cohorts", Path("nowhere"), rows=500)
    assert found == (Measured("cohorts", "by hand", 500, note="stopped after 0 s"), None)


def test_each_is_held_against_the_first() -> None:
    first, second = Measured("t", "a", warm=2.0, cpu=4.0), Measured("t", "b", cold=9.0, warm=5.0, cpu=2.0)
    third, none = Measured("t", "c", cold=3.0), Measured("t", "d")
    found = ways.beside([first, second, third, none])
    assert [(one.slower, one.dearer) for one in found] == [(1, 1), (2.5, 0.5), (1.5, None), (None, None)]


def test_answers_that_differ_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"cohorts": [1.0, 2.0], "other": [1.0, 2.0 + 1e-6], "same": [1.0, 2.0 + 1e-12], "pass": None}

    def entered(task: str, label: str, module: str, way: str, path: Path, rows: int) -> tuple:
        return Measured(task, label, rows, warm=1.0), told[way]

    monkeypatch.setattr(races, "entered", entered)
    race = {"a": ("m", "cohorts"), "b": ("m", "same"), "c": ("m", "pass")}
    assert [one.way for one in races.run("t", race, Path("x"), 1)] == ["a", "b", "c"]
    with pytest.raises(RuntimeError, match=r"^t: b answers otherwise than a$"):
        races.run("t", {"a": ("m", "cohorts"), "b": ("m", "other")}, Path("x"), 1)


@pytest.mark.parametrize("peer", ["lifetimes", "pymc-marketing"])
def test_without_network_a_peer_is_skipped_by_name(
    peer: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environments, "HOME", tmp_path / "peers")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    one, told = races.entered("fit", peer, "with_nothing", "fit", Path("x"), 5)
    assert told is None
    assert one[:3] == ("fit", environments.version_of(peer), 5)
    assert one.note.startswith("skipped: its environment could not be made: ")
    assert f"require {peer}==" in one.note
    assert "\n" not in one.note
    assert "|" not in one.note
    assert one.warm is None


def test_a_peer_that_fails_is_told_and_ours_that_fails_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "python_of", lambda peer: Path(sys.executable))
    one, told = races.entered("fit", "lifetimes", "with_nothing", "fit", Path("x"), 5)
    assert (one.way, one.warm, told) == (environments.version_of("lifetimes"), None, None)
    assert one.note.startswith("ways with_nothing fit x failed: ")
    assert one.note.endswith("No module named 'benchmarks.with_nothing'")
    with pytest.raises(RuntimeError, match="with_nothing"):
        races.entered("fit", "ours", "with_nothing", "fit", Path("x"), 5)


def test_without_uv_too_and_who_is_there_is_not_installed_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environments, "HOME", tmp_path)
    monkeypatch.setattr(environments.sys, "prefix", str(tmp_path))
    with pytest.raises(environments.Missing, match=r"^its environment needs uv, which is not installed$"):
        environments.python_of("lifetimes")
    made = tmp_path / "lifetimes" / "made.txt"
    made.parent.mkdir()
    made.write_text((environments.FOLDER / "lifetimes.txt").read_text("utf-8"), "utf-8")
    assert environments.python_of("lifetimes").parent.parent == made.parent


def test_peers_read_no_module_of_ours() -> None:
    """What their environments import is the standard library, themselves and pandas."""
    for module in ("ways", "with_pandas"):
        code = f"import benchmarks.{module}, sys; print([n for n in sys.modules if 'retention_kit' in n])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ways.ROOT)
        assert done.stdout.strip() == "[]"


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(tables, "OUT", tmp_path / "outputs" / "bench")
    return tmp_path / "outputs"


def test_one_table_of_what_was_kept(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    fast = Measured("Fits", "ours", 1_000_000, 3.51, 0.00712, 0.007, 263.4, 1.0, 1.0)
    peer = Measured(
        "Fits", "lifetimes 0.11.3", 1_000_000, 1234.5, 12.34, 9.0, 1494.0, 1733.1, 1285.7, "worse"
    )
    lonely = Measured("Surveys", "topics", note="skipped: no network")
    runs = {"surveys": [lambda: [lonely]], "fitting": [lambda: [fast, peer]]}
    monkeypatch.setattr(bench, "BENCHMARKS", {name: run for name, [run] in runs.items()})
    assert bench.main(["fitting"]) == 0
    assert "topics" not in (out / "bench.md").read_text("utf-8")
    assert bench.main(["surveys"]) == 0
    text = (out / "bench.md").read_text("utf-8")
    assert capsys.readouterr().out.endswith(text)
    head, empty, *rows = text.splitlines()
    assert head.startswith("Measured from 20")
    assert "lifetimes 0.11.3, pymc-marketing" in head
    assert empty == ""
    assert rows[2:] == [
        "| **Surveys** | | | | | | | | |",
        "| topics |  |  |  |  |  |  |  | skipped: no network |",
        "| **Fits** | | | | | | | | |",
        "| ours | 1,000,000 | 3.51 | 0.0071 | 0.007 | 1 | 1 | 263 |  |",
        "| lifetimes 0.11.3 | 1,000,000 | 1,234 | 12.3 | 9 | 1,733 | 1,286 | 1,494 | worse |",
    ]
    assert len({row.count("|") for row in rows}) == 1


def test_what_was_measured_elsewhere_is_dropped_and_what_fails_loses_nothing(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> list[Measured]:
        raise RuntimeError("no memory")

    monkeypatch.setattr(bench, "BENCHMARKS", {"fitting": lambda: [Measured("Fits", "ours")], "sizes": breaks})
    with pytest.raises(RuntimeError, match=r"no memory"):
        bench.main([])
    assert "| ours |" in tables.write(list(bench.BENCHMARKS))
    kept = json.loads((out / "bench.json").read_text("utf-8"))
    kept["fitting"]["on"] = "another machine"
    (out / "bench.json").write_text(json.dumps(kept), "utf-8")
    tables.keep("sizes", [Measured("Sizes", "all")])
    assert "Fits" not in tables.write(list(bench.BENCHMARKS))


def test_a_benchmark_that_there_is_not(capsys: pytest.CaptureFixture) -> None:
    assert bench.main(["cohort"]) == 1
    assert (
        capsys.readouterr().err == f"There is no benchmark ['cohort']. Choose of {list(bench.BENCHMARKS)}.\n"
    )
