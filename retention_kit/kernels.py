"""One notebook, one process: executed by papermill, and believed only when every cell says so."""

import ast
import logging
import tempfile
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill import execute_notebook
from papermill.exceptions import PapermillExecutionError

from retention_kit.exceptions import ParamsError, ReportError, did_you_mean

#: Errors with a message written for the reader; others need their type beside it.
_OURS = ("DataError", "ParamsError", "ReportError")
_START_TIMEOUT = 120

# papermill looks for parameters by regular expression and warns of those it misses, such as
# `str | None`; `check_parameters` has read the cell itself and refused what is not there.
logging.getLogger("papermill").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Executed:
    """A notebook whose every cell ran to the end, and how long that took."""

    notebook: nbformat.NotebookNode = field(repr=False)
    seconds: float


def parameters_of(path: Path) -> list[str]:
    """The names in a notebook's parameters cell.

    Raises
    ------
    ReportError
        When the notebook has no cell tagged `parameters`.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            return [name for node in ast.parse(cell.source).body for name in _assigned(node)]
    raise ReportError(f"{path.name} has no cell tagged parameters.")


def _assigned(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def check_parameters(path: Path, given: Mapping[str, Any]) -> None:
    """Refuse, before a kernel starts, a parameter that the notebook does not have."""
    known = parameters_of(path)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known)
            options = [option for option in known if option not in ("client", "as_of")]
            raise ParamsError(f"The {path.stem} chapter has no option {name!r}.{hint} It has {options}.")


def execute(
    path: Path, parameters: Mapping[str, Any], *, without: Collection[str] = (), cell_timeout: int = 1800
) -> Executed:
    """Run a notebook with its parameters in a process of its own, its cells tagged `without` left out.

    A kernel that dies, a cell that takes too long and a `sys.exit(0)` leave a notebook that
    looks finished; so does one that was cut off. All of them are failures here.

    Raises
    ------
    ReportError
        With the reason in one line.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        edition = _edition(path, without, Path(folder))
        notebook = _executed(edition, parameters, cell_timeout)
    _believe(path.stem, notebook)
    return Executed(notebook, time.perf_counter() - started)


def _edition(path: Path, without: Collection[str], folder: Path) -> Path:
    """The notebook with only the cells that are to run: a report does not work through the lesson."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [c for c in notebook.cells if not set(without).intersection(c.metadata.get("tags", []))]
    nbformat.write(notebook, folder / path.name)
    return folder / path.name


def _executed(path: Path, parameters: Mapping[str, Any], cell_timeout: int) -> nbformat.NotebookNode:
    try:
        return execute_notebook(
            str(path),
            None,
            parameters=dict(parameters),
            progress_bar=False,
            request_save_on_cell_execute=False,
            start_timeout=_START_TIMEOUT,
            execution_timeout=cell_timeout,
            shutdown_kernel="immediate",
            extra_arguments=["--log-level=ERROR"],
        )
    except PapermillExecutionError as error:
        raise ReportError(_reason(path.stem, error.ename, error.evalue)) from None
    except DeadKernelError:
        raise ReportError(f"{path.stem}: the kernel died, most often for want of memory.") from None
    except CellTimeoutError:
        raise ReportError(f"{path.stem}: a cell took longer than {cell_timeout} s.") from None


def _reason(chapter: str, name: str, value: str) -> str:
    line = str(value).strip().splitlines()[0] if str(value).strip() else ""
    return f"{chapter}: {line}" if name in _OURS else f"{chapter}: {name}: {line}"


def _believe(chapter: str, notebook: nbformat.NotebookNode) -> None:
    """Every code cell ran, none holds an error, and the last one is the sentinel."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        if cell.source.strip() and cell.execution_count is None:
            raise ReportError(f"{chapter}: stopped before code cell {number} of {len(code)}.")
        for output in cell.outputs:
            if output.output_type == "error":
                raise ReportError(_reason(chapter, output.ename, output.evalue))
    if not code or "sentinel" not in code[-1].metadata.get("tags", []):
        raise ReportError(f"{chapter}: the notebook does not end with its sentinel cell.")
