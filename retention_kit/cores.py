"""How many cores an engine works with: all of the machine's, or its share where several work at a time."""

import contextlib
import os
from contextlib import AbstractContextManager

from retention_kit import environment
from retention_kit.exceptions import DataError

#: The variable that says it.
CORES = "RETENTION_KIT_CORES"


def shared(by: int) -> AbstractContextManager[None]:
    """Within it, each of so many processes at a time works with its share of the cores.

    Two with all of them would wait for each other. Where somebody has set the variable, that counts.
    """
    if by < 2 or os.environ.get(CORES):
        return contextlib.nullcontext()
    return environment.telling(CORES, str(max(_here() // by, 1)))


def told() -> int | None:
    """The number that was set; None for all there are.

    Raises
    ------
    DataError
        When it is none.
    """
    text = os.environ.get(CORES)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise DataError(f"{CORES} is {text!r}, which is no number of cores. Write it such as 2.")
    return int(text)


def _here() -> int:
    """The cores that this process may use, which in a container are fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
