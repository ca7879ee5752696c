"""How far something is that is counted: a bar on stderr, and nothing where that is no terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)


@contextmanager
def counted(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of a number are done; gives what moves the bar on."""
    with bar() as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)


class Bars:
    """A tally (`oxbot.app.at_once`) as bars, one below the other."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def begun(self, what: str, total: int) -> None:
        """Show a bar for what is counted from now on."""
        self._task = self._progress.add_task(what, total=total)

    def came_to(self, count: int) -> None:
        """Move it on."""
        if self._task is not None:
            self._progress.update(self._task, completed=count)


@contextmanager
def tallied() -> Iterator[Bars]:
    """Show a tally while the block runs."""
    with bar() as progress:
        yield Bars(progress)


def bar() -> Progress:
    """Make a bar with a name, how many of how many, and the time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    return Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
