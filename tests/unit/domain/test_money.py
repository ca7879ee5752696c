"""Money: one way in, exact arithmetic, rounding only where it is stated."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.domain.errors import InputError
from oxbot.domain.money import (
    MONEY_SCALE,
    basis_points,
    ceil_to,
    decimal_from,
    floor_to,
    share,
    times,
    to_scale,
)

pytestmark = pytest.mark.critical

AMOUNTS = st.decimals(0, 10**12, places=12, allow_nan=False)
STEPS = st.sampled_from([Decimal(s) for s in ("0.00000001", "0.0001", "0.1", "0.5", "1", "25")])


@given(st.integers(-(10**18), 10**18), st.decimals(-(10**18), 10**18, allow_nan=False))
def test_text_integers_and_decimals_come_in_unchanged(whole: int, amount: Decimal) -> None:
    assert decimal_from(whole) == whole
    assert decimal_from(amount) == amount
    assert decimal_from(str(amount)) == amount


@pytest.mark.parametrize("value", [0.1, 1.0, float("nan"), True])
def test_a_float_never_becomes_money(value: Any) -> None:  # noqa: ANN401 - the wrong type
    with pytest.raises(InputError, match="never floats"):
        decimal_from(value, "price")


@pytest.mark.parametrize(
    "value", ["NaN", "sNaN", "Infinity", "-inf", "1e30", "-1e30", "", "ten", "1,5", "1.2.3", None]
)
def test_what_is_no_finite_number_of_sane_size_is_refused(value: Any) -> None:  # noqa: ANN401 - as above
    with pytest.raises(InputError, match="price is"):
        decimal_from(value, "price")


@given(AMOUNTS, STEPS)
def test_rounding_to_a_step_gives_the_nearest_multiple_on_its_side(
    number: Decimal, step: Decimal
) -> None:
    below, above = floor_to(number, step), ceil_to(number, step)
    assert Fraction(below) / Fraction(step) == (Fraction(number) // Fraction(step))
    assert Fraction(above) % Fraction(step) == 0
    assert Fraction(below) <= Fraction(number) <= Fraction(above)
    assert Fraction(above) - Fraction(below) in (0, Fraction(step))
    assert floor_to(below, step) == ceil_to(below, step) == below


@given(AMOUNTS, AMOUNTS)
def test_a_product_is_rounded_once_and_by_half_a_step_at_most(
    left: Decimal, right: Decimal
) -> None:
    exact = Fraction(left) * Fraction(right)
    assert abs(Fraction(times(left, right)) - exact) <= Fraction(MONEY_SCALE) / 2
    assert times(left, right) == times(right, left)


@given(AMOUNTS, AMOUNTS, AMOUNTS.filter(bool))
def test_the_parts_of_an_amount_are_near_their_share_and_the_whole_is_whole(
    amount: Decimal, part: Decimal, whole: Decimal
) -> None:
    exact = Fraction(amount) * Fraction(part) / Fraction(whole)
    assert abs(Fraction(share(amount, part, whole)) - exact) <= Fraction(MONEY_SCALE)
    assert share(amount, whole, whole) == amount
    assert share(amount, Decimal(0), whole) == 0


def test_halves_round_to_even() -> None:
    assert to_scale(Decimal("0.0000000000005")) == 0
    assert to_scale(Decimal("0.0000000000015")) == Decimal("0.000000000002")


@pytest.mark.parametrize(
    ("part", "whole", "points"),
    [("0.1", "100", "10"), ("1", "3", "3333.33"), ("0", "7", "0"), ("100", "100", "10000")],
)
def test_basis_points_are_ten_thousandths_of_the_whole(part: str, whole: str, points: str) -> None:
    assert basis_points(Decimal(part), Decimal(whole)) == Decimal(points)
