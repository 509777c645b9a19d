"""What executes the notebooks of a run: processes forked from a warm one, or papermill's kernels."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol

from retention_kit import forkserver

Name = Literal["warm", "papermill"]


class Process(Protocol):
    """A notebook's process, whichever engine started it."""

    def kill(self) -> None: ...


class Engine:
    """An engine and all the processes it has running; nothing of it is left when it is closed.

    A warm one starts at once, in a process of its own, and is ready when the first notebook is.
    Where it cannot be had, notebooks are executed by papermill's kernels, and `reason` says why.

    Parameters
    ----------
    name : "warm" or "papermill"
        The engine that is wanted. Afterwards the attribute `name` is the one that is used.

    Attributes
    ----------
    name : str
        The engine that executes what is executed from now on.
    reason : str
        Why that is not the one that was wanted; else "".
    killed : bool
        Whether its notebooks were ended before their end.
    """

    def __init__(self, name: Name = "warm") -> None:
        self.name = name
        self.reason = ""
        self.killed = False
        self._running: set[Process] = set()
        self._lock = threading.Lock()
        self._server: forkserver.Server | None = None
        if name == "warm" and not self._fall_back(forkserver.hindrance()):
            self._server = forkserver.Server()

    def fork(self, folder: Path, env: Mapping[str, str]) -> forkserver.Forked | None:
        """A process forked from the warm one, or None where a kernel has to do."""
        if self._server is None or self.name != "warm":
            return None
        try:
            return self._server.fork(folder, env)
        except forkserver.NotStarted as error:
            self._fall_back(str(error))
            return None

    @contextlib.contextmanager
    def running(self, process: Process) -> Iterator[None]:
        """Within it, the process is one that `kill` ends."""
        with self._lock:
            self._running.add(process)
            killed = self.killed
        try:
            if killed:
                process.kill()
            yield
        finally:
            with self._lock:
                self._running.discard(process)

    def kill(self) -> None:
        """End every notebook that is running, with all that it started, and any that is still to come."""
        with self._lock:  # so that none of them is forgotten, and its number given to another, meanwhile
            self.killed = True
            for process in self._running:
                process.kill()

    def close(self) -> None:
        """End what is still running, and the warm process."""
        self.kill()
        if self._server is not None:
            self._server.close()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _fall_back(self, reason: str) -> bool:
        if reason:
            self.name, self.reason = "papermill", reason
        return bool(reason)
