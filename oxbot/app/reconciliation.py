"""A live bot's record held against the exchange, which wins on what happened."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

import structlog

from oxbot.app.coverage import coverage
from oxbot.app.orders import find_out, outcome_of
from oxbot.app.ports import Ports
from oxbot.app.protected import About, keep_protected
from oxbot.app.venue import must_be_here
from oxbot.domain.bot import Mode
from oxbot.domain.errors import ExitUnfinished, LedgerBroken, NotSold, OutcomeUnknown
from oxbot.domain.losses import losses_of
from oxbot.domain.orders import Fill, Order, OrderState
from oxbot.domain.resting import StopState
from oxbot.messages import OrderOutcome, Reconcile, Reconciliation

DAY_MS: Final = 86_400_000

DIFFERS: Final = "account_differs"
"""The kind of event that tells what record and account do not agree in."""

BROKEN: Final = "the books do not take what the exchange has traded"

log = structlog.get_logger(__name__)


@dataclass
class _Found:
    """What a reconciliation has found so far."""

    booked: list[OrderOutcome] = field(default_factory=list)
    exits: list[OrderOutcome] = field(default_factory=list)
    proven: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


async def reconcile_bot(ports: Ports, request: Reconcile) -> Reconciliation:
    """Look up what is unknown, book what was missed, prove stops, and compare balances.

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
    found = _Found()
    await _look_up(ports, request, found)
    await _book_missed(ports, request, found)
    await _end_ghosts(ports, request, found)
    await _prove_all(ports, request, found)
    covered = await coverage(ports, bot.settings.venue)
    differs = tuple(str(lack) for lack in covered.lacks)
    for told in (*found.broken, *differs):
        await ports.store.tell(bot.id, f"{DIFFERS}:{told}", DIFFERS, told)
    owned = (await ports.store.portfolio(bot.id)).owned()
    return Reconciliation(
        booked=tuple(found.booked),
        exits=tuple(found.exits),
        proven=tuple(found.proven),
        ghosts=tuple(found.ghosts),
        unknown=tuple(found.unknown),
        stuck=tuple(found.stuck),
        broken=tuple(found.broken),
        differs=differs,
        losses=losses_of(covered.lacks, owned),
    )


async def _look_up(ports: Ports, request: Reconcile, found: _Found) -> None:
    """Find out what became of orders that were sent; nothing that was not is sent here."""
    for order in await ports.store.unfinished_orders(request.bot_id):
        if order.state is not OrderState.SENT or order.symbol in request.leave:
            continue
        try:
            ended = await find_out(ports, order)
        except OutcomeUnknown as error:
            found.unknown.append(f"order {order.id} for {order.symbol}: {error}")
            continue
        except LedgerBroken as error:
            found.broken.append(f"{BROKEN}: {error}")
            continue
        if ended.state.is_final:
            found.booked.append(await outcome_of(ports, ended))


async def _book_missed(ports: Ports, request: Reconcile, found: _Found) -> None:
    """Book what orders that are over on record have traded after all."""
    for order, fills in await _missed(ports, request.bot_id):
        instruments = await ports.feed.instruments((order.symbol,))
        try:
            ended = await ports.store.settle(order.id, fills, instruments[order.symbol])
        except LedgerBroken as error:
            found.broken.append(f"{BROKEN}: {error}")
            continue
        log.error("executions were missed", bot=order.bot_id, order=order.id, fills=len(fills))
        found.booked.append(await outcome_of(ports, ended))


async def _missed(ports: Ports, bot_id: str) -> list[tuple[Order, list[Fill]]]:
    """Find executions of a bot's ended orders that are not booked."""
    traded: defaultdict[str, list[Fill]] = defaultdict(list)
    since_ms = (await ports.clock.reading()).venue_ms - DAY_MS
    for symbol in await ports.store.sent_symbols(bot_id, time.time_ns() // 10**6 - DAY_MS):
        for fill in await ports.account.recent_fills(symbol, since_ms):
            traded[fill.order_id].append(fill)
    booked = set(await ports.store.booked_trades(traded))
    return [
        (order, new)
        for order in await ports.store.known_orders(traded)
        if order.bot_id == bot_id and order.state.is_final
        if (new := [f for f in traded[order.id] if (f.order_id, f.trade_id) not in booked])
    ]


async def _end_ghosts(ports: Ports, request: Reconcile, found: _Found) -> None:
    """Cancel stops that are over on record and alive at the exchange."""
    known = await ports.store.known_stops(await ports.account.resting_stops())
    ghosts = [
        stop for stop in known if stop.bot_id == request.bot_id and stop.state is StopState.ENDED
    ]
    for stop in ghosts:
        log.error("a stop that is over is alive", bot=stop.bot_id, stop=stop.id)
        try:
            await ports.account.cancel_stop(stop)
        except OutcomeUnknown as error:
            found.unknown.append(f"the stop {stop.id} of {stop.symbol}, which is over: {error}")
            continue
        found.ghosts.append(stop.id)


async def _prove_all(ports: Ports, request: Reconcile, found: _Found) -> None:
    """Prove the stop of each coin."""
    about = About(request.bot_id, request.incarnation, request.cycle, request.epoch)
    portfolio = await ports.store.portfolio(request.bot_id)
    stops = await ports.store.resting_stops(request.bot_id)
    symbols = {*portfolio.positions, *(stop.symbol for stop in stops)} - set(request.leave)
    for symbol in sorted(symbols):
        try:
            exits = await keep_protected(ports, about, symbol)
        except NotSold as error:
            found.stuck.append(f"the stop of {symbol}: {error}")
            continue
        except (OutcomeUnknown, ExitUnfinished) as error:
            found.unknown.append(f"the stop of {symbol}: {error}")
            continue
        except LedgerBroken as error:
            found.broken.append(f"the stop of {symbol}: {BROKEN}: {error}")
            continue
        found.exits += [await outcome_of(ports, order) for order in exits]
        found.proven.append(symbol)
