"""Bots as lists show them: a page of them by one statement, however many they are."""

import re
from typing import Final

from sqlalchemy import ColumnElement, and_, select, true

from oxbot.adapters.postgres.bot_states import states
from oxbot.adapters.postgres.listings import LATEST_MS, no_cursor
from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import bots
from oxbot.domain.bot import ID_PATTERN, BotStatus, Mode, no_bot
from oxbot.records.reading import Page, Part

_CURSOR: Final = re.compile(rf"([0-9]{{1,14}})\.({ID_PATTERN.strip('^$')})")
"""When the page's last bot was made (wall ms), and its id: bots have no number."""


class BotLists(Records):
    """The part of the reading that gives bots."""

    async def bots_written(self, owner: str | None, part: Part, *, archived: bool) -> Page[str]:
        """Give the bots of one owner or of all: those in sight, or those out of it (`archived`).

        Each is the JSON of a `BotState`.

        Raises:
            InputError: The cursor is none of this list.
        """
        given = {"of_owner": owner, "most": part.limit + 1, **_made_before(part.cursor)}
        async with self._statements() as connection:
            found = (await connection.execute(states(archived=archived), given)).mappings().all()
        shown = found[: part.limit]
        last = f"{shown[-1]['created_at']}.{shown[-1]['id']}" if len(found) > part.limit else None
        return Page(items=tuple(row["json"] for row in shown), next=last)

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


def _made_before(cursor: str | None) -> dict[str, object]:
    if cursor is None:
        return {"made": LATEST_MS, "last_id": ""}
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise no_cursor(cursor)
    return {"made": int(found[1]), "last_id": found[2]}
