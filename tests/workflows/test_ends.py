"""Ends that were not asked for: what should run is started again, and force waits for a person."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus

from oxbot.adapters.temporal import runs
from oxbot.adapters.temporal.control import TemporalBotControl
from oxbot.app.bots import Desk
from oxbot.app.reconcile import reconcile
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.lifecycle import moved
from oxbot.domain.orders import OrderState, Purpose
from oxbot.messages import BOT_WORKFLOW, workflow_id
from tests.support.fakes import BTC, ETH
from tests.support.house import (
    GLANCE_S,
    PATIENCE_S,
    BotHandle,
    House,
    pause,
    resume,
    status_of,
    stop,
)
from worker.reconciler import keep_bots_running

pytestmark = pytest.mark.critical


def desk_of(house: House) -> Desk:
    return Desk(
        store=house.store,
        control=TemporalBotControl(house.client, house.queue),
        venue=house.feed.venue,
        listing=house.feed,
        board=house.board,
        breaker=house.breaker,
    )


async def holding(house: House) -> tuple[Bot, BotHandle]:
    """A bot that has bought BTC, and wants ETH ever after."""
    will_always_buy(house, BTC)
    bot, handle = await house.started(interval_s=2)
    await house.until_known(handle, BTC)
    house.model.replies.clear()
    will_always_buy(house, ETH)
    return bot, handle


def will_always_buy(house: House, symbol: str) -> None:
    """Let each decision buy a coin: an entry may come too late for a cycle of two seconds."""
    for _ in range(500):
        house.model.will_buy(symbol)


async def until_seen(house: House, bot: Bot, *, running: bool) -> None:
    """Wait until Temporal's list of running workflows has heard of it."""
    control = TemporalBotControl(house.client, house.queue)
    async with asyncio.timeout(PATIENCE_S):
        while (bot.id in await control.running()) is not running:  # noqa: ASYNC110 - a list
            await asyncio.sleep(GLANCE_S)


async def test_a_terminated_bot_that_holds_something_starts_again_paused_with_an_alarm(
    real_house: House,
) -> None:
    bot, handle = await holding(real_house)
    epoch = real_house.store.bots_by_id[bot.id].epoch
    await handle.terminate("by mistake")
    await until_seen(real_house, bot, running=False)

    assert await reconcile(desk_of(real_house)) == [bot.id]

    bought = len(real_house.store.filled(Purpose.ENTRY))
    await real_house.until(lambda: len(real_house.store.blocks) == 2)
    stored = real_house.store.bots_by_id[bot.id]
    assert (stored.status, stored.epoch) == (BotStatus.PAUSED, epoch + 1)
    [alarm] = [e for e in await real_house.store.events(bot.id, 99) if e.kind == "alarm"]
    assert "was terminated while it held BTC/USDT" in alarm.text
    await real_house.until_status(handle, BotStatus.PAUSED)
    cycles = len(real_house.recorded(bot))
    await real_house.until(lambda: len(real_house.recorded(bot)) >= cycles + 2)
    assert len(real_house.store.filled(Purpose.ENTRY)) == bought
    assert "paused by reconciler: its workflow was terminated" in await details_of(real_house, bot)
    assert (await resume(handle)).status == "running"


async def details_of(house: House, bot: Bot) -> str:
    """What the Web UI shows of the bot."""
    handle = house.client.get_workflow_handle(workflow_id(bot.id))
    metadata = await handle.query("__temporal_workflow_metadata")
    return str(metadata)


async def test_looking_again_starts_nothing_twice_and_raises_no_second_alarm(
    real_house: House,
) -> None:
    bot, handle = await holding(real_house)
    await handle.terminate("by mistake")
    await until_seen(real_house, bot, running=False)
    desk = desk_of(real_house)
    started = await asyncio.gather(*(reconcile(desk) for _ in range(4)))
    assert sum(map(len, started)) == 1
    assert await reconcile(desk) == []
    assert len(real_house.store.alarms) == 1


async def test_a_terminated_bot_that_holds_nothing_goes_on_as_it_was(real_house: House) -> None:
    bot, handle = await real_house.started(interval_s=2)
    await handle.terminate("by mistake")
    await until_seen(real_house, bot, running=False)
    assert await reconcile(desk_of(real_house)) == [bot.id]
    await real_house.until(lambda: any(c.incarnation == 2 for c in real_house.recorded(bot)))
    assert (await status_of(handle)).status is BotStatus.RUNNING
    assert real_house.store.alarms == {}


async def test_a_terminated_bot_that_was_closing_goes_on_closing_with_an_alarm(
    real_house: House,
) -> None:
    bot, handle = await holding(real_house)
    await stop(handle, flatten=False)
    await handle.terminate("by mistake")
    await until_seen(real_house, bot, running=False)
    assert await reconcile(desk_of(real_house)) == [bot.id]
    await real_house.until(lambda: len(real_house.store.blocks) == 2)
    await real_house.until_status(handle, BotStatus.CLOSING)
    assert list(real_house.store.alarms) == [(bot.id, "ended:1")]


async def test_an_order_that_may_be_at_the_venue_counts_as_held(real_house: House) -> None:
    will_always_buy(real_house, BTC)
    async with real_house.faults.holding("execute_order") as sending:
        bot, handle = await real_house.started(interval_s=2)
        await sending.reached.wait()
        [entry] = real_house.store.orders_by_id.values()
        real_house.store.orders_by_id[entry.id] = moved(entry, OrderState.SENT)
        await handle.terminate("by mistake")
        await until_seen(real_house, bot, running=False)
        await reconcile(desk_of(real_house))
        assert len(real_house.store.alarms) == 1


async def test_a_bot_that_ran_into_a_time_limit_waits_for_a_person_as_well(
    real_house: House,
) -> None:
    will_always_buy(real_house, BTC)
    bot = await real_house.new_bot(interval_s=2)
    await real_house.client.start_workflow(
        BOT_WORKFLOW,
        {"bot_id": bot.id},
        id=workflow_id(bot.id),
        task_queue=real_house.queue,
        execution_timeout=timedelta(seconds=12),
    )
    await real_house.until(lambda: real_house.store.open_coins(bot.id) == {BTC})
    await until_seen(real_house, bot, running=False)
    await reconcile(desk_of(real_house))
    assert "ran into its time limit" in real_house.store.alarms[bot.id, "ended:1"]
    real_house.handles.append(real_house.client.get_workflow_handle(workflow_id(bot.id)))


async def test_a_cancelled_bot_sells_ends_stopped_and_is_not_started_again(
    real_house: House,
) -> None:
    bot, handle = await holding(real_house)
    await handle.cancel()
    await real_house.ended(handle)
    assert real_house.store.open_coins(bot.id) == set()
    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert real_house.store.bots_by_id[bot.id].status is BotStatus.STOPPED
    assert await reconcile(desk_of(real_house)) == []


async def test_the_worker_looks_again_and_again_until_it_is_told_to_stop(
    real_house: House,
) -> None:
    bot, handle = await holding(real_house)
    over = asyncio.Event()
    looking = asyncio.create_task(keep_bots_running(desk_of(real_house), over, every_s=0.2))
    await handle.terminate("by mistake")
    await real_house.until(lambda: len(real_house.store.blocks) == 2)
    assert (bot.id, "ended:1") in real_house.store.alarms
    await pause(handle)
    over.set()
    await looking


async def test_running_bots_are_listed_over_several_pages(
    real_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PAGE", 2)
    bots = [(await real_house.started())[0] for _ in range(5)]
    for bot in bots:
        await until_seen(real_house, bot, running=True)
    listed = await desk_of(real_house).control.running()
    assert listed >= {bot.id for bot in bots}
