"""Looking at the market: once per cycle, on the bot's own venue, with ages that are true."""

import pytest

from oxbot.app.shared import Shared
from oxbot.domain.errors import Conflict, NotFound, VenueUnavailable
from oxbot.domain.market import CANDLE_MS, ClockReading, Perpetual
from oxbot.domain.money import Price
from tests.support.fakes import BTC, ETH, FakeBoard, FakeFeed
from tests.unit.app.room import BOT, NOW_MS, AbsentBoard, Room


@pytest.mark.critical
async def test_a_cycle_observed_twice_keeps_what_it_saw_first(room: Room) -> None:
    await room.bot()
    first = await room.observe()
    room.feed.prices[BTC] = Price(1)
    room.now_ms += CANDLE_MS
    again = await room.observe()
    assert again.snapshot_id == first.snapshot_id
    assert again.prices[BTC].bid == first.prices[BTC].bid == 60_000
    assert (await room.store.cycle(BOT, 1)).clock.venue_ms == NOW_MS


@pytest.mark.critical
async def test_prices_of_another_venue_are_refused_before_anything_is_recorded(room: Room) -> None:
    await room.bot(venue="okx")
    with pytest.raises(Conflict, match="trades on okx"):
        await room.observe()
    assert await room.board.get("fake", (BTC, ETH)) == {}


async def test_before_the_tick_is_due_nothing_is_recorded(room: Room) -> None:
    await room.bot()
    seen = await room.observe(due_ms=NOW_MS + 1)
    assert not seen.due
    assert seen.prices == {}
    assert (await room.observe(due_ms=NOW_MS)).due


@pytest.mark.critical
async def test_without_the_exchange_an_old_price_does_not_stand_in_and_it_is_said(
    room: Room,
) -> None:
    await room.bot()
    await room.observe()
    room.feed.away = True
    room.now_ms += 61_000
    with pytest.raises(VenueUnavailable, match=r"too old to serve.*: BTC/USDT 61 s, ETH/USDT 61 s"):
        await room.observe(2)
    with pytest.raises(NotFound):
        await room.store.cycle(BOT, 2)


@pytest.mark.critical
async def test_a_board_without_every_price_does_not_stand_in_for_the_exchange(room: Room) -> None:
    await room.bot()
    await room.observe(1)
    room.board, room.shared = FakeBoard(), Shared()
    await room.board.put("fake", await room.feed.quotes([BTC], await room.ports.clock.reading()))
    room.feed.away = True
    with pytest.raises(VenueUnavailable, match=f"or unknown: .*{ETH}"):
        await room.observe(2)


async def test_without_the_board_the_fetched_prices_serve(room: Room) -> None:
    await room.bot()
    room.board = AbsentBoard()
    assert (await room.observe()).prices[BTC].bid == 60_000


async def test_prices_are_as_young_as_they_can_be_after_a_snapshot_that_took_its_time(
    room: Room,
) -> None:
    class Slow(FakeFeed):
        async def perpetual(self, symbol: str, now: ClockReading) -> Perpetual | None:
            room.clock.stepped_ms = NOW_MS + 20_000
            return await super().perpetual(symbol, now)

    await room.bot()
    room.feed = Slow(room.feed.prices)
    seen = await room.observe()
    assert seen.clock.venue_ms == NOW_MS + 20_000
    assert seen.prices[BTC].age_ms == 0
    assert (await room.store.cycle(BOT, 1)).quotes[BTC].exchange_ms == NOW_MS + 20_000


async def test_a_seen_price_tells_its_source_and_its_spread(room: Room) -> None:
    await room.bot()
    price = (await room.observe()).prices[BTC]
    assert (price.source, str(price.spread_bp)) == ("fake", "1.00")


async def test_one_candle_has_one_snapshot(room: Room) -> None:
    await room.bot()
    first = await room.observe(1)
    room.now_ms += CANDLE_MS - 1
    room.feed.prices[BTC] = Price(61_000)
    same = await room.observe(2)
    room.now_ms += 1
    later = await room.observe(3)
    assert first.snapshot_id == same.snapshot_id != later.snapshot_id
    assert same.prices[BTC].bid == 61_000
