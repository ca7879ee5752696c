"""Decisions to be looked at, with the verdicts, orders and trades that followed."""

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.history import order_row_of, orders_listed, trades_listed
from oxbot.adapters.postgres.questions import ASKED
from oxbot.adapters.postgres.rows import (
    DECISION,
    OF_CYCLE,
    Records,
    must_exist,
    read_verdicts,
)
from oxbot.adapters.postgres.schema import (
    cycles,
    fills,
    llm_decisions,
    orders,
    trades,
)
from oxbot.app.decisions import DecisionPage, DecisionRow
from oxbot.domain.errors import NotFound
from oxbot.domain.orders import Purpose
from oxbot.records import DecisionRecord, OrderRow, TradeRow


class PostgresDecisions(Records):
    """`oxbot.app.decisions.Decisions` in PostgreSQL."""

    async def listed(self, bot_id: str | None, limit: int) -> list[DecisionRow]:
        """Give the last decisions of one bot or of all, newest first; NotFound."""
        query = (
            select(
                *(c for c in llm_decisions.c if c.name in DecisionRow.model_fields),
                cycles.c.due_at.label("due_ms"),
                ASKED.label("asked"),
            )
            .join(cycles, OF_CYCLE)
            .order_by(llm_decisions.c.decided_at.desc(), llm_decisions.c.cycle.desc())
            .limit(limit)
        )
        async with self._still_picture() as connection:
            if bot_id is not None:
                await must_exist(connection, bot_id)
                query = query.where(llm_decisions.c.bot_id == bot_id)
            rows = (await connection.execute(query)).mappings()
            return [DecisionRow.model_validate(dict(row)) for row in rows]

    async def page(self, decision_id: str) -> DecisionPage:
        """Give one decision with what followed from it; NotFound."""
        query = (
            select(
                *DECISION,
                cycles.c.due_at.label("due_ms"),
                llm_decisions.c.decided_at.label("decided_ms"),
            )
            .join(cycles, OF_CYCLE)
            .where(llm_decisions.c.id == decision_id)
        )
        async with self._still_picture() as connection:
            found = (await connection.execute(query)).mappings().one_or_none()
            if found is None:
                raise NotFound(
                    f"There is no decision {decision_id}. `oxbot decisions list` shows those "
                    "there are."
                )
            times = {name: found[name] for name in ("due_ms", "decided_ms")}
            record = DecisionRecord.model_validate(
                {name: value for name, value in found.items() if name not in times}
            )
            return DecisionPage(
                record=record,
                **times,
                verdicts=tuple(
                    await read_verdicts(connection, record.bot_id, (record.cycle, record.cycle))
                ),
                orders=await _orders(connection, record),
                trades=await _trades(connection, record),
            )


async def _orders(connection: AsyncConnection, record: DecisionRecord) -> tuple[OrderRow, ...]:
    query = orders_listed().where(_ordered_by(record)).order_by(orders.c.number)
    return tuple(order_row_of(row) for row in (await connection.execute(query)).mappings())


async def _trades(connection: AsyncConnection, record: DecisionRecord) -> tuple[TradeRow, ...]:
    query = trades_listed().where(_traded_by(record)).order_by(trades.c.fill_id)
    rows = (await connection.execute(query)).mappings()
    return tuple(TradeRow.model_validate(dict(row)) for row in rows)


def _ordered_by(record: DecisionRecord) -> ColumnElement[bool]:
    return and_(orders.c.bot_id == record.bot_id, orders.c.cycle == record.cycle)


def _traded_by(record: DecisionRecord) -> ColumnElement[bool]:
    """Say which trades the cycle's orders closed, or opened: a position is as old as its fill."""
    filled = fills.join(orders, orders.c.id == fills.c.order_id)
    closed = select(fills.c.id).select_from(filled).where(_ordered_by(record))
    opened = (
        select(fills.c.symbol, func.min(fills.c.at))
        .select_from(filled)
        .where(_ordered_by(record), orders.c.purpose == Purpose.ENTRY)
        .group_by(fills.c.order_id, fills.c.symbol)
    )
    return and_(
        trades.c.bot_id == record.bot_id,
        or_(
            trades.c.fill_id.in_(closed),
            tuple_(trades.c.symbol, trades.c.opened_at).in_(opened),
        ),
    )
