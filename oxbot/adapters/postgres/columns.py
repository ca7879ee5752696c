"""Column types that carry money and time exactly, both ways."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import DateTime, Dialect, Numeric
from sqlalchemy.types import TypeDecorator

from oxbot.domain.errors import InputError
from oxbot.domain.money import EXACT, Amount

PRECISION: Final = 38
SCALE: Final = 18
"""Digits after the point in the database: six more than the money scale has."""

_STEP: Final = Decimal(1).scaleb(-SCALE)
_ONE: Final = Decimal(1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Money(TypeDecorator[Decimal | Amount]):
    """NUMERIC(38,18) that rounds nothing: what would lose a digit is refused.

    Args:
        unit: In which unit it is given back; None for a bare number.

    PostgreSQL rounds silently to a column's scale, so the check is made here. What is read
    comes without trailing zeros: 10000, not 10000.000000000000000000.
    """

    impl = Numeric(PRECISION, SCALE)
    cache_ok = True

    def __init__(self, unit: type[Amount] | None = None) -> None:
        super().__init__()
        self.unit = unit

    def process_bind_param(
        self,
        value: Decimal | Amount | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy gives it
    ) -> Decimal | None:
        """Refuse with InputError what the column cannot hold exactly."""
        number = value.number if isinstance(value, Amount) else value
        if number is not None and number != number.quantize(_STEP, context=EXACT):
            raise InputError(f"{value} has more than {SCALE} decimals; it cannot be kept exactly.")
        return number

    def process_result_value(
        self,
        value: Decimal | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy gives it
    ) -> Decimal | Amount | None:
        """Drop trailing zeros."""
        if value is None or self.unit is None:
            return None if value is None else plain(value)
        return self.unit.exactly(plain(value))


def plain(value: Decimal) -> Decimal:
    """Give the same number without trailing zeros and without an exponent."""
    whole = value == value.to_integral_value(context=EXACT)
    return value.quantize(_ONE, context=EXACT) if whole else value.normalize(EXACT)


class Milliseconds(TypeDecorator[int]):
    """TIMESTAMPTZ that is an integer of ms since 1970 (UTC) on our side.

    Integer arithmetic throughout: no float ever holds a time. A time that the database made
    itself has microseconds; they are cut off.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: int | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy gives it
    ) -> datetime | None:
        """Turn ms into an aware datetime."""
        return None if value is None else _EPOCH + timedelta(milliseconds=value)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy gives it
    ) -> int | None:
        """Turn an aware datetime into ms."""
        return None if value is None else (value - _EPOCH) // _MILLISECOND
