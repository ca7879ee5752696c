"""The real ccxt client against the simulated OKX, on generated and on real candles."""

from collections.abc import AsyncIterator
from pathlib import Path

import ccxt.async_support as ccxt
import pytest
from aiohttp import web

from oxbot.loopback import HOST
from oxbot.simulator.clock import ClockChange
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.server import create_app
from oxbot.simulator.venue import Venue

REAL_CANDLES = Path(__file__).parents[3] / "shared" / "market-data"
FILES_OR_NOT = REAL_CANDLES if REAL_CANDLES.is_dir() else None

SYMBOLS = ["BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT", "XRP/USDT"]
SWAPS = [f"{symbol}:USDT" for symbol in SYMBOLS]
PERIOD_MS = 8 * 3_600_000
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
    assert sorted(markets) == sorted([*SYMBOLS, *SWAPS])
    assert markets["BTC/USDT"]["precision"] == {"amount": 1e-8, "price": 0.1}
    assert markets["XRP/USDT"]["limits"]["amount"]["min"] == 1
    assert all(markets[symbol]["spot"] and markets[symbol]["active"] for symbol in SYMBOLS)


async def test_swaps_carry_contract_sizes(okx: ccxt.okx) -> None:
    markets = await okx.load_markets()
    swaps = [markets[symbol] for symbol in SWAPS]
    assert all(swap["swap"] and swap["linear"] and swap["active"] for swap in swaps)
    assert [swap["contractSize"] for swap in swaps] == [0.01, 0.1, 1, 0.01, 100]
    assert [swap["limits"]["amount"]["min"] for swap in swaps] == [0.01, 0.01, 0.01, 1, 0.01]
    assert [swap["precision"]["price"] for swap in swaps] == [0.1, 0.01, 0.01, 0.1, 0.0001]


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


@pytest.mark.parametrize(("kind", "symbols"), [("spot", SYMBOLS), ("swap", SWAPS)])
async def test_all_tickers_of_a_kind_come_in_one_request(
    okx: ccxt.okx, kind: str, symbols: list[str]
) -> None:
    await okx.load_markets()
    tickers = await okx.fetch_tickers(params={"type": kind})
    assert sorted(tickers) == sorted(symbols)
    assert tickers[symbols[1]] == await okx.fetch_ticker(symbols[1])
    assert all(ticker["bid"] < ticker["ask"] for ticker in tickers.values())


async def test_a_swap_costs_about_what_its_coin_does(okx: ccxt.okx) -> None:
    for spot, swap in zip(SYMBOLS, SWAPS, strict=True):
        prices = [(await okx.fetch_ticker(symbol))["last"] for symbol in (spot, swap)]
        assert prices[1] == pytest.approx(prices[0], rel=0.0005)


@pytest.mark.parametrize("timeframe", ["5m", "15m", "1h", "4h", "1d"])
@pytest.mark.parametrize("symbol", ["SOL/USDT", "SOL/USDT:USDT"])
async def test_candles_end_with_the_unfinished_one(
    okx: ccxt.okx, venue: Venue, symbol: str, timeframe: str
) -> None:
    candles = await okx.fetch_ohlcv(symbol, timeframe, limit=5)
    ticker = await okx.fetch_ticker(symbol)
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


@pytest.mark.parametrize("symbol", ["XRP/USDT", "XRP/USDT:USDT"])
@pytest.mark.parametrize(("timeframe", "limit"), [("5m", 300), ("1h", 200), ("4h", 50)])
async def test_recent_and_history_candles_agree(
    okx: ccxt.okx, symbol: str, timeframe: str, limit: int
) -> None:
    recent = await okx.fetch_ohlcv(symbol, timeframe, limit=limit)
    history = await okx.fetch_ohlcv(
        symbol, timeframe, limit=limit, params={"type": "HistoryCandles"}
    )
    assert recent == history
    assert len(recent) == limit


async def test_an_order_book_has_depth_in_coins(okx: ccxt.okx) -> None:
    book = await okx.fetch_order_book("BTC/USDT", 400)
    ticker = await okx.fetch_ticker("BTC/USDT")
    assert (book["bids"][0][0], book["asks"][0][0]) == (ticker["bid"], ticker["ask"])
    assert len(book["bids"]) == len(book["asks"]) == 400
    assert book["bids"][0][0] * book["bids"][0][1] == pytest.approx(20_000, rel=1e-4)
    assert book["timestamp"] == ticker["timestamp"]


async def test_a_swaps_order_book_has_depth_in_contracts(okx: ccxt.okx) -> None:
    book = await okx.fetch_order_book("ETH/USDT:USDT", 20)
    ticker = await okx.fetch_ticker("ETH/USDT:USDT")
    assert (book["bids"][0][0], book["asks"][0][0]) == (ticker["bid"], ticker["ask"])
    assert book["bids"][0][0] * book["bids"][0][1] * 0.1 == pytest.approx(20_000, rel=1e-3)


async def test_funding_is_due_at_the_next_settlement(okx: ccxt.okx, venue: Venue) -> None:
    now = venue.clock.now()
    for symbol in SWAPS:
        funding = await okx.fetch_funding_rate(symbol)
        assert funding["symbol"] == symbol
        assert funding["fundingTimestamp"] == now - now % PERIOD_MS + PERIOD_MS
        assert funding["interval"] == "8h"
        assert abs(funding["fundingRate"]) < 0.0004
    every = await okx.fetch_funding_rates()
    assert sorted(every) == sorted(SWAPS)


async def test_settled_funding_comes_in_order_and_from_any_time_on(
    okx: ccxt.okx, venue: Venue
) -> None:
    now = venue.clock.now()
    newest = now - now % PERIOD_MS
    history = await okx.fetch_funding_rate_history("BTC/USDT:USDT", limit=5)
    assert [one["timestamp"] for one in history] == [
        newest - back * PERIOD_MS for back in (4, 3, 2, 1, 0)
    ]
    since = await okx.fetch_funding_rate_history("BTC/USDT:USDT", since=newest - PERIOD_MS)
    assert since == history[-2:]


async def test_open_interest_is_in_contracts_coins_and_usdt(okx: ccxt.okx, venue: Venue) -> None:
    now = venue.clock.now()
    price = (await okx.fetch_ticker("BTC/USDT:USDT"))["last"]
    one = await okx.fetch_open_interest("BTC/USDT:USDT")
    assert one["timestamp"] == now - now % FIVE_MINUTES_MS
    assert one["openInterestAmount"] * 0.01 == pytest.approx(one["baseVolume"])
    assert one["openInterestValue"] == pytest.approx(one["baseVolume"] * price, rel=0.02)
    every = await okx.fetch_open_interests(SWAPS)
    assert sorted(every) == sorted(SWAPS)


async def test_the_mark_price_is_the_last_price(okx: ccxt.okx) -> None:
    ticker = await okx.fetch_ticker("BTC/USDT:USDT")
    assert (await okx.fetch_mark_price("BTC/USDT:USDT"))["markPrice"] == ticker["last"]


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
