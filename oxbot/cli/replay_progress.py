"""How far a replay is: a bar on a terminal, a line now and then where there is none."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from oxbot.simulator.venue_time import iso

LINES: Final = 20
"""Lines on the whole way where there is no terminal."""


class Meter(Protocol):
    """Is told how far the replay has come."""

    def show(self, venue_ms: int, cycles: int, seconds: float) -> None:
        """Tell venue time (ms), and cycles and seconds of this run."""
        ...


@contextmanager
def metered(console: Console, from_ms: int, to_ms: int, now_ms: int) -> Iterator[Meter]:
    """Show the way from one venue time (ms) to another, of which a part may be done already."""
    if not console.is_terminal:
        yield Lines(from_ms, to_ms, now_ms)
        return
    progress = Progress(
        TextColumn("{task.fields[venue]}"),
        BarColumn(),
        TextColumn("{task.fields[cycles]} cycles, {task.fields[rate]:.1f}/s"),
        TimeRemainingColumn(),
        console=console,
    )
    with progress:
        yield Bar(progress, from_ms, to_ms, now_ms)


class Bar:
    """A progress bar with venue time, cycles, cycles a second and the time left."""

    def __init__(self, progress: Progress, from_ms: int, to_ms: int, now_ms: int) -> None:
        self._progress = progress
        self._from_ms = from_ms
        self._task = progress.add_task(
            "replay",
            total=to_ms - from_ms,
            completed=now_ms - from_ms,
            venue=iso(now_ms),
            cycles=0,
            rate=0.0,
        )

    def show(self, venue_ms: int, cycles: int, seconds: float) -> None:
        """Move the bar."""
        self._progress.update(
            self._task,
            completed=venue_ms - self._from_ms,
            venue=iso(venue_ms),
            cycles=cycles,
            rate=rate(cycles, seconds),
        )


@dataclass
class Lines:
    """A line on stderr for each twentieth of the way."""

    from_ms: int
    to_ms: int
    last_ms: int

    def show(self, venue_ms: int, cycles: int, seconds: float) -> None:
        """Write a line where another part of the way is done."""
        if self._part(venue_ms) > self._part(self.last_ms):
            done = 100 * (venue_ms - self.from_ms) // (self.to_ms - self.from_ms)
            told = f"{iso(venue_ms)} {done} % {cycles} cycles, {rate(cycles, seconds):.1f}/s"
            sys.stderr.write(f"{told}\n")
        self.last_ms = venue_ms

    def _part(self, venue_ms: int) -> int:
        return LINES * (venue_ms - self.from_ms) // (self.to_ms - self.from_ms)


def rate(cycles: int, seconds: float) -> float:
    """Cycles a second."""
    return cycles / seconds if seconds > 0 else 0.0
