"""An update that does not fit is refused, says why, and leaves no trace in the history."""

import pytest
from temporalio.client import WorkflowUpdateFailedError

from oxbot.messages import ControlRequest, TickRequest
from tests.support.fakes import BTC
from tests.support.house import (
    BotHandle,
    House,
    history_length,
    next_tick,
    pause,
    stop,
)

START_MS = 1_750_000_000_000

pytestmark = pytest.mark.critical


async def refused(handle: BotHandle, name: str, request: object) -> str:
    """Send an update that must be refused; give the words."""
    before = await history_length(handle)
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await handle.execute_update(name, request)
    assert await history_length(handle) == before
    return str(refusal.value.cause)


@pytest.mark.parametrize("wish", ["resume", "pause"])
async def test_a_closing_bot_cannot_be_brought_back(real_house: House, wish: str) -> None:
    real_house.clock.stepped_ms = START_MS
    bot, handle = await real_house.started()
    real_house.model.will_buy(BTC)
    await next_tick(real_house, handle)
    await stop(handle, flatten=False)

    assert f"is closing; it cannot {wish}" in await refused(handle, wish, ControlRequest())

    before = await real_house.store.bot(bot.id)
    await handle.signal(wish)
    await next_tick(real_house, handle)
    assert (await real_house.store.bot(bot.id)) == before


async def test_a_bot_of_a_flowing_venue_takes_no_ticks(real_house: House) -> None:
    _, handle = await real_house.started()
    await pause(handle)
    told = await refused(handle, "tick", TickRequest(due_ms=START_MS))
    assert "ticks come from timers" in told


async def test_a_tick_that_is_not_the_next_one_is_refused(real_house: House) -> None:
    real_house.clock.stepped_ms = START_MS
    _, handle = await real_house.started()
    report = await next_tick(real_house, handle)
    assert report.next_due_ms is not None
    for wrong in (report.next_due_ms + 300_000, report.next_due_ms - 1, 0):
        told = await refused(handle, "tick", TickRequest(due_ms=wrong))
        assert told == f"The next tick is {report.next_due_ms}, not {wrong}."
