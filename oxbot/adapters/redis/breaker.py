"""Circuit breakers in Redis: one hash for the whole fleet, each change one step of Lua."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from pydantic import BaseModel
from redis.asyncio import Redis

from oxbot.adapters.redis.answering import answering
from oxbot.domain.circuit import COOLS_MS, OPENS_AFTER, Admission, Circuit, Phase
from oxbot.domain.errors import StoreUnavailable
from oxbot.domain.market import ClockReading

KEY: Final = "oxbot:breakers"

ADMIT: Final = """
local target, stepped = ARGV[1], ARGV[4] == '1'
local wall, venue, cools = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[5])
local text = redis.call('HGET', KEYS[1], target)
if not text then return {1, '{}'} end
local known = cjson.decode(text)
if not known.opened_ms then return {1, text} end
local cooled = math.abs(venue - known.opened_venue_ms) >= cools
if not stepped then cooled = cooled or math.abs(wall - known.opened_ms) >= cools end
if not cooled then return {0, text} end
if known.probe_ms and math.abs(wall - known.probe_ms) < cools then return {0, text} end
known.probe_ms = wall
text = cjson.encode(known)
redis.call('HSET', KEYS[1], target, text)
return {1, text}
"""
"""Takes target, wall ms, venue ms, 1 where the venue is stepped, and how long it cools.

Differences count without their sign: a clock that was set back must not keep a circuit open.
"""

FAILED: Final = """
local target, stepped = ARGV[1], ARGV[4] == '1'
local wall, venue, opens_after = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[5])
local text = redis.call('HGET', KEYS[1], target)
local known = text and cjson.decode(text) or {failures = 0}
local began, last = tonumber(ARGV[7]), known.failed_ms
if last and not known.probe_ms and began < last and last <= wall then return end
known.failures = known.failures + 1
known.reason, known.failed_ms = ARGV[6], wall
if known.probe_ms or (not known.opened_ms and known.failures >= opens_after) then
  known.opened_ms, known.opened_venue_ms, known.stepped = wall, venue, stepped
  known.probe_ms = nil
end
redis.call('HSET', KEYS[1], target, cjson.encode(known))
"""
"""Takes target, wall ms, venue ms, 1 where the venue is stepped, how many open it, the reason,
and the wall ms at which the call began.

Calls that were under way together fail together and count as one. A failure while a probe is
out opens it anew; one while it is open does not prolong that.
"""

_log = structlog.get_logger(__name__)


class _Record(BaseModel):
    """One target's field of the hash; without it the circuit is closed and nothing failed."""

    failures: int = 0
    reason: str = ""
    opened_ms: int | None = None
    opened_venue_ms: int | None = None
    probe_ms: int | None = None
    stepped: bool = False


class RedisBreaker:
    """`oxbot.ports.Breaker`: `RedisBreaker(open_redis(redis_url))`.

    Without Redis every circuit is closed, which is said once until Redis answers again.
    """

    def __init__(self, client: "Redis") -> None:
        self._client = client
        self._admit = client.register_script(ADMIT)
        self._failed = client.register_script(FAILED)
        self._away = False

    async def admit(self, target: str, now: ClockReading) -> Admission:
        """Tell whether the target may be asked now; of all callers, one is the probe."""
        admitted, text = 1, "{}"
        async with self._or_closed():
            admitted, text = await self._admit(keys=[KEY], args=[*_when(target, now), COOLS_MS])
        return Admission(admitted=bool(admitted), circuit=_circuit(target, text))

    async def succeeded(self, target: str) -> None:
        """Report an answer: the circuit is closed, and nothing is held against the target."""
        async with self._or_closed():
            await self._client.hdel(KEY, target)

    async def failed(self, target: str, now: ClockReading, reason: str, began_ms: int) -> None:
        """Report that the target did not answer a call that began at a wall time in ms."""
        args = [*_when(target, now), OPENS_AFTER, reason, began_ms]
        async with self._or_closed():
            await self._failed(keys=[KEY], args=args)

    async def states(self) -> list[Circuit]:
        """Give every target that failed since its last success; StoreUnavailable."""
        async with answering():
            known = await self._client.hgetall(KEY)
        return [_circuit(str(target), str(text)) for target, text in sorted(known.items())]

    @asynccontextmanager
    async def _or_closed(self) -> AsyncIterator[None]:
        try:
            async with answering():
                yield
        except StoreUnavailable as error:
            if not self._away:
                _log.warning("circuit breakers are closed without Redis", error=str(error))
            self._away = True
        else:
            self._away = False


def _when(target: str, now: ClockReading) -> list[str | int]:
    return [target, now.wall_ms, now.venue_ms, int(now.stepped)]


def _circuit(target: str, text: str) -> Circuit:
    record = _Record.model_validate(json.loads(text))
    return Circuit(
        target=target,
        phase=_phase(record),
        failures=record.failures,
        reason=record.reason,
        opened_ms=record.opened_ms,
        retry_ms=_cooled(record.probe_ms or record.opened_ms),
        venue_retry_ms=_cooled(record.opened_venue_ms),
        stepped=record.stepped,
    )


def _phase(record: _Record) -> Phase:
    if record.opened_ms is None:
        return Phase.CLOSED
    return Phase.OPEN if record.probe_ms is None else Phase.HALF_OPEN


def _cooled(since_ms: int | None) -> int | None:
    return None if since_ms is None else since_ms + COOLS_MS
