"""What a bot remembers: each trade and position with the decision behind it."""

from decimal import Decimal

import pytest

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.decision import Action, Decision, Proposal
from oxbot.domain.memory import LAST_TRADES, Memory, Thesis, performance
from oxbot.domain.money import Notional
from oxbot.domain.orders import Purpose
from oxbot.records import DecisionRecord
from tests.support.trading import BTC, ETH, INSTRUMENT, NOW_MS, entry, fill, intend, leave, new_bot

pytestmark = pytest.mark.critical


async def decide(store: PostgresStore, cycle: int, symbol: str = BTC, bot_id: str = "b1") -> None:
    """Keep what a model said in a cycle; it must be begun."""
    proposal = Proposal(
        symbol=symbol,
        action=Action.BUY,
        confidence=Decimal(1),
        reason=f"reason {cycle}",
        invalidation=f"wrong {cycle}",
    )
    await store.save_decision(
        DecisionRecord(
            id=f"{bot_id}-{cycle}",
            bot_id=bot_id,
            cycle=cycle,
            provider="p",
            model="m",
            label="l",
            prompt_hash="h",
            prompt="?",
            reply="!",
            decision=Decision(proposals=(proposal,), summary="s").model_dump_json(),
            cost_usd=Decimal("0.004"),
        )
    )


async def enter(store: PostgresStore, cycle: int, symbol: str = BTC, bot_id: str = "b1") -> None:
    order = entry(bot_id, cycle, symbol=symbol, quantity="0.01")
    await intend(store, order)
    await decide(store, cycle, symbol, bot_id)
    assert await store.claim(order.id, NOW_MS)
    instrument = INSTRUMENT.model_copy(update={"symbol": symbol})
    await store.settle(order.id, [fill(order, at_ms=NOW_MS + cycle)], instrument)


async def close(store: PostgresStore, cycle: int, price: str, purpose: Purpose) -> None:
    order = leave("b1", cycle, "0.00999", purpose=purpose, reason="decision: it fell")
    await intend(store, order)
    await store.settle(order.id, [fill(order, price, at_ms=NOW_MS + cycle)], INSTRUMENT)


async def test_a_new_bot_remembers_nothing(store: PostgresStore) -> None:
    await new_bot(store)
    assert await store.memory("b1", 1) == Memory()


async def test_a_trade_is_remembered_with_why_it_began_and_why_it_ended(
    store: PostgresStore,
) -> None:
    """The coin was bought before and is again: each time counts the decision of its own cycle."""
    await new_bot(store)
    await enter(store, 1)
    await close(store, 2, "63000", Purpose.DECISION)
    await enter(store, 3)
    await close(store, 4, "57000", Purpose.STOP)
    await enter(store, 5)
    await enter(store, 6, ETH)
    memory = await store.memory("b1", 7)
    first, second = memory.last
    assert (first.thesis.reason, first.exit_reason) == ("reason 1", "it fell")
    assert (second.thesis.reason, second.exit_reason) == ("reason 3", "")
    assert [past.trade.exit for past in memory.last] == [Purpose.DECISION, Purpose.STOP]
    assert memory.theses == {
        BTC: Thesis(reason="reason 5", invalidation="wrong 5"),
        ETH: Thesis(reason="reason 6", invalidation="wrong 6"),
    }
    assert [result.net_pnl for result in memory.results] == [p.trade.net_pnl for p in memory.last]
    assert [result.invested for result in memory.results] == [Notional(600)] * 2


async def test_of_many_trades_the_newest_are_told_and_all_are_summed_up(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    for cycle in range(1, 2 * LAST_TRADES + 3, 2):
        await enter(store, cycle)
        await close(store, cycle + 1, "60100", Purpose.HOLD)
    memory = await store.memory("b1", 99)
    assert len(memory.last) == LAST_TRADES
    assert memory.last[-1].thesis.reason == f"reason {2 * LAST_TRADES + 1}"
    figures = performance(memory.results)
    assert figures
    assert figures.trades == LAST_TRADES + 1


async def test_costs_are_the_bots_own_and_those_of_cycles_before(store: PostgresStore) -> None:
    await new_bot(store)
    await new_bot(store, "b2")
    await enter(store, 1)
    await enter(store, 1, bot_id="b2")
    await close(store, 2, "63000", Purpose.DECISION)
    await enter(store, 3, ETH)
    costs = (await store.memory("b1", 3)).costs
    (trade,) = await store.trades("b1", 9)
    held = (await store.portfolio("b1")).positions[ETH]
    assert (costs.model_usd, costs.decisions) == (Decimal("0.004"), 1)
    assert costs.fees_usdt == trade.fees + held.fees
    assert (await store.memory("b1", 4)).costs.model_usd == Decimal("0.008")


async def test_a_position_of_a_cycle_without_a_decision_has_no_thesis(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    order = entry("b1", 1)
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS)
    await store.settle(order.id, [fill(order)], INSTRUMENT)
    assert (await store.memory("b1", 2)).theses == {BTC: Thesis()}
