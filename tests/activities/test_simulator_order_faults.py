"""What the real ccxt client makes of faults on orders, and whether the order was taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import ccxt.async_support as ccxt
import pytest

from oxbot.domain.errors import InputError
from oxbot.simulator.fault_rules import parse_rules
from oxbot.simulator.faults import Faults
from tests.support.simulated_account import PAIR, SYMBOL, TICK, Json, Simulated, simulated

TIMEOUT_MS = 300


@pytest.fixture
async def simulator() -> AsyncIterator[Simulated]:
    async with simulated() as simulator:
        simulator.okx.timeout = TIMEOUT_MS
        yield simulator


async def place(simulator: Simulated, **more: object) -> Json:
    price = float(simulator.last + TICK)
    params = {"timeInForce": "IOC", "clOrdId": "mine", **more}
    order: Json = await simulator.okx.create_order(SYMBOL, "limit", "buy", 0.01, price, params)
    return order


async def taken(simulator: Simulated) -> int:
    """How many orders there are, by the log."""
    return [event["event"] for event in await simulator.happened()].count("order")


LOUD = [
    ("timeout", {}, ccxt.RequestTimeout),
    ("slow", {"delay_ms": 800}, ccxt.RequestTimeout),
    ("reset", {}, ccxt.ExchangeNotAvailable),
    ("truncated", {}, ccxt.ExchangeError),
    ("http_429", {}, ccxt.ExchangeNotAvailable),
    ("http_502", {}, ccxt.ExchangeNotAvailable),
    ("maintenance", {}, ccxt.OnMaintenance),
    ("code", {"code": "50004"}, ccxt.RequestTimeout),
    ("code", {"code": "50026"}, ccxt.ExchangeNotAvailable),
]


@pytest.mark.critical
@pytest.mark.parametrize(("kind", "more", "error"), LOUD)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_error_tells_nothing_of_whether_the_order_was_taken(
    simulator: Simulated, kind: str, more: Json, error: type[Exception], when: str
) -> None:
    simulator.fault(kind=kind, endpoint="trade/batch-orders", when=when, count=1, **more)
    with pytest.raises(error) as raised:
        await place(simulator)
    assert raised.type is error
    if kind == "slow":
        await until_taken(simulator)
    else:
        assert await taken(simulator) == (0 if when == "before" else 1)
    assert simulator.venue.faults.active()[0].used == 1


async def until_taken(simulator: Simulated) -> None:
    """Wait until what was slow on its way has arrived."""
    for _ in range(200):
        if await taken(simulator):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def test_an_order_that_was_slow_on_its_way_meets_its_exp_time(simulator: Simulated) -> None:
    simulator.fault(kind="slow", endpoint="trade/batch-orders", delay_ms=2000, count=1)
    simulator.okx.headers = {"expTime": str(simulator.venue.clock.now() + 1000)}
    with pytest.raises(ccxt.RequestTimeout):
        await place(simulator)
    simulator.advance(1001)
    for _ in range(500):
        events = await simulator.happened()
        if events[-1]["event"] == "expired":
            break
        await asyncio.sleep(0.01)
    assert [event["event"] for event in events] == ["account", "expired"]


@pytest.mark.parametrize("kind", ["html", "empty"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_page_or_no_rows_is_an_order_without_an_id(
    simulator: Simulated, kind: str, when: str
) -> None:
    simulator.fault(kind=kind, endpoint="trade/batch-orders", when=when, count=1)
    assert (await place(simulator))["id"] is None
    assert await taken(simulator) == (0 if when == "before" else 1)


async def test_an_acknowledgement_with_holes_is_of_an_order_that_was_taken(
    simulator: Simulated,
) -> None:
    simulator.fault(kind="nulls", endpoint="trade/batch-orders", count=3)
    for number in range(3):
        with suppress(ccxt.ExchangeError):
            await place(simulator, clOrdId=f"mine{number}")
    assert await taken(simulator) == 3


async def test_by_chance_a_share_of_all_orders_meets_a_fault(simulator: Simulated) -> None:
    simulator.fault(kind="http_502", endpoint="trade", when="after", probability=0.5, seed=2)
    failed = 0
    for number in range(10):
        try:
            await place(simulator, clOrdId=f"mine{number}")
        except ccxt.ExchangeNotAvailable:
            failed += 1
    assert 0 < failed < 10
    assert await taken(simulator) == 10


async def test_a_duplicate_acknowledgement_is_an_error_though_the_order_was_taken(
    simulator: Simulated,
) -> None:
    simulator.fault(kind="duplicate_ack", count=1)
    with pytest.raises(ccxt.InvalidOrder, match="51016"):
        await place(simulator)
    found = await simulator.okx.fetch_order(None, SYMBOL, {"clOrdId": "mine"})
    assert found["status"] == "closed"


@pytest.mark.critical
async def test_an_order_may_not_be_seen_for_a_while(simulator: Simulated) -> None:
    simulator.fault(kind="delayed_visibility", hidden_ms=3000, count=1)
    okx, last = simulator.okx, simulator.last
    stop = {"stopLoss": {"triggerPrice": float(last - 500)}}
    placed = await place(simulator, **stop)
    for visible in (False, True):
        if visible:
            simulator.advance(1)
        for params in ({"clOrdId": "mine"}, {}):
            if visible:
                assert (await okx.fetch_order(placed["id"], SYMBOL, params))["status"] == "closed"
            else:
                with pytest.raises(ccxt.OrderNotFound):
                    await okx.fetch_order(placed["id"], SYMBOL, params)
        seen = [
            await okx.fetch_closed_orders(SYMBOL),
            await okx.fetch_my_trades(SYMBOL),
            await okx.fetch_open_orders(SYMBOL, params={"ordType": "conditional"}),
        ]
        assert [len(rows) for rows in seen] == [int(visible)] * 3
        if not visible:
            simulator.advance(2999)
    assert (await okx.fetch_balance())["BTC"]["total"] == pytest.approx(0.50999)


@pytest.mark.critical
async def test_an_entry_may_fill_and_its_stop_be_refused(simulator: Simulated) -> None:
    simulator.fault(kind="stop_rejected", count=1)
    okx, stop = simulator.okx, float(simulator.last - 500)
    placed = await place(simulator, stopLoss={"triggerPrice": stop})
    order = await okx.fetch_order(placed["id"], SYMBOL)
    assert (order["status"], order["filled"]) == ("closed", 0.01)
    (attached,) = order["info"]["attachAlgoOrds"]
    assert attached["failCode"] == "51280"
    assert await okx.fetch_open_orders(SYMBOL, params={"ordType": "conditional"}) == []
    assert (await simulator.happened())[-1]["event"] == "protection_refused"


async def test_an_account_in_another_mode_is_refused(simulator: Simulated) -> None:
    simulator.fault(kind="wrong_mode")
    with pytest.raises(ccxt.AccountNotEnabled, match="51010"):
        await place(simulator)
    with pytest.raises(ccxt.AccountNotEnabled, match="51010"):
        await simulator.okx.create_order(
            SYMBOL, "market", "sell", 0.1, None, {"tdMode": "cash", "stopLossPrice": 30_000}
        )
    assert [event["event"] for event in await simulator.happened()] == [
        "account",
        "refused",
        "refused",
    ]


async def test_a_part_may_be_filled(simulator: Simulated) -> None:
    simulator.fault(kind="partial", share="0.25", count=1)
    placed = await place(simulator)
    order = await simulator.okx.fetch_order(placed["id"], SYMBOL)
    assert (order["filled"], order["status"]) == (0.0025, "canceled")


async def test_faults_on_placing_leave_looking_alone(simulator: Simulated) -> None:
    simulator.fault(kind="timeout", endpoint="trade/order", method="POST")
    placed = await place(simulator)
    assert (await simulator.okx.fetch_order(placed["id"], SYMBOL))["status"] == "closed"
    raw = {"instId": PAIR, "tdMode": "cash", "side": "sell", "ordType": "market", "sz": "0.01"}
    with pytest.raises(ccxt.RequestTimeout):
        await simulator.okx.private_post_trade_order(raw)


async def test_faults_on_cancels_can_come_after_them(simulator: Simulated) -> None:
    order = await simulator.okx.create_order(SYMBOL, "limit", "buy", 0.01, 50_000)
    simulator.fault(kind="timeout", endpoint="trade/cancel-order", when="after", count=1)
    with pytest.raises(ccxt.RequestTimeout):
        await simulator.okx.cancel_order(order["id"], SYMBOL)
    assert (await simulator.okx.fetch_order(order["id"], SYMBOL))["status"] == "canceled"


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"kind": "stale", "when": "after"}, "when belongs to"),
        ({"kind": "wrong_mode", "when": "after"}, "when belongs to"),
        ({"kind": "wrong_mode", "method": "GET"}, "has no method"),
        ({"kind": "partial"}, "share belongs to"),
        ({"kind": "partial", "share": "1.5"}, "share"),
        ({"kind": "delayed_visibility"}, "hidden_ms belongs to"),
        ({"kind": "timeout", "hidden_ms": 5}, "hidden_ms belongs to"),
        ({"kind": "stop_rejected", "endpoint": "market"}, "happens at trade/order"),
        ({"kind": "timeout", "when": "during"}, "when"),
    ],
)
def test_a_rule_that_cannot_be_says_why(rule: Json, why: str) -> None:
    with pytest.raises(InputError, match=why):
        parse_rules(rule)


def test_of_two_orders_at_once_chance_meets_the_same_whichever_comes_first() -> None:
    struck = []
    for order in ("ab", "ba"):
        faults = Faults()
        faults.add(parse_rules({"kind": "timeout", "probability": 0.5, "seed": 3}))
        met = {
            body: faults.on_request("trade/order", body, 1000 * moment, "POST") is not None
            for moment in range(40)
            for body in (f"{order[0]}{moment}", f"{order[1]}{moment}")
        }
        struck.append(met)
    assert struck[0] == struck[1]
    assert len(set(struck[0].values())) == 2
