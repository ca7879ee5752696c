"""What a bot owns and owes: positions of either direction at average cost, cash, and dust."""

from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from oxbot.domain.market import QUOTE_CURRENCY, Positive, Quote, Symbol, base_of
from oxbot.domain.money import (
    EXACT,
    NonNegativeNotional,
    NonNegativeQuantity,
    Notional,
    PositivePrice,
    PositiveQuantity,
    Price,
    Quantity,
    to_scale,
)
from oxbot.domain.orders import Purpose, Side
from oxbot.domain.values import Value


class Direction(StrEnum):
    """Which way a position gains: with a rising price, or with a falling one."""

    LONG = "long"
    SHORT = "short"

    @classmethod
    def of(cls, quantity: Quantity) -> "Direction":
        """Give the direction of what is held (positive) or owed (negative)."""
        return cls.SHORT if quantity < 0 else cls.LONG

    @property
    def sign(self) -> int:
        """1 where a rising price gains, -1 where it loses."""
        return 1 if self is Direction.LONG else -1

    def gain(self, before: Price, after: Price) -> Price:
        """Give how much better one price is than another, in USDT a coin; negative: worse."""
        return self.sign * (after - before)

    @property
    def entry_side(self) -> Side:
        """The side that opens such a position, and adds to it."""
        return Side.BUY if self is Direction.LONG else Side.SELL

    @property
    def exit_side(self) -> Side:
        """The side that closes it."""
        return Side.SELL if self is Direction.LONG else Side.BUY


def trail_price(best: Price, trail: Decimal, direction: Direction = Direction.LONG) -> Price:
    """Give where a trailing stop lies (USDT): worse than the best price by its fraction."""
    return to_scale(best * (1 - direction.sign * trail))


class Position(Value):
    """What is held or owed of one coin: positive when long, negative when short.

    `quantity` is after fees taken in the coin, and `cost`, which has its sign, what it was
    bought or sold for without fees. `paid` and `received` are the cash that the round trip
    moved so far, fees included; `entry_quantity` and `entry_notional` are of the entry's fills,
    whose average carries stop and target, `exit_quantity` and `exit_notional` of the exits'.
    `version` grows with every fill and loss. `trail` is a fraction of `best`, the best price at
    which it could have been closed since it was opened.
    """

    symbol: Symbol
    quantity: Quantity
    cost: Notional
    entry_quantity: NonNegativeQuantity
    entry_notional: NonNegativeNotional
    exit_quantity: NonNegativeQuantity = Quantity(0)
    exit_notional: NonNegativeNotional = Notional(0)
    paid: NonNegativeNotional
    received: NonNegativeNotional
    fees: NonNegativeNotional
    opened_ms: int
    stop: Positive
    target: Positive
    trail: Positive | None = None
    best: PositivePrice | None = None
    version: int

    @property
    def average_price(self) -> Price:
        """Average fill of the entry."""
        return to_scale(self.entry_notional / self.entry_quantity)

    @property
    def average_exit(self) -> Price:
        """Average fill of the exits; the entry's, where it left nothing that was exited."""
        if not self.exit_quantity:
            return self.average_price
        return to_scale(self.exit_notional / self.exit_quantity)

    @property
    def direction(self) -> Direction:
        """Long or short."""
        return Direction.of(self.quantity)

    @property
    def exit_side(self) -> Side:
        """The side of the orders that close it."""
        return self.direction.exit_side

    @property
    def stop_price(self) -> Price:
        """Where the stop lies: on the losing side of the average fill, by the stop's fraction."""
        return to_scale(self.average_price * (1 - self.direction.sign * self.stop))

    @property
    def target_price(self) -> Price:
        """Where the target lies: on the gaining side, by the target's fraction.

        A short whose target is a fall by all of the price has none that can be reached.
        """
        return to_scale(self.average_price * (1 + self.direction.sign * self.target))

    def is_stopped_at(self, price: Price) -> bool:
        """Whether the price at which the position could be closed is at its stop, or worse."""
        return self.direction.gain(self.stop_price, price) <= 0

    def is_on_target_at(self, price: Price) -> bool:
        """Whether the price at which the position could be closed is at its target, or better."""
        return self.direction.gain(self.target_price, price) >= 0

    @property
    def trail_price(self) -> Price | None:
        """Where the trailing stop lies: on the losing side of the best price, by its fraction."""
        if self.trail is None or self.best is None:
            return None
        return trail_price(self.best, self.trail, self.direction)

    def is_trailed_at(self, price: Price) -> bool:
        """Whether the price at which the position could be closed is at its trailing stop."""
        trail = self.trail_price
        return trail is not None and self.direction.gain(trail, price) <= 0


class Trade(Value):
    """One round trip. Prices, fees and net PnL in USDT, times in venue ms.

    Net PnL is cash received less cash paid, fees included; dust left behind counts at its cost,
    and what was lost on the way is part of it, at cost. `exit` is `write_off` where what was left
    of it was lost.
    """

    symbol: Symbol
    direction: Direction
    quantity: PositiveQuantity
    entry_price: PositivePrice
    exit_price: PositivePrice
    fees: NonNegativeNotional
    net_pnl: Notional
    opened_ms: int
    closed_ms: int
    exit: Purpose


def round_trip(
    before: Position, after: Position, end: tuple[Purpose, int], dust_cost: Notional
) -> Trade:
    """Sum a position up that has come to its end.

    Args:
        before: The position before that, of its own direction.
        after: The same with all that its end has brought; nothing may be left in it.
        end: What ended it, and when (venue ms).
        dust_cost: What that which was left as dust has cost, in USDT.
    """
    purpose, at_ms = end
    return Trade(
        symbol=after.symbol,
        direction=before.direction,
        quantity=after.entry_quantity,
        entry_price=after.average_price,
        exit_price=after.average_exit,
        fees=after.fees,
        net_pnl=after.received + dust_cost - after.paid,
        opened_ms=after.opened_ms,
        closed_ms=at_ms,
        exit=purpose,
    )


class Portfolio(Value):
    """What a bot owns and owes: cash, of it reserved, positions, dust in coins by symbol."""

    cash: Notional
    reserved: NonNegativeNotional = Notional(0)
    positions: dict[Symbol, Position] = Field(default_factory=dict)
    dust: dict[Symbol, Quantity] = Field(default_factory=dict)

    def owned(self) -> dict[str, Decimal]:
        """Give what it has of each currency: cash, and coins with dust."""
        coins = [(s, p.quantity) for s, p in self.positions.items()]
        owned = {QUOTE_CURRENCY: self.cash.number}
        for symbol, quantity in (*coins, *self.dust.items()):
            coin = base_of(symbol)
            owned[coin] = EXACT.add(owned.get(coin, Decimal(0)), quantity.number)
        return owned

    def exposure(self, quotes: dict[str, Quote]) -> Notional:
        """Worth of all positions, held or owed, plus what pending entries have reserved."""
        worth = (abs(_worth(p, quotes)) for p in self.positions.values())
        return sum(worth, self.reserved)

    def equity(self, quotes: dict[str, Quote]) -> Notional:
        """Cash plus what is held at bid, less what is owed at ask; dust included.

        Without a quote a position counts at its average price and dust at nothing; `unpriced`
        names them, and whoever shows the figure says so.
        """
        worth = (_worth(p, quotes) for p in self.positions.values())
        dust = (quotes[s].worth(q) for s, q in self.dust.items() if s in quotes)
        return sum(worth, self.cash) + sum(dust, Notional(0))

    def unpriced(self, quotes: dict[str, Quote]) -> tuple[str, ...]:
        """Name what is held and has no quote, dust included."""
        return tuple(sorted((self.positions.keys() | self.dust.keys()) - quotes.keys()))


def _worth(position: Position, quotes: dict[str, Quote]) -> Notional:
    quote = quotes.get(position.symbol)
    if quote is None:
        return to_scale(position.quantity * position.average_price)
    return quote.worth(position.quantity)
