"""One client's run: what is executed, what is written, and the account of both in `run.json`."""

import copy
import datetime as dt
import json
import platform
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import nbformat

from retention_kit import accounts, exports, fingerprints, kernels, pages, playbook, previous, projects
from retention_kit.editions import Edition
from retention_kit.exceptions import ReportError
from retention_kit.headlines import Headline
from retention_kit.params import KINDS, Client
from retention_kit.playbook import Rule
from retention_kit.previous import Again, Previous
from retention_kit.sentences import Voice

#: The packages whose versions a number can depend on.
_MADE_WITH = ("retention-kit", "pandas", "numpy", "scipy", "duckdb", "ibis-framework", "matplotlib")
_REPORT, _RESTATED = "report.html", "restated.json"


@dataclass(frozen=True)
class Ran:
    """What became of a chapter: its notebook as far as it came, and why it failed, if it did."""

    seconds: float
    notebook: nbformat.NotebookNode | None = field(default=None, repr=False)
    reason: str = ""


@dataclass
class Job:
    """One client's run while its chapters are on their way; `path` is its client file.

    `before` is the client's previous report, `again` its chapters as they run on today's data, and
    `restating` what an earlier run has found out of that, if the `edition` is a report; `forecasts` is
    what earlier reports foretold, for chapters that have a parameter of that name. `trouble` is why the
    run failed when no chapter
    did: its options, or the writing of the report; `fingerprint` what the report depends on, in digests.
    """

    client: Client
    path: Path
    edition: Edition = "report"
    rules: Sequence[Rule] = ()
    ran: dict[str, Ran] = field(default_factory=dict)
    before: Previous | None = None
    again: dict[str, Ran] = field(default_factory=dict)
    restating: Again | None = None
    forecasts: Sequence[Mapping[str, Any]] = ()
    trouble: str = ""
    engine: str = "papermill"
    fingerprint: dict[str, str] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    @property
    def reason(self) -> str:
        """Why the run failed, in one line, by the report's order of chapters; "" while it did not."""
        told = [self.ran[chapter].reason for chapter in self.client.chosen if chapter in self.ran]
        return next(filter(None, [*told, self.trouble]), "")

    @property
    def failed(self) -> bool:
        """Whether no report can come of it any more."""
        return bool(self.reason)

    def notebook(self, chapter: str) -> Path:
        """Where a chapter is read from: the client's project, else the package."""
        return projects.notebook(self.path, chapter)

    def parameters(self, chapter: str) -> dict[str, Any]:
        """What a chapter is told: which client file, and its own options; never data, never a secret."""
        return self._told(chapter, self.forecasts)

    def _told(self, chapter: str, forecasts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        told = {"client": str(self.path), "as_of": self.client.as_of}
        if forecasts and self._asks(chapter, "forecasts"):
            told["forecasts"] = list(forecasts)
        return told | self.client.options.get(chapter, {})

    def _asks(self, chapter: str, parameter: str) -> bool:
        try:
            return parameter in kernels.parameters_of(self.notebook(chapter))
        except ReportError:  # it has no parameters; the run says so
            return False

    @property
    def to_restate(self) -> list[str]:
        """The chapters of the previous report that are to run once more.

        A consultant's own can where they take the date that data are named by (`data_as_of`).
        """
        if self.before is None or self.restating is not None:
            return []
        shared = [chapter for chapter in self.client.chosen if chapter in self.before.account.figures]
        return [chapter for chapter in shared if self._asks(chapter, "data_as_of")]

    def parameters_again(self, chapter: str) -> dict[str, Any]:
        """What a chapter is told to be what it was in the previous report, on the data of this one."""
        as_then = {"as_of": self.before.as_of, "data_as_of": self.client.as_of}
        then = accounts.moment(self.before.as_of)
        known = [one for one in self.forecasts if accounts.moment(one["made"]) < then]
        return self._told(chapter, known) | as_then


def fingerprint(job: Job) -> dict[str, str]:
    """What a report depends on, in digests."""
    compared = fingerprints.file(job.before.account.folder / accounts.HEADLINES) if job.before else ""
    notebooks = map(job.notebook, job.client.chosen)
    return fingerprints.of(
        job.client, notebooks, without=pages.LESSON, shown=[job.rules, compared], given=job.forecasts
    )


def reuse(job: Job, folder: Path) -> Literal["unchanged", "rendered", ""]:
    """What the client's last report spares: all, all but the page, or nothing.

    Where only the page is to be made, the job has the notebooks that were executed for that report, if
    they are still as they were written, and what had been found out of the report before it.
    """
    try:
        last = accounts.read(folder)
    except ReportError:  # there is none
        return ""
    before = last.told.get("fingerprint", {})
    if not last.done or not before.get("data"):
        return ""
    if before == job.fingerprint and (folder / _REPORT).is_file():
        return "unchanged"
    if not fingerprints.same_chapters(before, job.fingerprint):
        return ""
    try:
        told = last.told["chapters"]
        job.ran = {chapter: _ran(folder, chapter, told[chapter]) for chapter in job.client.chosen}
    except (OSError, KeyError, ValueError):
        return ""
    job.restating = _restating(folder, job.before)
    return "rendered"


def data_have_changed(job: Job) -> bool:
    """Whether the data are others than when the run began: its chapters may have read different ones."""
    return job.fingerprint["data"] != fingerprints.data(job.client)


def _ran(folder: Path, chapter: str, told: Mapping[str, Any]) -> Ran:
    path = _notebook(folder, chapter)
    if fingerprints.file(path) != told["executed"]:
        raise ValueError(f"{path} is not as it was written.")
    return Ran(told["seconds"], nbformat.read(path, as_version=4))


def _restating(folder: Path, before: Previous | None) -> Again | None:
    """What was found out of the same previous report; None where it was another one."""
    try:
        told = json.loads((folder / _RESTATED).read_text("utf-8"))
        return Again.from_json(told) if before and told.pop("as_of") == before.as_of else None
    except (OSError, KeyError, ValueError, AttributeError, TypeError, ReportError):
        return None


def write(job: Job, folder: Path) -> None:
    """The whole report of a run that went well: page, headlines, tables, notebooks and account."""
    client = job.client
    voice = Voice(language=client.language, currency=client.currency)
    chapters = _chapters(job, voice)
    figures = {chapter.name: pages.headlines(chapter.notebook) for chapter in chapters}
    again = job.restating or _again(job)
    page = _page(job, chapters, list(chain.from_iterable(figures.values())), again, voice)
    (folder / _REPORT).write_text(pages.render(page), encoding="utf-8")
    if again and not again.trouble:
        _write_json(folder / _RESTATED, {"as_of": job.before.as_of} | again.to_json())
    _write_json(
        folder / accounts.HEADLINES,
        {chapter: [figure.to_json() for figure in each] for chapter, each in figures.items()},
    )
    exports.write_tables(chapters, folder / "tables")
    exports.write_workbook(
        chapters, folder / "tables.xlsx", voice=voice, title=client.title, as_of=client.as_of
    )
    _write_notebooks(job, folder)
    _write_json(folder / accounts.RUN, account(job, folder))


def write_failed(job: Job, folder: Path) -> None:
    """What can be told of a run that failed: its account, and the notebooks as far as they came."""
    _write_json(folder / accounts.RUN, account(job, folder))
    try:
        _write_notebooks(job, folder)
    except OSError:  # a full disk: the account has found room, and a notebook is whole or not there
        shutil.rmtree(folder / "notebooks", ignore_errors=True)


def write_unread(folder: Path, name: str, as_of: str | None, reason: str) -> None:
    """What can be told of a client whose file cannot be read; where no date was asked for, that of today."""
    told = {"client": name, "title": name, "as_of": as_of or dt.date.today().isoformat(), "status": "failed"}
    made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    _write_json(folder / accounts.RUN, told | {"reason": reason, "made": made, "chapters": {}})


def made_with() -> dict[str, str]:
    """The versions of Python and of the packages that a number can depend on."""
    return {"Python": platform.python_version()} | {name: version(name) for name in _MADE_WITH}


def account(job: Job, folder: Path) -> dict[str, Any]:
    """What was run, on what, with what, how long it took and what came of it: `run.json`.

    `folder` is where the notebooks were written to.
    """
    client = job.client
    told = {"reason": job.reason} if job.failed else {}
    return {
        "client": client.client,
        "title": client.title,
        "as_of": client.as_of,
        "language": client.language,
        "currency": client.currency,
        "period": client.period,
        "status": "failed" if job.failed else "done",
        **told,
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - job.started, 2),
        "engine": job.engine,
        "chapters": {chapter: _chapter(job, chapter, folder) for chapter in client.chosen},
        "left_out": client.left_out,
        **_evidence(client, job.ran),
        **_not_restated(job),
        "fingerprint": job.fingerprint,
    }


def _evidence(client: Client, ran: Mapping[str, Ran]) -> dict[str, Any]:
    """What the figures were made with and of: all that can tell why they come out otherwise another time."""
    checks = list(chain.from_iterable(map(pages.checks, _done(ran))))
    return {
        "versions": made_with(),
        "rows": {check["kind"]: _by_rule(check, "rows") for check in checks},
        "amounts": {check["kind"]: _by_rule(check, "amount") for check in checks},
        "reading": {
            kind: {name: value for name, value in client.table(kind).how().items() if name != "source"}
            for kind in KINDS
            if client.has(kind)
        },
    }


def _not_restated(job: Job) -> dict[str, str]:
    """Why the previous report's chapters could not run once more, if they could not."""
    trouble = next((ran.reason for ran in job.again.values() if ran.reason), "")
    return {"not_restated": trouble} if trouble else {}


def _again(job: Job) -> Again | None:
    """What the previous report's chapters say today; None where none of them ran."""
    if not job.again:
        return None
    trouble = _not_restated(job).get("not_restated")
    if trouble:
        return Again(trouble=trouble)
    chapters = _done(job.again)
    told = {chapter: {"parameters": job.parameters_again(chapter)} for chapter in job.again}
    return Again(
        figures={chapter.name: pages.headlines(chapter.notebook) for chapter in chapters},
        account={"period": job.client.period, "chapters": told, **_evidence(job.client, job.again)},
        kinds={chapter.name: [check["kind"] for check in pages.checks(chapter)] for chapter in chapters},
    )


def _chapter(job: Job, chapter: str, folder: Path) -> dict[str, Any]:
    ran = job.ran.get(chapter)
    told = {"reason": ran.reason} if ran and ran.reason else {}
    path = _notebook(folder, chapter)
    written = {"executed": fingerprints.file(path)} if path.is_file() else {}
    return {
        "status": "failed" if told else "done" if ran and ran.notebook else "not run",
        "seconds": round(ran.seconds, 2) if ran else 0.0,
        **told,
        **written,
        "parameters": job.parameters(chapter) | {"client": job.client.client},
    }


def _chapters(job: Job, voice: Voice) -> list[pages.Chapter]:
    return [pages.Chapter(c, voice.word("chapter", c), job.ran[c].notebook) for c in job.client.chosen]


def _done(ran: Mapping[str, Ran]) -> list[pages.Chapter]:
    """Every chapter that ran to its end."""
    return [pages.Chapter(c, c, one.notebook) for c, one in ran.items() if one.notebook and not one.reason]


def _by_rule(check: Mapping[str, Any], column: str) -> dict[str, Any]:
    rule, value = check["columns"].index("rule"), check["columns"].index(column)
    return {row[rule]: row[value] for row in check["rows"]}


def _page(
    job: Job,
    chapters: Sequence[pages.Chapter],
    figures: Sequence[Headline],
    again: Again | None,
    voice: Voice,
) -> pages.Page:
    client, before = job.client, job.before
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
        plan=_plan(job, figures),
        changes=previous.changes(figures, before, voice=voice) if before else {},
        restated=previous.restated(before, again, voice=voice) if before and again else None,
        brand=client.brand,
    )


def _plan(job: Job, figures: Sequence[Headline]) -> playbook.Plan | None:
    if job.client.playbook is False:
        return None
    how = {"thresholds": job.client.thresholds, "period": job.client.period}
    return playbook.plan(figures, job.rules, **how)


def _notebook(folder: Path, chapter: str) -> Path:
    return folder / "notebooks" / f"{chapter}.ipynb"


def _write_notebooks(job: Job, folder: Path) -> None:
    """As they were executed, but for the values of `${NAME}` in what was printed and in errors."""
    (folder / "notebooks").mkdir()
    for chapter, ran in job.ran.items():
        if ran.notebook:
            # nbformat would sort the keys, and a page made of it have its counts in another order. Without
            # indents, which nobody reads there, it is half as long and written in a third of the time.
            _write_json(_notebook(folder, chapter), _masked(ran.notebook, job.client), indent=None)


def _masked(notebook: nbformat.NotebookNode, client: Client) -> nbformat.NotebookNode:
    masked = copy.copy(notebook)
    masked.cells = pages.to_change(notebook.cells)
    for output in chain.from_iterable(cell.get("outputs", []) for cell in masked.cells):
        if output.output_type == "stream":
            output.text = client.masked(output.text)
        elif output.output_type == "error":
            output.evalue = client.masked(output.evalue)
            output.traceback = [client.masked(line) for line in output.traceback]
    return masked


def _write_json(path: Path, content: Any, indent: int | None = 2) -> None:
    path.write_text(json.dumps(content, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")
