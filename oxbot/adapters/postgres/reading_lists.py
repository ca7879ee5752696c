"""The lists of one bot, part by part: each is read by the number that its index is sorted by."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, RowMapping, Select, Text, and_, cast, select
from sqlalchemy.dialects.postgresql import JSONB

from oxbot.adapters.postgres.history import (
    cycle_row_of,
    cycles_listed,
    events_listed,
    order_row_of,
    orders_listed,
    trades_listed,
)
from oxbot.adapters.postgres.questions import ASKED
from oxbot.adapters.postgres.rows import OF_CYCLE, Records
from oxbot.adapters.postgres.schema import (
    cycles,
    equity_points,
    events,
    fills,
    ledger_entries,
    llm_decisions,
    orders,
    trades,
)
from oxbot.domain.errors import InputError
from oxbot.domain.values import Value
from oxbot.records import CycleRow, EventRow, TradeRow
from oxbot.records.reading import (
    ALWAYS,
    DecisionLine,
    EquityPoint,
    FillRow,
    LedgerRow,
    OrderLine,
    Page,
    Part,
    Stretch,
)

Row = TypeVar("Row", bound=Value)
Query = Select[*tuple[object, ...]]
Key = ColumnElement[int]

_CURSOR: Final = re.compile("[0-9]{1,18}")
_KEY: Final = "list_key"

EQUITY: Final = (
    *(c for c in equity_points.c if c.name in EquityPoint.model_fields),
    equity_points.c.at.label("at_ms"),
)
"""The columns of an EquityPoint."""

_ORDERS: Final = orders_listed().add_columns(
    orders.c.intended_at.label("intended_ms"), orders.c.finished_at.label("finished_ms")
)
_FILLS: Final = select(
    *(c for c in fills.c if c.name in FillRow.model_fields), fills.c.at.label("at_ms")
)
_LEDGER: Final = select(
    *(c for c in ledger_entries.c if c.name in LedgerRow.model_fields),
    ledger_entries.c.booked_at.label("booked_ms"),
)
_DECISIONS: Final = select(
    *(c for c in llm_decisions.c if c.name in DecisionLine.model_fields),
    cast(cast(llm_decisions.c.decision, JSONB)["summary"].astext, Text).label("summary"),
    llm_decisions.c.decided_at.label("decided_ms"),
    cycles.c.due_at.label("due_ms"),
    ASKED.label("asked"),
).join(cycles, OF_CYCLE)


class Lists(Records):
    """The part of the reading that gives lists of a bot, newest first."""

    async def cycles(self, bot_id: str, part: Part) -> Page[CycleRow]:
        """Give cycles."""
        query = cycles_listed().where(cycles.c.bot_id == bot_id)
        return await self._page(query, cycles.c.cycle, part, cycle_row_of)

    async def orders(self, bot_id: str, part: Part) -> Page[OrderLine]:
        """Give orders with what they filled."""
        query = _ORDERS.where(orders.c.bot_id == bot_id)
        return await self._page(query, orders.c.number, part, _order_line)

    async def trades(self, bot_id: str, part: Part) -> Page[TradeRow]:
        """Give round trips."""
        query = trades_listed().where(trades.c.bot_id == bot_id)
        return await self._page(query, trades.c.fill_id, part, _reader(TradeRow))

    async def fills(self, bot_id: str, part: Part) -> Page[FillRow]:
        """Give fills."""
        query = _FILLS.where(fills.c.bot_id == bot_id)
        return await self._page(query, fills.c.id, part, _reader(FillRow))

    async def ledger(self, bot_id: str, part: Part) -> Page[LedgerRow]:
        """Give lines of the ledger."""
        query = _LEDGER.where(ledger_entries.c.bot_id == bot_id)
        return await self._page(query, ledger_entries.c.id, part, _reader(LedgerRow))

    async def decisions(self, bot_id: str, part: Part) -> Page[DecisionLine]:
        """Give decisions."""
        query = _DECISIONS.where(llm_decisions.c.bot_id == bot_id)
        return await self._page(query, llm_decisions.c.cycle, part, _reader(DecisionLine))

    async def events(self, bot_id: str, part: Part) -> Page[EventRow]:
        """Give events."""
        query = events_listed().where(events.c.bot_id == bot_id)
        return await self._page(query, events.c.id, part, _reader(EventRow))

    async def equity(self, bot_id: str, part: Part, stretch: Stretch = ALWAYS) -> Page[EquityPoint]:
        """Give all points of the equity curve in a stretch."""
        query = select(*EQUITY).where(points_within(bot_id, stretch))
        return await self._page(query, equity_points.c.cycle, part, _reader(EquityPoint))

    async def _page(
        self, query: Query, key: Key, part: Part, read: Callable[[RowMapping], Row]
    ) -> Page[Row]:
        """Read one row more than asked for, which tells whether anything follows."""
        older = query if part.cursor is None else query.where(key < _before(part.cursor))
        sorted_ = older.add_columns(key.label(_KEY)).order_by(key.desc()).limit(part.limit + 1)
        async with self._statements() as connection:
            rows = (await connection.execute(sorted_)).mappings().all()
        shown = rows[: part.limit]
        last = str(shown[-1][_KEY]) if len(rows) > part.limit else None
        return Page(items=tuple(map(read, shown)), next=last)


def points_within(bot_id: str, stretch: Stretch) -> ColumnElement[bool]:
    """Say which points of equity are a bot's and of a stretch."""
    bounds = [equity_points.c.bot_id == bot_id]
    if stretch.since_ms is not None:
        bounds.append(equity_points.c.at >= stretch.since_ms)
    if stretch.until_ms is not None:
        bounds.append(equity_points.c.at <= stretch.until_ms)
    return and_(*bounds)


def _before(cursor: str) -> int:
    if not _CURSOR.fullmatch(cursor):
        raise no_cursor(cursor)
    return int(cursor)


def no_cursor(cursor: str) -> InputError:
    """Say that a cursor is none."""
    return InputError(
        f"{cursor[:40]!r} is no cursor of this list: use the `next` of its last page."
    )


def _order_line(row: RowMapping) -> OrderLine:
    times = {name: row[name] for name in ("limit_price", "intended_ms", "finished_ms")}
    return OrderLine(**dict(order_row_of(row)), **times)


def _reader(kind: type[Row]) -> Callable[[RowMapping], Row]:
    names = tuple(kind.model_fields)

    def read(row: RowMapping) -> Row:
        given: dict[str, Any] = {name: row[name] for name in names}  # Any: as columns have it
        return kind.model_validate(given)

    return read
