"""What was sold that is on no bot's books: told once, as an event."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.rows import POSITION, add_event, read_order
from oxbot.adapters.postgres.schema import events, positions
from oxbot.domain.market import base_of
from oxbot.domain.money import plain
from oxbot.domain.orders import Fill, Order
from oxbot.domain.portfolio import Position
from oxbot.domain.resting import Beyond

SOLD_BEYOND: Final = "sold_beyond"
"""The kind of event that tells of coins that were sold and its bot did not have."""


async def read_held(connection: AsyncConnection, order: Order) -> Position | None:
    """Read the position of an order's bot in its coin."""
    mine = (positions.c.bot_id == order.bot_id) & (positions.c.symbol == order.symbol)
    row = (await connection.execute(select(*POSITION).where(mine))).mappings().one_or_none()
    return None if row is None else Position.model_validate(dict(row))


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
    """Give the fills, known late, that the books can take; tell those that they cannot.

    An exit can have sold nothing of a position that was opened afterwards. What was told once
    stays told, whatever the bot has by now.
    """
    order = await read_order(connection, order_id)
    if not order.purpose.is_exit:
        return list(fills)
    held = await read_held(connection, order)
    keyed = {f"{SOLD_BEYOND}:{order.id}:{fill.trade_id}": fill for fill in fills}
    mine = (events.c.bot_id == order.bot_id) & events.c.key.in_(keyed)
    told = set(await connection.scalars(select(events.c.key).where(mine)))
    early = {k: f for k, f in keyed.items() if held and not held.was_open_at(f.at_ms)}
    for key, fill in early.items():
        await _tell_before(connection, order, key, fill)
    return [fill for key, fill in keyed.items() if key not in told | early.keys()]


async def _tell_before(connection: AsyncConnection, order: Order, key: str, fill: Fill) -> None:
    told = (
        f"The {order.purpose} of {order.symbol} that became known late sold "
        f"{plain(fill.quantity)} {base_of(order.symbol)} before the position that is open was "
        f"opened, for {plain(fill.cash)} USDT after fees. Neither is on this bot's books."
    )
    beyond = Beyond(quantity=fill.quantity, proceeds=fill.cash)
    await _tell(connection, order, key, told, beyond)


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
