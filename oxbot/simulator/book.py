"""A synthetic order book: the last price and its two sides.

The best bid is the last price, the best ask one tick above it: a spread of one tick, which
is what the five coins normally show. Each side has a level on every tick. Level k (from 0)
holds LEVEL_USDT * (1 + k / 100) worth of coins at its price, rounded down to the lot, so
that both sides hold the same value and an order can be related to the depth in USDT.
"""

from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from oxbot.simulator.instruments import Instrument

LEVEL_USDT = Decimal(20_000)
"""What the best level of each side is worth."""


class Level(NamedTuple):
    """One level: price in USDT, size in coins."""

    price: Decimal
    size: Decimal


class Book(NamedTuple):
    """Both sides, best level first."""

    bids: list[Level]
    asks: list[Level]


def book_around(listed: Instrument, last_ticks: int, depth: int) -> Book:
    """The book at a price.

    Args:
        listed: Whose book.
        last_ticks: The last price in ticks.
        depth: Levels on each side; the bids end at the lowest price above zero.
    """
    bids = [_level(listed, last_ticks - k, k) for k in range(min(depth, last_ticks))]
    asks = [_level(listed, last_ticks + 1 + k, k) for k in range(depth)]
    return Book(bids, asks)


def _level(listed: Instrument, ticks: int, k: int) -> Level:
    price = listed.price(ticks)
    coins = LEVEL_USDT * (100 + k) / 100 / price
    return Level(price, coins.quantize(listed.lot, rounding=ROUND_DOWN))
