"""One notebook, one process: executed by papermill, and believed only when every cell says so.

papermill puts in the parameters, goes from cell to cell and keeps the account; the process is one of
its kernels, or one forked from a warm one, which is ready at once.
"""

import ast
import contextlib
import logging
import os
import platform
import signal
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import nbformat
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine as PapermillEngine
from papermill.engines import papermill_engines
from papermill.execute import prepare_notebook_metadata
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from retention_kit import scratch
from retention_kit.engines import Engine
from retention_kit.exceptions import ParamsError, ReportError, did_you_mean
from retention_kit.forkserver import INLINE, Died, Forked

#: Errors with a message written for the reader; others need their type beside it.
_CUT = "Stopped"
_OURS = ("DataError", "ParamsError", "ReportError", _CUT)
_START_TIMEOUT = 120
_ENGINE = "retention_kit"
_OWN_KERNELS = ("python", "python3")  # this Python; another kernel's has to be started by papermill

# papermill looks for parameters by regular expression and warns of those it misses, such as
# `str | None`; `check_parameters` has read the cell itself and refused what is not there.
_LOG = logging.getLogger("papermill")
_LOG.setLevel(logging.ERROR)


@dataclass(frozen=True)
class Executed:
    """A notebook whose every cell ran to the end, how long that took, and by which engine."""

    notebook: nbformat.NotebookNode = field(repr=False)
    seconds: float
    engine: str


class Stopped(ReportError):
    """A notebook that did not come to its end: why, in one line, and the notebook as far as it came.

    Its cells say which of them ran, and the one it stopped in shows the reason.
    """

    def __init__(self, reason: str, notebook: nbformat.NotebookNode | None) -> None:
        super().__init__(reason)
        self.notebook = notebook


def parameters_of(path: Path) -> list[str]:
    """The names in a notebook's parameters cell.

    Raises
    ------
    ReportError
        When the notebook has no cell tagged `parameters`.
    """
    state = path.stat()
    return list(_parameters(path, state.st_size, state.st_mtime_ns))


@cache
def _parameters(path: Path, size: int, moment: int) -> list[str]:
    """Of a notebook as it is now, read once for all clients of a run."""
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
            options = [option for option in known if option not in ("client", "as_of", "data_as_of")]
            raise ParamsError(f"The {path.stem} chapter has no option {name!r}.{hint} It has {options}.")


def execute(
    path: Path,
    parameters: Mapping[str, Any],
    *,
    without: Collection[str] = (),
    engine: Engine | None = None,
    cell_timeout: float = 1800,
    deadline: float | None = None,
) -> Executed:
    """Run a notebook with its parameters in a process of its own, its cells tagged `without` left out.

    A kernel that dies, a cell that takes too long and a `sys.exit(0)` leave a notebook that
    looks finished; so does one that was cut off. All of them are failures here.

    Parameters
    ----------
    path : Path
        The notebook.
    parameters : mapping
        What is put in after its parameters cell.
    without : collection of str
        Tags.
    engine : Engine, optional
        What executes it; papermill's kernels if none is given.
    cell_timeout : float
        Seconds a cell may take.
    deadline : float, optional
        Seconds the notebook may take.

    Raises
    ------
    Stopped
        With the reason in one line.
    """
    engine = engine or Engine("papermill")
    if engine.killed:
        raise Stopped(f"{path.stem}: it was stopped before it began.", None)
    with scratch.aside() as folder:
        run = _Run(path.stem, engine, Path(folder), cell_timeout, deadline)
        notebook = _executed(run, _edition(path, without), parameters)
    _believe(path.stem, notebook)
    return Executed(notebook, time.monotonic() - run.started, run.by)


def _edition(path: Path, without: Collection[str]) -> nbformat.NotebookNode:
    """The notebook with only the cells that are to run: a report does not work through the lesson."""
    notebook = load_notebook_node(str(path))
    notebook.cells = [c for c in notebook.cells if not set(without).intersection(c.metadata.get("tags", []))]
    return notebook


def _executed(
    run: "_Run", notebook: nbformat.NotebookNode, parameters: Mapping[str, Any]
) -> nbformat.NotebookNode:
    """As papermill's `execute_notebook`, step by step; that would write the whole as a text for no file."""
    if parameters:
        notebook = parameterize_notebook(notebook, dict(parameters), engine_name=_ENGINE)
    notebook = prepare_notebook_metadata(notebook, f"{run.chapter}.ipynb", None)
    try:
        return papermill_engines.execute_notebook_with_engine(
            _ENGINE,
            notebook,
            kernel_name=papermill_engines.nb_kernel_name(_ENGINE, notebook),
            progress_bar=False,
            start_timeout=_START_TIMEOUT,
            run=run,
        )
    except (RuntimeError, TimeoutError, DeadKernelError) as error:
        raise Stopped(f"{run.chapter}: the kernel did not start: {error}", None) from None


def _reason(chapter: str, name: str, value: str) -> str:
    line = str(value).strip().splitlines()[0] if str(value).strip() else ""
    return f"{chapter}: {line}" if name in _OURS else f"{chapter}: {name}: {line}"


def _believe(chapter: str, notebook: nbformat.NotebookNode) -> None:
    """Every code cell ran, none holds an error, and the last one is the sentinel."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for output in chain.from_iterable(cell.outputs for cell in code):
        if output.output_type == "error":
            raise Stopped(_reason(chapter, output.ename, output.evalue), notebook)
    for number, cell in enumerate(code, start=1):
        if cell.source.strip() and cell.execution_count is None:
            raise Stopped(f"{chapter}: stopped before code cell {number} of {len(code)}.", notebook)
    if not code or "sentinel" not in code[-1].metadata.get("tags", []):
        raise Stopped(f"{chapter}: the notebook does not end with its sentinel cell.", notebook)


# -- papermill's engine --------------------------------------------------------


@dataclass
class _Run:
    """One notebook on its way: where, by what, until when, and how it ended."""

    chapter: str
    engine: Engine
    folder: Path
    cell_timeout: float
    deadline: float | None
    started: float = field(default_factory=time.monotonic)
    notebook: nbformat.NotebookNode | None = None
    by: str = ""

    @property
    def env(self) -> dict[str, str]:
        """What it leaves in temporary folders is a client's data, and goes with its own folder."""
        return INLINE | os.environ | {scratch.SCRATCH: str(self.folder), "TMPDIR": str(self.folder)}

    @property
    def left(self) -> float:
        """Seconds the next cell may take."""
        if self.deadline is None:
            return self.cell_timeout
        return max(0.001, min(self.cell_timeout, self.started + self.deadline - time.monotonic()))

    def why_late(self) -> str:
        """Which of the two limits was passed."""
        if self.left < self.cell_timeout:
            return f"it took longer than {self.deadline:g} s."
        return f"a cell took longer than {self.cell_timeout:g} s."

    def why_dead(self, code: int | None) -> str:
        """What a process's exit code says, below zero the number of a signal."""
        if self.engine.killed:
            return "it was stopped before its end."
        if code is None:
            return "its process died."
        if code >= 0:
            return f"its process ended itself with exit code {code}."
        if -code == signal.SIGKILL:
            return "its process was killed, most often for want of memory."
        return f"its process crashed with {signal.Signals(-code).name}."


class _Client(PapermillNotebookClient):
    """papermill's, with an end to the whole notebook, and the truth about the cell it stopped in."""

    run: _Run

    def papermill_execute_cells(self) -> None:
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                break
            except (CellTimeoutError, DeadKernelError) as error:
                late = isinstance(error, CellTimeoutError)
                reason = self.run.why_late() if late else self.run.why_dead(self.exit_code())
                cell.outputs.append(new_output("error", ename=_CUT, evalue=reason, traceback=[reason]))
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                raise
            finally:
                self.nb_man.cell_complete(cell, index)

    def output(self, outs: list, msg: dict, display_id: str | None, cell_index: int) -> Any:
        """What is printed in one go is one output, in however many messages it came."""
        content, last = msg["content"], outs[-1] if outs and not self.clear_before_next_output else {}
        if msg["msg_type"] == "stream" and last.get("name") == content["name"]:
            last.text += content["text"]
            return last
        return super().output(outs, msg, display_id, cell_index)

    def _get_timeout(self, cell: nbformat.NotebookNode | None) -> float:
        return self.run.left


class _KernelClient(_Client):
    """Of a Jupyter kernel, started for the notebook and killed at its end."""

    def execute(self) -> nbformat.NotebookNode:
        return super().execute(env=self.run.env)

    @contextlib.contextmanager
    def setup_kernel(self, **how: Any) -> Iterator[None]:
        with super().setup_kernel(**how), self.run.engine.running(self):
            yield

    def kill(self) -> None:
        process = self.km.provisioner.process
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()

    def exit_code(self) -> int | None:
        process = self.km.provisioner.process
        return process.poll() if process else None


class _ForkedClient(_Client):
    """Of a process that was forked for the notebook; it speaks as a kernel does, without its sockets."""

    forked: Forked
    code: int | None = None

    def execute(self) -> nbformat.NotebookNode:
        self.reset_execution_trackers()
        with contextlib.closing(self.forked), self.run.engine.running(self.forked):
            self.papermill_execute_cells()
        self.nb.metadata["language_info"] = _language()
        return self.nb

    def execute_cell(self, cell: nbformat.NotebookNode, cell_index: int) -> nbformat.NotebookNode:
        if cell.cell_type != "code" or not cell.source.strip():
            return cell
        if self.skip_cells_with_tag in cell.metadata.get("tags", []):
            return cell
        self.clear_before_next_output = False
        reply = {}
        try:
            for message in self.forked.run(cell.source, self.run.left):
                if message["type"] == "reply":
                    reply = message
                else:
                    self.process_message(_jupyter(message), cell, cell_index)
        except TimeoutError:
            self.forked.kill()
            raise CellTimeoutError.error_from_timeout_and_cell("Too long", int(self.run.left), cell) from None
        except Died as error:
            self.code = error.code
            raise DeadKernelError("The process died") from None
        run_sync(self._check_raise_for_error)(cell, cell_index, reply)
        return cell

    def exit_code(self) -> int | None:
        return self.code


def _jupyter(message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "msg_type": message["type"],
        "header": {"msg_type": message["type"]},
        "parent_header": {},
        "content": message["content"],
    }


def _language() -> dict[str, Any]:
    """As ipykernel describes it in the notebook."""
    return {
        "name": "python",
        "version": platform.python_version(),
        "mimetype": "text/x-python",
        "codemirror_mode": {"name": "ipython", "version": 3},
        "pygments_lexer": "ipython3",
        "nbconvert_exporter": "python",
        "file_extension": ".py",
    }


class _Engine(PapermillEngine):
    """Executes by what the run's engine has: a forked process, else a kernel."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, run: _Run, start_timeout: int, **more: Any
    ) -> None:
        run.notebook = nb_man.nb
        forked = run.engine.fork(run.folder, run.env) if kernel_name in _OWN_KERNELS else None
        run.by = "papermill" if forked is None else "warm"
        how = {"kernel_name": kernel_name, "startup_timeout": start_timeout, "log": _LOG}
        if forked is None:
            client = _KernelClient(
                nb_man, **how, shutdown_kernel="immediate", extra_arguments=["--log-level=ERROR"]
            )
        else:
            client = _ForkedClient(nb_man, **how, record_timing=False)
            client.forked = forked
        client.run = run
        try:
            client.execute()
        except (CellTimeoutError, DeadKernelError):
            if not any(cell.get("outputs") for cell in nb_man.nb.cells):
                raise


papermill_engines.register(_ENGINE, _Engine)
