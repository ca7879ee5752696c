"""Snapshots: their parts are made once, looked for in order, and immutable."""

import asyncio
from collections import Counter
from collections.abc import Collection

import pytest

from oxbot.app.shared import MADE_AT_ONCE, Recent, Shared
from oxbot.app.snapshots import snapshot_id, snapshot_of
from oxbot.domain.errors import InputError, StoreUnavailable, VenueUnavailable
from oxbot.domain.market import Bar, Candle, MarketPart, PartKey, Snapshot
from oxbot.domain.money import Price
from tests.support.fakes import BTC, ETH, FakeFeed, FakeParts
from tests.unit.app.room import NOW_MS, Room

COINS = [BTC, ETH]
ONE_OF_EACH = {
    **{f"candles {symbol} {bar}": 1 for symbol in COINS for bar in Bar},
    **{f"perpetual {symbol}": 1 for symbol in COINS},
}


class AbsentParts(FakeParts):
    """A cache that is away."""

    async def get(self, keys: Collection[PartKey]) -> dict[PartKey, MarketPart]:  # noqa: ARG002 - the port's
        raise StoreUnavailable("the cache was told not to answer")

    async def put(self, parts: Collection[MarketPart]) -> None:  # noqa: ARG002 - as above
        raise StoreUnavailable("the cache was told not to answer")


async def made(room: Room, symbols: list[str] = COINS) -> Snapshot:
    ports = room.ports
    return await snapshot_of(ports, symbols, await ports.clock.reading())


async def test_a_snapshot_holds_three_lengths_of_candles_and_the_perpetual(room: Room) -> None:
    seen = await made(room)
    assert list(seen.features) == sorted(COINS)
    assert await room.store.snapshot(seen.id) == seen
    btc = seen.features[BTC]
    assert [part.bar for part in (btc.m5, btc.h1, btc.h4)] == list(Bar)
    assert btc.m5.candle_ms == NOW_MS
    assert btc.h4.candle_ms == Bar.H4.closed_by(NOW_MS)
    assert btc.perpetual
    assert seen.features[ETH].perpetual is None


def test_an_id_names_venue_candle_and_symbols_in_any_order() -> None:
    first = snapshot_id("okx", 1, COINS)
    assert first == snapshot_id("okx", 1, COINS[::-1])
    others = [("okx", 2, COINS), ("sim", 1, COINS), ("okx", 1, [BTC]), ("okx", 1, ["BTC/USDTETH"])]
    assert len({first, *(snapshot_id(*other) for other in others)}) == 5


@pytest.mark.critical
async def test_many_at_once_in_two_processes_make_each_part_once(room: Room) -> None:
    ports, other = room.ports, room.elsewhere().ports
    now = await ports.clock.reading()
    seen = await asyncio.gather(
        *(snapshot_of((ports, other)[n % 2], COINS[:: (-1) ** n], now) for n in range(100))
    )
    assert len({each.model_dump_json() for each in seen}) == 1
    assert room.feed.asked == ONE_OF_EACH


async def test_with_each_candle_only_what_closed_is_made_anew(room: Room) -> None:
    counted = Counter[str]()
    room.now_ms = Bar.H4.closed_by(NOW_MS)
    for _ in range(49):
        await made(room)
        room.now_ms += Bar.M5.length_ms
    for what, times in room.feed.asked.items():
        counted[what.split()[-1] if "candles" in what else "perpetual"] += times
    assert counted == {"5m": 2 * 49, "1h": 2 * 5, "4h": 2 * 2, "perpetual": 2 * 49}


async def test_parts_are_shared_by_snapshots_of_different_symbols(room: Room) -> None:
    both = await made(room)
    alone = await made(room, [ETH])
    assert alone.id != both.id
    assert alone.features[ETH] == both.features[ETH]
    assert room.feed.asked == ONE_OF_EACH


@pytest.mark.parametrize("kept", ["the cache", "the record"])
async def test_another_process_finds_the_parts_in_either_place(room: Room, kept: str) -> None:
    first = await made(room)
    parts = room.parts if kept == "the cache" else FakeParts()
    other = room.elsewhere(parts=parts)
    other.feed.away = True
    assert await made(other) == first
    assert isinstance(parts, FakeParts)
    assert len(parts.kept) == 6


@pytest.mark.critical
async def test_of_two_who_made_a_part_without_a_lock_both_go_on_with_the_first(room: Room) -> None:
    """Redis is away: neither cache nor lock, and prices that differ."""
    apart = [room.elsewhere(parts=AbsentParts(), flight=Room().flight) for _ in range(2)]
    apart[1].feed = FakeFeed({BTC: Price(1), ETH: Price(1)})
    seen = await asyncio.gather(*(made(each) for each in apart))
    assert seen[0] == seen[1]
    assert all(part.m5 == seen[0].features[s].m5 for s, part in seen[1].features.items())


async def test_without_the_cache_the_record_serves_and_it_is_said_once(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    room.parts = AbsentParts()
    await made(room)
    room.now_ms += Bar.M5.length_ms
    await made(room)
    assert capsys.readouterr().out.count("Redis is away") == 1
    room.parts = FakeParts()
    room.now_ms += Bar.M5.length_ms
    await made(room)
    assert capsys.readouterr().out.count("Redis is back") == 1


@pytest.mark.critical
async def test_too_little_history_of_one_length_refuses_the_whole_snapshot(room: Room) -> None:
    class Young(FakeFeed):
        async def candles(
            self, symbol: str, count: int, end_ms: int, bar: Bar = Bar.M5
        ) -> list[Candle]:
            given = await super().candles(symbol, count, end_ms, bar)
            return given[-12:] if bar is Bar.H4 else given

    room.feed = Young(room.feed.prices)
    with pytest.raises(InputError, match=r"has 12 closed candles of 4h.* 150"):
        await made(room)


async def test_a_failure_is_made_good_by_asking_again_and_only_for_what_is_missing(
    room: Room,
) -> None:
    class Moody(FakeFeed):
        moody = True

        async def candles(
            self, symbol: str, count: int, end_ms: int, bar: Bar = Bar.M5
        ) -> list[Candle]:
            self.away = self.moody and (symbol, bar) == (ETH, Bar.H1)
            return await super().candles(symbol, count, end_ms, bar)

    room.feed = feed = Moody(room.feed.prices)
    with pytest.raises(VenueUnavailable):
        await made(room)
    feed.moody = feed.away = False
    assert len((await made(room)).features) == 2
    assert sum(feed.asked.values()) <= sum(ONE_OF_EACH.values()) + 3


async def test_a_process_makes_few_parts_at_a_time(room: Room) -> None:
    class Busy(FakeFeed):
        now = most = 0

        async def candles(
            self, symbol: str, count: int, end_ms: int, bar: Bar = Bar.M5
        ) -> list[Candle]:
            self.now += 1
            self.most = max(self.most, self.now)
            given = await super().candles(symbol, count, end_ms, bar)
            self.now -= 1
            return given

    symbols = [f"C{number}/USDT" for number in range(20)]
    room.feed = feed = Busy(dict.fromkeys(symbols, Price(1)))
    await made(room, symbols)
    assert feed.most == MADE_AT_ONCE


def test_what_is_kept_in_the_process_is_bounded_and_what_is_asked_for_stays() -> None:
    recent = Recent[str, int](2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)


async def test_work_that_is_over_is_done_anew_and_a_failure_is_nobodys_for_ever() -> None:
    shared, done = Shared(), []

    async def work() -> int:
        done.append(1)
        if len(done) == 1:
            raise VenueUnavailable("the first time")
        return len(done)

    with pytest.raises(VenueUnavailable):
        await shared.once("work", work)
    assert await shared.once("work", work) == 2
    assert await shared.once("work", work) == 3
