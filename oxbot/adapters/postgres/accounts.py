"""Accounts: what the bots of one of them have together, and what losses are from.

On paper each owner has one on each venue. Live there is one on the venue, whoever owns the bots.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    RowMapping,
    Select,
    Text,
    and_,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.bots import bot_from
from oxbot.adapters.postgres.columns import Money
from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import (
    FINAL_STATES,
    accounts,
    bots,
    equity_points,
    orders,
    positions,
)
from oxbot.domain.account import Account, Holding
from oxbot.domain.bot import BotStatus, Mode, no_bot
from oxbot.domain.money import Notional, Price, Quantity, to_scale
from oxbot.domain.orders import Purpose
from oxbot.domain.risk import Marks

CASH: Final = "cash"
RESERVED: Final = "reserved"
HELD: Final = "held"
OWED: Final = "owed"

NOBODY: Final = ""
"""Owner of the one account of a venue on which all live bots trade; no bot's owner is empty."""


class Accounts(Records):
    """The part of the store that sees a bot beside its account's others, and in its own past."""

    async def account(self, bot_id: str) -> Account:
        """Give what its account's other bots have, those stopped left out."""
        async with self._transaction() as connection:
            return await _account(connection, await _bot(connection, bot_id))

    async def marks(self, bot_id: str, midnight_ms: int) -> Marks:
        """Give what equity is measured against; `midnight_ms` is when the venue's day began."""
        async with self._transaction() as connection:
            bot = await _bot(connection, bot_id)
            before = await connection.scalar(_last_before(bot_id, midnight_ms))
            lowest = await connection.scalar(_lowest_since(bot_id, midnight_ms))
        return Marks(
            day_start=bot_from(bot).settings.capital if before is None else before,
            day_lowest=lowest,
            high_water=bot["high_water"],
        )


async def locked_account(connection: AsyncConnection, bot: RowMapping) -> Account:
    """Lock the account of a bot until the transaction ends, and read its other bots' part.

    Taken after the bot's own row, and no other bot's row is ever taken after it, so that no
    two transactions wait for each other.
    """
    settings = bot["settings"]
    owner, venue = NOBODY if _is_live(bot) else settings["owner"], settings["venue"]
    new = insert(accounts).values(owner=owner, venue=venue).on_conflict_do_nothing()
    await connection.execute(new)
    mine = (accounts.c.owner == owner) & (accounts.c.venue == venue)
    await connection.execute(select(accounts).where(mine).with_for_update())
    return await _account(connection, bot)


async def _bot(connection: AsyncConnection, bot_id: str) -> RowMapping:
    row = (await connection.execute(select(bots).where(bots.c.id == bot_id))).mappings()
    found = row.one_or_none()
    if found is None:
        raise no_bot(bot_id)
    return found


async def _account(connection: AsyncConnection, bot: RowMapping) -> Account:
    """Read it by one statement: a fill that is settled meanwhile counts once, not never."""
    rows = (await connection.execute(_parts(bot))).all()
    reserved = (
        to_scale(Price.exactly(row.price) * Quantity.exactly(row.amount))
        for row in rows
        if row.kind == RESERVED
    )
    return Account(
        cash=sum((Notional.exactly(row.amount) for row in rows if row.kind == CASH), Notional(0)),
        reserved=sum(reserved, Notional(0)),
        holdings=_holdings(row for row in rows if row.kind == HELD),
        owed=_holdings(row for row in rows if row.kind == OWED),
    )


def _holdings(rows: Iterable[Row[str, str, Decimal, Decimal]]) -> dict[str, Holding]:
    return {
        row.symbol: Holding(quantity=Quantity.exactly(row.amount), cost=Notional.exactly(row.price))
        for row in rows
    }


def _parts(bot: RowMapping) -> CompoundSelect[str, str, Decimal, Decimal]:
    """Select the other bots' cash, their entries under way, what they hold and owe by coin."""
    others = and_(*_same(bot), bots.c.status != BotStatus.STOPPED, bots.c.id != bot["id"])
    under_way = (orders.c.purpose == Purpose.ENTRY) & orders.c.state.not_in(FINAL_STATES)
    return union_all(
        _part(CASH, literal("", Text), bots.c.cash, literal(Decimal(0), Money)).where(others),
        _part(RESERVED, orders.c.symbol, orders.c.quantity, orders.c.limit_price)
        .join(bots, bots.c.id == orders.c.bot_id)
        .where(others, under_way),
        _summed(HELD).where(others, positions.c.quantity > Decimal(0)),
        _summed(OWED).where(others, positions.c.quantity < Decimal(0)),
    )


def _same(bot: RowMapping) -> list[ColumnElement[bool]]:
    """Give what bots of one account have in common."""
    shared = ("venue", "mode") if _is_live(bot) else ("venue", "mode", "owner")
    return [bots.c.settings[name].astext == bot["settings"][name] for name in shared]


def _is_live(bot: RowMapping) -> bool:
    return bool(bot["settings"]["mode"] == Mode.LIVE)


def _summed(kind: str) -> Select[str, str, Decimal, Decimal]:
    """Select the bots' positions, summed by coin."""
    quantity = func.sum(positions.c.quantity, type_=Money)
    summed = _part(kind, positions.c.symbol, quantity, func.sum(positions.c.cost, type_=Money))
    of_bots = summed.join(bots, bots.c.id == positions.c.bot_id)
    return of_bots.group_by(positions.c.symbol)


def _part(
    kind: str,
    symbol: ColumnElement[str],
    amount: ColumnElement[Decimal],
    price: ColumnElement[Decimal],
) -> Select[str, str, Decimal, Decimal]:
    return select(
        literal(kind, Text).label("kind"),
        symbol.label("symbol"),
        type_coerce(amount, Money).label("amount"),
        type_coerce(price, Money).label("price"),
    )


def _last_before(bot_id: str, moment_ms: int) -> Select[Notional]:
    return (
        select(equity_points.c.equity)
        .where(equity_points.c.bot_id == bot_id, equity_points.c.fresh)
        .where(equity_points.c.at < moment_ms)
        .order_by(equity_points.c.at.desc(), equity_points.c.cycle.desc())
        .limit(1)
    )


def _lowest_since(bot_id: str, moment_ms: int) -> Select[Notional]:
    return (
        select(func.min(equity_points.c.equity, type_=Money(Notional)))
        .where(equity_points.c.bot_id == bot_id, equity_points.c.fresh)
        .where(equity_points.c.at >= moment_ms)
    )
