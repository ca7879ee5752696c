"""What the exchange shows nowhere, ended at the word of a person who has looked there."""

from typing import Final

import structlog

from oxbot.app.orders import find_out
from oxbot.app.ports import Ports
from oxbot.app.reconciliation import reconcile_bot
from oxbot.domain.bot import Mode
from oxbot.domain.errors import Conflict, InputError, NotFound, NotShown, OutcomeUnknown
from oxbot.domain.orders import Order, OrderState
from oxbot.domain.resting import RestingStop, StopState
from oxbot.messages import Reconciliation, SayOver

SAID_OVER: Final = "said_over"
"""The kind of event that tells of it."""

WAIT_MS: Final = 3_600_000
"""So long (venue ms) after its request has expired it is looked for: it may only be late."""

NOTHING: Final = "Nothing was ended"
SAID: Final = "it has traded nothing, says "

log = structlog.get_logger(__name__)


async def say_over(ports: Ports, request: SayOver) -> Reconciliation:
    """Look once more, end what is shown nowhere, and prove what is left.

    What it has traded after all is booked like that of any order that is over, if OKX shows it
    within a day. Called again it finds what was done, and goes on from there.

    Raises:
        Conflict: It is known what became of it, or may yet become known. Nothing was ended.
        InputError: The bot trades on paper.
        NotFound: The bot has no such order or stop.
        Unavailable: The exchange or the record does not answer.
    """
    bot = await ports.store.bot(request.reconcile.bot_id)
    if bot.settings.mode is not Mode.LIVE:
        raise InputError(f"{NOTHING}: bot {bot.id} trades on paper, and has no account.")
    await reconcile_bot(ports, request.reconcile)
    await _end(ports, request)
    await _tell(ports, request)
    found = await reconcile_bot(ports, request.reconcile)
    return found.model_copy(update={"said_over": (request.wish.order_id,)})


async def _end(ports: Ports, request: SayOver) -> None:
    bot_id, known_id = request.reconcile.bot_id, request.wish.order_id
    orders = await ports.store.unfinished_orders(bot_id)
    stops = await ports.store.resting_stops(bot_id)
    if order := next((order for order in orders if order.id == known_id), None):
        await _end_order(ports, order, request)
    elif stop := next((stop for stop in stops if stop.id == known_id), None):
        await _end_stop(ports, stop, request)
    else:
        await _must_be_done(ports, request)


async def _end_order(ports: Ports, order: Order, request: SayOver) -> None:
    if not order.state.may_trade:
        raise Conflict(f"{NOTHING}: the order {order.id} is not at the exchange.")
    await _must_have_waited(ports, order.id, order.fence_ms or 0)
    try:
        known = await find_out(ports, order)
    except NotShown:
        because = _because(request)
        known = await ports.store.finish_order(order, OrderState.CANCELLED, because)
        if known.reason == because:
            return
    except OutcomeUnknown as error:
        raise Conflict(f"{NOTHING}: OKX does not say that it has no such order. {error}") from error
    raise Conflict(f"{NOTHING}: it is known what became of the order {order.id}: {known.state}.")


async def _end_stop(ports: Ports, stop: RestingStop, request: SayOver) -> None:
    await _must_have_waited(ports, stop.id, stop.fence_ms)
    try:
        seen = await ports.account.see_stop(stop)
    except NotShown:
        await ports.store.note_stop(stop.id, StopState.ENDED, _because(request))
    except OutcomeUnknown as error:
        raise Conflict(f"{NOTHING}: OKX does not say that it has no such stop. {error}") from error
    else:
        raise Conflict(f"{NOTHING}: it is known what became of the stop {stop.id}: {seen.state}.")


async def _must_have_waited(ports: Ports, known_id: str, fence_ms: int) -> None:
    left_ms = fence_ms + WAIT_MS - (await ports.clock.reading()).venue_ms
    if left_ms > 0:
        raise Conflict(
            f"{NOTHING}: OKX may only be late with {known_id}. It is looked for by itself; say it "
            f"again in {left_ms // 60_000 + 1} min, if it is nowhere then."
        )


async def _must_be_done(ports: Ports, request: SayOver) -> None:
    """Refuse what was not ended by a person's word before."""
    bot_id, known_id = request.reconcile.bot_id, request.wish.order_id
    orders = await ports.store.known_orders((known_id,))
    stops = await ports.store.known_stops((known_id,))
    known: list[Order | RestingStop] = [*orders, *stops]
    mine = [each for each in known if each.bot_id == bot_id]
    if not mine:
        raise NotFound(f"{NOTHING}: bot {bot_id} has no order or stop {known_id}.")
    if not any(each.reason.startswith(SAID) for each in mine):
        why = "; ".join(f"{each.state} {each.reason}".strip() for each in mine)
        raise Conflict(f"{NOTHING}: {known_id} is over: {why}.")


def _because(request: SayOver) -> str:
    wish = request.wish
    return f"{SAID}{wish.by}" + (f": {wish.reason}" if wish.reason else "")


async def _tell(ports: Ports, request: SayOver) -> None:
    bot_id, known_id = request.reconcile.bot_id, request.wish.order_id
    told = f"{known_id}, which OKX shows nowhere, is over: {_because(request)}."
    if await ports.store.tell(bot_id, f"{SAID_OVER}:{known_id}", SAID_OVER, told):
        log.error("said to be over", bot=bot_id, order=known_id, by=request.wish.by)
