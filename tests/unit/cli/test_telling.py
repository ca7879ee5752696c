"""Figures, times and ages as people read them."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxbot.app import telling
from oxbot.domain.errors import InputError
from oxbot.domain.money import Notional, Price, Quantity

AT_MS = 1_735_689_600_999


def test_a_time_is_shown_in_the_zone_that_was_asked_for() -> None:
    assert telling.when(AT_MS) == "2025-01-01 00:00:00"
    assert telling.when(AT_MS, ZoneInfo("Asia/Tokyo")) == "2025-01-01 09:00:00"


@pytest.mark.parametrize("name", ["Nowhere/Land", "", "../etc/passwd", "Europe"])
def test_a_zone_that_there_is_not_is_told_by_its_setting(name: str) -> None:
    with pytest.raises(InputError, match="OXBOT_TIMEZONE"):
        telling.zone(name)


@pytest.mark.parametrize(
    ("length_ms", "told"),
    [
        *((None, "-"), (-5, "0.0 s"), (0, "0.0 s"), (420, "0.4 s")),
        *((119_999, "119 s"), (120_000, "2 min"), (7_199_999, "119 min")),
        *((7_200_000, "2 h"), (172_800_000, "2 d")),
    ],
)
def test_a_length_of_time_has_its_fitting_unit(length_ms: int | None, told: str) -> None:
    assert telling.span(length_ms) == told


@pytest.mark.parametrize(
    ("amount", "told"), [("94985.3", "94,985.30"), ("2.0997", "2.0997"), ("0.00001234", "0.000012")]
)
def test_a_price_has_more_digits_the_smaller_it_is(amount: str, told: str) -> None:
    assert telling.price(Price(amount)) == told


def test_a_gain_has_its_sign() -> None:
    assert telling.gain(Notional("1234.5")) == "+1,234.50"
    assert telling.gain(Notional("-0.009")) == "-0.01"


@given(st.decimals(min_value=0, max_value=10**12, places=8))
def test_a_quantity_loses_no_digit_that_counts(quantity: Decimal) -> None:
    told = telling.coins(Quantity(quantity))
    assert Decimal(told.replace(",", "")) == quantity
    assert "E" not in told
