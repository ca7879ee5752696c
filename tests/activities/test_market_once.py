"""One answer from the exchange serves all bots: counted at a real server, in two workers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from aiohttp import web

from oxbot.adapters.models.baseline import BaselineModel
from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.adapters.paper.exchange import PaperExchange
from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.redis.board import RedisPriceBoard, open_redis
from oxbot.adapters.redis.breaker import RedisBreaker
from oxbot.adapters.redis.flight import RedisFlight
from oxbot.adapters.redis.parts import RedisPartCache
from oxbot.app.decide import decide
from oxbot.app.observe import observe_market
from oxbot.app.ports import Ports
from oxbot.domain.market import CANDLE_MS, Bar, ClockReading
from oxbot.domain.models import BASELINE
from oxbot.messages import Decide, Observation, ObserveMarket
from tests.activities.okx_server import LocalOkx, Row, envelope, local_okx, ticker
from tests.support.fake_control import FakeControl
from tests.support.fake_news import FakeNews
from tests.support.fake_stream import ScriptedStream
from tests.support.trading import BTC, ETH, new_bot

COINS = (BTC, ETH)
NOWHERE = "redis://127.0.0.1:1"
START_MS = 1_735_689_600_000 + 4 * Bar.H1.length_ms
"""2025-01-01 04:00 UTC, where candles of all lengths end."""

FOR_A_CANDLE = Counter(
    {"candles 5m": 2, "candles 1H": 2, "candles 4H": 2, "funding-rate": 2, "open-interest": 2}
)
LENGTHS = {"5m": Bar.M5, "1H": Bar.H1, "4H": Bar.H4}


@dataclass
class Venue:
    """An OKX whose time a test sets; `asked` counts requests for market data by kind."""

    okx: LocalOkx
    now_ms: int = START_MS
    asked: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.okx.answers |= {
            "market/candles": self._candles,
            "market/tickers": self._tickers,
            "public/funding-rate": self._funding,
            "public/open-interest": self._interest,
        }

    async def reading(self) -> ClockReading:
        """Read its clock, as a port."""
        return ClockReading(venue_ms=self.now_ms, wall_ms=0, rate=Decimal(0))

    async def _candles(self, request: web.Request) -> web.StreamResponse:
        bar, before_ms = request.query["bar"], int(request.query["after"])
        self.asked[f"candles {bar}"] += 1
        length_ms = LENGTHS[bar].length_ms
        newest_ms = (before_ms - 1) // length_ms * length_ms
        opens = [newest_ms - n * length_ms for n in range(int(request.query["limit"]))]
        return await envelope([_candle(open_ms) for open_ms in opens])(request)

    async def _tickers(self, request: web.Request) -> web.StreamResponse:
        self.asked["tickers"] += 1
        rows = [ticker(name, ts=str(self.now_ms), vol24h="5") for name in ("BTC-USDT", "ETH-USDT")]
        return await envelope(rows)(request)

    async def _funding(self, request: web.Request) -> web.StreamResponse:
        self.asked["funding-rate"] += 1
        return await self._perpetual(request, fundingRate="0.0001")

    async def _interest(self, request: web.Request) -> web.StreamResponse:
        self.asked["open-interest"] += 1
        return await self._perpetual(request, oi="100", oiCcy="25000")

    async def _perpetual(self, request: web.Request, **fields: str) -> web.StreamResponse:
        row: Row = {"instId": request.query["instId"], "instType": "SWAP", "ts": str(self.now_ms)}
        times = dict.fromkeys(("fundingTime", "nextFundingTime"), str(self.now_ms))
        return await envelope([row | times | fields])(request)


def _candle(open_ms: int) -> list[object]:
    """A candle whose figures depend on its time alone."""
    close = str(100 + open_ms // CANDLE_MS % 7)
    return [str(open_ms), "100", "110", "90", close, "7.5", "7.5", "750", "1"]


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with local_okx() as okx:
        yield Venue(okx)


@asynccontextmanager
async def workers(
    venue: Venue, database_url: str, redis_url: str, count: int = 2
) -> AsyncIterator[list[Ports]]:
    """Workers as processes are: each with its own connections and memory."""
    async with AsyncExitStack() as stack:
        yield [await _worker(stack, venue, database_url, redis_url) for _ in range(count)]


async def _worker(stack: AsyncExitStack, venue: Venue, database_url: str, redis_url: str) -> Ports:
    engine, redis = open_engine(database_url), open_redis(redis_url)
    stack.push_async_callback(engine.dispose)
    stack.push_async_callback(redis.aclose)
    client = await stack.enter_async_context(OkxClient(venue.okx.url, throttled=False))
    feed = OkxFeed(client, wall_ms=lambda: 0)
    return Ports(
        store=PostgresStore(engine),
        news=FakeNews(),
        control=FakeControl(),
        clock=venue,
        feed=feed,
        stream=ScriptedStream(),
        board=RedisPriceBoard(redis),
        breaker=RedisBreaker(redis),
        parts=RedisPartCache(redis),
        flight=RedisFlight(redis),
        exchange=PaperExchange(feed, Decimal("0.001")),
        models={BASELINE: BaselineModel()},
        installation="test",
        fee_rate=Decimal("0.001"),
    )


async def bots(store: PostgresStore, count: int) -> list[str]:
    names = [f"b{number}" for number in range(count)]
    for name in names:
        await new_bot(store, name, symbols=COINS, venue="okx")
    return names


async def observe_all(
    ports: Sequence[Ports], names: Sequence[str], venue: Venue, cycle: int = 1
) -> list[Observation]:
    """Let all bots look at the market at once, every other one in the other worker."""
    return await asyncio.gather(
        *(
            observe_market(
                ports[number % len(ports)],
                ObserveMarket(bot_id=name, incarnation=1, cycle=cycle, due_ms=venue.now_ms),
            )
            for number, name in enumerate(names)
        )
    )


@pytest.mark.critical
@pytest.mark.parametrize("count", [1, 50])
async def test_the_exchange_is_asked_as_often_for_fifty_bots_as_for_one(
    venue: Venue, store: PostgresStore, database_url: str, redis_url: str, count: int
) -> None:
    names = await bots(store, count)
    async with workers(venue, database_url, redis_url) as ports:
        seen = await observe_all(ports, names, venue)
        assert venue.asked == FOR_A_CANDLE + Counter(tickers=1)
        assert len({observation.snapshot_id for observation in seen}) == 1
        venue.asked.clear()
        venue.now_ms += CANDLE_MS
        await observe_all(ports, names, venue, cycle=2)
        only_m5 = {"candles 5m", "funding-rate", "open-interest"}
        assert venue.asked == Counter(dict.fromkeys(only_m5, 2)) + Counter(tickers=1)


async def test_a_worker_that_comes_later_asks_for_nothing_that_was_made(
    venue: Venue, store: PostgresStore, database_url: str, redis_url: str
) -> None:
    [name] = await bots(store, 1)
    async with workers(venue, database_url, redis_url, 1) as ports:
        [first] = await observe_all(ports, [name], venue)
    venue.asked.clear()
    client = open_redis(redis_url)
    await client.flushall()
    await client.aclose()
    async with workers(venue, database_url, redis_url, 1) as ports:
        [again] = await observe_all(ports, [name], venue, cycle=2)
    assert again.snapshot_id == first.snapshot_id
    assert venue.asked == Counter(tickers=1)


async def test_without_redis_each_worker_asks_once_and_both_see_the_same(
    venue: Venue, store: PostgresStore, database_url: str
) -> None:
    names = await bots(store, 20)
    async with workers(venue, database_url, NOWHERE) as ports:
        seen = await observe_all(ports, names, venue)
    assert len({observation.snapshot_id for observation in seen}) == 1
    most = {what: 2 * times for what, times in (FOR_A_CANDLE + Counter(tickers=1)).items()}
    assert all(venue.asked[what] <= times for what, times in most.items())


async def test_a_model_is_told_all_three_lengths_the_perpetual_and_the_prices_age(
    venue: Venue, store: PostgresStore, database_url: str, redis_url: str
) -> None:
    [name] = await bots(store, 1)
    async with workers(venue, database_url, redis_url, 1) as ports:
        await observe_all(ports, [name], venue)
        await decide(ports[0], Decide(bot_id=name, cycle=1))
    decision = await store.decision(name, 1)
    assert decision is not None
    told = decision.prompt
    price = "BTC/USDT: bid 94000.1, ask 94000.2, 0.0 s old; funding 1.00 bp, interest 25000."
    assert price in told
    assert all(f"\n  {bar} close" in told for bar in Bar)
    assert "nan" not in told.lower()
