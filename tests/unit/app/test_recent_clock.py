"""The clock that thousands ask: whom it makes wait, and whom not."""

import asyncio
from decimal import Decimal

import pytest

from oxbot.app.timing import RecentClock
from oxbot.domain.errors import VenueUnavailable
from oxbot.domain.market import ClockReading
from tests.support.fake_stream import FakeTimer


class SlowClock:
    """A venue that runs at twice our pace, and answers when a test lets it."""

    def __init__(self, timer: FakeTimer) -> None:
        self.timer = timer
        self.asked = self.ahead_ms = 0
        self.stepped = self.away = False
        self.answers = asyncio.Event()
        self.answers.set()

    async def reading(self) -> ClockReading:
        self.asked += 1
        await self.answers.wait()
        if self.away:
            raise VenueUnavailable("the clock was told not to answer")
        now_ms = self.timer.now_ms
        return ClockReading(
            venue_ms=2 * now_ms + self.ahead_ms,
            wall_ms=now_ms,
            rate=Decimal(2),
            stepped=self.stepped,
        )


@pytest.fixture
def timer() -> FakeTimer:
    return FakeTimer(1_000_000)


@pytest.fixture
def venue(timer: FakeTimer) -> SlowClock:
    return SlowClock(timer)


async def test_nobody_waits_while_a_reading_that_has_grown_old_is_renewed(
    timer: FakeTimer, venue: SlowClock
) -> None:
    clock = RecentClock(venue, timer)
    await clock.reading()
    timer.now_ms += 1_500
    venue.answers.clear()
    for _ in range(3):
        assert (await clock.reading()).venue_ms == 2 * timer.now_ms
        await asyncio.sleep(0)
    assert venue.asked == 2
    venue.answers.set()
    await asyncio.sleep(0.01)
    timer.now_ms += 900
    await clock.reading()
    assert venue.asked == 2


async def test_a_reading_that_could_not_be_renewed_does_not_serve_for_ever(
    timer: FakeTimer, venue: SlowClock
) -> None:
    clock = RecentClock(venue, timer)
    await clock.reading()
    venue.away = True
    timer.now_ms += 1_999
    await clock.reading()
    await asyncio.sleep(0)
    timer.now_ms += 1
    with pytest.raises(VenueUnavailable):
        await clock.reading()


async def test_a_venue_that_stands_still_is_asked_every_time(
    timer: FakeTimer, venue: SlowClock
) -> None:
    venue.stepped = True
    clock = RecentClock(venue, timer)
    for times in (1, 2, 3):
        await clock.reading()
        assert venue.asked == times


async def test_a_late_answer_does_not_bring_back_the_clock_from_before_a_change(
    timer: FakeTimer, venue: SlowClock
) -> None:
    clock = RecentClock(venue, timer)
    await clock.reading()
    timer.now_ms += 1_500
    venue.answers.clear()
    await clock.reading()
    await asyncio.sleep(0)
    venue.answers, overtaken = asyncio.Event(), venue.answers
    venue.answers.set()
    timer.now_ms += 500
    venue.ahead_ms = 3_600_000
    moved = await clock.reading()
    assert moved.venue_ms == 2 * timer.now_ms + venue.ahead_ms
    venue.ahead_ms = 0
    overtaken.set()
    await asyncio.sleep(0.01)
    assert clock.last == moved
