"""Prices over the real ccxt.pro: whole, in order, or an error; never a silence."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from decimal import Decimal

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxbot.adapters.okx.channel import TickerChannel
from oxbot.adapters.okx.place import Place
from oxbot.adapters.okx.stream import OkxStream
from oxbot.domain.errors import (
    InputError,
    OxbotError,
    RateLimited,
    VenueRefused,
    VenueUnavailable,
)
from oxbot.domain.market import ClockReading, Quote
from tests.activities.okx_server import (
    NOW_MS,
    LocalStream,
    local_stream,
    serving,
    silence,
    text,
    ticker,
)

pytestmark = pytest.mark.critical

BOTH = ("BTC/USDT", "ETH/USDT")
NOW = ClockReading(venue_ms=NOW_MS, wall_ms=1_000, rate=Decimal(30))


async def clock() -> ClockReading:
    return NOW


@pytest.fixture
async def okx() -> AsyncIterator[LocalStream]:
    async with local_stream() as server:
        yield server


@asynccontextmanager
async def streaming(
    okx: LocalStream, *symbols: str, keep_alive_ms: int = 5_000
) -> AsyncIterator[tuple[AsyncGenerator[list[Quote]], asyncio.Task[list[Quote]]]]:
    """A subscribed stream, and its first batch as a task that waits for it."""
    stream = OkxStream(okx.url, keep_alive_ms=keep_alive_ms, wall_ms=lambda: 1_002)
    async with aclosing(stream.quotes(symbols or BOTH, clock)) as batches:
        first = asyncio.ensure_future(anext(batches))
        await okx.until(lambda: bool(okx.sockets))
        await asyncio.sleep(0)
        yield batches, first


async def some(batches: AsyncGenerator[list[Quote]], first: list[Quote], count: int) -> list[Quote]:
    quotes = list(first)
    while len(quotes) < count:
        quotes += await anext(batches)
    return quotes


async def test_prices_come_exact_with_both_times_and_their_source(okx: LocalStream) -> None:
    async with streaming(okx) as (_, first):
        await okx.push(ticker(last="94000.123456789012345", ts=str(NOW_MS - 7)))
        [quote] = await first
    assert (quote.symbol, quote.source) == ("BTC/USDT", "stream")
    assert str(quote.last) == "94000.123456789012345"
    assert quote.volume_24h == Decimal("1234.5")
    assert quote.exchange_ms == NOW_MS - 7
    assert quote.received_ms == NOW_MS + 2 * 30, "in venue time, at the venue's rate"


async def test_a_burst_of_several_symbols_comes_whole_and_in_its_order(okx: LocalStream) -> None:
    """Many messages at once take another way through ccxt than one after the other."""
    names = ["BTC-USDT", "ETH-USDT"]
    rows = [ticker(names[n % 2], ts=str(NOW_MS - 1_000 + n)) for n in range(500)]
    async with streaming(okx) as (batches, first):
        await okx.push(*rows)
        quotes = await some(batches, await first, len(rows))
    assert [(q.symbol.replace("/", "-"), str(q.exchange_ms)) for q in quotes] == [
        (row["instId"], row["ts"]) for row in rows
    ]


async def test_a_row_without_a_price_costs_no_other_its_price(okx: LocalStream) -> None:
    future = ticker("ETH-USDT", ts=str(NOW_MS + 1_000_000))
    async with streaming(okx) as (_, first):
        await okx.push(ticker("ETH-USDT", bidPx=""), future, ticker())
        assert [quote.symbol for quote in await first] == ["BTC/USDT"]


async def test_a_connection_that_is_cut_is_an_outage(okx: LocalStream) -> None:
    async with streaming(okx) as (batches, first):
        await okx.push(ticker())
        await first
        for socket in okx.sockets:
            assert socket._req is not None
            assert socket._req.transport is not None
            socket._req.transport.abort()
        with pytest.raises(VenueUnavailable, match="was lost"):
            await anext(batches)


async def test_a_connection_that_okx_closes_is_an_outage_after_what_came_before(
    okx: LocalStream,
) -> None:
    async with streaming(okx) as (batches, first):
        await okx.push(ticker())
        await asyncio.gather(*(socket.close() for socket in okx.sockets))
        assert len(await first) == 1
        with pytest.raises(VenueUnavailable, match="was lost"):
            await anext(batches)


async def lost_by(url: str, timeout_ms: int = 2_000) -> OxbotError:
    stream = OkxStream(url, timeout_ms=timeout_ms)
    async with aclosing(stream.quotes(BOTH, clock)) as batches:
        with pytest.raises(VenueUnavailable) as caught:
            await anext(batches)
    return caught.value


async def test_nobody_listening_is_an_outage() -> None:
    async with local_stream() as gone:
        url = gone.url
    assert "could not be opened" in str(await lost_by(url))


@pytest.mark.parametrize(
    ("status", "kind"), [(503, VenueUnavailable), (404, VenueUnavailable), (429, RateLimited)]
)
async def test_a_refused_connection_is_an_outage(status: int, kind: type[OxbotError]) -> None:
    app = web.Application()
    app.router.add_get("/ws/v5/public", text("no", status))
    async with serving(app) as url:
        assert type(await lost_by(f"{url.replace('http', 'ws')}/ws/v5")) is kind


async def test_a_server_that_does_not_answer_the_handshake_is_an_outage() -> None:
    app = web.Application()
    app.router.add_get("/ws/v5/public", silence)
    async with serving(app) as url:
        assert "within 100 ms" in str(await lost_by(f"{url.replace('http', 'ws')}/ws/v5", 100))


async def test_a_subscription_that_is_not_confirmed_is_an_outage(okx: LocalStream) -> None:
    okx.confirms = False
    assert "did not confirm the prices of BTC/USDT" in str(await lost_by(okx.url, 200))


GARBAGE: dict[str, str | bytes] = {
    "no JSON": "We will be back soon",
    "JSON cut short": '{"arg":{"channel":"tickers","instId":"BTC-USDT"},"da',
    "a list": "[]",
    "a number": "1",
    "nothing": "",
    "bytes that are no text": b"\xff\xfe",
    "nested too deep": "[" * 100_000,
    "no object for an argument": '{"arg": 1, "data": []}',
    "no data": '{"arg":{"channel":"tickers","instId":"BTC-USDT"}}',
    "data of another shape": '{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":{}}',
    "a row that is none": '{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[1]}',
    "a row of another": '{"arg":{"instId":"BTC-USDT"},"data":[{"instId":"ETH-USDT"}]}',
    "nobody's row": '{"arg":{"instId":"X-USDT"},"data":[{"instId":"X-USDT"}]}',
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_a_message_that_cannot_be_read_ends_the_stream(
    okx: LocalStream, garbage: str | bytes
) -> None:
    """ccxt's own reading stops at the second of these for good, and says nothing."""
    async with streaming(okx) as (batches, first):
        await okx.push(ticker())
        await first
        await okx.send(garbage)
        with pytest.raises(VenueUnavailable, match="no price"):
            await anext(batches)


async def test_a_symbol_that_okx_does_not_know_is_named(okx: LocalStream) -> None:
    async with aclosing(
        OkxStream(okx.url).quotes(["BTC/USDT", "BTX/USDT", "ETH/USDT"], clock)
    ) as batches:
        with pytest.raises(InputError, match=r"prices for BTX/USDT \(60018"):
            await anext(batches)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('{"event":"error","code":"60014","msg":"Requests too frequent"}', RateLimited),
        ('{"event":"error","code":"60012","msg":"Invalid request"}', VenueRefused),
        ('{"event":"error","code":"63999","msg":"Internal system error"}', VenueUnavailable),
        ('{"event":"error","code":{},"msg":[]}', VenueUnavailable),
        ('{"event":"notice","code":"64008","msg":"Service upgrade"}', VenueUnavailable),
        ('{"event":"tickers-conn-count-error","channel":"tickers"}', VenueUnavailable),
    ],
)
async def test_an_error_event_ends_in_its_class(
    okx: LocalStream, message: str, kind: type[OxbotError]
) -> None:
    async with streaming(okx) as (_, first):
        await okx.send(message)
        with pytest.raises(OxbotError) as caught:
            await first
    assert type(caught.value) is kind
    assert str(caught.value).endswith(".")


async def test_pings_keep_a_quiet_connection_alive(okx: LocalStream) -> None:
    async with streaming(okx, keep_alive_ms=20) as (_, first):
        await okx.until(lambda: okx.pings >= 10)
        assert not first.done()
        await okx.push(ticker())
        assert len(await first) == 1


async def test_a_connection_on_which_no_pong_comes_is_lost(okx: LocalStream) -> None:
    okx.pongs = False
    async with streaming(okx, keep_alive_ms=20) as (_, first):
        with pytest.raises(VenueUnavailable, match="ping-pong"):
            await first


async def test_closing_the_iterator_closes_the_connection(okx: LocalStream) -> None:
    async with streaming(okx) as (_, first):
        await okx.push(ticker())
        await first
    await okx.until(lambda: not okx.sockets)


async def test_closing_the_stream_ends_whoever_reads_it(okx: LocalStream) -> None:
    stream = OkxStream(okx.url)
    batches = stream.quotes(BOTH, clock)
    first = asyncio.ensure_future(anext(batches))
    await okx.until(lambda: bool(okx.sockets))
    await okx.push(ticker())
    await first
    last = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0)
    await stream.close()
    with pytest.raises(StopAsyncIteration):
        await last
    await okx.until(lambda: not okx.sockets)


async def test_no_symbol_is_the_callers_error(okx: LocalStream) -> None:
    async with aclosing(OkxStream(okx.url).quotes([], clock)) as batches:
        with pytest.raises(InputError):
            await anext(batches)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "instId", "code", "msg"]), inner, max_size=3)
    ),
    max_leaves=6,
)
BTC_ARG = st.just({"channel": "tickers", "instId": "BTC-USDT"})
PRICES = st.sampled_from(["0", "-1", "1", "0.1", "NaN", "inf", "", "1E999", None, 1.5])
ROWS = st.fixed_dictionaries(
    {"instId": st.just("BTC-USDT")},
    optional=dict.fromkeys(("bidPx", "askPx", "last", "vol24h"), PRICES)
    | {"ts": st.just(str(NOW_MS)) | PRICES},
)
EVENTS = st.sampled_from(["subscribe", "error", "notice", "unsubscribe"]) | JSON
MESSAGES = st.fixed_dictionaries(
    {}, optional={"event": EVENTS, "arg": BTC_ARG | JSON, "data": st.lists(ROWS) | JSON}
).flatmap(lambda known: JSON.map(lambda code: known | {"code": code, "msg": code}))


@pytest.fixture(scope="module")
async def unconnected() -> AsyncIterator[TickerChannel]:
    channel = TickerChannel(Place(), 5_000, lambda: 1_000)
    channel._symbols = {"BTC-USDT": "BTC/USDT"}
    yield channel
    await channel.close()


@given(message=MESSAGES | JSON)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
async def test_no_message_whatever_lets_a_bad_price_through_or_stops_the_receiving(
    unconnected: TickerChannel, message: object
) -> None:
    unconnected._rows, unconnected._failure = [], None
    unconnected._receive(json.dumps(message))
    stream = OkxStream()
    for quote in stream._quotes(unconnected._rows, NOW):
        assert min(quote.bid, quote.ask, quote.last) > 0
        assert all(price.is_finite() for price in (quote.bid, quote.ask, quote.last))
