"""Events that are told once, and outages whose end is still to be told."""

from decimal import Decimal

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert

from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import bots, events, positions
from oxbot.domain.alarm import PROTECTED_AGAIN, UNPROTECTED
from oxbot.domain.bot import BotStatus


class Outages(Records):
    """The part of the store that the alarm writes to."""

    async def held_symbols(self, venue: str) -> dict[str, tuple[str, ...]]:
        """Give what each bot of a venue that is not stopped holds."""
        query = (
            select(positions.c.bot_id, func.array_agg(positions.c.symbol).label("symbols"))
            .join(bots, bots.c.id == positions.c.bot_id)
            .where(bots.c.settings["venue"].astext == venue, bots.c.status != BotStatus.STOPPED)
            .where(positions.c.quantity != Decimal(0))
            .group_by(positions.c.bot_id)
            .order_by(positions.c.bot_id)
        )
        async with self._transaction() as connection:
            rows = await connection.execute(query)
            return {row.bot_id: tuple(sorted(row.symbols)) for row in rows}

    async def tell(self, bot_id: str, key: str, kind: str, text: str) -> bool:
        """Add an event of a bot; False when one of this key was told before."""
        row = {"bot_id": bot_id, "key": key, "kind": kind, "text": text, "figures": {}}
        new = insert(events).values(row).on_conflict_do_nothing().returning(events.c.id)
        async with self._transaction() as connection:
            return (await connection.execute(new)).one_or_none() is not None

    async def untold_ends(self, venue: str) -> list[tuple[str, str]]:
        """Give bot and key of every `unprotected` event whose end was not told yet."""
        end = events.alias("end")
        told = exists().where(
            end.c.bot_id == events.c.bot_id,
            end.c.kind == PROTECTED_AGAIN,
            end.c.id > events.c.id,
        )
        query = (
            select(events.c.bot_id, events.c.key)
            .join(bots, bots.c.id == events.c.bot_id)
            .where(bots.c.settings["venue"].astext == venue, events.c.kind == UNPROTECTED, ~told)
            .order_by(events.c.id)
        )
        async with self._transaction() as connection:
            return [(row.bot_id, row.key) for row in await connection.execute(query)]
