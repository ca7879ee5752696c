"""The longest hold: a timer of its own, also where no tick is due and no cycle succeeds."""

from decimal import Decimal

import pytest

from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.orders import Order, Purpose
from tests.support.fakes import BTC, ETH
from tests.support.house import BotHandle, House, next_tick, pause, status_of, stop

DAY_S = 86_400
HOLD_S = 3_600
NOON_MS = 1_750_000_000_000

pytestmark = pytest.mark.critical


async def holding(house: House, *symbols: str, **settings: object) -> tuple[Bot, BotHandle]:
    """A bot that ticks once a day, and has bought these coins at its first tick."""
    chosen = {"interval_s": DAY_S, "limits": {"longest_hold_s": HOLD_S}} | settings
    bot, handle = await house.started(**chosen)
    house.model.will_buy(*symbols)
    await house.pass_until(lambda: len(house.recorded(bot)) == 1, portion_s=3_600)
    assert house.store.open_coins(bot.id) == set(symbols)
    return bot, handle


def held_out(house: House) -> list[Order]:
    return house.store.filled(Purpose.HOLD)


async def test_a_hold_ends_with_no_tick_due(house: House) -> None:
    bot, handle = await holding(house, BTC, ETH)
    await house.pass_until(lambda: len(held_out(house)) == 2, portion_s=600)
    assert len(house.recorded(bot)) == 1
    held_s = [
        (trade.closed_ms - trade.opened_ms) / 1000 for trade in await house.store.trades(bot.id, 9)
    ]
    assert min(held_s) >= HOLD_S
    assert max(held_s) < 4 * 3_600
    await house.until_known(handle)


async def test_a_hold_ends_while_the_bot_is_paused(house: House) -> None:
    bot, handle = await holding(house, BTC)
    await pause(handle)
    await house.pass_until(lambda: bool(held_out(house)), portion_s=600)
    assert (await status_of(handle)).status is BotStatus.PAUSED
    assert len(house.recorded(bot)) == 1


async def test_a_hold_ends_while_the_bot_closes_and_then_so_does_the_bot(house: House) -> None:
    bot, handle = await holding(house, BTC)
    await stop(handle, flatten=False)
    assert (await house.ended(handle)).status is BotStatus.STOPPED
    assert [order.symbol for order in held_out(house)] == [BTC]
    assert len(house.recorded(bot)) <= 2


async def test_a_hold_ends_by_the_limit_that_was_set_meanwhile(house: House) -> None:
    bot, handle = await holding(house, BTC, limits={"longest_hold_s": 2 * HOLD_S})
    change = {"by": "test", "limits": {"longest_hold_s": HOLD_S}}
    await handle.execute_update("change_limits", change)
    await house.pass_until(lambda: bool(held_out(house)), portion_s=600)
    [trade] = await house.store.trades(bot.id, 9)
    assert HOLD_S <= (trade.closed_ms - trade.opened_ms) / 1000 < 2 * HOLD_S


async def test_a_hold_of_an_earlier_life_ends_in_the_next(real_house: House) -> None:
    """The new run knows from the record what is held, before any cycle."""
    real_house.clock.stepped_ms = NOON_MS
    bot, handle = await real_house.started(limits={"longest_hold_s": 601})
    real_house.model.will_buy(BTC)
    await next_tick(real_house, handle)
    await handle.terminate("its history was lost")
    real_house.clock.stepped_ms = None
    await real_house.start(bot)
    await real_house.until(lambda: bool(held_out(real_house)))


async def test_where_the_venue_is_stepped_no_timer_ends_a_hold(real_house: House) -> None:
    real_house.clock.stepped_ms = NOON_MS
    bot, handle = await real_house.started(limits={"longest_hold_s": 601})
    real_house.model.will_buy(BTC)
    await next_tick(real_house, handle)
    late_ms = real_house.clock.stepped_ms + 9 * DAY_S * 1000
    real_house.clock.stepped_ms += 10 * DAY_S * 1000
    await handle.signal("wake")
    await real_house.until_view(handle, lambda view: (view.next_due_ms or 0) > late_ms)
    await real_house.pass_time(1)
    assert real_house.faults.begun["protect"] == 0
    assert real_house.store.open_coins(bot.id) == {BTC}


async def test_a_hold_that_cannot_be_ended_now_is_asked_for_every_minute_with_no_tick_due(
    house: House,
) -> None:
    bot, _ = await holding(house, BTC)
    with house.faults.failing("protect"):
        await house.pass_until(lambda: house.faults.begun["protect"] > 2, portion_s=600)
    await house.pass_until(lambda: bool(held_out(house)), portion_s=60)
    assert len(house.recorded(bot)) == 1
    [trade] = await house.store.trades(bot.id, 9)
    assert (trade.closed_ms - trade.opened_ms) / 1000 < 4 * 3_600
    assert Decimal(0) == (await house.store.audit(bot.id)).drift
