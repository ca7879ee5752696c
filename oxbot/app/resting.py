"""The stop that rests at the exchange: seen over before anything else sells its coins."""

from typing import Final

import structlog

from oxbot.app.ports import Ports
from oxbot.domain.errors import ExitUnfinished
from oxbot.domain.orders import Order
from oxbot.domain.resting import RestingStop, SeenState, SeenStop, StopState, exit_of
from oxbot.records import StopView

FIRST_MS: Final = 5_000
"""Milliseconds after a crossing in which the exchange's stop acts alone."""

log = structlog.get_logger(__name__)


async def take_back(ports: Ports, bot_id: str, symbol: str, first_ms: int = 0) -> Order | None:
    """Make sure that no stop of a coin rests at the exchange, so that something else may sell.

    Args:
        ports: The record and the account.
        bot_id: Whose coin.
        symbol: Which.
        first_ms: Until then (venue ms) the stop is left to act.

    Returns:
        The exit that the stop has become, if it was triggered, as it is on record now.

    Raises:
        ExitUnfinished: It is alive yet.
        OutcomeUnknown: Nobody knows whether it is.
        VenueUnavailable: The exchange does not answer.
    """
    view = await ports.store.stop_view(bot_id, symbol)
    stop = view.alive
    if stop is None:
        return None
    seen = await ports.account.see_stop(stop)
    if seen.state is SeenState.RESTING:
        await _must_not_go_first(ports, stop, first_ms)
        await ports.account.cancel_stop(stop)
        seen = await ports.account.see_stop(stop)
        if seen.state is SeenState.RESTING:
            raise ExitUnfinished(f"The stop of {symbol} is cancelled, and seen alive yet.")
    return await note_end(ports, view, stop, seen)


async def end_ghost(ports: Ports, stop: RestingStop, *, is_alive: bool) -> Order | None:
    """Cancel a stop that is over on record, if it is alive, and book what it has sold.

    Returns:
        The exit that it has become, as it is on record now.

    Raises:
        ExitUnfinished: It is alive yet, or an exit of the coin has to be booked first.
        OutcomeUnknown: Nobody knows whether it is over.
        VenueUnavailable: The exchange does not answer.
    """
    if is_alive:
        log.error("a stop that is over is alive", bot=stop.bot_id, stop=stop.id)
        await ports.account.cancel_stop(stop)
    seen = await ports.account.see_stop(stop)
    if seen.state is SeenState.RESTING:
        raise ExitUnfinished("It is cancelled, and seen alive yet.")
    if not seen.fills:
        return None
    log.error("a stop that was over has sold", bot=stop.bot_id, stop=stop.id)
    view = await ports.store.stop_view(stop.bot_id, stop.symbol)
    if view.leaving:
        raise ExitUnfinished("It has sold, which is booked when the exit under way is.")
    return await note_end(ports, view, stop, seen)


async def rests(ports: Ports, bot_id: str, symbol: str) -> bool:
    """Tell whether a stop of a coin is alive at the exchange.

    Raises:
        OutcomeUnknown: Nobody knows.
        VenueUnavailable: The exchange does not answer.
    """
    stop = (await ports.store.stop_view(bot_id, symbol)).alive
    return stop is not None and (await ports.account.see_stop(stop)).state is SeenState.RESTING


async def _must_not_go_first(ports: Ports, stop: RestingStop, first_ms: int) -> None:
    left_ms = first_ms - (await ports.clock.reading()).venue_ms
    if left_ms > 0:
        raise ExitUnfinished(
            f"The stop of {stop.symbol} at the exchange is left to act for {left_ms} ms more."
        )


async def note_end(ports: Ports, view: StopView, stop: RestingStop, seen: SeenStop) -> Order | None:
    """Put on record how a stop that rests no more has ended; give the exit that it has become.

    Raises:
        LedgerBroken: It sold more than is held.
    """
    if seen.state is SeenState.TRIGGERED and seen.fills:
        if view.entry is None:
            raise ValueError(f"a stop belongs to an entry: {stop}")
        order = exit_of(stop, seen, view.entry)
        instruments = await ports.feed.instruments((stop.symbol,))
        log.info("stop triggered", bot=stop.bot_id, symbol=stop.symbol, purpose=order.purpose)
        return await ports.store.adopt(order, seen.fills, instruments[stop.symbol])
    because = "it was triggered, and nothing could be sold" if seen.purpose else seen.reason
    await ports.store.note_stop(stop.id, StopState.ENDED, because or str(seen.state))
    return None
