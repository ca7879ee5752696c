"""Joins whoever only reads the record to PostgreSQL, each on connections of its own.

All raise SetupError where no system is running, and none is named. Adapters are loaded when they
are needed: a command must not wait for those of others.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from oxbot.bootstrap.addresses import record_of
from oxbot.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from oxbot.app.decisions import Decisions
    from oxbot.app.seen_cycle import SeenCycles
    from oxbot.app.statement import Statements
    from oxbot.ports.books import Books
    from oxbot.ports.event_log import EventLog
    from oxbot.ports.reading import Reading

READERS: Final = 4
EVENTS_POOL: Final = 2
BOOKS_POOL: Final = 2
BOOKS_IDLE_S: Final = 60
"""Seconds in which a busy machine may reckon with some fills, between two questions."""


@asynccontextmanager
async def disposing(engine: "AsyncEngine") -> "AsyncIterator[AsyncEngine]":
    """Dispose of an engine at the end."""
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_event_log(settings: Settings) -> "AsyncIterator[EventLog]":
    """Open the events for following them, on two connections however many follow."""
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.event_log import PostgresEventLog  # noqa: PLC0415 - as above

    async with disposing(open_engine(record_of(settings), pool_size=EVENTS_POOL)) as engine:
        yield PostgresEventLog(engine)


@asynccontextmanager
async def open_statements(settings: Settings) -> "AsyncIterator[Statements]":
    """Open the books for reading them whole, however long that takes."""
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.statement import PostgresStatements  # noqa: PLC0415 - as above

    async with disposing(
        open_engine(record_of(settings), pool_size=1, answer_s=None, idle_s=0)
    ) as engine:
        yield PostgresStatements(engine)


@asynccontextmanager
async def open_books(settings: Settings) -> "AsyncIterator[Books]":
    """Open the books for making them again: that delays no pause."""
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.store import PostgresStore  # noqa: PLC0415 - as above

    async with disposing(
        open_engine(record_of(settings), pool_size=BOOKS_POOL, idle_s=BOOKS_IDLE_S)
    ) as engine:
        yield PostgresStore(engine)


@asynccontextmanager
async def open_decisions(settings: Settings) -> "AsyncIterator[Decisions]":
    """Open the record of decisions, to be looked at."""
    from oxbot.adapters.postgres.decision_pages import PostgresDecisions  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - as above

    async with disposing(open_engine(record_of(settings), pool_size=1)) as engine:
        yield PostgresDecisions(engine)


@asynccontextmanager
async def open_reading(settings: Settings) -> "AsyncIterator[Reading]":
    """Open the record to be looked through: a list delays no pause."""
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.reading import PostgresReading  # noqa: PLC0415 - as above

    async with disposing(open_engine(record_of(settings), pool_size=READERS)) as engine:
        yield PostgresReading(engine)


@asynccontextmanager
async def open_seen_cycles(settings: Settings) -> "AsyncIterator[SeenCycles]":
    """Open the record of cycles with all that their decisions rested on."""
    from oxbot.adapters.postgres.engine import open_engine  # noqa: PLC0415 - as above
    from oxbot.adapters.postgres.seen_cycles import PostgresSeenCycles  # noqa: PLC0415 - as above

    async with disposing(open_engine(record_of(settings), pool_size=1)) as engine:
        yield PostgresSeenCycles(engine)
