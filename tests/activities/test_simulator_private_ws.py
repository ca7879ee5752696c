"""The real ccxt.pro client hears of its orders at the simulated OKX."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ccxt.pro as ccxt
import pytest

from tests.support.simulated_account import (
    SYMBOL,
    TICK,
    Simulated,
    account,
    simulated,
)

HOUR_MS = 3_600_000
SILENCE_S = 0.3
"""How long a client waits to be sure that nothing comes."""


@dataclass
class Watching:
    """A simulator, and a client that watches."""

    simulator: Simulated
    pro: ccxt.okx

    async def buy(self, price: Decimal, how: str = "IOC", **more: object) -> str:
        params = {"timeInForce": how, **more}
        okx = self.simulator.okx
        order = await okx.create_order(SYMBOL, "limit", "buy", 0.01, float(price), params)
        return str(order["id"])

    async def begun(self, watch: Awaitable[Any], *topics: str) -> "asyncio.Future[Any]":
        """A watch that the server knows of."""
        watching = asyncio.ensure_future(watch)
        hub = self.simulator.hub
        for _ in range(500):
            known = [arg["channel"] for args in hub._wanted.values() for arg in args]
            if set(topics) <= set(known):
                return watching
            await asyncio.sleep(0.01)
        raise TimeoutError


def pro_client(simulator: Simulated) -> ccxt.okx:
    """ccxt.pro with the account's key, its clock the venue's."""
    login = account()
    url = simulator.url
    pro = ccxt.okx(
        {
            "apiKey": login["key"],
            "secret": login["secret"],
            "password": login["passphrase"],
            "urls": {"api": {"rest": url, "ws": f"ws{url[4:]}/ws/v5"}},
            "options": {"fetchMarkets": {"types": ["spot"]}},
            "enableRateLimit": False,
            "newUpdates": True,
        }
    )
    pro.nonce = simulator.venue.clock.now
    pro.seconds = lambda: simulator.venue.clock.now() // 1000
    return pro


@pytest.fixture
async def watching() -> AsyncIterator[Watching]:
    async with simulated() as simulator:
        pro = pro_client(simulator)
        await pro.load_markets()
        yield Watching(simulator, pro)
        await pro.close()


async def test_an_order_is_pushed_as_it_is_taken_and_filled(watching: Watching) -> None:
    simulator, pro = watching.simulator, watching.pro
    first = await watching.begun(pro.watch_orders(SYMBOL), "orders")
    placed = await watching.buy(simulator.last + TICK)
    assert [order["id"] for order in await first] == [placed]
    await until_state(pro, placed, "closed")
    fetched = await simulator.okx.fetch_order(placed, SYMBOL)
    (pushed,) = [order for order in pro.orders if order["id"] == placed]
    for field in ("status", "filled", "average", "fee", "side", "amount", "clientOrderId"):
        assert pushed[field] == fetched[field]


async def test_each_fill_is_pushed_as_a_trade(watching: Watching) -> None:
    simulator, pro = watching.simulator, watching.pro
    first = await watching.begun(pro.watch_my_trades(SYMBOL), "orders")
    placed = await watching.buy(simulator.last + TICK)
    (trade,) = await first
    (fetched,) = await simulator.okx.fetch_my_trades(SYMBOL)
    assert trade["order"] == placed
    for field in ("id", "price", "amount", "timestamp", "takerOrMaker", "side"):
        assert trade[field] == fetched[field]


async def test_balances_are_told_at_once_and_whenever_they_change(watching: Watching) -> None:
    simulator, pro = watching.simulator, watching.pro
    first = await pro.watch_balance()
    assert first["USDT"]["total"] == 10_000
    second = asyncio.ensure_future(pro.watch_balance())
    await asyncio.sleep(0)
    await watching.buy(Decimal(50_000), "GTC")
    assert (await second)["USDT"] == {"free": 9500, "used": 500, "total": 10_000}
    third = asyncio.ensure_future(pro.watch_balance())
    await asyncio.sleep(0)
    await watching.buy(simulator.last + TICK)
    assert (await third)["BTC"] == (await simulator.okx.fetch_balance())["BTC"]


async def test_a_stop_is_pushed_as_it_is_armed_and_when_a_step_triggers_it(
    watching: Watching,
) -> None:
    simulator, pro = watching.simulator, watching.pro
    params = {"trigger": True, "type": "spot"}
    first = await watching.begun(pro.watch_orders(SYMBOL, params=params), "orders-algo")
    await watching.buy(simulator.last + TICK, stopLoss={"triggerPrice": float(simulator.last - 50)})
    (armed,) = await first
    assert (armed["status"], armed["amount"]) == ("open", 0.00999)
    second = asyncio.ensure_future(pro.watch_orders(SYMBOL, params=params))
    await asyncio.sleep(0)
    simulator.advance(100 * HOUR_MS)
    (triggered,) = await second
    assert triggered["info"]["state"] == "effective"
    fetched = await simulator.okx.fetch_order(armed["id"], SYMBOL, {"trigger": True})
    assert triggered["info"]["ordId"] == fetched["info"]["ordId"]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("apiKey", "nobody", "60005"),
        ("password", "wrong", "60024"),
        ("secret", "wrong", "60007"),
        ("seconds", lambda: 1, "60006"),
        ("seconds", lambda: "soon", "60004"),
    ],
)
async def test_a_login_that_is_not_believed_is_refused(
    watching: Watching, field: str, value: object, code: str
) -> None:
    setattr(watching.pro, field, value)
    with pytest.raises((ccxt.AuthenticationError, ccxt.InvalidNonce), match=code):
        await watching.pro.watch_orders(SYMBOL)


async def test_without_a_login_nothing_is_told(watching: Watching) -> None:
    pro = watching.pro
    url = pro.get_url("orders", "private")
    request = {"op": "subscribe", "args": [{"channel": "orders", "instType": "ANY"}]}
    with pytest.raises(ccxt.AuthenticationError, match="60011"):
        await pro.watch(url, "orders", request, "orders")


async def test_what_does_not_exist_is_refused(watching: Watching) -> None:
    pro = watching.pro
    await pro.authenticate()
    with pytest.raises(ccxt.BadRequest, match="60018"):
        await pro.watch_orders(None, params={"type": "OPTION"})


async def test_nobody_hears_of_another_account(watching: Watching) -> None:
    simulator, pro = watching.simulator, watching.pro
    await simulator.make(key="key2")
    login = account(key="key2")
    pro.apiKey, pro.secret, pro.password = login["key"], login["secret"], login["passphrase"]
    first = await watching.begun(pro.watch_orders(SYMBOL), "orders")
    await watching.buy(simulator.last + TICK)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(first, SILENCE_S)


async def test_what_happened_during_a_stall_is_never_told(watching: Watching) -> None:
    simulator, pro = watching.simulator, watching.pro
    first = await watching.begun(pro.watch_my_trades(SYMBOL), "orders")
    simulator.fault(kind="ws_stall", id="stall")
    await watching.buy(simulator.last + TICK)
    simulator.venue.faults.remove("stall")
    later = await watching.buy(simulator.last + TICK)
    assert [trade["order"] for trade in await first] == [later]
    assert len(await simulator.okx.fetch_my_trades(SYMBOL)) == 2


async def test_after_a_drop_the_client_is_told_and_nothing_is_replayed(watching: Watching) -> None:
    simulator, pro = watching.simulator, watching.pro
    first = await watching.begun(pro.watch_my_trades(SYMBOL), "orders")
    simulator.fault(kind="ws_drop", every_ms=HOUR_MS)
    simulator.advance(HOUR_MS)
    with pytest.raises(ccxt.NetworkError):
        await first
    await forgotten(simulator)
    await watching.buy(simulator.last + TICK)
    second = await watching.begun(pro.watch_my_trades(SYMBOL), "orders")
    later = await watching.buy(simulator.last + TICK)
    assert [trade["order"] for trade in await second] == [later]


async def forgotten(simulator: Simulated) -> None:
    """Wait until the server knows that the client is gone."""
    for _ in range(500):
        if not simulator.hub._wanted:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def until_state(pro: ccxt.okx, ord_id: str, status: str) -> None:
    """Let the client read until an order has a status."""
    for _ in range(500):
        if any(one["id"] == ord_id and one["status"] == status for one in pro.orders or ()):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError
