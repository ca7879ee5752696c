"""When a price meets a level: whole candles are passed over, the way inside one is looked at.

A candle whose extremes leave out every level is passed over with thousands of others at once.
Inside one that does not, the price moves in straight lines from corner to corner, so the ms in
which it meets a level is found by bisection.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from oxbot.simulator.candles import CLOSE, Bars
from oxbot.simulator.levels import Bests, Levels
from oxbot.simulator.ways import Inside, Leg, Moment, Ways

FIRST_LOOK, LONGEST_LOOK = 64, 4096
"""Candles that are looked at together: few at first, since most ways are short."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A search for the first ms in which the price of one spot pair meets a level.

    Attributes:
        ways: Of the market's prices.
        symbol: The instId of the pair.
        kinds: The levels.
    """

    ways: Ways
    symbol: str
    kinds: Sequence[Levels]

    def first(self, now_ms: int, until_ms: int) -> int | None:
        """The first ms after now, up to and including another; None if no level is met."""
        inside = self.ways.inside(self.symbol, now_ms)
        now = Moment(now_ms, inside.ticks(now_ms))
        found = self._inside(inside, now, now.ticks, until_ms)
        if found is not None:
            return found
        end_ms = inside.opened_ms + self.ways.market.source.step_ms
        best = inside.highest(now_ms, max(now_ms, end_ms - 1))
        return self._from(end_ms, best, until_ms)

    def _from(self, opened_ms: int, best: int, until_ms: int) -> int | None:
        """The first ms in the candles from one on."""
        source, count = self.ways.market.source, FIRST_LOOK
        while opened_ms <= until_ms:
            end_ms = min(opened_ms + count * source.step_ms, until_ms + 1)
            bars = source.bars(self.symbol, opened_ms - source.step_ms, end_ms)
            if len(bars) == 1:
                return None
            found, best = self._among(bars, best, until_ms)
            if found is not None:
                return found
            opened_ms = bars.ts(len(bars))
            count = min(2 * count, LONGEST_LOOK)
        return None

    def _among(self, bars: Bars, best: int, until_ms: int) -> tuple[int | None, int]:
        """The first ms in all of some candles but their first, and the best bid after them."""
        rows, closes_before = bars.rows[1:], bars.rows[:-1, CLOSE]
        bests = Bests.of(rows, best)
        may = np.logical_or.reduce(
            [kind.may_meet(rows, closes_before, bests) for kind in self.kinds]
        )
        for index in np.flatnonzero(may).tolist():
            inside = self.ways.inside(self.symbol, bars.ts(index + 1))
            begin = Moment(inside.opened_ms - 1, int(closes_before[index]))
            found = self._inside(inside, begin, int(bests.before[index]), until_ms)
            if found is not None:
                return found, best
        return None, int(bests.after[-1])

    def _inside(self, inside: Inside, begin: Moment, best: int, until_ms: int) -> int | None:
        """The first ms inside one candle, from a moment on."""
        for leg in inside.legs(begin, until_ms):
            met = [
                _met_ms(inside, leg, kind.way, level)
                for kind in self.kinds
                if (level := kind.met(leg.begin.ticks, leg.end.ticks, best)) is not None
            ]
            if met:
                return min(met)
            best = max(best, leg.end.ticks)
        return None


def _met_ms(inside: Inside, leg: Leg, way: int, level: int) -> int:
    """The first ms of a leg at a level or beyond it; the leg leads there."""
    later = range(leg.begin.ms + 1, leg.end.ms)
    return later.start + bisect_left(later, x=True, key=lambda ms: way * inside.ticks(ms) <= level)
