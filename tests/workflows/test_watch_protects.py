"""From a price to the exit, through both workflows: signalled while time runs, asked for else."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from oxbot.adapters.temporal.control import TemporalBotControl
from oxbot.app.reconcile import watch_again
from oxbot.domain.bot import Bot
from oxbot.domain.errors import Conflict, NotFound, Unavailable
from oxbot.domain.market import Quote
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Purpose, Side
from oxbot.messages import Examine, ExamineReport, Protect, WatchView
from tests.support.fakes import BTC, ETH
from tests.support.held import PRICE, STOP, trade
from tests.support.house import House
from tests.workflows.test_ends import desk_of
from tests.workflows.test_market_watch import handle_of, watch

NOON_MS = 1_750_000_000_000


@pytest.fixture
async def house(real_house: House) -> AsyncIterator[House]:
    """A house with its worker at work, and no watch left behind."""
    yield real_house
    try:
        await handle_of(real_house).terminate()
    except RPCError:
        return


async def holder(house: House) -> Bot:
    """A running bot that holds one BTC."""
    bot, _ = await house.started()
    at_ms = (await house.clock.reading()).venue_ms
    await trade(house.store, Side.BUY, bot.id, BTC, at_ms)
    return bot


async def price(house: House, bid: int) -> Quote:
    """What the stream pushes now."""
    now_ms = (await house.clock.reading()).venue_ms
    house.feed.prices[BTC] = Price(bid)
    return Quote(
        symbol=BTC,
        bid=Price(bid),
        ask=Price(bid),
        last=Price(bid),
        volume_24h=Quantity(1),
        exchange_ms=now_ms,
        received_ms=now_ms,
        source="stream",
    )


def is_flat(house: House, bot: Bot) -> bool:
    return (bot.id, BTC) not in house.store._positions


@pytest.mark.critical
async def test_a_price_at_the_stop_ends_in_a_sold_position(house: House) -> None:
    bot = await holder(house)
    await watch(house)
    await house.until(lambda: house.stream.open == 1)
    house.stream.say(await price(house, PRICE))
    house.stream.say(await price(house, STOP))
    await house.until(lambda: is_flat(house, bot))
    [round_trip] = await house.store.trades(bot.id, 5)
    assert round_trip.exit == Purpose.STOP
    assert round_trip.exit_price == STOP


@pytest.mark.critical
async def test_a_stepped_venue_is_examined_before_the_answer(house: House) -> None:
    house.clock.stepped_ms = NOON_MS
    bot = await holder(house)
    await watch(house)
    control = TemporalBotControl(house.client, house.queue)
    assert await control.examine("fake", NOON_MS) == ExamineReport(crossings=0, closed=0)
    house.clock.stepped_ms = NOON_MS + 1
    house.feed.prices[BTC] = Price(STOP)
    assert await control.examine("fake", NOON_MS + 1) == ExamineReport(crossings=1, closed=1)
    assert is_flat(house, bot)


async def test_asked_for_an_unfit_moment_it_refuses_in_a_sentence(house: House) -> None:
    await holder(house)
    await watch(house)
    control = TemporalBotControl(house.client, house.queue)
    with pytest.raises(Conflict, match="moves by itself"):
        await control.examine("fake", NOON_MS)
    with pytest.raises(WorkflowUpdateFailedError):
        await handle_of(house).execute_update("examine", Examine(venue="okx", at_ms=1))
    with pytest.raises(Unavailable, match="did not examine"):
        await control.examine("okx", NOON_MS)


async def test_a_venue_that_gives_no_prices_keeps_its_driver_waiting_only_for_a_while(
    house: House,
) -> None:
    house.clock.stepped_ms = NOON_MS
    await holder(house)
    await watch(house)
    house.feed.away = True
    control = TemporalBotControl(house.client, house.queue)
    report = await control.examine("fake", NOON_MS)
    assert (report.crossings, report.closed) == (0, 0)
    assert "the venue was told not to answer" in report.trouble
    assert not report.unfinished


async def test_examinations_do_not_fill_a_history(house: House) -> None:
    house.clock.stepped_ms = NOON_MS
    await holder(house)
    handle = await watch(house, examine_at_most=3)
    first = (await handle.describe()).run_id
    control = TemporalBotControl(house.client, house.queue)
    for step in range(8):
        house.clock.stepped_ms = NOON_MS + step
        assert (await control.examine("fake", NOON_MS + step)).crossings == 0
    assert (await handle.describe()).run_id != first


@pytest.mark.critical
async def test_a_watch_that_was_ended_by_force_is_started_again_and_one_told_to_stop_is_not(
    house: House,
) -> None:
    desk = desk_of(house)
    handle = await watch(house)
    assert not await watch_again(desk)
    await handle.terminate("by mistake")
    assert await watch_again(desk)
    assert not await watch_again(desk)
    await handle_of(house).execute_update("stop", result_type=WatchView)
    assert (await handle_of(house).result()).ended
    assert not await watch_again(desk)


async def test_a_bot_without_a_workflow_is_not_found(house: House) -> None:
    control = TemporalBotControl(house.client, house.queue)
    request = Protect(
        symbol=ETH, opened_ms=1, version=1, purpose=Purpose.STOP, crossed_ms=1, seen_wall_ms=0
    )
    for call in (control.protect, control.protect_now):
        with pytest.raises(NotFound):
            await call("nobody", request)
    await asyncio.sleep(0)
