"""The real ccxt.pro client against the simulated OKX over WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal

import ccxt.pro as ccxt
import pytest
from aiohttp import web

from oxbot.loopback import HOST
from oxbot.simulator.clock import ClockChange, Mode
from oxbot.simulator.fault_rules import FaultRule
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.server import create_app
from oxbot.simulator.venue import Venue

SYMBOLS = ["BTC/USDT", "ETH/USDT", "SOL/USDT", "BNB/USDT", "XRP/USDT"]
SWAP = "BTC/USDT:USDT"
FIVE_MINUTES_MS = 300_000
SILENCE_S = 0.3
"""How long a client waits to be sure that nothing comes."""


@dataclass
class Simulator:
    """A stepped venue, its server and a client of it."""

    okx: ccxt.okx
    venue: Venue

    def advance(self, ms: int = FIVE_MINUTES_MS) -> int:
        """Step the venue; gives its time, ms UTC."""
        return self.venue.clock.change(ClockChange(advance_ms=ms)).venue_ms

    def fault(self, **rule: object) -> None:
        self.venue.faults.add([FaultRule.model_validate(rule)], self.venue.clock.now())


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    venue = open_venue(Options(mode="stepped"))
    runner = web.AppRunner(create_app(venue), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    port = runner.addresses[0][1]
    okx = ccxt.okx(
        {
            "urls": {"api": {"rest": f"http://{HOST}:{port}", "ws": f"ws://{HOST}:{port}/ws/v5"}},
            "options": {"fetchMarkets": {"types": ["spot", "swap"]}},
            "enableRateLimit": False,
        }
    )
    await okx.load_markets()
    yield Simulator(okx, venue)
    await okx.close()
    await runner.cleanup()


async def test_a_watched_ticker_is_the_one_that_is_fetched(simulator: Simulator) -> None:
    okx = simulator.okx
    assert await okx.watch_ticker("BTC/USDT") == await okx.fetch_ticker("BTC/USDT")
    for _ in range(3):
        now = simulator.advance()
        ticker = await okx.watch_ticker("BTC/USDT")
        assert ticker["timestamp"] == now
        assert ticker == await okx.fetch_ticker("BTC/USDT")


async def test_five_tickers_come_over_one_connection(simulator: Simulator) -> None:
    okx = simulator.okx
    await okx.watch_tickers(SYMBOLS)
    now = simulator.advance()
    await until(lambda: [okx.tickers.get(one, {}).get("timestamp") for one in SYMBOLS] == [now] * 5)
    fetched = await okx.fetch_tickers(SYMBOLS)
    assert okx.tickers == fetched
    assert len(okx.clients) == 1


@pytest.mark.parametrize(("limit", "levels"), [(None, 400), (5, 5), (1, 1)])
async def test_a_watched_book_is_the_one_that_is_fetched_after_each_update(
    simulator: Simulator, limit: int | None, levels: int
) -> None:
    okx = simulator.okx
    for step_ms in (0, 500, 1000, FIVE_MINUTES_MS, FIVE_MINUTES_MS):
        now = simulator.advance(step_ms)
        watched = await okx.watch_order_book("BTC/USDT", limit)
        fetched = await okx.fetch_order_book("BTC/USDT", levels)
        assert watched["timestamp"] == now
        for side in ("bids", "asks"):
            pairs = [[level[:2] for level in book[side]] for book in (watched, fetched)]
            assert pairs[0] == pairs[1]
        assert len(watched["bids"]) == levels


@pytest.mark.parametrize("timeframe", ["5m", "1h", "4h"])
async def test_watched_candles_are_those_that_are_fetched(
    simulator: Simulator, timeframe: str
) -> None:
    okx = simulator.okx
    await okx.watch_ohlcv("SOL/USDT", timeframe)
    for _ in range(4):
        simulator.advance(FIVE_MINUTES_MS * 2 // 3)
        await okx.watch_ohlcv("SOL/USDT", timeframe)
    cached = [list(candle) for candle in okx.ohlcvs["SOL/USDT"][timeframe]]
    fetched = await okx.fetch_ohlcv("SOL/USDT", timeframe, limit=len(cached))
    assert cached == fetched


async def test_funding_and_mark_price_of_a_swap_are_those_that_are_fetched(
    simulator: Simulator,
) -> None:
    okx = simulator.okx
    assert await okx.watch_funding_rate(SWAP) == await okx.fetch_funding_rate(SWAP)
    assert await okx.watch_mark_price(SWAP) == await okx.fetch_mark_price(SWAP)
    now = simulator.advance(3 * 3_600_000)
    await okx.watch_funding_rate(SWAP)
    funding = await okx.fetch_funding_rate(SWAP)
    assert funding["info"]["ts"] == str(now)
    await until(lambda: okx.fundingRates[SWAP] == funding)


async def test_where_time_flows_tickers_come_by_themselves(simulator: Simulator) -> None:
    okx = simulator.okx
    simulator.venue.clock.change(ClockChange(mode=Mode.SPEED, rate=Decimal(60)))
    times = [(await okx.watch_ticker("BTC/USDT"))["timestamp"] for _ in range(5)]
    assert times == sorted(set(times))


async def test_an_unwatched_ticker_comes_no_more(simulator: Simulator) -> None:
    okx = simulator.okx
    await okx.watch_ticker("BTC/USDT")
    await okx.un_watch_ticker("BTC/USDT")
    now = simulator.advance()
    assert (await okx.watch_ticker("ETH/USDT"))["timestamp"] == now
    assert "BTC/USDT" not in okx.tickers


async def test_what_does_not_exist_is_a_bad_request(simulator: Simulator) -> None:
    with pytest.raises(ccxt.BadRequest, match="60018"):
        await simulator.okx.watch_trades("BTC/USDT")
    with pytest.raises(ccxt.BadRequest, match="60018"):
        await simulator.okx.watch_ohlcv("BTC/USDT", "1m")


async def test_a_ping_is_answered(simulator: Simulator) -> None:
    okx = simulator.okx
    await okx.watch_ticker("BTC/USDT")
    (client,) = okx.clients.values()
    client.lastPong = 0
    await client.send(okx.ping(client))
    await until(lambda: client.lastPong > 0)


async def test_after_a_drop_the_client_is_told_and_watches_on(simulator: Simulator) -> None:
    okx = simulator.okx
    await okx.watch_ticker("BTC/USDT")
    simulator.fault(kind="ws_drop", every_ms=3_600_000)
    waiting = asyncio.ensure_future(okx.watch_ticker("BTC/USDT"))
    await asyncio.sleep(0)
    now = simulator.advance(3_600_000)
    with pytest.raises(ccxt.NetworkError):
        await waiting
    assert (await okx.watch_ticker("BTC/USDT"))["timestamp"] == now
    now = simulator.advance()
    assert (await okx.watch_ticker("BTC/USDT"))["timestamp"] == now


async def test_a_stall_is_silence_and_the_connection_stays(simulator: Simulator) -> None:
    okx = simulator.okx
    await okx.watch_ticker("BTC/USDT")
    (client,) = okx.clients.values()
    simulator.fault(kind="ws_stall", id="stall")
    simulator.advance()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(okx.watch_ticker("BTC/USDT"), SILENCE_S)
    assert not client.closed()
    simulator.venue.faults.remove("stall")
    now = simulator.advance()
    ticker = await okx.watch_ticker("BTC/USDT")
    assert now - FIVE_MINUTES_MS <= ticker["timestamp"] <= now


async def test_maintenance_ends_the_stream_and_turns_the_client_away(
    simulator: Simulator,
) -> None:
    okx = simulator.okx
    await okx.watch_ticker("BTC/USDT")
    waiting = asyncio.ensure_future(okx.watch_ticker("BTC/USDT"))
    await asyncio.sleep(0)
    simulator.fault(kind="maintenance", endpoint="ws", id="upgrade")
    with pytest.raises(ccxt.NetworkError, match="64008"):
        await waiting
    with pytest.raises(ccxt.NetworkError):
        await watch_anew(okx)
    simulator.venue.faults.remove("upgrade")
    assert await watch_anew(okx) == await okx.fetch_ticker("BTC/USDT")


async def until(holds: Callable[[], bool]) -> None:
    """Let the client read until something holds."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def watch_anew(okx: ccxt.okx) -> object:
    """Watch over a connection of its own."""
    for client in list(okx.clients.values()):
        await client.close()
    okx.clients.clear()
    return await okx.watch_ticker("BTC/USDT")
