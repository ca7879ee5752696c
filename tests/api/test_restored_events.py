"""Events of a record that was restored on another server: put before all, part by part."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.event_log import PostgresEventLog
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.records.told import EventCursor
from tests.api.test_event_stream import tell, texts
from tests.support.api_server import events_of, listening
from tests.support.trading import new_bot

MANY = 450
FAR = 800_000_000_000


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is a hundred events."""
    monkeypatch.setattr("oxbot.adapters.postgres.event_log.PART", 100)


@contextmanager
def moves_of(engine: AsyncEngine, break_off_after: int | None = None) -> Iterator[list[int]]:
    """How many events each statement moves; the connection breaks after so many of them."""
    moved: list[int] = []

    def told(_: Any, cursor: Any, statement: str, *__: Any) -> None:  # noqa: ANN401 - a driver's
        if "UPDATE events" in statement:
            moved.append(cursor.rowcount)

    def asked(*given: Any) -> None:  # noqa: ANN401 - as above
        if len(moved) == break_off_after and "UPDATE events" in given[2]:
            raise TimeoutError("broken off")

    event.listen(engine.sync_engine, "after_cursor_execute", told)
    event.listen(engine.sync_engine, "before_cursor_execute", asked)
    yield moved
    event.remove(engine.sync_engine, "after_cursor_execute", told)
    event.remove(engine.sync_engine, "before_cursor_execute", asked)


async def restore(store: PostgresStore, engine: AsyncEngine) -> None:
    """Have events on record whose transactions this server has not come to, in an odd order."""
    await new_bot(store)
    async with engine.begin() as connection:
        await tell(connection, "old", many=MANY)
        where = f"{FAR} + (id * 7919) % {MANY}"
        await connection.execute(text(f'UPDATE events SET "transaction" = {where}'))  # noqa: S608


async def left(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        query = text('SELECT count(*) FROM events WHERE "transaction" > 0')
        return int(await connection.scalar(query) or 0)


async def test_no_statement_moves_more_than_a_part(
    parts: None, store: PostgresStore, engine: AsyncEngine
) -> None:
    await restore(store, engine)
    log = PostgresEventLog(engine)
    with moves_of(engine) as moved:
        here = await log.opened()
    assert max(moved) == 100
    assert sum(moved) == MANY + 1, "the bot's beginning is an event, too"
    async with engine.begin() as connection:
        await tell(connection, "new")
    told = await log.after(here)
    assert [each.event.text for each in told.events] == ["new1"]
    first = await log.between(EventCursor(0, 0), told.until, None, None)
    numbers = [each.cursor.number for each in first]
    assert numbers == sorted(numbers), "old ones stay in the order of their numbers"


async def test_what_broke_off_goes_on_where_it_was(
    parts: None, store: PostgresStore, engine: AsyncEngine
) -> None:
    await restore(store, engine)
    log = PostgresEventLog(engine)
    with moves_of(engine, break_off_after=2) as moved, pytest.raises(Exception, match="broken off"):
        await log.opened()
    assert moved == [100, 100]
    assert await left(engine) == MANY + 1 - 200
    with moves_of(engine) as again:
        await log.opened()
    assert (sum(again), await left(engine)) == (MANY + 1 - 200, 0)


async def test_two_processes_that_begin_at_once_both_find_all_moved(
    parts: None, store: PostgresStore, engine: AsyncEngine
) -> None:
    await restore(store, engine)

    async def left_after() -> int:
        await PostgresEventLog(engine).opened()
        return await left(engine)

    assert await asyncio.gather(*(left_after() for _ in range(3))) == [0, 0, 0]


async def test_a_stream_shows_that_it_lives_while_the_record_is_put_right(
    admin: httpx.AsyncClient,
    store: PostgresStore,
    engine: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await restore(store, engine)
    monkeypatch.setattr("oxbot.app.followed.ALIVE_S", 0.02)
    async with engine.begin() as blocking:
        await blocking.execute(text("LOCK TABLE events IN EXCLUSIVE MODE"))
        stream = listening(admin)
        pieces = await stream.__aenter__()
        for _ in range(3):
            piece = await anext(pieces)
            assert (piece.comment, piece.id) == ("the record is not read yet", None)
    async with asyncio.timeout(60):
        while (await anext(pieces)).id is None:
            pass
    async with engine.begin() as connection:
        await tell(connection, "new")
    assert texts(await events_of(pieces, 1)) == ["new1"]
    assert await left(engine) == 1
    await stream.__aexit__(None, None, None)
