"""What a venue lists, in Redis: loaded by one process, read by all."""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Final, Protocol

import structlog
from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from oxbot.domain.errors import StoreUnavailable
from oxbot.domain.market import Instrument

KEEP_S: Final = 3600
"""After so many seconds the list is asked for again."""

_LISTING: Final = TypeAdapter(dict[str, Instrument])

_log = structlog.get_logger(__name__)


class RedisListing:
    """The instruments of each venue, by symbol: `RedisListing(open_redis(redis_url))`."""

    def __init__(self, client: "Redis") -> None:
        self._client = client

    async def get(self, venue: str) -> dict[str, Instrument] | None:
        """Give a venue's list; None where there is none, or none of this version.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        async with _answering():
            text = await self._client.get(_key(venue))
        if text is None:
            return None
        try:
            return _LISTING.validate_json(text) or None
        except ValidationError:
            _log.warning("the list of instruments in Redis is unreadable", venue=venue)
            return None

    async def put(self, venue: str, listing: Mapping[str, Instrument]) -> None:
        """Keep a venue's list for an hour.

        Raises:
            StoreUnavailable: Redis does not answer, or cannot keep anything now.
        """
        text = _LISTING.dump_json(dict(listing))
        async with _answering():
            await self._client.set(_key(venue), text, ex=KEEP_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class Ask(Protocol):
    """Asks a venue what it lists."""

    def __call__(self, *, fresh: bool) -> Awaitable[dict[str, Instrument]]:
        """As `oxbot.ports.Listing.listing`."""
        ...


class SharedFirst:
    """A venue's list as Redis has it, else as the venue tells it: `oxbot.ports.Listing`.

    Args:
        venue: Whose list.
        shared: The list in Redis.
        ask: Asks the venue, and puts its answer into Redis; `fresh` as in `listing`.
    """

    def __init__(
        self,
        venue: str,
        shared: RedisListing,
        ask: Ask,
    ) -> None:
        self._venue = venue
        self._shared = shared
        self._ask = ask

    async def listing(self, *, fresh: bool = False) -> dict[str, Instrument]:
        """Give everything that can be traded, by symbol; `fresh` asks the venue itself.

        Raises:
            VenueUnavailable: Redis has no list, or a fresh one is wanted, and the venue does
                not answer.
        """
        known = None if fresh else await self._known()
        return known if known is not None else await self._ask(fresh=fresh)

    async def _known(self) -> dict[str, Instrument] | None:
        try:
            return await self._shared.get(self._venue)
        except StoreUnavailable as error:
            _log.warning("the list of instruments in Redis is away", reason=str(error))
            return None


def _key(venue: str) -> str:
    return f"oxbot:listing:{venue}"


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Any error of Redis means that the list is not to be had there; the venue has it too."""
    try:
        yield
    except (RedisError, OSError) as error:
        cause = str(error) or type(error).__name__
        raise StoreUnavailable(
            f"Redis does not answer ({cause}). The list of instruments comes from the exchange "
            "until it does."
        ) from error
