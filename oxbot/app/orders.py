"""One order brought to its end: claimed, placed and settled, each at most once."""

from collections.abc import Sequence
from typing import Final

from oxbot.app.ports import Ports
from oxbot.app.resting import take_back
from oxbot.domain.bot import Mode
from oxbot.domain.errors import ExitUnfinished, NotShown, VenueRefused, VenueUnavailable
from oxbot.domain.market import ClockReading
from oxbot.domain.orders import Fill, Order, OrderState, fence_of
from oxbot.messages import OrderOutcome
from oxbot.ports import Exchange

NOTHING_TRADED: Final = "the book had nothing to trade with within the limit"
"""The reason of an order that was seen to have ended without a fill."""


async def exchange_of(ports: Ports, bot_id: str) -> Exchange:
    """Give where the orders of a bot go.

    Raises:
        VenueUnavailable: It trades live, and this process has no account.
    """
    return ports.account if await mode_of(ports, bot_id) is Mode.LIVE else ports.exchange


async def mode_of(ports: Ports, bot_id: str) -> Mode:
    """Give a bot's mode, which never changes."""
    modes = ports.shared.modes
    if bot_id not in modes:
        modes[bot_id] = (await ports.store.bot(bot_id)).settings.mode
    return modes[bot_id]


async def bring_to_end(ports: Ports, order: Order) -> Order:
    """Find out what became of an order, and send it where it is certain that nobody did.

    An order found in state sent was claimed by an attempt that died or is still at it: it is
    looked up at the venue, never sent again on a guess; nor is one ever that the venue has said to
    have taken. It may come back in state sent: another attempt has just claimed it, and is at it.

    Raises:
        VenueUnavailable: Not sent; the order is intended again.
        OutcomeUnknown: It may have been sent; the next call looks it up.
        ExitUnfinished: A stop that rests at the exchange has not been seen over yet.
    """
    if order.state.may_trade:
        order = await find_out(ports, order)
    if order.state is OrderState.INTENDED:
        order = await _send(ports, order)
    return order


async def give_up(ports: Ports, order: Order, reason: str) -> Order:
    """End an order without sending it; one that was sent is looked up first.

    It is claimed for that, so that nobody can be about to send it.

    Raises:
        VenueUnavailable: As `bring_to_end`.
        OutcomeUnknown: As `bring_to_end`.
    """
    if order.state.may_trade:
        order = await find_out(ports, order)
    if order.state is not OrderState.INTENDED:
        return order
    clock = await ports.clock.reading()
    if not await ports.store.claim(order.id, clock.venue_ms):
        return await _not_claimed(ports, order)
    return await ports.store.finish_order(_claimed(order), OrderState.CANCELLED, reason)


async def find_out(ports: Ports, order: Order) -> Order:
    """Look up an order that was sent; one that the exchange certainly never had is intended again.

    Raises:
        OutcomeUnknown: Nobody can know yet.
    """
    exchange = await exchange_of(ports, order.bot_id)
    fills = await exchange.look_up(order)
    if fills is None:
        return await ports.store.release(order)
    return await _settle(ports, order, fills)


async def _send(ports: Ports, order: Order) -> Order:
    if order.purpose.is_exit and await mode_of(ports, order.bot_id) is Mode.LIVE:
        await take_back(ports, order.bot_id, order.symbol)
    clock = await ports.clock.reading()
    fence_ms = fence_of(clock)
    if not await ports.store.claim(order.id, clock.venue_ms, fence_ms):
        return await _not_claimed(ports, order)
    return await send_claimed(ports, _claimed(order, fence_ms), clock)


def _claimed(order: Order, fence_ms: int | None = None) -> Order:
    """Give an order as this caller's claim has left it; whoever claims it anew changes that."""
    return order.model_copy(update={"state": OrderState.SENT, "fence_ms": fence_ms})


async def _not_claimed(ports: Ports, order: Order) -> Order:
    """Find out why: another attempt has it, or the order is no longer wanted."""
    now = await ports.store.order(order.id)
    if now.state is not OrderState.INTENDED:
        return now
    reason = "paused, stopped, changed or expired before it was sent"
    if order.purpose.is_exit:
        seen = await ports.store.stop_view(order.bot_id, order.symbol)
        if seen.alive or (seen.position and abs(seen.position.quantity) >= order.quantity):
            raise ExitUnfinished(f"A stop of {order.symbol} has come in between.")
        reason = "so much is no longer held"
    return await ports.store.finish_order(now, OrderState.CANCELLED, reason)


async def send_claimed(ports: Ports, order: Order, clock: ClockReading) -> Order:
    """Send an order that this very caller has claimed.

    Args:
        ports: The exchange and the record.
        order: As its claim has left it: in state sent, and nobody else's to send.
        clock: The venue's time, read before the claim.

    Raises:
        VenueUnavailable: As `bring_to_end`.
        OutcomeUnknown: As `bring_to_end`.
    """
    try:
        exchange = await exchange_of(ports, order.bot_id)
        fills = await exchange.place(order, clock)
    except VenueRefused as error:
        return await ports.store.finish_order(order, OrderState.REFUSED, str(error))
    except VenueUnavailable:
        await ports.store.release(order)
        raise
    if fills is None:
        # Before anything else is asked: from here on it is never taken to be absent.
        return await _looked_up(ports, await ports.store.note_taken(order))
    is_paper = await mode_of(ports, order.bot_id) is Mode.PAPER
    return await _settle(ports, order, fills, claim=order if is_paper else None)


async def _looked_up(ports: Ports, taken: Order) -> Order:
    """Look an order up that the exchange has just taken.

    Raises:
        NotShown: Another attempt has ended it meanwhile, unseen: what it trades is booked late.
        OutcomeUnknown: As `find_out`.
    """
    if taken.state.may_trade:
        return await find_out(ports, taken)
    if taken.state is not OrderState.FILLED and taken.reason != NOTHING_TRADED:
        raise NotShown(
            f"OKX has taken order {taken.id}, which is {taken.state} on record ({taken.reason}): "
            "it is looked for, and what it has traded is booked."
        )
    return taken


async def _settle(
    ports: Ports, order: Order, fills: Sequence[Fill], claim: Order | None = None
) -> Order:
    if not fills:
        return await ports.store.finish_order(order, OrderState.CANCELLED, NOTHING_TRADED)
    instruments = await ports.feed.instruments((order.symbol,))
    return await ports.store.settle(order.id, fills, instruments[order.symbol], claim=claim)


async def outcome_of(ports: Ports, order: Order) -> OrderOutcome:
    """Say what became of an order, by the fills on record."""
    return OrderOutcome.of(order, await ports.store.fills(order.id))
