"""One Markdown table of all that was measured; each benchmark is kept once it is done."""

import json
import os
import platform
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from benchmarks import environments
from benchmarks.ways import ROOT, Measured

OUT = ROOT / "outputs" / "bench"  # .md, and .json, from which it is made
_PACKAGES = ("pandas", "polars", "duckdb", "ibis-framework", "papermill", "nbconvert")
_HEAD = "| | rows | cold, s | warm, s | processor, s | times, by the clock | by the processor | peak, MB | |"
_RULE = "|---|---:|---:|---:|---:|---:|---:|---:|---|"


def keep(name: str, found: Sequence[Measured]) -> None:
    """What a benchmark found replaces what it found before; what other versions found is dropped."""
    kept = _kept() | {name: {"made": f"{datetime.now():%Y-%m-%d %H:%M}", "on": machine(), "found": found}}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.with_suffix(".json").write_text(json.dumps(kept, indent=1), "utf-8")


def write(names: Sequence[str]) -> str:
    """The table of all benchmarks of these names that were kept, in this order, to a file and as text."""
    kept = _kept()
    text = "\n".join(_lines({name: kept[name] for name in names if name in kept}))
    OUT.with_suffix(".md").write_text(text + "\n", "utf-8")
    return text


def machine() -> str:
    """Where this runs, and the versions of all who take part."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    peers = [environments.version_of(path.stem) for path in sorted(environments.FOLDER.glob("*.txt"))]
    packages = [f"{name} {version(name)}" for name in _PACKAGES]
    where = f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GB, {platform.system()}"
    return ", ".join([where, f"Python {platform.python_version()}", *packages, *peers])


def _lines(kept: dict[str, dict]) -> Iterator[str]:
    moments = sorted(each["made"] for each in kept.values())
    yield f"Measured from {moments[0]} to {moments[-1]} on {machine()}."
    yield ""
    yield _HEAD
    yield _RULE
    found = [Measured(*row) for each in kept.values() for row in each["found"]]
    for task, rows in groupby(found, key=lambda one: one.task):
        yield f"| **{task}** |" + " |" * 8
        for one in rows:
            cells = [one.way, f"{one.rows:,}" if one.rows else ""]
            cells += [_short(each) for each in (one.cold, one.warm, one.cpu, one.slower, one.dearer)]
            cells += ["" if one.peak is None else f"{one.peak:,.0f}", one.note]
            yield f"| {' | '.join(cells)} |"


def _kept() -> dict[str, dict]:
    path = OUT.with_suffix(".json")
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {name: each for name, each in kept.items() if each["on"] == machine()}


def _short(number: float | None) -> str:
    """Three figures of what is large, two of what is small."""
    if number is None:
        return ""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}" if number >= 1 else f"{number:.2g}"


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    models = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(models, "") or platform.machine()
