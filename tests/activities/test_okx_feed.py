"""What the feed gives when OKX is well: exact, closed, complete, and with few requests."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.domain.errors import InputError, VenueUnavailable
from oxbot.domain.market import CANDLE_MS, Bar, ClockReading
from tests.activities.okx_server import (
    NOW_MS,
    LocalOkx,
    candle_row,
    candle_rows,
    connected,
    envelope,
    instrument,
    local_okx,
    ticker,
)

NOW = ClockReading(venue_ms=NOW_MS, wall_ms=1_000, rate=Decimal(30))


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    async with local_okx() as server:
        yield server


@pytest.fixture
async def client(okx: LocalOkx) -> AsyncIterator[OkxClient]:
    async with connected(okx) as client:
        yield client


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[tuple[LocalOkx, OkxFeed]]:
    async with local_okx() as server, connected(server) as client:
        yield server, OkxFeed(client, wall_ms=lambda: 1_000)


PRICES = st.decimals(min_value=Decimal("1E-12"), max_value=Decimal("1E12"), places=12).filter(
    lambda price: price > 0
)


@given(bid=PRICES, ask=PRICES, last=PRICES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
async def test_a_price_arrives_to_the_last_digit(
    shared: tuple[LocalOkx, OkxFeed], bid: Decimal, ask: Decimal, last: Decimal
) -> None:
    okx, feed = shared
    row = ticker(bidPx=f"{bid:f}", askPx=f"{ask:f}", last=f"{last:f}")
    okx.answers["market/tickers"] = envelope([row])
    [quote] = await feed.quotes(["BTC/USDT"], NOW)
    assert (str(quote.bid), str(quote.ask), str(quote.last)) == (str(bid), str(ask), str(last))


async def test_steps_and_candles_arrive_to_the_last_digit(okx: LocalOkx, client: OkxClient) -> None:
    okx.answers["public/instruments"] = envelope([instrument(tickSz="0.1", lotSz="0.00000001")])
    exact = "94000.123456789012345"
    row = [str(NOW_MS - CANDLE_MS), exact, exact, exact, exact, "0.30000000000000004", "", "", "1"]
    okx.answers["market/candles"] = envelope([row])
    feed = OkxFeed(client)
    btc = (await feed.instruments(["BTC/USDT"]))["BTC/USDT"]
    assert (str(btc.tick), str(btc.lot), str(btc.minimum)) == ("0.1", "1E-8", "0.00001")
    [candle] = await feed.candles("BTC/USDT", 1, NOW_MS)
    assert str(candle.close) == exact
    assert str(candle.volume) == "0.30000000000000004"


async def test_all_symbols_of_all_bots_cost_one_request(okx: LocalOkx, client: OkxClient) -> None:
    quotes = await OkxFeed(client).quotes(["ETH/USDT", "BTC/USDT"], NOW)
    assert [quote.symbol for quote in quotes] == ["ETH/USDT", "BTC/USDT"]
    assert okx.paths == ["market/tickers"]


async def test_receipt_is_stamped_in_venue_time_at_the_venues_rate(client: OkxClient) -> None:
    feed = OkxFeed(client, wall_ms=lambda: NOW.wall_ms + 200)
    [quote] = await feed.quotes(["BTC/USDT"], NOW)
    assert quote.received_ms == NOW_MS + 200 * 30
    assert quote.exchange_ms == NOW_MS
    assert quote.source == "rest"


async def test_instruments_are_loaded_once_for_all_who_ask(
    okx: LocalOkx, client: OkxClient
) -> None:
    feed = OkxFeed(client)
    await asyncio.gather(*(feed.instruments(["BTC/USDT"]) for _ in range(5)))
    assert okx.paths == ["public/instruments"]


async def test_an_unknown_symbol_reloads_the_list_once_a_minute_at_most(
    okx: LocalOkx, client: OkxClient
) -> None:
    clock = {"s": 0.0}
    feed = OkxFeed(client, monotonic_s=lambda: clock["s"])
    for _ in range(3):
        with pytest.raises(InputError):
            await feed.instruments(["NEW/USDT"])
    assert okx.asked("public/instruments") == 1
    clock["s"] = 61.0
    okx.answers["public/instruments"] = envelope([instrument("NEW-USDT")])
    assert set(await feed.instruments(["NEW/USDT"])) == {"NEW/USDT"}
    assert okx.asked("public/instruments") == 2


async def test_candles_come_oldest_first_in_one_request(okx: LocalOkx, client: OkxClient) -> None:
    candles = await OkxFeed(client).candles("BTC/USDT", 300, NOW_MS + 123_456)
    assert [candle.open_ms for candle in candles] == [
        NOW_MS - back * CANDLE_MS for back in range(300, 0, -1)
    ]
    assert okx.asked("market/candles") == 1
    assert okx.asked("market/history-candles") == 0


@pytest.mark.parametrize("confirm", ["0", "1"])
async def test_a_candle_that_has_not_ended_is_left_out_whatever_its_flag(
    okx: LocalOkx, client: OkxClient, confirm: str
) -> None:
    okx.answers["market/candles"] = envelope([candle_row(NOW_MS, confirm), *candle_rows(10)])
    candles = await OkxFeed(client).candles("BTC/USDT", 10, NOW_MS + CANDLE_MS - 1)
    assert candles[-1].open_ms == NOW_MS - CANDLE_MS
    assert len(candles) == 10


async def test_a_candle_that_ended_but_is_not_confirmed_is_waited_for(
    okx: LocalOkx, client: OkxClient
) -> None:
    rows = candle_rows(10)
    rows[0][8] = "0"
    okx.answers["market/candles"] = envelope(rows)
    with pytest.raises(VenueUnavailable, match="not among the closed ones yet"):
        await OkxFeed(client).candles("BTC/USDT", 10, NOW_MS)


@given(missing=st.integers(min_value=1, max_value=8))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
async def test_a_gap_between_candles_is_never_passed_over(
    shared: tuple[LocalOkx, OkxFeed], missing: int
) -> None:
    okx, feed = shared
    rows = candle_rows(10)
    del rows[missing]
    okx.answers["market/candles"] = envelope(rows)
    with pytest.raises(VenueUnavailable, match="does not follow"):
        await feed.candles("BTC/USDT", 9, NOW_MS)


async def test_candles_in_the_wrong_order_are_refused(okx: LocalOkx, client: OkxClient) -> None:
    okx.answers["market/candles"] = envelope(candle_rows(10)[::-1])
    with pytest.raises(VenueUnavailable, match="does not follow"):
        await OkxFeed(client).candles("BTC/USDT", 10, NOW_MS)


async def test_a_new_symbol_gives_what_there_is(okx: LocalOkx, client: OkxClient) -> None:
    okx.answers["market/candles"] = envelope(candle_rows(7))
    assert len(await OkxFeed(client).candles("BTC/USDT", 150, NOW_MS)) == 7
    assert okx.asked("market/history-candles") == 1


async def test_an_answer_cut_short_is_completed_from_the_archive(
    okx: LocalOkx, client: OkxClient
) -> None:
    async def archive(request: web.Request) -> web.StreamResponse:
        before = int(request.query["after"])
        older = [row for row in candle_rows(200) if int(str(row[0])) < before]
        return await envelope(older[: int(request.query["limit"])])(request)

    okx.answers["market/candles"] = envelope(candle_rows(7))
    okx.answers["market/history-candles"] = archive
    candles = await OkxFeed(client).candles("BTC/USDT", 150, NOW_MS)
    assert [candle.open_ms for candle in candles] == [
        NOW_MS - back * CANDLE_MS for back in range(150, 0, -1)
    ]


async def test_no_candle_at_all_is_an_outage(okx: LocalOkx, client: OkxClient) -> None:
    okx.answers["market/candles"] = envelope([])
    with pytest.raises(VenueUnavailable, match="BTC/USDT"):
        await OkxFeed(client).candles("BTC/USDT", 10, NOW_MS)


@pytest.mark.parametrize("count", [0, -1, 301])
async def test_more_candles_than_one_answer_holds_are_the_callers_error(
    client: OkxClient, count: int
) -> None:
    with pytest.raises(InputError, match="1 to 300"):
        await OkxFeed(client).candles("BTC/USDT", count, NOW_MS)


@pytest.mark.parametrize(("bar", "name"), [(Bar.M5, "5m"), (Bar.H1, "1H"), (Bar.H4, "4H")])
async def test_candles_of_each_length_are_closed_and_without_a_gap(
    okx: LocalOkx, client: OkxClient, bar: Bar, name: str
) -> None:
    newest_ms = NOW_MS - bar.length_ms
    moving = candle_row(NOW_MS, "0")
    rows = [moving, *candle_rows(200, newest_ms, bar.length_ms)]
    okx.answers["market/candles"] = envelope(rows)
    candles = await OkxFeed(client).candles("BTC/USDT", 200, NOW_MS + bar.length_ms - 1, bar)
    assert [candle.open_ms for candle in candles] == [
        NOW_MS - back * bar.length_ms for back in range(200, 0, -1)
    ]
    assert okx.requests[-1].query["bar"] == name
    del rows[50]
    okx.answers["market/candles"] = envelope(rows)
    with pytest.raises(VenueUnavailable, match="does not follow"):
        await OkxFeed(client).candles("BTC/USDT", 199, NOW_MS, bar)


async def test_an_archive_with_short_pages_is_read_on(okx: LocalOkx, client: OkxClient) -> None:
    async def archive(request: web.Request) -> web.StreamResponse:
        before = int(request.query["after"])
        older = [row for row in candle_rows(290) if int(str(row[0])) < before]
        return await envelope(older[:100])(request)

    okx.answers["market/candles"] = envelope([])
    okx.answers["market/history-candles"] = archive
    candles = await OkxFeed(client).candles("BTC/USDT", 300, NOW_MS)
    assert [candle.open_ms for candle in candles] == [
        NOW_MS - back * CANDLE_MS for back in range(290, 0, -1)
    ]
    assert okx.asked("market/history-candles") == 4, "three pages, and the one that has no more"
