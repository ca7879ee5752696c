"""A live position's stop against the simulated OKX: proven, replaced, triggered, taken back."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from oxbot.adapters.okx.stops import GRACE_MS
from oxbot.app.protected import About, close, keep_protected
from oxbot.app.reconciliation import reconcile_bot
from oxbot.domain.errors import OutcomeUnknown, VenueUnavailable
from oxbot.domain.money import Quantity
from oxbot.domain.orders import FENCE_MS, Purpose
from oxbot.domain.portfolio import Position
from oxbot.domain.resting import StopState, attached_id
from oxbot.messages import Protect, ProtectPosition, ProtectReport, Reconcile, Reconciliation
from tests.support.live_trader import CAPITAL, ID, Trader, live_trader
from tests.support.simulated_account import PAIR, SYMBOL
from tests.unit.app.room import BOT

pytestmark = pytest.mark.critical

ABOUT = About(BOT, 1, 1, 1)
RECONCILE = Reconcile(bot_id=BOT, incarnation=1, cycle=1, epoch=1)
LATER_MS = FENCE_MS + GRACE_MS + 1
ALIVE = "live"


@pytest.fixture
async def trader() -> AsyncIterator[Trader]:
    async with live_trader() as found:
        yield found


async def held(trader: Trader) -> Position:
    return (await trader.room.store.portfolio(BOT)).positions[SYMBOL]


async def alive(trader: Trader) -> list[dict[str, Any]]:
    """The stops that are alive at the venue."""
    algos = (await trader.simulator.control("accounts/key1"))["algos"]
    return [algo for algo in algos if algo["state"] == ALIVE]


async def must_be_protected(trader: Trader) -> None:
    """One stop, of all that is held, where the position says."""
    position = await held(trader)
    [stop] = await alive(trader)
    [instrument] = (await trader.ports.feed.instruments([SYMBOL])).values()
    assert Decimal(stop["sz"]) == instrument.whole_lots(position.quantity).number
    assert Decimal(stop["slTriggerPx"]) == instrument.round_price_down(position.stop_price).number
    assert Decimal(stop["tpTriggerPx"]) == instrument.round_price_up(position.target_price).number
    [row] = await trader.room.store.resting_stops(BOT)
    assert (row.id, row.state) == (stop["algoClOrdId"], StopState.RESTING)


async def proven(trader: Trader) -> int:
    """Prove the stop as Temporal does, again and again; gives how often nobody knew."""
    unknown = 0
    for _ in range(9):
        try:
            await keep_protected(trader.ports, ABOUT, SYMBOL)
        except (OutcomeUnknown, VenueUnavailable):
            unknown += 1
            trader.simulator.advance(LATER_MS)
        else:
            return unknown
    raise AssertionError("the stop was never proven")


async def closed(trader: Trader, purpose: Purpose, **more: object) -> ProtectReport:
    """Close the position as the watch or a person has it closed, until that is done."""
    position = await held(trader)
    call = {
        "symbol": SYMBOL,
        "opened_ms": position.opened_ms,
        "version": position.version,
        "purpose": purpose,
        "crossed_ms": trader.simulator.venue.clock.now(),
        "seen_wall_ms": 0,
    }
    request = ProtectPosition(
        bot_id=BOT,
        incarnation=1,
        cycle=1,
        epoch=1,
        protect=Protect.model_validate(call | more),
    )
    for _ in range(9):
        try:
            return await close(trader.ports, request)
        except (OutcomeUnknown, VenueUnavailable):
            trader.simulator.advance(LATER_MS)
    raise AssertionError("the position was never closed")


async def fall(trader: Trader, fraction: str) -> None:
    """Let the venue go on until the last price has fallen so far, or risen where negative."""
    begun = trader.simulator.last
    goal = begun * (1 - Decimal(fraction))
    falls = goal < begun
    for _ in range(20_000):
        if (trader.simulator.last <= goal) if falls else (trader.simulator.last >= goal):
            return
        trader.simulator.advance(60_000)
    raise AssertionError("the market never went there")


async def reconciled(trader: Trader) -> Reconciliation:
    return await reconcile_bot(trader.ports, RECONCILE)


async def by_hand(trader: Trader, **order: str) -> None:
    """Have a person trade at market."""
    plain = {"instId": PAIR, "tdMode": "cash", "ordType": "market", "tgtCcy": "base_ccy"}
    await trader.simulator.okx.private_post_trade_batch_orders(
        [{**plain, "clOrdId": "byhand1", **order}]
    )


async def test_an_entry_brings_its_stop_which_is_moved_to_the_average_fill(
    trader: Trader,
) -> None:
    await trader.end(await trader.order())
    await must_be_protected(trader)
    kinds = await trader.kinds()
    assert (kinds.count("algo"), kinds.count("algo_amended")) == (1, 1)


async def test_a_partly_filled_entry_has_a_stop_of_what_was_filled(trader: Trader) -> None:
    trader.simulator.fault(endpoint="trade/batch-orders", count=1, kind="partial", share="0.5")
    await trader.end(await trader.order())
    await must_be_protected(trader)
    assert (await held(trader)).quantity < Quantity("0.00501")


async def test_a_stop_that_was_refused_after_the_entry_is_placed_again(trader: Trader) -> None:
    trader.simulator.fault(endpoint="trade/batch-orders", count=1, kind="stop_rejected")
    await trader.end(await trader.order())
    await must_be_protected(trader)
    [row] = await trader.room.store.resting_stops(BOT)
    assert row.number == 2


async def test_a_stop_that_was_refused_with_its_entry_is_replaced_without_waiting(
    trader: Trader,
) -> None:
    trader.simulator.fault(endpoint="trade/batch-orders", count=1, kind="stop_rejected")
    assert await trader.end(await trader.order()) == 0
    [row] = await trader.room.store.known_stops([attached_id(ID)])
    assert "51280" in row.reason
    await must_be_protected(trader)


async def test_a_position_that_can_have_no_stop_is_sold(trader: Trader) -> None:
    trader.simulator.fault(endpoint="trade/batch-orders", count=1, kind="stop_rejected")
    trader.simulator.fault(
        endpoint="trade/order-algo", method="POST", kind="code", code="51000", when="before"
    )
    await trader.end(await trader.order())
    assert (await trader.room.store.portfolio(BOT)).positions == {}
    [sold] = trader.room.store.filled(Purpose.STOP)
    assert "takes none" in sold.reason
    await trader.must_agree()


@pytest.mark.parametrize(
    ("fraction", "purpose"), [("0.035", Purpose.STOP), ("-0.015", Purpose.TARGET)]
)
async def test_what_the_exchange_has_sold_is_booked_as_stop_or_target(
    trader: Trader, fraction: str, purpose: Purpose
) -> None:
    entry = await trader.order(stop=Decimal("0.03"), target=Decimal("0.07"))
    if purpose is Purpose.TARGET:
        entry = await trader.order(stop=Decimal("0.5"), target=Decimal("0.01"))
    await trader.end(entry)
    await fall(trader, fraction)
    found = await reconciled(trader)
    assert [order.purpose for order in found.exits] == [purpose]
    assert found.blocks == ""
    assert (await trader.room.store.portfolio(BOT)).positions == {}
    [sold] = trader.room.store.filled(purpose)
    assert sold.id == attached_id(ID)
    assert sold.id in trader.room.store.orders_told
    await trader.must_agree()


@pytest.mark.parametrize("purpose", [Purpose.HOLD, Purpose.FLATTEN, Purpose.TRAIL])
async def test_whatever_else_sells_takes_the_stop_back_first(
    trader: Trader, purpose: Purpose
) -> None:
    await trader.end(await trader.order())
    report = await closed(trader, purpose)
    assert report.state == "closed"
    events = [event["event"] for event in await trader.simulator.happened()]
    assert events.index("algo_canceled") < len(events) - 1 - events[::-1].index("fill")
    assert await alive(trader) == []
    await trader.must_agree()


async def test_a_crossing_that_is_told_when_the_stop_has_sold_sells_nothing_more(
    trader: Trader,
) -> None:
    await trader.end(await trader.order())
    await fall(trader, "0.035")
    report = await closed(trader, Purpose.STOP, price="1")
    assert report.state == "closed"
    assert report.order_ids == (attached_id(ID),)
    assert (await trader.kinds()).count("order") == 2
    await trader.must_agree()


async def test_candles_sell_nothing_while_the_stop_rests(trader: Trader) -> None:
    await trader.end(await trader.order())
    report = await closed(trader, Purpose.STOP, price="1", resting="1")
    assert report.state == "stale"
    await must_be_protected(trader)


async def test_a_stop_that_a_person_has_cancelled_is_placed_again(trader: Trader) -> None:
    await trader.end(await trader.order())
    [stop] = await alive(trader)
    await trader.simulator.okx.private_post_trade_cancel_algos(
        [{"instId": PAIR, "algoId": stop["algoId"]}]
    )
    assert (await reconciled(trader)).proven == (SYMBOL,)
    await must_be_protected(trader)


async def test_a_stop_that_is_over_on_record_and_alive_is_cancelled(trader: Trader) -> None:
    await trader.end(await trader.order())
    await trader.room.store.note_stop(attached_id(ID), StopState.ENDED, "so it was thought")
    found = await reconciled(trader)
    assert found.ghosts == (attached_id(ID),)
    await must_be_protected(trader)


async def test_coins_that_are_missing_block_entries_and_are_told_in_figures(
    trader: Trader,
) -> None:
    await trader.end(await trader.order())
    position = await held(trader)
    await by_hand(trader, side="sell", sz="0.004")
    found = await reconciled(trader)
    has = position.quantity - Quantity("0.004")
    assert found.differs == (
        f"the account has {has} BTC, and live bots hold {position.quantity}: 0.004 BTC are missing",
    )
    assert ("account_differs", found.differs[0]) in trader.room.store.differences


async def test_an_execution_that_was_missed_is_booked(trader: Trader) -> None:
    order = await trader.order()
    await trader.end(order)
    store = trader.room.store
    store.booked, store.cash[BOT] = {}, CAPITAL
    store._positions.clear()
    found = await reconciled(trader)
    assert [outcome.order_id for outcome in found.booked] == [ID]
    await trader.must_agree()


ON_THE_WAY = ("timeout", "reset", "html", "empty", "http_502", "nulls", "truncated")
WAYS = [(kind, when) for kind in ON_THE_WAY[:5] for when in ("before", "after")]
WAYS += [("truncated", "after"), ("nulls", "")]
"""How a request or its answer can be lost; nulls come with an answer."""


@pytest.mark.parametrize(("kind", "when"), WAYS)
@pytest.mark.parametrize("endpoint", ["trade/amend-algos", "trade/cancel-algos"])
async def test_whatever_goes_wrong_with_changing_a_stop_there_is_one_or_none(
    trader: Trader, endpoint: str, kind: str, when: str
) -> None:
    way = {"kind": kind, **({"when": when} if when else {})}
    trader.simulator.fault(endpoint=endpoint, count=2, **way)
    await trader.end(await trader.order())
    await must_be_protected(trader)
    assert (await closed(trader, Purpose.FLATTEN)).state == "closed"
    assert await alive(trader) == []
    await trader.must_agree()


@pytest.mark.parametrize(("kind", "when"), WAYS)
async def test_whatever_goes_wrong_with_placing_a_stop_there_is_one_in_the_end(
    trader: Trader, kind: str, when: str
) -> None:
    trader.simulator.fault(endpoint="trade/batch-orders", count=1, kind="stop_rejected")
    way = {"kind": kind, **({"when": when} if when else {})}
    trader.simulator.fault(endpoint="trade/order-algo", method="POST", count=2, **way)
    await trader.end(await trader.order())
    await proven(trader)
    await must_be_protected(trader)
    await trader.must_agree()


@pytest.mark.parametrize("kind", ON_THE_WAY)
async def test_whatever_goes_wrong_with_seeing_a_stop_it_is_seen_in_the_end(
    trader: Trader, kind: str
) -> None:
    trader.simulator.fault(endpoint="trade/order-algo", method="GET", count=2, kind=kind)
    await trader.end(await trader.order())
    await must_be_protected(trader)


async def test_a_stop_is_not_taken_once_its_fence_has_passed(trader: Trader) -> None:
    await trader.end(await trader.order())
    [row] = await trader.room.store.resting_stops(BOT)
    late = row.model_copy(update={"id": "g" + "z" * 31, "fence_ms": row.fence_ms + 1})
    trader.simulator.advance(60_000)
    with pytest.raises(VenueUnavailable):
        await trader.ports.account.place_stop(late)
    assert len(await alive(trader)) == 1


async def test_a_stop_is_absent_only_after_its_fence_and_a_while_more(trader: Trader) -> None:
    await trader.end(await trader.order())
    [row] = await trader.room.store.resting_stops(BOT)
    now_ms = trader.simulator.venue.clock.now()
    changes = {"id": "g" + "y" * 31, "fence_ms": now_ms, "state": StopState.SENT}
    other = row.model_copy(update=changes)
    with pytest.raises(OutcomeUnknown):
        await trader.ports.account.see_stop(other)
    trader.simulator.advance(GRACE_MS + 1)
    assert (await trader.ports.account.see_stop(other)).state == "absent"


async def test_a_sale_that_the_exchange_refuses_leaves_the_position_with_a_stop(
    trader: Trader,
) -> None:
    await trader.end(await trader.order())
    trader.simulator.fault(
        endpoint="trade/batch-orders", count=1, kind="code", code="51000", when="before"
    )
    report = await closed(trader, Purpose.FLATTEN)
    assert report.state == "open"
    await must_be_protected(trader)


async def test_a_stop_that_okx_sized_before_the_fee_and_triggered_at_once_is_booked_and_told() -> (
    None
):
    """The entry's answer was lost, and its stop sold coins of others besides the bot's."""
    async with live_trader(others={"BTC": "0.5"}) as trader:
        order = await trader.order(stop=Decimal("0.03"))
        now = await trader.clock.reading()
        fence_ms = now.venue_ms + FENCE_MS
        assert await trader.room.store.claim(order.id, now.venue_ms, fence_ms)
        await trader.ports.account.place(order.model_copy(update={"fence_ms": fence_ms}), now)
        await trader.simulator.okx.private_post_trade_amend_algos(
            {"instId": PAIR, "algoClOrdId": attached_id(ID), "newSz": "0.01"}
        )
        await fall(trader, "0.035")
        found = await reconciled(trader)
        assert [sold.purpose for sold in found.exits] == [Purpose.STOP]
        assert found.blocks == ""
        beyond = trader.room.store.sold_beyond[attached_id(ID)]
        assert beyond.quantity == Quantity("0.00001")
        books, has = await trader.room.store.portfolio(BOT), await trader.simulator.balances()
        assert (books.positions, has["BTC"]) == ({}, Decimal("0.5") - beyond.quantity.number)
        assert has["USDT"] == (books.cash + beyond.proceeds).number


async def test_a_stop_that_is_over_on_record_and_was_triggered_is_booked(trader: Trader) -> None:
    await trader.end(await trader.order(stop=Decimal("0.03")))
    await trader.room.store.note_stop(attached_id(ID), StopState.ENDED, "so it was thought")
    await fall(trader, "0.035")
    found = await reconciled(trader)
    assert [order.order_id for order in found.exits] == [attached_id(ID)]
    assert found.blocks == ""
    await trader.must_agree()


async def test_stops_are_told_as_triggered_from_a_time_on(trader: Trader) -> None:
    await trader.end(await trader.order(stop=Decimal("0.03")))
    account, clock = trader.ports.account, trader.simulator.venue.clock
    assert await account.triggered_stops(0) == frozenset()
    before = clock.now()
    await fall(trader, "0.035")
    assert await account.triggered_stops(before) == {attached_id(ID)}
    assert await account.triggered_stops(clock.now() + 1) == frozenset()
