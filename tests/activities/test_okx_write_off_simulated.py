"""What a person took from the simulated OKX is written off: books and account agree."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from oxbot.app.write_off import write_off
from oxbot.domain.errors import Conflict
from oxbot.domain.money import Quantity
from oxbot.domain.orders import Purpose
from oxbot.messages import Reconciliation, WriteOffMissing, WriteOffRequest
from tests.activities.test_okx_stops_simulated import (
    RECONCILE,
    alive,
    by_hand,
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


async def written_off(trader: Trader) -> Reconciliation:
    """Confirm what a reconciliation says could be written off."""
    found = await reconciled(trader)
    wish = WriteOffRequest(id="w1", by="a person", losses=found.losses)
    return await write_off(trader.ports, WriteOffMissing(reconcile=RECONCILE, wish=wish))


async def must_agree_but_for_proceeds(trader: Trader) -> None:
    """What a person sold the coins for is in the account, and nobody's."""
    has = await trader.simulator.balances()
    owned = (await trader.room.store.portfolio(BOT)).owned()
    assert has["BTC"] == owned.get("BTC", Decimal(0))
    assert has["USDT"] >= owned["USDT"]


async def test_coins_that_a_person_has_sold_leave_the_books_and_the_stop_is_resized(
    trader: Trader,
) -> None:
    before = (await held(trader)).quantity
    await by_hand(trader, side="sell", sz="0.004")
    assert (await reconciled(trader)).blocks
    found = await written_off(trader)
    assert (found.blocks, found.written_off) == ("", {"BTC": Decimal("0.004")})
    assert (await held(trader)).quantity == before - Quantity("0.004")
    await must_be_protected(trader)
    await must_agree_but_for_proceeds(trader)


async def test_where_all_coins_are_gone_the_stop_is_cancelled(trader: Trader) -> None:
    await by_hand(trader, side="sell", sz=str((await held(trader)).quantity))
    found = await written_off(trader)
    assert found.blocks == ""
    assert await alive(trader) == []
    assert (await trader.room.store.portfolio(BOT)).positions == {}
    await must_agree_but_for_proceeds(trader)


async def test_where_a_person_has_cancelled_the_stop_as_well_what_is_left_gets_a_new_one(
    trader: Trader,
) -> None:
    [stop] = await alive(trader)
    await trader.simulator.okx.private_post_trade_cancel_algos(
        [{"instId": "BTC-USDT", "algoId": stop["algoId"]}]
    )
    await by_hand(trader, side="sell", sz="0.004")
    found = await written_off(trader)
    assert found.blocks == ""
    await must_be_protected(trader)
    assert trader.room.store.filled(Purpose.STOP) == []


async def test_usdt_that_a_person_has_spent_leaves_the_cash(trader: Trader) -> None:
    cash = (await trader.room.store.portfolio(BOT)).cash
    await by_hand(trader, instId="ETH-USDT", side="buy", sz="1")
    spent = cash.number - (await trader.simulator.balances())["USDT"]
    found = await written_off(trader)
    assert (found.blocks, found.written_off) == ("", {"USDT": spent})
    await trader.must_agree()
    await must_be_protected(trader)


async def test_while_nobody_can_see_the_stop_nothing_is_written_off(trader: Trader) -> None:
    await by_hand(trader, side="sell", sz="0.001")
    found = await reconciled(trader)
    trader.simulator.fault(endpoint="trade/order-algo", method="GET", kind="timeout", count=20)
    wish = WriteOffRequest(id="w1", by="a person", losses=found.losses)
    with pytest.raises(Conflict, match="not everything is known yet"):
        await write_off(trader.ports, WriteOffMissing(reconcile=RECONCILE, wish=wish))
    assert trader.room.store.wishes == {}
