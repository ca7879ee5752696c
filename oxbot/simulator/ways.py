"""The ways of prices inside candles, in venue time; each is worked out once for one question."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from oxbot.simulator.candles import HIGH
from oxbot.simulator.market import Market
from oxbot.simulator.paths import Path, candle_path


class Moment(NamedTuple):
    """A price in ticks and when it holds, ms UTC."""

    ms: int
    ticks: int


class Leg(NamedTuple):
    """A straight way of the price."""

    begin: Moment
    end: Moment


@dataclass(frozen=True, slots=True)
class Inside:
    """The way inside one candle, in venue time.

    Attributes:
        opened_ms: When it opens, ms UTC.
        path: The way.
    """

    opened_ms: int
    path: Path

    def ticks(self, ms: int) -> int:
        """The price at a moment, in ticks."""
        return self.path.price(ms - self.opened_ms)

    def legs(self, begin: Moment, until_ms: int) -> Iterator[Leg]:
        """The way from a moment on, in it or just before it, to a later one or its end."""
        for corner in self.path.times:
            end_ms = min(self.opened_ms + corner, until_ms)
            if end_ms > begin.ms:
                end = Moment(end_ms, self.ticks(end_ms))
                yield Leg(begin, end)
                begin = end

    def highest(self, from_ms: int, to_ms: int) -> int:
        """The highest price from one moment to another, both included, in ticks."""
        begin = Moment(from_ms, self.ticks(from_ms))
        return max([begin.ticks, *(leg.end.ticks for leg in self.legs(begin, to_ms))])


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways of a market's spot pairs.

    Attributes:
        market: Whose prices.
    """

    market: Market
    _insides: dict[tuple[str, int], Inside] = field(default_factory=dict)
    _prices: dict[tuple[str, int], int] = field(default_factory=dict)

    def inside(self, symbol: str, ms: int) -> Inside:
        """The way inside the candle that a moment is in; at the market's end, the last one."""
        opened_ms = self.market.newest_ms(ms)
        known = self._insides.get((symbol, opened_ms))
        if known is None:
            source = self.market.source
            row = source.bars(symbol, opened_ms, opened_ms + source.step_ms).rows[0].tolist()
            path = candle_path(self.market.seed, symbol, opened_ms, row, source.step_ms)
            known = self._insides[symbol, opened_ms] = Inside(opened_ms, path)
        return known

    def price(self, symbol: str, ms: int) -> int:
        """The price at a moment, in ticks."""
        known = self._prices.get((symbol, ms))
        if known is None:
            known = self._prices[symbol, ms] = self.inside(symbol, ms).ticks(ms)
        return known

    def highest_since(self, symbol: str, moments: Iterable[int], now_ms: int) -> dict[int, int]:
        """The highest price from each of some moments to now, both included, in ticks by moment.

        Args:
            symbol: The instId.
            moments: Not later than now, ms UTC.
            now_ms: The venue's time, ms UTC.
        """
        wanted = set(moments)
        if not wanted:
            return {}
        later = self._highest_after(symbol, self.market.newest_ms(min(wanted)), now_ms)
        highest: dict[int, int] = {}
        for since_ms in wanted:
            inside = self.inside(symbol, since_ms)
            until_ms = min(now_ms, inside.opened_ms + self.market.source.step_ms - 1)
            highest[since_ms] = max(inside.highest(since_ms, until_ms), later[inside.opened_ms])
        return highest

    def _highest_after(self, symbol: str, opened_ms: int, now_ms: int) -> dict[int, int]:
        """The highest price after each candle from one on up to now, in ticks by its open."""
        now = self.inside(symbol, now_ms)
        bars = self.market.source.bars(symbol, opened_ms, now.opened_ms)
        so_far = now.highest(now.opened_ms, now_ms)
        highs = np.append(bars.rows[1:, HIGH], so_far)[: len(bars)]
        later = np.maximum.accumulate(highs[::-1])[::-1].tolist()
        return {**{bars.ts(index): high for index, high in enumerate(later)}, now.opened_ms: 0}
