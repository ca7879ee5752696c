"""Everything sold at a person's word, for one bot or all, and the proof from the record."""

from collections.abc import Iterable, Sequence
from functools import partial

from oxbot.app.at_once import (
    UNHEARD,
    UNTALLIED,
    Tally,
    each_read,
    has_paused,
    reached,
    tell_all,
    until_done,
)
from oxbot.app.bots import Desk
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import OxbotError, StoreUnavailable, Unanswered
from oxbot.domain.money import Notional, Quantity
from oxbot.domain.values import Value
from oxbot.messages import ControlRequest, FlattenReport, Holdings
from oxbot.ports import Store


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
    desk: Desk, request: ControlRequest, owner: str | None = None, tally: Tally = UNTALLIED
) -> list[Flattened]:
    """Flatten all bots, of one owner where that is said; oldest first in the answer.

    All are told before any is waited for. What goes wrong with one is in its own line. Bots that
    are archived have nothing to sell.
    """
    bots = await shown_bots(desk, owner)
    alive = [bot for bot in bots if bot.status is not BotStatus.STOPPED]
    troubles = await tell_all(alive, lambda id_: desk.control.flatten_soon(id_, request), tally)
    await until_done(reached(alive, troubles), partial(_flat, desk, owner), tally)
    found = await each_read(bots, partial(_seen, desk))
    return [_line(*one, troubles.get(one[0].id)) for one in zip(bots, found, strict=True)]


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


async def _flat(desk: Desk, owner: str | None, bots: Sequence[Bot]) -> frozenset[str]:
    """Give which of these bots are flat, and have taken up that they are to be."""
    now = {bot.id: bot for bot in await desk.store.bots(owner)}
    paused = [bot.id for bot in bots if has_paused(bot, now[bot.id])]
    return frozenset(await desk.store.flat_among(paused))


async def _seen(desk: Desk, before: Bot) -> tuple[bool, FlattenReport]:
    """Read whether a bot has paused, and only then what it holds: it buys nothing in between."""
    paused = has_paused(before, await desk.store.bot(before.id))
    return paused, await _proof(desk, before.id, "")


def _line(
    bot: Bot, found: tuple[bool, FlattenReport] | OxbotError, untold: OxbotError | None
) -> Flattened:
    """Say what the record says of a bot, and why that is not all that was wanted."""
    if isinstance(found, OxbotError):
        return Flattened(bot_id=bot.id, report=None, trouble=str(untold or found))
    paused, report = found
    if paused and report.done:
        return Flattened(bot_id=bot.id, report=report)
    going_on = f"it is {report.status}, and sells on" if paused else UNHEARD
    left = report.model_copy(update={"done": False})
    return Flattened(bot_id=bot.id, report=left, trouble=str(untold or going_on))


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
