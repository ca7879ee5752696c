"""Live orders through the real ccxt: sent once, looked up, never absent too soon."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from oxbot.adapters.okx.feed import OkxFeed
from oxbot.adapters.okx.place import Place
from oxbot.adapters.okx.private import Keys, OkxAccount
from oxbot.adapters.okx.stops import GRACE_MS
from oxbot.adapters.okx.trading import ENDED_KEPT_MS, OkxExchange
from oxbot.domain.errors import NotShown, OutcomeUnknown, OxbotError, VenueRefused
from oxbot.domain.market import ClockReading
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import FENCE_MS, Fill, Order, OrderState, Purpose, Side
from tests.activities.okx_server import (
    NOW_MS,
    Handler,
    LocalOkx,
    Row,
    broken_off,
    connected,
    envelope,
    hung_up,
    local_okx,
    silence,
    text,
)
from tests.activities.test_okx_orders import FAULTS

pytestmark = pytest.mark.critical

KEYS = Keys(key=SecretStr("key"), secret=SecretStr("secret"), passphrase=SecretStr("phrase"))
ID = "b" + "a" * 31
NO_ORDER = envelope([], "51603", "Order does not exist")


class Standing:
    """A venue's clock that a test sets."""

    def __init__(self) -> None:
        self.venue_ms = NOW_MS

    async def reading(self) -> ClockReading:
        return ClockReading(venue_ms=self.venue_ms, wall_ms=self.venue_ms, rate=Decimal(1))


@pytest.fixture
def clock() -> Standing:
    return Standing()


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    """OKX as it is to somebody whose orders it never had."""
    async with local_okx() as server:
        server.answers |= {
            "trade/batch-orders": envelope(
                [{"clOrdId": ID, "ordId": "3122", "sCode": "0", "sMsg": "", "tag": "", "ts": "1"}]
            ),
            "trade/order": NO_ORDER,
            "trade/orders-pending": envelope([]),
            "trade/orders-history": envelope([]),
            "trade/orders-history-archive": envelope([]),
            "trade/fills-history": envelope([]),
        }
        yield server


@asynccontextmanager
async def opened(
    okx: LocalOkx, clock: Standing, timeout_ms: int = 5_000
) -> AsyncIterator[OkxExchange]:
    place = Place(rest_url=okx.url, timeout_ms=timeout_ms, throttled=False)
    async with (
        connected(okx) as client,
        OkxAccount(KEYS, place, clock) as account,
    ):
        yield OkxExchange(account, OkxFeed(client, wall_ms=lambda: NOW_MS), clock)


@pytest.fixture
async def exchange(okx: LocalOkx, clock: Standing) -> AsyncIterator[OkxExchange]:
    async with opened(okx, clock) as found:
        yield found


def entry(**changes: object) -> Order:
    fields: dict[str, object] = {
        "id": ID,
        "bot_id": "one",
        "incarnation": 1,
        "cycle": 1,
        "symbol": "BTC/USDT",
        "side": Side.BUY,
        "purpose": Purpose.ENTRY,
        "quantity": Quantity("0.010"),
        "limit_price": Price("94188.1"),
        "stop": Decimal("0.035"),
        "target": Decimal("0.07"),
        "fence_ms": NOW_MS + FENCE_MS,
        "epoch": 0,
    }
    return Order.model_validate(fields | changes)


def leaving() -> Order:
    return entry(side=Side.SELL, purpose=Purpose.STOP, limit_price=None, stop=None, target=None)


def row(**changes: object) -> Row:
    known: Row = {"instId": "BTC-USDT", "ordId": "3122", "clOrdId": ID, "side": "buy"}
    known |= {"sz": "0.01", "accFillSz": "0.01", "state": "filled", "ordType": "ioc"}
    return known | changes


def filled(trade_id: str, size: str, **changes: object) -> Row:
    known: Row = {"instId": "BTC-USDT", "tradeId": trade_id, "ordId": "3122", "clOrdId": ID}
    known |= {"side": "buy", "fillSz": size, "fillPx": "94000.2", "ts": str(NOW_MS + 7)}
    return known | {"fee": f"-{Decimal(size) / 1000}", "feeCcy": "BTC"} | changes


async def body_of(okx: LocalOkx) -> dict[str, object]:
    """The one order that was sent."""
    [sent] = [r for r in okx.requests if r.path.endswith("trade/batch-orders")]
    [order] = json.loads(await sent.text())
    assert isinstance(order, dict)
    return order


async def placed(exchange: OkxExchange, order: Order) -> list[Fill] | None:
    """What an order has traded that was sent and acknowledged."""
    await exchange.place(order, await Standing().reading())
    return await exchange.look_up(order.model_copy(update={"state": OrderState.OPEN}))


async def test_an_entry_is_a_fenced_limit_with_its_stop_and_target(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers["trade/order"] = envelope([row()])
    okx.answers["trade/fills-history"] = envelope([filled("8", "0.01")])
    await placed(exchange, entry())
    order = await body_of(okx)
    guard = order.pop("attachAlgoOrds")
    assert order == {
        "instId": "BTC-USDT",
        "tdMode": "cash",
        "clOrdId": ID,
        "side": "buy",
        "ordType": "ioc",
        "px": "94188.1",
        "sz": "0.01",
    }
    assert guard == [
        {
            "attachAlgoClOrdId": "g" + "a" * 31,
            "slTriggerPx": "90891.5",
            "slOrdPx": "-1",
            "tpTriggerPx": "100781.3",
            "tpOrdPx": "-1",
        }
    ]
    assert okx.requests[-1].query["ordId"] == "3122"


async def test_an_exit_takes_the_market_by_its_coins(okx: LocalOkx, exchange: OkxExchange) -> None:
    okx.answers["trade/order"] = envelope([row(side="sell")])
    okx.answers["trade/fills-history"] = envelope([filled("8", "0.01", side="sell")])
    await exchange.place(leaving(), await Standing().reading())
    order = await body_of(okx)
    assert {name: order[name] for name in ("ordType", "tgtCcy", "side", "sz")} == {
        "ordType": "market",
        "tgtCcy": "base_ccy",
        "side": "sell",
        "sz": "0.01",
    }
    assert "attachAlgoOrds" not in order


async def test_a_request_is_signed_at_the_venues_time_and_only_an_order_expires(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers["trade/order"] = envelope([row(state="canceled", accFillSz="0")])
    assert await placed(exchange, entry()) == []
    sent, looked = (r for r in okx.requests if "/trade/" in r.path)
    assert sent.headers["expTime"] == str(NOW_MS + FENCE_MS)
    assert "expTime" not in looked.headers
    for request in (sent, looked):
        stamp = request.headers["OK-ACCESS-TIMESTAMP"]
        assert stamp == "2025-01-01T00:00:00.000Z"
        signed = f"{stamp}{request.method}{request.path_qs}{await request.text()}"
        digest = hmac.new(b"secret", signed.encode(), hashlib.sha256).digest()
        assert request.headers["OK-ACCESS-SIGN"] == base64.b64encode(digest).decode()
    assert "OK-ACCESS-KEY" not in okx.requests[0].headers, "the market is asked by nobody"


async def test_its_fills_come_oldest_first_and_whole(okx: LocalOkx, exchange: OkxExchange) -> None:
    okx.answers["trade/order"] = envelope([row(state="canceled", accFillSz="0.008")])
    later = filled("9", "0.005", ts=str(NOW_MS + 9))
    okx.answers["trade/fills-history"] = envelope([later, filled("8", "0.003")])
    fills = await placed(exchange, entry())
    assert fills
    assert [(fill.trade_id, fill.quantity) for fill in fills] == [
        ("8", Quantity("0.003")),
        ("9", Quantity("0.005")),
    ]
    assert fills[0] == Fill(
        trade_id="8",
        order_id=ID,
        symbol="BTC/USDT",
        side=Side.BUY,
        quantity=Quantity("0.003"),
        price=Price("94000.2"),
        fee=Decimal("0.000003"),
        fee_currency="BTC",
        at_ms=NOW_MS + 7,
    )


@pytest.mark.parametrize(("answer", "kind"), FAULTS.values(), ids=FAULTS.keys())
async def test_whatever_goes_wrong_with_sending_nothing_is_sent_twice(
    okx: LocalOkx, clock: Standing, answer: Handler, kind: type[OxbotError]
) -> None:
    okx.answers["trade/batch-orders"] = answer
    async with opened(okx, clock, 300 if answer is silence else 5_000) as exchange:
        with pytest.raises(OxbotError) as caught:
            await exchange.place(entry(), await clock.reading())
    assert type(caught.value) is kind
    assert okx.asked("trade/batch-orders") == 1


async def test_what_was_acknowledged_is_known_to_be_taken_before_anything_else_is_asked(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    await exchange.place(entry(), await Standing().reading())
    assert [path for path in okx.paths if path.startswith("trade/")] == ["trade/batch-orders"]


@pytest.mark.parametrize("late_ms", [FENCE_MS + GRACE_MS + 1, ENDED_KEPT_MS - 60_000])
async def test_an_order_that_okx_has_taken_is_never_absent(
    clock: Standing, exchange: OkxExchange, late_ms: int
) -> None:
    clock.venue_ms = NOW_MS + late_ms
    assert await exchange.look_up(entry()) is None
    with pytest.raises(NotShown, match="was acknowledged"):
        await exchange.look_up(entry(state=OrderState.OPEN))


async def test_what_okx_has_taken_and_shows_nowhere_for_hours_has_traded_nothing(
    clock: Standing, exchange: OkxExchange
) -> None:
    """It forgets within two hours what it cancelled before it traded, and nothing else."""
    clock.venue_ms = NOW_MS + ENDED_KEPT_MS + 1
    assert await exchange.look_up(entry(state=OrderState.OPEN)) == []


async def test_a_request_expires_no_later_than_its_order(
    okx: LocalOkx, clock: Standing, exchange: OkxExchange
) -> None:
    for expires_ms in (NOW_MS + 3, NOW_MS + 2 * FENCE_MS, None):
        await exchange.place(entry(expires_ms=expires_ms), await clock.reading())
    asked = zip(okx.paths, okx.requests, strict=True)
    sent = [request.headers["expTime"] for path, request in asked if path == "trade/batch-orders"]
    assert sent == [str(NOW_MS + 3), str(NOW_MS + FENCE_MS), str(NOW_MS + FENCE_MS)]


UNUSABLE: dict[str, Handler] = {
    "no answer": silence,
    "a connection closed": hung_up,
    "a body broken off": broken_off,
    "a page": text("<html>Back soon</html>"),
    "nothing": text(""),
    "no data": envelope([]),
    "a code nobody knows": envelope([], "59999", "?"),
    "another order": envelope([row(clOrdId="b" + "z" * 31)]),
    "another side": envelope([row(side="sell")]),
    "another size": envelope([row(sz="0.02")]),
    "another coin": envelope([row(instId="ETH-USDT")]),
    "an order that lives": envelope([row(state="live", accFillSz="0")]),
    "a state nobody knows": envelope([row(state=None)]),
    "fills that cannot be seen yet": envelope([row(accFillSz="0.009")]),
    "two orders": envelope([row(), row()]),
    "nulls": envelope([dict.fromkeys(row())]),
}


@pytest.mark.parametrize("answer", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_an_order_is_never_taken_to_be_absent_or_done_by_an_answer_that_does_not_say_so(
    okx: LocalOkx, clock: Standing, answer: Handler
) -> None:
    """Long after the fence, when a plain "no such order" would be believed."""
    clock.venue_ms = NOW_MS + 10**9
    okx.answers["trade/order"] = answer
    okx.answers["trade/fills-history"] = envelope([filled("8", "0.003")])
    async with opened(okx, clock, 300 if answer is silence else 5_000) as exchange:
        with pytest.raises(OutcomeUnknown):
            await exchange.look_up(entry())


@pytest.mark.parametrize(
    "place", [f"trade/orders-{name}" for name in ("pending", "history", "history-archive")]
)
@pytest.mark.parametrize("answer", [text("<html>"), hung_up, envelope([], "50001", "Upgrading")])
async def test_who_cannot_look_everywhere_does_not_know(
    okx: LocalOkx, clock: Standing, exchange: OkxExchange, place: str, answer: Handler
) -> None:
    clock.venue_ms = NOW_MS + 10**9
    okx.answers[place] = answer
    with pytest.raises(OutcomeUnknown):
        await exchange.look_up(entry())


async def test_an_order_that_can_only_be_seen_in_the_history_is_found_there(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    others = row(clOrdId="b" + "z" * 31)
    okx.answers["trade/orders-history"] = envelope([others, row()])
    okx.answers["trade/fills-history"] = envelope([filled("8", "0.01")])
    assert await exchange.look_up(entry()) is not None


@pytest.mark.parametrize("late_ms", [-FENCE_MS, 0, FENCE_MS, FENCE_MS + GRACE_MS])
async def test_until_its_request_has_expired_and_could_be_seen_nobody_knows(
    okx: LocalOkx, clock: Standing, exchange: OkxExchange, late_ms: int
) -> None:
    clock.venue_ms = NOW_MS + late_ms
    with pytest.raises(OutcomeUnknown, match="may still take it"):
        await exchange.look_up(entry())
    assert okx.asked("trade/orders-history") == 1


async def test_after_that_an_order_that_is_nowhere_was_never_taken(
    clock: Standing, exchange: OkxExchange
) -> None:
    clock.venue_ms = NOW_MS + FENCE_MS + GRACE_MS + 1
    assert await exchange.look_up(entry()) is None


async def test_the_time_is_read_before_the_questions_are_asked(
    okx: LocalOkx, clock: Standing, exchange: OkxExchange
) -> None:
    """An answer from before the end of the wait proves nothing, however long it was on its way."""

    async def slow(request: web.Request) -> web.StreamResponse:
        clock.venue_ms = NOW_MS + 10**9
        return await NO_ORDER(request)

    okx.answers["trade/order"] = slow
    with pytest.raises(OutcomeUnknown, match="may still take it"):
        await exchange.look_up(entry())


async def test_what_spot_cannot_do_is_refused_before_it_is_sent(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    now = await Standing().reading()
    with pytest.raises(VenueRefused, match="nothing is sold short"):
        await exchange.place(entry(side=Side.SELL), now)
    with pytest.raises(VenueRefused, match="was not sent"):
        await exchange.place(entry(symbol="DOGE/USDT"), now)
    with pytest.raises(ValueError, match="claimed with a fence"):
        await exchange.place(entry(fence_ms=None), now)
    assert okx.asked("trade/batch-orders") == 0


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["0", "filled"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*row(), "code", "data", "sCode"]), inner, max_size=6)
    ),
    max_leaves=12,
)


@given(answer=JSON)
@settings(suppress_health_check=list(HealthCheck), deadline=None)
async def test_no_answer_whatever_makes_an_order_absent_but_okxs_own_word(
    okx: LocalOkx, clock: Standing, exchange: OkxExchange, answer: object
) -> None:
    async def whatever(_: web.Request) -> web.StreamResponse:
        return web.json_response(answer)

    clock.venue_ms = NOW_MS + 10**9
    okx.answers["trade/order"] = whatever
    with pytest.raises(OutcomeUnknown):
        await exchange.look_up(entry())
