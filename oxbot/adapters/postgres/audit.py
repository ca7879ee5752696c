"""The audit: the books made again from deposit, fills and losses, against the books as stored."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import RowMapping, Select, func, select
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
from oxbot.records import AuditFigures, Difference

PIECE: Final = 500
"""Rows that are read, and reckoned with, at a time."""

TOLD: Final = 100
"""Differences that are told one by one; the others are counted."""


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
        """Read all of it piece by piece, and reckon beside whatever else this process does."""
        async with self._still_picture() as connection:
            stored = await _stored(connection, bot_id)
            capital, lost = await _capital(connection, bot_id), await _lost(connection, bot_id)
            books = Rebooked(capital, lost)
            async for rows in _pieces(connection, _fills(bot_id)):
                await asyncio.to_thread(books.book, rows)
            unbalanced = await _unbalanced(connection, bot_id)
        return await asyncio.to_thread(_compared, stored, books, unbalanced)


class Rebooked:
    """Books made again, some fills at a time, all in the order in which it was booked."""

    def __init__(self, capital: Notional, lost: Iterable[RowMapping]) -> None:
        self._books = Replay(capital)
        self._losses = deque(lost)
        self.fills = 0

    def book(self, rows: Sequence[RowMapping]) -> None:
        """Book the next fills, and what was lost before each."""
        with localcontext(EXACT):
            for row in rows:
                while self._losses and self._losses[0]["after_fill"] < row["fill_id"]:
                    self._books.lose(self._losses.popleft())
                self._books.book(row)
        self.fills += len(rows)

    def amounts(self) -> Amounts:
        """Give everything that can be compared, after what was lost last."""
        while self._losses:
            self._books.lose(self._losses.popleft())
        return self._books.amounts()


def _compared(stored: Amounts, books: Rebooked, unbalanced: int) -> AuditFigures:
    """Hold the stored books against those made again."""
    with localcontext(EXACT):
        recomputed = books.amounts()
        differences = list(_differences(stored, recomputed))
        drift = sum((abs(one.stored - one.from_fills) for one in differences), Decimal(0))
        return AuditFigures(
            fills=books.fills,
            cash_stored=Notional(stored[("cash",)]),
            cash_recomputed=Notional(recomputed[("cash",)]),
            drift=drift.normalize(),
            unbalanced=unbalanced,
            differing=len(differences),
            differences=tuple(differences[:TOLD]),
        )


def _differences(stored: Amounts, recomputed: Amounts) -> Iterator[Difference]:
    nothing = Decimal(0)
    for key in sorted({*stored, *recomputed}):
        one, other = stored.get(key, nothing), recomputed.get(key, nothing)
        if one != other:
            yield Difference(of=" ".join(key), stored=one, from_fills=other)


async def _pieces(
    connection: AsyncConnection,
    query: Select[Any],  # Any: as many columns as there are
) -> AsyncIterator[Sequence[RowMapping]]:
    """Read rows some at a time, however many there are."""
    async with connection.stream(query) as found:
        async for rows in found.mappings().partitions(PIECE):
            yield rows


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
    closed = select(
        trades,
        trades.c.opened_at.label("opened_ms"),
        trades.c.closed_at.label("closed_ms"),
    ).where(trades.c.bot_id == bot_id)
    booked: Amounts = {}
    async for rows in _pieces(connection, closed):
        booked.update(await asyncio.to_thread(_of_trades, rows))
    return {
        ("cash",): portfolio.cash.number,
        **of_positions(portfolio.positions),
        **{("dust", symbol): quantity.number for symbol, quantity in portfolio.dust.items()},
        **{("ledger", row.account, row.currency): row.amount for row in ledger},
        **booked,
    }


def _of_trades(rows: Sequence[RowMapping]) -> Amounts:
    return {
        key: number for row in rows for key, number in of_trade(row["fill_id"], dict(row)).items()
    }


def _fills(bot_id: str) -> Select[Any]:  # Any: as many columns as there are
    """Select all fills with their orders, in the order in which they were settled.

    That is the order of their numbers, not of venue time: an execution that became known late
    was settled late, and average costs depend on it.
    """
    return (
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
