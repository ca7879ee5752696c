"""Bots as one watches them: record, workflow and newest prices put together, look after look."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from oxbot.app.bots import Desk
from oxbot.app.market_status import MarketStatus, market_status_if_known
from oxbot.app.overview import HeldCoin, at_market, line_of
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import NotFound, Unavailable
from oxbot.domain.money import Notional
from oxbot.domain.values import Value
from oxbot.messages import BotView
from oxbot.records import CycleRow, EventRow

ANSWER_S: Final = 3.0
"""Seconds that a workflow is given to answer: one that is late is shown by the record alone."""

AT_ONCE: Final = 4
"""Bots that are looked at side by side: as many as the desk has connections."""


BEHIND: Final = 3
"""Cycles in which the last decision is looked for."""


class WatchedBot(Value):
    """A bot at one look; amounts in USDT, `next_due_ms` in venue ms.

    `equity` and `pnl`, which is against the capital, are as of the last cycle; positions are at
    the newest prices known. `unanswered` tells why the workflow says nothing.
    """

    id: str
    name: str
    mode: str
    venue: str
    status: BotStatus
    equity: Notional
    pnl: Notional
    positions: tuple[HeldCoin, ...]
    cycle: int | None
    decision: str
    next_due_ms: int | None
    event: EventRow | None
    unanswered: str | None


class Look(Value):
    """All bots that are watched, at one moment; `at_ms` is wall time, `venue_ms` the venue's."""

    at_ms: int
    venue_ms: int | None
    bots: tuple[WatchedBot, ...]


async def look_at(desk: Desk, bot_ids: Sequence[str]) -> Look:
    """Look at these bots, or at all that are not stopped where none is named.

    Raises:
        NotFound: There is no such bot.
        StoreUnavailable: PostgreSQL does not answer.
    """
    bots = await _chosen(desk, bot_ids)
    market = await market_status_if_known(desk)
    gate = asyncio.Semaphore(AT_ONCE)

    async def seen(bot: Bot) -> WatchedBot:
        async with gate:
            return await _seen(desk, bot, market)

    return Look(
        at_ms=time.time_ns() // 10**6,
        venue_ms=market.venue_ms if market else None,
        bots=tuple(await asyncio.gather(*map(seen, bots))),
    )


async def _chosen(desk: Desk, bot_ids: Sequence[str]) -> list[Bot]:
    if bot_ids:
        return [await desk.store.bot(bot_id) for bot_id in dict.fromkeys(bot_ids)]
    return [bot for bot in await desk.store.bots() if bot.status is not BotStatus.STOPPED]


async def _seen(desk: Desk, bot: Bot, market: MarketStatus | None) -> WatchedBot:
    view, unanswered = await _view(desk, bot)
    line = await line_of(desk.store, bot)
    if market and bot.settings.venue == desk.venue:
        line = at_market(line, market.prices)
    events = await desk.store.events(bot.id, 1)
    equity = line.equity if view is None or view.equity is None else view.equity
    return WatchedBot(
        id=bot.id,
        name=bot.settings.name,
        mode=bot.settings.mode,
        venue=bot.settings.venue,
        status=view.status if view else bot.status,
        equity=equity,
        pnl=equity - bot.settings.capital,
        positions=line.positions,
        cycle=line.last.cycle if line.last else None,
        decision=_decision(await desk.store.cycles(bot.id, BEHIND)),
        next_due_ms=view.next_due_ms if view else None,
        event=events[0] if events else None,
        unanswered=unanswered,
    )


def _decision(newest_first: Sequence[CycleRow]) -> str:
    """Give what the newest cycle has decided, or why it was skipped; one under way has not yet."""
    said = (row.skipped or row.decision for row in newest_first)
    return next(filter(None, said), "")


async def _view(desk: Desk, bot: Bot) -> tuple[BotView | None, str | None]:
    """Ask the workflow, which a stopped bot may have no more."""
    if bot.status is BotStatus.STOPPED:
        return None, None
    try:
        async with asyncio.timeout(ANSWER_S):
            return await desk.control.view(bot.id), None
    except TimeoutError:
        return None, "The workflow does not answer; this is the record's."
    except (NotFound, Unavailable) as error:
        return None, str(error)
