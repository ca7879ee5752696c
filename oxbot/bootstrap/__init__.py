"""Joins ports to adapters: the only place that knows both."""

import asyncio
import gc
import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from oxbot.app.bots import Desk
from oxbot.bootstrap.addresses import record_of, resolve
from oxbot.bootstrap.exchange import (
    account_keys,
    clock_of,
    data_client,
    free_usdt,
    price_stream,
    trading_place,
    venue_of,
)
from oxbot.bootstrap.record import disposing
from oxbot.domain.market import Instrument
from oxbot.domain.models import BASELINE
from oxbot.domain.users import first_code
from oxbot.settings import Settings

if TYPE_CHECKING:
    from temporalio.client import Client

    from oxbot.adapters.okx.archive import OkxArchive
    from oxbot.adapters.redis.listing import RedisListing
    from oxbot.app.ports import Ports
    from oxbot.app.users import Reception
    from oxbot.ports import AccountNews, LiveExchange

PROVIDERS: Final = frozenset({BASELINE})
"""Model providers that need no settings; `Settings.model_providers` has all."""

TAKER_FEE: Final = Decimal("0.001")
"""OKX spot, level 1: 10 bp. Source: OKX's fee schedule for regular users."""

DESK_POOL: Final = 4
WORKER_POOL: Final = 10


@asynccontextmanager
async def open_desk(settings: Settings, pool_size: int = DESK_POOL) -> AsyncIterator[Desk]:
    """Open what people control bots with: the record and Temporal.

    `pool_size` is how many connections to the record there may be.

    The exchange is asked only for what it lists, and only where no process has put that into
    Redis: loading its client takes a second that commands can do without.

    Raises:
        SetupError: No system is running, and none is named.
        Unavailable: A server does not answer.
    """
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - loaded when needed
    from oxbot.adapters.postgres.keeping import PostgresKeeping  # noqa: PLC0415 - as below
    from oxbot.adapters.postgres.store import PostgresStore  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.board import RedisPriceBoard, open_redis  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.breaker import RedisBreaker  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.listing import RedisListing, SharedFirst  # noqa: PLC0415 - as above
    from oxbot.adapters.temporal.client import connect  # noqa: PLC0415 - as above
    from oxbot.adapters.temporal.control import TemporalBotControl  # noqa: PLC0415 - as above

    found = resolve(settings)
    async with AsyncExitStack() as stack:
        engine = open_engine(found.database_url or "", pool_size=pool_size)
        stack.push_async_callback(engine.dispose)
        client = await connect(found.temporal_address or "", found.temporal_namespace, lazy=True)
        redis = open_redis(found.redis_url or "")
        stack.push_async_callback(redis.aclose)
        shared = RedisListing(redis)
        yield Desk(
            store=PostgresStore(engine),
            keeping=PostgresKeeping(engine),
            control=TemporalBotControl(client, found.task_queue),
            venue=venue_of(found),
            listing=SharedFirst(venue_of(found), shared, partial(_ask_listing, found, shared)),
            board=RedisPriceBoard(redis),
            breaker=RedisBreaker(redis),
            free_usdt=partial(free_usdt, found),
        )


@asynccontextmanager
async def open_reception(
    settings: Settings, secret: str, *, is_local: bool
) -> "AsyncIterator[Reception]":
    """Open where people sign in; `secret` signs access tokens.

    `is_local` says that only those on this machine can come.

    Raises:
        SetupError: The secret cannot sign; or no system is running, and none is named.
    """
    from oxbot.adapters.access import tokens  # noqa: PLC0415 - as in open_desk
    from oxbot.adapters.access.passwords import Argon2Passwords  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.users import PostgresUsers  # noqa: PLC0415 - as above
    from oxbot.app.users import Reception  # noqa: PLC0415 - as above

    async with disposing(open_engine(record_of(settings), pool_size=DESK_POOL)) as engine:
        yield Reception(
            users=PostgresUsers(engine),
            passwords=Argon2Passwords(),
            tokens=tokens.JwtAccessTokens(secret, tokens.API, tokens.ACCESS_S),
            pages=tokens.JwtAccessTokens(secret, tokens.PAGES, tokens.PAGES_S),
            first_code=first_code(secret),
            is_local=is_local,
        )


async def _ask_listing(
    settings: Settings, shared: "RedisListing", *, fresh: bool
) -> dict[str, Instrument]:
    """Ask the exchange what it lists, by a client opened for this alone, and share it."""
    name = "oxbot.adapters.okx.feed"
    okx = await asyncio.to_thread(importlib.import_module, name)  # others are served meanwhile
    async with data_client(settings) as client:
        feed = okx.OkxFeed(client, venue=venue_of(settings), shared=shared)
        listing: dict[str, Instrument] = await feed.listing(fresh=fresh)
        return listing


@asynccontextmanager
async def open_archive(settings: Settings) -> "AsyncIterator[OkxArchive]":
    """Open the exchange's history of candles; no running system is needed.

    Raises:
        VenueUnavailable: The exchange does not tell its time.
    """
    from oxbot.adapters.okx.archive import OkxArchive  # noqa: PLC0415 - as in open_desk

    async with data_client(settings, many=True) as client:
        yield OkxArchive(client, venue_of(settings), await client.server_time_ms())


@asynccontextmanager
async def open_ports(
    settings: Settings, client: "Client | None" = None, pool_size: int = WORKER_POOL
) -> "AsyncIterator[Ports]":
    """Open what a worker needs: the record, the price board, the exchange, the models, the bots.

    `client` is Temporal's, for those who have one already; `pool_size` is how many connections
    to the record there may be.
    """
    from oxbot.adapters.models.choice import open_models  # noqa: PLC0415 - as in open_desk
    from oxbot.adapters.okx.account_stream import account_news_of  # noqa: PLC0415 - as above
    from oxbot.adapters.okx.feed import OkxFeed  # noqa: PLC0415 - loads ccxt
    from oxbot.adapters.okx.private import OkxAccount  # noqa: PLC0415 - loads ccxt
    from oxbot.adapters.okx.trading import OkxExchange  # noqa: PLC0415 - loads ccxt
    from oxbot.adapters.paper.exchange import PaperExchange  # noqa: PLC0415 - as in open_desk
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.news import PostgresNews  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.store import PostgresStore  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.board import RedisPriceBoard, open_redis  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.breaker import RedisBreaker  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.flight import RedisFlight  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.listing import RedisListing  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.parts import RedisPartCache  # noqa: PLC0415 - as above
    from oxbot.adapters.temporal.client import connect  # noqa: PLC0415 - as above
    from oxbot.adapters.temporal.control import TemporalBotControl  # noqa: PLC0415 - as above
    from oxbot.app.ports import Ports  # noqa: PLC0415 - as above

    found = resolve(settings)
    async with AsyncExitStack() as stack:
        models = await stack.enter_async_context(open_models(found))
        spare_the_collector()
        engine = open_engine(found.database_url or "", pool_size=pool_size)
        stack.push_async_callback(engine.dispose)
        redis = open_redis(found.redis_url or "")
        stack.push_async_callback(redis.aclose)
        okx = await stack.enter_async_context(data_client(found))
        stream = price_stream(found)
        stack.push_async_callback(stream.close)
        feed = OkxFeed(okx, venue=venue_of(found), shared=RedisListing(redis))
        temporal = client or await connect(
            found.temporal_address or "", found.temporal_namespace, lazy=True
        )
        clock = await stack.enter_async_context(clock_of(found, okx))
        live: LiveExchange | None = None
        account_news: Sequence[AccountNews] = ()
        if not found.live_problem:
            keys, place = account_keys(found), trading_place(found)
            account = await stack.enter_async_context(OkxAccount(keys, place, clock))
            live = OkxExchange(account, feed, clock)
            account_news = account_news_of(keys, place, clock)
        yield Ports(
            store=PostgresStore(engine),
            news=PostgresNews(found.database_url or ""),
            control=TemporalBotControl(temporal, found.task_queue),
            clock=clock,
            feed=feed,
            stream=stream,
            board=RedisPriceBoard(redis),
            breaker=RedisBreaker(redis),
            parts=RedisPartCache(redis),
            flight=RedisFlight(redis),
            exchange=PaperExchange(feed, TAKER_FEE),
            live=live,
            account_news=account_news,
            models=models,
            budget_usd=found.model_budget_usd,
            installation=found.installation,
            fee_rate=TAKER_FEE,
            session=found.session,
        )


@cache
def spare_the_collector() -> None:
    """Let the garbage collector pass over what is loaded by now, once a process.

    ccxt alone is a few hundred thousand objects that stay until the end. Each full collection
    would walk them all, and hold up a cycle for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
