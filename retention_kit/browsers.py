"""An installed browser as a printer: `report.html` to `report.pdf`, with nothing fetched on the way."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from retention_kit.exceptions import ReportError

_SECONDS = 120  # a page takes two or three; a machine may be busy

_NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("microsoft-edge", "microsoft-edge-stable", "msedge"),
)
# Where they are on Windows and macOS, which do not put them on the path.
_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
_ON_WINDOWS = (
    *("Google/Chrome/Application/chrome.exe", "Chromium/Application/chrome.exe"),
    *("Microsoft/Edge/Application/msedge.exe",),
)
_ON_MACOS = ("Google Chrome", "Chromium", "Microsoft Edge")


def find() -> Path:
    """The first of Chromium, Chrome and Edge that is installed.

    Raises
    ------
    ReportError
        When there is none.
    """
    for place in _places():
        if place.is_file():
            return place
    raise ReportError(
        "A PDF needs Chromium, Chrome or Edge, and none is installed. "
        "Install one, or open report.html in any browser and print it."
    )


def _places() -> Iterator[Path]:
    yield from (Path(found) for name in _NAMES if (found := shutil.which(name)))
    for folder in filter(None, map(os.environ.get, _FOLDERS)):
        yield from (Path(folder) / name for name in _ON_WINDOWS)
    for folder in (Path("/Applications"), Path.home() / "Applications"):
        yield from (folder / f"{name}.app" / "Contents" / "MacOS" / name for name in _ON_MACOS)


def print_pdf(browser: Path, page: Path, pdf: Path, *, seconds: float = _SECONDS) -> None:
    """Print a page to a PDF, in a profile of its own and without a network; whole, or not at all.

    Raises
    ------
    ReportError
        When the browser does not finish in time, or writes no PDF.
    """
    made = pdf.with_name(f"{pdf.stem}.part.pdf").resolve()
    # A browser that is told to stop leaves processes behind that may still write to its profile.
    with tempfile.TemporaryDirectory(prefix="retention-kit-pdf-", ignore_cleanup_errors=True) as profile:
        command = [
            str(browser),
            *_how(Path(profile)),
            f"--print-to-pdf={made}",
            page.resolve().as_uri(),
        ]
        try:
            said = _run(command, browser.stem, seconds)
            if not made.is_file() or not made.read_bytes().startswith(b"%PDF-"):
                raise ReportError(f"{browser.stem} wrote no PDF of {page.name}. {said}".strip())
            os.replace(made, pdf)
        finally:
            made.unlink(missing_ok=True)


def _how(profile: Path) -> list[str]:
    how = [
        *("--headless", "--disable-gpu", "--hide-scrollbars", "--mute-audio"),
        *("--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", "--disable-default-apps"),
        *("--no-pdf-header-footer", "--generate-pdf-document-outline", f"--user-data-dir={profile}"),
        # The page asks for nothing; the browser itself shall not either.
        *("--proxy-server=127.0.0.1:9", "--proxy-bypass-list=<-loopback>"),
    ]
    # It refuses its own sandbox to root, as in a container. The page holds no script.
    return [*how, "--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else how


def _run(command: list[str], name: str, seconds: float) -> str:
    """Run to the end; the last line it said. Past the deadline the whole group of processes is ended."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            _, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            raise ReportError(
                f"{name} did not print the report within {seconds:g} s. Print it by hand."
            ) from None
        except BaseException:  # Ctrl-C: nothing of it stays behind
            _end(process)
            raise
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _end(process: subprocess.Popen) -> None:
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
