"""What the books can take of sales that become known late."""

from decimal import Decimal

import pytest

from oxbot.domain.money import Notional, Quantity
from oxbot.domain.orders import Fill
from oxbot.domain.portfolio import Position
from oxbot.domain.resting import Beyond, within
from oxbot.domain.settlement import settle
from tests.support.trading import INSTRUMENT, entry, fill, leave

pytestmark = pytest.mark.critical


def bought(at_ms: int, quantity: str = "1") -> Fill:
    """Coins that came in at a time."""
    order = entry("b1", at_ms, quantity=Quantity(quantity))
    return fill(order, at_ms=at_ms, fee=Decimal(0))


def sold(at_ms: int, quantity: str = "1") -> Fill:
    """Coins that went out at a time."""
    return fill(leave("b1", at_ms, quantity), at_ms=at_ms)


def position(*traded: Fill) -> Position | None:
    """What is held when these fills are booked in their order."""
    held: Position | None = None
    for one in traded:
        side = entry("b1") if one.side == "buy" else leave("b1", 1, "1")
        held = settle(held, Notional(0), side, one, INSTRUMENT).position
    return held


def taken(sales: list[Fill], *traded: Fill) -> list[tuple[int, str]]:
    """When and how much the books take."""
    fills = within(sales, position(*traded), traded)
    return [(one.at_ms, str(one.quantity)) for one in fills]


def test_of_nothing_nothing_is_taken() -> None:
    assert within([sold(5)], None, ()) == []


def test_what_was_sold_before_anything_was_bought_is_not_taken() -> None:
    assert taken([sold(4)], bought(5)) == []
    assert taken([sold(5)], bought(5)) == [(5, "1")]


def test_what_was_sold_before_a_position_was_opened_is_taken_of_what_was_booked_late() -> None:
    """The position is of 5 on record; what was bought at 3 was booked into it afterwards."""
    assert taken([sold(4)], bought(5), bought(3)) == [(4, "1")]
    assert taken([sold(2)], bought(5), bought(3)) == []


def test_no_more_is_taken_than_was_there_then() -> None:
    assert taken([sold(4, "1")], bought(5), bought(3, "0.3")) == [(4, "0.3")]
    two = [sold(4, "0.2"), sold(4, "0.2")]
    assert taken(two, bought(5), bought(3, "0.3")) == [(4, "0.2"), (4, "0.1")]


def test_no_more_is_taken_than_was_there_ever_since() -> None:
    """What an exit sold at 6 can only have been what an earlier sale had left."""
    assert taken([sold(4)], bought(3), sold(6, "0.8"), bought(7)) == [(4, "0.2")]


def test_no_more_is_taken_than_is_held() -> None:
    held = position(bought(3))
    assert held
    less = held.model_copy(update={"quantity": Quantity("0.4")})
    [part] = within([sold(4)], less, [bought(3)])
    assert part.quantity == Quantity("0.4")


def test_the_rest_is_beyond_with_what_it_brought() -> None:
    whole = sold(4)
    [part] = within([whole], position(bought(3, "0.4")), [bought(3, "0.4")])
    beyond = Beyond.of([whole], [part])
    assert beyond.quantity == Quantity("0.6")
    assert beyond.proceeds + part.cash == whole.cash
    assert Beyond.of([whole], []) == Beyond(quantity=whole.quantity, proceeds=whole.cash)
