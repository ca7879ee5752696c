"""The instruments that the venue lists: OKX's spot pairs with their price and size steps."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """One spot pair against USDT.

    Attributes:
        coin: The base currency, as OKX writes it (BTC).
        tick: Smallest step of the price, in USDT.
        lot: Smallest step of a size, in coins.
        minimum: Smallest size of an order, in coins.
    """

    coin: str
    tick: Decimal
    lot: Decimal
    minimum: Decimal

    @property
    def id(self) -> str:
        """OKX's instId (BTC-USDT)."""
        return f"{self.coin}-USDT"

    def price(self, ticks: int) -> Decimal:
        """The price of so many ticks, in USDT."""
        return ticks * self.tick

    def size(self, lots: int) -> Decimal:
        """The size of so many lots, in coins."""
        return lots * self.lot


def _listed(coin: str, tick: str, lot: str, minimum: str) -> Instrument:
    return Instrument(coin, Decimal(tick), Decimal(lot), Decimal(minimum))


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
"""Every pair that can be listed, by instId; ticks and minimums as on OKX."""


def plain(number: Decimal) -> str:
    """The number as OKX writes it: no exponent, no trailing zeros ("24344", "0.5")."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
