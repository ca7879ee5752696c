"""Servers that are away, or go while they are needed: who it is, and nothing half done."""

import asyncio
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.lookout import Shared
from infra.migrations import upgrade
from oxbot.adapters.postgres.engine import begin, open_engine
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import StoreUnavailable
from oxbot.embedded import postgres
from oxbot.embedded.child import Child, Program
from oxbot.embedded.paths import DataDirectory
from tests.api.conftest import PASSWORD, Json, settings_of, signed_in
from tests.api.test_event_stream import tell, texts
from tests.support.api_server import events_of, listening, served
from tests.support.servers import FORGETFUL
from tests.support.trading import new_bot

NEED_NOTHING = frozenset(("/healthz", "/readyz", "/docs", "/openapi.json"))

BODIES: dict[str, Json] = {
    "/register": {"name": "ann", "password": PASSWORD},
    "/login": {"name": "ann", "password": PASSWORD},
    "/refresh": {"refresh_token": "some"},
}


def operations(document: Json, *, streams: bool = True) -> Iterator[tuple[str, str]]:
    """Verb and path of all that needs a server."""
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            good = operation["responses"].get("200", {})
            is_stream = "text/event-stream" in good.get("content", {})
            if path not in NEED_NOTHING and (streams or not is_stream):
                yield verb, path


async def test_without_the_record_every_route_says_who_is_away_and_what_to_do(
    lonely_api: httpx.AsyncClient,
) -> None:
    needed = list(operations((await lonely_api.get("/openapi.json")).json()))
    assert len(needed) > 20
    for verb, path in needed:
        asked = path.replace("{bot_id}", "b1")
        answer = await lonely_api.request(verb, asked, json=BODIES.get(path))
        assert answer.status_code == 503, (verb, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()["detail"]
        assert "PostgreSQL" in told or "Redis" in told, (verb, path)
        assert "try again" in told.lower(), (verb, path, told)


async def test_without_temporal_no_verb_is_half_done(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    before = (await store.bot("b1"), await store.events("b1", 100))
    for verb, body in (
        ("pause", {"reason": "lunch"}),
        ("resume", {}),
        ("stop", {"flatten": True}),
        ("limits", {"limits": {"stop": "2%"}}),
    ):
        method = "PATCH" if verb == "limits" else "POST"
        answer = await api.request(method, f"/bots/b1/{verb}", json=body)
        assert answer.status_code == 503, (verb, answer.text)
        told = answer.json()["detail"]
        assert "Temporal" in told
        assert "oxbot doctor" in told
    assert (await store.bot("b1"), await store.events("b1", 100)) == before


async def test_without_redis_only_prices_are_missing(
    api: httpx.AsyncClient, store: PostgresStore
) -> None:
    await new_bot(store)
    document = (await api.get("/openapi.json")).json()
    reading = [path for verb, path in operations(document, streams=False) if verb == "get"]
    for path in reading:
        answer = await api.get(path.replace("{bot_id}", "b1"))
        if path == "/metrics":
            assert answer.status_code == 503
            assert "Redis" in answer.json()["detail"]
        elif path == "/status":
            assert answer.status_code == 200
            assert "Redis does not answer" in answer.text
        else:
            assert answer.status_code in (200, 404, 422), (path, answer.text)


@pytest.fixture
def home() -> Iterator[DataDirectory]:
    root = Path(tempfile.mkdtemp(prefix="oxbot-test-"))
    directory = DataDirectory.of(root)
    directory.make()
    yield directory
    shutil.rmtree(root, ignore_errors=True)


async def started(program: Program) -> Child:
    child = await Child.start(program)
    await child.until_ready()
    return child


async def test_a_record_that_goes_and_comes_back_costs_answers_and_no_events(
    home: DataDirectory,
) -> None:
    sockets = home.socket_directory()
    found = postgres.Postgres.found(home, sockets).program()
    program = dataclasses.replace(found, command=(*found.command, *FORGETFUL))
    url = postgres.url(sockets)
    server = await started(program)
    try:
        await asyncio.to_thread(upgrade, url)
        engine = open_engine(url, pool_size=1)
        async with (
            served(settings_of(url)) as api,
            httpx.AsyncClient(base_url=api.url, timeout=60) as client,
        ):
            await client.post("/register", json={"name": "ann", "password": PASSWORD})
            await signed_in(client, "ann")
            await new_bot(PostgresStore(engine))
            async with listening(client) as stream:
                await anext(stream)
                await server.stop()
                gone = await client.post("/bots/b1/pause")
                assert gone.status_code == 503
                assert "PostgreSQL" in gone.json()["detail"]
                assert (await client.get("/healthz")).status_code == 200
                server = await started(program)
                await engine.dispose()
                async with begin(engine) as connection:
                    await tell(connection, "back")
                assert texts(await events_of(stream, 1)) == ["back1"]
            assert (await client.get("/bots/b1")).json()["bot"]["status"] == "running"
        await engine.dispose()
    finally:
        await server.stop()


async def test_readiness_tells_anybody_nothing_of_the_inside(lonely_api: httpx.AsyncClient) -> None:
    told = (await lonely_api.get("/readyz")).text
    assert "log says why" in told
    assert "127.0.0.1" not in told


async def test_one_look_serves_all_who_ask_at_once_and_for_its_time() -> None:
    looks = 0

    async def look() -> int:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        if looks == 1:
            raise StoreUnavailable("away")
        return looks

    kept, renewed = Shared(look, 3_600), Shared(look, 0)
    found = await asyncio.gather(*(kept.get() for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in found] == [StoreUnavailable] * 5
    with pytest.raises(StoreUnavailable):
        await kept.get()
    assert looks == 1
    assert await asyncio.gather(*(renewed.get() for _ in range(5))) == [2] * 5
    assert await renewed.get() == 3
