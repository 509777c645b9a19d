"""A notebook is believed only when every cell ran; everything that looks finished and is not, fails.

Each way to fail is tried with both engines, and tells the same.
"""

import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from retention_kit import kernels
from retention_kit.engines import Engine
from retention_kit.exceptions import ParamsError, ReportError

SENTINEL = new_code_cell("'the end'", metadata={"tags": ["sentinel"]})
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def notebook(folder: Path, *sources: str, sentinel: bool = True) -> Path:
    parameters = new_code_cell(
        'client: str = "demo"\nby: str | None = None\nn=1', metadata={"tags": ["parameters"]}
    )
    cells = [parameters, *map(new_code_cell, sources), *([SENTINEL] if sentinel else [])]
    path = folder / "chapter.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata=KERNEL), path)
    return path


@pytest.fixture(scope="module", params=["warm", "papermill"])
def engine(request):
    if request.param == "papermill":
        return Engine("papermill")
    warm = request.getfixturevalue("warm")
    if warm.reason:
        pytest.skip(warm.reason)
    return warm


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    return [out.text for cell in notebook.cells for out in cell.get("outputs", []) if "text" in out]


def statuses(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.metadata.papermill.status for cell in notebook.cells if cell.cell_type == "code"]


# -- parameters ----------------------------------------------------------------


def test_parameters_are_read_with_their_types_and_without(tmp_path):
    assert kernels.parameters_of(notebook(tmp_path)) == ["client", "by", "n"]


def test_a_notebook_without_parameters_is_named(tmp_path):
    path = tmp_path / "bare.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), path)
    with pytest.raises(ReportError) as error:
        kernels.parameters_of(path)
    assert str(error.value) == "bare.ipynb has no cell tagged parameters."


def test_an_unknown_option_is_refused_before_a_kernel_starts(tmp_path):
    with pytest.raises(ParamsError) as error:
        kernels.check_parameters(notebook(tmp_path), {"client": "x", "byy": "plan"})
    assert str(error.value) == (
        "The chapter chapter has no option 'byy'. Did you mean 'by'? It has ['by', 'n']."
    )


# -- a notebook that ends ------------------------------------------------------


def test_parameters_reach_the_notebook(engine, tmp_path):
    executed = kernels.execute(
        notebook(tmp_path, "print(client, by, n)"), {"client": "acme", "n": 2}, engine=engine
    )
    assert printed(executed.notebook) == ["acme None 2\n"]
    assert executed.seconds > 0
    assert executed.engine == engine.name
    assert statuses(executed.notebook) == ["completed"] * 4


def test_cells_left_out_do_not_run(engine, tmp_path):
    path = notebook(tmp_path, "1 / 0", "2")
    lesson = nbformat.read(path, as_version=4)
    lesson.cells[1].metadata["tags"] = ["lesson"]
    nbformat.write(lesson, path)
    executed = kernels.execute(path, {}, without={"lesson"}, engine=engine)
    assert [cell.source for cell in executed.notebook.cells][-2:] == ["2", "'the end'"]


# -- a notebook that does not --------------------------------------------------

C_LOOP = "import ctypes; ctypes.CDLL(None).sleep(60)"  # in C, with Python's lock let go: no signal reaches it
DEAF = """
import time
while True:
    try:
        time.sleep(60)
    except:
        pass
"""


@pytest.mark.parametrize(
    ("source", "how", "message"),
    [
        ("1 / 0", {}, "chapter: ZeroDivisionError: division by zero"),
        (
            "from retention_kit.exceptions import DataError\nraise DataError('orders is empty. Say more.')",
            {},
            "chapter: orders is empty. Say more.",
        ),
        ("import sys; sys.exit(0)", {}, "chapter: SystemExit: 0"),
        ("import os; os._exit(0)", {}, "chapter: its process ended itself with exit code 0."),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            {},
            "chapter: its process was killed, most often for want of memory.",
        ),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            {},
            "chapter: its process crashed with SIGSEGV.",
        ),
        (C_LOOP, {"cell_timeout": 1}, "chapter: a cell took longer than 1 s."),
        (DEAF, {"cell_timeout": 1}, "chapter: a cell took longer than 1 s."),
    ],
    ids=["error", "ours", "exit", "os_exit", "killed", "crashed", "c_loop", "deaf"],
)
def test_a_failure_is_one_line_and_the_notebook_says_where(engine, tmp_path, source, how, message):
    path = notebook(tmp_path, "print('before')", f"print('so far')\n{source}", "'never'")
    with pytest.raises(kernels.Stopped) as error:
        kernels.execute(path, {}, engine=engine, **how)
    assert str(error.value) == message
    partial = error.value.notebook
    assert statuses(partial) == ["completed", "completed", "failed", "pending", "pending"]
    assert printed(partial)[0] == "before\n"
    if engine.name == "warm":  # a kernel that dies takes along what it has not sent yet
        assert printed(partial)[1] == "so far\n"
    assert partial.metadata.papermill.exception is True
    code = [cell for cell in partial.cells if cell.cell_type == "code"]
    assert [output.output_type for output in code[2].outputs].count("error") == 1
    assert [cell.execution_count for cell in code[3:]] == [None, None]


def test_a_notebook_has_a_deadline(engine, tmp_path):
    started = time.monotonic()
    with pytest.raises(kernels.Stopped) as error:
        kernels.execute(notebook(tmp_path, DEAF), {}, engine=engine, deadline=2)
    assert str(error.value) == "chapter: it took longer than 2 s."
    assert time.monotonic() - started < 50
    left = [status for status in statuses(error.value.notebook) if status != "completed"]
    assert left == ["failed", *["pending"] * (len(left) - 1)]


def test_a_notebook_must_end_with_its_sentinel(engine, tmp_path):
    with pytest.raises(kernels.Stopped) as error:
        kernels.execute(notebook(tmp_path, "1", sentinel=False), {}, engine=engine)
    assert str(error.value) == "chapter: the notebook does not end with its sentinel cell."
    assert statuses(error.value.notebook) == ["completed", "completed"]
