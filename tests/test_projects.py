"""A consultant's project: made once, run at once, and never written over."""

from pathlib import Path

import pytest

from retention_kit import params, projects, wheels
from retention_kit.exceptions import ParamsError


@pytest.fixture
def project(tmp_path):
    projects.init(tmp_path / "reports")
    return tmp_path / "reports"


def test_a_project_holds_what_a_consultant_needs(project):
    assert sorted(path.relative_to(project).as_posix() for path in project.rglob("*")) == [
        ".gitignore",
        "README.md",
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


def test_the_readme_names_only_commands_that_exist():
    from retention_kit.cli import app

    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    text = (Path(projects.__file__).parent / "templates" / "project" / "README.md").read_text("utf-8")
    typed = {line.split()[1] for line in text.splitlines() if line.startswith("retention-kit ")}
    assert typed
    assert typed <= known
