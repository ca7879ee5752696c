"""The adapter against the simulated OKX: the same prices both ways, and every fault on demand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from decimal import Decimal

import pytest

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.clock import SimulatorClock
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.adapters.okx.stream import OkxStream
from oxbot.domain.bot import DEFAULT_SYMBOLS
from oxbot.domain.errors import InputError, OxbotError, RateLimited, Unusable, VenueUnavailable
from oxbot.domain.market import Bar, ClockReading, Quote
from oxbot.simulator.clock import ClockChange
from oxbot.simulator.fault_rules import FaultRule
from oxbot.simulator.venue import Venue
from tests.activities.okx_server import simulated

pytestmark = pytest.mark.critical

STEP_MS = 300_000


@dataclass
class Simulated:
    """A stepped venue and everything of ours that reads it."""

    venue: Venue
    feed: OkxFeed
    client: OkxClient
    clock: SimulatorClock
    stream: OkxStream

    async def now(self) -> ClockReading:
        return await self.clock.reading()

    def advance(self, ms: int = STEP_MS) -> int:
        return self.venue.clock.change(ClockChange(advance_ms=ms)).venue_ms

    def fault(self, **rule: object) -> None:
        self.venue.faults.add([FaultRule.model_validate(rule)], self.venue.clock.now())


@pytest.fixture
def okx(simulation: Simulated) -> Iterator[Simulated]:
    yield simulation
    simulation.venue.faults.clear()


@pytest.fixture(scope="module")
async def simulation() -> AsyncIterator[Simulated]:
    """One for all tests: making a client of ccxt takes longer than most of them."""
    async with (
        simulated() as (url, venue),
        OkxClient(url, timeout_ms=400, throttled=False) as client,
        SimulatorClock(url) as clock,
    ):
        stream = OkxStream(f"{url.replace('http', 'ws')}/ws/v5", keep_alive_ms=50)
        yield Simulated(venue, OkxFeed(client), client, clock, stream)
        await stream.close()


async def test_candles_of_every_length_and_the_perpetual_are_there(okx: Simulated) -> None:
    okx.advance(STEP_MS + 7_000)
    now = await okx.now()
    for symbol in DEFAULT_SYMBOLS:
        for bar in Bar:
            candles = await okx.feed.candles(symbol, 150, now.venue_ms, bar)
            assert len(candles) == 150
            assert candles[-1].open_ms + bar.length_ms == bar.closed_by(now.venue_ms)
        perpetual = await okx.feed.perpetual(symbol, now)
        assert perpetual is not None
        assert 0 < perpetual.next_funding_ms - now.venue_ms <= 8 * 3_600_000
        assert perpetual.open_interest > 0


async def test_the_simulated_market_is_read_as_a_whole() -> None:
    async with simulated() as (url, venue), OkxClient(url, throttled=False) as client:
        now_ms = venue.clock.read().venue_ms
        now = ClockReading(venue_ms=now_ms, wall_ms=0, rate=Decimal(0), stepped=True)
        feed = OkxFeed(client)
        instruments = await feed.instruments(DEFAULT_SYMBOLS)
        quotes = await feed.quotes(DEFAULT_SYMBOLS, now)
        for symbol, quote in zip(DEFAULT_SYMBOLS, quotes, strict=True):
            assert quote.spread == instruments[symbol].tick
            assert quote.age_ms(now_ms) == 0
            candles = await feed.candles(symbol, 300, now_ms)
            assert len(candles) == 300
            assert candles[-1].open_ms == now_ms - STEP_MS


async def test_a_candle_of_the_simulated_market_does_not_change_once_it_was_given() -> None:
    async with simulated() as (url, venue), OkxClient(url, throttled=False) as client:
        feed = OkxFeed(client)
        now_ms = venue.clock.read().venue_ms
        before = await feed.candles("BTC/USDT", 10, now_ms)
        venue.clock.change(ClockChange(advance_ms=STEP_MS // 2))
        assert await feed.candles("BTC/USDT", 10, now_ms + STEP_MS // 2) == before
        venue.clock.change(ClockChange(advance_ms=STEP_MS // 2))
        after = await feed.candles("BTC/USDT", 10, now_ms + STEP_MS)
        assert after[:-1] == before[1:]


async def test_candles_older_than_the_recent_ones_come_from_the_archive() -> None:
    async with simulated() as (url, venue), OkxClient(url, throttled=False) as client:
        end_ms = venue.clock.read().venue_ms - 2_000 * STEP_MS
        candles = await OkxFeed(client).candles("ETH/USDT", 300, end_ms)
        assert len(candles) == 300
        assert candles[-1].open_ms == end_ms - STEP_MS


async def test_the_stream_and_a_request_give_the_same_prices(okx: Simulated) -> None:
    async with aclosing(okx.stream.quotes(DEFAULT_SYMBOLS, okx.now)) as batches:
        for _ in range(3):
            streamed: dict[str, Quote] = {}
            now_ms = (await okx.now()).venue_ms
            while len(streamed) < len(DEFAULT_SYMBOLS):
                streamed |= {q.symbol: q for q in await anext(batches) if q.exchange_ms == now_ms}
            asked = await okx.feed.all_quotes(await okx.now())
            assert {q.symbol for q in asked} == set(DEFAULT_SYMBOLS)
            for quote in asked:
                twin = streamed[quote.symbol]
                assert twin.model_copy(update={"source": "rest"}) == quote
            okx.advance()


async def until_it_ends(batches: AsyncIterator[list[Quote]]) -> OxbotError:
    with pytest.raises(VenueUnavailable) as caught:
        [_ async for _ in batches]
    return caught.value


async def test_a_drop_is_an_outage_and_the_next_stream_is_well(okx: Simulated) -> None:
    async with aclosing(okx.stream.quotes(["BTC/USDT"], okx.now)) as batches:
        await anext(batches)
        okx.fault(kind="ws_drop", count=1)
        okx.advance()
        assert "was lost" in str(await until_it_ends(batches))
    async with aclosing(okx.stream.quotes(["BTC/USDT"], okx.now)) as again:
        assert (await anext(again))[0].exchange_ms == (await okx.now()).venue_ms


async def test_maintenance_ends_the_stream_and_refuses_the_next(okx: Simulated) -> None:
    async with aclosing(okx.stream.quotes(["BTC/USDT"], okx.now)) as batches:
        await anext(batches)
        okx.fault(kind="maintenance")
        assert "64008" in str(await until_it_ends(batches))
    async with aclosing(okx.stream.quotes(["BTC/USDT"], okx.now)) as again:
        assert "could not be opened (503" in str(await until_it_ends(again))


async def test_a_stall_is_a_silence_on_a_connection_that_lives(okx: Simulated) -> None:
    """Only whoever waits can notice it, by a limit of his own: the pings are answered."""
    okx.fault(kind="ws_stall", to_ms=okx.venue.clock.now() + STEP_MS + 1)
    batches = okx.stream.quotes(["BTC/USDT"], okx.now)
    first = asyncio.ensure_future(anext(batches))
    okx.advance()
    done, _ = await asyncio.wait([first], timeout=0.5)
    assert not done
    now_ms = okx.advance()
    assert (await first)[0].exchange_ms == now_ms


async def test_a_symbol_that_is_not_listed_is_named(okx: Simulated) -> None:
    with pytest.raises(InputError, match=r"BTX/USDT \(nearest: BTC/USDT"):
        await okx.feed.instruments(["BTX/USDT"])
    async with aclosing(okx.stream.quotes(["BTC/USDT", "BTX/USDT"], okx.now)) as batches:
        with pytest.raises(InputError, match=r"prices for BTX/USDT \("):
            await anext(batches)


FAULTS: dict[str, tuple[dict[str, object], type[OxbotError]]] = {
    "no answer": ({"kind": "timeout"}, VenueUnavailable),
    "reset": ({"kind": "reset"}, VenueUnavailable),
    "truncated": ({"kind": "truncated"}, VenueUnavailable),
    "a page under 200": ({"kind": "html"}, VenueUnavailable),
    "429": ({"kind": "http_429"}, RateLimited),
    "502": ({"kind": "http_502"}, VenueUnavailable),
    "50011": ({"kind": "code", "code": "50011"}, RateLimited),
    "50061": ({"kind": "code", "code": "50061"}, RateLimited),
    "50001": ({"kind": "code", "code": "50001"}, VenueUnavailable),
    "50004": ({"kind": "code", "code": "50004"}, VenueUnavailable),
    "50013": ({"kind": "code", "code": "50013"}, VenueUnavailable),
    "50026": ({"kind": "code", "code": "50026"}, VenueUnavailable),
    "50102": ({"kind": "code", "code": "50102"}, VenueUnavailable),
    "maintenance": ({"kind": "maintenance"}, VenueUnavailable),
    "empty": ({"kind": "empty"}, VenueUnavailable),
    "too slow": ({"kind": "slow", "delay_ms": 2_000}, VenueUnavailable),
}


@pytest.mark.parametrize("call", ["time", "quotes", "all_quotes", "perpetual", "candles"])
@pytest.mark.parametrize(("rule", "kind"), FAULTS.values(), ids=FAULTS.keys())
async def test_every_fault_ends_in_its_class_and_leaves_nothing_behind(
    okx: Simulated, rule: dict[str, object], kind: type[OxbotError], call: str
) -> None:
    now = await okx.now()
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "time": okx.client.server_time_ms,
        "quotes": lambda: okx.feed.quotes(DEFAULT_SYMBOLS, now),
        "all_quotes": lambda: okx.feed.all_quotes(now),
        "perpetual": lambda: okx.feed.perpetual("BTC/USDT", now),
        "candles": lambda: okx.feed.candles("BTC/USDT", 150, now.venue_ms),
    }
    await okx.feed.listing()
    okx.fault(**rule)
    with pytest.raises(OxbotError) as caught:
        await calls[call]()
    # Nothing at all can be the true answer for candles, so only their absence is told.
    expected = Unusable if (rule["kind"], call) == ("empty", "candles") else kind
    assert type(caught.value) is expected
    okx.venue.faults.clear()
    assert await calls[call]()


@pytest.mark.parametrize("seed", range(20))
async def test_what_is_left_of_rows_with_nulls_is_the_truth(okx: Simulated, seed: int) -> None:
    now = await okx.now()
    true = {quote.symbol: quote for quote in await okx.feed.all_quotes(now)}
    okx.fault(kind="nulls", seed=seed, endpoint="market/tickers")
    with suppress(VenueUnavailable):
        for quote in await okx.feed.all_quotes(now):
            assert quote == true[quote.symbol].model_copy(update={"received_ms": quote.received_ms})
