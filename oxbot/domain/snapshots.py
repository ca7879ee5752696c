"""Snapshots: the market parts that every bot with the same symbols sees of one candle."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from oxbot.domain.market import Bar, MarketPart, PartKey, Perpetual, Symbol
from oxbot.domain.values import Value


class Features(Value):
    """The parts of one symbol: five minutes, one hour, four hours."""

    m5: MarketPart
    h1: MarketPart
    h4: MarketPart

    @property
    def perpetual(self) -> Perpetual | None:
        """The coin's perpetual; None where none is listed."""
        return self.m5.perpetual


class Snapshot(Value):
    """The candle part of what every bot sees, made once per closed candle.

    `candle_ms` is when the newest closed five-minute candle ended, in venue time.
    """

    id: str
    venue: str
    candle_ms: int
    features: dict[Symbol, Features]

    @classmethod
    def of_parts(
        cls, snapshot_id: str, keys: Sequence[PartKey], parts: Mapping[PartKey, MarketPart]
    ) -> Self:
        """Join the parts that `part_keys` names; KeyError where one is missing."""
        of_symbol: dict[str, dict[Bar, MarketPart]] = {}
        for key in keys:
            of_symbol.setdefault(key.symbol, {})[key.bar] = parts[key]
        return cls(
            id=snapshot_id,
            venue=keys[0].venue,
            candle_ms=keys[0].candle_ms,
            features={
                symbol: Features(m5=bars[Bar.M5], h1=bars[Bar.H1], h4=bars[Bar.H4])
                for symbol, bars in of_symbol.items()
            },
        )


def part_keys(venue: str, candle_ms: int, symbols: Iterable[str]) -> list[PartKey]:
    """Name the parts of a snapshot: of each symbol, the newest closed candle of each length."""
    return [
        PartKey(venue, symbol, bar, bar.closed_by(candle_ms))
        for symbol in sorted(symbols)
        for bar in Bar
    ]
