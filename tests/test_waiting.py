"""The bar for somebody who waits: at a terminal after two seconds, gone when it is over, nowhere else."""

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import rich.console

from retention_kit import progress, waiting

#: Calls of each kind of work, made slow; each is asked between two lines with its name.
_CALLS = """
import time
import pandas as pd
from retention_kit import btyd, session, simulations, tables, waiting

waiting.PATIENCE = 0.1
truth = {"r": 0.6, "alpha": 6.0, "a": 0.9, "b": 1.7}
weeks = simulations.simulated_customers("mbg_nbd", truth, customers=500, T=52, unit="week")
orders = pd.DataFrame({"customer_id": ["a", "b"] * 50, "ordered_at": "2024-01-05", "amount": 1.0})
fit, loaded = btyd.fit_bg_nbd(weeks), tables.load_orders(orders, as_of="2024-02-01")

def slow(module, name):
    call = getattr(module, name)
    setattr(module, name, lambda *given, **how: (time.sleep(0.4), call(*given, **how))[1])

slow(btyd.fits, "_searched")
slow(btyd.fits, "refitted")
slow(session.Engine, "_run_pre_execute_hooks")
calls = {
    "nothing": lambda: None,
    "query": lambda: session.connection().raw_sql("SELECT sum(hash(i)) FROM range(80_000_000) AS t(i)"),
    "load_orders": lambda: tables.load_orders(orders, as_of="2024-02-01"),
    "of_parts": lambda: list(loaded.in_order.of_parts(lambda part: time.sleep(0.4))),
    "fit_bg_nbd": lambda: btyd.fit_bg_nbd(weeks),
    "bootstrap": lambda: btyd.bootstrap(fit, weeks, draws=2),
}
for name, call in calls.items():
    print(f"<{name}>", flush=True)
    call()
    print(f"</{name}>", flush=True)
"""
_NAMES = ["nothing", "query", "load_orders", "of_parts", "fit_bg_nbd", "bootstrap"]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is drawn for somebody who waits at a terminal and is impatient."""
    drawn = io.StringIO()
    terminal = rich.console.Console(file=drawn, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(rich.console, "Console", lambda **how: terminal)
    monkeypatch.setattr(waiting, "at_terminal", lambda: True)
    monkeypatch.setattr(waiting, "PATIENCE", 0.1)
    monkeypatch.setattr(waiting._Wait, "ended", float("-inf"))  # nobody has waited for what came before
    yield drawn
    assert threading.active_count() == 1 or "_draw" not in {each.name for each in threading.enumerate()}


def test_what_is_quick_has_no_bar_and_what_takes_longer_has_one(screen: io.StringIO) -> None:
    with waiting.shown():
        pass
    assert screen.getvalue() == ""
    with waiting.shown():
        time.sleep(0.4)
    assert "━" in screen.getvalue()


def test_pieces_in_a_row_are_one_wait_and_a_pause_ends_it(
    screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.5)
    for _ in range(3):
        with waiting.shown():
            time.sleep(0.3)
    assert "━" in screen.getvalue()
    screen.truncate(0)
    for _ in range(3):
        monkeypatch.setattr(waiting._Wait, "ended", time.monotonic() - 1)
        with waiting.shown():
            time.sleep(0.3)
    assert "━" not in screen.getvalue()


def test_the_bar_tells_how_many_have_come(screen: io.StringIO) -> None:
    def slow() -> Iterator[int]:
        for number in range(3):
            time.sleep(0.25)
            yield number

    assert list(waiting.counted(slow(), 3)) == [0, 1, 2]
    assert "\u2578" in screen.getvalue() or "\u257a" in screen.getvalue()  # a part of it is full


def test_an_inner_piece_and_a_bar_of_chapters_leave_no_second_bar(screen: io.StringIO) -> None:
    with progress.bar(), waiting.shown():
        time.sleep(0.3)
    assert "0 s" not in screen.getvalue()


def test_an_error_ends_the_bar(screen: io.StringIO) -> None:
    with pytest.raises(ZeroDivisionError), waiting.shown():
        time.sleep(0.3)
        1 / 0
    with waiting.shown():
        time.sleep(0.3)
    assert screen.getvalue().count("\x1b[?25h") == 2  # the cursor is back


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_at_a_terminal_whatever_takes_long_has_a_bar_and_in_a_pipe_nothing_is_drawn() -> None:
    import pty

    leader, follower = pty.openpty()
    line = [sys.executable, "-W", "ignore", "-c", _CALLS]
    settings = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    running = subprocess.Popen(line, stdin=follower, stdout=follower, stderr=follower, env=settings)
    os.close(follower)
    seen = b"".join(_read(leader)).decode()
    assert running.wait() == 0, seen
    drawn = {name: seen.split(f"<{name}>")[1].split(f"</{name}>")[0] for name in _NAMES}
    assert [name for name, text in drawn.items() if "\u2501" in text] == _NAMES[1:]
    assert all(name in drawn[name] for name in _NAMES[2:])  # and says what it is that takes so long
    piped = subprocess.run(line, capture_output=True, text=True)
    assert piped.stdout.split() == [mark for name in _NAMES for mark in (f"<{name}>", f"</{name}>")]
    assert piped.stderr == ""


def _read(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            yield os.read(terminal, 65_536)
        except OSError:  # the other end is closed
            return
