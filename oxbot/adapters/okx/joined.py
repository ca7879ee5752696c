"""One answer on its way serves all who ask for the same meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Answer = TypeVar("Answer")


class Joined(Generic[Key, Answer]):
    """Questions under way, by what they ask for."""

    def __init__(self) -> None:
        self._under_way: dict[Key, asyncio.Task[Answer]] = {}

    async def join(self, key: Key, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask, or wait for who asks already; nobody's giving up spoils it for the others.

        A failure is everybody's who waited; the next to come asks anew.
        """
        asking = self._under_way.get(key)
        if asking is None:
            asking = self._under_way[key] = asyncio.ensure_future(ask())
            asking.add_done_callback(lambda done: self._end(key, done))
        return await asyncio.shield(asking)

    def _end(self, key: Key, done: "asyncio.Task[Answer]") -> None:
        del self._under_way[key]
        # Looked at here: if all have given up, its failure is news to nobody.
        _ = done.cancelled() or done.exception()
