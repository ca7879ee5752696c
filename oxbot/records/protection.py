"""Exits that prices set off, and the watch behind them."""

from decimal import Decimal

from pydantic import Field

from oxbot.domain.bot import Mode
from oxbot.domain.market import QUOTE_CURRENCY
from oxbot.domain.money import Notional, Quantity
from oxbot.domain.orders import Order, Purpose
from oxbot.domain.portfolio import Position
from oxbot.domain.resting import RestingStop, StopState
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
    `rests`: a stop of the coin may rest at the exchange.
    """

    venue: str
    rests: bool = False
    position: Position | None = None
    orders: tuple[Order, ...] = ()


class ExitIntent(Value):
    """The order that a coin's exit has to finish.

    `claimed`: this very call wrote it down, as sent; whoever called may send it, and nobody else.
    """

    order: Order
    claimed: bool


class StopView(Value):
    """What the resting stop of a bot's coin rests on, as of one moment.

    `stops` are those of the position, and any of the coin that is not over, oldest first.
    `entry` is what opened the coin's last position; `leaving`: an exit is under way.
    """

    mode: Mode
    position: Position | None = None
    stops: tuple[RestingStop, ...] = ()
    entry: Order | None = None
    leaving: bool = False

    @property
    def alive(self) -> RestingStop | None:
        """The one that may rest at the exchange."""
        known = (stop for stop in self.stops if stop.state is not StopState.ENDED)
        return next(known, None)


class Claims(Value):
    """What all live bots of a venue say is theirs in the account that they share.

    `cash` in USDT, `coins` by currency, dust included; `sent` are the pairs of which an order is
    at the exchange; `fills` is the number of the last one booked. Two that are equal saw the
    same.
    """

    cash: Notional = Notional(0)
    coins: dict[str, Quantity] = Field(default_factory=dict)
    sent: tuple[str, ...] = ()
    fills: int = 0

    def by_currency(self) -> dict[str, Decimal]:
        """Give what is claimed of each currency."""
        coins = {coin: quantity.number for coin, quantity in self.coins.items()}
        return {QUOTE_CURRENCY: self.cash.number, **coins}


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
