"""From executed notebooks to one self-contained page: nothing to fetch, no script, no code.

The summary, the definitions and the data checks are made from what the
chapters' exhibits carry beside their HTML, so they cannot disagree with them.
"""

import copy
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import jinja2
import nbformat
from markupsafe import Markup
from nbconvert import HTMLExporter

from retention_kit import exhibits, playbook
from retention_kit.exceptions import ReportError
from retention_kit.exhibits import Change
from retention_kit.headlines import Headline
from retention_kit.playbook import Plan
from retention_kit.sentences import Voice

LESSON = frozenset(("lesson", "exercise", "check", "solution"))
HIDDEN = LESSON | {"parameters", "injected-parameters", "setup", "sentinel"}
DATA_NOTES = "data-notes"
_CARDS, _FINDINGS = 8, 5  # what a summary holds at most
_TEMPLATES = Path(str(resources.files("retention_kit"))) / "templates"


@dataclass(frozen=True)
class Chapter:
    """An executed notebook and what it is called: `name` as in the client file, `title` in print."""

    name: str
    title: str
    notebook: nbformat.NotebookNode = field(repr=False)


@dataclass(frozen=True)
class Page:
    """All that a report is made of.

    `as_of` is an ISO date, `notes_markdown` the client file's own words, `missing`
    pairs of a chapter and why it is not there, `versions` package to version, `plan`
    what the playbook says (None where the client file wants no advice), `changes` those
    since the previous report by headline.
    """

    client: str
    title: str
    as_of: str
    language: str
    currency: str
    prepared_by: str
    notes_markdown: str
    chapters: Sequence[Chapter]
    missing: Sequence[tuple[str, str]]
    versions: Mapping[str, str]
    generated: dt.datetime
    plan: Plan | None = None
    changes: Mapping[str, Change] = field(default_factory=dict)


def render(page: Page) -> str:
    """The report as one HTML text.

    Raises
    ------
    ReportError
        When a chapter's notebook holds an error, or two figures of a chapter have one name.
    """
    voice = Voice(language=page.language, currency=page.currency)
    for chapter in page.chapters:
        _check(chapter)
    all_headlines = [headlines(chapter.notebook) for chapter in page.chapters]
    return _environment().get_template("page.html.j2").render(
        page=page,
        lang=page.language.replace("_", "-"),
        css=Markup(_css()),
        say=lambda key, **values: voice.say(f"page.{key}", **values),
        as_of=voice.format(page.as_of, "date"),
        findings=_in_turn([_findings(chapter) for chapter in page.chapters], _FINDINGS),
        cards=_summary_cards(all_headlines, page.changes, voice),
        plan=_plan(page.plan, voice) if page.plan else None,
        notes=Markup(exhibits.notes(page.notes_markdown).html) if page.notes_markdown.strip() else "",
        chapters=[_chapter(chapter, page.changes, voice) for chapter in page.chapters],
        missing=[(voice.word("chapter", name), reason) for name, reason in page.missing],
        checks=_data_checks(page.chapters, voice),
        definitions=[_definition(headline, voice) for headline in chain.from_iterable(all_headlines)],
        generated=voice.format(page.generated, "date"),
        versions=", ".join(f"{name} {version}" for name, version in page.versions.items()),
        has_nps=any(chapter.name == "nps" for chapter in page.chapters),
    )  # fmt: skip


def headlines(notebook: nbformat.NotebookNode) -> list[Headline]:
    """The headlines that a notebook shows, in order; those of hidden cells are not shown."""
    found = chain.from_iterable(data["headlines"] for data in _carried(notebook, "headline"))
    return [Headline.from_json(one) for one in found]


def tables(notebook: nbformat.NotebookNode) -> list[dict[str, Any]]:
    """The tables that a notebook shows and those behind its figures: name, caption, columns, rows."""
    return list(_carried(notebook, "table"))


def checks(chapter: Chapter) -> Iterator[dict[str, Any]]:
    """The account of each table that a chapter read: kind, columns, rows by rule, notes."""
    return chain.from_iterable(data["checks"] for data in _carried(chapter.notebook, "checks"))


# -- reading an executed notebook ----------------------------------------------


def _shown_cells(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    """Code cells whose outputs a client sees."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and not HIDDEN.intersection(cell.metadata.get("tags", [])):
            yield cell


def _carried(notebook: nbformat.NotebookNode, kind: str) -> Iterator[Any]:
    """What exhibits of a kind carry beside their HTML."""
    mime = exhibits.MIME.format(kind)
    for cell in _shown_cells(notebook):
        for output in cell.outputs:
            if mime in output.get("data", {}):
                yield output["data"][mime]


def _is_data_note(cell: nbformat.NotebookNode) -> bool:
    return DATA_NOTES in cell.metadata.get("tags", [])


def _check(chapter: Chapter) -> None:
    for cell in chapter.notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise ReportError(f"Chapter {chapter.name!r} ended in {output.ename}: {output.evalue}")
    names = [one["name"] for one in tables(chapter.notebook)] + [h.name for h in headlines(chapter.notebook)]
    for name in names:
        if names.count(name) > 1:
            raise ReportError(f"Chapter {chapter.name!r} shows {name!r} twice. Give each its own name.")


# -- the parts of the page -----------------------------------------------------


def _plan(plan: Plan, voice: Voice) -> dict[str, Any]:
    """What to do next, or why nothing."""
    advised = [playbook.advice(action, voice) for action in plan.actions[: playbook.MOST]]
    return {
        "advised": advised,
        "rest": playbook.rest(plan, voice) if advised else playbook.nothing(plan, voice),
    }


def _chapter(chapter: Chapter, changes: Mapping[str, Change], voice: Voice) -> dict[str, Any]:
    cells = [cell for cell in _shown_cells(chapter.notebook) if not _is_data_note(cell)]
    if changes:
        cells = copy.deepcopy(cells)
        _tell_changes(cells, changes, voice)
    return {"anchor": chapter.name, "title": chapter.title, "body": _body(cells, chapter.name)}


def _body(cells: Iterable[nbformat.NotebookNode], name: str) -> Markup:
    """The cells' outputs as HTML, through the one template that decides what may pass."""
    bare = nbformat.v4.new_notebook(cells=copy.deepcopy(list(cells)))
    for number, output in enumerate(_finding_outputs(bare.cells), start=1):
        output.metadata["anchor"] = f"{name}-{number}"
    body, _ = _exporter().from_notebook_node(bare)
    return Markup(body)


def _tell_changes(
    cells: Iterable[nbformat.NotebookNode], changes: Mapping[str, Change], voice: Voice
) -> None:
    """Cards anew, each with its change: the notebook that made them knows of no earlier report."""
    mime = exhibits.MIME.format("headline")
    for output in chain.from_iterable(cell.outputs for cell in cells):
        if mime in output.get("data", {}):
            shown = [Headline.from_json(one) for one in output["data"][mime]["headlines"]]
            output["data"]["text/html"] = str(exhibits.cards_html(shown, voice=voice, changes=changes))


def _finding_outputs(cells: Iterable[nbformat.NotebookNode]) -> Iterator[nbformat.NotebookNode]:
    for cell in cells:
        for output in cell.outputs:
            if exhibits.MIME.format("finding") in output.get("data", {}):
                yield output


def _findings(chapter: Chapter) -> list[dict[str, str]]:
    cells = [cell for cell in _shown_cells(chapter.notebook) if not _is_data_note(cell)]
    said = [output["data"][exhibits.MIME.format("finding")]["text"] for output in _finding_outputs(cells)]
    return [{"text": text, "anchor": f"{chapter.name}-{n}"} for n, text in enumerate(said, start=1)]


def _in_turn(lists: Sequence[Sequence[Any]], limit: int) -> list[Any]:
    """The first of each list, then the second of each, up to the limit; in the lists' own order again."""
    gone = object()
    turns = chain.from_iterable(zip_longest(*lists, fillvalue=gone))
    chosen = [one for one in turns if one is not gone][:limit]
    return [one for one in chain.from_iterable(lists) if any(one is other for other in chosen)]


def _summary_cards(
    all_headlines: Sequence[Sequence[Headline]], changes: Mapping[str, Change], voice: Voice
) -> Markup:
    chosen = _in_turn([[h for h in ours if h.value is not None] for ours in all_headlines], _CARDS)
    if not chosen:
        return Markup("")
    return exhibits.cards_html(chosen, voice=voice, definitions=False, changes=changes)


def _definition(headline: Headline, voice: Voice) -> dict[str, Any]:
    method = voice.word("interval", headline.interval) if headline.interval else ""
    sure = f"{exhibits.bounds(headline, voice)} ({method})" if method else ""
    lines = [exhibits.counted(headline, voice), sure, voice.say("exhibit.as_of", as_of=headline.as_of)]
    return {
        "label": voice.label(headline.name),
        "value": exhibits.value(headline, voice),
        "definition": voice.said(headline.definition),
        "lines": [line[0].upper() + line[1:] for line in lines if line],
    }


def _data_checks(chapters: Sequence[Chapter], voice: Voice) -> Markup:
    """Each table's account once, with the chapters that read it; then what else the data notes say."""
    accounts: list[tuple[Any, list[str]]] = []
    for chapter in chapters:
        for check in checks(chapter):
            titles = next((titles for known, titles in accounts if known == check), None)
            if titles is None:
                accounts.append((check, [chapter.title]))
            elif chapter.title not in titles:
                titles.append(chapter.title)
    parts = [
        exhibits.checks_html(
            check, voice=voice, used_in=voice.say("page.used_in", chapters=", ".join(titles))
        )
        for check, titles in accounts
    ]
    return Markup("").join([*parts, *(_other_notes(chapter) for chapter in chapters)])


def _other_notes(chapter: Chapter) -> Markup:
    cells = copy.deepcopy([cell for cell in _shown_cells(chapter.notebook) if _is_data_note(cell)])
    for cell in cells:
        cell.outputs = [o for o in cell.outputs if exhibits.MIME.format("checks") not in o.get("data", {})]
    return _body(cells, f"{chapter.name}-data")


# -- templates -----------------------------------------------------------------


@lru_cache(maxsize=1)
def _exporter() -> HTMLExporter:
    """One for all chapters: making it costs more than using it."""
    return HTMLExporter(template_name="report", extra_template_basedirs=[str(_TEMPLATES)])


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(_TEMPLATES / "report")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def _css() -> str:
    return (_TEMPLATES / "report" / "report.css").read_text("utf-8")
