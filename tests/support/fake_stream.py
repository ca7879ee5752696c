"""A price stream and wall time in a test's own hands."""

import asyncio
import heapq
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from itertools import count

from oxbot.domain.errors import OxbotError
from oxbot.domain.market import ClockReading, Quote

TURNS = 50
"""Turns of the loop in which everything in memory that can happen has happened."""


async def settled() -> None:
    """Let every task go on until all of them wait."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


class ScriptedStream:
    """Says what a test makes it say.

    `asked` are the symbols of each connection made, `open` how many are open, `refusal` what a
    new connection meets.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.open = 0
        self.refusal: OxbotError | None = None
        self._said: asyncio.Queue[list[Quote] | OxbotError] = asyncio.Queue()

    def say(self, *quotes: Quote) -> None:
        """Push a batch."""
        self._said.put_nowait(list(quotes))

    def break_off(self, error: OxbotError) -> None:
        """Lose the connection."""
        self._said.put_nowait(error)

    async def quotes(
        self,
        symbols: Sequence[str],
        clock: Callable[[], Awaitable[ClockReading]],  # noqa: ARG002 - the port's
    ) -> AsyncGenerator[list[Quote], None]:
        """Give what was said."""
        self.asked.append(tuple(symbols))
        if self.refusal:
            raise self.refusal
        self.open += 1
        try:
            while True:
                said = await self._said.get()
                if isinstance(said, OxbotError):
                    raise said
                yield said
        finally:
            self.open -= 1


class FakeTimer:
    """Wall time that passes when a test says so.

    Args:
        now_ms: When it begins.
    """

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self._numbers = count()
        self._sleepers: list[tuple[int, int, asyncio.Event]] = []

    def wall_ms(self) -> int:
        """Give the time in ms."""
        return self.now_ms

    async def sleep(self, seconds: float) -> None:
        """Return when a test has let so much time pass."""
        woken = asyncio.Event()
        wake_ms = self.now_ms + round(seconds * 1000)
        heapq.heappush(self._sleepers, (wake_ms, next(self._numbers), woken))
        await woken.wait()

    async def passes(self, seconds: float) -> None:
        """Let time pass; everybody wakes at the right moment and does what there is to do."""
        end_ms = self.now_ms + round(seconds * 1000)
        await settled()
        while self._sleepers and self._sleepers[0][0] <= end_ms:
            self.now_ms, _, woken = heapq.heappop(self._sleepers)
            woken.set()
            await settled()
        self.now_ms = end_ms
        await settled()
