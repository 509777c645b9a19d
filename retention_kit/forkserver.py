"""A warm process that forks one for each notebook: imports are paid once, and no notebook meets another.

The server is started clean, never forked from the driver, whose threads and locks a fork would copy
half-way. It has one thread, no data and no connection of its own when it forks. Who starts it holds
`Server`; the lower half of the module is the server itself, `python -m retention_kit.forkserver FD`.
"""

import codecs
import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import retention_kit

#: Where a cell's figures go, as in any Jupyter kernel.
INLINE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
# Threads do not survive a fork: not numpy's, nor those of the allocator that comes with Arrow.
_ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
# Which the packages that chapters use import only when they need them.
_LATE_IMPORTS = (
    "contourpy",
    "ibis.backends.duckdb.converter",
    "ibis.expr.types.groupby",
    "ibis.formats.pandas",
    "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape",
    "pandas.io.formats.string",
    "pyarrow.dataset",
)
_STREAMS = ("stdout", "stderr")
_PR_SET_PDEATHSIG = 1  # of prctl(2)
_START = 120  # seconds the imports may take on the slowest of machines
_GOODBYE = 5  # seconds a server may take to end before it is ended


class Died(Exception):
    """The forked process ended by itself: its exit code, below zero a signal's number, None if not known."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class NotStarted(Exception):
    """There is no warm server to fork from; the text says why."""


def hindrance() -> str:
    """Why a process cannot be forked here; nothing where it can.

    macOS has `fork`, but its own libraries are not safe after it.
    """
    return "" if sys.platform == "linux" else f"a warm start needs Linux, and this is {sys.platform}"


class Server:
    """The warm process, from outside. It imports while others work, and forks when it is ready.

    It ends, with every process it forked, when it is closed and when its driver dies, however it dies.
    """

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the server lives
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                env=INLINE | os.environ | _ONE_THREAD,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the driver, who knows what to finish
            )

    def fork(self, folder: Path, env: Mapping[str, str]) -> "Forked":
        """A process for one notebook, once the server is ready; what it prints is kept in files of `folder`.

        Raises
        ------
        NotStarted
            When there is no server to fork it.
        """
        forked = None
        try:
            forked = Forked(self._control, folder, env)
            forked.wait_for_start()
        except (OSError, Died, TimeoutError):
            if forked is not None:
                forked.close()
            raise NotStarted(self._last_words()) from None
        return forked

    def close(self) -> None:
        """End the server and all that it forked."""
        self._process.terminate()
        try:
            self._process.wait(_GOODBYE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._control.close()
        self._said.close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GOODBYE)
        lines = os.pread(self._said.fileno(), 100_000, 0).decode(errors="replace").split("\n")
        words = next((line.strip() for line in reversed(lines) if line.strip()), "it ended without a word")
        return f"the warm server did not start: {words}"


class Forked:
    """One notebook's process, from outside: it is sent a cell, and answers in Jupyter's messages.

    What it prints it writes to files. So nothing blocks it, nothing that was printed is lost when it is
    killed, and what C libraries and subprocesses print is there too, in its place.
    """

    def __init__(self, control: socket.socket, folder: Path, env: Mapping[str, str]) -> None:
        self._conn, theirs = socket.socketpair()
        self._status, status = os.pipe()
        self._printed = {name: _Printed(folder / name) for name in _STREAMS}
        self._told = b""  # by the server: the process's number and, once it has ended, its exit code
        self._received = bytearray()
        self._poll = select.poll()
        self._poll.register(self._conn, select.POLLIN)
        self._poll.register(self._status, select.POLLIN)
        os.set_blocking(self._status, False)
        files = [printed.fileno() for printed in self._printed.values()]
        try:
            socket.send_fds(control, [b"fork"], [theirs.fileno(), status, *files])
        finally:
            theirs.close()
            os.close(status)
        self._send({"cwd": os.getcwd(), "env": dict(env)})

    def wait_for_start(self) -> None:
        until = time.monotonic() + _START
        while not self._told:
            self._wait(until)

    def run(self, source: str, timeout: float | None = None) -> Iterator[dict[str, Any]]:
        """What a cell shows, message by message; the last one is its `reply`.

        Raises
        ------
        TimeoutError
            After `timeout` seconds. The process still runs.
        Died
            When the process has ended.
        """
        until = None if timeout is None else time.monotonic() + timeout
        self._send({"source": source})
        while True:
            for message in self._messages():
                if message["type"] == "printed":
                    yield from self._streams(message["content"])
                else:
                    yield message
                if message["type"] == "reply":
                    return
            try:
                self._wait(until)
            except (TimeoutError, Died):
                yield from self._streams(dict.fromkeys(_STREAMS))
                raise

    def kill(self) -> None:
        """End the process, and those that it started, at once."""
        self._listen()
        if self._pid is not None and self._code is None:
            _kill_group(self._pid)

    def close(self) -> None:
        """End the process, if it still runs, and forget it."""
        if self._conn.fileno() < 0:
            return
        self.kill()
        until = time.monotonic() + _GOODBYE
        with contextlib.suppress(Died, TimeoutError):
            while True:  # until it has: it must not write into a folder that is being removed
                self._wait(until)
        self._conn.close()
        os.close(self._status)
        for printed in self._printed.values():
            printed.close()

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # it has ended; what it left, and how it ended, is read next
            self._conn.sendall(json.dumps(message).encode() + b"\n")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while (end := self._received.find(b"\n")) >= 0:
            line = bytes(self._received[:end])
            del self._received[: end + 1]
            yield json.loads(line)

    def _wait(self, until: float | None) -> None:
        """Until there is something new: messages first, and only when none are left, its end."""
        ready = dict(self._poll.poll(None if until is None else 1000 * max(until - time.monotonic(), 0)))
        if not ready:
            raise TimeoutError
        if self._conn.fileno() in ready:
            received = b""
            with contextlib.suppress(ConnectionError):
                received = self._conn.recv(1 << 20)
            if not received:
                self._poll.unregister(self._conn)
            self._received += received
        elif self._listen():
            raise Died(self._code)

    def _listen(self) -> bool:
        """Hear what the server tells of the process; whether it has ended, or the server has."""
        try:
            told = os.read(self._status, 100)
        except BlockingIOError:
            return self._code is not None
        self._told += told
        return not told or self._code is not None

    @property
    def _pid(self) -> int | None:
        return int(self._told.split()[0]) if self._told else None

    @property
    def _code(self) -> int | None:
        told = self._told.split()
        return int(told[1]) if len(told) > 1 else None

    def _streams(self, ends: Mapping[str, int | None]) -> Iterator[dict[str, Any]]:
        for name, end in ends.items():
            if text := self._printed[name].up_to(end):
                yield {"type": "stream", "content": {"name": name, "text": text}}


class _Printed:
    """The file in which one of a process's streams is kept, read bit by bit."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab+")
        self._read = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def fileno(self) -> int:
        return self._file.fileno()

    def up_to(self, end: int | None) -> str:
        """What is new up to an end, or all there is."""
        end = os.fstat(self.fileno()).st_size if end is None else end
        new = os.pread(self.fileno(), end - self._read, self._read)
        self._read += len(new)
        return self._decoder.decode(new)

    def close(self) -> None:
        self._file.close()


# -- the server ----------------------------------------------------------------


def _serve(control: socket.socket) -> None:
    """Fork when asked, tell how each child ended, and end with the driver."""
    _warm()
    children: dict[int, int] = {}
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
    try:
        while True:
            ready, _, _ = select.select([control, wake], [], [])
            if wake in ready:
                wake.recv(4096)
                _reap(children)
            if control in ready:
                asked, fds, _, _ = socket.recv_fds(control, 16, 2 + len(_STREAMS))
                if not asked:
                    return
                _fork(fds, children, inherited=[control, wake, waker])
    finally:
        for pid in children:
            _kill_group(pid)


def _fork(fds: list[int], children: dict[int, int], inherited: list[socket.socket]) -> None:
    conn, status, *streams = fds
    server = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _die_with(server)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            for fd, stream in enumerate(streams, start=1):
                os.dup2(stream, fd)
            for fd in (status, *streams, *children.values()):
                os.close(fd)
            for one in inherited:
                one.close()
            from retention_kit import shells

            shells.run(socket.socket(fileno=conn))
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)
    os.setpgid(pid, pid)
    children[pid] = status
    os.write(status, b"%d\n" % pid)
    for fd in (conn, *streams):
        os.close(fd)


def _die_with(server: int) -> None:
    """Be a group of one's own, and end when the server ends, however it does."""
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:  # it has ended already
        os._exit(1)


def _reap(children: dict[int, int]) -> None:
    """Tell how a child ended, and end what it started and left: it may hold a client's data."""
    for pid, status in list(children.items()):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            _kill_group(pid)
            _, ended = os.waitpid(pid, 0)
            with contextlib.suppress(OSError):  # nobody listens any more
                os.write(status, b"%d\n" % os.waitstatus_to_exitcode(ended))
            os.close(status)
            del children[pid]


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _warm() -> None:
    """Import what chapters import; nothing that starts a thread, opens a connection or reads a client's data.

    It is imported as from a cell: pandas, for one, asks there and then whether it is in a notebook.
    """
    gc.disable()  # nothing of what is imported is ever garbage, and looking for it takes a fifth of the time
    from retention_kit import shells

    with shells.prepare().builtin_trap:
        for name in retention_kit.__all__:
            if name != "reports":
                importlib.import_module(f"retention_kit.{name}")
        for name in _LATE_IMPORTS:
            importlib.import_module(name)
    import duckdb

    shells.rehearse()
    duckdb.default_connection().close()  # comes with the module, and with a thread
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        sys.exit(f"it has {threads} threads, which a fork would lose")
    gc.freeze()
    gc.enable()


if __name__ == "__main__":
    try:
        _serve(socket.socket(fileno=int(sys.argv.pop())))
    except SystemExit as end:
        if end.code:
            raise
    os._exit(0)  # to take apart all that was imported takes longer than to end
