"""What may be seen of the candles at a moment: everything before it, nothing after it.

Each answer of the server is made from `Market.seen`, so there is one place where the
future could leak, and it is this one.
"""

from functools import lru_cache

import numpy as np

from oxbot.simulator.book import USUAL_SHAPE, Book, BookShape, book_around
from oxbot.simulator.candles import CLOSE, HIGH, LOW, OPEN, VOLUME, Bars, CandleSource
from oxbot.simulator.instruments import TRADED
from oxbot.simulator.paths import Path, candle_path
from oxbot.simulator.swaps import swap_rows

KEPT = 64
"""Candles under way whose rows and ways are kept: prices are asked for ten times a second."""


class Market:
    """The venue's prices as a function of its time.

    Args:
        source: Where the finished candles come from.
        seed: Orders the extremes inside each candle, and is that of the swaps.
        shape: How its order books look.
    """

    def __init__(self, source: CandleSource, seed: int, shape: BookShape = USUAL_SHAPE) -> None:
        self.source = source
        self.seed = seed
        self.shape = shape

    def price(self, symbol: str, now_ms: int) -> int:
        """The price of a spot pair or a swap at a moment, in ticks."""
        return self.under_way(symbol, now_ms)[CLOSE]

    def under_way(self, symbol: str, now_ms: int) -> list[int]:
        """The base candle of a spot pair or a swap that now is in, as far as it is.

        The same as `seen` gives, without an array: prices are asked for ten times a second.
        """
        listed, ts = TRADED[symbol], self.newest_ms(now_ms)
        so_far = self._so_far(listed.pair, ts, now_ms - ts)
        if listed.contract is None:
            return so_far
        spot = Bars(ts, self.source.step_ms, np.array([so_far], dtype=np.int64))
        row: list[int] = swap_rows(self.seed, listed, spot)[0].tolist()
        return row

    def book(self, symbol: str, depth: int, now_ms: int) -> Book:
        """The order book at a moment, so many levels on each side."""
        return book_around(TRADED[symbol], self.price(symbol, now_ms), depth, self.shape)

    def newest_ms(self, now_ms: int) -> int:
        """Open time of the base candle that now is in; at the market's end, the last one."""
        step = self.source.step_ms
        return min(now_ms - now_ms % step, self.source.end_ms - step)

    def seen(self, symbol: str, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        """Base candles that open in [from_ms, to_ms), the one that is under way as far as it is.

        Args:
            symbol: The instId of a spot pair or a swap.
            from_ms: The first open time that is wanted, ms UTC.
            to_ms: Where to stop, ms UTC; what lies beyond now is not there.
            now_ms: The venue's time, ms UTC.
        """
        listed = TRADED[symbol]
        spot = self._spot(listed.pair, from_ms, to_ms, now_ms)
        if listed.contract is None:
            return spot
        return Bars(spot.first_ms, spot.step_ms, swap_rows(self.seed, listed, spot))

    def _spot(self, symbol: str, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        """The spot pair's candles; see `seen`."""
        ts = self.newest_ms(now_ms)
        if not from_ms <= ts < to_ms:
            return self.source.bars(symbol, from_ms, min(ts, to_ms))
        so_far = np.array([self._so_far(symbol, ts, now_ms - ts)], dtype=np.int64)
        if from_ms == ts:
            return Bars(ts, self.source.step_ms, so_far)
        bars = self.source.bars(symbol, from_ms, ts)
        return Bars(bars.first_ms, bars.step_ms, np.concatenate([bars.rows, so_far]))

    def _so_far(self, symbol: str, ts: int, offset_ms: int) -> list[int]:
        """The unfinished candle: its volume grows evenly with time, rounded down to a lot."""
        row, path = _candle(self, symbol, ts)
        so_far = [0] * 5
        so_far[OPEN] = row[OPEN]
        so_far[HIGH], so_far[LOW] = path.extremes(offset_ms)
        so_far[CLOSE] = path.price(offset_ms)
        so_far[VOLUME] = row[VOLUME] * offset_ms // self.source.step_ms
        return so_far


@lru_cache(maxsize=KEPT)
def _candle(market: Market, symbol: str, ts: int) -> tuple[list[int], Path]:
    """The row of a whole candle, and the way through it."""
    step = market.source.step_ms
    row: list[int] = market.source.bars(symbol, ts, ts + step).rows[0].tolist()
    return row, candle_path(market.seed, symbol, ts, row, step)
