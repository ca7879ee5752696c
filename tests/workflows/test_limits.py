"""Limits changed on a running bot: refused before anything is written, or on record."""

from decimal import Decimal

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from oxbot.domain.orders import Purpose
from oxbot.messages import ChangeLimits, LimitsAnswer
from tests.support.fakes import BTC
from tests.support.house import BotHandle, House, pause

pytestmark = pytest.mark.critical


async def change(handle: BotHandle, **limits: str | int | None) -> LimitsAnswer:
    wish = ChangeLimits(by="test", reason="calmer", limits=limits)
    answer: LimitsAnswer = await handle.execute_update(
        "change_limits", wish, result_type=LimitsAnswer
    )
    return answer


async def accepted_updates(handle: BotHandle) -> int:
    accepted = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    return sum([event.event_type == accepted async for event in handle.fetch_history_events()])


async def test_the_limits_named_change_under_a_raised_epoch_and_are_on_record(
    house: House,
) -> None:
    bot, handle = await house.started()
    answer = await change(handle, stop="2%", longest_hold_s=3600)
    assert await accepted_updates(handle) == 1
    assert answer.limits.stop == Decimal("0.02")
    assert sorted(answer.changed) == ["longest_hold_s", "stop"]
    assert (answer.epoch, answer.recorded) == (2, True)
    stored = await house.store.bot(bot.id)
    assert (stored.settings.limits, stored.epoch) == (answer.limits, answer.epoch)
    house.model.will_buy(BTC)
    await house.run_cycles(bot, 1)
    assert [order.stop for order in house.store.filled(Purpose.ENTRY)] == [Decimal("0.02")]


async def test_limits_that_cannot_be_are_refused_and_write_no_history(house: House) -> None:
    bot, handle = await house.started()
    await house.run_cycles(bot, 1)  # by then it knows its limits
    for wish in ({"stop": "400%"}, {"nothing": "1"}, {}, {"stop": "10%", "target": "1%"}):
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await change(handle, **wish)
        cause = failed.value.cause
        assert isinstance(cause, ApplicationError)
        assert cause.type == "InputError"
    assert await accepted_updates(handle) == 0


async def test_an_entry_judged_by_the_old_limits_is_not_sent(house: House) -> None:
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    async with house.faults.holding_after("validate_risk") as judged:
        await house.pass_until(judged.reached.is_set)
        assert (await change(handle, max_position="5%")).recorded
    await house.until(lambda: len(house.recorded(bot)) == 1)
    assert house.store.filled(Purpose.ENTRY) == []


async def test_a_paused_bot_keeps_its_reason_when_its_limits_change(house: House) -> None:
    bot, handle = await house.started()
    await pause(handle, "for the night")
    await change(handle, stop="2%")
    await house.until(lambda: house.store.bots_by_id[bot.id].epoch == 3)
    assert {(c.by, c.reason) for c in house.store.control} == {("test", "for the night")}


async def test_what_is_refused_by_the_record_is_refused_in_its_words(house: House) -> None:
    _, handle = await house.started()
    with (
        house.faults.failing("change_limits"),
        pytest.raises(WorkflowUpdateFailedError) as failed,
    ):
        await change(handle, stop="2%")
    assert "told to fail" in str(failed.value.cause)
    assert (await change(handle, stop="2%")).recorded
