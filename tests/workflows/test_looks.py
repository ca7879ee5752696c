"""When a live bot looks at its account beside its cycles, and how it goes on when it does so often.

The next cycle may be a day away.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import InputError, OxbotError
from oxbot.domain.orders import Purpose
from oxbot.messages import ClosePosition, CloseReport, SayOverRequest, WriteOffRequest
from oxbot.ports import BotControl
from tests.support.fake_account import FakeAccount
from tests.support.fakes import BTC
from tests.support.house import BotHandle, House, next_tick, pause
from tests.support.temporal_server import LONG

pytestmark = pytest.mark.critical

DAY_S = 86_400

LOOK_EVENTS = 4
"""Events, at least, that a look at the account writes: the signal, and the activity's three."""

LOOKS_AT_FIRST = 2
"""The run's own, and that of whoever asks for one."""

LOSSES = WriteOffRequest(id="w1", by="a person", losses={"USDT": Decimal(999)})

Word = Callable[[BotControl, str], Awaitable[object]]


async def holding(house: House) -> tuple[Bot, BotHandle]:
    """A live bot that has bought BTC in its first cycle."""
    house.model.will_buy(BTC)
    bot, handle = await house.started(mode="live")
    await house.run_cycles(bot, 1)
    await house.until_known(handle, BTC)
    return bot, handle


async def close(handle: BotHandle) -> CloseReport:
    wish = ClosePosition(symbol=BTC, by="a person")
    report: CloseReport = await handle.execute_update("close", wish, result_type=CloseReport)
    return report


async def test_a_protection_that_ends_with_neither_stop_nor_sale_is_looked_after_before_the_tick(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        bot, handle = await holding(house)
        account.refusing = {"place", "place_stop"}
        report = await close(handle)
        assert (report.done, report.under_way, account.alive) == (False, False, {})
        account.refusing = set()
        await house.pass_until(lambda: house.store.open_coins(bot.id) == set())
        assert house.store.filled(Purpose.STOP)
        assert house.faults.begun["observe_market"] == 1
        await house.end()


async def test_a_protection_whose_attempts_were_given_up_is_followed_by_a_look(
    empty_house: House,
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        _, handle = await holding(house)
        begun = house.faults.begun["reconcile"]
        with house.faults.failing("protect"):
            assert not (await close(handle)).done
        await house.pass_until(lambda: house.faults.begun["reconcile"] > begun)
        assert house.faults.begun["observe_market"] == 1
        await house.end()


async def test_where_time_stands_still_what_a_protection_left_waits_for_the_next_cycle(
    empty_real_house: House,
) -> None:
    house = empty_real_house
    house.clock.stepped_ms = 1_750_000_000_000
    house.account = account = FakeAccount(house.feed, house.clock)
    house.model.will_buy(BTC)
    async with house.worker():
        _, handle = await house.started(mode="live")
        await next_tick(house, handle)
        account.refusing = {"place", "place_stop"}
        begun = house.faults.begun["reconcile"]
        assert not (await close(handle)).done
        await house.until_view(handle, lambda _: True)
        assert house.faults.begun["reconcile"] == begun
        account.refusing = set()
        await next_tick(house, handle)
        assert house.faults.begun["reconcile"] == begun + 1
        await house.end()


async def test_a_bot_that_is_looked_after_again_and_again_before_its_tick_goes_on_in_a_new_run(
    terse_house: House,
) -> None:
    house = terse_house
    house.account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        bot, handle = await house.started(mode="live", interval_s=DAY_S)
        view = await house.until_view(handle, lambda view: view.next_due_ms is not None)
        before = (await handle.describe()).run_id
        for _ in range(LONG // LOOK_EVENTS):
            await look(house, handle)
        assert (await handle.describe()).run_id != before
        after = await house.until_view(handle, lambda view: view.incarnation > 0)
        assert (after.next_due_ms, house.recorded(bot)) == (view.next_due_ms, [])
        await look(house, handle)
        await house.end()


async def test_a_paused_bot_that_is_looked_after_again_and_again_goes_on_in_a_new_run(
    terse_house: House,
) -> None:
    house = terse_house
    house.account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        bot, handle = await house.started(mode="live")
        await pause(handle)
        before = (await handle.describe()).run_id
        for _ in range(LONG // LOOK_EVENTS):
            await look(house, handle)
        assert (await handle.describe()).run_id != before
        view = await house.until_view(handle, lambda view: view.incarnation > 0)
        assert (view.status, house.recorded(bot)) == (BotStatus.PAUSED, [])
        await look(house, handle)
        await house.end()


async def look(house: House, handle: BotHandle) -> None:
    """Have record and account held against each other once more."""
    begun = house.faults.begun["reconcile"]
    await handle.signal("reconcile")
    await house.until(lambda: house.faults.begun["reconcile"] > begun)


@pytest.mark.parametrize(
    ("name", "say"),
    [
        ("reconcile", lambda control, bot_id: control.reconcile(bot_id)),
        ("write_off", lambda control, bot_id: control.write_off(bot_id, LOSSES)),
        (
            "say_over",
            lambda control, bot_id: control.say_over(
                bot_id, SayOverRequest(order_id="bnone", by="a person")
            ),
        ),
    ],
)
async def test_after_a_persons_word_that_failed_the_bot_looks_by_itself(
    empty_house: House, name: str, say: Word
) -> None:
    house = empty_house
    house.account = FakeAccount(house.feed, house.clock)
    async with house.worker():
        bot, _ = await house.started(mode="live")
        await house.ports.control.reconcile(bot.id)
        await house.until(lambda: house.faults.begun["reconcile"] == LOOKS_AT_FIRST)
        with house.faults.failing(name), pytest.raises(OxbotError):
            await say(house.ports.control, bot.id)
        begun = house.faults.begun["reconcile"]
        await house.pass_until(lambda: house.faults.begun["reconcile"] > begun)
        assert house.faults.begun["observe_market"] == 0
        await house.end()


async def test_a_paper_bot_whose_person_was_refused_has_nothing_to_look_at_and_ends(
    house: House,
) -> None:
    bot, handle = await house.started()
    with pytest.raises(InputError, match="trades on paper"):
        await house.ports.control.write_off(bot.id, LOSSES)
    before = (await handle.describe()).run_id
    await handle.signal("stop")
    assert (await house.ended(handle)).status is BotStatus.STOPPED
    assert (await handle.describe()).run_id == before
    assert house.faults.begun["reconcile"] == 0
