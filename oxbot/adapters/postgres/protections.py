"""Protections: what crossings led to, and how long that took."""

from typing import Final

from sqlalchemy import BigInteger, cast, extract, func, select
from sqlalchemy.dialects.postgresql import insert

from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import bots, protections
from oxbot.records import Protection, ProtectionTimes

LIMITS_MS: Final = (25, 50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000)
"""What times to protect are counted by."""

_TIMES: Final = ("opened", "crossed", "seen", "settled")
_NOTE: Final = insert(protections).on_conflict_do_nothing()


class Protections(Records):
    """The part of the store that keeps what protected whom."""

    async def note_protection(self, protection: Protection) -> None:
        """Keep that a crossing led to a settled exit; one that is noted stays as it is."""
        times = {name: getattr(protection, f"{name}_ms") for name in _TIMES}
        row = protection.model_dump(exclude={f"{name}_ms" for name in _TIMES})
        values = row | {f"{name}_at": at_ms for name, at_ms in times.items()}
        async with self._statements() as connection:
            await connection.execute(_NOTE, values)

    async def protection_times(self, venue: str) -> ProtectionTimes:
        """Give how long protecting took, over all that a watch saw as it came."""
        took = extract("epoch", protections.c.settled_at - protections.c.seen_at) * 1000
        took_ms = cast(took, BigInteger)
        counts = (func.count().filter(took_ms <= limit) for limit in LIMITS_MS)
        query = (
            select(func.count(), func.coalesce(func.sum(took_ms), 0), *counts)
            .join(bots, bots.c.id == protections.c.bot_id)
            .where(bots.c.settings["venue"].astext == venue, protections.c.seen_at.is_not(None))
        )
        async with self._transaction() as connection:
            count, total_ms, *within = (await connection.execute(query)).one()
        return ProtectionTimes(
            count=count, total_ms=total_ms, within=dict(zip(LIMITS_MS, within, strict=True))
        )
