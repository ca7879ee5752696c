"""The order book of one symbol as it stood at a moment."""

from typing import NamedTuple

from oxbot.domain.market import Symbol
from oxbot.domain.money import PositivePrice, PositiveQuantity
from oxbot.domain.values import Value


class Level(NamedTuple):
    """What rests at one price: USDT a coin, and coins."""

    price: PositivePrice
    quantity: PositiveQuantity


class Book(Value):
    """Both sides of a book, each from the best price on; an empty side has no levels.

    `exchange_ms` is when the exchange made it and `received_ms` when it arrived, in venue ms.
    """

    symbol: Symbol
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    exchange_ms: int
    received_ms: int

    @property
    def is_crossed(self) -> bool:
        """Whether a buyer bids what a seller asks, or more: no such book can be traded on."""
        return bool(self.bids and self.asks) and self.bids[0].price >= self.asks[0].price

    def age_ms(self, now_ms: int) -> int:
        """Give the age in ms of venue time at `now_ms`; never negative."""
        return max(0, now_ms - self.exchange_ms)
