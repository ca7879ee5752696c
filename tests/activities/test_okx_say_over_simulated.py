"""What the simulated OKX shows nowhere is ended at a person's word, and the coin is held again."""

from collections.abc import AsyncIterator

import pytest

from oxbot.app.say_over import WAIT_MS, say_over
from oxbot.domain.errors import Conflict
from oxbot.domain.orders import FENCE_MS, Order, OrderState
from oxbot.domain.resting import StopState
from oxbot.messages import Reconciliation, SayOver, SayOverRequest
from tests.activities.test_okx_stops_simulated import (
    RECONCILE,
    held,
    must_be_protected,
    reconciled,
)
from tests.support.live_trader import Trader, live_trader
from tests.unit.app.room import BOT

pytestmark = pytest.mark.critical


@pytest.fixture
async def trader() -> AsyncIterator[Trader]:
    """A live bot that holds 0.00999 BTC under its stop, in an account that has no more."""
    async with live_trader() as found:
        await found.end(await found.order())
        yield found


async def said_over(trader: Trader, known_id: str) -> Reconciliation:
    wish = SayOverRequest(order_id=known_id, by="a person")
    return await say_over(trader.ports, SayOver(reconcile=RECONCILE, wish=wish))


async def lost_exit(trader: Trader) -> Order:
    """An exit that OKX has acknowledged, and has never had; its stop was taken back for it."""
    store, now_ms = trader.room.store, trader.simulator.venue.clock.now()
    order, [stop] = await trader.leaving("0.005"), await store.resting_stops(BOT)
    await trader.ports.account.cancel_stop(stop)
    await store.note_stop(stop.id, StopState.ENDED)
    assert await store.claim(order.id, now_ms, now_ms + FENCE_MS)
    await store.note_taken(await store.order(order.id))
    return await store.order(order.id)


async def test_an_exit_that_okx_acknowledged_and_never_shows(trader: Trader) -> None:
    before = (await held(trader)).quantity
    order = await lost_exit(trader)
    trader.simulator.advance(FENCE_MS + WAIT_MS - 60_000)
    assert order.id in (await reconciled(trader)).blocks
    with pytest.raises(Conflict, match="may only be late"):
        await said_over(trader, order.id)
    trader.simulator.advance(60_001)
    found = await said_over(trader, order.id)
    assert (found.blocks, found.said_over) == ("", (order.id,))
    assert (await trader.room.store.order(order.id)).state is OrderState.CANCELLED
    assert (await held(trader)).quantity == before
    await must_be_protected(trader)
    await trader.must_agree()


async def test_a_stop_that_okx_has_neither_alive_nor_in_its_history(trader: Trader) -> None:
    store, [stop] = trader.room.store, await trader.room.store.resting_stops(BOT)
    await trader.ports.account.cancel_stop(stop)
    gone = stop.model_copy(update={"id": "g" + "z" * 31, "state": StopState.RESTING})
    store.stops_by_id = {gone.id: gone}
    trader.simulator.advance(FENCE_MS + WAIT_MS + 1)
    told = (await reconciled(trader)).blocks
    assert "neither there nor among ended" in told
    assert gone.id in told
    found = await said_over(trader, gone.id)
    assert (found.blocks, found.said_over) == ("", (gone.id,))
    await must_be_protected(trader)
    await trader.must_agree()
