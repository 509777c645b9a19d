"""A bar for somebody who waits at a terminal: drawn from the third second on, removed when it is over.

Where nobody waits (a pipe, a log, a notebook that a report runs) nothing is drawn and nothing started.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

#: Seconds without a bar.
PATIENCE = 2.0
_PAUSE = 0.5  # seconds between two pieces of work that are still one wait

Share = Callable[[], float | None]
Item = TypeVar("Item")


class _Wait:
    """Since when somebody has waited, until when, and whether a bar for it is there already."""

    began = ended = float("-inf")
    is_shown = False


def at_terminal() -> bool:
    """Whether there is somebody who could see a bar."""
    return sys.stdout.isatty() and sys.stderr.isatty()


@contextmanager
def shown(share: Share = lambda: None) -> Iterator[None]:
    """Within it a bar is drawn once the wait is long: queries in a row count as one.

    Parameters
    ----------
    share : callable
        What part is done, from 0 to 1; None where that is not known. Of two bars the outer one is drawn.
    """
    if _Wait.is_shown or threading.current_thread() is not threading.main_thread() or not at_terminal():
        yield
        return
    if time.monotonic() - _Wait.ended > _PAUSE:
        _Wait.began = time.monotonic()
    over = threading.Event()
    drawing = threading.Thread(target=_draw, args=(_Wait.began, over, share, _asked()), daemon=True)
    with alone():
        drawing.start()
        try:
            yield
        finally:
            over.set()
            drawing.join()  # nothing is printed before the bar is gone
            _Wait.ended = time.monotonic()


@contextmanager
def alone() -> Iterator[None]:
    """Within it no other bar is drawn."""
    before, _Wait.is_shown = _Wait.is_shown, True
    try:
        yield
    finally:
        _Wait.is_shown = before


def counted(items: Iterable[Item], number: int | None) -> Iterator[Item]:
    """The items as they come, with a bar of how many of their number have come, where that is known."""
    done = 0
    with shown(lambda: done / number if number else None):
        for item in items:
            yield item
            done += 1


def _draw(began: float, over: threading.Event, share: Share, asked: str) -> None:
    if over.wait(max(began + PATIENCE - time.monotonic(), 0)):
        return
    from rich.console import Console  # a third of a second, and only where it is needed
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[waited]:.0f} s"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(asked, total=None, waited=PATIENCE)
        while not over.wait(0.1):
            done = share()
            total = None if done is None else 1.0
            bar.update(task, total=total, completed=done or 0, waited=time.monotonic() - began)


def _asked() -> str:
    """What somebody has called: the outermost function of the package that runs."""
    package, name, frame = __package__ or "", "", sys._getframe()
    while frame:
        if frame.f_globals.get("__name__", "").startswith(f"{package}."):
            name = frame.f_code.co_name
        frame = frame.f_back
    return name
