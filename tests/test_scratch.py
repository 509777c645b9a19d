"""Temporary folders: each process's own, one a run, nothing left of those that were killed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from retention_kit import locks, scratch


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("retention_kit_killed", "retention_kit_living", "retention_kit_unlocked", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").write_text("a client's")
    (tmp_path / "retention_kit_killed" / ".lock").touch()
    held = locks.take(tmp_path / "retention_kit_living" / ".lock")
    with scratch.shared() as path:
        assert os.environ[scratch.SCRATCH] == str(path)
        (path / "data").write_text("a client's")
        there = {path.name for path in tmp_path.iterdir()}
    held.close()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"retention_kit_living", "retention_kit_unlocked", "other"}
    assert there == left | {path.name}
    assert scratch.SCRATCH not in os.environ


def test_a_process_has_one_folder_inside_the_run_s_and_takes_it_along_when_it_ends(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch.shared() as path:
        told = "from retention_kit import scratch; print(scratch.folder(), scratch.folder().is_dir())"
        said = subprocess.run(
            [sys.executable, "-c", told], capture_output=True, text=True, check=True, env={**os.environ}
        ).stdout.split()
        assert Path(said[0]).parent == path
        assert said[1] == "True"
        assert not Path(said[0]).exists()
        with scratch.aside() as aside:
            assert Path(aside).parent == path
        assert not Path(aside).exists()
    assert not path.exists()
