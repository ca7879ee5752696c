"""What people type, in the forms they type it: symbols, percentages, limits."""

import re
from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from oxbot.domain.bot import BotSettings, RiskLimits
from oxbot.domain.errors import InputError
from oxbot.domain.market import QUOTE_CURRENCY
from oxbot.domain.values import told

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


def model_choice(text: str) -> dict[str, str]:
    """Read a fallback: PROVIDER, or PROVIDER:MODEL."""
    provider, _, model = text.partition(":")
    return {"provider": provider, "model": model}


def cycle_range(text: str | None) -> range | None:
    """Read FIRST:LAST, both included; one number alone is that cycle.

    Raises:
        InputError: It is nothing of the kind.
    """
    if text is None:
        return None
    first, _, last = text.partition(":")
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise InputError(f"{text!r} are no cycles; write them as 10:50, or one as 10.")
    cycles = range(int(first), int(last or first) + 1)
    if not cycles:
        raise InputError(f"{text!r}: the first cycle comes after the last one.")
    return cycles


def limit_pair(text: str) -> tuple[str, str]:
    """Split NAME=VALUE.

    Raises:
        InputError: It is nothing of the kind, or there is no such limit.
    """
    name, sign, value = text.partition("=")
    if not sign or name not in RiskLimits.model_fields:
        known = ", ".join(RiskLimits.model_fields)
        raise InputError(f"{text!r} is not NAME=VALUE of a limit; the names are {known}.")
    return name, value


def bot_settings(chosen: Mapping[str, object], limits: Mapping[str, object]) -> BotSettings:
    """Make a bot's settings of what was chosen; the rest are the defaults.

    Raises:
        InputError: A value that cannot be, or limits that contradict each other.
    """
    try:
        return BotSettings.model_validate({**chosen, "limits": dict(limits)})
    except ValidationError as error:
        raise InputError(told(error)) from error
