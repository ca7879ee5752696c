"""Migrations of the database: `DATABASE_URL=postgresql://... python -m infra.migrations`."""

import asyncio
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres import locks
from oxbot.adapters.postgres.engine import begin, open_engine
from oxbot.domain.errors import SetupError

LOCK_S: Final = 60
"""Seconds to wait for others who migrate, and for tables that others use."""

IDLE_S: Final = 60
"""Seconds for which a transaction that migrates may stand still: a busy machine is slow at it."""

_LOCK_NOT_AVAILABLE: Final = "55P03"
_DEADLOCK: Final = "40P01"

_BOTS_FIRST: Final = "LOCK TABLE bots IN ACCESS EXCLUSIVE MODE"
"""As everybody locks: who waited for bots while holding the books would wait for a worker that
holds a bot and wants to book."""

_USED: Final = (
    f"The database was not migrated, and nothing of it was changed: others use its tables, and "
    f"did not let go of them within {LOCK_S} s. Stop the workers and the API, and whatever else "
    "reads it, and try again."
)


def upgrade(database_url: str) -> None:
    """Bring a database to the newest schema, in one transaction: wholly or not at all.

    To be called outside an event loop; two at once wait for each other.

    Raises:
        SetupError: The database is newer than this program, or is being migrated, or its tables
            are used, for longer than `LOCK_S`.
        StoreUnavailable: PostgreSQL does not answer.
    """
    asyncio.run(_upgrade(database_url))


def config(connection: Connection | None = None) -> Config:
    """Give Alembic's configuration, on a connection where one is needed."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


async def _upgrade(database_url: str) -> None:
    engine = open_engine(database_url, pool_size=1, answer_s=None, idle_s=IDLE_S)
    try:
        async with begin(engine) as connection:
            await _lock(connection)
            await _migrate(connection)
    finally:
        await engine.dispose()


async def _migrate(connection: AsyncConnection) -> None:
    try:
        await connection.run_sync(_to_head)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in (_LOCK_NOT_AVAILABLE, _DEADLOCK):
            raise
        raise SetupError(_USED) from error


async def _lock(connection: AsyncConnection) -> None:
    await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_S}s'"))
    try:
        await locks.hold(connection, locks.MIGRATING)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise SetupError(
            f"Another process has been migrating this database for {LOCK_S} s. "
            f"Wait for it, or look for one that hangs."
        ) from error


def _to_head(connection: Connection) -> None:
    configuration = config(connection)
    known = {
        script.revision for script in ScriptDirectory.from_config(configuration).walk_revisions()
    }
    present = set(MigrationContext.configure(connection).get_current_heads())
    if unknown := present - known:
        raise SetupError(
            f"The database was made by a newer version of 0xBot (schema {', '.join(unknown)}). "
            f"Install that version, or use another database."
        )
    heads = set(ScriptDirectory.from_config(configuration).get_heads())
    if present and present != heads:
        connection.execute(text(_BOTS_FIRST))
    command.upgrade(configuration, "head")
