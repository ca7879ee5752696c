"""A generated market: five coins, the same for everybody who uses the same seed.

The states in which the weeks end are kept, their candles are not: any week can be made
again, and looks the same whichever was asked for first.
"""

from collections import OrderedDict

import numpy as np

from oxbot.simulator.candles import Bars, Candle, Rows
from oxbot.simulator.defaults import DEFAULT_SEED
from oxbot.simulator.model import CHUNK, COINS, FIRST_STATE, candles_of, ways_through
from oxbot.simulator.timeframes import DAY_MS, MINUTE_MS

DEFAULT_START_MS = 1_735_689_600_000
"""Where the clock starts: 2025-01-01T00:00:00Z."""

STEP_MS = 5 * MINUTE_MS
FIRST_MS = DEFAULT_START_MS - 60 * DAY_MS
"""The first candle: 60 days of history before the default start."""

END_MS = FIRST_MS + 30 * 365 * DAY_MS
"""Where it ends: after 30 years, so that no start has more than seconds of market to make."""

CACHED_CHUNKS = 32
"""Chunks whose candles are kept in memory: 32 weeks, about 13 MB."""


class GeneratedMarket:
    """A source of five-minute candles for 30 years, each week made when it is asked for.

    Args:
        seed: Zero or more; the same seed is the same market.
    """

    name = "generated market"
    symbols = tuple(coin.symbol for coin in COINS)
    step_ms = STEP_MS
    first_ms = FIRST_MS
    end_ms = END_MS
    default_start_ms = DEFAULT_START_MS

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self._seed = seed
        self._states = [FIRST_STATE]
        self._chunks: OrderedDict[int, dict[str, Rows]] = OrderedDict()

    def bars(self, symbol: str, from_ms: int, to_ms: int) -> Bars:
        """The candles that open in [from_ms, to_ms), as far as there are any; ms UTC.

        Each year that nobody has asked for before costs a few tenths of a second, once.
        """
        begin = max(0, -(-(from_ms - FIRST_MS) // STEP_MS))
        end = max(begin, -(-(min(to_ms, END_MS) - FIRST_MS) // STEP_MS))
        parts = [
            self._chunk(number)[symbol][
                max(0, begin - number * CHUNK) : max(0, end - number * CHUNK)
            ]
            for number in range(begin // CHUNK, -(-end // CHUNK))
            if begin < end
        ]
        rows = np.concatenate([np.empty((0, 5), dtype=np.int64), *parts])
        return Bars(FIRST_MS + begin * STEP_MS, STEP_MS, rows)

    def _chunk(self, number: int) -> dict[str, Rows]:
        """The week with this number, from memory or made (again)."""
        if number in self._chunks:
            self._chunks.move_to_end(number)
            return self._chunks[number]
        while len(self._states) <= number:
            _, state = ways_through(self._seed, len(self._states) - 1, self._states[-1])
            self._states.append(state)
        ways, _ = ways_through(self._seed, number, self._states[number])
        chunk = {way.coin.symbol: candles_of(way) for way in ways}
        self._chunks[number] = chunk
        if len(self._chunks) > CACHED_CHUNKS:
            self._chunks.popitem(last=False)
        return chunk


def first_candles(seed: int, count: int, start_ms: int = FIRST_MS) -> dict[str, list[Candle]]:
    """The market of a seed as plain values, without a server.

    Args:
        seed: The market's seed.
        count: Candles of five minutes per coin.
        start_ms: Open time of the first one, ms UTC; the market itself begins at FIRST_MS.
    """
    market = GeneratedMarket(seed)
    return {
        symbol: market.bars(symbol, start_ms, start_ms + count * STEP_MS).candles(symbol)
        for symbol in market.symbols
    }
