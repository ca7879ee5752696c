"""What an order takes from the other side of the book.

The book is synthetic and nobody changes it: each order finds it whole.
"""

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from itertools import islice, takewhile
from typing import Final

from oxbot.simulator.book import BookShape, Level, asks_above, bids_below
from oxbot.simulator.instruments import Instrument
from oxbot.simulator.private.terms import (
    Side,
    Target,
)

DEEPEST: Final = 400
"""Levels that one order may take: as many as a book shows."""


def book_side(
    listed: Instrument, last_ticks: int, shape: BookShape, side: Side, limit: Decimal | None
) -> Iterator[Level]:
    """The levels that an order may take, best first.

    Args:
        listed: Whose book.
        last_ticks: The last price, in ticks.
        shape: How books look.
        side: Which way the order goes.
        limit: Its limit, USDT; None for none.
    """
    against = asks_above if side is Side.BUY else bids_below
    levels = islice(against(listed, last_ticks, shape), DEEPEST)
    if limit is None:
        return levels
    sign = 1 if side is Side.BUY else -1
    return takewhile(lambda level: sign * level.price <= sign * limit, levels)


def taken(levels: Iterator[Level], sz: Decimal, target: Target, lot: Decimal) -> list[Level]:
    """What an order of a size takes of some levels: prices, and so many coins at each.

    Args:
        levels: What it may take, best first.
        sz: Its size, in coins or USDT.
        target: What the size counts.
        lot: The smallest step of coins; what is left below it is not spent.
    """
    takes: list[Level] = []
    left = sz
    for level in levels:
        unit = Decimal(1) if target is Target.BASE else level.price
        size = min(level.size, whole_lots(left / unit, lot))
        if size <= 0:
            break
        takes.append(Level(level.price, size))
        left -= size * unit
    return takes


def value_of(takes: list[Level]) -> Decimal:
    """What some takes cost, USDT."""
    return sum((take.price * take.size for take in takes), Decimal(0))


def size_of(takes: list[Level]) -> Decimal:
    """The coins in some takes."""
    return sum((take.size for take in takes), Decimal(0))


def whole_lots(size: Decimal, lot: Decimal) -> Decimal:
    """A size, rounded down to whole lots."""
    return size.quantize(lot, rounding=ROUND_DOWN)
