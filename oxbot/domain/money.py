"""Decimal arithmetic for money: one way in, stated scales, rounding by tick and lot."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Final

from oxbot.domain.errors import InputError

MONEY_SCALE: Final = Decimal("1E-12")
"""Smallest amount kept of a cost or a fee, in the currency's own unit."""

EXACT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
"""Wide enough that no product of two stored numbers is rounded."""

LARGEST: Final = Decimal("1E18")
"""Amounts beyond this are a mistake, not money."""

BASIS_POINT: Final = Decimal("0.0001")


def decimal_from(value: str | int | Decimal, what: str = "number") -> Decimal:
    """Turn a number from outside into a finite Decimal: the only way in.

    Args:
        value: Text, an integer or a Decimal; never a float.
        what: What the number is, for the error.

    Raises:
        InputError: Not a number, not finite, a float, or beyond 10^18.
    """
    if isinstance(value, float | bool):
        raise InputError(f"{what} arrived as {value!r}: amounts are text or Decimal, never floats.")
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError) as error:
        raise InputError(f"{what} is {value!r}, which is not a number.") from error
    if not number.is_finite() or abs(number) > LARGEST:
        raise InputError(f"{what} is {value!r}; it must be finite and at most 10^18.")
    return number


def to_scale(amount: Decimal) -> Decimal:
    """Round an amount half-even to the money scale (10^-12)."""
    return amount.quantize(MONEY_SCALE, context=EXACT)


def times(left: Decimal, right: Decimal) -> Decimal:
    """Multiply exactly, then round to the money scale."""
    return to_scale(EXACT.multiply(left, right))


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Give the part/whole share of an amount, at the money scale."""
    return to_scale(EXACT.divide(EXACT.multiply(amount, part), whole))


def floor_to(number: Decimal, step: Decimal) -> Decimal:
    """Round down to a multiple of a step (a lot or a tick)."""
    steps = EXACT.divide(number, step).to_integral_value(rounding=ROUND_DOWN, context=EXACT)
    return EXACT.multiply(steps, step)


def ceil_to(number: Decimal, step: Decimal) -> Decimal:
    """Round up to a multiple of a step (a lot or a tick)."""
    floored = floor_to(number, step)
    return floored if floored == number else EXACT.add(floored, step)


def basis_points(part: Decimal, whole: Decimal) -> Decimal:
    """Express part/whole in basis points, rounded to a hundredth of one."""
    return EXACT.divide(EXACT.multiply(part, Decimal(10_000)), whole).quantize(
        Decimal("0.01"), context=EXACT
    )


def plain(number: Decimal) -> str:
    """Write a number without exponent and trailing zeros: 174.000000 becomes 174."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
