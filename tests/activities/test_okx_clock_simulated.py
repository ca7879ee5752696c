"""The simulated venue's time: asked for every time, as it stands or runs."""

from decimal import Decimal

import pytest
from aiohttp import web

from oxbot.adapters.okx.clock import SimulatorClock
from oxbot.domain.errors import VenueUnavailable
from oxbot.simulator.clock import ClockChange, Mode
from tests.activities.okx_server import serving, silence, simulated, text


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
