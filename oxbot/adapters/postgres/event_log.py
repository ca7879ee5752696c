"""The events of all bots, in the order of the transactions that told of them.

A transaction's number is given when it begins to write, its rows come to light when it is over.
So only those are read which no transaction can come before any more: all below the oldest that
goes on, in one statement, which has one view of both.
"""

from typing import Final

import structlog
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    RowMapping,
    Select,
    Tuple,
    bindparam,
    func,
    literal_column,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import bots, events
from oxbot.records.told import LAST_OF_ALL, EventCursor, FollowedEvent, Told, ToldEvent

PAGE: Final = 500

PART: Final = 5_000
"""Events of another server that one statement puts before all: it takes a part of a second."""

log = structlog.get_logger(__name__)

OLDEST: Final[ColumnElement[int]] = literal_column(
    "pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger
)
"""The oldest transaction that goes on; all below it are over."""

NEXT: Final[ColumnElement[int]] = literal_column(
    "pg_snapshot_xmax(pg_current_snapshot())::text::bigint", BigInteger
)
"""The first one that has not begun."""

_owner: Final = bots.c.settings["owner"].astext
_stands: Final = tuple_(events.c.transaction, events.c.id)


def _place(name: str) -> Tuple:
    of = (bindparam(f"{name}_{part}", type_=BigInteger) for part in EventCursor._fields)
    return tuple_(*of)


_EVENTS: Final[Select[*tuple[object, ...]]] = (
    select(
        events.c.transaction,
        events.c.id,
        events.c.bot_id,
        events.c.kind,
        events.c.text,
        events.c.figures,
        events.c.at.label("at_ms"),
        _owner.label("owner"),
    )
    .join(bots, bots.c.id == events.c.bot_id)
    .where(_stands > _place("since"))
    .order_by(events.c.transaction, events.c.id)
    .limit(PAGE)
)
_horizon: Final = select(OLDEST.label("oldest")).subquery("horizon")
_come: Final = _EVENTS.where(events.c.transaction < _horizon.c.oldest).lateral("come")
_AFTER: Final = (
    select(_horizon.c.oldest, _come)
    .select_from(_horizon.outerjoin(_come, true()))
    .order_by(_come.c.transaction, _come.c.id)
)
_FIRST: Final = EventCursor(0, 0)
_IS_FOREIGN: Final = select(func.max(events.c.transaction) >= NEXT)
_foreign: Final = (
    select(events.c.id, events.c.transaction.label("stood"))
    .where(events.c.transaction >= NEXT, _stands > _place("since"))
    .order_by(events.c.transaction, events.c.id)
    .limit(bindparam("part", type_=BigInteger))
    .with_for_update()
    .cte("foreign_events")
)
_MOVE: Final = (
    update(events)
    .where(events.c.id == _foreign.c.id)
    .values(transaction=0)
    .returning(_foreign.c.stood, _foreign.c.id)
)
_BETWEEN: Final = _EVENTS.where(_stands <= _place("until"))


class PostgresEventLog(Records):
    """`oxbot.ports.event_log.EventLog` in PostgreSQL."""

    async def opened(self) -> EventCursor:
        """Give the place up to which all has come to light.

        Transactions that have not begun yet have told of nothing: events that say so are from a
        dump of another server, and come before all that this one tells. They are put there part
        by part, from the lowest on: what this server tells meanwhile comes up behind them, and
        whoever begins again after a while finds only the rest.
        """
        since, done = _FIRST, 0
        async with self._statements() as connection:
            while await connection.scalar(_IS_FOREIGN):
                moved = await _moved(connection, since)
                # Of none there is left, another process has moved them, which goes on as well.
                since, done = moved[-1] if moved else _FIRST, done + len(moved)
                log.info("events of a restored record are put before this server's", done=done)
            return _last_below((await connection.execute(select(OLDEST))).scalar_one())

    async def has_come_to(self, cursor: EventCursor) -> bool:
        """Tell whether there can be such a place in this record yet."""
        async with self._statements() as connection:
            following: int = (await connection.execute(select(NEXT))).scalar_one()
        return cursor.transaction < following

    async def after(self, cursor: EventCursor) -> Told:
        """Give what has come to light behind a place, as much as one page has."""
        async with self._statements() as connection:
            found = (await connection.execute(_AFTER, _given("since", cursor))).mappings().all()
        told = tuple(_told(row) for row in found if row["id"] is not None)
        until = told[-1].cursor if len(told) == PAGE else _last_below(found[0]["oldest"])
        return Told(events=told, until=max(until, cursor))

    async def between(
        self, cursor: EventCursor, until: EventCursor, owner: str | None, bot_id: str | None
    ) -> list[ToldEvent]:
        """Give a page of one owner's or one bot's events (None: all) behind the first place."""
        query = _BETWEEN
        if owner is not None:
            query = query.where(_owner == owner)
        if bot_id is not None:
            query = query.where(events.c.bot_id == bot_id)
        given = _given("since", cursor) | _given("until", until)
        async with self._statements() as connection:
            return [_told(row) for row in (await connection.execute(query, given)).mappings()]


async def _moved(connection: AsyncConnection, since: EventCursor) -> list[EventCursor]:
    """Put a part of another server's events before all; give where they stood, in order."""
    rows = (await connection.execute(_MOVE, _given("since", since) | {"part": PART})).all()
    return sorted(EventCursor(*row) for row in rows)


def _given(name: str, cursor: EventCursor) -> dict[str, int]:
    return {f"{name}_{part}": number for part, number in cursor._asdict().items()}


def _last_below(oldest: int) -> EventCursor:
    return EventCursor(oldest - 1, LAST_OF_ALL)


def _told(row: RowMapping) -> ToldEvent:
    return ToldEvent(
        cursor=EventCursor(row["transaction"], row["id"]),
        owner=row["owner"],
        event=FollowedEvent(**{name: row[name] for name in FollowedEvent.model_fields}),
    )
