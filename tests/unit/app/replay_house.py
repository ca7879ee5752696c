"""Bots on a venue that stands still, which fall over where a test wants it."""

import asyncio
from dataclasses import dataclass, field

from oxbot.app.bots import Desk
from oxbot.app.replay import AT_ONCE, Replay, Stop
from oxbot.domain.bot import BotSettings, BotStatus
from oxbot.domain.errors import Conflict, NotFound, Unavailable
from oxbot.domain.guards import Guard
from oxbot.domain.schedule import next_due
from oxbot.messages import (
    BotView,
    ExamineReport,
    TickReport,
    WriteControl,
)
from tests.support.fake_breaker import FakeBreaker
from tests.support.fakes import FakeBoard, FakeFeed
from tests.support.no_bots import NoBots
from tests.unit.app.guarded_venue import GuardStore, Venue, purpose_at

STEP_MS = 300_000

Tick = tuple[str, int]
"""A bot, and when its tick was due."""


Exit = tuple[str, str, int]
"""A bot, what its exit was for, and when it was done."""


@dataclass
class House(NoBots):
    """Any number of bots, by the offset of their ticks.

    `dies_before` and `dies_after` are ticks at which the worker dies once, before the cycle or
    after it; `not_due` are ticks that a bot once says are not due. `away` counts questions
    that nobody will answer. `most_at_work` is how many bots were at work at the same moment.

    `opens` are the guards of positions that ticks open. The watch dies once before what it
    examines at `blind_at` (venue ms), and once after it at `mute_at`; at `slow_at` it is once
    unfinished. Bots of `stuck` cannot sell. `story` has ticks and exits in the order in which
    they were done.
    """

    offsets: dict[str, int]
    venue: Venue = field(default_factory=Venue)
    store: GuardStore = field(default_factory=GuardStore)
    paused: set[str] = field(default_factory=set)
    dies_before: set[Tick] = field(default_factory=set)
    dies_after: set[Tick] = field(default_factory=set)
    not_due: set[Tick] = field(default_factory=set)
    stops_at: set[Tick] = field(default_factory=set)
    away: int = 0
    due: dict[str, int] = field(default_factory=dict)
    done: list[Tick] = field(default_factory=list)
    venue_at: dict[Tick, int] = field(default_factory=dict)
    opens: dict[Tick, Guard] = field(default_factory=dict)
    blind_at: set[int] = field(default_factory=set)
    mute_at: set[int] = field(default_factory=set)
    slow_at: set[int] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    exits: list[Exit] = field(default_factory=list)
    story: list[Tick | Exit] = field(default_factory=list)
    examined: int = 0
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
        self.story.append(tick)
        if tick in self.opens:
            self.store.by_bot[bot_id] = self.opens[tick]
        return TickReport(cycle=len(self.done), next_due_ms=self.due[bot_id])

    async def examine(self, venue: str, at_ms: int) -> ExamineReport:  # noqa: ARG002 - there is one
        if at_ms != self.venue.now_ms:
            raise Conflict(f"It is {self.venue.now_ms}, not {at_ms}.")
        self.examined += 1
        self._die_when(at_ms, self.blind_at)
        if at_ms in self.slow_at:
            self.slow_at.remove(at_ms)
            return ExamineReport(crossings=1, closed=0, trouble="slow", unfinished=True)
        crossed = [
            (guard.bot_id, purpose, at_ms)
            for guard in await self.store.guards("fake")
            if (purpose := purpose_at(guard, self.venue.bid(guard.symbol), at_ms))
        ]
        done = [exit_ for exit_ in crossed if exit_[0] not in self.stuck]
        self.exits += done
        self.story += done
        for bot_id, _, _ in done:
            del self.store.by_bot[bot_id]
        self._die_when(at_ms, self.mute_at)
        return ExamineReport(crossings=len(crossed), closed=len(done))

    @staticmethod
    def _die_when(at_ms: int, deaths: set[int]) -> None:
        if at_ms in deaths:
            deaths.remove(at_ms)
            raise Unavailable("The watch died.")
