"""Looks every few seconds whether bots and price watch that should run have a workflow."""

import asyncio
from typing import Final

import structlog

from oxbot.app.bots import Desk
from oxbot.app.live import live_trouble
from oxbot.app.reconcile import reconcile, watch_again
from oxbot.domain.errors import OxbotError

EVERY_S: Final = 10

log = structlog.get_logger(__name__)


async def keep_bots_running(desk: Desk, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
    """Reconcile at once and every `every_s` seconds until `stop` is set; trouble is logged."""
    while not stop.is_set():
        await _look(desk)
        try:
            await asyncio.wait_for(stop.wait(), every_s)
        except TimeoutError:
            continue


async def tell_of_live_bots(desk: Desk, problem: str | None) -> None:
    """Log as an error what the live bots there are lack; `problem` is what the settings do."""
    try:
        trouble = await live_trouble(desk, problem)
    except OxbotError as error:
        log.warning("the account of live bots could not be looked at", reason=str(error))
        return
    if trouble:
        log.error("live bots have no fit account", reason=trouble)


async def _look(desk: Desk) -> None:
    try:
        if await watch_again(desk):
            log.error("price watch started again, since it was ended by force", venue=desk.venue)
        started = await reconcile(desk)
    except OxbotError as error:
        log.warning("bots could not be looked after; next look follows", reason=str(error))
        return
    for bot_id in started:
        log.info("bot started, since it had no workflow", bot=bot_id)
