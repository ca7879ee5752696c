"""Stops looked up by our id, of which OKX may know more than one, or say why there is none."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from oxbot.adapters.okx.stops import GRACE_MS
from oxbot.adapters.okx.trading import OkxExchange
from oxbot.domain.errors import NotShown, OutcomeUnknown
from oxbot.domain.money import Price, Quantity
from oxbot.domain.resting import SIGNED_FOR_MS, RestingStop, SeenState, StopState, attached_id
from tests.activities.okx_server import NOW_MS, Handler, LocalOkx, Row, envelope, local_okx
from tests.activities.test_okx_trading import ID, Standing, opened
from tests.support.trading import BTC

pytestmark = pytest.mark.critical

NONE = envelope([], "51603", "Order does not exist")
STOP = RestingStop(
    id=attached_id(ID),
    bot_id="b1",
    symbol=BTC,
    opened_ms=NOW_MS,
    number=1,
    quantity=Quantity("0.01"),
    stop_price=Price(90_000),
    target_price=Price(99_000),
    fence_ms=NOW_MS + 10_000,
)


def algo(algo_id: str, state: str, **more: str) -> Row:
    row: Row = {
        "algoId": algo_id,
        "algoClOrdId": STOP.id,
        "instId": "BTC-USDT",
        "side": "sell",
        "state": state,
        "sz": "0.01",
        "slTriggerPx": "90000",
        "slOrdPx": "-1",
        "tpTriggerPx": "99000",
        "tpOrdPx": "-1",
    }
    return row | more


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    """OKX as it is to somebody whose stops it never had."""
    async with local_okx() as server:
        server.answers |= {
            "trade/order-algo": NONE,
            "trade/orders-algo-pending": envelope([]),
            "trade/orders-algo-history": envelope([]),
            "trade/order": NONE,
        }
        yield server


@pytest.fixture
async def exchange(okx: LocalOkx) -> AsyncIterator[OkxExchange]:
    async with opened(okx, Standing()) as found:
        yield found


async def test_a_stop_that_rests_counts_more_than_one_of_its_id_that_is_over(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers["trade/order-algo"] = envelope([algo("1", "canceled")])
    assert (await exchange.see_stop(STOP)).state is SeenState.OVER
    okx.answers["trade/orders-algo-pending"] = envelope([algo("2", "live")])
    assert (await exchange.see_stop(STOP)).state is SeenState.RESTING


async def test_where_one_of_an_id_was_triggered_and_another_rests_a_person_has_to_look(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers["trade/order-algo"] = envelope([algo("1", "effective", ordId="7")])
    okx.answers["trade/orders-algo-pending"] = envelope([algo("2", "live")])
    with pytest.raises(OutcomeUnknown, match="two stops of this id"):
        await exchange.see_stop(STOP)


async def test_of_two_stops_of_an_id_the_one_that_rests_is_cancelled(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    asked: list[object] = []

    async def cancel(request: web.Request) -> web.StreamResponse:
        asked.append(await request.json())
        return await envelope([{"algoId": "2", "sCode": "0"}])(request)

    okx.answers |= {
        "trade/order-algo": envelope([algo("1", "canceled")]),
        "trade/orders-algo-pending": envelope([algo("2", "live")]),
        "trade/cancel-algos": cancel,
    }
    await exchange.cancel_stop(STOP)
    assert asked == [[{"instId": "BTC-USDT", "algoId": "2"}]]


def entry_row(**guard: str) -> Handler:
    return envelope([{"clOrdId": ID, "attachAlgoOrds": [{"attachAlgoClOrdId": STOP.id, **guard}]}])


async def test_a_stop_that_okx_refused_with_its_entry_is_over_at_once(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    """Nobody has to wait until it certainly is not there."""
    okx.answers["trade/order"] = entry_row(failCode="51280")
    seen = await exchange.see_stop(STOP)
    assert (seen.state, "51280" in seen.reason) == (SeenState.OVER, True)


@pytest.mark.parametrize("guard", [{}, {"failCode": ""}, {"failCode": "0"}])
async def test_an_entry_that_says_nothing_of_its_stop_leaves_it_unknown(
    okx: LocalOkx, exchange: OkxExchange, guard: dict[str, str]
) -> None:
    okx.answers["trade/order"] = entry_row(**guard)
    with pytest.raises(OutcomeUnknown, match="may still be taken"):
        await exchange.see_stop(STOP)


async def test_what_okx_says_of_another_stop_of_the_entry_is_not_of_this_one(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers["trade/order"] = entry_row(failCode="51280", attachAlgoClOrdId="g2")
    with pytest.raises(OutcomeUnknown, match="may still be taken"):
        await exchange.see_stop(STOP)


async def test_a_stop_that_was_seen_at_rest_is_over_only_by_okxs_history(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    seen = STOP.model_copy(update={"state": StopState.RESTING, "fence_ms": NOW_MS - 10**6})
    assert (await exchange.see_stop(seen.model_copy(update={"state": StopState.SENT}))).state is (
        SeenState.ABSENT
    )
    with pytest.raises(NotShown, match="was seen at rest"):
        await exchange.see_stop(seen)
    okx.answers["trade/orders-algo-history"] = envelope([algo("1", "canceled")])
    assert (await exchange.see_stop(seen)).state is SeenState.OVER


async def test_a_stop_that_okx_has_just_taken_is_given_the_time_in_which_it_must_be_seen(
    exchange: OkxExchange,
) -> None:
    """An acknowledgement can be ahead of what OKX shows."""
    last = STOP.model_copy(update={"state": StopState.RESTING, "fence_ms": NOW_MS - GRACE_MS})
    with pytest.raises(OutcomeUnknown, match="to be seen") as found:
        await exchange.see_stop(last)
    assert not isinstance(found.value, NotShown)
    with pytest.raises(NotShown):
        await exchange.see_stop(last.model_copy(update={"fence_ms": last.fence_ms - 1}))


BEFORE = {"ordId": "7", "actualSide": "sl", "uTime": str(STOP.fence_ms - SIGNED_FOR_MS - 1)}
"""Triggered before the stop was sent."""


@pytest.mark.parametrize("state", ["effective", "canceled"])
async def test_one_of_its_id_that_was_over_before_a_stop_was_sent_is_not_the_stop(
    okx: LocalOkx, exchange: OkxExchange, state: str
) -> None:
    """The record was lost, and a bot made anew under its old id."""
    old = envelope([algo("1", state, **BEFORE)])
    okx.answers |= {"trade/order-algo": old, "trade/orders-algo-history": old}
    with pytest.raises(OutcomeUnknown, match="may still be taken"):
        await exchange.see_stop(STOP)
    late = STOP.model_copy(update={"fence_ms": NOW_MS - GRACE_MS - 1})
    old = envelope([algo("1", state, **BEFORE | {"uTime": str(late.fence_ms - 10**9)})])
    okx.answers |= {"trade/order-algo": old, "trade/orders-algo-history": old}
    assert (await exchange.see_stop(late)).state is SeenState.ABSENT


async def test_behind_one_of_its_id_from_before_a_stop_is_found(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    old, new = algo("1", "effective", **BEFORE), algo("2", "canceled", uTime=str(NOW_MS))
    okx.answers |= {
        "trade/order-algo": envelope([old]),
        "trade/orders-algo-history": envelope([old, new]),
    }
    assert (await exchange.see_stop(STOP)).state is SeenState.OVER


async def test_one_that_rests_is_the_stop_however_long_it_has(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    okx.answers["trade/order-algo"] = envelope([algo("1", "live", uTime="1", cTime="1")])
    assert (await exchange.see_stop(STOP)).state is SeenState.RESTING


async def test_one_that_rested_when_a_stop_of_its_id_was_sent_acts_in_its_place(
    okx: LocalOkx, exchange: OkxExchange
) -> None:
    lasting = algo("1", "canceled", cTime="1", uTime=str(NOW_MS))
    okx.answers["trade/order-algo"] = envelope([lasting])
    assert (await exchange.see_stop(STOP)).state is SeenState.OVER
