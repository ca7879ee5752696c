"""A bot's day: every tick on time, every cycle on record, over several runs."""

from itertools import pairwise

from oxbot.domain.schedule import offset_ms
from tests.support.house import House, history_length, stop

DAY_S = 86_400
INTERVAL_MS = 300_000


async def test_a_day_has_288_recorded_cycles_on_aligned_ticks_over_several_runs(
    house: House,
) -> None:
    bot = await house.new_bot()
    handle = await house.start(bot)
    await house.pass_time(DAY_S)

    cycles = house.recorded(bot)
    assert [cycle.cycle for cycle in cycles] == list(range(1, 289))
    offset = offset_ms(bot.id, INTERVAL_MS)
    assert {cycle.due_ms % INTERVAL_MS for cycle in cycles} == {offset}
    assert {later.due_ms - earlier.due_ms for earlier, later in pairwise(cycles)} == {INTERVAL_MS}
    assert {cycle.skipped for cycle in cycles} == {None}
    assert house.store.missed == []
    assert house.model.asked == 288

    runs = {block.run_id.partition("/")[0] for block in house.store.blocks}
    assert len(runs) == 5
    assert await history_length(handle) < 2_000
    await stop(handle)
