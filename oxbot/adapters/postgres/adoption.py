"""Resting stops that were triggered: booked as the exits that they have become."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.cycles import tell_filled
from oxbot.adapters.postgres.rows import (
    POSITION,
    Records,
    add_event,
    lock_bot,
    order_row,
    read_order,
)
from oxbot.adapters.postgres.schema import orders, positions, resting_stops
from oxbot.adapters.postgres.settlement import settle_order
from oxbot.domain.market import Instrument, base_of
from oxbot.domain.money import plain
from oxbot.domain.orders import Fill, Order, OrderState
from oxbot.domain.portfolio import Position
from oxbot.domain.resting import Beyond, StopState, within
from oxbot.messages import OrderOutcome

SOLD_BEYOND: Final = "sold_beyond"
"""The kind of event that tells of coins that a stop has sold and its bot did not have."""

_WRITE: Final = (
    insert(orders).values(sent_at=func.now(), finished_at=func.now()).on_conflict_do_nothing()
)
_END: Final = (
    update(resting_stops)
    .where(resting_stops.c.id == bindparam("of_stop"))
    .values(state=StopState.ENDED, reason=bindparam("because"))
)


class Adoptions(Records):
    """The part of the store that books triggered stops."""

    async def adopt(self, order: Order, fills: Sequence[Fill], instrument: Instrument) -> Order:
        """Write down what a resting stop has become, book and tell it, and end the stop, at once.

        `fills` are all that it has traded. What it sold beyond what the bot has, or before the bot
        had it, is on no bot's books, and told. Who comes second finds it done.

        Raises:
            LedgerBroken: As `settle`, but for that; nothing was written.
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            bot = await lock_bot(connection, order.bot_id)
            taken, beyond = within(fills, await _held(connection, order))
            written = await connection.execute(_WRITE, order_row(_as_booked(order, taken)))
            if not written.rowcount:
                return await read_order(connection, order.id)
            await connection.execute(_END, {"of_stop": order.id, "because": order.reason})
            ended = await settle_order(connection, bot, order.id, (taken, instrument))
            if taken:
                outcome = OrderOutcome.of(ended, taken)
                await tell_filled(connection, order.bot_id, order.cycle, outcome)
            await _tell_beyond(connection, ended, beyond)
            return ended


async def _held(connection: AsyncConnection, order: Order) -> Position | None:
    """Read the bot's position in the coin."""
    mine = (positions.c.bot_id == order.bot_id) & (positions.c.symbol == order.symbol)
    row = (await connection.execute(select(*POSITION).where(mine))).mappings().one_or_none()
    return None if row is None else Position.model_validate(dict(row))


def _as_booked(order: Order, taken: Sequence[Fill]) -> Order:
    """Give the order as it is over: filled only if anything of it is on the books."""
    if taken:
        return order
    reason = f"{order.reason}; the bot had nothing that it could have sold"
    return order.model_copy(update={"state": OrderState.CANCELLED, "reason": reason})


async def _tell_beyond(connection: AsyncConnection, order: Order, beyond: Beyond) -> None:
    """Tell what was sold of the account's others."""
    if not beyond.quantity:
        return
    coin = base_of(order.symbol)
    told = (
        f"The {order.purpose} of {order.symbol} that rested at the exchange sold "
        f"{plain(beyond.quantity)} {coin} more than the bot had, for {plain(beyond.proceeds)} USDT "
        "after fees. They were the account's others, and neither is on this bot's books."
    )
    figures = {
        "order": order.id,
        "symbol": order.symbol,
        "quantity": plain(beyond.quantity),
        "proceeds": plain(beyond.proceeds),
    }
    key = f"{SOLD_BEYOND}:{order.id}"
    await add_event(connection, order.bot_id, key, (SOLD_BEYOND, told), figures)
