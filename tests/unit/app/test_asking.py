"""A question to the exchange: no answer in time is an outage, and the breaker hears of it."""

import asyncio

import pytest

from oxbot.app import asking as questions
from oxbot.app.asking import asking
from oxbot.domain.errors import VenueUnavailable
from tests.unit.app.room import Room


@pytest.mark.critical
async def test_an_exchange_that_hangs_opens_the_breaker_like_one_that_is_away(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "ANSWER_S", 0)
    ports = room.ports
    now = await ports.clock.reading()
    with pytest.raises(VenueUnavailable, match="gave no answer within"):
        async with asking(ports, now):
            await asyncio.Event().wait()
    [circuit] = await ports.breaker.states()
    assert (circuit.failures, circuit.reason) == (
        1,
        "fake gave no answer within 0 s; it is asked again.",
    )


async def test_another_timeout_stays_what_it_is(room: Room) -> None:
    ports = room.ports
    with pytest.raises(TimeoutError) as caught:
        async with asking(ports, await ports.clock.reading()):
            raise TimeoutError("mine")
    assert str(caught.value) == "mine"
