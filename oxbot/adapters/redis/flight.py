"""The flight lock: of all processes, one asks the exchange; the others wait for its answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from redis.exceptions import LockError

from oxbot.adapters.redis.answering import answering
from oxbot.domain.errors import StoreUnavailable, VenueUnavailable

WORK_S: Final = 8
"""Seconds that a holder has for its work."""

LONGER_S: Final = 2
"""By so many seconds a lock outlives its holder's work, so that none but a dead holder's ends by
itself, and a waiter outlasts such a lock."""

GLANCE_S: Final = 0.02
"""Between two attempts to get the lock."""

log = structlog.get_logger(__name__)


class RedisFlight:
    """`oxbot.ports.Flight` with redis-py's own lock: `RedisFlight(open_redis(redis_url))`.

    Args:
        client: The connection.
        work_s: As `WORK_S`.
    """

    def __init__(self, client: "Redis", *, work_s: float = WORK_S) -> None:
        self._client = client
        self._work_s = work_s
        self._lock_s = work_s + LONGER_S
        self._wait_s = work_s + 2 * LONGER_S

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[None]:
        """Hold a name while no other process does; without Redis nobody is kept waiting.

        Raises:
            VenueUnavailable: Another holder took too long, or this one does.
        """
        lock = await self._acquired(name)
        try:
            async with asyncio.timeout(self._work_s) as limit:
                yield
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise VenueUnavailable(
                f"The exchange gave no answer for {name} within {self._work_s} s; it is asked "
                f"again."
            ) from error
        finally:
            await _release(lock)

    async def _acquired(self, name: str) -> Lock | None:
        """Give the lock; None where Redis does not answer."""
        lock = Lock(
            self._client,
            f"oxbot:flight:{name}",
            timeout=self._lock_s,
            sleep=GLANCE_S,
            blocking_timeout=self._wait_s,
        )
        try:
            async with answering():
                got = await lock.acquire()
        except StoreUnavailable as error:
            log.debug("going on without a lock", name=name, error=str(error))
            return None
        if not got:
            raise VenueUnavailable(
                f"Another process has been asking the exchange for {name} for {self._wait_s} s "
                f"without an answer; it is asked again."
            )
        return lock


async def _release(lock: Lock | None) -> None:
    """Let others in; a lock that ended by itself or whose server is away needs nothing more."""
    if lock is None:
        return
    try:
        async with answering():
            await lock.release()
    except (LockError, StoreUnavailable) as error:
        log.warning("flight lock not released; it ends by itself", error=str(error))
