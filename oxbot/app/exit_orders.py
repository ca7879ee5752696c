"""The order that closes a position at once: what it is for, and how much of it."""

from collections.abc import Collection
from typing import Final

from oxbot.app.orders import mode_of
from oxbot.app.ports import Ports
from oxbot.domain.bot import Mode
from oxbot.domain.money import plain
from oxbot.domain.orders import Order, OrderKey, Purpose
from oxbot.domain.portfolio import Position
from oxbot.messages import ProtectPosition

_PLAINLY: Final = {
    Purpose.STOP: "stop: the exchange takes none for this position",
    Purpose.HOLD: "longest hold: held as long as allowed",
    Purpose.FLATTEN: "flatten: a person wants everything sold",
}


async def exit_order(
    ports: Ports, request: ProtectPosition, position: Position, tried: Collection[str]
) -> Order | None:
    """Make the order that closes the whole lots of a position; None: that is below the minimum."""
    meant = request.protect
    instrument = (await ports.feed.instruments((meant.symbol,)))[meant.symbol]
    quantity = abs(instrument.whole_lots(position.quantity))
    if quantity < instrument.minimum:
        return None
    is_live = await mode_of(ports, request.bot_id) is Mode.LIVE
    key = key_of(ports, request, 1)
    while key.order_id in tried:
        key = key.model_copy(update={"attempt": key.attempt + 1})
    return Order(
        id=key.order_id,
        bot_id=request.bot_id,
        incarnation=request.incarnation,
        cycle=request.cycle,
        symbol=meant.symbol,
        side=position.exit_side,
        purpose=meant.purpose,
        quantity=quantity,
        resting=None if is_live else meant.resting,
        crossed_ms=meant.crossed_ms or None,
        epoch=request.epoch,
        reason=_why(position, request),
    )


def key_of(ports: Ports, request: ProtectPosition, attempt: int) -> OrderKey:
    """Say what the order of an attempt at a protection is for."""
    meant = request.protect
    return OrderKey(
        installation=ports.installation,
        bot_id=request.bot_id,
        incarnation=request.incarnation,
        cause=f"p{meant.opened_ms}v{meant.version}:{meant.purpose}",
        symbol=meant.symbol,
        purpose=meant.purpose,
        attempt=attempt,
    )


def _why(position: Position, request: ProtectPosition) -> str:
    """Tell what the exit rests on."""
    meant = request.protect
    if meant.because:
        return meant.because
    guards = {
        Purpose.STOP: ("the stop", position.stop_price),
        Purpose.TARGET: ("the target", position.target_price),
        Purpose.TRAIL: ("the trailing stop", position.trail_price),
    }
    name, guard = guards.get(meant.purpose, ("", None))
    if guard is None or meant.price is None:
        return _PLAINLY.get(meant.purpose, f"{meant.purpose} between cycles")
    return f"{name} between cycles: {plain(meant.price)} reached {plain(guard)}"
