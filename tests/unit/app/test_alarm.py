"""The alarm tells of each outage once for each bot, and of its end, whoever looks."""

from dataclasses import dataclass, field

import pytest

from oxbot.app.alarm import Alarm
from oxbot.app.bots import Desk
from oxbot.domain.alarm import PROTECTED_AGAIN, UNPROTECTED
from tests.support.fake_breaker import FakeBreaker
from tests.support.fake_stream import FakeTimer
from tests.support.fakes import BTC, ETH, FakeBoard, FakeFeed
from tests.unit.app.room import BOT, NOW_MS, Room
from tests.unit.app.test_guarding import buy
from tests.unit.app.watch_post import Post


@dataclass
class Tower:
    """Alarms over one record; wall time is the test's."""

    room: Room
    timer: FakeTimer = field(default_factory=lambda: FakeTimer(NOW_MS))

    def alarm(self) -> Alarm:
        """A process that begins to look now."""
        room = self.room
        desk = Desk(room.store, room.control, "fake", FakeFeed({}), FakeBoard(), FakeBreaker())
        return Alarm(desk, self.timer)

    async def beat(self, *, stepped: bool = False) -> None:
        await self.room.store.save_watch_marks("fake", {}, self.timer.now_ms, stepped=stepped)

    def told(self) -> list[tuple[str, str]]:
        return [(bot, kind) for (bot, _), (kind, _) in self.room.store.told.items()]


@pytest.fixture
async def tower(room: Room) -> Tower:
    """Two bots: one holds BTC and ETH, one nothing; the watch was at work just now."""
    await room.bot()
    await room.bot("b2")
    post = Post(room)
    await buy(post)
    await buy(post, symbol=ETH)
    tower = Tower(room)
    await tower.beat()
    return tower


@pytest.mark.critical
async def test_ten_seconds_without_a_watch_are_told_once_to_each_bot_that_holds_something(
    tower: Tower,
) -> None:
    alarm = tower.alarm()
    await tower.timer.passes(10)
    assert (await alarm.look()).unprotected == {}
    await tower.timer.passes(1)
    for _ in range(3):
        status = await alarm.look()
        assert status.unprotected == {BOT: (BTC, ETH)}
        assert (status.since_ms, status.positions) == (NOW_MS, 2)
    assert tower.told() == [(BOT, UNPROTECTED)]


@pytest.mark.critical
async def test_the_end_of_an_outage_is_told_once_and_the_next_outage_again(tower: Tower) -> None:
    alarm = tower.alarm()
    for _ in range(2):
        await tower.timer.passes(20)
        await alarm.look()
        await tower.beat()
        await alarm.look()
        await alarm.look()
    assert tower.told() == [(BOT, UNPROTECTED), (BOT, PROTECTED_AGAIN)] * 2


@pytest.mark.critical
async def test_an_alarm_that_starts_in_the_middle_of_an_outage_does_not_call_it_over(
    tower: Tower,
) -> None:
    first = tower.alarm()
    await tower.timer.passes(20)
    await first.look()
    second = tower.alarm()
    await second.look()
    await tower.timer.passes(20)
    await second.look()
    assert tower.told() == [(BOT, UNPROTECTED)]
    await tower.beat()
    await second.look()
    await first.look()
    assert tower.told() == [(BOT, UNPROTECTED), (BOT, PROTECTED_AGAIN)]


async def test_a_system_that_starts_has_ten_seconds_to_bring_up_its_watch(tower: Tower) -> None:
    await tower.timer.passes(3_600)
    alarm = tower.alarm()
    assert (await alarm.look()).unprotected == {}
    await tower.timer.passes(9)
    await tower.beat()
    await alarm.look()
    assert tower.told() == []


async def test_where_the_venue_stands_still_nobody_has_to_watch(tower: Tower) -> None:
    await tower.beat(stepped=True)
    alarm = tower.alarm()
    await tower.timer.passes(3_600)
    assert (await alarm.look()).stepped
    assert tower.told() == []


async def test_without_open_positions_nobody_is_missed(tower: Tower) -> None:
    tower.room.store._positions.clear()
    alarm = tower.alarm()
    await tower.timer.passes(3_600)
    assert (await alarm.look()).since_ms is None
    assert tower.told() == []
