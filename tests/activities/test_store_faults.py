"""PostgreSQL that does not answer is said to be unavailable, and is well again afterwards."""

import asyncio
import traceback

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.engine import async_url, begin, open_engine
from oxbot.adapters.postgres.schema import bots
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import InputError, SetupError, StoreRefused, StoreUnavailable
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


UNTOLD = "never-to-be-told"
REFUSED = (
    (
        "INSERT INTO bots (id) VALUES (:secret)",
        r'NotNullViolationError 23502, .* column "settings"',
    ),
    ("SELECT CAST(:secret AS text)::integer", "InvalidTextRepresentationError 22P02"),
    ("SELECT CAST(:secret || chr(0) AS text)", "ProgramLimitExceededError 54000"),
    ("INSERT INTO nowhere VALUES (:secret)", 'UndefinedTableError 42P01, relation "nowhere"'),
)


@pytest.mark.parametrize(("statement", "told"), REFUSED)
async def test_a_statement_that_is_refused_is_no_outage_and_names_no_value(
    engine: AsyncEngine, statement: str, told: str
) -> None:
    """What is said goes to Temporal's histories and to status pages."""
    with pytest.raises(StoreRefused, match=told) as caught:
        async with begin(engine) as connection:
            await connection.execute(text(statement), {"secret": UNTOLD})
    assert caught.value.retryable
    assert UNTOLD not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("value", [f"{UNTOLD}\x00", f"{UNTOLD}\ud800"])
async def test_a_text_that_cannot_be_kept_is_not_told_either(
    store: PostgresStore, engine: AsyncEngine, value: str
) -> None:
    await new_bot(store)
    with pytest.raises(StoreRefused, match=r"PostgreSQL refuses a statement: \w+ 22") as caught:
        async with begin(engine) as connection:
            await connection.execute(bots.update().values(status=value))
    assert UNTOLD not in "".join(traceback.format_exception(caught.value))


async def test_what_is_refused_is_named_by_its_place(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    again = text("INSERT INTO bots SELECT * FROM bots")
    with pytest.raises(StoreRefused, match=r'UniqueViolationError 23505, .*"pk_bots"'):
        async with begin(engine) as connection:
            await connection.execute(again)


async def test_no_error_of_the_driver_names_what_was_to_be_written(engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES (:a)"), {"a": UNTOLD})
    assert UNTOLD not in str(caught.value)


async def test_an_amount_that_would_lose_a_digit_is_refused_and_nothing_is_kept(
    store: PostgresStore,
) -> None:
    with pytest.raises(InputError, match="18 decimals"):
        await new_bot(store, capital="1.0000000000000000001")
    assert await store.bots() == []


@pytest.mark.critical
async def test_a_worker_that_is_frozen_in_a_transaction_keeps_its_bot_from_nobody(
    store: PostgresStore, database_url: str
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    frozen = open_engine(database_url, idle_s=0.1)

    async def frozen_meanwhile() -> None:
        async with begin(frozen) as held:
            await held.execute(text("SELECT 1 FROM bots FOR UPDATE"))
            ended = await store.settle(order.id, [fill(order)], INSTRUMENT)
            assert ended.state is OrderState.FILLED
            await held.execute(text("SELECT 1"))

    with pytest.raises(StoreUnavailable, match="does not answer"):
        await frozen_meanwhile()
    assert (await store.order(order.id)).state is OrderState.FILLED
    async with begin(frozen) as well:
        assert await well.scalar(text("SELECT 1")) == 1
    await frozen.dispose()
