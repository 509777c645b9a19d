"""From executed notebooks to one self-contained page: nothing to fetch, no script, no code.

The summary, the definitions and the data checks are made from what the
chapters' exhibits carry beside their HTML, so they cannot disagree with them.
"""

import copy
import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import nbformat
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbconvert.filters import Highlight2HTML

from retention_kit import cards, exhibits, grids, names, playbook, sheets
from retention_kit.brands import Brand
from retention_kit.cards import Change
from retention_kit.exceptions import ReportError
from retention_kit.headlines import Headline
from retention_kit.playbook import Plan
from retention_kit.previous import Restated
from retention_kit.sentences import Voice

LESSON = frozenset(("lesson", "exercise", "check", "solution"))
HIDDEN = LESSON | {"parameters", "injected-parameters", "setup", "sentinel"}
DATA_NOTES = "data-notes"
_CARDS, _FINDINGS = 8, 5  # what a summary holds at most
_TEMPLATES = Path(str(resources.files("retention_kit"))) / "templates"
_PICTURE = re.compile(r'<img src="(data:image/png;base64,[^"]+)"')

# The words a reader may want told, by the chapter that uses them; the catalogue tells them.
_GLOSSARY = {
    "": ("as_of", "interval"),
    "retention": ("active", "age", "cohort", "history_mid_life", "retention_rate", "segments"),
    "churn": ("churn_rate", "mrr", "arpa", "expansion", "gross_churn", "nrr", "grr", "quick_ratio"),
    "nps": ("nps", "promoters"),
    "clv": ("clv", "discount_rate"),
}


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
    since the previous report by headline, `restated` what of that report would now come
    out otherwise, `brand` the consultant's own look.
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
    restated: Restated | None = None
    brand: Brand = field(default_factory=Brand)


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
    html = template("page.html.j2").render(
        page=page,
        title=grids.fitted(names.isolated(page.title)),
        tab=names.shown(page.title, 120),
        prepared_by=grids.fitted(names.isolated(page.prepared_by or page.brand.name)),
        lang=page.language.replace("_", "-"),
        css=_css(page.brand),
        say=lambda key, **values: voice.say(f"page.{key}", **values),
        say_restated=lambda key: voice.say(f"restated.{key}"),
        as_of=voice.format(page.as_of, "date"),
        observed=_observed(page.chapters, voice),
        findings=_in_turn([_findings(chapter) for chapter in page.chapters], _FINDINGS),
        cards=_summary_cards(all_headlines, page.changes, voice),
        plan=_plan(page.plan, voice) if page.plan else None,
        notes=Markup(exhibits.notes(page.notes_markdown).html) if page.notes_markdown.strip() else "",
        chapters=[_chapter(chapter, page, voice) for chapter in page.chapters],
        missing=[(voice.word("chapter", name), reason) for name, reason in page.missing],
        checks=_data_checks(page.chapters, voice),
        definitions=[_definition(headline, voice) for headline in chain.from_iterable(all_headlines)],
        glossary=_glossary([chapter.name for chapter in page.chapters], voice),
        generated=voice.format(page.generated, "date"),
        versions=", ".join(f"{name} {version}" for name, version in page.versions.items()),
        has_nps=any(chapter.name == "nps" for chapter in page.chapters),
    )  # fmt: skip
    return names.visible(html)


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


def template(name: str) -> jinja2.Template:
    """A template of ours; every value that it is given is escaped."""
    return _environment().get_template(name)


def css(*names: str) -> Markup:
    """Style sheets of ours, one after the other without their comments, to stand inside a page."""
    sheets = [(_TEMPLATES / "report" / name).read_text("utf-8") for name in names]
    return Markup("\n".join(re.sub(r"/\*.*?\*/\n", "", sheet) for sheet in sheets))


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


def _chapter(chapter: Chapter, page: Page, voice: Voice) -> dict[str, Any]:
    shown = [cell for cell in _shown_cells(chapter.notebook) if not _is_data_note(cell)]
    cells = to_change(shown)
    _tell_changes(cells, page.changes, voice)
    _offer_downloads(cells, f"{page.client}_{page.as_of[:10]}_{chapter.name}", voice)
    for number, output in enumerate(finding_outputs(cells), start=1):
        output.metadata["anchor"] = f"{chapter.name}-{number}"
    return {"anchor": chapter.name, "title": chapter.title, "body": body(cells)}


def body(cells: Sequence[nbformat.NotebookNode], *, style: str = "report") -> Markup:
    """The cells' outputs as HTML, through the one template that decides what may pass."""
    parts = {f"include_{part}": True for part in ("code", "input", "output", "markdown")}
    resources = {"global_content_filter": parts}
    notebook = {"cells": cells, "metadata": {}}
    return Markup(_body(style).render(nb=notebook, resources=resources).lstrip())


def to_change(cells: Iterable[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Copies whose outputs may be told anew; the tables that they carry are large, and not copied."""
    copies = [copy.copy(cell) for cell in cells]
    for cell in copies:
        if "outputs" in cell:
            cell.outputs = [
                nbformat.NotebookNode({part: copy.copy(value) for part, value in output.items()})
                for output in cell.outputs
            ]
    return copies


def _offer_downloads(cells: Iterable[nbformat.NotebookNode], name: str, voice: Voice) -> None:
    """Below each table its rows as CSV, below each figure the picture too; of a list of customers nothing."""
    mime = exhibits.MIME.format("table")
    for output in chain.from_iterable(cell.outputs for cell in cells):
        table = output.get("data", {}).get(mime)
        if table is None or "file" in table:
            continue
        # Mostly digits: as they are they take a quarter less room than in base64.
        rows = quote(sheets.csv_text(table).encode("utf-8-sig"), safe=",.;:-_/()+=*")
        offered = {"csv": f"data:text/csv;charset=utf-8,{rows}"}
        picture = _PICTURE.search(output["data"]["text/html"])
        if picture:
            offered["png"] = picture[1]
        links = [
            Markup('<a href="{}" download="{}_{}.{}" title="{}">{}</a>').format(
                address, name, table["name"], kind, table["caption"], voice.say(f"page.download_{kind}")
            )
            for kind, address in offered.items()
        ]
        output.metadata["downloads"] = str(
            Markup('<p class="downloads">{}</p>').format(Markup(" · ").join(links))
        )


def _tell_changes(
    cells: Iterable[nbformat.NotebookNode], changes: Mapping[str, Change], voice: Voice
) -> None:
    """Cards anew, each with its change: the notebook that made them knows of no earlier report."""
    mime = exhibits.MIME.format("headline")
    for output in chain.from_iterable(cell.outputs for cell in cells):
        if mime in output.get("data", {}):
            shown = [Headline.from_json(one) for one in output["data"][mime]["headlines"]]
            output["data"]["text/html"] = str(cards.cards_html(shown, voice=voice, changes=changes))


def finding_outputs(cells: Iterable[nbformat.NotebookNode]) -> Iterator[nbformat.NotebookNode]:
    """What shows a finding, in order: each is a heading, and needs an anchor of its own."""
    for cell in cells:
        for output in cell.outputs:
            if exhibits.MIME.format("finding") in output.get("data", {}):
                yield output


def _findings(chapter: Chapter) -> list[dict[str, str]]:
    cells = [cell for cell in _shown_cells(chapter.notebook) if not _is_data_note(cell)]
    said = [output["data"][exhibits.MIME.format("finding")] for output in finding_outputs(cells)]
    found = [
        {"text": one["text"], "chapter": chapter.title, "anchor": f"{chapter.name}-{n}"}
        for n, one in enumerate(said, start=1)
    ]
    # What could be measured goes before what could not.
    unknown = [not one.get("known", True) for one in said]
    return [one for _, one in sorted(zip(unknown, found, strict=True), key=lambda pair: pair[0])]


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
    return cards.cards_html(chosen, voice=voice, definitions=False, changes=changes)


def _observed(chapters: Sequence[Chapter], voice: Voice) -> str:
    """From the first day to the last that any table of the report holds, both of them included."""
    read = [check for chapter in chapters for check in checks(chapter) if check["observed_from"]]
    if not read:
        return ""
    last = max(dt.datetime.fromisoformat(check["observed_until"]) for check in read) - dt.timedelta(seconds=1)
    return voice.say("page.period", start=min(check["observed_from"] for check in read), end=last)


def _glossary(chapters: Sequence[str], voice: Voice) -> list[dict[str, str]]:
    """What the words of these chapters mean, in the order of the alphabet."""
    names = chain.from_iterable(_GLOSSARY[chapter] for chapter in ("", *chapters) if chapter in _GLOSSARY)
    terms = [
        {"term": voice.say(f"glossary.{name}.term"), "means": voice.say(f"glossary.{name}.means")}
        for name in names
    ]
    return sorted(terms, key=lambda one: unicodedata.normalize("NFKD", one["term"]).casefold())


def _definition(headline: Headline, voice: Voice) -> dict[str, Any]:
    method = voice.word("interval", headline.interval) if headline.interval else ""
    sure = f"{cards.bounds(headline, voice)} ({method})" if method else ""
    lines = [cards.counted(headline, voice), sure, voice.say("exhibit.as_of", as_of=headline.as_of)]
    return {
        "label": voice.label(headline.name),
        "value": cards.value(headline, voice),
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
    further = Markup("").join(_other_notes(chapter) for chapter in chapters)
    if further.strip():
        title = voice.say("page.further_notes")
        parts.append(Markup('<section class="checks"><h3>{}</h3>{}</section>').format(title, further))
    return Markup("").join(parts)


def _other_notes(chapter: Chapter) -> Markup:
    cells = to_change(cell for cell in _shown_cells(chapter.notebook) if _is_data_note(cell))
    for cell in cells:
        cell.outputs = [o for o in cell.outputs if exhibits.MIME.format("checks") not in o.get("data", {})]
    return body(cells)


# -- templates -----------------------------------------------------------------


@lru_cache
def _body(style: str) -> jinja2.Template:
    """nbconvert's template of a notebook's body, with its filters; made once, which costs more than using it.

    Its exporter would copy the notebook twice and read the HTML again, to mark cells and pictures: half a
    second a client. Our cells are prepared, and an exhibit brings its alternative text.
    """
    ours = [str(_TEMPLATES)]
    exporter = HTMLExporter(template_name=style, extra_template_basedirs=ours, extra_template_paths=ours)
    exporter.register_filter("highlight_code", Highlight2HTML(parent=exporter))
    return exporter.template


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(_TEMPLATES / "report")
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def _css(brand: Brand) -> Markup:
    """The house look in the brand's colours, with who may read it below each printed page."""
    sheet = str(css("report.css"))
    names = ("--accent", "--second")
    sheet += "".join(f":root{{{name}:{colour}}}" for name, colour in zip(names, brand.colours, strict=False))
    if brand.confidentiality:
        # Every sign as its number: nothing in the text can end the string, the rule or the element.
        text = "".join(f"\\{ord(sign):x} " for sign in brand.confidentiality)
        sheet += f'@page{{@bottom-left{{content:"{text}"}}}}'
    return Markup(sheet)
