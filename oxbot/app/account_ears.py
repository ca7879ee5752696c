"""What the exchange tells of an account is passed on to the bots that it concerns."""

from collections.abc import Collection
from contextlib import aclosing
from typing import Final

from oxbot.app.ports import Ports
from oxbot.app.timing import Timer
from oxbot.app.troubles import Troubles
from oxbot.domain.errors import OxbotError, StoreUnavailable, VenueUnavailable
from oxbot.domain.resting import StopState
from oxbot.ports import AccountNews

LISTEN_AGAIN_S: Final = 2


class AccountEars:
    """Has bots look at their account when a stop of theirs is over, and after each gap.

    What was not heard is found before the next cycle, and by the price that set it off.

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
        async with aclosing(news.ended_stops()) as batches:
            async for ids in batches:
                self._troubles.has_none("account")
                await self._tell(await self._whose(ids) if ids else await self._all_live())

    async def _whose(self, stop_ids: Collection[str]) -> set[str]:
        """Find the bots whose stops these are, as far as they do not know that they are over."""
        stops = await self._ports.store.known_stops(stop_ids)
        return {stop.bot_id for stop in stops if stop.state is not StopState.ENDED}

    async def _all_live(self) -> set[str]:
        venue = self._ports.feed.venue
        return {bot.id for bot in await self._ports.store.bots() if bot.is_live_on(venue)}

    async def _tell(self, bot_ids: Collection[str]) -> None:
        for bot_id in sorted(bot_ids):
            try:
                await self._ports.control.reconcile_soon(bot_id)
            except OxbotError as error:
                self._troubles.has("account", error)
