"""One holder at a time, and a killed one holds nothing."""

import subprocess
import sys

from retention_kit import locks

HOLDER = """\
import sys, pathlib
from retention_kit import locks
held = locks.take(pathlib.Path(sys.argv[1]), "held by a test")
print("held", flush=True)
sys.stdin.read()
"""


def test_one_holder_at_a_time(tmp_path):
    path = tmp_path / ".lock"
    held = locks.take(path, "held by a test")
    assert path.read_text("utf-8") == "held by a test"
    assert locks.take(path) is None
    assert not locks.is_left(path)
    locks.release(path, held)
    assert not path.exists()
    again = locks.take(path, "by another")
    assert path.read_text("utf-8") == "by another"
    locks.release(path, again)


def test_a_killed_process_holds_nothing(tmp_path):
    path = tmp_path / ".lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        assert locks.take(path) is None
        assert not locks.is_left(path)
    finally:
        holder.kill()
        holder.communicate()
    assert locks.is_left(path)
    held = locks.take(path)
    assert held
    assert path.read_text("utf-8") == ""
    locks.release(path, held)


def test_a_lock_that_its_holder_took_away_is_taken_anew(tmp_path, monkeypatch):
    """Opened just before the holder let go: what was locked is a file that nobody else can see."""
    path = tmp_path / ".lock"
    lock, asked = locks._lock, []

    def late(file):
        lock(file)
        if not asked:
            path.unlink()
        asked.append(file)

    monkeypatch.setattr(locks, "_lock", late)
    held = locks.take(path)
    assert len(asked) == 2
    assert not locks.is_left(path)
    locks.release(path, held)


def test_no_file_is_no_lock_left(tmp_path):
    assert not locks.is_left(tmp_path / ".lock")
    assert list(tmp_path.iterdir()) == []
