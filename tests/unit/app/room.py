"""What a use case needs, in memory: one venue that stands still, one model, one bot."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from oxbot.adapters.paper.exchange import PaperExchange
from oxbot.app.ask_model import Patience
from oxbot.app.decide import decide
from oxbot.app.execute import execute_order
from oxbot.app.observe import observe_market
from oxbot.app.ports import Ports
from oxbot.app.shared import Shared
from oxbot.app.validate import validate_risk
from oxbot.domain.bot import Bot, BotSettings
from oxbot.domain.errors import OxbotError, StoreUnavailable
from oxbot.domain.feed import FeedStatus
from oxbot.domain.market import CANDLE_MS, ClockReading, Quote
from oxbot.domain.money import Price
from oxbot.domain.orders import Fill, Order
from oxbot.messages import (
    Decide,
    DecisionBrief,
    ExecuteOrder,
    Observation,
    ObserveMarket,
    OrderOutcome,
    RiskReport,
    ValidateRisk,
)
from oxbot.ports import Breaker, ChatModel, Exchange, Flight, PartCache, PriceBoard
from tests.support.fake_account import FakeAccount
from tests.support.fake_breaker import FakeBreaker
from tests.support.fake_control import FakeControl
from tests.support.fake_news import FakeNews
from tests.support.fake_store import FakeStore
from tests.support.fake_stream import ScriptedStream
from tests.support.fakes import (
    BTC,
    ETH,
    FEE_RATE,
    FakeBoard,
    FakeClock,
    FakeFeed,
    FakeFlight,
    FakeModel,
    FakeParts,
)

NOW_MS = 6_000_000 * CANDLE_MS
"""The beginning of a candle."""

BOT = "b1"


async def _no_wall() -> int:
    return NOW_MS


@dataclass
class Room:
    """The ports, each for a test to change."""

    store: FakeStore = field(default_factory=FakeStore)
    clock: FakeClock = field(default_factory=lambda: FakeClock(_no_wall))
    feed: FakeFeed = field(
        default_factory=lambda: FakeFeed({BTC: Price(60_000), ETH: Price(3_000)})
    )
    board: PriceBoard = field(default_factory=FakeBoard)
    breaker: Breaker = field(default_factory=FakeBreaker)
    parts: PartCache = field(default_factory=FakeParts)
    flight: Flight = field(default_factory=FakeFlight)
    shared: Shared = field(default_factory=Shared)
    model: FakeModel = field(default_factory=FakeModel)
    others: dict[str, ChatModel] = field(default_factory=dict)
    exchange: Exchange | None = None
    account: FakeAccount | None = None
    control: FakeControl = field(default_factory=FakeControl)
    budget_usd: Decimal | None = None
    news: FakeNews = field(default_factory=FakeNews)
    now_ms: int = NOW_MS
    stands_still: bool = True

    @property
    def ports(self) -> Ports:
        """What the use cases receive; orders fill on paper unless a test says otherwise."""
        self.clock.stepped_ms = self.now_ms if self.stands_still else None
        return Ports(
            store=self.store,
            news=self.news,
            control=self.control,
            clock=self.clock,
            feed=self.feed,
            stream=ScriptedStream(),
            board=self.board,
            breaker=self.breaker,
            parts=self.parts,
            flight=self.flight,
            shared=self.shared,
            exchange=self.exchange or PaperExchange(self.feed, FEE_RATE),
            live=self.account,
            models={"fake": self.model, **self.others},
            installation="test",
            fee_rate=FEE_RATE,
            budget_usd=self.budget_usd,
        )

    async def bot(self, bot_id: str = BOT, **settings: object) -> Bot:
        """A running bot on BTC and ETH with 10,000 USDT."""
        plain = {"name": "Test", "symbols": (BTC, ETH), "provider": "fake", "venue": "fake"}
        return await self.store.create_bot(
            bot_id, BotSettings.model_validate(plain | settings), NOW_MS
        )

    def elsewhere(self, **changes: Any) -> "Room":  # noqa: ANN401 - any field, as `replace` has it
        """Another process: what is shared is the same, and nothing is in its memory."""
        return replace(self, **{"shared": Shared(), **changes})

    def reprice(self, symbol: str, price: Price) -> None:
        """Let a price move, which takes a millisecond."""
        self.feed.prices[symbol] = price
        self.now_ms += 1

    async def observe(self, cycle: int = 1, due_ms: int = NOW_MS) -> Observation:
        request = ObserveMarket(bot_id=BOT, incarnation=1, cycle=cycle, due_ms=due_ms)
        return await observe_market(self.ports, request)

    async def decide(self, cycle: int = 1, patience: Patience | None = None) -> DecisionBrief:
        request = Decide(bot_id=BOT, cycle=cycle)
        return await decide(self.ports, request, patience or Patience())

    async def validate(
        self,
        cycle: int = 1,
        *,
        entries: bool = True,
        flatten: bool = False,
        patient: bool = False,
    ) -> RiskReport:
        request = ValidateRisk(
            bot_id=BOT,
            incarnation=1,
            cycle=cycle,
            epoch=1,
            entries=entries,
            flatten=flatten,
            expires_ms=self.now_ms + CANDLE_MS,
        )
        return await validate_risk(self.ports, request, patient=patient)

    async def judge(self, cycle: int = 1) -> RiskReport:
        """A cycle up to its verdicts."""
        await self.observe(cycle)
        await self.decide(cycle)
        return await self.validate(cycle)

    async def execute(self, order_id: str) -> OrderOutcome:
        return await execute_order(self.ports, ExecuteOrder(bot_id=BOT, order_id=order_id))

    async def buy(self, *symbols: str) -> None:
        """Make the bot hold these coins, in cycle 1."""
        self.model.will_buy(*symbols)
        for order in (await self.judge()).orders:
            await self.execute(order.id)


@dataclass
class ScriptedExchange:
    """A venue that answers as a test lined up; `fills` None: it never had the order."""

    fills: Sequence[Fill] | None = ()
    error: OxbotError | None = None
    placed: list[str] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)

    async def place(self, order: Order, now: ClockReading) -> list[Fill]:  # noqa: ARG002 - the port's
        self.placed.append(order.id)
        if self.error:
            raise self.error
        return list(self.fills or ())

    async def look_up(self, order: Order) -> list[Fill] | None:
        self.looked_up.append(order.id)
        return None if self.fills is None else list(self.fills)


class AbsentBoard:
    """A price board that is away."""

    async def put(self, venue: str, quotes: Sequence[Quote]) -> None:  # noqa: ARG002 - the port's
        raise StoreUnavailable("the board was told not to answer")

    async def get(self, venue: str, symbols: Sequence[str]) -> dict[str, Quote]:  # noqa: ARG002 - the port's
        raise StoreUnavailable("the board was told not to answer")

    async def report(self, venue: str, status: FeedStatus) -> None:  # noqa: ARG002 - the port's
        raise StoreUnavailable("the board was told not to answer")

    async def feed_status(self, venue: str) -> FeedStatus | None:  # noqa: ARG002 - the port's
        raise StoreUnavailable("the board was told not to answer")
