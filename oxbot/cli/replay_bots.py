"""The bots of a replay: so many with default settings, or those of a JSON file."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from pydantic import Field, JsonValue, ValidationError

from oxbot.cli.config_sources import load_settings
from oxbot.domain.bot import DEFAULT_SYMBOLS, BotId, BotSettings
from oxbot.domain.errors import InputError
from oxbot.domain.models import check_provider
from oxbot.domain.values import Value, told

MOST: Final = 1_000
"""Bots in a replay."""


class PlannedBot(Value):
    """A bot that a replay makes."""

    id: BotId
    settings: BotSettings


class _Entry(Value):
    """What a file says of a bot; without a name the id is the name."""

    id: BotId
    settings: dict[str, JsonValue] = Field(default_factory=dict)


def planned_bots(wish: str, listed: Sequence[str]) -> tuple[PlannedBot, ...]:
    """Give the bots of `--bots`.

    Args:
        wish: A number of bots, or the path of a JSON file.
        listed: The symbols of the market, as BASE/QUOTE.

    Raises:
        InputError: No such number or file, or what is wrong with which entry of the file.
    """
    if wish.removeprefix("-").isdecimal():
        return _default_bots(int(wish), listed)
    return _bots_of(Path(wish), listed)


def _default_bots(count: int, listed: Sequence[str]) -> tuple[PlannedBot, ...]:
    if not 1 <= count <= MOST:
        raise InputError(f"A replay has 1 to {MOST} bots, not {count}.")
    symbols = usual_symbols(listed)
    names = (f"r{number:03}" for number in range(1, count + 1))
    return tuple(
        PlannedBot(id=name, settings=BotSettings(name=name, symbols=symbols)) for name in names
    )


def usual_symbols(listed: Sequence[str]) -> tuple[str, ...]:
    """Give the five usual coins, or what there is where the market has others."""
    return tuple(symbol for symbol in DEFAULT_SYMBOLS if symbol in listed) or tuple(listed)


def _bots_of(file: Path, listed: Sequence[str]) -> tuple[PlannedBot, ...]:
    content = read_json(file, "bots")
    if not isinstance(content, list) or not 1 <= len(content) <= MOST:
        raise InputError(f"{file.name} must be a list of 1 to {MOST} bots.")
    bots = tuple(
        _bot(f"{file.name}, bot {number}", entry, listed)
        for number, entry in enumerate(content, start=1)
    )
    if twice := _repeated(bot.id for bot in bots):
        raise InputError(f"{file.name}: two bots have the id {twice}.")
    return bots


def _bot(place: str, entry: JsonValue, listed: Sequence[str]) -> PlannedBot:
    """Read one entry; `place` names it in an error."""
    try:
        read = _Entry.model_validate(entry)
        chosen = {"symbols": usual_symbols(listed), "name": read.id, **read.settings}
        settings = BotSettings.model_validate(chosen)
    except ValidationError as error:
        raise InputError(f"{place}: {told(error)}") from error
    usable = load_settings().model_providers
    try:
        for choice in settings.choices:
            check_provider(choice.provider, usable)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error
    if foreign := [symbol for symbol in settings.symbols if symbol not in listed]:
        raise InputError(
            f"{place}: this market has no {', '.join(foreign)}; it has {', '.join(listed)}."
        )
    return PlannedBot(id=read.id, settings=settings)


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def read_json(path: Path, what: str) -> JsonValue:
    """Read a JSON file.

    Raises:
        InputError: It is not there, or is no JSON; names the line.
    """
    try:
        content: JsonValue = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(f"{path.name}, line {error.lineno}: {error.msg}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}, which should hold {what}, cannot be read: {error}.") from error
    return content
