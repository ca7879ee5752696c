"""Everything sold at a person's word, for one bot or all, and the proof from the record."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar

from oxbot.app.bots import Desk
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import OxbotError, StoreUnavailable, Unanswered
from oxbot.domain.money import Notional, Quantity
from oxbot.domain.values import Value
from oxbot.messages import ControlRequest, FlattenReport, Holdings
from oxbot.ports import Store

AT_ONCE: Final = 8
"""So many bots are told at a time. Most of that is waiting for them to sell; the record, whose few
connections the desk shares with whoever looks on, is read before and after."""

Result = TypeVar("Result")


class Flattened(Value):
    """What the record says of one bot after it was told to sell everything.

    `trouble` says why it may not have been told, or did not answer. `report` is None where the
    record could not be read.
    """

    bot_id: str
    report: FlattenReport | None
    trouble: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the record proves that nothing is left."""
        return self.report is not None and self.report.done


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

    Whatever kept the bot from being told is in the answer, beside what the record says.

    Raises:
        NotFound: There is no such bot.
        StoreUnavailable: The record cannot be read.
    """
    bot = await desk.store.bot(bot_id)
    try:
        trouble = await _told(desk, bot, request)
    except OxbotError as error:
        trouble = str(error)
    return Flattened(bot_id=bot_id, report=await _proof(desk, bot_id, trouble), trouble=trouble)


async def flatten_or_fail(desk: Desk, bot_id: str, request: ControlRequest) -> Flattened:
    """Do as `flatten_bot`, for those to whom it is an error that the bot was not told.

    Raises:
        OxbotError: Nobody sells: the bot was not told, or said no. One that did not answer in
            time may sell, which the answer says.
    """
    trouble = await _told(desk, await desk.store.bot(bot_id), request)
    return Flattened(bot_id=bot_id, report=await _proof(desk, bot_id, trouble), trouble=trouble)


async def flatten_all(
    desk: Desk, request: ControlRequest, owner: str | None = None
) -> list[Flattened]:
    """Flatten all bots, of one owner where that is said; oldest first in the answer.

    What goes wrong with one is in its own line. Bots that are archived have nothing to sell.
    """

    async def flatten(bot: Bot) -> Flattened:
        try:
            return await flatten_bot(desk, bot.id, request)
        except OxbotError as error:
            return Flattened(bot_id=bot.id, report=None, trouble=str(error))

    return await each_of(await shown_bots(desk, owner), flatten)


async def each_of(bots: Sequence[Bot], work: Callable[[Bot], Awaitable[Result]]) -> list[Result]:
    """Do something with each bot, some at a time; in the order of the bots."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(bot: Bot) -> Result:
        async with gate:
            return await work(bot)

    return await asyncio.gather(*map(one, bots))


async def shown_bots(desk: Desk, owner: str | None) -> list[Bot]:
    """Give the bots of one owner, or all, that are not archived; oldest first."""
    return [bot for bot in await desk.store.bots(owner) if bot.archived_ms is None]


async def _told(desk: Desk, bot: Bot, request: ControlRequest) -> str:
    """Tell a bot to sell everything; give what keeps it. A stopped one need not be told.

    Raises:
        OxbotError: It was not told, or said no.
    """
    if bot.status is BotStatus.STOPPED:
        return ""
    try:
        report = await desk.control.flatten(bot.id, request)
    except Unanswered as error:
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
