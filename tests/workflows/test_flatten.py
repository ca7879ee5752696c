"""Flatten: paused, everything sold, and an answer that is true."""

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError

from oxbot.adapters.temporal.control import TemporalBotControl
from oxbot.app.bots import Desk
from oxbot.app.flatten import Flattened, flatten_all, flatten_bot
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.orders import OrderState, Purpose
from oxbot.messages import ControlRequest, FlattenReport
from tests.support.fakes import BTC, ETH
from tests.support.house import BotHandle, House, resume, status_of, stop

pytestmark = pytest.mark.critical

PERSON = ControlRequest(by="a person", reason="the news")


async def flatten(handle: BotHandle) -> FlattenReport:
    report: FlattenReport = await handle.execute_update(
        "flatten", PERSON, result_type=FlattenReport
    )
    return report


async def holding(house: House, *symbols: str) -> tuple[Bot, BotHandle]:
    """A bot that has bought these coins in its first cycle."""
    bot, handle = await house.started()
    house.model.will_buy(*symbols)
    await house.run_cycles(bot, 1)
    return bot, handle


def report_of(done: Flattened) -> FlattenReport:
    assert done.report is not None
    return done.report


def desk_of(house: House) -> Desk:
    return Desk(
        store=house.store,
        control=TemporalBotControl(house.client, house.queue),
        venue=house.feed.venue,
        listing=house.feed,
        board=house.board,
        breaker=house.breaker,
    )


async def test_everything_is_sold_and_the_bot_is_left_paused(house: House) -> None:
    bot, handle = await holding(house, BTC, ETH)
    report = await flatten(handle)
    assert (report.open_orders, report.positions, report.done) == (0, 0, True)
    assert report.status == "paused"
    assert sorted(o.symbol for o in house.store.filled(Purpose.FLATTEN)) == [BTC, ETH]
    view = await status_of(handle)
    assert (view.status, view.positions) == (BotStatus.PAUSED, ())
    assert [(c.status, c.by) for c in house.store.control] == [(BotStatus.PAUSED, "a person")]
    assert (await house.store.audit(bot.id)).drift == 0


async def test_dust_is_listed_and_does_not_count(house: House) -> None:
    _, handle = await holding(house, BTC)
    report = await flatten(handle)
    assert report.done
    assert report.dust.keys() == {BTC}


async def test_a_bot_that_holds_nothing_is_flat_at_once_and_sold_once_when_told_twice(
    house: House,
) -> None:
    _, handle = await holding(house, BTC)
    first, second = await asyncio.gather(flatten(handle), flatten(handle))
    assert first.done
    assert second.done
    assert len(house.store.filled(Purpose.FLATTEN)) == 1
    assert (await flatten(handle)).done


async def test_an_entry_under_way_is_ended_before_it_is_said_that_nothing_is_open(
    house: House,
) -> None:
    """The rules judge while the pause comes: what they approve cannot be sent any more."""
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    async with house.faults.holding("validate_risk") as judging:
        await house.pass_until(judging.reached.is_set)
        assert (await flatten(handle)).done
    await house.until(lambda: len(house.recorded(bot)) == 1)
    [entry] = house.store.orders_by_id.values()
    assert entry.state is OrderState.CANCELLED
    assert (await flatten(handle)).done


async def test_an_entry_that_is_being_sent_is_waited_for_and_what_it_bought_is_sold(
    house: House,
) -> None:
    bot, handle = await house.started()
    house.model.will_buy(BTC)
    async with house.faults.holding_after("execute_order") as sending:
        await house.pass_until(sending.reached.is_set)
        telling = asyncio.create_task(flatten(handle))
        await house.until(lambda: bool(house.store.control))
    assert (await telling).done
    assert house.store.open_coins(bot.id) == set()


async def test_while_the_venue_is_away_it_says_how_far_it_came_and_sells_on(house: House) -> None:
    bot, handle = await holding(house, BTC)
    house.feed.away = True
    telling = asyncio.create_task(flatten(handle))
    await house.pass_until(telling.done, portion_s=2)
    report = await telling
    assert (report.positions, report.done, report.status) == (1, False, "paused")
    house.feed.away = False
    await house.pass_until(lambda: house.store.open_coins(bot.id) == set(), portion_s=5)
    assert (await flatten(handle)).done


async def test_what_no_protection_could_sell_is_sold_by_the_cycles_of_the_paused_bot(
    house: House,
) -> None:
    bot, handle = await holding(house, BTC)
    asked = house.model.asked
    with house.faults.failing("protect"):
        telling = asyncio.create_task(flatten(handle))
        await house.pass_until(telling.done, portion_s=2)
        report = await telling
        assert (report.positions, report.done, report.status) == (1, False, "paused")
        await house.pass_until(lambda: house.store.open_coins(bot.id) == set(), portion_s=2)
        await house.pass_until(lambda: len(house.recorded(bot)) == 2, portion_s=2)
    assert [o.symbol for o in house.store.filled(Purpose.FLATTEN)] == [BTC]
    assert (await status_of(handle)).status is BotStatus.PAUSED
    assert house.model.asked == asked
    await house.pass_time(1_000)
    assert len(house.recorded(bot)) == 2
    await resume(handle)
    await house.run_cycles(bot, 1)


async def test_where_the_record_is_away_the_bot_is_paused_and_it_is_said(house: House) -> None:
    _, handle = await holding(house, BTC)
    with (
        house.faults.failing("count_holdings"),
        pytest.raises(WorkflowUpdateFailedError) as failed,
    ):
        await flatten(handle)
    assert "cannot be read" in str(failed.value.cause)
    assert (await status_of(handle)).status is BotStatus.PAUSED


async def test_a_bot_that_closes_by_its_stops_can_be_flattened_and_ends(house: House) -> None:
    _, handle = await holding(house, BTC)
    await stop(handle, flatten=False)
    report = await flatten(handle)
    assert (report.done, report.status) == (True, "closing")
    assert (await house.ended(handle)).status is BotStatus.STOPPED


async def test_a_flattened_bot_can_be_resumed(house: House) -> None:
    bot, handle = await holding(house, BTC)
    await flatten(handle)
    assert (await resume(handle)).status == "running"
    await house.run_cycles(bot, 1)


async def test_all_bots_are_flattened_and_the_proof_is_read_from_the_record(
    real_house: House,
) -> None:
    real_house.model.will_buy(BTC)
    for _ in range(500):
        real_house.model.will_buy(BTC)
    bots = [(await real_house.started(interval_s=2))[0] for _ in range(3)]
    stopped, ending = await real_house.started()
    await stop(ending)
    await real_house.ended(ending)
    await real_house.until(lambda: all(real_house.store.open_coins(b.id) for b in bots))
    done = await flatten_all(desk_of(real_house), PERSON)
    assert [one.bot_id for one in done] == [*(bot.id for bot in bots), stopped.id]
    assert all(one.is_done for one in done)
    assert [report_of(one).status for one in done] == ["paused"] * 3 + ["stopped"]
    assert all(real_house.store.open_coins(bot.id) == set() for bot in bots)


async def test_a_bot_without_a_workflow_is_not_called_done_although_others_are(
    real_house: House,
) -> None:
    bot, handle = await real_house.started(interval_s=2)
    lost = await real_house.new_bot()
    done = {one.bot_id: one for one in await flatten_all(desk_of(real_house), PERSON)}
    assert done[bot.id].is_done
    assert (report_of(done[lost.id]).positions, done[lost.id].is_done) == (0, False)
    assert "no running workflow" in done[lost.id].trouble
    await resume(handle)


async def test_dust_has_a_value_where_a_price_is_known(real_house: House) -> None:
    for _ in range(100):
        real_house.model.will_buy(BTC)
    bot, _ = await real_house.started(interval_s=2)
    await real_house.until(lambda: real_house.store.open_coins(bot.id) == {BTC})
    report = report_of(await flatten_bot(desk_of(real_house), bot.id, PERSON))
    assert report.done
    assert report.dust_value == {BTC: report.dust[BTC] * real_house.feed.prices[BTC]}
