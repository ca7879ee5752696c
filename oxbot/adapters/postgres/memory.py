"""What a bot remembers: trades and positions with the reasons of the decisions behind them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from sqlalchemy import (
    BigInteger,
    FromClause,
    RowMapping,
    ScalarSelect,
    Select,
    Table,
    Text,
    bindparam,
    func,
    literal,
    select,
    true,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.columns import Money
from oxbot.adapters.postgres.questions import ASKED
from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import fills, llm_decisions, orders, positions, trades
from oxbot.domain.decision import Decision
from oxbot.domain.memory import (
    LAST_TRADES,
    MOST_RESULTS,
    Costs,
    Memory,
    PastTrade,
    Result,
    Thesis,
    exit_reason,
)
from oxbot.domain.money import Amount, Notional
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Trade

_TRADE: Final = (
    *(c for c in trades.c if c.name in Trade.model_fields),
    trades.c.opened_at.label("opened_ms"),
    trades.c.closed_at.label("closed_ms"),
)


_BOT: Final = bindparam("bot_id", type_=Text)


def _fees(table: Table) -> ScalarSelect[Decimal | Amount]:
    summed = func.coalesce(func.sum(table.c.fees), literal(Decimal(0), Money))
    fees = type_coerce(summed, Money(Notional))
    return select(fees).where(table.c.bot_id == _BOT).scalar_subquery()


_ALL_COSTS: Final = select(
    func.coalesce(func.sum(llm_decisions.c.cost_usd, type_=Money), 0),
    func.count().filter(ASKED),
    _fees(trades),
    _fees(positions),
).where(
    llm_decisions.c.bot_id == _BOT, llm_decisions.c.cycle < bindparam("before", type_=BigInteger)
)


class Memories(Records):
    """The part of the store that joins trades with the decisions that led to them."""

    async def memory(self, bot_id: str, cycle: int) -> Memory:
        """Give the last trades and open positions with their reasons, and costs so far.

        Of the models' costs those of the cycles before this one.
        """
        async with self._still_picture() as connection:
            last = await _rows(connection, _last_trades(bot_id))
            results = await _rows(connection, _results(bot_id))
            held = await _rows(connection, _positions(bot_id))
            costs = await _costs(connection, bot_id, cycle)
        return Memory(
            last=tuple(_past(row) for row in reversed(last)),
            results=tuple(_result(row) for row in reversed(results)),
            theses={row["symbol"]: _thesis(row) for row in held},
            costs=costs,
        )


async def _rows(
    connection: AsyncConnection, query: Select[*tuple[object, ...]]
) -> Sequence[RowMapping]:
    return (await connection.execute(query)).mappings().all()


def _last_trades(bot_id: str) -> Select[*tuple[object, ...]]:
    """Give the newest trades, with the order that closed each and the decision that opened it."""
    behind = _decision_behind(trades)
    closing = fills.alias("closing")
    ended = orders.alias("ended")
    return (
        select(*_TRADE, behind.c.decision, ended.c.reason.label("exit_reason"))
        .join(closing, closing.c.id == trades.c.fill_id)
        .join(ended, ended.c.id == closing.c.order_id)
        .outerjoin(behind, true())
        .where(trades.c.bot_id == bot_id)
        .order_by(trades.c.fill_id.desc())
        .limit(LAST_TRADES)
    )


def _positions(bot_id: str) -> Select[*tuple[object, ...]]:
    behind = _decision_behind(positions)
    return (
        select(positions.c.symbol, behind.c.decision)
        .outerjoin(behind, true())
        .where(positions.c.bot_id == bot_id)
    )


def _decision_behind(opened: FromClause) -> FromClause:
    """Give the decision of the cycle whose entry made the first fill of a trade or position."""
    return (
        select(llm_decisions.c.decision)
        .join(
            orders,
            (orders.c.bot_id == llm_decisions.c.bot_id) & (orders.c.cycle == llm_decisions.c.cycle),
        )
        .join(fills, fills.c.order_id == orders.c.id)
        .where(
            fills.c.bot_id == opened.c.bot_id,
            fills.c.symbol == opened.c.symbol,
            fills.c.at == opened.c.opened_at,
            orders.c.purpose == Purpose.ENTRY,
        )
        .order_by(fills.c.id.desc())
        .limit(1)
        .lateral("behind")
    )


def _results(bot_id: str) -> Select[*tuple[object, ...]]:
    return (
        select(trades.c.entry_price, trades.c.quantity, trades.c.net_pnl)
        .where(trades.c.bot_id == bot_id)
        .order_by(trades.c.fill_id.desc())
        .limit(MOST_RESULTS)
    )


async def _costs(connection: AsyncConnection, bot_id: str, before: int) -> Costs:
    """Sum the models' costs, and the fees of round trips and open positions."""
    found = (await connection.execute(_ALL_COSTS, {"bot_id": bot_id, "before": before})).one()
    model_usd, decisions, traded, held = found
    return Costs(model_usd=model_usd, decisions=decisions, fees_usdt=traded + held)


def _past(row: RowMapping) -> PastTrade:
    trade = Trade.model_validate({name: row[name] for name in Trade.model_fields})
    why = exit_reason(trade.exit, row["exit_reason"])
    return PastTrade(trade=trade, thesis=_thesis(row), exit_reason=why)


def _thesis(row: RowMapping) -> Thesis:
    decided = row["decision"]
    decision = None if decided is None else Decision.model_validate_json(decided)
    return Thesis.of(decision, row["symbol"])


def _result(row: RowMapping) -> Result:
    return Result(invested=row["entry_price"] * row["quantity"], net_pnl=row["net_pnl"])
