"""Closing one position at a person's word: sold, the rest untouched, and the bot goes on."""

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError

from oxbot.adapters.temporal.control import TemporalBotControl
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import Conflict, NotFound, Unavailable
from oxbot.domain.orders import Purpose
from oxbot.messages import ClosePosition, CloseReport
from tests.support.fake_account import FakeAccount
from tests.support.fakes import BTC, ETH
from tests.support.house import BotHandle, House, pause, status_of, stop
from workflows.closing import ENTERING

pytestmark = pytest.mark.critical

PERSON = ClosePosition(symbol=BTC, by="a person", reason="the news")


async def close(handle: BotHandle, request: ClosePosition = PERSON) -> CloseReport:
    report: CloseReport = await handle.execute_update("close", request, result_type=CloseReport)
    return report


async def holding(house: House, *symbols: str, **settings: object) -> tuple[Bot, BotHandle]:
    """A bot that has bought these coins in its first cycle."""
    bot, handle = await house.started(**settings)
    house.model.will_buy(*symbols)
    await house.run_cycles(bot, 1)
    await house.until_known(handle, *symbols)
    return bot, handle


async def test_one_coin_is_sold_and_the_bot_goes_on_with_the_others(house: House) -> None:
    bot, handle = await holding(house, BTC, ETH)
    report = await close(handle)
    assert (report.symbol, report.done, report.under_way) == (BTC, True, False)
    assert report.price is not None
    [sold] = house.store.filled(Purpose.FLATTEN)
    assert (sold.symbol, sold.reason) == (BTC, "closed by a person: the news")
    assert report.order_ids == (sold.id,)
    view = await status_of(handle)
    assert (view.status, [held.symbol for held in view.positions]) == (BotStatus.RUNNING, [ETH])
    assert house.store.control == []
    assert (await house.store.audit(bot.id)).drift == 0


async def test_the_coin_is_not_bought_again_before_its_cooldown_is_over(house: House) -> None:
    bot, handle = await holding(house, BTC)
    await close(handle)
    house.model.will_buy(BTC)
    outcome = (await house.run_cycles(bot, 1))[-1]
    assert (outcome.orders, house.store.open_coins(bot.id)) == ((), set())


async def test_a_paused_bot_stays_paused_and_one_that_closes_by_its_stops_ends(
    house: House,
) -> None:
    _, handle = await holding(house, BTC)
    await pause(handle)
    assert (await close(handle)).done
    assert (await status_of(handle)).status is BotStatus.PAUSED
    _, ending = await holding(house, BTC)
    await stop(ending, flatten=False)
    assert (await close(ending)).done
    assert (await house.ended(ending)).status is BotStatus.STOPPED


async def test_asked_twice_at_once_it_is_sold_once(house: House) -> None:
    _, handle = await holding(house, BTC)
    first, second = await asyncio.gather(close(handle), close(handle))
    assert first.done
    assert second.done
    assert len(house.store.filled(Purpose.FLATTEN)) == 1


async def test_where_nothing_is_held_there_is_nothing_to_close(house: House) -> None:
    bot, handle = await holding(house, ETH)
    control = TemporalBotControl(house.client, house.queue)
    with pytest.raises(NotFound, match="holds nothing in BTC/USDT"):
        await control.close_position(bot.id, PERSON)
    with house.faults.failing("count_holdings"), pytest.raises(Unavailable, match="cannot be read"):
        await control.close_position(bot.id, PERSON)
    assert [held.symbol for held in (await status_of(handle)).positions] == [ETH]


async def test_an_entry_that_is_about_to_be_sent_is_waited_for_and_what_it_bought_is_sold(
    house: House,
) -> None:
    """When it is asked for there is an order and no position."""
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    async with house.faults.holding("execute_order") as sending:
        await house.pass_until(sending.reached.is_set)
        closing = asyncio.create_task(close(handle))
        await house.until(lambda: house.faults.begun["count_holdings"] > 0)
    report = await closing
    assert report.done
    assert [order.symbol for order in house.store.filled(Purpose.ENTRY)] == [BTC]
    assert house.store.open_coins(bot.id) == set()
    assert [order.id for order in house.store.filled(Purpose.FLATTEN)] == list(report.order_ids)


async def test_of_an_entry_that_takes_long_no_sale_is_promised(house: House) -> None:
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    async with house.faults.holding("execute_order") as sending:
        await house.pass_until(sending.reached.is_set)
        closing = asyncio.create_task(close(handle))
        await house.pass_until(closing.done, portion_s=2)
        report = await closing
    assert (report.done, report.under_way, report.reason) == (False, False, ENTERING)
    await house.until(lambda: house.store.open_coins(bot.id) == {BTC})


async def test_what_an_entry_under_way_has_bought_is_not_called_gone_while_it_is_held(
    house: House,
) -> None:
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    with house.faults.failing("protect"):
        async with house.faults.holding("execute_order") as sending:
            await house.pass_until(sending.reached.is_set)
            closing = asyncio.create_task(close(handle))
            await house.until(lambda: house.faults.begun["count_holdings"] > 0)
        report = await closing
    assert house.store.open_coins(bot.id) == {BTC}
    assert (report.done, "told to fail" in report.reason) == (False, True)


async def test_an_entry_that_is_being_sent_is_waited_for_and_what_it_bought_is_sold(
    house: House,
) -> None:
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    async with house.faults.holding_after("execute_order") as sending:
        await house.pass_until(sending.reached.is_set)
        closing = asyncio.create_task(close(handle))
        await house.until(lambda: house.faults.begun["count_holdings"] > 0)
    assert (await closing).done
    assert house.store.open_coins(bot.id) == set()


async def test_while_the_venue_is_away_it_is_under_way_and_done_afterwards(house: House) -> None:
    bot, handle = await holding(house, BTC)
    house.feed.away = True
    closing = asyncio.create_task(close(handle))
    await house.pass_until(closing.done, portion_s=2)
    report = await closing
    assert (report.done, report.under_way) == (False, True)
    house.feed.away = False
    await house.pass_until(lambda: house.store.open_coins(bot.id) == set(), portion_s=5)
    assert (await status_of(handle)).status is BotStatus.RUNNING


async def test_what_cannot_be_sold_is_said_with_the_reason_and_is_not_under_way(
    house: House,
) -> None:
    bot, handle = await holding(house, BTC)
    with house.faults.failing("protect"):
        report = await close(handle)
    assert (report.done, report.under_way) == (False, False)
    assert "told to fail" in report.reason
    assert house.store.open_coins(bot.id) == {BTC}
    assert (await close(handle)).done


async def test_a_bot_that_is_ending_is_told_so(real_house: House) -> None:
    bot, handle = await real_house.started()
    await stop(handle)
    await real_house.ended(handle)
    control = TemporalBotControl(real_house.client, real_house.queue)
    with pytest.raises((NotFound, Conflict)):
        await control.close_position(bot.id, PERSON)


async def test_what_is_no_symbol_is_refused(house: House) -> None:
    _, handle = await holding(house, BTC)
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("close", {"symbol": "bitcoin"})
    assert [held.symbol for held in (await status_of(handle)).positions] == [BTC]


async def test_a_live_position_is_sold_once_its_resting_stop_is_taken_back(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        bot, handle = await holding(house, BTC, ETH, mode="live")
        before = len(account.log)
        assert (await close(handle)).done
        assert account.log[before:] == ["cancel", "flatten"]
        assert house.store.open_coins(bot.id) == {ETH}
        assert len(account.alive) == 1
        await house.end()
