"""Joins the newest prices known with whoever looks at positions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from oxbot.bootstrap import TAKER_FEE
from oxbot.bootstrap.addresses import resolve
from oxbot.bootstrap.exchange import venue_of
from oxbot.domain.errors import SetupError
from oxbot.settings import Settings

if TYPE_CHECKING:
    from oxbot.app.positions import Prices


@asynccontextmanager
async def open_prices(settings: Settings) -> "AsyncIterator[Prices]":
    """Open the board of the running system; where none runs, nobody keeps prices."""
    from oxbot.adapters.redis.board import RedisPriceBoard, open_redis  # noqa: PLC0415 - as in open_desk
    from oxbot.app.positions import Prices  # noqa: PLC0415 - as above

    found = _running(settings)
    if found.redis_url is None:
        yield Prices(venue_of(found), None, TAKER_FEE)
        return
    redis = open_redis(found.redis_url)
    try:
        yield Prices(venue_of(found), RedisPriceBoard(redis), TAKER_FEE)
    finally:
        await redis.aclose()


def _running(settings: Settings) -> Settings:
    try:
        return resolve(settings)
    except SetupError:  # a record alone is enough to look at positions
        return settings
