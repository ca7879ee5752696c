"""The price board: one hash per venue, the newest quote of each symbol."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError

from oxbot.domain.errors import SetupError, StoreUnavailable
from oxbot.domain.market import Quote

ANSWER_S: Final = 5
"""Seconds to wait for a connection or an answer."""

KEEP_NEWEST: Final = """
for i = 1, #ARGV, 3 do
  local symbol, time, quote = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local known = redis.call('HGET', KEYS[1], symbol)
  if not known or cjson.decode(known)['exchange_ms'] <= time then
    redis.call('HSET', KEYS[1], symbol, quote)
  end
end
"""
"""Takes symbol, exchange time in ms and quote as JSON, for each symbol; runs as one step."""


def open_redis(redis_url: str) -> "Redis":
    """Open a client; nothing is connected yet. It never tries again by itself.

    Args:
        redis_url: redis://..., rediss://... or unix:///path/of/socket

    Raises:
        SetupError: It is no URL of Redis.
    """
    try:
        return Redis.from_url(
            redis_url,
            decode_responses=True,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise SetupError(
            "REDIS_URL is not a URL of Redis. It has the form redis://host:6379 or unix:///path."
        ) from error


class RedisPriceBoard:
    """`oxbot.ports.PriceBoard` in Redis: `RedisPriceBoard(open_redis(redis_url))`."""

    def __init__(self, client: "Redis") -> None:
        self._client = client
        self._keep_newest = client.register_script(KEEP_NEWEST)

    async def put(self, venue: str, quotes: Sequence[Quote]) -> None:
        """Keep these prices; an older exchange time never replaces a newer one."""
        if not quotes:
            return
        words = [w for q in quotes for w in (q.symbol, q.exchange_ms, q.model_dump_json())]
        async with answering():
            await self._keep_newest(keys=[_key(venue)], args=words)

    async def get(self, venue: str, symbols: Sequence[str]) -> dict[str, Quote]:
        """Give what is known, however old; symbols without a price are left out."""
        if not symbols:
            return {}
        async with answering():
            known = await self._client.hmget(_key(venue), list(symbols))
        found = zip(symbols, known, strict=True)
        return {symbol: Quote.model_validate_json(text) for symbol, text in found if text}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _key(venue: str) -> str:
    return f"oxbot:prices:{venue}"


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """Say which errors mean that Redis does not answer, or cannot keep anything now."""
    try:
        yield
    except (
        RedisConnectionError,
        RedisTimeoutError,
        ReadOnlyError,
        OutOfMemoryError,
        OSError,
    ) as error:
        cause = str(error) or type(error).__name__
        raise StoreUnavailable(
            f"Redis does not answer ({cause}). Nothing is lost but what it shares; try again."
        ) from error
