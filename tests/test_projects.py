"""A consultant's project: made once, run at once, and never written over."""

import contextlib
import importlib.util
import json
import os
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from retention_kit import codeframes, kernels, params, projects, wheels
from retention_kit.cli import app
from retention_kit.exceptions import ParamsError, ReportError


@pytest.fixture
def project(tmp_path):
    projects.init(tmp_path / "reports")
    return tmp_path / "reports"


def test_a_project_holds_what_a_consultant_needs(project):
    assert sorted(path.relative_to(project).as_posix() for path in project.rglob("*")) == [
        ".gitignore",
        "README.md",
        "codeframes",
        *(f"codeframes/{language}.yaml" for language in codeframes.starters()),
        "data",
        "notebooks",
        *(f"notebooks/{chapter}.ipynb" for chapter in sorted(params.CHAPTERS)),
        "params",
        "params/_defaults.yaml",
        "params/demo.yaml",
    ]
    assert params.read(project / "params" / "demo.yaml").chosen == list(params.CHAPTERS)


def test_git_leaves_data_reports_and_working_copies_alone(project):
    lines = (project / ".gitignore").read_text("utf-8").splitlines()
    assert {"/data/", "/outputs/", "/lab/"} < set(lines)


def test_what_is_there_is_named_and_stays(tmp_path):
    for name in ("a.xlsx", "b.txt", "c.txt", "d.txt", ".git"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    with pytest.raises(ParamsError) as error:
        projects.init(tmp_path)
    assert str(error.value) == (
        f"{tmp_path} is not empty: it has a.xlsx, b.txt, c.txt and 1 more. "
        "Nothing was written; name a new folder."
    )
    assert len(list(tmp_path.iterdir())) == 5


def test_an_empty_folder_under_git_may_become_a_project(tmp_path):
    (tmp_path / ".git").mkdir()
    assert projects.init(tmp_path) == tmp_path / "params" / "demo.yaml"


def test_a_file_in_the_way_is_one_line(tmp_path):
    (tmp_path / "reports").write_text("", encoding="utf-8")
    with pytest.raises(ParamsError, match=r"reports is a file\. Name a new folder\.$"):
        projects.init(tmp_path / "reports")
    with pytest.raises(ParamsError, match=r"inside cannot be written: Not a directory\.$"):
        projects.init(tmp_path / "reports" / "inside")


def test_a_chapter_of_the_project_goes_before_the_packages(project):
    client = project / "params" / "old" / "acme.yaml"
    assert projects.notebook(client, "nps") == project / "notebooks" / "nps.ipynb"
    (project / "notebooks" / "nps.ipynb").unlink()
    assert projects.notebook(client, "nps") == wheels.shipped("notebooks") / "nps.ipynb"


def test_a_client_file_outside_a_project_has_the_packages_chapters(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "nps.ipynb").write_text("{}", encoding="utf-8")
    assert projects.root(tmp_path / "acme.yaml") is None
    assert projects.notebook(tmp_path / "acme.yaml", "nps") == wheels.shipped("notebooks") / "nps.ipynb"


def filled(folder, chapter):
    cells = nbformat.read(folder / f"{chapter}.ipynb", as_version=4).cells
    names = {}
    exec(cells[1].source, names)
    return {name: names[name] for name in kernels.parameters_of(folder / f"{chapter}.ipynb")}


def test_the_lab_has_the_clients_chapters_with_its_parameters(project, monkeypatch):
    folder = projects.lab(str(project / "params" / "demo.yaml"), as_of="2024-08-01")
    assert folder == project / "lab" / "demo"
    assert sorted(path.stem for path in folder.iterdir()) == sorted(params.CHAPTERS)
    told = filled(folder, "retention")
    assert told["client"] == "../../params/demo.yaml"
    assert (told["as_of"], told["by"], told["inactive_after"]) == ("2024-08-01", "channel", 90)
    monkeypatch.chdir(folder)  # where a notebook's kernel is
    assert params.read(told["client"], as_of=told["as_of"]).as_of == "2024-08-01"


def test_the_lab_leaves_a_students_work_as_it_is(project):
    folder = projects.lab(str(project / "params" / "demo.yaml"))
    (folder / "nps.ipynb").write_text("mine", encoding="utf-8")
    (folder / "clv.ipynb").unlink()
    projects.lab(str(project / "params" / "demo.yaml"))
    assert (folder / "nps.ipynb").read_text("utf-8") == "mine"
    assert (folder / "clv.ipynb").is_file()


def test_outside_a_project_the_lab_is_where_one_is(tmp_path, monkeypatch):
    told = {"client": "acme", "as_of": "2024-07-01", "data": {"responses": {"source": "demo://responses"}}}
    (tmp_path / "acme.yaml").write_text(json.dumps(told), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    folder = projects.lab("acme.yaml")
    assert folder == tmp_path / "lab" / "acme"
    assert filled(folder, "nps")["client"] == str(tmp_path / "acme.yaml")


def test_where_jupyterlab_is_missing_the_line_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ReportError) as error:
        projects.open_lab(tmp_path)
    assert str(error.value) == (
        f"JupyterLab is not installed. Type: pip install jupyterlab. The notebooks are in {tmp_path}."
    )


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A JupyterLab that does what it is written to do."""

    def write(*lines):
        (tmp_path / "jupyterlab").mkdir()
        (tmp_path / "jupyterlab" / "__init__.py").touch()
        text = "\n".join(["import os, signal, sys, time", *lines])
        (tmp_path / "jupyterlab" / "__main__.py").write_text(text, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "jupyterlab")
        return tmp_path

    return write


def test_jupyterlab_is_opened_on_the_folder_and_its_exit_code_kept(project, stand_in):
    told = stand_in(
        "open(sys.argv[-1], 'w', encoding='utf-8').write('\\n'.join(sys.argv[1:]))", "sys.exit(3)"
    )
    line = ["lab", str(project / "params" / "demo.yaml"), "--", "--no-browser", str(told / "argv")]
    assert CliRunner().invoke(app, line).exit_code == 3
    argv = (told / "argv").read_text("utf-8").splitlines()
    assert argv == [str(project / "lab" / "demo"), "--no-browser", str(told / "argv")]


@pytest.mark.skipif(os.name == "nt", reason="a signal there ends whom it reaches")
def test_jupyterlab_itself_answers_ctrl_c(tmp_path, stand_in):
    """It asks whether its kernels shall end: until it has, the command line waits."""
    told = stand_in(
        "os.kill(os.getppid(), signal.SIGINT)", "time.sleep(1)", "open('asked', 'w').close()", "sys.exit(4)"
    )
    with contextlib.chdir(told):
        assert projects.open_lab(tmp_path) == 4
    assert (told / "asked").is_file()


def test_the_readme_names_only_commands_that_exist():
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    text = (Path(projects.__file__).parent / "templates" / "project" / "README.md").read_text("utf-8")
    typed = {line.split()[1] for line in text.splitlines() if line.startswith("retention-kit ")}
    assert typed
    assert typed <= known
