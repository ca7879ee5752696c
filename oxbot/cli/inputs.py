"""What people type, in the forms they type it: symbols, percentages, limits."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from oxbot.domain.bot import BotSettings
from oxbot.domain.errors import InputError
from oxbot.domain.market import QUOTE_CURRENCY
from oxbot.domain.money import decimal_from

_SYMBOL: Final = re.compile(r"([A-Z0-9]{1,15})(?:[/-]([A-Z0-9]{1,15}))?")


def parse_symbols(text: str) -> tuple[str, ...]:
    """Read a list of symbols: BTC, btc, BTC/USDT and BTC-USDT are the same.

    Raises:
        InputError: None is named, one is named twice, or one is no symbol.
    """
    symbols = tuple(_symbol(word) for word in re.split(r"[,;\s]+", text.strip()) if word)
    if not symbols:
        raise InputError("No symbol is named; write them as BTC,ETH.")
    if twice := sorted({symbol for symbol in symbols if symbols.count(symbol) > 1}):
        raise InputError(f"Named twice: {', '.join(twice)}.")
    return symbols


def _symbol(word: str) -> str:
    match = _SYMBOL.fullmatch(word.upper())
    if match is None:
        raise InputError(f"{word!r} is no symbol; write it as BTC or BTC/USDT.")
    base, quote = match.group(1), match.group(2) or QUOTE_CURRENCY
    return f"{base.removesuffix(QUOTE_CURRENCY) or base}/{quote}"


def parse_fraction(text: str, what: str) -> Decimal:
    """Read a part of a whole: 3.5% and 0.035 are the same.

    Raises:
        InputError: It is not a number.
    """
    number = text.strip().removesuffix("%")
    value = decimal_from(number.strip(), what)
    return value if number == text.strip() else value / 100


def bot_settings(chosen: Mapping[str, object], limits: Mapping[str, object]) -> BotSettings:
    """Make a bot's settings of what was chosen; the rest are the defaults.

    Raises:
        InputError: A value that cannot be, or limits that contradict each other.
    """
    try:
        return BotSettings.model_validate({**chosen, "limits": dict(limits)})
    except ValidationError as error:
        raise InputError(told(error)) from error


def as_given(field: str, value: object) -> tuple[str, str]:
    """Show a field under its own name, with its value if that is short."""
    return field, str(value) if isinstance(value, str | int | Decimal) else ""


def told(error: ValidationError, shown: Callable[[str, object], tuple[str, str]] = as_given) -> str:
    """Put a sentence for each field that is wrong.

    Args:
        error: What pydantic found.
        shown: Gives a field's name and its value as they may be shown; an empty value is not.
    """
    found = error.errors(include_url=False, include_context=False)
    return "\n".join(_sentence(e, shown) for e in found)


def _sentence(wrong: ErrorDetails, shown: Callable[[str, object], tuple[str, str]]) -> str:
    field = ".".join(str(part) for part in wrong["loc"])
    reason = wrong["msg"].removeprefix("Value error, ")
    if field in ("", "limits"):
        return f"The settings contradict each other: {reason}."
    name, value = shown(field, wrong["input"])
    return f"{name}: {reason}" + (f" (given: {value})." if value else ".")
