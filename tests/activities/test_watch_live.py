"""The price watch with everything real: the OKX adapter, the simulated OKX, Redis, PostgreSQL.

Its limits are a tenth of the real ones, so that a silence is over soon.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from aiohttp import web

from oxbot.adapters.okx.client import OkxClient
from oxbot.adapters.okx.clock import SimulatorClock
from oxbot.adapters.okx.feed import OkxFeed
from oxbot.adapters.okx.stream import OkxStream
from oxbot.adapters.paper.exchange import PaperExchange
from oxbot.adapters.postgres.news import PostgresNews
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.adapters.redis.board import RedisPriceBoard, open_redis
from oxbot.adapters.redis.breaker import RedisBreaker
from oxbot.adapters.redis.flight import RedisFlight
from oxbot.adapters.redis.parts import RedisPartCache
from oxbot.app import feed_state, price_sources, watch
from oxbot.app.ports import Ports
from oxbot.domain.bot import SIMULATED_VENUE
from oxbot.domain.feed import FeedSource, FeedStatus
from oxbot.loopback import HOST
from oxbot.messages import WatchPrices
from oxbot.simulator.fault_rules import FaultRule
from oxbot.simulator.options import Options, open_venue
from oxbot.simulator.server import create_app
from oxbot.simulator.venue import Venue
from tests.support.fake_control import FakeControl
from tests.support.trading import BTC, ETH, new_bot

PATIENCE_S = 120
"""How long what must happen is waited for; a watch that nobody ends takes much longer."""


@dataclass
class Post:
    """A watch at work on a simulated OKX whose faults are the test's."""

    venue: Venue
    ports: Ports
    board: RedisPriceBoard
    beats: list[FeedStatus] = field(default_factory=list)
    leave: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> FeedStatus:
        request = WatchPrices(venue=SIMULATED_VENUE, for_s=10 * PATIENCE_S)
        return await watch.watch_prices(self.ports, request, self.beats.append, self.leave.wait)

    def fault(self, **rule: object) -> None:
        self.venue.faults.add([FaultRule.model_validate(rule)], self.venue.clock.now())

    async def source(self, symbol: str = BTC) -> str | None:
        quote = (await self.board.get(SIMULATED_VENUE, [symbol])).get(symbol)
        return quote.source if quote else None

    async def until(self, holds: Callable[[FeedStatus], bool]) -> FeedStatus:
        """Wait for a report that says so."""
        return await _until(lambda: _last_that(self.beats, holds))

    async def until_streaming(self) -> FeedStatus:
        """Wait until the board has prices of the stream, and the last report says so.

        A stream that is slow to begin counts as a gap, and its prices come before the report.
        """
        await self.until_board_is_by("stream")
        return await self.until(lambda beat: beat.source is FeedSource.STREAM)

    async def until_board_is_by(self, source: str) -> None:
        async def found() -> bool:
            return await self.source() == await self.source(ETH) == source

        async with asyncio.timeout(PATIENCE_S):
            while not await found():  # noqa: ASYNC110 - the board sets no event
                await asyncio.sleep(0.02)


def _last_that(beats: list[FeedStatus], holds: Callable[[FeedStatus], bool]) -> FeedStatus | None:
    return beats[-1] if beats and holds(beats[-1]) else None


async def _until(look: Callable[[], FeedStatus | None]) -> FeedStatus:
    async with asyncio.timeout(PATIENCE_S):
        while (found := look()) is None:  # noqa: ASYNC110 - beats set no event
            await asyncio.sleep(0.02)
        return found


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_state, "SILENCE_MS", 300)
    monkeypatch.setattr(feed_state, "ASKED_HOLDS_MS", 500)
    for module, name, seconds in (
        (price_sources, "ASK_EVERY_S", 0.2),
        (price_sources, "SHORTEST_PAUSE_S", 0.1),
        (watch, "REPORT_EVERY_S", 0.1),
        (watch, "SYMBOLS_EVERY_S", 0.5),
    ):
        monkeypatch.setattr(module, name, seconds)


@pytest.fixture
async def post(
    hasty: None,
    store: PostgresStore,
    board: RedisPriceBoard,
    redis_url: str,
    database_url: str,
) -> AsyncIterator[Post]:
    async with AsyncExitStack() as stack:
        venue = open_venue(Options(mode="speed", rate="10"))
        runner = web.AppRunner(create_app(venue), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, HOST, 0).start()
        address = f"{HOST}:{runner.addresses[0][1]}"
        redis = open_redis(redis_url)
        stack.push_async_callback(redis.aclose)
        client = await stack.enter_async_context(OkxClient(f"http://{address}", throttled=False))
        clock = await stack.enter_async_context(SimulatorClock(f"http://{address}"))
        feed = OkxFeed(client, venue=SIMULATED_VENUE)
        ports = Ports(
            store=store,
            news=PostgresNews(database_url),
            control=FakeControl(),
            clock=clock,
            feed=feed,
            stream=OkxStream(f"ws://{address}/ws/v5"),
            board=board,
            breaker=RedisBreaker(redis),
            parts=RedisPartCache(redis),
            flight=RedisFlight(redis),
            exchange=PaperExchange(feed, Decimal(0)),
            models={},
            installation="test",
            fee_rate=Decimal(0),
        )
        await new_bot(store, symbols=(BTC, ETH), venue=SIMULATED_VENUE)
        yield Post(venue, ports, board)


@pytest.fixture
async def watching(post: Post) -> AsyncIterator[asyncio.Task[FeedStatus]]:
    task = asyncio.create_task(post.watch())
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


Watching = asyncio.Task[FeedStatus]


@pytest.mark.critical
async def test_a_stalled_stream_gives_way_to_requests_and_takes_over_again(
    post: Post, watching: Watching
) -> None:
    before = await post.until_streaming()
    post.fault(kind="ws_stall", id="s")
    await post.until_board_is_by("rest")
    stalled = await post.until(lambda beat: beat.source is FeedSource.REST)
    assert (stalled.gaps, stalled.reconnects) == (before.gaps + 1, 0)
    post.venue.faults.remove("s")
    back = await post.until_streaming()
    assert (back.gaps, back.reconnects, back.trouble) == (before.gaps + 1, 0, "")
    assert not watching.done()


@pytest.mark.critical
async def test_a_dropped_connection_is_a_gap_and_made_again(post: Post, watching: Watching) -> None:
    before = await post.until_streaming()
    post.fault(kind="ws_drop", id="d")
    down = await post.until(lambda beat: beat.source is FeedSource.REST)
    assert down.trouble
    post.venue.faults.remove("d")
    back = await post.until(lambda beat: beat.source is FeedSource.STREAM)
    assert (back.gaps, back.reconnects) == (before.gaps + 1, 1)
    await post.until_board_is_by("stream")


@pytest.mark.critical
async def test_a_worker_that_leaves_ends_the_watch_and_its_connection_at_once(
    post: Post, watching: Watching
) -> None:
    await post.until_board_is_by("stream")
    post.leave.set()
    async with asyncio.timeout(PATIENCE_S):
        last = await watching
    assert last.symbols == (BTC, ETH)
    assert post.ports.stream._channels == set()  # type: ignore[attr-defined] # OkxStream's own
