"""Live orders: claims that nobody else undoes, and what is held is protected afterwards."""

from decimal import Decimal

import pytest

from oxbot.app.execute import execute_order
from oxbot.app.orders import NOTHING_TRADED, find_out, give_up
from oxbot.app.reconciliation import reconcile_bot
from oxbot.domain.errors import (
    ExitUnfinished,
    NotShown,
    NotSold,
    OutcomePending,
    OutcomeUnknown,
    VenueUnavailable,
)
from oxbot.domain.money import Quantity
from oxbot.domain.orders import FENCE_MS, Order, OrderState, Purpose
from oxbot.domain.resting import StopState, attached_id
from oxbot.messages import ExecuteOrder, OrderOutcome
from tests.support.fake_account import FORGOTTEN_MS
from tests.support.fakes import BTC
from tests.support.interleaving import Attempt, Fate
from tests.unit.app.live_room import HALF, LATER_MS, OTHERS, LiveRoom, reconciling, sold
from tests.unit.app.room import BOT

pytestmark = pytest.mark.critical


@pytest.fixture
def live() -> LiveRoom:
    return LiveRoom()


def attempt_at(live: LiveRoom, order: Order) -> Attempt:
    request = ExecuteOrder(bot_id=BOT, order_id=order.id)
    return Attempt(lambda ports: execute_order(ports, request), live.ports)


async def test_a_live_entry_goes_to_the_account_and_is_done_when_its_stop_is_proven(
    live: LiveRoom,
) -> None:
    order = await live.open()
    done = await live.execute(order.id)
    assert done.state is OrderState.FILLED
    assert live.stop
    assert (live.stop.id, live.stop.state) == (attached_id(order.id), StopState.RESTING)
    live.must_be_protected()
    live.must_agree()
    assert live.account.log == ["entry", "amend"]


async def test_an_entry_whose_stop_cannot_be_seen_yet_is_asked_about_again(live: LiveRoom) -> None:
    live.account.hidden_ms = 3_000
    order = await live.open()
    with pytest.raises(OutcomePending):
        await live.execute(order.id)
    live.now_ms += 3_000
    assert (await live.execute(order.id)).state is OrderState.FILLED
    live.must_be_protected()
    assert len(live.account.traded) == 1


async def test_an_entry_that_was_acknowledged_is_never_sent_again_however_late_it_is_seen(
    live: LiveRoom,
) -> None:
    live.account.hidden_ms = 3 * LATER_MS
    order = await live.open()
    with pytest.raises(OutcomePending):
        await live.execute(order.id)
    for _ in range(2):
        live.now_ms += LATER_MS
        with pytest.raises(NotShown):
            await live.execute(order.id)
    live.now_ms += LATER_MS
    assert (await live.execute(order.id)).state is OrderState.FILLED
    assert len(live.account.traded) == 1
    live.must_be_protected()
    live.must_agree()


@pytest.mark.parametrize("moment", ["look_up", "note_taken"])
async def test_an_acknowledgement_is_on_record_before_anybody_can_take_the_order_to_be_absent(
    live: LiveRoom, moment: str
) -> None:
    """The attempt is slow, or dies: another one looks when the order should be visible."""
    live.account.hidden_ms = 3 * LATER_MS
    order = await live.open()
    slow = attempt_at(live, order).until(moment)
    live.now_ms += LATER_MS
    await live.reconcile()
    with pytest.raises(OutcomeUnknown):
        slow.finish()
    assert (await live.store.order(order.id)).state is OrderState.OPEN
    live.now_ms += 2 * LATER_MS
    assert (await live.execute(order.id)).state is OrderState.FILLED
    assert len(live.account.traded) == 1
    live.must_be_protected()
    live.must_agree()


async def test_what_another_attempt_gave_up_while_the_exchange_took_it_is_looked_for_and_booked(
    live: LiveRoom,
) -> None:
    """It is filled and hidden, and whoever was told of it is slow: it is called off as absent."""
    live.account.hidden_ms = 2 * LATER_MS
    order = await live.open()
    slow = attempt_at(live, order).until("note_taken")
    live.now_ms += LATER_MS
    await live.reconcile()
    given_up = await live.store.order(order.id)
    await live.store.finish_order(given_up, OrderState.CANCELLED, "called off")
    with pytest.raises(NotShown, match="called off"):
        slow.finish()
    live.now_ms += LATER_MS
    [booked] = (await live.reconcile()).booked
    assert (booked.order_id, booked.state) == (order.id, OrderState.FILLED)
    live.must_be_protected()
    live.must_agree()


async def test_what_another_attempt_sent_again_and_was_refused_is_looked_for_and_booked(
    live: LiveRoom,
) -> None:
    """The first one has spent the money already, and is not shown yet."""
    live.account.hidden_ms = 2 * LATER_MS
    order = await live.open()
    slow = attempt_at(live, order).until("note_taken")
    live.now_ms += LATER_MS
    await live.reconcile()
    live.account.refusing = {"place"}
    assert (await live.execute(order.id)).state is OrderState.REFUSED
    live.account.refusing = set()
    with pytest.raises(NotShown, match="refused on record"):
        slow.finish()
    live.now_ms += LATER_MS
    [booked] = (await live.reconcile()).booked
    assert (booked.order_id, booked.state) == (order.id, OrderState.FILLED)
    live.must_be_protected()
    live.must_agree()


async def test_what_another_attempt_saw_end_unfilled_meanwhile_is_over_and_nobody_looks_for_it(
    live: LiveRoom,
) -> None:
    await live.hold()
    live.account.parts.append(Decimal(0))
    order = live.leaving()
    slow = attempt_at(live, order).until("note_taken")
    await live.reconcile()
    outcome = slow.finish()
    assert isinstance(outcome, OrderOutcome)
    assert (outcome.state, outcome.reason) == (OrderState.CANCELLED, NOTHING_TRADED)
    live.must_be_protected()


async def test_an_exit_that_is_shown_nowhere_for_hours_leaves_its_position_with_a_stop(
    live: LiveRoom,
) -> None:
    """The exchange acknowledged it, cancelled it before it traded, and has forgotten it since."""
    await live.hold()
    order, stop = live.leaving(), live.stop
    assert stop is not None
    await live.account.cancel_stop(stop)
    await live.store.note_stop(stop.id, StopState.ENDED)
    assert await live.store.claim(order.id, live.now_ms, live.now_ms)
    await live.store.note_taken(await live.store.order(order.id))
    live.now_ms += FORGOTTEN_MS + 1
    assert (await live.reconcile()).blocks == ""
    assert (await live.store.order(order.id)).state is OrderState.CANCELLED
    live.must_be_protected()
    live.must_agree()


async def test_a_stop_that_was_acknowledged_is_never_placed_again_however_late_it_is_seen(
    live: LiveRoom,
) -> None:
    live.account.refusing = {"attach"}
    order = await live.open()
    with pytest.raises(OutcomePending):
        await live.execute(order.id)
    live.account.hidden_ms = 3 * LATER_MS
    for _ in range(3):
        live.now_ms += LATER_MS
        with pytest.raises(OutcomeUnknown):
            await live.execute(order.id)
    live.now_ms += LATER_MS
    await live.execute(order.id)
    assert live.account.log.count("stop") == 1
    live.must_be_protected()


async def test_an_entry_that_was_called_off_when_nobody_could_know_of_it_is_booked_all_the_same(
    live: LiveRoom,
) -> None:
    """Its answer was lost, it is seen later than anything should be, and it was paused between."""
    live.account.hidden_ms, live.account.is_lost = 3 * LATER_MS, True
    order = await live.open()
    with pytest.raises(OutcomePending):
        await live.execute(order.id)
    live.now_ms += LATER_MS
    assert (await find_out(live.ports, await live.store.order(order.id))).state is (
        OrderState.INTENDED
    )
    ended = await give_up(live.ports, await live.store.order(order.id), "paused")
    assert ended.state is OrderState.CANCELLED
    live.now_ms += 2 * LATER_MS
    found = await live.reconcile()
    assert [outcome.order_id for outcome in found.booked] == [order.id]
    assert found.differs == ()
    live.must_be_protected()
    live.must_agree()


async def test_a_stop_that_the_entry_did_not_bring_is_placed(live: LiveRoom) -> None:
    live.account.refusing = {"attach"}
    order = await live.open()
    with pytest.raises(OutcomePending):
        await live.execute(order.id)
    live.now_ms += LATER_MS
    await live.execute(order.id)
    live.must_be_protected()
    assert live.stop
    assert live.stop.number == 2


async def test_an_entry_that_no_worker_here_has_an_account_for_waits(live: LiveRoom) -> None:
    order = await live.open()
    live.room.account = None
    with pytest.raises(VenueUnavailable, match="no account"):
        await live.execute(order.id)
    assert (await live.store.order(order.id)).state is OrderState.INTENDED


async def test_an_exit_takes_the_stop_back_before_it_sells(live: LiveRoom) -> None:
    await live.hold()
    order = live.leaving()
    assert (await live.execute(order.id)).state is OrderState.FILLED
    assert live.account.log[2:] == ["cancel", "decision"]
    live.must_be_protected()
    live.must_agree()


async def test_what_a_reduction_leaves_has_its_stop_at_once(live: LiveRoom) -> None:
    await live.hold()
    await live.execute(live.leaving(HALF).id)
    assert live.position.quantity < Quantity("0.06")
    live.must_be_protected()
    live.must_agree()


async def test_what_an_exit_could_not_sell_has_its_stop_at_once(live: LiveRoom) -> None:
    await live.hold()
    live.account.parts.append(HALF)
    await live.execute(live.leaving().id)
    live.must_be_protected()
    live.must_agree()


async def test_an_exit_that_is_refused_leaves_the_position_with_its_stop(live: LiveRoom) -> None:
    await live.hold()
    live.account.refusing = {"place"}
    done = await live.execute(live.leaving().id)
    assert (done.state, done.reason) == (OrderState.REFUSED, "place is refused.")
    live.must_be_protected()
    live.must_agree()


async def test_an_exit_whose_stop_was_triggered_sells_nothing_and_the_stop_is_told(
    live: LiveRoom,
) -> None:
    await live.hold()
    order, stop = live.leaving(), live.stop
    assert stop
    live.trigger()
    done = await live.execute(order.id)
    assert (done.state, done.reason) == (OrderState.CANCELLED, "so much is no longer held")
    assert live.store.orders_told[stop.id].purpose is Purpose.STOP
    live.must_be_protected()
    live.must_agree()


async def test_an_exit_whose_stop_sold_a_part_leaves_the_rest_with_a_stop(live: LiveRoom) -> None:
    await live.hold()
    order = live.leaving()
    live.trigger(HALF)
    assert (await live.execute(order.id)).state is OrderState.CANCELLED
    live.must_be_protected()
    live.must_agree()


async def test_an_exit_waits_while_nobody_knows_whether_a_stop_rests(live: LiveRoom) -> None:
    await live.hold()
    order = live.leaving()
    stop = live.stop
    assert stop
    live.store.stops_by_id[stop.id] = stop.model_copy(update={"state": StopState.SENT})
    live.account.alive.clear()
    live.account.over.clear()
    with pytest.raises(OutcomePending):
        await live.execute(order.id)
    assert (await live.store.order(order.id)).state is OrderState.INTENDED
    live.now_ms += LATER_MS
    assert (await live.execute(order.id)).state is OrderState.FILLED


async def test_a_stop_that_was_seen_at_rest_and_is_nowhere_is_not_taken_to_be_gone(
    live: LiveRoom,
) -> None:
    """Nothing is sold, and no second one placed, however long it is."""
    await live.hold()
    order = live.leaving()
    live.account.alive.clear()
    for _ in range(3):
        live.now_ms += LATER_MS
        with pytest.raises(NotShown):
            await live.execute(order.id)
    await live.store.finish_order(order, OrderState.CANCELLED, "not now")
    log = list(live.account.log)
    assert live.stop is not None
    assert live.stop.id in (await live.reconcile()).blocks
    assert live.account.log == log


async def test_what_can_neither_have_a_stop_nor_be_sold_holds_up_no_other_order(
    live: LiveRoom,
) -> None:
    """Its attempts end, and it is told by the reconciliation, which tries again."""
    await live.hold()
    order = live.leaving()
    live.account.refusing = {"place", "place_stop"}
    with pytest.raises(NotSold) as found:
        await live.execute(order.id)
    assert not found.value.retryable
    assert (await live.reconcile()).unsold


async def test_a_stop_that_is_alive_after_it_was_cancelled_keeps_the_exit_back(
    live: LiveRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live.hold()
    order = live.leaving()
    monkeypatch.setattr(live.account, "cancel", lambda *_: None)
    with pytest.raises(ExitUnfinished):
        await live.execute(order.id)
    assert len(live.account.traded) == 1
    live.must_be_protected()


async def test_a_stop_placed_between_taking_back_and_claiming_keeps_the_exit_back(
    live: LiveRoom,
) -> None:
    """The order of a cycle is not an exit under way before it is there."""
    await live.hold()
    [known] = live.store.stops_by_id.values()
    order = live.leaving()
    attempt = attempt_at(live, order).until("claim")
    live.store.stops_by_id["gnew"] = known.model_copy(update={"id": "gnew", "number": 2})
    with pytest.raises(ExitUnfinished):
        attempt.finish()
    assert (await live.store.order(order.id)).state is OrderState.INTENDED
    assert len(live.account.traded) == 1


async def test_a_stop_that_is_over_before_anybody_asks_why_ends_no_exit(live: LiveRoom) -> None:
    await live.hold()
    [known] = live.store.stops_by_id.values()
    order = live.leaving()
    attempt = attempt_at(live, order).until("claim")
    live.store.stops_by_id["gnew"] = known.model_copy(update={"id": "gnew", "number": 2})
    attempt.until("order")
    await live.store.note_stop("gnew", StopState.ENDED)
    with pytest.raises(ExitUnfinished):
        attempt.finish()
    assert (await live.execute(order.id)).state is OrderState.FILLED


async def test_an_order_that_another_attempt_has_claimed_is_not_ended_as_unwanted(
    live: LiveRoom,
) -> None:
    """Otherwise nobody would look it up, and its coins would be sold again."""
    await live.hold()
    order = live.leaving()
    slow = attempt_at(live, order).until("claim")
    live.store._positions[BOT, BTC] = live.position.model_copy(update={"quantity": Quantity(0)})
    slow.until("finish_order")
    sent = order.model_copy(update={"state": OrderState.SENT, "fence_ms": live.now_ms})
    live.store.orders_by_id[order.id] = sent
    done = slow.finish()
    assert isinstance(done, OrderOutcome)
    assert done.state is OrderState.SENT
    assert await live.store.order(order.id) == sent


async def test_who_found_an_order_absent_does_not_undo_the_claim_that_came_after(
    live: LiveRoom,
) -> None:
    """Otherwise it could be sent a second time while it trades."""
    await live.hold()
    order = live.leaving()
    dead = attempt_at(live, order).until("place")
    dead.die()
    live.now_ms += LATER_MS
    slow = Attempt(lambda ports: reconcile_bot(ports, reconciling()), live.ports).until("release")
    swift = attempt_at(live, order).until("place")
    swift.fate = Fate.LOST_AFTER
    with pytest.raises(OutcomeUnknown):
        swift.finish()
    slow.finish()
    assert (await live.execute(order.id)).state is OrderState.FILLED
    assert sold(live.account.traded, BTC) == order.quantity
    live.must_agree()


async def test_a_refusal_that_comes_late_does_not_end_the_claim_that_came_after(
    live: LiveRoom,
) -> None:
    await live.hold()
    order = live.leaving()
    live.account.refusing = {"place"}
    slow = attempt_at(live, order).until("place").until("finish_order")
    live.account.refusing.clear()
    live.now_ms += LATER_MS
    swift = attempt_at(live, order).until("place")
    swift.fate = Fate.LOST_AFTER
    with pytest.raises(OutcomeUnknown):
        swift.finish()
    slow.finish()
    assert (await live.execute(order.id)).state is OrderState.FILLED
    assert sold(live.account.traded, BTC) == order.quantity
    live.must_agree()


async def test_a_request_that_hung_until_its_fence_has_passed_sells_nothing(live: LiveRoom) -> None:
    await live.hold()
    order = live.leaving()
    hung = attempt_at(live, order).until("place")
    live.now_ms += LATER_MS
    assert (await live.execute(order.id)).state is OrderState.FILLED
    with pytest.raises(OutcomeUnknown):
        hung.finish()
    assert sold(live.account.traded, BTC) == order.quantity
    assert live.account.balances_by_currency["BTC"] - OTHERS == live.held.number


async def test_an_order_is_absent_no_sooner_than_its_fence_and_the_grace_are_over(
    live: LiveRoom,
) -> None:
    await live.hold()
    order = live.leaving()
    attempt_at(live, order).until("place").die()
    live.now_ms += FENCE_MS
    with pytest.raises(OutcomePending):
        await live.execute(order.id)
    assert (await live.store.order(order.id)).state is OrderState.SENT
