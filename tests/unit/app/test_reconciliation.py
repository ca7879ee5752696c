"""A live bot's record held against its account: what was missed is booked, what differs blocks."""

from typing import cast

import pytest

from oxbot.app.coverage import Coverage, coverage
from oxbot.app.execute import execute_order
from oxbot.app.found import BROKEN
from oxbot.app.reconciliation import TWICE, UNSEEN_MS, reconcile_bot
from oxbot.domain.bot import Mode
from oxbot.domain.errors import (
    Conflict,
    ExitUnfinished,
    OutcomePending,
    OutcomeUnknown,
    VenueRefused,
    VenueUnavailable,
)
from oxbot.domain.losses import AGREES, DIFFERS
from oxbot.domain.market import ClockReading
from oxbot.domain.money import Price, Quantity, plain
from oxbot.domain.orders import Fill, Order, OrderState, Purpose
from oxbot.domain.resting import SeenState, SeenStop, StopState
from oxbot.messages import ExecuteOrder, Reconcile, Reconciliation
from tests.support.fake_account import END_IT
from tests.support.fakes import BTC, ETH
from tests.support.interleaving import Attempt, Fate
from tests.support.trading import entry
from tests.unit.app.live_room import HALF, LATER_MS, OTHERS, LiveRoom, reconciling
from tests.unit.app.room import BOT, Room

pytestmark = pytest.mark.critical

LACK = "the account has {} {}, and live bots hold {}: {} {} are missing"


@pytest.fixture
async def live() -> LiveRoom:
    """A live bot that holds 0.0999 BTC under a proven stop."""
    room = LiveRoom()
    await room.hold()
    return room


async def test_where_all_agrees_the_stop_is_proven_and_nothing_else_is_said(live: LiveRoom) -> None:
    found = await live.reconcile()
    assert found == Reconciliation(proven=(BTC,))
    assert found.blocks == ""


async def test_a_bot_on_paper_has_nothing_to_reconcile(room: Room) -> None:
    await room.bot()
    assert await reconcile_bot(room.ports, reconciling()) == Reconciliation()


async def test_a_bot_of_another_venue_is_refused(live: LiveRoom) -> None:
    bot = live.store.bots_by_id[BOT]
    elsewhere = bot.settings.model_copy(update={"venue": "okx"})
    live.store.bots_by_id[BOT] = bot.model_copy(update={"settings": elsewhere})
    with pytest.raises(Conflict):
        await live.reconcile()


async def test_while_the_exchange_is_away_nothing_is_known(live: LiveRoom) -> None:
    live.account.trouble = VenueUnavailable("OKX is away.")
    with pytest.raises(VenueUnavailable):
        await live.reconcile()


async def test_an_entry_of_which_nobody_knew_is_booked_and_protected() -> None:
    live = LiveRoom()
    order = await live.open()
    await send(live)
    live.now_ms += 1_000
    found = await live.reconcile()
    assert [(known.order_id, known.state) for known in found.booked] == [
        (order.id, OrderState.FILLED)
    ]
    assert (found.proven, found.blocks) == ((BTC,), "")
    live.must_be_protected()
    live.must_agree()


async def send(live: LiveRoom) -> None:
    """Have the entry traded by an attempt that dies before it can say so."""
    [order] = live.store.orders_by_id.values()
    now = await live.room.clock.reading()
    fence_ms = now.venue_ms + 10_000
    assert await live.store.claim(order.id, now.venue_ms, fence_ms)
    await live.account.place(order.model_copy(update={"fence_ms": fence_ms}), now)


async def test_an_order_that_may_still_be_taken_is_unknown_and_blocks() -> None:
    live = LiveRoom()
    order = await live.open()
    assert await live.store.claim(order.id, live.now_ms, live.now_ms + 10_000)
    found = await live.reconcile()
    assert f"order {order.id} for {BTC}" in found.blocks
    live.now_ms += LATER_MS
    assert (await live.reconcile()).blocks == ""
    assert (await live.store.order(order.id)).state is OrderState.INTENDED
    assert live.account.traded == []


async def test_an_execution_that_was_missed_is_booked(live: LiveRoom) -> None:
    """The record had given the order up, and the exchange traded it all the same."""
    order = live.leaving(HALF)
    stop = live.stop
    assert stop
    live.account.cancel_all()
    now = await live.room.clock.reading()
    await live.account.place(order.model_copy(update={"fence_ms": now.venue_ms}), now)
    sent = order.model_copy(update={"state": OrderState.CANCELLED})
    live.store.orders_by_id[order.id] = sent
    found = await live.reconcile()
    assert [known.order_id for known in found.booked] == [order.id]
    assert found.blocks == ""
    live.must_be_protected()
    live.must_agree()
    assert await live.reconcile() == Reconciliation(proven=(BTC,))


@pytest.mark.parametrize("moment", ["known_orders", "booked_trades"])
async def test_an_execution_that_is_booked_meanwhile_is_not_told_as_missed(
    live: LiveRoom, moment: str
) -> None:
    order = live.leaving(HALF)
    selling = Attempt(
        lambda ports: execute_order(ports, ExecuteOrder(bot_id=BOT, order_id=order.id)), live.ports
    ).until("settle")
    looking = Attempt(lambda ports: reconcile_bot(ports, leaving_alone()), live.ports)
    looking.until(moment)
    selling.finish()
    found = cast("Reconciliation", looking.finish())
    assert (found.booked, found.blocks) == ((), "")


async def test_an_entry_that_its_cycle_could_not_tell_is_told_once() -> None:
    live = LiveRoom()
    order = await live.open()
    await send(live)
    live.now_ms += 1_000
    found = await live.reconcile()
    assert (list(live.store.orders_told), found.exits) == ([order.id], ())


async def test_executions_that_cannot_be_read_keep_nobody_from_its_stop(live: LiveRoom) -> None:
    attempt = Attempt(lambda ports: reconcile_bot(ports, reconciling()), live.ports)
    live.account.cancel_all()
    attempt.until("recent_fills").fate = Fate.LOST_BEFORE
    found = cast("Reconciliation", attempt.finish())
    assert "what was traded of BTC/USDT in the last day" in found.blocks
    assert found.proven == (BTC,)
    live.must_be_protected()


async def test_what_another_bot_of_the_account_has_traded_is_its_own_to_book(
    live: LiveRoom,
) -> None:
    await live.room.bot("b2", mode=Mode.LIVE)
    other = entry("b2", expires_ms=None, fence_ms=live.now_ms, state=OrderState.CANCELLED)
    live.store.orders_by_id[other.id] = other
    await live.account.place(other, await live.room.clock.reading())
    assert (await live.reconcile()).booked == ()


async def test_an_execution_that_the_books_do_not_take_is_told_and_blocks(live: LiveRoom) -> None:
    """More of an entry than was ordered; what an exit sells beyond is told, and blocks nobody."""
    live.account.balances_by_currency["USDT"] += 10_000
    await live.buy_twice()
    cash = live.store.cash[BOT]
    found = await live.reconcile()
    assert BROKEN in found.blocks
    assert [kind for kind, _ in live.store.differences] == [DIFFERS]
    assert live.store.cash[BOT] == cash


async def test_a_stop_that_is_over_and_alive_is_cancelled(live: LiveRoom) -> None:
    stop = live.stop
    assert stop
    await live.store.note_stop(stop.id, StopState.ENDED, "so it was said")
    found = await live.reconcile()
    assert found.ghosts == (stop.id,)
    live.must_be_protected()


async def test_a_stop_that_is_over_and_has_sold_all_the_same_is_booked(live: LiveRoom) -> None:
    """It triggered before anybody found it alive; the position has another stop by then."""
    first = live.stop
    assert first
    await live.store.note_stop(first.id, StopState.ENDED, "so it was said")
    await live.prove()
    live.account.trigger(first, Price(57_000), live.now_ms, HALF)
    found = await live.reconcile()
    assert [(order.order_id, order.purpose) for order in found.exits] == [(first.id, Purpose.STOP)]
    assert (found.ghosts, found.blocks) == ((), "")
    live.must_agree()
    live.must_be_protected()
    assert (await live.reconcile()).exits == ()


async def test_a_stop_that_sells_in_the_moment_in_which_it_is_cancelled_is_booked(
    live: LiveRoom,
) -> None:
    stop = live.stop
    assert stop
    await live.store.note_stop(stop.id, StopState.ENDED, "so it was said")
    reconcile = Attempt(lambda ports: reconcile_bot(ports, reconciling()), live.ports)
    reconcile.until("cancel_stop")
    live.account.trigger(stop, Price(57_000), live.now_ms)
    found = reconcile.finish()
    assert isinstance(found, Reconciliation)
    assert [order.order_id for order in found.exits] == [stop.id]
    live.must_agree()
    live.must_be_protected()


async def test_what_a_stop_that_was_over_has_sold_waits_for_the_exit_under_way(
    live: LiveRoom,
) -> None:
    stop = live.stop
    assert stop
    await live.store.note_stop(stop.id, StopState.ENDED, "so it was said")
    order = live.leaving(HALF)
    live.account.trigger(stop, Price(57_000), live.now_ms, HALF)
    clock = await live.ports.clock.reading()
    assert await live.store.claim(order.id, clock.venue_ms, clock.venue_ms + 10_000)
    assert "booked when the exit under way is" in (await live.reconcile()).blocks
    await live.account.place(await live.store.order(order.id), clock)
    found = await live.reconcile()
    assert stop.id in [sold.order_id for sold in found.exits]
    assert found.blocks == ""
    live.must_agree()
    live.must_be_protected()


async def test_an_exit_that_nobody_has_sent_gives_way_to_what_a_stop_has_sold(
    live: LiveRoom,
) -> None:
    stop = live.stop
    assert stop
    await live.store.note_stop(stop.id, StopState.ENDED, "so it was said")
    order = live.leaving(HALF)
    live.account.trigger(stop, Price(57_000), live.now_ms, HALF)
    found = await live.reconcile()
    assert [sold.order_id for sold in found.exits] == [stop.id]
    assert (await live.store.order(order.id)).state is OrderState.CANCELLED
    assert found.blocks == ""
    live.must_agree()
    live.must_be_protected()


async def test_of_two_stops_of_one_id_a_person_is_told(
    live: LiveRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = live.stop
    assert stop
    sold = SeenStop(state=SeenState.TRIGGERED, purpose=Purpose.STOP)
    monkeypatch.setitem(live.account.over, stop.id, sold)
    assert f"the stop {stop.id} of {BTC}: {TWICE}" in (await live.reconcile()).unknown


async def test_a_stop_of_which_nobody_knows_whether_it_is_cancelled_blocks_and_no_more(
    live: LiveRoom,
) -> None:
    stop = live.stop
    assert stop
    await live.store.note_stop(stop.id, StopState.ENDED, "so it was said")
    reconcile = Attempt(lambda ports: reconcile_bot(ports, reconciling()), live.ports)
    reconcile.until("cancel_stop").fate = Fate.LOST_BEFORE
    found = reconcile.finish()
    assert isinstance(found, Reconciliation)
    assert (found.proven, found.ghosts) == ((BTC,), ())
    assert stop.id in found.blocks
    assert (await live.reconcile()).ghosts == (stop.id,)
    live.must_be_protected()


async def test_the_stop_of_an_entry_that_was_given_up_and_traded_is_cancelled(
    live: LiveRoom,
) -> None:
    """Two stops of one position could sell more than it is."""
    late = entry(BOT, 2, quantity=Quantity("0.05"), expires_ms=None, fence_ms=live.now_ms)
    now = await live.room.clock.reading()
    await live.account.place(late, now)
    given_up = late.model_copy(update={"state": OrderState.CANCELLED})
    live.store.orders_by_id[late.id] = given_up
    found = await live.reconcile()
    assert [known.order_id for known in found.booked] == [late.id]
    assert len(found.ghosts) == 1
    live.must_be_protected()
    live.must_agree()


async def test_an_exit_that_was_given_up_after_it_took_the_stop_back_is_sent(
    live: LiveRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = live.leaving()

    async def lost(_order: Order, _now: ClockReading) -> list[Fill]:
        raise OutcomeUnknown("no answer, and it was never taken")

    monkeypatch.setattr(live.account, "place", lost)
    with pytest.raises(OutcomePending):
        await live.execute(order.id)
    assert live.stop is None
    monkeypatch.undo()
    assert (await live.reconcile()).unknown
    live.now_ms += LATER_MS
    found = await live.reconcile()
    assert [(sold.order_id, sold.state) for sold in found.booked] == [(order.id, OrderState.FILLED)]
    assert found.blocks == ""


async def test_an_entry_that_nobody_has_sent_is_left_to_its_cycle() -> None:
    live = LiveRoom()
    order = await live.open()
    assert await live.reconcile() == Reconciliation()
    assert live.store.orders_by_id[order.id].state is OrderState.INTENDED


async def test_a_stop_of_somebody_else_is_left_alone(live: LiveRoom) -> None:
    [known] = live.account.alive.values()
    live.account.alive["mine"] = known
    assert (await live.reconcile()).ghosts == ()
    assert "mine" in live.account.alive


async def test_a_stop_that_was_triggered_is_booked_and_told_once(live: LiveRoom) -> None:
    stop = live.stop
    assert stop
    live.trigger()
    found = await live.reconcile()
    assert [(known.order_id, known.purpose) for known in found.exits] == [(stop.id, Purpose.STOP)]
    assert stop.id in live.store.orders_told
    assert await live.reconcile() == Reconciliation()
    live.must_be_protected()
    live.must_agree()


@pytest.mark.parametrize("change", [{"quantity": Quantity("0.01")}, {"stop_price": Price(1)}])
async def test_a_stop_that_is_not_as_the_position_asks_is_changed(
    live: LiveRoom, change: dict[str, object]
) -> None:
    [(stop_id, seen)] = live.account.alive.items()
    live.account.alive[stop_id] = seen.model_copy(update=change)
    assert (await live.reconcile()).proven == (BTC,)
    live.must_be_protected()
    assert live.account.log[2:] == ["amend"]


async def test_a_stop_that_cannot_be_changed_is_replaced(live: LiveRoom) -> None:
    [(stop_id, seen)] = live.account.alive.items()
    live.account.alive[stop_id] = seen.model_copy(update={"stop_price": Price(1)})
    live.account.refusing = {"amend_stop"}
    assert (await live.reconcile()).proven == (BTC,)
    live.must_be_protected()
    assert live.account.log[2:] == ["cancel", "stop"]


async def test_a_position_of_which_two_stops_are_refused_is_sold(live: LiveRoom) -> None:
    live.account.cancel_all()
    live.account.refusing = {"place_stop"}
    found = await live.reconcile()
    assert [known.purpose for known in found.exits] == [Purpose.STOP]
    assert [stop.reason for stop in live.store.stops_by_id.values()][1:] == [
        "refused: place_stop is refused."
    ] * 2
    live.must_be_protected()
    live.must_agree()


async def test_a_position_whose_stop_the_price_has_passed_is_sold(live: LiveRoom) -> None:
    live.account.cancel_all()
    live.room.feed.prices[BTC] = Price(57_000)
    found = await live.reconcile()
    assert [known.price for known in found.exits] == [Price(57_000)]
    live.must_be_protected()


async def test_a_position_that_can_have_no_stop_and_is_not_sold_is_told_as_unproven(
    live: LiveRoom,
) -> None:
    live.account.cancel_all()
    live.account.refusing = {"place_stop", "place"}
    found = await live.reconcile()
    assert found.proven == ()
    [unsold] = found.unsold
    assert f"{BTC} can have no stop at the exchange and was not sold" in unsold
    assert unsold in found.blocks
    assert found.is_to_be_looked_at_again


async def test_what_is_unknown_of_one_coin_keeps_nobody_from_another(live: LiveRoom) -> None:
    await also_holding_eth(live)
    live.account.cancel_all()
    live.account.refusing = {"place"}
    live.room.feed.prices[BTC] = Price(57_000)
    found = await live.reconcile()
    assert found.proven == (ETH,)
    assert BTC in found.blocks
    live.account.refusing.clear()


async def test_a_coin_that_is_listed_no_more_keeps_nobody_from_another_and_is_named(
    live: LiveRoom,
) -> None:
    await also_holding_eth(live)
    sold = live.leaving(HALF)
    now = await live.room.clock.reading()
    await live.account.place(sold.model_copy(update={"fence_ms": now.venue_ms}), now)
    given_up = sold.model_copy(update={"state": OrderState.CANCELLED})
    live.store.orders_by_id[sold.id] = given_up
    live.account.balances_by_currency["USDT"] -= 1_000_000
    del live.room.feed.prices[BTC]
    found = await live.reconcile()
    assert (found.proven, found.unknown) == ((ETH,), ())
    assert [told.partition(":")[0] for told in found.stuck] == [
        f"order {sold.id} for {BTC}, which was over",
        f"the stop of {BTC}",
    ]
    assert all("not listed" in told for told in found.stuck)
    assert "USDT are missing" in found.differs[0]
    assert found.stuck[0] in found.blocks


async def test_a_coin_that_is_being_sold_is_not_proven(live: LiveRoom) -> None:
    await also_holding_eth(live)
    live.leaving()
    assert (await live.reconcile()).proven == (ETH,)


async def also_holding_eth(live: LiveRoom) -> None:
    order = entry(BOT, 2, symbol=ETH, limit_price=Price(3_010), expires_ms=live.now_ms + 60_000)
    live.store.orders_by_id[order.id] = order
    await live.execute(order.id)


async def test_a_coin_that_somebody_else_is_at_is_left_to_them(live: LiveRoom) -> None:
    live.account.cancel_all()
    request = Reconcile(bot_id=BOT, incarnation=1, cycle=1, epoch=1, leave=(BTC,))
    assert await reconcile_bot(live.ports, request) == Reconciliation()
    assert live.account.alive == {}


def leaving_alone(cycle: int = 1) -> Reconcile:
    return Reconcile(bot_id=BOT, incarnation=1, cycle=cycle, epoch=1, leave=(BTC,))


async def test_an_order_that_somebody_looks_for_in_vain_is_told_and_nothing_is_entered(
    live: LiveRoom,
) -> None:
    order = await taken_in_vain(live)
    live.now_ms += UNSEEN_MS
    assert await reconcile_bot(live.ports, leaving_alone()) == Reconciliation()
    live.now_ms += 1
    found = await reconcile_bot(live.ports, leaving_alone())
    assert order.id in found.blocks
    assert END_IT in found.blocks
    assert found.is_to_be_looked_at_again


async def taken_in_vain(live: LiveRoom) -> Order:
    """Have an exit acknowledged for which the stop was taken back, and that is shown nowhere."""
    order, stop = live.leaving(), live.stop
    assert stop
    await live.store.note_stop(stop.id, StopState.ENDED, "taken back")
    live.account.cancel(stop.id)
    assert await live.store.claim(order.id, live.now_ms, live.now_ms)
    return await live.store.note_taken(await live.store.order(order.id))


async def test_an_order_that_is_seen_while_somebody_else_looks_for_it_is_not_told(
    live: LiveRoom,
) -> None:
    order = await taken_in_vain(live)
    await live.account.place(order, await live.room.clock.reading())
    live.now_ms += UNSEEN_MS + 1
    assert await reconcile_bot(live.ports, leaving_alone()) == Reconciliation()
    assert (await live.store.order(order.id)).state is OrderState.OPEN


@pytest.mark.parametrize("purpose", [Purpose.FLATTEN, Purpose.HOLD, Purpose.TRAIL])
async def test_a_stop_for_which_a_protection_waits_in_vain_is_told_by_its_id(
    live: LiveRoom, purpose: Purpose
) -> None:
    """The protection has written no order down: it takes the stop back first."""
    stop = live.stop
    assert stop
    live.account.alive.clear()
    live.now_ms = stop.fence_ms + UNSEEN_MS + 1
    with pytest.raises(ExitUnfinished, match=stop.id):
        await live.close(purpose)
    found = await reconcile_bot(live.ports, leaving_alone())
    assert stop.id in found.blocks
    assert END_IT in found.blocks
    assert found.is_to_be_looked_at_again


async def test_a_stop_that_is_taken_back_in_vain_is_told_from_the_next_cycle_on(
    live: LiveRoom,
) -> None:
    """No word of a person is asked for: the exchange shows it alive."""
    live.leaving()
    stop = live.stop
    assert stop
    live.now_ms = stop.fence_ms + UNSEEN_MS + 1
    assert await reconcile_bot(live.ports, leaving_alone()) == Reconciliation()
    found = await reconcile_bot(live.ports, leaving_alone(cycle=2))
    assert stop.id in found.blocks
    assert "--over" not in found.blocks


async def test_what_the_account_has_besides_is_nobodys_and_is_not_told(live: LiveRoom) -> None:
    live.account.balances_by_currency["USDT"] += 1_000
    live.account.balances_by_currency["BTC"] += 1
    assert (await live.reconcile()).differs == ()


async def test_what_the_account_lacks_is_told_in_figures_once_and_blocks(live: LiveRoom) -> None:
    live.account.balances_by_currency["BTC"] -= OTHERS + HALF / 10
    live.account.balances_by_currency["USDT"] -= 1
    usdt = live.account.balances_by_currency["USDT"]
    expected = (
        LACK.format("0.0499", "BTC", "0.0999", "0.05", "BTC"),
        LACK.format(plain(usdt), "USDT", plain(usdt + 1), 1, "USDT"),
    )
    assert (await live.reconcile()).differs == expected
    assert (await live.reconcile()).blocks == "; ".join(expected)
    assert live.store.differences == [(DIFFERS, lack) for lack in expected]


async def test_what_differs_is_told_again_when_it_is_new_again(live: LiveRoom) -> None:
    for _ in range(2):
        live.account.balances_by_currency["USDT"] -= 1
        [lack] = (await live.reconcile()).differs
        live.account.balances_by_currency["USDT"] += 1
        assert (await live.reconcile()).differs == ()
    assert live.store.differences == [(DIFFERS, lack), (AGREES, lack)] * 2


async def test_what_cannot_be_compared_now_is_not_told_to_be_over(live: LiveRoom) -> None:
    live.account.balances_by_currency["USDT"] -= 1
    [lack] = (await live.reconcile()).differs
    order = entry(BOT, 2, symbol=ETH, expires_ms=live.now_ms + 1, limit_price=Price(3_010))
    live.store.orders_by_id[order.id] = order
    await live.store.claim(order.id, live.now_ms, live.now_ms)
    assert (await live.reconcile()).differs == ()
    assert live.store.differences == [(DIFFERS, lack)]


async def test_an_unfit_account_is_told_and_blocks_while_stops_are_proven(live: LiveRoom) -> None:
    live.account.cancel_all()
    for unfit in (None, "The key may withdraw.", "The key may withdraw.", None):
        live.account.why_unfit = unfit
        found = await live.reconcile()
        assert found.blocks == (unfit or "")
        assert found.stuck == ((unfit,) if unfit else ())
        live.must_be_protected()
    told = "The key may withdraw"
    assert live.store.differences == [(DIFFERS, told), (AGREES, told)]


async def test_whether_the_account_is_fit_is_asked_when_stops_are_proven_already(
    live: LiveRoom,
) -> None:
    live.account.cancel_all()
    live.account.refusing = {"unfit"}
    with pytest.raises(VenueRefused):
        await live.reconcile()
    live.must_be_protected()


async def test_a_sale_for_want_of_a_stop_is_told_though_its_attempt_died_before_it_could(
    live: LiveRoom,
) -> None:
    live.account.cancel_all()
    live.account.refusing = {"place_stop"}
    selling = Attempt(lambda ports: reconcile_bot(ports, reconciling()), live.ports)
    selling.until("tell_order").die()
    [sold] = live.store.filled(Purpose.STOP)
    assert sold.id not in live.store.orders_told
    found = await live.reconcile()
    assert [order.order_id for order in found.exits] == [sold.id]
    assert sold.id in live.store.orders_told
    assert (await live.reconcile()).exits == ()


async def test_the_money_of_all_live_bots_is_held_against_the_account(live: LiveRoom) -> None:
    await live.room.bot("b2", mode=Mode.LIVE, capital="1000")
    assert "1000 USDT are missing" in (await live.reconcile()).blocks
    await live.room.bot("b3", capital="5000")
    live.account.balances_by_currency["USDT"] += 1_000
    assert (await live.reconcile()).blocks == ""


async def test_a_currency_in_which_an_order_is_under_way_is_left_out(live: LiveRoom) -> None:
    order = entry(BOT, 2, symbol=ETH, expires_ms=live.now_ms + 1, limit_price=Price(3_010))
    live.store.orders_by_id[order.id] = order
    await live.store.claim(order.id, live.now_ms, live.now_ms)
    for currency in ("USDT", "BTC"):
        live.account.balances_by_currency[currency] -= 5_000
    found = await coverage(live.ports, "fake")
    assert [lack.currency for lack in found.lacks] == ["BTC"]
    assert found.moving == f"an order for {ETH} is at the exchange"


async def test_a_coin_whose_stop_has_just_sold_is_left_to_the_bot_that_will_learn_of_it(
    live: LiveRoom,
) -> None:
    live.account.balances_by_currency["BTC"] -= OTHERS
    live.trigger()
    found = await coverage(live.ports, "fake")
    assert (found.lacks, found.moving) == ((), "the stop of BTC is no longer seen at rest")
    await live.prove()
    found = await coverage(live.ports, "fake")
    assert (found.lacks, found.moving) == ((), "")


async def test_what_changes_while_balances_are_read_is_not_compared(live: LiveRoom) -> None:
    comparing = Attempt(lambda ports: coverage(ports, "fake"), live.ports)
    comparing.until("balances").until("claims")
    live.account.balances_by_currency["BTC"] -= OTHERS + HALF / 10
    await live.execute(live.leaving(HALF).id)
    found = comparing.finish()
    assert isinstance(found, Coverage)
    assert (found.lacks, bool(found.moving)) == ((), True)


async def test_a_reconciliation_beside_an_exit_books_nothing_twice(live: LiveRoom) -> None:
    reconcile = Attempt(lambda ports: reconcile_bot(ports, reconciling()), live.ports)
    reconcile.until("see_stop")
    await live.execute(live.leaving().id)
    found = reconcile.finish()
    assert isinstance(found, Reconciliation)
    assert found.blocks == ""
    live.must_be_protected()
    live.must_agree()
