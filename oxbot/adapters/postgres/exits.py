"""Exits between cycles: intended one at a time, and told of.

Many may be due at once, and each of them soon. So what a step rests on is read by one statement,
and statements are made once.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import and_, bindparam, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.cycles import tell_filled
from oxbot.adapters.postgres.rows import ORDER, POSITION, Records, order_row, taken
from oxbot.adapters.postgres.schema import FINAL_STATES, bots, orders, positions, resting_stops
from oxbot.adapters.postgres.stops import MAY_REST
from oxbot.domain.bot import no_bot
from oxbot.domain.orders import Order, OrderState
from oxbot.domain.portfolio import Position
from oxbot.messages import OrderOutcome
from oxbot.records import ExitIntent, ExitView

_BOT: Final = bindparam("bot_id", type_=bots.c.id.type)
_SYMBOL: Final = bindparam("symbol", type_=positions.c.symbol.type)
_ORDER_ID: Final = bindparam("order_id", type_=orders.c.id.type)

_CONCERNED: Final = or_(orders.c.state.not_in(FINAL_STATES), orders.c.id == _ORDER_ID)

_VIEW: Final = (
    select(
        bots.c.settings["venue"].astext.label("venue"),
        exists()
        .where(resting_stops.c.bot_id == bots.c.id, resting_stops.c.symbol == _SYMBOL, MAY_REST)
        .label("rests"),
        *(column.label(f"held_{column.name}") for column in POSITION),
        *(column.label(f"order_{column.name}") for column in ORDER),
    )
    .select_from(
        bots.outerjoin(
            positions, and_(positions.c.bot_id == bots.c.id, positions.c.symbol == _SYMBOL)
        ).outerjoin(
            orders, and_(orders.c.bot_id == bots.c.id, orders.c.symbol == _SYMBOL, _CONCERNED)
        )
    )
    .where(bots.c.id == _BOT)
    .order_by(orders.c.number)
)
"""A row for each order that is concerned; one if there is none."""

_LOCK: Final = select(bots.c.id).where(bots.c.id == _BOT).with_for_update(key_share=True)
_WRITE: Final = insert(orders).values(sent_at=func.now())


class Exits(Records):
    """The part of the store that lets protections act."""

    async def exit_view(self, bot_id: str, symbol: str, order_id: str) -> ExitView:
        """Give what closing a bot's coin rests on, and the order of this id.

        Raises:
            NotFound: There is no such bot.
        """
        async with self._statements() as connection:
            return await _view(connection, bot_id, symbol, order_id)

    async def intend_exit(self, order: Order, version: int) -> ExitIntent | None:
        """Write an exit down as sent while its position is at this version.

        Under the bot's row lock, so that nobody settles or writes an order down meanwhile. None:
        the position is gone or has another version, or a stop of it may rest at the exchange. An
        order already under way for the coin is given instead, and so is one of the same id.

        Raises:
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            # A statement of its own: the next one sees all that was committed before the lock.
            await connection.execute(_LOCK, {"bot_id": order.bot_id})
            seen = await _view(connection, order.bot_id, order.symbol, order.id)
            if seen.position is None or seen.position.version != version or seen.rests:
                return None
            if seen.orders:
                under_way = (known for known in seen.orders if not known.state.is_final)
                return ExitIntent(order=next(under_way, seen.orders[0]), claimed=False)
            sent = order.model_copy(update={"state": OrderState.SENT})
            await connection.execute(_WRITE, order_row(sent))
            return ExitIntent(order=sent, claimed=True)

    async def known_orders(self, order_ids: Collection[str]) -> list[Order]:
        """Give those of these orders that there are, oldest first."""
        query = select(*ORDER).where(orders.c.id.in_(order_ids)).order_by(orders.c.number)
        async with self._statements() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Order.model_validate(dict(row)) for row in rows]

    async def tell_order(self, bot_id: str, cycle: int, outcome: OrderOutcome) -> None:
        """Tell once that an order was filled; `cycle` is the last one before it."""
        async with self._statements() as connection:
            await tell_filled(connection, bot_id, cycle, outcome)


async def _view(connection: AsyncConnection, bot_id: str, symbol: str, order_id: str) -> ExitView:
    asked = {"bot_id": bot_id, "symbol": symbol, "order_id": order_id}
    rows = (await connection.execute(_VIEW, asked)).mappings().all()
    if not rows:
        raise no_bot(bot_id)
    position = taken(rows[0], "held_", Position.model_fields)
    concerned = (
        taken(row, "order_", Order.model_fields) for row in rows if row["order_id"] is not None
    )
    return ExitView(
        venue=rows[0]["venue"],
        rests=rows[0]["rests"],
        position=None if position["symbol"] is None else Position.model_validate(position),
        orders=tuple(Order.model_validate(order) for order in concerned),
    )
