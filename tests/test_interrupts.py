"""Ctrl-C once, twice, three times."""

import signal
import subprocess
import sys
import threading

from retention_kit import interrupts


def test_it_is_counted_and_then_as_before():
    before = signal.getsignal(signal.SIGINT)
    with interrupts.counted() as presses:
        assert presses.times == 0
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert presses.times == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_the_third_time_nothing_is_waited_for():
    code = (
        "import signal\n"
        "from retention_kit import interrupts\n"
        "with interrupts.counted():\n"
        "    for _ in range(3): signal.raise_signal(signal.SIGINT)\n"
        "    print('still here')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_another_thread_hears_nothing():
    before, seen = signal.getsignal(signal.SIGINT), []

    def listen():
        with interrupts.counted() as presses:
            seen.extend((signal.getsignal(signal.SIGINT), presses.times))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert seen == [before, 0]
