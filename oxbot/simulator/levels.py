"""Levels that a price may meet, in whole ticks: those that stand still, and those that trail.

Only falling is spelled out: a level is met in the ms in which the price steps from above it to
it or below it. Rising is the same upside down, with every price and level negated.
"""

from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oxbot.domain.money import Price, to_scale
from oxbot.simulator.candles import HIGH, LOW, Rows

FALLING, RISING = 1, -1

SLACK = 1e-12
"""What floats may be off by when they sort out candles that cannot matter, as a fraction."""

Flags = NDArray[np.bool_]


class Trail(NamedTuple):
    """How far below its best bid a price may fall, as a fraction, and the instrument's tick."""

    fraction: Decimal
    tick: Decimal

    def level(self, best: Decimal) -> int:
        """The level of a best bid (USDT), in ticks: rounded as the price of a stop is."""
        return floor_ticks(to_scale(Price(best) * (1 - self.fraction)).number, self.tick)


class Levels:
    """Levels of one kind, of which the price meets the nearest first.

    Args:
        ticks: Where they are, in ticks; where they begin, if they trail.
        way: FALLING or RISING, the way that the price comes to them.
        trail: How they follow the best bid; they only ever follow it up. None: not at all.
    """

    def __init__(self, ticks: Iterable[int], way: int, trail: Trail | None = None) -> None:
        self.way = way
        self._trail = trail
        self._ticks = sorted({way * level for level in ticks})
        self._array = np.array(self._ticks, dtype=np.int64)

    def met(self, begin: int, end: int, best: int) -> int | None:
        """The level that a straight way between two prices meets first, times `way`.

        Args:
            begin: The price at its begin, in ticks; levels there are met already.
            end: The price at its end.
            best: The best bid before, in ticks.
        """
        top, bottom = self.way * begin, self.way * end
        place = bisect_left(self._ticks, top)
        if place == 0:
            return None
        level = self._ticks[place - 1]
        if self._trail is not None:
            level = max(level, self._trail.level(best * self._trail.tick))
        return level if bottom <= level < top else None

    def may_meet(self, rows: Rows, closes_before: NDArray[np.int64], bests: "Bests") -> Flags:
        """Which candles may meet a level; each that does is among them.

        Args:
            rows: The candles.
            closes_before: The close before each of them, in ticks.
            bests: The best bids before and after each of them.
        """
        tops, bottoms = self._reach(rows, closes_before)
        places = np.searchsorted(self._array, tops) - 1
        nearest = self._array[np.maximum(places, 0)]
        if self._trail is None:
            return (places >= 0) & (nearest >= bottoms)
        kept = float(1 - self._trail.fraction)
        slack = 2 + SLACK * bests.after
        lowest, highest = bests.before * kept - slack, bests.after * kept + slack
        return (places >= 0) & (lowest < tops) & (np.maximum(nearest, highest) >= bottoms)

    def _reach(
        self, rows: Rows, closes_before: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """From where to where each candle can fall, the step to its open included."""
        if self.way == FALLING:
            return np.maximum(rows[:, HIGH], closes_before), rows[:, LOW]
        return -np.minimum(rows[:, LOW], closes_before), -rows[:, HIGH]


class Bests(NamedTuple):
    """The best bids before and after each of some candles, in ticks."""

    before: NDArray[np.int64]
    after: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Rows, best: int) -> "Bests":
        """The best bids along candles.

        Args:
            rows: The candles.
            best: The best bid before the first of them.
        """
        after = np.maximum(np.maximum.accumulate(rows[:, HIGH]), best)
        return cls(np.concatenate([[best], after[:-1]]), after)


def floor_ticks(price: Decimal, tick: Decimal) -> int:
    """The most ticks that do not exceed a price."""
    return int(price // tick)


def ceil_ticks(price: Decimal, tick: Decimal) -> int:
    """The fewest ticks that are not below a price."""
    ticks, rest = divmod(price, tick)
    return int(ticks) + bool(rest)
