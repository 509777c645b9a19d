"""A consultant's own project: a folder with client files, chapters to change, and room for data."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

from retention_kit import editions, params, wheels
from retention_kit.exceptions import ParamsError, ReportError

_TEMPLATE = Path(__file__).parent / "templates" / "project"
_NAMED = 3  # of what is in the way, how many a message names


def root(client_file: Path) -> Path | None:
    """The project of a client file: the folder whose `params/` it is in; None where there is none.

    >>> root(Path("/srv/acme/params/old/shop.yaml")).as_posix()[-9:]
    '/srv/acme'
    """
    folder = next((folder for folder in client_file.resolve().parents if folder.name == "params"), None)
    return folder.parent if folder else None


def notebook(client_file: Path, chapter: str) -> Path:
    """The notebook of a chapter: the project's own in `notebooks/` beside `params/`, else the package's."""
    project = root(client_file)
    own = project / "notebooks" / f"{chapter}.ipynb" if project else None
    return own if own and own.is_file() else wheels.shipped("notebooks") / f"{chapter}.ipynb"


def init(folder: str | Path) -> Path:
    """Make a project in a new folder, or in one that holds nothing but `.git`.

    Returns
    -------
    Path
        Its example client, which can be run at once.

    Raises
    ------
    ParamsError
        When something is there already, and what; nothing is ever overwritten.
    """
    from retention_kit import codeframes  # which reads answers: a report that is made of notebooks need not

    folder = Path(folder)
    try:
        _refuse_what_is_there(folder)
        shutil.copytree(wheels.shipped("notebooks"), folder / "notebooks", ignore=_only_notebooks)
        shutil.copytree(codeframes.folder(), folder / "codeframes")
        for place in ("params", "data"):
            (folder / place).mkdir()
        for name in ("_defaults.yaml", "demo.yaml"):
            shutil.copyfile(wheels.shipped(f"params/{name}"), folder / "params" / name)
        shutil.copyfile(_TEMPLATE / "README.md", folder / "README.md")
        shutil.copyfile(_TEMPLATE / "gitignore", folder / ".gitignore")
    except OSError as error:
        raise ParamsError(f"{folder} cannot be written: {error.strerror or error}.") from None
    return folder / "params" / "demo.yaml"


def lab(client: str, *, as_of: str | None = None) -> Path:
    """Copy a client's chapters to `lab/<client>` of its project, to work in, with its parameters filled in.

    A copy that is there stays as it is. Outside a project the folder is made where one is.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ParamsError
        When the client file cannot be read.
    ReportError
        When the folder cannot be written.
    """
    path = params.find(client)
    read = params.read(path, as_of=as_of)
    folder = (root(path) or Path.cwd()) / "lab" / read.client
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for chapter in read.chosen:
            copy = folder / f"{chapter}.ipynb"
            if not copy.exists():
                given = {"client": _seen_from(folder, path), "as_of": as_of} | read.options.get(chapter, {})
                nbformat.write(editions.to_work_in(notebook(path, chapter), given), copy)
    except OSError as error:
        raise ReportError(f"{folder} cannot be written: {error.strerror or error}.") from None
    return folder


def _seen_from(folder: Path, path: Path) -> str:
    """A client file as its notebooks name it: a project that is moved as a whole still finds it."""
    return str(path) if root(path) is None else Path(os.path.relpath(path, folder)).as_posix()


def open_lab(folder: Path, told: Sequence[str] = ()) -> int:
    """JupyterLab on a folder, until it is closed.

    Parameters
    ----------
    folder : Path
        What it opens.
    told : sequence of str
        Options of JupyterLab's own, such as `--no-browser`.

    Returns
    -------
    int
        Its exit code.

    Raises
    ------
    ReportError
        When it is not installed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise ReportError(
            f"JupyterLab is not installed. Type: pip install jupyterlab. The notebooks are in {folder}."
        )
    # Ctrl-C reaches JupyterLab as well, which asks whether its kernels shall end: here it ends nothing.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        return subprocess.run(
            [sys.executable, "-m", "jupyterlab", str(folder), *told], check=False
        ).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _refuse_what_is_there(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ParamsError(f"{folder} is a file. Name a new folder.")
    there = sorted(path.name for path in folder.iterdir() if path.name != ".git") if folder.exists() else []
    if there:
        more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
        raise ParamsError(
            f"{folder} is not empty: it has {', '.join(there[:_NAMED])}{more}. "
            "Nothing was written; name a new folder."
        )


def _only_notebooks(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not name.endswith(".ipynb")}
