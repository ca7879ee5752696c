"""Joins ports to adapters: the only place that knows both."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from oxbot.app.bots import Desk
from oxbot.domain.bot import BASELINE, REAL_VENUE, SIMULATED_VENUE
from oxbot.domain.errors import SetupError
from oxbot.embedded.addresses import find_running
from oxbot.settings import Settings

if TYPE_CHECKING:
    from oxbot.adapters.okx.archive import OkxArchive
    from oxbot.app.ports import Ports
    from oxbot.ports import Clock

PROVIDERS: Final = frozenset({BASELINE})
"""Model providers that a bot can be made with."""

TAKER_FEE: Final = Decimal("0.001")
"""OKX spot, level 1: 10 bp. Source: OKX's fee schedule for regular users."""

DESK_POOL: Final = 4
WORKER_POOL: Final = 10


def resolve(settings: Settings) -> Settings:
    """Fill in addresses that are not set from the embedded system that is running.

    Raises:
        SetupError: Something is not set and no system is running.
    """
    named = (settings.database_url, settings.redis_url, settings.temporal_address)
    if all(named):
        return settings
    running = find_running(settings.home)
    if running is None:
        raise SetupError(
            f"No running system in {settings.home}: start one with `oxbot up` or `make demo`, or "
            f"set DATABASE_URL, REDIS_URL and TEMPORAL_ADDRESS."
        )
    found = running.addresses
    return settings.model_copy(
        update={
            "database_url": settings.database_url or found.database_url,
            "redis_url": settings.redis_url or found.redis_url,
            "temporal_address": settings.temporal_address or found.temporal,
            "temporal_ui_url": settings.temporal_ui_url or found.temporal_ui,
            "simulator_url": settings.simulator_url or found.simulator,
        }
    )


def venue_of(settings: Settings) -> str:
    """Name the venue that a system with these settings looks at."""
    return SIMULATED_VENUE if settings.simulator_url else REAL_VENUE


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """Open what people control bots with: the record and Temporal, and no exchange.

    Raises:
        SetupError: No system is running, and none is named.
        Unavailable: A server does not answer.
    """
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - loaded when needed
    from oxbot.adapters.postgres.store import PostgresStore  # noqa: PLC0415 - as above
    from oxbot.adapters.temporal.client import connect  # noqa: PLC0415 - as above
    from oxbot.adapters.temporal.control import TemporalBotControl  # noqa: PLC0415 - as above

    found = resolve(settings)
    async with AsyncExitStack() as stack:
        engine = open_engine(found.database_url or "", pool_size=DESK_POOL)
        stack.push_async_callback(engine.dispose)
        client = await connect(found.temporal_address or "", found.temporal_namespace, lazy=True)
        control = TemporalBotControl(client, found.task_queue)
        yield Desk(PostgresStore(engine), control, venue_of(found))


@asynccontextmanager
async def open_archive(settings: Settings) -> "AsyncIterator[OkxArchive]":
    """Open the exchange's history of candles; no running system is needed.

    Raises:
        VenueUnavailable: The exchange does not tell its time.
    """
    from oxbot.adapters.okx.archive import OkxArchive  # noqa: PLC0415 - as in open_desk
    from oxbot.adapters.okx.client import OkxClient  # noqa: PLC0415 - loads ccxt

    simulated = settings.simulator_url
    url = simulated or settings.okx_rest_url
    async with OkxClient(url, throttled=simulated is None) as client:
        yield OkxArchive(client, venue_of(settings), await client.server_time_ms())


@asynccontextmanager
async def open_ports(settings: Settings) -> "AsyncIterator[Ports]":
    """Open what a worker needs: the record, the price board, the exchange, the models."""
    from oxbot.adapters.models.baseline import BaselineModel  # noqa: PLC0415 - as in open_desk
    from oxbot.adapters.okx.client import OkxClient  # noqa: PLC0415 - loads ccxt
    from oxbot.adapters.okx.clock import OkxClock, SimulatorClock  # noqa: PLC0415 - as above
    from oxbot.adapters.okx.feed import OkxFeed  # noqa: PLC0415 - as above
    from oxbot.adapters.paper.exchange import PaperExchange  # noqa: PLC0415 - as in open_desk
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.store import PostgresStore  # noqa: PLC0415 - as above
    from oxbot.adapters.redis.board import RedisPriceBoard, open_redis  # noqa: PLC0415 - as above
    from oxbot.app.ports import Ports  # noqa: PLC0415 - as above

    found = resolve(settings)
    async with AsyncExitStack() as stack:
        engine = open_engine(found.database_url or "", pool_size=WORKER_POOL)
        stack.push_async_callback(engine.dispose)
        board = RedisPriceBoard(open_redis(found.redis_url or ""))
        stack.push_async_callback(board.close)
        client = await stack.enter_async_context(
            OkxClient(
                found.simulator_url or found.okx_rest_url, throttled=found.simulator_url is None
            )
        )
        simulated = found.simulator_url
        feed = OkxFeed(client, venue=venue_of(found))
        clock: Clock = (
            await stack.enter_async_context(SimulatorClock(simulated))
            if simulated
            else OkxClock(client)
        )
        yield Ports(
            store=PostgresStore(engine),
            clock=clock,
            feed=feed,
            board=board,
            exchange=PaperExchange(feed, TAKER_FEE),
            models={BASELINE: BaselineModel()},
            installation=found.installation,
            fee_rate=TAKER_FEE,
            session=found.session,
        )
