"""What one fill makes of cash, position, dust and ledger; the same for long and short.

A pure function: settling, and every audit of what was settled, is this.
"""

from oxbot.domain.errors import LedgerBroken
from oxbot.domain.ledger import Entry, dust_entries, fill_entries
from oxbot.domain.market import QUOTE_CURRENCY, Instrument, base_of
from oxbot.domain.money import Notional, Quantity, share
from oxbot.domain.orders import Fill, Order, Purpose, Side
from oxbot.domain.portfolio import Position, Trade, round_trip
from oxbot.domain.values import Value


class Settlement(Value):
    """What one fill changes: cash, the position, dust, the ledger, and a trade when it closes."""

    fill: Fill
    cash: Notional
    position: Position | None
    dust: Quantity
    entries: tuple[Entry, ...]
    trade: Trade | None = None


def settle(
    position: Position | None,
    cash: Notional,
    order: Order,
    fill: Fill,
    instrument: Instrument,
    *,
    last: bool = True,
) -> Settlement:
    """Apply one fill to cash and position.

    An entry opens a position or adds to it, an exit takes away from it; which of the two a fill
    is, its order says, not its side.

    Args:
        position: The position before, if any.
        cash: USDT before.
        order: The order that was filled.
        fill: The execution.
        instrument: Decides what is dust: less than its minimum, which no exit could close.
        last: Whether this is the last of the order's fills that are booked together. What an
            entry has then brought is a position, or dust.

    Raises:
        LedgerBroken: An exit of more than is there, an entry against the position, or a fee
            that cannot be booked.
    """
    _must_know_fee(fill)
    if not order.purpose.is_exit:
        entered = _entered(_with(position, order, fill), cash, fill)
        return _kept(entered, order, instrument) if last else entered
    return _left(_enough(position, fill), cash, order, fill, instrument)


def _must_know_fee(fill: Fill) -> None:
    """Refuse a fee that the ledger could not value: a sell's is USDT, a buy's also the coin."""
    known = (QUOTE_CURRENCY, base_of(fill.symbol))[: 2 if fill.side is Side.BUY else 1]
    if fill.fee_currency not in known:
        raise LedgerBroken(
            f"Fill {fill.trade_id} of {fill.symbol} carries its fee in {fill.fee_currency}, "
            f"which cannot be booked for a {fill.side}."
        )
    if fill.fee_in_coin >= fill.quantity:
        raise LedgerBroken(
            f"Fill {fill.trade_id} of {fill.quantity} {fill.symbol} carries a fee of as many coins."
        )


def _with(position: Position | None, order: Order, fill: Fill) -> Position:
    """Give the position that an entry adds to: its own side, or none yet."""
    if position is None:
        return _nothing(order, fill)
    if fill.side is not position.direction.entry_side:
        raise LedgerBroken(
            f"Fill {fill.trade_id} of an entry is a {fill.side}, but the position in "
            f"{fill.symbol} is {position.direction}."
        )
    return position


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


def _enough(position: Position | None, fill: Fill) -> Position:
    """Give the position that an exit takes from; none may be taken through zero."""
    held = position.quantity if position else Quantity(0)
    if position is None or fill.side is not position.exit_side or abs(fill.coins) > abs(held):
        raise LedgerBroken(
            f"Fill {fill.trade_id} {fill.side}s {fill.quantity} {fill.symbol} to close, but only "
            f"{held} are held."
        )
    return position


def _entered(held: Position, cash: Notional, fill: Fill) -> Settlement:
    added = _traded(held, fill).model_copy(
        update={
            "cost": held.cost + fill.value,
            "entry_quantity": held.entry_quantity + fill.quantity,
            "entry_notional": held.entry_notional + fill.notional,
        }
    )
    return Settlement(
        fill=fill,
        cash=cash + fill.cash,
        position=_trailed(added),
        dust=Quantity(0),
        entries=fill_entries(fill, cost=fill.value),
    )


def _kept(entered: Settlement, order: Order, instrument: Instrument) -> Settlement:
    """Keep what an entry brought as a position if it can be closed again, else as dust."""
    held = entered.position
    if held is None or instrument.is_tradable(held.quantity):
        return entered
    written_off = dust_entries(held.symbol, quantity=held.quantity, cost=held.cost)
    return entered.model_copy(
        update={
            "position": None,
            "dust": held.quantity,
            "entries": entered.entries + written_off,
            "trade": round_trip(held, held, _end(order, entered.fill), held.cost),
        }
    )


def _trailed(position: Position) -> Position:
    """Let the best price begin at the entry's average; it never gets worse."""
    if position.trail is None:
        return position
    known = [price for price in (position.best, position.average_price) if price is not None]
    best = max(known, key=lambda price: position.direction.sign * price.number)
    return position.model_copy(update={"best": best})


def _left(
    held: Position, cash: Notional, order: Order, fill: Fill, instrument: Instrument
) -> Settlement:
    after = _traded(held, fill).model_copy(
        update={
            "exit_quantity": held.exit_quantity + fill.quantity,
            "exit_notional": held.exit_notional + fill.notional,
        }
    )
    rest = after.quantity
    dust = Quantity(0) if instrument.is_tradable(rest) else rest
    closes = rest == dust
    dust_cost = share(held.cost, dust, held.quantity)
    kept_cost = Notional(0) if closes else share(held.cost, rest, held.quantity)
    return Settlement(
        fill=fill,
        cash=cash + fill.cash,
        position=None if closes else after.model_copy(update={"cost": kept_cost}),
        dust=dust,
        entries=fill_entries(fill, cost=kept_cost + dust_cost - held.cost)
        + dust_entries(fill.symbol, quantity=dust, cost=dust_cost),
        trade=round_trip(held, after, _end(order, fill), dust_cost) if closes else None,
    )


def _traded(held: Position, fill: Fill) -> Position:
    """Book what every fill changes: coins, cash moved, fees."""
    return held.model_copy(
        update={
            "quantity": held.quantity + fill.coins,
            "paid": held.paid - min(fill.cash, Notional(0)),
            "received": held.received + max(fill.cash, Notional(0)),
            "fees": held.fees + fill.fee_value,
            "version": held.version + 1,
        }
    )


def _end(order: Order, fill: Fill) -> tuple[Purpose, int]:
    return order.purpose, fill.at_ms
