"""Driving a venue that stands still: each tick once, and an end where there is nothing to do."""

from dataclasses import dataclass, field

import pytest

from oxbot.app.bots import Desk
from oxbot.app.stepped import drive
from oxbot.domain.bot import BotStatus
from oxbot.domain.errors import Conflict
from oxbot.domain.guards import Guard
from oxbot.domain.money import Price
from oxbot.messages import (
    BotView,
    ExamineReport,
    TickReport,
)
from tests.support.fake_breaker import FakeBreaker
from tests.support.fakes import BTC, FakeBoard, FakeFeed
from tests.support.no_bots import NoBots
from tests.unit.app.guarded_venue import GuardStore, Venue

STEP_MS = 300_000


@dataclass
class SteppedBot(NoBots):
    """A bot that has a cycle at each tick that the driver grants. `late_ms` comes as news.

    Whatever is examined is closed.
    """

    due_ms: int | None = STEP_MS
    late_ms: int | None = None
    works: bool = True
    store: GuardStore = field(default_factory=GuardStore)
    examined: list[int] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)

    async def view(self, bot_id: str) -> BotView:
        return BotView(
            bot_id=bot_id,
            status=BotStatus.RUNNING,
            incarnation=1,
            epoch=1,
            cycle=len(self.ticks),
            next_due_ms=self.due_ms,
            last_outcome=None,
            equity=None,
            positions=(),
            in_flight=(),
            unwritten=0,
            stepped=True,
        )

    async def tick(self, bot_id: str, due_ms: int) -> TickReport:
        if self.late_ms is not None:
            self.due_ms, self.late_ms = self.late_ms, None
        if due_ms != self.due_ms:
            raise Conflict(f"The next tick of {bot_id} is {self.due_ms}, not {due_ms}.")
        self.ticks.append(due_ms)
        self.due_ms = due_ms + STEP_MS
        cycle = len(self.ticks) if self.works else None
        return TickReport(cycle=cycle, next_due_ms=self.due_ms)

    async def examine(self, venue: str, at_ms: int) -> ExamineReport:  # noqa: ARG002 - there is one
        self.examined.append(at_ms)
        self.store.by_bot.clear()
        return ExamineReport(crossings=1, closed=1)


async def driven(bot: SteppedBot, venue: Venue, cycles: int) -> list[int | None]:
    desk = Desk(bot.store, bot, "fake", FakeFeed({}), FakeBoard(), FakeBreaker())
    return [report.cycle async for report in drive(desk, venue, "b1", cycles)]


async def test_the_venue_stands_at_each_tick_when_it_is_granted() -> None:
    bot, venue = SteppedBot(), Venue()
    assert await driven(bot, venue, 3) == [1, 2, 3]
    assert bot.ticks == [STEP_MS, 2 * STEP_MS, 3 * STEP_MS]
    assert venue.now_ms == 3 * STEP_MS


async def test_a_bot_that_moved_on_meanwhile_is_followed_and_no_cycle_is_lost() -> None:
    bot = SteppedBot(late_ms=10 * STEP_MS)
    assert await driven(bot, Venue(now_ms=10 * STEP_MS), 2) == [1, 2]
    assert bot.ticks == [10 * STEP_MS, 11 * STEP_MS]


async def test_where_the_candles_end_it_says_so_and_grants_nothing() -> None:
    bot = SteppedBot()
    with pytest.raises(Conflict, match="market has ended"):
        await driven(bot, Venue(end_ms=2 * STEP_MS), 5)
    assert bot.ticks == [STEP_MS, 2 * STEP_MS]


async def test_a_bot_that_does_nothing_is_not_driven_on() -> None:
    bot = SteppedBot(works=False)
    with pytest.raises(Conflict, match="paused or stopped"):
        await driven(bot, Venue(), 5)
    assert len(bot.ticks) == 1


async def test_a_stop_on_the_way_comes_first_and_where_nothing_is_open_nothing_is_examined() -> (
    None
):
    bot, venue = SteppedBot(), Venue(bids={BTC: {0: Price(100), 450_000: Price(90)}})
    assert await driven(bot, venue, 1) == [1]
    assert bot.examined == []
    bot.store.by_bot["b1"] = Guard(
        bot_id="b1",
        symbol=BTC,
        opened_ms=STEP_MS,
        version=1,
        stop_price=Price(95),
        target_price=Price(110),
        hold_until_ms=10**9,
    )
    assert await driven(bot, venue, 1) == [2]
    assert bot.examined == [450_000]
