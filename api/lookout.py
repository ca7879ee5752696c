"""What anybody may ask again and again: looked up once a second, beside those who control bots."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

POOL: Final = 2
"""Connections to the record that all these have together; control has its own."""

T = TypeVar("T")


class Shared(Generic[T]):
    """One look for all who ask while it goes on, and for a moment after.

    Args:
        look: Finds what is shared, or why it cannot be found.
        fresh_s: Seconds for which that serves.
    """

    def __init__(self, look: Callable[[], Awaitable[T]], fresh_s: float) -> None:
        self._look = look
        self._fresh_s = fresh_s
        self._at_s = 0.0
        self._found: asyncio.Future[T] | None = None

    async def get(self) -> T:
        """Give what was found; its failure serves like an answer."""
        if self._found is None or (self._found.done() and self._is_old()):
            self._found = asyncio.ensure_future(self._look())
            self._found.add_done_callback(self._done)
        return await asyncio.shield(self._found)

    def _is_old(self) -> bool:
        return time.monotonic() - self._at_s >= self._fresh_s

    def _done(self, found: "asyncio.Future[T]") -> None:
        self._at_s = time.monotonic()
        _ = found.cancelled() or found.exception()  # whoever asked has it
