"""The flight lock: of all processes, one asks the exchange; the others wait for its answer."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Collection
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

TAKE: Final = """
local taken = {}
for number, key in ipairs(KEYS) do
  if redis.call('SET', key, ARGV[1], 'NX', 'PX', ARGV[2]) then taken[#taken + 1] = number end
end
return taken
"""
"""Takes a token and ms; gives the places of the keys that were free, from 1."""

LEAVE: Final = """
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then redis.call('DEL', key) end
end
"""
"""Takes the token of `TAKE`; a key that ended by itself may be somebody else's by now."""

log = structlog.get_logger(__name__)


class RedisFlight:
    """`oxbot.ports.Flight` with redis-py's own lock: `RedisFlight(open_redis(redis_url))`.

    Args:
        client: The connection.
        work_s: As `WORK_S`.
    """

    def __init__(self, client: "Redis", *, work_s: float = WORK_S) -> None:
        self._client = client
        self._take = client.register_script(TAKE)
        self._leave = client.register_script(LEAVE)
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
            async with self._in_time(name):
                yield
        finally:
            await _release(lock)

    @asynccontextmanager
    async def free(self, names: Collection[str]) -> AsyncIterator[list[str]]:
        """Hold those of several names that no other process holds, and give them.

        One request takes them and one lets them go; without Redis all are given.

        Raises:
            VenueUnavailable: This holder takes too long.
        """
        token = secrets.token_hex(16)
        held = await self._taken(names, token)
        try:
            async with self._in_time(", ".join(held)):
                yield held
        finally:
            await self._let_go(held, token)

    @asynccontextmanager
    async def _in_time(self, name: str) -> AsyncIterator[None]:
        """Let a holder work for so long."""
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

    async def _taken(self, names: Collection[str], token: str) -> list[str]:
        """Give the names taken; all of them where Redis does not answer."""
        wanted = list(names)
        try:
            async with answering():
                numbers = await self._take(
                    keys=[_key(name) for name in wanted], args=[token, int(self._lock_s * 1000)]
                )
        except StoreUnavailable as error:
            log.debug("going on without locks", names=wanted, error=str(error))
            return wanted
        return [wanted[number - 1] for number in numbers]

    async def _let_go(self, held: Collection[str], token: str) -> None:
        if not held:
            return
        try:
            async with answering():
                await self._leave(keys=[_key(name) for name in held], args=[token])
        except StoreUnavailable as error:
            log.warning("flight locks not released; they end by themselves", error=str(error))

    async def _acquired(self, name: str) -> Lock | None:
        """Give the lock; None where Redis does not answer."""
        lock = Lock(
            self._client,
            _key(name),
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


def _key(name: str) -> str:
    return f"oxbot:flight:{name}"


async def _release(lock: Lock | None) -> None:
    """Let others in; a lock that ended by itself or whose server is away needs nothing more."""
    if lock is None:
        return
    try:
        async with answering():
            await lock.release()
    except (LockError, StoreUnavailable) as error:
        log.warning("flight lock not released; it ends by itself", error=str(error))
