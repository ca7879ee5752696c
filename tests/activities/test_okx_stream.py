"""Prices over the real ccxt.pro: whole, in order, or an error; never a silence."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from decimal import Decimal

import pytest

from oxbot.adapters.okx.stream import OkxStream
from oxbot.domain.errors import InputError
from oxbot.domain.market import Quote
from tests.activities.okx_server import NOW_MS, ticker
from tests.activities.okx_stream_server import BOTH, LocalStream, clock, local_stream, streaming

pytestmark = pytest.mark.critical


@pytest.fixture
async def okx() -> AsyncIterator[LocalStream]:
    async with local_stream() as server:
        yield server


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


async def test_pings_keep_a_quiet_connection_alive(okx: LocalStream) -> None:
    async with streaming(okx, keep_alive_ms=20) as (_, first):
        await okx.until(lambda: okx.pings >= 10)
        assert not first.done()
        await okx.push(ticker())
        assert len(await first) == 1


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
