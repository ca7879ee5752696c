"""What was sold that is on no bot's books: told once, as an event."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.rows import FILL, POSITION, add_event, read_order
from oxbot.adapters.postgres.schema import events, positions, trades
from oxbot.adapters.postgres.schema import fills as fills_table
from oxbot.domain.market import base_of
from oxbot.domain.money import plain
from oxbot.domain.orders import Fill, Order
from oxbot.domain.portfolio import Position
from oxbot.domain.resting import Beyond, within

SOLD_BEYOND: Final = "sold_beyond"
"""The kind of event that tells of coins that were sold and its bot did not have."""


async def take(connection: AsyncConnection, order: Order, fills: Sequence[Fill]) -> list[Fill]:
    """Take of an exit's fills what the books can, as the position is that is open now."""
    return within(fills, await _held(connection, order), await _traded(connection, order))


async def _held(connection: AsyncConnection, order: Order) -> Position | None:
    mine = (positions.c.bot_id == order.bot_id) & (positions.c.symbol == order.symbol)
    row = (await connection.execute(select(*POSITION).where(mine))).mappings().one_or_none()
    return None if row is None else Position.model_validate(dict(row))


async def _traded(connection: AsyncConnection, order: Order) -> list[Fill]:
    """Read the fills that were booked since the bot was flat in the coin.

    Each position ends with a trade, which has the number of the last fill before it.
    """
    last = select(func.coalesce(func.max(trades.c.fill_id), 0)).where(
        trades.c.bot_id == order.bot_id, trades.c.symbol == order.symbol
    )
    query = (
        select(*FILL)
        .where(fills_table.c.bot_id == order.bot_id, fills_table.c.symbol == order.symbol)
        .where(fills_table.c.id > last.scalar_subquery())
        .order_by(fills_table.c.id)
    )
    rows = (await connection.execute(query)).mappings()
    return [Fill.model_validate(dict(row)) for row in rows]


async def tell_beyond_stop(connection: AsyncConnection, order: Order, beyond: Beyond) -> None:
    """Tell what a stop has sold of the account's others."""
    if not beyond.quantity:
        return
    told = (
        f"The {order.purpose} of {order.symbol} that rested at the exchange sold "
        f"{plain(beyond.quantity)} {base_of(order.symbol)} more than the bot had, for "
        f"{plain(beyond.proceeds)} USDT after fees. They were the account's others, and neither is "
        "on this bot's books."
    )
    await _tell(connection, order, f"{SOLD_BEYOND}:{order.id}", told, beyond)


async def known_late(
    connection: AsyncConnection, order_id: str, fills: Sequence[Fill]
) -> list[Fill]:
    """Give the fills, known late, that the books can take; tell what they cannot.

    What an exit sold beyond what its bot had is a fact that nothing can book: told once, it stays
    told, whatever the bot has by now, and what is booked stays booked.
    """
    order = await read_order(connection, order_id)
    if not order.purpose.is_exit:
        return list(fills)
    new = await _new(connection, order, fills)
    taken = await take(connection, order, new)
    for fill in new:
        mine = [part for part in taken if part.trade_id == fill.trade_id]
        await _tell_late(connection, order, fill, Beyond.of([fill], mine))
    return taken


async def _new(connection: AsyncConnection, order: Order, fills: Sequence[Fill]) -> list[Fill]:
    """Leave out what is told or booked already."""
    keyed = {_late_key(fill): fill for fill in fills}
    of_bot = (events.c.bot_id == order.bot_id) & events.c.key.in_(keyed)
    told = set(await connection.scalars(select(events.c.key).where(of_bot)))
    of_order = fills_table.c.order_id == order.id
    booked = set(await connection.scalars(select(fills_table.c.trade_id).where(of_order)))
    return [f for key, f in keyed.items() if key not in told and f.trade_id not in booked]


def _late_key(fill: Fill) -> str:
    return f"{SOLD_BEYOND}:{fill.order_id}:{fill.trade_id}"


async def _tell_late(connection: AsyncConnection, order: Order, fill: Fill, beyond: Beyond) -> None:
    if not beyond.quantity:
        return
    told = (
        f"The {order.purpose} of {order.symbol} that became known late sold "
        f"{plain(beyond.quantity)} {base_of(order.symbol)} that the bot did not have then, for "
        f"{plain(beyond.proceeds)} USDT after fees. They were the account's others, and neither is "
        "on this bot's books."
    )
    await _tell(connection, order, _late_key(fill), told, beyond)


async def _tell(
    connection: AsyncConnection, order: Order, key: str, told: str, beyond: Beyond
) -> None:
    figures = {
        "order": order.id,
        "symbol": order.symbol,
        "quantity": plain(beyond.quantity),
        "proceeds": plain(beyond.proceeds),
    }
    await add_event(connection, order.bot_id, key, (SOLD_BEYOND, told), figures)
