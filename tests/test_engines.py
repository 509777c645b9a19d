"""An engine is the one that was wanted, or another and why; and nothing of it outlives it."""

import json
import subprocess
import sys
import threading

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from retention_kit import forkserver, kernels
from retention_kit.engines import Engine


@pytest.fixture
def notebook(tmp_path):
    """One that says that it is there, and stays."""
    there = f"pathlib.Path({str(tmp_path / 'there')!r}).touch()"
    cells = [new_code_cell("import pathlib, time"), new_code_cell(f"{there}\ntime.sleep(100)")]
    cells += [new_code_cell("1", metadata={"tags": ["sentinel"]})]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), tmp_path / "chapter.ipynb")
    return tmp_path / "chapter.ipynb"


def test_where_nothing_can_be_forked_papermill_does_it(monkeypatch):
    monkeypatch.setattr(forkserver.sys, "platform", "darwin")
    with Engine("warm") as engine:
        assert (engine.name, engine.reason) == ("papermill", "a warm start needs Linux, and this is darwin")


def test_where_the_server_does_not_start_papermill_does_it(monkeypatch, notebook, tmp_path):
    monkeypatch.setattr(forkserver.sys, "executable", "/bin/false")
    with Engine("warm") as engine:
        assert (engine.name, engine.reason) == ("warm", "")
        assert engine.fork(tmp_path, {}) is None
        assert engine.name == "papermill"
        assert engine.reason == "the warm server did not start: it ended without a word"
        monkeypatch.undo()
        (tmp_path / "chapter.ipynb").write_text(notebook.read_text().replace("sleep(100)", "sleep(0)"))
        assert kernels.execute(tmp_path / "chapter.ipynb", {}, engine=engine).engine == "papermill"


def test_papermill_is_what_is_used_where_it_is_wanted(tmp_path):
    with Engine("papermill") as engine:
        assert (engine.name, engine.reason, engine.fork(tmp_path, {})) == ("papermill", "", None)


@pytest.mark.parametrize("name", ["warm", "papermill"])
def test_killed_notebooks_end_at_once_and_say_so(name, notebook):
    with Engine(name) as engine:
        if engine.name != name:
            pytest.skip(engine.reason)
        stopped = []

        def run():
            with pytest.raises(kernels.Stopped) as error:
                kernels.execute(notebook, {}, engine=engine)
            stopped.append(error.value)

        running = threading.Thread(target=run)
        running.start()
        while not (notebook.parent / "there").exists():
            running.join(0.05)
        engine.kill()
        running.join(30)
        run()
    assert [str(error) for error in stopped] == [
        "chapter: it was stopped before its end.",
        "chapter: it was stopped before it began.",
    ]
    code = [cell for cell in stopped[0].notebook.cells if cell.cell_type == "code"]
    assert [cell.metadata.papermill.status for cell in code] == ["completed", "failed", "pending"]


def test_a_run_waits_for_nothing_that_only_its_chapters_need() -> None:
    told = "import json, sys; from retention_kit import cli, reports; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    there = set(json.loads(done.stdout))
    assert "retention_kit.pages" in there
    assert not there & {"duckdb", "ibis", "matplotlib", "scipy.special", "retention_kit.tables"}
