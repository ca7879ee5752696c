"""What is on record of one bot, read straight from the tables."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.schema import (
    bots,
    dust,
    fills,
    ledger_entries,
    orders,
    positions,
    resting_stops,
)
from oxbot.domain.market import base_of
from oxbot.domain.money import Amount

Row = Mapping[str, Any]  # Any: of each column its own
Rows = Sequence[Row]


@dataclass(frozen=True)
class BotRecord:
    """Rows of the tables, oldest first."""

    bot: Row
    orders: Rows
    fills: Rows
    positions: Rows
    dust: Rows
    postings: Rows
    stops: Rows = ()

    @property
    def bot_id(self) -> str:
        return str(self.bot["id"])

    @property
    def is_stopped(self) -> bool:
        return bool(self.bot["status"] == "stopped")

    @property
    def unfinished(self) -> Rows:
        """Give the orders of which something can still come.

        An entry that nobody has claimed needs a running bot of its epoch, and time before its end.
        """
        alive = self.bot["status"] == "running"
        return [
            order
            for order in self.orders
            if order["finished_at"] is None
            and (alive or order["state"] != "intended" or order["purpose"] != "entry")
        ]

    @property
    def is_unproven(self) -> bool:
        """Whether a live bot holds a coin whose stop has not been seen, or has not been yet."""
        alive = {stop["symbol"]: stop["state"] for stop in self.stops if stop["state"] != "ended"}
        held = {row["symbol"] for row in self.positions} if self.is_live else set()
        return any(alive.get(symbol) != "resting" for symbol in {*held, *alive})

    @property
    def is_live(self) -> bool:
        return bool(self.bot["settings"]["mode"] == "live")

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
    async with engine.execution_options(isolation_level="REPEATABLE READ").connect() as connection:

        async def rows(table: Table, of: str, by: str) -> Rows:
            query = select(table).where(table.c[of] == bot_id).order_by(table.c[by])
            return [dict(row) for row in (await connection.execute(query)).mappings()]

        [bot] = await rows(bots, "id", "id")
        return BotRecord(
            bot=bot,
            orders=await rows(orders, "bot_id", "number"),
            fills=await rows(fills, "bot_id", "id"),
            positions=await rows(positions, "bot_id", "symbol"),
            dust=await rows(dust, "bot_id", "symbol"),
            postings=await rows(ledger_entries, "bot_id", "posting"),
            stops=await rows(resting_stops, "bot_id", "number"),
        )


async def has_traded(engine: AsyncEngine, bot_id: str) -> bool:
    """Tell whether an entry and an exit of a bot are booked."""
    is_entry = orders.c.purpose == "entry"
    query = (
        select(is_entry)
        .where(orders.c.bot_id == bot_id, orders.c.id == fills.c.order_id)
        .distinct()
    )
    async with engine.connect() as connection:
        return len((await connection.scalars(query)).all()) > 1


async def has_sent(engine: AsyncEngine, bot_ids: Sequence[str]) -> bool:
    """Tell whether an order of one of these bots is being sent, or may have been."""
    query = select(orders.c.id).where(orders.c.bot_id.in_(bot_ids), orders.c.state == "sent")
    async with engine.connect() as connection:
        return bool((await connection.scalars(query.limit(1))).all())


def number(amount: Amount | Decimal) -> Decimal:
    """Give an amount of whatever unit as a bare number."""
    return amount.number if isinstance(amount, Amount) else amount


@dataclass(frozen=True)
class Claimed:
    """What all live bots say of an account: names of orders and stops, and what they have."""

    names: frozenset[str]
    gained: Decimal
    coins: Mapping[str, Decimal]


async def read_claims(engine: AsyncEngine) -> Claimed:
    """Read what all live bots say; `gained` is what their cash has grown by, in USDT."""
    coins: defaultdict[str, Decimal] = defaultdict(Decimal)
    gained = Decimal(0)
    async with engine.connect() as connection:
        live = [
            row
            for row in (await connection.execute(select(bots))).mappings()
            if row["settings"]["mode"] == "live"
        ]
        gained = sum(
            (number(row["cash"]) - Decimal(str(row["settings"]["capital"])) for row in live),
            Decimal(0),
        )
        for table in (positions, dust):
            query = select(table).where(table.c.bot_id.in_([row["id"] for row in live]))
            for row in (await connection.execute(query)).mappings():
                coins[base_of(row["symbol"])] += number(row["quantity"])
    return Claimed(await read_names(engine), gained, coins)


async def read_names(engine: AsyncEngine, bot_id: str = "") -> frozenset[str]:
    """Give the names of all orders and resting stops of a bot, or of all."""
    names: set[str] = set()
    async with engine.connect() as connection:
        for table in (orders, resting_stops):
            query = select(table.c.id)
            if bot_id:
                query = query.where(table.c.bot_id == bot_id)
            names.update((await connection.scalars(query)).all())
    return frozenset(names)
