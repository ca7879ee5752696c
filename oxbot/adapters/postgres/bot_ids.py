"""Ids of bots for a shell that completes them: by the driver alone, since a person waits."""

from typing import Final

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from oxbot.domain.errors import StoreUnavailable

WITHIN_S: Final = 1.0
"""Seconds after which a person has typed the rest."""

MOST: Final = 50

_IDS: Final = """
SELECT id FROM bots WHERE starts_with(id, $1) AND archived_at IS NULL
ORDER BY status = 'stopped', created_at DESC LIMIT $2
"""


async def bot_ids(database_url: str, beginning: str) -> list[str]:
    """Give ids that begin so, newest first and stopped ones last.

    Raises:
        StoreUnavailable: PostgreSQL does not answer at once, or not with that.
    """
    try:
        connection = await asyncpg.connect(database_url, timeout=WITHIN_S, command_timeout=WITHIN_S)
        try:
            return [row["id"] for row in await connection.fetch(_IDS, beginning, MOST)]
        finally:
            await connection.close(timeout=WITHIN_S)
    except (
        OSError,
        TimeoutError,
        ValueError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
    ) as error:
        raise StoreUnavailable(f"PostgreSQL does not give the bots' ids: {error}.") from error
