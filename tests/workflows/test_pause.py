"""Pause: no cycle while flat, no entry ever, protection always, and an answer that is true."""

import asyncio

import pytest

from oxbot.domain.bot import BotStatus
from oxbot.domain.money import Price
from oxbot.domain.orders import OrderState, Purpose
from oxbot.domain.schedule import offset_ms
from oxbot.messages import ControlRequest
from tests.support.fakes import BTC, ETH
from tests.support.house import House, history_length, pause, resume, status_of

HOURS_S = 6 * 3600
STOPPED_OUT = Price(57_000)

pytestmark = pytest.mark.critical


async def test_a_paused_flat_bot_begins_no_cycle_and_writes_no_history(house: House) -> None:
    bot, handle = await house.started()
    await house.run_cycles(bot, 1)
    await house.until_written(handle)
    answer = await pause(handle)
    assert (answer.status, answer.recorded, answer.in_flight) == ("paused", True, ())
    cycles, events = len(house.recorded(bot)), await history_length(handle)

    await house.pass_time(HOURS_S)

    assert len(house.recorded(bot)) == cycles
    assert await history_length(handle) == events


async def test_a_wake_of_a_paused_bot_never_trades(house: House) -> None:
    bot, handle = await house.started()
    await pause(handle)
    house.model.will_buy(BTC)
    for name in ("wake", "pause", "wake", "wake", "pause"):
        await handle.signal(name)
        await house.pass_time(600)

    assert house.recorded(bot) == []
    assert house.model.asked == 0
    assert house.faults.begun["observe_market"] == 0
    assert (await status_of(handle)).status is BotStatus.PAUSED


async def test_a_wake_of_a_running_bot_does_not_hurry_its_tick(house: House) -> None:
    bot, handle = await house.started()
    await house.run_cycles(bot, 1)
    for _ in range(5):
        await handle.signal("wake")
    await house.until(lambda: house.faults.begun["read_clock"] > 0)
    [first] = house.recorded(bot)
    assert (await house.run_cycles(bot, 1))[-1].due_ms - first.due_ms == 300_000


async def test_a_resumed_bot_goes_on_at_its_next_aligned_tick(house: House) -> None:
    bot, handle = await house.started()
    await house.run_cycles(bot, 1)
    await pause(handle)
    await house.pass_time(1_000)
    resumed_ms = await house.wall()
    assert (await resume(handle)).status == "running"

    last = (await house.run_cycles(bot, 1))[-1]

    assert last.cycle == 2
    assert 0 < last.due_ms - resumed_ms <= 300_000
    assert last.due_ms % 300_000 == offset_ms(bot.id, 300_000)
    assert house.store.missed == []


async def test_a_pause_while_the_model_thinks_prevents_the_entry(house: House) -> None:
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    async with house.faults.holding("decide") as held:
        await house.pass_until(held.reached.is_set)
        answer = await pause(handle)
    assert (answer.status, answer.recorded, answer.in_flight) == ("paused", True, ())

    await house.until(lambda: len(house.recorded(bot)) == 1)
    assert house.store.orders_by_id == {}
    assert (await status_of(handle)).status is BotStatus.PAUSED


async def test_a_pause_while_the_rules_judge_prevents_the_entry_even_if_unrecorded(
    house: House,
) -> None:
    """The record of control hangs, so that only the workflow itself can hold the entry back."""
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    async with house.faults.holding("write_control") as written:
        async with house.faults.holding("validate_risk") as held:
            await house.pass_until(held.reached.is_set)
            await handle.signal("pause")
            await written.reached.wait()
        await house.until(lambda: len(house.recorded(bot)) == 1)
    assert house.store.filled(Purpose.ENTRY) == []
    assert house.faults.begun["execute_order"] == 0


async def test_a_pause_while_an_entry_is_sent_names_it_and_prevents_all_others(
    house: House,
) -> None:
    bot, handle = await house.started()
    house.model.will_buy(BTC, ETH)
    async with house.faults.holding("execute_order") as held:
        await house.pass_until(held.reached.is_set)
        answer = await pause(handle)
        [first, second] = house.store.orders_by_id.values()
        assert (answer.status, answer.in_flight) == ("pausing", (first.id,))

    await house.until(lambda: len(house.recorded(bot)) == 1)
    [outcome] = house.recorded(bot)
    assert [(o.order_id, o.state) for o in outcome.orders] == [(first.id, OrderState.CANCELLED)]
    assert house.store.filled(Purpose.ENTRY) == []
    assert (await pause(handle)).status == "paused"
    assert (await house.store.order(second.id)).state is OrderState.INTENDED


async def test_an_entry_whose_end_is_unknown_keeps_the_answer_at_pausing(house: House) -> None:
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    with house.faults.failing("execute_order"):
        await house.run_cycles(bot, 1)
        [order] = house.store.orders_by_id.values()
        answer = await pause(handle)
        assert (answer.status, answer.in_flight) == ("pausing", (order.id,))
    await house.run_cycles(bot, 1)
    assert (await pause(handle)).status == "paused"
    assert (await house.store.order(order.id)).state is OrderState.CANCELLED


async def test_the_answer_is_paused_only_once_the_pause_is_on_record(house: House) -> None:
    bot, handle = await house.started()
    async with house.faults.holding("write_control") as held:
        waiting = asyncio.create_task(pause(handle))
        await held.reached.wait()
        assert (await status_of(handle)).status is BotStatus.PAUSED
        assert not waiting.done()
    answer = await waiting
    assert (answer.status, answer.recorded) == ("paused", True)
    assert (await house.store.bot(bot.id)).status is BotStatus.PAUSED
    assert (await house.store.bot(bot.id)).epoch == answer.epoch


async def test_a_pause_that_cannot_be_recorded_in_time_answers_pausing(house: House) -> None:
    bot, handle = await house.started()
    with house.faults.failing("write_control", final=False):
        waiting = asyncio.create_task(pause(handle))
        await house.pass_until(waiting.done, portion_s=1)
        answer = await waiting
    assert (answer.status, answer.recorded) == ("pausing", False)
    await house.pass_until(lambda: bool(house.store.control), portion_s=5)
    assert (await house.store.bot(bot.id)).status is BotStatus.PAUSED


async def test_a_pause_before_the_bot_has_its_numbers_is_not_called_recorded(
    real_house: House,
) -> None:
    bot = await real_house.new_bot()
    async with real_house.faults.holding("open_run") as held:
        handle = await real_house.start(bot)
        await held.reached.wait()
        waiting = asyncio.create_task(pause(handle))
        await real_house.until_status(handle, BotStatus.PAUSED)
        async with real_house.faults.holding("write_control") as written:
            held.released.set()
            await written.reached.wait()
            assert not waiting.done()
    answer = await waiting
    assert (answer.status, answer.recorded, answer.epoch) == ("paused", True, 2)
    assert (await real_house.store.bot(bot.id)).epoch == 2


async def test_a_paused_bot_with_a_position_cycles_without_its_model_and_stops_out(
    house: House,
) -> None:
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    await house.run_cycles(bot, 1)
    await pause(handle)
    asked = house.faults.begun["decide"]
    await house.run_cycles(bot, 2)
    house.feed.prices[BTC] = STOPPED_OUT
    await house.run_cycles(bot, 1)

    assert house.faults.begun["decide"] == asked
    assert [order.purpose for order in house.store.filled(Purpose.STOP)] == [Purpose.STOP]
    assert (await house.store.portfolio(bot.id)).positions == {}
    cycles = len(house.recorded(bot))
    await house.pass_time(HOURS_S)
    assert len(house.recorded(bot)) == cycles


async def test_a_paused_bot_stays_paused_in_its_next_life(real_house: House) -> None:
    bot, handle = await real_house.started(interval_s=1)
    await pause(handle, "for the night")
    await real_house.until_view(handle, lambda view: view.next_due_ms is None)
    await handle.terminate("its history was lost")
    again = await real_house.start(bot)
    await real_house.until_view(again, lambda view: view.incarnation == 2)
    cycles = len(real_house.recorded(bot))
    await real_house.pass_time(2)
    view = await status_of(again)
    assert (view.status, view.incarnation, view.epoch) == (BotStatus.PAUSED, 2, 2)
    assert len(real_house.recorded(bot)) == cycles


async def test_a_request_says_who_and_why_on_record(house: House) -> None:
    _, handle = await house.started()
    await handle.signal("pause", ControlRequest(by="ops", reason="the news"))
    await house.until(lambda: bool(house.store.control))
    assert [(c.by, c.reason) for c in house.store.control] == [("ops", "the news")]
