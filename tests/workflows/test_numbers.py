"""Cycle numbers come in blocks and follow each other; a worker that was away shifts none."""

import time

import pytest
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from tests.support.house import House
from worker.main import make_worker

pytestmark = pytest.mark.critical


async def test_a_bot_whose_numbers_run_out_asks_for_more_and_leaves_none_out(
    house: House,
) -> None:
    house.store.grant_at_most = 2
    bot, _ = await house.started()
    cycles = await house.run_cycles(bot, 6)
    assert [cycle.cycle for cycle in cycles] == list(range(1, len(cycles) + 1))
    firsts = [block.first_cycle for block in house.store.blocks]
    assert firsts == list(range(1, 2 * len(firsts), 2))
    assert {block.incarnation for block in house.store.blocks} == {1}
    assert len({block.run_id for block in house.store.blocks}) == len(firsts)


async def test_numbers_asked_for_in_vain_are_granted_once_the_record_answers(
    house: House,
) -> None:
    bot = await house.new_bot()
    with house.faults.failing("open_run", final=False):
        await house.start(bot)
        await house.pass_until(lambda: house.faults.begun["open_run"] >= 3, portion_s=1)
    cycles = await house.run_cycles(bot, 1)
    assert [cycle.cycle for cycle in cycles] == [1]
    assert len(house.store.blocks) == 1


@pytest.mark.parametrize(
    ("session", "cause"),
    [("first", "the bot was late"), ("second", "the system was restarted")],
)
async def test_a_worker_that_was_away_costs_ticks_that_are_counted_and_no_number(
    empty_real_house: House, session: str, cause: str
) -> None:
    house = empty_real_house
    async with house.worker():
        bot, _ = await house.started(interval_s=1)
        await house.run_cycles(bot, 1)
    before = len(house.recorded(bot))
    house.session = session
    away_until = house.recorded(bot)[-1].due_ms + 3_500
    await house.pass_until(lambda: time.time_ns() // 1_000_000 > away_until, portion_s=0.2)
    async with house.worker():
        await house.pass_until(lambda: len(house.recorded(bot)) > before + 1)
        await house.end()

    cycles = house.recorded(bot)
    assert [cycle.cycle for cycle in cycles] == list(range(1, len(cycles) + 1))
    gap = max(house.store.missed, key=lambda missed: missed.ticks)
    assert gap.cause == cause
    last, first = _around(gap.from_ms, [cycle.due_ms for cycle in cycles])
    assert first - last == (gap.ticks + 1) * 1_000


def _around(gap_ms: int, dues: list[int]) -> tuple[int, int]:
    """Give the last due time before a gap and the first after it."""
    return max(d for d in dues if d < gap_ms), min(d for d in dues if d > gap_ms)


async def test_workflows_run_in_the_sandbox_with_all_its_restrictions(
    empty_real_house: House,
) -> None:
    house = empty_real_house
    for worker in (house.worker(), make_worker(house.client, house.ports, "elsewhere")):
        runner = worker.config().get("workflow_runner")
        assert isinstance(runner, SandboxedWorkflowRunner)
        assert runner.restrictions == SandboxRestrictions.default
