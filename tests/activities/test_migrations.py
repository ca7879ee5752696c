"""Migrations: the tables that the code expects, made once, by whoever comes first."""

import asyncio
import os
import subprocess
import sys
from decimal import Decimal

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from infra.migrations import config, upgrade
from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.schema import metadata
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import NotFound, SetupError
from oxbot.domain.models import ModelChoice
from oxbot.domain.portfolio import Direction
from oxbot.records import UNVERSIONED

CATALOGUE = """
SELECT conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT concat_ws(' ', table_name, column_name, data_type, numeric_precision,
                           numeric_scale, is_nullable, column_default, is_identity)
FROM information_schema.columns WHERE table_schema = 'public'
"""


async def catalogue(url: str) -> set[str]:
    """Everything PostgreSQL knows of the tables, but for Alembic's own."""
    engine = open_engine(url)
    async with engine.begin() as connection:
        rows = set(await connection.scalars(text(CATALOGUE)))
    await engine.dispose()
    return {row for row in rows if "alembic_version" not in row}


async def execute(url: str, statement: str) -> None:
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def migrate_to(url: str, revision: str) -> None:
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config(sync), revision))
    await engine.dispose()


def migrate(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.migrations"],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


async def test_alembic_finds_nothing_to_change_in_the_migrated_schema(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    engine = open_engine(database_url)
    async with engine.begin() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_migrations_make_the_very_constraints_and_indexes_that_the_code_declares(
    database_url: str, empty_database_url: str
) -> None:
    """Alembic compares no checks, and no conditions of partial indexes."""
    engine = open_engine(empty_database_url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    assert await catalogue(database_url) == await catalogue(empty_database_url)


async def test_two_starters_at_once_migrate_an_empty_database_once(
    empty_database_url: str, database_url: str
) -> None:
    await asyncio.gather(*(asyncio.to_thread(upgrade, empty_database_url) for _ in range(3)))
    assert await catalogue(empty_database_url) == await catalogue(database_url)


async def test_a_migration_that_fails_leaves_nothing_behind(empty_database_url: str) -> None:
    await execute(empty_database_url, "CREATE TABLE trades (mine int)")
    with pytest.raises(Exception, match="already exists"):
        await asyncio.to_thread(upgrade, empty_database_url)
    rows = await catalogue(empty_database_url)
    assert {row.split()[0] for row in rows} == {"trades"}


async def test_cycles_made_before_market_parts_stay_with_the_snapshot_they_saw(
    empty_database_url: str, database_url: str
) -> None:
    await migrate_to(empty_database_url, "0001")
    for row in (
        "INSERT INTO bots VALUES ('b1', '{}', 'running', 1, false, 1, 1, now())",
        "INSERT INTO snapshots VALUES ('s1', 'okx', 'epoch', '{BTC/USDT}', '{\"BTC/USDT\": 1}')",
        "INSERT INTO cycles VALUES ('b1', 1, 1, now(), 'begun', 's1')",
    ):
        await execute(empty_database_url, row)
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await catalogue(empty_database_url) == await catalogue(database_url)
    store = PostgresStore(open_engine(empty_database_url))
    with pytest.raises(NotFound, match="s1 has 0 of its 3 parts"):
        await store.snapshot("s1")
    await store.close()


BEFORE_DIRECTIONS = """
INSERT INTO bots VALUES ('b1', '{}', 'running', 1, false, 1, 1, now());
INSERT INTO orders VALUES ('o1', DEFAULT, 'b1', 1, 1, 'BTC/USDT', 'sell', 'stop', 1,
    NULL, NULL, NULL, NULL, 1, 'filled', '');
INSERT INTO fills VALUES (DEFAULT, 'b1', 'o1', 'paper:okx', 't1', 'BTC/USDT', 'sell', 1, 1, 0,
    'USDT', now(), 1, 1, 1);
INSERT INTO trades VALUES (1, 'b1', 'BTC/USDT', 1, 1, 1, 0, 0, now(), now(), 'stop');
INSERT INTO positions VALUES ('b1', 'ETH/USDT', 1, 1, 1, 1, 1, 0, 0, now(), 0.1, 0.1, 1)
"""


async def test_what_was_held_before_directions_were_is_long(
    empty_database_url: str, database_url: str
) -> None:
    await migrate_to(empty_database_url, "0002")
    for statement in BEFORE_DIRECTIONS.split(";"):
        await execute(empty_database_url, statement)
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await catalogue(empty_database_url) == await catalogue(database_url)
    store = PostgresStore(open_engine(empty_database_url))
    (trade,) = await store.trades("b1", 10)
    held = (await store.portfolio("b1")).positions["ETH/USDT"]
    assert trade.direction is held.direction is Direction.LONG
    await store.close()


BEFORE_MODELS = """
INSERT INTO bots VALUES ('b1', '{"name": "x"}', 'running', 1, false, 1, 1, now());
INSERT INTO cycles VALUES ('b1', 1, 1, now(), 'begun');
INSERT INTO llm_decisions VALUES ('d1', 'b1', 1, 'baseline', 'rule', 'a rule', 'h', 'prompt', '{}',
    NULL, 'no decision', 'r', 1, 2, 0.5, 3)
"""


async def test_decisions_and_bots_from_before_models_are_read_as_they_were(
    empty_database_url: str, database_url: str
) -> None:
    await migrate_to(empty_database_url, "0006")
    for statement in BEFORE_MODELS.split(";"):
        await execute(empty_database_url, statement)
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await catalogue(empty_database_url) == await catalogue(database_url)
    store = PostgresStore(open_engine(empty_database_url))
    decision, bot = await store.decision("b1", 1), await store.bot("b1")
    assert decision is not None
    assert (decision.tokens_in, decision.tokens_cached, decision.repaired) == (1, 0, False)
    assert decision.prompt_version == UNVERSIONED
    assert bot.settings.choices == (ModelChoice(),)
    await store.close()


async def test_the_stops_of_live_positions_come_and_go_with_their_migration(
    empty_database_url: str, database_url: str
) -> None:
    await asyncio.to_thread(upgrade, empty_database_url)
    await migrate_down_to(empty_database_url, "0012")
    before = await catalogue(empty_database_url)
    await migrate_down_to(empty_database_url, "0011")
    rows = await catalogue(empty_database_url)
    assert rows == {row for row in before if "resting_stops" not in row}
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await catalogue(empty_database_url) == await catalogue(database_url)


async def test_losses_come_and_go_with_their_migration(
    empty_database_url: str, database_url: str
) -> None:
    await asyncio.to_thread(upgrade, empty_database_url)
    await migrate_down_to(empty_database_url, "0013")
    now = await catalogue(empty_database_url)
    await migrate_down_to(empty_database_url, "0012")
    rows = await catalogue(empty_database_url)
    assert {row.split()[1] for row in rows - now} == {"ck_trades_exit"}
    new = ("write_off", "ix_events_of_account")
    assert now - rows == {row for row in now if any(name in row for name in new)}
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await catalogue(empty_database_url) == await catalogue(database_url)


async def test_users_come_and_go_with_their_migration(
    empty_database_url: str, database_url: str
) -> None:
    await migrate_to(empty_database_url, "0014")
    now = await catalogue(empty_database_url)
    await migrate_down_to(empty_database_url, "0013")
    rows = await catalogue(empty_database_url)
    new = ("users", "logins", "refresh_tokens", "registration")
    assert rows == {row for row in now if not any(name in row for name in new)}
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await catalogue(empty_database_url) == await catalogue(database_url)


async def test_what_lists_and_streams_are_read_by_comes_and_goes_with_its_migration(
    empty_database_url: str, database_url: str
) -> None:
    await migrate_to(empty_database_url, "0014")
    before = await catalogue(empty_database_url)
    await migrate_to(empty_database_url, "0015")
    assert len(await catalogue(empty_database_url) - before) == 6
    await migrate_down_to(empty_database_url, "0014")
    assert await catalogue(empty_database_url) == before
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await catalogue(empty_database_url) == await catalogue(database_url)


async def test_which_refresh_token_followed_which_comes_and_goes_with_its_migration(
    empty_database_url: str, database_url: str
) -> None:
    await migrate_to(empty_database_url, "0015")
    before = await catalogue(empty_database_url)
    await migrate_to(empty_database_url, "0016")
    assert len(await catalogue(empty_database_url) - before) == 4
    await migrate_down_to(empty_database_url, "0015")
    assert await catalogue(empty_database_url) == before
    await asyncio.to_thread(upgrade, empty_database_url)
    assert await catalogue(empty_database_url) == await catalogue(database_url)


async def migrate_down_to(url: str, revision: str) -> None:
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(config(sync), revision))
    await engine.dispose()


ROUND_TRIP = """
INSERT INTO bots VALUES ('b1', '{"name": "x"}', 'running', 1, false, 1, 10287.4063, now());
INSERT INTO orders VALUES ('o1', DEFAULT, 'b1', 1, 1, 'BTC/USDT', 'buy', 'entry', 0.1,
    60100, now(), 0.035, 0.07, 1, 'filled', '');
INSERT INTO orders VALUES ('o2', DEFAULT, 'b1', 1, 2, 'BTC/USDT', 'sell', 'target', 0.0999,
    NULL, NULL, NULL, NULL, 1, 'filled', '');
INSERT INTO fills VALUES (DEFAULT, 'b1', 'o1', 'paper:okx', 't1', 'BTC/USDT', 'buy', 0.1, 60000,
    0.0001, 'BTC', 'epoch', 0.1, 0.00000001, 0.00001);
INSERT INTO fills VALUES (DEFAULT, 'b1', 'o2', 'paper:okx', 't2', 'BTC/USDT', 'sell', 0.0999,
    63000, 6.2937, 'USDT', 'epoch', 0.1, 0.00000001, 0.00001);
INSERT INTO trades VALUES (2, 'b1', 'BTC/USDT', 0.1, 60000, 63000, 12.2937, 287.4063, 'epoch',
    'epoch', 'target');
INSERT INTO ledger_entries VALUES
    ('b1', 'deposit:1', 1, 'cash', 'USDT', 10000),
    ('b1', 'deposit:1', 2, 'capital', 'USDT', -10000),
    ('b1', 'fill:1', 1, 'cash', 'USDT', -6000),
    ('b1', 'fill:1', 2, 'fees', 'USDT', 6),
    ('b1', 'fill:1', 3, 'position:BTC/USDT', 'USDT', 5994),
    ('b1', 'fill:1', 4, 'position:BTC/USDT', 'BTC', 0.0999),
    ('b1', 'fill:1', 5, 'fees', 'BTC', 0.0001),
    ('b1', 'fill:1', 6, 'venue', 'BTC', -0.1),
    ('b1', 'fill:2', 1, 'cash', 'USDT', 6287.4063),
    ('b1', 'fill:2', 2, 'fees', 'USDT', 6.2937),
    ('b1', 'fill:2', 3, 'position:BTC/USDT', 'USDT', -5994),
    ('b1', 'fill:2', 4, 'realised', 'USDT', -299.7),
    ('b1', 'fill:2', 5, 'position:BTC/USDT', 'BTC', -0.0999),
    ('b1', 'fill:2', 6, 'venue', 'BTC', 0.0999)
"""


async def test_books_from_before_agree_with_their_fills_to_the_last_digit(
    empty_database_url: str,
) -> None:
    await migrate_to(empty_database_url, "0002")
    for statement in ROUND_TRIP.split(";"):
        await execute(empty_database_url, statement)
    await asyncio.to_thread(upgrade, empty_database_url)
    store = PostgresStore(open_engine(empty_database_url))
    audit = await store.audit("b1")
    assert (audit.fills, audit.drift, audit.unbalanced) == (2, Decimal(0), 0)
    assert (await store.bot("b1")).settings.limits.drawdown > 0
    assert (await store.marks("b1", 0)).high_water is None
    await store.close()


async def test_a_database_from_a_newer_version_is_refused_in_a_sentence(
    empty_database_url: str,
) -> None:
    await asyncio.to_thread(upgrade, empty_database_url)
    await execute(empty_database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SetupError, match="newer version"):
        await asyncio.to_thread(upgrade, empty_database_url)
    told = await asyncio.to_thread(migrate, empty_database_url)
    assert told.returncode == 1
    assert told.stderr.startswith("The database was made by a newer version of 0xBot (schema 9999)")
    assert len(told.stderr.splitlines()) == 1


async def test_the_command_migrates_and_says_so_also_the_second_time(
    empty_database_url: str,
) -> None:
    for _ in range(2):
        told = await asyncio.to_thread(migrate, empty_database_url)
        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout == "The database has the newest schema.\n"


async def test_the_command_says_when_postgresql_does_not_answer() -> None:
    told = await asyncio.to_thread(migrate, "postgresql://a@127.0.0.1:1/b")
    assert told.returncode == 1
    assert told.stderr.startswith("PostgreSQL does not answer")


async def test_what_a_bot_was_asked_for_with_comes_and_goes_with_its_migration(
    empty_database_url: str,
) -> None:
    await migrate_to(empty_database_url, "0016")
    before = await catalogue(empty_database_url)
    await migrate_to(empty_database_url, "0017")
    [row] = await catalogue(empty_database_url) - before
    assert row.startswith("bots asked text")
    await migrate_down_to(empty_database_url, "0016")
    assert await catalogue(empty_database_url) == before
