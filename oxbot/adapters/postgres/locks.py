"""PostgreSQL's advisory locks: each number means one thing in the whole database.

`infra.migrations` takes its own of them, too, which versions of before know by the same number.
"""

from typing import Final

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

MIGRATING: Final = 0x0B07
"""Whoever brings the database to the newest schema."""

WRITING_OFF: Final = 0x0B08
"""Whoever writes off what is gone from an account that live bots share."""

ADDING_A_LIVE_BOT: Final = 0x0B09
"""Whoever adds a live bot to those that share an account."""

REGISTERING: Final = 0x0B0A
"""Whoever registers: one of them is the first."""

BOTS_OF_ONE: Final = 0x0B0B
"""Whoever makes or changes bots of an owner who may have only so many; one lock for each."""


async def hold(connection: AsyncConnection, number: int) -> None:
    """Wait for a lock, and hold it until the transaction ends."""
    await connection.execute(select(func.pg_advisory_xact_lock(number)))


async def hold_of(connection: AsyncConnection, number: int, whose: str) -> None:
    """Wait for somebody's own lock, and hold it until the transaction ends.

    Two of them may have the same one by chance, and wait for each other.
    """
    own = func.pg_advisory_xact_lock(cast(number, Integer), func.hashtext(whose))
    await connection.execute(select(own))
