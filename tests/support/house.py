"""One bot's surroundings for workflow tests: a Temporal server, a worker, and fakes of ports."""

import asyncio
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.control import ControlActivities
from activities.decision import DecisionActivities
from activities.execution import ExecutionActivities
from activities.market import MarketActivities
from activities.protection import ProtectionActivities
from activities.reconciliation import ReconciliationActivities
from activities.record import RecordActivities
from activities.risk import RiskActivities
from activities.watch import WatchActivities
from oxbot.adapters.paper.exchange import PaperExchange
from oxbot.adapters.temporal.control import TemporalBotControl
from oxbot.app.ports import Ports
from oxbot.domain.bot import Bot, BotSettings, BotStatus
from oxbot.domain.money import Price
from oxbot.domain.schedule import next_due, offset_ms
from oxbot.messages import (
    BOT_WORKFLOW,
    BotView,
    ControlAnswer,
    ControlRequest,
    CycleOutcome,
    TickReport,
    TickRequest,
    workflow_id,
)
from tests.support.fake_account import FakeAccount
from tests.support.fake_breaker import FakeBreaker
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
    WallClock,
)
from tests.support.faults import Faults
from worker.failures import FailureInterceptor
from workflows.bot import BotWorkflow
from workflows.market_watch import MarketWatchWorkflow
from workflows.state import ROLL_AFTER, BotState

BotHandle = WorkflowHandle[Any, BotView]
"""Any: named as API and command line name it, without its class."""

PATIENCE_S = 120
"""How long a test waits in real time for what must happen, however busy the machine is."""

PORTION_S = 7_200
"""The longest time skipped by one request."""

GLANCE_S = 0.02
"""Between two looks."""

STICKY = timedelta(seconds=1)
"""How long a workflow's task waits for the worker that had it last, which may have left."""


@dataclass
class House:
    """A server, and what the worker's activities reach. `session` names the system's run."""

    env: WorkflowEnvironment
    wall: WallClock
    session: str = "first"
    store: FakeStore = field(default_factory=FakeStore)
    feed: FakeFeed = field(
        default_factory=lambda: FakeFeed({BTC: Price(60_000), ETH: Price(3_000)})
    )
    news: FakeNews = field(default_factory=FakeNews)
    stream: ScriptedStream = field(default_factory=ScriptedStream)
    board: FakeBoard = field(default_factory=FakeBoard)
    breaker: FakeBreaker = field(default_factory=FakeBreaker)
    parts: FakeParts = field(default_factory=FakeParts)
    flight: FakeFlight = field(default_factory=FakeFlight)
    model: FakeModel = field(default_factory=FakeModel)
    account: FakeAccount | None = None
    faults: Faults = field(default_factory=Faults)
    queue: str = field(default_factory=lambda: f"bots-{uuid.uuid4().hex[:8]}")
    handles: list[BotHandle] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = FakeClock(self.wall)
        self._passing: asyncio.Task[None] | None = None

    @property
    def client(self) -> Client:
        """The client of the server."""
        return self.env.client

    @property
    def ports(self) -> Ports:
        """What activities receive."""
        return Ports(
            store=self.store,
            news=self.news,
            control=TemporalBotControl(self.client, self.queue),
            clock=self.clock,
            feed=self.feed,
            stream=self.stream,
            board=self.board,
            breaker=self.breaker,
            parts=self.parts,
            flight=self.flight,
            exchange=PaperExchange(self.feed, FEE_RATE),
            live=self.account,
            models={"fake": self.model},
            installation="test",
            fee_rate=FEE_RATE,
            session=self.session,
        )

    def worker(self) -> Worker:
        """A worker with the real workflow, in the SDK's sandbox, and the real activities."""
        ports = self.ports
        control, market = ControlActivities(ports), MarketActivities(ports)
        protection, watch = ProtectionActivities(ports), WatchActivities(ports)
        reconciliation = ReconciliationActivities(ports)
        return Worker(
            self.client,
            task_queue=self.queue,
            workflows=[BotWorkflow, MarketWatchWorkflow],
            activities=[
                control.open_run,
                control.write_control,
                control.change_limits,
                market.observe_market,
                market.read_clock,
                DecisionActivities(ports).decide,
                RiskActivities(ports).validate_risk,
                ExecutionActivities(ports).execute_order,
                protection.protect,
                protection.count_holdings,
                RecordActivities(ports).record_cycles,
                reconciliation.reconcile,
                reconciliation.write_off,
                reconciliation.say_over,
                watch.watch_prices,
                watch.examine,
            ],
            interceptors=[self.faults, FailureInterceptor()],
            sticky_queue_schedule_to_start_timeout=STICKY,
        )

    async def new_bot(self, **settings: object) -> Bot:
        """Put a bot on record: five-minute cycles on BTC and ETH unless a test says otherwise."""
        plain = {
            "name": "Test",
            "symbols": (BTC, ETH),
            "provider": "fake",
            "venue": self.feed.venue,
        }
        chosen = BotSettings.model_validate({**plain, **settings})
        now_ms = (await self.clock.reading()).venue_ms
        bot_id = unhurried_id(now_ms, chosen.interval_s * 1000)
        return await self.store.create_bot(bot_id, chosen, time.time_ns() // 1_000_000)

    async def start(self, bot: Bot, *, roll_after: int = ROLL_AFTER) -> BotHandle:
        """Start a bot's workflow."""
        await self.client.start_workflow(
            BOT_WORKFLOW,
            BotState(bot_id=bot.id, roll_after=roll_after),
            id=workflow_id(bot.id),
            task_queue=self.queue,
        )
        handle: BotHandle = self.client.get_workflow_handle(
            workflow_id(bot.id), result_type=BotView
        )
        self.handles.append(handle)
        return handle

    async def started(self, **settings: object) -> tuple[Bot, BotHandle]:
        """Make a bot and start it; it knows its numbers when this returns."""
        bot = await self.new_bot(**settings)
        handle = await self.start(bot)
        await self.until_view(handle, lambda view: view.incarnation > 0)
        return bot, handle

    async def pass_time(self, seconds: float) -> None:
        """Let time pass: skipped where the server can, in portions that it answers in time.

        A portion that is still under way ends first: the time-skipping server fails two at once.
        """
        if self._passing is not None:
            await self._passing
        await self._sleep(seconds)

    async def _sleep(self, seconds: float) -> None:
        while seconds > 0:
            await self.env.sleep(min(seconds, PORTION_S))
            seconds -= PORTION_S

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds that must come to hold without time passing."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():  # noqa: ASYNC110 - what is waited for sets no event
                await asyncio.sleep(GLANCE_S)

    async def pass_until(self, holds: Callable[[], bool], portion_s: float = 10) -> None:
        """Let time pass, a portion at a time, until something holds.

        A portion is not waited for to its end, since an activity that is held holds time, too;
        it is not given up either, which would confuse the time-skipping server.
        """
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                if self._passing is None or self._passing.done():
                    self._passing = asyncio.create_task(self._sleep(portion_s))
                await asyncio.wait([self._passing], timeout=GLANCE_S / 4)

    async def run_cycles(self, bot: Bot, count: int) -> list[CycleOutcome]:
        """Let time pass until so many more cycles are on record; give all of them."""
        wanted = len(self.recorded(bot)) + count
        await self.pass_until(lambda: len(self.recorded(bot)) >= wanted)
        return self.recorded(bot)

    def recorded(self, bot: Bot) -> list[CycleOutcome]:
        """Give the cycles on record, in order."""
        mine = sorted(number for known, number in self.store.outcomes if known == bot.id)
        return [self.store.outcomes[bot.id, number] for number in mine]

    async def ended(self, handle: BotHandle) -> BotView:
        """Let time pass until the workflow has closed; give its result."""
        closing = asyncio.create_task(_closed(handle))
        try:
            await self.pass_until(closing.done)
        finally:
            closing.cancel()
        return await handle.result()

    async def until_view(self, handle: BotHandle, holds: Callable[[BotView], bool]) -> BotView:
        """Wait until the workflow knows something; give what it says then.

        The record has it first: an activity's answer comes after what it wrote.
        """
        async with asyncio.timeout(PATIENCE_S):
            while not holds(view := await status_of(handle)):  # noqa: ASYNC110 - as in until
                await asyncio.sleep(GLANCE_S)
        return view

    async def until_status(self, handle: BotHandle, status: BotStatus) -> None:
        """Wait until the workflow says that it has this status."""
        await self.until_view(handle, lambda view: view.status is status)

    async def until_known(self, handle: BotHandle, *symbols: str) -> BotView:
        """Wait until the workflow knows that it holds these coins, and no others."""
        return await self.until_view(
            handle, lambda view: {position.symbol for position in view.positions} == set(symbols)
        )

    async def until_written(self, handle: BotHandle) -> BotView:
        """Wait until the workflow knows that all of its cycles are on record."""
        return await self.until_view(handle, lambda view: view.unwritten == 0)

    async def end(self) -> None:
        """Stop what the test left running, in good order, while a worker is at work.

        Terminating leaves the time-skipping server unable to skip time ever after.
        """
        self.feed.away = False
        for handle in self.handles:
            with suppress(RPCError):
                await handle.signal("stop", ControlRequest(by="test", reason="the test is over"))
            await self.ended(handle)
        if self._passing is not None:
            if not self.env.supports_time_skipping:
                self._passing.cancel()
            await asyncio.wait([self._passing])


def unhurried_id(now_ms: int, interval_ms: int) -> str:
    """Draw an id whose first tick comes about half an interval from now (venue ms).

    A tick that is due at once would overtake what the test is about to say; a day that begins
    right before one would end in the middle of a cycle.
    """
    drawn = [f"t{uuid.uuid4().hex[:8]}" for _ in range(20)]
    middle_ms = now_ms + interval_ms // 2
    dues = {one: next_due(now_ms, interval_ms, offset_ms(one, interval_ms)) for one in drawn}
    return min(drawn, key=lambda one: abs(dues[one] - middle_ms))


async def _closed(handle: BotHandle) -> None:
    """Look until the newest run is over; results cannot be waited for while time is skipped."""
    while (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:  # noqa: ASYNC110 - sets no event
        await asyncio.sleep(GLANCE_S)


async def status_of(handle: BotHandle) -> BotView:
    """Ask the workflow; where time is skipped not while runs may change.

    The test server loses a query that meets a run's end, and with it the ability to skip.
    """
    view: BotView = await handle.query("status", result_type=BotView)
    return view


async def pause(handle: BotHandle, reason: str = "") -> ControlAnswer:
    """Pause by the update."""
    return await control(handle, "pause", ControlRequest(by="test", reason=reason))


async def resume(handle: BotHandle) -> ControlAnswer:
    """Resume by the update."""
    return await control(handle, "resume", ControlRequest(by="test"))


async def stop(handle: BotHandle, *, flatten: bool = True) -> ControlAnswer:
    """Stop by the update."""
    return await control(handle, "stop", ControlRequest(by="test", flatten=flatten))


async def control(handle: BotHandle, name: str, request: ControlRequest) -> ControlAnswer:
    """Send a control update by its name, as API and command line do."""
    answer: ControlAnswer = await handle.execute_update(name, request, result_type=ControlAnswer)
    return answer


async def tick(handle: BotHandle, due_ms: int) -> TickReport:
    """Tell a stepped bot that its tick is due."""
    request = TickRequest(due_ms=due_ms)
    report: TickReport = await handle.execute_update("tick", request, result_type=TickReport)
    return report


async def next_tick(house: House, handle: BotHandle) -> TickReport:
    """Do as the driver of a stepped venue does: move its time to the tick, and tell the bot."""
    due_ms = (await house.until_view(handle, lambda view: view.next_due_ms is not None)).next_due_ms
    assert due_ms is not None
    house.clock.stepped_ms = due_ms
    return await tick(handle, due_ms)


async def history_length(handle: BotHandle) -> int:
    """Count the events of the present run."""
    return (await handle.describe()).history_length
