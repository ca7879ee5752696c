"""Stretches that nobody watched, made up for by the exchange's candles."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from oxbot.app.asking import asking
from oxbot.app.ports import Ports
from oxbot.domain.errors import OxbotError
from oxbot.domain.guards import Crossing, Guard, crossed_in_candles
from oxbot.domain.market import CANDLE_MS, Bar, Candle, ClockReading

PAGE: Final = 300
"""Candles at most by one question."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Gap:
    """From when on (venue ms) a symbol was not watched, and its guards as they were then."""

    symbol: str
    from_ms: int
    guards: tuple[Guard, ...]


def gaps_since(marks: dict[str, int], guards: Iterable[Guard]) -> dict[str, Gap]:
    """Give the gap of each guarded symbol: from its mark on, or from the first opening."""
    of_symbol: dict[str, list[Guard]] = {}
    for guard in guards:
        of_symbol.setdefault(guard.symbol, []).append(guard)
    return {
        symbol: Gap(
            symbol,
            max(marks.get(symbol, 0), min(guard.opened_ms for guard in known)),
            tuple(known),
        )
        for symbol, known in of_symbol.items()
    }


async def examine_gap(ports: Ports, gap: Gap, clock: ClockReading) -> list[Crossing]:
    """Find what was crossed in a gap, as far as closed candles tell.

    The candle in which it began counts whole. What came after the last closed candle is left
    to the price of now.

    Raises:
        VenueUnavailable: The candles cannot be had.
        CircuitOpen: The exchange is not asked now.
    """
    candles = await _candles(ports, gap, clock)
    found = [crossed_in_candles(guard, candles) for guard in gap.guards]
    crossings = [crossing for crossing in found if crossing]
    if candles:
        log.info("gap examined", symbol=gap.symbol, candles=len(candles), crossed=len(crossings))
    return crossings


async def examine_gaps(
    ports: Ports, gaps: Sequence[Gap], clock: ClockReading
) -> list[tuple[Gap, list[Crossing] | OxbotError]]:
    """Examine several at once; each has its crossings, or the error that kept them."""

    async def outcome(gap: Gap) -> tuple[Gap, list[Crossing] | OxbotError]:
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
