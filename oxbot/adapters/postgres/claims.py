"""What all live bots of a venue say is theirs in the account that they share."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.columns import Money
from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import FINAL_STATES, bots, dust, fills, orders, positions
from oxbot.domain.bot import BotStatus, Mode
from oxbot.domain.market import base_of
from oxbot.domain.money import Notional, Quantity
from oxbot.domain.orders import OrderState
from oxbot.records import Claims

_LIVE: Final = (bots.c.settings["mode"].astext == Mode.LIVE) & (bots.c.status != BotStatus.STOPPED)


class Claimed(Records):
    """The part of the store that adds up what live bots have."""

    async def claims(self, venue: str) -> Claims:
        """Give what all live bots of a venue that are not stopped have, as of one moment."""
        async with self._still_picture() as connection:
            return await read_claims(connection, venue)

    async def booked_trades(self, order_ids: Collection[str]) -> list[tuple[str, str]]:
        """Give what is booked of these orders: the order's id and the venue's trade id."""
        query = select(fills.c.order_id, fills.c.trade_id).where(fills.c.order_id.in_(order_ids))
        async with self._statements() as connection:
            rows = await connection.execute(query)
            return [(row.order_id, row.trade_id) for row in rows]

    async def sent_symbols(self, bot_id: str, since_ms: int) -> list[str]:
        """Give the pairs of which a bot has sent an order since a wall time."""
        query = (
            select(orders.c.symbol)
            .distinct()
            .where(orders.c.bot_id == bot_id, orders.c.sent_at >= since_ms)
        )
        async with self._statements() as connection:
            return sorted((await connection.scalars(query)).all())


async def read_claims(connection: AsyncConnection, venue: str) -> Claims:
    """Read what all live bots of a venue that are not stopped have; the last fill last."""
    of_venue = _LIVE & (bots.c.settings["venue"].astext == venue)
    return Claims(
        cash=await live_cash(connection, venue),
        coins=await _coins(connection, of_venue),
        sent=await _sent(connection, of_venue),
        fills=await _last_fill(connection, of_venue),
    )


async def live_cash(connection: AsyncConnection, venue: str) -> Notional:
    """Sum the cash of all live bots of a venue that are not stopped, in USDT."""
    cash = func.sum(bots.c.cash, type_=Money(Notional))
    query = select(cash).where(_LIVE, bots.c.settings["venue"].astext == venue)
    return (await connection.scalar(query)) or Notional(0)


async def _coins(connection: AsyncConnection, of_venue: ColumnElement[bool]) -> dict[str, Quantity]:
    """Sum positions and dust by coin."""
    coins: dict[str, Quantity] = {}
    for table in (positions, dust):
        held = func.sum(table.c.quantity, type_=Money(Quantity))
        query = (
            select(table.c.symbol, held.label("held"))
            .join(bots, bots.c.id == table.c.bot_id)
            .where(of_venue)
            .group_by(table.c.symbol)
        )
        for row in await connection.execute(query):
            coin = base_of(row.symbol)
            coins[coin] = coins.get(coin, Quantity(0)) + row.held
    return coins


async def _sent(connection: AsyncConnection, of_venue: ColumnElement[bool]) -> tuple[str, ...]:
    query = (
        select(orders.c.symbol)
        .distinct()
        .join(bots, bots.c.id == orders.c.bot_id)
        .where(of_venue, orders.c.state.not_in(FINAL_STATES))
        .where(orders.c.state != OrderState.INTENDED)
    )
    return tuple(sorted((await connection.scalars(query)).all()))


async def _last_fill(connection: AsyncConnection, of_venue: ColumnElement[bool]) -> int:
    query = select(func.max(fills.c.id)).join(bots, bots.c.id == fills.c.bot_id).where(of_venue)
    return (await connection.scalar(query)) or 0
