"""PostgreSQL that does not answer is said to be unavailable, and is well again afterwards."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.engine import async_url, begin, open_engine
from oxbot.adapters.postgres.schema import bots
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import InputError, SetupError, StoreUnavailable
from oxbot.domain.orders import OrderState
from tests.support.servers import END_OTHERS
from tests.support.trading import INSTRUMENT, entry, fill, intend, new_bot


@pytest.mark.parametrize(
    "url",
    ["postgresql://a@127.0.0.1:1/b", "postgresql://a@/b?host=/nowhere", "postgresql://a.invalid/b"],
)
async def test_a_server_that_cannot_be_reached_is_unavailable(url: str) -> None:
    store = PostgresStore(open_engine(url))
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await store.bot("b1")
    await store.close()


async def test_cut_connections_are_unavailable_once_and_replaced(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    await asyncio.gather(*(store.bot("b1") for _ in range(5)))
    async with engine.begin() as connection:
        await connection.execute(text(END_OTHERS))
    with pytest.raises(StoreUnavailable):
        await store.bot("b1")
    await asyncio.gather(*(store.bot("b1") for _ in range(5)))


@pytest.mark.critical
async def test_a_settlement_cut_before_its_commit_leaves_nothing_and_can_be_repeated(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    async with engine.begin() as blocking:
        await blocking.execute(text("LOCK TABLE trades, positions IN ACCESS EXCLUSIVE MODE"))
        settling = asyncio.create_task(store.settle(order.id, [fill(order)], INSTRUMENT))
        waits = text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        )
        while not settling.done():
            await blocking.execute(waits)
            await asyncio.sleep(0.005)
    with pytest.raises(StoreUnavailable):
        await settling
    assert await store.fills(order.id) == []
    assert (await store.settle(order.id, [fill(order)], INSTRUMENT)).state is OrderState.FILLED
    assert (await store.audit("b1")).drift == 0


async def test_an_answer_that_takes_too_long_counts_as_none(
    database_url: str, engine: AsyncEngine
) -> None:
    store = PostgresStore(open_engine(database_url, answer_s=0.3))
    await new_bot(store)
    async with engine.begin() as blocking:
        await blocking.execute(text("SELECT 1 FROM bots FOR UPDATE"))
        with pytest.raises(StoreUnavailable):
            await store.reserve_cycles("b1", "c", "r", 1)
    assert (await store.reserve_cycles("b1", "c", "r", 1)).first_cycle == 1
    await store.close()


async def test_a_refused_login_and_a_missing_database_are_for_a_person_to_mend(
    database_url: str,
) -> None:
    wrong = async_url(database_url).set(database="nope").set(drivername="postgresql")
    store = PostgresStore(open_engine(wrong.render_as_string(hide_password=False)))
    with pytest.raises(SetupError, match=r'"nope" does not exist.*DATABASE_URL'):
        await store.bot("b1")
    await store.close()


@pytest.mark.parametrize("url", ["mysql://a/b", "nonsense", "redis://x"])
def test_what_is_no_url_of_postgresql_is_refused(url: str) -> None:
    with pytest.raises(SetupError, match="DATABASE_URL"):
        async_url(url)


def test_socket_directories_and_tls_modes_reach_the_driver() -> None:
    url = async_url("postgres://me:p%40ss@/base?host=/tmp/a%20b&sslmode=require")
    assert url.drivername == "postgresql+asyncpg"
    assert url.password == "p@ss"  # noqa: S105 - of the example
    assert dict(url.query) == {"host": "/tmp/a b", "ssl": "require"}  # noqa: S108 - an example


async def test_a_bug_is_not_taken_for_an_outage(engine: AsyncEngine) -> None:
    with pytest.raises(IntegrityError):
        async with begin(engine) as connection:
            await connection.execute(bots.insert().values(id="b1", epoch=1))


async def test_an_amount_that_would_lose_a_digit_is_refused_and_nothing_is_kept(
    store: PostgresStore,
) -> None:
    with pytest.raises(InputError, match="18 decimals"):
        await new_bot(store, capital="1.0000000000000000001")
    assert await store.bots() == []
