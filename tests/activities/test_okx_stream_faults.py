"""Every way in which the stream fails: each ends it with an error, none in a silence."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

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
from tests.activities.okx_server import NOW_MS, serving, silence, text, ticker
from tests.activities.okx_stream_server import (
    BOTH,
    NOW,
    LocalStream,
    clock,
    local_stream,
    streaming,
)

pytestmark = pytest.mark.critical


@pytest.fixture
async def okx() -> AsyncIterator[LocalStream]:
    async with local_stream() as server:
        yield server


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


async def test_a_message_that_cannot_be_read_costs_no_price_that_came_with_it(
    okx: LocalStream,
) -> None:
    async with streaming(okx) as (batches, first):
        await okx.push(ticker())
        await okx.send(GARBAGE["JSON cut short"])
        assert [quote.symbol for quote in await first] == ["BTC/USDT"]
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


async def test_a_connection_on_which_no_pong_comes_is_lost(okx: LocalStream) -> None:
    okx.pongs = False
    async with streaming(okx, keep_alive_ms=20) as (_, first):
        with pytest.raises(VenueUnavailable, match="ping-pong"):
            await first


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
        assert all(price.number.is_finite() for price in (quote.bid, quote.ask, quote.last))
