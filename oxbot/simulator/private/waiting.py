"""What waits for a price: resting limits, stops and targets, and the ms in which it comes.

Everything waits for the last price, in whole ticks. A resting buy is met when the best ask,
which lies a spread above the last price, has fallen to its limit, a sell when the best bid,
which is the last price, has risen to it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from oxbot.simulator.crossing import Crossing
from oxbot.simulator.levels import FALLING, RISING, Levels, ceil_ticks, floor_ticks
from oxbot.simulator.private.books import ZERO, Algo, Books, Order
from oxbot.simulator.private.terms import (
    Exit,
    Side,
)
from oxbot.simulator.ways import Ways

Which = Literal["sl", "tp"]


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that waits for the last price.

    Attributes:
        books: Whose.
        what: The order, or the algo order.
        which: Which trigger of an algo order.
        way: FALLING or RISING.
        level: The last price at which it is met, in ticks.
    """

    books: Books
    what: Order | Algo
    which: Which
    way: int
    level: int

    @property
    def symbol(self) -> str:
        """The instId of its pair."""
        return self.what.listed.id

    @property
    def seq(self) -> int:
        """Its place among all: older ones come first."""
        return self.what.taken.seq if isinstance(self.what, Order) else self.what.armed.seq

    def met(self, price: int) -> bool:
        """Whether it is met at a last price, in ticks."""
        return price <= self.level if self.way == FALLING else price >= self.level


def waits_of(accounts: Iterable[Books], spread: int) -> list[Wait]:
    """All that waits, oldest first; of one algo order its stop comes before its target.

    Args:
        accounts: Whose.
        spread: From the best bid to the best ask, in ticks.
    """
    waits = [
        wait
        for books in accounts
        for wait in (
            *(_resting(books, order, spread) for order in books.live_orders),
            *(wait for algo in books.live_algos for wait in _triggers(books, algo)),
        )
    ]
    return sorted(waits, key=lambda wait: wait.seq)


def next_ms(ways: Ways, waits: Sequence[Wait], now_ms: int, until_ms: int) -> int | None:
    """The first ms after now, up to and including another, in which something is met."""
    first = None
    for symbol, kinds in _together(waits).items():
        found = Crossing(ways, symbol, kinds).first(now_ms, until_ms)
        if found is not None:
            first, until_ms = found, found
    return first


def _together(waits: Sequence[Wait]) -> dict[str, list[Levels]]:
    ticks: dict[tuple[str, int], list[int]] = defaultdict(list)
    for wait in waits:
        ticks[wait.symbol, wait.way].append(wait.level)
    kinds: dict[str, list[Levels]] = defaultdict(list)
    for (symbol, way), levels in ticks.items():
        kinds[symbol].append(Levels(levels, way))
    return kinds


def _resting(books: Books, order: Order, spread: int) -> Wait:
    """A limit that rests.

    What is left of one that took all levels up to its limit waits for another tick: there is
    no more at the price at which it stands.
    """
    tick, limit = order.listed.tick, order.taken.px or ZERO
    last = floor_ticks(order.taken.last, tick)
    if order.taken.side is Side.BUY:
        return Wait(books, order, "tp", FALLING, min(floor_ticks(limit, tick) - spread, last - 1))
    return Wait(books, order, "tp", RISING, max(ceil_ticks(limit, tick), last + 1))


def _triggers(books: Books, algo: Algo) -> Iterator[Wait]:
    """The stop and the target of an algo order."""
    tick, sells = algo.listed.tick, algo.armed.side is Side.SELL
    stop, target = algo.protection.stop, algo.protection.target
    ways: tuple[tuple[Which, Exit | None, bool], ...] = (
        ("sl", stop, sells),
        ("tp", target, not sells),
    )
    for which, way_out, falls in ways:
        if way_out is not None and falls:
            yield Wait(books, algo, which, FALLING, floor_ticks(way_out.trigger, tick))
        elif way_out is not None:
            yield Wait(books, algo, which, RISING, ceil_ticks(way_out.trigger, tick))
