"""Money: amounts with units, one way in, stated scales, and rounding to steps."""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import Final, TypeVar

from oxbot.domain.amounts import Amount
from oxbot.domain.decimals import EXACT, LARGEST, CurrencyAmount, decimal_from
from oxbot.domain.units import (
    NonNegativeNotional,
    NonNegativeQuantity,
    Notional,
    PositivePrice,
    PositiveQuantity,
    Price,
    Quantity,
)

__all__ = [
    "BASIS_POINT",
    "EXACT",
    "LARGEST",
    "MONEY_SCALE",
    "Amount",
    "CurrencyAmount",
    "NonNegativeNotional",
    "NonNegativeQuantity",
    "Notional",
    "PositivePrice",
    "PositiveQuantity",
    "Price",
    "Quantity",
    "basis_points",
    "ceil_to",
    "decimal_from",
    "floor_to",
    "plain",
    "share",
    "to_scale",
    "whole_steps",
]

MONEY_SCALE: Final = Decimal("1E-12")
"""Smallest amount kept of a cost or a fee, in the currency's own unit."""

BASIS_POINT: Final = Decimal("0.0001")

OfUnit = TypeVar("OfUnit", Price, Quantity, Notional)
OfOther = TypeVar("OfOther", Price, Quantity, Notional)


def to_scale(amount: OfUnit) -> OfUnit:
    """Round an amount half-even to the money scale (10^-12)."""
    return amount.exactly(amount.number.quantize(MONEY_SCALE, context=EXACT))


def share(amount: OfUnit, part: OfOther, whole: OfOther) -> OfUnit:
    """Give the part/whole share of an amount, at the money scale."""
    product = EXACT.multiply(amount.number, part.number)
    return to_scale(amount.exactly(EXACT.divide(product, whole.number)))


def floor_to(amount: OfUnit, step: OfUnit) -> OfUnit:
    """Round down to a multiple of a step."""
    return _to_step(amount, step, ROUND_FLOOR)


def ceil_to(amount: OfUnit, step: OfUnit) -> OfUnit:
    """Round up to a multiple of a step."""
    return _to_step(amount, step, ROUND_CEILING)


def whole_steps(amount: OfUnit, step: OfUnit) -> OfUnit:
    """Round towards zero to a multiple of a step: what is owed counts like what is held."""
    return _to_step(amount, step, ROUND_DOWN)


def _to_step(amount: OfUnit, step: OfUnit, rounding: str) -> OfUnit:
    steps = EXACT.divide(amount.number, step.number)
    return step * steps.to_integral_value(rounding=rounding, context=EXACT)


def basis_points(part: OfUnit, whole: OfUnit) -> Decimal:
    """Express part/whole in basis points, rounded to a hundredth of one."""
    return EXACT.divide(EXACT.multiply(part.number, Decimal(10_000)), whole.number).quantize(
        Decimal("0.01"), context=EXACT
    )


def plain(number: Decimal | Amount) -> str:
    """Write a number without exponent and trailing zeros: 174.000000 becomes 174."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
