"""The venue's time: OKX's measured again and again, the simulator's as it says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from aiohttp import web

from oxbot.adapters.okx.clock import OkxClock, SimulatorClock
from oxbot.domain.errors import VenueUnavailable
from oxbot.simulator.clock import ClockChange, Mode
from tests.activities.okx_server import (
    NOW_MS,
    LocalOkx,
    connected,
    envelope,
    local_okx,
    serving,
    silence,
    simulated,
    text,
)


@dataclass
class Computer:
    """Our clocks, and the venue's 7 s ahead; an answer takes `round_trip_ms`."""

    wall_ms: int = NOW_MS
    monotonic_ms: int = 0
    round_trip_ms: int = 0
    ahead_ms: int = 7_000
    asked: int = 0

    def passes(self, ms: int) -> None:
        self.wall_ms += ms
        self.monotonic_ms += ms

    async def server_time_ms(self) -> int:
        self.asked += 1
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


async def test_the_simulators_clock_is_read_as_it_stands_and_as_it_runs() -> None:
    async with simulated("stepped") as (url, venue), SimulatorClock(url) as clock:
        standing = await clock.reading()
        assert (standing.rate, standing.stepped) == (Decimal(0), True)
        assert standing.venue_at(standing.wall_ms + 10_000) == standing.venue_ms
        venue.clock.change(ClockChange(advance_ms=300_000))
        assert (await clock.reading()).venue_ms == standing.venue_ms + 300_000
        venue.clock.change(ClockChange(mode=Mode.SPEED, rate=Decimal("29.999")))
        running = await clock.reading()
        assert (running.rate, running.stepped) == (Decimal("29.999"), False)
        assert running.venue_ms >= standing.venue_ms + 300_000


CLOCK = '{"venue_ms": 1, "wall_ms": 1, "rate": %s, "mode": "speed", "ended": false}'


@pytest.mark.parametrize("body", ["", "<html>", "{}", "[]", CLOCK % '"NaN"', CLOCK % '"-1"'])
async def test_what_is_not_a_simulators_clock_is_told_so(body: str) -> None:
    app = web.Application()
    app.router.add_get("/control/clock", text(body))
    async with serving(app) as url, SimulatorClock(url) as clock:
        with pytest.raises(VenueUnavailable, match="OXBOT_SIMULATOR_URL"):
            await clock.reading()


async def test_a_simulator_that_is_gone_or_hangs_is_an_outage() -> None:
    app = web.Application()
    app.router.add_get("/control/clock", silence)
    async with serving(app) as url, SimulatorClock(url, timeout_s=0.2) as clock:
        with pytest.raises(VenueUnavailable, match="oxbot simulator"):
            await clock.reading()
    async with SimulatorClock(url) as clock:
        with pytest.raises(VenueUnavailable, match="oxbot simulator"):
            await clock.reading()


async def test_a_server_that_is_no_simulator_is_an_outage() -> None:
    async with serving(web.Application()) as url, SimulatorClock(url) as clock:
        with pytest.raises(VenueUnavailable, match="does not answer"):
            await clock.reading()
