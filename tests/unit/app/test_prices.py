"""Prices of now: asked for once for everybody, never older than they say, never of another step."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from oxbot.app.ports import Ports
from oxbot.app.prices import CURRENT_MS, current_quotes, known_quotes, last_quotes
from oxbot.app.shared import Shared
from oxbot.domain.bot import RiskLimits
from oxbot.domain.errors import RateLimited, Unusable, VenueUnavailable
from oxbot.domain.market import ClockReading, Quote
from tests.support.fakes import BTC, ETH, FakeBoard, FakeFeed, FakeFlight
from tests.support.trading import quote
from tests.unit.app.room import NOW_MS, AbsentBoard, Room

COINS = [BTC, ETH]
TRUSTED_S = RiskLimits().price_age_s


def running(at_ms: int = NOW_MS, rate: str = "1") -> ClockReading:
    """A clock that runs."""
    return ClockReading(venue_ms=at_ms, wall_ms=at_ms, rate=Decimal(rate))


def stepped(at_ms: int = NOW_MS) -> ClockReading:
    """A clock that stands still until its driver moves it."""
    return ClockReading(venue_ms=at_ms, wall_ms=at_ms, rate=Decimal(0), stepped=True)


def streamed(symbol: str, bid: str, at_ms: int) -> Quote:
    """A quote of the stream, received as soon as it was made."""
    made = quote(symbol, bid, at_ms=at_ms)
    return made.model_copy(update={"received_ms": at_ms, "source": "stream"})


async def quotes_of(ports: Ports, symbols: Sequence[str], now: ClockReading) -> dict[str, Quote]:
    """The prices as a bot with the usual limit asks for them."""
    return await current_quotes(ports, symbols, now, TRUSTED_S)


def asked(room: Room) -> int:
    return room.feed.asked["all_quotes"]


@pytest.mark.parametrize(
    ("later_ms", "rate", "asks"),
    [
        (CURRENT_MS, "1", 1),
        (CURRENT_MS + 1, "1", 2),
        (30 * CURRENT_MS, "30", 1),
        (30 * CURRENT_MS + 1, "30", 2),
        (CURRENT_MS, "0.1", 1),
    ],
)
async def test_a_price_is_current_for_three_seconds_of_the_venues_time(
    room: Room, later_ms: int, rate: str, asks: int
) -> None:
    await quotes_of(room.ports, COINS, running(rate=rate))
    other = room.elsewhere()
    for process in (room, other, other):
        await quotes_of(process.ports, COINS, running(NOW_MS + later_ms, rate))
    assert asked(room) == asks


async def test_a_current_price_of_the_stream_needs_no_question(room: Room) -> None:
    await room.board.put("fake", [streamed(s, "61000", NOW_MS) for s in COINS])
    seen = await quotes_of(room.ports, COINS, running(NOW_MS + 100))
    assert asked(room) == 0
    assert {quote.source for quote in seen.values()} == {"stream"}


async def test_one_stale_price_is_asked_for_and_a_newer_one_on_the_board_stays(room: Room) -> None:
    now = running(NOW_MS + 10_000)
    await room.board.put("fake", [streamed(BTC, "1", now.venue_ms + 5), quote(ETH, at_ms=NOW_MS)])
    seen = await quotes_of(room.ports, COINS, now)
    assert asked(room) == 1
    assert (seen[BTC].source, str(seen[BTC].bid)) == ("stream", "1")
    assert (seen[ETH].source, str(seen[ETH].bid)) == ("fake", "3000")


@pytest.mark.critical
async def test_a_hundred_who_ask_at_once_are_answered_by_one_request(room: Room) -> None:
    room.now_ms = NOW_MS
    ports, other = room.ports, room.elsewhere().ports
    seen = await asyncio.gather(
        *(quotes_of((ports, other)[n % 2], [COINS[n % 2]], running()) for n in range(100))
    )
    assert asked(room) == 1
    assert all(list(quotes) == [COINS[n % 2]] for n, quotes in enumerate(seen))


async def test_a_hundred_who_ask_in_vain_wait_for_one_request_too(room: Room) -> None:
    room.feed.away = True
    ports = room.ports
    found = await asyncio.gather(
        *(quotes_of(ports, COINS, running()) for _ in range(100)), return_exceptions=True
    )
    assert all(isinstance(each, VenueUnavailable) for each in found)
    assert asked(room) == 1


async def test_a_coin_that_the_exchange_gives_no_price_of_is_not_asked_for_again_and_again(
    room: Room,
) -> None:
    await quotes_of(room.ports, COINS, running())
    room.feed.mute.add(ETH)
    for ms in range(10_000, 12_000, 100):
        seen = await quotes_of(room.ports, COINS, running(NOW_MS + ms))
        assert seen[ETH].age_ms(NOW_MS + ms) == ms
    assert asked(room) == 2


@pytest.mark.critical
async def test_a_coin_without_any_price_is_named(room: Room) -> None:
    room.feed.mute.add(ETH)
    with pytest.raises(Unusable, match=r"gave no price of ETH/USDT, and no earlier one"):
        await quotes_of(room.ports, COINS, running())
    assert list(await known_quotes(room.ports, COINS, running())) == [BTC]


@pytest.mark.critical
async def test_while_the_exchange_is_away_the_last_prices_serve_as_long_as_they_are_trusted(
    room: Room,
) -> None:
    await quotes_of(room.ports, COINS, running())
    room.feed.away = True
    limit_ms = TRUSTED_S * 1000
    seen = await quotes_of(room.ports, COINS, running(NOW_MS + limit_ms))
    assert [quote.age_ms(NOW_MS + limit_ms) for quote in seen.values()] == [limit_ms] * 2
    with pytest.raises(VenueUnavailable, match=r"too old to serve.*: BTC/USDT 15 s, ETH/USDT 15 s"):
        await quotes_of(room.ports, COINS, running(NOW_MS + limit_ms + 1))


@pytest.mark.critical
async def test_in_a_stepped_venue_a_question_that_failed_is_never_covered_by_an_older_price(
    room: Room,
) -> None:
    await quotes_of(room.ports, COINS, stepped())
    room.feed.away = True
    with pytest.raises(VenueUnavailable, match="too old to serve"):
        await quotes_of(room.ports, COINS, stepped(NOW_MS + 1))


async def test_without_the_board_a_process_asks_for_itself_and_remembers(room: Room) -> None:
    room.board = AbsentBoard()
    for ms in (0, 100, CURRENT_MS):
        assert (await quotes_of(room.ports, COINS, running(NOW_MS + ms)))[BTC].bid == 60_000
    assert asked(room) == 1
    await quotes_of(room.ports, COINS, running(NOW_MS + CURRENT_MS + 1))
    room.feed.away = True
    seen = await quotes_of(room.ports, COINS, running(NOW_MS + 10_000))
    assert seen[BTC].age_ms(NOW_MS + 10_000) == 10_000 - CURRENT_MS - 1


@pytest.mark.critical
async def test_in_a_stepped_venue_only_a_price_of_this_moment_is_current(room: Room) -> None:
    await quotes_of(room.ports, COINS, stepped())
    other = room.elsewhere()
    await quotes_of(other.ports, COINS, stepped())
    assert asked(room) == 1
    seen = await quotes_of(other.ports, COINS, stepped(NOW_MS + 1))
    assert asked(room) == 2
    assert seen[BTC].exchange_ms == NOW_MS + 1


@pytest.mark.critical
async def test_what_a_stepped_cycle_sees_depends_on_no_stream(room: Room) -> None:
    """How far a stream came within a step is chance, and a replay must not meet it."""

    async def cycles(stream: bool) -> list[object]:  # noqa: FBT001 - the two cases
        room.board, room.shared, room.feed = FakeBoard(), Shared(), FakeFeed(dict(room.feed.prices))
        seen: list[object] = []
        for step in range(4):
            now = stepped(NOW_MS + step)
            room.feed.away = step in (1, 3)
            if stream:
                await room.board.put("fake", [streamed(s, "7", now.venue_ms) for s in COINS])
            try:
                seen.append(await quotes_of(room.ports, COINS, now))
            except VenueUnavailable as error:
                seen.append(str(error))
        return [*seen, asked(room)]

    assert await cycles(stream=True) == await cycles(stream=False)


async def test_who_asks_at_the_next_step_does_not_take_the_answer_of_the_last(room: Room) -> None:
    """An asker of the last step may still be waiting when the venue has moved on."""
    answering = asyncio.Event()

    class Slow(FakeFeed):
        async def all_quotes(self, now: ClockReading) -> list[Quote]:
            if now.venue_ms == NOW_MS:
                await answering.wait()
            return await super().all_quotes(now)

    room.feed = Slow(room.feed.prices)
    ports = room.ports
    late = asyncio.create_task(quotes_of(ports, COINS, stepped()))
    await asyncio.sleep(0)
    punctual = asyncio.create_task(quotes_of(ports, COINS, stepped(NOW_MS + 1)))
    await asyncio.sleep(0)
    answering.set()
    assert (await punctual)[BTC].exchange_ms == NOW_MS + 1
    await late


async def test_what_is_held_is_valued_by_the_newest_price_from_anywhere(room: Room) -> None:
    await quotes_of(room.ports, COINS, stepped())
    await room.board.put("fake", [streamed(BTC, "7", NOW_MS + 5), streamed(ETH, "7", NOW_MS - 5)])
    seen = await last_quotes(room.ports, [*COINS, "XRP/USDT"])
    assert {symbol: quote.bid for symbol, quote in seen.items()} == {BTC: 7, ETH: 3_000}


async def test_an_error_that_says_more_than_away_stays_itself(room: Room) -> None:
    class Busy(FakeFeed):
        async def all_quotes(self, now: ClockReading) -> list[Quote]:  # noqa: ARG002 - the port's
            raise RateLimited("slow down", retry_after_s=7)

    room.feed = Busy(room.feed.prices)
    with pytest.raises(RateLimited) as caught:
        await quotes_of(room.ports, COINS, running())
    assert caught.value.retry_after_s == 7


async def test_an_asker_who_leaves_takes_nobody_with_him(room: Room) -> None:
    answering = asyncio.Event()

    class Slow(FakeFeed):
        async def all_quotes(self, now: ClockReading) -> list[Quote]:
            await answering.wait()
            return await super().all_quotes(now)

    room.feed = Slow(room.feed.prices)
    ports = room.ports
    first, second = (asyncio.create_task(quotes_of(ports, COINS, running())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    answering.set()
    assert len(await second) == 2
    assert asked(room) == 1
    assert first.cancelled()


@pytest.mark.critical
async def test_who_waited_long_takes_what_others_have_asked_for_meanwhile(room: Room) -> None:
    """The clock was read before the wait, so the answer lies ahead of it."""
    waited = running()
    later = running(NOW_MS + 12_000)
    await quotes_of(room.elsewhere().ports, COINS, later)
    seen = await quotes_of(room.ports, COINS, waited)
    assert asked(room) == 1
    assert {quote.received_ms for quote in seen.values()} == {later.venue_ms}


async def test_a_price_from_before_the_venues_time_was_set_back_is_not_current(room: Room) -> None:
    await quotes_of(room.ports, COINS, running(NOW_MS + 3_600_000))
    await quotes_of(room.elsewhere().ports, COINS, running())
    assert asked(room) == 2


@pytest.mark.critical
async def test_an_outage_found_out_late_is_covered_by_what_others_have_fetched(room: Room) -> None:
    """The other asks meanwhile, as it does once a holder of the flight lock took too long."""
    other = room.elsewhere(flight=FakeFlight())

    class Away(FakeFeed):
        async def all_quotes(self, now: ClockReading) -> list[Quote]:
            await quotes_of(other.ports, COINS, running(now.venue_ms + 5_000))
            raise VenueUnavailable("no answer within 6 s")

    feed = room.feed
    room.feed = Away(feed.prices)
    other.feed = feed
    ports = room.ports
    seen = await quotes_of(ports, COINS, running())
    assert {quote.received_ms for quote in seen.values()} == {NOW_MS + 5_000}
