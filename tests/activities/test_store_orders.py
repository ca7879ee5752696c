"""Orders: written down once, claimed by one, never sent when no longer wanted."""

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.bot import BotStatus
from oxbot.domain.errors import Conflict, InputError, NotFound
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import OrderState, Purpose
from oxbot.messages import WriteControl
from tests.support.servers import until_one_waits
from tests.support.trading import (
    BTC,
    ETH,
    INSTRUMENT,
    NOW_MS,
    begin,
    bought,
    entry,
    fill,
    intend,
    leave,
    new_bot,
    ruled,
    verdict,
)

pytestmark = pytest.mark.critical


def control(status: BotStatus, epoch: int, bot_id: str = "b1") -> WriteControl:
    return WriteControl(
        bot_id=bot_id, status=status, epoch=epoch, flatten=True, by="test", reason=""
    )


async def test_an_order_comes_back_as_it_was_written(store: PostgresStore) -> None:
    await new_bot(store)
    order = entry("b1", limit_price=Price("0.000000000001"), quantity=Quantity("12345.678912"))
    await intend(store, order)
    assert await store.order(order.id) == order
    assert await store.unfinished_orders("b1") == [order]


async def test_of_many_claims_at_once_exactly_one_wins(
    store: PostgresStore, database_url: str
) -> None:
    await new_bot(store)
    other = PostgresStore(open_engine(database_url, pool_size=5))
    try:
        for cycle in range(1, 31):
            order = entry("b1", cycle, quantity=Quantity("0.01"))
            await intend(store, order)
            claims = (s.claim(order.id, NOW_MS) for _ in range(5) for s in (store, other))
            assert sorted(await asyncio.gather(*claims)) == [False] * 9 + [True]
            await store.settle(order.id, [], INSTRUMENT)
    finally:
        await other.close()


@pytest.mark.parametrize(
    ("now_ms", "claimed"),
    [(NOW_MS + 59_999, True), (NOW_MS + 60_000, False), (NOW_MS + 60_001, False)],
)
async def test_an_entry_is_claimed_only_before_it_expires(
    store: PostgresStore, now_ms: int, *, claimed: bool
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    assert await store.claim(order.id, now_ms) is claimed
    state = OrderState.SENT if claimed else OrderState.INTENDED
    assert (await store.order(order.id)).state is state


@pytest.mark.parametrize("status", [BotStatus.PAUSED, BotStatus.CLOSING, BotStatus.STOPPED])
async def test_an_entry_is_not_claimed_once_the_bot_no_longer_runs(
    store: PostgresStore, status: BotStatus
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    await store.write_control(control(status, 1))
    assert not await store.claim(order.id, NOW_MS)


async def test_an_entry_of_an_older_epoch_is_cancelled_and_stays_so_after_a_resume(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    await store.write_control(control(BotStatus.PAUSED, 2))
    await store.write_control(control(BotStatus.RUNNING, 3))
    assert not await store.claim(order.id, NOW_MS)
    assert (await store.order(order.id)).state is OrderState.CANCELLED


async def test_an_entry_intended_under_an_epoch_that_is_over_is_not_claimed(
    store: PostgresStore,
) -> None:
    """Its cycle judged before the control came, and wrote it down after."""
    await new_bot(store)
    await store.write_control(control(BotStatus.RUNNING, 2))
    order = entry("b1")
    await intend(store, order)
    assert not await store.claim(order.id, NOW_MS)


async def test_an_exit_is_claimed_whatever_the_bot_was_told(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    order = leave("b1", 2, "0.0999")
    await intend(store, order)
    await store.write_control(control(BotStatus.STOPPED, 7))
    assert await store.claim(order.id, NOW_MS + 10**9)


async def test_a_claim_waits_for_a_pause_under_way_and_then_sees_it(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    """Otherwise an order could be sent after the pause was answered."""
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    async with engine.begin() as pausing:
        await pausing.execute(text("UPDATE bots SET status = 'paused', epoch = 2"))
        claim = asyncio.create_task(store.claim(order.id, NOW_MS))
        await until_one_waits(engine)
    assert await claim is False


async def test_a_released_order_can_be_claimed_again_and_a_final_one_not_released(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS)
    sent = await store.order(order.id)
    assert (await store.release(sent)).state is OrderState.INTENDED
    assert (await store.release(sent)).state is OrderState.INTENDED
    assert await store.claim(order.id, NOW_MS)
    ended = await store.finish_order(sent, OrderState.REFUSED, "no funds")
    assert ended.state is OrderState.REFUSED
    assert await store.release(sent) == ended


async def test_a_claim_that_another_has_made_meanwhile_is_neither_released_nor_ended(
    store: PostgresStore,
) -> None:
    """Whoever looked before it was made knows nothing of it, and its order may be on its way."""
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS, NOW_MS + 1)
    first = await store.order(order.id)
    await store.release(first)
    assert await store.claim(order.id, NOW_MS, NOW_MS + 2)
    second = await store.order(order.id)
    for known in (order, first):
        assert await store.release(known) == second
        assert await store.finish_order(known, OrderState.CANCELLED, "") == second
    assert (await store.release(second)).fence_ms is None


async def test_an_order_that_the_exchange_has_taken_is_neither_released_nor_claimed_again(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS, NOW_MS + 1)
    claimed = await store.order(order.id)
    await store.note_taken(claimed.model_copy(update={"fence_ms": NOW_MS + 2}))
    assert await store.order(order.id) == claimed
    await store.note_taken(claimed)
    taken = await store.order(order.id)
    assert taken.state is OrderState.OPEN
    assert await store.release(taken) == taken
    assert not await store.claim(order.id, NOW_MS)
    ended = await store.settle(order.id, [fill(order)], INSTRUMENT)
    await store.note_taken(claimed)
    assert await store.order(order.id) == ended


async def test_whoever_releases_an_order_while_its_acknowledgement_comes_it_is_open(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    for cycle in range(1, 9):
        order = entry("b1", cycle)
        await intend(store, order)
        assert await store.claim(order.id, NOW_MS, NOW_MS + 1)
        claimed = await store.order(order.id)
        await asyncio.gather(store.release(claimed), store.note_taken(claimed))
        assert await store.order(order.id) == claimed.model_copy(update={"state": OrderState.OPEN})
        await store.finish_order(await store.order(order.id), OrderState.CANCELLED, "")


async def test_an_order_that_was_claimed_anew_is_not_open_by_the_word_to_an_older_claim(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS, NOW_MS + 1)
    first = await store.order(order.id)
    await store.release(first)
    assert await store.claim(order.id, NOW_MS, NOW_MS + 2)
    again = await store.order(order.id)
    assert await store.note_taken(first) == again


async def test_what_was_sent_once_is_looked_for_among_executions_though_it_was_called_off(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    assert await store.sent_symbols("b1", 0) == []
    assert await store.claim(order.id, NOW_MS, NOW_MS + 1)
    await store.release(await store.order(order.id))
    await store.write_control(
        WriteControl(bot_id="b1", status=BotStatus.PAUSED, epoch=2, flatten=True, by="t", reason="")
    )
    assert (await store.order(order.id)).state is OrderState.CANCELLED
    assert await store.sent_symbols("b1", 0) == [BTC]


async def test_an_order_is_finished_once_and_the_first_end_stands(store: PostgresStore) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    first = await store.finish_order(order, OrderState.REFUSED, "no funds")
    second = await store.finish_order(order, OrderState.CANCELLED, "expired")
    assert first == second == await store.order(order.id)
    assert (first.state, first.reason) == (OrderState.REFUSED, "no funds")
    assert not await store.claim(order.id, NOW_MS)
    assert await store.unfinished_orders("b1") == []


async def test_an_order_is_not_finished_as_filled_without_a_fill(store: PostgresStore) -> None:
    await new_bot(store)
    order = entry("b1")
    await intend(store, order)
    with pytest.raises(InputError):
        await store.finish_order(order, OrderState.FILLED, "")


async def test_a_cycle_is_judged_once_and_the_second_judge_stores_nothing(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    await begin(store)
    assert not await store.judged("b1", 1)
    first, second = entry("b1"), entry("b1", symbol=ETH)
    await store.judge_cycle("b1", 1, ruled(first), entering=False)
    with pytest.raises(Conflict, match="judged before"):
        await store.judge_cycle("b1", 1, ruled(second), entering=False)
    assert await store.judged("b1", 1)
    assert await store.verdicts("b1", 1) == [verdict(first)]
    assert await store.unfinished_orders("b1") == [first]


async def test_a_cycle_without_verdicts_counts_as_judged(store: PostgresStore) -> None:
    await new_bot(store)
    await begin(store)
    await store.judge_cycle("b1", 1, ruled(), entering=False)
    assert await store.judged("b1", 1)
    with pytest.raises(Conflict):
        await store.judge_cycle("b1", 1, ruled(), entering=False)


async def test_of_many_judges_at_once_one_stores_its_orders(store: PostgresStore) -> None:
    await new_bot(store)
    await begin(store)
    order = entry("b1")
    results = await asyncio.gather(
        *(store.judge_cycle("b1", 1, ruled(order), entering=False) for _ in range(8)),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 7 + ["NoneType"]
    assert await store.unfinished_orders("b1") == [order]


async def test_a_coin_has_one_order_under_way_and_nothing_of_a_second_is_stored(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    first = entry("b1")
    await intend(store, first)
    await begin(store, "b1", 2)
    other_coin, same_coin = entry("b1", 2, symbol=ETH), leave("b1", 2, "0.1")
    with pytest.raises(Conflict, match="under way"):
        await store.judge_cycle("b1", 2, ruled(other_coin, same_coin), entering=False)
    assert not await store.judged("b1", 2)
    assert await store.verdicts("b1", 2) == []
    assert await store.unfinished_orders("b1") == [first]


async def test_entries_reserve_cash_and_cannot_reserve_more_than_there_is(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    first = entry("b1", quantity=Quantity("0.1"))
    await intend(store, first)
    assert (await store.portfolio("b1")).reserved == Decimal(6010)
    await begin(store, "b1", 2)
    second = entry("b1", 2, symbol=ETH, quantity=Quantity("0.07"))
    with pytest.raises(Conflict, match="reserve"):
        await store.judge_cycle("b1", 2, ruled(second), entering=False)
    await store.finish_order(first, OrderState.CANCELLED, "expired")
    assert (await store.portfolio("b1")).reserved == 0
    await store.judge_cycle("b1", 2, ruled(second), entering=False)


async def test_filled_entries_are_counted_from_a_venue_time_on(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    order = leave("b1", 2, "0.0999")
    await intend(store, order)
    await store.settle(order.id, [fill(order)], INSTRUMENT)
    assert await store.entries_since("b1", NOW_MS) == 1
    assert await store.entries_since("b1", NOW_MS + 1) == 0
    assert await store.entries_since("b2", NOW_MS) == 0


async def test_orders_are_listed_with_what_they_filled_newest_first(store: PostgresStore) -> None:
    await new_bot(store)
    bought_order = await bought(store)
    resting = entry("b1", 2, symbol=ETH, quantity=Quantity("0.01"))
    await intend(store, resting)
    newest, oldest = await store.orders("b1", 10)
    assert (newest.id, newest.filled, newest.price) == (resting.id, Quantity(0), None)
    assert (oldest.id, oldest.filled) == (bought_order.id, Quantity("0.1"))
    assert oldest.price == Decimal(60000)
    assert (oldest.symbol, oldest.purpose) == (BTC, Purpose.ENTRY)
    assert [row.id for row in await store.orders("b1", 1)] == [resting.id]


async def test_what_is_not_there_is_named(store: PostgresStore) -> None:
    with pytest.raises(NotFound, match="order nope"):
        await store.order("nope")
    with pytest.raises(NotFound, match="order nope"):
        await store.settle("nope", [], INSTRUMENT)
    with pytest.raises(NotFound, match="bot nope"):
        await store.portfolio("nope")
    with pytest.raises(NotFound, match="bot nope"):
        await store.audit("nope")
    assert not await store.claim("nope", NOW_MS)


async def test_flat_is_who_holds_nothing_and_has_nothing_under_way(store: PostgresStore) -> None:
    for bot_id in ("flat", "holds", "waits"):
        await new_bot(store, bot_id)
    await bought(store, "holds")
    await intend(store, entry("waits"))
    every = ["flat", "holds", "waits"]
    assert await store.flat_among(every) == ["flat"]
    assert await store.flat_among(["holds", "unknown"]) == []
    [waiting] = await store.unfinished_orders("waits")
    await store.claim(waiting.id, NOW_MS)
    sent = await store.order(waiting.id)
    await store.finish_order(sent, OrderState.CANCELLED, "given up")
    assert sorted(await store.flat_among(every)) == ["flat", "waits"]
