"""Wall time for what runs on and on: read, slept through, and raced against."""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from typing import Final, Protocol

from oxbot.domain.market import ClockReading
from oxbot.ports import Clock

CANCEL_AGAIN_S: Final = 0.5
"""A task that goes on so long after it was cancelled is cancelled again."""


class Timer(Protocol):
    """Wall time, which a test may hold in its own hands."""

    def wall_ms(self) -> int:
        """Give wall time in ms."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...


class RealTimer:
    """The machine's time."""

    def wall_ms(self) -> int:
        """Give wall time in ms UTC."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)


class RecentClock:
    """The venue's clock for thousands of questions a second.

    A reading serves for `holds_ms` and is carried on by its rate. For as long again it serves
    those who ask while a new one is on its way, so that no price waits for the clock. Only a venue
    that stands still is asked every time, since its time moves by leaps.

    Args:
        clock: Who knows.
        timer: Wall time.
        holds_ms: How long a reading serves, in wall ms.
    """

    def __init__(self, clock: Clock, timer: Timer, *, holds_ms: int = 1_000) -> None:
        self._clock = clock
        self._timer = timer
        self._holds_ms = holds_ms
        self._read_ms = 0
        self._asked = self._answered = 0
        self._renewal: asyncio.Task[ClockReading] | None = None
        self.last: ClockReading | None = None

    async def reading(self) -> ClockReading:
        """Give the venue's time; VenueUnavailable as the clock itself."""
        passed_ms = self._timer.wall_ms() - self._read_ms
        if self.last is None or self.last.stepped or not 0 <= passed_ms < 2 * self._holds_ms:
            return await self.renewed()
        if passed_ms >= self._holds_ms:
            self._renew_meanwhile()
        wall_ms = self.last.wall_ms + passed_ms
        return self.last.model_copy(
            update={"wall_ms": wall_ms, "venue_ms": self.last.venue_at(wall_ms)}
        )

    async def renewed(self) -> ClockReading:
        """Ask the clock itself; an answer that a later question's has overtaken is not kept."""
        self._asked = number = self._asked + 1
        reading = await self._clock.reading()
        if number > self._answered:
            self._answered, self.last, self._read_ms = number, reading, self._timer.wall_ms()
        return reading

    def _renew_meanwhile(self) -> None:
        """Ask without waiting; where that fails, who asks when time is up hears of it."""
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.ensure_future(self.renewed())
            self._renewal.add_done_callback(lambda done: done.cancelled() or done.exception())


async def first_of(*works: Coroutine[object, object, object]) -> None:
    """Return when the first of several is done, or raise its failure; the others have ended."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(tasks)
    for task in done:
        task.result()


async def _end(tasks: Iterable["asyncio.Task[object]"]) -> None:
    """Cancel tasks until they have ended.

    Once may not be enough: a cancellation that meets an answer is swallowed by some libraries,
    and by `asyncio.wait_for` of Python 3.11, and a task that goes on for ever would never end.
    """
    going = set(tasks)
    while going:
        for task in going:
            task.cancel()
        over, going = await asyncio.wait(going, timeout=CANCEL_AGAIN_S)
        for task in over:
            # Looked at here: what a task says that was told to end is news to nobody.
            _ = task.cancelled() or task.exception()
