"""Signals are never lost, also not where one run gives over to the next."""

import asyncio
from functools import partial

import pytest

from oxbot.domain.bot import Bot, BotStatus
from oxbot.messages import ControlRequest
from tests.support.house import BotHandle, House, pause, resume, status_of

SENDERS = 4
SIGNALS = 200
PORTION = 10
EPOCH_AT_FIRST = 1

pytestmark = pytest.mark.critical


async def restless(house: House) -> tuple[Bot, BotHandle]:
    """A bot that begins a new run after every cycle, and asks for numbers in each."""
    house.store.grant_at_most = 1
    bot = await house.new_bot(interval_s=1)
    return bot, await house.start(bot, roll_after=1)


def runs(house: House) -> int:
    """Count the runs that asked for numbers."""
    return len({block.run_id.partition("/")[0] for block in house.store.blocks})


def _has_more_runs(house: House, than: int) -> bool:
    return runs(house) > than


async def send(house: House, handle: BotHandle, count: int) -> None:
    """Pause and resume in turn, and let a new run begin after each portion."""
    for number in range(1, count + 1):
        wish = ControlRequest(reason=str(number))
        await handle.signal("pause" if number % 2 else "resume", wish)
        if number % PORTION == 0:
            await house.until(partial(_has_more_runs, house, runs(house)))


async def send_from_everywhere(house: House, handle: BotHandle) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(SENDERS):
            group.create_task(send(house, handle, SIGNALS // SENDERS))


async def check_that_all_are_applied(house: House) -> None:
    bot, handle = await restless(house)
    sending = asyncio.create_task(send_from_everywhere(house, handle))
    await house.pass_until(sending.done, portion_s=1)
    await sending
    answer = await pause(handle)
    assert answer.epoch == EPOCH_AT_FIRST + SIGNALS + 1
    assert (await house.store.bot(bot.id)).epoch == answer.epoch
    assert runs(house) >= SIGNALS // SENDERS // PORTION


async def test_two_hundred_signals_across_runs_are_all_applied(house: House) -> None:
    await check_that_all_are_applied(house)


async def test_two_hundred_signals_to_a_real_server_are_all_applied(real_house: House) -> None:
    await check_that_all_are_applied(real_house)


async def test_updates_are_answered_while_runs_follow_each_other(real_house: House) -> None:
    _, handle = await restless(real_house)
    epochs = []
    while runs(real_house) < 4:
        epochs.append((await resume(handle)).epoch)
    assert epochs == list(range(epochs[0], epochs[0] + len(epochs)))
    assert (await status_of(handle)).status is BotStatus.RUNNING


async def test_a_wake_is_not_lost_where_runs_change(real_house: House) -> None:
    house = real_house
    bot = await house.new_bot(interval_s=1)
    handle = await house.start(bot, roll_after=1)
    async with house.faults.holding("record_cycles") as held:
        await house.until(held.reached.is_set)
        assert house.faults.begun["read_clock"] == 0
        await handle.signal("wake")
    await house.until(lambda: house.faults.begun["read_clock"] == 1)
