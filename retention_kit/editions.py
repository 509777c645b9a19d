"""One notebook, three readers: a client sees what was found, a student how, a teacher the solutions too."""

import ast
import copy
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import nbformat

from retention_kit import exercises, exhibits, grids, pages
from retention_kit.exceptions import ReportError
from retention_kit.markdown import prose_html
from retention_kit.pages import Chapter, Page
from retention_kit.sentences import Voice

Edition = Literal["report", "lesson", "full"]

#: The cells that each edition does without, by tag.
WITHOUT = {"report": pages.LESSON, "lesson": frozenset(["solution"]), "full": frozenset()}

_BARE = exhibits.MIME.format("bare")
_SECTION = re.compile(r"^## +(.+?)\s*$", re.MULTILINE)

# What a reader opens when wanted: it would stand between a question and its answer.
_FOLDED = {
    "setup": "Setup: what is imported and loaded",
    "layout": "Code that lays out what follows",
    "check": "How the answer is checked",
}
_KIND = {"lesson": "Lesson", "full": "Lesson with solutions"}
_HOW = {
    "lesson": "Each chapter asks a question, works out one number by hand, and gets the same in one call. "
    "At its end stands an exercise: work it in the notebook, whose last cells tell whether you are right.",
    "full": "The teacher's edition: the lesson with every exercise solved.",
}


# -- notebooks to work in --------------------------------------------------------


def to_work_in(
    path: Path, values: Mapping[str, Any], edition: Edition = "full", checks: Sequence[str] = ()
) -> nbformat.NotebookNode:
    """A chapter as somebody opens it: with its parameters filled in, without outputs.

    Parameters
    ----------
    path : Path
        The notebook.
    values : mapping
        By the names of its parameters cell; those that are not named keep what stands there.
    edition : str
        "lesson" leaves out the solutions.
    checks : sequence of str
        The code of each check cell, where it is another than in the notebook: see `sealed`.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if not WITHOUT[edition] & _tags(cell)]
    _put(checks, notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if "parameters" in _tags(cell):
            cell.source = _filled(cell.source, values)
        if {"layout", "check"} & _tags(cell):
            cell.metadata["jupyter"] = {"source_hidden": True}
    return notebook


def sealed(executed: nbformat.NotebookNode, salt: str) -> list[str]:
    """The code of each check cell with the right answer sealed, as the executed notebook knows it.

    A check that does not go by `exercises.check` stays as it is.

    Raises
    ------
    ReportError
        When a check cell does not end with that call.
    """
    told = []
    for number, cell in enumerate(_checks(executed), start=1):
        carried = [output.get("data", {}).get(exercises.CARRIED) for output in cell.outputs]
        right = next((one["right"] for one in carried if one), None)
        told.append(cell.source if right is None else _sealed(cell.source, right, f"{salt}/{number}"))
    return told


def _sealed(source: str, right: float, salt: str) -> str:
    call = getattr(ast.parse(source).body[-1], "value", None)
    if not isinstance(call, ast.Call) or not ast.unparse(call.func).endswith("check") or not call.args:
        raise ReportError(
            f"The check {source.splitlines()[-1]!r} cannot be sealed for a handout. "
            "Let its last line be: exercises.check(answer, right=...)"
        )
    asked = ast.get_source_segment(source, call.args[0])
    return f'{ast.unparse(call.func)}({asked}, right="{exercises.seal(right, salt)}")'


def _checks(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if "check" in _tags(cell)]


def _put(checks: Sequence[str], notebook: nbformat.NotebookNode) -> None:
    for cell, source in zip(_checks(notebook), checks, strict=False):
        cell.source = source


def _filled(source: str, values: Mapping[str, Any]) -> str:
    """The parameters cell with other values; its types and comments stay.

    >>> _filled('by: str | None = None  # a column', {"by": "country", "none": 1})
    'by: str | None = "country"  # a column'
    """
    lines = source.encode().splitlines(keepends=True)  # positions are told in bytes
    for node in reversed(ast.parse(source).body):
        if isinstance(node, ast.AnnAssign) and node.value and getattr(node.target, "id", "") in values:
            value, told = node.value, values[node.target.id]
            text = json.dumps(told, ensure_ascii=False) if isinstance(told, str) else repr(told)
            start, end = value.lineno - 1, value.end_lineno - 1
            rest = lines[end][value.end_col_offset :]
            lines[start : end + 1] = [lines[start][: value.col_offset] + text.encode() + rest]
    return b"".join(lines).decode()


# -- the page --------------------------------------------------------------------


def render(page: Page, edition: Edition) -> str:
    """The chapters on one page, to read: prose, code, and what the code showed.

    Its own words are English, as the notebooks' prose is; what the exhibits say is in the client's language.

    Raises
    ------
    ReportError
        When a formula in the prose cannot be read.
    """
    voice = Voice(language="en", currency=page.currency)
    return pages.template("lesson.html.j2").render(
        page=page,
        kind=_KIND[edition],
        how=_HOW[edition],
        css=pages.css("report.css", "lesson.css"),
        as_of=voice.format(page.as_of, "date"),
        chapters=[_chapter(chapter, page.client, edition) for chapter in page.chapters],
        generated=voice.format(page.generated, "date"),
        versions=", ".join(f"{name} {version}" for name, version in page.versions.items()),
        has_nps=any(chapter.name == "nps" for chapter in page.chapters),
        marks=voice.say("page.nps_marks"),
    )


def _chapter(chapter: Chapter, client: str, edition: Edition) -> dict[str, Any]:
    notebook = copy.deepcopy(chapter.notebook)
    if edition == "lesson":
        _put(sealed(notebook, f"{client}/{chapter.name}"), notebook)
    told = notebook.metadata.get("papermill", {}).get("parameters", {}) | {"client": client}
    left_out = WITHOUT[edition] | {"injected-parameters", "sentinel"}
    cells = [cell for cell in notebook.cells if not left_out & _tags(cell)]
    sections = []
    for cell in cells:
        if "parameters" in _tags(cell):
            cell.source = _filled(cell.source, told)
        cell.metadata["read"] = _read(cell)
        title = _SECTION.search(cell.source) if cell.cell_type == "markdown" else None
        if title:
            anchor = f"{chapter.name}-s{len(sections) + 1}"
            cell.metadata["read"]["anchor"] = anchor
            sections.append({"title": title[1], "anchor": anchor})
    for number, output in enumerate(
        pages.finding_outputs(cell for cell in cells if cell.cell_type == "code"), start=1
    ):
        output.metadata["anchor"] = f"{chapter.name}-{number}"
    body = pages.body(cells, style="lesson")
    return {"anchor": chapter.name, "title": _title(chapter), "sections": sections, "body": body}


def _title(chapter: Chapter) -> str:
    """As the notebook is headed: a chapter's title in print may be in the client's language."""
    return chapter.notebook.cells[0].source.splitlines()[0].lstrip("# ")


def _read(cell: nbformat.NotebookNode) -> dict[str, Any]:
    """How a cell is read: its kind, its prose as HTML, or the words its code is folded under."""
    kind = next((tag for tag in ("exercise", "check", "solution") if tag in _tags(cell)), "")
    if cell.cell_type == "markdown":
        return {"kind": kind, "prose": prose_html(cell.source)}
    folded = next((words for tag, words in _FOLDED.items() if tag in _tags(cell)), "")
    drawn = any("image/png" in output.get("data", {}) for output in cell.outputs)
    shown = [output for output in cell.outputs if not (drawn and _is_name_of_axes(output))]
    cell.outputs = [_presentable(output, cell.source) for output in shown]
    return {"kind": kind, "folded": folded}


def _is_name_of_axes(output: nbformat.NotebookNode) -> bool:
    """Whether a picture's cell also told the object behind it, such as <Axes: xlabel='age'>."""
    return set(output.get("data", {})) == {"text/plain"} and output["data"]["text/plain"].startswith("<")


def _presentable(output: nbformat.NotebookNode, source: str) -> nbformat.NotebookNode:
    """A bare frame as a table and a bare picture as a picture; everything else as a report shows it."""
    data = output.get("data", {})
    if any(mime.startswith("application/vnd.retention-kit.") for mime in data):
        return output
    if "image/png" in data:
        shown = exhibits.picture(data["image/png"], alt=f"A figure made by: {source.splitlines()[-1]}")
    elif "<table" in data.get("text/html", ""):
        shown = grids.bare(data["text/html"])
    else:
        return output
    output["data"] = {"text/html": str(shown), _BARE: {}}
    return output


def _tags(cell: nbformat.NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))
