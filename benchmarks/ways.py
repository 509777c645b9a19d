"""Ways to one answer, each measured in a process of its own, and one shape for all that is measured.

Nothing here but the standard library: this runs in the environments of peers too, where ours is not
installed. What one library does for each task stands in a module of its own, such as `with_pandas`, with
its `WAYS`.
"""

import importlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

AS_OF = "2024-07-01"  # of all orders made for a benchmark
ROOT = Path(__file__).parents[1]
LIMIT = 900.0  # seconds until a way is stopped, and its time a lower bound
ENOUGH, MOST = 1.0, 21  # what is fast is repeated until a second is spent, so many times at the most


class Measured(NamedTuple):
    """What one way of a task took; None where it was not measured."""

    task: str
    way: str
    rows: int | None = None
    cold: float | None = None  # seconds of a new process until its first answer: imports, reading, loading
    warm: float | None = None  # seconds of an answer to what has been read, the median of some
    cpu: float | None = None  # of the processor, in these
    peak: float | None = None  # MB, the most that the process ever held
    slower: float | None = None  # times as long as the way it is held against, warm where both are
    dearer: float | None = None  # times its seconds of the processor
    note: str = ""


class Way(NamedTuple):
    """How a library answers from a file; `told` is what all ways of the task must agree on."""

    read: Callable[[Path], Any]
    answer: Callable[[Any], Any]
    told: Callable[[Any], Any] = lambda _: None
    fresh: bool = False  # whether it keeps what it counts, so that each answer needs its own reading
    repeats: int = 3  # at least


def beside(found: Sequence[Measured], base: Measured | None = None) -> list[Measured]:
    """The same, each held against the first or another."""
    base = base or found[0]
    return [
        one._replace(
            slower=_times(one.warm or one.cold, base.warm or base.cold), dearer=_times(one.cpu, base.cpu)
        )
        for one in found
    ]


def apart(
    task: str,
    label: str,
    module: str,
    way: str,
    path: Path,
    *,
    rows: int,
    python: Path | str = sys.executable,
) -> tuple[Measured, Any]:
    """A way measured in a new process, and what it told; None of one that was stopped at the limit."""
    print(f"{task}: {label}", file=sys.stderr, flush=True)
    try:
        found = child(python, "ways", module, way, str(path), limit=LIMIT)
    except subprocess.TimeoutExpired:
        return Measured(task, label, rows, note=f"stopped after {LIMIT:.0f} s"), None
    told = found.pop("told")
    return Measured(task, label, rows, **found), told


def child(
    python: Path | str, module: str, *given: str, limit: float | None = None, cwd: Path = ROOT
) -> dict[str, Any]:
    """What a module of the benchmarks prints as its last line; the moment `answered` becomes `cold`."""
    began = time.time()
    done = subprocess.run(
        [str(python), "-W", "ignore", "-m", f"benchmarks.{module}", *given],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=limit,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:]
        raise RuntimeError(f"{module} {' '.join(given)} failed: {said}")
    found = json.loads(done.stdout.splitlines()[-1])
    if "answered" in found:
        found["cold"] = found.pop("answered") - began
    return found


def measured(way: Way, path: Path) -> dict[str, Any]:
    """The first answer's moment, and seconds of later ones by the clock and of the processor."""
    given = way.read(path)
    answer = way.answer(given)
    answered, told, clock, processor = time.time(), way.told(answer), [], []
    while len(clock) < way.repeats or (sum(clock) < ENOUGH and len(clock) < MOST):
        answer = None
        if way.fresh:
            given = None
            given = way.read(path)
        began, used = time.perf_counter(), time.process_time()
        answer = way.answer(given)
        clock.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    return {
        "answered": answered,
        "warm": statistics.median(clock),
        "cpu": statistics.median(processor),
        "peak": peak(),
        "told": told,
    }


def peak() -> float | None:
    """The most memory this process ever held, in MB; None where the system does not tell.

    What `resource` says of it begins with what the parent held.
    """
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)


def _times(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


if __name__ == "__main__":
    ways: Mapping[str, Way] = importlib.import_module(f"benchmarks.{sys.argv[1]}").WAYS
    print(json.dumps(measured(ways[sys.argv[2]], Path(sys.argv[3]))))
