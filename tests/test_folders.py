"""A folder is replaced whole or not at all."""

import errno
import os
import re
from pathlib import Path

import pytest

from retention_kit import folders
from retention_kit.exceptions import ReportError


def test_a_new_report_takes_the_place_of_the_old_in_one_step(tmp_path):
    final = tmp_path / "2024-05-01"
    for text in ("first", "second"):
        with folders.replacing(final) as folder:
            (folder / "report.html").write_text(text, encoding="utf-8")
    assert (final / "report.html").read_text("utf-8") == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["2024-05-01"]


def test_what_fails_half_way_leaves_the_old(tmp_path):
    final = tmp_path / "2024-05-01"
    with folders.replacing(final) as folder:
        (folder / "report.html").write_text("first", encoding="utf-8")
    with pytest.raises(OSError, match="disk full"), folders.replacing(final) as folder:
        (folder / "report.html").write_text("half", encoding="utf-8")
        raise OSError("disk full")
    assert (final / "report.html").read_text("utf-8") == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["2024-05-01"]


def test_a_report_lies_inside_its_output_folder(tmp_path):
    with pytest.raises(ReportError) as error:
        folders.report(tmp_path / "outputs", "../escaped", "2024-05-01")
    assert str(error.value) == f"{tmp_path}/outputs/../escaped is not inside {tmp_path}/outputs."


def test_a_failure_is_told_beside_the_report():
    assert folders.failed(Path("outputs/acme/2024-05-01")) == Path("outputs/acme/2024-05-01-failed")


def test_a_folder_is_for_one_run_at_a_time(tmp_path):
    home = tmp_path / "outputs" / "acme"
    with folders.held(home):
        with pytest.raises(ReportError) as error, folders.held(home):
            pass
        (home / "2024-05-01").mkdir()
    since = r"since \d{4}-\d\d-\d\d \d\d:\d\d"
    by = rf"A report of acme is being made by process {os.getpid()} {since}\. Wait until it is done\."
    assert re.fullmatch(by, str(error.value))
    with folders.held(home):
        assert {path.name for path in home.iterdir()} == {"2024-05-01", ".lock"}
    assert [path.name for path in home.iterdir()] == ["2024-05-01"]


def test_a_folder_in_which_nothing_was_written_goes(tmp_path):
    with folders.held(tmp_path / "acme"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("replaced", [False, True])
def test_what_a_killed_run_left_is_put_right(tmp_path, replaced):
    """It was killed while the new report took the old one's place: before, or after it was there."""
    for name in (".2024-05-01-0a1b2c3d", ".2024-05-01-0a1b2c3d-old", ".2024-05-01-failed-00000000", ".kept"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.html").write_text(name, encoding="utf-8")
    if replaced:
        os.rename(tmp_path / ".2024-05-01-0a1b2c3d", tmp_path / "2024-05-01")
    with folders.held(tmp_path):
        there = sorted(path.name for path in tmp_path.iterdir())
    assert there == [".kept", ".lock", "2024-05-01"]
    assert (tmp_path / "2024-05-01" / "report.html").read_text("utf-8") == (
        ".2024-05-01-0a1b2c3d" if replaced else ".2024-05-01-0a1b2c3d-old"
    )


def test_two_clients_of_one_name_are_told(tmp_path):
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    wanted = [
        ("a", "2024-05-01", one),
        ("a", "2024-06-01", two),
        ("a", "2024-05-01", two),
        ("a", "2024-05-01", one),
    ]
    assert folders.twins(wanted) == [
        "",
        "",
        "two.yaml and one.yaml are both client 'a'. Give one another id.",
        "one.yaml is named twice. Name it once.",
    ]


def test_a_workbook_that_is_open_on_windows_is_to_be_closed():
    """Windows moves no folder of which a file is open, and a workbook in Excel is."""
    error = PermissionError(errno.EACCES, "Access is denied")
    error.winerror = 5
    assert folders.not_written(Path("outputs/acme"), error) == (
        "outputs/acme: access is denied. Close what of it is open, such as its workbook, and run again, "
        "or name another folder with --out."
    )
