"""How PostgreSQL is reached, and which of its errors mean that it does not answer."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from oxbot.domain.errors import OxbotError, SetupError, StoreRefused, StoreUnavailable

CONNECT_S: Final = 5
"""Seconds to wait for a connection."""

ANSWER_S: Final = 15
"""Seconds to wait for a statement's answer, a lock's wait included."""

IDLE_S: Final = 5
"""Seconds that a transaction may stand still between two statements: a worker that is frozen in
the midst of one would keep a bot's row from every other, and its position from its stop."""

_DOWN: Final = ("08", "53", "57P01", "57P02", "57P03", "25P03")
"""SQLSTATEs: no connection; out of disk, memory or connections; going down or coming up; cut off
since the transaction stood still."""

_LOCKED_OUT: Final = ("28", "3D000")
"""SQLSTATEs: the login is refused; there is no such database."""

_OF_NAMES: Final = ("23", "42")
"""SQLSTATEs whose messages name tables, columns and constraints, but no values."""

_OTHER_SCHEMA: Final = ("42P01", "42703")
"""SQLSTATEs: there is no such table, or no such column."""


def async_url(database_url: str) -> URL:
    """Turn postgresql://... into the URL of the asyncpg driver.

    A unix socket stands in `?host=/directory`; libpq's `sslmode` is passed on as asyncpg's
    `ssl`, which knows the same words.

    Raises:
        SetupError: It is no URL of PostgreSQL.
    """
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise SetupError("DATABASE_URL is not a URL. It has the form postgresql://...") from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise SetupError(
            f"DATABASE_URL begins with {url.drivername}://, but the record is kept in PostgreSQL: "
            f"postgresql://user:password@host:5432/database."
        )
    mode = url.query.get("sslmode")
    plain = url.difference_update_query(["sslmode"]).set(drivername="postgresql+asyncpg")
    return plain if mode is None else plain.update_query_dict({"ssl": mode})


def open_engine(
    database_url: str,
    *,
    pool_size: int = 10,
    answer_s: float | None = ANSWER_S,
    idle_s: float = IDLE_S,
) -> AsyncEngine:
    """Open an engine; nothing is connected yet, and its errors name no values.

    Args:
        database_url: postgresql://...
        pool_size: Connections at most; who needs one more waits `CONNECT_S` for it.
        answer_s: Seconds until an unanswered statement counts as unavailable; None: never.
        idle_s: Seconds until PostgreSQL cuts off a transaction in which nothing is asked; 0: never.
    """
    return create_async_engine(
        async_url(database_url),
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=CONNECT_S,
        connect_args={
            "timeout": CONNECT_S,
            "command_timeout": answer_s,
            "server_settings": {
                "application_name": "0xbot",
                "timezone": "UTC",
                "idle_in_transaction_session_timeout": f"{idle_s * 1000:.0f}",
            },
        },
    )


def begin(engine: AsyncEngine) -> AbstractAsyncContextManager[AsyncConnection]:
    """Hold a transaction: committed at the end, rolled back on any error.

    Raises:
        StoreUnavailable: PostgreSQL does not answer; whether a commit that was under way
            happened is then unknown, so every method can be repeated.
        SetupError: It answers, and refuses the login or knows no such database.
        StoreRefused: It says no to a statement.
    """
    return _told(engine.begin())


def connect(engine: AsyncEngine) -> AbstractAsyncContextManager[AsyncConnection]:
    """Hold a connection of an engine that commits each statement by itself; errors as `begin`'s."""
    return _told(engine.connect())


@asynccontextmanager
async def _told(
    opened: AbstractAsyncContextManager[AsyncConnection],
) -> AsyncIterator[AsyncConnection]:
    """Hold a connection, whose errors are told as errors of the store."""
    try:
        async with opened as connection:
            yield connection
    except DBAPIError as error:
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if state.startswith(_LOCKED_OUT):
            raise SetupError(
                f"PostgreSQL refuses the connection: {_first_line(error)}. Check DATABASE_URL."
            ) from error
        if error.connection_invalidated or state.startswith(_DOWN):
            raise _down(_first_line(error)) from error
        # Not from it, since its details quote the row; where it came from can be told.
        raise _refused(error, state).with_traceback(error.__traceback__) from None
    except StatementError as error:
        # SQLAlchemy wraps what a column type says of a value.
        if isinstance(error.orig, OxbotError):
            raise error.orig from error
        raise
    except (OSError, TimeoutError, PoolTimeoutError) as error:
        raise _down(str(error) or type(error).__name__) from error


def _refused(error: DBAPIError, state: str) -> StoreRefused:
    """Say what was refused without a value of it: most messages, and all details, quote them."""
    told = f"{type(error.orig.__cause__ if error.orig else error).__name__} {state}"
    told += f", {_first_line(error)}" if state.startswith(_OF_NAMES) else ""
    if state in _OTHER_SCHEMA:
        return StoreRefused(
            f"The database has the schema of another version of 0xBot: {told}. Bring it to this "
            "version's with `python -m infra.migrations`, or run the version that wrote it "
            "(docs/upgrading.md). Nothing was kept of this, and it is tried again."
        )
    return StoreRefused(
        f"PostgreSQL refuses a statement: {told}. Nothing of it was kept, and it is tried again; "
        "if that goes on, 0xBot itself is at fault: report this sentence."
    )


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).partition("\n")[0].rstrip(".")


def _down(cause: str) -> StoreUnavailable:
    return StoreUnavailable(f"PostgreSQL does not answer ({cause}). Nothing is lost; try again.")
