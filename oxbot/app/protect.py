"""Close one position, whatever an earlier attempt has left half done."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from oxbot.app.exit_orders import exit_order, key_of
from oxbot.app.orders import bring_to_end, give_up, outcome_of, send_claimed
from oxbot.app.ports import Ports
from oxbot.app.resting import FIRST_MS, rests, take_back
from oxbot.app.venue import must_be_here
from oxbot.domain.errors import ExitUnfinished, OutcomeUnknown
from oxbot.domain.money import Notional, Price, Quantity, to_scale
from oxbot.domain.orders import Order, OrderState, Purpose, fence_of
from oxbot.domain.portfolio import Position
from oxbot.messages import OrderOutcome, ProtectPosition, ProtectReport
from oxbot.records import ExitView, Protection

CLOSED, OPEN, STALE = "closed", "open", "stale"

PAGE: Final = 200
"""Earlier attempts looked up at a time: a coin that is refused for days has thousands."""

_AT_THE_EXCHANGE: Final = frozenset({Purpose.STOP, Purpose.TARGET})
"""What a stop that rests at the exchange does itself."""


async def protect(ports: Ports, request: ProtectPosition) -> ProtectReport:
    """Bring the coin's order under way to its end, then close what is left of the position.

    Called again it goes on where it was left. A position that is gone, was opened anew or has
    changed since the call is none of its business: the call is stale. What the venue refuses
    stays open, and the reason is told.

    Raises:
        Conflict: The bot belongs to another venue; final.
        Unavailable: Venue or record do not answer, or an order is not at its end; to be tried
            again until it is done.
    """
    seen = await _seen(ports, request)
    must_be_here(ports, request.bot_id, seen.venue)
    own = await _own_orders(ports, request) if _tried_before(ports, request, seen) else []
    under_way = [order for order in seen.orders if not order.state.is_final]
    ended = [order for order in own if order.state is OrderState.FILLED]
    ended += [await _finished(ports, order) for order in under_way]
    tried = {order.id for order in own if order.state.is_final}
    if under_way:
        seen = await _seen(ports, request)
    while position := _meant(request, seen, ended):
        if seen.rests:
            if await _is_left_to_stop(ports, request):
                return await _report(ports, request, ended, STALE, "its stop was not reached")
            ended += await _taken_back(ports, request)
            seen = await _seen(ports, request)
            continue
        tried.update(order.id for order in ended)
        intended = await exit_order(ports, request, position, tried)
        if intended is None:
            return await _report(ports, request, ended, OPEN, "too little is held to be closed")
        order = await _exited(ports, intended, position)
        if order is not None:
            ended.append(order)
            if order.id == intended.id and order.state is not OrderState.FILLED:
                return await _report(ports, request, ended, OPEN, order.reason)
        seen = await _seen(ports, request)
    return await _report(ports, request, ended, CLOSED if _has_sold(ended) else STALE)


async def _is_left_to_stop(ports: Ports, request: ProtectPosition) -> bool:
    """Whether candles call for an exit that the stop at the exchange would have made if due."""
    if request.protect.resting is None:
        return False
    async with _going_on_where_unknown(ports):
        return await rests(ports, request.bot_id, request.protect.symbol)


async def _taken_back(ports: Ports, request: ProtectPosition) -> list[Order]:
    """See the stop at the exchange over; what it was meant for, it has a while to do itself."""
    meant, first_ms = request.protect, 0
    if meant.purpose in _AT_THE_EXCHANGE and meant.price is not None:
        clock = await ports.clock.reading()
        first_ms = 0 if clock.stepped else meant.crossed_ms + clock.scaled_ms(FIRST_MS)
    async with _going_on_where_unknown(ports):
        order = await take_back(ports, request.bot_id, meant.symbol, first_ms)
    return [order] if order else []


async def _seen(ports: Ports, request: ProtectPosition) -> ExitView:
    """Look at the coin, its orders under way, and the first that an earlier attempt made."""
    first_id = key_of(ports, request, 1).order_id
    return await ports.store.exit_view(request.bot_id, request.protect.symbol, first_id)


def _tried_before(ports: Ports, request: ProtectPosition, seen: ExitView) -> bool:
    return key_of(ports, request, 1).order_id in {order.id for order in seen.orders}


async def _exited(ports: Ports, intended: Order, position: Position) -> Order | None:
    """Write an exit down and bring it to its end, or what is under way instead.

    None: the position is no longer as it was seen.
    """
    clock = await ports.clock.reading()
    fenced = intended.model_copy(update={"fence_ms": fence_of(clock)})
    intent = await ports.store.intend_exit(fenced, position.version)
    if intent is None:
        return None
    if not intent.claimed:
        return await _finished(ports, intent.order)
    async with _going_on_where_unknown(ports):
        return await send_claimed(ports, intent.order, clock)


async def _own_orders(ports: Ports, request: ProtectPosition) -> list[Order]:
    """Give the orders of earlier attempts at this very protection."""
    own: list[Order] = []
    while True:
        numbers = range(len(own) + 1, len(own) + 1 + PAGE)
        ids = [key_of(ports, request, number).order_id for number in numbers]
        page = await ports.store.known_orders(ids)
        own += page
        if len(page) < PAGE:
            return own


async def _finished(ports: Ports, order: Order) -> Order:
    """End an order: an exit by its fill, an entry without one if it is not too late."""
    async with _going_on_where_unknown(ports):
        if order.purpose.is_exit:
            order = await bring_to_end(ports, order)
        else:
            order = await give_up(ports, order, "the coin's position is being closed")
    if not order.state.is_final:
        raise ExitUnfinished(
            f"Order {order.id} for {order.symbol} is {order.state}: another attempt is at it."
        )
    return order


@asynccontextmanager
async def _going_on_where_unknown(ports: Ports) -> AsyncIterator[None]:
    """Have an order looked up by the next attempt where this one cannot tell what became of it.

    Where time stands still no attempt could: the bot's next cycle looks.
    """
    try:
        yield
    except OutcomeUnknown as error:
        if (await ports.clock.reading()).stepped:
            raise
        raise ExitUnfinished(f"{error} It is looked up next.") from error


def _meant(request: ProtectPosition, seen: ExitView, ended: Sequence[Order]) -> Position | None:
    """Give the position if it is the one that was meant; fills of our own do not change that."""
    meant, position = request.protect, seen.position
    if position is None or position.opened_ms != meant.opened_ms:
        return None
    changed = meant.version and position.version > meant.version
    return None if changed and not _has_sold(ended) else position


def _has_sold(ended: Sequence[Order]) -> bool:
    return any(order.purpose.is_exit and order.state is OrderState.FILLED for order in ended)


async def _report(
    ports: Ports, request: ProtectPosition, ended: Sequence[Order], state: str, reason: str = ""
) -> ProtectReport:
    """Tell what was sold, once on record, and in the answer."""
    settled_ms = time.time_ns() // 10**6
    outcomes = [await outcome_of(ports, order) for order in ended]
    sold = [o for o in outcomes if o.purpose.is_exit and o.state is OrderState.FILLED]
    for outcome in sold:
        await ports.store.tell_order(request.bot_id, request.cycle, outcome)
    if state == CLOSED:
        await ports.store.note_protection(_protection(request, sold[-1].order_id, settled_ms))
    return ProtectReport(
        symbol=request.protect.symbol,
        state=state,
        order_ids=tuple(outcome.order_id for outcome in outcomes),
        reason=reason,
        price=_average(sold),
    )


def _protection(request: ProtectPosition, order_id: str, settled_ms: int) -> Protection:
    """Say what set the exit off, and when it was done, for the time that protecting takes."""
    meant = request.protect
    return Protection(
        bot_id=request.bot_id,
        symbol=meant.symbol,
        opened_ms=meant.opened_ms,
        version=meant.version,
        purpose=meant.purpose,
        crossed_ms=meant.crossed_ms,
        seen_ms=meant.seen_wall_ms or None,
        settled_ms=settled_ms,
        order_id=order_id,
    )


def _average(sold: Sequence[OrderOutcome]) -> Price | None:
    """Average what several orders were sold at."""
    priced = [(outcome.filled, outcome.price) for outcome in sold if outcome.price is not None]
    coins = sum((filled for filled, _ in priced), Quantity(0))
    if not coins:
        return None
    notional = sum((filled * price for filled, price in priced), Notional(0))
    return to_scale(notional / coins)
