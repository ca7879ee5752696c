"""Positions of less than the exchange takes: it can raise its minimum above what is held."""

from typing import Final

import structlog

from oxbot.app.orders import mode_of
from oxbot.app.ports import Ports
from oxbot.app.venue import must_be_here
from oxbot.domain.bot import BotStatus, Mode
from oxbot.domain.errors import InputError, Unavailable
from oxbot.domain.money import plain
from oxbot.domain.portfolio import Portfolio, Position
from oxbot.messages import ProtectPosition, ProtectReport

LEFT_TO_STOP: Final = "too little is held to be closed, and its stop rests"
"""Why a position is not sold of which the exchange takes no order any more, but has one."""

LEFT_UNSOLD: Final = "left_unsold"
"""The kind of event that tells of a position that a bot could not sell before it ended."""

log = structlog.get_logger(__name__)


async def is_too_small(ports: Ports, position: Position) -> bool:
    """Whether a position is below the minimum; of a coin that is not listed nobody knows."""
    try:
        instruments = await ports.feed.instruments((position.symbol,))
    except InputError:
        return False
    return not instruments[position.symbol].is_tradable(position.quantity)


async def left_to_stop(ports: Ports, request: ProtectPosition) -> ProtectReport | None:
    """Leave a live position to its stop where it is too small to be sold; None: it is not.

    A stop that is taken back could not be placed again.

    Raises:
        Conflict: The bot belongs to another venue.
    """
    bot_id, meant = request.bot_id, request.protect
    if await mode_of(ports, bot_id) is not Mode.LIVE:
        return None
    view = await ports.store.stop_view(bot_id, meant.symbol)
    if view.alive is None or view.position is None or view.position.opened_ms != meant.opened_ms:
        return None
    if not await is_too_small(ports, view.position):
        return None
    must_be_here(ports, bot_id, (await ports.store.bot(bot_id)).settings.venue)
    return ProtectReport(symbol=meant.symbol, state="open", reason=LEFT_TO_STOP)


async def must_be_enough(ports: Ports, position: Position) -> None:
    """Refuse to sell a position, or to give it a stop, where it is too small for both.

    Raises:
        InputError: It is; trying again is in vain, and a person has to know.
    """
    if await is_too_small(ports, position):
        raise InputError(
            f"{plain(position.quantity)} are held, which is less than the exchange takes by now: "
            "they can neither be sold nor have a stop. Convert them at the exchange by hand and "
            "have them written off, or stop the bot, which then leaves them"
        )


async def is_to_be_sold(ports: Ports, bot_id: str) -> bool:
    """Whether a bot is about to end, and to keep nothing."""
    bot = await ports.store.bot(bot_id)
    return bot.status is BotStatus.CLOSING and bot.flatten


async def unsellable(ports: Ports, bot_id: str, portfolio: Portfolio) -> tuple[str, ...]:
    """Name the coins of which too little is held to be sold.

    A bot that is about to end is not done with those that a stop guards, and each of the others
    is told once. One that runs has none to be named.
    """
    if not portfolio.positions:
        return ()
    bot = await ports.store.bot(bot_id)
    if bot.status is BotStatus.RUNNING:
        return ()
    try:
        left = [p for p in portfolio.positions.values() if await is_too_small(ports, p)]
    except Unavailable as error:
        log.warning("what can be sold is not known", bot=bot_id, because=str(error))
        return ()
    if bot.status is BotStatus.CLOSING:
        guarded = {stop.symbol for stop in await ports.store.resting_stops(bot_id)}
        left = [position for position in left if position.symbol not in guarded]
        for position in left:
            await _tell(ports, bot_id, position)
    return tuple(sorted(position.symbol for position in left))


async def _tell(ports: Ports, bot_id: str, position: Position) -> None:
    told = (
        f"{plain(position.quantity)} of {position.symbol} are less than the exchange takes by now, "
        "and are not sold. The bot ends with them on its record; they are in the account, and "
        "nothing guards them."
    )
    key = f"{LEFT_UNSOLD}:{position.symbol}:{position.opened_ms}"
    if await ports.store.tell(bot_id, key, LEFT_UNSOLD, told):
        log.error("left unsold", bot=bot_id, symbol=position.symbol)
