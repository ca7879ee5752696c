"""Paper orders at the real client's prices."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from aiohttp import web

from oxbot.adapters.okx.feed import OkxFeed
from oxbot.adapters.paper.exchange import PaperExchange
from oxbot.domain.errors import VenueRefused, VenueUnavailable
from oxbot.domain.market import ClockReading
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Order, Purpose, Side
from tests.activities.okx_server import (
    NOW_MS,
    Handler,
    LocalOkx,
    book,
    connected,
    envelope,
    instrument,
    local_okx,
    text,
)

pytestmark = pytest.mark.critical

NOW = ClockReading(venue_ms=NOW_MS, wall_ms=0, rate=Decimal(1))
FEE = Decimal("0.001")


@pytest.fixture
async def okx() -> AsyncIterator[LocalOkx]:
    async with local_okx() as server:
        yield server


@pytest.fixture
async def paper(okx: LocalOkx) -> AsyncIterator[PaperExchange]:
    async with connected(okx) as client:
        yield PaperExchange(OkxFeed(client, wall_ms=lambda: 0), FEE)


def order(**changes: object) -> Order:
    fields: dict[str, object] = {
        "id": "b" + "a" * 31,
        "bot_id": "one",
        "incarnation": 1,
        "cycle": 1,
        "symbol": "BTC/USDT",
        "side": Side.BUY,
        "purpose": Purpose.ENTRY,
        "quantity": Quantity("0.01"),
        "epoch": 0,
    }
    return Order.model_validate(fields | changes)


async def test_a_buy_fills_at_the_ask_with_its_fee_in_the_coin(paper: PaperExchange) -> None:
    [fill] = await paper.place(order(limit_price=Price("94000.2")), NOW)
    assert (fill.price, fill.quantity) == (Price("94000.2"), Quantity("0.01"))
    assert (fill.fee, fill.fee_currency) == (Decimal("0.00001"), "BTC")
    assert fill.at_ms == NOW_MS


async def test_a_sell_fills_at_the_bid_with_its_fee_in_usdt(paper: PaperExchange) -> None:
    [fill] = await paper.place(order(side=Side.SELL, purpose=Purpose.STOP), NOW)
    assert fill.price == Decimal("94000.1")
    assert (fill.fee, fill.fee_currency) == (Decimal("0.940001"), "USDT")


async def test_a_limit_beyond_the_market_does_not_fill(paper: PaperExchange) -> None:
    assert await paper.place(order(limit_price=Price("94000.1")), NOW) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quantity": Quantity("0.000009")}, "below the minimum of 0.00001"),
        ({"quantity": Quantity("0.010000001")}, "multiple of the lot"),
        ({"limit_price": Price("94000.25")}, "multiple of the tick"),
        ({"symbol": "BTX/USDT"}, "nearest: BTC/USDT"),
        ({"expires_ms": NOW_MS - 1}, "expired 1 ms before"),
        ({"side": Side.SELL}, "nothing can be sold short"),
    ],
)
async def test_what_the_venue_would_refuse_is_refused(
    paper: PaperExchange, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(VenueRefused, match=said):
        await paper.place(order(**changes), NOW)


@pytest.mark.parametrize("rate", [Decimal(0), Decimal(1), Decimal(30)])
async def test_an_old_book_fills_nothing_and_what_is_old_scales_with_the_venue(
    okx: LocalOkx, paper: PaperExchange, rate: Decimal
) -> None:
    now = ClockReading(venue_ms=NOW_MS, wall_ms=0, rate=rate)
    limit_ms = 15_000 * max(1, int(rate))
    okx.answers["market/books"] = envelope([book(ts=str(NOW_MS - limit_ms))])
    assert len(await paper.place(order(), now)) == 1
    okx.answers["market/books"] = envelope([book(ts=str(NOW_MS - limit_ms - 1))])
    with pytest.raises(VenueUnavailable, match="Nothing was traded"):
        await paper.place(order(), now)


LEVEL = ["94000.1", "1", "0", "1"]


@pytest.mark.parametrize(
    "answer",
    [
        text("<html>"),
        envelope([]),
        envelope([book(ts=None)]),
        envelope([book(ts=str(NOW_MS + 60_000))]),
        envelope([book(asks=None)]),
        envelope([book(asks=[["94000.2"]])]),
        envelope([book(asks=[["94000.2", None, "0", "1"]])]),
        envelope([book(asks=[["0", "1", "0", "1"]])]),
        envelope([book(asks=[["94000.2", "-1", "0", "1"]])]),
        envelope([book(asks=[["94000.3", "1", "0", "1"], ["94000.2", "1", "0", "1"]])]),
        envelope([book(bids=[["94000", "1", "0", "1"], LEVEL])]),
        envelope([book(asks=[LEVEL])]),
    ],
    ids=[
        *("a page", "no row", "no time", "from the future", "no side", "half a level"),
        *("no size", "a price of 0", "a size below 0", "asks fall", "bids rise", "crossed"),
    ],
)
async def test_a_book_that_cannot_be_read_trades_nothing(
    okx: LocalOkx, paper: PaperExchange, answer: Handler
) -> None:
    okx.answers["market/books"] = answer
    with pytest.raises(VenueUnavailable):
        await paper.place(order(), NOW)


async def test_a_coin_delisted_since_it_was_listed_is_refused_and_not_left_in_the_air(
    okx: LocalOkx, paper: PaperExchange
) -> None:
    await paper.place(order(), NOW)
    okx.answers["market/books"] = envelope([], code="51001", msg="Instrument ID does not exist")
    with pytest.raises(VenueRefused, match="51001"):
        await paper.place(order(), NOW)


async def test_what_rested_fills_at_its_own_price_and_no_book_is_asked_for(
    okx: LocalOkx, paper: PaperExchange
) -> None:
    okx.answers["market/books"] = envelope([book(bids=[])])
    sale = order(side=Side.SELL, purpose=Purpose.STOP, resting=Price("91000.17"))
    [fill] = await paper.place(sale.model_copy(update={"crossed_ms": NOW_MS - 9_000}), NOW)
    assert (fill.price, fill.quantity) == (Price("91000.1"), sale.quantity)
    assert fill.at_ms == NOW_MS - 9_000
    assert okx.asked("market/books") == 0


async def test_nothing_trades_while_the_exchange_has_halted_the_coin(
    okx: LocalOkx, paper: PaperExchange
) -> None:
    okx.answers["public/instruments"] = envelope([instrument(state="suspend")])
    with pytest.raises(VenueUnavailable, match=r"has halted BTC/USDT.*Nothing was traded"):
        await paper.place(order(side=Side.SELL, purpose=Purpose.HOLD), NOW)


async def test_an_order_walks_the_book_as_far_as_its_limit(paper: PaperExchange) -> None:
    deep = order(quantity=Decimal(1), limit_price=Decimal("94000.3"))
    fills = await paper.place(deep, NOW)
    assert [(fill.price, fill.quantity) for fill in fills] == [
        (Price("94000.2"), Quantity("0.5")),
        (Price("94000.3"), Quantity("0.5")),
    ]
    [first] = await paper.place(order(quantity=Decimal(1), limit_price=Decimal("94000.2")), NOW)
    assert first.quantity == Quantity("0.5"), "the rest is beyond the limit, and is cancelled"


async def test_an_empty_side_has_nothing_to_trade_with(okx: LocalOkx, paper: PaperExchange) -> None:
    okx.answers["market/books"] = envelope([book(asks=[], bids=[])])
    assert await paper.place(order(), NOW) == []


async def test_the_same_order_always_has_the_same_trade_id(paper: PaperExchange) -> None:
    first, second = await paper.place(order(), NOW), await paper.place(order(), NOW)
    assert first[0].trade_id == second[0].trade_id


async def test_a_paper_venue_never_had_what_is_not_in_the_ledger(paper: PaperExchange) -> None:
    await paper.place(order(), NOW)
    assert await paper.look_up(order()) is None


@pytest.mark.parametrize("crossed", [True, False])
async def test_a_stop_is_sold_by_a_book_that_was_asked_for_after_its_price_came(
    paper: PaperExchange, okx: LocalOkx, *, crossed: bool
) -> None:
    """An entry's question that is on its way yet has an answer from before."""
    answered = asyncio.Event()

    async def late(request: web.Request) -> web.StreamResponse:
        made = envelope([book()])
        await answered.wait()
        return await made(request)

    okx.answers["market/books"] = late
    buying = asyncio.create_task(paper.place(order(), NOW))
    while not okx.asked("market/books"):  # noqa: ASYNC110 - the server sets no event
        await asyncio.sleep(0.01)
    fallen = book(bids=[["57000", "2", "0", "1"]])
    okx.answers["market/books"] = envelope([fallen if crossed else book()])
    [fill] = await paper.place(order(side=Side.SELL, purpose=Purpose.STOP), NOW)
    assert fill.price == Price(57_000 if crossed else "94000.1")
    answered.set()
    await buying
