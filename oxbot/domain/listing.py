"""Which symbols a venue lists, and what to say of one that it does not."""

import difflib
from collections.abc import Collection, Mapping, Sequence

from oxbot.domain.errors import InputError
from oxbot.domain.market import Instrument


def check_listed(symbols: Sequence[str], listed: Collection[str]) -> None:
    """Make sure that a venue lists all of these symbols.

    Args:
        symbols: Those that are wanted, such as BTC/USDT.
        listed: All that the venue lists.

    Raises:
        InputError: Some are not listed; each is named, with the nearest that are.
    """
    unlisted = [symbol for symbol in symbols if symbol not in listed]
    if unlisted:
        named = "; ".join(_with_nearest(symbol, listed) for symbol in unlisted)
        raise InputError(
            f"OKX does not list {named}. Use a spot pair from its list, such as BTC/USDT."
        )


def check_live(symbols: Sequence[str], listed: Mapping[str, Instrument]) -> None:
    """Make sure that all of these listed symbols can be traded now.

    Raises:
        InputError: The exchange has halted some; each is named.
    """
    halted = [symbol for symbol in symbols if not listed[symbol].live]
    if halted:
        raise InputError(f"The exchange has halted {', '.join(halted)}: nothing trades there now.")


def _with_nearest(symbol: str, listed: Collection[str]) -> str:
    near = difflib.get_close_matches(symbol, sorted(listed), n=3)
    return f"{symbol} (nearest: {', '.join(near)})" if near else symbol
