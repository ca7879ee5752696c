"""Which exchange is asked, for prices and for live orders, and by which key."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from oxbot.domain.bot import DEMO_SUFFIX, SIMULATED_VENUE
from oxbot.domain.errors import SetupError
from oxbot.settings import Settings

if TYPE_CHECKING:
    from oxbot.adapters.okx.client import OkxClient
    from oxbot.adapters.okx.place import Place
    from oxbot.adapters.okx.private import Keys
    from oxbot.adapters.okx.stream import OkxStream
    from oxbot.ports import Clock

ORDER_ANSWER_MS: Final = 5_000
"""Ms that an answer about an order may take; whoever gives up sooner looks the order up."""


def venue_of(settings: Settings) -> str:
    """Name the venue that a system with these settings looks at.

    Each of OKX's hosts, and each demo trading, is a venue: they have prices of their own.
    """
    if settings.simulator_url:
        return SIMULATED_VENUE
    return f"{settings.okx_host}{DEMO_SUFFIX}" if settings.okx_demo else settings.okx_host


def data_client(settings: Settings, *, many: bool = False) -> "OkxClient":
    """Make a client for public data, with a throttle of its own; trading will have another.

    A simulator is asked without one unless there are `many` requests in a row.
    """
    from oxbot.adapters.okx.client import OkxClient  # noqa: PLC0415 - loads ccxt

    if settings.simulator_url:
        return OkxClient(settings.simulator_url, throttled=many)
    return OkxClient(settings.okx_rest_url, host=settings.okx_host, demo=settings.okx_demo)


def price_stream(settings: Settings) -> "OkxStream":
    """Make the stream of prices; nothing is connected before it is read."""
    from oxbot.adapters.okx.stream import OkxStream  # noqa: PLC0415 - as above

    if settings.simulator_url:
        return OkxStream(_stream_of(settings.simulator_url))
    return OkxStream(settings.okx_ws_url, host=settings.okx_host, demo=settings.okx_demo)


def _stream_of(simulator_url: str) -> str:
    """Give the address of a simulator's stream."""
    return f"{simulator_url.rstrip('/').replace('http', 'ws', 1)}/ws/v5"


def account_keys(settings: Settings) -> "Keys":
    """Give the key of the account of live bots.

    Raises:
        SetupError: Live trading is not accepted, or a part of the key is missing.
    """
    if settings.live_problem:
        raise SetupError(settings.live_problem)
    from oxbot.adapters.okx.private import Keys  # noqa: PLC0415 - loads ccxt

    parts = (settings.okx_api_key, settings.okx_secret_key, settings.okx_passphrase)
    return Keys(*(part for part in parts if part is not None))


def trading_place(settings: Settings) -> "Place":
    """Say where live orders go, and how long an answer may take."""
    from oxbot.adapters.okx.place import Place  # noqa: PLC0415 - as above

    if settings.simulator_url:
        return Place(
            rest_url=settings.simulator_url,
            ws_url=_stream_of(settings.simulator_url),
            demo=settings.okx_demo,
            timeout_ms=ORDER_ANSWER_MS,
            throttled=False,
        )
    return Place(
        host=settings.okx_host,
        demo=settings.okx_demo,
        rest_url=settings.okx_rest_url,
        ws_url=settings.okx_ws_url,
        timeout_ms=ORDER_ANSWER_MS,
    )


@asynccontextmanager
async def clock_of(settings: Settings, client: "OkxClient") -> AsyncIterator["Clock"]:
    """Open the venue's time: OKX's by its offset from ours, a simulator's by asking it."""
    from oxbot.adapters.okx.clock import OkxClock, SimulatorClock  # noqa: PLC0415 - as above

    if not settings.simulator_url:
        yield OkxClock(client)
        return
    async with SimulatorClock(settings.simulator_url) as clock:
        yield clock


async def free_usdt(settings: Settings) -> Decimal:
    """Ask the account of live bots what it has free, by a client opened for this alone.

    Raises:
        SetupError: Live trading is off, the key is missing, or key or account are not fit.
        VenueUnavailable: OKX does not answer.
    """
    keys = account_keys(settings)
    name = "oxbot.adapters.okx.account_check"
    check = await asyncio.to_thread(importlib.import_module, name)  # others are served meanwhile
    async with data_client(settings) as client, clock_of(settings, client) as clock:
        free: Decimal = await check.free_usdt(keys, trading_place(settings), clock)
        return free
