"""Live events: in their order, none lost, none twice, to those who may hear them."""

import asyncio
import random
from collections.abc import Sequence

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.event_log import PAGE, PostgresEventLog
from oxbot.adapters.postgres.store import PostgresStore
from tests.api.conftest import client_of
from tests.support.api_server import Heard, Served, events_of, listening
from tests.support.trading import new_bot

TELL = text(
    "INSERT INTO events (bot_id, key, kind, text, figures)"
    " SELECT :bot, :key || n, 'test', :key || n, '{\"n\": \"1\"}' FROM generate_series(1, :many) n"
)


async def tell(connection: AsyncConnection, key: str, bot: str = "b1", many: int = 1) -> None:
    await connection.execute(TELL, {"bot": bot, "key": key, "many": many})


def texts(heard: Sequence[Heard]) -> list[str]:
    return [piece.data["text"] for piece in heard]


async def test_what_is_told_is_heard_by_those_whose_bot_it_is_and_by_administrators(
    running_api: Served, admin: httpx.AsyncClient, store: PostgresStore, engine: AsyncEngine
) -> None:
    await admin.put("/registration", json={"open": True})
    async with client_of(running_api, "bob") as bob:
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
