"""Where a worker can be killed, read from the code: activities, and what execution awaits.

A new activity, or a new call of the record or the exchange on the way of an order, an exit or a
stop, is a new point without anybody having to write it down. What only live bots do is left out
of what those on paper await.
"""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType

import activities
from oxbot import ports
from oxbot.domain.bot import Mode
from oxbot.ports.live import LiveStore

APP = "oxbot.app"
"""The package of the use cases."""


@dataclass(frozen=True)
class Called:
    """A function of the use cases: its module and name."""

    module: str
    name: str


@dataclass
class Reached:
    """What an activity awaits: methods of the record, and of an exchange."""

    store: set[str] = field(default_factory=set)
    exchange: set[str] = field(default_factory=set)


def methods_of(*protocols: type) -> frozenset[str]:
    """Give the methods of ports that are awaited."""
    return frozenset(
        name
        for protocol in protocols
        for name, found in inspect.getmembers(protocol, inspect.iscoroutinefunction)
        if not name.startswith("_")
    )


STORE = methods_of(ports.Store)
EXCHANGE = methods_of(ports.Exchange, ports.LiveExchange)

ONLY_LIVE_METHODS = methods_of(LiveStore, ports.LiveExchange) - methods_of(ports.Exchange)
ONLY_LIVE = {
    Called(f"{APP}.{module}", name)
    for module, name in (
        ("protected", "keep_protected"),
        ("resting", "take_back"),
        ("resting", "rests"),
        ("reconciliation", "_look_up"),
        ("reconciliation", "_book_missed"),
        ("reconciliation", "_end_ghosts"),
        ("reconciliation", "_prove_all"),
        ("reconciliation", "_send_exits"),
        ("reconciliation", "_tell_orders"),
        ("coverage", "coverage"),
    )
}
"""Functions that nothing calls for a bot on paper."""


@cache
def activities_found(mode: Mode) -> dict[str, Reached]:
    """Give every activity by its name, with what it awaits."""
    found: dict[str, Reached] = {}
    for info in pkgutil.iter_modules(activities.__path__):
        module = f"{activities.__name__}.{info.name}"
        for method in _methods(module):
            found[method.name] = _reached(Called(module, method.name), method, mode)
    return found


def executing(mode: Mode) -> dict[str, tuple[str, ...]]:
    """Give the activities on whose way an order can be sent, with all methods that they await."""
    return {
        name: tuple(sorted(reached.store | reached.exchange))
        for name, reached in activities_found(mode).items()
        if reached.exchange
    }


def _methods(module: str) -> Iterator[ast.AsyncFunctionDef]:
    """Give the activities of a module."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.AsyncFunctionDef) and any(map(_is_defn, node.decorator_list)):
            yield node


def _is_defn(node: ast.expr) -> bool:
    named = node.func if isinstance(node, ast.Call) else node
    return isinstance(named, ast.Attribute) and named.attr == "defn"


def _reached(called: Called, begin: ast.AST, mode: Mode) -> Reached:
    """Follow all functions that are called, and gather what they await."""
    is_live = mode is Mode.LIVE
    reached, seen = Reached(), {called} if is_live else {called, *ONLY_LIVE}
    left: list[tuple[str, ast.AST]] = [(called.module, begin)]
    while left:
        module, node = left.pop()
        for name in _awaited(node):
            if name in ONLY_LIVE_METHODS and not is_live:
                continue
            if name in EXCHANGE:
                reached.exchange.add(name)
            elif name in STORE:
                reached.store.add(name)
        for other in _calls(module, node):
            if other not in seen and (found := _functions(other.module).get(other.name)):
                seen.add(other)
                left.append((other.module, found))
    return reached


def _awaited(node: ast.AST) -> Iterator[str]:
    """Give the methods that are called, of whatever."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
            yield each.func.attr


def _calls(module: str, node: ast.AST) -> Iterator[Called]:
    """Give the functions of the use cases that are named, called or handed on."""
    names = _imported(module)
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield names.get(each.id, Called(module, each.id))
        elif isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
            of = names.get(each.value.id)
            if of is not None and of.module == APP:
                yield Called(f"{APP}.{of.name}", each.attr)


@cache
def _imported(module: str) -> dict[str, Called]:
    """Give the names that a module imports from the use cases."""
    return {
        alias.asname or alias.name: Called(node.module or "", alias.name)
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(APP)
        for alias in node.names
    }


@cache
def _functions(module: str) -> dict[str, ast.AST]:
    """Give the functions of a module; none of what is not a use case."""
    if not module.startswith((APP, activities.__name__)):
        return {}
    kinds = (ast.AsyncFunctionDef, ast.FunctionDef)
    return {node.name: node for node in _tree(module).body if isinstance(node, kinds)}


@cache
def _tree(module: str) -> ast.Module:
    found: ModuleType = importlib.import_module(module)
    return ast.parse(inspect.getsource(found))
