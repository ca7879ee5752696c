"""Driving many bots: in the order of their ticks, each once, whoever falls over on the way."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.app.replay import history_begins
from oxbot.domain.errors import Conflict, Unavailable
from oxbot.domain.indicators import CANDLES_NEEDED
from oxbot.domain.market import CANDLE_MS, Bar
from tests.unit.app.guarded_venue import Venue
from tests.unit.app.replay_house import STEP_MS, House, Tick

HOUR = 12 * STEP_MS
OFFSETS = {"r001": 0, "r002": 7_000, "r003": 7_000, "r004": 299_000}

offsets = st.dictionaries(
    st.sampled_from([f"r{n:03}" for n in range(1, 9)]),
    st.integers(0, 299).map(lambda second: second * 1000),
    min_size=1,
)
deaths = st.sets(
    st.tuples(st.sampled_from([f"r{n:03}" for n in range(1, 9)]), st.integers(0, 2 * HOUR))
)


async def test_each_bot_has_each_of_its_ticks_once_while_the_venue_stands_there() -> None:
    house = await House(OFFSETS).opened()
    stops = await house.driven(HOUR)
    expected = sorted(
        (at, bot_id)
        for bot_id, offset in OFFSETS.items()
        for at in range(offset or STEP_MS, HOUR + 1, STEP_MS)
    )
    assert [(at, bot_id) for bot_id, at in house.done] == expected
    assert house.venue_at == {tick: tick[1] for tick in house.done}
    assert house.venue.now_ms == HOUR
    assert [stop.venue_ms for stop in stops] == sorted({at for at, _ in expected})
    assert sum(len(stop.reports) for stop in stops) == len(expected)
    assert sum(stop.cycles for stop in stops) == len(expected)


@given(offsets=offsets, before=deaths, after=deaths, away=st.integers(0, 5))
def test_whoever_dies_wherever_the_same_ticks_happen_at_the_same_times(
    offsets: dict[str, int], before: set[Tick], after: set[Tick], away: int
) -> None:
    """Deaths are moved to ticks that exist, so that they happen."""

    async def run(*, disturbed: bool) -> dict[Tick, int]:
        house = await House(offsets).opened()
        if disturbed:
            house.dies_before = {_tick(offsets, tick) for tick in before if tick[0] in offsets}
            house.dies_after = {_tick(offsets, tick) for tick in after if tick[0] in offsets}
            house.away = house.venue.away = away
        await house.driven(2 * HOUR)
        assert len(set(house.done)) == len(house.done)
        assert not house.dies_before | house.dies_after
        return house.venue_at

    assert asyncio.run(run(disturbed=True)) == asyncio.run(run(disturbed=False))


def _tick(offsets: dict[str, int], near: Tick) -> Tick:
    """The first tick of the bot at or after STEP_MS that is not later than near, or the first."""
    bot_id, at = near
    offset = offsets[bot_id]
    return bot_id, max(
        STEP_MS if offset == 0 else offset, (at - offset) // STEP_MS * STEP_MS + offset
    )


async def test_in_two_parts_it_comes_to_the_same_as_in_one() -> None:
    """The first part ends while bots that are due together have had their ticks in part."""
    whole, parts = await House(OFFSETS).opened(), await House(OFFSETS).opened()
    await whole.driven(HOUR)
    parts.dies_before = {("r003", STEP_MS + 7_000)}
    with pytest.raises(Unavailable):
        await parts.driven(HOUR, patience_s=0)
    assert parts.venue.now_ms == STEP_MS + 7_000
    await parts.driven(HOUR)
    assert sorted(parts.venue_at.items()) == sorted(whole.venue_at.items())


async def test_what_is_done_already_is_not_done_again() -> None:
    house = await House(OFFSETS).opened()
    await house.driven(HOUR)
    before = list(house.done)
    assert await house.driven(HOUR) == []
    assert house.done == before


async def test_a_paused_bot_and_a_stopped_one_do_not_hold_up_the_others() -> None:
    house = await House(OFFSETS).opened()
    house.paused = {"r001"}
    await house.end("r002")
    await house.driven(HOUR)
    assert {bot_id for bot_id, _ in house.done} == {"r003", "r004"}
    assert house.venue.now_ms == HOUR


async def test_a_bot_that_ends_on_the_way_is_left_behind() -> None:
    house = await House(OFFSETS).opened()
    house.stops_at = {("r001", 3 * STEP_MS)}
    await house.driven(HOUR)
    assert max(at for bot_id, at in house.done if bot_id == "r001") == 2 * STEP_MS
    assert max(at for bot_id, at in house.done if bot_id == "r002") > HOUR - STEP_MS


async def test_a_bot_that_says_its_tick_is_not_due_is_asked_again_and_nothing_goes_on() -> None:
    house = await House(OFFSETS).opened()
    house.not_due = {("r001", STEP_MS)}
    with pytest.raises(Unavailable, match="not due yet"):
        await house.driven(HOUR, patience_s=0)
    assert {bot_id for bot_id, _ in house.done} == {"r002", "r003", "r004"}
    assert house.venue.now_ms == STEP_MS
    house.not_due = {("r001", STEP_MS)}
    await house.driven(HOUR)
    assert ("r001", STEP_MS) in house.done
    assert [at for at, later in pairwise(at for _, at in house.done) if at > later] == []


async def test_bots_that_are_due_together_work_together_but_not_too_many_at_once() -> None:
    many = {f"r{n:03}": 0 for n in range(20)}
    for at_once in (1, 5):
        house = await House(many).opened()
        await house.driven(STEP_MS, at_once=at_once)
        assert len(house.done) == 20
        assert house.most_at_work == at_once


async def test_where_nobody_answers_for_too_long_it_gives_up_and_says_who() -> None:
    house = await House(OFFSETS).opened()
    house.away = 10**9
    with pytest.raises(Unavailable, match="No worker answers"):
        await house.driven(HOUR, patience_s=0)
    assert house.venue.now_ms == 0


async def test_where_the_candles_end_it_says_so() -> None:
    house = await House(OFFSETS, venue=Venue(end_ms=2 * STEP_MS)).opened()
    with pytest.raises(Conflict, match="market has ended"):
        await house.driven(HOUR)
    assert max(at for _, at in house.done) <= 2 * STEP_MS


def test_the_history_that_is_needed_grows_with_the_longest_look_back() -> None:
    noon_ms = 1_750_000_000_000 // (48 * CANDLE_MS) * 48 * CANDLE_MS
    assert history_begins(noon_ms, [Bar.M5]) == noon_ms - CANDLES_NEEDED * CANDLE_MS
    of_days = noon_ms - CANDLES_NEEDED * 48 * CANDLE_MS
    assert history_begins(noon_ms, [Bar.M5, Bar.H1, Bar.H4]) == of_days
    assert history_begins(noon_ms + CANDLE_MS, [Bar.H4]) == of_days
