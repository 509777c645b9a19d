"""A progress bar for a batch of reports: one step a chapter, named as it runs."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


@contextlib.contextmanager
def bar() -> Iterator[Callable[[str, str, str], None]]:
    """A bar on standard error, and the function that moves it on; silent where no terminal is."""
    console = Console(stderr=True)
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    running: list[str] = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("starting", total=0)

        def tell(client: str, chapter: str, state: str) -> None:
            name = f"{client} {chapter}"
            if state == "waiting":
                progress.update(task, total=(progress.tasks[task].total or 0) + 1)
            elif state == "started":
                running.append(name)
            elif name in running:
                running.remove(name)
                progress.advance(task)
            progress.update(task, description=" · ".join(running) or "reports")

        yield tell
