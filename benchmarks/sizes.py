"""Orders of any number in Parquet: what a row costs from small to large, within how much memory.

Each size is asked in a process of its own, which `ulimit -d` holds to so much memory of its own: it fails
where it would take more. What it only reads from files that are mapped counts in its peak, not there. Sizes
take turns and the least of each question counts: what takes a tenth of a second moves by half from one run to
the next. Two limits for the engine are compared; under the small one it spills to its folder.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb

from benchmarks import one_size
from benchmarks.ways import Measured
from retention_kit import session

ROOT = Path(__file__).parents[1]
OWN = 8 * 1024**3  # bytes of its own that a process may have, whatever it does
# The limit counts what is set aside and never used, and these set aside gigabytes where nobody tells them.
_NO_RESERVES = {"MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}
_TURNS = 3
_TOLD_APART = 0.1  # seconds above which the system's part is told in more than a few of its ticks
_ALL = "all of these"
_PLACES = ("peak", "spilled")  # told of a whole run

_ORDERS = """
COPY (
    SELECT 'customer_' || customer AS customer_id,
        TIMESTAMP '2022-07-01' + to_days(least(born + wait, 740)::INTEGER) + to_seconds(hash(i, 3) % 86400)
            AS ordered_at,
        round(5 + 90 * (hash(i, 4) % 10000 / 10000) ** 2, 2) AS amount
    FROM (
        SELECT i, hash(i, 1) % greatest({rows} // 4, 1) AS customer, hash(customer, 2) % 731 AS born,
            floor(-120 * ln((hash(i, 5) % 1000000 + 1) / 1000001)) AS wait
        FROM range({rows}) AS counted(i)
    )
) TO '{path}' (FORMAT parquet)
"""
_SUBSCRIPTIONS = """
COPY (
    SELECT 'customer_' || hash(i, 1) % greatest({rows} * 3 // 4, 1) AS customer_id, started_at,
        CASE WHEN hash(i, 2) % 10 > 2 THEN started_at + to_days((1 + hash(i, 3) % 400)::INTEGER) END
            AS ended_at,
        [9.99, 19.99, 34.5][(1 + hash(i, 4) % 3)::INTEGER]::DOUBLE AS mrr,
        CASE WHEN hash(i, 5) % 3 = 0 THEN 'too expensive' ELSE 'moved away' END AS cancel_reason
    FROM (
        SELECT i, TIMESTAMP '2022-07-01' + to_days((hash(i, 6) % 731)::INTEGER) AS started_at
        FROM range({rows}) AS counted(i)
    )
) TO '{path}' (FORMAT parquet)
"""


def write(folder: Path, rows: int) -> None:
    """So many orders, four a customer, and a quarter as many subscriptions, the same each time."""
    with duckdb.connect() as engine:
        for name, query, number in (
            ("orders", _ORDERS, rows),
            ("subscriptions", _SUBSCRIPTIONS, max(rows // 4, 1)),
        ):
            engine.execute(query.format(rows=number, path=folder / f"{name}.parquet"))


def asked(folder: Path, memory: str) -> dict:
    """What each question took of the files in a folder, the peak of memory in MB, and MB spilled."""
    line = ["bash", "-c", f'ulimit -d {OWN // 1024} && exec "$@"', "--"]
    line += [sys.executable, "-W", "ignore", "-m", "benchmarks.one_size", str(folder)]
    settings = os.environ | _NO_RESERVES | {session.MEMORY: memory}
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, env=settings)
    if done.returncode:
        raise RuntimeError(f"under {memory} it failed: {done.stderr.strip().splitlines()[-1]}")
    told = [json.loads(each) for each in done.stdout.splitlines() if each.startswith("{")]
    return _added_up({each.pop("name"): each for each in told[:-1]}) | told[-1]


def _added_up(taken: dict[str, dict]) -> dict[str, dict]:
    """What was asked, and after it what all questions took together."""
    return taken | {_ALL: {kind: sum(each[kind] for each in taken.values()) for kind in one_size.KINDS}}


def run(small: int, large: int, memories: tuple[str, str] = ("3GB", "1GB")) -> list[Measured]:
    """A row a question of the large size, and what a row of it costs beside the small one's."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / str(rows) for rows in (small, large)]
        for path, rows in zip(paths, (small, large), strict=True):
            path.mkdir()
            write(path, rows)
        turns = [[asked(path, memories[0]) for path in paths] for _ in range(_TURNS)]
        tight = asked(paths[-1], memories[1])
    few, many = map(_least, zip(*turns, strict=True))
    note = f"the least of {_TURNS} runs"
    return [*_told(large, f"{memories[0]}, {note}", many, few, small), *_told(large, memories[1], tight)]


def _least(runs: Sequence[dict]) -> dict:
    """The least that each question took, and the most memory and disk."""
    most = {name: max(run[name] for run in runs) for name in _PLACES}
    least = {
        name: {kind: min(run[name][kind] for run in runs) for kind in one_size.KINDS}
        for name in _questions(runs[0])
    }
    return least | most


def _questions(found: dict) -> list[str]:
    return [name for name in found if name not in _PLACES]


def _told(
    rows: int, memory: str, found: dict, few: dict | None = None, small: int | None = None
) -> list[Measured]:
    """What each question took, one after the other in one process, and the memory of all."""
    task = (
        f"{rows:,} orders, {rows // 4:,} subscriptions, a question after the other; the engine "
        f"told {memory}, the process held to {OWN / 1024**3:.0f} GB"
    )
    told = []
    for name in _questions(found):
        note = _beside(found[name], few[name], small / rows, f"{small:,}") if few else ""
        one = Measured(task, _label(name), rows, warm=found[name]["wall"], cpu=found[name]["cpu"], note=note)
        told.append(one)
    *questions, together = told
    spilled = f"spilled to disk at most {found['spilled']:,.0f} MB"
    note = "; ".join(filter(None, [together.note, spilled]))
    return [*questions, together._replace(peak=found["peak"], note=note)]


def _beside(many: dict, few: dict, share: float, size: str) -> str:
    """What a row costs beside one of the small size, in all and, where that can be told, in the program."""
    every = many["cpu"] / few["cpu"] * share
    told = f"a row costs {every:.2f} times one of {size}"
    if few["cpu"] < _TOLD_APART:
        return told
    return f"{told} ({many['own'] / few['own'] * share:.2f} of the program alone)"


def _label(name: str) -> str:
    if name == _ALL:
        return name
    return f"`{name}`, over a customer's orders" if name in one_size.WINDOWS else f"`{name}`"
