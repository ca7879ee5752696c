"""The audit: the books made again from deposit and fills, against the books as stored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from typing import Any

from pydantic import ValidationError
from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.bots import bot_from
from oxbot.adapters.postgres.columns import Money
from oxbot.adapters.postgres.portfolios import read_portfolio
from oxbot.adapters.postgres.rows import FILL, ORDER, Records
from oxbot.adapters.postgres.schema import bots, fills, ledger_entries, orders, trades
from oxbot.domain.errors import LedgerBroken
from oxbot.domain.ledger import Entry, deposit_entries
from oxbot.domain.market import Instrument
from oxbot.domain.money import EXACT, Amount, Notional
from oxbot.domain.orders import Fill, Order
from oxbot.domain.portfolio import Position
from oxbot.domain.settlement import settle
from oxbot.domain.values import told
from oxbot.records import AuditFigures

Amounts = dict[tuple[str, ...], Decimal]
"""Numbers by what they are of, such as ("cash",) or ("ledger", "fees", "USDT")."""

_OF_POSITION = (
    "quantity",
    "cost",
    "entry_quantity",
    "entry_notional",
    "exit_quantity",
    "exit_notional",
    "paid",
    "received",
    "fees",
    "opened_ms",
    "stop",
    "target",
    "version",
)
_OF_TRADE = (
    "quantity",
    "entry_price",
    "exit_price",
    "fees",
    "net_pnl",
    "opened_ms",
    "closed_ms",
)


class Audit(Records):
    """The part of the store that proves its own books."""

    async def audit(self, bot_id: str) -> AuditFigures:
        """Recompute the books from fills and compare them with what is stored.

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
            capital = await _capital(connection, bot_id)
            unbalanced = await _unbalanced(connection, bot_id)
        with localcontext(EXACT):
            recomputed = _replayed(capital, executed)
            drift = _drift(stored, recomputed)
        return AuditFigures(
            fills=len(executed),
            cash_stored=Notional(stored[("cash",)]),
            cash_recomputed=Notional(recomputed[("cash",)]),
            drift=drift.normalize(),
            unbalanced=unbalanced,
        )


class Replay:
    """Books kept in memory, from nothing but a deposit and fills."""

    def __init__(self, capital: Notional) -> None:
        self._cash = capital
        self._positions: dict[str, Position] = {}
        self._others: Amounts = defaultdict(Decimal)
        self._add(deposit_entries(capital))

    def book(self, row: RowMapping) -> None:
        """Settle one fill as it was settled then."""
        fill, order = _fill_from(row), _order_from(row)
        instrument = Instrument(
            symbol=fill.symbol, tick=row["tick"], lot=row["lot"], minimum=row["minimum"]
        )
        held = self._positions.pop(fill.symbol, None)
        change = settle(held, self._cash, order, fill, instrument, last=row["last"])
        self._cash = change.cash
        if change.position:
            self._positions[fill.symbol] = change.position
        self._others["dust", fill.symbol] += change.dust.number
        self._add(change.entries)
        if change.trade:
            self._others.update(_of_trade(row["fill_id"], change.trade.model_dump()))

    def _add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self._others["ledger", entry.account, entry.currency] += entry.amount

    def amounts(self) -> Amounts:
        """Give everything that can be compared."""
        return {("cash",): self._cash.number, **_of_positions(self._positions), **self._others}


def _replayed(capital: Notional, executed: Iterable[RowMapping]) -> Amounts:
    books = Replay(capital)
    for row in executed:
        books.book(row)
    return books.amounts()


def _of_positions(positions: dict[str, Position]) -> Amounts:
    return {
        ("position", symbol, name): _number(getattr(position, name))
        for symbol, position in positions.items()
        for name in _OF_POSITION
    }


def _of_trade(fill_id: int, trade: Mapping[str, Any]) -> Amounts:  # Any: rows and dumps have it
    """Give a trade's figures; what it is called goes with them, so that it must agree as well."""
    called = (str(trade[name]) for name in ("symbol", "direction", "exit"))
    key = ("trade", str(fill_id), *called)
    return {(*key, name): _number(trade[name]) for name in _OF_TRADE}


def _number(value: Amount | Decimal | int) -> Decimal:
    return value.number if isinstance(value, Amount) else Decimal(value)


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
    booked = (_of_trade(row["fill_id"], dict(row)) for row in closed.mappings())
    return {
        ("cash",): portfolio.cash.number,
        **_of_positions(portfolio.positions),
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


def _fill_from(row: RowMapping) -> Fill:
    return Fill.model_validate({name: row[f"fill.{name}"] for name in Fill.model_fields})


def _order_from(row: RowMapping) -> Order:
    return Order.model_validate({name: row[f"order.{name}"] for name in Order.model_fields})


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
