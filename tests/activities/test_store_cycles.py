"""Cycles on record: whatever is written twice is there once, and the first stands."""

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import Conflict, NotFound
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import OrderState, Purpose
from oxbot.messages import CycleOutcome, Missed, OrderOutcome
from oxbot.records import DecisionRecord
from tests.support.trading import (
    BTC,
    INSTRUMENT,
    NOW_MS,
    begin,
    bought,
    fill,
    intend,
    leave,
    new_bot,
    quote,
)

EQUITY = {"equity": Notional("10001.5"), "cash": Notional(4000)}


def outcome(cycle: int = 1, skipped: str | None = None, *orders: OrderOutcome) -> CycleOutcome:
    return CycleOutcome(
        cycle=cycle,
        incarnation=1,
        due_ms=NOW_MS + cycle * 1000,
        skipped=skipped,
        decision="hold",
        orders=orders,
    )


def decision(decision_id: str = "d1", reply: str = "{}") -> DecisionRecord:
    return DecisionRecord(
        id=decision_id,
        bot_id="b1",
        cycle=1,
        provider="baseline",
        model="rule",
        label="baseline rule",
        prompt_hash="abc",
        prompt="what now?",
        reply=reply,
        decision='{"proposals":  [], "summary": "calm"}',
        tokens_cached=40,
        cost_usd=Decimal("0.00123"),
        repaired=True,
        prompt_version="7",
    )


async def test_a_cycle_keeps_what_it_saw_first(store: PostgresStore) -> None:
    await new_bot(store)
    first = await begin(store)
    later = first.model_copy(update={"quotes": {BTC: quote(bid="1")}})
    assert await store.begin_cycle(later) == first
    assert await store.cycle("b1", 1) == first
    with pytest.raises(NotFound):
        await store.cycle("b1", 2)


async def test_a_cycle_given_up_before_it_saw_anything_cannot_begin_any_more(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    await store.record_cycles("b1", [outcome(1, "no market")], [], {})
    with pytest.raises(Conflict, match="given up"):
        await begin(store)
    with pytest.raises(NotFound):
        await store.cycle("b1", 1)


@pytest.mark.critical
async def test_a_cycle_has_one_decision_whoever_asks_again(store: PostgresStore) -> None:
    await new_bot(store)
    await begin(store)
    assert await store.decision("b1", 1) is None
    kept = await asyncio.gather(
        *(store.save_decision(decision(f"d{n}", f"reply {n}")) for n in range(6))
    )
    assert len({record.model_dump_json() for record in kept}) == 1
    assert await store.decision("b1", 1) == kept[0]


async def test_a_decision_comes_back_letter_by_letter(store: PostgresStore) -> None:
    await new_bot(store)
    await begin(store)
    assert await store.save_decision(decision()) == decision()


async def test_recording_twice_tells_everything_once(store: PostgresStore) -> None:
    await new_bot(store)
    await begin(store)
    entered = OrderOutcome(
        order_id="o1",
        symbol=BTC,
        purpose=Purpose.ENTRY,
        state=OrderState.FILLED,
        filled=Quantity("0.1"),
        price=Price(60000),
    )
    left = entered.model_copy(update={"order_id": "o2", "purpose": Purpose.STOP})
    missed_entry = entered.model_copy(update={"order_id": "o3", "state": OrderState.CANCELLED})
    outcomes = [outcome(1, None, entered, left, missed_entry), outcome(2, "the venue is down")]
    gap = Missed(ticks=7, from_ms=NOW_MS, until_ms=NOW_MS + 7000, cause="everything was off")
    for _ in range(3):
        await store.record_cycles("b1", outcomes, [gap], EQUITY)
    told = {event.kind: event for event in await store.events("b1", 99)}
    assert sorted(told) == ["closed", "created", "cycle_skipped", "opened", "ticks_missed"]
    assert len(await store.events("b1", 99)) == 5
    assert told["opened"].text == "Opened BTC/USDT: 0.1 at 60000 USDT."
    assert told["closed"].figures["purpose"] == "stop"
    assert told["cycle_skipped"].text == "Cycle 2 was skipped: the venue is down."
    assert told["ticks_missed"].figures["ticks"] == "7"


async def test_cycles_are_listed_newest_first_and_equity_belongs_to_the_newest(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    await begin(store)
    await begin(store, cycle=3)
    await store.record_cycles("b1", [outcome(2, "late"), outcome(1)], [], EQUITY)
    third, second, first = await store.cycles("b1", 9)
    assert (third.cycle, third.state, third.equity) == (3, "begun", None)
    assert (second.state, second.skipped, second.equity) == ("skipped", "late", EQUITY["equity"])
    assert (first.state, first.decision, first.orders) == ("completed", "hold", 0)
    assert first.equity is None
    assert [row.cycle for row in await store.cycles("b1", 1)] == [3]


async def test_a_recorded_cycle_stays_as_it_was_recorded(store: PostgresStore) -> None:
    await new_bot(store)
    await begin(store)
    await store.record_cycles("b1", [outcome(1)], [], EQUITY)
    later = {"equity": Notional(1), "cash": Notional(1)}
    await store.record_cycles("b1", [outcome(1, "no, skipped")], [], later)
    (row,) = await store.cycles("b1", 9)
    assert (row.state, row.equity) == ("completed", EQUITY["equity"])


async def test_what_models_cost_is_summed_since_a_moment_of_a_bot_and_of_all(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    assert await store.model_cost("b1", 0) == (Decimal(0), Decimal(0))
    for bot_id, cycle, cost in (("b1", 1, "0.1"), ("b1", 2, "0.02"), ("b2", 1, "0.003")):
        if cycle == 1:
            await new_bot(store, bot_id)
        await begin(store, bot_id, cycle)
        changes = {"id": f"{bot_id}-{cycle}", "bot_id": bot_id, "cycle": cycle}
        await store.save_decision(
            decision().model_copy(update={**changes, "cost_usd": Decimal(cost)})
        )
    assert await store.model_cost("b1", 0) == (Decimal("0.12"), Decimal("0.123"))
    async with engine.begin() as connection:
        long_ago = "UPDATE llm_decisions SET decided_at = 'epoch' WHERE id = 'b1-1'"
        await connection.execute(text(long_ago))
    assert await store.model_cost("b1", 1) == (Decimal("0.02"), Decimal("0.023"))


async def test_an_exit_that_leaves_a_position_is_told_as_a_reduction(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    for cycle, quantity in ((2, "0.04"), (3, "0.0599")):
        order = leave("b1", cycle, quantity, purpose=Purpose.DECISION)
        await intend(store, order)
        await store.settle(order.id, [fill(order)], INSTRUMENT)
        sold = OrderOutcome(
            order_id=order.id,
            symbol=BTC,
            purpose=Purpose.DECISION,
            state=OrderState.FILLED,
            filled=Quantity(quantity),
            price=Price(60_000),
        )
        await store.record_cycles("b1", [outcome(cycle, None, sold)], [], EQUITY)
    told = [event.text for event in await store.events("b1", 2)]
    assert told == [
        "Closed BTC/USDT (decision): 0.0599 at 60000 USDT.",
        "Reduced BTC/USDT (decision): 0.04 at 60000 USDT.",
    ]
