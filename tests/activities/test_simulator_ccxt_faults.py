"""What the real ccxt client makes of each fault that the simulated OKX has on demand."""

from collections.abc import AsyncIterator
from dataclasses import replace

import ccxt.async_support as ccxt
import pytest
from aiohttp import web

from oxbot.loopback import HOST
from oxbot.simulator.fault_rules import parse_rules
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.rate_limits import RateLimits
from oxbot.simulator.server import create_app
from oxbot.simulator.venue import Venue


class Stopwatch:
    """The rate limits' clock, which stands still within a test."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture(scope="module")
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture(scope="module")
def venue(stopwatch: Stopwatch) -> Venue:
    venue = open_venue(Options(mode="stepped", listed=695))
    return replace(venue, limits=RateLimits(overall=15, now_s=stopwatch))


@pytest.fixture(scope="module")
async def okx(venue: Venue) -> AsyncIterator[ccxt.okx]:
    """The real client with its markets loaded, and a server on a free port."""
    runner = web.AppRunner(create_app(venue), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    url = f"http://{HOST}:{runner.addresses[0][1]}"
    client = ccxt.okx(
        {
            "urls": {"api": {"rest": url}},
            "options": {"fetchMarkets": {"types": ["spot", "swap"]}},
            "enableRateLimit": False,
            "timeout": 400,
        }
    )
    await client.load_markets()
    yield client
    await client.close()
    await runner.cleanup()


@pytest.fixture(autouse=True)
def a_fresh_start(venue: Venue, stopwatch: Stopwatch) -> None:
    """No fault, and every bucket full."""
    venue.faults.clear()
    stopwatch.s += 10


def strike(venue: Venue, kind: str, **more: object) -> None:
    venue.faults.add(parse_rules({"kind": kind, **more}), venue.clock.now())


async def test_seven_hundred_instruments_are_loaded(okx: ccxt.okx) -> None:
    assert len(okx.markets) == 705
    assert len(await okx.fetch_tickers(params={"type": "spot"})) == 700
    with pytest.raises(ccxt.BadSymbol, match="51001"):
        await okx.fetch_ohlcv("X0001/USDT", "5m")


@pytest.mark.parametrize(
    ("kind", "more", "error"),
    [
        ("timeout", {}, ccxt.RequestTimeout),
        ("slow", {"delay_ms": 1000}, ccxt.RequestTimeout),
        ("reset", {}, ccxt.ExchangeNotAvailable),
        ("truncated", {}, ccxt.ExchangeError),
        ("http_429", {}, ccxt.ExchangeNotAvailable),
        ("http_502", {}, ccxt.ExchangeNotAvailable),
        ("maintenance", {}, ccxt.OnMaintenance),
        ("code", {"code": "50001"}, ccxt.OnMaintenance),
        ("code", {"code": "50004"}, ccxt.RequestTimeout),
        ("code", {"code": "50011"}, ccxt.RateLimitExceeded),
        ("code", {"code": "50013"}, ccxt.ExchangeNotAvailable),
        ("code", {"code": "50026"}, ccxt.ExchangeNotAvailable),
        ("code", {"code": "50061"}, ccxt.ExchangeError),
        ("code", {"code": "50102"}, ccxt.InvalidNonce),
    ],
)
async def test_a_fault_is_the_error_that_ccxt_has_for_it(
    okx: ccxt.okx, venue: Venue, kind: str, more: dict[str, object], error: type[Exception]
) -> None:
    strike(venue, kind, count=2 if kind == "reset" else 1, **more)
    with pytest.raises(error) as raised:
        await okx.fetch_ticker("BTC/USDT")
    assert raised.type is error
    assert (await okx.fetch_ticker("BTC/USDT"))["last"] > 0


async def test_one_reset_is_healed_by_the_http_client_below_ccxt(
    okx: ccxt.okx, venue: Venue
) -> None:
    strike(venue, "reset", count=1)
    assert (await okx.fetch_ticker("BTC/USDT"))["last"] > 0
    assert venue.faults.active()[0].used == 1


@pytest.mark.parametrize("kind", ["html", "empty"])
async def test_a_page_or_no_rows_is_a_ticker_of_nothing_without_an_error(
    okx: ccxt.okx, venue: Venue, kind: str
) -> None:
    strike(venue, kind)
    ticker = await okx.fetch_ticker("BTC/USDT")
    assert (ticker["last"], ticker["bid"], ticker["timestamp"]) == (None, None, None)


async def test_nulls_are_tickers_in_which_some_figures_are_missing(
    okx: ccxt.okx, venue: Venue
) -> None:
    strike(venue, "nulls")
    rows = (await okx.public_get_market_tickers({"instType": "SPOT"}))["data"]
    lasts = [row.get("last", "missing") for row in rows]
    assert {"", None, "missing"} < set(lasts)


async def test_the_overall_limit_and_an_endpoints_own_are_ccxts_errors(
    okx: ccxt.okx, venue: Venue
) -> None:
    for _ in range(10):
        await okx.fetch_time()
    with pytest.raises(ccxt.RateLimitExceeded, match="50011"):
        await okx.fetch_time()
    for _ in range(5):
        assert (await okx.fetch_ticker("ETH/USDT"))["timestamp"] == venue.clock.now()
    with pytest.raises(ccxt.ExchangeError, match="50061"):
        await okx.fetch_ticker("ETH/USDT")
