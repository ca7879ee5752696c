"""What is on record of one bot, read straight from the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.schema import (
    bots,
    dust,
    fills,
    ledger_entries,
    orders,
    positions,
)

Rows = Sequence[RowMapping]


@dataclass(frozen=True)
class BotRecord:
    """Rows of the tables, oldest first."""

    bot: RowMapping
    orders: Rows
    fills: Rows
    positions: Rows
    dust: Rows
    postings: Rows

    @property
    def bot_id(self) -> str:
        return str(self.bot["id"])

    @property
    def is_stopped(self) -> bool:
        return bool(self.bot["status"] == "stopped")

    @property
    def unfinished(self) -> Rows:
        return [order for order in self.orders if order["finished_at"] is None]

    def fills_of(self, order_id: str) -> Rows:
        """Give what is booked of an order."""
        return [fill for fill in self.fills if fill["order_id"] == order_id]

    def filled(self, *purposes: str) -> Rows:
        """Give the orders of these purposes of which something is booked."""
        booked = {fill["order_id"] for fill in self.fills}
        return [o for o in self.orders if o["id"] in booked and o["purpose"] in purposes]

    @property
    def exits(self) -> Rows:
        booked = {fill["order_id"] for fill in self.fills}
        return [o for o in self.orders if o["id"] in booked and o["purpose"] != "entry"]


async def read_record(engine: AsyncEngine, bot_id: str) -> BotRecord:
    """Read all of one bot as of one moment."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")

        async def rows(query: Select[tuple[object, ...]]) -> Rows:
            return (await connection.execute(query)).mappings().all()

        def of(table: object, *by: object) -> Select[tuple[object, ...]]:
            return select(table).where(table.c.bot_id == bot_id).order_by(*by)

        [bot] = await rows(select(bots).where(bots.c.id == bot_id))
        return BotRecord(
            bot=bot,
            orders=await rows(of(orders, orders.c.number)),
            fills=await rows(of(fills, fills.c.id)),
            positions=await rows(of(positions, positions.c.symbol)),
            dust=await rows(of(dust, dust.c.symbol)),
            postings=await rows(of(ledger_entries, ledger_entries.c.posting)),
        )


def number(amount: object) -> Decimal:
    """Give an amount of whatever unit as a bare number."""
    return Decimal(getattr(amount, "number", amount))


