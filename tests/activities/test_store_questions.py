"""Questions on record: the last one as it was asked, and how many came to what."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app.decide import decide
from oxbot.domain.decision import DecisionCounts
from oxbot.domain.money import Quantity
from oxbot.domain.orders import OrderState
from oxbot.messages import Decide
from oxbot.records import Facts, Lately
from tests.support.asked import CHOICE, FAILED, GATED, SPENT, ask
from tests.support.fakes import BTC, ETH
from tests.support.trading import (
    INSTRUMENT,
    begin,
    bought,
    entry,
    fill,
    intend,
    new_bot,
    quote,
)
from tests.unit.app.room import BOT, NOW_MS, Room

pytestmark = pytest.mark.critical


async def facts_of(store: PostgresStore) -> Facts:
    """What a bot that holds BTC is shown."""
    bot = await new_bot(store)
    await bought(store)
    lately = Lately(cycle=1, verdicts=tuple(await store.verdicts("b1", 1)))
    return Facts(
        now_ms=NOW_MS,
        symbols=(ETH, BTC),
        portfolio=await store.portfolio("b1"),
        limits=bot.settings.limits,
        lately=lately,
        fee_rate=Decimal("0.0010"),
    )


async def test_the_last_question_comes_back_with_all_that_it_showed(store: PostgresStore) -> None:
    facts = await facts_of(store)
    await ask(store, 2, facts=facts)
    for cycle, how in ((3, GATED), (4, SPENT)):
        await ask(store, cycle, how)
    await ask(store, 5, FAILED, facts=facts)
    await new_bot(store, "b2")
    await ask(store, 4, bot_id="b2")
    last = await store.last_question("b1", 5)
    assert last is not None
    assert (last.cycle, last.decided, last.prompt_version) == (2, True, "7")
    assert last.facts == facts
    assert last.choice == CHOICE
    assert last.quotes == {BTC: quote()}
    failed = await store.last_question("b1", 6)
    assert failed is not None
    assert (failed.cycle, failed.decided) == (5, False)
    assert await store.last_question("b1", 2) is None


async def test_facts_that_are_missing_or_of_another_form_are_none(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    """A gate that cannot compare asks; it must not keep the bot from deciding."""
    await ask(store, 2, facts=await facts_of(store))
    async with engine.begin() as connection:
        older = 'UPDATE llm_decisions SET facts = facts || \'{"moon": "full"}\''
        await connection.execute(text(older))
    last = await store.last_question("b1", 3)
    assert last is not None
    assert (last.cycle, last.facts, last.decided) == (2, None, True)
    await ask(store, 3)
    last = await store.last_question("b1", 4)
    assert last is not None
    assert (last.cycle, last.facts) == (3, None)


async def test_each_cycle_is_counted_by_what_came_of_it(store: PostgresStore) -> None:
    await new_bot(store)
    await new_bot(store, "b2")
    kinds: dict[str, tuple[int, Mapping[str, object]]] = {
        "decided": (3, {}),
        "repaired": (2, {"repaired": True}),
        "failed": (1, FAILED),
        "gated": (4, GATED),
        "unasked": (2, SPENT),
    }
    numbers = iter(range(1, 99))
    for count, how in kinds.values():
        for _ in range(count):
            await ask(store, next(numbers), how)
    await ask(store, 1, bot_id="b2")
    counts = await store.decision_counts(0, "b1")
    wanted = {name: count for name, (count, _) in kinds.items()}
    assert counts.model_dump() == {**wanted, "cost_usd": Decimal("0.024")}
    assert counts.asked == 6
    everybody = await store.decision_counts(0)
    assert (everybody.decided, everybody.cost_usd) == (4, Decimal("0.028"))
    tomorrow_ms = time.time_ns() // 10**6 + 86_400_000
    assert await store.decision_counts(tomorrow_ms) == DecisionCounts()


async def test_a_cycle_in_which_nobody_was_asked_is_no_question_to_what_a_model_is_told(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    for cycle, how in enumerate((None, GATED, SPENT), start=1):
        await ask(store, cycle, how)
    lately = await store.lately("b1", 4)
    assert lately is not None
    assert lately.cycle == 1
    assert (await store.memory("b1", 4)).costs.decisions == 1


async def test_entries_that_came_to_nothing_since_the_last_question_are_known_with_why(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    await new_bot(store, "b2")
    await ask(store, 2)
    small = {"quantity": Quantity("0.001")}
    orders = {
        name: entry(bot_id, cycle, symbol=symbol).model_copy(update=small)
        for name, (bot_id, cycle, symbol) in {
            "before": ("b1", 1, "XRP/USDT"),
            "refused": ("b1", 2, BTC),
            "cancelled": ("b1", 2, ETH),
            "filled": ("b1", 2, "SOL/USDT"),
            "waiting": ("b1", 2, "BNB/USDT"),
            "after": ("b1", 3, "ADA/USDT"),
            "other": ("b2", 2, "DOGE/USDT"),
        }.items()
    }
    await intend(store, orders["before"])
    await intend(store, *(orders[n] for n in ("refused", "cancelled", "filled", "waiting")))
    await intend(store, orders["after"])
    await intend(store, orders["other"])
    for name in ("before", "cancelled", "after", "other"):
        await store.finish_order(orders[name], OrderState.CANCELLED, f"{name}: no book")
    await store.finish_order(orders["refused"], OrderState.REFUSED, "it expired")
    filled = orders["filled"]
    await store.claim(filled.id, NOW_MS)
    await store.settle(filled.id, [fill(filled)], INSTRUMENT)
    lately = await store.lately("b1", 3)
    assert lately is not None
    assert lately.unfilled == {BTC: "it expired", ETH: "cancelled: no book"}


@contextmanager
def counted(store: PostgresStore) -> Iterator[list[str]]:
    """Collect the statements that the store sends, whichever kind of transaction they are in."""
    engine, sent = store._engine.sync_engine, []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


async def decided(store: PostgresStore, room: Room, cycle: int) -> list[str]:
    """Have a cycle decided on the real record; give the statements that this took."""
    ports = replace(room.ports, store=store)
    room.now_ms += 1
    await begin(store, BOT, cycle)
    with counted(store) as sent:
        await decide(ports, Decide(bot_id=BOT, cycle=cycle))
    return sent


async def test_a_gate_costs_one_statement_and_no_gate_none(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    room = Room()
    await new_bot(store, provider="fake", symbols=(BTC,))
    plain = [await decided(store, room, cycle) for cycle in (1, 2)]
    assert room.model.asked == 2
    async with engine.begin() as connection:
        shut = 'UPDATE bots SET settings = settings || \'{"gate_bp": "15"}\''
        await connection.execute(text(shut))
    gated = await decided(store, room, 3)
    assert room.model.asked == 2
    assert len(gated) == len(plain[1]) + 1
    reading = "llm_decisions.facts"
    assert sum(reading in statement for statement in gated) == 1
    assert not any(reading in statement for statement in plain[1])
    record = await store.decision(BOT, 3)
    assert record is not None
    assert record.gated
