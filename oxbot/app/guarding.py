"""Every price is judged by the guards of open positions, wherever it comes from."""

from collections import defaultdict
from collections.abc import Collection, Container, Coroutine, Iterator, Sequence
from dataclasses import replace
from typing import Final

from oxbot.app.gaps import Gap, Told, examine_gaps, gaps_since
from oxbot.app.guard_news import GuardNews
from oxbot.app.ports import Ports
from oxbot.app.signals import Signals
from oxbot.app.timing import RecentClock, Timer, first_of
from oxbot.app.troubles import Troubles
from oxbot.domain.errors import OxbotError, StoreUnavailable, VenueUnavailable
from oxbot.domain.guard_index import Best, GuardIndex
from oxbot.domain.guards import TRUSTED_MS
from oxbot.domain.market import Bar, ClockReading, Quote
from oxbot.ports import PositionKey

COMPARED_HOLDS_MS: Final = 10_000
"""An index that was compared with the record longer ago, in wall ms, protects nobody."""

CAME_HOLDS_MS: Final = 10_000
"""Nor does a watch of a position to whose coin no price has come for so long, in wall ms."""

EXAMINE_FIRST_S: Final = 5
"""Prices wait so long for the examination of what nobody watched; it goes on beside them."""

SAVE_EVERY_S: Final = 1
EXAMINE_AGAIN_S: Final = 2


class Guarding:
    """The part of the market watch that protects.

    `too_old` counts prices that were too old to set anything off.

    Args:
        ports: Of the venue.
        clock: The venue's, as the watch has it.
        timer: Wall time.
        troubles: Where it says what is wrong.
    """

    def __init__(self, ports: Ports, clock: RecentClock, timer: Timer, troubles: Troubles) -> None:
        self.too_old = 0
        self._ports = ports
        self._venue = ports.feed.venue
        self._clock = clock
        self._timer = timer
        self._troubles = troubles
        self._index = GuardIndex()
        self._news = GuardNews(ports, self._index, timer, troubles, self._judge_again)
        self._signals = Signals(ports, timer, troubles)
        self._last: dict[str, Quote] = {}
        self._heard_ms: dict[str, int] = {}
        self._begun_ms = timer.wall_ms()
        self._came_ms: dict[str, int] = {}
        self._gaps: dict[str, Gap] = {}
        self._raised: list[Best] = []

    def __len__(self) -> int:
        return len(self._index)

    async def begin(self) -> None:
        """Learn what is open, and examine what nobody watched, before the first price comes.

        Raises:
            StoreUnavailable: The record does not say what is open.
        """
        marks = await self._ports.store.watch_marks(self._venue)
        beat = await self._ports.store.watch_beat(self._venue)
        await self._news.compare()
        # A beat comes after the best prices that it vouches for, which may be the last thing done.
        watched_ms = beat.beat_ms + SAVE_EVERY_S * 1000 if beat else None
        self._gaps = gaps_since(marks, self._index, watched_ms)
        await first_of(self._examine(), self._timer.sleep(EXAMINE_FIRST_S))

    def parts(self) -> Iterator[Coroutine[object, object, None]]:
        """Give what goes on beside each other, each part until it is cancelled."""
        yield self._news.listen()
        yield self._news.follow()
        yield self._signals.run()
        yield self._save()
        yield self._make_up()

    def see(self, quotes: Sequence[Quote]) -> None:
        """Judge prices as they come; what they cross is told beside everything else.

        A price that is too old to trust sets nothing off. Where the venue stands still none
        does: its driver has the guards examined.
        """
        wall_ms, clock = self._timer.wall_ms(), self._moving
        self._came_ms.update((quote.symbol, wall_ms) for quote in quotes)
        if clock is None:
            return
        trusted = [quote for quote in quotes if _is_trusted(quote, clock, wall_ms)]
        self.too_old += len(quotes) - len(trusted)
        for quote in trusted:
            self._note_silence(quote.symbol, wall_ms)
            self._judge(quote, wall_ms)
            self._end_gap(quote.symbol, clock.venue_at(wall_ms))

    @property
    def _moving(self) -> ClockReading | None:
        """The venue's clock, if it is known and moves by itself."""
        clock = self._clock.last
        return None if clock is None or clock.stepped else clock

    def _note_silence(self, symbol: str, wall_ms: int) -> None:
        """After a time without a price of a coin, what came meanwhile has to be made up for."""
        heard_ms = self._heard_ms.get(symbol)
        self._heard_ms[symbol] = wall_ms
        last = self._last.get(symbol)
        if heard_ms is None or last is None or wall_ms - heard_ms <= TRUSTED_MS:
            return
        own = [guard for guard in self._index if guard.symbol == symbol]
        gap = gaps_since({symbol: last.exchange_ms}, own).get(symbol)
        if gap is not None:
            known = self._gaps.get(symbol)
            self._gaps[symbol] = known.joined(gap, wall_ms) if known else gap

    def _end_gap(self, symbol: str, now_ms: int) -> None:
        """Note that a symbol is watched again, from a venue time on."""
        gap = self._gaps.get(symbol)
        if gap is None or gap.until_ms is not None:
            return
        if now_ms <= gap.from_ms:
            del self._gaps[symbol]
        else:
            self._gaps[symbol] = replace(gap, until_ms=now_ms)

    def _judge(self, quote: Quote, wall_ms: int, only: Container[str] | None = None) -> None:
        known = self._last.get(quote.symbol)
        if known is None or known.exchange_ms <= quote.exchange_ms:
            self._last[quote.symbol] = quote
        at_ms = quote.exchange_ms
        crossings = self._index.crossed(quote.symbol, quote.bid, quote.ask, at_ms, only)
        self._signals.add(crossings, wall_ms)

    def _judge_again(self, changed: Collection[PositionKey]) -> None:
        """Judge guards that are others than before by the last price: the next may take its time.

        Only those: a price that many stops wait for would else be judged for all of them as often
        as one of them is sold.
        """
        self._signals.forget_changed(self._index)
        wall_ms, clock = self._timer.wall_ms(), self._moving
        if clock is None:
            return
        bots_of: defaultdict[str, set[str]] = defaultdict(set)
        for bot_id, symbol in changed:
            bots_of[symbol].add(bot_id)
        for symbol, bots in bots_of.items():
            quote = self._last.get(symbol)
            if quote is not None and _is_trusted(quote, clock, wall_ms):
                self._judge(quote, wall_ms, bots)

    async def _make_up(self) -> None:
        """Examine what nobody watched, until that is done."""
        while True:
            await self._timer.sleep(EXAMINE_AGAIN_S)
            await self._examine()

    async def _examine(self) -> None:
        if not self._gaps:
            return
        try:
            clock = await self._clock.reading()
        except VenueUnavailable as error:
            self._troubles.has("clock", error)
            return
        if clock.stepped:
            self._gaps.clear()
            return
        closed_ms = Bar.M5.closed_by(clock.venue_ms)
        untold = [gap for gap in self._gaps.values() if gap.told_ms < closed_ms]
        for gap, found in await examine_gaps(self._ports, untold, clock):
            if isinstance(found, OxbotError):
                self._troubles.has("candles", found)
                continue
            self._troubles.has_none("candles")
            self._heed(found)
            self._note_told(gap.symbol, closed_ms)

    def _heed(self, found: Told) -> None:
        """Act on what candles tell of positions that are still as they were."""
        self._raised.extend(found.bests)
        known = {c.guard.key: self._index.get(c.guard.key) for c in found.crossings}
        same = [
            c for c in found.crossings if (g := known[c.guard.key]) and g.stamp == c.guard.stamp
        ]
        self._signals.add(same, seen_ms=0)

    def _note_told(self, symbol: str, closed_ms: int) -> None:
        """Forget a gap that candles have told all of; else the next one to close tells more."""
        gap = self._gaps.get(symbol)
        if gap is None:
            return
        if gap.is_told_by(closed_ms):
            del self._gaps[symbol]
        else:
            self._gaps[symbol] = replace(gap, told_ms=closed_ms)

    async def _save(self) -> None:
        """Put best prices and marks on record, in this order; each time is a beat.

        There is none while the record or the venue keep the watch from protecting anybody.
        """
        while True:
            try:
                await self._save_once()
            except StoreUnavailable as error:
                self._troubles.has("marks", error)
            else:
                self._troubles.has_none("marks")
            await self._timer.sleep(SAVE_EVERY_S)

    async def _save_once(self) -> None:
        clock, wall_ms = self._clock.last, self._timer.wall_ms()
        if clock is None or wall_ms - self._news.compared_ms > COMPARED_HOLDS_MS:
            return
        marks = self._marks()
        self._raised.extend(self._index.raised())
        while self._raised:
            await self._ports.store.raise_best(self._venue, self._raised[0])
            del self._raised[0]
        if self._is_blind(wall_ms) and not clock.stepped:
            return
        await self._ports.store.save_watch_marks(self._venue, marks, wall_ms, stepped=clock.stepped)

    def _is_blind(self, wall_ms: int) -> bool:
        """Whether a coin that is held has had no price for too long, whoever else has."""
        came_ms = (self._came_ms.get(symbol, self._begun_ms) for symbol in self._index.symbols)
        return any(wall_ms - at_ms > CAME_HOLDS_MS for at_ms in came_ms)

    def _marks(self) -> dict[str, int]:
        """Give up to when everything that was crossed has been accepted, for each symbol.

        Where a stretch has still to be examined, the mark stays where it was.
        """
        first = self._signals.unaccepted()
        return {
            symbol: min(self._last[symbol].exchange_ms, first.get(symbol, _NEVER) - 1)
            for symbol in self._index.symbols
            if symbol in self._last and symbol not in self._gaps
        }


def _is_trusted(quote: Quote, clock: ClockReading, wall_ms: int) -> bool:
    return quote.age_ms(clock.venue_at(wall_ms)) <= clock.scaled_ms(TRUSTED_MS)


_NEVER: Final = 2**62
