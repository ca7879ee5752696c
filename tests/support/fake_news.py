"""Word of changed positions, in a test's own hands."""

import asyncio
from collections.abc import AsyncGenerator

from oxbot.domain.errors import StoreUnavailable
from oxbot.ports import PositionKey


class FakeNews:
    """Tells what a test tells; `listeners` counts who hears it, `away` is what they meet."""

    def __init__(self) -> None:
        self.away = False
        self.listeners = 0
        self._told: asyncio.Queue[list[PositionKey] | None] = asyncio.Queue()

    def tell(self, *keys: PositionKey) -> None:
        """Say that positions have changed."""
        self._told.put_nowait(list(keys))

    def break_off(self) -> None:
        """Lose the connection."""
        self._told.put_nowait(None)

    async def changes(self) -> AsyncGenerator[list[PositionKey], None]:
        """Give what is told."""
        if self.away:
            raise StoreUnavailable("PostgreSQL was told not to answer")
        self.listeners += 1
        try:
            yield []
            while (keys := await self._told.get()) is not None:
                yield keys
            raise StoreUnavailable("The connection was cut.")
        finally:
            self.listeners -= 1
