"""Ticks that passed unused are counted once, with their cause; numbers leave no gap."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.market import ClockReading
from oxbot.messages import RunSpec
from tests.support.house import House
from workflows.state import BotState

INTERVAL_MS = 300_000
NOON_MS = 1_750_000_000_000


def state() -> BotState:
    """A bot that knows its numbers and waits for its first tick."""
    spec = RunSpec(
        name="Test",
        owner="local",
        mode="paper",
        symbols=("BTC/USDT",),
        interval_ms=INTERVAL_MS,
        provider="fake",
    )
    clock = ClockReading(venue_ms=NOON_MS, wall_ms=NOON_MS, rate=Decimal(1))
    waiting = BotState(bot_id="test", spec=spec, clock=clock, session="first")
    waiting.schedule_next()
    return waiting


@given(st.lists(st.integers(min_value=1, max_value=500), min_size=1, max_size=5))
def test_ticks_that_passed_are_added_up_until_a_cycle_can_tell_of_them(times: list[int]) -> None:
    bot = state()
    first_ms = bot.due_ms
    assert first_ms is not None
    for ticks in times:
        bot.overtake(ticks, NOON_MS)
    assert bot.due_ms == first_ms + sum(times) * INTERVAL_MS
    assert bot.missed == []
    bot.explain_overtaken("first")
    [gap] = bot.missed
    assert (gap.ticks, gap.from_ms) == (sum(times), first_ms)
    assert gap.cause == "the bot was late"
    assert bot.overtaken is None


def test_ticks_that_passed_over_a_restart_are_laid_to_it_once() -> None:
    bot = state()
    bot.overtake(3, NOON_MS)
    bot.explain_overtaken("second")
    bot.explain_overtaken("second")
    assert [(gap.ticks, gap.cause) for gap in bot.missed] == [(3, "the system was restarted")]


@pytest.mark.parametrize("ticks", [0, 1, 4])
def test_a_restart_seen_in_the_middle_of_a_cycle_is_told_with_the_ticks_it_cost(
    ticks: int,
) -> None:
    bot = state()
    assert bot.due_ms is not None
    back_ms = bot.due_ms + INTERVAL_MS
    bot.clock = ClockReading(venue_ms=back_ms, wall_ms=back_ms, rate=Decimal(1))
    bot.explain_overtaken("second")
    assert bot.missed == []
    bot.overtake(ticks, back_ms)
    bot.explain_overtaken("second")
    bot.explain_overtaken("second")
    assert [(gap.ticks, gap.cause) for gap in bot.missed] == [(ticks, "the system was restarted")]


def test_a_bot_that_starts_over_lays_its_lost_ticks_to_the_restart() -> None:
    bot = state()
    bot.session = ""
    bot.overtake(2, NOON_MS)
    bot.explain_overtaken("first")
    assert [(gap.ticks, gap.cause) for gap in bot.missed] == [(2, "the system was restarted")]


def test_without_an_unused_tick_and_without_a_restart_there_is_nothing_to_tell() -> None:
    bot = state()
    bot.overtake(0, NOON_MS)
    bot.explain_overtaken("first")
    assert bot.missed == []


def causes(house: House) -> list[str]:
    """Why ticks passed unused, as far as it is on record."""
    return [gap.cause for gap in house.store.missed]


async def test_a_restart_is_told_once_whatever_it_cost(empty_real_house: House) -> None:
    house = empty_real_house
    bot = await house.new_bot(interval_s=1)
    async with house.worker():
        await house.start(bot)
        await house.until(lambda: len(house.recorded(bot)) >= 1)
    house.session = "second"
    async with house.worker():
        await house.until(lambda: "the system was restarted" in causes(house))
        before = len(house.recorded(bot))
        await house.until(lambda: len(house.recorded(bot)) >= before + 2)
        assert causes(house).count("the system was restarted") == 1
        cycles = house.recorded(bot)
        assert [cycle.cycle for cycle in cycles] == list(range(1, len(cycles) + 1))
        await house.end()


@pytest.mark.critical
async def test_a_bot_that_starts_over_is_a_new_incarnation_with_new_numbers(
    real_house: House,
) -> None:
    bot, handle = await real_house.started(interval_s=1)
    await real_house.until(lambda: len(real_house.recorded(bot)) >= 2)
    await handle.terminate("as if Temporal's data had been lost")
    used = max(cycle.cycle for cycle in real_house.recorded(bot))
    granted = max(block.first_cycle + block.cycles for block in real_house.store.blocks)
    await real_house.start(bot)
    await real_house.until(
        lambda: max(cycle.cycle for cycle in real_house.recorded(bot)) >= granted
    )
    later = [cycle for cycle in real_house.recorded(bot) if cycle.cycle > used]
    assert later[-1].incarnation == 2
    assert min(cycle.cycle for cycle in later if cycle.incarnation == 2) == granted
