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
"""Seconds to wait for that lock, and for tables that others use."""

_LOCK_NOT_AVAILABLE: Final = "55P03"


def upgrade(database_url: str) -> None:
    """Bring a database to the newest schema, in one transaction: wholly or not at all.

    To be called outside an event loop; two at once wait for each other.

    Raises:
        SetupError: The database is newer than this program, or is being migrated for longer
            than `LOCK_S`.
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
    engine = open_engine(database_url, pool_size=1, answer_s=None)
    try:
        async with begin(engine) as connection:
            await _lock(connection)
            await connection.run_sync(_to_head)
    finally:
        await engine.dispose()


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
    command.upgrade(configuration, "head")
