"""Bots as lists show them: a page of them by two statements, however many they are."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Text,
    and_,
    cast,
    lateral,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.bots import bot_from
from oxbot.adapters.postgres.history import CYCLE, cycle_row_of
from oxbot.adapters.postgres.listings import no_cursor
from oxbot.adapters.postgres.rows import POSITION, Records
from oxbot.adapters.postgres.schema import bots, cycles, equity_points, positions
from oxbot.domain.bot import ID_PATTERN, BotSettings, BotStatus, Mode, no_bot
from oxbot.domain.market import Quote
from oxbot.domain.portfolio import Position
from oxbot.records.reading import BotState, Page, Part

_CURSOR: Final = re.compile(rf"([0-9]{{1,14}})\.({ID_PATTERN.strip('^$')})")
"""When the page's last bot was made (wall ms), and its id: bots have no number."""

_SETTINGS: Final = 4_096
"""Bots whose settings are kept as they were read."""


_LAST: Final = lateral(
    select(*CYCLE, cycles.c.quotes)
    .where(cycles.c.bot_id == bots.c.id)
    .order_by(cycles.c.cycle.desc())
    .limit(1),
    "last",
)
_NEWEST: Final = lateral(
    select(equity_points.c.cycle, equity_points.c.equity)
    .where(equity_points.c.bot_id == bots.c.id)
    .order_by(equity_points.c.cycle.desc())
    .limit(1),
    "newest",
)
_STATES: Final = (
    select(
        *(c for c in bots.c if c.name != "settings"),
        cast(bots.c.settings, Text).label("settings"),
        *(column.label(f"last_{column.name}") for column in _LAST.c),
        _NEWEST.c.cycle.label("newest_cycle"),
        _NEWEST.c.equity.label("newest_equity"),
    )
    .select_from(bots.outerjoin(_LAST, true()).outerjoin(_NEWEST, true()))
    .order_by(bots.c.created_at.desc(), bots.c.id.desc())
)


class BotLists(Records):
    """The part of the reading that gives bots."""

    async def bots(self, owner: str | None, part: Part, *, archived: bool) -> Page[BotState]:
        """Give the bots of one owner or of all: those in sight, or those out of it (`archived`).

        Raises:
            InputError: The cursor is none of this list.
        """
        query = _STATES.where(_of(owner), bots.c.archived_at.is_not(None) == archived)
        query = query if part.cursor is None else query.where(_made_before(part.cursor))
        async with self._statements() as connection:
            rows = (await connection.execute(query.limit(part.limit + 1))).mappings().all()
            shown = rows[: part.limit]
            held = await _held(connection, [row["id"] for row in shown])
        last = f"{shown[-1]['created_at']}.{shown[-1]['id']}" if len(rows) > part.limit else None
        return Page(items=tuple(_state(row, held.get(row["id"], ())) for row in shown), next=last)

    async def must_exist(self, bot_id: str, owner: str | None = None) -> None:
        """Make sure that there is a bot, and that it is this owner's; NotFound."""
        query = select(bots.c.id).where(bots.c.id == bot_id, _of(owner))
        async with self._statements() as connection:
            if await connection.scalar(query) is None:
                raise no_bot(bot_id)

    async def live_bots(self, venue: str, owner: str | None = None) -> tuple[str, ...]:
        """Give the ids of the bots that trade live on a venue and are not stopped, oldest first."""
        live = and_(
            bots.c.settings["mode"].astext == Mode.LIVE,
            bots.c.settings["venue"].astext == venue,
            bots.c.status != BotStatus.STOPPED,
        )
        query = select(bots.c.id).where(live, _of(owner)).order_by(bots.c.created_at, bots.c.id)
        async with self._statements() as connection:
            return tuple(await connection.scalars(query))

    async def owned(self, owner: str | None, ids: tuple[str, ...]) -> frozenset[str]:
        """Give which of these bots are one owner's; None: everybody's."""
        if owner is None or not ids:
            return frozenset(ids)
        query = select(bots.c.id).where(bots.c.id.in_(ids), _of(owner))
        async with self._statements() as connection:
            return frozenset(await connection.scalars(query))


def _of(owner: str | None) -> ColumnElement[bool]:
    return true() if owner is None else bots.c.settings["owner"].astext == owner


def _made_before(cursor: str) -> ColumnElement[bool]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise no_cursor(cursor)
    made = tuple_(bots.c.created_at, bots.c.id)
    return made < tuple_(int(found[1]), found[2], types=[bots.c.created_at.type, bots.c.id.type])


async def _held(
    connection: AsyncConnection, ids: Sequence[str]
) -> Mapping[str, tuple[Position, ...]]:
    """Give what each of these bots holds, by coin."""
    if not ids:
        return {}
    query: Select[*tuple[object, ...]] = (
        select(*POSITION, positions.c.bot_id)
        .where(positions.c.bot_id.in_(ids))
        .order_by(positions.c.bot_id, positions.c.symbol)
    )
    held: dict[str, tuple[Position, ...]] = {}
    for row in (await connection.execute(query)).mappings():
        # Of columns with units, which were checked when they were written.
        position = Position.model_construct(**{name: row[name] for name in Position.model_fields})
        held[row["bot_id"]] = (*held.get(row["bot_id"], ()), position)
    return held


def _state(row: RowMapping, held: tuple[Position, ...]) -> BotState:
    last = {column.name: row[f"last_{column.name}"] for column in _LAST.c}
    seen = last["quotes"] or {}
    of_last = row["newest_cycle"] == last["cycle"]
    equity = row["newest_equity"] if of_last else None
    return BotState.model_construct(
        bot=bot_from(row, _settings(row["settings"])),
        cash=row["cash"],
        equity=row["newest_equity"],
        last=None if last["cycle"] is None else cycle_row_of({**last, "equity": equity}),
        quotes={p.symbol: Quote.model_validate(seen[p.symbol]) for p in held if p.symbol in seen},
        positions=held,
    )


@lru_cache(maxsize=_SETTINGS)
def _settings(text: str) -> BotSettings:
    """Read settings, which are the same from page to page, and cost more than all the rest."""
    return BotSettings.model_validate_json(text)
