"""Exits between cycles: one at a time for a coin, and only of what is held as it was seen."""

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import NotFound
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Order, OrderState, Purpose
from oxbot.domain.portfolio import Position
from oxbot.messages import OrderOutcome
from oxbot.records import ExitIntent, ExitView
from tests.support.servers import until_one_waits
from tests.support.trading import (
    BTC,
    ETH,
    INSTRUMENT,
    NOW_MS,
    bought,
    entry,
    fill,
    intend,
    leave,
    new_bot,
)

pytestmark = pytest.mark.critical


def exit_of(order_id: str, quantity: str = "0.0999", **changes: object) -> Order:
    """An exit as a protection intends it."""
    return leave("b1", 1, quantity, id=order_id, **changes)


async def held(store: PostgresStore, symbol: str = BTC) -> Position:
    return (await store.portfolio("b1")).positions[symbol]


async def test_an_exit_comes_back_as_it_was_written(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    order = exit_of("x1", purpose=Purpose.TRAIL, resting=Decimal("57900.1"), crossed_ms=NOW_MS + 7)
    sent = order.model_copy(update={"state": OrderState.SENT})
    assert await store.intend_exit(order, 1) == ExitIntent(order=sent, claimed=True)
    assert await store.order("x1") == sent
    assert not await store.claim("x1", NOW_MS)


async def test_an_exit_of_a_position_that_is_gone_or_has_changed_is_not_written(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    assert await store.intend_exit(exit_of("x1"), 1) is None
    await bought(store)
    assert await store.intend_exit(exit_of("x1"), 2) is None
    assert await store.unfinished_orders("b1") == []


async def test_the_order_under_way_for_the_coin_is_given_instead(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    cycles = leave("b1", 2, "0.0999")
    await intend(store, cycles)
    assert await store.intend_exit(exit_of("x1"), 1) == ExitIntent(order=cycles, claimed=False)
    with pytest.raises(NotFound):
        await store.order("x1")


async def test_an_exit_of_the_same_id_is_given_as_it_stands(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    made = await store.intend_exit(exit_of("x1"), 1)
    assert made
    ended = await store.finish_order(made.order, OrderState.REFUSED, "halted")
    assert await store.intend_exit(exit_of("x1"), 1) == ExitIntent(order=ended, claimed=False)


async def test_of_many_orders_those_that_there_are_are_given(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    made = await store.intend_exit(exit_of("x1"), 1)
    assert made
    assert await store.known_orders(["x0", "x1", "x2"]) == [made.order]
    assert await store.known_orders([]) == []


async def test_what_closing_a_coin_rests_on_is_seen_at_once(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    await bought(store, cycle=2, symbol=ETH, quantity=Quantity("0.05"))
    refused = await store.intend_exit(exit_of("x1"), 1)
    assert refused
    await store.finish_order(refused.order, OrderState.REFUSED, "halted")
    under_way = leave("b1", 3, "0.0999")
    await intend(store, under_way)
    seen = await store.exit_view("b1", BTC, "x1")
    assert seen.venue == "okx"
    assert seen.position == await held(store)
    assert [order.id for order in seen.orders] == ["x1", under_way.id]
    assert (await store.exit_view("b1", BTC, "x2")).orders == (under_way,)
    other = await store.exit_view("b1", ETH, "x1")
    assert (other.position, other.orders) == (await held(store, ETH), ())


async def test_of_a_coin_that_is_not_held_nothing_is_seen(store: PostgresStore) -> None:
    await new_bot(store)
    assert await store.exit_view("b1", BTC, "x1") == ExitView(venue="okx")
    with pytest.raises(NotFound):
        await store.exit_view("b2", BTC, "x1")


async def test_of_many_exits_at_once_one_is_written_and_given_to_all(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    orders = [exit_of(f"x{number}") for number in range(8)]
    given = await asyncio.gather(*(store.intend_exit(order, 1) for order in orders))
    assert len({intent.order.id for intent in given if intent}) == 1
    assert sum(intent.claimed for intent in given if intent) == 1
    assert len(await store.unfinished_orders("b1")) == 1


async def test_an_exit_waits_for_a_settlement_under_way_and_sees_what_it_left(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    await bought(store)
    async with engine.begin() as settling:
        await settling.execute(text("UPDATE bots SET cash = cash"))
        await settling.execute(text("UPDATE positions SET version = 2"))
        intending = asyncio.create_task(store.intend_exit(exit_of("x1"), 1))
        await until_one_waits(engine)
    assert await intending is None


async def test_an_exit_is_claimed_only_while_so_much_is_held(store: PostgresStore) -> None:
    """The cycle judged before a protection sold, and wrote its exit down after."""
    await new_bot(store)
    await bought(store)
    first = exit_of("x1")
    await store.intend_exit(first, 1)
    await store.settle("x1", [fill(first)], INSTRUMENT)
    late = leave("b1", 2, "0.0999")
    await intend(store, late)
    assert not await store.claim(late.id, NOW_MS)


async def test_a_claim_waits_for_a_settlement_under_way_and_sees_what_it_left(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    """Otherwise an exit could be sent for coins that another has just sold."""
    await new_bot(store)
    await bought(store)
    await intend(store, leave("b1", 2, "0.0999", id="x1"))
    async with engine.begin() as settling:
        await settling.execute(text("UPDATE bots SET cash = cash"))
        await settling.execute(text("DELETE FROM positions"))
        claim = asyncio.create_task(store.claim("x1", NOW_MS))
        await until_one_waits(engine)
    assert await claim is False


async def test_an_exit_is_told_of_once_whoever_tells_it(store: PostgresStore) -> None:
    await new_bot(store)
    outcome = OrderOutcome(
        order_id="x1",
        symbol=BTC,
        purpose=Purpose.STOP,
        state=OrderState.FILLED,
        filled=Quantity("0.1"),
        price=Price("57000.10"),
    )
    for _ in range(2):
        await store.tell_order("b1", 3, outcome)
    told = [event for event in await store.events("b1", 10) if event.kind == "closed"]
    assert [event.text for event in told] == ["Closed BTC/USDT (stop): 0.1 at 57000.1 USDT."]


async def test_a_trail_begins_at_the_entrys_average_and_keeps_the_best_that_was_seen(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await new_bot(store)
    order = entry("b1", symbol=ETH, quantity=Quantity("0.1"), trail=Decimal("0.02"))
    await intend(store, order)
    half = Quantity("0.05")
    await store.settle(order.id, [fill(order, quantity=half)], INSTRUMENT)
    first = await held(store, ETH)
    assert (first.trail, first.best) == (Decimal("0.02"), Price(60_000))
    assert first.trail_price == Price(58_800)
    async with engine.begin() as watching:
        await watching.execute(text("UPDATE positions SET best = 61000"))
    more = entry("b1", 2, symbol=ETH, quantity=half, trail=Decimal("0.02"))
    await intend(store, more)
    await store.settle(more.id, [fill(more, trade_id="t2")], INSTRUMENT)
    assert (await held(store, ETH)).best == Price(61_000)
    assert (await store.audit("b1")).drift == 0


async def test_a_best_price_raised_while_a_fill_is_booked_stays(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    """The price watch does not take the bot's row."""
    await new_bot(store)
    order = entry("b1", symbol=ETH, quantity=Decimal("0.05"), trail=Decimal("0.02"))
    await intend(store, order)
    await store.settle(order.id, [fill(order)], INSTRUMENT)
    more = entry("b1", 2, symbol=ETH, quantity=Decimal("0.05"), trail=Decimal("0.02"))
    await intend(store, more)
    async with engine.begin() as watching:
        await watching.execute(text("UPDATE positions SET best = 61000"))
        booking = asyncio.create_task(
            store.settle(more.id, [fill(more, trade_id="t2")], INSTRUMENT)
        )
        await until_one_waits(engine)
    await booking
    assert (await held(store, ETH)).best == Price(61_000)
