"""The price board: one hash per venue, the newest quote of each symbol, and the watch's report."""

from collections.abc import Sequence
from typing import Final

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from oxbot.adapters.redis.answering import answering
from oxbot.domain.errors import SetupError
from oxbot.domain.feed import FeedStatus
from oxbot.domain.market import Quote

_log = structlog.get_logger(__name__)

ANSWER_S: Final = 5
"""Seconds to wait for a connection or an answer."""

KEEP_NEWEST: Final = """
local function is_older(time, received, text)
  local readable, known = pcall(cjson.decode, text)
  if not readable or type(known) ~= 'table' then return false end
  if type(known['exchange_ms']) ~= 'number' or type(known['received_ms']) ~= 'number' then
    return false
  end
  if time ~= known['exchange_ms'] then return time < known['exchange_ms'] end
  return received < known['received_ms']
end
for i = 1, #ARGV, 4 do
  local symbol, quote = ARGV[i], ARGV[i + 3]
  local time, received = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local known = redis.call('HGET', KEYS[1], symbol)
  if not known or not is_older(time, received, known) then
    redis.call('HSET', KEYS[1], symbol, quote)
  end
end
"""
"""Takes symbol, exchange time, time of receipt (ms) and quote as JSON, for each symbol.

Runs as one step. What is there and cannot be read as a quote gives way. Of two quotes of one
exchange time the one received later stays: it says that the price still held then.
"""


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
        words = [
            word
            for q in quotes
            for word in (q.symbol, q.exchange_ms, q.received_ms, q.model_dump_json())
        ]
        async with answering():
            await self._keep_newest(keys=[_prices(venue)], args=words)

    async def get(self, venue: str, symbols: Sequence[str]) -> dict[str, Quote]:
        """Give what is known, however old; symbols without a price are left out."""
        if not symbols:
            return {}
        async with answering():
            known = await self._client.hmget(_prices(venue), list(symbols))
        found = ((symbol, _quote(text)) for symbol, text in zip(symbols, known, strict=True))
        return {symbol: quote for symbol, quote in found if quote is not None}

    async def report(self, venue: str, status: FeedStatus) -> None:
        """Keep what the price watch of a venue says of itself."""
        async with answering():
            await self._client.set(_report(venue), status.model_dump_json())

    async def feed_status(self, venue: str) -> FeedStatus | None:
        """Give the last report of a venue's price watch, however old; None if there is none."""
        async with answering():
            text = await self._client.get(_report(venue))
        try:
            return FeedStatus.model_validate_json(text) if text else None
        except ValidationError as error:
            _log.warning("an unreadable report of the watch is passed over", reason=str(error))
            return None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _quote(text: str | bytes | None) -> Quote | None:
    """Read a quote; what another version or somebody's hand has left is no price."""
    try:
        return Quote.model_validate_json(text) if text else None
    except ValidationError as error:
        _log.warning("an unreadable price on the board is passed over", reason=str(error))
        return None


def _prices(venue: str) -> str:
    return f"oxbot:prices:{venue}"


def _report(venue: str) -> str:
    return f"oxbot:feed:{venue}"
