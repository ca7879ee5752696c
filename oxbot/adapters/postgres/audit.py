"""The audit: the books made again from deposit, fills and losses, against the books as stored."""

from collections import deque
from collections.abc import Iterable
from decimal import Decimal, localcontext

from pydantic import ValidationError
from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.bots import bot_from
from oxbot.adapters.postgres.columns import Money
from oxbot.adapters.postgres.portfolios import read_portfolio
from oxbot.adapters.postgres.replayed import Amounts, Replay, of_positions, of_trade
from oxbot.adapters.postgres.rows import FILL, ORDER, Records
from oxbot.adapters.postgres.schema import (
    bots,
    fills,
    ledger_entries,
    orders,
    trades,
    write_offs,
)
from oxbot.domain.errors import LedgerBroken
from oxbot.domain.money import EXACT, Notional
from oxbot.domain.values import told
from oxbot.records import AuditFigures


class Audit(Records):
    """The part of the store that proves its own books."""

    async def audit(self, bot_id: str) -> AuditFigures:
        """Recompute the books from fills and losses and compare them with what is stored.

        Compared are cash, each figure of each position and of each trade, dust, and each account
        of the ledger by currency. A difference counts by its figure, also in coins or ms: any
        drift but 0 is an error.

        Raises:
            LedgerBroken: The fills contradict each other, such as a sale of more than is held, or
                a row holds what cannot be.
            NotFound: There is no such bot.
        """
        try:
            return await self._audited(bot_id)
        except ValidationError as error:
            raise LedgerBroken(f"A row of its books cannot be: {told(error)}") from error

    async def _audited(self, bot_id: str) -> AuditFigures:
        async with self._still_picture() as connection:
            stored = await _stored(connection, bot_id)
            executed = await _fills(connection, bot_id)
            lost = await _lost(connection, bot_id)
            capital = await _capital(connection, bot_id)
            unbalanced = await _unbalanced(connection, bot_id)
        with localcontext(EXACT):
            recomputed = _replayed(capital, executed, lost)
            drift = _drift(stored, recomputed)
        return AuditFigures(
            fills=len(executed),
            cash_stored=Notional(stored[("cash",)]),
            cash_recomputed=Notional(recomputed[("cash",)]),
            drift=drift.normalize(),
            unbalanced=unbalanced,
        )


def _replayed(
    capital: Notional, executed: Iterable[RowMapping], lost: Iterable[RowMapping]
) -> Amounts:
    """Book everything in the order in which it was booked."""
    books = Replay(capital)
    losses = deque(lost)
    for row in executed:
        while losses and losses[0]["after_fill"] < row["fill_id"]:
            books.lose(losses.popleft())
        books.book(row)
    for row in losses:
        books.lose(row)
    return books.amounts()


def _drift(one: Amounts, other: Amounts) -> Decimal:
    nothing = Decimal(0)
    differences = (abs(one.get(k, nothing) - other.get(k, nothing)) for k in {*one, *other})
    return sum(differences, nothing)


async def _capital(connection: AsyncConnection, bot_id: str) -> Notional:
    row = (await connection.execute(select(bots).where(bots.c.id == bot_id))).mappings().one()
    return bot_from(row).settings.capital


async def _stored(connection: AsyncConnection, bot_id: str) -> Amounts:
    portfolio = await read_portfolio(connection, bot_id)
    ledger = await connection.execute(
        select(
            ledger_entries.c.account,
            ledger_entries.c.currency,
            func.sum(ledger_entries.c.amount, type_=Money).label("amount"),
        )
        .where(ledger_entries.c.bot_id == bot_id)
        .group_by(ledger_entries.c.account, ledger_entries.c.currency)
    )
    closed = await connection.execute(
        select(
            trades,
            trades.c.opened_at.label("opened_ms"),
            trades.c.closed_at.label("closed_ms"),
        ).where(trades.c.bot_id == bot_id)
    )
    booked = (of_trade(row["fill_id"], dict(row)) for row in closed.mappings())
    return {
        ("cash",): portfolio.cash.number,
        **of_positions(portfolio.positions),
        **{("dust", symbol): quantity.number for symbol, quantity in portfolio.dust.items()},
        **{("ledger", row.account, row.currency): row.amount for row in ledger},
        **{key: number for trade in booked for key, number in trade.items()},
    }


async def _fills(connection: AsyncConnection, bot_id: str) -> list[RowMapping]:
    """Read all fills with their orders, in the order in which they were settled.

    That is the order of their numbers, not of venue time: an execution that became known late
    was settled late, and average costs depend on it.
    """
    query = (
        select(
            fills.c.id.label("fill_id"),
            fills.c.tick,
            fills.c.lot,
            fills.c.minimum,
            fills.c.last,
            *(column.label(f"fill.{column.name}") for column in FILL),
            *(column.label(f"order.{column.name}") for column in ORDER),
        )
        .join(orders, orders.c.id == fills.c.order_id)
        .where(fills.c.bot_id == bot_id)
        .order_by(fills.c.id)
    )
    return list((await connection.execute(query)).mappings())


async def _lost(connection: AsyncConnection, bot_id: str) -> list[RowMapping]:
    """Read all that was written off, in that order."""
    query = select(write_offs).where(write_offs.c.bot_id == bot_id).order_by(write_offs.c.id)
    return list((await connection.execute(query)).mappings())


async def _unbalanced(connection: AsyncConnection, bot_id: str) -> int:
    """Count the pairs of posting and currency that do not sum to zero."""
    off = (
        select(ledger_entries.c.posting)
        .where(ledger_entries.c.bot_id == bot_id)
        .group_by(ledger_entries.c.posting, ledger_entries.c.currency)
        .having(func.sum(ledger_entries.c.amount) != Decimal(0))
        .subquery()
    )
    return (await connection.execute(select(func.count()).select_from(off))).scalar_one()
