"""The closed candles read last, so that only those since are asked for.

A series is prolonged by an answer that repeats its end to the last digit. Whatever does not
(another market at the same address, a revised candle, a gap) is refused, and all is asked for
again; so it is where the venue's time was set back.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from oxbot.domain.market import Bar, Candle

REPEATED: Final = 5
"""Candles at the end of a series that an answer must repeat."""

MOST_TIMES: Final = 48
"""A series is read as a whole after it was prolonged so often: four hours of five-minute candles.
A candle that was revised before those repeated does not stay for longer."""

MOST_SERIES: Final = 90
"""Series kept in the process: three for each of 30 symbols, about 22 MB."""


@dataclass(frozen=True, slots=True)
class _Series:
    """Candles without a gap, oldest first, and how often they were prolonged."""

    candles: tuple[Candle, ...]
    times: int = 0


class KeptCandles:
    """The last candles of each symbol and length; one a connection, since venues differ."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, Bar], _Series] = OrderedDict()

    def lacking(self, symbol: str, bar: Bar, newest_ms: int, count: int) -> int:
        """Tell how many candles to ask for; `count` where the kept ones do not help.

        Args:
            symbol: Of which symbol.
            bar: Of which length.
            newest_ms: Open time of the newest that is wanted.
            count: How many are wanted.
        """
        known = self._kept.get((symbol, bar))
        if known is None or known.times >= MOST_TIMES or len(known.candles) < count:
            return count
        new = (newest_ms - known.candles[-1].open_ms) // bar.length_ms
        return count if new < 1 else min(count, new + REPEATED)

    def prolonged(self, symbol: str, bar: Bar, answer: Sequence[Candle]) -> list[Candle] | None:
        """Give the kept candles with those of an answer after them; None where they do not join.

        Args:
            symbol: Of which symbol.
            bar: Of which length.
            answer: Without a gap, oldest first.
        """
        known = self._kept.pop((symbol, bar), None)
        if known is None or not _joins(known.candles, answer):
            return None
        longer = (*known.candles, *answer[REPEATED:])[-len(known.candles) :]
        self._put(symbol, bar, _Series(longer, known.times + 1))
        return list(longer)

    def keep(self, symbol: str, bar: Bar, candles: Sequence[Candle]) -> None:
        """Keep candles that were read as a whole; those asked for longest ago make room."""
        self._put(symbol, bar, _Series(tuple(candles)))

    def _put(self, symbol: str, bar: Bar, series: _Series) -> None:
        self._kept[symbol, bar] = series
        self._kept.move_to_end((symbol, bar))
        if len(self._kept) > MOST_SERIES:
            self._kept.popitem(last=False)


def _joins(known: Sequence[Candle], answer: Sequence[Candle]) -> bool:
    """Whether an answer begins with the end of what is known, and goes on."""
    return len(answer) > REPEATED and tuple(answer[:REPEATED]) == tuple(known[-REPEATED:])
