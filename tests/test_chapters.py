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


def test_it_tells_each_question_and_their_sum_beside_the_pass() -> None:
    found = {one.way: one for one in chapters.run(2_000)}
    assert list(found) == [chapters.PASS, *chapters.RETENTION, chapters.TOGETHER, chapters.LOAD]
    together, first = found[chapters.TOGETHER], found[chapters.PASS]
    assert together.peak > 50
    assert together.slower == pytest.approx(together.warm / first.warm)
    asked = sum(found[name].warm for name in chapters.RETENTION)
    assert together.warm == pytest.approx(asked, rel=0.5)  # the median of sums, beside the sum of medians
