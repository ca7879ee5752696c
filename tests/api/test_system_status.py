"""`/status` and `oxbot status` of the system itself: servers, workers, models, what is missing."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from typer.testing import CliRunner, Result

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.redis.board import RedisPriceBoard, open_redis
from oxbot.adapters.redis.breaker import RedisBreaker
from oxbot.app.missing import missing
from oxbot.app.system_status import ServerStatus, SystemStatus, Worker, WorkersStatus
from oxbot.cli.main import app as oxbot
from oxbot.domain.circuit import MODEL, OPENS_AFTER
from tests.api.conftest import NOWHERE, Json, serving
from tests.api.test_status import clock, report
from tests.support.asked import FAILED, ask
from tests.support.trading import new_bot


@pytest.fixture
async def api(database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(database_url, redis_url=redis_url, openai_api_key="k") as client:
        yield client


async def told(api: httpx.AsyncClient) -> Json:
    answer = await api.get("/status")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def by_name(found: Json, of: str = "servers", name: str = "name") -> dict[str, Json]:
    return {one[name]: one for one in found[of]}


async def test_each_server_is_told_by_itself_and_what_is_missing_says_what_that_means(
    api: httpx.AsyncClient,
) -> None:
    found = await told(api)
    servers = by_name(found)
    assert servers["PostgreSQL"]["answers"] is servers["Redis"]["answers"] is True
    assert servers["PostgreSQL"]["version"][:2].isdigit()
    assert servers["Redis"]["round_trip_ms"] >= 0
    assert servers["Temporal"]["answers"] is False
    assert "Temporal" in found["workers"]["trouble"]
    (lacks,) = found["missing"]
    assert "Temporal does not answer" in lacks
    assert "Bots stand still until Temporal is back" in lacks


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """A server that takes connections and says nothing."""
    ended = asyncio.Event()

    async def heard(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    server = await asyncio.start_server(heard, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"{host}:{port}"
    finally:
        ended.set()
        server.close()


async def test_servers_that_say_nothing_hold_nothing_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oxbot.app.system_status.PATIENCE_S", 0.1)
    monkeypatch.setattr("api.status.PATIENCE_S", 0.1)
    async with silent_server() as silent:
        away = {"redis_url": f"redis://{silent}", "temporal_address": silent}
        async with serving(database_url, **away) as api:
            servers = by_name(await told(api))
    assert servers["PostgreSQL"]["answers"] is True
    for name in ("Redis", "Temporal"):
        assert servers[name]["trouble"] == f"{name} gives no answer within 0.1 s."


async def test_models_are_told_by_settings_record_and_breaker_and_nobody_is_asked(
    api: httpx.AsyncClient, store: PostgresStore, redis_url: str
) -> None:
    await new_bot(store)
    await ask(store, 1)
    await ask(store, 2, FAILED)
    redis = open_redis(redis_url)
    for _ in range(OPENS_AFTER):
        now = clock()
        await RedisBreaker(redis).failed(f"{MODEL}openai", now, "no route", now.wall_ms)
    await redis.aclose()

    models = by_name(await told(api), "models", "provider")
    assert set(models) == {"baseline", "dashscope", "openai"}
    plain = models["baseline"]
    assert (plain["has_key"], plain["usable"], plain["priced"]) == (None, True, True)
    assert (plain["success_ms"], plain["failure"]) == (None, "")
    decided = models["dashscope"]
    assert (decided["has_key"], decided["usable"]) == (False, False)
    assert "DASHSCOPE_API_KEY" in decided["set_up_by"]
    assert 0 < decided["success_ms"] < decided["failure_ms"]
    assert decided["failure"] == FAILED["failed"]
    asked = models["openai"]
    assert (asked["has_key"], asked["circuit"], asked["failure"]) == (True, "open", "no route")
    assert (asked["model"], asked["priced"]) == ("gpt-4.1-mini", True)


def system(*, workers: WorkersStatus, away: tuple[str, ...] = ()) -> SystemStatus:
    names = ("PostgreSQL", "Redis", "Temporal")
    servers = (
        ServerStatus(
            name=name, answers=name not in away, needed=name != "Redis", trouble=f"{name} is away."
        )
        for name in names
    )
    return SystemStatus(wall_ms=0, servers=tuple(servers), workers=workers, models=())


def worker(*, polls_now: bool) -> WorkersStatus:
    seen = Worker(identity="1@here", polls=("workflows",), seen_ms=0, polls_now=polls_now)
    return WorkersStatus(task_queue="oxbot", workers=(seen,))


def test_a_worker_that_polls_no_more_is_missing_and_redis_is_not_needed() -> None:
    assert missing(system(workers=worker(polls_now=True), away=("Redis",)), None) == ()
    (lacks,) = missing(system(workers=worker(polls_now=False)), None)
    assert "No worker polls the task queue oxbot" in lacks
    (lacks,) = missing(system(workers=worker(polls_now=False), away=("PostgreSQL",)), None)
    assert "PostgreSQL is away." in lacks


@pytest.fixture
def of_these_servers(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("TEMPORAL_ADDRESS", NOWHERE)


async def test_the_command_line_tells_the_same_and_exits_with_1_where_something_is_missing(
    of_these_servers: None, store: PostgresStore, board: RedisPriceBoard
) -> None:
    await new_bot(store)
    await board.report("okx", report())

    def ran(*arguments: str) -> Result:
        return CliRunner().invoke(oxbot, ["status", *arguments])

    shown = await asyncio.to_thread(ran)
    assert shown.exit_code == 1
    for words in ("PostgreSQL  yes", "Temporal    NO", "MISSING: Temporal does not answer"):
        assert words in shown.stdout
    assert "Prices of okx by stream" in shown.stdout
    said = json.loads((await asyncio.to_thread(ran, "--json")).stdout)
    assert by_name(said)["PostgreSQL"]["answers"] is True
    assert len(said["missing"]) == 1
    assert said["market"]["feed"]["gaps"] == 3
