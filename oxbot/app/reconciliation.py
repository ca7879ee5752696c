"""A live bot's record held against the exchange, which wins on what happened."""

import time
from collections import defaultdict
from typing import Final

import structlog

from oxbot.app.coverage import coverage
from oxbot.app.found import Found
from oxbot.app.orders import bring_to_end, find_out, give_up, outcome_of
from oxbot.app.ports import Ports
from oxbot.app.protected import About, keep_protected
from oxbot.app.resting import end_ghost
from oxbot.app.venue import must_be_here
from oxbot.domain.bot import Mode
from oxbot.domain.errors import ExitUnfinished
from oxbot.domain.losses import losses_of
from oxbot.domain.orders import Fill, Order, OrderState
from oxbot.domain.resting import RestingStop, SeenState, StopState
from oxbot.messages import Reconcile, Reconciliation

DAY_MS: Final = 86_400_000

UNSEEN_MS: Final = 20_000
"""So long after its request has expired, an order that is looked for would have been seen."""

IN_THE_WAY: Final = "it rests yet, and the exit for which it is taken back waits for that"
TWICE: Final = "OKX has two of this id, one triggered and one at rest; a person has to look"

log = structlog.get_logger(__name__)


async def reconcile_bot(ports: Ports, request: Reconcile) -> Reconciliation:
    """Look up what is unknown, book what was missed, prove stops, compare what is there.

    A bot on paper has nothing to reconcile. What cannot be done for one order or coin keeps
    nothing from the others. Called again it finds what is left.

    Raises:
        Conflict: The bot belongs to another venue.
        Unavailable: The exchange or the record does not answer.
    """
    bot = await ports.store.bot(request.bot_id)
    must_be_here(ports, bot.id, bot.settings.venue)
    if bot.settings.mode is not Mode.LIVE:
        return Reconciliation()
    found = Found()
    await _look_up(ports, request, found)
    await _tell_left(ports, request, found)
    await _book_missed(ports, request, found)
    await _end_ghosts(ports, request, found)
    await _send_exits(ports, request, found)
    await _prove_all(ports, request, found)
    await _tell_orders(ports, request, found)
    found.tell_unfit(await ports.account.unfit())
    covered = await coverage(ports, bot.settings.venue)
    differs = tuple(str(lack) for lack in covered.lacks)
    told = (*found.unfit, *found.broken, *differs)
    await ports.store.tell_differences(bot.id, told, is_all=not covered.moving)
    owned = (await ports.store.portfolio(bot.id)).owned()
    losses = losses_of(covered.lacks, owned)
    return found.message().model_copy(update={"differs": differs, "losses": losses})


async def _look_up(ports: Ports, request: Reconcile, found: Found) -> None:
    """Find out what became of orders that were sent; nothing that was not is sent here."""
    for order in await ports.store.unfinished_orders(request.bot_id):
        if not order.state.may_trade or order.symbol in request.leave:
            continue
        with found.telling(f"order {order.id} for {order.symbol}"):
            ended = await find_out(ports, order)
            if ended.state.is_final:
                found.booked.append(await outcome_of(ports, ended))


async def _tell_left(ports: Ports, request: Reconcile, found: Found) -> None:
    """Ask for what is not known of coins that somebody else is at, and tell it; no more is done.

    What was sent just now is left to whoever has sent it, as is a stop that is taken back for an
    exit of this cycle.
    """
    if not request.leave:
        return
    clock = await ports.clock.reading()
    since_ms = clock.venue_ms - clock.scaled_ms(UNSEEN_MS)
    unfinished = await ports.store.unfinished_orders(request.bot_id)
    left = [order for order in unfinished if order.symbol in request.leave]
    for order in left:
        if order.state.may_trade and order.fence_ms is not None and order.fence_ms < since_ms:
            with found.telling(f"order {order.id} for {order.symbol}"):
                await ports.account.look_up(order)
    waiting = {order.symbol for order in left if _waits(order, request.cycle)}
    for stop in await ports.store.resting_stops(request.bot_id):
        if stop.symbol in request.leave and stop.fence_ms < since_ms:
            with found.telling(f"the stop of {stop.symbol}"):
                await _must_not_be_in_the_way(ports, stop, waiting)


def _waits(order: Order, cycle: int) -> bool:
    """Whether an exit of an earlier cycle has not been sent yet."""
    return order.purpose.is_exit and not order.state.may_trade and order.cycle < cycle


async def _must_not_be_in_the_way(ports: Ports, stop: RestingStop, waiting: set[str]) -> None:
    """Look a stop up.

    Raises:
        ExitUnfinished: It rests, and an exit waits for its end.
        OutcomeUnknown: Nobody knows whether it rests.
    """
    seen = await ports.account.see_stop(stop)
    if seen.state is SeenState.RESTING and stop.symbol in waiting:
        raise ExitUnfinished(f"The stop {stop.id}: {IN_THE_WAY}.")


async def _book_missed(ports: Ports, request: Reconcile, found: Found) -> None:
    """Book what orders that are over on record have traded after all, but for what is only told."""
    for order, fills in await _missed(ports, request.bot_id, found):
        with found.telling(f"order {order.id} for {order.symbol}, which was over"):
            instruments = await ports.feed.instruments((order.symbol,))
            instrument = instruments[order.symbol]
            ended = await ports.store.settle(order.id, fills, instrument, is_late=True)
            booked = {fill.trade_id for fill in await ports.store.fills(order.id)}
            new = [fill for fill in fills if fill.trade_id in booked]
            if new:
                log.error(
                    "executions were missed", bot=order.bot_id, order=order.id, fills=len(new)
                )
                found.booked.append(await outcome_of(ports, ended))


async def _missed(ports: Ports, bot_id: str, found: Found) -> list[tuple[Order, list[Fill]]]:
    """Find executions of a bot's ended orders that are not booked."""
    traded: defaultdict[str, list[Fill]] = defaultdict(list)
    since_ms = (await ports.clock.reading()).venue_ms - DAY_MS
    for symbol in await ports.store.sent_symbols(bot_id, time.time_ns() // 10**6 - DAY_MS):
        with found.telling(f"what was traded of {symbol} in the last day"):
            for fill in await ports.account.recent_fills(symbol, since_ms):
                traded[fill.order_id].append(fill)
    # In this order, what is booked just now by whoever has sent it is not over, or is booked.
    known = await ports.store.known_orders(traded)
    booked = set(await ports.store.booked_trades(traded))
    return [
        (order, new)
        for order in known
        if order.bot_id == bot_id and order.state.is_final
        if (new := [f for f in traded[order.id] if (f.order_id, f.trade_id) not in booked])
    ]


async def _end_ghosts(ports: Ports, request: Reconcile, found: Found) -> None:
    """Cancel stops that are over on record and alive at the exchange, and book what they sold."""
    since_ms = (await ports.clock.reading()).venue_ms - DAY_MS
    # In this order, a stop that is triggered meanwhile is in neither, and not in both.
    sold = await ports.account.triggered_stops(since_ms)
    alive = await ports.account.resting_stops()
    mine = [s for s in await ports.store.known_stops(alive | sold) if s.bot_id == request.bot_id]
    twice = [stop for stop in mine if stop.id in alive & sold]
    found.unknown += [f"the stop {stop.id} of {stop.symbol}: {TWICE}" for stop in twice]
    ghosts = [stop for stop in mine if stop.state is StopState.ENDED and stop not in twice]
    booked = {order.id for order in await ports.store.known_orders([g.id for g in ghosts])}
    for stop in ghosts:
        if stop.id in alive or stop.id not in booked:
            with found.telling(f"the stop {stop.id} of {stop.symbol}, which is over"):
                await _give_way(ports, stop, has_sold=stop.id in sold)
                order = await end_ghost(ports, stop, is_alive=stop.id in alive)
                found.exits += [await outcome_of(ports, order)] if order else []
                found.ghosts += [stop.id] if stop.id in alive and not order else []


async def _give_way(ports: Ports, stop: RestingStop, *, has_sold: bool) -> None:
    """Give exits up that nobody has sent: what they were to sell is sold."""
    for order in await _unsent_exits(ports, stop.bot_id) if has_sold else ():
        if order.symbol == stop.symbol:
            await give_up(ports, order, "a stop that was over on record has sold")


async def _send_exits(ports: Ports, request: Reconcile, found: Found) -> None:
    """Bring exits to their end that nobody has sent.

    A coin's stop may have been taken back for its exit, and while that is wanted no other stop is
    placed; an entry is left to the cycle that wants it.
    """
    for order in await _unsent_exits(ports, request.bot_id):
        if order.symbol not in request.leave:
            with found.telling(f"order {order.id} for {order.symbol}"):
                ended = await bring_to_end(ports, order)
                found.booked += [await outcome_of(ports, ended)] if ended.state.is_final else []


async def _unsent_exits(ports: Ports, bot_id: str) -> list[Order]:
    unfinished = await ports.store.unfinished_orders(bot_id)
    return [o for o in unfinished if o.purpose.is_exit and o.state is OrderState.INTENDED]


async def _prove_all(ports: Ports, request: Reconcile, found: Found) -> None:
    """Prove the stop of each coin."""
    about = About(request.bot_id, request.incarnation, request.cycle, request.epoch)
    portfolio = await ports.store.portfolio(request.bot_id)
    stops = await ports.store.resting_stops(request.bot_id)
    symbols = {*portfolio.positions, *(stop.symbol for stop in stops)} - set(request.leave)
    for symbol in sorted(symbols):
        with found.telling(f"the stop of {symbol}"):
            exits = await keep_protected(ports, about, symbol)
            found.exits += [await outcome_of(ports, order) for order in exits]
            found.proven += [symbol] if await _is_proven(ports, request.bot_id, symbol) else []


async def _is_proven(ports: Ports, bot_id: str, symbol: str) -> bool:
    """Whether a stop was seen at rest, which nobody who sells is about to take back."""
    view = await ports.store.stop_view(bot_id, symbol)
    seen = view.alive is not None and view.alive.state is StopState.RESTING
    return seen and not view.leaving


async def _tell_orders(ports: Ports, request: Reconcile, found: Found) -> None:
    """Tell of orders that were booked by whoever died, or went on, before he could tell."""
    known = {order.order_id for order in (*found.booked, *found.exits)}
    since_ms = time.time_ns() // 10**6 - DAY_MS
    for order in await ports.store.untold_orders(request.bot_id, since_ms):
        outcome = await outcome_of(ports, order)
        await ports.store.tell_order(order.bot_id, order.cycle, outcome)
        if order.purpose.is_exit and order.id not in known:
            found.exits.append(outcome)
