"""`/status`: the venue, its watch, prices, protection, live bots, servers, workers, models."""

import asyncio
import time
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request

from api.desk import TheAlarm, TheDesk, TheSettings
from api.lookout import Shared
from api.problems import PROBLEM
from api.reading import TheReading
from api.signed_in import TheUser
from oxbot.app.alarm import Alarm, ProtectionStatus
from oxbot.app.bots import Desk
from oxbot.app.live import LiveStatus, status_of
from oxbot.app.market_status import MarketStatus, market_status_if_known
from oxbot.app.missing import missing
from oxbot.app.system_status import (
    PATIENCE_S,
    ModelStatus,
    ServerStatus,
    SystemStatus,
    WorkersStatus,
)
from oxbot.domain.users import User
from oxbot.ports.reading import Reading

router = APIRouter(tags=["market"], responses={401: PROBLEM, 503: PROBLEM})


class Status(MarketStatus):
    """The market and the system; `missing` says what trading needs and does not have just now."""

    protection: ProtectionStatus
    live: LiveStatus
    servers: tuple[ServerStatus, ...]
    workers: WorkersStatus
    models: tuple[ModelStatus, ...]
    missing: tuple[str, ...]


async def _system(request: Request) -> SystemStatus:
    return await cast("Shared[SystemStatus]", request.app.state.system).get()


TheSystem = Annotated[SystemStatus, Depends(_system)]


@router.get("/status")
async def status(
    desk: TheDesk,
    reading: TheReading,
    alarm: TheAlarm,
    settings: TheSettings,
    user: TheUser,
    system: TheSystem,
) -> Status:
    """Tell how prices come, and how servers, workers and models are, as of a second ago.

    Ages are in ms of the venue's time, all other times in wall ms (UTC). Each server has three
    seconds to answer; without Redis nothing is known of prices. Bots are named to their owners and
    to administrators. No model is asked for this.
    """
    market = await known_market(desk)
    live = await reading.live_bots(desk.venue, user.owner)
    return Status(
        **dict(market or _nothing_known(desk)),
        protection=await protection_of(user, alarm, reading),
        live=status_of(live, settings.live_problem),
        servers=system.servers,
        workers=system.workers,
        models=system.models,
        missing=missing(system, market),
    )


async def known_market(desk: Desk) -> MarketStatus | None:
    """Give the market as far as it can be looked up in time."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await market_status_if_known(desk)
    except TimeoutError:
        return None


def _nothing_known(desk: Desk) -> MarketStatus:
    return MarketStatus(
        venue=desk.venue,
        wall_ms=time.time_ns() // 10**6,
        venue_ms=None,
        feed=None,
        prices={},
        breakers=(),
    )


async def protection_of(user: User, alarm: Alarm, reading: Reading) -> ProtectionStatus:
    """Tell how bots are protected, and name the user's own."""
    found = await alarm.status()
    return found.of(await reading.owned(user.owner, tuple(found.unprotected)))
