"""A digest changes when what it stands for does, and at nothing else."""

import ast
import os
import shutil
from pathlib import Path

import nbformat
import pytest

from retention_kit import fingerprints, pages, params, wheels

CLIENT = """\
client: acme
title: Acme Ltd
as_of: 2024-05-01
currency: EUR
data:
  orders: {source: "${FOLDER}/orders*.csv"}
  subscriptions: {source: "${FOLDER}/members.csv"}
  responses: {source: "${FOLDER}/answers.csv"}
"""
NOTEBOOKS = [wheels.shipped("notebooks") / f"{chapter}.ipynb" for chapter in params.CHAPTERS]

# Another value of each key of a client file. Only those of the page leave the chapters as they are.
OTHER = {
    "client": "client: bolt",
    "title": "title: Acme & Sons",
    "as_of": "as_of: 2024-06-01",
    "currency": "currency: PLN",
    "language": "language: en",
    "period": "period: week",
    "prepared_by": "prepared_by: A consultant",
    "notes": "notes: Well done.",
    "brand": "brand: {name: A consultancy}",
    "data": "data: {orders: {source: '${FOLDER}/orders*.csv', where: 'true'}}",
    "chapters": "chapters: [retention]",
    "playbook": "playbook: false",
    "thresholds": "thresholds: {churn_healthy: 0.01}",
    "show_customers": "show_customers: true",
    "codeframe": "codeframe: pl",
    "options": "options: {retention: {by: country}}",
    "explain": "explain: {nps: 40}",
    "benchmarks": "benchmarks: [{name: Peers, value: 40, source: a report, year: 2024}]",
}
SAME = {"language"}  # there is one language so far


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A client file whose data lie in a folder that the environment names."""
    data = tmp_path / "exports"
    data.mkdir()
    for name in ("orders-1", "orders-2", "members", "answers"):
        (data / f"{name}.csv").write_text(f"{name},{name}\n", encoding="utf-8")
    monkeypatch.setenv("FOLDER", str(data))
    return tmp_path


def digests(folder, text=CLIENT, notebooks=NOTEBOOKS):
    (folder / "acme.yaml").write_text(text, encoding="utf-8")
    return fingerprints.of(params.read(folder / "acme.yaml"), notebooks, without=pages.LESSON)


def changed(before, after):
    return {key for key in before if before[key] != after[key]}


def test_nothing_changes_by_itself(folder):
    assert changed(digests(folder), digests(folder)) == set()


def test_every_key_is_tried():
    assert set(OTHER) == set(params.Client.model_fields)
    assert set(OTHER) > fingerprints.ON_THE_PAGE


@pytest.mark.parametrize("key", sorted(set(OTHER) - SAME))
def test_a_key_of_the_client_file_counts_where_it_is_read(folder, key):
    lines = [line for line in CLIENT.splitlines() if not line.startswith(f"{key}:")]
    text = "\n".join(lines) if key != "data" else CLIENT.split("data:")[0]
    before, after = digests(folder), digests(folder, f"{text}\n{OTHER[key]}\n")
    assert "page" in changed(before, after)
    assert ("client" in changed(before, after)) == (key not in fingerprints.ON_THE_PAGE)
    assert fingerprints.same_chapters(before, after) == (key in fingerprints.ON_THE_PAGE)


# -- data ------------------------------------------------------------------------


def test_data_count_by_content_not_by_date(folder):
    path, before = folder / "exports" / "orders-1.csv", digests(folder)
    state = path.stat()
    os.utime(path, ns=(1, 1))
    assert changed(before, digests(folder)) == set()
    path.write_text("orders-1,orders-7\n", encoding="utf-8")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert path.stat().st_size == state.st_size
    assert changed(before, digests(folder)) == {"data"}


def test_one_file_more_is_other_data(folder):
    before = digests(folder)
    shutil.copy(folder / "exports" / "orders-1.csv", folder / "exports" / "orders-3.csv")
    assert changed(before, digests(folder)) == {"data"}


def test_the_same_data_in_another_secret_place_are_the_same(folder, monkeypatch):
    before = digests(folder)
    shutil.copytree(folder / "exports", folder / "elsewhere")
    monkeypatch.setenv("FOLDER", str(folder / "elsewhere"))
    assert changed(before, digests(folder)) == set()


def test_data_that_are_not_there_are_never_the_same(folder):
    (folder / "exports" / "members.csv").unlink()
    assert digests(folder)["data"] == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("demo://orders", "demo://events"),
        ("package://retention_kit/policies.yaml", "package://retention_kit/presets.yaml"),
    ],
)
def test_what_is_no_file_counts_by_its_name_and_a_package_by_its_file(folder, monkeypatch, one, other):
    text = "as_of: 2024-05-01\ndata: {orders: {source: '%s'}}\n"
    if other.startswith("package"):
        other = "package://retention_kit/cli.py"
    before = digests(folder, text % one)
    assert before["data"]
    assert changed(before, digests(folder, text % one)) == set()
    assert changed(before, digests(folder, text % other)) == {"data"}


# -- notebooks -------------------------------------------------------------------


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "notebooks" / "retention.ipynb"
    path.parent.mkdir()
    shutil.copy(NOTEBOOKS[0], path)
    return path


def edited(path, tag, change):
    """The notebook with its first cell of a tag, or its last, changed."""
    read = nbformat.read(path, as_version=4)
    change(next(cell for cell in read.cells if tag in cell.metadata.get("tags", [])))
    nbformat.write(read, path)


@pytest.mark.parametrize(
    ("tag", "counts"), [("setup", True), ("parameters", True), ("lesson", False), ("solution", False)]
)
def test_cells_count_when_they_run(folder, notebook, tag, counts):
    before = digests(folder, notebooks=[notebook])
    edited(notebook, tag, lambda cell: cell.update(source=f"{cell.source} "))
    assert changed(before, digests(folder, notebooks=[notebook])) == ({"notebooks"} if counts else set())


def test_outputs_saved_in_a_notebook_change_nothing(folder, notebook):
    before = digests(folder, notebooks=[notebook])
    edited(notebook, "setup", lambda cell: cell.update(execution_count=3))
    assert changed(before, digests(folder, notebooks=[notebook])) == set()


# -- the package -----------------------------------------------------------------


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package to write to."""
    copied = tmp_path / "package" / "retention_kit"
    shutil.copytree(Path(params.__file__).parent, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprints, "_PACKAGE", copied)
    forget()
    yield copied
    forget()


def forget():
    """As a new run would."""
    for cached in vars(fingerprints).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()


@pytest.mark.parametrize(
    ("file", "parts"),
    [
        ("retention.py", {"code", "page"}),
        ("intervals.py", {"code", "page"}),
        ("plots/__init__.py", {"code", "page"}),
        ("policies.yaml", {"code", "page"}),
        ("pages.py", {"page"}),
        ("templates/report/page.html.j2", {"page"}),
        ("templates/report/report.css", {"page"}),
        ("playbook.yaml", {"page"}),
    ],
)
def test_a_file_of_the_package_counts_where_it_is_used(folder, package, file, parts):
    before = digests(folder)
    with (package / file).open("a", encoding="utf-8") as opened:
        opened.write("\n")
    forget()
    assert changed(before, digests(folder)) == parts


@pytest.mark.parametrize(
    ("section", "parts"),
    [
        *((section, {"code", "page"}) for section in ("retention", "finding")),
        *((section, {"page"}) for section in ("page", "playbook", "change", "restated", "index")),
    ],
)
def test_words_count_where_they_are_said(folder, package, section, parts):
    before = digests(folder)
    path = package / "catalogue" / "en.yaml"
    text = path.read_text("utf-8")
    assert text.count(f"\n{section}:\n") == 1
    path.write_text(text.replace(f"\n{section}:\n", f"\n{section}:\n  of_a_test: Words.\n"), encoding="utf-8")
    forget()
    assert changed(before, digests(folder)) == parts


def test_a_notebook_that_names_the_package_alone_counts_all_of_it():
    every = {path.stem for path in Path(params.__file__).parent.glob("*.py")}
    assert every <= fingerprints._imported("import retention_kit as rk\n")
    assert fingerprints._imported("from retention_kit import (\n    nps,\n    plots,\n)") == {"nps", "plots"}
    assert fingerprints._imported("import retention_kit.nps\nimport pandas") == {"nps"}


def trees(files):
    """The parsed code of notebooks and of all modules of the package that they use."""
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                yield path.name, ast.parse(cell.source)
    for file in files:
        if file.endswith(".py"):
            yield file, ast.parse((Path(params.__file__).parent / file).read_text("utf-8"))


@pytest.fixture(scope="module")
def used():
    """The files that the chapters use."""
    named = set()
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            named |= fingerprints._imported(cell.source)
    return fingerprints._code_files(named)


def test_every_import_is_followed(used):
    """Found by Python's own parser, which the digests do without: it takes too long for each run."""
    for file, tree in trees(used):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "retention_kit":
                names = [alias.name for alias in node.names] if node.module == "retention_kit" else []
                for name in names or [node.module.split(".")[1]]:
                    assert {f"{name}.py", f"{name}/__init__.py"} & set(used), (file, name)
    assert not {"pages.py", "reports.py", "cli.py"} & set(used)


def test_chapters_read_nothing_that_only_the_page_shows(used):
    for file, tree in trees(set(used) - {"params.py"}):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                asked = node.value.id == "client" and node.attr in fingerprints.ON_THE_PAGE
                assert not asked, f"{file} reads client.{node.attr}"
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                of_the_page = tuple(f"{section}." for section in fingerprints._WORDS_OF_THE_PAGE)
                assert not node.value.startswith(of_the_page), f"{file} says {node.value}"
