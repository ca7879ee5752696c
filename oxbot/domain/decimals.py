"""Numbers without a unit: one way in, one context that rounds nothing."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Annotated, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from oxbot.domain.errors import InputError

EXACT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
"""Wide enough that no product of two stored numbers is rounded; they have 38 digits at most."""

LARGEST: Final = Decimal("1E18")
"""Amounts beyond this are a mistake, not money."""


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
    if not number.is_finite() or number.copy_abs() > LARGEST:
        raise InputError(f"{what} is {value!r}; it must be finite and at most 10^18.")
    return number


def no_float(value: object) -> object:
    """Refuse a float where money comes in."""
    if isinstance(value, float | bool):
        raise PydanticCustomError("money_float", "Amounts are text or integers, never floats")
    return value


CurrencyAmount = Annotated[Decimal, BeforeValidator(no_float)]
"""An amount of whatever currency is named beside it, such as a fee or an entry of the ledger."""
