"""Guards, marks and word of changes in real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.news import PostgresNews
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.alarm import PROTECTED_AGAIN, UNPROTECTED
from oxbot.domain.bot import BotStatus
from oxbot.domain.errors import StoreUnavailable
from oxbot.domain.guard_index import Best
from oxbot.domain.money import Price
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Direction
from oxbot.messages import WriteControl
from oxbot.records import Protection, WatchBeat
from tests.support.servers import END_OTHERS
from tests.support.trading import BTC, ETH, INSTRUMENT, NOW_MS, bought, fill, intend, leave, new_bot


async def sell(store: PostgresStore, quantity: str, cycle: int = 2) -> None:
    order = leave("b1", cycle, quantity)
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS)
    await store.settle(order.id, [fill(order)], INSTRUMENT)


@pytest.mark.critical
async def test_every_open_position_of_a_bot_that_is_not_stopped_has_its_guard(
    store: PostgresStore,
) -> None:
    for bot_id in ("b1", "b2", "b3"):
        await new_bot(store, bot_id)
        await bought(store, bot_id)
    await new_bot(store, "b4", venue="myokx")
    await bought(store, "b4")
    stop = WriteControl(
        bot_id="b3", status=BotStatus.STOPPED, epoch=9, flatten=True, by="t", reason=""
    )
    await store.write_control(stop)
    found = await store.guards("okx")
    assert [guard.bot_id for guard in found] == ["b1", "b2"]
    position = (await store.portfolio("b1")).positions[BTC]
    [guard] = await store.guards("okx", [("b1", BTC), ("b1", ETH), ("b4", BTC)])
    assert guard == found[0]
    assert (guard.stop_price, guard.target_price) == (position.stop_price, position.target_price)
    assert (guard.symbol, guard.stamp) == (BTC, (NOW_MS, 1))
    assert guard.hold_until_ms == NOW_MS + 13_800_000


async def test_a_stop_so_wide_that_it_lies_at_0_keeps_no_other_from_being_guarded(
    store: PostgresStore,
) -> None:
    for bot_id, stop in (("b1", 1), ("b2", "0.035")):
        await new_bot(store, bot_id)
        await bought(store, bot_id, stop=stop)
    found = await store.guards("okx")
    assert [(guard.bot_id, guard.stop_price) for guard in found] == [
        ("b1", Price(0)),
        ("b2", Price(57_900)),
    ]


@pytest.mark.critical
async def test_a_guards_version_changes_with_it_and_not_without(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    for bot_id in ("b1", "b2"):
        await new_bot(store, bot_id)
        await bought(store, bot_id)
    versions = [await store.guard_versions("okx") for _ in range(2)]
    assert versions[0] == versions[1]
    assert versions[0].keys() == {("b1", BTC), ("b2", BTC)}
    assert await store.guard_versions("myokx") == {}
    for change in (
        "UPDATE positions SET stop = 0.02 WHERE bot_id = 'b1'",
        "UPDATE positions SET best = 61000 WHERE bot_id = 'b1'",
        """UPDATE bots SET settings = jsonb_set(settings, '{limits,longest_hold_s}', '600')
            WHERE id = 'b1'""",
    ):
        async with engine.begin() as connection:
            await connection.execute(text(change))
        versions.append(await store.guard_versions("okx"))
        assert versions[-1]["b1", BTC] != versions[-2]["b1", BTC]
        assert versions[-1]["b2", BTC] == versions[-2]["b2", BTC]
    await sell(store, "0.0999")
    assert (await store.guard_versions("okx")).keys() == {("b2", BTC)}


async def test_a_position_that_was_sold_is_guarded_no_more(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    await sell(store, "0.05")
    [guard] = await store.guards("okx")
    assert guard.version == 2
    await sell(store, "0.0499", cycle=3)
    assert await store.guards("okx") == []


@pytest.mark.critical
async def test_a_mark_is_never_set_back_and_each_save_is_a_beat(store: PostgresStore) -> None:
    assert await store.watch_marks("okx") == {}
    assert await store.watch_beat("okx") is None
    await store.save_watch_marks("okx", {BTC: 1_000, ETH: 2_000}, 50, stepped=False)
    await store.save_watch_marks("okx", {BTC: 900, ETH: 2_001}, 60, stepped=True)
    await store.save_watch_marks("myokx", {}, 10, stepped=False)
    assert await store.watch_marks("okx") == {BTC: 1_000, ETH: 2_001}
    assert await store.watch_beat("okx") == WatchBeat(beat_ms=60, stepped=True)
    assert await store.watch_beat("myokx") == WatchBeat(beat_ms=10, stepped=False)


async def protect(store: PostgresStore, took_ms: int | None, version: int) -> None:
    order = leave("b1", version, "0.01")
    await intend(store, order)
    await store.finish_order(order, order.state.CANCELLED, "")
    await store.note_protection(
        Protection(
            bot_id="b1",
            symbol=BTC,
            opened_ms=NOW_MS,
            version=version,
            purpose=Purpose.STOP,
            crossed_ms=NOW_MS + 5,
            seen_ms=None if took_ms is None else NOW_MS,
            settled_ms=NOW_MS + (took_ms or 0),
            order_id=order.id,
        )
    )


async def test_times_to_protect_are_counted_summed_and_sorted_into_buckets(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    nothing = await store.protection_times("okx")
    assert (nothing.count, nothing.total_ms, set(nothing.within.values())) == (0, 0, {0})
    for version, took_ms in enumerate((20, 25, 90, 40_000, None), start=1):
        await protect(store, took_ms, version)
    times = await store.protection_times("okx")
    assert (times.count, times.total_ms) == (4, 40_135)
    assert (times.within[25], times.within[50], times.within[100]) == (2, 2, 3)
    assert times.within[30_000] == 3
    assert (await store.protection_times("myokx")).count == 0


async def test_a_protection_is_noted_once(store: PostgresStore) -> None:
    await new_bot(store)
    await protect(store, 20, 1)
    noted = Protection(
        bot_id="b1",
        symbol=BTC,
        opened_ms=NOW_MS,
        version=1,
        purpose=Purpose.STOP,
        crossed_ms=1,
        seen_ms=0,
        settled_ms=NOW_MS,
        order_id=leave("b1", 1, "0.01").id,
    )
    await store.note_protection(noted)
    assert (await store.protection_times("okx")).total_ms == 20


async def test_what_a_bot_owes_has_to_be_watched_like_what_it_holds(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    await bought(store)
    assert await store.held_symbols("okx") == {"b1": (BTC,)}
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE positions SET quantity = -quantity, cost = -cost"))
    assert await store.held_symbols("okx") == {"b1": (BTC,)}


async def test_an_outage_is_told_once_and_so_is_its_end(store: PostgresStore) -> None:
    await new_bot(store)
    assert await store.tell("b1", "unprotected:1", UNPROTECTED, "No watch.")
    assert not await store.tell("b1", "unprotected:1", UNPROTECTED, "No watch.")
    assert await store.untold_ends("okx") == [("b1", "unprotected:1")]
    assert await store.untold_ends("myokx") == []
    assert await store.tell("b1", "again:1", PROTECTED_AGAIN, "It is back.")
    assert await store.untold_ends("okx") == []
    assert [event.kind for event in await store.events("b1", 2)] == [PROTECTED_AGAIN, UNPROTECTED]


@pytest.fixture
async def news(database_url: str) -> AsyncIterator[AsyncIterator[list[tuple[str, str]]]]:
    """Word of changes, from a listener that is ready."""
    async with aclosing(PostgresNews(database_url).changes()) as changes, asyncio.timeout(30):
        assert await anext(changes) == []
        yield changes


@pytest.mark.critical
async def test_a_settlement_is_told_once_it_is_committed(
    store: PostgresStore, engine: AsyncEngine, news: AsyncIterator[list[tuple[str, str]]]
) -> None:
    await new_bot(store)
    await bought(store)
    assert await anext(news) == [("b1", BTC)]
    await sell(store, "0.0999")
    assert await anext(news) == [("b1", BTC)]
    await new_bot(store, "b2")
    await bought(store, "b2")
    assert await anext(news) == [("b2", BTC)]
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE positions SET stop = 0.01"))
    assert await anext(news) == [("b2", BTC)]


async def test_a_listener_that_is_cut_off_says_so(
    engine: AsyncEngine, news: AsyncIterator[list[tuple[str, str]]]
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(END_OTHERS))
    with pytest.raises(StoreUnavailable, match="lost"):
        await anext(news)


async def test_a_listener_that_finds_nobody_says_so() -> None:
    with pytest.raises(StoreUnavailable):
        await anext(PostgresNews("postgresql://a@127.0.0.1:1/b").changes())


async def test_a_bid_raises_the_best_of_trailing_positions_that_were_open_by_then(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    for bot_id in ("b1", "b2", "b3"):
        await new_bot(store, bot_id)
        trail = None if bot_id == "b3" else Decimal("0.02")
        await bought(store, bot_id, trail=trail)
    await new_bot(store, "b4", venue="myokx")
    await bought(store, "b4", trail=Decimal("0.02"))
    later = text("UPDATE positions SET opened_at = opened_at + interval '5 ms' WHERE bot_id = 'b2'")
    async with engine.begin() as connection:
        await connection.execute(later)
    await store.raise_best("okx", Best(BTC, Direction.LONG, Price(61_000), NOW_MS + 4))
    await store.raise_best("okx", Best(BTC, Direction.LONG, Price(60_500), NOW_MS + 5))
    await store.raise_best("okx", Best(ETH, Direction.LONG, Price(99_000), NOW_MS + 5))
    found = {guard.bot_id: guard.best for guard in await store.guards("okx")}
    assert found == {"b1": Price(61_000), "b2": Price(60_500), "b3": None}
    [other] = await store.guards("myokx")
    assert other.best == Price(60_000)
