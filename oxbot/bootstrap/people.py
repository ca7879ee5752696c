"""Joins administering users to its adapters; no secret is needed, and the API need not run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from oxbot.app.user_admin import Register
from oxbot.bootstrap.addresses import record_of
from oxbot.bootstrap.record import disposing
from oxbot.settings import Settings


@asynccontextmanager
async def open_register(settings: Settings) -> AsyncIterator[Register]:
    """Open the record of users.

    Raises:
        SetupError: No system is running, and none is named.
    """
    from oxbot.adapters.access.passwords import Argon2Passwords  # noqa: PLC0415 - loaded when needed
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.user_admin import PostgresUserAdmin  # noqa: PLC0415 - as above

    async with disposing(open_engine(record_of(settings), pool_size=1)) as engine:
        yield Register(users=PostgresUserAdmin(engine), passwords=Argon2Passwords())
