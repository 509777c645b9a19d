"""One client's run: what is executed, what is written, and the account of both in `run.json`."""

import datetime as dt
import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import nbformat

from retention_kit import accounts, exports, pages, playbook, previous, projects
from retention_kit.cards import Change
from retention_kit.headlines import Headline
from retention_kit.params import Client
from retention_kit.playbook import Rule
from retention_kit.sentences import Voice

#: The packages whose versions a number can depend on.
_MADE_WITH = ("retention-kit", "pandas", "numpy", "scipy", "duckdb", "ibis-framework", "matplotlib")


@dataclass(frozen=True)
class Ran:
    """What became of a chapter: its notebook as far as it came, and why it failed, if it did."""

    seconds: float
    notebook: nbformat.NotebookNode | None = field(default=None, repr=False)
    reason: str = ""


@dataclass
class Job:
    """One client's run while its chapters are on their way; `path` is its client file.

    `trouble` is why the run failed when no chapter did: its options, or the writing of the report.
    """

    client: Client
    path: Path
    rules: Sequence[Rule] = ()
    ran: dict[str, Ran] = field(default_factory=dict)
    trouble: str = ""
    engine: str = "papermill"
    started: float = field(default_factory=time.perf_counter)

    @property
    def waiting(self) -> int:
        """How many chapters have not ended."""
        return len(self.client.chosen) - len(self.ran)

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
        return {"client": str(self.path), "as_of": self.client.as_of, **self.client.options.get(chapter, {})}


def write(job: Job, folder: Path) -> None:
    """The whole report of a run that went well: page, headlines, tables, notebooks and account."""
    client = job.client
    voice = Voice(language=client.language, currency=client.currency)
    chapters = _chapters(job, voice)
    figures = {chapter.name: pages.headlines(chapter.notebook) for chapter in chapters}
    page = _page(job, chapters, list(chain.from_iterable(figures.values())), folder.parent, voice)
    (folder / "report.html").write_text(pages.render(page), encoding="utf-8")
    _write_json(
        folder / accounts.HEADLINES,
        {chapter: [figure.to_json() for figure in each] for chapter, each in figures.items()},
    )
    exports.write_tables(chapters, folder / "tables")
    exports.write_workbook(chapters, folder / "tables.xlsx", voice=voice, title=client.title)
    _write_notebooks(job, folder / "notebooks")
    _write_json(folder / accounts.RUN, account(job))


def write_failed(job: Job, folder: Path) -> None:
    """What can be told of a run that failed: its account, and the notebooks as far as they came."""
    _write_notebooks(job, folder / "notebooks")
    _write_json(folder / accounts.RUN, account(job))


def read(folder: Path) -> dict[str, Any] | None:
    """The account of the run that wrote a folder; None where there is none."""
    try:
        return json.loads((folder / accounts.RUN).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def made_with() -> dict[str, str]:
    """The versions of Python and of the packages that a number can depend on."""
    return {"Python": platform.python_version()} | {name: version(name) for name in _MADE_WITH}


def account(job: Job) -> dict[str, Any]:
    """What was run, on what, with what, how long it took and what came of it: `run.json`."""
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
        "versions": made_with(),
        "chapters": {chapter: _chapter(job, chapter) for chapter in client.chosen},
        "left_out": client.left_out,
        "rows": {check["kind"]: _rows(check) for check in _checks(job)},
        "fingerprint": {},
    }


def _chapter(job: Job, chapter: str) -> dict[str, Any]:
    ran = job.ran.get(chapter)
    told = {"reason": ran.reason} if ran and ran.reason else {}
    return {
        "status": "failed" if told else "done" if ran and ran.notebook else "not run",
        "seconds": round(ran.seconds, 2) if ran else 0.0,
        **told,
        "parameters": job.parameters(chapter) | {"client": job.client.client},
    }


def _chapters(job: Job, voice: Voice) -> list[pages.Chapter]:
    return [pages.Chapter(c, voice.word("chapter", c), job.ran[c].notebook) for c in job.client.chosen]


def _checks(job: Job) -> list[Mapping[str, Any]]:
    """The accounts of the tables read, of every chapter that ran to its end."""
    done = [
        pages.Chapter(c, c, ran.notebook) for c, ran in job.ran.items() if ran.notebook and not ran.reason
    ]
    return list(chain.from_iterable(map(pages.checks, done)))


def _rows(check: Mapping[str, Any]) -> dict[str, int]:
    rule, rows = check["columns"].index("rule"), check["columns"].index("rows")
    return {row[rule]: row[rows] for row in check["rows"]}


def _page(
    job: Job, chapters: Sequence[pages.Chapter], figures: Sequence[Headline], home: Path, voice: Voice
) -> pages.Page:
    client = job.client
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
        changes=_changes(client, figures, home, voice),
        brand=client.brand,
    )


def _plan(job: Job, figures: Sequence[Headline]) -> playbook.Plan | None:
    if job.client.playbook is False:
        return None
    how = {"thresholds": job.client.thresholds, "period": job.client.period}
    return playbook.plan(figures, job.rules, **how)


def _changes(client: Client, figures: Sequence[Headline], home: Path, voice: Voice) -> dict[str, Change]:
    before = previous.find(home, client.as_of)
    return previous.changes(figures, before, voice=voice) if before else {}


def _write_notebooks(job: Job, folder: Path) -> None:
    folder.mkdir()
    for chapter, ran in job.ran.items():
        if ran.notebook:
            nbformat.write(ran.notebook, folder / f"{chapter}.ipynb")


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
