"""Live orders against the simulated OKX: what it has and what is booked agree."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from oxbot.adapters.okx.asked import PAGE
from oxbot.adapters.okx.stops import GRACE_MS
from oxbot.domain.errors import OutcomeUnknown
from oxbot.domain.money import Notional, Quantity
from oxbot.domain.orders import FENCE_MS, OrderState
from tests.support.live_trader import ID, Trader, live_trader
from tests.support.simulated_account import SYMBOL
from tests.unit.app.room import BOT

pytestmark = pytest.mark.critical


@pytest.fixture
async def trader() -> AsyncIterator[Trader]:
    async with live_trader() as found:
        yield found


async def test_an_entry_and_its_exit_leave_the_record_and_the_account_alike(
    trader: Trader,
) -> None:
    entry = await trader.order()
    assert await trader.end(entry) == 0
    assert trader.room.store.orders_by_id[ID].state is OrderState.FILLED
    await trader.must_agree()
    held = (await trader.room.store.portfolio(BOT)).positions[SYMBOL]
    sold = await trader.leaving("0.00999")
    assert held.quantity >= sold.quantity
    assert await trader.end(sold) == 0
    await trader.must_agree()
    assert (await trader.room.store.portfolio(BOT)).positions == {}


ON_THE_WAY = ("timeout", "reset", "html", "empty", "http_502", "http_429")
FAULTS: dict[str, dict[str, object]] = {
    **{
        f"{kind} {when}": {"kind": kind, "when": when}
        for kind in ON_THE_WAY
        for when in ("before", "after")
    },
    "truncated": {"kind": "truncated"},
    "nulls": {"kind": "nulls"},
    "busy before": {"kind": "code", "code": "50013", "when": "before"},
    "busy after": {"kind": "code", "code": "50013", "when": "after"},
    "acknowledged as a duplicate": {"kind": "duplicate_ack"},
    "seen late": {"kind": "delayed_visibility", "hidden_ms": GRACE_MS // 2},
    "maintenance": {"kind": "maintenance"},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_whatever_goes_wrong_with_an_entry_it_is_taken_once_and_booked_as_it_was_filled(
    trader: Trader, fault: dict[str, object]
) -> None:
    trader.simulator.fault(endpoint="trade/batch-orders", count=1, **fault)
    await trader.end(await trader.order())
    assert (await trader.kinds()).count("order") == 1
    assert trader.room.store.orders_by_id[ID].state is OrderState.FILLED
    await trader.must_agree()


@pytest.mark.parametrize("endpoint", ["trade/order", "trade/fills-history"])
@pytest.mark.parametrize("kind", ["timeout", "reset", "truncated", "html", "empty", "nulls"])
async def test_whatever_goes_wrong_with_looking_it_is_looked_again(
    trader: Trader, endpoint: str, kind: str
) -> None:
    trader.simulator.fault(endpoint=endpoint, count=2, kind=kind)
    assert await trader.end(await trader.order()) > 0
    assert (await trader.kinds()).count("order") == 1
    await trader.must_agree()


@pytest.mark.parametrize("readings", range(12))
async def test_whenever_the_venues_time_is_lost_an_exit_is_taken_once(readings: int) -> None:
    """Requests are signed with that time: what cannot be asked after sending is unknown.

    The account has coins of others on top, which a second sale would take.
    """
    async with live_trader(others={"BTC": "0.5"}) as trader:
        await trader.end(await trader.order())
        leaving = await trader.leaving("0.00999")
        trader.clock.readings_left = readings
        await trader.end(leaving)
        assert (await trader.kinds()).count("order") == 2
        assert (await trader.simulator.balances())["BTC"] >= Decimal("0.5")


async def test_an_order_of_more_fills_than_a_page_has_is_booked_whole() -> None:
    async with live_trader(Notional(10**8)) as trader:
        await trader.end(await trader.order(quantity=Quantity(60)))
        assert len(trader.room.store.booked) > PAGE
        assert (await trader.kinds()).count("order") == 1
        await trader.must_agree()


async def test_a_request_that_arrives_after_its_fence_does_nothing(trader: Trader) -> None:
    """A first attempt that was held up sends when a second has looked, and finds it too late."""
    order = await trader.order()
    now = await trader.ports.clock.reading()
    late = order.model_copy(update={"fence_ms": now.venue_ms + FENCE_MS})
    trader.simulator.advance(FENCE_MS + GRACE_MS + 1)
    assert await trader.ports.account.look_up(late) is None
    with pytest.raises(OutcomeUnknown):
        await trader.ports.account.place(late, now)
    assert "order" not in await trader.kinds()
    await trader.end(order)
    assert (await trader.kinds()).count("order") == 1
    await trader.must_agree()


async def test_an_entry_that_is_filled_in_part_is_booked_in_part(trader: Trader) -> None:
    trader.simulator.fault(endpoint="trade/batch-orders", count=1, kind="partial", share="0.5")
    await trader.end(await trader.order())
    order = trader.room.store.orders_by_id[ID]
    assert order.state is OrderState.FILLED
    assert "partly filled" in order.reason
    await trader.must_agree()
