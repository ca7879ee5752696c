"""A guarded call: what counts against the venue, what is said, and who passes."""

from collections.abc import Callable

import pytest

from oxbot.app.breaker import guarded
from oxbot.domain.circuit import OPENS_AFTER, Phase
from oxbot.domain.errors import (
    BeingProbed,
    CircuitOpen,
    InputError,
    OxbotError,
    RateLimited,
    StoreUnavailable,
    Unusable,
    VenueRefused,
    VenueUnavailable,
)
from oxbot.domain.market import ClockReading
from tests.support.fake_breaker import FakeBreaker
from tests.unit.app.room import NOW_MS, Room
from worker.failures import translated


async def call(
    room: Room, error: OxbotError | None = None, *, later_s: int = 0, urgent: bool = False
) -> None:
    """Make one guarded call, which ends as told."""
    room.now_ms = NOW_MS + later_s * 1000
    clock: ClockReading = await room.ports.clock.reading()
    async with guarded(room.ports, clock, urgent=urgent):
        if error:
            raise error


async def opened(room: Room) -> None:
    for _ in range(OPENS_AFTER):
        with pytest.raises(VenueUnavailable):
            await call(room, VenueUnavailable("no answer"))


async def phase(room: Room) -> Phase | None:
    states = await room.breaker.states()
    return states[0].phase if states else None


@pytest.mark.critical
async def test_an_open_circuit_refuses_at_once_and_says_what_since_when_and_until_when(
    room: Room,
) -> None:
    await opened(room)
    with pytest.raises(CircuitOpen) as refused:
        await call(room)
    told = str(refused.value)
    assert told.startswith("fake is not asked for prices: it has not answered 5 times in a row")
    assert "last: no answer" in told
    assert "It is tried again from 2027-01-15 08:00:30 venue time on." in told
    assert not isinstance(refused.value, BeingProbed)


@pytest.mark.critical
async def test_temporal_gives_an_open_circuit_up_for_this_cycle_but_waits_for_a_probe(
    room: Room,
) -> None:
    await opened(room)
    with pytest.raises(CircuitOpen) as refused:
        await call(room)
    failure = translated(refused.value)
    assert (failure.type, failure.non_retryable) == ("CircuitOpen", True)

    await room.breaker.admit("fake", await _at(room, 30))
    with pytest.raises(BeingProbed, match="try again") as probed:
        await call(room, later_s=30)
    assert not translated(probed.value).non_retryable


@pytest.mark.critical
async def test_an_exit_passes_an_open_circuit_and_its_answer_closes_it(room: Room) -> None:
    await opened(room)
    with pytest.raises(VenueUnavailable, match="no answer"):
        await call(room, VenueUnavailable("no answer"), urgent=True)
    assert await phase(room) is Phase.OPEN
    await call(room, urgent=True)
    assert await phase(room) is None
    await call(room)


@pytest.mark.parametrize(
    "answer",
    [
        lambda: RateLimited("slower", 2),
        lambda: Unusable("the candle is not closed yet"),
        lambda: InputError("not listed"),
        lambda: VenueRefused("no"),
    ],
)
async def test_whatever_the_venue_answers_it_is_there(
    room: Room, answer: Callable[[], OxbotError]
) -> None:
    for _ in range(OPENS_AFTER - 1):
        with pytest.raises(VenueUnavailable):
            await call(room, VenueUnavailable("no answer"))
    with pytest.raises(type(answer())):
        await call(room, answer())
    assert await room.breaker.states() == []


async def test_a_failure_of_our_own_says_nothing_of_the_venue(room: Room) -> None:
    await opened(room)
    with pytest.raises(StoreUnavailable):
        await call(room, StoreUnavailable("Redis"), later_s=30)
    assert await phase(room) is Phase.HALF_OPEN


async def test_a_probe_that_is_answered_closes_the_circuit(room: Room) -> None:
    await opened(room)
    await call(room, later_s=30)
    assert await phase(room) is None


async def _at(room: Room, later_s: int) -> ClockReading:
    room.now_ms = NOW_MS + later_s * 1000
    return await room.ports.clock.reading()


async def test_an_answer_is_reported_only_where_something_was_held_against_the_venue(
    room: Room,
) -> None:
    class Counting(FakeBreaker):
        told = 0

        async def succeeded(self, target: str) -> None:
            self.told += 1
            await super().succeeded(target)

    room.breaker = breaker = Counting()
    await call(room)
    assert breaker.told == 0
    with pytest.raises(VenueUnavailable):
        await call(room, VenueUnavailable("no answer"))
    await call(room)
    assert breaker.told == 1
    assert await breaker.states() == []
