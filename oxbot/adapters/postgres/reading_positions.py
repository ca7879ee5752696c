"""Positions of many bots by one statement: with the resting stop, and the price last seen."""

import re
from typing import Final

from sqlalchemy import ColumnElement, RowMapping, Select, and_, lateral, select, true, tuple_

from oxbot.adapters.postgres.listings import no_cursor
from oxbot.adapters.postgres.rows import POSITION, Records, taken
from oxbot.adapters.postgres.schema import bots, cycles, positions, resting_stops
from oxbot.domain.bot import ID_PATTERN
from oxbot.domain.market import Quote
from oxbot.domain.portfolio import Position
from oxbot.domain.resting import StopState
from oxbot.records.held import HeldPosition
from oxbot.records.reading import Page, Part

_CURSOR: Final = re.compile(
    rf"([0-9]{{1,14}})\.({ID_PATTERN.strip('^$')})\.([A-Z0-9]{{1,15}})-([A-Z0-9]{{1,15}})"
)
"""When the page's last position was opened (venue ms), and of which bot's coin it is."""

_SEEN: Final = lateral(
    select(cycles.c.quotes)
    .where(cycles.c.bot_id == positions.c.bot_id, cycles.c.quotes.is_not(None))
    .order_by(cycles.c.cycle.desc())
    .limit(1),
    "seen",
)
_RESTS: Final = and_(
    resting_stops.c.bot_id == positions.c.bot_id,
    resting_stops.c.symbol == positions.c.symbol,
    resting_stops.c.state != StopState.ENDED,
)
_KEY: Final = (positions.c.opened_at, positions.c.bot_id, positions.c.symbol)
_HELD: Final[Select[*tuple[object, ...]]] = (
    select(
        *(column.label(f"held_{column.name}") for column in POSITION),
        positions.c.bot_id,
        bots.c.settings["mode"].astext.label("mode"),
        bots.c.settings["venue"].astext.label("venue"),
        _SEEN.c.quotes[positions.c.symbol].label("quote"),
        resting_stops.c.id.label("resting_stop"),
    )
    .select_from(
        positions.join(bots, bots.c.id == positions.c.bot_id)
        .outerjoin(_SEEN, true())
        .outerjoin(resting_stops, _RESTS)
    )
    .order_by(*(column.desc() for column in _KEY))
)


class PositionLists(Records):
    """The part of the reading that gives positions."""

    async def positions(
        self, owner: str | None, part: Part, bot_id: str | None = None
    ) -> Page[HeldPosition]:
        """Give the positions of one owner or of all, or of one bot, the last opened first.

        Raises:
            InputError: The cursor is none of this list.
        """
        query = _HELD.where(*_wanted(owner, part, bot_id)).limit(part.limit + 1)
        async with self._statements() as connection:
            rows = (await connection.execute(query)).mappings().all()
        shown = [_held(row) for row in rows[: part.limit]]
        return Page(items=tuple(shown), next=_key(shown[-1]) if len(rows) > part.limit else None)


def _wanted(owner: str | None, part: Part, bot_id: str | None) -> list[ColumnElement[bool]]:
    wanted = []
    if owner is not None:
        wanted.append(bots.c.settings["owner"].astext == owner)
    if bot_id is not None:
        wanted.append(positions.c.bot_id == bot_id)
    if part.cursor is not None:
        wanted.append(_opened_before(part.cursor))
    return wanted


def _opened_before(cursor: str) -> ColumnElement[bool]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise no_cursor(cursor)
    place = (int(found[1]), found[2], f"{found[3]}/{found[4]}")
    return tuple_(*_KEY) < tuple_(*place, types=[column.type for column in _KEY])


def _key(held: HeldPosition) -> str:
    of = held.position
    return f"{of.opened_ms}.{held.bot_id}.{of.symbol.replace('/', '-')}"


def _held(row: RowMapping) -> HeldPosition:
    return HeldPosition(
        bot_id=row["bot_id"],
        mode=row["mode"],
        venue=row["venue"],
        position=Position.model_validate(taken(row, "held_", Position.model_fields)),
        seen=Quote.model_validate(row["quote"]) if row["quote"] else None,
        resting_stop=row["resting_stop"],
    )
