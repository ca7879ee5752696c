"""The index of guards follows the record: changes at once, everything now and then."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from contextlib import aclosing
from typing import Final

from oxbot.app.ports import Ports
from oxbot.app.timing import Timer, first_of
from oxbot.app.troubles import Troubles
from oxbot.domain.errors import StoreUnavailable
from oxbot.domain.guard_index import GuardIndex
from oxbot.ports import PositionKey

COMPARE_EVERY_S: Final = 3
"""The whole index is compared with the record so often: word that was lost costs no more."""

LISTEN_AGAIN_S: Final = 1


class GuardNews:
    """Keeps an index of guards as the record has it.

    Args:
        ports: Of the venue.
        index: What is kept.
        timer: Wall time.
        troubles: Where it says what is wrong.
        changed: Called with the symbols whose guards may be others than before.
    """

    def __init__(
        self,
        ports: Ports,
        index: GuardIndex,
        timer: Timer,
        troubles: Troubles,
        changed: Callable[[Collection[str]], None],
    ) -> None:
        self.compared_ms = 0
        self._ports = ports
        self._venue = ports.feed.venue
        self._index = index
        self._timer = timer
        self._troubles = troubles
        self._changed = changed
        self._told: dict[PositionKey, None] = {}
        self._news = asyncio.Event()

    async def compare(self) -> None:
        """Read every guard; StoreUnavailable."""
        self._index.replace_all(await self._ports.store.guards(self._venue))
        self.compared_ms = self._timer.wall_ms()
        self._changed(self._index.symbols)

    async def listen(self) -> None:
        """Hear of changes; connect again where that breaks, until cancelled."""
        while True:
            try:
                async with aclosing(self._ports.news.changes()) as changes:
                    async for keys in changes:
                        self._troubles.has_none("news")
                        self._told.update(dict.fromkeys(keys))
                        self._news.set()
            except StoreUnavailable as error:
                self._troubles.has("news", error)
            await self._timer.sleep(LISTEN_AGAIN_S)

    async def follow(self) -> None:
        """Read what has changed as soon as it is told, and everything in turn."""
        while True:
            due_ms = self._timer.wall_ms() + COMPARE_EVERY_S * 1000
            while (left_ms := due_ms - self._timer.wall_ms()) > 0:
                await first_of(self._news.wait(), self._timer.sleep(left_ms / 1000))
                await self._tried(self._read_told())
            await self._tried(self.compare())

    async def _tried(self, reading: Coroutine[object, object, None]) -> None:
        try:
            await reading
        except StoreUnavailable as error:
            self._troubles.has("guards", error)
        else:
            self._troubles.has_none("guards")

    async def _read_told(self) -> None:
        """Read the guards of positions that are told to have changed."""
        self._news.clear()
        keys, self._told = tuple(self._told), {}
        if not keys:
            return
        found = {guard.key: guard for guard in await self._ports.store.guards(self._venue, keys)}
        for key in keys:
            if key in found:
                self._index.put(found[key])
            else:
                self._index.remove(key)
        self._changed({symbol for _, symbol in keys})
