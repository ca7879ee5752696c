"""The units: prices, quantities of coins, and amounts of USDT.

Between them exist: price times quantity, a notional; and a notional divided by one of the two,
which is the other.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, final, overload

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

from oxbot.domain.amounts import Amount
from oxbot.domain.decimals import EXACT


@final
class Price(Amount):
    """USDT per coin."""

    __slots__ = ()

    @overload  # type: ignore[override]  # more operands than amounts at large
    def __mul__(self, other: "Quantity") -> "Notional": ...
    @overload
    def __mul__(self, other: Decimal | int) -> "Price": ...
    def __mul__(self, other: "Quantity | Decimal | int") -> "Notional | Price":
        if isinstance(other, Quantity):
            return Notional.exactly(EXACT.multiply(self.number, other.number))
        return super().__mul__(other)


@final
class Quantity(Amount):
    """Coins of one kind; negative where they are owed."""

    __slots__ = ()

    @overload  # type: ignore[override]  # as for a price
    def __mul__(self, other: Price) -> "Notional": ...
    @overload
    def __mul__(self, other: Decimal | int) -> "Quantity": ...
    def __mul__(self, other: Price | Decimal | int) -> "Notional | Quantity":
        if isinstance(other, Price):
            return other * self
        return super().__mul__(other)


@final
class Notional(Amount):
    """USDT: cash, cost, fee, PnL, equity; negative where they are owed, lost or paid."""

    __slots__ = ()

    @overload  # type: ignore[override]  # as for a price
    def __truediv__(self, other: "Notional") -> Decimal: ...
    @overload
    def __truediv__(self, other: Price) -> Quantity: ...
    @overload
    def __truediv__(self, other: Quantity) -> Price: ...
    @overload
    def __truediv__(self, other: Decimal | int) -> "Notional": ...
    def __truediv__(
        self, other: "Notional | Price | Quantity | Decimal | int"
    ) -> "Decimal | Quantity | Price | Notional":
        if isinstance(other, Price):
            return Quantity.exactly(EXACT.divide(self.number, other.number))
        if isinstance(other, Quantity):
            return Price.exactly(EXACT.divide(self.number, other.number))
        return super().__truediv__(other)


@dataclass(frozen=True)
class Bounded:
    """Bounds an amount in an annotation, as Field does for a Decimal, also in OpenAPI."""

    gt: Decimal | None = None
    ge: Decimal | None = None
    le: Decimal | None = None

    def __get_pydantic_core_schema__(
        self, unit: type[Amount], _: GetCoreSchemaHandler
    ) -> CoreSchema:
        return unit.schema(gt=self.gt, ge=self.ge, le=self.le)


PositivePrice = Annotated[Price, Bounded(gt=Decimal(0))]
PositiveQuantity = Annotated[Quantity, Bounded(gt=Decimal(0))]
NonNegativeQuantity = Annotated[Quantity, Bounded(ge=Decimal(0))]
NonNegativeNotional = Annotated[Notional, Bounded(ge=Decimal(0))]
