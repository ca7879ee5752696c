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

MOST_NAMED: Final = 500
"""Of more changes than this, all guards are read rather than each by its name."""

LISTEN_AGAIN_S: Final = 1


class GuardNews:
    """Keeps an index of guards as the record has it.

    Args:
        ports: Of the venue.
        index: What is kept.
        timer: Wall time.
        troubles: Where it says what is wrong.
        changed: Called with the positions whose guards may be others than before.
    """

    def __init__(
        self,
        ports: Ports,
        index: GuardIndex,
        timer: Timer,
        troubles: Troubles,
        changed: Callable[[Collection[PositionKey]], None],
    ) -> None:
        self.compared_ms = 0
        self._ports = ports
        self._venue = ports.feed.venue
        self._index = index
        self._timer = timer
        self._troubles = troubles
        self._changed = changed
        self._versions: dict[PositionKey, str] = {}
        self._told: dict[PositionKey, None] = {}
        self._news = asyncio.Event()

    async def compare(self) -> None:
        """Find out which guards are others than the index has, and read those.

        Raises:
            StoreUnavailable: The record does not say.
        """
        versions = await self._ports.store.guard_versions(self._venue)
        changed = [key for key, version in versions.items() if not self._has(key, version)]
        gone = [guard.key for guard in self._index if guard.key not in versions]
        await self._read(changed)
        for key in gone:
            self._index.remove(key)
        self._versions = versions
        self.compared_ms = self._timer.wall_ms()
        self._changed(changed)

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
        await self._read(keys)
        self._changed(keys)

    async def _read(self, keys: Collection[PositionKey]) -> None:
        """Read the guards of positions anew, by naming them or, of too many, all there are."""
        if not keys:
            return
        only = None if len(keys) > MOST_NAMED else keys
        found = {guard.key: guard for guard in await self._ports.store.guards(self._venue, only)}
        for key in keys:
            if key in found:
                self._index.put(found[key])
            else:
                self._index.remove(key)

    def _has(self, key: PositionKey, version: str) -> bool:
        """Whether the index has a guard as of this version."""
        return self._versions.get(key) == version and self._index.get(key) is not None
