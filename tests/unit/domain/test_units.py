"""Units: what exists between them is exact, and what does not is refused twice.

Each operation that does not exist carries a `type: ignore`: mypy reports one that is not needed,
so a line that mypy came to accept would fail the check of types.
"""

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError
from temporalio.contrib.pydantic import pydantic_data_converter

from oxbot.domain.money import LARGEST, Amount, Notional, PositivePrice, Price, Quantity
from oxbot.domain.values import Value

pytestmark = pytest.mark.critical

P, Q, N, D = Price(2), Quantity(3), Notional(6), Decimal(2)
NUMBERS = st.decimals(-(10**18), 10**18, places=18)
UNITS = st.sampled_from([Price, Quantity, Notional])


def exact(amount: Amount | Decimal) -> Fraction:
    return Fraction(amount.number if isinstance(amount, Amount) else amount)


@given(NUMBERS, NUMBERS, UNITS)
def test_within_a_unit_everything_is_exact_whatever_the_ambient_context(
    one: Decimal, other: Decimal, unit: type[Price]
) -> None:
    a, b = unit(one), unit(other)
    with localcontext(prec=3):
        assert exact(a + b) == exact(one) + exact(other)
        assert exact(a - b) == exact(one) - exact(other)
        assert exact(a * other) == exact(other * a) == exact(one) * exact(other)
        assert (exact(-a), exact(abs(a)), exact(+a)) == (-exact(one), abs(exact(one)), exact(one))
        assert exact(sum([a, b, a], unit(0))) == 2 * exact(one) + exact(other)
        assert {type(x) for x in (a + b, a - b, a * other, 2 * a, -a, +a, abs(a))} == {unit}
        assert (a < b, a <= b, a == b) == (one < other, one <= other, one == other)
        assert (a > other, a >= other, a != other) == (one > other, one >= other, one != other)


@given(NUMBERS, NUMBERS)
def test_price_times_quantity_is_a_notional_to_the_last_digit(one: Decimal, other: Decimal) -> None:
    product = Price(one) * Quantity(other)
    assert type(product) is type(Quantity(other) * Price(one)) is Notional
    assert exact(product) == exact(Quantity(other) * Price(one)) == exact(one) * exact(other)


@given(NUMBERS, NUMBERS.filter(bool))
def test_a_notional_divided_by_one_factor_is_the_other(one: Decimal, other: Decimal) -> None:
    notional, price, quantity = Notional(one), Price(other), Quantity(other)
    assert type(notional / price) is Quantity
    assert type(notional / quantity) is Price
    assert type(notional / notional.exactly(other)) is Decimal
    assert type(notional / other) is Notional
    assert exact(Price(one) * quantity / quantity) == exact(one)


def test_sums_begin_with_a_bare_nothing() -> None:
    assert 0 + P == P
    assert repr(sum([P, P])) == "Price('4')"  # type: ignore[list-item]


REFUSED: list[Callable[[], object]] = [
    lambda: P + Q,  # type: ignore[operator]
    lambda: P + D,  # type: ignore[operator]
    lambda: D + P,  # type: ignore[operator]
    lambda: P + 1,  # type: ignore[operator]
    lambda: 1 + P,  # type: ignore[operator]
    lambda: N - P,  # type: ignore[operator]
    lambda: D - P,  # type: ignore[operator]
    lambda: 1 - P,  # type: ignore[operator]
    lambda: P - D,  # type: ignore[operator]
    lambda: P * P,  # type: ignore[operator]
    lambda: Q * Q,  # type: ignore[operator]
    lambda: N * N,  # type: ignore[operator]
    lambda: N * P,  # type: ignore[operator]
    lambda: Q * N,  # type: ignore[operator]
    lambda: P * 1.5,  # type: ignore[operator]
    lambda: 1.5 * P,  # type: ignore[operator]
    lambda: P / Q,  # type: ignore[operator]
    lambda: Q / P,  # type: ignore[operator]
    lambda: P / N,  # type: ignore[operator]
    lambda: D / P,  # type: ignore[operator]
    lambda: 1 / P,  # type: ignore[operator]
    lambda: N / 1.5,  # type: ignore[operator]
    lambda: P // 2,  # type: ignore[operator]
    lambda: P % P,  # type: ignore[operator]
    lambda: D % P,  # type: ignore[operator]
    lambda: P**2,  # type: ignore[operator]
    lambda: 2**P,  # type: ignore[operator]
    lambda: divmod(P, P),  # type: ignore[operator]
    lambda: P < Q,  # type: ignore[operator]
    lambda: Q >= N,  # type: ignore[operator]
    lambda: P < 1.5,  # type: ignore[operator]
    lambda: 1 < P < Q,  # type: ignore[operator]
    lambda: float(P),  # type: ignore[arg-type]
    lambda: round(P, 2),  # type: ignore[call-overload]
    lambda: Price(Q),  # type: ignore[arg-type]
    lambda: P == Q,
    lambda: P != N,
    lambda: P == 2.0,
]


@pytest.mark.parametrize("operation", REFUSED)
def test_what_does_not_exist_between_units_is_a_type_error(
    operation: Callable[[], object],
) -> None:
    with pytest.raises(TypeError):
        operation()


def test_an_amount_is_no_bare_number_to_mypy() -> None:
    bare: Decimal = P  # type: ignore[assignment]
    assert isinstance(bare, Decimal), "but the database, JSON and formats know it as one"
    assert f"{P:.2f} {P} {P!r}" == "2.00 2 Price('2')"


def test_an_amount_never_changes() -> None:
    with pytest.raises(AttributeError):
        P.other = 1  # type: ignore[attr-defined]
    assert hash(P) == hash(Decimal(2)) == hash(2)
    assert P not in (None, "2", "two")


class Told(Value):
    amount: Price
    bounded: PositivePrice | None = None


class ToldBare(Value):
    amount: Decimal
    bounded: Annotated[Decimal, Field(gt=0)] | None = None


def adapted(model: type[Value], mode: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's literal
    return TypeAdapter(model).json_schema(mode=mode)["properties"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_openapi_shows_an_amount_as_it_shows_a_decimal(mode: str) -> None:
    assert adapted(Told, mode) == adapted(ToldBare, mode)


@given(NUMBERS)
def test_an_amount_travels_as_a_decimal_does_and_comes_back_of_its_unit(number: Decimal) -> None:
    told = Told(amount=Price(number))
    assert told.model_dump_json() == ToldBare(amount=number).model_dump_json()
    back = Told.model_validate_json(told.model_dump_json())
    assert back == told
    assert type(back.amount) is type(told.model_dump()["amount"]) is Price


async def test_temporal_gives_back_the_same_unit() -> None:
    told = Told(amount=Price("1.50"), bounded=Price("1E-8"))
    payloads = await pydantic_data_converter.encode([told, Notional("-7")])
    back, notional = await pydantic_data_converter.decode(payloads, [Told, Notional])
    assert (back, notional) == (told, Notional(-7))
    assert str(back.amount) == "1.50"
    assert [type(back.amount), type(back.bounded), type(notional)] == [Price, Price, Notional]


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        1.0,
        True,
        "NaN",
        "Infinity",
        Decimal("-Infinity"),
        "1e30",
        -(10**19),
        "ten",
        "",
        None,
        Q,
    ],
)
def test_no_field_takes_a_float_or_what_is_no_sane_number_of_its_unit(value: object) -> None:
    with pytest.raises(ValidationError):
        Told.model_validate({"amount": value})


@pytest.mark.parametrize("text", ["1.5", "1e3", "true"])
def test_nor_does_json(text: str) -> None:
    with pytest.raises(ValidationError):
        Told.model_validate_json(f'{{"amount": {text}}}')


@pytest.mark.parametrize("value", [0, -1, "-0.000001", Price(0)])
def test_bounds_hold_for_amounts(value: object) -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        Told.model_validate({"amount": 1, "bounded": value})


def test_whole_numbers_and_text_come_in() -> None:
    told = Told.model_validate({"amount": 7, "bounded": str(LARGEST)})
    assert (told.amount, told.bounded) == (Price(7), Price(LARGEST))
