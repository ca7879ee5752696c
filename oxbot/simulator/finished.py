"""Finished candles as OKX's rows, kept: they never change, and are asked for again and again."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

Cells = tuple[str, ...]

MOST_ROWS: Final = 600
"""Rows of one series: two of the largest pages, about 500 kB."""


class FinishedRows:
    """The finished candles of one instrument and length that were asked for last, by open time.

    Args:
        make: Makes the rows that open from one time to another, both included, oldest first.
        length_ms: From one candle to the next.
        most: Rows that are kept.
    """

    def __init__(
        self,
        make: Callable[[int, int], Sequence[Cells]],
        length_ms: int,
        most: int = MOST_ROWS,
    ) -> None:
        self._make = make
        self._length_ms = length_ms
        self._most = most
        self._rows: OrderedDict[int, Cells] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def between(self, first_ms: int, last_ms: int) -> list[Cells]:
        """The rows that open from one time to another, oldest first; all must have ended."""
        times = range(first_ms, last_ms + 1, self._length_ms)
        lacking = [ts for ts in times if ts not in self._rows]
        made: dict[int, Cells] = {}
        if lacking:
            # One stretch: what is lacking is nearly always the newest.
            rows = self._make(lacking[0], lacking[-1])
            made = dict(zip(range(lacking[0], lacking[-1] + 1, self._length_ms), rows, strict=True))
        found = [self._rows.get(ts) or made[ts] for ts in times]
        self._keep(times, found)
        return found

    def _keep(self, times: Sequence[int], rows: Sequence[Cells]) -> None:
        for ts, row in zip(times, rows, strict=True):
            self._rows[ts] = row
            self._rows.move_to_end(ts)
        while len(self._rows) > self._most:
            self._rows.popitem(last=False)
