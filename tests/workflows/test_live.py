"""A live bot's workflow: the account comes before the decision, and what differs enters nothing."""

import asyncio
import json
from datetime import timedelta
from decimal import Decimal

import pytest
from temporalio.client import WorkflowUpdateFailedError

from oxbot.adapters.temporal.control import TemporalBotControl
from oxbot.adapters.temporal.protection import SAID_WITHIN
from oxbot.app.say_over import WAIT_MS
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import Conflict, NotFound, Unanswered, Unavailable, VenueUnavailable
from oxbot.domain.money import Notional, Price
from oxbot.domain.orders import Order, OrderState, Purpose
from oxbot.messages import Protect, Reconciliation, SayOverRequest, WriteControl, WriteOffRequest
from tests.support.fake_account import FakeAccount
from tests.support.fakes import BTC, ETH
from tests.support.house import GLANCE_S, PATIENCE_S, BotHandle, House, pause, stop
from tests.support.trading import entry
from workflows.limits import A_PERSON_WAITS, NOTICED_WITHIN, CycleLimits
from workflows.reconciling import pause_after

pytestmark = pytest.mark.critical


async def activities_of(handle: BotHandle) -> list[str]:
    """The activities that a workflow has scheduled, in order."""
    history = await handle.fetch_history()
    return [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]


async def test_a_live_bot_looks_at_its_account_before_it_decides(empty_house: House) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        bot, handle = await house.started(mode="live")
        [outcome] = await house.run_cycles(bot, 1)
        assert outcome.skipped is None
        ran = await activities_of(handle)
        assert ran.index("reconcile") < ran.index("decide")
        await house.end()


async def test_what_has_an_order_under_way_is_noticed_soon_if_its_worker_dies(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    house.model.will_buy(BTC)
    async with house.worker():
        bot, handle = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        stale = Protect(
            symbol=BTC, opened_ms=1, version=1, purpose=Purpose.STOP, crossed_ms=1, seen_wall_ms=0
        )
        await handle.execute_update("protect", stale)
        history = await handle.fetch_history()
        await house.end()
    scheduled = [event.activity_task_scheduled_event_attributes for event in history.events]
    noticed = {each.activity_type.name: each.heartbeat_timeout.ToTimedelta() for each in scheduled}
    for name in ("execute_order", "protect", "reconcile"):
        assert noticed[name] == NOTICED_WITHIN


async def test_a_paper_bot_has_no_account_to_look_at(empty_house: House) -> None:
    house = empty_house
    async with house.worker():
        bot, handle = await house.started()
        await house.run_cycles(bot, 1)
        assert "reconcile" not in await activities_of(handle)
        await house.end()


async def test_what_the_account_lacks_enters_nothing_and_names_the_figures(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock, usdt="9000")
    house.model.will_buy(BTC)
    async with house.worker():
        bot, _ = await house.started(mode="live")
        [outcome] = await house.run_cycles(bot, 1)
        assert outcome.skipped
        assert "1000 USDT are missing" in outcome.skipped
        assert outcome.orders == ()
        house.account.balances_by_currency["USDT"] += Decimal(1_000)
        after = await house.run_cycles(bot, 1)
        assert after[-1].skipped is None
        assert [order.purpose for order in after[-1].orders] == [Purpose.ENTRY]
        await house.end()


async def test_a_key_that_is_unfit_enters_nothing_and_what_is_held_is_sold_all_the_same(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    house.model.will_buy(BTC)
    async with house.worker():
        bot, handle = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        house.account.why_unfit = "The OKX API key may withdraw."
        assert (await reconciled(handle)).blocks == "The OKX API key may withdraw."
        assert "**Nothing is entered**: The OKX API key may withdraw" in await details_of(handle)
        house.feed.prices[BTC] *= 2
        outcome = (await house.run_cycles(bot, 1))[-1]
        assert outcome.skipped == "nothing is entered: The OKX API key may withdraw."
        assert [order.purpose for order in outcome.orders] == [Purpose.TARGET]
        assert house.store.open_coins(bot.id) == set()
        await house.end()


async def test_while_the_account_is_silent_nothing_is_entered(empty_house: House) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    house.account.trouble = VenueUnavailable("OKX is away.")
    async with house.worker():
        bot, _ = await house.started(mode="live")
        [outcome] = await house.run_cycles(bot, 1)
        assert outcome.skipped
        assert "not held against the account" in outcome.skipped
        house.account.trouble = None
        await house.end()


async def test_a_stop_that_the_exchange_has_sold_is_booked_when_the_bot_is_told(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = account = FakeAccount(house.feed, house.clock)
    house.model.will_buy(BTC)
    async with house.worker():
        bot, handle = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        [stop] = await house.store.resting_stops(bot.id)
        account.trigger(stop, Price(57_000), (await house.clock.reading()).venue_ms)
        await handle.signal("reconcile")
        await house.until(lambda: house.store.open_coins(bot.id) == set())
        [sold] = house.store.filled(Purpose.STOP)
        assert sold.id == stop.id
        await house.end()


async def test_while_the_account_is_silent_what_is_held_is_sold_all_the_same(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    house.model.will_buy(BTC)
    async with house.worker():
        bot, _ = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        house.feed.prices[BTC] *= 2
        with house.faults.failing("reconcile"):
            outcome = (await house.run_cycles(bot, 1))[-1]
        assert outcome.skipped
        assert outcome.skipped.startswith("nothing is entered: not held against the account")
        assert [order.purpose for order in outcome.orders] == [Purpose.TARGET]
        assert house.store.open_coins(bot.id) == set()
        await house.end()


async def test_a_cycle_that_saw_nothing_looks_at_the_account_before_it_sells(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    house.model.will_buy(BTC)
    async with house.worker():
        bot, handle = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        house.feed.prices[BTC] *= 2
        with house.faults.failing("observe_market"):
            await house.run_cycles(bot, 1)
        assert house.store.filled(Purpose.TARGET)
        ran = await activities_of(handle)
        assert ran[ran.index("observe_market", ran.index("record_cycles")) + 1] == "reconcile"
        await house.end()


async def test_what_differs_is_in_the_details_until_somebody_finds_it_mended(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock, usdt="9000")
    async with house.worker():
        bot, handle = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        assert "**Nothing is entered**: the account has 9000 USDT" in await details_of(handle)
        house.account.balances_by_currency["USDT"] += Decimal(1_000)
        found = await reconciled(handle)
        assert found.blocks == ""
        assert "**Nothing is entered**" not in await details_of(handle)
        await house.end()


async def details_of(handle: BotHandle) -> str:
    """What Temporal's pages show of a bot."""
    return str(await handle.query("__temporal_workflow_metadata"))


async def test_a_paper_bot_that_is_asked_has_nothing_to_find(empty_house: House) -> None:
    house = empty_house
    async with house.worker():
        _, handle = await house.started()
        found = await reconciled(handle)
        await handle.signal("reconcile")
        assert found == Reconciliation()
        assert "reconcile" not in await activities_of(handle)
        await house.end()


async def test_those_who_ask_while_somebody_looks_look_one_after_the_other(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        _, handle = await house.started(mode="live")
        await reconciled(handle)
        before = (await activities_of(handle)).count("reconcile")
        async with house.faults.holding("reconcile") as first:
            asked = [asyncio.create_task(reconciled(handle)) for _ in range(3)]
            await first.reached.wait()
            assert (await activities_of(handle)).count("reconcile") == before + 1
            async with house.faults.holding("reconcile") as second:
                first.released.set()
                await second.reached.wait()
                assert (await activities_of(handle)).count("reconcile") == before + 2
        assert {found.blocks for found in await asyncio.gather(*asked)} == {""}
        assert (await activities_of(handle)).count("reconcile") == before + 3
        await house.end()


async def reconciled(handle: BotHandle) -> Reconciliation:
    found: Reconciliation = await handle.execute_update("reconcile", result_type=Reconciliation)
    return found


async def test_what_a_person_confirms_to_be_gone_is_written_off_and_entries_go_on(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock, usdt="9900")
    async with house.worker():
        bot, handle = await house.started(mode="live")
        found = await reconciled(handle)
        assert found.losses == {"USDT": Decimal(100)}
        wish = WriteOffRequest(id="w1", by="a person", losses=found.losses)
        for _ in range(2):
            found = await written_off(handle, wish)
            assert (found.written_off, found.blocks) == ({"USDT": Decimal(100)}, "")
        assert house.store.cash[bot.id] == Notional(9_900)
        assert "**Nothing is entered**" not in await details_of(handle)
        house.model.will_buy(BTC)
        [outcome] = await house.run_cycles(bot, 1)
        assert [order.purpose for order in outcome.orders] == [Purpose.ENTRY]
        await house.end()


async def test_a_write_off_that_is_refused_says_why_and_one_that_fails_that_nobody_knows(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock, usdt="9000")
    async with house.worker():
        bot, _ = await house.started(mode="live")
        wish = WriteOffRequest(id="w1", by="a person", losses={"USDT": Decimal(999)})
        with pytest.raises(Conflict, match="not what is missing"):
            await house.ports.control.write_off(bot.id, wish)
        with (
            house.faults.failing("write_off"),
            pytest.raises(Unanswered, match="Nobody can say yet"),
        ):
            await house.ports.control.write_off(bot.id, wish)
        _, paper = await house.started()
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await written_off(paper, wish)
        assert "trades on paper" in str(refused.value.cause)
        assert house.store.wishes == {}
        await house.end()


async def test_while_an_order_is_executed_nobody_else_looks_at_its_coin(
    empty_house: House,
) -> None:
    """Whoever looks could take it to be absent, and send it as well."""
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        bot, handle = await house.started(mode="live")
        house.model.will_buy(BTC)
        async with house.faults.holding("execute_order") as held:
            running = asyncio.create_task(house.run_cycles(bot, 1))
            await held.reached.wait()
            await reconciled(handle)
            assert (await left_alone(handle))[-1] == [BTC]
            held.released.set()
            await running
        await reconciled(handle)
        assert (await left_alone(handle))[-1] == []
        await house.end()


async def left_alone(handle: BotHandle) -> list[list[str]]:
    """The coins that each reconciliation was told to leave alone."""
    history = await handle.fetch_history()
    scheduled = (
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    )
    return [
        json.loads(asked.input.payloads[0].data).get("leave", [])
        for asked in scheduled
        if asked.activity_type.name == "reconcile"
    ]


async def test_a_write_off_waits_for_whoever_looks_at_the_account(empty_house: House) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock, usdt="9000")
    async with house.worker():
        _, handle = await house.started(mode="live")
        wish = WriteOffRequest(id="w1", by="a person", losses={"USDT": Decimal(1_000)})
        async with house.faults.holding("reconcile") as held:
            looking = asyncio.create_task(reconciled(handle))
            await held.reached.wait()
            writing = asyncio.create_task(written_off(handle, wish))
            await house.until_view(handle, lambda _: True)
            assert "write_off" not in await activities_of(handle)
            held.released.set()
            assert (await looking).blocks
        assert (await writing).blocks == ""
        await house.end()


async def test_what_a_person_says_to_be_over_is_ended_and_entries_go_on(empty_house: House) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        bot, handle = await house.started(mode="live")
        now_ms = (await house.clock.reading()).venue_ms
        lost = entry(bot.id, symbol=ETH, expires_ms=now_ms)
        sent = {"state": OrderState.OPEN, "fence_ms": now_ms - WAIT_MS}
        house.store.claimed.add(lost.id)
        house.store.orders_by_id[lost.id] = lost.model_copy(update=sent)
        assert (await reconciled(handle)).unknown
        wish = SayOverRequest(order_id=lost.id, by="a person")
        with (
            house.faults.failing("say_over"),
            pytest.raises(Unanswered, match="Nobody can say yet"),
        ):
            await house.ports.control.say_over(bot.id, wish)
        for _ in range(2):
            found = await house.ports.control.say_over(bot.id, wish)
            assert (found.said_over, found.blocks) == ((lost.id,), "")
        assert "**Nothing is entered**" not in await details_of(handle)
        none = SayOverRequest(order_id="bnone", by="a person")
        with pytest.raises(NotFound, match="has no order or stop bnone"):
            await house.ports.control.say_over(bot.id, none)
        await house.end()


async def written_off(handle: BotHandle, wish: WriteOffRequest) -> Reconciliation:
    found: Reconciliation = await handle.execute_update(
        "write_off", wish, result_type=Reconciliation
    )
    return found


async def sent_entry(house: House, bot: Bot, status: BotStatus, state: OrderState) -> Order:
    """Have the exchange fill an entry of which the record says something else."""
    account, now = house.account, await house.clock.reading()
    assert isinstance(account, FakeAccount)
    made = entry(bot.id, expires_ms=now.venue_ms + 60_000)
    order = made.model_copy(update={"state": OrderState.SENT, "fence_ms": now.venue_ms + 10_000})
    await account.place(order, now)
    house.store.claimed.add(order.id)
    house.store.orders_by_id[order.id] = order.model_copy(update={"state": state})
    change = WriteControl(bot_id=bot.id, status=status, epoch=5, flatten=True, by="ann", reason="")
    await house.store.write_control(change)
    return order


async def test_a_bot_that_starts_over_while_it_closes_sells_what_it_had_just_bought(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = account = FakeAccount(house.feed, house.clock)
    bot = await house.new_bot(mode="live")
    await sent_entry(house, bot, BotStatus.CLOSING, OrderState.SENT)
    async with house.worker():
        await house.ended(await house.start(bot))
    assert house.store.filled(Purpose.FLATTEN)
    assert house.store.open_coins(bot.id) == set()
    assert not account.alive


async def test_a_bot_that_starts_over_paused_books_what_it_had_just_bought(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = account = FakeAccount(house.feed, house.clock)
    bot = await house.new_bot(mode="live")
    order = await sent_entry(house, bot, BotStatus.PAUSED, OrderState.SENT)
    async with house.worker():
        handle = await house.start(bot)
        await house.until(lambda: house.store.open_coins(bot.id) == {BTC})
        assert house.store.orders_by_id[order.id].state is OrderState.FILLED
        await stop(handle)
        await house.ended(handle)
    assert house.store.open_coins(bot.id) == set()
    assert not account.alive


async def test_a_paused_bot_that_learns_late_of_an_entry_sells_it_when_it_is_stopped(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        bot, handle = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        await pause(handle)
        await sent_entry(house, bot, BotStatus.PAUSED, OrderState.CANCELLED)
        await handle.signal("reconcile")
        await house.until(lambda: house.store.open_coins(bot.id) == {BTC})
        await stop(handle)
        await house.ended(handle)
    assert house.store.open_coins(bot.id) == set()
    assert not account.alive


async def test_a_stopped_bot_whose_account_is_silent_waits_across_runs_and_then_ends(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = account = FakeAccount(house.feed, house.clock)
    bot = await house.new_bot(mode="live")
    async with house.worker():
        handle = await house.start(bot, roll_after=1)
        cycle = asyncio.create_task(house.run_cycles(bot, 1))
        async with house.faults.holding("decide") as held:
            await held.reached.wait()
            before = (await handle.describe()).run_id
            account.trouble = VenueUnavailable("OKX is away.")
            await handle.signal("stop")
        await cycle
        ending = asyncio.create_task(house.ended(handle))
        async with asyncio.timeout(PATIENCE_S):
            while (await handle.describe()).run_id == before:
                assert not ending.done()
                await asyncio.sleep(GLANCE_S)
        account.trouble = None
        await ending
    assert (await house.store.bot(bot.id)).status is BotStatus.STOPPED


async def test_an_exit_whose_attempts_were_given_up_is_sent_before_the_next_tick(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = account = FakeAccount(house.feed, house.clock)
    house.model.will_buy(BTC)
    async with house.worker():
        bot, _ = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        house.feed.prices[BTC] *= 2
        with house.faults.failing("execute_order"):
            [outcome] = (await house.run_cycles(bot, 1))[-1:]
            assert [order.state for order in outcome.orders] == [OrderState.UNKNOWN]
        await house.until(lambda: house.store.open_coins(bot.id) == set())
        assert len(house.recorded(bot)) == 2
        await house.end()
    assert account.alive == {}


async def test_a_position_with_neither_stop_nor_sale_is_tried_again_before_the_next_tick(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = account = FakeAccount(house.feed, house.clock)
    house.model.will_buy(BTC)
    async with house.worker():
        bot, handle = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        account.cancel_all()
        account.refusing = {"place_stop", "place"}
        found = await reconciled(handle)
        assert len(found.unsold) == 1
        account.refusing = set()
        await house.until(lambda: house.store.open_coins(bot.id) == set())
        assert len(house.recorded(bot)) == 1
        await house.end()
    assert account.alive == {}


async def test_a_person_can_have_record_and_account_held_against_each_other(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    house.model.will_buy(BTC)
    async with house.worker():
        bot, handle = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        found = await reconciled(handle)
        assert found.proven == (BTC,)
        assert found.blocks == ""
        await house.end()


async def test_who_asks_while_exchange_or_record_is_away_is_told_to_ask_again(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        bot, _ = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        control = TemporalBotControl(house.client, house.queue)
        with house.faults.failing("reconcile"), pytest.raises(Unavailable, match="Ask again"):
            await control.reconcile(bot.id)
        await house.end()


async def test_a_flattened_live_bot_takes_its_stop_back_before_it_sells(empty_house: House) -> None:
    house = empty_house
    house.account = account = FakeAccount(house.feed, house.clock)
    house.model.will_buy(BTC)
    async with house.worker():
        bot, _ = await house.started(mode="live")
        await house.run_cycles(bot, 1)
        await house.end()
    assert account.log == ["entry", "amend", "cancel", "flatten"]
    assert account.alive == {}
    assert account.balances_by_currency["USDT"] == house.store.cash[bot.id].number


def test_what_is_unknown_is_looked_at_soon_some_times_and_then_ever_more_seldom() -> None:
    pauses = [pause_after(looks).total_seconds() for looks in range(10)]
    assert pauses == [15, 15, 15, 15, 30, 60, 120, 240, 300, 300]


@pytest.mark.parametrize("interval_s", [10, 60, 300, 3600])
def test_five_bots_with_twenty_coins_each_can_be_looked_at_within_one_attempt(
    interval_s: int,
) -> None:
    """By OKX's rate: two requests for each coin, one for its stop, and six for the account."""
    requests, each = 5 * (3 * 20 + 6), timedelta(seconds=0.11)
    limits = CycleLimits.of(timedelta(seconds=interval_s), live=True)
    for step, looks in ((limits.reconcile, 1), (limits.execute, 1), (A_PERSON_WAITS, 2)):
        assert looks * requests * each < step.start_to_close <= step.schedule_to_close
    assert A_PERSON_WAITS.schedule_to_close < SAID_WITHIN


def test_a_short_cycle_on_paper_has_short_steps() -> None:
    limits = CycleLimits.of(timedelta(seconds=10))
    assert limits.execute.start_to_close < NOTICED_WITHIN
