"""A report per client: chapters executed, judged and put on one page, or the old report left whole."""

import contextlib
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from retention_kit import (
    browsers,
    cores,
    editions,
    folders,
    interrupts,
    kernels,
    lessons,
    params,
    playbook,
    portfolio,
    previous,
    runs,
    scratch,
)
from retention_kit.editions import Edition
from retention_kit.engines import Engine
from retention_kit.exceptions import ReportError, RetentionKitError
from retention_kit.interrupts import Presses
from retention_kit.runs import Job, Ran

#: Told of each step: the client, the chapter (or "report"), and what became of it. A chapter is "waiting",
#: then "kept" (nothing it shows has changed), or "started" and "done" or "failed", or "left" (its client has
#: failed already). Those of the report before, run to see what they say today, are named "nps of the report
#: before". A report is "done", "kept" or "failed". Of no client and chapter: "stopping", by Ctrl-C.
Progress = Callable[[str, str, str], None]
#: What is done by one worker at a time, and what there is to do after it.
_Step = Callable[[], list["_Step"]]

_AGAIN = " of the report before"
_POLL = 0.1  # seconds between two looks at the keyboard
_PAGE = threading.Lock()  # nbconvert's exporter makes one page at a time


@dataclass(frozen=True)
class Outcome:
    """What became of one client: where the report is, or why there is none.

    `state` is "made" (chapters executed), "rendered" (only the page, from the chapters of the last
    report), "unchanged" (the last report stands), "failed" or "stopped" (by Ctrl-C). `pdf` is the same
    report printed; where that was asked for and did not go well, `reason` says why. Of a lesson `report`
    is its page, and `handout` the zip for students.
    """

    client: str
    report: Path | None
    reason: str = ""
    state: Literal["made", "rendered", "unchanged", "failed", "stopped"] = "failed"
    pdf: Path | None = None
    handout: Path | None = None


def run(
    clients: Iterable[str | Path],
    *,
    as_of: str | None = None,
    jobs: int = 2,
    fresh: bool = False,
    pdf: bool = False,
    out: str | Path = "outputs",
    engine: Engine | None = None,
    edition: Edition = "report",
    progress: Progress = lambda client, chapter, state: None,
) -> list[Outcome]:
    """Make one report a client; a client that fails leaves the others, and its own last report, whole.

    A client of which nothing has changed since its last report of that date is left as it is; where
    nothing has changed that its chapters read, only the page is made. Why a client failed stands in
    `<out>/<client>/<as_of>-failed/`, beside its last report.

    Ctrl-C lets the notebooks that run come to their end, and begins no other; pressed again, it ends them.

    Parameters
    ----------
    clients : iterable of str or Path
        Client files or ids.
    as_of : str, optional
        Overrides every client's as-of date.
    jobs : int
        Chapters executed at a time, each in a process of its own.
    fresh : bool
        Execute all chapters, whatever has changed or not.
    pdf : bool
        Print each report to `report.pdf` beside it, by an installed Chromium, Chrome or Edge.
    out : path
        Reports are written to `<out>/<client>/<as_of>/`.
    engine : Engine, optional
        What executes the chapters; if none is given, a warm one that ends with the run.
    edition : str
        "lesson" is for students and "full" for teachers: a page of prose, code and what it shows, and the
        notebooks to work in, in `<out>/<client>/<as_of>-<edition>/`. They are executed each time.
    progress : callable
        Called with the client, the chapter (or "report") and what became of it, such as "started" or "done".

    Returns
    -------
    list of Outcome
        In the order of `clients`.

    Raises
    ------
    ReportError
        When PDFs are wanted and there is no browser to print them.
    """
    if engine is None:
        with Engine("warm") as engine:
            how = {"as_of": as_of, "jobs": jobs, "fresh": fresh, "pdf": pdf, "out": out}
            return run(clients, **how, edition=edition, engine=engine, progress=progress)
    browser = browsers.find() if pdf else None
    prepared = [_prepared(client, as_of, Path(out), edition) for client in clients]
    _refuse_twins(prepared)
    chapters = sum(len(job.client.chosen) for job in prepared if isinstance(job, Job))
    with scratch.shared(), cores.shared(min(jobs, chapters)), interrupts.counted() as presses:
        turns = {
            i: _Turn(job, Path(out), fresh, engine, progress, presses, browser)
            for i, job in enumerate(prepared)
            if isinstance(job, Job)
        }
        for turn in turns.values():
            turn.announce()
        try:
            _take(turns.values(), max(jobs, 1), engine, progress, presses)
        finally:
            for turn in turns.values():
                turn.close()
    return [turns[i].outcome if i in turns else job for i, job in enumerate(prepared)]


def index(out: str | Path = "outputs") -> Path | None:
    """Make `<out>/index.html` anew, of all that runs have left there; None where there is no such folder.

    Raises
    ------
    ReportError
        When it cannot be written.
    """
    try:
        return portfolio.write(Path(out)) if Path(out).is_dir() else None
    except OSError as error:
        raise ReportError(folders.not_written(Path(out) / portfolio.INDEX, error)) from None


def _prepared(client: str | Path, as_of: str | None, out: Path, edition: Edition) -> Job | Outcome:
    """The client file read and every option checked, before any kernel starts."""
    try:
        path = params.find(client)
    except (RetentionKitError, OSError) as error:
        return Outcome(Path(client).stem, None, _one_line("client file", error))
    unread = folders.unread(out, path.stem)
    try:
        job = Job(params.read(path, as_of=as_of), path, edition)
    except (RetentionKitError, OSError) as error:
        reason = _one_line("client file", error)
        # The page over all clients shall not show last month's report as if this were well.
        with contextlib.suppress(Exception), folders.held(unread.parent), folders.replacing(unread) as folder:
            runs.write_unread(folder, path.stem, as_of, reason)
        return Outcome(path.stem, None, reason)
    if unread.is_dir():
        with contextlib.suppress(ReportError), folders.held(unread.parent):
            shutil.rmtree(unread, ignore_errors=True)
    try:
        job.rules = playbook.read(job.client.playbook or None)
        for chapter in job.client.chosen:
            kernels.check_parameters(job.notebook(chapter), job.parameters(chapter))
    except (RetentionKitError, OSError) as error:
        job.trouble = _one_line("options", error)
    return job


def _refuse_twins(prepared: list[Job | Outcome]) -> None:
    jobs = {i: job for i, job in enumerate(prepared) if isinstance(job, Job)}
    wanted = [(job.client.client, job.client.as_of, job.path) for job in jobs.values()]
    for i, reason in zip(jobs, folders.twins(wanted), strict=True):
        if reason:
            prepared[i] = Outcome(jobs[i].client.client, None, reason)


def _take(
    turns: Iterable["_Turn"], workers: int, engine: Engine, progress: Progress, presses: Presses
) -> None:
    """One client after the other, each begun when there is room, until all are done or Ctrl-C is pressed."""
    steps: deque[_Step] = deque(turn.begin for turn in turns)
    running: set[Future[list[_Step]]] = set()
    heard = 0
    with ThreadPoolExecutor(workers) as pool:
        while running or (steps and not presses.times):
            while steps and len(running) < workers and not presses.times:
                running.add(pool.submit(steps.popleft()))
            ended, running = wait(running, _POLL, FIRST_COMPLETED)
            for future in ended:
                steps.extendleft(reversed(future.result()))  # what a client still needs comes before the next
            if presses.times > heard:
                heard = presses.times
                progress("", "", "stopping")
                if heard > 1:
                    engine.kill()


# -- one client ----------------------------------------------------------------


@dataclass
class _Turn:
    """One client's way through a run: begun, its chapters executed, finished; each a step of some worker."""

    job: Job
    out: Path
    fresh: bool
    engine: Engine
    progress: Progress
    presses: Presses
    browser: Path | None
    outcome: Outcome = field(init=False)
    _final: Path = field(init=False)
    _spared: Literal["unchanged", "rendered", ""] = ""
    _left: int = 0
    _hold: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        reason = "stopped before its report was made; the last one is untouched. Type the same to go on."
        self.outcome = Outcome(self.job.client.client, None, reason, "stopped")

    def announce(self) -> None:
        """Say what is to come, so that the whole is known from the start."""
        self._tell_all("waiting")

    def begin(self) -> list[_Step]:
        """Take the client's folder, find out what its last report spares, and say what is to run."""
        job, client = self.job, self.job.client
        try:
            self._final = folders.report(self.out, client.client, client.as_of, job.edition)
            self._hold.enter_context(folders.held(self._final.parent))
        except ReportError as error:  # another run has it, or nothing can be written there
            job.trouble = str(error)
            self._tell_all("left")
            self._end(Outcome(client.client, None, job.reason))
            return []
        if not job.failed and job.edition == "report":
            self._compare()
        if job.failed or self._spared:
            self._tell_all("left" if job.failed else "kept")
        steps = [] if job.failed or self._spared == "unchanged" else self._steps()
        self._left = len(steps)
        if not steps:
            self._finish()
        return steps

    def _steps(self) -> list[_Step]:
        """The chapters of the report, then those of the report before, to see what they say today.

        The first, which is told of when all fail alike, then from the last one on: those take longest, and
        would run on alone at the end.
        """
        again = list(self.job.to_restate)
        for chapter in again:
            self._tell(f"{chapter}{_AGAIN}", "waiting")
        chapters = [] if self._spared else self.job.client.chosen
        order = [*chapters[:1], *reversed(chapters[1:])]
        return [
            *(partial(self._chapter, chapter, self.job.ran) for chapter in order),
            *(partial(self._chapter, chapter, self.job.again) for chapter in again),
        ]

    def close(self) -> None:
        """Let go of the client's folder, also when the run was stopped in between."""
        self._hold.close()
        self.job.ran.clear()
        self.job.again.clear()  # a batch of a hundred clients keeps none of them in memory

    def _compare(self) -> None:
        try:
            home, client = self._final.parent, self.job.client
            self.job.before = previous.find(home, client.as_of)
            self.job.forecasts = previous.forecasts(home, client.as_of, currency=client.currency)
            self.job.fingerprint = runs.fingerprint(self.job)
            self._spared = "" if self.fresh else runs.reuse(self.job, self._final)
        except Exception as error:  # whatever it was, the other clients go on
            self.job.trouble = self._one_line("report", error)

    def _chapter(self, chapter: str, ran: dict[str, Ran]) -> list[_Step]:
        """Execute a chapter and put it with the others that `ran`: of this report, or of the one before."""
        again = ran is self.job.again
        name = f"{chapter}{_AGAIN}" if again else chapter
        parameters = (self.job.parameters_again if again else self.job.parameters)(chapter)
        # Where the client has failed already, the machine has others to work for.
        found = Ran(0.0) if self.job.failed else self._executed(chapter, parameters, name)
        if self.presses.times > 1:  # it was ended, and did not fail
            return []
        with self._lock:
            ran[chapter] = found
            self.job.engine = self.engine.name
            self._left -= 1
            last = self._left == 0
        self._tell(name, "failed" if found.reason else "done" if found.notebook else "left")
        if last:
            self._finish()
        return []

    def _executed(self, chapter: str, parameters: dict[str, Any], name: str) -> Ran:
        self._tell(name, "started")
        started = time.perf_counter()
        try:
            path = self.job.notebook(chapter)
            kernels.check_parameters(path, parameters)
            executed = kernels.execute(
                path, parameters, without=editions.WITHOUT[self.job.edition], engine=self.engine
            )
            return Ran(executed.seconds, executed.notebook)
        except Exception as error:  # whatever it was, the other clients go on
            came_to = getattr(error, "notebook", None)
            return Ran(time.perf_counter() - started, came_to, reason=self._one_line(chapter, error))

    def _finish(self) -> None:
        job, client = self.job, self.job.client.client
        try:
            if not job.failed:
                self._publish()
        except OSError as error:  # a full disk, say: the old report stands, and the other clients go on
            job.trouble = folders.not_written(self._final.parent, error)
        except Exception as error:
            job.trouble = self._one_line("report", error)
        told = folders.failed(self._final)
        if job.failed:
            self._tell("report", "failed")
            if job.edition == "report":
                with contextlib.suppress(Exception), folders.replacing(told) as folder:
                    runs.write_failed(job, folder)  # where it cannot be written, the reason is printed
            self._end(Outcome(client, None, job.reason))
        else:
            shutil.rmtree(told, ignore_errors=True)
            pdf, trouble = self._printed()
            self._tell("report", "kept" if self._spared == "unchanged" else "done")
            handout = self._final / lessons.HANDOUT
            made = {"state": self._spared or "made", "pdf": pdf}
            made["handout"] = handout if handout.is_file() else None
            self._end(Outcome(client, self._page, trouble, **made))

    @property
    def _page(self) -> Path:
        return self._final / ("report.html" if self.job.edition == "report" else lessons.PAGE)

    def _printed(self) -> tuple[Path | None, str]:
        """The report as a PDF, where one is wanted, or why there is none."""
        pdf = self._page.with_suffix(".pdf")
        if self.browser is None or (self._spared == "unchanged" and pdf.is_file()):
            return (pdf if pdf.is_file() else None), ""
        try:
            browsers.print_pdf(self.browser, self._page, pdf)
        except (ReportError, OSError) as error:
            return None, f"The report is made, its PDF is not. {self._one_line('pdf', error)}"
        return pdf, ""

    def _publish(self) -> None:
        if self._spared == "unchanged":
            return
        report = self.job.edition == "report"
        if report and (self.job.again or not self._spared) and runs.data_have_changed(self.job):
            raise ReportError("The data changed while the report was made of them. Run again.")
        with _PAGE, folders.replacing(self._final) as folder:
            (runs if report else lessons).write(self.job, folder)

    def _end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.close()

    def _tell(self, chapter: str, state: str) -> None:
        self.progress(self.job.client.client, chapter, state)

    def _tell_all(self, state: str) -> None:
        for chapter in self.job.client.chosen:
            self._tell(chapter, state)

    def _one_line(self, what: str, error: Exception) -> str:
        return self.job.client.masked(_one_line(what, error))


def _one_line(what: str, error: Exception) -> str:
    if isinstance(error, RetentionKitError):
        return str(error)
    return f"{what}: {type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
