"""Who follows live events: how many, for how long, and who reads too slowly."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.event_log import PostgresEventLog
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.postgres.users import PostgresUsers
from oxbot.app.following import BEHIND, SIGNED_OUT, TOO_SLOW, Follower, Following
from oxbot.domain.errors import Unavailable
from oxbot.domain.users import Login, User
from tests.api.conftest import client_of, settings_of, signed_in
from tests.api.test_event_stream import tell, texts
from tests.support.api_server import events_of, listening, served
from tests.support.trading import new_bot


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


class JoinedMeanwhile(PostgresUsers):
    """Users of whom one begins to follow while it is asked which logins stand."""

    async def standing(self, login_ids: Collection[str], now_ms: int) -> dict[str, Login]:
        """Ask, and have another one join before the answer."""
        found = await super().standing(login_ids, now_ms)
        self.join()
        return found

    def join(self) -> None:
        """Do it; a test says what."""


async def test_who_joins_while_logins_are_asked_about_is_not_taken_to_have_left(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oxbot.app.following.ASK_EVERY_MS", 0)
    users = JoinedMeanwhile(engine)
    following = Following(PostgresEventLog(engine), users, most=9)
    user = User(id="u1", name="ann", is_admin=True, created_ms=0)
    over, late = (Follower(Login(id=name, user=user)) for name in ("l1", "l2"))
    monkeypatch.setattr(users, "join", lambda: following.join(late))
    following.join(over)
    assert await over.heard(30) == []
    assert (over.because, late.because) == (SIGNED_OUT, None)
    for follower in (over, late):
        following.leave(follower)


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
