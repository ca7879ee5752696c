"""A bot with a gate, as a workflow: its cycles go on, exits included, while nobody is asked."""

import pytest

from oxbot.domain.bot import Bot
from oxbot.domain.money import Price
from oxbot.domain.orders import Purpose
from tests.support.fakes import BTC
from tests.support.house import BotHandle, House, next_tick, status_of

HOUR_MS = 3_600_000
NOON_MS = 1_750_000_000_000 // HOUR_MS * HOUR_MS
FAR = "1000"
"""Basis points: further away than the stop."""

pytestmark = pytest.mark.critical


async def ticks(house: House, handle: BotHandle, count: int) -> None:
    for _ in range(count):
        await next_tick(house, handle)


async def gated(house: House, bot: Bot, cycles: int) -> list[bool]:
    records = [await house.store.decision(bot.id, number) for number in range(1, cycles + 1)]
    return [record.gated for record in records if record]


async def test_in_gated_cycles_the_workflow_goes_on_and_sells_what_a_rule_demands(
    real_house: House,
) -> None:
    """Stepped, so that nothing but the cycles judges stop and hold."""
    real_house.clock.stepped_ms = NOON_MS
    bot, handle = await real_house.started(gate_bp=FAR)
    real_house.model.will_buy(BTC)
    await ticks(real_house, handle, 3)
    assert await gated(real_house, bot, 3) == [False, False, True]
    view = await real_house.until_written(handle)
    assert view.last_outcome is not None
    assert view.last_outcome.decision.startswith("Not asked: nothing has changed since cycle 2")
    real_house.feed.prices[BTC] = Price(57_000)
    await ticks(real_house, handle, 1)
    assert real_house.model.asked == 2
    assert [order.symbol for order in real_house.store.filled(Purpose.STOP)] == [BTC]
    await ticks(real_house, handle, 2)
    assert await gated(real_house, bot, 6) == [False, False, True, True, False, True]
    assert real_house.model.asked == 3
    cycles = real_house.recorded(bot)
    assert {cycle.skipped for cycle in cycles} == {None}
    assert (await status_of(handle)).positions == ()


async def test_a_quiet_hour_costs_one_question_and_each_hour_has_one(house: House) -> None:
    bot, _ = await house.started(gate_bp="15")
    await house.run_cycles(bot, 30)
    seen = [await house.store.cycle(bot.id, cycle.cycle) for cycle in house.recorded(bot)]
    hours = {start.clock.venue_ms // HOUR_MS for start in seen}
    skipped = await gated(house, bot, len(seen))
    assert skipped.count(False) == len(hours)
    assert len(skipped) == len(seen)
    assert house.model.asked in (len(hours), len(hours) + 1)  # one may be under way
