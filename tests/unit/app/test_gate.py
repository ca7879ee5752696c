"""A bot's gate: the model is asked when something has changed, and only then."""

from decimal import Decimal

import pytest

from oxbot.domain.money import Price
from oxbot.domain.orders import Purpose
from oxbot.messages import DecisionBrief
from oxbot.records import DecisionRecord
from tests.support.fakes import BTC, ETH
from tests.unit.app.room import BOT, NOW_MS, Room

pytestmark = pytest.mark.critical

FIVE_MINUTES_MS = 300_000


async def cycle(room: Room, number: int) -> DecisionBrief:
    """A whole cycle, five minutes after the one before."""
    room.now_ms = NOW_MS + (number - 1) * FIVE_MINUTES_MS
    await room.observe(number, room.now_ms)
    brief = await room.decide(number)
    for order in (await room.validate(number)).orders:
        await room.execute(order.id)
    return brief


async def stored(room: Room, number: int) -> DecisionRecord:
    record = await room.store.decision(BOT, number)
    assert record is not None
    return record


async def test_a_cycle_in_which_nothing_has_changed_is_kept_as_a_hold_that_nobody_was_asked_for(
    room: Room,
) -> None:
    await room.bot(gate_bp="15", model="m1")
    first, second = await cycle(room, 1), await cycle(room, 2)
    assert room.model.asked == 1
    assert first.summary == "hold"
    assert second.failed is None
    assert second.proposals == ()
    assert second.summary == (
        "Not asked: nothing has changed since cycle 1 (no price by 15 bp, same positions and "
        "limits)."
    )
    record = await stored(room, 2)
    assert record.gated
    assert not record.asked
    assert (record.prompt, record.prompt_hash, record.reply, record.failed) == ("", "", "", None)
    assert (record.tokens_in, record.tokens_out, record.cost_usd) == (0, 0, Decimal(0))
    assert (record.provider, record.model) == ("fake", "m1")
    assert await room.decide(2) == second


async def test_what_is_compared_with_is_the_last_question_and_not_the_last_cycle(
    room: Room,
) -> None:
    """Three moves of 6 bp each: the third cycle after the question is 18 bp away from it."""
    await room.bot(gate_bp="15")
    for number in range(1, 5):
        room.feed.prices[BTC] = Price(60_000) + Price(36) * (number - 1)
        await cycle(room, number)
    gated = [(await stored(room, number)).gated for number in range(1, 5)]
    assert gated == [False, True, True, False]
    assert (await cycle(room, 5)).summary.startswith("Not asked: nothing has changed since cycle 4")


async def test_a_gated_cycle_is_no_question_to_what_a_model_is_told(room: Room) -> None:
    await room.bot(gate_bp="15")
    for number in (1, 2, 3):
        await cycle(room, number)
    lately = await room.store.lately(BOT, 4)
    assert lately is not None
    assert lately.cycle == 1
    assert (await room.store.memory(BOT, 4)).costs.decisions == 1


async def test_a_purchase_is_shown_to_the_model_once_and_then_nothing_has_changed(
    room: Room,
) -> None:
    await room.bot(gate_bp="15")
    room.model.will_buy(BTC)
    for number in (1, 2, 3):
        await cycle(room, number)
    assert [(await stored(room, n)).gated for n in (1, 2, 3)] == [False, False, True]


async def test_a_refusal_is_shown_to_the_model_once_and_then_nothing_has_changed(
    room: Room,
) -> None:
    await room.bot(gate_bp="15", limits={"confidence": 1})
    room.model.will_buy(BTC)
    for number in (1, 2, 3):
        await cycle(room, number)
    assert [(await stored(room, n)).gated for n in (1, 2, 3)] == [False, False, True]


async def test_a_gated_cycle_sells_what_a_stop_demands_and_the_next_one_asks(room: Room) -> None:
    """The stop is nearer than the gate, so that only the rules look at the fall."""
    await room.bot(gate_bp="1000")
    room.model.will_buy(BTC)
    await cycle(room, 1)
    await cycle(room, 2)
    room.feed.prices[BTC] = Price(57_000)
    assert (await cycle(room, 3)).summary.startswith("Not asked")
    (trade,) = await room.store.trades(BOT, 9)
    assert trade.exit == Purpose.STOP
    assert (await room.store.portfolio(BOT)).positions == {}
    assert room.model.asked == 2
    await cycle(room, 4)
    assert room.model.asked == 3


async def test_a_question_that_failed_is_asked_again(room: Room) -> None:
    await room.bot(gate_bp="15")
    room.model.replies.extend(["no", "no"])
    assert (await cycle(room, 1)).failed is not None
    assert (await cycle(room, 2)).failed is None
    assert (await cycle(room, 3)).summary.startswith("Not asked")


async def test_changed_limits_and_a_new_hour_are_asked(room: Room) -> None:
    bot = await room.bot(gate_bp="15")
    await cycle(room, 1)
    settings = bot.settings.model_copy(
        update={"limits": bot.settings.limits.model_copy(update={"stop": Decimal("0.02")})}
    )
    room.store.bots_by_id[BOT] = bot.model_copy(update={"settings": settings})
    await cycle(room, 2)
    assert room.model.asked == 2
    for number in range(3, 14):
        await cycle(room, number)
    assert room.model.asked == 3


async def test_a_spent_budget_is_no_gate_and_is_kept_as_what_it_is(room: Room) -> None:
    await room.bot(gate_bp="15", budget_usd="1")
    await cycle(room, 1)
    record = (await stored(room, 1)).model_copy(update={"id": "x", "cycle": 0, "cost_usd": 1})
    await room.store.save_decision(record)
    assert "is spent" in ((await cycle(room, 2)).failed or "")
    spent = await stored(room, 2)
    assert not spent.gated
    counts = await room.store.decision_counts(0, BOT)
    assert (counts.asked, counts.gated, counts.unasked) == (2, 0, 1)


async def test_a_bot_without_a_gate_is_asked_in_every_cycle(room: Room) -> None:
    await room.bot()
    for number in (1, 2, 3):
        await cycle(room, number)
    assert room.model.asked == 3


async def test_the_wording_is_that_of_the_bot_and_another_one_is_asked(room: Room) -> None:
    bot = await room.bot(gate_bp="15", prompt_version="2-now")
    assert (await cycle(room, 1)).summary == "hold"
    assert (await cycle(room, 2)).summary.startswith("Not asked")
    settings = bot.settings.model_copy(update={"prompt_version": "2"})
    room.store.bots_by_id[BOT] = bot.model_copy(update={"settings": settings})
    assert (await cycle(room, 3)).summary == "hold"


async def test_a_coin_that_was_bought_besides_is_asked(room: Room) -> None:
    await room.bot(gate_bp="15")
    room.model.will_buy(BTC)
    await cycle(room, 1)
    room.model.will_buy(ETH)
    await cycle(room, 2)
    await cycle(room, 3)
    assert room.model.asked == 3
