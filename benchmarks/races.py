"""All ways of one task over one file, each in a process of its own; their answers must agree."""

import math
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import environments
from benchmarks.questions import orders_file
from benchmarks.ways import Measured, apart, beside

#: By label, the module and the way in it; a label with an environment of its own is that of a peer.
Race = Mapping[str, tuple[str, str]]
PEERS = {path.stem for path in environments.FOLDER.glob("*.txt")}


def run(task: str, race: Race, path: Path, rows: int) -> list[Measured]:
    """A row a way, held against the first.

    Raises
    ------
    RuntimeError
        When two ways do not agree.
    """
    found: list[Measured] = []
    answers: dict[str, Any] = {}
    for label, (module, way) in race.items():
        one, told = entered(task, label, module, way, path, rows)
        found.append(one)
        if told is not None:
            answers[label] = told
    first = next(iter(answers), None)
    for label, told in answers.items():
        if not agree(told, answers[first]):
            raise RuntimeError(f"{task}: {label} answers otherwise than {first}")
    return beside(found)


def of_orders(task: str, race: Race, rows: int) -> list[Measured]:
    """The same over so many orders, made for it."""
    with tempfile.TemporaryDirectory() as folder:
        return run(task, race, orders_file(folder, rows), rows)


def entered(task: str, label: str, module: str, way: str, path: Path, rows: int) -> tuple[Measured, Any]:
    """A way and what it told; a peer goes by its version, and is skipped where it cannot be installed."""
    if label not in PEERS:
        return apart(task, label, module, way, path, rows=rows, python=sys.executable)
    named = environments.version_of(label)
    try:
        python = environments.python_of(label)
    except environments.Missing as reason:
        return Measured(task, named, rows, note=f"skipped: {reason}"), None
    try:
        return apart(task, named, module, way, path, rows=rows, python=python)
    except RuntimeError as failure:  # of theirs, which is no reason to lose ours
        return Measured(task, named, rows, note=str(failure)), None


def agree(one: list[float], other: list[float]) -> bool:
    """The same numbers but for the rounding of sums."""
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=1e-9) for a, b in zip(one, other, strict=True)
    )
