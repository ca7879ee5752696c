"""The cache of market parts: one key each, gone when nobody asks for its candle any more."""

from collections.abc import Collection
from typing import Final

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from oxbot.adapters.redis.answering import answering
from oxbot.domain.market import Bar, MarketPart, PartKey

MINUTE_S: Final = 60
KEEP_S: Final = {Bar.M5: 15 * MINUTE_S, Bar.H1: 120 * MINUTE_S, Bar.H4: 480 * MINUTE_S}
"""Seconds of wall time that a part is kept; PostgreSQL keeps it for good."""

log = structlog.get_logger(__name__)


class RedisPartCache:
    """`oxbot.ports.PartCache` in Redis: `RedisPartCache(open_redis(redis_url))`."""

    def __init__(self, client: "Redis") -> None:
        self._client = client

    async def get(self, keys: Collection[PartKey]) -> dict[PartKey, MarketPart]:
        """Give those that are there; what another version wrote and this one cannot read is not."""
        wanted = list(keys)
        if not wanted:
            return {}
        async with answering():
            texts = await self._client.mget([_name(key) for key in wanted])
        read = ((key, _read(key, text)) for key, text in zip(wanted, texts, strict=True) if text)
        return {key: part for key, part in read if part is not None}

    async def put(self, parts: Collection[MarketPart]) -> None:
        """Keep parts, for a time that depends on the length of their candle."""
        if not parts:
            return
        async with answering(), self._client.pipeline(transaction=False) as pipe:
            for part in parts:
                # Only queued: `execute` sends them.
                _ = pipe.set(_name(part.key), part.model_dump_json(), ex=KEEP_S[part.bar])
            await pipe.execute()


def _name(key: PartKey) -> str:
    return f"oxbot:part:{key.venue}:{key.symbol}:{key.bar}:{key.candle_ms}"


def _read(key: PartKey, text: str | bytes) -> MarketPart | None:
    try:
        part = MarketPart.model_validate_json(text)
    except ValidationError as error:
        log.warning("market part in Redis passed over", part=_name(key), error=str(error))
        return None
    return part if part.key == key else None
