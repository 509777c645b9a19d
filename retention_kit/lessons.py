"""A client's lesson: the page to read, the notebooks to work in, and for students both of it in one zip."""

import datetime as dt
from pathlib import Path

import nbformat

from retention_kit import editions, handouts, pages, runs
from retention_kit.runs import Job

PAGE, HANDOUT = "lesson.html", "handout.zip"


def write(job: Job, folder: Path) -> None:
    """The page and the notebooks of a job whose chapters ran; for students also the zip to hand out.

    Raises
    ------
    ReportError
        When a formula cannot be read, or the package runs from a copy that was never installed.
    """
    (folder / PAGE).write_text(editions.render(_page(job), job.edition), encoding="utf-8")
    notebooks = {chapter: _to_work_in(job, chapter) for chapter in job.client.chosen}
    (folder / "notebooks").mkdir()
    for chapter, notebook in notebooks.items():
        nbformat.write(notebook, folder / "notebooks" / f"{chapter}.ipynb")
    if job.edition == "lesson":
        handouts.write(folder / HANDOUT, job.client, notebooks)


def _to_work_in(job: Job, chapter: str) -> nbformat.NotebookNode:
    client = job.client
    salt = f"{client.client}/{chapter}"
    checks = editions.sealed(job.ran[chapter].notebook, salt) if job.edition == "lesson" else ()
    given = {"client": client.client, "as_of": client.as_of} | client.options.get(chapter, {})
    return editions.to_work_in(job.notebook(chapter), given, job.edition, checks)


def _page(job: Job) -> pages.Page:
    client = job.client
    return pages.Page(
        client=client.client,
        title=client.title,
        as_of=client.as_of,
        language=client.language,
        currency=client.currency,
        prepared_by=client.prepared_by,
        notes_markdown="",
        chapters=[pages.Chapter(name, name, job.ran[name].notebook) for name in client.chosen],
        missing=(),
        versions=runs.made_with(),
        generated=dt.datetime.now(),
    )
