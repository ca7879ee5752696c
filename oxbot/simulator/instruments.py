"""The instruments that the venue lists, with OKX's price and size steps."""

from dataclasses import dataclass
from decimal import Decimal

SPOT, SWAP = "SPOT", "SWAP"
"""OKX's names of the two kinds that are listed."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A spot pair against USDT, or a perpetual swap that is settled in USDT.

    Attributes:
        coin: The base currency, as OKX writes it (BTC).
        tick: Smallest step of the price, in USDT.
        lot: Smallest step of a size: in coins, of a swap in contracts.
        minimum: Smallest size of an order: in coins, of a swap in contracts.
        contract: Coins in one contract of a swap; None for a spot pair.
    """

    coin: str
    tick: Decimal
    lot: Decimal
    minimum: Decimal
    contract: Decimal | None = None

    @property
    def kind(self) -> str:
        """OKX's instType."""
        return SPOT if self.contract is None else SWAP

    @property
    def pair(self) -> str:
        """Base and quote currency: a spot pair's instId, a swap's underlying (BTC-USDT)."""
        return f"{self.coin}-USDT"

    @property
    def id(self) -> str:
        """OKX's instId (BTC-USDT, BTC-USDT-SWAP)."""
        return self.pair if self.contract is None else f"{self.pair}-SWAP"

    def price(self, ticks: int) -> Decimal:
        """The price of so many ticks, in USDT."""
        return ticks * self.tick

    def size(self, lots: int) -> Decimal:
        """The size of so many lots, in coins; of a swap in contracts."""
        return lots * self.lot

    def coins(self, lots: int) -> Decimal:
        """The coins in so many lots."""
        return self.size(lots) * (self.contract or 1)


def _listed(coin: str, tick: str, lot: str, minimum: str) -> Instrument:
    return Instrument(coin, Decimal(tick), Decimal(lot), Decimal(minimum))


def _swap(coin: str, contract: str, step: str) -> Instrument:
    """A swap has its spot pair's tick, and its lot is its minimum."""
    tick = INSTRUMENTS[f"{coin}-USDT"].tick
    return Instrument(coin, tick, Decimal(step), Decimal(step), Decimal(contract))


INSTRUMENTS: dict[str, Instrument] = {
    instrument.id: instrument
    for instrument in (
        _listed("BTC", "0.1", "0.00000001", "0.00001"),
        _listed("ETH", "0.01", "0.000001", "0.0001"),
        _listed("SOL", "0.01", "0.000001", "0.001"),
        _listed("BNB", "0.1", "0.000001", "0.001"),
        _listed("XRP", "0.0001", "0.000001", "1"),
    )
}
"""Every spot pair that can have candles, by instId; ticks and minimums as on OKX."""

SWAPS: dict[str, Instrument] = {
    instrument.id: instrument
    for instrument in (
        _swap("BTC", "0.01", "0.01"),
        _swap("ETH", "0.1", "0.01"),
        _swap("SOL", "1", "0.01"),
        _swap("BNB", "0.01", "1"),
        _swap("XRP", "100", "0.01"),
    )
}
"""The swaps of the same coins, by instId; contract values and minimums as on OKX."""

TRADED: dict[str, Instrument] = INSTRUMENTS | SWAPS
"""Everything that can have candles and a book, by instId."""


def plain(number: Decimal) -> str:
    """The number as OKX writes it: no exponent, no trailing zeros ("24344", "0.5")."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
