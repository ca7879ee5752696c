"""The kill switch: a bot that lost too much pauses itself, and only a person lets it go on."""

from typing import Final

import pytest

from oxbot.domain.bot import BotStatus
from oxbot.domain.money import Notional, Price
from oxbot.domain.orders import Purpose
from tests.support.fakes import BTC
from tests.support.house import House, resume, status_of

pytestmark = pytest.mark.critical

DEEP: Final = {"max_position": "0.85", "stop": "0.3", "target": "0.6", "daily_loss": "0.5"}
"""A bot that puts 85 % into one coin and has its stop far away, so that it can lose much."""

FALLEN: Final = Price(52_000)
"""From 60,000: 13 % of what is held, and more than 10 % of all."""


@pytest.mark.parametrize("flatten", [False, True])
async def test_a_drawdown_pauses_the_bot_and_sells_only_where_it_is_set_to(
    house: House, *, flatten: bool
) -> None:
    bot, handle = await house.started(limits={**DEEP, "flatten_at_limit": flatten})
    house.model.will_buy(BTC)
    await house.run_cycles(bot, 1)
    assert set((await house.store.portfolio(bot.id)).positions) == {BTC}
    house.feed.prices[BTC] = FALLEN
    await house.run_cycles(bot, 1)
    await house.until_status(handle, BotStatus.PAUSED)
    held = (await house.store.portfolio(bot.id)).positions
    assert set(held) == (set() if flatten else {BTC})
    assert len(house.store.filled(Purpose.FLATTEN)) == flatten
    await house.until(lambda: bool(house.store.control))
    [paused] = house.store.control
    assert paused.status is BotStatus.PAUSED
    assert paused.by == "kill switch"
    assert "drawdown" in paused.reason
    assert "limit 0.1" in paused.reason


async def test_a_resumed_bot_is_measured_from_what_it_has_left(house: House) -> None:
    bot, handle = await house.started(limits=DEEP)
    house.model.will_buy(BTC)
    await house.run_cycles(bot, 1)
    house.feed.prices[BTC] = FALLEN
    await house.run_cycles(bot, 1)
    await house.until_status(handle, BotStatus.PAUSED)
    await resume(handle)
    await house.run_cycles(bot, 3)
    assert (await status_of(handle)).status is BotStatus.RUNNING
    equity = await house.store.equity(bot.id)
    assert equity is not None
    assert house.store.high_water[bot.id] == equity
    assert house.store.high_water[bot.id] < Notional(9_000)
