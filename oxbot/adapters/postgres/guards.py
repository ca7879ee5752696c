"""Guards of open positions, and how far the market watch has come."""

import asyncio
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Text,
    and_,
    exists,
    func,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from oxbot.adapters.postgres.rows import POSITION, Records
from oxbot.adapters.postgres.schema import bots, positions, watch_beats, watch_marks
from oxbot.domain.bot import BotStatus
from oxbot.domain.guard_index import Best
from oxbot.domain.guards import Guard
from oxbot.domain.portfolio import Direction, Position
from oxbot.records import WatchBeat

AT_ONCE: Final = 200
"""Guards made before others have their turn: with thousands, prices must not wait for them."""

_HOLD_S: Final = bots.c.settings["limits"]["longest_hold_s"].as_integer()

_IS_GUARDED: Final = and_(
    bots.c.id == positions.c.bot_id,
    bots.c.status != BotStatus.STOPPED,
    positions.c.quantity != Decimal(0),
)
_GUARDS: Final = (
    select(positions.c.bot_id, _HOLD_S.label("hold_s"), *POSITION)
    .where(_IS_GUARDED)
    .order_by(positions.c.bot_id, positions.c.symbol)
)
_WRITTEN_BY: Final[ColumnElement[str]] = literal_column("positions.xmin::text", Text)
_VERSIONS: Final = select(
    positions.c.bot_id,
    positions.c.symbol,
    func.concat(_WRITTEN_BY, "/", _HOLD_S).label("version"),
).where(_IS_GUARDED)


class Guards(Records):
    """The part of the store that the market watch reads, and leaves its marks in."""

    async def guards(
        self, venue: str, only: Collection[tuple[str, str]] | None = None
    ) -> list[Guard]:
        """Give the guard of every open position, or of those named, of bots not stopped."""
        query = _GUARDS.where(bots.c.settings["venue"].astext == venue)
        if only is not None:
            query = query.where(tuple_(positions.c.bot_id, positions.c.symbol).in_(only))
        async with self._transaction() as connection:
            rows = (await connection.execute(query)).mappings().all()
        found: list[Guard] = []
        for first in range(0, len(rows), AT_ONCE):
            found.extend(_guard(row) for row in rows[first : first + AT_ONCE])
            await asyncio.sleep(0)
        return found

    async def guard_versions(self, venue: str) -> dict[tuple[str, str], str]:
        """Give for every position that `guards` has something that changes with its guard.

        That is the number of the transaction which wrote the row last, and the longest hold.
        """
        query = _VERSIONS.where(bots.c.settings["venue"].astext == venue)
        async with self._statements() as connection:
            rows = (await connection.execute(query)).all()
        return {(row.bot_id, row.symbol): row.version for row in rows}

    async def raise_best(self, venue: str, best: Best) -> None:
        """Let all trailing stops that a price concerns know of it, where it is the best so far."""
        is_long = best.direction is Direction.LONG
        worse = (
            (positions.c.symbol == best.symbol)
            & (positions.c.quantity > Decimal(0) if is_long else positions.c.quantity < Decimal(0))
            & positions.c.trail.is_not(None)
            & (positions.c.best < best.price if is_long else positions.c.best > best.price)
            & (positions.c.opened_at <= best.at_ms)
        )
        of_venue = exists().where(
            bots.c.id == positions.c.bot_id, bots.c.settings["venue"].astext == venue
        )
        async with self._transaction() as connection:
            bettered = update(positions).where(worse, of_venue).values(best=best.price)
            await connection.execute(bettered)

    async def watch_marks(self, venue: str) -> dict[str, int]:
        """Give for each symbol up to which venue time a watch has examined its prices."""
        query = select(watch_marks.c.symbol, watch_marks.c.mark_at)
        async with self._transaction() as connection:
            rows = await connection.execute(query.where(watch_marks.c.venue == venue))
            return {row.symbol: row.mark_at for row in rows}

    async def save_watch_marks(
        self, venue: str, marks: Mapping[str, int], wall_ms: int, *, stepped: bool
    ) -> None:
        """Keep how far the watch has come, and that it was at work at a wall time."""
        beat = insert(watch_beats).values(venue=venue, beat_at=wall_ms, stepped=stepped)
        newest = func.greatest(watch_beats.c.beat_at, beat.excluded.beat_at)
        beat = beat.on_conflict_do_update(
            index_elements=["venue"], set_={"beat_at": newest, "stepped": beat.excluded.stepped}
        )
        rows = [{"venue": venue, "symbol": s, "mark_at": marks[s]} for s in sorted(marks)]
        async with self._transaction() as connection:
            await connection.execute(beat)
            if rows:
                mark = insert(watch_marks).values(rows)
                further = func.greatest(watch_marks.c.mark_at, mark.excluded.mark_at)
                await connection.execute(
                    mark.on_conflict_do_update(
                        index_elements=["venue", "symbol"], set_={"mark_at": further}
                    )
                )

    async def watch_beat(self, venue: str) -> WatchBeat | None:
        """Give when the venue's watch was last at work; None if it never was."""
        query = select(watch_beats).where(watch_beats.c.venue == venue)
        async with self._transaction() as connection:
            row = (await connection.execute(query)).one_or_none()
        return WatchBeat(beat_ms=row.beat_at, stepped=row.stepped) if row else None


def _guard(row: RowMapping) -> Guard:
    fields = {name: row[name] for name in Position.model_fields if name in row}
    position = Position.model_validate(fields)
    return Guard(
        bot_id=row["bot_id"],
        symbol=position.symbol,
        direction=position.direction,
        opened_ms=position.opened_ms,
        version=position.version,
        stop_price=position.stop_price,
        target_price=position.target_price,
        trail=position.trail,
        best=position.best if position.trail is not None else None,
        hold_until_ms=position.opened_ms + row["hold_s"] * 1000,
    )
