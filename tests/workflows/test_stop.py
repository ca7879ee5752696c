"""Stop: everything sold and the end on record, or protected until flat; cancelling means stop."""

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from oxbot.app.too_small import LEFT_UNSOLD
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Purpose
from tests.support.fakes import BTC, ETH
from tests.support.house import BotHandle, House, pause, status_of, stop

HOURS_S = 3 * 3600
ON_TARGET = Price(65_000)

pytestmark = pytest.mark.critical


async def holding_btc(house: House) -> tuple[Bot, BotHandle]:
    """A bot that has bought BTC in its first cycle."""
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    await house.run_cycles(bot, 1)
    assert list((await house.store.portfolio(bot.id)).positions) == [BTC]
    return bot, handle


async def test_a_stop_sells_everything_and_completes_with_the_end_on_record(
    house: House,
) -> None:
    bot, handle = await holding_btc(house)
    assert (await stop(handle)).status == "closing"

    view = await house.ended(handle)

    assert view.status is BotStatus.STOPPED
    assert view.unwritten == 0
    assert [o.symbol for o in house.store.filled(Purpose.FLATTEN)] == [BTC]
    assert (await house.store.portfolio(bot.id)).positions == {}
    assert (await house.store.bot(bot.id)).status is BotStatus.STOPPED
    assert [c.status for c in house.store.control] == [BotStatus.CLOSING, BotStatus.STOPPED]
    assert (await house.store.audit(bot.id)).drift == 0


async def test_the_workflow_does_not_close_before_stopped_is_on_record(house: House) -> None:
    bot, handle = await house.started()
    async with house.faults.holding("write_control") as held:
        await handle.signal("stop")
        await held.reached.wait()
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await house.ended(handle)
    assert (await house.store.bot(bot.id)).status is BotStatus.STOPPED


async def test_a_paused_bot_can_be_stopped(house: House) -> None:
    bot, handle = await holding_btc(house)
    await pause(handle)
    await stop(handle)
    assert (await house.ended(handle)).status is BotStatus.STOPPED
    assert (await house.store.portfolio(bot.id)).positions == {}


async def test_what_is_too_little_to_be_sold_by_now_keeps_no_bot_from_its_end(
    house: House,
) -> None:
    """It stays on record as it is: nothing was sold."""
    bot, handle = await holding_btc(house)
    house.feed.minimums[BTC] = Quantity(1_000)
    await stop(handle)
    assert (await house.ended(handle)).status is BotStatus.STOPPED
    assert list((await house.store.portfolio(bot.id)).positions) == [BTC]
    assert house.store.filled(Purpose.FLATTEN) == []
    assert [kind for kind, _ in house.store.told.values()] == [LEFT_UNSOLD]
    assert (await house.store.audit(bot.id)).drift == 0


async def test_a_paused_flat_bot_stops_without_a_cycle(house: House) -> None:
    bot, handle = await house.started()
    await pause(handle)
    await stop(handle)
    assert (await house.ended(handle)).status is BotStatus.STOPPED
    assert house.recorded(bot) == []


async def test_a_stop_that_keeps_lives_on_closing_until_flat(house: House) -> None:
    bot, handle = await holding_btc(house)
    asked = house.model.asked
    answer = await stop(handle, flatten=False)
    assert answer.status == "closing"
    await house.run_cycles(bot, 3)
    assert (await status_of(handle)).status is BotStatus.CLOSING
    assert house.store.filled(Purpose.FLATTEN) == []

    house.feed.prices[BTC] = ON_TARGET
    view = await house.ended(handle)

    assert view.status is BotStatus.STOPPED
    assert [o.symbol for o in house.store.filled(Purpose.TARGET)] == [BTC]
    assert house.model.asked == asked


async def test_a_stop_that_keeps_can_be_turned_into_one_that_sells(house: House) -> None:
    bot, handle = await holding_btc(house)
    await stop(handle, flatten=False)
    await house.run_cycles(bot, 1)
    await stop(handle)
    assert (await house.ended(handle)).status is BotStatus.STOPPED
    assert [o.symbol for o in house.store.filled(Purpose.FLATTEN)] == [BTC]


async def test_selling_is_tried_again_until_the_venue_answers(house: House) -> None:
    bot, handle = await holding_btc(house)
    house.feed.away = True
    await stop(handle)
    begun = len(house.recorded(bot))
    await house.pass_until(lambda: len(house.recorded(bot)) >= begun + 2)
    assert (await status_of(handle)).status is BotStatus.CLOSING
    assert house.store.filled(Purpose.FLATTEN) == []

    house.feed.away = False

    assert (await house.ended(handle)).status is BotStatus.STOPPED
    assert [o.symbol for o in house.store.filled(Purpose.FLATTEN)] == [BTC]


async def test_a_sale_that_fails_is_tried_again_with_the_same_order(house: House) -> None:
    bot, handle = await holding_btc(house)
    with house.faults.failing("execute_order"):
        await stop(handle)
        begun = house.faults.begun["execute_order"]
        await house.pass_until(lambda: house.faults.begun["execute_order"] >= begun + 2)
    await house.ended(handle)
    exits = [o for o in house.store.orders_by_id.values() if o.purpose.is_exit]
    assert [o.purpose for o in exits] == [Purpose.FLATTEN]
    assert (await house.store.portfolio(bot.id)).positions == {}


async def test_an_entry_given_up_by_its_cycle_does_not_keep_a_stopping_bot_alive(
    house: House,
) -> None:
    """The entry's end was unknown to the workflow; the next judgement cancels it on record."""
    bot, handle = await house.started()
    house.model.will_buy(ETH)
    with house.faults.failing("execute_order"):
        await house.run_cycles(bot, 1)
    await stop(handle)
    assert (await house.ended(handle)).status is BotStatus.STOPPED
    assert house.store.booked == {}


async def test_cancelling_the_workflow_means_stop(house: House) -> None:
    bot, handle = await holding_btc(house)
    await handle.cancel()
    view = await house.ended(handle)
    assert view.status is BotStatus.STOPPED
    assert [o.symbol for o in house.store.filled(Purpose.FLATTEN)] == [BTC]
    assert house.store.control[0].by == "cancel"
    assert (await house.store.portfolio(bot.id)).positions == {}


@pytest.mark.parametrize("how", ["stop", "cancel"])
@pytest.mark.parametrize("step", ["observe_market", "decide", "validate_risk", "execute_order"])
async def test_a_stop_during_a_cycle_ends_with_nothing_held(
    house: House, step: str, how: str
) -> None:
    bot, handle = await house.started()
    house.model.will_buy(BTC, ETH)
    async with house.faults.holding(step) as held:
        await house.pass_until(held.reached.is_set)
        await (stop(handle) if how == "stop" else handle.cancel())
        await house.until(lambda: bool(house.store.control))
    assert (await house.ended(handle)).status is BotStatus.STOPPED
    assert (await house.store.portfolio(bot.id)).positions == {}
    assert (await house.store.bot(bot.id)).status is BotStatus.STOPPED


async def test_what_could_not_be_written_is_written_before_the_end(house: House) -> None:
    bot, handle = await house.started()
    with house.faults.failing("record_cycles", final=False):
        await house.pass_until(lambda: house.faults.begun["record_cycles"] > 3)
        await handle.signal("stop")
    view = await house.ended(handle)
    assert view.unwritten == 0
    assert [o.cycle for o in house.recorded(bot)] == list(range(1, len(house.recorded(bot)) + 1))
    assert house.recorded(bot)


async def test_a_stopped_bot_that_is_started_again_ends_at_once(house: House) -> None:
    bot, handle = await house.started()
    await stop(handle)
    await house.ended(handle)
    again = await house.start(bot)
    assert (await house.ended(again)).status is BotStatus.STOPPED
    assert house.recorded(bot) == []


async def test_a_stopped_bot_can_be_told_nothing_more(house: House) -> None:
    _, handle = await house.started()
    await stop(handle)
    await house.ended(handle)
    with pytest.raises(RPCError):
        await pause(handle)
