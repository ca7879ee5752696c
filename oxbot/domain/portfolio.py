"""Positions at average cost, and what a fill makes of them."""

from pydantic import Field

from oxbot.domain.errors import LedgerBroken
from oxbot.domain.ledger import Entry, buy_entries, dust_entries, sell_entries
from oxbot.domain.market import (
    QUOTE_CURRENCY,
    Instrument,
    Positive,
    Quote,
    Symbol,
    base_of,
)
from oxbot.domain.money import (
    NonNegativeNotional,
    NonNegativeQuantity,
    Notional,
    PositivePrice,
    PositiveQuantity,
    Price,
    Quantity,
    share,
    to_scale,
)
from oxbot.domain.orders import Fill, Order, Purpose, Side
from oxbot.domain.values import Value


class Position(Value):
    """A holding of one coin: quantity in coins after fees, everything else in USDT.

    `cost` is what the quantity cost without fees; `paid` and `received` are the cash that the
    round trip moved so far, fees included; `entry_quantity` and `entry_notional` are of the
    entry's fills, whose average carries stop and target. `version` grows with every fill.
    `trail` is a fraction of `best`, the highest bid since the position was opened.
    """

    symbol: Symbol
    quantity: NonNegativeQuantity
    cost: NonNegativeNotional
    entry_quantity: NonNegativeQuantity
    entry_notional: NonNegativeNotional
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
    def stop_price(self) -> Price:
        """Where the stop lies: below the average fill by the stop's fraction."""
        return to_scale(self.average_price * (1 - self.stop))

    @property
    def target_price(self) -> Price:
        """Where the target lies: above the average fill by the target's fraction."""
        return to_scale(self.average_price * (1 + self.target))

    @property
    def trail_price(self) -> Price | None:
        """Where the trailing stop lies: below the best bid by the trail's fraction."""
        if self.trail is None or self.best is None:
            return None
        return to_scale(self.best * (1 - self.trail))


class Trade(Value):
    """One round trip. Prices, fees and net PnL in USDT, times in venue ms.

    Net PnL is cash received less cash paid, fees included; dust left behind counts at cost.
    """

    symbol: Symbol
    quantity: PositiveQuantity
    entry_price: PositivePrice
    exit_price: PositivePrice
    fees: NonNegativeNotional
    net_pnl: Notional
    opened_ms: int
    closed_ms: int
    exit: Purpose


class Settlement(Value):
    """What one fill changes: cash, the position, dust, the ledger, and a trade when it closes."""

    fill: Fill
    cash: Notional
    position: Position | None
    dust: NonNegativeQuantity
    entries: tuple[Entry, ...]
    trade: Trade | None = None


class Portfolio(Value):
    """What a bot owns: cash and reserved cash in USDT, positions, dust in coins by symbol."""

    cash: Notional
    reserved: NonNegativeNotional = Notional(0)
    positions: dict[Symbol, Position] = Field(default_factory=dict)
    dust: dict[Symbol, NonNegativeQuantity] = Field(default_factory=dict)

    def exposure(self, quotes: dict[str, Quote]) -> Notional:
        """Value of all positions at bid, plus what pending entries have reserved."""
        held = (to_scale(p.quantity * self._mark(p, quotes)) for p in self.positions.values())
        return sum(held, self.reserved)

    def equity(self, quotes: dict[str, Quote]) -> Notional:
        """Cash plus quantity times bid, dust included.

        Without a quote a position counts at its average price and dust at nothing; `unpriced`
        names them, and whoever shows the figure says so.
        """
        held = (to_scale(p.quantity * self._mark(p, quotes)) for p in self.positions.values())
        dust = (to_scale(q * quotes[s].bid) for s, q in self.dust.items() if s in quotes)
        return sum(held, self.cash) + sum(dust, Notional(0))

    def unpriced(self, quotes: dict[str, Quote]) -> tuple[str, ...]:
        """Name what is held and has no quote, dust included."""
        return tuple(sorted((self.positions.keys() | self.dust.keys()) - quotes.keys()))

    @staticmethod
    def _mark(position: Position, quotes: dict[str, Quote]) -> Price:
        quote = quotes.get(position.symbol)
        return quote.bid if quote else position.average_price


def settle(
    position: Position | None, cash: Notional, order: Order, fill: Fill, instrument: Instrument
) -> Settlement:
    """Apply one fill to cash and position.

    Args:
        position: The position before, if any.
        cash: USDT before.
        order: The order that was filled.
        fill: The execution.
        instrument: Decides when a remainder is dust: below its minimum.

    Raises:
        LedgerBroken: A sell of more than is held, or a fee in a third currency.
    """
    _must_know_fee(fill)
    if fill.side is Side.BUY:
        return _bought(position, cash, order, fill)
    return _sold(_enough(position, fill), cash, order, fill, instrument)


def _must_know_fee(fill: Fill) -> None:
    """Refuse a fee that the ledger could not value: a sell's is USDT, a buy's also the coin."""
    known = (QUOTE_CURRENCY, base_of(fill.symbol))[: 2 if fill.side is Side.BUY else 1]
    if fill.fee_currency not in known:
        raise LedgerBroken(
            f"Fill {fill.trade_id} of {fill.symbol} carries its fee in {fill.fee_currency}, "
            f"which cannot be booked for a {fill.side}."
        )


def _enough(position: Position | None, fill: Fill) -> Position:
    if position is None or fill.quantity > position.quantity:
        held = position.quantity if position else 0
        raise LedgerBroken(
            f"Fill {fill.trade_id} sells {fill.quantity} {fill.symbol}, but only {held} are held."
        )
    return position


def _bought(position: Position | None, cash: Notional, order: Order, fill: Fill) -> Settlement:
    spent = fill.notional + fill.fee_in_cash
    held = position or _nothing(order, fill)
    bought = held.model_copy(
        update={
            "quantity": held.quantity + fill.quantity - fill.fee_in_coin,
            "cost": held.cost + spent - fill.fee_value,
            "entry_quantity": held.entry_quantity + fill.quantity,
            "entry_notional": held.entry_notional + fill.notional,
            "paid": held.paid + spent,
            "fees": held.fees + fill.fee_value,
            "version": held.version + 1,
        }
    )
    return Settlement(
        fill=fill,
        cash=cash - spent,
        position=_trailed(bought),
        dust=Quantity(0),
        entries=buy_entries(fill),
    )


def _trailed(position: Position) -> Position:
    """Let the best price begin at the entry's average; it never falls."""
    if position.trail is None:
        return position
    best = max(position.best or position.average_price, position.average_price)
    return position.model_copy(update={"best": best})


def _nothing(order: Order, fill: Fill) -> Position:
    if order.stop is None or order.target is None:
        raise LedgerBroken(f"Entry {order.id} carries no stop or target; no position without one.")
    nothing, no_coins = Notional(0), Quantity(0)
    return Position(
        symbol=fill.symbol,
        quantity=no_coins,
        cost=nothing,
        entry_quantity=no_coins,
        entry_notional=nothing,
        paid=nothing,
        received=nothing,
        fees=nothing,
        opened_ms=fill.at_ms,
        stop=order.stop,
        target=order.target,
        trail=order.trail,
        version=0,
    )


def _sold(
    position: Position, cash: Notional, order: Order, fill: Fill, instrument: Instrument
) -> Settlement:
    got = fill.notional - fill.fee_in_cash
    rest = position.quantity - fill.quantity
    dust = Quantity(0) if instrument.is_tradable(rest) else rest
    closes = rest == dust
    dust_cost = share(position.cost, dust, position.quantity)
    kept_cost = Notional(0) if closes else share(position.cost, rest, position.quantity)
    sold_cost = position.cost - dust_cost - kept_cost
    after = position.model_copy(
        update={
            "quantity": rest,
            "cost": kept_cost,
            "received": position.received + got,
            "fees": position.fees + fill.fee_value,
            "version": position.version + 1,
        }
    )
    return Settlement(
        fill=fill,
        cash=cash + got,
        position=None if closes else after,
        dust=dust,
        entries=sell_entries(fill, cost=sold_cost)
        + dust_entries(fill.symbol, quantity=dust, cost=dust_cost),
        trade=_round_trip(after, order, fill, dust_cost) if closes else None,
    )


def _round_trip(position: Position, order: Order, fill: Fill, dust_cost: Notional) -> Trade:
    return Trade(
        symbol=position.symbol,
        quantity=position.entry_quantity,
        entry_price=position.average_price,
        exit_price=fill.price,
        fees=position.fees,
        net_pnl=position.received + dust_cost - position.paid,
        opened_ms=position.opened_ms,
        closed_ms=fill.at_ms,
        exit=order.purpose,
    )
