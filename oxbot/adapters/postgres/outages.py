"""Events that are told once, and outages whose end is still to be told."""

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert

from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import bots, events
from oxbot.domain.alarm import PROTECTED_AGAIN, UNPROTECTED


class Outages(Records):
    """The part of the store that the alarm writes to."""

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
