"""The real ccxt client against the simulated OKX, on generated and on real candles."""

from collections.abc import AsyncIterator
from pathlib import Path

import ccxt.async_support as ccxt
import pytest
from aiohttp import web

from oxbot.simulator.clock import ClockChange
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.server import HOST, create_app
from oxbot.simulator.venue import Venue

REAL_CANDLES = Path(__file__).parents[3] / "shared" / "market-data"
FILES_OR_NOT = REAL_CANDLES if REAL_CANDLES.is_dir() else None

SYMBOLS = ["BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT", "XRP/USDT"]
FIVE_MINUTES_MS = 300_000
IN_A_CANDLE_MS = 123_456
"""How far into a candle the venue stands, so that one is unfinished."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(None, id="generated market"),
        pytest.param(
            FILES_OR_NOT, id="real candles" if FILES_OR_NOT else "generated again, no real candles"
        ),
    ],
)
def venue(request: pytest.FixtureRequest) -> Venue:
    seed = 7 if request.param else 8
    venue = open_venue(Options(candles=request.param, seed=seed, mode="stepped"))
    venue.clock.change(ClockChange(advance_ms=IN_A_CANDLE_MS))
    return venue


@pytest.fixture
async def okx(venue: Venue) -> AsyncIterator[ccxt.okx]:
    """The real client, and a server on a free port."""
    runner = web.AppRunner(create_app(venue), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    url = f"http://{HOST}:{runner.addresses[0][1]}"
    client = ccxt.okx(
        {
            "urls": {"api": {"rest": url}},
            "options": {"fetchMarkets": {"types": ["spot", "swap"]}},
            "enableRateLimit": False,
        }
    )
    yield client
    await client.close()
    await runner.cleanup()


async def test_markets_carry_ticks_lots_and_minimums(okx: ccxt.okx) -> None:
    markets = await okx.load_markets()
    assert sorted(markets) == sorted(SYMBOLS)
    assert markets["BTC/USDT"]["precision"] == {"amount": 1e-8, "price": 0.1}
    assert markets["XRP/USDT"]["limits"]["amount"]["min"] == 1
    assert all(market["spot"] and market["active"] for market in markets.values())


async def test_the_time_is_the_venues(okx: ccxt.okx, venue: Venue) -> None:
    assert await okx.fetch_time() == venue.clock.now()


async def test_a_ticker_is_the_price_now_with_a_spread_of_a_tick(
    okx: ccxt.okx, venue: Venue
) -> None:
    ticker = await okx.fetch_ticker("BTC/USDT")
    assert ticker["timestamp"] == venue.clock.now()
    assert ticker["last"] * 10 == pytest.approx(
        venue.market.price("BTC-USDT", venue.clock.now()), abs=1e-6
    )
    assert ticker["bid"] == ticker["last"]
    assert ticker["ask"] - ticker["bid"] == pytest.approx(0.1)
    assert ticker["low"] <= ticker["last"] <= ticker["high"]
    assert ticker["baseVolume"] > 0
    assert ticker["quoteVolume"] > ticker["baseVolume"]


async def test_all_tickers_come_in_one_request(okx: ccxt.okx) -> None:
    await okx.load_markets()
    tickers = await okx.fetch_tickers()
    assert sorted(tickers) == sorted(SYMBOLS)
    assert tickers["ETH/USDT"] == await okx.fetch_ticker("ETH/USDT")


@pytest.mark.parametrize("timeframe", ["5m", "15m", "1h", "4h", "1d"])
async def test_candles_end_with_the_unfinished_one(
    okx: ccxt.okx, venue: Venue, timeframe: str
) -> None:
    candles = await okx.fetch_ohlcv("SOL/USDT", timeframe, limit=5)
    ticker = await okx.fetch_ticker("SOL/USDT")
    length_ms = okx.parse_timeframe(timeframe) * 1000
    assert [candle[0] % length_ms for candle in candles] == [0] * 5
    assert candles[-1][0] <= venue.clock.now() < candles[-1][0] + length_ms
    assert candles[-1][4] == ticker["last"]
    assert all(candle[3] <= min(candle[1], candle[4]) for candle in candles)
    assert all(candle[2] >= max(candle[1], candle[4]) for candle in candles)


async def test_paging_over_the_limit_of_300_gives_every_candle_once(
    okx: ccxt.okx, venue: Venue
) -> None:
    now = venue.clock.now()
    since = now - now % FIVE_MINUTES_MS - 1000 * FIVE_MINUTES_MS
    candles: list[list[float]] = []
    pages = 0
    while page := await okx.fetch_ohlcv(
        "ETH/USDT", "5m", since=since + len(candles) * FIVE_MINUTES_MS, limit=1000
    ):
        candles += page
        pages += 1
    source = venue.market.source.bars("ETH-USDT", since, now - now % FIVE_MINUTES_MS)
    assert pages == 4
    assert [candle[0] for candle in candles] == [
        since + number * FIVE_MINUTES_MS for number in range(1001)
    ]
    assert [(int(ts), *(str(cell) for cell in cells)) for ts, *cells in candles[:-1]] == [
        (candle.ts, *(str(float(cell)) for cell in candle[1:]))
        for candle in source.candles("ETH-USDT")
    ]


async def test_recent_and_history_candles_agree(okx: ccxt.okx) -> None:
    recent = await okx.fetch_ohlcv("XRP/USDT", "1h", limit=200)
    history = await okx.fetch_ohlcv("XRP/USDT", "1h", limit=200, params={"type": "HistoryCandles"})
    assert recent == history
    assert len(recent) == 200


async def test_an_order_book_has_depth_in_coins(okx: ccxt.okx) -> None:
    book = await okx.fetch_order_book("BTC/USDT", 400)
    ticker = await okx.fetch_ticker("BTC/USDT")
    assert (book["bids"][0][0], book["asks"][0][0]) == (ticker["bid"], ticker["ask"])
    assert len(book["bids"]) == len(book["asks"]) == 400
    assert book["bids"][0][0] * book["bids"][0][1] == pytest.approx(20_000, rel=1e-4)
    assert book["timestamp"] == ticker["timestamp"]


async def test_an_unknown_symbol_is_a_bad_symbol(okx: ccxt.okx) -> None:
    with pytest.raises(ccxt.BadSymbol):
        await okx.fetch_ticker("DOGE/USDT")
    with pytest.raises(ccxt.BadSymbol, match="51001"):
        await okx.public_get_market_ticker({"instId": "DOGE-USDT"})


async def test_a_candle_length_that_is_not_served_is_a_bad_request(okx: ccxt.okx) -> None:
    with pytest.raises(ccxt.BadRequest, match="51000"):
        await okx.fetch_ohlcv("BTC/USDT", "1m")


async def test_after_a_step_the_candle_that_was_unfinished_is_the_sources(
    okx: ccxt.okx, venue: Venue
) -> None:
    unfinished = (await okx.fetch_ohlcv("BNB/USDT", "5m", limit=1))[0]
    venue.clock.change(ClockChange(advance_ms=FIVE_MINUTES_MS))
    finished = (await okx.fetch_ohlcv("BNB/USDT", "5m", limit=2))[0]
    source = venue.market.source.bars("BNB-USDT", unfinished[0], unfinished[0] + 1)
    assert finished == [float(cell) for cell in source.candles("BNB-USDT")[0]]
    assert finished[0] == unfinished[0]
    assert unfinished[5] < finished[5]
