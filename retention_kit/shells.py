"""The shell in which a forked notebook's cells run: Jupyter's own, with files and a pipe for its sockets."""

import asyncio
import builtins
import ctypes
import getpass
import io
import json
import os
import random
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from ipykernel import zmqshell
from ipykernel.compiler import XCachingCompiler
from IPython.core.error import StdinNotImplementedError, UsageError
from jupyter_client.session import Session
from traitlets.config import Config


def prepare() -> "ZMQInteractiveShell":
    """The shell, made before the fork, when it has seen no cell yet."""
    return ZMQInteractiveShell.instance(
        config=Config(HistoryManager={"enabled": False}),  # else it opens a database and starts a thread
        compiler_class=XCachingCompiler,
    )


def rehearse() -> None:
    """Read what is read at first use and then kept: our own files, each language's signs, fonts."""
    from retention_kit import catalogues, company, company_truth, exhibits, policies, sentences

    policies.named("house")
    frame = company.Company(company_truth.Truth(customers=50))["responses"]
    for language in catalogues.languages():
        voice = sentences.Voice(language=language, currency="EUR")
        for unit in ("money", "share", "month", "date"):
            voice.format(frame["responded_at"][0] if unit in ("month", "date") else 0.5, unit)
    drawn = exhibits.axes()
    drawn.plot(frame["responded_at"], frame["score"], label="scores")
    drawn.legend()
    exhibits.figure(drawn, name="scores", alt="scores", caption="scores", frame=frame.head(), voice=voice)


def run(conn: socket.socket) -> None:
    """Read cells from the driver and run them, until it is gone."""
    asyncio.run(_serve(conn))


async def _serve(conn: socket.socket) -> None:
    """One cell after another; between them, what the notebook left in the event loop may go on."""
    requests = _requests(conn)
    given = await anext(requests)
    _settle(given["cwd"], given["env"])
    wire = _Wire(conn)
    sys.stdout = sys.__stdout__ = _Stream(1, after="stderr", wire=wire)
    sys.stderr = sys.__stderr__ = _Stream(2, after="stdout", wire=wire)
    shell = prepare()
    shell.displayhook.session = shell.display_pub.session = wire
    end = SimpleNamespace(call_later=asyncio.get_running_loop().call_later, stop=partial(os._exit, 0))
    shell.kernel = SimpleNamespace(io_loop=end, eventloop=None)  # exit() in a cell ends the process
    async for request in requests:
        wire.tell("execute_input", {"execution_count": shell.execution_count})
        reply = await _executed(shell, request["source"])
        ctypes.CDLL(None).fflush(None)  # what C libraries have printed and still hold back
        wire.mark()
        wire.tell("reply", reply)


async def _requests(conn: socket.socket) -> AsyncIterator[dict[str, Any]]:
    ready = asyncio.Event()
    asyncio.get_running_loop().add_reader(conn, ready.set)
    received = b""
    while True:
        await ready.wait()
        ready.clear()
        new = conn.recv(1 << 16)
        if not new:
            return
        *lines, received = (received + new).split(b"\n")
        for line in lines:
            yield json.loads(line)


def _settle(cwd: str, env: dict[str, str]) -> None:
    """Leave nothing of the server but what it has imported."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None  # the server may have asked for it, in its own environment
    random.seed()
    np.random.seed()  # noqa: NPY002  # of who still draws from it, or all would draw the same
    packages = (i for i, path in enumerate(sys.path) if path.endswith(("site-packages", "dist-packages")))
    sys.path.insert(next(packages, 0), "")  # where Jupyter puts the working directory
    sys.argv = [""]
    builtins.input = getpass.getpass = _nobody_to_ask


def _nobody_to_ask(*args: Any, **more: Any) -> str:
    raise StdinNotImplementedError("A report asks nobody: input() has no answer here.")


# -- the shell -----------------------------------------------------------------


class ZMQInteractiveShell(zmqshell.ZMQInteractiveShell):
    """Jupyter's shell under Jupyter's name, which rich, tqdm and others ask for."""

    def enable_gui(self, gui: str | None = None) -> None:
        if gui is not None:
            raise UsageError(f"There is no window for {gui!r} here. Use %matplotlib inline.")


async def _executed(shell: ZMQInteractiveShell, source: str) -> dict[str, Any]:
    """As ipykernel executes a request: a cell that awaits joins the loop, any other runs inside of it."""
    try:
        transformed, failed = shell.transform_cell(source), None
    except Exception:  # of a cell magic's or the user's transformer; the shell tells it
        transformed, failed = source, sys.exc_info()
    how = {"transformed_cell": transformed, "preprocessing_exc_tuple": failed}
    if shell.should_run_async(source, **how):
        result = None
        try:
            result = await shell.run_cell_async(source, store_history=True, **how)
        finally:
            shell.events.trigger("post_execute")
            shell.events.trigger("post_run_cell", result)
    else:
        result = shell.run_cell(source, store_history=True)
    shell.payload_manager.clear_payload()
    error = result.error_before_exec or result.error_in_exec
    if result.success and not shell._last_traceback_during_displayhook:
        return {"status": "ok"}
    traceback = shell._last_traceback or []
    return {"status": "error", "ename": type(error).__name__, "evalue": str(error), "traceback": traceback}


# -- what it says --------------------------------------------------------------


class _Wire(Session):
    """Packs what the shell says as Jupyter does, and sends it to the driver, a line a message."""

    def __init__(self, conn: socket.socket) -> None:
        super().__init__(key=b"-")  # nobody else can write to the pipe: nothing is signed
        self.conn = conn
        self.told = {"stdout": 0, "stderr": 0}
        self.lock = threading.Lock()

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *args: Any, **more: Any) -> None:
        """In place of sending to the socket `stream`, which there is not."""
        if isinstance(msg_or_type, dict):
            msg_or_type, content = msg_or_type["msg_type"], msg_or_type["content"]
        self.mark()
        self.tell(msg_or_type, content)

    def tell(self, kind: str, content: Any) -> None:
        if os.getpid() == self.pid:  # not of a process that the notebook forked
            packed = self.pack({"type": kind, "content": content}) + b"\n"
            with self.lock:
                self.conn.sendall(packed)

    def mark(self, *names: str) -> None:
        """Say how far the streams have been printed: what is told next comes after it."""
        ends = {name: os.fstat(fd).st_size for fd, name in enumerate(self.told, start=1)}
        new = {name: ends[name] for name in names or ends if ends[name] > self.told[name]}
        if new:
            self.told |= new
            self.tell("printed", new)


class _Stream(io.TextIOWrapper):
    """A standard stream that writes at once, and after what the other one has written."""

    def __init__(self, fd: int, *, after: str, wire: _Wire) -> None:
        raw = io.FileIO(fd, "w", closefd=False)
        super().__init__(raw, encoding="utf-8", errors="backslashreplace", write_through=True)
        self._after, self._wire = after, wire

    def write(self, text: str) -> int:
        self._wire.mark(self._after)
        return super().write(text)
