"""What `oxbot status` does: everything looked at side by side, as tables or as JSON."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import typer

from oxbot.app.live import LiveStatus, live_status
from oxbot.app.market_status import MarketStatus, market_status
from oxbot.app.missing import missing
from oxbot.app.system_status import PATIENCE_S, SystemStatus, system_status
from oxbot.app.telling import zone
from oxbot.bootstrap import open_desk
from oxbot.bootstrap.status import open_probes
from oxbot.cli import output, status_pages
from oxbot.cli.config_sources import load_settings
from oxbot.domain.errors import OxbotError
from oxbot.logs import configure_logs
from oxbot.settings import Settings

T = TypeVar("T")
Seen = tuple[SystemStatus, MarketStatus | None, LiveStatus | None]


def show(*, as_json: bool) -> None:
    """Write how the system is; 1 where something is away that trading needs.

    Raises:
        SetupError: No system is running, and none is named.
    """
    settings = load_settings()
    configure_logs(settings.log_format, "error")
    system, market, live = asyncio.run(_looked_at(settings))
    lacks = missing(system, market)
    if as_json:
        output.write_json({**dict(system), "market": market, "live": live, "missing": lacks})
    else:
        console, shown_in = output.console(), zone(settings.timezone)
        status_pages.write(console, system, market, shown_in)
        status_pages.write_end(console, live, lacks)
    if lacks:
        raise typer.Exit(1)


async def _looked_at(settings: Settings) -> Seen:
    async with open_desk(settings) as desk, open_probes(settings) as probes:
        return await asyncio.gather(
            system_status(probes),
            _if_known(market_status(desk)),
            _if_known(live_status(desk, settings.live_problem)),
        )


async def _if_known(asked: Awaitable[T]) -> T | None:
    """Give what can be looked up in time; why it cannot be is told of the servers."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await asked
    except (OxbotError, TimeoutError):
        return None
