"""A stepped venue's guards, examined at one moment of it for its driver."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from oxbot.app.beating import beating
from oxbot.app.ports import Ports
from oxbot.app.prices import current_quotes, is_current, known_quotes
from oxbot.app.signals import protect_of, tell_out_of_reach
from oxbot.domain.errors import BeingProbed, CircuitOpen, Conflict, NotFound, Unavailable
from oxbot.domain.guard_index import Best
from oxbot.domain.guards import TRUSTED_MS, Crossing, Guard
from oxbot.domain.market import ClockReading, Quote
from oxbot.domain.orders import Purpose
from oxbot.messages import Examine, ExamineReport

AT_ONCE: Final = 16
"""Positions closed at the same time."""

TOLD: Final = 3
"""How many of those that are open yet are told of."""


async def examine(ports: Ports, request: Examine, heartbeat: Callable[[], None]) -> ExamineReport:
    """Close what the prices of this very moment set off, and what was held long enough.

    Called again it finds only what is still open. Where prices are missing, positions that have
    theirs are closed before the error is raised; without one nothing can be sold here, nor
    when a hold is over.

    Raises:
        Conflict: The venue is not stepped, or its time is another.
        VenueUnavailable: The exchange does not give all prices; it may if it is asked again. Once
            the circuit is open it is asked no more at this moment, and that is in the report.
        Unavailable: A bot does not answer.
    """
    async with beating(heartbeat):
        return await _examined(ports, request)


async def _examined(ports: Ports, request: Examine) -> ExamineReport:
    clock = await ports.clock.reading()
    _must_be_then(request, clock)
    guards = await ports.store.guards(request.venue)
    symbols = sorted({guard.symbol for guard in guards})
    if not symbols:
        return ExamineReport(crossings=0, closed=0)
    try:
        quotes = await current_quotes(ports, symbols, clock, TRUSTED_MS // 1000)
    except Unavailable as error:
        known = await known_quotes(ports, symbols, clock)
        now = {symbol: quote for symbol, quote in known.items() if is_current(quote, clock)}
        priced = [guard for guard in guards if guard.symbol in now]
        report = await _close_all(ports, _called_for(priced, now, clock))
        if not isinstance(error, CircuitOpen) or isinstance(error, BeingProbed):
            raise
        return report.model_copy(update={"trouble": report.trouble or str(error)})
    await _raise_bests(ports, request.venue, guards, quotes)
    return await _close_all(ports, _called_for(guards, quotes, clock))


def _must_be_then(request: Examine, clock: ClockReading) -> None:
    if not clock.stepped:
        raise Conflict(f"{request.venue} moves by itself: its guards are watched as prices come.")
    if clock.venue_ms != request.at_ms:
        raise Conflict(f"{request.venue} stands at {clock.venue_ms}, not at {request.at_ms}.")


def _called_for(
    guards: Sequence[Guard], quotes: dict[str, Quote], clock: ClockReading
) -> list[Crossing]:
    """Give what has to be closed now: what a price sets off comes before a hold that is over."""
    found = [_of_guard(guard, quotes.get(guard.symbol), clock) for guard in guards]
    return [crossing for crossing in found if crossing]


def _of_guard(guard: Guard, quote: Quote | None, clock: ClockReading) -> Crossing | None:
    price = guard.closing_price(quote) if quote else None
    purpose = guard.purpose_at(price) if price else None
    if purpose is None and clock.venue_ms >= guard.hold_until_ms:
        purpose = Purpose.HOLD
    if purpose is None:
        return None
    return Crossing(guard=guard, purpose=purpose, price=price, at_ms=clock.venue_ms)


async def _raise_bests(
    ports: Ports, venue: str, guards: Sequence[Guard], quotes: dict[str, Quote]
) -> None:
    """Let trailing stops know of prices that are better than what they know."""
    better = {
        Best(
            guard.symbol,
            guard.direction,
            guard.closing_price(quotes[guard.symbol]),
            quotes[guard.symbol].exchange_ms,
        )
        for guard in guards
        if guard.best is not None
        and guard.direction.gain(guard.best, guard.closing_price(quotes[guard.symbol])) > 0
    }
    for best in sorted(better):
        await ports.store.raise_best(venue, best)


async def _close_all(ports: Ports, crossings: Sequence[Crossing]) -> ExamineReport:
    """Have each closed by its bot; one that does not answer keeps no other from it."""
    room = asyncio.Semaphore(AT_ONCE)
    asked = (_close(ports, crossing, room) for crossing in crossings)
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    open_yet = [outcome for outcome in outcomes if isinstance(outcome, _Open)]
    return ExamineReport(
        crossings=len(crossings),
        closed=len(crossings) - len(open_yet),
        trouble="; ".join(still.why for still in open_yet[:TOLD]),
        unfinished=any(still.under_way for still in open_yet),
    )


class _Open(NamedTuple):
    """Why a position is open yet, and whether its exit goes on."""

    why: str
    under_way: bool


async def _close(ports: Ports, crossing: Crossing, room: asyncio.Semaphore) -> _Open | None:
    """Have one position closed; give why it is open yet."""
    bot_id = crossing.guard.bot_id
    try:
        async with room:
            report = await ports.control.protect_now(bot_id, protect_of(crossing, seen_ms=0))
    except NotFound as error:
        await tell_out_of_reach(ports, crossing, error)
        return _Open(str(error), under_way=False)
    why = f"{crossing.guard.symbol} of {bot_id} is open yet: {report.reason}"
    return _Open(why, report.under_way) if report.state == "open" else None
