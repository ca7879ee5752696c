"""OKX's candle lengths, made of base candles."""

from dataclasses import dataclass

import numpy as np

from oxbot.simulator.candles import CLOSE, HIGH, LOW, OPEN, VOLUME, Bars

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LARGEST, LOW_HALF = 2**63 - 1, 2**32 - 1
HONG_KONG_MS = 8 * HOUR_MS
"""OKX's candles of six hours and more open on Hong Kong's clock unless their name ends in utc."""


@dataclass(frozen=True, slots=True)
class Timeframe:
    """One candle length.

    Attributes:
        bar: OKX's name (5m, 1H, 1Dutc).
        length_ms: The candle's length.
        offset_ms: How long before a multiple of the length in UTC it opens.
    """

    bar: str
    length_ms: int
    offset_ms: int = 0

    def opens(self, at_ms: int) -> int:
        """Open time of the candle that holds a moment, ms UTC."""
        return at_ms - (at_ms + self.offset_ms) % self.length_ms

    def first_whole(self, from_ms: int) -> int:
        """Open time of the first candle that opens at a moment or later, ms UTC."""
        return self.opens(from_ms + self.length_ms - 1)


TIMEFRAMES: dict[str, Timeframe] = {
    frame.bar: frame
    for frame in (
        *(Timeframe(f"{n}m", n * MINUTE_MS) for n in (1, 3, 5, 15, 30)),
        *(Timeframe(f"{n}H", n * HOUR_MS) for n in (1, 2, 4)),
        *(Timeframe(f"{n}H", n * HOUR_MS, HONG_KONG_MS) for n in (6, 12)),
        *(Timeframe(f"{n}Hutc", n * HOUR_MS) for n in (6, 12)),
        Timeframe("1D", DAY_MS, HONG_KONG_MS),
        Timeframe("1Dutc", DAY_MS),
    )
}
"""What OKX's parameter `bar` may be; a base candle must fit into it a whole number of times."""


def aggregate(bars: Bars, frame: Timeframe) -> Bars:
    """Longer candles out of base candles.

    Args:
        bars: Base candles, the first of which opens a candle of the timeframe.
        frame: What to make; the last candle may be unfinished.
    """
    edges = np.arange(0, len(bars), frame.length_ms // bars.step_ms)
    if not len(edges):
        return Bars(bars.first_ms, frame.length_ms, bars.rows)
    rows = np.empty((len(edges), 5), dtype=np.int64)
    rows[:, OPEN] = bars.rows[edges, OPEN]
    rows[:, HIGH] = np.maximum.reduceat(bars.rows[:, HIGH], edges)
    rows[:, LOW] = np.minimum.reduceat(bars.rows[:, LOW], edges)
    rows[:, CLOSE] = bars.rows[np.append(edges[1:], len(bars)) - 1, CLOSE]
    rows[:, VOLUME] = np.add.reduceat(bars.rows[:, VOLUME], edges)
    return Bars(bars.first_ms, frame.length_ms, rows)


def turnovers(bars: Bars, size: int) -> list[int]:
    """Turnover of each run of so many candles, in ticks times lots.

    A candle turns over its volume at the mean of open, high, low and close. The halves of its
    64 bits are summed apart, since a day of XRP would overflow them.
    """
    if not len(bars):
        return []
    prices, volumes = bars.rows[:, :VOLUME].sum(axis=1), bars.rows[:, VOLUME]
    if int(prices.max()) * int(volumes.max()) > LARGEST:
        return _large_turnovers(prices.tolist(), volumes.tolist(), size)
    each, starts = prices * volumes // 4, np.arange(0, len(bars), size)
    high, low = (np.add.reduceat(half, starts).tolist() for half in (each >> 32, each & LOW_HALF))
    return [(above << 32) + below for above, below in zip(high, low, strict=True)]


def _large_turnovers(prices: list[int], volumes: list[int], size: int) -> list[int]:
    """The same for candles of which a single one may overflow."""
    each = [price * volume // 4 for price, volume in zip(prices, volumes, strict=True)]
    return [sum(each[start : start + size]) for start in range(0, len(each), size)]
