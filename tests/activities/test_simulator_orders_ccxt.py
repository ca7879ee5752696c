"""The real ccxt client places orders at the simulated OKX: fills, fees, refusals, history."""

from collections.abc import AsyncIterator
from decimal import Decimal

import ccxt.async_support as ccxt
import pytest

from tests.support.simulated_account import PAIR, SYMBOL, TICK, Simulated, simulated

LEVEL_USDT = 20_000
TAKER = Decimal("0.001")


@pytest.fixture
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulated]:
    async with simulated(**getattr(request, "param", {})) as simulator:
        yield simulator


async def limit(
    simulator: Simulated, side: str, size: float, price: Decimal, how: str = "IOC", **more: object
) -> str:
    """Place a limit order; gives its id."""
    order = await simulator.okx.create_order(
        SYMBOL, "limit", side, size, float(price), {"timeInForce": how, **more}
    )
    return str(order["id"])


async def test_an_ioc_buy_fills_at_the_ask_and_pays_its_fee_in_the_coin(
    simulator: Simulated,
) -> None:
    ask = simulator.last + TICK
    order = await simulator.okx.fetch_order(await limit(simulator, "buy", 0.01, ask), SYMBOL)
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.01, float(ask))
    assert (order["type"], order["timeInForce"], order["side"]) == ("limit", "IOC", "buy")
    assert order["fee"] == {"cost": 0.00001, "currency": "BTC"}
    assert await simulator.balances() == {
        "BTC": Decimal("0.51") - Decimal("0.00001"),
        "USDT": 10_000 - ask * Decimal("0.01"),
    }


async def test_a_sell_pays_its_fee_in_usdt(simulator: Simulated) -> None:
    bid = simulator.last
    order = await simulator.okx.fetch_order(await limit(simulator, "sell", 0.01, bid), SYMBOL)
    value = bid * Decimal("0.01")
    assert order["fee"]["currency"] == "USDT"
    assert Decimal(str(order["fee"]["cost"])) == value * TAKER
    assert await simulator.balances() == {
        "BTC": Decimal("0.49"),
        "USDT": 10_000 + value - value * TAKER,
    }


async def test_the_acknowledgement_says_nothing_but_the_ids(simulator: Simulated) -> None:
    order = await simulator.okx.create_order(
        SYMBOL, "limit", "buy", 0.01, 1000, {"clOrdId": "mine1"}
    )
    assert order["clientOrderId"] == "mine1"
    assert order["id"]
    assert (order["status"], order["filled"], order["amount"]) == (None, None, None)
    assert order["info"]["sCode"] == "0"


@pytest.mark.parametrize("simulator", [{"balances": {"USDT": "100000"}}], indirect=True)
async def test_a_large_ioc_takes_level_by_level_and_what_is_left_is_cancelled(
    simulator: Simulated,
) -> None:
    ask = simulator.last + TICK
    placed = await limit(simulator, "buy", 0.6, ask + TICK)
    order = await simulator.okx.fetch_order(placed, SYMBOL)
    trades = await simulator.okx.fetch_my_trades(SYMBOL)
    assert [trade["price"] for trade in trades] == [float(ask), float(ask + TICK)]
    assert [trade["cost"] for trade in trades] == pytest.approx(
        [LEVEL_USDT, 1.01 * LEVEL_USDT], rel=1e-5
    )
    assert order["filled"] == pytest.approx(sum(trade["amount"] for trade in trades))
    assert (order["status"], order["info"]["cancelSource"]) == ("canceled", "14")
    assert len({trade["id"] for trade in trades}) == 2
    assert {trade["order"] for trade in trades} == {order["id"]}
    assert {trade["takerOrMaker"] for trade in trades} == {"taker"}


async def test_fill_or_kill_fills_nothing_where_it_cannot_fill_all(simulator: Simulated) -> None:
    placed = await limit(simulator, "sell", 0.5, simulator.last, "FOK")
    order = await simulator.okx.fetch_order(placed, SYMBOL)
    assert (order["status"], order["filled"], order["info"]["cancelSource"]) == (
        "canceled",
        0,
        "13",
    )
    placed = await limit(simulator, "sell", 0.01, simulator.last, "FOK")
    assert (await simulator.okx.fetch_order(placed, SYMBOL))["status"] == "closed"


async def test_post_only_rests_or_is_cancelled(simulator: Simulated) -> None:
    ask = simulator.last + TICK
    for price, state in ((ask, "canceled"), (ask - TICK, "open")):
        placed = await simulator.okx.create_order(
            SYMBOL, "limit", "buy", 0.01, float(price), {"postOnly": True}
        )
        order = await simulator.okx.fetch_order(placed["id"], SYMBOL)
        assert (order["status"], order["filled"]) == (state, 0)
        assert order["postOnly"]


async def test_a_market_buy_counts_coins_or_usdt(simulator: Simulated) -> None:
    ask, okx = simulator.last + TICK, simulator.okx
    coins = await okx.create_order(SYMBOL, "market", "buy", 0.01)
    assert (await okx.fetch_order(coins["id"], SYMBOL))["filled"] == 0.01
    spent = await okx.create_order(
        SYMBOL, "market", "buy", 1, None, {"tgtCcy": "quote_ccy", "cost": 500}
    )
    order = await okx.fetch_order(spent["id"], SYMBOL)
    assert order["status"] == "closed"
    assert order["info"]["tgtCcy"] == "quote_ccy"
    assert Decimal(str(order["filled"])) == (500 / ask).quantize(
        Decimal("0.00000001"), rounding="ROUND_DOWN"
    )


async def test_a_market_buy_of_more_coins_than_can_be_paid_for_is_made_smaller(
    simulator: Simulated,
) -> None:
    okx, ask = simulator.okx, simulator.last + TICK
    with pytest.raises(ccxt.InsufficientFunds, match="51008"):
        await okx.create_order(SYMBOL, "market", "buy", 0.2, None, {"banAmend": True})
    placed = await okx.create_order(SYMBOL, "market", "buy", 0.2)
    order = await okx.fetch_order(placed["id"], SYMBOL)
    assert (order["status"], order["filled"]) == ("closed", order["amount"])
    left = (await simulator.balances())["USDT"]
    assert 0 <= left < ask * Decimal("0.00000001")
    with pytest.raises(ccxt.InsufficientFunds, match="51008"):
        await okx.create_order(SYMBOL, "market", "buy", 0.2)
    with pytest.raises(ccxt.InsufficientFunds, match="51008"):
        await okx.create_order(SYMBOL, "market", "sell", 5)


async def test_unless_told_a_market_buys_size_is_usdt(simulator: Simulated) -> None:
    raw = {"instId": PAIR, "tdMode": "cash", "side": "buy", "ordType": "market", "sz": "100"}
    placed = await simulator.okx.private_post_trade_order(raw)
    order = await simulator.okx.fetch_order(placed["data"][0]["ordId"], SYMBOL)
    assert order["info"]["tgtCcy"] == "quote_ccy"
    assert 0 < order["filled"] < 0.01


async def test_a_resting_limit_holds_its_money_until_it_is_cancelled(simulator: Simulated) -> None:
    okx = simulator.okx
    placed = await limit(simulator, "buy", 0.1, Decimal(50_000), "GTC")
    assert (await okx.fetch_balance())["USDT"] == {"free": 5000, "used": 5000, "total": 10_000}
    assert [order["id"] for order in await okx.fetch_open_orders(SYMBOL)] == [placed]
    with pytest.raises(ccxt.InsufficientFunds, match="51008"):
        await limit(simulator, "buy", 0.1, Decimal("50000.1"), "GTC")
    await okx.cancel_order(placed, SYMBOL)
    assert (await okx.fetch_balance())["USDT"]["free"] == 10_000
    assert await okx.fetch_open_orders(SYMBOL) == []
    (order,) = await okx.fetch_canceled_orders(SYMBOL)
    assert (order["id"], order["status"], order["info"]["cancelSource"]) == (
        placed,
        "canceled",
        "1",
    )
    with pytest.raises(ccxt.OrderNotFound, match="51400"):
        await okx.cancel_order(placed, SYMBOL)


@pytest.mark.parametrize(
    ("side", "size", "price", "code"),
    [
        ("buy", "0.000009", "50000", "51020"),
        ("buy", "0.000010001", "50000", "51121"),
        ("buy", "0.01", "50000.05", "51000"),
        ("buy", "0.01", "-1", "51000"),
        ("buy", "1e3", "50000", "51000"),
        ("buy", "1", "50000", "51008"),
        ("sell", "0.50000001", "50000", "51008"),
        ("hold", "1", "50000", "51000"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    simulator: Simulated, side: str, size: str, price: str, code: str
) -> None:
    raw = {"instId": PAIR, "tdMode": "cash", "side": side, "ordType": "limit"}
    with pytest.raises(ccxt.ExchangeError, match=f'"sCode": "{code}"'):
        await simulator.okx.private_post_trade_order({**raw, "sz": size, "px": price})
    assert await simulator.balances() == {"BTC": Decimal("0.5"), "USDT": Decimal(10_000)}
    (*_, refused) = await simulator.happened()
    assert (refused["event"], refused["code"]) == ("refused", code)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"instId": "DOGE-USDT"}, "51001"),
        ({"instId": "BTC-USDT-SWAP"}, "51010"),
        ({"tdMode": "cross"}, "51000"),
        ({"clOrdId": "with-dash"}, "51000"),
        ({"clOrdId": "x" * 33}, "51000"),
        ({"ordType": "stop"}, "51000"),
        ({"attachAlgoOrds": [{"slTriggerPx": "60000", "slOrdPx": "-1"}]}, "51051"),
        ({"attachAlgoOrds": [{"tpTriggerPx": "40000", "tpOrdPx": "-1"}]}, "51050"),
        ({"attachAlgoOrds": [{}]}, "51000"),
        (
            {"attachAlgoOrds": [{"tpTriggerPx": "60000", "tpOrdPx": "1", "tpOrdKind": "limit"}]},
            "51094",
        ),
        (
            {
                "ordType": "market",
                "tgtCcy": "base_ccy",
                "attachAlgoOrds": [{"slTriggerPx": "40000", "slOrdPx": "-1"}],
            },
            "51000",
        ),
    ],
)
async def test_parameters_that_cannot_be_are_refused(
    simulator: Simulated, more: dict[str, object], code: str
) -> None:
    raw = {"instId": PAIR, "tdMode": "cash", "side": "buy", "ordType": "limit"}
    with pytest.raises(ccxt.ExchangeError, match=f'"sCode": "{code}"'):
        await simulator.okx.private_post_trade_order({**raw, "sz": "0.01", "px": "50000", **more})


async def test_a_client_id_is_unique_while_its_order_lives_and_free_after(
    simulator: Simulated,
) -> None:
    okx = simulator.okx
    first = await limit(simulator, "buy", 0.01, Decimal(50_000), "GTC", clOrdId="again")
    with pytest.raises(ccxt.InvalidOrder, match="51016"):
        await limit(simulator, "buy", 0.01, Decimal(50_000), "GTC", clOrdId="again")
    await okx.cancel_order(None, SYMBOL, {"clOrdId": "again"})
    second = await limit(simulator, "buy", 0.01, Decimal(40_000), "GTC", clOrdId="again")
    assert second != first
    newest = await okx.fetch_order(None, SYMBOL, {"clOrdId": "again"})
    assert (newest["id"], newest["price"]) == (second, 40_000)
    assert (await okx.fetch_order(first, SYMBOL))["status"] == "canceled"


async def test_an_unknown_order_is_not_found(simulator: Simulated) -> None:
    for params in ({"clOrdId": "nothing"}, {}):
        with pytest.raises(ccxt.OrderNotFound, match="51603"):
            await simulator.okx.fetch_order("1", SYMBOL, params)
    placed = await limit(simulator, "buy", 0.01, simulator.last + TICK)
    with pytest.raises(ccxt.OrderNotFound, match="51603"):
        await simulator.okx.fetch_order(placed, "ETH/USDT")


async def test_of_a_batch_each_order_is_judged_by_itself(simulator: Simulated) -> None:
    good = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": 50_000}
    bad = good | {"amount": 1}
    orders = await simulator.okx.create_orders([good, bad, good])
    assert [order["status"] for order in orders] == [None, "rejected", None]
    assert len(await simulator.okx.fetch_open_orders(SYMBOL)) == 2
    with pytest.raises(ccxt.InsufficientFunds):
        await simulator.okx.create_orders([bad, bad])
    ids = [order["id"] for order in orders if order["id"]]
    wanted = [{"instId": PAIR, "ordId": one} for one in (*ids, "1")]
    answer = await simulator.okx.private_post_trade_cancel_batch_orders(wanted)
    assert answer["code"] == "2"
    assert [row["sCode"] for row in answer["data"]] == ["0", "0", "51400"]


async def test_a_batch_has_twenty_orders_at_most(simulator: Simulated) -> None:
    raw = {"instId": PAIR, "tdMode": "cash", "side": "buy", "ordType": "limit"}
    order = {**raw, "sz": "0.0001", "px": "50000"}
    answer = await simulator.okx.private_post_trade_batch_orders([{**order} for _ in range(20)])
    assert answer["code"] == "0"
    with pytest.raises(ccxt.BadRequest, match="51000"):
        await simulator.okx.private_post_trade_batch_orders([{**order} for _ in range(21)])


async def test_an_order_that_comes_after_its_exp_time_is_dropped(simulator: Simulated) -> None:
    now = simulator.venue.clock.now()
    simulator.okx.headers = {"expTime": str(now)}
    kept = await limit(simulator, "buy", 0.01, simulator.last + TICK, clOrdId="intime")
    simulator.advance(1)
    with pytest.raises(ccxt.ExchangeError, match="50036"):
        await limit(simulator, "buy", 0.01, simulator.last + TICK, clOrdId="late")
    orders = await simulator.okx.fetch_closed_orders(SYMBOL)
    assert [order["id"] for order in orders] == [kept]
    (*_, expired) = await simulator.happened()
    assert (expired["event"], expired["clOrdId"]) == ("expired", "late")


async def test_a_key_that_may_only_read_places_nothing() -> None:
    async with simulated(permissions=["read_only"]) as simulator:
        with pytest.raises(ccxt.ExchangeError, match="50120"):
            await limit(simulator, "buy", 0.01, simulator.last + TICK)
        assert await simulator.okx.fetch_open_orders(SYMBOL) == []


async def test_history_and_fills_turn_pages(simulator: Simulated) -> None:
    okx, ask = simulator.okx, simulator.last + TICK
    ids = [await limit(simulator, "buy", 0.001, ask) for _ in range(5)]
    newest = await okx.private_get_trade_orders_history({"instType": "SPOT", "limit": "2"})
    assert [row["ordId"] for row in newest["data"]] == ids[:2:-1]
    older = await okx.private_get_trade_orders_history({"instType": "SPOT", "after": ids[3]})
    assert [row["ordId"] for row in older["data"]] == ids[2::-1]
    fills = await okx.private_get_trade_fills({"ordId": ids[1]})
    assert [row["ordId"] for row in fills["data"]] == [ids[1]]
    since = simulator.advance(1000)
    last = await limit(simulator, "sell", 0.001, simulator.last)
    assert [trade["order"] for trade in await okx.fetch_my_trades(SYMBOL, since)] == [last]


async def test_the_archive_has_what_was_filled_and_not_what_was_cancelled_before(
    simulator: Simulated,
) -> None:
    okx, ask = simulator.okx, simulator.last + TICK
    filled = await limit(simulator, "buy", 0.001, ask)
    simulator.fault(endpoint="trade/batch-orders", count=1, kind="partial", share="0.5")
    partly = await limit(simulator, "buy", 0.001, ask)
    unfilled = await limit(simulator, "buy", 0.001, ask / 2)
    history = await okx.private_get_trade_orders_history({"instType": "SPOT"})
    states = [(row["ordId"], row["state"]) for row in history["data"]]
    assert states == [(unfilled, "canceled"), (partly, "canceled"), (filled, "filled")]
    archive = await okx.private_get_trade_orders_history_archive({"instType": "SPOT"})
    assert [row["ordId"] for row in archive["data"]] == [partly, filled]
    newest = {"instType": "SPOT", "instId": PAIR, "limit": "1"}
    archive = await okx.private_get_trade_orders_history_archive(newest)
    assert [row["ordId"] for row in archive["data"]] == [partly]
