"""A notebook is believed only when every cell ran; everything that looks finished and is not, fails."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from retention_kit import kernels
from retention_kit.exceptions import ParamsError, ReportError

SENTINEL = new_code_cell("'the end'", metadata={"tags": ["sentinel"]})


def notebook(folder: Path, *sources: str, sentinel: bool = True) -> Path:
    parameters = new_code_cell(
        'client: str = "demo"\nby: str | None = None\nn=1', metadata={"tags": ["parameters"]}
    )
    cells = [parameters, *map(new_code_cell, sources), *([SENTINEL] if sentinel else [])]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = folder / "chapter.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata=kernel), path)
    return path


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


def test_parameters_reach_the_notebook(tmp_path):
    executed = kernels.execute(notebook(tmp_path, "print(client, by, n)"), {"client": "acme", "n": 2})
    printed = [
        out.text for cell in executed.notebook.cells for out in cell.get("outputs", []) if "text" in out
    ]
    assert printed == ["acme None 2\n"]
    assert executed.seconds > 0


def test_cells_left_out_do_not_run(tmp_path):
    path = notebook(tmp_path, "1 / 0", "2")
    lesson = nbformat.read(path, as_version=4)
    lesson.cells[1].metadata["tags"] = ["lesson"]
    nbformat.write(lesson, path)
    executed = kernels.execute(path, {}, without={"lesson"})
    assert [cell.source for cell in executed.notebook.cells][-2:] == ["2", "'the end'"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "chapter: ZeroDivisionError: division by zero"),
        (
            "from retention_kit.exceptions import DataError\nraise DataError('orders is empty. Say more.')",
            "chapter: orders is empty. Say more.",
        ),
        ("import os; os._exit(1)", "chapter: the kernel died, most often for want of memory."),
        ("import time; time.sleep(60)", "chapter: a cell took longer than 2 s."),
    ],
)
def test_a_failure_is_one_line(tmp_path, source, message):
    with pytest.raises(ReportError) as error:
        kernels.execute(notebook(tmp_path, source), {}, cell_timeout=2)
    assert str(error.value) == message


def test_leaving_early_is_not_finishing(tmp_path):
    with pytest.raises(ReportError, match=r"^chapter: (SystemExit|stopped before code cell|the kernel died)"):
        kernels.execute(notebook(tmp_path, "import sys; sys.exit(0)", "2"), {})


def test_a_notebook_must_end_with_its_sentinel(tmp_path):
    with pytest.raises(ReportError) as error:
        kernels.execute(notebook(tmp_path, "1", sentinel=False), {})
    assert str(error.value) == "chapter: the notebook does not end with its sentinel cell."
