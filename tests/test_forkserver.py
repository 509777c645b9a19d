"""The warm process: what it forks is alone, is told in its order, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from retention_kit import forkserver

if forkserver.hindrance():
    pytest.skip(forkserver.hindrance(), allow_module_level=True)


@pytest.fixture(scope="module")
def server():
    with forkserver.Server() as server:
        yield server


@pytest.fixture
def forked(server, tmp_path):
    forked = server.fork(tmp_path, os.environ | {"ONLY_HERE": "1"})
    yield forked
    forked.close()


def shown(forked: forkserver.Forked, source: str) -> str:
    """What a cell's last line is, or what it printed."""
    told = [message["content"] for message in forked.run(source, timeout=60)]
    return "".join(
        content.get("text", "") or content.get("data", {}).get("text/plain", "") for content in told
    )


def gone(pid: int) -> bool:
    """Whether a process ends within ten seconds; one that only waits to be reaped has ended."""
    for _ in range(1000):
        try:
            if Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def test_what_chapters_import_is_there_and_no_thread(forked):
    assert shown(forked, "import sys; 'retention_kit.churn' in sys.modules") == "True"
    assert shown(forked, "import os; len(os.listdir('/proc/self/task'))") == "1"
    assert shown(forked, "'matplotlib_inline' in sys.modules, 'papermill' in sys.modules") == "(False, False)"


def test_each_notebook_is_alone(server, tmp_path):
    ask = "import random, numpy as np, builtins; found = getattr(builtins, 'kept', None); builtins.kept = 1"
    answers = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        forked = server.fork(tmp_path / name, os.environ)
        shown(forked, ask)
        answers.append(shown(forked, "os = __import__('os'); os.getpid(), random.random(), np.random.rand()"))
        assert shown(forked, "print(found)") == "None\n"
        forked.close()
    one, two = (eval(answer.replace("np.float64", "")) for answer in answers)
    assert not set(one) & set(two)


def test_it_has_the_drivers_environment_and_folder_not_the_servers(forked, monkeypatch, tmp_path):
    assert shown(forked, "import os; os.environ['ONLY_HERE'], os.environ.get('OMP_NUM_THREADS')") == (
        f"('1', {os.environ.get('OMP_NUM_THREADS')!r})"
    )
    assert shown(forked, "print(os.getcwd())") == f"{os.getcwd()}\n"


def test_what_is_printed_in_any_way_is_told_in_its_order(forked):
    cell = """
import ctypes, os, subprocess, sys
print("one")
os.system("echo two")
print("three", file=sys.stderr)
subprocess.run(["sh", "-c", "echo four >&2"])
print("five")
display("six")
os.write(1, b"seven")
ctypes.CDLL(None).printf(b", eight")
"""
    told = []
    for message in forked.run(cell):
        content = message["content"]
        if message["type"] == "stream":
            told.append((content["name"], content["text"]))
        elif message["type"] == "display_data":
            told.append(("display", content["data"]["text/plain"]))
    assert told == [
        ("stdout", "one\ntwo\n"), ("stderr", "three\nfour\n"), ("stdout", "five\n"),
        ("display", "'six'"), ("stdout", "seven, eight"),
    ]  # fmt: skip


def test_more_is_printed_than_a_pipe_holds(forked):
    assert (
        len(shown(forked, "import os; os.system('head -c 1000000 /dev/zero | tr \"\\\\0\" x')")) == 1_000_001
    )


def test_a_cell_that_takes_too_long_has_told_what_it_printed(forked):
    told = []
    with pytest.raises(TimeoutError):
        told.extend(forked.run("print('so far')\nwhile True: pass", timeout=0.5))
    assert told[-1]["content"] == {"name": "stdout", "text": "so far\n"}
    forked.kill()
    with pytest.raises(forkserver.Died) as died:
        list(forked.run("1"))
    assert died.value.code == -signal.SIGKILL


def test_what_a_notebook_started_ends_with_it(forked):
    pids = shown(forked, "import os, subprocess; os.getpid(), subprocess.Popen(['sleep', '100']).pid")
    assert all(Path(f"/proc/{pid}").exists() for pid in eval(pids))
    forked.close()
    assert all(gone(pid) for pid in eval(pids))


def test_what_it_started_ends_though_it_ended_by_itself(forked):
    child = shown(forked, "import os, subprocess; subprocess.Popen(['sleep', '100']).pid")
    with pytest.raises(forkserver.Died) as died:
        list(forked.run("os._exit(7)"))
    assert died.value.code == 7
    assert gone(int(child))


DRIVER = """
import os, sys, time
from pathlib import Path
from retention_kit import forkserver
server = forkserver.Server()
forked = server.fork(Path(sys.argv[1]), os.environ)
start = "import os, subprocess; print(os.getpid(), os.getppid(), subprocess.Popen(['sleep', '100']).pid)"
for message in forked.run(start):
    if message["type"] == "stream":
        print(message["content"]["text"], flush=True)
list(forked.run("while True: pass"))
"""


@pytest.mark.parametrize("whom", ["driver", "server"])
def test_no_process_is_left_when_one_is_killed(whom, tmp_path):
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with driver:
        child, server, grandchild = map(int, driver.stdout.readline().split())
        os.kill(driver.pid if whom == "driver" else server, signal.SIGKILL)
        assert gone(child)
        assert gone(server)
        if whom == "driver":
            assert gone(grandchild)
        else:
            os.kill(grandchild, signal.SIGKILL)
        driver.kill()


def test_a_server_that_does_not_start_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "duckdb.py").write_text("raise ImportError('libstdc++ is too old')", encoding="utf-8")
    with forkserver.Server() as server, pytest.raises(forkserver.NotStarted) as error:
        server.fork(tmp_path, os.environ)
    assert str(error.value) == "the warm server did not start: ImportError: libstdc++ is too old"
