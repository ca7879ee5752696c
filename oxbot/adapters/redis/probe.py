"""What Redis tells of itself."""

from redis.asyncio import Redis

from oxbot.adapters.redis.answering import answering


class RedisProbe:
    """`oxbot.ports.probing.Server`: `RedisProbe(open_redis(redis_url))`."""

    def __init__(self, client: "Redis") -> None:
        self._client = client

    async def version(self) -> str:
        """Give the server's version; StoreUnavailable."""
        async with answering():
            told = await self._client.info("server")
        return str(told.get("redis_version", "unknown"))
