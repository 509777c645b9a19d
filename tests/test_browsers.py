"""An installed browser prints a report: found wherever it is, ended when it hangs, whole files or a line."""

import os
import time
from pathlib import Path

import pytest

from retention_kit import browsers
from retention_kit.exceptions import ReportError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the browsers of these tests are shell scripts")

PRINTS = 'for word; do case $word in --print-to-pdf=*) printf "%%PDF-1.4" > "${word#*=}";; esac; done'


def install(folder: Path, name: str, does: str) -> Path:
    """A browser that does what it is told to."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def page(tmp_path):
    (tmp_path / "report.html").write_text("<h1>A report</h1>", encoding="utf-8")
    (tmp_path / "report.pdf").write_bytes(b"%PDF-old")
    return tmp_path / "report.html"


def printed(does, page, **how):
    browser = install(page.parent / "bin", "chromium", does)
    browsers.print_pdf(browser, page, page.with_suffix(".pdf"), **how)


def test_any_of_the_three_is_found_on_the_path(tmp_path, monkeypatch):
    edge = install(tmp_path / "one", "microsoft-edge", "")
    chrome = install(tmp_path / "two", "google-chrome", "")
    monkeypatch.setenv("PATH", f"{tmp_path / 'one'}")
    assert browsers.find() == edge
    monkeypatch.setenv("PATH", f"{tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}")
    assert browsers.find() == chrome


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        ("PROGRAMFILES", "Google/Chrome/Application/chrome.exe"),
        ("PROGRAMFILES(X86)", "Microsoft/Edge/Application/msedge.exe"),
        ("HOME", "Applications/Chromium.app/Contents/MacOS/Chromium"),
    ],
)
def test_it_is_found_where_windows_and_macos_have_it(variable, place, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(variable, str(tmp_path))
    path = tmp_path / place
    installed = install(path.parent, path.name, "")
    assert browsers.find() == installed


def test_where_there_is_none_a_line_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ReportError) as error:
        browsers.find()
    assert str(error.value) == (
        "A PDF needs Chromium, Chrome or Edge, and none is installed. "
        "Install one, or open report.html in any browser and print it."
    )


def test_it_prints_offline_in_a_profile_that_is_gone_afterwards(page):
    printed(f'{PRINTS}; echo "$@" > "{page.parent}/words"', page)
    assert page.with_suffix(".pdf").read_bytes() == b"%PDF-1.4"
    words = (page.parent / "words").read_text("utf-8").split()
    assert "--proxy-server=127.0.0.1:9" in words
    assert words[-1] == page.as_uri()
    [profile] = [word.partition("=")[2] for word in words if word.startswith("--user-data-dir=")]
    assert not Path(profile).exists()


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("echo first >&2; echo 'no display' >&2; exit 1", "chromium wrote no PDF of report.html. no display"),
        (PRINTS.replace("%%PDF", "HTML"), "chromium wrote no PDF of report.html."),
    ],
)
def test_a_browser_that_prints_nothing_leaves_the_old_file_and_says_why(does, said, page):
    with pytest.raises(ReportError) as error:
        printed(does, page)
    assert str(error.value) == said
    assert page.with_suffix(".pdf").read_bytes() == b"%PDF-old"
    assert sorted(path.name for path in page.parent.iterdir()) == ["bin", "report.html", "report.pdf"]


def test_a_browser_that_hangs_is_ended_with_all_it_has_started(page):
    began = time.monotonic()
    with pytest.raises(ReportError, match=r"did not print the report within 0\.3 s\. Print it by hand\."):
        printed(f'sleep 30 & echo $! > "{page.parent}/child"; wait', page, seconds=0.3)
    assert time.monotonic() - began < 10
    child = int((page.parent / "child").read_text("utf-8"))
    status = Path(f"/proc/{child}/stat")
    until = time.monotonic() + 5
    while (
        status.exists() and status.read_text(encoding="utf-8").split()[2] != "Z" and time.monotonic() < until
    ):
        time.sleep(0.02)
    assert not status.exists() or status.read_text(encoding="utf-8").split()[2] == "Z"
