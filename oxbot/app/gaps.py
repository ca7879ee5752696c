"""Stretches that nobody watched, made up for by the exchange's candles."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from oxbot.app.asking import asking
from oxbot.app.ports import Ports
from oxbot.domain.errors import OxbotError
from oxbot.domain.guard_index import Best
from oxbot.domain.guards import Crossing, Guard, best_in, crossed_in_candles
from oxbot.domain.market import CANDLE_MS, Bar, Candle, ClockReading
from oxbot.domain.money import Price

PAGE: Final = 300
"""Candles at most by one question."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Gap:
    """From when on (venue ms) a symbol was not watched, and its guards as they were then.

    It lasts until `until_ms`; None: no price has come yet. Candles that ended by `told_ms` have
    told what happened. Until `watched_wall_ms` (wall ms) somebody watched, so that the guards'
    best prices are no younger: a mark stays behind while a gap has yet to be examined.
    """

    symbol: str
    from_ms: int
    guards: tuple[Guard, ...]
    until_ms: int | None = None
    told_ms: int = 0
    watched_wall_ms: int | None = None

    def is_told_by(self, closed_ms: int) -> bool:
        """Whether candles that ended by a venue time tell all of it."""
        return self.until_ms is not None and self.until_ms <= closed_ms

    def known_ms(self, clock: ClockReading) -> int:
        """Give how old the guards' best prices are at least (venue ms)."""
        if self.watched_wall_ms is None:
            return self.from_ms
        return max(self.from_ms, clock.venue_at(self.watched_wall_ms))

    def joined(self, later: "Gap", wall_ms: int) -> "Gap":
        """Give one gap of this and a later one of the symbol, which has not ended yet."""
        known = {(guard.key, guard.stamp) for guard in self.guards}
        others = tuple(g for g in later.guards if (g.key, g.stamp) not in known)
        guards = self.guards + others
        return replace(self, guards=guards, until_ms=None, watched_wall_ms=wall_ms)


@dataclass(frozen=True)
class Told:
    """What candles tell of a gap: crossings, and the best prices, newest first."""

    crossings: tuple[Crossing, ...]
    bests: tuple[Best, ...]


def gaps_since(
    marks: dict[str, int], guards: Iterable[Guard], watched_wall_ms: int | None = None
) -> dict[str, Gap]:
    """Give the gap of each guarded symbol: from its mark on, or from the first opening."""
    of_symbol: dict[str, list[Guard]] = {}
    for guard in guards:
        of_symbol.setdefault(guard.symbol, []).append(guard)
    return {
        symbol: Gap(
            symbol,
            max(marks.get(symbol, 0), min(guard.opened_ms for guard in known)),
            tuple(known),
            watched_wall_ms=watched_wall_ms,
        )
        for symbol, known in of_symbol.items()
    }


async def examine_gap(ports: Ports, gap: Gap, clock: ClockReading) -> Told:
    """Find what was crossed in a gap, as far as closed candles tell.

    The candles in which it began and ended count whole: what was crossed there while somebody
    watched was told then. The one in which it ended tells of it once it is closed.

    Raises:
        VenueUnavailable: The candles cannot be had.
        CircuitOpen: The exchange is not asked now.
    """
    candles = await _candles(ports, gap, clock)
    known_ms = gap.known_ms(clock)
    found = [crossed_in_candles(guard, candles, known_ms) for guard in gap.guards]
    crossings = tuple(crossing for crossing in found if crossing)
    if candles:
        log.info("gap examined", symbol=gap.symbol, candles=len(candles), crossed=len(crossings))
    return Told(crossings, tuple(_bests(gap, candles)))


def _bests(gap: Gap, candles: Sequence[Candle]) -> Iterator[Best]:
    """Give what trailing stops have to follow: each best price that no later one outdid."""
    for direction in sorted({guard.direction for guard in gap.guards if guard.best is not None}):
        best: Price | None = None
        for candle in reversed(candles):
            price = best_in(candle, direction)
            if best is None or direction.gain(best, price) > 0:
                best = price
                yield Best(gap.symbol, direction, price, candle.open_ms)


async def examine_gaps(
    ports: Ports, gaps: Sequence[Gap], clock: ClockReading
) -> list[tuple[Gap, Told | OxbotError]]:
    """Examine several at once; each has what was found, or the error that kept it."""

    async def outcome(gap: Gap) -> tuple[Gap, Told | OxbotError]:
        try:
            return gap, await examine_gap(ports, gap, clock)
        except OxbotError as error:
            return gap, error

    return await asyncio.gather(*map(outcome, gaps))


async def _candles(ports: Ports, gap: Gap, clock: ClockReading) -> list[Candle]:
    """Read the closed candles that end after the gap began, oldest first."""
    found: list[Candle] = []
    begin_ms = Bar.M5.closed_by(gap.from_ms)
    end_ms = Bar.M5.closed_by(clock.venue_ms)
    while (count := (end_ms - begin_ms) // CANDLE_MS) > 0:
        async with asking(ports, clock):
            page = await ports.feed.candles(gap.symbol, min(count, PAGE), end_ms)
        found = page + found
        if len(page) < min(count, PAGE):  # the venue has no older ones
            break
        end_ms = page[0].open_ms
    return found
