"""What an amount with a unit can do; `oxbot.domain.units` has the units.

Sums and comparisons exist within one unit; a bare number scales an amount; two of one unit have
a ratio. Anything else is a TypeError, and an error to mypy. Nothing is rounded on the way:
`oxbot.domain.money` rounds, where it is said.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Never, Self, overload

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from oxbot.domain.decimals import EXACT, LARGEST, decimal_from, no_float

if TYPE_CHECKING:
    # To mypy an amount is no Decimal: else it would pass wherever a bare number is meant, and
    # Decimal's own operators would take it. Nor is there a way to a float.
    class _Number:
        def __new__(cls, value: Decimal) -> Self: ...
        def __bool__(self) -> bool: ...
        @property
        def number(self) -> Decimal: ...

else:

    class _Number(Decimal):
        """A Decimal, as PostgreSQL, JSON and pydantic know it, less what units rule out."""

        __slots__ = ()

        @property
        def number(self) -> Decimal:
            """The bare number."""
            return Decimal(self)

        def _has_no_such_operation(self, *_: object) -> Never:
            raise TypeError(f"{self!r} has no such operation; if it is meant, say .number")

        __float__ = __complex__ = __round__ = _has_no_such_operation
        __floordiv__ = __mod__ = __divmod__ = __pow__ = _has_no_such_operation
        __rfloordiv__ = __rmod__ = __rdivmod__ = __rpow__ = _has_no_such_operation
        __rsub__ = __rtruediv__ = _has_no_such_operation


class Amount(_Number):
    """What all units have in common.

    Args:
        value: Text, an integer or a Decimal, as `decimal_from` takes them.

    Raises:
        InputError: What `decimal_from` refuses.
        TypeError: An amount of another unit.
    """

    __slots__ = ()

    def __new__(cls, value: str | int | Decimal | Self = 0) -> Self:
        """Take a number in, or an amount of this unit as it is."""
        if isinstance(value, Amount):
            if type(value) is not cls:
                raise TypeError(f"{value!r} is no {_name(cls)}")
            return value
        return cls.exactly(decimal_from(value, f"a {_name(cls)}"))

    @classmethod
    def exactly(cls, number: Decimal) -> Self:
        """Give a number that was calculated its unit, whatever its size."""
        return super().__new__(cls, number)

    def _same(self, other: object) -> Decimal:
        """Give the number of an amount of this unit; TypeError for anything else."""
        if not isinstance(other, Amount) or type(other) is not type(self):
            raise TypeError(f"{self!r} and {other!r} are not of one unit")
        return other.number

    def _bare(self, other: object) -> Decimal:
        """Give a number without a unit; TypeError for an amount, a float or anything else."""
        if isinstance(other, Amount | bool) or not isinstance(other, Decimal | int):
            raise TypeError(f"{self!r} takes a bare number here, not {other!r}")
        return Decimal(other)

    def _compared(self, other: object) -> Decimal:
        return self._same(other) if isinstance(other, Amount) else self._bare(other)

    def __add__(self, other: Self) -> Self:
        return self.exactly(EXACT.add(self.number, self._same(other)))

    def __radd__(self, other: Literal[0]) -> Self:
        """Let sum() begin with its own 0; no other bare number is added."""
        if self._bare(other):
            raise TypeError(f"{other!r} is not of the unit of {self!r}")
        return self

    def __sub__(self, other: Self) -> Self:
        return self.exactly(EXACT.subtract(self.number, self._same(other)))

    def __mul__(self, other: Decimal | int) -> Self:
        return self.exactly(EXACT.multiply(self.number, self._bare(other)))

    def __rmul__(self, other: Decimal | int) -> Self:
        return self.exactly(EXACT.multiply(self._bare(other), self.number))

    @overload
    def __truediv__(self, other: Self) -> Decimal: ...
    @overload
    def __truediv__(self, other: Decimal | int) -> Self: ...
    def __truediv__(self, other: Self | Decimal | int) -> Decimal | Self:
        if type(other) is type(self):
            return EXACT.divide(self.number, self._same(other))
        return self.exactly(EXACT.divide(self.number, self._bare(other)))

    def __neg__(self) -> Self:
        return self.exactly(self.number.copy_negate())

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self.exactly(self.number.copy_abs())

    def __lt__(self, other: Self | Decimal | int) -> bool:
        return self.number < self._compared(other)

    def __le__(self, other: Self | Decimal | int) -> bool:
        return self.number <= self._compared(other)

    def __gt__(self, other: Self | Decimal | int) -> bool:
        return self.number > self._compared(other)

    def __ge__(self, other: Self | Decimal | int) -> bool:
        return self.number >= self._compared(other)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decimal | int | float):
            return NotImplemented
        return self.number == self._compared(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.number)

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self}')"

    @classmethod
    def __get_pydantic_core_schema__(cls, _: type, __: GetCoreSchemaHandler) -> CoreSchema:
        return cls.schema()

    @classmethod
    def schema(
        cls,
        *,
        gt: Decimal | None = None,
        ge: Decimal | None = None,
        le: Decimal | None = None,
    ) -> CoreSchema:
        """Give pydantic's schema: to JSON and OpenAPI an amount is a Decimal."""
        number = core_schema.decimal_schema(allow_inf_nan=False, gt=gt, ge=ge, le=le)
        checked = core_schema.no_info_before_validator_function(cls._no_other, number)
        return core_schema.no_info_after_validator_function(cls._within, checked)

    @classmethod
    def _no_other(cls, value: object) -> object:
        if isinstance(value, Amount) and type(value) is not cls:
            told = {"value": repr(value), "unit": _name(cls)}
            raise PydanticCustomError("unit", "{value} is no {unit}", told)
        return no_float(value)

    @classmethod
    def _within(cls, number: Decimal) -> Self:
        if number.copy_abs() > LARGEST:
            raise PydanticCustomError("amount_size", "An amount is at most 10^18")
        return cls.exactly(number)


def _name(unit: type[Amount]) -> str:
    return unit.__name__.lower()
