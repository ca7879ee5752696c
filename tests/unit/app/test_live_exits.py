"""What closes a live position beside its cycles, and the stop at the exchange that comes first."""

from decimal import Decimal

import pytest

from oxbot.app.protected import close, keep_protected
from oxbot.app.resting import FIRST_MS, rests, take_back
from oxbot.domain.errors import ExitUnfinished, OutcomeUnknown, VenueUnavailable
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import OrderState, Purpose
from oxbot.messages import ProtectReport
from tests.support.fake_account import resting_as
from tests.support.fakes import BTC
from tests.support.interleaving import Attempt, Fate
from tests.unit.app.live_room import ABOUT, HALF, LATER_MS, OTHERS, STOP_PRICE, LiveRoom, sold
from tests.unit.app.room import BOT, Room

pytestmark = pytest.mark.critical

CROSSED = {"price": Price(57_000)}
IN_CANDLES = {"price": Price(57_000), "resting": Price(57_000)}


@pytest.fixture
async def live() -> LiveRoom:
    """A live bot that holds 0.0999 BTC under a proven stop."""
    room = LiveRoom()
    await room.hold()
    return room


@pytest.mark.parametrize("purpose", [Purpose.HOLD, Purpose.FLATTEN, Purpose.TRAIL])
async def test_what_is_not_the_stops_to_do_takes_it_back_at_once_and_sells(
    live: LiveRoom, purpose: Purpose
) -> None:
    report = await live.close(purpose, **CROSSED)
    assert report.state == "closed"
    assert live.account.log[2:] == ["cancel", str(purpose)]
    live.must_be_protected()
    live.must_agree()


@pytest.mark.parametrize("purpose", [Purpose.STOP, Purpose.TARGET])
async def test_for_what_was_crossed_the_exchange_has_five_seconds(
    live: LiveRoom, purpose: Purpose
) -> None:
    call = live.call(purpose, **CROSSED)
    for passed_ms in (0, FIRST_MS - 1):
        live.now_ms = call.protect.crossed_ms + passed_ms
        with pytest.raises(ExitUnfinished, match=f"left to act for {FIRST_MS - passed_ms} ms"):
            await close(live.ports, call)
    live.must_be_protected()
    live.now_ms = call.protect.crossed_ms + FIRST_MS
    assert (await close(live.ports, call)).state == "closed"
    assert live.account.log[2:] == ["cancel", str(purpose)]
    live.must_agree()


async def test_where_time_stands_still_the_exchange_is_given_none(live: LiveRoom) -> None:
    live.room.now_ms, live.room.stands_still = live.now_ms, True
    assert (await live.close(Purpose.STOP, **CROSSED)).state == "closed"
    assert live.account.log[2:] == ["cancel", "stop"]


async def test_a_stop_that_has_sold_meanwhile_is_the_exit(live: LiveRoom) -> None:
    stop = live.stop
    assert stop
    call = live.call(Purpose.STOP, **CROSSED)
    live.trigger()
    report = await close(live.ports, call)
    assert (report.state, report.order_ids, report.price) == ("closed", (stop.id,), STOP_PRICE)
    assert live.store.filled(Purpose.STOP) == [await live.store.order(stop.id)]
    assert [known.order_id for known in live.store.protections] == [stop.id]
    live.must_be_protected()
    live.must_agree()


async def test_what_a_stop_has_left_is_sold(live: LiveRoom) -> None:
    stop, held = live.stop, live.position.quantity
    assert stop
    call = live.call(Purpose.STOP, **CROSSED)
    live.trigger(HALF)
    report = await close(live.ports, call)
    assert (report.state, report.order_ids[0]) == ("closed", stop.id)
    assert len(report.order_ids) == 2
    assert sold(live.account.traded, BTC) == held
    live.must_be_protected()
    live.must_agree()


async def test_a_stop_that_found_no_buyer_is_over_and_all_is_sold(live: LiveRoom) -> None:
    live.trigger(Decimal(0))
    stop = live.stop
    assert stop
    assert (await live.close(Purpose.STOP, **CROSSED)).state == "closed"
    ended = live.store.stops_by_id[stop.id]
    assert ended.reason == "it was triggered, and nothing could be sold"
    live.must_agree()


async def test_what_candles_tell_is_stale_while_the_stop_rests(live: LiveRoom) -> None:
    live.now_ms += FIRST_MS
    report = await live.close(Purpose.STOP, **IN_CANDLES)
    assert (report.state, report.reason) == ("stale", "its stop was not reached")
    live.must_be_protected()
    assert len(live.account.traded) == 1


async def test_what_candles_tell_when_the_stop_has_sold_is_done(live: LiveRoom) -> None:
    call = live.call(Purpose.STOP, **IN_CANDLES)
    live.trigger()
    assert (await close(live.ports, call)).state == "closed"
    live.must_agree()


async def test_without_a_stop_what_candles_tell_is_sold_at_the_price_of_now(live: LiveRoom) -> None:
    live.account.cancel_all()
    report = await live.close(Purpose.STOP, **IN_CANDLES)
    assert (report.state, report.price) == ("closed", Price(60_000))
    live.must_agree()


async def test_a_sale_that_is_refused_gets_its_stop_back(live: LiveRoom) -> None:
    live.account.refusing = {"place"}
    report = await live.close(Purpose.FLATTEN)
    assert (report.state, report.reason) == ("open", "place is refused.")
    live.must_be_protected()
    assert live.account.log[2:] == ["cancel", "stop"]


async def test_where_neither_is_taken_it_stays_open_and_is_said(live: LiveRoom) -> None:
    live.account.refusing = {"place", "place_stop"}
    report = await live.close(Purpose.FLATTEN)
    assert (report.state, report.reason) == ("open", "place is refused.")
    live.account.refusing.clear()
    await live.prove()
    assert live.held < Quantity("0.001")
    live.must_be_protected()
    live.must_agree()


async def test_a_sale_that_is_refused_is_done_before_anybody_knows_of_the_stop(
    live: LiveRoom,
) -> None:
    """Another attempt would take it back again."""
    live.account.refusing = {"place"}
    live.account.hidden_ms = 3_000
    assert (await live.close(Purpose.FLATTEN)).state == "open"
    live.must_be_protected()


async def test_a_sale_that_is_refused_is_not_done_while_no_stop_can_be_sent(
    live: LiveRoom,
) -> None:
    call = live.call(Purpose.FLATTEN)
    live.account.refusing = {"place"}
    first = Attempt(lambda ports: close(ports, call), live.ports).until("place_stop")
    first.fate = Fate.UNSENT
    with pytest.raises(VenueUnavailable):
        first.finish()
    live.account.refusing.clear()
    assert (await close(live.ports, call)).state == "closed"
    live.must_agree()


async def test_a_call_that_is_stale_is_not_done_while_nobody_knows_of_the_stop(
    live: LiveRoom,
) -> None:
    stale = live.call(Purpose.TRAIL)
    live.store._positions[BOT, BTC] = live.position.model_copy(update={"version": 2})
    live.account.cancel_all()
    live.account.hidden_ms = 3_000
    with pytest.raises(ExitUnfinished):
        await close(live.ports, stale)
    live.now_ms += 3_000
    assert (await close(live.ports, stale)).state == "stale"
    live.must_be_protected()


async def test_after_an_attempt_that_booked_a_part_and_died_the_rest_has_a_stop(
    live: LiveRoom,
) -> None:
    """To the next attempt the call is stale: what was meant has changed."""
    stop, call = live.stop, live.call(Purpose.STOP, **CROSSED)
    assert stop
    live.trigger(HALF)
    first = Attempt(lambda ports: close(ports, call), live.ports).until("adopt")
    first.go()
    first.die()
    report = await close(live.ports, call)
    assert report.state == "stale"
    assert set(live.store.orders_told) == {stop.id}
    live.must_be_protected()
    live.must_agree()


async def test_two_attempts_at_once_sell_once(live: LiveRoom) -> None:
    held, call = live.position.quantity, live.call(Purpose.HOLD)
    both = [Attempt(lambda ports: close(ports, call), live.ports) for _ in range(2)]
    for attempt in both:
        attempt.until("intend_exit")
    reports = [attempt.finish() for attempt in both]
    assert all(isinstance(report, ProtectReport) for report in reports)
    assert sold(live.account.traded, BTC) == held
    live.must_agree()


async def test_no_stop_comes_back_between_taking_it_back_and_the_sale(live: LiveRoom) -> None:
    """The exit is on record first, so whoever proves the stop leaves the coin alone."""
    call = live.call(Purpose.HOLD)
    leaving = Attempt(lambda ports: close(ports, call), live.ports).until("place")
    assert await live.prove() == []
    assert live.account.alive == {}
    leaving.finish()
    live.must_be_protected()
    live.must_agree()


async def test_who_saw_no_exit_yet_writes_no_stop_down_beside_one(live: LiveRoom) -> None:
    live.account.cancel_all()
    call = live.call(Purpose.HOLD)
    proving = Attempt(lambda ports: keep_protected(ports, ABOUT, BTC), live.ports)
    proving.until("intend_stop")
    leaving = Attempt(lambda ports: close(ports, call), live.ports).until("place")
    assert proving.finish() == []
    assert live.account.alive == {}
    leaving.finish()
    live.must_be_protected()
    live.must_agree()


async def test_a_stop_that_is_being_placed_keeps_the_sale_back_until_it_is_known(
    live: LiveRoom,
) -> None:
    live.account.cancel_all()
    call = live.call(Purpose.HOLD)
    leaving = Attempt(lambda ports: close(ports, call), live.ports).until("intend_exit")
    proving = Attempt(lambda ports: keep_protected(ports, ABOUT, BTC), live.ports)
    proving.until("place_stop")
    with pytest.raises(ExitUnfinished):
        leaving.finish()
    assert len(live.account.traded) == 1
    live.now_ms += LATER_MS
    assert (await close(live.ports, call)).state == "closed"
    with pytest.raises(VenueUnavailable):
        proving.finish()
    live.must_be_protected()
    live.must_agree()


async def test_nothing_is_taken_back_where_nothing_rests(live: LiveRoom) -> None:
    await live.close(Purpose.HOLD)
    live.account.trouble = VenueUnavailable("nobody is to ask")
    assert await take_back(live.ports, BOT, BTC) is None
    assert not await rests(live.ports, BOT, BTC)


async def test_whether_a_stop_rests_is_the_exchanges_to_say(live: LiveRoom) -> None:
    assert await rests(live.ports, BOT, BTC)
    live.trigger()
    assert not await rests(live.ports, BOT, BTC)


@pytest.mark.parametrize("fate", Fate)
async def test_whatever_becomes_of_a_cancel_it_is_cancelled_in_the_end(
    live: LiveRoom, fate: Fate
) -> None:
    call = live.call(Purpose.HOLD)
    first = Attempt(lambda ports: close(ports, call), live.ports).until("cancel_stop")
    first.fate = fate
    with pytest.raises(ExitUnfinished):
        first.finish()
    assert (await close(live.ports, call)).state == "closed"
    live.must_agree()


async def test_a_stop_that_sold_more_than_is_held_is_booked_as_far_as_it_goes_and_told(
    live: LiveRoom,
) -> None:
    """As the exchange has it before the entry's fee is known: of all that was bought."""
    stop, cash = live.stop, live.store.cash[BOT]
    assert stop
    live.account.alive[stop.id] = resting_as(stop.model_copy(update={"quantity": Quantity("0.1")}))
    live.trigger()
    assert (await live.close(Purpose.HOLD)).state == "closed"
    [booked] = await live.store.fills(stop.id)
    assert (booked.quantity, booked.fee) == (Quantity("0.0999"), Decimal("5.77422"))
    beyond = live.store.sold_beyond[stop.id]
    assert (beyond.quantity, beyond.proceeds) == (Quantity("0.0001"), Notional("5.77422"))
    has = live.account.balances_by_currency
    assert has["USDT"] == (live.store.cash[BOT] + beyond.proceeds).number
    assert has["BTC"] == OTHERS - beyond.quantity.number
    assert live.store.cash[BOT] == cash + booked.cash
    found = await live.reconcile()
    assert (found.blocks, found.exits) == ("", ())


async def test_on_paper_no_account_is_asked(room: Room) -> None:
    await room.bot()
    await room.buy(BTC)
    position = (await room.store.portfolio(BOT)).positions[BTC]
    live = LiveRoom(room)
    room.account = None
    assert room.store.stops_by_id == {}
    call = live.call(Purpose.STOP, version=position.version, **CROSSED)
    assert (await close(live.ports, call)).state == "closed"
    [sold_order] = room.store.filled(Purpose.STOP)
    assert sold_order.state is OrderState.FILLED


async def test_where_nobody_knows_and_time_stands_still_the_next_cycle_looks(
    live: LiveRoom,
) -> None:
    live.account.alive.clear()
    live.room.now_ms, live.room.stands_still = live.now_ms, True
    with pytest.raises(OutcomeUnknown):
        await live.close(Purpose.HOLD)
