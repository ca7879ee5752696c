"""Candles kept by the feed: only new ones are asked for, and what is given is what OKX shows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.adapters.okx.kept_candles import MOST_SERIES, MOST_TIMES, REPEATED, KeptCandles
from oxbot.domain.errors import VenueUnavailable
from oxbot.domain.market import CANDLE_MS, Bar, Candle
from tests.activities.okx_server import NOW_MS, LocalOkx, connected, envelope, local_okx

BTC = "BTC/USDT"
COUNT = 20

pytestmark = pytest.mark.critical


@dataclass
class Market:
    """Candles up to `now_ms`, whose volume tells one market from another."""

    now_ms: int = NOW_MS
    volume: int = 7
    revised: dict[int, int] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)
    limits: list[int] = field(default_factory=list)

    def rows(self, after: int, limit: int) -> list[list[str]]:
        newest = min(after - 1, self.now_ms - 1) // CANDLE_MS * CANDLE_MS
        opened = [newest - back * CANDLE_MS for back in range(limit + len(self.missing))]
        return [self._row(ts) for ts in opened if ts not in self.missing][:limit]

    def _row(self, ts: int) -> list[str]:
        volume = self.revised.get(ts, self.volume)
        confirm = "1" if ts + CANDLE_MS <= self.now_ms else "0"
        return [str(ts), "100", "110", "90", "105", str(volume), "0", "0", confirm]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        limit = int(request.query["limit"])
        self.limits.append(limit)
        rows = self.rows(int(request.query["after"]), limit)
        return await envelope(rows)(request)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[tuple[LocalOkx, OkxClient]]:
    async with local_okx() as okx, connected(okx) as client:
        yield okx, client


@pytest.fixture
def market(server: tuple[LocalOkx, OkxClient]) -> Market:
    return serve(server[0], Market())


@pytest.fixture
def feed(server: tuple[LocalOkx, OkxClient]) -> OkxFeed:
    return OkxFeed(server[1])


def serve(okx: LocalOkx, market: Market) -> Market:
    okx.answers["market/candles"] = market.answer
    return market


async def ask(feed: OkxFeed, market: Market) -> list[Candle]:
    return await feed.candles(BTC, COUNT, market.now_ms)


async def test_after_the_first_time_only_what_is_new_is_asked_for(
    feed: OkxFeed, market: Market
) -> None:
    for steps in (0, 1, 1, 3):
        market.now_ms += steps * CANDLE_MS
        candles = await ask(feed, market)
        assert [c.open_ms for c in candles] == [
            market.now_ms - back * CANDLE_MS for back in range(COUNT, 0, -1)
        ]
    assert market.limits == [COUNT, REPEATED + 1, REPEATED + 1, REPEATED + 3]


async def test_each_length_has_a_series_of_its_own(feed: OkxFeed, market: Market) -> None:
    await ask(feed, market)
    with pytest.raises(VenueUnavailable, match="does not follow"):
        await feed.candles(BTC, COUNT, market.now_ms, Bar.H1)  # this market has no hours
    assert market.limits == [COUNT, COUNT]


@pytest.mark.parametrize("back", range(1, REPEATED + 1))
async def test_a_revised_candle_among_the_last_ones_makes_all_be_read_again(
    feed: OkxFeed, market: Market, back: int
) -> None:
    await ask(feed, market)
    market.revised[market.now_ms - back * CANDLE_MS] = 8
    market.now_ms += CANDLE_MS
    candles = await ask(feed, market)
    assert candles[-1 - back].volume == 8
    assert market.limits == [COUNT, REPEATED + 1, COUNT]


async def test_a_candle_revised_long_ago_is_seen_when_the_series_is_read_as_a_whole(
    feed: OkxFeed, market: Market
) -> None:
    market.now_ms -= MOST_TIMES * CANDLE_MS
    await ask(feed, market)
    for _ in range(MOST_TIMES):
        market.now_ms += CANDLE_MS
        await ask(feed, market)
    market.revised[market.now_ms - (REPEATED + 1) * CANDLE_MS] = 8
    market.now_ms += CANDLE_MS
    assert 8 in [candle.volume for candle in await ask(feed, market)]
    assert market.limits[-2:] == [REPEATED + 1, COUNT]


async def test_another_market_at_the_same_address_is_not_joined(
    server: tuple[LocalOkx, OkxClient], feed: OkxFeed, market: Market
) -> None:
    await ask(feed, market)
    other = serve(server[0], Market(now_ms=market.now_ms + CANDLE_MS, volume=9))
    assert {candle.volume for candle in await ask(feed, other)} == {9}


@pytest.mark.parametrize("volume", [7, 9])
async def test_after_the_venues_time_was_set_back_all_is_asked_for(
    server: tuple[LocalOkx, OkxClient], feed: OkxFeed, market: Market, volume: int
) -> None:
    await ask(feed, market)
    back = serve(server[0], Market(now_ms=market.now_ms - 3 * CANDLE_MS, volume=volume))
    candles = await ask(feed, back)
    assert candles[-1].open_ms == back.now_ms - CANDLE_MS
    assert {candle.volume for candle in candles} == {volume}
    assert back.limits == [COUNT]


async def test_a_candle_that_is_not_closed_yet_is_waited_for_and_nothing_else_is_asked(
    feed: OkxFeed, market: Market
) -> None:
    await ask(feed, market)
    with pytest.raises(VenueUnavailable, match="not among the closed ones yet"):
        await feed.candles(BTC, COUNT, market.now_ms + CANDLE_MS)
    assert market.limits == [COUNT, REPEATED + 1]
    market.now_ms += CANDLE_MS
    await ask(feed, market)
    assert market.limits[-1] == REPEATED + 1


async def test_a_gap_is_refused_and_no_kept_candle_hides_it(feed: OkxFeed, market: Market) -> None:
    await ask(feed, market)
    market.missing.add(market.now_ms)
    market.now_ms += 2 * CANDLE_MS
    with pytest.raises(VenueUnavailable, match="does not follow"):
        await ask(feed, market)


async def test_a_series_that_is_too_short_is_asked_for_as_a_whole(
    feed: OkxFeed, market: Market
) -> None:
    await feed.candles(BTC, COUNT, market.now_ms)
    market.now_ms += CANDLE_MS
    assert len(await feed.candles(BTC, COUNT + 1, market.now_ms)) == COUNT + 1
    assert market.limits == [COUNT, COUNT + 1]


@given(
    st.lists(
        st.tuples(
            st.integers(-3, 30),
            st.sampled_from([7, 7, 7, 9]),
            st.integers(0, REPEATED + 1),
        ),
        max_size=8,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
async def test_a_feed_that_remembers_gives_what_one_that_does_not_gives(
    server: tuple[LocalOkx, OkxClient], turns: list[tuple[int, int, int]]
) -> None:
    okx, client = server
    market, feed = serve(okx, Market()), OkxFeed(client)
    await ask(feed, market)
    for steps, volume, revised in turns:
        if revised <= REPEATED:
            market.revised[market.now_ms - revised * CANDLE_MS] = 8
        market.volume = volume
        market.now_ms += steps * CANDLE_MS
        assert await ask(feed, market) == await ask(OkxFeed(client), market)


async def test_no_more_series_are_kept_than_are_told(market: Market, feed: OkxFeed) -> None:
    candles = await ask(feed, market)
    kept = KeptCandles()
    for number in range(MOST_SERIES + 1):
        kept.keep(f"X{number}/USDT", Bar.M5, candles)
    newest_ms = market.now_ms
    assert kept.lacking("X0/USDT", Bar.M5, newest_ms, COUNT) == COUNT
    assert kept.lacking("X1/USDT", Bar.M5, newest_ms, COUNT) == REPEATED + 1
