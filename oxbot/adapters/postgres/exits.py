"""Exits between cycles: intended one at a time, and told of."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.cycles import tell_filled
from oxbot.adapters.postgres.rows import ORDER, Records, lock_bot, order_row, read_order
from oxbot.adapters.postgres.schema import FINAL_STATES, orders, positions
from oxbot.domain.orders import Order
from oxbot.messages import OrderOutcome


class Exits(Records):
    """The part of the store that lets protections act."""

    async def intend_exit(self, order: Order, version: int) -> Order | None:
        """Write an exit down while its position is at this version; give the order to finish.

        Under the bot's row lock. None: the position is gone or has another version. An order
        already under way for the coin is given instead, and so is one of the same id.

        Raises:
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            await lock_bot(connection, order.bot_id)
            if await _version(connection, order) != version:
                return None
            under_way = await _under_way(connection, order)
            if under_way is not None:
                return under_way
            new = insert(orders).values(order_row(order))
            await connection.execute(new.on_conflict_do_nothing(index_elements=["id"]))
            return await read_order(connection, order.id)

    async def known_orders(self, order_ids: Collection[str]) -> list[Order]:
        """Give those of these orders that there are, oldest first."""
        query = select(*ORDER).where(orders.c.id.in_(order_ids)).order_by(orders.c.number)
        async with self._statements() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Order.model_validate(dict(row)) for row in rows]

    async def tell_exit(self, bot_id: str, cycle: int, outcome: OrderOutcome) -> None:
        """Tell once that an exit was filled; `cycle` is the last one before it."""
        async with self._transaction() as connection:
            await tell_filled(connection, bot_id, cycle, outcome)


async def _version(connection: AsyncConnection, order: Order) -> int | None:
    """Give the version of the position that an order is to close."""
    coin = (positions.c.bot_id == order.bot_id) & (positions.c.symbol == order.symbol)
    return await connection.scalar(select(positions.c.version).where(coin))


async def _under_way(connection: AsyncConnection, order: Order) -> Order | None:
    """Give the order of the same coin that has not ended."""
    coin = (orders.c.bot_id == order.bot_id) & (orders.c.symbol == order.symbol)
    query = select(*ORDER).where(coin, orders.c.state.not_in(FINAL_STATES))
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else Order.model_validate(dict(row))
