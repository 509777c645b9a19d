"""A report per client: chapters executed, judged and put on one page, or the old report left whole."""

import csv
import datetime as dt
import json
import os
import platform
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import nbformat

from retention_kit import kernels, pages, params, session
from retention_kit.exceptions import ReportError, RetentionKitError
from retention_kit.kernels import Executed
from retention_kit.params import Client
from retention_kit.sentences import Voice

#: The packages whose versions a number can depend on.
_MADE_WITH = ("retention-kit", "pandas", "numpy", "scipy", "duckdb", "ibis-framework", "matplotlib")

#: Told of each step: the client, the chapter (or "report"), and "waiting", "started", "done" or "failed".
Progress = Callable[[str, str, str], None]


@dataclass(frozen=True)
class Outcome:
    """What became of one client: where the report is, or why there is none."""

    client: str
    report: Path | None
    reason: str = ""


@dataclass
class _Job:
    """One client's run while its chapters are on their way."""

    client: Client
    path: Path
    started: float = field(default_factory=time.perf_counter)
    done: dict[str, Executed] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        return len(self.client.chosen) - len(self.done) - len(self.reasons)


def run(
    clients: Iterable[str | Path],
    *,
    as_of: str | None = None,
    jobs: int = 2,
    out: str | Path = "outputs",
    progress: Progress = lambda client, chapter, state: None,
) -> list[Outcome]:
    """Make one report a client; a client that fails leaves the others, and its own last report, whole.

    Parameters
    ----------
    clients : iterable of str or Path
        Client files or ids.
    as_of : str, optional
        Overrides every client's as-of date.
    jobs : int
        Chapters executed at a time, each in a process of its own.
    out : path
        Reports are written to `<out>/<client>/<as_of>/`.
    progress : callable
        Called with the client, the chapter (or "report") and "waiting", "started", "done" or "failed".

    Returns
    -------
    list of Outcome
        In the order of `clients`.
    """
    prepared = [_prepared(client, as_of) for client in clients]
    _refuse_twins(prepared)
    outcomes: dict[int, Outcome] = {i: job for i, job in enumerate(prepared) if isinstance(job, Outcome)}
    with session.scratch(), ThreadPoolExecutor(max_workers=max(jobs, 1)) as pool:
        waiting: dict[Future, tuple[int, str]] = {}
        for i, job in enumerate(prepared):
            if isinstance(job, _Job):
                for chapter in job.client.chosen:
                    progress(job.client.client, chapter, "waiting")
                    waiting[pool.submit(_chapter, job, chapter, progress)] = (i, chapter)
        for future in as_completed(waiting):
            i, chapter = waiting[future]
            _note(prepared[i], chapter, future, progress)
            if prepared[i].waiting == 0:
                outcomes[i] = _finished(prepared[i], Path(out), progress)
                prepared[i].done.clear()  # a batch of a hundred clients keeps none of them in memory
    return [outcomes[i] for i in range(len(prepared))]


def notebooks_folder() -> Path:
    """Where the chapters are: in the package when it was installed, beside it in a clone."""
    inside = Path(__file__).parent / "notebooks"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "notebooks"


# -- one client ----------------------------------------------------------------


def _prepared(client: str | Path, as_of: str | None) -> "_Job | Outcome":
    """The client file read and every option checked, before any kernel starts."""
    try:
        path = params.find(client)
        read = params.read(path, as_of=as_of)
        job = _Job(read, path)
        for chapter in read.chosen:
            kernels.check_parameters(notebooks_folder() / f"{chapter}.ipynb", _parameters(job, chapter))
        return job
    except (RetentionKitError, OSError) as error:
        return Outcome(Path(client).stem, None, _one_line("client file", error))


def _refuse_twins(prepared: list["_Job | Outcome"]) -> None:
    """Two files of one client and date would overwrite each other's report."""
    seen: dict[tuple[str, str], Path] = {}
    for i, job in enumerate(prepared):
        if isinstance(job, Outcome):
            continue
        key = (job.client.client, job.client.as_of)
        if key in seen:
            reason = f"{job.path.name} and {seen[key].name} are both client {key[0]!r}. Give one another id."
            prepared[i] = Outcome(key[0], None, reason)
        seen.setdefault(key, job.path)


def _parameters(job: _Job, chapter: str) -> dict[str, Any]:
    """What a chapter is told: which client file, and its own options; never data, never a secret."""
    return {"client": str(job.path), "as_of": job.client.as_of, **job.client.options.get(chapter, {})}


def _chapter(job: _Job, chapter: str, progress: Progress) -> Executed:
    if job.reasons:
        raise ReportError("")  # the client has failed already: spare the machine
    progress(job.client.client, chapter, "started")
    path = notebooks_folder() / f"{chapter}.ipynb"
    return kernels.execute(path, _parameters(job, chapter), without=pages.LESSON)


def _note(job: _Job, chapter: str, future: Future, progress: Progress) -> None:
    try:
        job.done[chapter] = future.result()
        progress(job.client.client, chapter, "done")
    except Exception as error:  # whatever it was, the other clients go on
        job.reasons[chapter] = _one_line(chapter, error)
        progress(job.client.client, chapter, "failed")


def _finished(job: _Job, out: Path, progress: Progress) -> Outcome:
    if not job.reasons:
        try:
            report = _published(job, out)
            progress(job.client.client, "report", "done")
            return Outcome(job.client.client, report)
        except Exception as error:  # a full disk, say: the old report stands, and the other clients go on
            job.reasons["report"] = _one_line("report", error)
    progress(job.client.client, "report", "failed")
    told = [job.reasons.get(chapter, "") for chapter in (*job.client.chosen, "report")]
    return Outcome(job.client.client, None, next(filter(None, told)))


def _one_line(what: str, error: Exception) -> str:
    if isinstance(error, RetentionKitError):
        return str(error)
    return f"{what}: {type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


# -- what is written -----------------------------------------------------------


def _published(job: _Job, out: Path) -> Path:
    """The whole report in a folder beside the old one, which it replaces in one step."""
    home = out / job.client.client
    if not home.resolve().is_relative_to(out.resolve()):
        raise ReportError(f"{home} is not inside {out}.")
    final = home / job.client.as_of.replace(":", "")
    staging = home / f".{final.name}-{secrets.token_hex(4)}"
    try:
        staging.mkdir(parents=True)
        _write(job, staging)
        _swap(staging, final)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return final / "report.html"


def _swap(staging: Path, final: Path) -> None:
    if not final.exists():
        os.rename(staging, final)
        return
    old = staging.with_name(f"{staging.name}-old")
    os.rename(final, old)
    try:
        os.rename(staging, final)
    except OSError:
        os.rename(old, final)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _write(job: _Job, folder: Path) -> None:
    client = job.client
    voice = Voice(language=client.language, currency=client.currency)
    chapters = [pages.Chapter(c, voice.word("chapter", c), job.done[c].notebook) for c in client.chosen]
    (folder / "report.html").write_text(pages.render(_page(client, chapters, voice)), encoding="utf-8")
    _write_json(
        folder / "headlines.json",
        {c.name: [headline.to_json() for headline in pages.headlines(c.notebook)] for c in chapters},
    )
    (folder / "tables").mkdir()
    for chapter in chapters:
        for table in pages.tables(chapter.notebook):
            name = table.get("file") or f"{chapter.name}_{table['name']}"
            _write_csv(folder / "tables" / f"{name}.csv", table)
    (folder / "notebooks").mkdir()
    for chapter in chapters:
        nbformat.write(chapter.notebook, folder / "notebooks" / f"{chapter.name}.ipynb")
    _write_json(folder / "run.json", _account(job, chapters))


def _page(client: Client, chapters: Sequence[pages.Chapter], voice: Voice) -> pages.Page:
    return pages.Page(
        client=client.client,
        title=client.title,
        as_of=client.as_of,
        language=client.language,
        currency=client.currency,
        prepared_by=client.prepared_by,
        notes_markdown=client.notes,
        chapters=chapters,
        missing=[(chapter, voice.say(f"page.no_{kind}")) for chapter, kind in client.left_out.items()],
        versions=made_with(),
        generated=dt.datetime.now(),
    )


def made_with() -> dict[str, str]:
    """The versions of Python and of the packages that a number can depend on."""
    return {"Python": platform.python_version()} | {name: version(name) for name in _MADE_WITH}


def _account(job: _Job, chapters: Sequence[pages.Chapter]) -> dict[str, Any]:
    """What was run, on what, with what, and how long it took: `run.json`."""
    return {
        "client": job.client.client,
        "title": job.client.title,
        "as_of": job.client.as_of,
        "status": "done",
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - job.started, 2),
        "versions": made_with(),
        "chapters": {
            name: {
                "seconds": round(executed.seconds, 2),
                "parameters": _parameters(job, name) | {"client": job.client.client},
            }
            for name, executed in sorted(job.done.items())
        },
        "left_out": job.client.left_out,
        "rows": {check["kind"]: _rows(check) for check in chain.from_iterable(map(pages.checks, chapters))},
    }


def _rows(check: Mapping[str, Any]) -> dict[str, int]:
    rule, rows = check["columns"].index("rule"), check["columns"].index("rows")
    return {row[rule]: row[rows] for row in check["rows"]}


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_csv(path: Path, table: Mapping[str, Any]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # the mark makes Excel read UTF-8
        writer = csv.writer(file)
        writer.writerow([_harmless(column) for column in table["columns"]])
        writer.writerows([_harmless(value) for value in row] for row in table["rows"])


def _harmless(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe, which makes it text."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
