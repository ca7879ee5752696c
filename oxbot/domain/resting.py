"""The stop and target of a live position that rest at the exchange, one cancelling the other."""

import base64
import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from oxbot.domain.market import ClockReading, Instrument, Symbol
from oxbot.domain.money import Notional, PositivePrice, PositiveQuantity, Quantity, share
from oxbot.domain.orders import FENCE_MS, Fill, Order, OrderState, Purpose, Side
from oxbot.domain.portfolio import Position
from oxbot.domain.values import Value

SIGNED_FOR_MS: Final = 30_000
"""Milliseconds for which OKX takes a request after the time that it is signed with."""


class StopState(StrEnum):
    """Where a resting stop is: it may rest; it was seen at rest, or taken; it is over."""

    SENT = "sent"
    RESTING = "resting"
    ENDED = "ended"


class RestingStop(Value):
    """Stop and target of one position, as written down before they are sent.

    `opened_ms` (venue ms) says which position of the coin, `number` counts its resting stops
    from 1 on. Quantity in coins, prices in USDT, on lot and tick. The exchange takes the request
    until `fence_ms` (venue ms). `reason` is why it is over.
    """

    id: str
    bot_id: str
    symbol: Symbol
    opened_ms: int
    number: int
    quantity: PositiveQuantity
    stop_price: PositivePrice
    target_price: PositivePrice
    fence_ms: int
    state: StopState = StopState.SENT
    reason: str = ""


class SeenState(StrEnum):
    """What the exchange says of a resting stop.

    `absent`: it certainly never had it; `over`: cancelled, or it failed, and traded nothing.
    """

    ABSENT = "absent"
    RESTING = "resting"
    TRIGGERED = "triggered"
    OVER = "over"


class SeenStop(Value):
    """A resting stop as the exchange has it.

    Of one that rests `quantity` (coins), `stop_price` and `target_price` (USDT) are what it
    would do; None where the exchange has no such way out. Of one that was triggered `purpose` is
    stop or target, and `fills` are all that its order will ever trade. `reason` is why it is
    over.
    """

    state: SeenState
    quantity: PositiveQuantity | None = None
    stop_price: PositivePrice | None = None
    target_price: PositivePrice | None = None
    purpose: Purpose | None = None
    fills: tuple[Fill, ...] = ()
    reason: str = ""

    def would_do(self, wanted: RestingStop) -> bool:
        """Whether it closes as much as it should, at the same prices."""
        mine = (self.quantity, self.stop_price, self.target_price)
        return mine == (wanted.quantity, wanted.stop_price, wanted.target_price)


def attached_id(order_id: str) -> str:
    """Name the stop that an entry brings: as long as its id, and another."""
    return f"g{order_id[1:]}"


def entry_id(attached: str) -> str:
    """Name the entry that brings the stop `attached`; an id that nothing has for a later stop."""
    return f"b{attached[1:]}"


def stop_id(attached: str, number: int) -> str:
    """Name a later stop of the position whose entry brought the first one, `attached`."""
    if number == 1:
        return attached
    digest = hashlib.sha256(f"{attached}\x1f{number}".encode()).digest()
    return "g" + base64.b32encode(digest[:20]).decode().lower()[:31]


def stop_fence_of(now: ClockReading) -> int:
    """Give until when (venue ms) a stop may be taken that is sent now.

    As long as an order has, but never longer than a signature holds.
    """
    return now.venue_ms + min(now.scaled_ms(FENCE_MS), SIGNED_FOR_MS)


def stop_of(
    position: Position, instrument: Instrument, bot_id: str, stop: tuple[str, int, int]
) -> RestingStop | None:
    """Make the stop that a long position asks for; None where it is too small to be closed.

    Prices are on the tick: of those that can be, the stop's is the highest at which the
    position is stopped, and the target's the lowest at which it is on target.

    Args:
        position: A long one.
        instrument: Tick, lot and minimum.
        bot_id: Whose position.
        stop: Its id, its number and its fence (venue ms).
    """
    quantity = instrument.whole_lots(position.quantity)
    if quantity < instrument.minimum:
        return None
    identity, number, fence_ms = stop
    return RestingStop(
        id=identity,
        bot_id=bot_id,
        symbol=position.symbol,
        opened_ms=position.opened_ms,
        number=number,
        quantity=quantity,
        stop_price=max(instrument.round_price_down(position.stop_price), instrument.tick),
        target_price=instrument.round_price_up(position.target_price),
        fence_ms=fence_ms,
    )


def exit_of(stop: RestingStop, seen: SeenStop, entry: Order) -> Order:
    """Make the order that a triggered stop has become; it has the stop's id.

    Args:
        stop: As written down.
        seen: As the exchange has it, triggered.
        entry: What opened the position; the exit goes on record beside it.
    """
    if seen.purpose is None:
        raise ValueError(f"a triggered stop says which way out it took: {seen}")
    sold = sum((fill.quantity for fill in seen.fills), Quantity(0))
    return Order(
        id=stop.id,
        bot_id=stop.bot_id,
        incarnation=entry.incarnation,
        cycle=entry.cycle,
        symbol=stop.symbol,
        side=Side.SELL,
        purpose=seen.purpose,
        quantity=max(stop.quantity, sold),
        epoch=entry.epoch,
        state=OrderState.FILLED if seen.fills else OrderState.CANCELLED,
        reason=f"the {seen.purpose} that rested at the exchange",
    )


class Beyond(Value):
    """What was sold beyond what its bot had: coins, and USDT that they brought after fees.

    Neither is on any bot's books.
    """

    quantity: Quantity = Quantity(0)
    proceeds: Notional = Notional(0)

    @classmethod
    def of(cls, fills: Sequence[Fill], taken: Sequence[Fill]) -> "Beyond":
        """Give what sales are more than what the books have taken of them."""
        sold = sum((fill.quantity for fill in fills), Quantity(0))
        cash = sum((fill.cash for fill in fills), Notional(0))
        booked = sum((fill.quantity for fill in taken), Quantity(0))
        brought = sum((fill.cash for fill in taken), Notional(0))
        return cls(quantity=sold - booked, proceeds=cash - brought)


def within(fills: Sequence[Fill], held: Position | None, traded: Sequence[Fill]) -> list[Fill]:
    """Take of sales that become known late what the books can; the rest is beyond.

    The exchange sells what the account has: also coins that the fee of the entry has taken from
    the bot, or that another stop or order of the bot has sold before. What it sold before any of
    the position was bought cannot have been of it. When that was, its fills say, and not when it
    was opened: one that became known late, too, may be older.

    Args:
        fills: Sales, all of them.
        held: The bot's position in the coin, if any.
        traded: All fills of that position, entries and exits.
    """
    taken: list[Fill] = []
    left = max(held.quantity, Quantity(0)) if held else Quantity(0)
    for fill in sorted(fills, key=lambda one: (one.at_ms, one.trade_id)):
        quantity = min(fill.quantity, left, _there_since(fill.at_ms, (*traded, *taken)))
        if quantity > 0:
            taken.append(_part(fill, quantity))
            left -= quantity
    return taken


def _there_since(at_ms: int, traded: Sequence[Fill]) -> Quantity:
    """Give how many coins were there at a time (venue ms), and at every time since."""
    times = {at_ms, *(fill.at_ms for fill in traded if fill.at_ms > at_ms)}
    return min(_there_at(time_ms, traded) for time_ms in times)


def _there_at(at_ms: int, traded: Sequence[Fill]) -> Quantity:
    return sum((fill.coins for fill in traded if fill.at_ms <= at_ms), Quantity(0))


def _part(fill: Fill, quantity: Quantity) -> Fill:
    """Give so much of a fill, with its share of the fee."""
    if quantity == fill.quantity:
        return fill
    fee = share(Notional(fill.fee), quantity, fill.quantity)
    return fill.model_copy(update={"quantity": quantity, "fee": fee.number})
