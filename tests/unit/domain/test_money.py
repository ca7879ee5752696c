"""Money: one way in, exact arithmetic, rounding only where it is stated."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from oxbot.domain.errors import InputError
from oxbot.domain.market import Instrument
from oxbot.domain.money import (
    LARGEST,
    MONEY_SCALE,
    Amount,
    Notional,
    Price,
    Quantity,
    basis_points,
    ceil_to,
    decimal_from,
    floor_to,
    share,
    to_scale,
    whole_steps,
)
from tests.support.trading import BTC

pytestmark = pytest.mark.critical

AMOUNTS = st.decimals(-(10**12), 10**12, places=12, allow_nan=False)
STEPS = st.sampled_from([Price(s) for s in ("0.00000001", "0.0001", "0.1", "0.5", "1", "25")])


def exact(amount: Amount) -> Fraction:
    return Fraction(amount.number)


@given(st.integers(-(10**18), 10**18), st.decimals(-(10**18), 10**18, allow_nan=False))
def test_text_integers_and_decimals_come_in_unchanged(whole: int, amount: Decimal) -> None:
    for number in (whole, amount, str(amount)):
        assert decimal_from(number) == Decimal(number)
        assert Price(number) == Quantity(number).number == Notional(number).number
        assert Price(number) == Decimal(number)


@pytest.mark.parametrize("value", [0.1, 1.0, float("nan"), True])
def test_a_float_never_becomes_money(value: Any) -> None:  # noqa: ANN401 - the wrong type
    for way_in in (decimal_from, Price, Quantity, Notional):
        with pytest.raises(InputError, match="never floats"):
            way_in(value)


@pytest.mark.parametrize(
    "value", ["NaN", "sNaN", "Infinity", "-inf", "1e30", "-1e30", "", "ten", "1,5", "1.2.3", None]
)
def test_what_is_no_finite_number_of_sane_size_is_refused(value: Any) -> None:  # noqa: ANN401 - as above
    with pytest.raises(InputError, match="fee is"):
        decimal_from(value, "fee")
    with pytest.raises(InputError, match="a price is"):
        Price(value)


@given(AMOUNTS.map(Price), STEPS)
def test_rounding_to_a_step_gives_the_nearest_multiple_on_its_side(
    price: Price, step: Price
) -> None:
    below, above, inwards = floor_to(price, step), ceil_to(price, step), whole_steps(price, step)
    assert exact(below) / exact(step) == exact(price) // exact(step)
    assert exact(above) % exact(step) == 0
    assert below <= price <= above
    assert above - below in (Price(0), step)
    assert floor_to(below, step) == ceil_to(below, step) == below
    assert inwards == (below if price >= 0 else above)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_instrument_rounds_what_is_held_and_what_is_owed_alike(sign: int) -> None:
    steps = Instrument(symbol=BTC, tick=Price("0.1"), lot=Quantity("0.1"), minimum=Quantity("0.5"))
    assert steps.whole_lots(Quantity("0.59") * sign) == Quantity("0.5") * sign
    assert steps.is_tradable(Quantity("0.59") * sign)
    assert not steps.is_tradable(Quantity("0.49") * sign)
    assert steps.round_price_down(Price("1.19")) == Price("1.1")
    assert steps.round_price_up(Price("1.11")) == Price("1.2")


@given(AMOUNTS.map(Notional), AMOUNTS.map(Quantity), AMOUNTS.filter(bool).map(Quantity))
def test_the_parts_of_an_amount_are_near_their_share_and_the_whole_is_whole(
    amount: Notional, part: Quantity, whole: Quantity
) -> None:
    true = exact(amount) * exact(part) / exact(whole)
    assert abs(exact(share(amount, part, whole)) - true) <= Fraction(MONEY_SCALE)
    assert share(amount, whole, whole) == amount
    assert share(amount, Quantity(0), whole) == 0


def test_halves_round_to_even() -> None:
    assert to_scale(Notional("0.0000000000005")) == 0
    assert to_scale(Notional("0.0000000000015")) == Notional("0.000000000002")


@pytest.mark.parametrize(
    ("part", "whole", "points"),
    [("0.1", "100", "10"), ("1", "3", "3333.33"), ("0", "7", "0"), ("100", "100", "10000")],
)
def test_basis_points_are_ten_thousandths_of_the_whole(part: str, whole: str, points: str) -> None:
    assert basis_points(Price(part), Price(whole)) == Decimal(points)


def test_the_largest_amounts_still_come_in() -> None:
    assert Notional(LARGEST) == 10**18
    assert -Notional(LARGEST) == -(10**18)


@pytest.mark.parametrize("text", ["1e999999999", "-1e999999999", "1e1000000"])
def test_a_number_too_large_for_arithmetic_is_refused_like_any_other(text: str) -> None:
    with pytest.raises(InputError, match="at most"):
        decimal_from(text)
    with pytest.raises(ValidationError):
        TypeAdapter(Price).validate_python(text)
