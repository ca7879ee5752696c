"""Every way in which OKX fails, loud or silent, through the real ccxt."""

import socket
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.domain.errors import (
    InputError,
    OxbotError,
    RateLimited,
    VenueRefused,
    VenueUnavailable,
)
from oxbot.domain.market import ClockReading
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
SHORT_MS = 300


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    async with local_okx() as server:
        yield server


FAULTS: dict[str, tuple[Handler, type[OxbotError], str]] = {
    "a page under 200": (text(PAGE), VenueUnavailable, "not its API"),
    "an empty body": (text(""), VenueUnavailable, "empty body"),
    "no data": (envelope([]), VenueUnavailable, "without any data"),
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
    "51000": (envelope([], "51000", "Parameter error"), VenueRefused, "51000"),
}


@pytest.mark.parametrize("path", ["public/time", "market/tickers", "public/instruments"])
@pytest.mark.parametrize(("answer", "kind", "said"), FAULTS.values(), ids=FAULTS.keys())
async def test_each_fault_ends_in_its_class_with_a_sentence(
    okx: LocalOkx, path: str, answer: Handler, kind: type[OxbotError], said: str
) -> None:
    okx.answers[path] = answer
    async with connected(okx, SHORT_MS if answer is silence else 5_000) as client:
        calls = {
            "public/time": client.server_time_ms,
            "market/tickers": client.tickers,
            "public/instruments": client.instruments,
        }
        with pytest.raises(OxbotError) as caught:
            await calls[path]()
    assert type(caught.value) is kind
    assert str(caught.value).startswith("OKX ") or str(caught.value).startswith("OKX's ")
    assert str(caught.value).endswith(".")
    if answer is not hung_up:  # aiohttp itself sends a GET once more on a fresh connection
        assert okx.asked(path) == 1, "Temporal repeats, not the client"
    assert said in str(caught.value)


async def test_a_rate_limit_says_how_long_to_wait(okx: LocalOkx) -> None:
    okx.answers["market/tickers"] = envelope([], "50011", "Too Many Requests")
    async with connected(okx) as client:
        with pytest.raises(RateLimited) as caught:
            await client.tickers()
    assert caught.value.retry_after_s == 2
    assert caught.value.retryable


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
