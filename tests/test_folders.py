"""A folder is replaced whole or not at all."""

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
