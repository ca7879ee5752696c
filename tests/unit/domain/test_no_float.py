"""From the exchange to the database money is no float: neither by its type nor on the way."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError

import oxbot.app
import oxbot.domain
from oxbot.domain.money import Amount, CurrencyAmount
from oxbot.domain.values import Value
from workflows.state import BotState

pytestmark = pytest.mark.critical

ROOT = Path(oxbot.domain.__file__).parents[2]
WAY_OF_MONEY = (
    "oxbot/domain",
    "oxbot/messages.py",
    "oxbot/records.py",
    "oxbot/app",
    "oxbot/adapters/okx",
    "oxbot/adapters/paper",
    "oxbot/adapters/postgres",
    "activities",
    "workflows",
)
FLOATS = {
    "Indicators": "indicators are no money",
    "Run": "seconds that a replay took",
    "ReplayReport": "seconds that a replay took",
    "FeedStatus": "seconds and rates of a feed",
    "ServerStatus": "milliseconds of a round trip",
}
"""Values that have floats, with what those are."""


def modules() -> Iterator[str]:
    yield from ("oxbot.messages", "oxbot.records", "workflows.state")
    for package in (oxbot.domain, oxbot.app):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            yield found.name


def values() -> list[type[Any]]:
    """All values and messages, and the workflow's state."""
    for name in modules():
        importlib.import_module(name)
    return [*_below(Value), BotState]


def _below(base: type[Value]) -> Iterator[type[Value]]:
    for value in base.__subclasses__():
        yield from (value, *_below(value))


def parts(annotation: object) -> Iterator[object]:
    """An annotation and all that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from parts(part)


def holds_money(annotation: object) -> bool:
    currency = get_args(CurrencyAmount)[1]
    return any(
        part is currency or (isinstance(part, type) and issubclass(part, Amount))
        for part in parts(annotation)
    )


MONEY = [
    pytest.param(value, name, id=f"{value.__name__}.{name}")
    for value in values()
    if value.__module__.startswith(("oxbot.", "workflows."))
    for name, field in value.model_fields.items()
    if holds_money(field.rebuild_annotation())
]


def test_the_walk_finds_the_fields_of_money() -> None:
    found = {str(param.id) for param in MONEY}
    assert found >= {
        "Quote.bid", "Candle.volume", "Order.quantity", "Fill.fee", "Entry.amount",
        "Position.cost", "Portfolio.dust", "BotSettings.capital", "PositionBrief.unrealised",
        "BotState.equity", "AuditFigures.drift", "TradeRow.net_pnl", "FillLine.fee",
    }  # fmt: skip


@pytest.mark.parametrize(("value", "name"), MONEY)
def test_a_field_of_money_refuses_a_float(value: type[Value], name: str) -> None:
    field = value.model_fields[name]
    adapter: TypeAdapter[object] = TypeAdapter(field.rebuild_annotation())
    for wrong in (1.5, {"BTC/USDT": 1.5}):
        with pytest.raises(ValidationError):
            adapter.validate_python(wrong)


def test_a_value_with_a_float_says_why_it_is_no_money() -> None:
    found = {
        value.__name__
        for value in values()
        if value.__module__.startswith(
            ("oxbot.domain", "oxbot.messages", "oxbot.records", "oxbot.app")
        )
        for field in value.model_fields.values()
        if float in parts(field.annotation)
    }
    assert found <= FLOATS.keys()


def calls_of_float(source: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(source)):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id == "float":
            yield called.lineno


def test_only_indicators_are_made_into_floats() -> None:
    files = [path for place in WAY_OF_MONEY for path in _files(ROOT / place)]
    found = {
        str(path.relative_to(ROOT)) for path in files if [*calls_of_float(path.read_text("utf-8"))]
    }
    assert found == {"oxbot/domain/indicators.py"}


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))
