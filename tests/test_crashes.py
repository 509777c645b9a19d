"""Whatever ends a run: the last report is whole, a line says why, nothing is left, and the next run works."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from retention_kit import accounts, reports
from retention_kit.engines import Engine

MARKER = "a-line-of-the-clients-data"
# A chapter that says when it runs, holds data in its temporary folder, and waits until it may go on.
CHAPTER = f"""\
import os, pathlib, tempfile, time
here = pathlib.Path(client).parent.parent
pathlib.Path(tempfile.gettempdir(), "data").write_text("{MARKER}")
(here / "running").write_text(str(os.getpid()))
while (here / "hold").exists():
    time.sleep(0.02)
"""
CLIENT = "as_of: 2024-05-01\nnotes: {notes}\ndata: {{responses: {{source: ../answers.csv}}}}\n"
REPORT = "2024-05-01/report.html"
SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A consultant's project of two clients, whose one chapter does next to nothing."""
    for folder in ("params", "notebooks", "temp"):
        (tmp_path / folder).mkdir()
    cells = [
        new_code_cell("client = ''\nas_of = None", metadata={"tags": ["parameters"]}),
        new_code_cell(CHAPTER, metadata={"tags": ["setup"]}),
        new_code_cell("", metadata={"tags": ["sentinel"]}),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), tmp_path / "notebooks" / "nps.ipynb")
    (tmp_path / "answers.csv").write_text("score\n9\n", encoding="utf-8")
    for client in ("acme", "bolt"):
        write(tmp_path, client)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    return tmp_path


def write(project, client, notes="none"):
    path = project / "params" / f"{client}.yaml"
    path.write_text(CLIENT.format(notes=notes), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def engine():
    with Engine() as shared:
        yield shared


def run(project, engine, *clients, **how):
    files = [project / "params" / f"{client}.yaml" for client in clients or ["acme"]]
    return reports.run(files, out=project / "outputs", engine=engine, jobs=1, **how)


def start(project, *words):
    """The command line, in a group of processes of its own, as a terminal starts it."""
    command = [sys.executable, "-m", "retention_kit", "run", "params/acme.yaml", "params/bolt.yaml", *words]
    return subprocess.Popen(
        [*command, "--jobs", "1"],
        cwd=project,
        env=os.environ | {"TMPDIR": str(project / "temp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(true, seconds=60):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def is_alive(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return b"Z" not in Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[:1]
    return False


def left(project):
    """What a run has left outside of its reports."""
    home = project / "outputs" / "acme"
    hidden = [path.name for path in home.glob(".*")] if home.is_dir() else []
    return hidden + [path.name for path in (project / "temp").iterdir()]


# -- Ctrl-C ----------------------------------------------------------------------


def test_ctrl_c_lets_a_notebook_finish_and_begins_no_other(project):
    (project / "hold").touch()
    driver = start(project)
    wait_for((project / "running").exists)
    os.killpg(driver.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    said = driver.stderr.readline()
    (project / "hold").unlink()
    printed, more = driver.communicate(timeout=60)
    assert said == (
        "Ctrl-C: the notebooks that run are finished, no other is begun. Press it again to end them.\n"
    )
    assert printed == f"outputs/acme/{REPORT}\noutputs/index.html\n"
    assert more == (
        "bolt: stopped before its report was made; the last one is untouched. Type the same to go on.\n"
    )
    assert driver.returncode == 130
    assert left(project) == []
    assert not (project / "outputs" / "bolt").exists()


def test_ctrl_c_twice_ends_everything(project):
    (project / "hold").touch()
    heard = []

    def press():
        wait_for((project / "running").exists)
        os.kill(os.getpid(), signal.SIGINT)
        wait_for(lambda: heard == ["stopping"])
        os.kill(os.getpid(), signal.SIGINT)

    hand = threading.Thread(target=press)
    hand.start()
    with Engine() as engine:
        outcomes = run(
            project, engine, "acme", "bolt", progress=lambda *step: step[0] or heard.append(step[2])
        )
    hand.join()
    assert [(outcome.client, outcome.state) for outcome in outcomes] == [
        ("acme", "stopped"),
        ("bolt", "stopped"),
    ]
    assert not is_alive(int((project / "running").read_text()))
    assert left(project) == []
    assert not (project / "outputs" / "acme").exists()


# -- killed ----------------------------------------------------------------------


def test_a_killed_run_leaves_the_last_report_and_the_next_run_tidies(project, engine):
    [first] = run(project, engine)
    report = first.report.read_bytes()
    write(project, "acme", notes="other words")
    (project / "running").unlink()
    (project / "hold").touch()
    driver = start(project, "--fresh")
    wait_for((project / "running").exists)
    driver.kill()
    driver.communicate()
    assert first.report.read_bytes() == report
    assert MARKER in "".join(path.read_text() for path in (project / "temp").rglob("data"))
    wait_for(lambda: not is_alive(int((project / "running").read_text())), seconds=10)
    (project / "hold").unlink()
    [second] = run(project, engine)
    assert (second.state, second.reason) == ("rendered", "")
    assert "other words" in second.report.read_text("utf-8")
    assert left(project) == []


def test_a_run_may_be_killed_at_any_moment(project, engine):
    """A moment by chance, of a run that would replace a good report; twenty in a soak."""
    chance = random.Random(6)
    [first] = run(project, engine)
    for number in range(20 if SOAK else 1):
        write(project, "acme", notes=f"number {number}")
        driver = start(project, "--fresh")
        with contextlib.suppress(subprocess.TimeoutExpired):
            driver.wait(chance.uniform(1, 8))
        driver.kill()
        driver.communicate()
        [outcome] = run(project, engine)
        assert outcome.reason == ""
        assert f"number {number}" in first.report.read_text("utf-8")
        assert left(project) == []


# -- a disk that is full, a folder that is read-only -----------------------------


@pytest.fixture
def disk(project):
    """The outputs on a disk of 400 kB."""
    out = project / "outputs"
    out.mkdir()
    if not mounted("-t", "tmpfs", "-o", "size=400k", "tmpfs", out):
        pytest.skip("mounting is not permitted")
    yield out
    subprocess.run(["umount", out], check=True)


def mounted(*how):
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run(["mount", *how], capture_output=True).returncode == 0
    return False


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_full_disk_leaves_the_last_report(project, engine, disk):
    run(project, engine)
    before = files(disk / "acme")
    room = os.statvfs(disk)
    (disk / "full").write_bytes(b"0" * (room.f_bavail * room.f_frsize - 8192))
    [outcome] = run(project, engine, fresh=True)
    assert (outcome.state, outcome.report) == ("failed", None)
    assert outcome.reason == (
        f"{disk}/acme: no space left on device. Free some, or name another folder with --out."
    )
    told = disk / "acme" / "2024-05-01-failed"
    assert {path: text for path, text in files(disk / "acme").items() if told not in path.parents} == before
    assert accounts.read(told).told["reason"] == outcome.reason
    assert [path.name for path in told.iterdir()] == ["run.json"]  # there was no room for more
    (disk / "full").unlink()
    [outcome] = run(project, engine, fresh=True)
    assert outcome.state == "made"
    assert not told.exists()
    assert left(project) == []


def test_a_read_only_folder_is_told_before_a_notebook_runs(project, engine, disk):
    run(project, engine)
    before = files(disk)
    (project / "running").unlink()
    assert mounted("-o", "remount,ro", disk)
    [outcome] = run(project, engine, fresh=True)
    assert outcome.reason == f"{disk}/acme: read-only file system. Name another folder with --out."
    assert files(disk) == before
    assert not (project / "running").exists()
    assert mounted("-o", "remount,rw", disk)
    [outcome] = run(project, engine, fresh=True)
    assert outcome.state == "made"


def test_a_full_temporary_disk_is_one_line(project, engine, disk, monkeypatch):
    room = os.statvfs(disk)
    (disk / "full").write_bytes(b"0" * (room.f_bavail * room.f_frsize))
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    files = [project / "params" / "acme.yaml"]
    [outcome] = reports.run(files, out=project / "elsewhere", engine=engine)
    assert outcome.state == "failed"
    assert "No space left on device" in outcome.reason
    (disk / "full").unlink()
    [outcome] = reports.run(files, out=project / "elsewhere", engine=engine)
    assert outcome.state == "made"
    assert list(disk.iterdir()) == []


# -- two at once -----------------------------------------------------------------


def test_two_runs_of_one_client_do_not_meet(project, engine):
    (project / "hold").touch()
    first = []
    other = threading.Thread(target=lambda: first.extend(run(project, engine)))
    other.start()
    try:
        wait_for((project / "running").exists)
        [second] = run(project, engine)
    finally:
        (project / "hold").unlink()
        other.join()
    assert second.report is None
    assert second.reason.startswith(f"A report of acme is being made by process {os.getpid()} since 2")
    assert second.reason.endswith(". Wait until it is done.")
    assert first[0].state == "made"
    assert [path.name for path in (project / "outputs" / "acme").iterdir()] == ["2024-05-01"]
