"""How the price moves inside a candle.

It opens, visits the two extremes in a seeded order at seeded moments, and reaches the
close in the candle's last millisecond; in between it moves in straight lines, rounded to
the tick. So it never leaves the candle, and what it shows at a moment depends on nothing
but the way up to that moment and the leg it is on.
"""

from bisect import bisect_right
from dataclasses import dataclass
from hashlib import blake2b

from oxbot.simulator.candles import CLOSE, HIGH, LOW, OPEN


@dataclass(frozen=True, slots=True)
class Path:
    """The four corners of one candle's way.

    Attributes:
        times: Offsets from the candle's open in ms, rising.
        ticks: The price at each of them.
    """

    times: tuple[int, int, int, int]
    ticks: tuple[int, int, int, int]

    def price(self, offset_ms: int) -> int:
        """The price so many ms after the open, in ticks; the close from its end on."""
        after = bisect_right(self.times, offset_ms)
        if after == len(self.times):
            return self.ticks[-1]
        begin, end = self.times[after - 1], self.times[after]
        low_end, high_end = self.ticks[after - 1], self.ticks[after]
        return low_end + _rounded((high_end - low_end) * (offset_ms - begin), end - begin)

    def extremes(self, offset_ms: int) -> tuple[int, int]:
        """Highest and lowest price from the open up to and including that moment, in ticks."""
        reached = self.ticks[: bisect_right(self.times, offset_ms)]
        seen = (*reached, self.price(offset_ms))
        return max(seen), min(seen)


def candle_path(seed: int, symbol: str, ts: int, row: list[int], step_ms: int) -> Path:
    """The way of one candle.

    Args:
        seed: The market's seed; the same seed gives the same way.
        symbol: The instId.
        ts: The candle's open time, ms UTC.
        row: Open, high, low, close in ticks (more columns are ignored).
        step_ms: The candle's length in ms.
    """
    digest = blake2b(f"{seed}:{symbol}:{ts}".encode(), digest_size=12).digest()
    draws = [int.from_bytes(digest[start : start + 4], "big") for start in (0, 4, 8)]
    span = step_ms * 35 // 100
    first = step_ms // 10 + draws[0] % span
    second = step_ms * 55 // 100 + draws[1] % span
    turns = (row[HIGH], row[LOW]) if draws[2] % 2 else (row[LOW], row[HIGH])
    return Path((0, first, second, step_ms - 1), (row[OPEN], *turns, row[CLOSE]))


def _rounded(numerator: int, denominator: int) -> int:
    """The quotient rounded to the nearest whole number, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)
