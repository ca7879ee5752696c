"""Everything sold at a person's word, for one bot or all, and the proof from the record."""

import asyncio
from collections.abc import Iterable
from typing import Final

from oxbot.app.bots import Desk
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import OxbotError, StoreUnavailable
from oxbot.domain.money import Notional, Quantity
from oxbot.domain.values import Value
from oxbot.messages import ControlRequest, FlattenReport, Holdings
from oxbot.ports import Store

AT_ONCE: Final = 20
"""So many bots are told at a time."""


class Flattened(Value):
    """What the record says of one bot after it was told to sell everything.

    `trouble` says why it may not have been told, or did not answer.
    """

    bot_id: str
    report: FlattenReport
    trouble: str = ""


async def count_holdings(store: Store, bot_id: str) -> Holdings:
    """Count what a bot holds and has under way. NotFound."""
    portfolio = await store.portfolio(bot_id)
    orders = await store.unfinished_orders(bot_id)
    opened = {symbol: position.opened_ms for symbol, position in portfolio.positions.items()}
    return Holdings(
        open_orders=len(orders),
        positions=len(opened),
        coins={**{order.symbol: 0 for order in orders}, **opened},
        dust={symbol: quantity for symbol, quantity in portfolio.dust.items() if quantity},
    )


async def flatten_bot(desk: Desk, bot_id: str, request: ControlRequest) -> Flattened:
    """Pause a bot and have everything sold; what is left is read from the record afterwards.

    Raises:
        NotFound: There is no such bot.
    """
    bot = await desk.store.bot(bot_id)
    trouble = await _told(desk, bot, request)
    return Flattened(bot_id=bot_id, report=await _proof(desk, bot_id, trouble), trouble=trouble)


async def flatten_all(desk: Desk, request: ControlRequest) -> list[Flattened]:
    """Flatten all bots, many at a time, oldest first in the answer."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def flatten(bot: Bot) -> Flattened:
        async with gate:
            return await flatten_bot(desk, bot.id, request)

    return await asyncio.gather(*(flatten(bot) for bot in await desk.store.bots()))


async def _told(desk: Desk, bot: Bot, request: ControlRequest) -> str:
    """Tell a bot to sell everything; give what went wrong. A stopped one need not be told."""
    if bot.status is BotStatus.STOPPED:
        return ""
    try:
        report = await desk.control.flatten(bot.id, request)
    except OxbotError as error:
        return str(error)
    return "" if report.done else f"it is {report.status}, and sells on"


async def _proof(desk: Desk, bot_id: str, trouble: str) -> FlattenReport:
    """Read what is left from the record."""
    left = await count_holdings(desk.store, bot_id)
    bot = await desk.store.bot(bot_id)
    return FlattenReport(
        open_orders=left.open_orders,
        positions=left.positions,
        dust=left.dust,
        dust_value=await _worth(desk, left.dust.items()),
        done=left.is_flat and not trouble,
        status=bot.status,
        epoch=bot.epoch,
    )


async def _worth(desk: Desk, dust: Iterable[tuple[str, Quantity]]) -> dict[str, Notional]:
    """Value dust at the newest prices known; without one it is left out."""
    coins = dict(dust)
    try:
        quotes = await desk.board.get(desk.venue, sorted(coins))
    except StoreUnavailable:
        return {}
    return {symbol: quote.worth(coins[symbol]) for symbol, quote in quotes.items()}
