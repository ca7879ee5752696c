"""The market watch: one reader of the venue's prices for all bots, and guard of what is open."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Final

import structlog

from oxbot.app.account_ears import AccountEars
from oxbot.app.feed_state import FeedState
from oxbot.app.guarding import Guarding
from oxbot.app.ports import Ports
from oxbot.app.price_sources import PriceSources
from oxbot.app.timing import RealTimer, RecentClock, Timer, first_of
from oxbot.app.troubles import Troubles
from oxbot.domain.errors import Conflict, StoreUnavailable, VenueUnavailable
from oxbot.domain.feed import FeedSource, FeedStatus
from oxbot.messages import WatchPrices

SYMBOLS_EVERY_S: Final = 5
REPORT_EVERY_S: Final = 1

log = structlog.get_logger(__name__)


async def watch_prices(
    ports: Ports,
    request: WatchPrices,
    heartbeat: Callable[[FeedStatus], None],
    leave: Callable[[], Awaitable[object]],
    timer: Timer | None = None,
) -> FeedStatus:
    """Keep the price board fresh and judge guards until the time is up; give the last report.

    Args:
        ports: Of the venue to be watched.
        request: Which venue, and for how long.
        heartbeat: Is told once a second how the watch is.
        leave: Returns when this process has to end.
        timer: Wall time; the machine's unless a test has its own.

    Raises:
        Conflict: This system looks at another venue; final.
        StoreUnavailable: The record does not say which symbols are wanted, or what is open.
    """
    if request.venue != ports.feed.venue:
        raise Conflict(
            f"Prices of {request.venue} are not watched here: this system looks at "
            f"{ports.feed.venue}, and prices of two worlds do not mix."
        )
    watch = Watch(ports, heartbeat, timer or RealTimer())
    await watch.begin()
    try:
        await first_of(*watch.parts(), watch.timer.sleep(request.for_s), _awaited(leave))
    finally:
        log.info("price watch ends", venue=request.venue, **watch.counted)
    return watch.status()


async def _awaited(leave: Callable[[], Awaitable[object]]) -> None:
    await leave()


class Watch:
    """One run of the watch; its parts share what is wanted, what came, and the state."""

    def __init__(self, ports: Ports, heartbeat: Callable[[FeedStatus], None], timer: Timer) -> None:
        self.timer = timer
        self._ports = ports
        self._venue = ports.feed.venue
        self._heartbeat = heartbeat
        self._clock = RecentClock(ports.clock, timer)
        self._state = FeedState(since_ms=timer.wall_ms())
        self._troubles = Troubles(f"price watch of {self._venue}")
        self._ears = AccountEars(ports, timer, self._troubles)
        self._guarding = Guarding(ports, self._clock, timer, self._troubles)
        self._sources = PriceSources(
            ports, self._state, self._clock, timer, self._troubles, self._guarding.see
        )

    @property
    def counted(self) -> dict[str, int]:
        """Gaps and reconnects."""
        return {"gaps": self._state.gaps, "reconnects": self._state.reconnects}

    async def begin(self) -> None:
        """Find out what is wanted and what is open; go on counting where the one before stopped."""
        self._sources.adopt(await self._ports.store.watched_symbols(self._venue))
        try:
            before = await self._ports.board.feed_status(self._venue)
        except StoreUnavailable as error:
            self._troubles.has("board", error)
            before = None
        if before is not None:
            self._state.gaps, self._state.reconnects = before.gaps, before.reconnects
            self._guarding.too_old = before.too_old
        await self._guarding.begin()

    def parts(self) -> Iterator[Coroutine[object, object, None]]:
        """Give what goes on beside each other, each part until it is cancelled."""
        yield from self._sources.parts()
        yield from self._guarding.parts()
        yield from map(self._ears.listen, self._ports.account_news)
        yield self._follow()
        yield self._beat()
        yield self._report()

    def status(self) -> FeedStatus:
        """Describe the watch as of now."""
        status = self._state.status(self.timer.wall_ms(), self._sources.symbols, self._clock.last)
        counts = {"guarded": len(self._guarding), "too_old": self._guarding.too_old}
        return status.model_copy(update=counts)

    async def _follow(self) -> None:
        """Notice what bots have come, gone, bought."""
        while True:
            await self.timer.sleep(SYMBOLS_EVERY_S)
            try:
                symbols = await self._ports.store.watched_symbols(self._venue)
            except StoreUnavailable as error:
                self._troubles.has("record", error)
                continue
            self._troubles.has_none("record")
            self._sources.adopt(await self._listed(symbols))

    async def _listed(self, symbols: Sequence[str]) -> Sequence[str]:
        """Leave out what the venue does not list any more: its stream would refuse all of it."""
        try:
            listed = await self._ports.feed.listing()
            if not listed.keys() >= set(symbols):
                listed = await self._ports.feed.listing(fresh=True)
        except VenueUnavailable as error:
            self._troubles.has("listing", error)
            return symbols
        self._troubles.has_none("listing")
        return [symbol for symbol in symbols if symbol in listed]

    async def _beat(self) -> None:
        """Tell Temporal that the watch lives; waits for nobody."""
        source = self._state.source
        while True:
            status = self.status()
            self._heartbeat(status)
            if status.source is not source:
                source = status.source
                tell = log.info if source is FeedSource.STREAM else log.warning
                tell("prices have another source", source=source, trouble=status.trouble)
            await self.timer.sleep(REPORT_EVERY_S)

    async def _report(self) -> None:
        """Tell the board how the watch is, by a fresh reading of the venue's clock."""
        while True:
            try:
                await self._clock.renewed()
            except VenueUnavailable as error:
                self._troubles.has("clock", error)
            else:
                self._troubles.has_none("clock")
            try:
                await self._ports.board.report(self._venue, self.status())
            except StoreUnavailable as error:
                self._troubles.has("board", error)
            await self.timer.sleep(REPORT_EVERY_S)
