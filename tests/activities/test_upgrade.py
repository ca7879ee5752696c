"""Upgrades of a database that is full and in use: order, totals, locks, and what is said."""

import asyncio
import subprocess

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.migrations import upgrade
from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.reading import PostgresReading
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import SetupError, StoreRefused
from oxbot.records.reading import Part
from tests.activities.test_migrations import catalogue, migrate, migrate_to

BOTS, FILLS, EVENTS, LOSSES = 5, 300, 400, 3

FULL = f"""
INSERT INTO bots (id, settings, status, epoch, flatten, incarnation, cash, created_at)
    SELECT 'b' || b, '{{"name": "x", "owner": "local"}}', 'running', 1, false, 1, 100, now()
    FROM generate_series(1, {BOTS}) b;
INSERT INTO orders (id, bot_id, incarnation, cycle, symbol, side, purpose, quantity, epoch, state,
        reason)
    SELECT 'o' || b, 'b' || b, 1, 1, 'BTC/USDT', 'sell', 'stop', 1, 1, 'filled', ''
    FROM generate_series(1, {BOTS}) b;
INSERT INTO fills (bot_id, order_id, venue, trade_id, symbol, side, quantity, price, fee,
        fee_currency, at, last, tick, lot, minimum)
    SELECT 'b' || 1 + n % {BOTS}, 'o' || 1 + n % {BOTS}, 'paper:okx', 't' || n, 'BTC/USDT', 'sell',
        1, 1, 0, 'USDT', now(), true, 1, 1, 1
    FROM generate_series(1, {BOTS * FILLS}) n;
INSERT INTO write_offs (bot_id, wish, currency, amount, cost, after_fill, at)
    SELECT 'b1', 'w' || n, 'USDT', 1, 1, n * 100 * {BOTS}, now()
    FROM generate_series(1, {LOSSES}) n;
INSERT INTO ledger_entries (bot_id, posting, line, account, currency, amount)
    SELECT bot_id, posting, line, CASE line WHEN 1 THEN 'cash' ELSE 'venue' END, 'USDT',
        amount * (3 - 2 * line)
    FROM (
        SELECT id AS bot_id, 'deposit:1' AS posting, 100.5 AS amount FROM bots
        UNION ALL SELECT bot_id, 'fill:' || id, 1 + id / 1000.0 FROM fills
        UNION ALL SELECT bot_id, 'write_off:' || id, 0.25 FROM write_offs
    ) p, generate_series(1, 2) line
    ORDER BY md5(posting || bot_id || line);
INSERT INTO events (bot_id, key, kind, text, figures)
    SELECT 'b' || 1 + n % {BOTS}, 'k' || n, 'test', 'told ' || n, '{{}}'
    FROM generate_series(1, {BOTS * EVENTS}) n
"""  # noqa: S608 - only this file's own numbers

TOTALS = """
SELECT bot_id, account, currency, count(*), sum(amount) FROM ledger_entries
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


async def filled(url: str) -> AsyncEngine:
    """A database as it was before the lists, with thousands of rows that lie in no order."""
    await migrate_to(url, "0014")
    engine = open_engine(url, pool_size=3)
    async with engine.begin() as connection:
        for statement in FULL.split(";"):
            await connection.execute(text(statement))
    return engine


async def rows_of(engine: AsyncEngine, query: str) -> list[tuple[object, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


def booked(postings: list[str], losses: dict[str, int]) -> list[str]:
    """Postings in the order in which they were booked."""

    def place(posting: str) -> tuple[int, bool, int]:
        kind, number = posting.split(":")
        after = {"deposit": 0, "fill": int(number)}.get(kind)
        return (losses[posting] if after is None else after, kind == "write_off", int(number))

    return sorted(postings, key=place)


async def test_the_ledger_of_a_full_database_is_numbered_in_the_order_of_booking(
    empty_database_url: str, database_url: str
) -> None:
    engine = await filled(empty_database_url)
    totals = await rows_of(engine, TOTALS)
    known = await rows_of(engine, "SELECT id, after_fill FROM write_offs")
    losses = {f"write_off:{number}": int(str(after)) for number, after in known}
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await catalogue(empty_database_url) == await catalogue(database_url)
    assert await rows_of(engine, TOTALS) == totals
    for number in range(1, BOTS + 1):
        query = f"SELECT posting, line FROM ledger_entries WHERE bot_id = 'b{number}' ORDER BY id"  # noqa: S608
        rows = [(str(posting), line) for posting, line in await rows_of(engine, query)]
        postings = booked(sorted({posting for posting, _ in rows}), losses)
        assert rows == [(posting, line) for posting in postings for line in (1, 2)]
        assert len(postings) == 1 + FILLS + (LOSSES if number == 1 else 0)
    await engine.dispose()


async def test_what_is_booked_after_an_upgrade_comes_behind_all_that_was_there(
    empty_database_url: str,
) -> None:
    engine = await filled(empty_database_url)
    await asyncio.to_thread(upgrade, empty_database_url)
    async with engine.begin() as connection:
        await book(connection, "b3", "fill:999999")
    page = await PostgresReading(engine).ledger("b3", Part(limit=1))
    assert page.items[0].posting == "fill:999999"
    ids = await rows_of(engine, "SELECT count(*), count(DISTINCT id), max(id) FROM ledger_entries")
    assert len(set(ids[0])) == 1
    await engine.dispose()


async def book(connection: AsyncConnection, bot: str, posting: str) -> None:
    """Book as a worker of whatever version does: it names no numbers."""
    row = f"('{bot}', '{posting}', 1, 'cash', 'USDT', 1)"
    columns = "(bot_id, posting, line, account, currency, amount)"
    await connection.execute(text(f"INSERT INTO ledger_entries {columns} VALUES {row}"))  # noqa: S608


async def test_events_from_before_keep_their_order_and_their_table_is_not_written_anew(
    empty_database_url: str,
) -> None:
    engine = await filled(empty_database_url)
    where = "SELECT pg_relation_filenode('events')"
    before = await rows_of(engine, where)
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await rows_of(engine, where) == before
    told = await rows_of(engine, 'SELECT text FROM events ORDER BY "transaction", id')
    assert told == [(f"told {n}",) for n in range(1, BOTS * EVENTS + 1)]
    await engine.dispose()


async def test_an_upgrade_waits_for_a_worker_that_is_booking_and_neither_is_harmed(
    empty_database_url: str,
) -> None:
    engine = await filled(empty_database_url)
    async with engine.begin() as worker:
        await worker.execute(text("SELECT * FROM bots WHERE id = 'b2' FOR NO KEY UPDATE"))
        upgrading = asyncio.create_task(asyncio.to_thread(upgrade, empty_database_url))
        await somebody_waits(engine)
        await book(worker, "b2", "fill:999999")
    await upgrading
    found = await rows_of(engine, "SELECT id FROM ledger_entries WHERE posting = 'fill:999999'")
    assert len(found) == 1
    await engine.dispose()


async def somebody_waits(engine: AsyncEngine) -> None:
    """Return once a lock on a table is waited for."""
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
    async with asyncio.timeout(60):
        while await rows_of(engine, query) == [(0,)]:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def test_an_upgrade_of_tables_that_are_in_use_too_long_says_what_to_do_and_changes_nothing(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await filled(empty_database_url)
    before = await catalogue(empty_database_url)
    monkeypatch.setattr("infra.migrations.LOCK_S", 0.1)
    async with engine.begin() as reader:
        await reader.execute(text("SELECT count(*) FROM bots"))
        with pytest.raises(SetupError, match="Stop the workers and the API"):
            await asyncio.to_thread(upgrade, empty_database_url)
    assert await catalogue(empty_database_url) == before
    await asyncio.to_thread(upgrade, empty_database_url)
    await engine.dispose()


async def test_a_database_that_has_the_newest_schema_is_migrated_beside_whoever_uses_it(
    empty_database_url: str,
) -> None:
    """Each start of the system migrates: it must not wait for workers that run."""
    await asyncio.to_thread(upgrade, empty_database_url)
    engine = open_engine(empty_database_url)
    async with engine.begin() as worker:
        await worker.execute(text("LOCK TABLE bots IN ROW EXCLUSIVE MODE"))
        told: subprocess.CompletedProcess[str] = await asyncio.to_thread(
            migrate, empty_database_url
        )
    assert (told.returncode, told.stderr) == (0, "")
    await engine.dispose()


async def test_a_program_beside_an_older_schema_says_so_and_serves_once_it_is_migrated(
    empty_database_url: str,
) -> None:
    engine = await filled(empty_database_url)
    store = PostgresStore(engine)
    with pytest.raises(StoreRefused, match=r"schema of another version.*infra\.migrations"):
        await store.bots()
    await asyncio.to_thread(upgrade, empty_database_url)
    assert len(await store.bots()) == BOTS
    await store.close()
