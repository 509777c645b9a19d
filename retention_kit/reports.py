"""A report per client: chapters executed, judged and put on one page, or the old report left whole."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from retention_kit import folders, kernels, pages, params, playbook, runs, session
from retention_kit.engines import Engine
from retention_kit.exceptions import RetentionKitError
from retention_kit.runs import Job, Ran

#: Told of each step: the client, the chapter (or "report"), and "waiting", "started", "done" or "failed".
Progress = Callable[[str, str, str], None]


@dataclass(frozen=True)
class Outcome:
    """What became of one client: where the report is, or why there is none."""

    client: str
    report: Path | None
    reason: str = ""


def run(
    clients: Iterable[str | Path],
    *,
    as_of: str | None = None,
    jobs: int = 2,
    out: str | Path = "outputs",
    engine: Engine | None = None,
    progress: Progress = lambda client, chapter, state: None,
) -> list[Outcome]:
    """Make one report a client; a client that fails leaves the others, and its own last report, whole.

    Why a client failed stands in `<out>/<client>/<as_of>-failed/`, beside its last report.

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
    engine : Engine, optional
        What executes the chapters; if none is given, a warm one that ends with the run.
    progress : callable
        Called with the client, the chapter (or "report") and "waiting", "started", "done" or "failed".

    Returns
    -------
    list of Outcome
        In the order of `clients`.
    """
    if engine is None:
        with Engine("warm") as engine:
            return run(clients, as_of=as_of, jobs=jobs, out=out, engine=engine, progress=progress)
    out = Path(out)
    prepared = [_prepared(client, as_of) for client in clients]
    _refuse_twins(prepared)
    outcomes: dict[int, Outcome] = {i: job for i, job in enumerate(prepared) if isinstance(job, Outcome)}
    with session.scratch(), ThreadPoolExecutor(max_workers=max(jobs, 1)) as pool:
        waiting: dict[Future, tuple[int, str]] = {}
        for i, job in enumerate(prepared):
            if isinstance(job, Outcome):
                continue
            if job.failed:
                outcomes[i] = _finished(job, out, progress)
                continue
            for chapter in job.client.chosen:
                progress(job.client.client, chapter, "waiting")
                waiting[pool.submit(_chapter, job, chapter, engine, progress)] = (i, chapter)
        for future in as_completed(waiting):
            i, chapter = waiting[future]
            _note(prepared[i], chapter, future, progress)
            prepared[i].engine = engine.name
            if prepared[i].waiting == 0:
                outcomes[i] = _finished(prepared[i], out, progress)
                prepared[i].ran.clear()  # a batch of a hundred clients keeps none of them in memory
    return [outcomes[i] for i in range(len(prepared))]


# -- one client ----------------------------------------------------------------


def _prepared(client: str | Path, as_of: str | None) -> Job | Outcome:
    """The client file read and every option checked, before any kernel starts."""
    try:
        path = params.find(client)
        job = Job(params.read(path, as_of=as_of), path)
    except (RetentionKitError, OSError) as error:
        return Outcome(Path(client).stem, None, _one_line("client file", error))
    try:
        job.rules = playbook.read(job.client.playbook or None)
        for chapter in job.client.chosen:
            kernels.check_parameters(job.notebook(chapter), job.parameters(chapter))
    except (RetentionKitError, OSError) as error:
        job.trouble = _one_line("options", error)
    return job


def _refuse_twins(prepared: list[Job | Outcome]) -> None:
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


def _chapter(job: Job, chapter: str, engine: Engine, progress: Progress) -> Ran | None:
    """A chapter executed; None when its client has failed already, to spare the machine."""
    if job.failed:
        return None
    progress(job.client.client, chapter, "started")
    started = time.perf_counter()
    try:
        executed = kernels.execute(
            job.notebook(chapter), job.parameters(chapter), without=pages.LESSON, engine=engine
        )
        return Ran(executed.seconds, executed.notebook)
    except Exception as error:  # whatever it was, the other clients go on
        came_to = getattr(error, "notebook", None)
        return Ran(time.perf_counter() - started, came_to, reason=_one_line(chapter, error))


def _note(job: Job, chapter: str, future: Future, progress: Progress) -> None:
    ran = future.result() or Ran(0.0)
    job.ran[chapter] = ran
    progress(job.client.client, chapter, "done" if ran.notebook and not ran.reason else "failed")


def _finished(job: Job, out: Path, progress: Progress) -> Outcome:
    client = job.client.client
    try:
        final = folders.report(out, client, job.client.as_of)
        if not job.failed:
            with folders.replacing(final) as folder:
                runs.write(job, folder)
            shutil.rmtree(folders.failed(final), ignore_errors=True)
            progress(client, "report", "done")
            return Outcome(client, final / "report.html")
    except Exception as error:  # a full disk, say: the old report stands, and the other clients go on
        job.trouble = _one_line("report", error)
    progress(client, "report", "failed")
    with contextlib.suppress(Exception), folders.replacing(folders.failed(final)) as folder:
        runs.write_failed(job, folder)  # where nothing can be written, the reason is told all the same
    return Outcome(client, None, job.reason)


def _one_line(what: str, error: Exception) -> str:
    if isinstance(error, RetentionKitError):
        return str(error)
    return f"{what}: {type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
