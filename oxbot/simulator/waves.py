"""Slow curves out of nothing but a seed and the time: what the candles do not tell.

A curve has a seeded height at the end of each of its spans and is straight in between,
read on a grid of five minutes. It depends on no price, earlier or later.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

GRID_MS = 300_000
"""The curves change at multiples of five minutes of venue time."""


class Wave(NamedTuple):
    """A curve.

    Attributes:
        name: Tells it from the others of a seed.
        span_ms: From one height to the next; a multiple of GRID_MS.
        low: The lowest height.
        high: The highest.
    """

    name: str
    span_ms: int
    low: int
    high: int

    def at(self, seed: int, now_ms: int) -> int:
        """The height at a moment, rounded down to a whole number."""
        number, offset = divmod(now_ms - now_ms % GRID_MS, self.span_ms)
        first, then = (self._height(seed, number + step) for step in (0, 1))
        return first + (then - first) * offset // self.span_ms

    def along(self, seed: int, moments: NDArray[np.int64]) -> NDArray[np.int64]:
        """The heights at moments in ms UTC, each rounded down to a whole number."""
        numbers, offsets = np.divmod(moments - moments % GRID_MS, self.span_ms)
        ends, places = np.unique(numbers, return_inverse=True)
        first, then = (
            np.array([self._height(seed, int(end) + step) for end in ends], dtype=np.int64)[places]
            for step in (0, 1)
        )
        return first + (then - first) * offsets // self.span_ms

    def _height(self, seed: int, number: int) -> int:
        return self.low + _draw(f"{seed}:{self.name}:{number}") % (self.high - self.low + 1)


@lru_cache(maxsize=10_000)
def _draw(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
