"""Candles in whole ticks and lots, and what a source of them has to offer."""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from oxbot.simulator.instruments import INSTRUMENTS

Rows = NDArray[np.int64]
"""Shape (candles, 5): open, high, low, close in ticks, volume in lots."""

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)


class Candle(NamedTuple):
    """One candle for people: open time in ms UTC, prices in USDT, volume in coins."""

    ts: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class Bars:
    """Candles of one instrument without a gap.

    Attributes:
        first_ms: Open time of the first candle, ms UTC.
        step_ms: From one candle to the next, in ms.
        rows: The candles, oldest first.
    """

    first_ms: int
    step_ms: int
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def ts(self, index: int) -> int:
        """Open time of the candle at an index, ms UTC."""
        return self.first_ms + index * self.step_ms

    def candles(self, symbol: str) -> list[Candle]:
        """The same as prices in USDT and volumes in coins.

        Args:
            symbol: The instId whose ticks and lots the rows count in.
        """
        listed = INSTRUMENTS[symbol]
        return [
            Candle(
                self.ts(index),
                listed.price(row[OPEN]),
                listed.price(row[HIGH]),
                listed.price(row[LOW]),
                listed.price(row[CLOSE]),
                listed.size(row[VOLUME]),
            )
            for index, row in enumerate(self.rows.tolist())
        ]


class CandleSource(Protocol):
    """Where finished candles come from; all times in ms UTC."""

    @property
    def name(self) -> str:
        """Which market this is, for people and for the state file (which adds the seed)."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The instIds of the market."""

    @property
    def step_ms(self) -> int:
        """Length of a base candle."""

    @property
    def first_ms(self) -> int:
        """Open time of the first candle, the same for every symbol."""

    @property
    def end_ms(self) -> int:
        """When the last candle ends."""

    @property
    def default_start_ms(self) -> int:
        """Where the venue's clock starts unless somebody says otherwise."""

    def bars(self, symbol: str, from_ms: int, to_ms: int) -> Bars:
        """The candles that open in [from_ms, to_ms), cut to what the source has."""
