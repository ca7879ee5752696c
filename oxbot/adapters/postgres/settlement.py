"""Settlement: what a fill changes is changed in one transaction, once."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, and_, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.beyond import known_late
from oxbot.adapters.postgres.holdings import add_dust, add_trade, keep_position
from oxbot.adapters.postgres.orders import is_as_known, write_end
from oxbot.adapters.postgres.portfolios import read_portfolio
from oxbot.adapters.postgres.postings import post
from oxbot.adapters.postgres.rows import (
    FILL,
    ORDER,
    POSITION,
    Records,
    lock_bot_of_order,
    taken,
)
from oxbot.adapters.postgres.schema import bots, fills, orders, positions
from oxbot.adapters.postgres.stops import write_brought
from oxbot.domain.bot import Mode
from oxbot.domain.errors import LedgerBroken
from oxbot.domain.lifecycle import settled
from oxbot.domain.market import Instrument
from oxbot.domain.money import Notional
from oxbot.domain.orders import Fill, Order
from oxbot.domain.portfolio import Portfolio, Position
from oxbot.domain.resting import attached_id, stop_of
from oxbot.domain.settlement import settle

_ORDER_ID: Final = bindparam("order_id", type_=orders.c.id.type)
_KNOWN: Final = (
    select(
        *(column.label(f"order_{column.name}") for column in ORDER),
        *(column.label(f"held_{column.name}") for column in POSITION),
        *(column.label(f"fill_{column.name}") for column in FILL),
    )
    .select_from(
        orders.outerjoin(
            positions,
            and_(positions.c.bot_id == orders.c.bot_id, positions.c.symbol == orders.c.symbol),
        ).outerjoin(fills, fills.c.order_id == orders.c.id)
    )
    .where(orders.c.id == _ORDER_ID)
    .order_by(fills.c.id)
)
"""A row for each fill of an order that is booked; one if there is none."""

_ADD_FILL: Final = insert(fills).on_conflict_do_nothing().returning(fills.c.id)
_LEAVE: Final = update(bots).where(bots.c.id == bindparam("of_bot"))


class Settlements(Records):
    """The part of the store that keeps what a bot owns."""

    async def portfolio(self, bot_id: str) -> Portfolio:
        """Give cash, reserved cash, positions and dust, all as of one moment."""
        async with self._statements() as connection:
            return await read_portfolio(connection, bot_id)

    async def settle(
        self,
        order_id: str,
        fills: Sequence[Fill],
        instrument: Instrument,
        *,
        is_late: bool = False,
        claim: Order | None = None,
    ) -> Order:
        """Book fills, position, ledger, trade and order state in one transaction.

        Under the bot's row lock: whoever comes second finds the fills booked and leaves them
        as they are. The list is all that the order will ever trade, so that the order is final
        afterwards: filled if anything was, else cancelled.

        `is_late` says that the order was over on record before: what an exit then has sold beyond
        what the bot had is on no bot's books, and told.

        `claim` is the order as it was claimed, where its fills are of no venue but of that claim:
        if the order has ended, or was released or claimed anew meanwhile, they have never been.

        Raises:
            LedgerBroken: A fill is not of this order, or more than was ordered or held.
            NotFound: There is no such order.
        """
        async with self._transaction() as connection:
            bot = await lock_bot_of_order(connection, order_id)
            if is_late:
                fills = await known_late(connection, order_id, fills)
            return await settle_order(connection, bot, order_id, (fills, instrument), claim)


async def settle_order(
    connection: AsyncConnection,
    bot: RowMapping,
    order_id: str,
    news: tuple[Sequence[Fill], Instrument],
    claim: Order | None = None,
) -> Order:
    """Book what is new of an order's fills, within a transaction that has locked the bot's row."""
    fills, instrument = news
    order, position, booked = await _known(connection, order_id)
    if claim and not is_as_known(claim, order):
        return order
    new = [fill for fill in _once(fills) if fill.trade_id not in booked]
    ended = settled(order, [*booked.values(), *new])
    if new:
        before = bot["cash"], position
        after = await _book(connection, bot, (order, before), (new, instrument))
        if after is not None and bot["settings"]["mode"] == Mode.LIVE:
            await _protect(connection, order, after, (new[-1], instrument))
    return await write_end(connection, order, ended)


async def _protect(
    connection: AsyncConnection,
    order: Order,
    position: Position,
    news: tuple[Fill, Instrument],
) -> None:
    """Write down the stop that an entry has brought: it is there as soon as the entry is over."""
    if order.purpose.is_exit:
        return
    last, instrument = news
    named = (attached_id(order.id), 1, last.at_ms)
    stop = stop_of(position, instrument, order.bot_id, named)
    if stop is not None:
        await write_brought(connection, stop)


async def _known(
    connection: AsyncConnection, order_id: str
) -> tuple[Order, Position | None, dict[str, Fill]]:
    """Read what a settlement rests on: the order, its coin's position, its fills so far."""
    rows = (await connection.execute(_KNOWN, {"order_id": order_id})).mappings().all()
    position = taken(rows[0], "held_", Position.model_fields)
    booked = (taken(row, "fill_", Fill.model_fields) for row in rows if row["fill_trade_id"])
    return (
        Order.model_validate(taken(rows[0], "order_", Order.model_fields)),
        None if position["symbol"] is None else Position.model_validate(position),
        {str(fill["trade_id"]): Fill.model_validate(fill) for fill in booked},
    )


def _once(given: Sequence[Fill]) -> list[Fill]:
    """Give each trade once, oldest first."""
    return sorted(
        {fill.trade_id: fill for fill in given}.values(), key=lambda f: (f.at_ms, f.trade_id)
    )


async def _book(
    connection: AsyncConnection,
    bot: RowMapping,
    state: tuple[Order, tuple[Notional, Position | None]],
    news: tuple[Sequence[Fill], Instrument],
) -> Position | None:
    """Book new fills one after the other, then the cash they leave; give the position after."""
    order, (cash, position) = state
    new, instrument = news
    coin = order.bot_id, order.symbol
    for fill in new:
        last = fill is new[-1]
        change = settle(position, cash, order, fill, instrument, last=last)
        fill_id = await _add_fill(connection, bot, fill, {**_steps(instrument), "last": last})
        await post(connection, order.bot_id, f"fill:{fill_id}", change.entries)
        await keep_position(connection, coin, change.position)
        await add_dust(connection, coin, change.dust)
        if change.trade:
            await add_trade(connection, order.bot_id, fill_id, change.trade)
        cash, position = change.cash, change.position
    await connection.execute(_LEAVE, {"of_bot": order.bot_id, "cash": cash})
    return position


def _steps(instrument: Instrument) -> dict[str, object]:
    return instrument.model_dump(include={"tick", "lot", "minimum"})


async def _add_fill(
    connection: AsyncConnection, bot: RowMapping, fill: Fill, settled_under: dict[str, object]
) -> int:
    """Write a fill, with what it was settled under; give its number."""
    settings = bot["settings"]
    values = {
        **fill.model_dump(exclude={"at_ms"}),
        **settled_under,
        "at": fill.at_ms,
        "bot_id": bot["id"],
        "venue": f"{settings['mode']}:{settings['venue']}",
    }
    fill_id = (await connection.execute(_ADD_FILL, values)).scalar_one_or_none()
    if fill_id is None:
        raise LedgerBroken(f"Fill {fill.trade_id} is booked already, for another order.")
    return int(fill_id)
