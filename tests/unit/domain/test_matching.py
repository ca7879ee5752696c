"""Paper orders trade against the book, level by level, never beyond their limit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.book import Book, Level
from oxbot.domain.market import Instrument
from oxbot.domain.matching import rested, walk
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Fill, Order, Side
from tests.support.trading import INSTRUMENT, NOW_MS, entry, leave

pytestmark = pytest.mark.critical

RATE = Decimal("0.001")


def book(*, bids: dict[str, str] | None = None, asks: dict[str, str] | None = None) -> Book:
    """A book of prices and sizes, each side from its best price on."""
    return Book(
        symbol="BTC/USDT",
        bids=_levels(bids if bids is not None else {"60000": "1"}),
        asks=_levels(asks if asks is not None else {"60000.1": "1"}),
        exchange_ms=NOW_MS - 5,
        received_ms=NOW_MS,
    )


def _levels(side: dict[str, str]) -> tuple[Level, ...]:
    return tuple(Level(Price(price), Quantity(size)) for price, size in side.items())


def walked(order: Order, seen: Book, instrument: Instrument = INSTRUMENT) -> list[Fill]:
    return walk(order, seen, instrument, RATE)


def test_a_buy_trades_at_the_ask_and_pays_its_fee_in_the_coin() -> None:
    order = entry("b1")
    [made] = walked(order, book())
    assert (made.price, made.quantity) == (Price("60000.1"), order.quantity)
    assert (made.fee, made.fee_currency) == (Decimal("0.0001"), "BTC")
    assert (made.order_id, made.at_ms) == (order.id, NOW_MS)


def test_a_sell_trades_at_the_bid_and_pays_its_fee_in_usdt() -> None:
    [made] = walked(leave("b1", 1, "0.1"), book())
    assert (made.price, made.fee, made.fee_currency) == (Price(60000), Decimal(6), "USDT")


@pytest.mark.parametrize(
    ("limit", "fills"), [("60000.1", True), ("60000.2", True), ("60000.0", False)]
)
def test_a_buy_never_trades_above_its_limit(limit: str, *, fills: bool) -> None:
    assert bool(walked(entry("b1", limit_price=Price(limit)), book())) is fills


@pytest.mark.parametrize(("limit", "fills"), [("60000", True), ("59999", True), ("60001", False)])
def test_a_sell_never_trades_below_its_limit(limit: str, *, fills: bool) -> None:
    assert bool(walked(leave("b1", 1, "0.1", limit_price=Price(limit)), book())) is fills


def test_a_level_that_is_too_small_is_taken_whole_and_the_next_one_gives_the_rest() -> None:
    asks = {"60000.1": "0.03", "60000.5": "0.02", "60001": "5"}
    fills = walked(entry("b1"), book(asks=asks))
    taken = [(fill.price, fill.quantity) for fill in fills]
    assert taken == [
        (Price("60000.1"), Quantity("0.03")),
        (Price("60000.5"), Quantity("0.02")),
        (Price(60001), Quantity("0.05")),
    ]
    assert len({fill.trade_id for fill in fills}) == len(fills)


def test_what_lies_beyond_the_limit_or_the_depth_is_cancelled() -> None:
    bids = {"60000": "0.03", "59990": "0.02"}
    [near] = walked(leave("b1", 1, "0.1", limit_price=Price(59995)), book(bids=bids))
    assert near.quantity == Quantity("0.03")
    both = walked(leave("b1", 1, "0.1"), book(bids=bids))
    assert sum((fill.quantity for fill in both), Quantity(0)) == Quantity("0.05")
    assert walked(leave("b1", 1, "0.1"), book(bids={})) == []


def test_a_level_gives_whole_lots() -> None:
    coarse = INSTRUMENT.model_copy(update={"lot": Quantity("0.01")})
    fills = walked(entry("b1"), book(asks={"60000.1": "0.005", "60000.2": "0.037"}), coarse)
    assert [fill.quantity for fill in fills] == [Quantity("0.03")]


def test_the_same_order_always_has_the_same_trade_ids() -> None:
    order = entry("b1")
    [one], [other] = walked(order, book()), walked(order, book(asks={"59000": "1"}))
    assert one.trade_id == other.trade_id


def test_an_exit_that_rested_fills_whole_at_its_price_and_time_on_the_tick_that_is_worse() -> None:
    met: dict[str, object] = {"crossed_ms": NOW_MS - 7}
    sold = leave("b1", 1, "0.1", resting=Price("57900.19"), **met)
    covered = leave("b1", 1, "0.1", side=Side.BUY, resting=Price("62100.11"), **met)
    sale, cover = (rested(order, INSTRUMENT, RATE) for order in (sold, covered))
    assert (sale.price, cover.price) == (Price("57900.1"), Price("62100.2"))
    assert (sale.quantity, sale.at_ms) == (sold.quantity, NOW_MS - 7)
    assert (sale.fee, sale.fee_currency) == (Decimal("5.79001"), "USDT")
    assert walked(sold, book())[0].trade_id == sale.trade_id


sizes = st.decimals(min_value="0.00000001", max_value=3, places=8)


@given(
    st.lists(sizes, max_size=8),
    st.sampled_from(Side),
    sizes,
    st.none() | st.integers(min_value=0, max_value=8),
)
def test_fills_never_exceed_order_limit_or_book_and_best_prices_go_first(
    levels: list[Decimal], side: Side, quantity: Decimal, reach: int | None
) -> None:
    step = 1 if side is Side.BUY else -1
    rungs = {str(60000 + step * number): str(size) for number, size in enumerate(levels)}
    limit = None if reach is None else Price(60000 + step * reach)
    made = entry if side is Side.BUY else lambda bot_id: leave(bot_id, 1, "1")
    order = made("b1").model_copy(update={"quantity": Quantity(quantity), "limit_price": limit})
    seen = book(asks=rungs, bids={}) if side is Side.BUY else book(bids=rungs, asks={})

    fills = walked(order, seen)

    within = levels if reach is None else levels[: reach + 1]
    got = sum((fill.quantity for fill in fills), Quantity(0))
    assert got == Quantity(min(quantity, sum(within, Decimal(0))))
    prices = [fill.price for fill in fills]
    assert prices == sorted(prices, reverse=side is Side.SELL)
    for fill, size in zip(fills[:-1], levels, strict=False):
        assert fill.quantity == Quantity(size), "a level is emptied before the next one is touched"


def test_an_order_that_rested_fills_whole_where_it_was_met() -> None:
    order = leave("b1", 1, "0.1").model_copy(
        update={"resting": Price("57900.05"), "crossed_ms": NOW_MS - 9}
    )
    made = rested(order, INSTRUMENT, RATE)
    assert (made.price, made.quantity, made.at_ms) == (Price(57900), Quantity("0.1"), NOW_MS - 9)
    assert (made.fee, made.fee_currency) == (Decimal("5.79"), "USDT")


def test_what_covers_a_short_and_rested_is_not_filled_below_its_price() -> None:
    order = leave("b1", 1, "0.1").model_copy(
        update={"side": Side.BUY, "resting": Price("57900.05"), "crossed_ms": NOW_MS}
    )
    assert rested(order, INSTRUMENT, RATE).price == Price("57900.1")
