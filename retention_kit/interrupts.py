"""Ctrl-C, taken for what it says: once, end soon; twice, end now."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass

#: What a shell says of a program that ended by Ctrl-C.
EXIT_CODE = 128 + signal.SIGINT


@dataclass
class Presses:
    """How often Ctrl-C was pressed."""

    times: int = 0


@contextlib.contextmanager
def counted() -> Iterator[Presses]:
    """Within it, Ctrl-C is counted and nothing else; the third time the process ends as it is.

    Python lets only the main thread listen; in any other nothing is counted.
    """
    presses = Presses()
    if threading.current_thread() is not threading.main_thread():
        yield presses
        return

    def pressed(number: int, frame: object) -> None:
        presses.times += 1
        if presses.times > 2:
            os._exit(EXIT_CODE)

    before = signal.signal(signal.SIGINT, pressed)
    try:
        yield presses
    finally:
        signal.signal(signal.SIGINT, before)
