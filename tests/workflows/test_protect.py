"""Protections: closed beside the cycles, once, whatever the bot is doing, and never lost."""

import asyncio

import pytest

from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.money import Price
from oxbot.domain.orders import OrderState, Purpose
from oxbot.messages import Protect, ProtectReport
from tests.support.fakes import BTC, ETH
from tests.support.house import (
    GLANCE_S,
    PATIENCE_S,
    BotHandle,
    House,
    next_tick,
    pause,
    resume,
    status_of,
    stop,
)
from workflows.state import ROLL_AFTER

STOPPED_OUT = Price(57_000)
NOON_MS = 1_750_000_000_000

pytestmark = pytest.mark.critical


async def holding(house: House, *symbols: str) -> tuple[Bot, BotHandle]:
    """A bot that has bought these coins in its first cycle, knows it, and may sell them at once."""
    bot, handle = await house.started(limits={"shortest_hold_s": 0})
    house.model.will_buy(*symbols)
    await house.run_cycles(bot, 1)
    await house.until_known(handle, *symbols)
    return bot, handle


async def holding_for_real(
    house: House, *symbols: str, roll_after: int = ROLL_AFTER, **limits: object
) -> tuple[Bot, BotHandle]:
    """A bot in real time that buys these coins whenever it may, and knows that it has."""
    wanted = set(symbols or (BTC,))
    for _ in range(1_000):
        house.model.will_buy(*wanted)
    bot = await house.new_bot(interval_s=2, limits={"shortest_hold_s": 0, **limits})
    handle = await house.start(bot, roll_after=roll_after)
    await house.until_known(handle, *wanted)
    return bot, handle


async def crossing(house: House, bot: Bot, symbol: str = BTC, **changes: object) -> Protect:
    """The call that a price at the stop makes."""
    position = (await house.store.portfolio(bot.id)).positions[symbol]
    call = Protect(
        symbol=symbol,
        opened_ms=position.opened_ms,
        version=position.version,
        purpose=Purpose.STOP,
        price=STOPPED_OUT,
        crossed_ms=position.opened_ms + 1_000,
        seen_wall_ms=0,
    )
    return call.model_copy(update=changes)


async def protect(handle: BotHandle, call: Protect) -> ProtectReport:
    """Have a position closed, and wait for what came of it."""
    report: ProtectReport = await handle.execute_update("protect", call, result_type=ProtectReport)
    return report


async def held(house: House, bot: Bot) -> set[str]:
    return set((await house.store.portfolio(bot.id)).positions)


def stops(house: House) -> list[str]:
    return [order.symbol for order in house.store.filled(Purpose.STOP)]


async def test_a_protection_closes_its_position_and_the_bot_knows_without_a_cycle(
    house: House,
) -> None:
    bot, handle = await holding(house, BTC, ETH)
    report = await protect(handle, await crossing(house, bot))
    assert report.state == "closed"
    view = await status_of(handle)
    assert [position.symbol for position in view.positions] == [ETH]
    assert (await held(house, bot), stops(house)) == ({ETH}, [BTC])
    assert len(house.recorded(bot)) == 1
    assert (await house.store.audit(bot.id)).drift == 0


async def test_a_position_is_closed_while_the_model_thinks(house: House) -> None:
    bot, handle = await holding(house, BTC)
    async with house.faults.holding("decide") as thinking:
        await house.pass_until(thinking.reached.is_set)
        await handle.signal("protect", await crossing(house, bot))
        await house.until(lambda: stops(house) == [BTC])
        assert len(house.recorded(bot)) == 1
    await house.until(lambda: len(house.recorded(bot)) == 2)
    await house.until_written(handle)
    await house.until_known(handle)


@pytest.mark.parametrize("step", ["observe_market", "validate_risk", "record_cycles"])
async def test_what_a_step_read_before_the_close_does_not_bring_the_position_back(
    real_house: House, step: str
) -> None:
    """The step's answer comes after the protection's, and was true when it was read."""
    bot, handle = await holding_for_real(real_house)
    call = await crossing(real_house, bot)
    before = (await status_of(handle)).positions
    async with real_house.faults.holding_after(step) as reading:
        await real_house.until(reading.reached.is_set)
        assert (await protect(handle, call)).state == "closed"
    await pause(handle)
    await real_house.until_view(handle, lambda view: view.next_due_ms is None)
    assert before
    assert (await status_of(handle)).positions == ()


async def test_a_position_is_closed_while_the_bot_is_paused(house: House) -> None:
    bot, handle = await holding(house, BTC)
    await pause(handle)
    assert (await protect(handle, await crossing(house, bot))).state == "closed"
    cycles = len(house.recorded(bot))
    await house.pass_time(3_600)
    assert len(house.recorded(bot)) == cycles
    assert (await status_of(handle)).status is BotStatus.PAUSED


async def test_a_pause_during_a_protection_answers_at_once_and_stops_nothing(
    house: House,
) -> None:
    bot, handle = await holding(house, BTC)
    async with house.faults.holding("protect") as held_back:
        await handle.signal("protect", await crossing(house, bot))
        await held_back.reached.wait()
        assert (await pause(handle)).status == "paused"
    await house.until(lambda: stops(house) == [BTC])


async def test_two_protections_of_one_coin_at_once_are_one_exit(house: House) -> None:
    bot, handle = await holding(house, BTC)
    stop_call = await crossing(house, bot)
    hold_call = stop_call.model_copy(update={"purpose": Purpose.HOLD, "version": 0})
    reports = await asyncio.gather(*(protect(handle, c) for c in (stop_call, hold_call)))
    assert sorted(report.state for report in reports) == ["closed", "stale"]
    assert sum(order.purpose.is_exit for order in house.store.orders_by_id.values()) == 1


async def test_the_same_protection_sent_again_and_again_is_done_once(house: House) -> None:
    bot, handle = await holding(house, BTC)
    call = await crossing(house, bot)
    async with house.faults.holding("protect") as held_back:
        for _ in range(5):
            await handle.signal("protect", call)
        await held_back.reached.wait()
    await house.until_known(handle)
    assert stops(house) == [BTC]
    assert house.faults.begun["protect"] == 1


async def test_a_stale_protection_sells_nothing(house: House) -> None:
    bot, handle = await holding(house, BTC)
    call = await crossing(house, bot)
    report = await protect(handle, call.model_copy(update={"opened_ms": call.opened_ms - 1}))
    assert report.state == "stale"
    assert await held(house, bot) == {BTC}
    assert [position.symbol for position in (await status_of(handle)).positions] == [BTC]


async def test_an_exit_that_fails_twenty_times_is_done_at_the_next(house: House) -> None:
    bot, handle = await holding(house, BTC)
    with house.faults.failing("protect", final=False):
        await handle.signal("protect", await crossing(house, bot))
        await house.pass_until(lambda: house.faults.begun["protect"] >= 20, portion_s=5)
        assert stops(house) == []
    await house.pass_until(lambda: stops(house) == [BTC], portion_s=5)
    await house.until_known(handle)


async def test_an_exit_that_cannot_finish_blocks_its_coin_and_not_the_bot(
    real_house: House,
) -> None:
    bot, handle = await holding_for_real(real_house, BTC, ETH)
    with real_house.faults.failing("protect", final=False):
        await handle.signal("protect", await crossing(real_house, bot))
        await real_house.until(lambda: real_house.faults.begun["protect"] > 0)
        real_house.model.replies.clear()
        real_house.model.will_close(BTC, ETH)
        await real_house.until(lambda: real_house.store.open_coins(bot.id) == {BTC})
        cycles = len(real_house.recorded(bot))
        await real_house.until(lambda: len(real_house.recorded(bot)) > cycles)
        orders = [o for cycle in real_house.recorded(bot) for o in cycle.orders]
        left = [o.state for o in orders if o.symbol == BTC and o.purpose.is_exit]
        assert set(left) == {OrderState.INTENDED}
    await real_house.until(lambda: real_house.store.open_coins(bot.id) == set())
    exits = [o for o in real_house.store.orders_by_id.values() if o.purpose.is_exit]
    assert sorted(order.symbol for order in exits) == [BTC, ETH]
    assert (await real_house.store.audit(bot.id)).drift == 0


async def test_what_cannot_be_tried_again_leaves_the_position_to_the_next_cycle(
    house: House,
) -> None:
    bot, handle = await holding(house, BTC)
    with house.faults.failing("protect"):
        report = await protect(handle, await crossing(house, bot))
    assert (report.state, report.reason) == ("open", "protect: Planted: told to fail")
    house.feed.prices[BTC] = STOPPED_OUT
    await house.run_cycles(bot, 1)
    assert stops(house) == [BTC]


async def test_a_stop_while_a_protection_is_under_way_ends_with_one_exit(house: House) -> None:
    bot, handle = await holding(house, BTC)
    async with house.faults.holding("protect") as held_back:
        await handle.signal("protect", await crossing(house, bot))
        await held_back.reached.wait()
        assert (await stop(handle)).status == "closing"
    assert (await house.ended(handle)).status is BotStatus.STOPPED
    exits = [order for order in house.store.orders_by_id.values() if order.purpose.is_exit]
    assert [order.state for order in exits] == [OrderState.FILLED]
    assert (await house.store.audit(bot.id)).drift == 0


async def test_a_bot_that_closes_by_its_stops_ends_with_the_last_protection(house: House) -> None:
    bot, handle = await holding(house, BTC)
    await stop(handle, flatten=False)
    cycles = len(house.recorded(bot))
    await handle.signal("protect", await crossing(house, bot))
    assert (await house.ended(handle)).status is BotStatus.STOPPED
    assert stops(house) == [BTC]
    assert len(house.recorded(bot)) <= cycles + 1


async def test_a_protection_that_comes_before_the_bot_has_its_numbers_is_done(
    real_house: House,
) -> None:
    bot, handle = await holding_for_real(real_house)
    call = await crossing(real_house, bot)
    await handle.terminate("its history was lost")
    async with real_house.faults.holding("open_run") as starting:
        again = await real_house.start(bot)
        await starting.reached.wait()
        await again.signal("protect", call)
    await real_house.until(lambda: stops(real_house) == [BTC])


async def test_what_is_under_way_keeps_the_run_from_going_on_as_new(real_house: House) -> None:
    bot, handle = await holding_for_real(real_house, roll_after=3)
    call = await crossing(real_house, bot)
    async with real_house.faults.holding("protect") as held_back:
        await handle.signal("protect", call)
        await held_back.reached.wait()
        run, cycles = await run_id(handle), len(real_house.recorded(bot))
        await real_house.until(lambda: len(real_house.recorded(bot)) >= cycles + 5)
        assert await run_id(handle) == run
    await real_house.until(lambda: stops(real_house) == [BTC])
    async with asyncio.timeout(PATIENCE_S):
        while await run_id(handle) == run:  # noqa: ASYNC110 - sets no event
            await asyncio.sleep(GLANCE_S)
    assert len({block.chain_id for block in real_house.store.blocks}) == 1


async def run_id(handle: BotHandle) -> str | None:
    """Give the run that the bot is in."""
    return (await handle.describe()).run_id


async def test_protections_that_come_while_runs_change_are_not_lost(real_house: House) -> None:
    """A run of one cycle each: every signal meets a bot that is about to go on as new."""
    bot, handle = await holding_for_real(real_house, roll_after=1, cooldown_s=0)
    for turn in range(1, 6):
        await handle.signal("protect", await crossing(real_house, bot))
        await real_house.until(lambda turn=turn: len(stops(real_house)) == turn)  # type: ignore[misc]
        await real_house.until(lambda: real_house.store.open_coins(bot.id) == {BTC})
    assert (await real_house.store.audit(bot.id)).drift == 0


async def test_a_protection_that_cannot_be_read_is_said_and_harms_nothing(house: House) -> None:
    bot, handle = await holding(house, BTC)
    for given in (None, 7, "stop", {"symbol": BTC}, {"symbol": BTC, "version": "x"}):
        await handle.signal("protect", given)
    report = await protect(handle, await crossing(house, bot))
    assert report.state == "closed"
    assert (await status_of(handle)).status is BotStatus.RUNNING


async def test_the_driver_of_a_stepped_venue_has_a_position_closed_between_two_ticks(
    real_house: House,
) -> None:
    real_house.clock.stepped_ms = NOON_MS
    bot, handle = await real_house.started()
    real_house.model.will_buy(BTC)
    await next_tick(real_house, handle)
    real_house.feed.prices[BTC] = STOPPED_OUT
    real_house.clock.stepped_ms = (real_house.clock.stepped_ms or 0) + 60_000
    report = await protect(handle, await crossing(real_house, bot))
    assert (report.state, report.price) == ("closed", STOPPED_OUT)
    [sold] = [fill for fill in real_house.store.booked.values() if fill.side == "sell"]
    assert sold.at_ms == real_house.clock.stepped_ms
    assert (await next_tick(real_house, handle)).cycle == 2


async def test_a_bot_trades_on_after_a_protection(house: House) -> None:
    bot, handle = await house.started(limits={"cooldown_s": 0})
    house.model.will_buy(BTC)
    await house.run_cycles(bot, 1)
    await protect(handle, await crossing(house, bot))
    house.model.will_buy(BTC)
    await house.run_cycles(bot, 1)
    position = (await house.store.portfolio(bot.id)).positions[BTC]
    [brief] = (await house.until_known(handle, BTC)).positions
    assert (brief.opened_ms, brief.version) == (position.opened_ms, position.version)
    assert (await resume(handle)).status == "running"
