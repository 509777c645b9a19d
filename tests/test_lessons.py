"""A lesson as a run makes it: a page, notebooks and a zip, beside the report and never in its place."""

import zipfile

import pytest

from retention_kit import projects, reports

CLIENT = """\
client: {name}
title: A survey
as_of: 2024-07-01
data: {{responses: {{source: "demo://responses"}}, customers: {{source: "demo://customers"}}}}
options: {{nps: {options}}}
"""


def made(home, edition, engine, *, name="survey", options="{by: segment}"):
    (home / "params").mkdir(exist_ok=True)
    path = home / "params" / f"{name}.yaml"
    path.write_text(CLIENT.format(name=name, options=options), encoding="utf-8")
    return reports.run([path], out=home / "outputs", edition=edition, engine=engine)[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("lessons")


@pytest.fixture(scope="module")
def lesson(home, warm):
    return made(home, "lesson", warm)


def test_a_lesson_is_a_page_notebooks_and_a_zip_in_a_folder_of_its_own(lesson, home):
    folder = home / "outputs" / "survey" / "2024-07-01-lesson"
    assert (lesson.report, lesson.handout, lesson.reason) == (
        folder / "lesson.html",
        folder / "handout.zip",
        "",
    )
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == [
        "handout.zip",
        "lesson.html",
        "notebooks",
        "notebooks/nps.ipynb",
    ]


def test_a_student_has_the_code_the_parameters_and_a_sealed_check(lesson):
    page, notebook = (
        path.read_text("utf-8") for path in (lesson.report, lesson.report.parent / "notebooks" / "nps.ipynb")
    )
    with zipfile.ZipFile(lesson.handout) as archive:
        handed = archive.read("lesson/notebooks/nps.ipynb").decode()
    assert handed == notebook.rstrip("\n")
    for told in (page, notebook):
        assert "survey/nps/1:" in told
        assert "width = 2" not in told  # the answer as the teacher's check works it out
        assert "ten people settle nothing" not in told  # the solution
        assert "segment" in told
        assert str(lesson.report.parents[3]) not in told


def test_a_teacher_has_the_solutions_and_no_zip(home, warm):
    full = made(home, "full", warm)
    assert full.report == home / "outputs" / "survey" / "2024-07-01-full" / "lesson.html"
    assert full.handout is None
    notebook = (full.report.parent / "notebooks" / "nps.ipynb").read_text("utf-8")
    for told in (full.report.read_text("utf-8"), notebook):
        assert "ten people settle nothing" in told


def test_a_lesson_that_fails_is_one_line_and_no_failed_report(tmp_path, warm):
    projects.init(tmp_path)
    notebook = tmp_path / "notebooks" / "nps.ipynb"
    told = notebook.read_text("utf-8").replace(r"\"nps: the end\"", "1 / 0")
    notebook.write_text(told, encoding="utf-8")
    failed = made(tmp_path, "lesson", warm, name="other")
    assert failed.report is None
    assert "ZeroDivisionError" in failed.reason
    assert list(tmp_path.rglob("run.json")) == []
