"""Stops that rest at the exchange, on record: one a coin, never beside an exit, booked once."""

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.beyond import SOLD_BEYOND
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import NotFound
from oxbot.domain.money import Notional, Price, Quantity, plain
from oxbot.domain.orders import Order, OrderState, Purpose
from oxbot.domain.resting import (
    RestingStop,
    SeenState,
    SeenStop,
    StopState,
    attached_id,
    exit_of,
    stop_id,
    stop_of,
)
from oxbot.records import Claims
from tests.support.servers import until_one_waits, until_waiting
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

D = Decimal


async def resting(store: PostgresStore, bot_id: str = "b1") -> RestingStop:
    [stop] = await store.resting_stops(bot_id)
    return stop


async def held(store: PostgresStore, venue: str = "okx") -> RestingStop:
    """A live bot's position, with the stop that its entry has brought."""
    await new_bot(store, mode="live", venue=venue)
    await bought(store)
    return await resting(store)


async def next_stop(store: PostgresStore, number: int = 2) -> RestingStop:
    """The position's next stop, as it is written down before it is sent."""
    view = await store.stop_view("b1", BTC)
    assert view.position
    assert view.entry
    named = (stop_id(attached_id(view.entry.id), number), number, NOW_MS)
    stop = stop_of(view.position, INSTRUMENT, "b1", named)
    assert stop
    return stop


async def triggered(
    store: PostgresStore, stop: RestingStop, price: str = "57900", quantity: str | None = None
) -> tuple[RestingStop, SeenStop]:
    """The stop as the exchange has it once it has sold."""
    view = await store.stop_view("b1", BTC)
    assert view.entry
    made = exit_of(stop, SeenStop(state=SeenState.TRIGGERED, purpose=Purpose.STOP), view.entry)
    sold = fill(made, price, quantity=Quantity(quantity or stop.quantity.number), fee="0.01")
    sold = sold.model_copy(update={"fee_currency": "USDT", "trade_id": "t-stop"})
    return stop, SeenStop(state=SeenState.TRIGGERED, purpose=Purpose.STOP, fills=(sold,))


async def told(store: PostgresStore) -> list[str]:
    """The events of exits."""
    return [event.text for event in await store.events("b1", 9) if event.kind == "closed"]


async def test_a_live_entry_and_its_stop_are_written_together(store: PostgresStore) -> None:
    stop = await held(store)
    view = await store.stop_view("b1", BTC)
    assert view.position
    assert view.entry
    assert stop == stop_of(
        view.position, INSTRUMENT, "b1", (attached_id(view.entry.id), 1, stop.fence_ms)
    )
    assert view.alive == stop
    assert not view.leaving


async def test_a_paper_entry_brings_none(store: PostgresStore) -> None:
    await new_bot(store)
    await bought(store)
    assert await store.resting_stops("b1") == []
    assert (await store.stop_view("b1", BTC)).mode == "paper"


async def test_of_a_bot_that_is_not_there_nothing_is_known(store: PostgresStore) -> None:
    with pytest.raises(NotFound):
        await store.stop_view("b9", BTC)


async def test_no_second_stop_is_written_while_one_may_rest(store: PostgresStore) -> None:
    await held(store)
    assert not await store.intend_stop(await next_stop(store), 1)


async def test_a_stop_that_is_over_makes_room_for_the_next_and_stays_over(
    store: PostgresStore,
) -> None:
    first = await held(store)
    await store.note_stop(first.id, StopState.RESTING)
    assert (await resting(store)).state is StopState.RESTING
    await store.note_stop(first.id, StopState.ENDED, "cancelled by hand")
    await store.note_stop(first.id, StopState.RESTING)
    second = await next_stop(store)
    assert await store.intend_stop(second, 1)
    assert await resting(store) == second
    [known] = await store.known_stops([first.id])
    assert (known.state, known.reason) == (StopState.ENDED, "cancelled by hand")
    assert [stop.number for stop in (await store.stop_view("b1", BTC)).stops] == [1, 2]


async def test_no_stop_is_written_for_a_position_that_has_changed(store: PostgresStore) -> None:
    first = await held(store)
    await store.note_stop(first.id, StopState.ENDED)
    stop = await next_stop(store)
    assert not await store.intend_stop(stop, 2)
    assert not await store.intend_stop(stop.model_copy(update={"opened_ms": 1}), 1)


async def test_no_stop_is_written_while_an_exit_is_under_way(store: PostgresStore) -> None:
    first = await held(store)
    await store.note_stop(first.id, StopState.ENDED)
    await intend(store, leave("b1", 2, "0.0999"))
    assert not await store.intend_stop(await next_stop(store), 1)
    assert (await store.stop_view("b1", BTC)).leaving


async def test_no_exit_is_claimed_while_a_stop_may_rest(store: PostgresStore) -> None:
    stop = await held(store)
    leaving = leave("b1", 2, "0.0999")
    await intend(store, leaving)
    assert not await store.claim(leaving.id, NOW_MS)
    await store.note_stop(stop.id, StopState.ENDED)
    assert await store.claim(leaving.id, NOW_MS)


async def test_no_exit_is_written_down_while_a_stop_may_rest(store: PostgresStore) -> None:
    stop = await held(store)
    leaving = leave("b1", 1, "0.0999", id="x1")
    assert (await store.exit_view("b1", BTC, "x1")).rests
    assert await store.intend_exit(leaving, 1) is None
    await store.note_stop(stop.id, StopState.ENDED)
    assert not (await store.exit_view("b1", BTC, "x1")).rests
    assert await store.intend_exit(leaving, 1) is not None


async def test_of_a_stop_and_an_exit_that_come_at_once_one_is_written(
    store: PostgresStore,
) -> None:
    first = await held(store)
    await store.note_stop(first.id, StopState.ENDED)
    stop = await next_stop(store)
    leaving = leave("b1", 1, "0.0999", id="x1")
    written, intended = await asyncio.gather(
        store.intend_stop(stop, 1), store.intend_exit(leaving, 1)
    )
    assert written is (intended is None)


async def test_of_a_stop_that_waits_for_an_exit_under_way_nothing_is_written(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    """Both wanted the bot's row; who gets it second sees what the first one wrote."""
    first = await held(store)
    await store.note_stop(first.id, StopState.ENDED)
    stop = await next_stop(store)
    async with engine.begin() as holding:
        await holding.execute(text("SELECT id FROM bots FOR UPDATE"))
        leaving = asyncio.create_task(store.intend_exit(leave("b1", 1, "0.0999", id="x1"), 1))
        await until_one_waits(engine)
        writing = asyncio.create_task(store.intend_stop(stop, 1))
        await until_waiting(engine, 2)
    assert await leaving
    assert await writing is False
    assert await store.resting_stops("b1") == []


async def test_of_an_exit_that_waits_for_a_stop_nothing_is_written(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    first = await held(store)
    await store.note_stop(first.id, StopState.ENDED)
    stop = await next_stop(store)
    cycles = leave("b1", 2, "0.0999")
    async with engine.begin() as holding:
        await holding.execute(text("SELECT id FROM bots FOR UPDATE"))
        writing = asyncio.create_task(store.intend_stop(stop, 1))
        await until_one_waits(engine)
        leaving = asyncio.create_task(store.intend_exit(leave("b1", 1, "0.0999", id="x1"), 1))
        await until_waiting(engine, 2)
    assert await writing
    assert await leaving is None
    await intend(store, cycles)
    assert not await store.claim(cycles.id, NOW_MS)


async def test_a_coin_has_one_stop_that_may_rest_whoever_writes_it(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    await held(store)
    copy = (
        "INSERT INTO resting_stops SELECT 'g2', bot_id, symbol, opened_at, 2, quantity, "
        "stop_price, target_price, fence_at, '{}', '' FROM resting_stops"
    )
    with pytest.raises(IntegrityError, match="uq_resting_stops_alive"):
        async with engine.begin() as connection:
            await connection.execute(text(copy.format("sent")))
    async with engine.begin() as connection:
        await connection.execute(text(copy.format("ended")))


async def test_the_stop_of_an_entry_that_becomes_known_late_is_over_beside_one_that_rests(
    store: PostgresStore,
) -> None:
    """It is alive at the exchange all the same, which is how it is found."""
    stop = await held(store)
    late = entry("b1", 2, quantity=Quantity("0.05"))
    await intend(store, late)
    await store.finish_order(late, OrderState.CANCELLED, "expired")
    for _ in range(2):
        await store.settle(late.id, [fill(late)], INSTRUMENT)
    assert await resting(store) == stop
    [brought] = await store.known_stops([attached_id(late.id)])
    assert (brought.state, brought.number) == (StopState.ENDED, 2)
    assert brought.reason == f"{stop.id} may rest"


async def test_a_stop_is_known_by_its_id_also_when_it_is_over(store: PostgresStore) -> None:
    stop = await held(store)
    await store.note_stop(stop.id, StopState.ENDED, "cancelled")
    over = stop.model_copy(update={"state": StopState.ENDED, "reason": "cancelled"})
    assert await store.known_stops(frozenset({stop.id, "g0"})) == [over]
    assert await store.known_stops(()) == []


async def test_many_who_find_a_stop_triggered_book_it_once(store: PostgresStore) -> None:
    stop, seen = await triggered(store, await held(store))
    view = await store.stop_view("b1", BTC)
    assert view.entry
    order = exit_of(stop, seen, view.entry)
    booked = await asyncio.gather(*(store.adopt(order, seen.fills, INSTRUMENT) for _ in range(6)))
    assert {sold.state for sold in booked} == {OrderState.FILLED}
    assert await store.fills(stop.id) == list(seen.fills)
    assert len(await told(store)) == 1
    assert (await store.audit("b1")).drift == 0


async def test_a_triggered_stop_is_booked_as_an_exit_and_over_at_once(
    store: PostgresStore,
) -> None:
    stop, seen = await triggered(store, await held(store))
    view = await store.stop_view("b1", BTC)
    assert view.entry
    order = exit_of(stop, seen, view.entry)
    for _ in range(2):
        sold = await store.adopt(order, seen.fills, INSTRUMENT)
        assert (sold.id, sold.state, sold.purpose) == (stop.id, OrderState.FILLED, Purpose.STOP)
    assert await store.resting_stops("b1") == []
    assert await told(store) == ["Closed BTC/USDT (stop): 0.0999 at 57900 USDT."]
    portfolio = await store.portfolio("b1")
    assert portfolio.positions == {}
    [trade] = await store.trades("b1", 9)
    assert trade.exit == Purpose.STOP
    audit = await store.audit("b1")
    assert audit.drift == 0
    assert (audit.unbalanced, audit.fills) == (0, 2)


async def test_a_triggered_stop_and_another_order_that_are_booked_at_once_both_count(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    stop, seen = await triggered(store, await held(store))
    view = await store.stop_view("b1", BTC)
    assert view.entry
    order = exit_of(stop, seen, view.entry)
    other = entry("b1", 2, symbol=ETH, quantity=Quantity("0.01"))
    await intend(store, other)
    async with engine.begin() as holding:
        await holding.execute(text("SELECT id FROM bots FOR UPDATE"))
        adopting = asyncio.create_task(store.adopt(order, seen.fills, INSTRUMENT))
        await until_one_waits(engine)
        settling = asyncio.create_task(store.settle(other.id, [fill(other)], INSTRUMENT))
        await until_waiting(engine, 2)
    await asyncio.gather(adopting, settling)
    assert list((await store.portfolio("b1")).positions) == [ETH]
    assert (await store.audit("b1")).drift == 0


async def test_a_stop_that_sold_in_part_leaves_the_rest_without_one(store: PostgresStore) -> None:
    stop, seen = await triggered(store, await held(store), quantity="0.05")
    view = await store.stop_view("b1", BTC)
    assert view.entry
    await store.adopt(exit_of(stop, seen, view.entry), seen.fills, INSTRUMENT)
    after = await store.stop_view("b1", BTC)
    assert after.position
    assert after.position.quantity == Quantity("0.0499")
    assert after.alive is None
    assert await store.intend_stop(await next_stop(store), after.position.version)


async def test_of_a_stop_that_sold_more_than_is_held_the_books_take_what_they_can_and_tell_the_rest(
    store: PostgresStore,
) -> None:
    stop = await held(store)
    stop, seen = await triggered(store, stop, quantity="0.1")
    [whole] = seen.fills
    parts = [
        whole.model_copy(update={"quantity": Quantity(quantity), "trade_id": name, "fee": D(fee)})
        for name, quantity, fee in (
            ("t1", "0.05", "1"),
            ("t2", "0.04995", "1"),
            ("t3", "5E-5", "1"),
        )
    ]
    view = await store.stop_view("b1", BTC)
    assert view.entry
    order = exit_of(stop.model_copy(update={"quantity": Quantity(1)}), seen, view.entry)
    for _ in range(2):
        sold = await store.adopt(order, parts, INSTRUMENT)
        assert sold.state is OrderState.FILLED
    booked = await store.fills(stop.id)
    assert [fill.quantity for fill in booked] == [Quantity("0.05"), Quantity("0.0499")]
    assert booked[1].fee == D("0.998998998999")
    assert (await store.portfolio("b1")).positions == {}
    found = await store.audit("b1")
    assert (found.drift, found.unbalanced) == (D(0), 0)
    [event] = [event for event in await store.events("b1", 9) if event.kind == SOLD_BEYOND]
    assert event.figures["quantity"] == "0.0001"
    assert event.figures["proceeds"] == "4.788998998999"
    assert await store.resting_stops("b1") == []
    await bought(store, cycle=2, quantity=Quantity("0.15"))
    await store.adopt(order, parts, INSTRUMENT)
    assert await store.fills(stop.id) == booked


async def test_what_a_stop_sold_before_the_position_was_opened_is_not_taken_from_it(
    store: PostgresStore,
) -> None:
    """It was over on record, and the position that it was of is sold."""
    stop, seen = await triggered(store, await held(store))
    await store.note_stop(stop.id, StopState.ENDED, "so it was thought")
    leaving = leave("b1", 2, "0.0999")
    await intend(store, leaving)
    await store.settle(leaving.id, [fill(leaving)], INSTRUMENT)
    again = entry("b1", 3)
    await intend(store, again)
    await store.settle(again.id, [fill(again, at_ms=NOW_MS + 1)], INSTRUMENT)
    before = await store.portfolio("b1")
    view = await store.stop_view("b1", BTC)
    assert view.entry
    [whole] = seen.fills
    late = whole.model_copy(update={"quantity": Quantity("0.01"), "at_ms": NOW_MS + 1})
    early = whole.model_copy(update={"quantity": Quantity("0.0899"), "trade_id": "t-early"})
    sold = await store.adopt(exit_of(stop, seen, view.entry), (late, early), INSTRUMENT)
    assert sold.state is OrderState.FILLED
    assert await store.fills(stop.id) == [late]
    after = await store.portfolio("b1")
    taken = before.positions[BTC].quantity - after.positions[BTC].quantity
    assert taken == Quantity("0.01")
    [event] = [event for event in await store.events("b1", 9) if event.kind == SOLD_BEYOND]
    assert event.figures["quantity"] == "0.0899"
    assert (await store.audit("b1")).drift == 0


async def given_up(store: PostgresStore) -> Order:
    """An exit that was given up; another has sold its position, and a later one is open."""
    stop = await held(store)
    await store.note_stop(stop.id, StopState.ENDED, "taken back")
    late, other, again = leave("b1", 2, "0.0999"), leave("b1", 3, "0.0999"), entry("b1", 4)
    await intend(store, late)
    await store.finish_order(late, OrderState.CANCELLED, "OKX never had it")
    await intend(store, other)
    await store.settle(other.id, [fill(other)], INSTRUMENT)
    await intend(store, again)
    await store.settle(again.id, [fill(again, at_ms=NOW_MS + 1)], INSTRUMENT)
    return late


async def sold_beyond(store: PostgresStore) -> list[dict[str, str]]:
    """The figures of the events of what was sold and is on no bot's books."""
    events = await store.events("b1", 99)
    return [event.figures for event in events if event.kind == SOLD_BEYOND]


async def test_what_an_exit_known_late_sold_before_the_position_was_opened_is_told_and_not_booked(
    store: PostgresStore,
) -> None:
    order = await given_up(store)
    before = await store.portfolio("b1")
    early = fill(order, quantity=Quantity("0.04"))
    for _ in range(2):
        ended = await store.settle(order.id, [early], INSTRUMENT, is_late=True)
        assert ended.state is OrderState.CANCELLED
    assert await store.portfolio("b1") == before
    assert await sold_beyond(store) == [
        {"order": order.id, "symbol": BTC, "quantity": "0.04", "proceeds": plain(early.cash)}
    ]
    after = fill(order, quantity=Quantity("0.03"), at_ms=NOW_MS + 1)
    after = after.model_copy(update={"trade_id": "t-after"})
    ended = await store.settle(order.id, [early, after], INSTRUMENT, is_late=True)
    assert ended.state is OrderState.FILLED
    assert await store.fills(order.id) == [after]
    taken = before.positions[BTC].quantity - (await store.portfolio("b1")).positions[BTC].quantity
    assert taken == Quantity("0.03")
    assert len(await sold_beyond(store)) == 1
    assert (await store.audit("b1")).drift == 0


async def bought_late(store: PostgresStore, at_ms: int) -> Order:
    """An entry that was given up, and of which one learns when a later position is open."""
    late, other = entry("b1", 6, quantity=Quantity("0.05")), entry("b1", 7)
    await intend(store, late)
    await store.finish_order(late, OrderState.CANCELLED, "OKX never had it")
    await intend(store, other)
    await store.settle(other.id, [fill(other, at_ms=at_ms + 9)], INSTRUMENT)
    return await store.settle(late.id, [fill(late, at_ms=at_ms)], INSTRUMENT, is_late=True)


async def test_what_a_late_entrys_stop_sold_before_the_position_was_opened_is_taken_from_it(
    store: PostgresStore,
) -> None:
    """The entry's coins have gone into that position; another coin's trade ends none of it."""
    await new_bot(store, mode="live")
    late = await bought_late(store, NOW_MS)
    await bought(store, cycle=8, symbol=ETH, quantity=INSTRUMENT.minimum)
    assert await store.last_exits("b1") == {ETH: NOW_MS}
    [stop] = await store.known_stops([attached_id(late.id)])
    stop, seen = await triggered(store, stop, quantity="0.04995")
    view = await store.stop_view("b1", BTC)
    assert view.entry
    sold = [fill.model_copy(update={"at_ms": NOW_MS + 1}) for fill in seen.fills]
    order = exit_of(stop, seen, view.entry)
    assert (await store.adopt(order, sold, INSTRUMENT)).state is OrderState.FILLED
    assert await store.fills(stop.id) == sold
    assert (await store.portfolio("b1")).positions[BTC].quantity == Quantity("0.0999")
    assert await sold_beyond(store) == []
    assert (await store.audit("b1")).drift == 0


async def test_what_an_exit_known_late_sold_of_what_was_bought_late_is_taken(
    store: PostgresStore,
) -> None:
    order = await given_up(store)
    stop, leaving = await resting(store), leave("b1", 5, "0.0999")
    await store.note_stop(stop.id, StopState.ENDED, "taken back")
    await intend(store, leaving)
    await store.settle(leaving.id, [fill(leaving, at_ms=NOW_MS + 2)], INSTRUMENT)
    await bought_late(store, NOW_MS - 1)
    part = fill(order, quantity=Quantity("0.04995"))
    ended = await store.settle(order.id, [part], INSTRUMENT, is_late=True)
    assert ended.state is OrderState.FILLED
    assert (await store.portfolio("b1")).positions[BTC].quantity == Quantity("0.0999")
    assert await sold_beyond(store) == []


async def test_what_was_told_of_an_exit_known_late_stays_so_when_the_position_is_sold(
    store: PostgresStore,
) -> None:
    order = await given_up(store)
    early = fill(order)
    await store.settle(order.id, [early], INSTRUMENT, is_late=True)
    stop, leaving = await resting(store), leave("b1", 5, "0.0999")
    await store.note_stop(stop.id, StopState.ENDED, "taken back")
    await intend(store, leaving)
    await store.settle(leaving.id, [fill(leaving, at_ms=NOW_MS + 2)], INSTRUMENT)
    await store.settle(order.id, [early], INSTRUMENT, is_late=True)
    assert await store.fills(order.id) == []
    assert len(await sold_beyond(store)) == 1


async def test_what_an_exit_known_late_sold_when_nothing_is_held_is_told_once_and_not_booked(
    store: PostgresStore,
) -> None:
    """It is a fact that no later look can change: refused, it would hold its bot up for a day."""
    order = await given_up(store)
    stop, leaving = await resting(store), leave("b1", 5, "0.0999")
    await store.note_stop(stop.id, StopState.ENDED, "taken back")
    await intend(store, leaving)
    await store.settle(leaving.id, [fill(leaving, at_ms=NOW_MS + 2)], INSTRUMENT)
    before, sold = await store.portfolio("b1"), fill(order, at_ms=NOW_MS + 3)
    for _ in range(2):
        ended = await store.settle(order.id, [sold], INSTRUMENT, is_late=True)
        assert ended.state is OrderState.CANCELLED
    assert await store.portfolio("b1") == before
    assert await sold_beyond(store) == [
        {"order": order.id, "symbol": BTC, "quantity": "0.0999", "proceeds": plain(sold.cash)}
    ]
    assert (await store.audit("b1")).drift == 0


async def test_what_was_told_of_an_exit_known_late_stays_so_when_an_older_entry_is_booked(
    store: PostgresStore,
) -> None:
    order = await given_up(store)
    stop, leaving = await resting(store), leave("b1", 5, "0.0999")
    await store.note_stop(stop.id, StopState.ENDED, "taken back")
    await intend(store, leaving)
    await store.settle(leaving.id, [fill(leaving, at_ms=NOW_MS + 2)], INSTRUMENT)
    part = fill(order, quantity=Quantity("0.04995"))
    await store.settle(order.id, [part], INSTRUMENT, is_late=True)
    await bought_late(store, NOW_MS - 1)
    await store.settle(order.id, [part], INSTRUMENT, is_late=True)
    assert await store.fills(order.id) == []
    assert len(await sold_beyond(store)) == 1


async def test_an_exit_that_two_learn_of_late_is_booked_once_and_not_told(
    store: PostgresStore,
) -> None:
    stop, late = await held(store), leave("b1", 2, "0.0999")
    await store.note_stop(stop.id, StopState.ENDED, "taken back")
    await intend(store, late)
    await store.finish_order(late, OrderState.CANCELLED, "OKX never had it")
    both = (store.settle(late.id, [fill(late)], INSTRUMENT, is_late=True) for _ in range(2))
    assert {order.state for order in await asyncio.gather(*both)} == {OrderState.FILLED}
    assert await store.fills(late.id) == [fill(late)]
    assert await sold_beyond(store) == []


async def test_of_an_exit_known_late_the_books_take_what_is_held_and_the_rest_is_told_once(
    store: PostgresStore,
) -> None:
    order = await given_up(store)
    stop, leaving = await resting(store), leave("b1", 5, "0.06")
    await store.note_stop(stop.id, StopState.ENDED, "taken back")
    await intend(store, leaving)
    await store.settle(leaving.id, [fill(leaving, at_ms=NOW_MS + 2)], INSTRUMENT)
    sold = fill(order, at_ms=NOW_MS + 3)
    ended = await store.settle(order.id, [sold], INSTRUMENT, is_late=True)
    assert ended.state is OrderState.FILLED
    again = entry("b1", 6, quantity=Quantity("0.05"))
    await intend(store, again)
    await store.settle(again.id, [fill(again, at_ms=NOW_MS + 1)], INSTRUMENT)
    await store.settle(order.id, [sold], INSTRUMENT, is_late=True)
    [booked] = await store.fills(order.id)
    assert booked.quantity == Quantity("0.0399")
    assert [told["quantity"] for told in await sold_beyond(store)] == ["0.06"]
    assert (await store.portfolio("b1")).positions[BTC].quantity == Quantity("0.04995")
    assert (await store.audit("b1")).drift == 0


async def test_what_an_entry_known_late_bought_is_booked_whenever_that_was(
    store: PostgresStore,
) -> None:
    await new_bot(store, mode="live")
    late, other = entry("b1", 1, quantity=Quantity("0.01")), entry("b1", 2)
    await intend(store, late)
    await store.finish_order(late, OrderState.CANCELLED, "OKX never had it")
    await intend(store, other)
    other = other.model_copy(update={"quantity": Quantity("0.05")})
    await store.settle(other.id, [fill(other, at_ms=NOW_MS + 1)], INSTRUMENT)
    ended = await store.settle(late.id, [fill(late)], INSTRUMENT, is_late=True)
    assert ended.state is OrderState.FILLED


async def test_of_a_stop_whose_bot_holds_nothing_all_is_told_and_nothing_booked(
    store: PostgresStore,
) -> None:
    stop, seen = await triggered(store, await held(store))
    view = await store.stop_view("b1", BTC)
    assert view.entry
    await store.note_stop(stop.id, StopState.ENDED, "so it was thought")
    leaving = leave("b1", 2, "0.0999")
    await intend(store, leaving)
    await store.settle(leaving.id, [fill(leaving)], INSTRUMENT)
    before = await store.portfolio("b1")
    for _ in range(2):
        sold = await store.adopt(exit_of(stop, seen, view.entry), seen.fills, INSTRUMENT)
        assert (sold.state, "had nothing" in sold.reason) == (OrderState.CANCELLED, True)
    assert await store.portfolio("b1") == before
    [event] = [event for event in await store.events("b1", 9) if event.kind == SOLD_BEYOND]
    assert event.figures["quantity"] == "0.0999"
    assert len(await told(store)) == 0
    assert (await store.audit("b1")).drift == 0


async def test_what_live_bots_of_a_venue_have_is_added_up(store: PostgresStore) -> None:
    await held(store, venue="v")
    await new_bot(store, "b2", mode="live", venue="v")
    await new_bot(store, "b3", venue="v")
    await new_bot(store, "b4", mode="live", venue="w")
    both = [await store.portfolio(bot_id) for bot_id in ("b1", "b2")]
    cash = sum((books.cash for books in both), Notional(0))
    found = await store.claims("v")
    assert (found.cash, found.coins, found.sent) == (cash, {"BTC": Quantity("0.0999")}, ())
    assert found.fills > 0
    assert await store.claims("x") == Claims()
    assert await store.sent_symbols("b1", 0) == [BTC]
    assert await store.sent_symbols("b2", 0) == []


async def test_an_order_at_the_exchange_is_told_with_what_bots_have(store: PostgresStore) -> None:
    await new_bot(store, mode="live")
    order = entry("b1")
    await intend(store, order)
    venue = (await store.bot("b1")).settings.venue
    assert (await store.claims(venue)).sent == ()
    assert await store.claim(order.id, NOW_MS)
    assert (await store.claims(venue)).sent == (BTC,)


async def test_stops_of_a_coin_are_those_of_all_bots_of_the_venue(store: PostgresStore) -> None:
    stop = await held(store, venue="v")
    assert await store.stops_of_coin("v", BTC) == [stop]
    assert await store.stops_of_coin("w", BTC) == []
    assert Price(1) < stop.stop_price < stop.target_price
    assert stop.quantity.number == Decimal("0.0999")
