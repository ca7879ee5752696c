"""A synthetic order book: the last price and its two sides.

The best bid is the last price, the best ask lies a spread above it. Each side has a level on
every tick. Level k (from 0) holds so much of the best level's worth, and so many percent of
it more with every level, at its price, rounded down to the lot; both sides hold the same
value, so an order can be related to the depth in USDT.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from itertools import count, islice
from typing import NamedTuple

from oxbot.domain.errors import InputError
from oxbot.simulator.instruments import Instrument

LEVEL_USDT = Decimal(20_000)
"""What the best level of each side is worth unless told otherwise."""

LARGEST_LEVEL, LARGEST_GROWTH, WIDEST_SPREAD = Decimal(10**9), Decimal(1000), 10_000


@dataclass(frozen=True, slots=True)
class BookShape:
    """How books look.

    Attributes:
        level_usdt: Worth of the best level of each side, in USDT; above zero.
        growth_percent: How much each level is worth more than the one before, in percent of
            the best level; zero or more.
        spread_ticks: From the best bid to the best ask; one is what the five coins show.

    Raises:
        InputError: A figure that cannot be.
    """

    level_usdt: Decimal = LEVEL_USDT
    growth_percent: Decimal = Decimal(1)
    spread_ticks: int = 1

    def __post_init__(self) -> None:
        if not (self.level_usdt.is_finite() and 0 < self.level_usdt <= LARGEST_LEVEL):
            raise InputError(f"A book's best level is worth up to {LARGEST_LEVEL} USDT, above 0.")
        if not (self.growth_percent.is_finite() and 0 <= self.growth_percent <= LARGEST_GROWTH):
            raise InputError(f"A book grows by 0 to {LARGEST_GROWTH} percent a level.")
        if not 1 <= self.spread_ticks <= WIDEST_SPREAD:
            raise InputError(f"A book's spread is 1 to {WIDEST_SPREAD} ticks.")

    def worth(self, k: int) -> Decimal:
        """What level k (from 0) is worth, in USDT."""
        return self.level_usdt * (100 + k * self.growth_percent) / 100


USUAL_SHAPE = BookShape()


class Level(NamedTuple):
    """One level: price in USDT, size in coins, of a swap in contracts."""

    price: Decimal
    size: Decimal


class Book(NamedTuple):
    """Both sides, best level first."""

    bids: list[Level]
    asks: list[Level]


def book_around(
    listed: Instrument, last_ticks: int, depth: int, shape: BookShape = USUAL_SHAPE
) -> Book:
    """The book at a price.

    Args:
        listed: Whose book.
        last_ticks: The last price in ticks.
        depth: Levels on each side; the bids end at the lowest price above zero.
        shape: Its spread and how much its levels hold.
    """
    bids = list(islice(bids_below(listed, last_ticks, shape), depth))
    asks = list(islice(asks_above(listed, last_ticks, shape), depth))
    return Book(bids, asks)


def bids_below(listed: Instrument, last_ticks: int, shape: BookShape) -> Iterator[Level]:
    """The bids at a price, best first, down to the lowest price above zero."""
    return (_level(listed, last_ticks - k, shape.worth(k)) for k in range(last_ticks))


def asks_above(listed: Instrument, last_ticks: int, shape: BookShape) -> Iterator[Level]:
    """The asks at a price, best first, without an end."""
    best_ask = last_ticks + shape.spread_ticks
    return (_level(listed, best_ask + k, shape.worth(k)) for k in count())


def _level(listed: Instrument, ticks: int, usdt: Decimal) -> Level:
    price = listed.price(ticks)
    size = usdt / price / (listed.contract or 1)
    return Level(price, size.quantize(listed.lot, rounding=ROUND_DOWN))
