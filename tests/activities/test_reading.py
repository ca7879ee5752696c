"""The record looked through: lists part by part."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.bot_states import states
from oxbot.adapters.postgres.listings import LISTINGS
from oxbot.adapters.postgres.reading import PostgresReading
from oxbot.adapters.postgres.schema import bots
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app.overview import BotLine, all_lines, line_of, lines, lines_written
from oxbot.domain.errors import InputError, NotFound
from oxbot.domain.money import Notional
from oxbot.domain.orders import OrderState
from oxbot.messages import CycleOutcome
from oxbot.records.reading import BotState, EquityPoint, Page, Part, Stretch
from tests.support.asked import FAILED, ask
from tests.support.trading import (
    BTC,
    ETH,
    INSTRUMENT,
    NOW_MS,
    begin,
    bought,
    entry,
    fill,
    intend,
    leave,
    new_bot,
)

Fetch = Callable[[str, Part], Awaitable[Page[Any]]]  # Any: of whatever list
LITERALLY = {"literal_binds": True}
LISTS = ("cycles", "orders", "trades", "fills", "ledger", "decisions", "events", "equity")


@pytest.fixture
def reading(engine: AsyncEngine) -> PostgresReading:
    return PostgresReading(engine)


async def round_trip(store: PostgresStore, cycle: int, price: str, bot_id: str = "b1") -> None:
    """Buy 0.1 BTC at 60,000 in a cycle, and sell all of it at a price in the next."""
    at_ms = NOW_MS + cycle * 300_000
    order = entry(bot_id, cycle)
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS)
    await store.settle(order.id, [fill(order, at_ms=at_ms)], INSTRUMENT)
    held = (await store.portfolio(bot_id)).positions[BTC].quantity
    out = leave(bot_id, cycle + 1, str(held))
    await intend(store, out)
    assert await store.claim(out.id, NOW_MS)
    await store.settle(out.id, [fill(out, price, at_ms=at_ms + 300_000)], INSTRUMENT)


async def recorded(store: PostgresStore, cycle: int, equity: str, bot_id: str = "b1") -> None:
    """Record a cycle with its equity."""
    outcome = CycleOutcome(cycle=cycle, incarnation=1, due_ms=NOW_MS + cycle * 300_000)
    amounts = {"equity": Notional(equity), "cash": Notional(equity)}
    await store.record_cycles(bot_id, [outcome], [], amounts, fresh=True)


async def walk(fetch: Fetch, limit: int, bot_id: str = "b1") -> list[Any]:
    """Read a list to its end, so many rows at a time."""
    page = await fetch(bot_id, Part(limit=limit))
    rows = list(page.items)
    while page.next is not None:
        assert len(page.items) == limit
        page = await fetch(bot_id, Part(limit=limit, cursor=page.next))
        rows += page.items
    return rows


async def one_with_everything(store: PostgresStore) -> None:
    """A bot with several rows in each list, and another one with rows of its own."""
    for bot_id in ("b1", "b2"):
        await new_bot(store, bot_id, capital=Notional(20_000))
        for cycle, price in ((1, "61000"), (3, "59000"), (5, "60500")):
            await round_trip(store, cycle, price, bot_id)
            await recorded(store, cycle, "20000", bot_id)
            await recorded(store, cycle + 1, "20010", bot_id)
        await store.tell(bot_id, "test", "test", "more")
        for cycle in (7, 8):
            await ask(store, cycle, bot_id=bot_id)


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
async def test_pages_joined_are_the_whole_list(
    store: PostgresStore, reading: PostgresReading, limit: int
) -> None:
    await one_with_everything(store)
    for name in LISTS:
        fetch: Fetch = getattr(reading, name)
        whole = (await fetch("b1", Part(limit=500))).items
        assert len(whole) > 1, name
        assert await walk(fetch, limit) == list(whole)


async def test_what_postgresql_writes_is_what_is_read(
    store: PostgresStore, reading: PostgresReading
) -> None:
    await one_with_everything(store)
    await intend(store, refused := entry("b1", 10, symbol=ETH))
    await store.finish_order(refused, OrderState.REFUSED, 'too "small"')
    await ask(store, 11, FAILED)
    await begin(store, cycle=12)
    await new_bot(store, "b3")
    for name, listing in LISTINGS.items():
        for part in (Part(), Part(limit=1)):
            read = await getattr(reading, name)("b1", part)
            assert len(read.items) > 0
            text_ = await reading.written(name, "b1", part)
            page = json.loads(text_)
            assert page["next"] == read.next
            assert [listing.kind.model_validate(row) for row in page["items"]] == list(read.items)
    empty = await reading.written("fills", "b3", Part())
    assert json.loads(empty) == {"items": [], "next": None}
    assert await reading.curve_written("b3", Stretch(), 500) == "[]"
    for points in (2, 500):
        read = await reading.curve("b1", Stretch(), points)
        written = await reading.curve_written("b1", Stretch(), points)
        assert [EquityPoint.model_validate(point) for point in json.loads(written)] == read


@pytest.mark.critical
async def test_nothing_is_written_of_a_bot_that_is_not_the_owners_or_not_there(
    store: PostgresStore, reading: PostgresReading
) -> None:
    await one_with_everything(store)
    await new_bot(store, "b3", owner="u1")
    for bot_id, owner in (("b1", "u1"), ("b3", "u2"), ("b9", None), ("b9", "u1")):
        with pytest.raises(NotFound, match=f"There is no bot {bot_id}"):
            await reading.curve_written(bot_id, Stretch(), 500, owner)
        with pytest.raises(NotFound, match=f"There is no bot {bot_id}"):
            await reading.figures(bot_id, owner)
        for name in LISTINGS:
            with pytest.raises(NotFound, match=f"There is no bot {bot_id}"):
                await reading.written(name, bot_id, Part(), owner)
    told = json.loads(await reading.written("events", "b3", Part(), "u1"))
    assert [each["kind"] for each in told["items"]] == ["created"]


async def test_lists_are_those_that_the_store_gives(
    store: PostgresStore, reading: PostgresReading
) -> None:
    await one_with_everything(store)
    for name in ("cycles", "trades", "events"):
        page = await getattr(reading, name)("b1", Part(limit=4))
        assert list(page.items) == await getattr(store, name)("b1", 4)
    orders = (await reading.orders("b1", Part())).items
    kept = await store.orders("b1", 100)
    assert [dict(order) | dict(row) for order, row in zip(orders, kept, strict=True)] == [
        dict(order) for order in orders
    ]


async def test_what_is_added_meanwhile_moves_no_page(
    store: PostgresStore, reading: PostgresReading
) -> None:
    await new_bot(store, capital=Notional(50_000))
    await round_trip(store, 1, "61000")
    await round_trip(store, 3, "61000")
    for name in ("orders", "fills", "ledger", "events"):
        fetch: Fetch = getattr(reading, name)
        before = list((await fetch("b1", Part(limit=500))).items)
        page = await fetch("b1", Part(limit=1))
        rows, cycle = list(page.items), 10 * (1 + LISTS.index(name))
        while page.next is not None:
            await intend(store, added := entry("b1", cycle, symbol=ETH))
            await store.finish_order(added, OrderState.REFUSED, "too small")
            await store.tell("b1", f"test:{name}:{cycle}", "test", "added")
            cycle += 1
            page = await fetch("b1", Part(limit=1, cursor=page.next))
            rows += page.items
            if cycle % 10 == 9:
                break
        assert rows == before[: len(rows)]


@pytest.mark.parametrize(
    "cursor", ["", "-1", "1.", "1e3", " 1", "1 OR 1=1", "٣", "9" * 19, "x" * 60, "\x00", "null"]
)
async def test_what_is_no_cursor_is_refused(reading: PostgresReading, cursor: str) -> None:
    for name in LISTS:
        with pytest.raises(InputError, match="no cursor of this list"):
            await getattr(reading, name)("b1", Part(cursor=cursor))
    with pytest.raises(InputError, match="no cursor of this list"):
        await reading.bots_written(None, Part(cursor=cursor), archived=False)


async def test_a_decision_is_listed_with_its_summary_and_one_that_failed_with_its_cause(
    store: PostgresStore, reading: PostgresReading
) -> None:
    await new_bot(store)
    await ask(store, 1)
    await ask(store, 2, FAILED)
    failed, decided = (await reading.decisions("b1", Part())).items
    assert (decided.summary, decided.failed, decided.cost_usd) == ("calm", None, Decimal("0.004"))
    assert (failed.summary, failed.failed, failed.asked) == (None, "no JSON", True)


async def test_bots_are_listed_by_pages_as_each_by_itself(
    store: PostgresStore, reading: PostgresReading
) -> None:
    await one_with_everything(store)
    await new_bot(store, "b3", owner="u1")
    await bought(store, "b2", 10)
    page = await reading.bots_written(None, Part(limit=2), archived=False)
    assert ids(page) == ["b3", "b2"]
    rest = await reading.bots_written(None, Part(limit=2, cursor=page.next), archived=False)
    assert (ids(rest), rest.next) == (["b1"], None)
    for line, bot in zip(await all_lines(reading), await store.bots(), strict=True):
        alone = await line_of(store, bot)
        seen = {held.symbol: alone.quotes[held.symbol] for held in alone.positions}
        assert line == alone.model_copy(update={"quotes": seen})
    written = json.loads(await lines_written(reading, None, Part(limit=2)))
    whole = await lines(reading, None, Part(limit=2))
    assert Page[BotLine].model_validate(written) == whole
    assert ids(await reading.bots_written("u1", Part(), archived=False)) == ["b3"]


async def test_an_archived_bot_is_only_among_the_archived(
    store: PostgresStore, reading: PostgresReading, engine: AsyncEngine
) -> None:
    await new_bot(store, "b1")
    await new_bot(store, "b2")
    async with engine.begin() as connection:
        await connection.execute(bots.update().where(bots.c.id == "b1").values(archived_at=NOW_MS))
    (seen,) = (await lines(reading, None, Part())).items
    (gone,) = (await lines(reading, None, Part(), archived=True)).items
    assert (seen.bot.id, seen.bot.archived_ms) == ("b2", None)
    assert (gone.bot.id, gone.bot.archived_ms) == ("b1", NOW_MS)


async def test_live_bots_and_owned_ones_are_named_to_their_owner(
    store: PostgresStore, reading: PostgresReading
) -> None:
    await new_bot(store, "p1", owner="u1")
    await new_bot(store, "l1", owner="u1", mode="live")
    await new_bot(store, "l2", mode="live")
    assert await reading.live_bots("okx") == ("l1", "l2")
    assert await reading.live_bots("okx", "u1") == ("l1",)
    assert await reading.live_bots("okx-demo") == ()
    assert await reading.owned("u1", ("l1", "l2", "p1")) == {"l1", "p1"}
    assert await reading.owned(None, ("l1", "l2")) == {"l1", "l2"}


@pytest.mark.parametrize("limit", [1, 7, 100])
async def test_a_page_of_bots_is_one_statement_however_many_they_are(
    store: PostgresStore, reading: PostgresReading, engine: AsyncEngine, limit: int
) -> None:
    await asyncio.gather(*(new_bot(store, f"b{number}") for number in range(9)))
    statements = counted(engine)
    await reading.bots_written(None, Part(limit=limit), archived=False)
    assert len(statements) == 1


async def test_a_page_of_bots_looks_nothing_up_for_those_that_are_not_on_it(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await asyncio.gather(*(new_bot(store, f"b{number}") for number in range(30)))
    given = {"of_owner": None, "most": 20, "made": NOW_MS * 2, "last_id": ""}
    asked = states(archived=False).params(given).compile(engine, compile_kwargs=LITERALLY)
    async with engine.connect() as connection:
        await connection.exec_driver_sql("ANALYZE bots")
        plan = list((await connection.exec_driver_sql(f"EXPLAIN (ANALYZE) {asked}")).scalars())
    looks = [line for line in plan if "pk_cycles" in line or "Scan on cycles" in line]
    assert looks
    assert all("loops=20)" in line for line in looks), plan
    # Cut off at the end, it would be PostgreSQL's choice for how many it looks up.
    assert not plan[0].startswith("Limit"), plan


def ids(page: Page[str]) -> list[str]:
    return [BotState.model_validate_json(text).bot.id for text in page.items]


def counted(engine: AsyncEngine) -> list[str]:
    """Collect each statement that the engine sends from now on."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    return sent
