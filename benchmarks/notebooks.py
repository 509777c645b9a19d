"""Chapter notebooks to HTML: ours beside papermill and nbconvert as they come, the same cells, in one run.

Ours does more in that time: one page a client with its summary, tables, workbook and account.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

from retention_kit import kernels, pages, wheels
from retention_kit.engines import Engine
from retention_kit.params import CHAPTERS

COPIES = 5
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


class Silent(Exception):
    """A kernel that never answered."""


def run() -> None:
    """Print the tables in Markdown, for the README."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        chapters = [_report_edition(chapter, home) for chapter in CHAPTERS]
        clients = [home / f"copy_{n}.yaml" for n in range(COPIES)]
        for client in clients:
            client.write_text(_CLIENT, encoding="utf-8")
        _race(home, chapters, clients)
        print()
        _budgets(home, chapters, clients[0])


def _race(home: Path, chapters: Sequence[Path], clients: Sequence[Path]) -> None:
    work = [(chapter, client) for client in clients for chapter in chapters]
    ours = _ours(home / "many", clients)
    many = {
        "ours, `retention-kit run --jobs 2`": (ours, None),
        "papermill's API, two workers": (lambda: _by_api(home, work), 2.5),
        "`papermill` and `jupyter nbconvert`, two at a time": (lambda: _by_command(home, work, 2), 4),
    }
    one = {
        "ours, one client, cold": (_ours(home / "one", clients[:1]), None),
        "`papermill` and `jupyter nbconvert`, one by one": (lambda: _by_command(home, work[:4], 1), 2),
    }
    print(f"{len(work)} chapter notebooks to HTML, then 4, seconds by the clock (of the processor)\n")
    print("| way | seconds | times slower | wanted |")
    print("|---|---:|---:|---|")
    for ways in (many, one):
        first = None
        for name, (way, wanted) in ways.items():
            wall, cpu = _answered(way)
            first = first or wall
            judged = f"{wanted:g}: {'yes' if wall / first >= wanted else 'NO'}" if wanted else ""
            print(f"| {name} | {wall:.1f} ({cpu:.1f}) | {wall / first:.1f} | {judged} |", flush=True)


def _budgets(home: Path, chapters: Sequence[Path], client: Path) -> None:
    size = next((home / "one").glob("*/*/report.html")).stat().st_size
    print(f"The cells of a chapter, CPU seconds (the least of three), at most {BUDGET:g}\n")
    print("| chapter | CPU seconds | within |")
    print("|---|---:|---|")
    with Engine("warm") as engine:
        for chapter in chapters:
            taken = min(_cells(chapter, client, engine) for _ in range(3))
            print(f"| {chapter.stem} | {taken:.2f} | {'yes' if taken <= BUDGET else 'NO'} |", flush=True)
    print(f"\nreport.html of the demo client: {size:,} bytes{'' if size < LARGEST else ', TOO LARGE'}")


def _report_edition(chapter: str, home: Path) -> Path:
    """The notebook that a report executes: without the cells that are for students."""
    notebook = nbformat.read(wheels.shipped("notebooks") / f"{chapter}.ipynb", as_version=4)
    notebook.cells = [c for c in notebook.cells if not pages.LESSON & set(c.metadata.get("tags", []))]
    path = home / f"{chapter}.ipynb"
    nbformat.write(notebook, path)
    return path


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


def _ours(out: Path, clients: Sequence[Path]) -> Callable[[], None]:
    command = [sys.executable, "-m", "retention_kit", "run", *map(str, clients), "--out", str(out)]
    return lambda: _quiet([*command, "--jobs", "2"])


def _by_command(home: Path, work: Sequence[tuple[Path, Path]], workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda one: _commanded(home, *one), work))


def _commanded(home: Path, chapter: Path, client: Path) -> None:
    done = home / f"{client.stem}_{chapter.name}"
    scripts = Path(sys.executable).parent
    _quiet([str(scripts / "papermill"), str(chapter), str(done), "-p", "client", str(client)])
    _quiet([str(scripts / "jupyter"), "nbconvert", "--to", "html", str(done)])


def _by_api(home: Path, work: Sequence[tuple[Path, Path]]) -> None:
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


if __name__ == "__main__":
    run()
