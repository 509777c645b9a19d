"""Client files and their data, tried without making a report: a batch's mistakes before its run."""

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from retention_kit import cores, folders, params
from retention_kit.exceptions import RetentionKitError
from retention_kit.params import Client


@dataclass(frozen=True)
class Line:
    """One table of one client, tried: its rows, what to know of them, or why it cannot be read.

    `table` is "" where the client file itself is the problem. `set_aside` pairs each rule with
    the rows that failed it first: `rows_read` is `rows_kept` and those together.
    """

    client: str
    table: str
    rows_read: int | None = None
    rows_kept: int | None = None
    set_aside: tuple[tuple[str, int], ...] = ()
    as_of: str = ""
    warnings: tuple[str, ...] = ()
    problem: str = ""


def check(clients: Iterable[str | Path], *, as_of: str | None = None, jobs: int = 2) -> list[Line]:
    """Validate client files and load their tables; no report is made.

    Each client's tables are loaded in a process of its own, so its data never meet another
    client's, and a process that dies takes no other client with it.

    Parameters
    ----------
    clients : iterable of str or Path
        Client files or ids.
    as_of : str, optional
        Overrides every client's as-of date.
    jobs : int
        Clients tried at a time.

    Returns
    -------
    list of Line
        One a table, in the order of `clients`; one alone for a client file that cannot be used.
        Nothing is raised: a problem is its line's `problem`.
    """
    found = [_read(client, as_of) for client in clients]
    _refuse_twins(found)
    at_a_time = max(min(jobs, len(found)), 1)
    with cores.shared(at_a_time), ThreadPoolExecutor(at_a_time) as pool:
        tried = [[one] if isinstance(one, Line) else pool.submit(_tried, one[1]) for one in found]
        return [line for one in tried for line in (one if isinstance(one, list) else one.result())]


def as_text(lines: Sequence[Line]) -> str:
    """The lines as one table, then every warning and every problem in full, then the count.

    Problems stand last, nearest to the prompt, however many clients there are.

    >>> print(as_text([Line("acme", "orders", 1200, 1190, (("no customer", 10),), "2024-07-01")]))
    client  table    read   kept  as of       state  set aside
    acme    orders  1,200  1,190  2024-07-01  ok     10 no customer
    <BLANKLINE>
    1 client: 1 ready.
    """
    rows = [_HEADER, *map(_row, lines)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    parts = ["\n".join(_aligned(row, widths) for row in rows)]
    warnings = [_told(line, text) for line in lines for text in line.warnings]
    problems = [_told(line, line.problem) for line in lines if line.problem]
    parts += ["\n".join(["Warnings", *warnings])] if warnings else []
    parts += ["\n".join(["Problems", *problems])] if problems else []
    return "\n\n".join([*parts, _count(lines)])


# -- one client ----------------------------------------------------------------


def _read(client: str | Path, as_of: str | None) -> tuple[Path, Client] | Line:
    """The client file read and its options checked, or what is wrong with it."""
    name = Path(client).stem
    try:
        path = params.find(client)
        read = params.read(path, as_of=as_of)
        name = read.client
        _check_options(read, path)
        return path, read
    except (RetentionKitError, OSError) as error:
        return Line(name, "", problem=_words(error))


def _refuse_twins(found: list[tuple[Path, Client] | Line]) -> None:
    read = {i: one for i, one in enumerate(found) if not isinstance(one, Line)}
    wanted = [(client.client, client.as_of, path) for path, client in read.values()]
    for i, reason in zip(read, folders.twins(wanted), strict=True):
        if reason:
            found[i] = Line(read[i][1].client, "", problem=reason)


def _tried(read: Client) -> list[Line]:
    """Its data, in a process of their own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        try:
            return process.submit(_tables, read).result()
        except BrokenProcessPool:
            died = "the process that read its data died, most often for want of memory."
            return [Line(read.client, "", problem=died)]


def _check_options(client: Client, path: Path) -> None:
    told = {chapter: options for chapter, options in client.options.items() if chapter in client.chosen}
    if not told:
        return  # most clients: the notebooks' machinery takes seconds to import
    from retention_kit import kernels, projects

    for chapter, options in told.items():
        kernels.check_parameters(projects.notebook(path, chapter), options)


def _tables(client: Client) -> list[Line]:
    return [_table(client, kind) for kind in params.KINDS if client.has(kind)]


def _table(client: Client, kind: str) -> Line:
    from retention_kit import moments, tables

    # A table is tried by itself: a mistake in customers is told once, on its own line.
    alone = client.model_copy(update={"data": client.data.model_copy(update={"customers": None})})
    try:
        if kind == "customers":
            loaded = tables.load_customers(**client.table(kind).how())
        else:
            loaded = tables.load(alone, kind)
    except Exception as error:  # whatever the engine says of one client's file, the others are tried
        return Line(client.client, kind, problem=client.masked(_words(error)))
    rules = list(loaded.checks[["rule", "rows"]].itertuples(index=False, name=None))
    return Line(
        client=client.client,
        table=kind,
        rows_read=rules[0][1],
        rows_kept=rules[-1][1],
        set_aside=tuple(rules[1:-1]),
        as_of=moments.words(loaded.as_of) if loaded.as_of else "",
        warnings=tuple(note.text for note in loaded.notes if note.level == "warning"),
    )


def _words(error: Exception) -> str:
    line = next(iter(str(error).strip().splitlines()), "")
    return line if isinstance(error, RetentionKitError) else f"{type(error).__name__}: {line}"


# -- the text ------------------------------------------------------------------

_HEADER = ("client", "table", "read", "kept", "as of", "state", "set aside")
_NUMBERS = ("read", "kept")


def _row(line: Line) -> tuple[str, ...]:
    counts = ["" if rows is None else f"{rows:,}" for rows in (line.rows_read, line.rows_kept)]
    aside = "; ".join(f"{rows:,} {rule}" for rule, rows in line.set_aside)
    return (line.client, line.table or "(file)", *counts, line.as_of, _state(line), aside)


def _state(line: Line) -> str:
    if line.problem:
        return "PROBLEM"
    return _counted(len(line.warnings), "warning") if line.warnings else "ok"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        text.rjust(width) if name in _NUMBERS else text.ljust(width)
        for name, text, width in zip(_HEADER, row, widths, strict=True)
    ]
    return "  ".join(cells).rstrip()


def _told(line: Line, text: str) -> str:
    about = f"{line.client} {line.table}".strip()
    return f"  {about}: {text.removeprefix(f'{line.table}: ')}"


def _count(lines: Sequence[Line]) -> str:
    clients = {line.client for line in lines}
    broken = {line.client for line in lines if line.problem}
    parts = [f"{len(clients) - len(broken)} ready"] + ([f"{len(broken)} with a problem"] if broken else [])
    return f"{_counted(len(clients), 'client')}: {', '.join(parts)}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
