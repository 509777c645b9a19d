"""The bench of chapters asks what the notebook asks, of tables that were asked nothing before."""

import ast

import nbformat
import pytest

from benchmarks import chapters
from retention_kit import pages, wheels


def asked_by_the_notebook() -> list[tuple[str, dict[str, str]]]:
    """The functions that the report's cells call with the orders first, but for what only shows them.

    What stands below an `if` is asked by clients who set that parameter of the chapter.
    """
    notebook = nbformat.read(wheels.shipped("notebooks") / "retention.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tagged = [
        cell for cell in cells if not {*pages.LESSON, pages.DATA_NOTES} & set(cell.metadata.get("tags", []))
    ]
    found = []
    for node in (node for cell in tagged for node in ast.parse(cell.source).body):
        if isinstance(node, ast.If) and ast.unparse(node.test) != "paid":
            continue
        for call in (call for call in ast.walk(node) if isinstance(call, ast.Call) and call.args):
            module, _, _ = ast.unparse(call.func).partition(".")
            if ast.unparse(call.args[0]) == "orders" and module != "exhibits":
                keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
                found.append((ast.unparse(call.func), keywords))
    return found


def test_the_bench_asks_what_the_notebook_asks() -> None:
    ours = []
    for ask in chapters.RETENTION.values():
        function, keywords = getattr(ask, "func", ask), getattr(ask, "keywords", {})
        module = function.__module__.removeprefix("retention_kit.")
        ours.append((f"{module}.{function.__name__}", dict.fromkeys(keywords, "period")))
    assert ours == asked_by_the_notebook()


def test_it_tells_each_question_and_their_sum(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chapters, "REPEATS", 1)
    chapters.run(2_000)
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[4:]]
    names = [row[0].removeprefix("| ") for row in rows]
    assert names == [chapters.PASS, *chapters.RETENTION, chapters.TOGETHER, chapters.LOAD]
    spent = [float(row[2]) for row in rows]
    assert spent[-2] == pytest.approx(sum(spent[1:-2]), abs=0.005 * len(spent))
