"""Real PostgreSQL and Redis for tests: one of each a session, empty again for every test.

They are the embedded servers of the project itself, with PostgreSQL's fsync off. DATABASE_URL
and REDIS_URL of the environment are never touched.
"""

import asyncio
import dataclasses
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.migrations import upgrade
from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.schema import metadata
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.redis.board import RedisPriceBoard, open_redis
from oxbot.embedded import postgres, redis
from oxbot.embedded.child import Child, Program
from oxbot.embedded.paths import DataDirectory

FORGETFUL = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server_home() -> Iterator[DataDirectory]:
    """A data directory with a path short enough for unix sockets."""
    root = Path(tempfile.mkdtemp(prefix="oxbot-test-"))
    home = DataDirectory.of(root)
    home.make()
    yield home
    shutil.rmtree(root, ignore_errors=True)


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[Child]:
    """Hold a program that is ready."""
    child = await Child.start(program)
    try:
        await child.until_ready()
        yield child
    finally:
        await child.stop()


@pytest.fixture(scope="session")
async def postgres_url(server_home: DataDirectory) -> AsyncIterator[str]:
    """A server with a migrated database, which the tests share one after the other."""
    sockets = server_home.socket_directory()
    program = postgres.Postgres.found(server_home, sockets).program()
    quick = dataclasses.replace(program, command=(*program.command, *FORGETFUL))
    async with running(quick):
        url = postgres.url(sockets)
        await asyncio.to_thread(upgrade, url)
        yield url


@pytest.fixture
async def database_url(postgres_url: str) -> str:
    """A migrated database without rows, and without connections from an earlier test."""
    tables = ", ".join(metadata.tables)
    await _execute(postgres_url, END_OTHERS, f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return postgres_url


@pytest.fixture
async def empty_database_url(postgres_url: str) -> AsyncIterator[str]:
    """A database with nothing in it."""
    name = f"empty_{next(_numbers)}"
    await _execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE template0")
    yield make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    await _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine of its own, for looking at rows."""
    engine = open_engine(database_url, pool_size=2)
    yield engine
    await engine.dispose()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PostgresStore]:
    """The store, on a database without rows."""
    store = PostgresStore(open_engine(database_url))
    yield store
    await store.close()


@pytest.fixture(scope="session")
async def redis_server_url(server_home: DataDirectory) -> AsyncIterator[str]:
    """A Redis server."""
    sockets = server_home.socket_directory()
    async with running(redis.Redis.found(server_home, sockets).program()):
        yield redis.url(sockets)


@pytest.fixture
async def redis_url(redis_server_url: str) -> str:
    """A Redis without keys."""
    client = open_redis(redis_server_url)
    await client.flushall()
    await client.aclose()
    return redis_server_url


@pytest.fixture
async def board(redis_url: str) -> AsyncIterator[RedisPriceBoard]:
    """The price board, without prices."""
    board = RedisPriceBoard(open_redis(redis_url))
    yield board
    await board.close()


async def _execute(url: str, *statements: str) -> None:
    """Run statements outside a transaction."""
    engine = open_engine(url, pool_size=1)
    async with engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in statements:
            await alone.execute(text(statement))
    await engine.dispose()


async def until_one_waits(engine: AsyncEngine) -> None:
    """Return when some connection waits for a lock."""
    await until_waiting(engine, 1)


async def until_waiting(engine: AsyncEngine, count: int) -> None:
    """Return when so many connections wait for locks.

    Each look is a transaction of its own: within one, no connection is seen that came later.
    """
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    single = engine.execution_options(isolation_level="AUTOCOMMIT")
    async with single.connect() as connection:
        while await connection.scalar(waiting) < count:  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.005)
