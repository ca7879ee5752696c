"""A bot's books as a statement: all fills, trades and postings, without this run's own ids."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import cycles, fills, ledger_entries, orders, trades
from oxbot.app.statement import FillLine, PostingLine, Statement, TradeLine

Numbers = Mapping[int, int]
"""Ids of fills, and their numbers from 1 in the order in which they were settled."""


ENTRY = (
    orders.c.purpose,
    orders.c.stop,
    orders.c.target,
    orders.c.trail,
    orders.c.limit_price,
)
"""What an order says of its fills' purpose, and of what protects an entry."""


class PostgresStatements(Records):
    """`oxbot.app.statement.Statements` in PostgreSQL."""

    async def statement(self, bot_id: str) -> Statement:
        """Give a bot's books as of one moment."""
        async with self._still_picture() as connection:
            executed = _in_order(await _rows(connection, _fills_of(bot_id)))
            closed = await _rows(connection, _trades_of(bot_id))
            posted = await _rows(connection, _postings_of(bot_id))
        numbers = {row["id"]: number for number, row in enumerate(executed, start=1)}
        ordinals = {"fill": numbers, "write_off": _counted(posted, "write_off")}
        postings = [_posting(row, ordinals) for row in posted]
        return Statement(
            bot_id=bot_id,
            fills=tuple(_fill(row) for row in executed),
            trades=tuple(sorted((_trade(r, numbers) for r in closed), key=lambda t: t.fill)),
            postings=tuple(line for _, line in sorted(postings, key=lambda numbered: numbered[0])),
        )


def _in_order(executed: Sequence[RowMapping]) -> list[RowMapping]:
    """Put what was filled in the same millisecond, one after the other, in the order of coins.

    Exits that one moment calls for are made at the same time; which of them is settled first is
    chance, and makes no difference to the books.
    """
    moments = groupby(executed, key=lambda row: row["at"])
    return [row for _, rows in moments for row in sorted(rows, key=lambda row: row["symbol"])]


async def _rows(
    connection: AsyncConnection, query: Select[*tuple[object, ...]]
) -> Sequence[RowMapping]:
    return (await connection.execute(query)).mappings().all()


def _fills_of(bot_id: str) -> Select[*tuple[object, ...]]:
    seen_by = (cycles.c.bot_id == orders.c.bot_id) & (cycles.c.cycle == orders.c.cycle)
    return (
        select(fills, *ENTRY, cycles.c.quotes)
        .join(orders, orders.c.id == fills.c.order_id)
        .outerjoin(cycles, seen_by)
        .where(fills.c.bot_id == bot_id)
        .order_by(fills.c.id)
    )


def _trades_of(bot_id: str) -> Select[*tuple[object, ...]]:
    return select(trades).where(trades.c.bot_id == bot_id)


def _postings_of(bot_id: str) -> Select[*tuple[object, ...]]:
    return select(ledger_entries).where(ledger_entries.c.bot_id == bot_id)


def _fill(row: RowMapping) -> FillLine:
    quote = (row["quotes"] or {}).get(row["symbol"])
    return FillLine(
        symbol=row["symbol"],
        side=row["side"],
        purpose=row["purpose"],
        quantity=row["quantity"],
        price=row["price"],
        fee=row["fee"],
        fee_currency=row["fee_currency"],
        at_ms=row["at"],
        seen_ms=quote["exchange_ms"] if quote else None,
        stop=row["stop"],
        target=row["target"],
        trail=row["trail"],
        limit_price=row["limit_price"],
    )


def _trade(row: RowMapping, numbers: Numbers) -> TradeLine:
    return TradeLine(
        fill=numbers[row["fill_id"]],
        symbol=row["symbol"],
        quantity=row["quantity"],
        entry_price=row["entry_price"],
        exit_price=row["exit_price"],
        fees=row["fees"],
        net_pnl=row["net_pnl"],
        opened_ms=row["opened_at"],
        closed_ms=row["closed_at"],
        exit=row["exit"],
    )


def _counted(posted: Sequence[RowMapping], kind: str) -> Numbers:
    """Count the postings of a kind from 1, in the order of their numbers."""
    named = (str(row["posting"]).partition(":") for row in posted)
    found = sorted({int(number) for known, _, number in named if known == kind})
    return {number: ordinal for ordinal, number in enumerate(found, start=1)}


def _posting(
    row: RowMapping, ordinals: Mapping[str, Numbers]
) -> tuple[tuple[str, int, int], PostingLine]:
    """Give a posting's line with what it is sorted by: deposits, fills as they came, losses."""
    kind, _, number = str(row["posting"]).partition(":")
    ordinal = ordinals.get(kind, {}).get(int(number), int(number))
    line = PostingLine(
        posting=f"{kind}:{ordinal}",
        line=row["line"],
        account=row["account"],
        currency=row["currency"],
        amount=row["amount"],
    )
    return (kind, ordinal, line.line), line
