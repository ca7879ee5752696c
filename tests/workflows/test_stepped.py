"""A venue that stands still: ticks come from its driver, and from nowhere else."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError

from oxbot.domain.bot import BotStatus
from oxbot.domain.orders import Purpose
from tests.support.fakes import BTC
from tests.support.house import (
    GLANCE_S,
    PATIENCE_S,
    BotHandle,
    House,
    next_tick,
    pause,
    resume,
    status_of,
    stop,
    tick,
)
from workflows import limits

NOON_MS = 1_750_000_000_000


@pytest.fixture
def stepped_house(real_house: House) -> House:
    """A house whose venue stands still."""
    real_house.clock.stepped_ms = NOON_MS
    return real_house


async def test_a_cycle_runs_when_the_driver_says_so_and_the_answer_comes_when_it_is_done(
    stepped_house: House,
) -> None:
    bot, handle = await stepped_house.started()
    stepped_house.model.will_buy(BTC)
    report = await next_tick(stepped_house, handle)
    assert (report.cycle, report.skipped) == (1, None)
    assert len(stepped_house.store.filled(Purpose.ENTRY)) == 1
    assert [cycle.cycle for cycle in stepped_house.recorded(bot)] == [1]
    assert report.next_due_ms == (await status_of(handle)).next_due_ms


async def test_a_cycle_is_on_record_before_it_is_answered_however_long_nobody_writes_it(
    stepped_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the next cycle it would be written without an equity: it would be no replay."""
    monkeypatch.setattr(limits, "SHORTEST", timedelta(seconds=0.5))
    monkeypatch.setattr(limits, "SHORTEST_ATTEMPT", timedelta(seconds=0.5))
    bot, handle = await stepped_house.started(interval_s=1)
    begun = stepped_house.faults.begun
    with stepped_house.faults.failing("record_cycles", final=False):
        ticking = asyncio.create_task(next_tick(stepped_house, handle))
        await stepped_house.pass_until(lambda: begun["record_cycles"] >= 3 or ticking.done())
        assert not ticking.done()
        assert stepped_house.recorded(bot) == []
    assert (await ticking).cycle == 1
    assert [cycle.cycle for cycle in stepped_house.recorded(bot)] == [1]


async def test_the_same_tick_asked_for_twice_is_one_cycle(stepped_house: House) -> None:
    bot, handle = await stepped_house.started()
    first = await next_tick(stepped_house, handle)
    assert stepped_house.clock.stepped_ms is not None
    again = await tick(handle, stepped_house.clock.stepped_ms)
    assert again == first
    assert len(stepped_house.recorded(bot)) == 1


async def test_a_tick_that_is_not_the_next_one_is_refused(stepped_house: House) -> None:
    bot, handle = await stepped_house.started()
    due_ms = (await status_of(handle)).next_due_ms
    assert due_ms is not None
    with pytest.raises(WorkflowUpdateFailedError):
        await tick(handle, due_ms + 300_000)
    assert stepped_house.recorded(bot) == []


@pytest.mark.critical
async def test_a_tick_while_paused_and_flat_is_acknowledged_without_a_cycle(
    stepped_house: House,
) -> None:
    bot, handle = await stepped_house.started()
    await pause(handle)
    report = await next_tick(stepped_house, handle)
    assert report.cycle is None
    assert report.next_due_ms == (stepped_house.clock.stepped_ms or 0) + 300_000
    assert stepped_house.recorded(bot) == []
    await resume(handle)
    assert (await next_tick(stepped_house, handle)).cycle == 1


async def test_ticks_that_passed_while_time_flowed_elsewhere_are_counted_at_a_wake(
    stepped_house: House,
) -> None:
    bot, handle = await stepped_house.started()
    due_ms = (await next_tick(stepped_house, handle)).next_due_ms
    stepped_house.clock.stepped_ms = (stepped_house.clock.stepped_ms or 0) + 4 * 300_000
    await handle.signal("wake")
    await stepped_house.until_view(handle, lambda view: view.next_due_ms != due_ms)
    assert stepped_house.faults.begun["read_clock"] == 1
    assert (await next_tick(stepped_house, handle)).cycle == 2
    assert [gap.ticks for gap in stepped_house.store.missed] == [3]
    assert len(stepped_house.recorded(bot)) == 2


async def test_a_bot_follows_its_venue_from_standing_to_flowing_and_back(
    stepped_house: House,
) -> None:
    bot, handle = await stepped_house.started(interval_s=1)
    await next_tick(stepped_house, handle)
    stepped_house.clock.stepped_ms = None
    await handle.signal("wake")
    await stepped_house.until(lambda: len(stepped_house.recorded(bot)) >= 3)
    stepped_house.clock.stepped_ms = (await stepped_house.wall()) // 1000 * 1000
    await stepped_house.until_view(handle, lambda view: view.stepped)
    first = await _first_tick(stepped_house, handle)
    assert (await next_tick(stepped_house, handle)).cycle == first + 1
    await stop(handle)
    assert (await stepped_house.ended(handle)).status is BotStatus.STOPPED


async def _first_tick(house: House, handle: BotHandle) -> int:
    """Tick until it is taken: a cycle under way when time stopped ends first."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                report = await next_tick(house, handle)
            except WorkflowUpdateFailedError:
                await asyncio.sleep(GLANCE_S)
            else:
                assert report.cycle is not None
                return report.cycle
