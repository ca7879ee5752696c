"""What the tasks of one process share: parts and snapshots seen lately, and work under way."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Final, Generic, NamedTuple, TypeVar, cast

import structlog

from oxbot.domain.bot import Mode
from oxbot.domain.errors import StoreUnavailable
from oxbot.domain.market import MarketPart, PartKey, Quote
from oxbot.domain.snapshots import Snapshot

MOST_PARTS: Final = 600
"""Parts kept in the process: three for each of 200 symbols, about 25 MB."""

MOST_SNAPSHOTS: Final = 200

MADE_AT_ONCE: Final = 8
"""Parts that one process makes at a time, so that none waits long for its turn at the exchange."""

log = structlog.get_logger(__name__)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")


class Recent(Generic[K, V]):
    """The values asked for last, up to a number of them; to be used for what never changes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Give what is kept under a key."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key]

    def put(self, key: K, value: V) -> None:
        """Keep a value; the one not asked for longest makes room."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


class Answer(NamedTuple):
    """All prices as the exchange gave them last, and the venue time (ms) they were asked at."""

    asked_ms: int
    quotes: dict[str, Quote]


class Shared:
    """One a process. Work of one name is done once, and all who ask for it get its outcome."""

    def __init__(self) -> None:
        self.parts: Recent[PartKey, MarketPart] = Recent(MOST_PARTS)
        self.snapshots: Recent[str, Snapshot] = Recent(MOST_SNAPSHOTS)
        self.answers: dict[str, Answer] = {}
        self.modes: dict[str, Mode] = {}
        self._places = asyncio.Semaphore(MADE_AT_ONCE)
        self._next = asyncio.Lock()
        self._under_way: dict[Hashable, asyncio.Task[object]] = {}
        self._without_redis = False

    def note_redis(self, error: StoreUnavailable | None) -> None:
        """Log once that Redis went away (`error`), and once that it is back (None)."""
        if error is not None and not self._without_redis:
            log.warning("Redis is away; prices and snapshots are not shared", error=str(error))
        elif error is None and self._without_redis:
            log.info("Redis is back; prices and snapshots are shared again")
        self._without_redis = error is not None

    @asynccontextmanager
    async def making(self, count: int) -> AsyncIterator[None]:
        """Wait for places to make so many parts, at most `MADE_AT_ONCE`."""
        taken = 0
        try:
            async with self._next:  # one after the other, so that no two wait with half of theirs
                while taken < count:
                    await self._places.acquire()
                    taken += 1
            yield
        finally:
            for _ in range(taken):
                self._places.release()

    def is_under_way(self, name: Hashable) -> bool:
        """Whether work of this name is being done."""
        return name in self._under_way

    async def once(self, name: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Do work, or wait for the same work that is under way; a failure is shared, too.

        Whoever is cancelled leaves; the work goes on, for the others and for what it keeps.
        """
        return await self.begin(name, work)

    def begin(self, name: Hashable, work: Callable[[], Awaitable[T]]) -> Awaitable[T]:
        """Begin work unless it is under way; give its outcome to wait for, as `once`."""
        task = self._under_way.get(name)
        if task is None:
            task = asyncio.ensure_future(_run(work))
            self._under_way[name] = task
            task.add_done_callback(lambda done: self._end(name, done))
        return cast("Awaitable[T]", asyncio.shield(task))

    def _end(self, name: Hashable, task: "asyncio.Task[object]") -> None:
        del self._under_way[name]
        if not task.cancelled():
            # Looked at here, since everybody who asked may have left.
            task.exception()


async def _run(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
