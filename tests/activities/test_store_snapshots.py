"""Market parts and snapshots on record: exact, made once, and the first stands."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import NotFound
from oxbot.domain.market import Bar, PartKey
from oxbot.domain.money import Price
from oxbot.domain.snapshots import part_keys
from tests.support.trading import BTC, CANDLE_END_MS, ETH, indicators, keep, part, snapshot

KEY = PartKey("okx", BTC, Bar.M5, CANDLE_END_MS)


async def test_a_snapshot_comes_back_exactly_with_all_its_parts(store: PostgresStore) -> None:
    made = await keep(store, snapshot("s1", ETH, BTC))
    read = await store.snapshot("s1")
    assert (read, read.model_dump_json()) == (made, made.model_dump_json())
    assert list(made.features) == [BTC, ETH]
    assert made.features[BTC].h4.candle_ms == Bar.H4.closed_by(CANDLE_END_MS)
    with pytest.raises(NotFound):
        await store.snapshot("s2")


async def test_snapshots_of_one_candle_share_their_parts(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await keep(store, snapshot("s1", BTC, ETH))
    await keep(store, snapshot("s2", BTC))
    async with engine.begin() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM market_parts")) == 6


async def test_parts_are_found_by_their_whole_key(store: PostgresStore) -> None:
    others = [
        KEY._replace(venue="sim"),
        KEY._replace(symbol=ETH),
        KEY._replace(bar=Bar.H1),
        KEY._replace(candle_ms=CANDLE_END_MS - Bar.M5.length_ms),
    ]
    [kept] = await store.save_parts([part(KEY)])
    assert await store.parts([KEY, *others]) == {KEY: kept}
    assert await store.parts(part_keys("okx", CANDLE_END_MS, [ETH])) == {}


async def test_figures_at_the_ends_of_what_a_float_holds_come_back_exactly(
    store: PostgresStore,
) -> None:
    extreme = indicators(ema20=1e308, ema50=5e-324, macd=-0.1, rsi7=1 / 3, atr3=1e16, close="1E-12")
    made = part(KEY, indicators=extreme, perpetual=None)
    assert await store.save_parts([made]) == [made]
    assert await store.parts([KEY]) == {KEY: made}
    assert await store.save_parts([part(KEY)]) == [made]


@pytest.mark.critical
async def test_of_workers_who_make_a_part_at_once_the_first_wins_and_all_get_its_part(
    store: PostgresStore,
) -> None:
    made = [part(KEY, indicators=indicators(close=Price(n))) for n in range(1, 9)]
    kept = [each for [each] in await asyncio.gather(*(store.save_parts([one]) for one in made))]
    assert len({one.model_dump_json() for one in kept}) == 1
    assert (await store.parts([KEY]))[KEY] == kept[0]


async def test_a_snapshot_whose_parts_nobody_kept_says_so(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await keep(store, snapshot("s1", BTC))
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM market_parts WHERE bar = '1h'"))
    with pytest.raises(NotFound, match="2 of its 3 parts"):
        await store.snapshot("s1")
