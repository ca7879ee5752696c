"""The price watch: one reader of the venue's stream, for all bots, with REST behind it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Final

import structlog

from oxbot.app.breaker import guarded
from oxbot.app.feed_state import SILENCE_MS, FeedState
from oxbot.app.ports import Ports
from oxbot.app.timing import RealTimer, RecentClock, Timer, first_of
from oxbot.app.troubles import Troubles
from oxbot.domain.errors import Conflict, OxbotError, StoreUnavailable, VenueUnavailable
from oxbot.domain.feed import FeedSource, FeedStatus
from oxbot.domain.market import Quote
from oxbot.messages import WatchPrices

SYMBOLS_EVERY_S: Final = 5
ASK_EVERY_S: Final = 2
REPORT_EVERY_S: Final = 1

SHORTEST_PAUSE_S: Final = 1
LONGEST_PAUSE_S: Final = 30
"""Between a lost connection and the next attempt, doubled each time.

This is the stream's own way to reconnect, not a retry of the activity: while it pauses, the
watch goes on by REST. OKX takes 3 connections a second and 480 subscriptions an hour.
"""

log = structlog.get_logger(__name__)


async def watch_prices(
    ports: Ports,
    request: WatchPrices,
    heartbeat: Callable[[FeedStatus], None],
    leave: Callable[[], Awaitable[object]],
    timer: Timer | None = None,
) -> FeedStatus:
    """Keep the price board fresh until the time is up; give the last report.

    Args:
        ports: Of the venue to be watched.
        request: Which venue, and for how long.
        heartbeat: Is told once a second how the watch is.
        leave: Returns when this process has to end.
        timer: Wall time; the machine's unless a test has its own.

    Raises:
        Conflict: This system looks at another venue; final.
        StoreUnavailable: The record does not say which symbols are wanted.
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
        self._symbols: tuple[str, ...] = ()
        self._changed = asyncio.Event()
        self._fresh: dict[str, Quote] = {}
        self._news = asyncio.Event()
        self._troubles = Troubles(f"price watch of {self._venue}")

    @property
    def counted(self) -> dict[str, int]:
        """Gaps and reconnects."""
        return {"gaps": self._state.gaps, "reconnects": self._state.reconnects}

    async def begin(self) -> None:
        """Find out what is wanted, and go on counting where the watch before this one stopped."""
        self._adopt(await self._ports.store.watched_symbols(self._venue))
        try:
            before = await self._ports.board.feed_status(self._venue)
        except StoreUnavailable as error:
            self._troubles.has("board", error)
            before = None
        if before is not None:
            self._state.gaps, self._state.reconnects = before.gaps, before.reconnects

    def parts(self) -> Iterator[Coroutine[object, object, None]]:
        """Give what goes on beside each other, each part until it is cancelled."""
        yield self._listen()
        yield self._write()
        yield self._ask()
        yield self._follow()
        yield self._beat()
        yield self._report()

    def status(self) -> FeedStatus:
        """Describe the watch as of now."""
        return self._state.status(self.timer.wall_ms(), self._symbols, self._clock.last)

    async def _listen(self) -> None:
        """Read the stream; connect again after a pause when it is lost."""
        pause_s = SHORTEST_PAUSE_S
        while True:
            self._changed.clear()
            if not self._symbols:
                await self._changed.wait()
                continue
            heard_ms = self._state.last_message_ms
            try:
                await first_of(self._read(self._symbols), self._changed.wait())
            except OxbotError as error:
                self._state.lost(str(error))
                self._troubles.has("stream", error)
                if self._state.last_message_ms != heard_ms:
                    pause_s = SHORTEST_PAUSE_S
                await self.timer.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _read(self, symbols: tuple[str, ...]) -> None:
        """Take what the stream says until it breaks."""
        self._state.listens(self.timer.wall_ms())
        stream = self._ports.stream.quotes(symbols, self._clock.reading)
        async with aclosing(stream) as batches:
            async for quotes in batches:
                self._state.spoke(self.timer.wall_ms())
                self._troubles.has_none("stream")
                self._take(quotes)
        raise VenueUnavailable("The venue has ended the price stream.")

    def _take(self, quotes: Iterable[Quote]) -> None:
        """Lay prices out for the board; while it is busy, only the newest of a symbol waits."""
        for quote in quotes:
            waiting = self._fresh.get(quote.symbol)
            if waiting is None or waiting.exchange_ms <= quote.exchange_ms:
                self._fresh[quote.symbol] = quote
        self._news.set()

    async def _write(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            quotes, self._fresh = self._fresh, {}
            await self._put(list(quotes.values()))

    async def _ask(self) -> None:
        """Ask by REST for as long as the stream is silent."""
        while True:
            left_ms = self._state.silent_in_ms(self.timer.wall_ms())
            if left_ms == 0:
                await self._ask_once()
                await self.timer.sleep(ASK_EVERY_S)
            else:
                await self.timer.sleep((left_ms or SILENCE_MS) / 1000)

    async def _ask_once(self) -> None:
        """Ask for all prices; not where the venue stands still, whose silence is no failure."""
        try:
            clock = await self._clock.reading()
            if clock.stepped:
                return
            self._state.fell_silent()
            async with guarded(self._ports, clock):
                quotes = await self._ports.feed.all_quotes(clock)
        except OxbotError as error:
            self._troubles.has("rest", error)
            return
        self._troubles.has_none("rest")
        if await self._put(quotes):
            self._state.asked(self.timer.wall_ms())

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
            self._adopt(await self._listed(symbols))

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

    def _adopt(self, symbols: Iterable[str]) -> None:
        wanted = tuple(symbols)
        if wanted == self._symbols:
            return
        log.info("watched symbols", venue=self._venue, symbols=wanted)
        self._symbols = wanted
        if not wanted:
            self._state.idles()
        self._changed.set()

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
                await self._clock.reading()
            except VenueUnavailable as error:
                self._troubles.has("clock", error)
            else:
                self._troubles.has_none("clock")
            try:
                await self._ports.board.report(self._venue, self.status())
            except StoreUnavailable as error:
                self._troubles.has("board", error)
            await self.timer.sleep(REPORT_EVERY_S)

    async def _put(self, quotes: list[Quote]) -> bool:
        try:
            await self._ports.board.put(self._venue, quotes)
        except StoreUnavailable as error:
            self._troubles.has("board", error)
            return False
        self._troubles.has_none("board")
        return True
