"""Numbers that people set as limits: whoever reads one, by whatever way, refuses the same ones.

None is a float, and none is finer than the record and the figures of the rules can keep.
"""

from decimal import Decimal
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from oxbot.domain.decimals import EXACT, no_float
from oxbot.domain.units import Bounded, Notional

DECIMALS: Final = 8
"""Digits after the point that a limit may have."""

_FINEST: Final = Decimal(1).scaleb(-DECIMALS)

OfLimit = TypeVar("OfLimit", bound=Decimal | Notional)


def _keepable(limit: OfLimit) -> OfLimit:
    number = limit.number if isinstance(limit, Notional) else limit
    if number != number.quantize(_FINEST, context=EXACT):
        told = {"decimals": DECIMALS}
        raise PydanticCustomError("decimals", "a limit has at most {decimals} decimals", told)
    return limit


Number = TypeVar("Number")
Keepable = Annotated[Number, BeforeValidator(no_float), AfterValidator(_keepable)]
"""Of a number with bounds: these are looked at first, so that only its decimals can be too many."""

LimitFraction = Keepable[Annotated[Decimal, Field(gt=0, le=1)]]
"""A part of a whole: 0.15 is 15 %."""

LimitBasisPoints = Keepable[Annotated[Decimal, Field(gt=0, le=10_000)]]

LimitNotional = Keepable[Annotated[Notional, Bounded(ge=Decimal(0), le=Decimal(10**12))]]
"""USDT."""
