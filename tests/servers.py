"""A PostgreSQL of the tests' own: an empty cluster in a temporary folder, on a free port of this machine.

Run as a program it watches over one: when the process that started it ends, so does the server.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


def programs() -> Path | None:
    """Where the server's programs are; None where none is installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The address of a running server with an empty database, stopped and removed at the end.

    However this process ends: one that is killed cannot tidy up, so another one watches over it.
    """
    folder = programs()
    assert folder is not None
    owner = _owner()
    home = Path(tempfile.mkdtemp(prefix="pg_"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-p {port} -h 127.0.0.1 -k {home} -c fsync=off -c full_page_writes=off"
    watching = [sys.executable, __file__, str(os.getpid()), str(folder), str(home)]
    watch = subprocess.Popen(watching, start_new_session=True)  # what ends all of a group leaves it alone
    try:
        if owner:
            shutil.chown(home, owner)
        new = ("-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
        _run(folder / "initdb", home, *new)
        _run(folder / "pg_ctl", home, "-w", "-l", str(home / "log"), "-o", options, "start")
        try:
            yield f"postgres://tester:unused-word@127.0.0.1:{port}/postgres"
        finally:
            _run(folder / "pg_ctl", home, "-m", "immediate", "stop")
    finally:
        watch.kill()
        watch.wait()
        shutil.rmtree(home, ignore_errors=True)


def _run(program: Path, home: Path, *said: str) -> None:
    line = [str(program), "-D", str(home / "data"), *said]
    done = subprocess.run(line, user=_owner(), cwd=home, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def _owner() -> str | None:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _watch(process: int, folder: Path, home: Path) -> None:
    """Wait until the process is this one's parent no more, then end what it would have ended."""
    while os.getppid() == process:
        time.sleep(0.5)
    with contextlib.suppress(AssertionError):  # it had not started yet, or had stopped
        _run(folder / "pg_ctl", home, "-m", "immediate", "stop")
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    _watch(int(sys.argv[1]), *map(Path, sys.argv[2:]))
