"""Live events: in their order, none lost, none twice, to those who may hear them."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.event_log import PAGE, PostgresEventLog
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.postgres.users import PostgresUsers
from oxbot.app.following import BEHIND, TOO_SLOW, Follower, Following
from oxbot.domain.errors import Unavailable
from oxbot.domain.users import Login, User
from tests.api.conftest import PASSWORD, settings_of, signed_in
from tests.support.api_server import Heard, Served, events_of, listening, served
from tests.support.trading import new_bot

TELL = text(
    "INSERT INTO events (bot_id, key, kind, text, figures)"
    " SELECT :bot, :key || n, 'test', :key || n, '{\"n\": \"1\"}' FROM generate_series(1, :many) n"
)


async def tell(connection: AsyncConnection, key: str, bot: str = "b1", many: int = 1) -> None:
    await connection.execute(TELL, {"bot": bot, "key": key, "many": many})


@asynccontextmanager
async def client_of(api: Served, name: str = "admin") -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=api.url, timeout=60) as client:
        await client.post("/register", json={"name": name, "password": PASSWORD})
        await signed_in(client, name)
        yield client


@pytest.fixture
async def api(database_url: str) -> AsyncIterator[Served]:
    async with served(settings_of(database_url)) as api:
        yield api


@pytest.fixture
async def admin(api: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(api) as client:
        yield client


def texts(heard: Sequence[Heard]) -> list[str]:
    return [piece.data["text"] for piece in heard]


async def test_what_is_told_is_heard_by_those_whose_bot_it_is_and_by_administrators(
    api: Served, admin: httpx.AsyncClient, store: PostgresStore, engine: AsyncEngine
) -> None:
    await admin.put("/registration", json={"open": True})
    async with client_of(api, "bob") as bob:
        me = (await bob.get("/me")).json()["id"]
        await new_bot(store, "b1")
        await new_bot(store, "b2", owner=me)
        assert (await bob.get("/bots/b1/events/stream")).status_code == 404
        async with (
            listening(admin) as all_of_them,
            listening(bob) as own,
            listening(admin, "/bots/b1/events/stream") as of_one,
        ):
            for stream in (all_of_them, own, of_one):
                assert (await anext(stream)).comment == "no news"
            for key, bot in (("x", "b1"), ("y", "b2"), ("z", "b1")):
                async with engine.begin() as connection:
                    await tell(connection, key, bot)
            heard = await events_of(all_of_them, 3)
            assert texts(heard) == ["x1", "y1", "z1"]
            assert texts(await events_of(own, 1)) == ["y1"]
            assert texts(await events_of(of_one, 2)) == ["x1", "z1"]
    assert heard[0].data | {"at_ms": 0} == {
        "bot_id": "b1",
        "kind": "test",
        "text": "x1",
        "figures": {"n": "1"},
        "at_ms": 0,
    }
    assert [event.event for event in heard] == [None] * 3


async def test_what_comes_to_light_late_is_neither_lost_nor_overtaken(
    admin: httpx.AsyncClient, store: PostgresStore, engine: AsyncEngine
) -> None:
    """The second to tell is the first to commit: its event has the higher number."""
    await new_bot(store)
    async with listening(admin) as stream:
        await anext(stream)
        async with engine.connect() as early, engine.connect() as late:
            await tell(early, "early")
            await tell(late, "late")
            await late.commit()
            async with listening(admin) as meanwhile:
                since = (await anext(meanwhile)).id
            await early.commit()
        heard = await events_of(stream, 2)
    assert texts(heard) == ["early1", "late1"]
    async with listening(admin, since=since) as again:
        assert texts(await events_of(again, 2)) == ["early1", "late1"]
    async with listening(admin, since=heard[0].id) as after_the_first:
        assert texts(await events_of(after_the_first, 1)) == ["late1"]


async def test_what_an_older_transaction_may_still_come_before_is_not_read_yet(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    log = PostgresEventLog(engine)
    place = await log.opened()
    own = open_engine(engine.url.render_as_string(hide_password=False), pool_size=2)
    async with own.connect() as early, own.connect() as late:
        await tell(early, "early")
        await tell(late, "late")
        await late.commit()
        between = await log.after(place)
        assert between.events == ()
        await early.commit()
    come = await log.after(between.until)
    assert [told.event.text for told in come.events] == ["early1", "late1"]
    numbers = [told.cursor.number for told in come.events]
    assert [told.cursor for told in come.events] == sorted(told.cursor for told in come.events)
    assert numbers == sorted(numbers)
    assert (await log.after(come.until)).events == ()
    await own.dispose()


async def test_whoever_comes_back_again_and_again_hears_each_event_once(
    admin: httpx.AsyncClient, store: PostgresStore, database_url: str
) -> None:
    await new_bot(store)
    async with listening(admin) as stream:
        since = (await anext(stream)).id
    many = 4 * 30
    writing = asyncio.create_task(told_by_four(database_url))
    heard: list[Heard] = []
    while len(heard) < many:
        async with listening(admin, since=since) as stream:
            heard += await events_of(stream, min(7, many - len(heard)))
        since = heard[-1].id
    await writing
    assert len(set(texts(heard))) == many
    async with listening(admin, since=since) as stream:
        assert (await anext(stream)).comment == "no news"


async def told_by_four(database_url: str) -> None:
    """Four writers at once, each of whose transactions takes its time."""
    engine = open_engine(database_url, pool_size=4)
    dice = random.Random(8)  # noqa: S311 - of a test

    async def writer(name: str) -> None:
        for number in range(30):
            async with engine.begin() as connection:
                await tell(connection, f"{name}{number}-")
                await asyncio.sleep(dice.random() / 50)

    await asyncio.gather(*(writer(name) for name in "abcd"))
    await engine.dispose()


async def test_more_than_a_page_that_was_missed_is_heard_in_order(
    admin: httpx.AsyncClient, store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    async with listening(admin) as stream:
        since = (await anext(stream)).id
    async with engine.begin() as connection:
        await tell(connection, "m", many=PAGE + 50)
    async with listening(admin, since=since) as stream:
        heard = await events_of(stream, PAGE + 50)
    assert texts(heard) == [f"m{number}" for number in range(1, PAGE + 51)]


@pytest.mark.parametrize("place", ["", "abc", "1", "1-", "-1-1", "1-1-1", "9" * 19 + "-1", "1 - 1"])
async def test_a_place_that_cannot_be_is_refused(admin: httpx.AsyncClient, place: str) -> None:
    answer = await admin.get("/events", headers={"Last-Event-ID": place})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_place_to_which_the_record_has_not_come_is_a_reset(
    admin: httpx.AsyncClient, store: PostgresStore, engine: AsyncEngine
) -> None:
    """The record was restored on another server: what it says of its transactions is not so."""
    await new_bot(store)
    async with engine.begin() as connection:
        await tell(connection, "before")
        await connection.execute(text('UPDATE events SET "transaction" = 800000000000'))
    place = "800000000000-" + "9" * 19
    async with listening(admin, since=place) as stream:
        first = await anext(stream)
        assert (first.event, "restored" in first.data["detail"]) == ("reset", True)
        async with engine.begin() as connection:
            await tell(connection, "after")
        assert texts(await events_of(stream, 1)) == ["after1"]


async def test_there_are_so_many_streams_and_no_more(database_url: str) -> None:
    async with served(settings_of(database_url, api_streams=2)) as api, client_of(api) as admin:
        async with listening(admin) as one, listening(admin) as two:
            for stream in (one, two):
                await anext(stream)
            refused = await admin.get("/events")
            assert refused.status_code == 503
            assert "OXBOT_API_STREAMS" in refused.json()["detail"]
        async with asyncio.timeout(30):
            while (await status_of_a_stream(admin)) != 200:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)


async def status_of_a_stream(client: httpx.AsyncClient) -> int:
    async with client.stream("GET", "/events") as answer:
        return answer.status_code


async def test_streams_hold_no_connection_to_the_record(
    admin: httpx.AsyncClient, store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    streams = [listening(admin) for _ in range(30)]
    held = [await stream.__aenter__() for stream in streams]
    async with engine.begin() as connection:
        await tell(connection, "x")
        mine = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert (await connection.scalar(text(mine))) < 20
    for pieces in held:
        assert texts(await events_of(pieces, 1)) == ["x1"]
    assert (await admin.get("/bots")).status_code == 200
    for stream in streams:
        await stream.__aexit__(None, None, None)


async def test_the_stream_of_a_login_that_is_over_ends(
    admin: httpx.AsyncClient,
    store: PostgresStore,
    engine: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await new_bot(store)
    monkeypatch.setattr("oxbot.app.following.ASK_EVERY_MS", 0)
    async with listening(admin) as stream, client_of_same(admin) as other, listening(other) as its:
        for each in (stream, its):
            assert (await anext(each)).comment == "no news"
        await admin.post("/logout")
        (last,) = await events_of(stream, 1)
        assert (last.event, "login is over" in last.data["detail"]) == ("end", True)
        assert [piece async for piece in stream] == []
        async with engine.begin() as connection:
            await tell(connection, "x")
        assert texts(await events_of(its, 1)) == ["x1"], "another login stands"


@asynccontextmanager
async def client_of_same(client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=client.base_url, timeout=60) as other:
        await signed_in(other, "admin")
        yield other


async def test_streams_end_with_a_word_when_the_api_does(database_url: str) -> None:
    async with served(settings_of(database_url)) as api, client_of(api) as admin:
        async with listening(admin) as stream:
            await anext(stream)
            api.server.should_exit = True
            (last,) = await events_of(stream, 1)
        assert (last.event, "going down" in last.data["detail"]) == ("end", True)


async def test_who_does_not_read_is_cut_off_and_others_are_not(
    store: PostgresStore, engine: AsyncEngine, database_url: str
) -> None:
    await new_bot(store)
    own = open_engine(database_url, pool_size=2)
    following = Following(PostgresEventLog(own), PostgresUsers(own), most=2)
    user = User(id="u1", name="ann", is_admin=True, created_ms=0)
    slow, quick = (Follower(Login(id=name, user=user)) for name in ("l1", "l2"))
    for follower in (slow, quick):
        following.join(follower)
    with pytest.raises(Unavailable, match="OXBOT_API_STREAMS"):
        following.join(Follower(Login(id="l3", user=user)))
    place = await following.place_of(None)
    async with engine.begin() as connection:
        await tell(connection, "x", many=BEHIND + 1)
    heard = 0
    async with asyncio.timeout(60):
        while heard <= BEHIND:
            heard += len(await quick.heard(60))
    assert (slow.because, await slow.heard(60)) == (TOO_SLOW, [])
    back = Following(PostgresEventLog(own), PostgresUsers(own), most=1)
    back.join(slow)
    again = await back.place_of(place.since)
    assert len([event async for event in back.missed(slow, again)]) == BEHIND + 1
    for each, follower in ((following, slow), (following, quick), (back, slow)):
        each.leave(follower)
    await own.dispose()
