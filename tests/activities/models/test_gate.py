"""The gate before a provider's real client: what is counted is what the provider was asked."""

from decimal import Decimal

import pytest

from oxbot.domain.money import Price
from oxbot.domain.orders import Purpose
from oxbot.model_server.fault_rules import FaultKind, FaultRule
from oxbot.model_server.faults import Faults
from oxbot.ports import ChatModel
from tests.support.fakes import BTC, ETH
from tests.unit.app.room import BOT, NOW_MS, Room

pytestmark = pytest.mark.critical

FIVE_MINUTES_MS = 300_000
PRICES = ("60000", "60030", "60089", "60090", "60090", "60120", "59999", "59999", "60088", "60089")
"""Of BTC, one a cycle: 15 bp from the last question in the 4th, 7th and 10th."""


async def is_gated(room: Room, number: int, price: str) -> bool:
    """Run a whole cycle at a price of BTC, five minutes after the one before."""
    room.feed.prices[BTC] = Price(price)
    room.now_ms = NOW_MS + (number - 1) * FIVE_MINUTES_MS
    await room.observe(number, room.now_ms)
    await room.decide(number)
    for order in (await room.validate(number)).orders:
        await room.execute(order.id)
    record = await room.store.decision(BOT, number)
    assert record is not None
    return record.gated


async def cycles(room: Room, *prices: str) -> list[bool]:
    """Run a cycle for each price; tell which were gated."""
    return [await is_gated(room, number, price) for number, price in enumerate(prices, start=1)]


async def test_the_provider_is_asked_as_often_as_is_counted_and_for_each_that_moved(
    model: ChatModel, faults: Faults
) -> None:
    """The bot names no model: the record has the name of the provider's default."""
    room = Room(others={"real": model})
    await room.bot(provider="real", gate_bp="15")
    gated = await cycles(room, *PRICES)
    assert [number for number, skipped in enumerate(gated, start=1) if not skipped] == [1, 4, 7, 10]
    counts = await room.store.decision_counts(0, BOT)
    assert (counts.asked, counts.gated) == (faults.asked, gated.count(True)) == (4, 6)
    records = [await room.store.decision(BOT, number) for number in range(1, 11)]
    assert counts.cost_usd == sum((r.cost_usd for r in records if r and r.asked), Decimal(0)) > 0


async def test_an_ungated_bot_asks_the_provider_in_every_cycle(
    model: ChatModel, faults: Faults
) -> None:
    room = Room(others={"real": model})
    await room.bot(provider="real", model="qwen-plus")
    assert not any(await cycles(room, *PRICES))
    assert faults.asked == len(PRICES)


async def test_a_provider_that_failed_is_asked_in_the_next_cycle_whatever_has_not_changed(
    model: ChatModel, faults: Faults
) -> None:
    """A repaired decision is one; two requests of one question count once."""
    room = Room(others={"real": model})
    await room.bot(provider="real", model="qwen-plus", gate_bp="15")
    faults.add([FaultRule(kind=FaultKind.BAD_JSON, count=3)])
    assert await cycles(room, *["60000"] * 4) == [False, False, True, True]
    counts = await room.store.decision_counts(0, BOT)
    assert (counts.failed, counts.repaired, counts.gated, faults.asked) == (1, 1, 2, 4)


async def test_a_gated_cycle_sells_what_has_been_held_too_long(
    model: ChatModel, faults: Faults
) -> None:
    """What another model has bought is shown to the provider once, in cycle 2."""
    room = Room(others={"real": model})
    room.model.will_buy(BTC, ETH)
    bot = await room.bot(limits={"longest_hold_s": 601, "shortest_hold_s": 60})
    assert not await is_gated(room, 1, "60000")
    other = {"provider": "real", "model": "qwen-plus", "gate_bp": Decimal(15)}
    settings = bot.settings.model_copy(update=other)
    room.store.bots_by_id[BOT] = bot.model_copy(update={"settings": settings})
    assert [await is_gated(room, number, "60000") for number in (2, 3, 4)] == [False, True, True]
    assert {trade.exit for trade in await room.store.trades(BOT, 9)} == {Purpose.HOLD}
    assert (await room.store.portfolio(BOT)).positions == {}
    assert faults.asked == 1
