"""Sales that become known late: taken from what was there then, and never from what was not."""

import pytest

from oxbot.app.execute import execute_order
from oxbot.domain.bot import Mode
from oxbot.domain.orders import Fill, Order, OrderState, Purpose
from oxbot.domain.resting import Beyond, RestingStop, StopState, attached_id
from oxbot.messages import ExecuteOrder
from tests.support.fakes import BTC
from tests.support.trading import entry
from tests.unit.app.live_room import HALF, OTHERS, STOP_PRICE, LiveRoom
from tests.unit.app.room import BOT

pytestmark = pytest.mark.critical


@pytest.fixture
async def live() -> LiveRoom:
    """A live bot that holds 0.0999 BTC under a proven stop."""
    room = LiveRoom()
    await room.hold()
    return room


async def unseen(live: LiveRoom, order: Order) -> list[Fill]:
    """The exchange trades an order that its bot has given up."""
    now = await live.room.clock.reading()
    traded = len(live.account.traded)
    await live.account.place(order.model_copy(update={"fence_ms": now.venue_ms}), now)
    given_up = order.model_copy(update={"state": OrderState.CANCELLED})
    live.store.orders_by_id[order.id] = given_up
    return live.account.traded[traded:]


async def sold_unseen(live: LiveRoom) -> list[Fill]:
    """An exit takes the stop back, is given up, and sells all that the bot holds."""
    live.now_ms += 10_000
    assert live.stop
    live.account.cancel(live.stop.id)
    return await unseen(live, live.leaving())


async def sell(live: LiveRoom) -> None:
    """The bot sells all that it holds."""
    live.now_ms += 10_000
    await live.execute(live.leaving().id)
    assert (BOT, BTC) not in live.store._positions


async def buy(live: LiveRoom, cycle: int) -> None:
    """The bot buys 0.1 BTC."""
    live.now_ms += 10_000
    order = entry(BOT, cycle, expires_ms=live.now_ms + 60_000)
    live.store.orders_by_id[order.id] = order
    await live.execute(order.id)


def stop_sells(live: LiveRoom, stop_id: str) -> None:
    """A stop sells at the exchange, whatever the record says of it."""
    live.now_ms += 10_000
    seen = live.account.alive[stop_id]
    known = {"id": stop_id, "bot_id": BOT, "symbol": BTC, "number": 1}
    times = {"opened_ms": live.now_ms, "fence_ms": live.now_ms}
    does = seen.model_dump(include={"quantity", "stop_price", "target_price"})
    live.account.trigger(RestingStop.model_validate(known | times | does), STOP_PRICE, live.now_ms)


async def reconcile_twice(live: LiveRoom) -> None:
    """Nothing is held up, and the second look finds nothing new."""
    assert (await live.reconcile()).blocks == ""
    found = await live.reconcile()
    assert (found.blocks, found.booked, found.exits) == ("", (), ())


async def test_what_a_stop_sold_of_an_entry_that_became_known_in_a_later_position_is_taken_from_it(
    live: LiveRoom,
) -> None:
    """The late entry's coins are booked into that position, and its stop has sold just those."""
    await sell(live)
    late = entry(BOT, 2, expires_ms=None)
    await unseen(live, late)
    stop_sells(live, attached_id(late.id))
    await buy(live, 3)
    await reconcile_twice(live)
    assert live.store.sold_beyond == {}
    live.must_agree()
    live.must_be_protected()
    assert (await live.close(Purpose.FLATTEN)).state == "closed"
    live.must_agree()


async def test_what_an_exit_sold_when_a_late_entry_had_bought_is_taken_from_a_later_position(
    live: LiveRoom,
) -> None:
    """Two exits of one position: the account had the late entry's coins for the second."""
    await unseen(live, entry(BOT, 2, expires_ms=None))
    await sold_unseen(live)
    await sell(live)
    await buy(live, 3)
    await reconcile_twice(live)
    assert live.store.sold_late == {}
    live.must_agree()
    live.must_be_protected()


async def test_what_a_stop_of_an_earlier_position_sold_is_not_taken_from_a_later_one(
    live: LiveRoom,
) -> None:
    """Its coins were sold by an exit, too, so that those of the account's others are gone."""
    stop = live.stop
    assert stop
    await live.store.note_stop(stop.id, StopState.ENDED, "so it was said")
    stop_sells(live, stop.id)
    await sell(live)
    await buy(live, 2)
    held = live.held
    await reconcile_twice(live)
    assert live.store.sold_beyond[stop.id].quantity == stop.quantity
    assert live.held == held
    assert live.account.balances_by_currency["BTC"] == OTHERS - stop.quantity.number + held.number
    live.must_be_protected()


async def test_what_an_exit_sold_before_the_position_was_opened_is_not_booked_and_blocks_nobody(
    live: LiveRoom,
) -> None:
    [sold] = await sold_unseen(live)
    await sell(live)
    await buy(live, 2)
    cash, held = live.store.cash[BOT], live.held
    await reconcile_twice(live)
    assert (live.store.cash[BOT], live.held) == (cash, held)
    assert live.store.sold_late == {sold.trade_id: Beyond.of([sold], [])}


async def test_what_an_exit_sold_that_is_seen_when_nothing_is_held_is_told_and_blocks_nobody(
    live: LiveRoom,
) -> None:
    [sold] = await sold_unseen(live)
    await sell(live)
    cash = live.store.cash[BOT]
    await reconcile_twice(live)
    assert live.store.cash[BOT] == cash
    assert live.store.sold_late == {sold.trade_id: Beyond.of([sold], [])}


async def test_of_an_exit_known_late_the_books_take_what_is_held_and_the_rest_is_told(
    live: LiveRoom,
) -> None:
    """Another exit has sold half of it meanwhile."""
    [sold] = await sold_unseen(live)
    half = live.leaving(HALF)
    live.now_ms += 10_000
    await live.execute(half.id)
    left = live.position.quantity
    found = await live.reconcile()
    assert ([known.filled for known in found.booked], found.blocks) == ([left], "")
    assert live.store.sold_late[sold.trade_id].quantity == sold.quantity - left
    await reconcile_twice(live)
    live.must_be_protected()


async def test_where_a_late_sale_was_of_another_bots_coins_the_account_lacks_them(
    live: LiveRoom,
) -> None:
    """It blocks nothing by itself; what is missing does, until a person has seen to it."""
    await live.room.bot("b2", mode=Mode.LIVE)
    has = live.account.balances_by_currency
    has["USDT"] += live.store.cash["b2"].number
    other = entry("b2", expires_ms=live.now_ms + 60_000)
    live.store.orders_by_id[other.id] = other
    await execute_order(live.ports, ExecuteOrder(bot_id="b2", order_id=other.id))
    has["BTC"] -= OTHERS
    await sold_unseen(live)
    await sell(live)
    assert has["BTC"] == 0
    for _ in range(2):
        found = await live.reconcile()
        assert (found.broken, found.unknown, found.stuck) == ((), (), ())
        assert found.blocks == (
            "the account has 0 BTC, and live bots hold 0.0999: 0.0999 BTC are missing"
        )
