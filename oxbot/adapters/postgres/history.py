"""What people look at: the last cycles, orders, trades and events."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import RowMapping, Select, func, select, true

from oxbot.adapters.postgres.columns import Money
from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import cycles, equity_points, events, fills, orders, trades
from oxbot.domain.money import Notional, Quantity, to_scale
from oxbot.records import CycleRow, EventRow, OrderRow, TradeRow

CYCLE: Final = (
    *(cycles.c[name] for name in ("cycle", "incarnation", "due_at", "state", "skipped")),
    cycles.c.recorded_at,
    cycles.c.outcome["decision"].astext.label("decision"),
    func.jsonb_array_length(cycles.c.outcome["orders"]).label("orders"),
)
"""The columns of a CycleRow, but for its equity."""


class History(Records):
    """The part of the store that lists what happened, newest first."""

    async def cycles(self, bot_id: str, limit: int) -> list[CycleRow]:
        """Give the last cycles, newest first."""
        query = cycles_listed().where(cycles.c.bot_id == bot_id).order_by(cycles.c.cycle.desc())
        return [cycle_row_of(row) for row in await self._last(query, limit)]

    async def equity(self, bot_id: str) -> Notional | None:
        """Give equity (USDT) as of the newest cycle that was recorded; None before the first."""
        query = (
            select(equity_points.c.equity)
            .where(equity_points.c.bot_id == bot_id)
            .order_by(equity_points.c.cycle.desc())
            .limit(1)
        )
        async with self._statements() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def orders(self, bot_id: str, limit: int) -> list[OrderRow]:
        """Give the last orders with what they filled, newest first."""
        query = orders_listed().where(orders.c.bot_id == bot_id).order_by(orders.c.number.desc())
        return [order_row_of(row) for row in await self._last(query, limit)]

    async def trades(self, bot_id: str, limit: int) -> list[TradeRow]:
        """Give the last round trips, newest first."""
        query = trades_listed().where(trades.c.bot_id == bot_id).order_by(trades.c.fill_id.desc())
        return [TradeRow.model_validate(dict(row)) for row in await self._last(query, limit)]

    async def events(self, bot_id: str, limit: int) -> list[EventRow]:
        """Give the last events, newest first."""
        query = events_listed().where(events.c.bot_id == bot_id).order_by(events.c.id.desc())
        return [EventRow.model_validate(dict(row)) for row in await self._last(query, limit)]

    async def _last(self, query: Select[*tuple[object, ...]], limit: int) -> list[RowMapping]:
        async with self._statements() as connection:
            return list((await connection.execute(query.limit(limit))).mappings())


def cycles_listed() -> Select[*tuple[object, ...]]:
    """Select cycles with their equity, as `cycle_row_of` reads them; not all that they saw."""
    of_cycle = (equity_points.c.bot_id == cycles.c.bot_id) & (
        equity_points.c.cycle == cycles.c.cycle
    )
    return select(*CYCLE, equity_points.c.equity).outerjoin(equity_points, of_cycle)


def events_listed() -> Select[*tuple[object, ...]]:
    """Select the columns of an EventRow."""
    return select(events.c.kind, events.c.text, events.c.figures, events.c.at.label("at_ms"))


def cycle_row_of(row: RowMapping | Mapping[str, Any]) -> CycleRow:
    """Read a cycle as listed; Any: as columns have it."""
    return CycleRow(
        cycle=row["cycle"],
        incarnation=row["incarnation"],
        due_ms=row["due_at"],
        state=row["state"],
        skipped=row["skipped"],
        decision=row["decision"] or "",
        orders=row["orders"] or 0,
        equity=row["equity"],
        recorded_ms=row["recorded_at"],
    )


def orders_listed() -> Select[*tuple[object, ...]]:
    """Select orders with what they filled, as `order_row_of` reads them."""
    filled = (
        select(
            func.sum(fills.c.quantity, type_=Money(Quantity)).label("filled"),
            func.sum(fills.c.quantity * fills.c.price, type_=Money(Notional)).label("notional"),
        )
        .where(fills.c.order_id == orders.c.id)
        .lateral("filled")
    )
    return select(orders, filled.c.filled, filled.c.notional).join(filled, onclause=true())


def trades_listed() -> Select[*tuple[object, ...]]:
    """Select the columns of a TradeRow."""
    return select(
        *(c for c in trades.c if c.name in TradeRow.model_fields),
        trades.c.opened_at.label("opened_ms"),
        trades.c.closed_at.label("closed_ms"),
    )


def order_row_of(row: RowMapping) -> OrderRow:
    """Read an order as listed."""
    filled, notional = row["filled"], row["notional"]
    return OrderRow(
        **{name: row[name] for name in OrderRow.model_fields if name not in ("filled", "price")},
        filled=filled or Quantity(0),
        price=to_scale(notional / filled) if filled else None,
    )
