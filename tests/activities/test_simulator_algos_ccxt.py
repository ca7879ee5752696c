"""The real ccxt client with stops and targets at the simulated OKX."""

from bisect import bisect_left
from collections.abc import AsyncIterator
from decimal import ROUND_DOWN, Decimal

import ccxt.async_support as ccxt
import pytest

from oxbot.simulator.candles import LOW
from tests.support.simulated_account import PAIR, SYMBOL, TICK, Json, Simulated, simulated

HOUR_MS = 3_600_000
LOT = Decimal("0.00000001")
FAR = Decimal(30_000)
CASH = {"tdMode": "cash"}


@pytest.fixture
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulated]:
    async with simulated(**getattr(request, "param", {})) as simulator:
        yield simulator


async def enter(
    simulator: Simulated, stop: Decimal | None, target: Decimal | None, **more: object
) -> str:
    """Buy 0.01 BTC at once with a stop and a target; gives the order's id."""
    params: Json = {"timeInForce": "IOC", **more}
    if stop is not None:
        params["stopLoss"] = {"triggerPrice": float(stop)}
    if target is not None:
        params["takeProfit"] = {"triggerPrice": float(target)}
    price = float(simulator.last + TICK)
    order = await simulator.okx.create_order(SYMBOL, "limit", "buy", 0.01, price, params)
    return str(order["id"])


async def waiting(simulator: Simulated, kind: str = "oco") -> list[Json]:
    orders: list[Json] = await simulator.okx.fetch_open_orders(SYMBOL, params={"ordType": kind})
    return orders


def moment(simulator: Simulated, level: Decimal, begin_ms: int) -> int:
    """The first ms after a moment in which the last price has fallen to a level.

    Found by nothing but the lows of candles as far as they are, which only ever fall.
    """
    market, ticks = simulator.venue.market, int(level / TICK)

    def fallen(ms: int) -> bool:
        return bool(market.seen(PAIR, begin_ms, ms + 1, ms).rows[:, LOW].min() <= ticks)

    later = range(begin_ms + 1, begin_ms + 1000 * HOUR_MS)
    return later.start + bisect_left(later, x=True, key=fallen)


async def test_an_entrys_stop_and_target_are_armed_for_what_it_brought_after_fees(
    simulator: Simulated,
) -> None:
    last = simulator.last
    placed = await enter(simulator, last - 100, last + 100)
    events = await simulator.happened()
    order = await simulator.okx.fetch_order(placed, SYMBOL)
    assert (order["stopLossPrice"], order["takeProfitPrice"]) == (
        float(last - 100),
        float(last + 100),
    )
    (algo,) = await waiting(simulator)
    assert (algo["status"], algo["side"], algo["amount"]) == ("open", "sell", 0.00999)
    (armed,) = [event for event in events if event["event"] == "algo"]
    assert (armed["ordId"], armed["algoId"]) == (placed, algo["id"])
    assert (await simulator.okx.fetch_balance())["BTC"]["used"] == 0


@pytest.mark.critical
async def test_a_stop_sells_in_the_millisecond_in_which_the_price_reaches_it(
    simulator: Simulated,
) -> None:
    begin, stop = simulator.venue.clock.now(), simulator.last - 50
    await enter(simulator, stop, None)
    (algo,) = await waiting(simulator, "conditional")
    due = moment(simulator, stop, begin)
    simulator.advance(due - 1 - begin)
    assert len(await waiting(simulator, "conditional")) == 1
    simulator.advance(1)
    assert await waiting(simulator, "conditional") == []
    done = await simulator.okx.fetch_order(algo["id"], SYMBOL, {"trigger": True})
    assert done["info"]["state"] == "effective"
    assert (done["info"]["actualSide"], done["info"]["triggerTime"]) == ("sl", str(due))
    sold = await simulator.okx.fetch_order(done["info"]["ordId"], SYMBOL)
    assert (sold["status"], sold["type"], sold["filled"]) == ("closed", "market", 0.00999)
    assert (sold["timestamp"], sold["info"]["source"]) == (due, "7")
    assert sold["info"]["algoId"] == algo["id"]
    assert sold["average"] == float(simulator.last) <= float(stop)


async def test_one_cancels_the_other(simulator: Simulated) -> None:
    last = simulator.last
    await enter(simulator, last - 20, last + 20)
    for _ in range(48):
        simulator.advance(HOUR_MS)
    algos = await simulator.okx.private_get_trade_orders_algo_history(
        {"ordType": "oco", "state": "effective"}
    )
    (algo,) = algos["data"]
    assert algo["actualSide"] in ("sl", "tp")
    assert len(algo["ordIdList"]) == 1
    sells = [
        one for one in await simulator.okx.fetch_closed_orders(SYMBOL) if one["side"] == "sell"
    ]
    assert len(sells) == 1
    assert await simulator.okx.fetch_canceled_orders(SYMBOL) == []


async def test_far_apart_looks_find_what_near_ones_would(simulator: Simulated) -> None:
    begin, stop = simulator.venue.clock.now(), simulator.last - 200
    await enter(simulator, stop, None)
    simulator.advance(1000 * HOUR_MS)
    (_, sold) = await simulator.okx.fetch_closed_orders(SYMBOL)
    assert sold["timestamp"] == moment(simulator, stop, begin)


async def test_what_a_partly_filled_entry_brought_is_protected_once_it_has_ended(
    simulator: Simulated,
) -> None:
    last = simulator.last
    simulator.fault(kind="partial", share="0.5", count=1)
    price = float(last + TICK)
    stop = {"stopLoss": {"triggerPrice": float(last - 100)}}
    placed = await simulator.okx.create_order(SYMBOL, "limit", "buy", 0.01, price, stop)
    order = await simulator.okx.fetch_order(placed["id"], SYMBOL)
    assert (order["status"], order["filled"]) == ("open", 0.005)
    assert order["info"]["state"] == "partially_filled"
    assert await waiting(simulator, "conditional") == []
    await simulator.okx.cancel_order(placed["id"], SYMBOL)
    (algo,) = await waiting(simulator, "conditional")
    expected = (Decimal("0.005") * Decimal("0.999")).quantize(LOT, ROUND_DOWN)
    assert Decimal(str(algo["amount"])) == expected


async def test_an_entry_that_filled_nothing_arms_nothing(simulator: Simulated) -> None:
    order = await simulator.okx.create_order(
        SYMBOL,
        "limit",
        "buy",
        0.01,
        40_000,
        {"timeInForce": "IOC", "stopLoss": {"triggerPrice": 30_000}},
    )
    assert (await simulator.okx.fetch_order(order["id"], SYMBOL))["status"] == "canceled"
    assert await waiting(simulator, "conditional") == []


async def test_a_stop_that_stands_alone_is_placed_amended_and_cancelled(
    simulator: Simulated,
) -> None:
    okx = simulator.okx
    stop = {**CASH, "stopLossPrice": float(FAR), "algoClOrdId": "stop1"}
    placed = await okx.create_order(SYMBOL, "market", "sell", 0.1, None, stop)
    raw = {"instId": "BTC-USDT", "algoId": placed["id"]}
    await okx.private_post_trade_amend_algos({**raw, "newSz": "0.05", "newSlTriggerPx": "31000"})
    (algo,) = await waiting(simulator, "conditional")
    assert (algo["id"], algo["amount"], algo["stopLossPrice"]) == (placed["id"], 0.05, 31_000)
    with pytest.raises(ccxt.InvalidOrder, match="51016"):
        await okx.create_order(SYMBOL, "market", "sell", 0.1, None, stop)
    by_name = await okx.fetch_order(None, SYMBOL, {"trigger": True, "clOrdId": "stop1"})
    assert by_name["id"] == placed["id"]
    await okx.cancel_order(placed["id"], SYMBOL, {"trigger": True})
    with pytest.raises(ccxt.OrderNotFound, match="51400"):
        await okx.cancel_order(placed["id"], SYMBOL, {"trigger": True})
    with pytest.raises(ccxt.OrderNotFound, match="51503"):
        await okx.private_post_trade_amend_algos({**raw, "newSz": "0.04"})
    (cancelled,) = await okx.fetch_canceled_orders(
        SYMBOL, params={"trigger": True, "ordType": "conditional"}
    )
    assert (cancelled["id"], cancelled["status"]) == (placed["id"], "canceled")
    assert (await okx.create_order(SYMBOL, "market", "sell", 0.1, None, stop))["id"]


async def test_what_is_attached_is_found_by_the_name_that_it_was_given(
    simulator: Simulated,
) -> None:
    attached = {
        "attachAlgoClOrdId": "stopOf1",
        "slTriggerPx": str(simulator.last - 50),
        "slOrdPx": "-1",
    }
    placed = await enter(simulator, None, None, attachAlgoOrds=[attached])
    order = await simulator.okx.fetch_order(placed, SYMBOL)
    by_name = {"trigger": True, "clOrdId": "stopOf1"}
    algo = await simulator.okx.fetch_order(None, SYMBOL, by_name)
    (shown,) = order["info"]["attachAlgoOrds"]
    assert shown["attachAlgoClOrdId"] == algo["info"]["algoClOrdId"] == "stopOf1"
    assert shown["attachAlgoId"] != algo["id"]


async def test_a_way_out_is_taken_away_with_a_price_of_zero(simulator: Simulated) -> None:
    both = {**CASH, "stopLossPrice": float(FAR), "takeProfitPrice": float(10 * FAR)}
    placed = await simulator.okx.create_order(SYMBOL, "market", "sell", 0.1, None, both)
    raw = {"instId": PAIR, "algoId": placed["id"]}
    await simulator.okx.private_post_trade_amend_algos({**raw, "newTpTriggerPx": "0"})
    (algo,) = await waiting(simulator, "conditional")
    assert (algo["id"], algo["takeProfitPrice"]) == (placed["id"], None)
    with pytest.raises(ccxt.BadRequest, match="51000"):
        await simulator.okx.private_post_trade_amend_algos({**raw, "newSlTriggerPx": "0"})


async def test_a_stop_and_a_target_that_stand_alone_are_an_oco(simulator: Simulated) -> None:
    both = {**CASH, "stopLossPrice": float(FAR), "takeProfitPrice": float(10 * FAR)}
    await simulator.okx.create_order(SYMBOL, "market", "sell", 0.1, None, both)
    (algo,) = await waiting(simulator)
    assert (algo["type"], algo["amount"]) == ("oco", 0.1)


@pytest.mark.parametrize(
    ("side", "exits", "code"),
    [
        ("sell", {"stopLossPrice": 200_000}, "51280"),
        ("sell", {"takeProfitPrice": 10_000}, "51279"),
        ("buy", {"stopLossPrice": 10_000}, "51278"),
        ("buy", {"takeProfitPrice": 200_000}, "51277"),
        ("sell", {"stopLossPrice": 30_000, "tdMode": "cross"}, "51000"),
    ],
)
async def test_triggers_that_are_reached_already_are_refused(
    simulator: Simulated, side: str, exits: Json, code: str
) -> None:
    with pytest.raises(ccxt.ExchangeError, match=f'"sCode": "{code}"'):
        await simulator.okx.create_order(SYMBOL, "market", side, 0.1, None, CASH | exits)
    assert await waiting(simulator, "conditional") == []


@pytest.mark.critical
async def test_a_stop_holds_nothing_and_fails_where_the_coins_are_gone(
    simulator: Simulated,
) -> None:
    okx, last = simulator.okx, simulator.last
    stop = {**CASH, "stopLossPrice": float(last - 50)}
    placed = await okx.create_order(SYMBOL, "market", "sell", 0.5, None, stop)
    await okx.create_order(SYMBOL, "market", "sell", 0.1)
    simulator.advance(1000 * HOUR_MS)
    failed = await okx.fetch_order(placed["id"], SYMBOL, {"trigger": True})
    assert failed["info"]["state"] == "order_failed"
    assert (failed["info"]["failCode"], failed["info"]["ordId"]) == ("51008", "")
    assert (await simulator.balances())["BTC"] == Decimal("0.4")
    assert [event["event"] for event in await simulator.happened()][-1] == "algo_failed"


async def test_a_resting_limit_fills_at_its_price_as_a_maker(simulator: Simulated) -> None:
    begin, price = simulator.venue.clock.now(), simulator.last - 100
    await simulator.okx.create_order(SYMBOL, "limit", "buy", 0.01, float(price))
    simulator.advance(1000 * HOUR_MS)
    (trade,) = await simulator.okx.fetch_my_trades(SYMBOL)
    assert (trade["price"], trade["takerOrMaker"]) == (float(price), "maker")
    assert trade["fee"] == {"cost": 0.000008, "currency": "BTC"}
    assert trade["timestamp"] == moment(simulator, price - TICK, begin)


@pytest.mark.parametrize("simulator", [{"balances": {"USDT": "100000"}}], indirect=True)
async def test_what_a_limit_leaves_of_the_book_waits_for_the_next_tick(
    simulator: Simulated,
) -> None:
    begin, last = simulator.venue.clock.now(), simulator.last
    placed = await simulator.okx.create_order(SYMBOL, "limit", "buy", 0.5, float(last + TICK))
    order = await simulator.okx.fetch_order(placed["id"], SYMBOL)
    assert 0 < order["filled"] < 0.5
    simulator.advance(HOUR_MS)
    trades = await simulator.okx.fetch_my_trades(SYMBOL)
    assert [trade["takerOrMaker"] for trade in trades] == ["taker", "maker"]
    assert trades[1]["timestamp"] == moment(simulator, last - TICK, begin)
