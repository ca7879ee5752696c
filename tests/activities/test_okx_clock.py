"""OKX's time: measured again and again, and how long a measurement is trusted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
import structlog

from oxbot.adapters.okx.clock import OkxClock
from oxbot.domain.errors import RateLimited, VenueUnavailable
from tests.activities.okx_server import (
    NOW_MS,
    LocalOkx,
    connected,
    envelope,
    local_okx,
)


@dataclass
class Computer:
    """Our clocks, and the venue's 7 s ahead; an answer takes `round_trip_ms`."""

    wall_ms: int = NOW_MS
    monotonic_ms: int = 0
    round_trip_ms: int = 0
    ahead_ms: int = 7_000
    asked: int = 0
    unreachable: bool = False
    wait_s: int | None = None

    def passes(self, ms: int) -> None:
        self.wall_ms += ms
        self.monotonic_ms += ms

    async def server_time_ms(self) -> int:
        self.asked += 1
        if self.wait_s is not None:
            raise RateLimited("OKX asks to wait.", self.wait_s)
        if self.unreachable:
            raise VenueUnavailable("OKX did not answer for the time.")
        self.passes(self.round_trip_ms // 2)
        venue_ms = self.wall_ms + self.ahead_ms
        self.passes(self.round_trip_ms - self.round_trip_ms // 2)
        return venue_ms


def clock_of(computer: Computer) -> OkxClock:
    return OkxClock(
        computer,
        wall_ms=lambda: computer.wall_ms,
        monotonic_ms=lambda: computer.monotonic_ms,
    )


@pytest.mark.parametrize("round_trip_ms", [0, 1, 80, 4_001])
async def test_the_venues_time_is_taken_from_the_middle_of_the_round_trip(
    round_trip_ms: int,
) -> None:
    computer = Computer(round_trip_ms=round_trip_ms)
    reading = await clock_of(computer).reading()
    assert abs(reading.venue_ms - (computer.wall_ms + 7_000)) <= 1
    assert reading.wall_ms == computer.wall_ms
    assert (reading.rate, reading.stepped) == (Decimal(1), False)


async def test_the_offset_is_measured_again_when_it_is_older_than_a_minute() -> None:
    computer = Computer()
    clock = clock_of(computer)
    await clock.reading()
    computer.passes(60_000)
    await clock.reading()
    assert computer.asked == 1
    computer.ahead_ms = 9_000
    computer.passes(1)
    assert (await clock.reading()).venue_ms == computer.wall_ms + 9_000
    assert computer.asked == 2


@pytest.mark.parametrize("jump_ms", [-3_600_000, -501, 501, 3_600_000])
async def test_a_clock_that_was_set_or_slept_is_noticed_at_once(jump_ms: int) -> None:
    computer = Computer()
    clock = clock_of(computer)
    before = await clock.reading()
    computer.wall_ms += jump_ms
    computer.ahead_ms -= jump_ms
    assert (await clock.reading()).venue_ms == before.venue_ms
    assert computer.asked == 2


@pytest.mark.parametrize(("round_trip_ms", "trusted"), [(1_000, True), (1_001, False)])
async def test_a_slow_measurement_does_not_replace_a_quick_one(
    round_trip_ms: int, *, trusted: bool
) -> None:
    """An answer that took 1 s may be wrong by half of one."""
    computer = Computer(round_trip_ms=20)
    clock = clock_of(computer)
    await clock.reading()
    computer.passes(60_001)
    computer.round_trip_ms, computer.ahead_ms = round_trip_ms, 7_300
    offset_ms = (await clock.reading()).venue_ms - computer.wall_ms
    assert offset_ms == (7_300 if trusted else 7_000)


async def test_after_a_slow_measurement_the_next_comes_soon() -> None:
    computer = Computer(round_trip_ms=20)
    clock = clock_of(computer)
    await clock.reading()
    computer.passes(60_001)
    computer.round_trip_ms, computer.ahead_ms = 4_000, 7_300
    for _ in range(3):
        await clock.reading()
    assert computer.asked == 2
    computer.round_trip_ms = 20
    computer.passes(5_001)
    assert (await clock.reading()).venue_ms == computer.wall_ms + 7_300


async def test_among_slow_measurements_the_quicker_one_counts() -> None:
    computer = Computer(round_trip_ms=8_000)
    clock = clock_of(computer)
    await clock.reading()
    computer.passes(60_001)
    computer.round_trip_ms, computer.ahead_ms = 4_000, 7_300
    assert (await clock.reading()).venue_ms == computer.wall_ms + 7_300


async def test_a_quick_offset_that_is_too_old_gives_way_to_a_slow_one() -> None:
    computer = Computer(round_trip_ms=20)
    clock = clock_of(computer)
    await clock.reading()
    computer.round_trip_ms, computer.ahead_ms = 4_000, 7_300
    computer.passes(600_001)
    assert (await clock.reading()).venue_ms == computer.wall_ms + 7_300


async def test_while_okx_is_away_the_last_offset_serves_ten_minutes_with_a_warning() -> None:
    computer = Computer()
    clock = clock_of(computer)
    await clock.reading()
    computer.unreachable = True
    computer.passes(600_000)
    with structlog.testing.capture_logs() as logs:
        assert (await clock.reading()).venue_ms == computer.wall_ms + 7_000
    [log] = logs
    assert (log["log_level"], log["measured_s_ago"]) == ("warning", 600)
    assert "did not answer" in log["reason"]
    computer.passes(1)
    with pytest.raises(VenueUnavailable):
        await clock.reading()


async def test_while_okx_is_away_it_is_asked_every_five_seconds_at_most() -> None:
    computer = Computer()
    clock = clock_of(computer)
    await clock.reading()
    computer.unreachable = True
    computer.passes(60_001)
    for _ in range(10):
        await clock.reading()
    assert computer.asked == 2
    computer.passes(5_001)
    await clock.reading()
    assert computer.asked == 3


async def test_a_wait_that_okx_asks_for_is_kept() -> None:
    computer = Computer()
    clock = clock_of(computer)
    await clock.reading()
    computer.wait_s = 30
    computer.passes(60_001)
    await clock.reading()
    computer.passes(30_000)
    await clock.reading()
    assert computer.asked == 2
    computer.passes(1)
    await clock.reading()
    assert computer.asked == 3


async def test_an_offset_from_before_the_clock_was_set_does_not_serve_while_okx_is_away() -> None:
    computer = Computer()
    clock = clock_of(computer)
    await clock.reading()
    computer.unreachable = True
    computer.wall_ms += 501
    with pytest.raises(VenueUnavailable):
        await clock.reading()


async def test_many_who_ask_at_once_cost_one_measurement() -> None:
    computer = Computer()
    clock = clock_of(computer)
    await asyncio.gather(*(clock.reading() for _ in range(20)))
    assert computer.asked == 1


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    async with local_okx() as server:
        yield server


async def test_okx_is_asked_through_ccxt(okx: LocalOkx) -> None:
    async with connected(okx) as client:
        clock = OkxClock(client, wall_ms=lambda: 0)
        assert abs((await clock.reading()).venue_ms - NOW_MS) < 60_000
    assert okx.paths == ["public/time"]


@pytest.mark.parametrize("ts", [None, "", "soon", 1, 1.5, "-1"])
async def test_a_time_that_is_none_is_refused(okx: LocalOkx, ts: object) -> None:
    okx.answers["public/time"] = envelope([{"ts": ts}])
    async with connected(okx) as client:
        with pytest.raises(VenueUnavailable, match="the time"):
            await OkxClock(client).reading()


async def test_who_waited_for_an_answer_in_vain_does_not_ask_again_at_once() -> None:
    """A thousand bots must not wait for a thousand time-outs, one after the other."""
    computer = Computer(unreachable=True)
    clock = clock_of(computer)
    found = await asyncio.gather(*(clock.reading() for _ in range(50)), return_exceptions=True)
    assert all(isinstance(each, VenueUnavailable) for each in found)
    assert computer.asked == 1
    computer.passes(5_001)
    computer.unreachable = False
    assert (await clock.reading()).venue_ms == computer.wall_ms + 7_000
