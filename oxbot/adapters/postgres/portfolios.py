"""What a bot owns, read by one statement, so that all of it is of one moment.

It is read several times a cycle; a round trip for each kind of thing would cost more than the
reading.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, bindparam, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.rows import POSITION, is_entry_of, may_cost, taken
from oxbot.adapters.postgres.schema import bots, dust, orders, positions
from oxbot.domain.bot import no_bot
from oxbot.domain.money import Notional, Quantity
from oxbot.domain.portfolio import Portfolio, Position

_BOT: Final = bindparam("bot_id", type_=bots.c.id.type)

_HELD: Final = select(*POSITION).where(positions.c.bot_id == _BOT).subquery("held")
_DUST: Final = (
    select(dust.c.symbol, dust.c.quantity)
    .where(dust.c.bot_id == _BOT, dust.c.quantity != Quantity(0))
    .subquery("rest")
)
_ENTRY: Final = (
    select(orders.c.symbol, orders.c.quantity, orders.c.limit_price)
    .where(is_entry_of(_BOT))
    .subquery("entry")
)
_COINS: Final = _HELD.join(_DUST, _HELD.c.symbol == _DUST.c.symbol, full=True).join(
    _ENTRY, func.coalesce(_HELD.c.symbol, _DUST.c.symbol) == _ENTRY.c.symbol, full=True
)

OWNED: Final = (
    select(
        bots.c.cash,
        *(column.label(f"held_{column.name}") for column in _HELD.c),
        _DUST.c.symbol.label("dust_symbol"),
        _DUST.c.quantity.label("dust_quantity"),
        _ENTRY.c.symbol.label("entry_symbol"),
        _ENTRY.c.quantity.label("entry_quantity"),
        _ENTRY.c.limit_price.label("entry_price"),
    )
    .select_from(bots.outerjoin(_COINS, true()))
    .where(bots.c.id == _BOT)
    .order_by(_HELD.c.symbol, _DUST.c.symbol)
)
"""A row a coin of which there is a position, dust or an entry under way; one if there is none.

A coin has at most one of each, which the tables' keys see to.
"""


async def read_portfolio(connection: AsyncConnection, bot_id: str) -> Portfolio:
    """Read what a bot owns.

    Raises:
        NotFound: There is no such bot.
    """
    rows = (await connection.execute(OWNED, {"bot_id": bot_id})).mappings().all()
    if not rows:
        raise no_bot(bot_id)
    return Portfolio(
        cash=rows[0]["cash"],
        reserved=_reserved(rows),
        positions={row["held_symbol"]: _position(row) for row in rows if row["held_symbol"]},
        dust={row["dust_symbol"]: row["dust_quantity"] for row in rows if row["dust_symbol"]},
    )


def _position(row: RowMapping) -> Position:
    return Position.model_validate(taken(row, "held_", Position.model_fields))


def _reserved(rows: Sequence[RowMapping]) -> Notional:
    entries = (row for row in rows if row["entry_symbol"])
    return sum(
        (may_cost(row["entry_price"], row["entry_quantity"]) for row in entries), Notional(0)
    )
