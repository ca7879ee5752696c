"""Orders: claimed by one, released, finished, listed."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import bindparam, case, exists, false, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.rows import (
    FILL,
    ORDER,
    Records,
    lock_bot_of_order,
    read_order,
)
from oxbot.adapters.postgres.schema import (
    FINAL_STATES,
    bots,
    fills,
    orders,
    positions,
    resting_stops,
    trades,
)
from oxbot.adapters.postgres.stops import MAY_REST
from oxbot.domain.bot import BotStatus
from oxbot.domain.lifecycle import finished, released, sources
from oxbot.domain.orders import Fill, Order, OrderState, Purpose

_IS_HELD = exists().where(
    positions.c.bot_id == orders.c.bot_id,
    positions.c.symbol == orders.c.symbol,
    func.abs(positions.c.quantity) >= orders.c.quantity,
)
"""Whether a bot holds, or owes, what an exit closes; a protection may have closed it meanwhile."""

_RESTS: Final = exists().where(
    resting_stops.c.bot_id == orders.c.bot_id, resting_stops.c.symbol == orders.c.symbol, MAY_REST
)
"""Whether a stop of the coin may rest at the exchange; it could sell what an exit sells."""

_END: Final = (
    update(orders).where(orders.c.id == bindparam("of_order")).values(finished_at=func.now())
)


class Orders(Records):
    """The part of the store that keeps orders."""

    async def unfinished_orders(self, bot_id: str) -> list[Order]:
        """Give the bot's orders that are not final, oldest first."""
        query = (
            select(*ORDER)
            .where(orders.c.bot_id == bot_id, orders.c.state.not_in(FINAL_STATES))
            .order_by(orders.c.number)
        )
        async with self._statements() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Order.model_validate(dict(row)) for row in rows]

    async def flat_among(self, bot_ids: Collection[str]) -> list[str]:
        """Give which of these bots hold nothing and have nothing under way; dust does not count."""
        held = select(positions.c.bot_id).where(positions.c.bot_id == bots.c.id)
        under_way = select(orders.c.bot_id).where(
            orders.c.bot_id == bots.c.id, orders.c.state.not_in(FINAL_STATES)
        )
        query = select(bots.c.id).where(bots.c.id.in_(bot_ids), ~held.exists(), ~under_way.exists())
        async with self._statements() as connection:
            return list(await connection.scalars(query))

    async def order(self, order_id: str) -> Order:
        """Give an order; NotFound."""
        async with self._statements() as connection:
            return await read_order(connection, order_id)

    async def claim(self, order_id: str, now_ms: int, fence_ms: int | None = None) -> bool:
        """Move intended → sent by compare-and-set; only the winner may send.

        `fence_ms` is kept: until then (venue time) the exchange takes what the winner sends, and
        nobody can know that it was not taken.

        An entry is only claimed while its bot is running, its epoch is unchanged and it has
        not expired (venue time); an exit, while so much is held and no stop of it may rest at the
        exchange. The bot's row is held
        meanwhile: a change of control or a settlement either comes first and is seen, or waits
        until the order counts as sent.
        """
        owner = select(orders.c.bot_id).where(orders.c.id == order_id).scalar_subquery()
        still = select(bots.c.status, bots.c.epoch).where(bots.c.id == owner)
        async with self._transaction() as connection:
            # A statement of its own: the next one sees all that was committed before the lock.
            bot = (await connection.execute(still.with_for_update(read=True))).one_or_none()
            if bot is None:
                return False
            runs = bot.status == BotStatus.RUNNING
            entry = (
                (orders.c.epoch == bot.epoch) & (orders.c.expires_at > now_ms) if runs else false()
            )
            is_entry = orders.c.purpose == Purpose.ENTRY
            claimed = (
                update(orders)
                .where(orders.c.id == order_id, orders.c.state.in_(sources(OrderState.SENT)))
                .where(case((is_entry, entry), else_=_IS_HELD & ~_RESTS))
                .values(state=OrderState.SENT, sent_at=func.now(), fence_at=fence_ms)
                .returning(orders.c.id)
            )
            return (await connection.execute(claimed)).one_or_none() is not None

    async def release(self, order: Order) -> Order:
        """Move sent → intended, for a claim of which certainly nothing reached the venue.

        One that another attempt has ended, released or claimed anew meanwhile is left as it is.

        Raises:
            NotFound: There is no such order.
        """
        async with self._transaction() as connection:
            stored = await _lock(connection, order)
            if stored.state is not OrderState.SENT or not is_as_known(order, stored):
                return stored
            # What was sent once is looked for among late executions: sent_at stays.
            values = {"state": released(stored).state, "fence_at": None}
            await connection.execute(update(orders).where(orders.c.id == order.id).values(values))
            return await read_order(connection, order.id)

    async def note_taken(self, order: Order) -> Order:
        """Move to open what the exchange has acknowledged; give it as stored.

        One that another attempt has ended or claimed anew meanwhile is left as it is.
        """
        async with self._transaction() as connection:
            stored = await _lock(connection, order)
            if not may_be_taken(order, stored):
                return stored
            values = {"state": OrderState.OPEN, "fence_at": order.fence_ms}
            await connection.execute(update(orders).where(orders.c.id == order.id).values(values))
            return await read_order(connection, order.id)

    async def finish_order(self, order: Order, state: OrderState, reason: str) -> Order:
        """Close an order without a fill, and give it as stored.

        One that is final, or that another attempt has released or claimed meanwhile, is left as
        it is: it may be at the venue.

        Raises:
            InputError: The state is not one that an order without a fill can end in.
            Conflict: Something of it is filled.
            NotFound: There is no such order.
        """
        async with self._transaction() as connection:
            stored = await _lock(connection, order)
            ended = finished(stored, state, reason)
            if not is_as_known(order, stored):
                return stored
            return await write_end(connection, stored, ended)

    async def fills(self, order_id: str) -> list[Fill]:
        """Give an order's fills, in the order in which they were booked."""
        query = select(*FILL).where(fills.c.order_id == order_id).order_by(fills.c.id)
        async with self._statements() as connection:
            rows = (await connection.execute(query)).mappings()
            return [Fill.model_validate(dict(row)) for row in rows]

    async def entries_since(self, bot_id: str, since_ms: int) -> int:
        """Count filled entries since a venue time."""
        query = (
            select(func.count(fills.c.order_id.distinct()))
            .join(orders, orders.c.id == fills.c.order_id)
            .where(fills.c.bot_id == bot_id, fills.c.at >= since_ms)
            .where(orders.c.purpose == Purpose.ENTRY)
        )
        async with self._statements() as connection:
            return (await connection.execute(query)).scalar_one()

    async def last_exits(self, bot_id: str) -> dict[str, int]:
        """Give for each coin the venue time at which its last position was closed."""
        query = (
            select(trades.c.symbol, func.max(trades.c.closed_at))
            .where(trades.c.bot_id == bot_id)
            .group_by(trades.c.symbol)
        )
        async with self._statements() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}


async def _lock(connection: AsyncConnection, order: Order) -> Order:
    await lock_bot_of_order(connection, order.id)
    return await read_order(connection, order.id)


def may_be_taken(known: Order, stored: Order) -> bool:
    """Whether nobody has claimed an order since this claim, though it may have been released."""
    released_since = stored.state is OrderState.INTENDED
    return released_since or (stored.state is OrderState.SENT and is_as_known(known, stored))


def is_as_known(known: Order, stored: Order) -> bool:
    """Whether nobody has moved an order on, or claimed it anew: each claim has its fence."""
    return (known.state, known.fence_ms) == (stored.state, stored.fence_ms)


async def write_end(connection: AsyncConnection, before: Order, after: Order) -> Order:
    """Write how an order ended, if anything has changed; give it as it is then."""
    if after != before:
        values = {"of_order": after.id, "state": after.state, "reason": after.reason}
        await connection.execute(_END, values)
    return after
