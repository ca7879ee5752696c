"""Exits that prices set off, and the watch behind them."""

from oxbot.domain.orders import Order, Purpose
from oxbot.domain.portfolio import Position
from oxbot.domain.values import Value


class Protection(Value):
    """An exit that a price led to, once it is settled: what set it off, and when.

    `crossed_ms` in venue time. `seen_ms`, when the watch had the price, and `settled_ms` are
    wall time; `seen_ms` is None where no watch saw the price as it came.
    """

    bot_id: str
    symbol: str
    opened_ms: int
    version: int
    purpose: Purpose
    crossed_ms: int
    seen_ms: int | None
    settled_ms: int
    order_id: str


class ExitView(Value):
    """What closing a coin of a bot rests on, as of one moment.

    `orders` are those under way for the coin, and the one that was asked for by its id.
    """

    venue: str
    position: Position | None = None
    orders: tuple[Order, ...] = ()


class ExitIntent(Value):
    """The order that a coin's exit has to finish.

    `claimed`: this very call wrote it down, as sent; whoever called may send it, and nobody else.
    """

    order: Order
    claimed: bool


class ProtectionTimes(Value):
    """How long protecting took, from the price at the watch to the settled exit (wall ms).

    `within` counts those that took at most so many ms, by that limit; `total_ms` sums them all.
    """

    count: int
    total_ms: int
    within: dict[int, int]


class WatchBeat(Value):
    """When a venue's watch was last at work (wall ms), and whether the venue stood still then."""

    beat_ms: int
    stepped: bool
