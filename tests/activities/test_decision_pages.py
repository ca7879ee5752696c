"""Decisions as they are looked at: with the verdicts, orders and trades that followed."""

from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.decision_pages import PostgresDecisions
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.decision import Action, Decision, Proposal
from oxbot.domain.errors import NotFound
from oxbot.domain.money import Quantity
from oxbot.domain.orders import Purpose
from oxbot.records import DecisionRecord
from tests.support.asked import GATED, SPENT, ask
from tests.support.trading import (
    BTC,
    ETH,
    INSTRUMENT,
    NOW_MS,
    begin,
    bought,
    fill,
    intend,
    leave,
    new_bot,
)

MINUTE_MS = 60_000


@pytest.fixture
def decisions(engine: AsyncEngine) -> PostgresDecisions:
    return PostgresDecisions(engine)


async def decided(store: PostgresStore, cycle: int, bot_id: str = "b1", **changes: object) -> str:
    """Keep what a model said in a cycle."""
    buy = Proposal(symbol=BTC, action=Action.BUY, confidence=Decimal("0.8"), reason="it rises")
    record = DecisionRecord(
        id=f"{bot_id}-{cycle}",
        bot_id=bot_id,
        cycle=cycle,
        provider="dashscope",
        model="qwen-max",
        label="dashscope qwen-max",
        prompt_hash="abc",
        prompt="system: trade\n\nuser: facts",
        reply="{}",
        decision=Decision(proposals=(buy,), summary=f"Buy in {cycle}").model_dump_json(),
        tokens_in=3000,
        cost_usd=Decimal("0.0042"),
    )
    kept = await store.save_decision(record.model_copy(update=changes))
    return kept.id


async def sold(store: PostgresStore, cycle: int, at_ms: int, **changes: object) -> None:
    """Close what `bought` has opened, by an order of a cycle."""
    order = leave("b1", cycle, "0.0999", **changes)
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS)
    await store.settle(order.id, [fill(order, "61000", at_ms=at_ms)], INSTRUMENT)


async def test_a_decision_is_shown_with_what_followed_up_to_the_end_of_its_trade(
    store: PostgresStore, decisions: PostgresDecisions
) -> None:
    await new_bot(store)
    await bought(store)
    first = await decided(store, 1)
    before = await decisions.page(first)
    assert [(order.purpose, order.filled) for order in before.orders] == [
        ("entry", Quantity("0.1"))
    ]
    assert [verdict.rule for verdict in before.verdicts] == ["all rules"]
    assert before.trades == ()
    assert before.decision is not None
    assert before.decision.summary == "Buy in 1"
    assert before.due_ms == NOW_MS + 5 * MINUTE_MS

    await sold(store, 2, NOW_MS + MINUTE_MS, purpose=Purpose.DECISION)
    second = await decided(store, 2)
    opened, closed = await decisions.page(first), await decisions.page(second)
    assert opened.trades == closed.trades
    assert [(t.opened_ms, t.closed_ms, t.exit) for t in opened.trades] == [
        (NOW_MS, NOW_MS + MINUTE_MS, "decision")
    ]
    assert [order.purpose for order in closed.orders] == ["decision"]


async def test_a_trade_belongs_to_the_decisions_that_opened_and_closed_it_and_to_no_other(
    store: PostgresStore, decisions: PostgresDecisions
) -> None:
    await new_bot(store)
    await bought(store)
    await sold(store, 2, NOW_MS + MINUTE_MS)
    await bought(store, cycle=3, symbol=ETH, quantity=Quantity("0.05"))
    ids = [await decided(store, cycle) for cycle in (1, 2, 3)]
    await begin(store, cycle=4)
    ids.append(await decided(store, 4, decision=None, failed="The reply is not JSON."))
    pages = [await decisions.page(decision_id) for decision_id in ids]
    assert [len(page.trades) for page in pages] == [1, 1, 0, 0]
    assert (pages[3].decision, pages[3].orders, pages[3].verdicts) == (None, (), ())
    with pytest.raises(NotFound, match="decisions list"):
        await decisions.page("b1-5")


async def test_decisions_are_listed_newest_first_of_one_bot_or_of_all(
    store: PostgresStore, decisions: PostgresDecisions
) -> None:
    for bot_id in ("b1", "b2"):
        await new_bot(store, bot_id)
        for cycle in (1, 2):
            await begin(store, bot_id, cycle)
            await decided(store, cycle, bot_id)
    await begin(store, "b2", 3)
    await decided(store, 3, "b2", decision=None, failed="The key is not taken.")
    assert [row.id for row in await decisions.listed("b1", 9)] == ["b1-2", "b1-1"]
    newest, *others = await decisions.listed(None, 4)
    assert (newest.id, newest.told) == ("b2-3", "held: The key is not taken.")
    assert [row.id for row in others] == ["b2-2", "b2-1", "b1-2"]
    assert others[0].told == "Buy in 2"
    with pytest.raises(NotFound):
        await decisions.listed("b3", 9)


async def test_a_list_tells_who_was_asked_and_who_was_not(
    store: PostgresStore, decisions: PostgresDecisions
) -> None:
    await new_bot(store)
    for cycle, how in enumerate((None, GATED, SPENT), start=1):
        await ask(store, cycle, how)
    rows = await decisions.listed("b1", 9)
    assert [(row.asked, row.gated) for row in rows] == [
        (False, False),
        (False, True),
        (True, False),
    ]
    page = await decisions.page("b1-2")
    assert page.record.gated
    assert (page.verdicts, page.orders) == ((), ())
