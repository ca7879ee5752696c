"""The signal `flatten`, and all bots told by it or by `stop`: also those whose worker is away."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowExecutionStatus

from oxbot.app import at_once
from oxbot.app.at_once import UNHEARD
from oxbot.app.flatten import Flattened, flatten_all
from oxbot.app.stop_all import stop_all
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.orders import Purpose
from oxbot.messages import ControlRequest, FlattenReport
from tests.support.fakes import BTC, ETH
from tests.support.house import BotHandle, House, resume, status_of, stop
from tests.workflows.test_flatten import PERSON, desk_of, holding

pytestmark = pytest.mark.critical


async def test_the_signal_sells_everything_and_leaves_the_bot_paused(house: House) -> None:
    bot, handle = await holding(house, BTC, ETH)
    await handle.signal("flatten", PERSON)
    await house.pass_until(lambda: house.store.open_coins(bot.id) == set(), portion_s=1)
    assert sorted(o.symbol for o in house.store.filled(Purpose.FLATTEN)) == [BTC, ETH]
    assert [(c.status, c.by) for c in house.store.control] == [(BotStatus.PAUSED, "a person")]
    assert (await resume(handle)).status == "running", "and it can be resumed"
    await house.run_cycles(bot, 1)


async def test_a_signal_whose_input_cannot_be_read_sells_all_the_same(house: House) -> None:
    bot, handle = await holding(house, BTC)
    await handle.signal("flatten", ["please"])
    await house.pass_until(lambda: house.store.open_coins(bot.id) == set(), portion_s=1)
    assert [o.symbol for o in house.store.filled(Purpose.FLATTEN)] == [BTC]
    [written] = house.store.control
    assert written.status is BotStatus.PAUSED
    assert "could not be read" in written.reason


async def test_signal_and_update_together_sell_once_and_harm_nothing(house: House) -> None:
    bot, handle = await holding(house, BTC)
    await handle.signal("flatten", PERSON)
    await handle.signal("flatten", PERSON)
    report: FlattenReport = await handle.execute_update(
        "flatten", PERSON, result_type=FlattenReport
    )
    assert (report.done, report.status) == (True, "paused")
    assert len(house.store.filled(Purpose.FLATTEN)) == 1
    assert house.store.open_coins(bot.id) == set()


async def test_while_the_record_is_away_the_signal_ends_no_bot_and_its_cycles_sell(
    house: House,
) -> None:
    bot, handle = await holding(house, BTC)
    with house.faults.failing("count_holdings"):
        await handle.signal("flatten", PERSON)
        await house.pass_until(lambda: house.store.open_coins(bot.id) == set(), portion_s=2)
    assert [o.symbol for o in house.store.filled(Purpose.FLATTEN)] == [BTC]
    assert (await status_of(handle)).status is BotStatus.PAUSED


async def test_a_bot_that_is_ending_takes_the_signal_and_ends(house: House) -> None:
    _, handle = await house.started()
    async with house.faults.holding("write_control"):
        await stop_soon(handle)
        await handle.signal("flatten", PERSON)
    assert (await house.ended(handle)).status is BotStatus.STOPPED


async def stop_soon(handle: BotHandle) -> None:
    await handle.signal("stop", ControlRequest(by="test"))


@pytest.fixture
async def silent_house(real_house: House) -> AsyncIterator[House]:
    """A house on the same record and server, at whose queue no worker listens."""
    house = House(real_house.env, real_house.wall, store=real_house.store)
    house.queue = f"nobody-{uuid.uuid4().hex[:8]}"
    yield house
    for handle in house.handles:
        if (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
            await handle.terminate("the test is over")


async def silent_bots(house: House, count: int, **settings: object) -> list[tuple[Bot, BotHandle]]:
    bots = [await house.new_bot(**settings) for _ in range(count)]
    return [(bot, await house.start(bot)) for bot in bots]


async def told(handle: BotHandle) -> list[tuple[str, int]]:
    """The signals that Temporal has on record for a bot, and when it took each (ns)."""
    return [
        (event.workflow_execution_signaled_event_attributes.signal_name, _ns(event))
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    ]


def _ns(event: HistoryEvent) -> int:
    return event.event_time.ToNanoseconds()


async def test_bots_that_nobody_works_for_are_told_and_keep_no_other_from_selling(
    real_house: House, silent_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More silent ones than are told at a time, older than the one that answers."""
    monkeypatch.setattr(at_once, "AT_ONCE", 4)
    monkeypatch.setattr(at_once, "WITHIN_S", 3)
    silent = await silent_bots(silent_house, 12)
    for _ in range(500):
        real_house.model.will_buy(BTC)
    bot, _ = await real_house.started(interval_s=2)
    await real_house.until(lambda: bool(real_house.store.open_coins(bot.id)))
    lost = await real_house.new_bot()
    selling = asyncio.create_task(flatten_all(desk_of(real_house), PERSON))
    await real_house.until(lambda: not real_house.store.open_coins(bot.id))
    assert not selling.done(), "sold while the others are waited for"
    done = await selling
    assert [one.bot_id for one in done] == [*(one.id for one, _ in silent), bot.id, lost.id]
    by_id = {one.bot_id: one for one in done}
    assert by_id[bot.id].is_done
    assert "no running workflow" in by_id[lost.id].trouble
    for one, handle in silent:
        assert (by_id[one.id].is_done, by_id[one.id].trouble) == (False, UNHEARD)
        assert [name for name, _ in await told(handle)] == ["flatten"]


async def test_who_was_told_while_its_worker_was_away_sells_once_it_is_back(
    real_house: House, silent_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_once, "WITHIN_S", 0)
    [(bot, handle)] = await silent_bots(silent_house, 1)
    [first] = await flatten_all(desk_of(real_house), PERSON)
    assert (first.is_done, first.trouble) == (False, UNHEARD)
    monkeypatch.setattr(at_once, "WITHIN_S", 60)
    async with silent_house.worker():
        [again] = await flatten_all(desk_of(real_house), PERSON)
        assert again.is_done
        assert _status(again) == "paused"
        [ended] = await stop_all(desk_of(real_house), PERSON)
        assert ended.is_done
        assert (await silent_house.ended(handle)).status is BotStatus.STOPPED
    assert (await silent_house.store.bot(bot.id)).status is BotStatus.STOPPED


def _status(one: Flattened) -> str:
    assert one.report is not None
    return one.report.status


async def test_real_money_is_told_first(
    real_house: House, silent_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_once, "WITHIN_S", 0)
    monkeypatch.setattr(at_once, "AT_ONCE", 1)
    paper = await silent_bots(silent_house, 2)
    live = await silent_bots(silent_house, 2, mode="live")
    await flatten_all(desk_of(real_house), PERSON)
    await stop_all(desk_of(real_house), PERSON)
    signals = [await told(handle) for _, handle in (*live, *paper)]
    for number, name in enumerate(("flatten", "stop")):
        assert {each[number][0] for each in signals} == {name}
        times = [each[number][1] for each in signals]
        assert times == sorted(times)


async def test_those_that_have_ended_are_stopped_and_those_that_keep_have_only_to_close(
    real_house: House,
) -> None:
    for _ in range(500):
        real_house.model.will_buy(BTC)
    bot, _ = await real_house.started(interval_s=2)
    _, ending = await real_house.started()
    await stop(ending)
    await real_house.ended(ending)
    await real_house.until(lambda: bool(real_house.store.open_coins(bot.id)))
    keep = ControlRequest(by="a person", flatten=False)
    closing, ended = await stop_all(desk_of(real_house), keep)
    assert closing.answer is not None
    assert (closing.answer.status, closing.trouble) == ("closing", "")
    assert ended.is_done
    closed, ended = await stop_all(desk_of(real_house), PERSON)
    assert (closed.is_done, ended.is_done) == (True, True)
    assert real_house.store.open_coins(bot.id) == set()
