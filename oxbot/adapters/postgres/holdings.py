"""What a bot has of one coin, written: its position, its dust, and the trade of a position's end.

A coin is named by its bot and its symbol.
"""

from typing import Final

from sqlalchemy import bindparam, delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.schema import dust, positions, trades
from oxbot.domain.money import Quantity
from oxbot.domain.portfolio import Direction, Position, Trade

Coin = tuple[str, str]

_ADD_TRADE: Final = insert(trades)
_END_POSITION: Final = delete(positions).where(
    positions.c.bot_id == bindparam("of_bot"), positions.c.symbol == bindparam("of_symbol")
)
_REST: Final = insert(dust)
_ADD_DUST: Final = _REST.on_conflict_do_update(
    index_elements=["bot_id", "symbol"],
    set_={"quantity": dust.c.quantity + _REST.excluded.quantity},
)


async def keep_position(connection: AsyncConnection, coin: Coin, position: Position | None) -> None:
    """Write a position as it is now; None: there is none any more."""
    bot_id, symbol = coin
    if position is None:
        await connection.execute(_END_POSITION, {"of_bot": bot_id, "of_symbol": symbol})
        return
    state = {
        **position.model_dump(exclude={"opened_ms", "symbol"}),
        "opened_at": position.opened_ms,
    }
    new = insert(positions).values({"bot_id": bot_id, "symbol": symbol, **state})
    # The price watch may have bettered it meanwhile; it never gets worse.
    better_of = func.greatest if position.direction is Direction.LONG else func.least
    best = better_of(positions.c.best, new.excluded.best)
    await connection.execute(
        new.on_conflict_do_update(index_elements=["bot_id", "symbol"], set_={**state, "best": best})
    )


async def add_dust(connection: AsyncConnection, coin: Coin, quantity: Quantity) -> None:
    """Put a remainder to the coin's dust; rests may add up, be lost, or meet what is owed."""
    bot_id, symbol = coin
    if quantity:
        rest = {"bot_id": bot_id, "symbol": symbol, "quantity": quantity}
        await connection.execute(_ADD_DUST, rest)


async def add_trade(connection: AsyncConnection, bot_id: str, fill_id: int, trade: Trade) -> None:
    """Write a trade, under its last fill."""
    values = {
        **trade.model_dump(exclude={"opened_ms", "closed_ms"}),
        "opened_at": trade.opened_ms,
        "closed_at": trade.closed_ms,
        "bot_id": bot_id,
        "fill_id": fill_id,
    }
    await connection.execute(_ADD_TRADE, values)
