"""A market watch at its post: stream, venue, bots and wall time are the test's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from oxbot.adapters.paper.exchange import PaperExchange
from oxbot.app.ports import Ports
from oxbot.app.watch import watch_prices
from oxbot.domain.feed import FeedStatus
from oxbot.domain.market import Quote
from oxbot.domain.money import Price, Quantity
from oxbot.messages import WatchPrices
from oxbot.ports import PriceBoard
from tests.support.fake_breaker import FakeBreaker
from tests.support.fake_control import FakeControl
from tests.support.fake_store import FakeStore
from tests.support.fake_stream import FakeTimer, ScriptedStream, settled
from tests.support.fakes import BTC, ETH, FEE_RATE, FakeBoard, FakeClock, FakeFeed
from tests.unit.app.room import NOW_MS, Room


@dataclass
class Post:
    """Holds what a watch needs; `watching` runs one."""

    room: Room
    timer: FakeTimer = field(default_factory=lambda: FakeTimer(NOW_MS))
    stream: ScriptedStream = field(default_factory=ScriptedStream)
    feed: FakeFeed = field(
        default_factory=lambda: FakeFeed({BTC: Price(60_000), ETH: Price(3_000)})
    )
    breaker: FakeBreaker = field(default_factory=FakeBreaker)
    board: PriceBoard = field(default_factory=FakeBoard)
    beats: list[FeedStatus] = field(default_factory=list)
    leave: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        async def wall() -> int:
            return self.timer.now_ms

        self.clock = FakeClock(wall)

    @property
    def asked(self) -> int:
        """How often all prices were asked for."""
        return self.feed.asked["all_quotes"]

    @property
    def store(self) -> FakeStore:
        return self.room.store

    @property
    def control(self) -> FakeControl:
        return self.room.control

    def now(self) -> FeedStatus:
        """The last heartbeat."""
        return self.beats[-1]

    def wanted(self) -> tuple[str, ...]:
        """What the last connection was made for."""
        return self.stream.asked[-1]

    def ports(self) -> Ports:
        return Ports(
            store=self.store,
            news=self.room.news,
            control=self.room.control,
            clock=self.clock,
            feed=self.feed,
            stream=self.stream,
            board=self.board,
            breaker=self.breaker,
            parts=self.room.parts,
            flight=self.room.flight,
            exchange=PaperExchange(self.feed, FEE_RATE),
            models={},
            installation="test",
            fee_rate=FEE_RATE,
        )

    def quote(self, symbol: str = BTC, bid: int = 50_000) -> Quote:
        """What the stream would push now."""
        return Quote(
            symbol=symbol,
            bid=Price(bid),
            ask=Price(bid + 1),
            last=Price(bid),
            volume_24h=Quantity(1),
            exchange_ms=self.timer.now_ms,
            received_ms=self.timer.now_ms,
            source="stream",
        )

    async def says(self, *quotes: Quote) -> None:
        self.stream.say(*(quotes or (self.quote(),)))
        await settled()

    async def on_board(self, symbol: str = BTC) -> Quote | None:
        return (await self.board.get("fake", [symbol])).get(symbol)

    @asynccontextmanager
    async def watching(self, for_s: int = 10_000) -> AsyncIterator[asyncio.Task[FeedStatus]]:
        request = WatchPrices(venue="fake", for_s=for_s)
        task = asyncio.create_task(
            watch_prices(self.ports(), request, self.beats.append, self.leave.wait, self.timer)
        )
        await settled()
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
