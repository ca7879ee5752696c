"""Paper orders trade at bid or ask, whole or not at all."""

from decimal import Decimal

import pytest

from oxbot.domain.matching import fill_at_touch
from oxbot.domain.money import Price
from oxbot.domain.orders import OrderState
from tests.support.trading import NOW_MS, entry, leave, quote

pytestmark = pytest.mark.critical

RATE = Decimal("0.001")


def test_a_buy_trades_at_the_ask_and_pays_its_fee_in_the_coin() -> None:
    order = entry("b1")
    made = fill_at_touch(order, quote(bid="60000"), RATE, NOW_MS)
    assert made
    assert (made.price, made.quantity) == (Price("60000.1"), order.quantity)
    assert (made.fee, made.fee_currency) == (Decimal("0.0001"), "BTC")
    assert (made.order_id, made.at_ms) == (order.id, NOW_MS)


def test_a_sell_trades_at_the_bid_and_pays_its_fee_in_usdt() -> None:
    made = fill_at_touch(leave("b1", 1, "0.1"), quote(bid="60000"), RATE, NOW_MS)
    assert made
    assert (made.price, made.fee, made.fee_currency) == (Price(60000), Decimal(6), "USDT")


@pytest.mark.parametrize(
    ("limit", "fills"), [("60000.1", True), ("60000.2", True), ("60000.0", False)]
)
def test_a_buy_never_trades_above_its_limit(limit: str, *, fills: bool) -> None:
    order = entry("b1", limit_price=Price(limit))
    assert (fill_at_touch(order, quote(bid="60000"), RATE, NOW_MS) is not None) is fills


@pytest.mark.parametrize(("limit", "fills"), [("60000", True), ("59999", True), ("60001", False)])
def test_a_sell_never_trades_below_its_limit(limit: str, *, fills: bool) -> None:
    order = leave("b1", 1, "0.1", limit_price=Price(limit))
    assert (fill_at_touch(order, quote(bid="60000"), RATE, NOW_MS) is not None) is fills


def test_the_same_order_always_has_the_same_trade_id() -> None:
    order = entry("b1")
    one = fill_at_touch(order, quote(), RATE, NOW_MS)
    other = fill_at_touch(
        order.model_copy(update={"state": OrderState.SENT}), quote(bid="59000"), RATE, NOW_MS + 9
    )
    assert one
    assert other
    assert one.trade_id == other.trade_id
