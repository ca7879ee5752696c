"""What should run and does not is started again; what was ended by force waits for a person."""

from typing import Final

from oxbot.app.bots import Desk
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.orders import OrderState

BY_FORCE: Final = {
    "terminated": "was terminated",
    "failed": "failed",
    "timed_out": "ran into its time limit",
}
"""Ends that no workflow comes to by itself, and how they are told."""


async def reconcile(desk: Desk) -> list[str]:
    """Start each bot that should run and has no running workflow; give their ids.

    A bot goes on in the state that PostgreSQL has of it, as a new incarnation. One that was
    ended by force while it held something raises an alarm and starts paused: it is protected,
    and enters nothing before a person resumes it.
    """
    running = await desk.control.running()
    missing = [bot_id for bot_id in await desk.store.live_bots() if bot_id not in running]
    return [bot_id for bot_id in missing if await start_again(desk, bot_id)]


async def watch_again(desk: Desk) -> bool:
    """Start the price watch again where it was ended by force: nobody else would protect.

    One that was told to stop, or cancelled, ends until a worker starts.
    """
    ended = await desk.control.watch_end(desk.venue) in BY_FORCE
    return ended and await desk.control.watch(desk.venue)


async def start_again(desk: Desk, bot_id: str) -> bool:
    """Start a bot unless it runs after all, or has written its end since it was looked up.

    False: there was nothing to start.
    """
    if await desk.control.is_running(bot_id):
        return False
    bot = await desk.store.bot(bot_id)
    if bot.status is BotStatus.STOPPED:
        return False
    end = BY_FORCE.get(await desk.control.last_end(bot_id) or "")
    held = await _held(desk, bot_id) if end else ()
    if not held:
        return await desk.control.start(bot)
    because = _alarm(bot, f"its workflow {end} while it held {', '.join(held)}")
    alarmed = await desk.store.raise_alarm(bot_id, f"ended:{bot.incarnation}", because)
    return await desk.control.start(alarmed, because)


async def _held(desk: Desk, bot_id: str) -> tuple[str, ...]:
    """Name the coins that a bot holds, or for which an order may have reached the venue."""
    portfolio = await desk.store.portfolio(bot_id)
    sent = {
        order.symbol
        for order in await desk.store.unfinished_orders(bot_id)
        if order.state is not OrderState.INTENDED
    }
    return tuple(sorted(sent | portfolio.positions.keys()))


def _alarm(bot: Bot, what: str) -> str:
    if bot.status is BotStatus.CLOSING:
        return f"{what}; it goes on closing"
    return f"{what}; it is protected, and enters nothing until a person resumes it"
