"""Where prices come from: the venue's stream, and REST while that is silent."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Final

import structlog

from oxbot.app.breaker import guarded
from oxbot.app.feed_state import SILENCE_MS, FeedState
from oxbot.app.ports import Ports
from oxbot.app.timing import RecentClock, Timer, first_of
from oxbot.app.troubles import Troubles
from oxbot.domain.errors import OxbotError, StoreUnavailable, VenueUnavailable
from oxbot.domain.market import Quote

ASK_EVERY_S: Final = 2

LULL_S: Final = 5
"""A coin of which the stream says nothing for so long, while it speaks of others, is asked for."""

SHORTEST_PAUSE_S: Final = 1
LONGEST_PAUSE_S: Final = 30
"""Between a lost connection and the next attempt, doubled each time.

This is the stream's own way to reconnect, not a retry of the activity: while it pauses, the
watch goes on by REST. OKX takes 3 connections a second and 480 subscriptions an hour.
"""

log = structlog.get_logger(__name__)


class PriceSources:
    """Reads prices from the stream, else by REST, and puts them on the board.

    Args:
        ports: Of the venue.
        state: Follows how the sources do.
        clock: The venue's.
        timer: Wall time.
        troubles: Where it says what is wrong.
        see: Is given every batch before the board is.
    """

    def __init__(
        self,
        ports: Ports,
        state: FeedState,
        clock: RecentClock,
        timer: Timer,
        troubles: Troubles,
        see: Callable[[Sequence[Quote]], None],
    ) -> None:
        self.symbols: tuple[str, ...] = ()
        self._ports = ports
        self._venue = ports.feed.venue
        self._state = state
        self._clock = clock
        self._timer = timer
        self._troubles = troubles
        self._see = see
        self._changed = asyncio.Event()
        self._heard_ms: dict[str, int] = {}
        self._fresh: dict[str, Quote] = {}
        self._news = asyncio.Event()

    def parts(self) -> Iterator[Coroutine[object, object, None]]:
        """Give what goes on beside each other, each part until it is cancelled."""
        yield self._listen()
        yield self._write()
        yield self._ask()
        yield self._ask_for_quiet()

    def adopt(self, symbols: Iterable[str]) -> None:
        """Read the prices of these from now on."""
        wanted = tuple(symbols)
        if wanted == self.symbols:
            return
        log.info("watched symbols", venue=self._venue, symbols=wanted)
        self.symbols = wanted
        if not wanted:
            self._state.idles()
        self._changed.set()

    async def _listen(self) -> None:
        """Read the stream; connect again after a pause when it is lost."""
        pause_s = SHORTEST_PAUSE_S
        while True:
            self._changed.clear()
            if not self.symbols:
                await self._changed.wait()
                continue
            heard_ms = self._state.last_message_ms
            try:
                await first_of(self._read(self.symbols), self._changed.wait())
            except OxbotError as error:
                self._state.lost(str(error))
                self._troubles.has("stream", error)
                if self._state.last_message_ms != heard_ms:
                    pause_s = SHORTEST_PAUSE_S
                await self._timer.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _read(self, symbols: tuple[str, ...]) -> None:
        """Take what the stream says until it breaks."""
        self._state.listens(self._timer.wall_ms())
        stream = self._ports.stream.quotes(symbols, self._clock.reading)
        async with aclosing(stream) as batches:
            async for quotes in batches:
                self._state.spoke(self._timer.wall_ms())
                self._troubles.has_none("stream")
                self._take(quotes)
        raise VenueUnavailable("The venue has ended the price stream.")

    def _take(self, quotes: Sequence[Quote]) -> None:
        """Lay prices out for the board; while it is busy, only the newest of a symbol waits."""
        self._see(quotes)
        now_ms = self._timer.wall_ms()
        for quote in quotes:
            self._heard_ms[quote.symbol] = now_ms
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
            left_ms = self._state.silent_in_ms(self._timer.wall_ms())
            if left_ms == 0:
                await self._ask_once()
                await self._timer.sleep(ASK_EVERY_S)
            else:
                await self._timer.sleep((left_ms or SILENCE_MS) / 1000)

    async def _ask_once(self) -> None:
        """Ask in the stream's stead."""
        quotes = await self._all_quotes(instead=True)
        if quotes is None:
            return
        self._see(quotes)
        if await self._put(quotes):
            self._state.asked(self._timer.wall_ms())

    async def _all_quotes(self, *, instead: bool) -> list[Quote] | None:
        """Ask for all prices; not where the venue stands still, whose silence is no failure.

        `instead`: the stream is silent as a whole. None: nobody was asked, or answered.
        """
        try:
            clock = await self._clock.reading()
            if clock.stepped:
                return None
            if instead:
                self._state.fell_silent()
            async with guarded(self._ports, clock):
                quotes = await self._ports.feed.all_quotes(clock)
        except OxbotError as error:
            self._troubles.has("rest", error)
            return None
        self._troubles.has_none("rest")
        return quotes

    async def _ask_for_quiet(self) -> None:
        """Ask by REST for coins of which a stream that speaks says nothing.

        A coin that is rarely traded is quiet by nature; one whose channel is broken looks the same.
        """
        while True:
            await self._timer.sleep(LULL_S)
            now_ms = self._timer.wall_ms()
            quiet = [s for s in self.symbols if now_ms - self._heard_ms.get(s, 0) >= LULL_S * 1000]
            if quiet and self._state.silent_in_ms(now_ms):
                found = await self._all_quotes(instead=False) or []
                asked = [quote for quote in found if quote.symbol in quiet]
                self._see(asked)
                await self._put(asked)

    async def _put(self, quotes: list[Quote]) -> bool:
        try:
            await self._ports.board.put(self._venue, quotes)
        except StoreUnavailable as error:
            self._troubles.has("board", error)
            return False
        self._troubles.has_none("board")
        return True
