"""A progress bar for a batch of reports: one step a chapter, named as it runs."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from retention_kit import waiting

_STOPPING = "Ctrl-C: the notebooks that run are finished, no other is begun. Press it again to end them."


@contextlib.contextmanager
def bar() -> Iterator[Callable[[str, str, str], None]]:
    """A bar on standard error, and the function that moves it on; silent where no terminal is.

    A chapter counts when it has ended in whatever way: also when it failed, or did not have to run.
    """
    console = Console(stderr=True)
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    to_come: list[str] = []
    running: list[str] = []
    bars = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with waiting.alone(), bars as progress:
        task = progress.add_task("starting", total=0)

        def tell(client: str, chapter: str, state: str) -> None:
            name = f"{client} {chapter}"
            if state == "stopping":
                console.print(_STOPPING, soft_wrap=True)
            elif state == "waiting":
                to_come.append(name)
                progress.update(task, total=(progress.tasks[task].total or 0) + 1)
            elif state == "started":
                running.append(name)
            elif name in to_come:
                to_come.remove(name)
                progress.advance(task)
                running[:] = [other for other in running if other != name]
            progress.update(task, description=" · ".join(running) or "reports")

        yield tell
