"""Every way in which OKX fails, loud or silent, through the real ccxt."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import ccxt.async_support as ccxt
import pytest
from aiohttp import web

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.errors import read_failure
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.domain.errors import (
    InputError,
    OxbotError,
    RateLimited,
    VenueRefused,
    VenueUnavailable,
)
from oxbot.domain.market import Bar, ClockReading
from tests.activities.okx_server import (
    NOW_MS,
    Handler,
    LocalOkx,
    broken_off,
    connected,
    envelope,
    hung_up,
    local_okx,
    silence,
    text,
)

pytestmark = pytest.mark.critical

NOW = ClockReading(venue_ms=NOW_MS, wall_ms=0, rate=Decimal(0))
PAGE = "<html><body><h1>We will be back soon</h1></body></html>"
SHORT_MS = 700


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    async with local_okx() as server:
        yield server


NOTHING = envelope([])


def nested(depth: int) -> Handler:
    return text("[" * depth + "]" * depth, 200, "application/json")


def row_error(code: object, envelope_code: str = "1") -> Handler:
    return envelope([{"sCode": code, "sMsg": "no"}], envelope_code)


FAULTS: dict[str, tuple[Handler, type[OxbotError], str]] = {
    "a page under 200": (text(PAGE), VenueUnavailable, "not its API"),
    "an empty body": (text(""), VenueUnavailable, "empty body"),
    "no data": (NOTHING, VenueUnavailable, "without any data"),
    "data of another shape": (envelope({"instId": "BTC-USDT"}), VenueUnavailable, "any data"),
    "no envelope": (text("{}", 200, "application/json"), VenueUnavailable, "could not be read"),
    "a list for an envelope": (text("[]"), VenueUnavailable, "not be"),
    "JSON cut short": (text('{"code":"0","data":[{"ins'), VenueUnavailable, "not its API"),
    "a body broken off": (broken_off, VenueUnavailable, "could not be read"),
    "a connection closed": (hung_up, VenueUnavailable, "could not be read"),
    "no answer": (silence, VenueUnavailable, f"within {SHORT_MS} ms"),
    "429 without JSON": (text("slow down", 429), RateLimited, "asks to wait"),
    "418 without JSON": (text("teapot", 418), RateLimited, "asks to wait"),
    "50011": (envelope([], "50011", "Too Many Requests"), RateLimited, "50011: Too Many"),
    "50061": (envelope([], "50061", "Too many for the account"), RateLimited, "50061"),
    "50001": (envelope([], "50001", "Upgrading"), VenueUnavailable, "maintenance"),
    "50004": (envelope([], "50004", "Endpoint timeout"), VenueUnavailable, "50004: Endpoint"),
    "50013": (envelope([], "50013", "System busy"), VenueUnavailable, "50013: System busy"),
    "50026": (envelope([], "50026", "System error"), VenueUnavailable, "50026"),
    "a code nobody knows": (envelope([], "59999", "?"), VenueUnavailable, "59999"),
    "502 with a page": (text(PAGE, 502), VenueUnavailable, "502"),
    "507 with a page": (text(PAGE, 507), VenueUnavailable, "not its API"),
    "403 of a firewall": (text("denied", 403), VenueUnavailable, "denied"),
    "50102": (envelope([], "50102", "Timestamp expired"), VenueUnavailable, "clock is off"),
    "51000": (envelope([], "51000", "Parameter error"), VenueRefused, "51000"),
    "50011 under 200 in a row": (row_error("50011"), RateLimited, "50011: no"),
    "an error in a row": (row_error("51000"), VenueRefused, "51000: no"),
    "an error in a row under code 0": (row_error("51000", "0"), VenueRefused, "51000: no"),
    "50011 under 429": (
        text('{"code":"50011","msg":"Too Many Requests"}', 429, "application/json"),
        RateLimited,
        "50011: Too Many",
    ),
    "50013 under 429": (
        text('{"code":"50013","msg":"Systems are busy"}', 429, "application/json"),
        VenueUnavailable,
        "50013: Systems",
    ),
    "503 with JSON": (
        text('{"code":"50001","msg":"Upgrading","data":[]}', 503, "application/json"),
        VenueUnavailable,
        "maintenance",
    ),
    "401 of a portal": (text("log in first", 401), VenueUnavailable, "log in first"),
    "407 of a proxy": (text("who are you", 407), VenueUnavailable, "who are you"),
    "nested too deep": (nested(100_000), VenueUnavailable, "not its API"),
    "a code of another shape": (envelope([], {}), VenueUnavailable, "could not be read"),
    "a row's code of another shape": (row_error({}), VenueUnavailable, "could not be read"),
}
PATHS = (
    "public/time",
    "public/instruments",
    "public/funding-rate",
    "public/open-interest",
    "market/tickers",
    "market/candles",
    "market/history-candles",
)


@pytest.fixture(scope="module")
async def table() -> AsyncIterator[tuple[LocalOkx, OkxClient]]:
    """One server and one client for the whole table; the client's patience is short."""
    async with local_okx() as server, connected(server, SHORT_MS) as client:
        yield server, client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("answer", "kind", "said"), FAULTS.values(), ids=FAULTS.keys())
async def test_each_fault_ends_in_its_class_with_a_sentence(
    table: tuple[LocalOkx, OkxClient], path: str, answer: Handler, kind: type[OxbotError], said: str
) -> None:
    okx, client = table
    okx.answers[path] = answer
    okx.paths.clear()
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "public/time": client.server_time_ms,
        "market/tickers": client.tickers,
        "public/instruments": client.instruments,
        "public/funding-rate": lambda: client.funding("BTC-USDT-SWAP"),
        "public/open-interest": lambda: client.open_interest("BTC-USDT-SWAP"),
        "market/candles": lambda: client.candles("BTC-USDT", NOW_MS, 5, Bar.H1),
        "market/history-candles": lambda: client.older_candles("BTC-USDT", NOW_MS, 5, Bar.H4),
    }
    if answer is NOTHING and "candles" in path:
        assert await calls[path]() == [], "there may be nothing older"
        return
    with pytest.raises(OxbotError) as caught:
        await calls[path]()
    assert type(caught.value) is kind
    assert str(caught.value).startswith(("OKX ", "OKX's "))
    assert str(caught.value).endswith(".")
    if answer is not hung_up:  # aiohttp itself sends a GET once more on a fresh connection
        assert okx.asked(path) == 1, "Temporal repeats, not the client"
    assert said in str(caught.value)


WAITS = {
    "nothing said": ({}, 2),
    "seconds": ({"Retry-After": "7"}, 7),
    "as a proxy writes it": ({"retry-after": "7"}, 7),
    "no wait": ({"Retry-After": "0"}, 1),
    "a day": ({"Retry-After": "86400"}, 3_600),
    "more digits than a number has": ({"Retry-After": "9" * 5_000}, 2),
    "a date gone by": ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 1),
    "a date far ahead": ({"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}, 3_600),
    "nonsense": ({"Retry-After": "soon"}, 2),
}


@pytest.mark.parametrize("body", ["slow down", '{"code":"50011","msg":"Too Many Requests"}'])
@pytest.mark.parametrize(("headers", "wait_s"), WAITS.values(), ids=WAITS.keys())
async def test_a_rate_limit_says_how_long_to_wait(
    okx: LocalOkx, headers: dict[str, str], wait_s: int, body: str
) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=body, status=429, headers=headers)

    okx.answers["market/tickers"] = answer
    async with connected(okx) as client:
        with pytest.raises(RateLimited, match=f"asks to wait {wait_s} s") as caught:
            await client.tickers()
    assert caught.value.retry_after_s == wait_s
    assert caught.value.retryable


async def test_a_name_that_does_not_resolve_is_an_outage() -> None:
    async with OkxClient("http://okx.invalid", throttled=False) as client:
        with pytest.raises(VenueUnavailable, match=r"cannot be reached.*OXBOT_OKX_REST_URL"):
            await client.tickers()


async def test_a_server_that_does_not_speak_tls_is_an_outage(okx: LocalOkx) -> None:
    async with OkxClient(okx.url.replace("http", "https"), throttled=False) as client:
        with pytest.raises(VenueUnavailable, match=r"cannot be reached.*encryption failed"):
            await client.tickers()


@pytest.mark.parametrize("listens", [True, False])
async def test_a_proxy_that_lets_nothing_through_is_an_outage_and_named(
    okx: LocalOkx, monkeypatch: pytest.MonkeyPatch, *, listens: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", okx.url if listens else "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    async with OkxClient("https://okx.invalid", throttled=False) as client:
        with pytest.raises(VenueUnavailable, match="check HTTPS_PROXY"):
            await client.tickers()


async def test_nobody_listening_is_an_outage() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with OkxClient(url, throttled=False) as client:
            with pytest.raises(VenueUnavailable, match=r"cannot be reached.*oxbot simulator"):
                await client.tickers()


async def test_an_unknown_symbol_is_the_callers_error_with_the_nearest_names(
    okx: LocalOkx,
) -> None:
    async with connected(okx) as client:
        feed = OkxFeed(client)
        with pytest.raises(InputError, match=r"BTX/USDT \(nearest: BTC/USDT"):
            await feed.instruments(["BTX/USDT", "ETH/USDT"])
        with pytest.raises(InputError, match=r"BTX/USDT \(nearest: BTC/USDT"):
            await feed.candles("BTX/USDT", 10, NOW_MS)
    assert "market/candles" not in okx.paths


async def test_a_symbol_delisted_since_is_the_callers_error(okx: LocalOkx) -> None:
    okx.answers["market/candles"] = envelope([], "51001", "Instrument ID does not exist")
    async with connected(okx) as client:
        with pytest.raises(InputError, match=r"BTC-USDT.*51001"):
            await OkxFeed(client).candles("BTC/USDT", 10, NOW_MS)


def test_a_web_page_is_named_by_its_status_and_not_quoted() -> None:
    page = "okx GET http://127.0.0.1:1/api 502 Bad Gateway <!DOCTYPE html><html><p>{nginx}</p>"
    told = str(read_failure(ccxt.ExchangeNotAvailable(page), "the tickers", 1_000))
    assert "(HTTP status 502 with a web page)" in told
    assert "<" not in told
    assert "nginx" not in told
