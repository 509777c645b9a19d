"""A lesson as one zip to hand out: the notebooks, what they read, and the package that runs them."""

import json
import zipfile
from collections.abc import Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import nbformat

from retention_kit import params, scratch, wheels, yamls
from retention_kit.params import Client, Table

# The folder that everything is in: short, for packages hold long paths and Windows stops at 260 letters.
_FOLDER = "lesson"

# What of a client file is needed to work through its chapters. The client's own words and figures stay home.
_KEPT = ("client", "title", "as_of", "currency", "language", "period", "chapters", "thresholds", "options")

# Of a table: where it lies here, and whose other ids are whose, which is for the client alone.
_AT_HOME = {"source", "table", "query", "same_customer"}
_ASKED = frozenset(("exercise", "check", "solution"))

_README = """\
{title}: a lesson in {count}

notebooks    the chapters, to work through: at the end of each stands an exercise
             that checks your answer
params       what the notebooks are about
{wheel}
             the package that they use

You need Python 3.11 or later (python.org), and the internet once, to install
what the package is built on. Unpack the zip into a short folder, such as
C:\\lesson: some packages hold long paths, and Windows stops at 260 letters.
Then open a terminal in the folder that this file is in.

WINDOWS

    py -m venv .venv
    .venv\\Scripts\\python -m pip install "{wheel}[lab]"
    .venv\\Scripts\\jupyter lab notebooks

macOS, LINUX

    python3 -m venv .venv
    .venv/bin/python -m pip install "./{wheel}[lab]"
    .venv/bin/jupyter lab notebooks

The third line opens JupyterLab in your browser. Open a chapter and press
Shift+Enter from cell to cell. Next time the third line is enough.

THE DATA

{data}
"""

_INVENTED = "The company is invented and comes with the package. There is nothing to fetch."


def write(path: Path, client: Client, notebooks: Mapping[str, nbformat.NotebookNode]) -> None:
    """Write the zip: the same lesson makes the same bytes.

    No data is in it: the demo company comes with the package, and what others own is theirs to
    hand out. The README names the files that are needed, and where they go.

    Parameters
    ----------
    path : Path
        The zip.
    client : Client
        Whose lesson it is.
    notebooks : mapping
        Each chapter as a student works in it.
    """
    sources = {kind: _told(kind, client.table(kind)) for kind in params.KINDS if client.has(kind)}
    with scratch.aside() as folder:
        wheel = wheels.write(Path(folder), _without_exercises())
        package = wheel.read_bytes()
    contents = {
        "README.txt": _readme(client, wheel.name, sources).replace("\n", "\r\n").encode(),
        wheel.name: package,
        f"params/{client.client}.yaml": yamls.dump(_client_file(client, sources)).encode(),
        **{f"notebooks/{name}.ipynb": nbformat.writes(each).encode() for name, each in notebooks.items()},
    }
    with zipfile.ZipFile(path, "w") as archive:
        for place, data in contents.items():
            wheels.add(archive, f"{_FOLDER}/{place}", data)


def _without_exercises() -> dict[str, bytes]:
    """The chapters inside the package, which any zip program opens: no solution is read there."""
    told = {}
    for chapter in params.CHAPTERS:
        notebook = nbformat.read(wheels.shipped("notebooks") / f"{chapter}.ipynb", as_version=4)
        notebook.cells = [c for c in notebook.cells if not _ASKED.intersection(c.metadata.get("tags", []))]
        told[f"{wheels.TRAVELS['notebooks']}/{chapter}.ipynb"] = nbformat.writes(notebook).encode()
    return told


def _client_file(client: Client, sources: Mapping[str, str]) -> dict[str, Any]:
    """The client file with its data beside it: no path of this machine, no address, no secret."""
    from retention_kit import codeframes  # which reads answers: a report is made without

    told = json.loads(client.model_dump_json(include=set(_KEPT), exclude_defaults=True))
    if client.codeframe in codeframes.starters():  # one of one's own is a file that stays at home
        told["codeframe"] = client.codeframe
    tables = {kind: _table(client.table(kind), source) for kind, source in sources.items()}
    return {key: told[key] for key in (*_KEPT, "codeframe") if key in told} | {"data": tables}


def _table(table: Table, source: str) -> dict[str, Any]:
    return {"source": source} | table.model_dump(exclude=_AT_HOME, exclude_defaults=True)


def _told(kind: str, table: Table) -> str:
    """Where a student's copy of a table is: in the package, or in `data/` under its kind's name."""
    if table.source.startswith(("demo://", "package://")):
        return table.source
    name = Path(table.source.replace("\\", "/")).name
    ending = "".join(Path(name).suffixes[-2:]) if name.endswith(".gz") else Path(name).suffix
    many = any(sign in table.source for sign in "*?[")
    return f"../data/{kind}/*{ending}" if many else f"../data/{kind}{ending}"


def _readme(client: Client, wheel: str, sources: Mapping[str, str]) -> str:
    count = "one chapter" if len(client.chosen) == 1 else f"{len(client.chosen)} chapters"
    needed = [_needed(kind, client.table(kind), source) for kind, source in sources.items()]
    data = "\n\n".join(filter(None, needed)) or _INVENTED
    return _README.format(title=client.title, count=count, wheel=wheel, data=data)


def _needed(kind: str, table: Table, source: str) -> str:
    """What a student has to have, and where it goes; nothing for what comes along."""
    if source.startswith("demo://"):
        return ""
    if source.startswith("package://"):
        package = source.removeprefix("package://").split("/")[0]
        name = packages_distributions().get(package, [package])[0].replace("_", "-")
        lines = [f"{kind}: in a package. Before the third line, type the second once more, as far as"]
        lines += [f"    install {name}"]
    else:
        lines = [f"{kind}: save the data as", f"    {source.removeprefix('../')}"]
        if table.columns:
            lines.append(f"with the columns {', '.join(table.columns.values())}.")
    return "\n".join([*lines, *([f"From: {table.origin}"] if table.origin else [])])
