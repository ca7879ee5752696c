"""A live position has its stop at the exchange, or is sold."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from oxbot.app.orders import mode_of
from oxbot.app.ports import Ports
from oxbot.app.protect import CLOSED, OPEN, STALE, protect
from oxbot.app.resting import note_end, take_back
from oxbot.app.too_small import is_to_be_sold, left_to_stop, must_be_enough
from oxbot.domain.bot import Mode
from oxbot.domain.errors import (
    ExitUnfinished,
    InputError,
    NotSold,
    OutcomeUnknown,
    OxbotError,
    VenueRefused,
    VenueUnavailable,
)
from oxbot.domain.orders import Order, Purpose
from oxbot.domain.portfolio import Position
from oxbot.domain.resting import (
    RestingStop,
    SeenState,
    StopState,
    attached_id,
    stop_fence_of,
    stop_id,
    stop_of,
)
from oxbot.messages import Protect, ProtectPosition, ProtectReport
from oxbot.records import StopView

REFUSED: Final = "refused: "
"""How the reason of a stop begins that the exchange did not take."""

TRIES: Final = 2
"""Stops that the exchange may refuse a position before it is sold."""

STEPS: Final = 8
"""More steps than proving a stop takes when nobody interferes."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class About:
    """Under which numbers what is done goes on record."""

    bot_id: str
    incarnation: int
    cycle: int
    epoch: int


async def close(ports: Ports, request: ProtectPosition) -> ProtectReport:
    """Close a position, as `protect`; what a live bot holds afterwards has its stop again.

    Also where the call was stale: an attempt that died may have taken the stop back, or booked
    what it had sold.

    Raises:
        Unavailable: As `protect`; or the exchange does not answer, or the call was stale and
            nobody knows yet whether a stop rests.
    """
    report = await left_to_stop(ports, request) or await protect(ports, request)
    bot_id, symbol = request.bot_id, request.protect.symbol
    if report.state == CLOSED or await mode_of(ports, bot_id) is not Mode.LIVE:
        return report
    about = About(bot_id, request.incarnation, request.cycle, request.epoch)
    try:
        await keep_protected(ports, about, symbol)
    except (ExitUnfinished, OutcomeUnknown, InputError) as error:
        if report.state == STALE and await _will_be_known(ports, error):
            raise ExitUnfinished(f"{error} It is looked up next.") from error
        # Calling again would take the stop back that is being proven, and try to sell again.
        log.warning("stop not proven", bot=bot_id, symbol=symbol, because=str(error))
    return report


async def _will_be_known(ports: Ports, error: OxbotError) -> bool:
    """Whether the next attempt can tell; where time stands still only the next cycle could."""
    return isinstance(error, OutcomeUnknown) and not (await ports.clock.reading()).stepped


async def keep_protected(ports: Ports, about: About, symbol: str) -> list[Order]:
    """Prove the stop of a live bot's coin, and sell the coin where it can have none.

    Returns:
        The exits that were found or made, as they are on record.

    Raises:
        NotSold: It can have no stop, and the exchange refuses to sell it.
        InputError: It can have no stop and not be sold: it is too small, or listed no more.
        Unavailable: The exchange or the record does not answer.
        OutcomeUnknown: Nobody knows yet whether a stop rests.
    """
    exits, naked = await _prove(ports, about.bot_id, symbol)
    if naked is not None:
        await must_be_enough(ports, naked)
        log.error("no stop can be placed", bot=about.bot_id, symbol=symbol, version=naked.version)
        report = await protect(ports, await _sale(ports, about, naked))
        exits += await ports.store.known_orders(report.order_ids)
        if report.state == OPEN:
            raise NotSold(
                f"{symbol} can have no stop at the exchange and was not sold: {report.reason}. It "
                "is tried again."
            )
    return exits


async def _prove(ports: Ports, bot_id: str, symbol: str) -> tuple[list[Order], Position | None]:
    """Bring record, exchange and position together, one step after the other.

    Gives the exits that stops have become, and the position if it can have no stop.
    """
    exits: list[Order] = []
    for _ in range(STEPS):
        view = await ports.store.stop_view(bot_id, symbol)
        if view.mode is not Mode.LIVE or view.leaving:
            return exits, None
        if view.alive is not None:
            order, proven = await _look_after(ports, view, view.alive)
            exits += [order] if order else []
            if proven:
                return exits, None
        elif view.position is None:
            return exits, None
        elif not await _place_next(ports, view, view.position):
            return exits, view.position
    raise ExitUnfinished(f"The stop of {symbol} changes faster than it can be proven.")


async def _look_after(ports: Ports, view: StopView, stop: RestingStop) -> tuple[Order | None, bool]:
    """Look a stop up; give the exit that it has become, and whether it is as it should be.

    One that rests is left as it is where no other could be placed for so little.
    """
    position = view.position
    if position is None or position.opened_ms != stop.opened_ms:
        return await take_back(ports, stop.bot_id, stop.symbol), False
    wanted = await _wanted(ports, position, stop)
    if wanted is None and await is_to_be_sold(ports, stop.bot_id):
        return await take_back(ports, stop.bot_id, stop.symbol), False
    seen = await ports.account.see_stop(stop)
    if seen.state is not SeenState.RESTING:
        return await note_end(ports, view, stop, seen), False
    if wanted is not None and not seen.would_do(wanted):
        return await _amend(ports, wanted), False
    await ports.store.note_stop(stop.id, StopState.RESTING)
    return None, True


async def _wanted(ports: Ports, position: Position, stop: RestingStop) -> RestingStop | None:
    """Make what this stop should be; None where the exchange takes none for so little."""
    instruments = await ports.feed.instruments((stop.symbol,))
    named = (stop.id, stop.number, stop.fence_ms)
    return stop_of(position, instruments[stop.symbol], stop.bot_id, named)


async def _amend(ports: Ports, wanted: RestingStop) -> Order | None:
    """Give a stop the size and prices that it should have; one that stays as it was is replaced."""
    try:
        await ports.account.amend_stop(wanted)
    except VenueRefused as error:
        log.warning("stop is replaced", symbol=wanted.symbol, because=str(error))
        return await take_back(ports, wanted.bot_id, wanted.symbol)
    return None


async def _place_next(ports: Ports, view: StopView, position: Position) -> bool:
    """Have the position's next stop rest; False where the exchange has refused enough of them.

    Raises:
        OutcomeUnknown: It may rest, and cannot be seen yet.
        VenueUnavailable: It was certainly not sent.
    """
    mine = [stop for stop in view.stops if stop.opened_ms == position.opened_ms]
    stop = await _next(ports, view, position, mine)
    if stop is None or _refusals(mine, stop) >= TRIES:
        return False
    if not await ports.store.intend_stop(stop, position.version):
        return True
    try:
        await ports.account.place_stop(stop)
    except VenueRefused as error:
        await ports.store.note_stop(stop.id, StopState.ENDED, f"{REFUSED}{error}")
    except VenueUnavailable as error:
        await ports.store.note_stop(stop.id, StopState.ENDED, f"not sent: {error}")
        raise
    else:
        # What the exchange says to have taken is never absent, however late it can be seen.
        await ports.store.note_stop(stop.id, StopState.RESTING)
    return True


def _refusals(mine: Sequence[RestingStop], stop: RestingStop) -> int:
    """Count what the exchange has refused of this size: of another it may take one."""
    refused = (known for known in mine if known.reason.startswith(REFUSED))
    return sum(known.quantity == stop.quantity for known in refused)


async def _next(
    ports: Ports, view: StopView, position: Position, mine: Sequence[RestingStop]
) -> RestingStop | None:
    if view.entry is None:
        raise ValueError(f"a position has an entry: {position}")
    number = max((stop.number for stop in mine), default=0) + 1
    instruments = await ports.feed.instruments((position.symbol,))
    fence_ms = stop_fence_of(await ports.clock.reading())
    named = (stop_id(attached_id(view.entry.id), number), number, fence_ms)
    return stop_of(position, instruments[position.symbol], view.entry.bot_id, named)


async def _sale(ports: Ports, about: About, position: Position) -> ProtectPosition:
    return ProtectPosition(
        bot_id=about.bot_id,
        incarnation=about.incarnation,
        cycle=about.cycle,
        epoch=about.epoch,
        protect=Protect(
            symbol=position.symbol,
            opened_ms=position.opened_ms,
            version=0,
            purpose=Purpose.STOP,
            crossed_ms=(await ports.clock.reading()).venue_ms,
            seen_wall_ms=time.time_ns() // 10**6,
        ),
    )
