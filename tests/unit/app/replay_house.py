"""Bots on a venue that stands still, which fall over where a test wants it."""

import asyncio
from dataclasses import dataclass, field

from oxbot.app.bots import Desk
from oxbot.app.replay import AT_ONCE, Replay, Stop
from oxbot.domain.bot import Bot, BotSettings, BotStatus
from oxbot.domain.errors import Conflict, NotFound, Unavailable, VenueUnavailable
from oxbot.domain.schedule import next_due
from oxbot.messages import (
    BotView,
    ChangeLimits,
    ControlAnswer,
    ControlRequest,
    ExamineReport,
    LimitsAnswer,
    Protect,
    ProtectReport,
    TickReport,
    WriteControl,
)
from tests.support.fake_breaker import FakeBreaker
from tests.support.fake_store import FakeStore
from tests.support.fakes import FakeBoard, FakeFeed

STEP_MS = 300_000

Tick = tuple[str, int]
"""A bot, and when its tick was due."""


@dataclass
class Venue:
    """A venue whose candles end at `end_ms`; it is away for the next `away` questions."""

    end_ms: int = 10**9
    now_ms: int = 0
    away: int = 0

    async def advance_to(self, to_ms: int) -> int:
        if self.away:
            self.away -= 1
            raise VenueUnavailable("The simulator does not answer.")
        self.now_ms = max(self.now_ms, min(to_ms, self.end_ms))
        return self.now_ms


@dataclass
class House:
    """Any number of bots, by the offset of their ticks.

    `dies_before` and `dies_after` are ticks at which the worker dies once, before the cycle or
    after it; `not_due` are ticks that a bot once says are not due. `away` counts questions
    that nobody will answer. `most_at_work` is how many bots were at work at the same moment.
    """

    offsets: dict[str, int]
    venue: Venue = field(default_factory=Venue)
    store: FakeStore = field(default_factory=FakeStore)
    paused: set[str] = field(default_factory=set)
    dies_before: set[Tick] = field(default_factory=set)
    dies_after: set[Tick] = field(default_factory=set)
    not_due: set[Tick] = field(default_factory=set)
    stops_at: set[Tick] = field(default_factory=set)
    away: int = 0
    due: dict[str, int] = field(default_factory=dict)
    done: list[Tick] = field(default_factory=list)
    venue_at: dict[Tick, int] = field(default_factory=dict)
    at_work: int = 0
    most_at_work: int = 0

    async def opened(self) -> "House":
        for bot_id, offset in self.offsets.items():
            await self.store.create_bot(bot_id, BotSettings(name=bot_id), 0)
            self.due[bot_id] = next_due(0, STEP_MS, offset)
        return self

    async def driven(
        self, until_ms: int, *, at_once: int = AT_ONCE, patience_s: float = 60
    ) -> list[Stop]:
        desk = Desk(self.store, self, "fake", FakeFeed({}), FakeBoard(), FakeBreaker())
        bot_ids = tuple(self.offsets)
        replay = Replay(desk, self.venue, bot_ids, at_once, patience_s, look_again_s=0)
        return [stop async for stop in replay.run(until_ms)]

    async def end(self, bot_id: str) -> None:
        """Have the bot stopped for good."""
        change = WriteControl(
            bot_id=bot_id, status=BotStatus.STOPPED, epoch=2, flatten=True, by="test", reason=""
        )
        await self.store.write_control(change)

    async def view(self, bot_id: str) -> BotView:
        await self._answer(bot_id)
        return BotView(
            bot_id=bot_id,
            status=BotStatus.PAUSED if bot_id in self.paused else BotStatus.RUNNING,
            incarnation=1,
            epoch=1,
            cycle=0,
            next_due_ms=self.due[bot_id],
            last_outcome=None,
            equity=None,
            positions=(),
            in_flight=(),
            unwritten=0,
            stepped=True,
        )

    async def tick(self, bot_id: str, due_ms: int) -> TickReport:
        await self._answer(bot_id)
        tick = (bot_id, due_ms)
        if due_ms != self.due[bot_id]:
            raise Conflict(f"The next tick of {bot_id} is {self.due[bot_id]}, not {due_ms}.")
        if tick in self.stops_at:
            await self.end(bot_id)
            return TickReport(cycle=None)
        if tick in self.not_due:
            self.not_due.remove(tick)
            return TickReport(cycle=None, next_due_ms=due_ms)
        self._die_at(tick, self.dies_before)
        report = await self._work(tick)
        self._die_at(tick, self.dies_after)
        return report

    async def _answer(self, bot_id: str) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("No worker answers.")
        if (await self.store.bot(bot_id)).status is BotStatus.STOPPED:
            raise NotFound(f"Bot {bot_id} has no running workflow.")

    @staticmethod
    def _die_at(tick: Tick, deaths: set[Tick]) -> None:
        if tick in deaths:
            deaths.remove(tick)
            raise Unavailable("The worker died.")

    async def _work(self, tick: Tick) -> TickReport:
        bot_id, due_ms = tick
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        await asyncio.sleep(0)
        self.at_work -= 1
        self.due[bot_id] = due_ms + STEP_MS
        if bot_id in self.paused:
            return TickReport(cycle=None, next_due_ms=self.due[bot_id])
        self.done.append(tick)
        self.venue_at[tick] = self.venue.now_ms
        return TickReport(cycle=len(self.done), next_due_ms=self.due[bot_id])

    async def start(self, bot: Bot) -> bool:
        raise NotImplementedError(bot)

    async def is_running(self, bot_id: str) -> bool:
        raise NotImplementedError(bot_id)

    async def pause(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        raise NotImplementedError(bot_id, request)

    async def resume(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        raise NotImplementedError(bot_id, request)

    async def stop(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        raise NotImplementedError(bot_id, request)

    async def change_limits(self, bot_id: str, change: ChangeLimits) -> LimitsAnswer:
        raise NotImplementedError(bot_id, change)

    async def wake(self, bot_id: str) -> None:
        raise NotImplementedError(bot_id)

    async def protect(self, bot_id: str, request: Protect) -> None:
        raise NotImplementedError(bot_id, request)

    async def protect_now(self, bot_id: str, request: Protect) -> ProtectReport:
        raise NotImplementedError(bot_id, request)

    async def examine(self, venue: str, at_ms: int) -> ExamineReport:
        raise NotImplementedError(venue, at_ms)

    async def watch(self, venue: str) -> bool:
        raise NotImplementedError(venue)
