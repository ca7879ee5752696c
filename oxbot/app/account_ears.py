"""What the exchange tells of an account is passed on to the bots that it concerns."""

import asyncio
from collections.abc import Collection
from contextlib import aclosing
from typing import Final

from oxbot.app.orders import NOTHING_TRADED
from oxbot.app.ports import Ports
from oxbot.app.timing import Timer
from oxbot.app.troubles import Troubles
from oxbot.domain.errors import OxbotError, StoreUnavailable, VenueUnavailable
from oxbot.domain.orders import Order, OrderState
from oxbot.domain.resting import StopState
from oxbot.ports import AccountNews

LISTEN_AGAIN_S: Final = 2

BOOKED_WITHIN_S: Final = 10
"""Seconds that whoever has sent an order is given to book it: longer than an answer may take."""


class AccountEars:
    """Has bots look at their account when something of theirs is over, and after each gap.

    A stop is over when nobody expects it, an order when whoever has sent it waits for that: only
    of what is not booked some seconds later somebody has to know. What was not heard is found
    before the next cycle, and a stop by the price that set it off.

    Args:
        ports: Of the venue.
        timer: Wall time.
        troubles: Where it says what is wrong.
    """

    def __init__(self, ports: Ports, timer: Timer, troubles: Troubles) -> None:
        self._ports = ports
        self._timer = timer
        self._troubles = troubles

    async def listen(self, news: AccountNews) -> None:
        """Listen; connect again where that breaks, until cancelled."""
        while True:
            try:
                await self._hear(news)
            except (VenueUnavailable, StoreUnavailable) as error:
                self._troubles.has("account", error)
            await self._timer.sleep(LISTEN_AGAIN_S)

    async def _hear(self, news: AccountNews) -> None:
        later: set[asyncio.Task[None]] = set()
        try:
            async with aclosing(news.ended()) as batches:
                async for ids in batches:
                    self._troubles.has_none("account")
                    await self._tell(await self._whose(ids) if ids else await self._all_live())
                    task = asyncio.create_task(self._tell_later(ids))
                    later.add(task)
                    task.add_done_callback(later.discard)
        finally:
            for task in later:
                task.cancel()

    async def _whose(self, ids: Collection[str]) -> set[str]:
        """Find the bots whose stops these are, as far as they do not know that they are over."""
        stops = await self._ports.store.known_stops(ids)
        return {stop.bot_id for stop in stops if stop.state is not StopState.ENDED}

    async def _tell_later(self, ids: Collection[str]) -> None:
        """Tell the bots whose orders these are, as far as nobody has booked them by then.

        Also of an order that was given up as never sent: the exchange had it after all. Of one that
        was seen to have traded nothing there is nothing to book.
        """
        await self._timer.sleep(BOOKED_WITHIN_S)
        try:
            orders = await self._ports.store.known_orders(ids)
        except StoreUnavailable as error:
            self._troubles.has("account", error)
            return
        await self._tell({o.bot_id for o in orders if not _is_known(o)})

    async def _all_live(self) -> set[str]:
        venue = self._ports.feed.venue
        return {bot.id for bot in await self._ports.store.bots() if bot.is_live_on(venue)}

    async def _tell(self, bot_ids: Collection[str]) -> None:
        for bot_id in sorted(bot_ids):
            try:
                await self._ports.control.reconcile_soon(bot_id)
            except OxbotError as error:
                self._troubles.has("account", error)


def _is_known(order: Order) -> bool:
    """Whether somebody has seen what this order traded, if anything."""
    has_ended_unfilled = order.state is OrderState.CANCELLED and order.reason == NOTHING_TRADED
    return has_ended_unfilled or order.state is OrderState.FILLED
