"""The real servers, one after the other and all at once."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg  # type: ignore[import-untyped] # shipped without types
import psutil
import pytest
import redis.asyncio

from oxbot.domain.errors import SetupError
from oxbot.embedded import reach, temporal
from oxbot.embedded.addresses import Addresses
from oxbot.embedded.paths import DataDirectory
from oxbot.embedded.servers import addresses_of, embedded_servers
from oxbot.settings import Settings
from tests.unit.embedded.conftest import Until


async def query(addresses: Addresses, statement: str) -> object:
    socket_directory = addresses.database_url.partition("host=")[2]
    connection = await asyncpg.connect(host=socket_directory, user="oxbot", database="oxbot")
    try:
        answer: object = await connection.fetchval(statement)
    finally:
        await connection.close()
    return answer


async def test_what_was_written_is_there_after_a_restart(settings: Settings) -> None:
    async with embedded_servers(settings, print, ["postgres", "redis"]) as addresses:
        await query(addresses, "CREATE TABLE fills AS SELECT 42 AS quantity")
        async with redis.asyncio.from_url(addresses.redis_url) as client:
            await client.set("price", "61000.5")
    async with embedded_servers(settings, print, ["postgres", "redis"]) as addresses:
        assert await query(addresses, "SELECT quantity FROM fills") == 42
        assert await query(addresses, "SHOW fsync") == "on"
        assert await query(addresses, "SHOW server_encoding") == "UTF8"
        async with redis.asyncio.from_url(addresses.redis_url) as client:
            assert await client.get("price") == b"61000.5"


async def test_bots_can_be_searched_also_in_an_old_database_with_a_new_attribute(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {**temporal.SEARCH_ATTRIBUTES}
    for _ in range(2):
        monkeypatch.setattr(temporal, "SEARCH_ATTRIBUTES", known)
        async with embedded_servers(settings, print, ["temporal"]) as addresses:
            url = f"{addresses.temporal_ui}/api/v1/namespaces/default/search-attributes"
            answer = await asyncio.to_thread(reach.get_object, url)
        attributes = answer["customAttributes"]
        assert isinstance(attributes, dict)
        assert attributes.keys() >= known.keys()
        assert attributes["BotSymbols"] == "INDEXED_VALUE_TYPE_KEYWORD_LIST"
        known = {**known, "BotColour": "Keyword"}


async def test_a_server_that_is_killed_comes_back_with_its_data(
    settings: Settings, until: Until
) -> None:
    said: list[str] = []
    async with embedded_servers(settings, said.append, ["postgres", "redis"]) as addresses:
        await query(addresses, "CREATE TABLE fills AS SELECT 42 AS quantity")
        for child in psutil.Process().children():
            child.send_signal(signal.SIGKILL)
        await until(lambda: sum("restarted" in line for line in said) == 2)
        assert await query(addresses, "SELECT quantity FROM fills") == 42
        async with redis.asyncio.from_url(addresses.redis_url) as client:
            assert await client.ping()


async def test_a_postmaster_pid_that_passed_to_somebody_else_is_no_obstacle(
    settings: Settings,
) -> None:
    async with embedded_servers(settings, print, ["postgres"]):
        status = DataDirectory.of(settings.home).root / "postgres" / "postmaster.pid"
        lines = status.read_text().splitlines()
    status.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    async with embedded_servers(settings, print, ["postgres"]) as addresses:
        assert await query(addresses, "SELECT 1") == 1


async def test_data_of_another_postgresql_is_refused_in_a_sentence(settings: Settings) -> None:
    data = DataDirectory.of(settings.home).root / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("19\n")
    with pytest.raises(SetupError, match=r"made by PostgreSQL 19.*OXBOT_HOME"):
        async with embedded_servers(settings, print, ["postgres"]):
            pass


async def test_a_directory_that_is_not_postgresqls_is_left_alone(settings: Settings) -> None:
    data = DataDirectory.of(settings.home).root / "postgres"
    data.mkdir(parents=True)
    (data / "diary.txt").write_text("mine")
    with pytest.raises(SetupError, match="is not empty"):
        async with embedded_servers(settings, print, ["postgres"]):
            pass
    assert (data / "diary.txt").read_text() == "mine"


async def test_data_of_a_newer_temporal_is_refused_in_a_sentence(settings: Settings) -> None:
    directory = DataDirectory.of(settings.home).root / "temporal"
    directory.mkdir(parents=True)
    (directory / "server-version").write_text("99.0.0")
    with pytest.raises(SetupError, match=r"written by Temporal server 99\.0\.0"):
        async with embedded_servers(settings, print, ["temporal"]):
            pass


async def test_a_deep_data_directory_works_although_a_socket_path_is_short(
    settings: Settings, tmp_path: Path
) -> None:
    deep = settings.model_copy(update={"home": tmp_path / ("d" * 100) / "home"})
    async with embedded_servers(deep, print, ["postgres", "redis"]) as addresses:
        assert await query(addresses, "SELECT 1") == 1
        async with redis.asyncio.from_url(addresses.redis_url) as client:
            assert await client.ping()
        sockets = DataDirectory.of(deep.home).socket_directory()
    assert deep.home not in sockets.parents
    sockets.rmdir()


@pytest.mark.parametrize(
    ("field", "variable", "address"),
    [
        ("temporal_address", "TEMPORAL_ADDRESS", "127.0.0.1:1"),
        ("redis_url", "REDIS_URL", "redis://127.0.0.1:1/0"),
        ("database_url", "DATABASE_URL", "postgresql+asyncpg://u:secret@127.0.0.1:1/db"),
    ],
)
async def test_a_given_server_is_used_and_named_when_it_does_not_answer(
    settings: Settings, field: str, variable: str, address: str
) -> None:
    given = settings.model_copy(update={field: address})
    assert address in vars(addresses_of(given, Path("/sockets"))).values()
    name = {"temporal_address": "temporal", "redis_url": "redis"}.get(field, "postgres")
    with pytest.raises(SetupError, match=f"{variable} is set") as refusal:
        async with embedded_servers(given, print, [name]):
            pass
    assert "secret" not in str(refusal.value)
