"""JupyterLab itself on a client's chapters, opened by the command line as it is typed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from retention_kit import params, projects

if os.name == "nt":
    pytest.skip("it is ended by a signal", allow_module_level=True)
pytest.importorskip("jupyterlab", reason="jupyterlab is not installed (make .venv/lab)")

_TOKEN = "a-token-of-the-tests"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Where `retention-kit lab demo` in a new project listens, and the process that it is."""
    folder = tmp_path_factory.mktemp("lab")
    projects.init(folder / "reports")
    listens = folder / "runtime"
    line = [sys.executable, "-m", "retention_kit", "lab", "demo", "--", "--no-browser", "--allow-root"]
    line += ["--ServerApp.port=0", f"--IdentityProvider.token={_TOKEN}"]
    named = {"CONFIG": folder / "config", "DATA": folder / "data", "RUNTIME": listens}
    env = os.environ | {f"JUPYTER_{name}_DIR": str(path) for name, path in named.items()}
    with (folder / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            line,
            cwd=folder / "reports",
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield _address(process, listens), process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _address(process, folder):
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        for path in folder.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError):  # it is still being written
                return json.loads(path.read_text("utf-8"))["url"]
        time.sleep(0.1)
    raise AssertionError("JupyterLab did not start")


def asked(address, path):
    request = urllib.request.Request(address + path, headers={"Authorization": f"token {_TOKEN}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_it_has_the_clients_chapters(lab):
    there = asked(lab[0], "api/contents")["content"]
    assert sorted(each["name"] for each in there) == sorted(f"{name}.ipynb" for name in params.CHAPTERS)


def test_a_chapter_runs_in_it_from_its_first_cell_to_its_last(lab, browser):
    page = browser.new_page()
    page.goto(f"{lab[0]}doc/tree/churn.ipynb?token={_TOKEN}")
    page.wait_for_selector(".jp-CodeCell:has-text('\"../../params/demo.yaml\"')", timeout=60_000)
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=60_000)
    page.click(".lm-MenuBar-item:has-text('Run')")
    page.click(".lm-Menu-item:has-text('Run All Cells')")
    page.wait_for_selector(".jp-OutputArea-output:has-text('churn: the end')", timeout=90_000)
    page.close()


def test_ctrl_c_lets_it_end_its_kernels_before_it_ends(lab):
    _, process = lab
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 0  # at a terminal it asks first
