"""What the exchange shows nowhere is ended at a person's word, and nothing else is."""

from decimal import Decimal

import pytest

from oxbot.app.say_over import SAID_OVER, WAIT_MS, say_over
from oxbot.domain.bot import Mode
from oxbot.domain.errors import Conflict, InputError, NotFound, OutcomeUnknown
from oxbot.domain.money import Price
from oxbot.domain.orders import Order, OrderState, Purpose
from oxbot.domain.resting import StopState
from oxbot.messages import Reconciliation, SayOver, SayOverRequest
from tests.support.fakes import ETH
from tests.support.interleaving import Attempt, Fate
from tests.support.trading import entry
from tests.unit.app.live_room import LATER_MS, LiveRoom, reconciling
from tests.unit.app.room import BOT, Room

pytestmark = pytest.mark.critical

MUCH_LATER_MS = WAIT_MS + 60_001


@pytest.fixture
async def live() -> LiveRoom:
    """A live bot that holds 0.0999 BTC under a proven stop."""
    room = LiveRoom()
    await room.hold()
    return room


def word(order_id: str) -> SayOver:
    wish = SayOverRequest(order_id=order_id, by="a person", reason="looked")
    return SayOver(reconcile=reconciling(), wish=wish)


async def said(room: LiveRoom, order_id: str) -> Reconciliation:
    return await say_over(room.ports, word(order_id))


def ending(room: LiveRoom, order_id: str) -> Attempt:
    """An attempt that goes on as it is told to."""
    return Attempt(lambda ports: say_over(ports, word(order_id)), room.ports)


async def taken(room: LiveRoom, order: Order) -> Order:
    """Have the exchange say that it has an order, and never show it."""
    room.store.orders_by_id[order.id] = order
    assert await room.store.claim(order.id, room.now_ms, room.now_ms + 10_000)
    await room.store.note_taken(await room.store.order(order.id))
    return await room.store.order(order.id)


async def entry_taken(room: LiveRoom, bot_id: str = BOT) -> Order:
    bought = entry(bot_id, 2, symbol=ETH, expires_ms=room.now_ms + 1, limit_price=Price(3_010))
    return await taken(room, bought)


def told(room: LiveRoom) -> list[str]:
    return [text for kind, text in room.store.told.values() if kind == SAID_OVER]


async def test_an_entry_that_is_shown_nowhere_is_over_and_holds_nothing_up_any_more(
    live: LiveRoom,
) -> None:
    order = await entry_taken(live)
    live.now_ms += MUCH_LATER_MS
    live.account.balances_by_currency["USDT"] -= 5
    assert (await live.reconcile()).differs == ()

    found = await said(live, order.id)
    assert (found.unknown, found.losses) == ((), {"USDT": Decimal(5)})
    assert found.said_over == (order.id,)
    ended = await live.store.order(order.id)
    assert (ended.state, ended.reason) == (
        OrderState.CANCELLED,
        "it has traded nothing, says a person: looked",
    )
    live.must_be_protected()


async def test_it_is_told_once_by_whom_and_why(live: LiveRoom) -> None:
    order = await entry_taken(live)
    live.now_ms += MUCH_LATER_MS
    for _ in range(2):
        assert (await said(live, order.id)).said_over == (order.id,)
    [text] = told(live)
    assert order.id in text
    assert "a person: looked" in text


async def test_an_exit_that_is_shown_nowhere_leaves_the_position_with_a_stop(
    live: LiveRoom,
) -> None:
    order = await taken_exit(live)
    live.now_ms += MUCH_LATER_MS
    assert live.account.alive == {}
    assert (await said(live, order.id)).blocks == ""
    live.must_be_protected()
    assert live.store.filled(Purpose.DECISION) == []


async def taken_exit(live: LiveRoom) -> Order:
    """Have the stop taken back for an exit that is shown nowhere."""
    order, stop = live.leaving(), live.stop
    assert stop is not None
    await live.account.cancel_stop(stop)
    await live.store.note_stop(stop.id, StopState.ENDED)
    return await taken(live, order)


async def test_a_stop_that_is_shown_nowhere_is_over_and_another_one_is_placed(
    live: LiveRoom,
) -> None:
    stop = live.stop
    assert stop is not None
    live.account.alive.clear()
    live.now_ms += MUCH_LATER_MS
    assert (await live.reconcile()).unknown
    assert (await said(live, stop.id)).blocks == ""
    live.must_be_protected()
    assert live.stop is not None
    assert live.stop.id != stop.id
    assert len(told(live)) == 1


@pytest.mark.parametrize("what", ["order", "stop"])
async def test_for_an_hour_it_may_only_be_late(live: LiveRoom, what: str) -> None:
    stop = live.stop
    assert stop is not None
    if what == "stop":
        live.account.alive.clear()
    known_id = (await entry_taken(live)).id if what == "order" else stop.id
    live.now_ms += WAIT_MS - 60_000
    with pytest.raises(Conflict, match=r"may only be late.* again in [12] min"):
        await said(live, known_id)
    assert (await live.reconcile()).unknown
    assert told(live) == []


async def test_what_shows_itself_is_booked_and_not_ended(live: LiveRoom) -> None:
    order = await live.open_other()
    live.account.hidden_ms = 60_000
    with pytest.raises(OutcomeUnknown):
        await live.execute(order.id)
    live.now_ms += MUCH_LATER_MS
    with pytest.raises(Conflict, match=f"{order.id} is over: filled"):
        await said(live, order.id)
    assert (await live.store.order(order.id)).state is OrderState.FILLED
    assert told(live) == []


async def test_what_shows_itself_between_two_looks_is_booked_and_not_ended(live: LiveRoom) -> None:
    order = await live.open_other()
    live.account.hidden_ms = 2 * MUCH_LATER_MS
    with pytest.raises(OutcomeUnknown):
        await live.execute(order.id)
    live.now_ms += MUCH_LATER_MS
    attempt = ending(live, order.id)
    attempt.until("tell_differences").until("look_up")
    live.now_ms += MUCH_LATER_MS
    with pytest.raises(Conflict, match="it is known what became of the order"):
        attempt.finish()
    assert (await live.store.order(order.id)).state is OrderState.FILLED


async def test_what_was_traded_all_the_same_is_booked(live: LiveRoom) -> None:
    """The person was wrong; the exchange shows what was executed, and not the order."""
    order = await live.open_other()
    live.account.hidden_ms = 100 * MUCH_LATER_MS
    with pytest.raises(OutcomeUnknown):
        await live.execute(order.id)
    live.now_ms += MUCH_LATER_MS
    found = await said(live, order.id)
    assert [booked.order_id for booked in found.booked] == [order.id]
    assert (await live.store.order(order.id)).state is OrderState.FILLED


@pytest.mark.parametrize("asked", ["look_up", "see_stop"])
async def test_where_the_exchange_gives_no_answer_nothing_is_ended(
    live: LiveRoom, asked: str
) -> None:
    stop = live.stop
    assert stop is not None
    if asked == "see_stop":
        live.account.alive.clear()
    known_id = (await entry_taken(live)).id if asked == "look_up" else stop.id
    live.now_ms += MUCH_LATER_MS
    attempt = ending(live, known_id)
    attempt.until("tell_differences").until(asked).fate = Fate.LOST_BEFORE
    with pytest.raises(Conflict, match="does not say that it has no such"):
        attempt.finish()
    assert (await live.reconcile()).unknown
    assert told(live) == []


async def test_an_attempt_that_dies_anywhere_is_finished_by_the_next() -> None:
    """Before each call of a port in turn."""
    for calls in range(80):
        live = LiveRoom()
        await live.hold()
        order = await taken_exit(live)
        live.now_ms += MUCH_LATER_MS
        attempt = ending(live, order.id)
        for _ in range(calls):
            if not attempt.is_over:
                attempt.go()
        if attempt.is_over:
            assert calls > 20
            return
        attempt.die()
        live.now_ms += LATER_MS
        assert (await said(live, order.id)).blocks == ""
        live.must_be_protected()
        assert len(told(live)) == 1
    raise AssertionError("it never came to its end")


async def test_an_order_that_was_never_sent_is_not_ended(live: LiveRoom) -> None:
    order = entry(BOT, 2, symbol=ETH, expires_ms=live.now_ms + 1, limit_price=Price(3_010))
    live.store.orders_by_id[order.id] = order
    with pytest.raises(Conflict, match="not at the exchange"):
        await said(live, order.id)


async def test_what_is_another_bots_or_nobodys_is_not_found(live: LiveRoom) -> None:
    await live.room.bot("b2", mode=Mode.LIVE, capital="1")
    others = await entry_taken(live, "b2")
    live.now_ms += MUCH_LATER_MS
    for known_id in (others.id, "bnone"):
        with pytest.raises(NotFound, match=f"has no order or stop {known_id}"):
            await said(live, known_id)


async def test_what_is_over_by_itself_is_not_ended_again(live: LiveRoom) -> None:
    first = next(iter(live.store.orders_by_id))
    with pytest.raises(Conflict, match=f"{first} is over: filled"):
        await said(live, first)


async def test_a_bot_on_paper_has_nothing_to_end(room: Room) -> None:
    await room.bot()
    with pytest.raises(InputError, match="trades on paper"):
        await say_over(room.ports, word("b1"))
