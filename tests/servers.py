"""A PostgreSQL of the tests' own: an empty cluster in a temporary folder, on a free port of this machine."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
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
    """The address of a running server with an empty database, stopped and removed at the end."""
    folder = programs()
    assert folder is not None
    owner = _owner()
    home = Path(tempfile.mkdtemp(prefix="pg_"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-p {port} -h 127.0.0.1 -k {home} -c fsync=off -c full_page_writes=off"

    def run(program: str, *said: str) -> None:
        line = [str(folder / program), "-D", str(home / "data"), *said]
        done = subprocess.run(line, user=owner, cwd=home, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    try:
        if owner:
            shutil.chown(home, owner)
        run("initdb", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
        run("pg_ctl", "-w", "-l", str(home / "log"), "-o", options, "start")
        try:
            yield f"postgres://tester:unused-word@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _owner() -> str | None:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
