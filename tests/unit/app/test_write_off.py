"""What is gone from a live bot's account is written off: what is missing, nothing else, once."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from oxbot.app.found import BROKEN
from oxbot.app.write_off import write_off
from oxbot.domain.bot import Mode
from oxbot.domain.errors import Conflict, InputError, VenueUnavailable
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import OrderState, Purpose
from oxbot.messages import Reconciliation, WriteOffMissing, WriteOffRequest
from tests.support.fakes import BTC, ETH
from tests.support.interleaving import Attempt, Fate
from tests.support.trading import entry
from tests.unit.app.live_room import LATER_MS, OTHERS, LiveRoom, reconciling
from tests.unit.app.room import BOT, Room

pytestmark = pytest.mark.critical

D = Decimal


@pytest.fixture
async def live() -> LiveRoom:
    """A live bot that holds 0.0999 BTC under a proven stop; nobody else's coins are there."""
    room = LiveRoom()
    await room.hold()
    take(room, BTC=OTHERS)
    return room


def take(room: LiveRoom, **gone: Decimal) -> None:
    """Have a person withdraw so much."""
    for currency, amount in gone.items():
        room.account.balances_by_currency[currency] -= amount


def wish(losses: Mapping[str, Decimal], wish_id: str = "w1") -> WriteOffMissing:
    asked = WriteOffRequest(id=wish_id, by="a person", reason="withdrawn", losses=dict(losses))
    return WriteOffMissing(reconcile=reconciling(), wish=asked)


async def written(
    room: LiveRoom, losses: Mapping[str, Decimal], name: str = "w1"
) -> Reconciliation:
    return await write_off(room.ports, wish(losses, name))


def must_agree(room: LiveRoom) -> None:
    has = room.account.balances_by_currency
    assert has["USDT"] == room.store.cash[BOT].number
    assert has["BTC"] == room.held.number


async def test_a_reconciliation_says_what_could_be_written_off(live: LiveRoom) -> None:
    assert (await live.reconcile()).losses == {}
    take(live, BTC=D("0.05"), USDT=D(7))
    assert (await live.reconcile()).losses == {"BTC": D("0.05"), "USDT": D(7)}


async def test_coins_that_are_gone_leave_the_books_and_the_stop_is_of_what_is_left(
    live: LiveRoom,
) -> None:
    take(live, BTC=D("0.04"))
    found = await written(live, {"BTC": D("0.04")})
    assert (found.written_off, found.losses, found.blocks) == ({"BTC": D("0.04")}, {}, "")
    assert found.proven == (BTC,)
    assert live.position.quantity == Quantity("0.0599")
    live.must_be_protected()
    must_agree(live)


async def test_where_nothing_is_left_to_sell_the_stop_is_cancelled(live: LiveRoom) -> None:
    take(live, BTC=D("0.0999"))
    found = await written(live, {"BTC": D("0.0999")})
    assert found.blocks == ""
    live.must_be_protected()
    assert live.account.alive == {}
    assert live.account.log[-1] == "cancel"
    must_agree(live)


async def test_usdt_that_is_gone_leaves_the_cash(live: LiveRoom) -> None:
    take(live, USDT=D(1000))
    cash = live.store.cash[BOT]
    assert (await written(live, {"USDT": D(1000)})).blocks == ""
    assert live.store.cash[BOT] == cash - Notional(1000)
    must_agree(live)


async def test_coins_that_are_gone_and_so_can_have_no_stop_and_no_sale_are_written_off(
    live: LiveRoom,
) -> None:
    """The exchange refuses stop and sale as long as the books say that there is more."""
    take(live, BTC=D("0.04"))
    live.account.cancel_all()
    live.account.refusing = {"place_stop"}
    assert "was not sold" in (await live.reconcile()).blocks
    live.account.refusing = set()
    found = await written(live, {"BTC": D("0.04")})
    assert found.blocks == ""
    assert live.position.quantity == Quantity("0.0599")
    live.must_be_protected()
    must_agree(live)


async def test_a_wish_that_comes_again_finds_it_done(live: LiveRoom) -> None:
    take(live, BTC=D("0.04"))
    await written(live, {"BTC": D("0.04")})
    again = await written(live, {"BTC": D("0.04")})
    assert again.written_off == {"BTC": D("0.04")}
    assert live.position.quantity == Quantity("0.0599")


async def test_an_attempt_that_dies_anywhere_is_finished_by_the_next() -> None:
    """Before each call of a port in turn."""
    for calls in range(80):
        live = LiveRoom()
        await live.hold()
        take(live, BTC=OTHERS + D("0.04"))
        attempt = Attempt(lambda ports: write_off(ports, wish({"BTC": D("0.04")})), live.ports)
        for _ in range(calls):
            if not attempt.is_over:
                attempt.go()
        if attempt.is_over:
            assert calls > 20
            return
        attempt.die()
        live.now_ms += LATER_MS
        assert (await written(live, {"BTC": D("0.04")})).blocks == ""
        live.must_be_protected()
        must_agree(live)
    raise AssertionError("it never came to its end")


@pytest.mark.parametrize("losses", [{"BTC": D("0.03")}, {"BTC": D("0.05")}, {"USDT": D(1)}])
async def test_what_is_not_what_is_missing_is_refused(
    live: LiveRoom, losses: dict[str, Decimal]
) -> None:
    take(live, BTC=D("0.04"))
    with pytest.raises(Conflict):
        await written(live, losses)
    assert live.position.quantity == Quantity("0.0999")


async def test_where_the_account_has_all_that_is_claimed_it_is_refused(live: LiveRoom) -> None:
    with pytest.raises(Conflict, match="has all that its bots claim"):
        await written(live, {"BTC": D("0.04")})


async def test_a_bot_on_paper_has_nothing_to_write_off(room: Room) -> None:
    await room.bot()
    with pytest.raises(InputError, match="trades on paper"):
        await write_off(room.ports, wish({"USDT": D(1)}))


async def test_while_an_order_of_the_account_is_at_the_exchange_it_is_refused(
    live: LiveRoom,
) -> None:
    await live.room.bot("b2", mode=Mode.LIVE, capital="1")
    other = entry("b2", symbol=ETH, expires_ms=live.now_ms + 1, limit_price=Price(3_010))
    live.store.orders_by_id[other.id] = other
    await live.store.claim(other.id, live.now_ms, live.now_ms)
    take(live, BTC=D("0.04"))
    with pytest.raises(Conflict, match=f"an order for {ETH} is at the exchange"):
        await written(live, {"BTC": D("0.04")})


async def test_an_exit_that_nobody_has_sent_comes_to_its_end_first(live: LiveRoom) -> None:
    take(live, BTC=D("0.04"))
    order = live.leaving()
    found = await written(live, {"BTC": D("0.04")})
    assert (await live.store.order(order.id)).state is OrderState.REFUSED
    assert found.written_off == {"BTC": D("0.04")}
    assert found.blocks == ""


async def test_while_an_order_is_unknown_it_is_refused(live: LiveRoom) -> None:
    take(live, BTC=D("0.04"))
    order = entry(BOT, 2, symbol=ETH, expires_ms=live.now_ms + 1, limit_price=Price(3_010))
    live.store.orders_by_id[order.id] = order
    await live.store.claim(order.id, live.now_ms, live.now_ms + 10_000)
    with pytest.raises(Conflict, match="not everything is known yet"):
        await written(live, {"BTC": D("0.04")})


async def test_while_nobody_knows_of_a_stop_it_is_refused(live: LiveRoom) -> None:
    take(live, BTC=D("0.04"))
    attempt = Attempt(lambda ports: write_off(ports, wish({"BTC": D("0.04")})), live.ports)
    attempt.until("see_stop").fate = Fate.LOST_BEFORE
    with pytest.raises(Conflict, match="not everything is known yet"):
        attempt.finish()


async def test_what_was_traded_and_the_books_do_not_take_is_no_loss_yet(live: LiveRoom) -> None:
    await live.buy_twice()
    take(live, USDT=live.account.balances_by_currency["USDT"])
    with pytest.raises(Conflict, match=BROKEN):
        await written(live, {"USDT": D(1)})


async def test_what_is_sold_while_the_account_is_looked_at_is_no_loss(live: LiveRoom) -> None:
    take(live, BTC=D("0.0499"))
    attempt = Attempt(lambda ports: write_off(ports, wish({"BTC": D("0.0499")})), live.ports)
    attempt.until("write_off")
    order = live.leaving(D("0.5"))
    await live.execute(order.id)
    assert (await live.store.order(order.id)).state is OrderState.FILLED
    with pytest.raises(Conflict):
        attempt.finish()
    assert live.position.quantity == Quantity("0.05")


async def test_a_stop_that_sells_meanwhile_is_booked_and_is_no_loss(live: LiveRoom) -> None:
    attempt = Attempt(lambda ports: write_off(ports, wish({"BTC": D("0.0999")})), live.ports)
    attempt.until("balances")
    live.trigger()
    with pytest.raises(Conflict, match="the stop of BTC is no longer seen at rest"):
        attempt.finish()
    assert (await live.reconcile()).blocks == ""
    must_agree(live)
    assert live.store.filled(Purpose.STOP)


async def test_while_the_account_is_silent_nothing_is_written_off(live: LiveRoom) -> None:
    take(live, BTC=D("0.04"))
    live.account.trouble = VenueUnavailable("OKX is away.")
    with pytest.raises(VenueUnavailable):
        await written(live, {"BTC": D("0.04")})
    assert live.store.wishes == {}


async def test_of_several_bots_that_claim_a_coin_only_the_named_one_is_written_down(
    live: LiveRoom,
) -> None:
    await live.room.bot("b2", mode=Mode.LIVE, capital="500")
    live.account.balances_by_currency["USDT"] += 500
    take(live, USDT=live.account.balances_by_currency["USDT"])
    cash = live.store.cash[BOT]
    found = await live.reconcile()
    assert found.losses == {"USDT": cash.number}
    found = await written(live, found.losses)
    assert (live.store.cash[BOT], live.store.cash["b2"]) == (Notional(0), Notional(500))
    assert "500 USDT are missing" in found.blocks
