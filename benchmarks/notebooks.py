"""Chapter notebooks to HTML: ours beside papermill and nbconvert as they come, the same cells, in one run.

Ours does more in that time: one page a client with its summary, tables, workbook and account.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

from benchmarks.questions import within
from benchmarks.ways import Measured, beside, child
from retention_kit import cores, kernels, pages, wheels
from retention_kit.engines import Engine
from retention_kit.params import CHAPTERS

COPIES = 5
TURNS = 2  # of each way: others work on this machine too
BUDGET = 1.5  # CPU seconds that the cells of a chapter may take
TRIES = 3  # of the ways as they come: two kernels started at once can draw one port, and neither answers
LARGEST = 1_500_000  # bytes of the demo client's page
_CLIENT = """\
title: A copy of the demo company
currency: EUR
as_of: 2024-07-01
data: demo
options:
  retention: {by: channel, inactive_after: 90}
  churn: {by: plan, involuntary: payment failed}
  nps: {by: segment}
  clv: {by: channel}
"""
#: The ways of each race, and how many times slower than ours they should be.
MANY = {
    "ours, `retention-kit run --jobs 2`": None,
    "papermill's API, two workers": 2.5,
    "`papermill` and `jupyter nbconvert`, two at a time": 4,
}
ONE = {"ours, one client": None, "`papermill` and `jupyter nbconvert`, one by one": 2}


class Silent(Exception):
    """A kernel that never answered."""


def run() -> list[Measured]:
    """A row a way: of many notebooks and of one client; a row a chapter for what its cells take."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for chapter in CHAPTERS:
            _report_edition(chapter, home)
        for client in _clients(home):
            client.write_text(_CLIENT, encoding="utf-8")
        found = [row for race in (MANY, ONE) for row in _race(race, home)]
        page = next((home / "one").glob("*/*/report.html")).stat().st_size
        return [*found, *_budgets(home), *_size(page)]


def main(name: str, home: Path) -> None:
    """Go one way, and print what it took as a line of JSON."""
    wall, cpu = _answered(partial(WAYS[name], home))
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps({"cold": wall, "cpu": cpu, "peak": largest}))


def _race(race: Mapping[str, float | None], home: Path) -> list[Measured]:
    number = len(CHAPTERS) * (COPIES if race is MANY else 1)
    task = (
        f"{number} chapter notebooks to HTML, a new process each; the quickest of {TURNS}, in turns; "
        "memory of the largest one"
    )
    turns = [
        {name: child(sys.executable, "notebooks", name, str(home)) for name in race} for _ in range(TURNS)
    ]
    best = {name: min((turn[name] for turn in turns), key=lambda found: found["cold"]) for name in race}
    rows = beside([Measured(task, name, number, **found) for name, found in best.items()])
    return [
        one._replace(note=f"wanted {wanted:g}: {'yes' if one.slower >= wanted else 'NO'}") if wanted else one
        for one, wanted in zip(rows, race.values(), strict=True)
    ]


def _budgets(home: Path) -> list[Measured]:
    task, client = "The cells of a chapter, the least of three", _clients(home)[0]
    found = []
    with Engine("warm") as engine, cores.shared(2):
        for chapter in _chapters(home):
            taken = min(_cells(chapter, client, engine) for _ in range(3))
            found.append(Measured(task, chapter.stem, cpu=taken, note=within(taken, BUDGET)))
    return found


def _size(page: int) -> list[Measured]:
    kept = f"{page:,} bytes, at most {LARGEST:,}: {'yes' if page < LARGEST else 'NO'}"
    return [Measured("The page of the demo client", "report.html", note=kept)]


def _chapters(home: Path) -> list[Path]:
    return [home / f"{chapter}.ipynb" for chapter in CHAPTERS]


def _clients(home: Path) -> list[Path]:
    return [home / f"copy_{n}.yaml" for n in range(COPIES)]


def _work(home: Path) -> list[tuple[Path, Path]]:
    return [(chapter, client) for client in _clients(home) for chapter in _chapters(home)]


def _report_edition(chapter: str, home: Path) -> None:
    """The notebook that a report executes: without the cells that are for students."""
    notebook = nbformat.read(wheels.shipped("notebooks") / f"{chapter}.ipynb", as_version=4)
    notebook.cells = [c for c in notebook.cells if not pages.LESSON & set(c.metadata.get("tags", []))]
    nbformat.write(notebook, home / f"{chapter}.ipynb")


def _measured(way: Callable[[], None]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor in all processes that were started and have ended."""
    before, start = _children(), time.perf_counter()
    way()
    return time.perf_counter() - start, _children() - before


def _answered(way: Callable[[], None]) -> tuple[float, float]:
    """The first run in which every kernel answered: a minute of waiting is no measure of a way's speed."""
    for _ in range(TRIES - 1):
        try:
            return _measured(way)
        except Silent as silence:
            print(f"measured again: {silence}", file=sys.stderr)
    return _measured(way)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ours(clients: slice, out: str, home: Path) -> None:
    command = [sys.executable, "-m", "retention_kit", "run", *map(str, _clients(home)[clients])]
    _quiet([*command, "--out", str(home / out), "--jobs", "2", "--fresh"])


def _by_command(workers: int, work: slice, home: Path) -> None:
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda one: _commanded(home, *one), _work(home)[work]))


def _commanded(home: Path, chapter: Path, client: Path) -> None:
    done = home / f"{client.stem}_{chapter.name}"
    scripts = Path(sys.executable).parent
    _quiet([str(scripts / "papermill"), str(chapter), str(done), "-p", "client", str(client)])
    _quiet([str(scripts / "jupyter"), "nbconvert", "--to", "html", str(done)])


def _by_api(home: Path) -> None:
    work = _work(home)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_called, work, [home] * len(work)))


def _called(one: tuple[Path, Path], home: Path) -> None:
    import papermill
    from nbconvert import HTMLExporter

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # each kernel warns of its port there
    chapter, client = one
    done = home / f"{client.stem}_api_{chapter.name}"
    papermill.execute_notebook(chapter, done, {"client": str(client)}, progress_bar=False)
    html, _ = HTMLExporter().from_filename(str(done))
    done.with_suffix(".html").write_text(html, encoding="utf-8")


def _quiet(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    if "Kernel didn't respond" in done.stderr:
        raise Silent(f"{' '.join(command[:4])} met a kernel that did not answer")
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed: {done.stderr[-500:]}")


def _cells(chapter: Path, client: Path, engine: Engine) -> float:
    """CPU seconds of the process that runs the chapter, from its first cell to its last."""
    notebook = nbformat.read(chapter, as_version=4)
    at = next(i for i, c in enumerate(notebook.cells) if "parameters" in c.metadata.get("tags", [])) + 1
    notebook.cells.insert(at, new_code_cell("import time\n_begun = time.process_time()"))
    notebook.cells.insert(-1, new_code_cell("print(time.process_time() - _begun)"))
    timed = chapter.with_name(f"timed_{chapter.name}")
    nbformat.write(notebook, timed)
    executed = kernels.execute(timed, {"client": str(client)}, engine=engine)
    return float(executed.notebook.cells[-2].outputs[0].text)


WAYS: Mapping[str, Callable[[Path], None]] = {
    "ours, `retention-kit run --jobs 2`": partial(_ours, slice(None), "many"),
    "papermill's API, two workers": _by_api,
    "`papermill` and `jupyter nbconvert`, two at a time": partial(_by_command, 2, slice(None)),
    "ours, one client": partial(_ours, slice(0, 1), "one"),
    "`papermill` and `jupyter nbconvert`, one by one": partial(_by_command, 1, slice(0, len(CHAPTERS))),
}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
